//! Whose evidence is judged, and what is expected of it.

use std::sync::Arc;

use cc_core::{Binding, Finding, Profile, codes};
use cc_policy::InitData;

use super::PolicyFile;
use crate::Sha256;
use crate::digest::Hasher;

/// The federation owner's policy for the subject's role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerFloor {
    /// The policy in the owner's signed bundle.
    Policy(Arc<PolicyFile>),
    /// There is no owner: evidence that is judged outside any federation, by the site's policy alone.
    NoFederation,
}

/// Evidence of devices, which a processor's evidence vouches for (*verification.md* 5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceEvidence {
    /// Its profile.
    pub profile: Profile,
    /// The evidence of all devices.
    pub evidence: Vec<u8>,
    /// What it must be bound to: the verifier's own knowledge.
    pub expected: Binding,
}

/// A participant's evidence. Everything but `evidence`, `endorsements`, `profile` and the evidence of `devices` is the
/// verifier's own knowledge and must not be taken from the participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Who; for messages.
    pub name: String,
    /// What the role has to show: one of the processor profiles in it, and every device profile.
    pub required: Vec<Profile>,
    /// The profile of `evidence`, as the participant labels it.
    pub profile: Profile,
    /// The raw evidence; empty when none was sent.
    pub evidence: Vec<u8>,
    /// The evidence of devices that came with it, which `expected` commits to.
    pub devices: Option<DeviceEvidence>,
    /// Certificates and the like that came with it, one object each: hints.
    pub endorsements: Vec<Vec<u8>>,
    /// What the evidence must be bound to: the digest of the transcript that the verifier built itself.
    pub expected: Binding,
    /// The owner's policy for the role.
    pub floor: OwnerFloor,
    /// What the launch must commit to where names are measured: digests of the init bytes of *verification.md* 5.1.
    pub init_data: InitData,
}

impl Subject {
    /// Refuses a subject that does not show what its role requires (*verification.md* 5.8, row 7). Its own label
    /// never selects what that is.
    pub(super) fn shows_what_is_required(&self) -> Result<(), Finding> {
        if self.profile.is_device() {
            let detail = format!("{} shows {} and no processor that vouches for it", self.name, self.profile);
            return Err(Finding::new(codes::GPU_CPU_TEE_MISSING, detail));
        }
        if !self.required.contains(&self.profile) {
            let wanted: Vec<_> = self.required.iter().map(Profile::as_str).collect();
            let detail = format!("{} shows {}, its role requires {wanted:?}", self.name, self.profile);
            return Err(Finding::new(codes::ENV_PROFILE_NOT_ALLOWED, detail));
        }
        let missing = |what: &Profile| {
            let detail = format!("{} shows no evidence of profile {what}", self.name);
            Err(Finding::new(codes::POL_EVIDENCE_MISSING, detail))
        };
        if self.evidence.is_empty() {
            return missing(&self.profile);
        }
        for device in self.required.iter().filter(|profile| profile.is_device()) {
            if self.devices.as_ref().is_none_or(|shown| shown.profile != *device) {
                return missing(device);
            }
        }
        Ok(())
    }

    /// Names everything that the judgement depends on beside time, collateral and the site's policy.
    pub(super) fn digest(&self, site_policy: Sha256) -> Sha256 {
        let mut hasher = Hasher::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(bytes);
        };
        part(self.name.as_bytes());
        part(Sha256::of(&self.evidence).as_bytes());
        part(self.profile.as_str().as_bytes());
        part(self.expected.as_bytes());
        part(site_policy.as_bytes());
        match &self.floor {
            OwnerFloor::Policy(floor) => part(floor.sha256().as_bytes()),
            OwnerFloor::NoFederation => part(b""),
        }
        match &self.init_data {
            InitData::Carried { sha256, sha384 } => {
                [sha256.as_slice(), sha384].into_iter().for_each(&mut part)
            }
            InitData::NotCarried => part(b""),
        }
        part(&u64::try_from(self.required.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.required.iter().for_each(|profile| part(profile.as_str().as_bytes()));
        match &self.devices {
            None => part(b""),
            Some(DeviceEvidence { profile, evidence, expected }) => {
                part(profile.as_str().as_bytes());
                part(Sha256::of(evidence).as_bytes());
                part(expected.as_bytes());
            }
        }
        // Other hints may lead to another outcome, and whoever relays evidence chooses them.
        self.endorsements.iter().for_each(|endorsement| part(Sha256::of(endorsement).as_bytes()));
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(required: &[Profile], profile: Profile, devices: Option<Profile>) -> Subject {
        let shown =
            |profile| DeviceEvidence { profile, evidence: vec![2], expected: Binding::Nonce([3; 32]) };
        Subject {
            name: "site-1".to_owned(),
            required: required.to_vec(),
            profile,
            evidence: vec![1],
            devices: devices.map(shown),
            endorsements: Vec::new(),
            expected: Binding::new([0; 64]),
            floor: OwnerFloor::NoFederation,
            init_data: InitData::NotCarried,
        }
    }

    fn code(subject: &Subject) -> Result<(), cc_core::Code> {
        subject.shows_what_is_required().map_err(|finding| finding.code)
    }

    #[test]
    fn what_a_role_requires_is_not_what_the_subject_says() {
        let (snp, gpu) = (Profile::snp_raw_1(), Profile::nv_spdm_1());
        let tdx = Profile::parse("tdx-quote-1").unwrap();
        let both = [snp.clone(), gpu.clone()];
        assert_eq!(code(&subject(&both[..1], snp.clone(), None)), Ok(()));
        assert_eq!(code(&subject(&[], snp.clone(), None)), Err(codes::ENV_PROFILE_NOT_ALLOWED));
        assert_eq!(code(&subject(&both[..1], tdx, None)), Err(codes::ENV_PROFILE_NOT_ALLOWED));
        assert_eq!(code(&subject(&both, snp.clone(), None)), Err(codes::POL_EVIDENCE_MISSING));
        let empty = Subject { evidence: Vec::new(), ..subject(&both[..1], snp.clone(), None) };
        assert_eq!(code(&empty), Err(codes::POL_EVIDENCE_MISSING));
        // Devices are judged where they are shown, whether required or not.
        assert_eq!(code(&subject(&both, snp.clone(), Some(gpu.clone()))), Ok(()));
        assert_eq!(code(&subject(&both[..1], snp.clone(), Some(gpu))), Ok(()));
        assert_eq!(code(&subject(&both, snp.clone(), Some(snp))), Err(codes::POL_EVIDENCE_MISSING));
    }

    #[test]
    fn n_gpu_57_devices_without_a_processor() {
        let gpu = Profile::nv_spdm_1();
        let alone = subject(&[Profile::snp_raw_1(), gpu.clone()], gpu.clone(), Some(gpu));
        assert_eq!(code(&alone), Err(codes::GPU_CPU_TEE_MISSING));
    }

    #[test]
    fn everything_that_a_judgement_of_devices_depends_on_is_in_the_digest() {
        let (snp, gpu) = (Profile::snp_raw_1(), Profile::nv_spdm_1());
        let digest = |devices| {
            let subject = Subject { devices, ..subject(std::slice::from_ref(&snp), snp.clone(), None) };
            subject.digest(Sha256::of(b"policy"))
        };
        let shown = |evidence: u8, nonce| DeviceEvidence {
            profile: gpu.clone(),
            evidence: vec![evidence],
            expected: Binding::Nonce([nonce; 32]),
        };
        let all = [None, Some(shown(1, 1)), Some(shown(2, 1)), Some(shown(1, 2))].map(digest);
        for (i, one) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|other| other != one));
        }
    }
}
