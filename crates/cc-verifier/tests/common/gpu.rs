//! Synthetic devices and how they are verified.

use cc_core::message::{Blob, MESSAGE_VERSION, Plan, PlanRequest, VerifyRequest};
use cc_core::{Claims, Finding, Outcome, Profile, UnixTime, Waivers};
use cc_testkit::gpu::{Arch, Member, NOW, World, device_chain, rim};
use cc_testkit::ocsp::Answer;
use cc_verifier::gpu::{Anchors, DeviceCache, RootCertificates, Slots, Verification, Verifier, verify};

use crate::common::codes::{outcome_code, reply_code};

/// The synthetic roots.
pub(crate) fn anchors() -> Anchors {
    let (device, rim) = (device_chain::root_der(), rim::root_der());
    Anchors::new(RootCertificates { device, switch_device: device, rim, switch_rim: rim })
}

/// The instant for which worlds are made.
pub(crate) fn now() -> UnixTime {
    UnixTime::from_secs(NOW.unsigned_abs())
}

/// Devices and endorsements, sorted, as they are handed to the verifier.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    pub(crate) evidence: Vec<u8>,
    pub(crate) rims: Vec<Vec<u8>>,
    pub(crate) ocsp: Vec<Vec<u8>>,
    pub(crate) certificates: Vec<Vec<u8>>,
}

impl Parts {
    /// Everything that belongs to a world: manifests as files.
    pub(crate) fn of(world: &World) -> Self {
        Self {
            evidence: world.evidence(),
            rims: world.files(),
            ocsp: world.answers().iter().map(Answer::sign).collect(),
            certificates: Vec::new(),
        }
    }

    pub(crate) fn slots(&self) -> Slots<'_> {
        fn list(blobs: &[Vec<u8>]) -> Vec<&[u8]> {
            blobs.iter().map(Vec::as_slice).collect()
        }
        Slots {
            rims: list(&self.rims),
            ocsp: list(&self.ocsp),
            certificates: self.certificates.iter().map(|der| der.into()).collect(),
        }
    }

    /// All endorsements, without labels.
    pub(crate) fn blobs(&self) -> Vec<Vec<u8>> {
        [&self.rims[..], &self.ocsp, &self.certificates].concat()
    }

    /// Verifies at an instant, with waivers, without memory.
    pub(crate) fn verify(&self, waivers: &Waivers, now: UnixTime) -> Verification {
        verify(&self.evidence, &self.slots(), &anchors(), waivers, now, &DeviceCache::new(0))
    }

    /// Verifies at [`now`], without waivers.
    pub(crate) fn outcome(&self) -> Outcome {
        self.verify(&Waivers::none(), now()).outcome
    }

    /// The code of the outcome, or `accept`; the same with endorsements that are not labelled.
    pub(crate) fn code(&self) -> String {
        let code = outcome_code(&self.outcome()).to_owned();
        let reply = Verifier::new(anchors(), 0).verify(&self.request());
        assert_eq!(reply_code(&reply), code, "unlabelled: {:?}", reply.outcome);
        code
    }

    /// The claims of devices that must be accepted.
    pub(crate) fn claims(&self) -> Claims {
        match self.outcome() {
            Outcome::Accept(accepted) => accepted.claims,
            other => panic!("not accepted: {other:?}"),
        }
    }

    pub(crate) fn request(&self) -> VerifyRequest {
        VerifyRequest {
            version: MESSAGE_VERSION,
            profile: Profile::nv_spdm_1(),
            evidence: self.evidence.clone(),
            endorsements: self.blobs().into_iter().map(Blob).collect(),
            waivers: Vec::new(),
            vouched: Vec::new(),
            now: now(),
        }
    }

    pub(crate) fn plan(&self) -> Result<Plan, Finding> {
        Verifier::new(anchors(), 0).plan(&PlanRequest {
            version: MESSAGE_VERSION,
            profile: Profile::nv_spdm_1(),
            evidence: self.evidence.clone(),
            endorsements: self.blobs().into_iter().map(Blob).collect(),
        })
    }
}

/// Waivers of these codes.
pub(crate) fn waive(codes: &[&str]) -> Waivers {
    Waivers::new(codes.iter().map(|code| cc_core::Code::parse(code).unwrap())).unwrap()
}

/// One Hopper with everything that it needs.
pub(crate) fn hopper() -> World {
    World::new(Arch::Hopper, 1)
}

/// The first device of a world.
pub(crate) fn first(world: &mut World) -> &mut Member {
    world.members.first_mut().unwrap()
}
