//! The verifier behind a plugin: messages in, messages out.

use cc_core::azure::Machine;
use cc_core::message::{MESSAGE_VERSION, Plan, PlanRequest, VerifyReply, VerifyRequest, WireOutcome};
use cc_core::{BoundField, BoundKind, Finding, Outcome, Profile};

use super::check::check;
use super::hcl::{Hardware, HclReport};
use super::{claims, malformed};
use crate::{request, snp, tdx};

/// Verifies requests under the trust anchors of both technologies.
#[derive(Debug)]
pub struct Verifier {
    snp: snp::Verifier,
    tdx: tdx::Verifier,
}

impl Verifier {
    /// A verifier that trusts these anchors and remembers up to `cache_entries` results of each kind and technology
    /// (0: none).
    pub fn new(snp_anchors: snp::Anchors, tdx_anchors: tdx::Anchors, cache_entries: usize) -> Self {
        Self {
            snp: snp::Verifier::new(snp_anchors, cache_entries),
            tdx: tdx::Verifier::new(tdx_anchors, cache_entries),
        }
    }

    /// What the evidence says, unverified but for what is in it, and the endorsements of its processor: see
    /// [`snp::Verifier::plan`] and [`tdx::Verifier::plan`]. Rejects what [`Verifier::verify`] would reject first, whatever
    /// endorsements and time say (*decisions.md* 19).
    pub fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        request::contract(&Profile::az_cvm_vtpm_1(), &request.profile, &request.endorsements)?;
        let machine = Machine::decode(&request.evidence)?;
        let hcl = HclReport::new(&machine.hcl_report)?;
        let (profile, evidence) = signed(&machine, &hcl)?;
        let inner = PlanRequest {
            version: request.version,
            profile,
            evidence,
            endorsements: request.endorsements.clone(),
        };
        let mut plan = match hcl.hardware() {
            Hardware::Snp(_) => self.snp.plan(&inner),
            Hardware::Tdx(_) => self.tdx.plan(&inner),
        }?;
        // What is wrong here comes after what endorsements and time decide, so that verification has to say it.
        if let Ok(checked) = check(&machine, hcl) {
            claims::add(&mut plan.claims, &checked);
        }
        Ok(plan)
    }

    /// Verifies the evidence of a machine with unlabelled endorsements of its processor, whose names in the reply, floors
    /// and waivers are those of [`snp::Verifier::verify`] or [`tdx::Verifier::verify`].
    ///
    /// Their steps come first, then VMPL and runtime data, then the quote. The first rejection in this order is the
    /// outcome; without one, what the processor's part lacks; without that, the claims. The bound field are the quote's
    /// extra data, of whatever length.
    pub fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        self.answer(request).unwrap_or_else(|finding| VerifyReply {
            version: MESSAGE_VERSION,
            profile: request.profile.clone(),
            outcome: Outcome::denied(finding).into(),
            recognised: vec!["unknown".to_owned(); request.endorsements.len()],
            floors: Vec::new(),
        })
    }

    /// `Err` for evidence that does not come to having a processor's report.
    fn answer(&self, request: &VerifyRequest) -> Result<VerifyReply, Finding> {
        request::contract(&Profile::az_cvm_vtpm_1(), &request.profile, &request.endorsements)?;
        let machine = Machine::decode(&request.evidence)?;
        let hcl = HclReport::new(&machine.hcl_report)?;
        let (profile, evidence) = signed(&machine, &hcl)?;
        let inner = VerifyRequest { profile, evidence, ..request.clone() };
        let mut reply = match hcl.hardware() {
            Hardware::Snp(_) => self.snp.verify(&inner),
            Hardware::Tdx(_) => self.tdx.verify(&inner),
        };
        reply.profile = request.profile.clone();
        if matches!(reply.outcome, WireOutcome::Reject(_)) {
            return Ok(reply);
        }
        match (check(&machine, hcl), &mut reply.outcome) {
            (Ok(passed), WireOutcome::Accept { claims, bound, .. }) => {
                claims::add(claims, &passed);
                let extra_data = passed.quote.attest.extra_data.to_vec();
                *bound = BoundField { kind: BoundKind::ExtraData, bytes: extra_data };
            }
            (Ok(_), _) => {}
            (Err(finding), outcome) => {
                *outcome = Outcome::denied(finding).into();
                reply.floors.clear();
            }
        }
        Ok(reply)
    }
}

/// What the processor signed, with the profile of such evidence.
fn signed(machine: &Machine, hcl: &HclReport<'_>) -> Result<(Profile, Vec<u8>), Finding> {
    match (hcl.hardware(), machine.td_quote.is_empty()) {
        (Hardware::Snp(report), true) => Ok((Profile::snp_raw_1(), report.to_vec())),
        (Hardware::Tdx(_), false) => Ok((Profile::tdx_quote_1(), machine.td_quote.clone())),
        (Hardware::Snp(_), false) => Err(malformed("a TD quote beside a report of SEV-SNP".to_owned())),
        (Hardware::Tdx(_), true) => {
            Err(malformed("without a TD quote nothing in a TD report is signed".to_owned()))
        }
    }
}
