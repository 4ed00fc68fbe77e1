//! The verifier behind a plugin: messages in, messages out.

use std::sync::Arc;

use cc_core::gpu::Device;
use cc_core::message::{Blob, Plan, PlanRequest, VerifyReply, VerifyRequest};
use cc_core::{Finding, Profile, Waivers};

use super::anchors::Anchors;
use super::cache::DeviceCache;
use super::chain::Chain;
use super::collateral::{Collateral, Known};
use super::evidence::{self, Evidence};
use super::revocation::Notes;
use super::served::{self, Served};
use super::slots::Slots;
use super::verify::{answer, own_chains};
use super::{claims, members, plan, steps};
use crate::memory::KeyBuilder;
use crate::request::{self, bytes};
use crate::verification::Verification;

/// Verifies requests under one set of trust anchors and remembers what it verified.
#[derive(Debug)]
pub struct Verifier {
    anchors: Anchors,
    cache: DeviceCache,
    /// The issuer of the service that stands in for manifests and OCSP answers.
    nras: Option<String>,
}

impl Verifier {
    /// A verifier that trusts `anchors` and remembers up to `cache_entries` results of each kind (0: none).
    pub fn new(anchors: Anchors, cache_entries: usize) -> Self {
        Self { anchors, cache: DeviceCache::new(cache_entries), nras: None }
    }

    /// Lets NVIDIA's attestation service, whose tokens have this issuer, stand in for manifests and OCSP answers
    /// (*verification.md* 3.5). Certificates, signatures and what the reports say are judged here all the same.
    #[must_use]
    pub fn with_nras(self, issuer: String) -> Self {
        Self { nras: Some(issuer), ..self }
    }

    /// What the devices say, unverified but for their signatures, and the endorsements to ask for. Rejects what
    /// [`Verifier::verify`] would reject without endorsements and at any time (*decisions.md* 19), and too many or too
    /// large ones.
    ///
    /// Requests are named `gpu.rim` (JSON, only for manifests that are not at hand) and `gpu.ocsp` (a POST; for every
    /// certificate of the devices and of the manifests at hand that has a status, so there are more once the manifests
    /// are there). With [`Verifier::with_nras`] they are `nras.token` (a POST for each architecture) and `nras.jwks`.
    pub fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        request::contract(&Profile::nv_spdm_1(), &request.profile, &request.endorsements)?;
        let devices = evidence::devices(&request.evidence)?;
        let evidence = Evidence::new(&devices)?;
        let own = own_chains(&devices, &self.anchors, &self.cache)?;
        let own: Vec<_> = own.iter().map(|own| own.as_ref().map(|(_, chain)| Arc::clone(chain))).collect();
        let chains: Vec<_> = own.iter().flatten().cloned().collect();
        let slots = Slots::sort(bytes(&request.endorsements)).1;
        let slots = if self.nras.is_some() { slots.certificates_only() } else { slots };
        let collateral = Collateral::judge(&slots, &chains, &self.anchors, &self.cache)?;
        let members =
            members::of(&evidence, own.iter().map(Option::as_ref), &collateral, &mut Notes::default())?;
        let requests = if self.nras.is_some() {
            members.iter().try_for_each(steps::check_own)?;
            served::requests(&members, &evidence.nonce)
        } else {
            members.iter().try_for_each(|member| steps::check_alone(member).map(drop))?;
            plan::requests(&request.evidence, &members, &collateral)
        };
        let devices = members.iter().map(|member| claims::of_device(member, None)).collect();
        Ok(Plan::new(requests, claims::of(&evidence.nonce, devices, evidence.gpus())))
    }

    /// Verifies devices with unlabelled endorsements.
    ///
    /// The reply says what each endorsement was recognised as: `gpu.rim`, `gpu.ocsp`, `gpu.chain` or `unknown`; with
    /// [`Verifier::with_nras`] also `nras.token` or `nras.jwks`.
    pub fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        let (names, verification) = self.answer(request);
        verification.reply(request, names)
    }

    fn answer(&self, request: &VerifyRequest) -> (Vec<&'static str>, Verification) {
        let endorsements = &request.endorsements;
        let read = request::contract(&Profile::nv_spdm_1(), &request.profile, endorsements)
            .and_then(|()| Ok((request::waivers(&request.waivers)?, evidence::devices(&request.evidence)?)));
        let (waivers, devices): (Waivers, Vec<Device>) = match read {
            Ok(read) => read,
            Err(finding) => return (names(endorsements), Verification::denied(finding)),
        };
        if let Some(issuer) = &self.nras {
            return self.served(issuer, request, &waivers, &devices);
        }
        let add_key = |key: KeyBuilder| key.part(b"blobs").list(bytes(endorsements));
        let learn = |chains: &[Arc<Chain>]| {
            let (names, slots) = Slots::sort(bytes(endorsements));
            Ok(Known { collateral: Collateral::judge(&slots, chains, &self.anchors, &self.cache)?, names })
        };
        let (known, verification) =
            answer(&devices, &self.anchors, &waivers, request.now, &self.cache, None, add_key, learn);
        let names = known.map_or_else(|| names(endorsements), |known| known.names.clone());
        (names, verification)
    }

    /// With the service's answers; of the other endorsements only certificates count, and are remembered.
    fn served(
        &self,
        issuer: &str,
        request: &VerifyRequest,
        waivers: &Waivers,
        devices: &[Device],
    ) -> (Vec<&'static str>, Verification) {
        let (mut names, slots) = Slots::sort(bytes(&request.endorsements));
        let served = Served::sort(issuer, request, &mut names);
        let slots = slots.certificates_only();
        let add_key = |key: KeyBuilder| {
            key.part(b"certificates").list(slots.certificates.iter().map(|der| der.as_ref()))
        };
        let learn = |chains: &[Arc<Chain>]| {
            let collateral = Collateral::judge(&slots, chains, &self.anchors, &self.cache)?;
            Ok(Known { collateral, names: Vec::new() })
        };
        let (now, cache) = (request.now, &self.cache);
        let verification =
            answer(devices, &self.anchors, waivers, now, cache, Some(&served), add_key, learn).1;
        (names, verification)
    }
}

/// What each endorsement is. When there are more of them than are allowed none is looked at.
fn names(endorsements: &[Blob]) -> Vec<&'static str> {
    if !request::is_bounded(endorsements) {
        return vec!["unknown"; endorsements.len()];
    }
    Slots::sort(bytes(endorsements)).0
}
