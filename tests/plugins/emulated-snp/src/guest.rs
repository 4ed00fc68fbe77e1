//! A guest whose processor is the test kit: reports are signed in process, with everything that is needed to verify
//! them.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{Algorithm, SHA256, SHA512, digest};
use cc_core::message::{Blob, Collected, MESSAGE_VERSION};
use cc_core::{Binding, Finding, codes};
use cc_testkit::snp::leaf::oids;
use cc_testkit::snp::{CertSpec, CrlSpec, LeafKind, Product, ReportBuilder, Tcb, ark_der, ask_der, keys};

use crate::settings::{Machine, State};

/// Seconds for which a revocation list is handed out again, so that verifiers can remember it.
const CRL_REUSED: i64 = 600;
/// How long before it is issued a list begins, for verifiers whose clock is behind, and until when it is current.
const CRL_SINCE: i64 = 3600;
const CRL_CURRENT: i64 = 3 * 86_400;

/// The guest.
pub(crate) struct Guest {
    machine: Machine,
    issued: Mutex<Issued>,
}

/// What the emulated vendor issued last.
#[derive(Default)]
struct Issued {
    leaf: Option<(Tcb, Vec<u8>)>,
    crl: Option<(i64, Vec<u8>)>,
}

impl Guest {
    pub(crate) fn new(machine: Machine) -> Self {
        Self { machine, issued: Mutex::default() }
    }

    /// Signs a report with the binding in it.
    pub(crate) fn collect(&self, binding: &Binding) -> Result<Collected, Finding> {
        let state = self.machine.state()?;
        state.behaviour.happen()?;
        let product = self.machine.product;
        let [leaf, crl] = self.issue(state.tcb)?;
        let endorsements = [leaf, ask_der(product).to_vec(), ark_der(product).to_vec(), crl];
        Ok(Collected {
            version: MESSAGE_VERSION,
            evidence: self.report(&state, *binding.report_data()?),
            endorsements: endorsements.into_iter().map(Blob).collect(),
        })
    }

    fn report(&self, state: &State, report_data: [u8; 64]) -> Vec<u8> {
        let Machine { product, initial, .. } = &self.machine;
        let launched = initial.tcb;
        // A host may report less than it runs, never more; what it committed it cannot take back.
        let running = Tcb {
            fmc: launched.fmc.max(state.tcb.fmc),
            bootloader: launched.bootloader.max(state.tcb.bootloader),
            tee: launched.tee.max(state.tcb.tee),
            snp: launched.snp.max(state.tcb.snp),
            microcode: launched.microcode.max(state.tcb.microcode),
        };
        let mut report = ReportBuilder::healthy(*product, LeafKind::Vcek);
        report
            .set_report_data(report_data)
            .set_measurement(state.measurement)
            .set_host_data(state.host_data)
            .set_guest_svn(self.machine.guest_svn)
            .set_vmpl(self.machine.vmpl)
            .set_policy(self.machine.policy)
            .set_platform_info(self.machine.platform_info)
            .set_chip_id(self.chip_id())
            .set_report_id(derived(&SHA256, "guest", self.machine.report_id))
            .set_reported_tcb(state.tcb.encode(*product))
            .set_current_tcb(running.encode(*product))
            .set_committed_tcb(running.encode(*product))
            .set_launch_tcb(launched.encode(*product))
            .sign(keys::leaf(LeafKind::Vcek));
        report.bytes().to_vec()
    }

    /// CHIP_ID: the hardware id, which has 8 bytes on Turin, and zeros.
    fn chip_id(&self) -> [u8; 64] {
        let whole: [u8; 64] = derived(&SHA512, "chip", self.machine.chip);
        let mut chip_id = [0; 64];
        let length = self.machine.product.hwid().len();
        chip_id.iter_mut().zip(whole).take(length).for_each(|(to, from)| *to = from);
        chip_id
    }

    /// The VCEK for this TCB, and a revocation list.
    fn issue(&self, tcb: Tcb) -> Result<[Vec<u8>; 2], Finding> {
        let product = self.machine.product;
        let now = now()?;
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let leaf = match &issued.leaf {
            Some((of, leaf)) if *of == tcb => leaf.clone(),
            _ => {
                let mut spec = CertSpec::vcek(product);
                spec.set_tcb(tcb);
                let hwid = self.chip_id().into_iter().take(product.hwid().len());
                spec.set_ext(oids::HWID, hwid.collect());
                let leaf = spec.sign(keys::ask(product));
                issued.leaf = Some((tcb, leaf.clone()));
                leaf
            }
        };
        let crl = match &issued.crl {
            Some((at, crl)) if (0..CRL_REUSED).contains(&now.saturating_sub(*at)) => crl.clone(),
            _ => {
                let crl = revocation_list(product, now);
                issued.crl = Some((now, crl.clone()));
                crl
            }
        };
        Ok([leaf, crl])
    }
}

/// A list of the product line's root that revokes nothing.
fn revocation_list(product: Product, now: i64) -> Vec<u8> {
    let mut spec = CrlSpec::ark(product);
    spec.this_update = now.saturating_sub(CRL_SINCE);
    spec.next_update = Some(now.saturating_add(CRL_CURRENT));
    // Later lists have higher numbers.
    spec.number = u64::try_from(now).ok();
    spec.sign(keys::ark(product))
}

/// Bytes that look random and are the same for the same number.
fn derived<const N: usize>(algorithm: &'static Algorithm, what: &str, number: u64) -> [u8; N] {
    let sum = digest(algorithm, format!("muster emulated {what} {number}").as_bytes());
    let mut bytes = [0; N];
    bytes.iter_mut().zip(sum.as_ref()).for_each(|(to, from)| *to = *from);
    bytes
}

/// Seconds since 1970.
fn now() -> Result<i64, Finding> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since.and_then(|since| i64::try_from(since.as_secs()).ok()).ok_or_else(|| {
        Finding::new(codes::SNP_COLLECT_FIRMWARE_ERROR, "the clock of this machine is out of range")
    })
}
