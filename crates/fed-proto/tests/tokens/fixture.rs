//! A round of three in which site-1 shows a token to site-2.

use cc_core::{Code, Finding, Profile};
use fed_proto::binding::{
    Device, DeviceClass, Leaf, Member, Purpose, Transcript, leaf_hash, members_digest, pop, root,
};
use fed_proto::crypto::{AttKey, Digest, sha256};
use fed_proto::envelope::Envelope;
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::token::{Checked, Look, Peer, RoundTerms, check};

pub(crate) const MEMBERS: [&str; 3] = ["server", "site-1", "site-2"];
pub(crate) const EPOCH: u64 = 7;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn profile(text: &str) -> Profile {
    Profile::parse(text).unwrap()
}

/// The attestation key of a member.
pub(crate) fn key(name: &str) -> AttKey {
    AttKey::from_seed(&sha256(name.as_bytes()).0).unwrap()
}

pub(crate) fn role(name: &str) -> Role {
    if name == "server" { Role::Server } else { Role::Client }
}

pub(crate) fn leaves(names: &[&str]) -> Vec<Vec<u8>> {
    let leaf = |name: &&str| Leaf {
        federation_id: sha256(b"federation"),
        epoch: EPOCH,
        name: self::name(name),
        role: role(name),
        nonce: sha256(format!("nonce-{name}").as_bytes()).0,
        key: key(name).public().digest(),
    };
    names.iter().map(|name| leaf(name).bytes()).collect()
}

pub(crate) fn root_of(names: &[&str]) -> Digest {
    let hashes: Vec<Digest> = leaves(names).iter().map(|leaf| leaf_hash(leaf)).collect();
    root(&hashes)
}

pub(crate) fn peer(name: &str) -> Peer {
    Peer {
        name: self::name(name),
        role: role(name),
        key: key(name).public(),
        instance_id: [1; 16],
        kem: Some(sha256(b"kem")),
    }
}

pub(crate) fn terms() -> RoundTerms {
    let member =
        |name: &str| Member { name: self::name(name), role: role(name), key: key(name).public().digest() };
    RoundTerms {
        federation_id: sha256(b"federation"),
        policy_digest: sha256(b"bundle"),
        purpose: Purpose::JobStart,
        job_id: "ab".repeat(32),
        epoch: EPOCH,
        members: members_digest(&MEMBERS.map(member)),
        root: root_of(&MEMBERS),
        leaf_count: 3,
    }
}

/// GPUs whose reports have ascending digests, as an envelope lists them.
pub(crate) fn devices(class: DeviceClass, count: u8) -> Vec<Device> {
    let device = |number: u8| Device {
        class,
        report: vec![number; 3],
        cert_chain: b"CHAIN".to_vec(),
        cc_state: [1, 1, 0, 0],
    };
    let mut devices: Vec<Device> = (0..count).map(device).collect();
    devices.sort_by_key(|device| sha256(&device.report));
    devices
}

/// What the verifier knows and what it is shown, healthy until a test changes one thing.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) me: Name,
    pub(crate) terms: RoundTerms,
    pub(crate) sender: Peer,
    pub(crate) required: Vec<Profile>,
    pub(crate) runtime: Option<Option<Digest>>,
    pub(crate) late: bool,
    /// What the token says; the envelope carries its bytes.
    pub(crate) transcript: Transcript,
    /// Whose key made the proof of possession.
    pub(crate) signer: &'static str,
    /// What the envelope says beside the transcript.
    pub(crate) profile: Profile,
    pub(crate) root: Digest,
    pub(crate) leaf_count: u32,
    pub(crate) devices: Vec<Device>,
}

impl Case {
    pub(crate) fn new() -> Self {
        let (terms, sender, profile) = (terms(), peer("site-1"), Profile::snp_raw_1());
        let runtime = Some(sha256(b"runtime"));
        let transcript = terms.transcript(&sender, profile.clone(), runtime, None);
        Self {
            me: name("site-2"),
            root: terms.root,
            leaf_count: terms.leaf_count,
            terms,
            sender,
            required: vec![profile.clone()],
            runtime: Some(runtime),
            late: false,
            transcript,
            signer: "site-1",
            profile,
            devices: Vec::new(),
        }
    }

    /// A healthy case with one change.
    pub(crate) fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut case = Self::new();
        change(&mut case);
        case
    }

    pub(crate) fn envelope(&self) -> Envelope {
        Envelope {
            profile: self.profile.clone(),
            transcript: self.transcript.bytes(),
            evidence: b"a report".to_vec(),
            aux: Vec::new(),
            devices: self.devices.clone(),
            endorsements: vec![b"a certificate".to_vec()],
            root: self.root,
            leaf_count: self.leaf_count,
            pop: pop::sign_token(&key(self.signer), &self.transcript.binding()),
        }
    }

    pub(crate) fn check(&self) -> Result<Checked, Finding> {
        self.check_envelope(&self.envelope())
    }

    /// Checks any envelope with what the verifier knows.
    pub(crate) fn check_envelope(&self, envelope: &Envelope) -> Result<Checked, Finding> {
        let Self { me, terms, sender, required, runtime, late, .. } = self;
        let look = Look { me, terms, sender, required, runtime: *runtime, late: *late };
        check(look, envelope)
    }

    #[track_caller]
    pub(crate) fn refused(&self, code: Code) {
        let finding = self.check().expect_err(code.as_str());
        assert_eq!(finding.code, code, "{finding}");
        assert!(!finding.detail.is_empty());
    }
}
