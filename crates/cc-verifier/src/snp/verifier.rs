//! The verifier behind a plugin: messages in, messages out.

use cc_core::limits::MAX_ENDORSEMENTS;
use cc_core::message::{Plan, PlanRequest, VerifyReply, VerifyRequest};
use cc_core::{Finding, Outcome, Profile, UnixTime, Waivers};

use super::anchors::Anchors;
use super::cache::{self, ChainCache};
use super::form::{self, Form};
use super::slots;
use super::verify::{conclude, learn};
use super::{claims, plan};
use crate::request::{self, bytes};
use crate::verification::Verification;

/// Verifies requests under one set of trust anchors and remembers chains.
#[derive(Debug)]
pub struct Verifier {
    anchors: Anchors,
    cache: ChainCache,
}

impl Verifier {
    /// A verifier that trusts `anchors` and remembers up to `cache_entries` chains (0: none).
    pub fn new(anchors: Anchors, cache_entries: usize) -> Self {
        Self { anchors, cache: ChainCache::new(cache_entries) }
    }

    /// What the report says, unverified, which certificates are missing, and always the revocation list: whether one
    /// at hand is the newest cannot be seen, and an old one must not stand in for it. Rejects what
    /// [`Verifier::verify`] would reject without endorsements (*decisions.md* 19), and too many or too large ones.
    ///
    /// Requests are named `snp.vcek`, `snp.cert_chain` (intermediate and root, PEM) and `snp.crl`.
    pub fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        request::contract(&Profile::snp_raw_1(), &request.profile, &request.endorsements)?;
        self.plan_report(&request.evidence, &bytes(&request.endorsements).collect::<Vec<_>>())
    }

    /// [`Verifier::plan`] for profiles whose evidence has a report in it.
    pub(crate) fn plan_report(&self, report: &[u8], endorsements: &[&[u8]]) -> Result<Plan, Finding> {
        let form = form::check(report)?;
        let decoded = slots::decode_tables(endorsements.iter().copied());
        let slots = slots::sort(endorsements.iter().copied(), &decoded).1?;
        slots.within_limits()?;
        let claims = claims::of_report(&form, plan::product(&form, &slots));
        Ok(Plan::new(plan::requests(&form, &slots), claims))
    }

    /// Verifies a report with unlabelled endorsements.
    ///
    /// The reply says what each endorsement was recognised as: `snp.vcek`, `snp.vlek`, `snp.ask`, `snp.asvk`,
    /// `snp.ark`, `snp.crl`, `snp.certtable` or `unknown`. The floor of an accepted report is named
    /// `snp.crl.<Product>`.
    pub fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        let (names, verification) = self.answer(request);
        verification.reply(request, names)
    }

    fn answer(&self, request: &VerifyRequest) -> (Vec<&'static str>, Verification) {
        let waivers = request::contract(&Profile::snp_raw_1(), &request.profile, &request.endorsements)
            .and_then(|()| request::waivers(&request.waivers));
        let endorsements: Vec<_> = bytes(&request.endorsements).collect();
        match waivers {
            Ok(waivers) => self.judge(&request.evidence, &endorsements, &waivers, request.now),
            Err(finding) => (recognise(&endorsements), Verification::denied(finding)),
        }
    }

    /// [`Verifier::verify`] for profiles whose evidence has a report in it: what each endorsement was recognised as, and
    /// the verification. There are no more endorsements than are allowed.
    pub(crate) fn judge(
        &self,
        report: &[u8],
        endorsements: &[&[u8]],
        waivers: &Waivers,
        now: UnixTime,
    ) -> (Vec<&'static str>, Verification) {
        match form::check(report) {
            Ok(form) => self.judge_form(&form, endorsements, waivers, now),
            Err(finding) => (recognise(endorsements), Verification::denied(finding)),
        }
    }

    fn judge_form(
        &self,
        form: &Form<'_>,
        endorsements: &[&[u8]],
        waivers: &Waivers,
        now: UnixTime,
    ) -> (Vec<&'static str>, Verification) {
        let key = self.cache.is_enabled().then(|| {
            let start = cache::key("blobs", &self.anchors, form.kind, form.product);
            start.list(endorsements.iter().copied()).finish()
        });
        let known = match key.as_ref().and_then(|key| self.cache.chain(key)) {
            Some(known) => known,
            None => {
                let decoded = slots::decode_tables(endorsements.iter().copied());
                let (labels, slots) = slots::sort(endorsements.iter().copied(), &decoded);
                let names = labels.names.clone();
                let learnt = slots.and_then(|slots| learn(form, &slots, labels, &self.anchors, &self.cache));
                match learnt {
                    Ok(known) => known,
                    Err(finding) => return (names, Verification::denied(finding)),
                }
            }
        };
        let verification = conclude(form, &known, waivers, now);
        if let (Some(key), Outcome::Accept(_)) = (key, &verification.outcome) {
            self.cache.keep(key, &known);
        }
        (known.labels.names.clone(), verification)
    }
}

/// What each endorsement is. When there are more of them than are allowed none is looked at.
pub(crate) fn recognise(endorsements: &[&[u8]]) -> Vec<&'static str> {
    if endorsements.len() > MAX_ENDORSEMENTS {
        return vec!["unknown"; endorsements.len()];
    }
    let decoded = slots::decode_tables(endorsements.iter().copied());
    slots::sort(endorsements.iter().copied(), &decoded).0.names
}
