//! Whose evidence is judged, and what is expected of it.

use std::sync::Arc;

use cc_core::{Binding, Finding, Profile, codes};
use cc_policy::InitData;

use super::PolicyFile;
use crate::Sha256;
use crate::digest::Hasher;

/// The profiles that are shown inside the evidence of a processor and never alone (*verification.md* 0.12, key 2).
const DEVICE_PROFILES: [&str; 1] = ["nv-spdm-1"];

/// The federation owner's policy for the subject's role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerFloor {
    /// The policy in the owner's signed bundle.
    Policy(Arc<PolicyFile>),
    /// There is no owner: evidence that is judged outside any federation, by the site's policy alone.
    NoFederation,
}

/// A participant's evidence. Everything but `evidence`, `endorsements`, `profile` and `devices` is the verifier's own
/// knowledge and must not be taken from the participant.
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
    /// The profiles of the device evidence that came with it.
    pub devices: Vec<Profile>,
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
        if !self.required.contains(&self.profile) || is_device(&self.profile) {
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
        for device in self.required.iter().filter(|profile| is_device(profile)) {
            if !self.devices.contains(device) {
                return missing(device);
            }
        }
        match self.devices.first() {
            None => Ok(()),
            // What cannot be judged must not be counted as shown.
            Some(device) => Err(Finding::new(
                codes::PLUG_PROFILE_UNSERVED,
                format!(
                    "{} shows device evidence of profile {device}, which nothing here can judge",
                    self.name
                ),
            )),
        }
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
        for list in [&self.required, &self.devices] {
            part(&u64::try_from(list.len()).unwrap_or(u64::MAX).to_be_bytes());
            list.iter().for_each(|profile| part(profile.as_str().as_bytes()));
        }
        // Other hints may lead to another outcome, and whoever relays evidence chooses them.
        self.endorsements.iter().for_each(|endorsement| part(Sha256::of(endorsement).as_bytes()));
        hasher.finish()
    }
}

fn is_device(profile: &Profile) -> bool {
    DEVICE_PROFILES.contains(&profile.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(required: &[Profile], profile: Profile, devices: Vec<Profile>) -> Subject {
        Subject {
            name: "site-1".to_owned(),
            required: required.to_vec(),
            profile,
            evidence: vec![1],
            devices,
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
        assert_eq!(code(&subject(&both[..1], snp.clone(), Vec::new())), Ok(()));
        assert_eq!(code(&subject(&[], snp.clone(), Vec::new())), Err(codes::ENV_PROFILE_NOT_ALLOWED));
        assert_eq!(code(&subject(&both[..1], tdx, Vec::new())), Err(codes::ENV_PROFILE_NOT_ALLOWED));
        assert_eq!(code(&subject(&both, gpu.clone(), Vec::new())), Err(codes::ENV_PROFILE_NOT_ALLOWED));
        assert_eq!(code(&subject(&both, snp.clone(), Vec::new())), Err(codes::POL_EVIDENCE_MISSING));
        let empty = Subject { evidence: Vec::new(), ..subject(&both[..1], snp.clone(), Vec::new()) };
        assert_eq!(code(&empty), Err(codes::POL_EVIDENCE_MISSING));
        // Nothing here can judge devices: shown, they are refused, whether required or not.
        assert_eq!(code(&subject(&both, snp.clone(), vec![gpu.clone()])), Err(codes::PLUG_PROFILE_UNSERVED));
        assert_eq!(code(&subject(&both[..1], snp, vec![gpu])), Err(codes::PLUG_PROFILE_UNSERVED));
    }
}
