//! The verifier behind a plugin: messages in, messages out.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use cc_core::azure::{Group, bound_through};
use cc_core::message::{Plan, PlanRequest, VerifyReply, VerifyRequest};
use cc_core::{Claims, Code, Finding, Outcome, Profile, UnixTime, Waivers, codes};

use super::anchors::{Anchors, Uvm};
use super::sorted::{self, Sorted};
use super::uvm::{self, Endorsement};
use super::{cce, claims};
use crate::memory::{KeyBuilder, Lookup, Memory};
use crate::request::{self, bytes};
use crate::snp::{self, Report};
use crate::verification::Verification;

/// Verifies requests under one set of trust anchors and remembers chains and endorsements.
#[derive(Debug)]
pub struct Verifier {
    snp: snp::Verifier,
    uvm: Uvm,
    endorsements: Memory<Endorsement>,
}

/// What the group's own endorsements say of an authentic report.
struct Own<'m> {
    endorsement: Arc<Endorsement>,
    lookup: Lookup<'m, Endorsement>,
    /// Claims of the CCE policy, if its text was supplied.
    policy: Option<Claims>,
}

impl Verifier {
    /// A verifier that trusts `anchors` and remembers up to `cache_entries` chains and as many endorsements (0: none).
    pub fn new(anchors: Anchors, cache_entries: usize) -> Self {
        let Anchors { snp, uvm } = anchors;
        let snp = snp::Verifier::new(snp, cache_entries);
        Self { snp, uvm, endorsements: Memory::new(cache_entries) }
    }

    /// What the report says, unverified, and which endorsements are missing: those of [`snp::Verifier::plan`], since the
    /// endorsement of the utility VM is published nowhere. Rejects what [`Verifier::verify`] would reject without
    /// endorsements (*decisions.md* 19), and too many or too large ones.
    pub fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        request::contract(&Profile::aci_raw_1(), &request.profile, &request.endorsements)?;
        let group = Group::decode(&request.evidence)?;
        let sorted = Sorted::new(bytes(&request.endorsements));
        sorted.within_limits()?;
        self.snp.plan_report(&group.report, &sorted.others)
    }

    /// Verifies a group with unlabelled endorsements: steps S1 to S20 as [`crate::snp::verify()`] takes them, then A1 to
    /// A5 and the digest of A7. The first rejection in this order is the outcome, then what is missing for the report;
    /// an endorsement of the utility VM that is missing is a rejection. Of several, the first with which nothing is wrong
    /// counts, otherwise the one that went furthest.
    ///
    /// The reply says what each endorsement was recognised as: the names of [`snp::Verifier::verify`], `aci.uvm` or
    /// `aci.cce_policy`. The bound field is REPORT_DATA, or with runtime data the binding in these; that REPORT_DATA has
    /// their digest is for the host to compare.
    pub fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        let (names, verification) = self.answer(request);
        verification.reply(request, names)
    }

    fn answer(&self, request: &VerifyRequest) -> (Vec<&'static str>, Verification) {
        let all: Vec<_> = bytes(&request.endorsements).collect();
        let waivers = request::contract(&Profile::aci_raw_1(), &request.profile, &request.endorsements)
            .and_then(|()| request::waivers(&request.waivers));
        match waivers {
            Ok(waivers) => self.answer_bounded(request, &all, &waivers),
            Err(finding) if request::is_bounded(&request.endorsements) => {
                (sorted::recognise(snp::recognise(&all), &all), Verification::denied(finding))
            }
            Err(finding) => (snp::recognise(&all), Verification::denied(finding)),
        }
    }

    fn answer_bounded(
        &self,
        request: &VerifyRequest,
        all: &[&[u8]],
        waivers: &Waivers,
    ) -> (Vec<&'static str>, Verification) {
        let sorted = Sorted::new(all.iter().copied());
        let group = sorted.within_limits().and_then(|()| Group::decode(&request.evidence));
        let (names, verification) = match group {
            Ok(group) => self.judge(&group, &sorted, waivers, request.now),
            Err(finding) => (snp::recognise(&sorted.others), Verification::denied(finding)),
        };
        (sorted::recognise(names, all), verification)
    }

    /// The report first; what the group's own endorsements say is of account unless the report was refuted.
    fn judge(
        &self,
        group: &Group,
        sorted: &Sorted<'_>,
        waivers: &Waivers,
        now: UnixTime,
    ) -> (Vec<&'static str>, Verification) {
        let (names, mut verification) = self.snp.judge(&group.report, &sorted.others, waivers, now);
        if matches!(verification.outcome, Outcome::Reject(_)) {
            return (names, verification);
        }
        match Report::new(&group.report).and_then(|report| self.own(report, sorted)) {
            Err(finding) => (names, Verification::denied(finding)),
            Ok(own) => {
                if let Outcome::Accept(accepted) = &mut verification.outcome {
                    accepted.claims.insert("uvm", claims::of_uvm(&own.endorsement, &self.uvm));
                    if let Some(policy) = own.policy {
                        accepted.claims.insert("cce_policy", policy);
                    }
                    if !group.runtime_data.is_empty() {
                        accepted.bound = bound_through(&group.runtime_data);
                    }
                    own.lookup.keep(&own.endorsement);
                }
                (names, verification)
            }
        }
    }

    /// Steps A1 to A5 and the digest of A7, for a report that nothing refuted.
    fn own(&self, report: Report<'_>, sorted: &Sorted<'_>) -> Result<Own<'_>, Finding> {
        let (endorsement, lookup) = self.endorsement(report.measurement(), &sorted.uvm)?;
        let policy = policy(report.host_data(), &sorted.policies)?;
        Ok(Own { endorsement, lookup, policy })
    }

    /// The first candidate with which nothing is wrong.
    fn endorsement(
        &self,
        measurement: &[u8; 48],
        candidates: &[&[u8]],
    ) -> Result<(Arc<Endorsement>, Lookup<'_, Endorsement>), Finding> {
        let mut best: Option<(usize, Finding)> = None;
        for candidate in candidates {
            let lookup = self.endorsements.look_up(|| KeyBuilder::new("uvm").part(candidate));
            let judged = lookup.or_judge(|| uvm::verify(candidate, &self.uvm));
            match judged.and_then(|endorsement| endorsement.endorses(measurement).map(|()| endorsement)) {
                Ok(endorsement) => return Ok((endorsement, lookup)),
                Err(finding) => {
                    let rank = rank(&finding.code);
                    if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                        best = Some((rank, finding));
                    }
                }
            }
        }
        let missing = || {
            let detail = "no endorsement of the utility VM among the endorsements";
            Finding::new(codes::ACI_UVM_MISSING, detail)
        };
        Err(best.map_or_else(missing, |(_, finding)| finding))
    }
}

/// How far the judgement of a candidate went before it found that (A1 to A5).
fn rank(code: &Code) -> usize {
    let steps = [
        codes::ACI_UVM_COSE_MALFORMED,
        codes::ACI_UVM_ISSUER,
        codes::ACI_UVM_CHAIN,
        codes::ACI_UVM_FINGERPRINT,
        codes::ACI_UVM_EKU,
        codes::ACI_UVM_ALG,
        codes::ACI_UVM_FEED,
        codes::ACI_UVM_CONTENT_TYPE,
        codes::ACI_UVM_SIGNATURE,
        codes::ACI_UVM_MEASUREMENT_MISMATCH,
    ];
    steps.iter().position(|step| step == code).unwrap_or_default()
}

/// A7 as far as it is verification: of the texts supplied, one is that of HOST_DATA. What it lets through is a claim.
fn policy(host_data: &[u8; 32], texts: &[&[u8]]) -> Result<Option<Claims>, Finding> {
    let of_host_data = |text: &&&[u8]| digest(&SHA256, text).as_ref() == host_data;
    match texts.iter().find(of_host_data) {
        Some(text) => Ok(Some(claims::of_policy(host_data, &cce::lint(text)))),
        None if texts.is_empty() => Ok(None),
        None => {
            let detail = format!(
                "none of {} texts has the digest {} of HOST_DATA",
                texts.len(),
                hex::encode(host_data)
            );
            Err(Finding::new(codes::ACI_CCE_POLICY_DIGEST, detail))
        }
    }
}
