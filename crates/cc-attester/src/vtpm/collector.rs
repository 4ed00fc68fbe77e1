//! The collector: what is asked, in which order, and whether the answers fit together.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use cc_core::azure::Machine;
use cc_core::message::{Blob, Collected, MESSAGE_VERSION};
use cc_core::{Binding, Finding, codes, tdx};

use super::hcl::{Hardware, hardware};
use super::metadata::Metadata;
use super::renewal::{HCL_REPORT, renewed};
use super::tpm::{DevicePort, Port, Quote, Tpm};
use super::{Options, attest};
use crate::pace::{Gate, Pace, SystemPace};
use crate::queue::{Conditions, Queue};
use crate::web::{Authorities, Chance, Client, system_chance};

/// Handle of the key that the platform made for quotes.
const ATTESTATION_KEY: u32 = 0x8100_0003;
/// How often the PCRs are read and quoted before they are said to change too fast.
const ATTEMPTS: usize = 3;

static CONDITIONS: Conditions = Conditions {
    thread: "vtpm-collector",
    busy: codes::VTPM_COLLECT_BUSY,
    no_device: codes::VTPM_COLLECT_NO_DEVICE,
    failed: codes::VTPM_COLLECT_FAILED,
};

/// Collects evidence of this machine, one at a time.
pub struct Collector {
    queue: Queue<Inside>,
    fresh_hcl: bool,
}

/// What a collector takes from around it.
pub struct Surroundings {
    /// The way to the TPM.
    pub port: Box<dyn Port>,
    /// The clock that is waited on.
    pub pace: Box<dyn Pace>,
    /// By what waits differ.
    pub chance: Chance,
}

impl Collector {
    /// A collector on the kernel's interface. Touches nothing yet. `plug.config.invalid` where the metadata service has no
    /// address in `options`.
    pub fn new(options: &Options) -> Result<Self, Finding> {
        let surroundings = Surroundings {
            port: Box::new(DevicePort(options.device.clone())),
            pace: Box::new(SystemPace),
            chance: system_chance(),
        };
        Self::within(surroundings, options)
    }

    /// A collector in other surroundings; [`Options::device`] is not used.
    pub fn within(surroundings: Surroundings, options: &Options) -> Result<Self, Finding> {
        let gate = Gate::new(surroundings.pace, Duration::ZERO, options.lock.clone());
        let inside = Inside {
            tpm: Tpm(surroundings.port),
            metadata: Metadata::new(options)?,
            client: Client::new(&Authorities::System, surroundings.chance),
        };
        let queue = Queue::new(Box::new(inside), gate, options.timeout, &CONDITIONS);
        Ok(Self { queue, fresh_hcl: options.fresh_hcl })
    }

    /// Evidence of profile `az-cvm-vtpm-1` over `binding`, a machine's or its first 32 bytes: a [`Machine`], and for SNP the
    /// processor's certificates. Blocks for as long as [`Options::timeout`] says.
    pub fn collect(&self, binding: &Binding) -> Result<Collected, Finding> {
        let extra_data = *binding.extra_data()?;
        let user_data = binding.user_data().copied().filter(|_| self.fresh_hcl);
        self.queue.run(move |inside, gate| inside.collect(&extra_data, user_data.as_ref(), gate))
    }
}

/// What is on the collector's thread.
struct Inside {
    tpm: Tpm,
    metadata: Metadata,
    client: Client,
}

impl Inside {
    fn collect(
        &mut self,
        extra_data: &[u8; 32],
        user_data: Option<&[u8; 64]>,
        gate: &mut Gate,
    ) -> Result<Collected, Finding> {
        let hcl_report = match user_data {
            Some(user_data) => renewed(&mut self.tpm, user_data, gate)?,
            None => self.tpm.nv(HCL_REPORT)?,
        };
        let (Quote { message, signature }, pcrs) = self.quote(extra_data)?;
        let (td_quote, endorsements) = self.endorse(&hcl_report, gate)?;
        let evidence = Machine { hcl_report, td_quote, message, signature, pcrs }.encode();
        Ok(Collected { version: MESSAGE_VERSION, evidence, endorsements })
    }

    /// A quote over `nonce`, and the PCRs that it is over: those that were read just before, unless one changed meanwhile.
    fn quote(&mut self, nonce: &[u8; 32]) -> Result<(Quote, Vec<[u8; 32]>), Finding> {
        let wrong = |detail: String| Finding::new(codes::VTPM_COLLECT_WRONG_QUOTE, detail);
        for _ in 0..ATTEMPTS {
            let pcrs = self.tpm.pcrs()?;
            let quote = self.tpm.quote(ATTESTATION_KEY, nonce)?;
            let attest = attest::read(&quote.message);
            let attest = attest.ok_or_else(|| wrong("what the TPM signed is not a quote".to_owned()))?;
            if attest.extra_data != nonce {
                let found = hex::encode(attest.extra_data);
                return Err(wrong(format!("extraData is {found}, requested was {}", hex::encode(nonce))));
            }
            if digest(&SHA256, pcrs.as_flattened()).as_ref() == attest.pcr_digest {
                return Ok((quote, pcrs));
            }
        }
        let detail = format!("the PCRs changed between reading and quoting, {ATTEMPTS} times");
        Err(Finding::new(codes::VTPM_COLLECT_BUSY, detail))
    }

    /// The quote for the processor's local report (TDX), or the certificates for its signed one (SNP).
    fn endorse(&mut self, hcl_report: &[u8], gate: &mut Gate) -> Result<(Vec<u8>, Vec<Blob>), Finding> {
        match hardware(hcl_report) {
            Some(Hardware::Snp) => Ok((Vec::new(), self.metadata.certificates(&mut self.client, gate)?)),
            Some(Hardware::Tdx(td_report, report_data)) => {
                let quote = self.metadata.td_quote(td_report, &mut self.client, gate)?;
                let wrong = |detail: String| Finding::new(codes::VTPM_COLLECT_WRONG_QUOTE, detail);
                let found = tdx::report_data(&quote).map_err(|finding| wrong(finding.detail))?;
                if found != report_data {
                    let [found, sent] = [found, report_data].map(hex::encode);
                    return Err(wrong(format!("REPORTDATA is {found}, that of the local report is {sent}")));
                }
                Ok((quote, Vec::new()))
            }
            None => {
                let detail =
                    format!("{} bytes at NV index {HCL_REPORT:#x} are no HCL report", hcl_report.len());
                Err(Finding::new(codes::VTPM_COLLECT_FAILED, detail))
            }
        }
    }
}
