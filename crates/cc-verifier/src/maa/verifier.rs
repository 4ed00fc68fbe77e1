//! The verifier behind a plugin: messages in, messages out.

use std::sync::Arc;

use cc_core::azure::{Token, binding_of};
use cc_core::message::{
    EndorsementRequest, Floor, MESSAGE_VERSION, Plan, PlanRequest, VerifyReply, VerifyRequest,
};
use cc_core::{Accepted, BoundField, BoundKind, Finding, Outcome, Profile, SECONDS_PER_DAY, codes};

use super::claims;
use super::steps::{Configured, Opened, same_report};
use crate::jwt::Jwks;
use crate::memory::{KeyBuilder, Memory};
use crate::request;
use crate::snp::{self, Anchors, Report};

/// For how long the issuer's keys may be kept, in seconds (J4).
const KEYS_AGE: u64 = SECONDS_PER_DAY;
/// What an issuer's keys are called.
const KEYS: &str = "maa.jwks";

/// Verifies tokens of the issuers that it was given, and the raw reports that come with them.
#[derive(Debug)]
pub struct Verifier {
    issuers: Vec<Configured>,
    snp: snp::Verifier,
    keys: Memory<Jwks>,
}

impl Verifier {
    /// A verifier of tokens whose `iss` is exactly one of `issuers`, with AMD's `anchors` for the reports; it remembers up to
    /// `cache_entries` chains and sets of keys (0: none). `plug.config.invalid` for an issuer that is not `https://` and a
    /// host.
    pub fn new(issuers: Vec<String>, anchors: Anchors, cache_entries: usize) -> Result<Self, Finding> {
        Ok(Self {
            issuers: issuers.into_iter().map(Configured::new).collect::<Result<_, _>>()?,
            snp: snp::Verifier::new(anchors, cache_entries),
            keys: Memory::new(cache_entries),
        })
    }

    /// What the token says, unverified, and what is needed: the keys of its issuer, and what its report needs. Rejects what
    /// [`Verifier::verify`] would reject first, whatever keys and time say (*decisions.md* 19).
    ///
    /// Requests are named `maa.jwks`, and as [`snp::Verifier::plan`] names them.
    pub fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        request::contract(&Profile::aci_maa_1(), &request.profile, &request.endorsements)?;
        let evidence = Token::decode(&request.evidence)?;
        let opened = Opened::new(&evidence.token, &self.issuers)?;
        let mut requests = vec![EndorsementRequest {
            kind: KEYS.to_owned(),
            url: opened.configured.jwks_url.clone(),
            max_age: KEYS_AGE,
            post: None,
        }];
        // What is wrong with the claims comes after what keys and time decide, so that verification has to say it.
        let mut claims = opened.said().map_or_else(
            |_| claims::of_issuer(&opened.configured.iss),
            |said| claims::of(&opened.configured.iss, &said),
        );
        if !evidence.report.is_empty() {
            let others = request::bytes(&request.endorsements).filter(|blob| !is_keys(blob));
            if let Ok(plan) = self.snp.plan_report(&evidence.report, &others.collect::<Vec<_>>()) {
                requests.extend(plan.requests);
                claims.insert("report", plan.claims);
            }
        }
        Ok(Plan::new(requests, claims))
    }

    /// Verifies a token. Keys count only where the host answers for their origin: they are not signed.
    ///
    /// The reply says what each endorsement was recognised as: `maa.jwks`, or as [`snp::Verifier::verify`] says. The first
    /// rejection, of the token and then of the report, is the outcome; without one, what is missing, in the same order
    /// (*decisions.md* 1).
    pub fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        let mut reply = VerifyReply {
            version: MESSAGE_VERSION,
            profile: request.profile.clone(),
            outcome: Outcome::denied(Finding::new(codes::JWT_JWKS_UNAVAILABLE, "nothing was judged")).into(),
            recognised: vec!["unknown".to_owned(); request.endorsements.len()],
            floors: Vec::new(),
        };
        let outcome = self.judge(request, &mut reply).unwrap_or_else(Outcome::denied);
        if !matches!(outcome, Outcome::Accept(_)) {
            reply.floors.clear();
        }
        reply.outcome = outcome.into();
        reply
    }

    fn judge(&self, request: &VerifyRequest, reply: &mut VerifyReply) -> Result<Outcome, Finding> {
        request::contract(&Profile::aci_maa_1(), &request.profile, &request.endorsements)?;
        let evidence = Token::decode(&request.evidence)?;
        let opened = Opened::new(&evidence.token, &self.issuers)?;
        let keys = self.sort(request, &mut reply.recognised)?;
        let (said, unsigned) = opened.judge(&keys, request.now)?;
        let mut claims = claims::of(&opened.configured.iss, &said);
        let (mut missing, mut waived) = (unsigned, Vec::new());
        if !evidence.report.is_empty() {
            same_report(&said, &Report::new(&evidence.report)?)?;
            match self.report(request, &evidence.report, reply)? {
                Ok(accepted) => {
                    claims.insert("report", accepted.claims);
                    waived = accepted.waived;
                }
                Err(finding) => missing = missing.or(Some(finding)),
            }
        }
        if let Some(finding) = missing {
            return Err(finding);
        }
        let bound = match binding_of(&evidence.runtime_data) {
            Ok(binding) => BoundField { kind: BoundKind::RuntimeData, bytes: binding.to_vec() },
            Err(_) => BoundField { kind: BoundKind::Nothing, bytes: Vec::new() },
        };
        Ok(Outcome::Accept(Accepted { claims, bound, waived }))
    }

    /// Sets of keys that the host answers for, and the names of all sets.
    fn sort(&self, request: &VerifyRequest, recognised: &mut [String]) -> Result<Vec<Arc<Jwks>>, Finding> {
        let mut keys = Vec::new();
        for ((position, blob), name) in (0_u32..).zip(&request.endorsements).zip(recognised) {
            if !is_keys(&blob.0) {
                continue;
            }
            KEYS.clone_into(name);
            if request.vouched.contains(&position) {
                let lookup = self.keys.look_up(|| KeyBuilder::new(KEYS).part(&blob.0));
                let parsed = lookup.or_judge(|| Jwks::parse(&blob.0))?;
                lookup.keep(&parsed);
                keys.push(parsed);
            }
        }
        Ok(keys)
    }

    /// M7. `Err` within is what is missing. Names and floors go into the reply, by the positions of the request.
    fn report(
        &self,
        request: &VerifyRequest,
        report: &[u8],
        reply: &mut VerifyReply,
    ) -> Result<Result<Accepted, Finding>, Finding> {
        let (positions, others): (Vec<u32>, Vec<&[u8]>) =
            (0..).zip(request::bytes(&request.endorsements)).filter(|(_, blob)| !is_keys(blob)).unzip();
        let waivers = request::waivers(&request.waivers)?;
        let (names, verification) = self.snp.judge(report, &others, &waivers, request.now);
        for (position, name) in positions.iter().zip(names) {
            let position = usize::try_from(*position).unwrap_or(usize::MAX);
            if let Some(recognised) = reply.recognised.get_mut(position) {
                name.clone_into(recognised);
            }
        }
        for floor in verification.floors {
            let inner = usize::try_from(floor.endorsement).unwrap_or(usize::MAX);
            if let Some(endorsement) = positions.get(inner).copied() {
                reply.floors.push(Floor { endorsement, ..floor });
            }
        }
        match verification.outcome {
            Outcome::Accept(accepted) => Ok(Ok(accepted)),
            Outcome::Indeterminate(finding) => Ok(Err(finding)),
            Outcome::Reject(finding) => Err(finding),
        }
    }
}

/// A set of keys begins like an object; certificates, lists and tables do not.
fn is_keys(blob: &[u8]) -> bool {
    blob.trim_ascii_start().first() == Some(&b'{')
}
