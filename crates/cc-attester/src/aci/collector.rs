//! The collector: who is asked, in which order, and what becomes of the answers.

use std::time::Duration;

use cc_core::azure::{Group, Token, runtime_data};
use cc_core::message::{Blob, Collected, MESSAGE_VERSION};
use cc_core::{Binding, Finding, codes};

use super::context::Context;
use super::maa::{self, Service};
use super::sidecar::Sidecar;
use super::{Options, report};
use crate::pace::{Gate, Pace, SystemPace};
use crate::queue::{Conditions, Queue};
use crate::snp;
use crate::web::{Authorities, Chance, Client, system_chance};

static CONDITIONS: Conditions = Conditions {
    thread: "aci-collector",
    busy: codes::ACI_COLLECT_UNAVAILABLE,
    no_device: codes::SNP_COLLECT_NO_DEVICE,
    failed: codes::ACI_COLLECT_REFUSED,
};

/// Collects evidence of this container group, one at a time.
pub struct Collector(Queue<Inside>);

/// What a collector takes from around it.
pub struct Surroundings {
    /// Asks the kernel.
    pub snp: snp::Collector,
    /// The clock that is waited on.
    pub pace: Box<dyn Pace>,
    /// By what waits differ.
    pub chance: Chance,
    /// Who may name the attestation service.
    pub authorities: Authorities,
}

impl Collector {
    /// A collector on the kernel's interfaces, with the system's authorities. Asks nobody yet. `plug.config.invalid` for
    /// an address in `options` at which nobody may be asked.
    pub fn new(options: Options) -> Result<Self, Finding> {
        let surroundings = Surroundings {
            snp: snp::Collector::new(options.snp.clone()),
            pace: Box::new(SystemPace),
            chance: system_chance(),
            authorities: Authorities::System,
        };
        Self::within(surroundings, options)
    }

    /// A collector in other surroundings; [`Options::snp`] is not used.
    pub fn within(surroundings: Surroundings, options: Options) -> Result<Self, Finding> {
        let gate = Gate::new(surroundings.pace, Duration::ZERO, options.lock.clone());
        let timeout = options.timeout;
        let inside = Inside {
            sidecar: Sidecar::new(&options)?,
            service: Service::new(&options)?,
            snp: surroundings.snp,
            client: Client::new(&surroundings.authorities, surroundings.chance),
            options,
        };
        Ok(Self(Queue::new(Box::new(inside), gate, timeout, &CONDITIONS)))
    }

    /// Evidence of profile `aci-raw-1` over `binding`: a [`Group`], and what endorses its report. Blocks for as long as
    /// [`Options::timeout`] says.
    pub fn report(&self, binding: &Binding) -> Result<Collected, Finding> {
        let binding = binding.clone();
        self.0.run(move |inside, gate| inside.report(&binding, gate))
    }

    /// Evidence of profile `aci-maa-1` over `binding`: a [`Token`] with a raw report over the same runtime data, and what
    /// endorses that. Blocks for as long as [`Options::timeout`] says. `plug.config.missing` without
    /// [`Options::maa_endpoint`].
    pub fn token(&self, binding: &Binding) -> Result<Collected, Finding> {
        let binding = binding.clone();
        self.0.run(move |inside, gate| inside.token(&binding, gate))
    }
}

/// What is on the collector's thread.
struct Inside {
    options: Options,
    sidecar: Option<Sidecar>,
    service: Option<Service>,
    snp: snp::Collector,
    client: Client,
}

/// A report, and what endorses it.
struct Obtained {
    report: Vec<u8>,
    endorsements: Vec<Blob>,
    /// It is over the runtime data, not over the binding.
    from_sidecar: bool,
}

impl Inside {
    fn report(&mut self, binding: &Binding, gate: &mut Gate) -> Result<Collected, Finding> {
        let sent = runtime_data(binding.report_data()?);
        let Obtained { report, endorsements, from_sidecar } = self.obtain(binding, &sent, gate)?;
        let runtime_data = if from_sidecar { sent } else { Vec::new() };
        Ok(collected(Group { report, runtime_data }.encode(), endorsements))
    }

    fn token(&mut self, binding: &Binding, gate: &mut Gate) -> Result<Collected, Finding> {
        let runtime_data = runtime_data(binding.report_data()?);
        let over = Binding::new(report::report_data(&runtime_data));
        let Obtained { report, endorsements, .. } = self.obtain(&over, &runtime_data, gate)?;
        let token = self.ask_service(&report, &runtime_data, gate)?;
        maa::check(&token, &runtime_data)?;
        let token = Token { token: token.into_bytes(), runtime_data, report };
        Ok(collected(token.encode(), endorsements))
    }

    /// A report over `binding` from the kernel, or over `runtime_data` from the sidecar where this container has no
    /// interface of the kernel's. A guest there must be: elsewhere a sidecar has nothing but its canned report.
    fn obtain(
        &mut self,
        binding: &Binding,
        runtime_data: &[u8],
        gate: &mut Gate,
    ) -> Result<Obtained, Finding> {
        let absent = match self.snp.collect(binding) {
            Ok(own) => {
                let mut endorsements = Context::read(&self.options)?.endorsements()?;
                endorsements.extend(own.endorsements);
                return Ok(Obtained { report: own.evidence, endorsements, from_sidecar: false });
            }
            Err(finding) if finding.code == codes::SNP_COLLECT_NO_DEVICE => finding,
            Err(finding) => return Err(finding),
        };
        let in_guest = self.options.guest_devices.iter().any(|path| path.exists());
        let Some(sidecar) = self.sidecar.as_ref().filter(|_| in_guest) else { return Err(absent) };
        let obtained = sidecar.report(runtime_data, &mut self.client, gate)?;
        let endorsements = self.endorsements(obtained.endorsements)?;
        Ok(Obtained { report: obtained.report, endorsements, from_sidecar: true })
    }

    /// The sidecar's endorsements with the policy that it does not give, or those of the security context.
    fn endorsements(&self, given: Option<Vec<Blob>>) -> Result<Vec<Blob>, Finding> {
        let context = Context::read(&self.options);
        let Some(mut endorsements) = given else { return context?.endorsements() };
        match context {
            Ok(context) => endorsements.push(Blob(context.policy)),
            // The policy's text need not be there: its digest is in the report.
            Err(finding) if finding.code == codes::ACI_COLLECT_CONTEXT_MISSING => {}
            Err(finding) => return Err(finding),
        }
        Ok(endorsements)
    }

    /// A token about `report`, through the sidecar where there is one; it makes a report of its own then.
    fn ask_service(
        &mut self,
        report: &[u8],
        runtime_data: &[u8],
        gate: &mut Gate,
    ) -> Result<String, Finding> {
        let Some(service) = &self.service else {
            let detail = "maa_endpoint: there is no attestation service to ask";
            return Err(Finding::new(codes::PLUG_CONFIG_MISSING, detail));
        };
        match &self.sidecar {
            Some(sidecar) => sidecar.token(service.host(), runtime_data, &mut self.client, gate),
            None => {
                let context = Context::read(&self.options)?;
                service.token(report, runtime_data, &context, &mut self.client, gate)
            }
        }
    }
}

fn collected(evidence: Vec<u8>, endorsements: Vec<Blob>) -> Collected {
    Collected { version: MESSAGE_VERSION, evidence, endorsements }
}
