//! The lines as they are written. Wire types: what they say is compared, never believed.

use cc_core::limits::MAX_DETAIL;
use cc_manager::attest::{
    DeviceEvidence, Identifiers, JudgedDevices, Judgement, OwnerFloor, PolicyAppraisal, PolicyOwner, Subject,
};
use cc_manager::{PluginInfo, UsedEndorsement};
use cc_policy::InitData;
use fed_proto::name::Name;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::value::{Blob, Hex, Time, What};

/// A line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<B> {
    pub(super) kind: String,
    /// SHA-256 of the line before.
    pub(super) prev: Hex<32>,
    pub(super) body: B,
}

/// What a line says.
pub(super) trait Body: Serialize + DeserializeOwned {
    /// Its kind.
    const KIND: &'static str;
}

macro_rules! bodies {
    ($($name:ident = $kind:literal;)*) => {$(impl Body for $name { const KIND: &'static str = $kind; })*};
}
bodies! {
    Head = "head";
    Bundle = "bundle";
    Policy = "policy";
    Path = "path";
    Object = "object";
    Message = "message";
    Judging = "judgement";
    Verdict = "verdict";
    Seal = "seal";
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) version: u32,
    pub(super) verifier: Name,
    /// The descriptor's text.
    pub(super) descriptor: String,
    pub(super) epoch: u64,
    pub(super) purpose: What,
    /// Empty where the purpose names no job.
    pub(super) job_id: String,
    pub(super) root: Hex<32>,
    /// When the verdict was made.
    pub(super) at: Time,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bundle {
    /// As the round's Open had it.
    pub(super) signed: Blob,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    /// What places in it are called by.
    pub(super) name: String,
    pub(super) text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Path {
    pub(super) index: u32,
    pub(super) count: u32,
    pub(super) siblings: Vec<Hex<32>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Object {
    pub(super) sha256: Hex<32>,
    pub(super) bytes: Blob,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    pub(super) bytes: Blob,
}

/// How one peer's evidence was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Judging {
    pub(super) subject: String,
    pub(super) profile: String,
    /// Of what the role requires.
    pub(super) required: Vec<String>,
    pub(super) evidence: Hex<32>,
    /// The 64 bytes that the evidence must be bound to.
    pub(super) expected: String,
    /// What HOST_DATA must commit to, where names are measured.
    pub(super) init_data: Option<Hex<32>>,
    /// The owner's policy for the role.
    pub(super) floor: Option<Hex<32>>,
    pub(super) site_policy: Hex<32>,
    pub(super) at: Time,
    pub(super) plugin: Option<Plugin>,
    /// Every endorsement that the plugin was given, in order.
    pub(super) endorsements: Vec<Used>,
    pub(super) notes: Vec<String>,
    pub(super) appraisals: Vec<Appraisal>,
    /// Its devices, if it showed any.
    pub(super) devices: Option<Devices>,
    /// Of accepted evidence.
    pub(super) identifiers: Option<Hardware>,
    /// Why it was refused.
    pub(super) code: Option<String>,
    pub(super) detail: Option<String>,
}

/// How the devices were judged that came with a processor's evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Devices {
    pub(super) profile: String,
    pub(super) evidence: Hex<32>,
    /// The nonce that every device's evidence must carry.
    pub(super) expected: String,
    /// Nothing where it did not come to the devices.
    pub(super) plugin: Option<Plugin>,
    pub(super) endorsements: Vec<Used>,
    pub(super) notes: Vec<String>,
    pub(super) appraisals: Vec<Appraisal>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) sha256: Hex<32>,
    pub(super) trust_class: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Used {
    pub(super) kind: String,
    pub(super) sha256: Hex<32>,
    pub(super) source: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Appraisal {
    /// `federation` or `site`.
    pub(super) owner: String,
    pub(super) sha256: Hex<32>,
    /// `production` or `development`.
    pub(super) profile: String,
    pub(super) status: String,
    pub(super) findings: Vec<Finding>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finding {
    pub(super) code: String,
    pub(super) got: String,
    pub(super) want: String,
    /// The line of the policy.
    pub(super) source: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hardware {
    pub(super) guest: Option<Blob>,
    pub(super) chip: Option<Blob>,
    pub(super) devices: Vec<Blob>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verdict {
    /// The signed bytes.
    pub(super) bytes: Blob,
    pub(super) signature: Hex<64>,
    /// The reasons, for people; the codes are in the signed bytes.
    pub(super) refused: Vec<Refused>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refused {
    pub(super) name: Name,
    pub(super) code: String,
    pub(super) detail: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seal {
    /// Lines before this one.
    pub(super) lines: u64,
    /// Of all bytes before this line.
    pub(super) sha256: Hex<32>,
    pub(super) signature: Hex<64>,
}

impl Judging {
    /// What is kept of a judgement.
    pub(super) fn of(subject: &Subject, judgement: &Judgement, site_policy: [u8; 32]) -> Self {
        let names = |profiles: &[cc_core::Profile]| profiles.iter().map(ToString::to_string).collect();
        let outcome = judgement.outcome();
        Self {
            subject: subject.name.clone(),
            profile: subject.profile.to_string(),
            required: names(&subject.required),
            evidence: Hex(fed_proto::crypto::sha256(&subject.evidence).0),
            expected: hex::encode(subject.expected.as_bytes()),
            init_data: match subject.init_data {
                InitData::Carried { sha256, .. } => Some(Hex(sha256)),
                InitData::NotCarried => None,
            },
            floor: match &subject.floor {
                OwnerFloor::Policy(floor) => Some(Hex(*floor.sha256().as_bytes())),
                OwnerFloor::NoFederation => None,
            },
            site_policy: Hex(site_policy),
            at: Time(judgement.at.time()),
            plugin: judgement.plugin.as_ref().map(Plugin::from),
            endorsements: judgement.endorsements.iter().map(Used::from).collect(),
            notes: judgement.notes.iter().map(|note| short(note)).collect(),
            appraisals: judgement.appraisals.iter().map(Appraisal::from).collect(),
            devices: subject.devices.as_ref().map(|shown| Devices::of(shown, judgement.devices.as_ref())),
            identifiers: outcome.ok().map(Hardware::from),
            code: outcome.err().map(|finding| finding.code.to_string()),
            detail: outcome.err().map(|finding| short(&finding.detail)),
        }
    }
}

impl Devices {
    fn of(shown: &DeviceEvidence, judged: Option<&JudgedDevices>) -> Self {
        Self {
            profile: shown.profile.to_string(),
            evidence: Hex(fed_proto::crypto::sha256(&shown.evidence).0),
            expected: hex::encode(shown.expected.as_bytes()),
            plugin: judged.map(|judged| Plugin::from(&judged.plugin)),
            endorsements: judged.iter().flat_map(|judged| &judged.endorsements).map(Used::from).collect(),
            notes: judged.iter().flat_map(|judged| &judged.notes).map(|note| short(note)).collect(),
            appraisals: judged.iter().flat_map(|judged| &judged.appraisals).map(Appraisal::from).collect(),
        }
    }
}

impl From<&PluginInfo> for Plugin {
    fn from(info: &PluginInfo) -> Self {
        let PluginInfo { name, version, sha256, trust_class } = info;
        Self {
            name: name.clone(),
            version: version.clone(),
            sha256: Hex(*sha256.as_bytes()),
            trust_class: trust_class.to_string(),
        }
    }
}

impl From<&UsedEndorsement> for Used {
    fn from(used: &UsedEndorsement) -> Self {
        Self { kind: used.kind.clone(), sha256: Hex(*used.sha256.as_bytes()), source: used.source.clone() }
    }
}

impl From<&PolicyAppraisal> for Appraisal {
    fn from(appraisal: &PolicyAppraisal) -> Self {
        let findings = appraisal.appraisal.findings.iter().map(|finding| Finding {
            code: finding.code.to_string(),
            got: finding.got.clone(),
            want: finding.want.clone(),
            source: finding.source.clone(),
        });
        Self {
            owner: match appraisal.owner {
                PolicyOwner::Federation => "federation".to_owned(),
                PolicyOwner::Site => "site".to_owned(),
            },
            sha256: Hex(*appraisal.sha256.as_bytes()),
            profile: appraisal.policy_profile.to_owned(),
            status: appraisal.appraisal.status.to_string(),
            findings: findings.collect(),
        }
    }
}

impl From<&Identifiers> for Hardware {
    fn from(found: &Identifiers) -> Self {
        let blob = |bytes: &Vec<u8>| Blob(bytes.clone());
        Self {
            guest: found.guest.as_ref().map(blob),
            chip: found.chip.as_ref().map(blob),
            devices: found.devices.iter().map(blob).collect(),
        }
    }
}

impl From<&Hardware> for fed_proto::sybil::Identifiers {
    fn from(found: &Hardware) -> Self {
        let bytes = |blob: &Blob| blob.0.clone();
        Self {
            guest: found.guest.as_ref().map(bytes),
            chip: found.chip.as_ref().map(bytes),
            devices: found.devices.iter().map(bytes).collect(),
        }
    }
}

/// Text for people, cut where it is longer than a finding's.
fn short(text: &str) -> String {
    let end =
        (0..=MAX_DETAIL.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    text.get(..end).unwrap_or_default().to_owned()
}
