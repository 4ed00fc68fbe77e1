//! What verifying a transcript says.

use cc_core::{Code, Finding, UnixTime, codes};
use fed_proto::binding::Purpose;
use fed_proto::crypto::{Digest, sha256};
use fed_proto::descriptor::{Descriptor, FederationProfile};
use fed_proto::name::Name;
use fed_proto::role::Role;

use super::line;
use super::record::Transcript;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is signed by whom it must be, and judged again it is the same verdict, byte for byte.
    Same,
    /// Everything is signed by whom it must be, and something comes out otherwise.
    Differs,
    /// The evidence cannot be judged again: a loaded plugin is none for the federation, or none serves the profile.
    NoPlugin,
    /// The file is not what its writer sealed, or what it is about was not signed by whom it must be.
    NotAuthentic,
}

/// Whose descriptor was believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescriptorFrom {
    /// The caller's.
    Given,
    /// The file's own: it shows that the file is consistent, and not whose federation it is about.
    File,
}

/// What a transcript is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The federation.
    pub federation_id: Digest,
    /// What people call it.
    pub federation: String,
    /// Whether emulated hardware counts in it.
    pub profile: FederationProfile,
    /// Whose transcript it is.
    pub verifier: Name,
    /// The round.
    pub epoch: u64,
    /// What it was for.
    pub purpose: Purpose,
    /// The job, or empty.
    pub job_id: String,
    /// The root of the challenges.
    pub root: Digest,
    /// When the verdict was made.
    pub at: UnixTime,
    /// SHA-256 of the owner's bundle: tag 2 of every token.
    pub bundle: Option<Digest>,
    /// SHA-256 of the verifier's own policy.
    pub site_policy: Digest,
}

/// A plugin, as recorded and as loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginUse {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its library.
    pub sha256: Digest,
    /// `hardware` or `emulated`.
    pub trust_class: String,
}

/// One peer, as recorded and as judged again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Who.
    pub subject: Name,
    /// In which role.
    pub role: Role,
    /// Why the recorded verdict refuses it; nothing if it accepts it.
    pub recorded: Option<Code>,
    /// Why it is refused now; nothing if it is accepted.
    pub found: Option<Finding>,
    /// The instant of the recorded judgement; nothing if it did not come to one.
    pub at: Option<UnixTime>,
    /// Who verified then.
    pub recorded_plugin: Option<PluginUse>,
    /// Who verified now.
    pub plugin: Option<PluginUse>,
}

/// A refusal that rests on what only the verifier knew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Who was refused.
    pub subject: Name,
    /// Why.
    pub code: Code,
    /// What cannot be seen in a file.
    pub why: &'static str,
}

/// Whether a verdict of somebody else is about the tokens in this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// About other ones.
    Other,
    /// About exactly these.
    Same,
    /// Not all tokens that it is about are in the file.
    Unseen,
}

/// A verdict of another member, signed by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherVerdict {
    /// Whose.
    pub verifier: Name,
    /// Digest of the policy by which it judged.
    pub policy: Digest,
    /// Whom it refuses.
    pub refused: Vec<(Name, Code)>,
    /// What it accepts.
    pub accepts: Tokens,
}

/// The verifier's own verdict, as recorded and as made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// The signed bytes of the file.
    pub recorded: Vec<u8>,
    /// The bytes that come out now.
    pub found: Vec<u8>,
}

/// Something that is not as it should be, or not as the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What is wrong.
    pub code: Code,
    /// Where.
    pub place: String,
    /// What the file says.
    pub recorded: String,
    /// What was found.
    pub found: String,
}

impl Difference {
    /// Between two values.
    pub(super) fn between(place: impl Into<String>, recorded: impl ToString, found: impl ToString) -> Self {
        let (recorded, found) = (recorded.to_string(), found.to_string());
        Self { code: codes::TR_REPLAY_DIFFERS, place: place.into(), recorded, found }
    }

    /// Something in the file that a check refuses.
    pub(super) fn refused(place: impl Into<String>, finding: Finding) -> Self {
        let recorded = "in the file".to_owned();
        Self { code: finding.code, place: place.into(), recorded, found: finding.detail }
    }
}

/// What came of verifying a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// Whose descriptor was believed.
    pub descriptor: DescriptorFrom,
    /// The instant that the caller chose; nothing for the recorded ones.
    pub replayed_at: Option<UnixTime>,
    /// What the file is about; nothing if it cannot be read.
    pub summary: Option<Summary>,
    /// The peers that the verifier judged, and the members that it could not know, by name.
    pub judged: Vec<Judged>,
    /// Refusals that rest on the verifier's word.
    pub words: Vec<Word>,
    /// The verdicts of others.
    pub others: Vec<OtherVerdict>,
    /// The own verdict; nothing if it did not come to that.
    pub verdict: Option<Verdicts>,
    /// Everything that is wrong; empty exactly if the outcome is [`Outcome::Same`].
    pub differences: Vec<Difference>,
    /// What else people should know.
    pub notes: Vec<String>,
}

impl Report {
    pub(super) const fn new(descriptor: DescriptorFrom, replayed_at: Option<UnixTime>) -> Self {
        Self {
            outcome: Outcome::NotAuthentic,
            descriptor,
            replayed_at,
            summary: None,
            judged: Vec::new(),
            words: Vec::new(),
            others: Vec::new(),
            verdict: None,
            differences: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The file cannot be believed.
    pub(super) fn not_authentic(self, difference: Difference) -> Self {
        self.failed(Outcome::NotAuthentic, difference)
    }

    /// It ends here.
    pub(super) fn failed(mut self, outcome: Outcome, difference: Difference) -> Self {
        self.outcome = outcome;
        self.differences.push(difference);
        self
    }

    /// The end.
    pub(super) fn ended(mut self) -> Self {
        self.outcome = match self.differences.is_empty() {
            true => Outcome::Same,
            false if self.unserved() => Outcome::NoPlugin,
            false => Outcome::Differs,
        };
        self
    }

    /// Whether something was not judged again because no loaded plugin serves its profile.
    fn unserved(&self) -> bool {
        let unserved =
            |code: &Code| *code == codes::PLUG_PROFILE_UNSERVED || *code == codes::ENV_PROFILE_UNKNOWN;
        self.judged.iter().any(|peer| {
            let found = peer.found.as_ref().map(|finding| &finding.code);
            found.is_some_and(unserved) && found != peer.recorded.as_ref()
        })
    }
}

impl Summary {
    pub(super) fn of(transcript: &Transcript, descriptor: &Descriptor) -> Self {
        let head = &transcript.head;
        let bundle = fed_proto::bundle::SignedBundle::from_bytes(&transcript.bundle);
        Self {
            federation_id: descriptor.federation_id(),
            federation: descriptor.name.clone(),
            profile: descriptor.profile,
            verifier: head.verifier.clone(),
            epoch: head.epoch,
            purpose: head.purpose.0,
            job_id: head.job_id.clone(),
            root: Digest(head.root.0),
            at: head.at.0,
            bundle: bundle.map(|bundle| bundle.digest()),
            site_policy: sha256(transcript.policy.text.as_bytes()),
        }
    }
}

impl From<&line::Plugin> for PluginUse {
    fn from(plugin: &line::Plugin) -> Self {
        let line::Plugin { name, version, sha256, trust_class } = plugin;
        Self {
            name: name.clone(),
            version: version.clone(),
            sha256: Digest(sha256.0),
            trust_class: trust_class.clone(),
        }
    }
}
