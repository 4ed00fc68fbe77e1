//! The verifier behind a plugin: messages in, messages out.

use cc_core::message::{Blob, Plan, PlanRequest, VerifyReply, VerifyRequest};
use cc_core::{Finding, Profile};

use super::anchors::{Anchor, Anchors};
use super::cache::{Known, QuoteCache};
use super::chain::Issuer;
use super::collateral::Collateral;
use super::quote::Quote;
use super::verify::{answer, attestation_key};
use super::{claims, plan, shown, slots, steps};
use crate::memory::KeyBuilder;
use crate::request::{self, bytes};
use crate::verification::Verification;

/// Verifies requests under one trust anchor and remembers what it verified.
#[derive(Debug)]
pub struct Verifier {
    anchors: Anchors,
    cache: QuoteCache,
}

impl Verifier {
    /// A verifier that trusts `anchors` and remembers up to `cache_entries` results of each kind (0: none).
    pub fn new(anchors: Anchors, cache_entries: usize) -> Self {
        Self { anchors, cache: QuoteCache::new(cache_entries) }
    }

    /// What the quote says, unverified but for the certificates in it, and all of the platform's collateral: whether
    /// some at hand is the newest cannot be seen, and an old one must not stand in for it. Rejects what
    /// [`Verifier::verify`] would reject without endorsements and at any time (*decisions.md* 19), and too many or too
    /// large ones.
    ///
    /// The events of a log at hand are listed, as `eventlog`.
    ///
    /// Requests are named `tdx.tcb_info`, `tdx.qe_identity` (JSON; the signing chain comes in a header of the answer),
    /// `tdx.pck_crl` and `tdx.root_crl` (DER).
    pub fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        request::contract(&Profile::tdx_quote_1(), &request.profile, &request.endorsements)?;
        let quote = Quote::new(&request.evidence)?;
        let chains = slots::decode_chains(bytes(&request.endorsements));
        let slots = slots::sort(bytes(&request.endorsements), &chains).1;
        slots.within_limits()?;
        let lookup = self.cache.attestation_key(&self.anchors, &quote.attestation());
        let key = lookup.or_judge(|| attestation_key(&quote, &self.anchors, &self.cache))?;
        steps::check_alone(&quote, &key)?;
        let mut claims = claims::of(&quote, &key.chain, None);
        shown::add_events(&mut claims, &slots.event_logs)?;
        Ok(Plan::new(plan::requests(&key.chain), claims))
    }

    /// Verifies a quote with unlabelled endorsements.
    ///
    /// The reply says what each endorsement was recognised as: `tdx.tcb_info`, `tdx.qe_identity`, `tdx.signing_chain`
    /// (in PEM, or one certificate of it in DER), `tdx.root_crl`, `tdx.pck_crl`, `tdx.ccel` or `unknown`. The floors of an
    /// accepted quote are named `tdx.root_crl`, `tdx.pck_crl.platform` or `.processor`, `tdx.tcb_info.<fmspc>` and
    /// `tdx.qe_identity`.
    pub fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        let (names, verification) = self.answer(request);
        verification.reply(request, names)
    }

    fn answer(&self, request: &VerifyRequest) -> (Vec<&'static str>, Verification) {
        let endorsements = &request.endorsements;
        let quote = request::contract(&Profile::tdx_quote_1(), &request.profile, endorsements)
            .and_then(|()| Ok((request::waivers(&request.waivers)?, Quote::new(&request.evidence)?)));
        let (waivers, quote) = match quote {
            Ok(read) => read,
            Err(finding) => return (names(endorsements), Verification::denied(finding)),
        };
        let add_key = |key: KeyBuilder| key.part(b"blobs").list(bytes(endorsements));
        let learn = |anchor: &Anchor, issuer: &Issuer| {
            let chains = slots::decode_chains(bytes(endorsements));
            let (labels, slots) = slots::sort(bytes(endorsements), &chains);
            Ok(Known { collateral: Collateral::judge(&slots, anchor, issuer)?, labels })
        };
        let (known, verification) =
            answer(&quote, &self.anchors, &waivers, request.now, &self.cache, add_key, learn);
        let names = known.map_or_else(|| names(endorsements), |known| known.labels.names.clone());
        (names, verification)
    }
}

/// What each endorsement is. When there are more of them than are allowed none is looked at.
fn names(endorsements: &[Blob]) -> Vec<&'static str> {
    if !request::is_bounded(endorsements) {
        return vec!["unknown"; endorsements.len()];
    }
    let chains = slots::decode_chains(bytes(endorsements));
    slots::sort(bytes(endorsements), &chains).0.names
}
