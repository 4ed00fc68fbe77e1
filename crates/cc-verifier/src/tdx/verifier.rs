//! The verifier behind a plugin: messages in, messages out.

use cc_core::message::{MESSAGE_VERSION, Plan, PlanRequest, VerifyReply, VerifyRequest};
use cc_core::{Claims, Finding, Profile};

use super::anchors::Anchors;
use super::cache::QuoteCache;
use super::quote::Quote;
use super::slots::Slots;
use super::verify::verify;
use crate::request;

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

    /// What the quote says, unverified, and the current collateral that it needs.
    pub fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        request::contract(&Profile::tdx_quote_1(), &request.profile, &request.endorsements)?;
        Quote::new(&request.evidence)?;
        Ok(Plan::new(Vec::new(), Claims::new()))
    }

    /// Verifies a quote with unlabelled endorsements.
    pub fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        let waivers = cc_core::Waivers::none();
        let answer =
            verify(&request.evidence, &Slots::default(), &self.anchors, &waivers, request.now, &self.cache);
        VerifyReply {
            version: MESSAGE_VERSION,
            profile: request.profile.clone(),
            outcome: answer.outcome.into(),
            recognised: vec!["unknown".to_owned(); request.endorsements.len()],
            floors: answer.floors,
        }
    }
}
