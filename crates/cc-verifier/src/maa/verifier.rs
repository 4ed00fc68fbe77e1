//! The verifier behind a plugin: messages in, messages out.

use std::sync::Arc;

use cc_core::azure::{Token, bound_through};
use cc_core::message::{EndorsementRequest, Plan, PlanRequest, VerifyReply, VerifyRequest};
use cc_core::{Accepted, Finding, Outcome, Profile, SECONDS_PER_DAY, codes};

use super::claims;
use super::steps::{Configured, Opened, same_report};
use crate::jwt::Jwks;
use crate::memory::{KeyBuilder, Memory};
use crate::request;
use crate::snp::{self, Anchors, Report};
use crate::verification::Verification;

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

/// Endorsements by what they are.
struct Sorted<'a> {
    /// The sets of keys that the host answers for.
    keys: Vec<Arc<Jwks>>,
    /// The others at the positions where they stand, and nothing where one of the above stands.
    others: Vec<&'a [u8]>,
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
            let endorsements: Vec<_> = request::bytes(&request.endorsements).collect();
            if let Ok(plan) = self.snp.plan_report(&evidence.report, &endorsements) {
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
        let mut names = vec!["unknown"; request.endorsements.len()];
        let verification = self.judge(request, &mut names).unwrap_or_else(Verification::denied);
        verification.reply(request, names)
    }

    fn judge(&self, request: &VerifyRequest, names: &mut [&'static str]) -> Result<Verification, Finding> {
        request::contract(&Profile::aci_maa_1(), &request.profile, &request.endorsements)?;
        let waivers = request::waivers(&request.waivers)?;
        let evidence = Token::decode(&request.evidence)?;
        let opened = Opened::new(&evidence.token, &self.issuers)?;
        let Sorted { keys, others } = self.sort(request, names)?;
        let (said, unsigned) = opened.judge(&keys, request.now)?;
        let mut claims = claims::of(&opened.configured.iss, &said);
        let bound = bound_through(&evidence.runtime_data);
        if evidence.report.is_empty() {
            let accepted = Accepted { claims, bound, waived: Vec::new() };
            let outcome = unsigned.map_or(Outcome::Accept(accepted), Outcome::denied);
            return Ok(Verification { outcome, floors: Vec::new() });
        }
        same_report(&said, &Report::new(&evidence.report)?)?;
        let (of_report, mut verification) = self.snp.judge(&evidence.report, &others, &waivers, request.now);
        for (name, of_report) in names.iter_mut().zip(of_report).filter(|(name, _)| **name != KEYS) {
            *name = of_report;
        }
        match (&mut verification.outcome, unsigned) {
            (Outcome::Reject(_), _) | (_, None) => {}
            (_, Some(missing)) => return Ok(Verification::denied(missing)),
        }
        if let Outcome::Accept(accepted) = &mut verification.outcome {
            claims.insert("report", std::mem::take(&mut accepted.claims));
            (accepted.claims, accepted.bound) = (claims, bound);
        }
        Ok(verification)
    }

    /// Sorts endorsements and names the sets of keys. What only begins like one is somebody else's document.
    fn sort<'a>(
        &self,
        request: &'a VerifyRequest,
        names: &mut [&'static str],
    ) -> Result<Sorted<'a>, Finding> {
        let (mut keys, mut others) = (Vec::new(), Vec::new());
        let blobs = request::bytes(&request.endorsements);
        for ((position, blob), name) in (0_u32..).zip(blobs).zip(names) {
            let may_be_keys = blob.trim_ascii_start().first() == Some(&b'{');
            if !may_be_keys || !request.vouched.contains(&position) {
                others.push(blob);
                continue;
            }
            let lookup = self.keys.look_up(|| KeyBuilder::new(KEYS).part(blob));
            match lookup.or_judge(|| Jwks::parse(blob)) {
                Ok(parsed) => {
                    lookup.keep(&parsed);
                    keys.push(parsed);
                    *name = KEYS;
                    others.push(&[]);
                }
                Err(finding) if finding.code == codes::JWT_KEY_DUPLICATE => return Err(finding),
                Err(_) => others.push(blob),
            }
        }
        Ok(Sorted { keys, others })
    }
}
