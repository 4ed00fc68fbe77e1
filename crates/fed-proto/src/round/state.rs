//! What a participant remembers of one round.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Binding, Finding};

use crate::binding::Purpose;
use crate::bundle::Bundle;
use crate::crypto::Digest;
use crate::job::JobFile;
use crate::name::Name;
use crate::sybil::Identifiers;
use crate::token::{Peer, RoundTerms};
use crate::verdict::{SignedVerdict, Verdict};

use super::{NONCE_LIFETIME, Now, ReportOrder, Under};

/// One round.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) purpose: Purpose,
    pub(super) job_id: String,
    /// In a job round.
    pub(super) job: Option<Job>,
    /// The owner's bundle under which the round runs, whatever is adopted meanwhile.
    pub(super) policy_digest: Digest,
    pub(super) bundle: Arc<Bundle>,
    /// The coordinator's instance.
    pub(super) server: Peer,
    /// Who was invited.
    pub(super) proposed: Vec<Name>,
    /// When the own nonce was drawn.
    pub(super) drawn_at: Duration,
    /// The own leaf.
    pub(super) leaf: Vec<u8>,
    /// The own contribution as sent, for a server that asks again.
    pub(super) contribution: Vec<u8>,
    /// In a registration: the server says that it admitted this instance.
    pub(super) registered: bool,
    /// What follows the coordinator's Publish.
    pub(super) published: Option<Published>,
    /// Every message up to the own verdict.
    pub(super) messages: Vec<Vec<u8>>,
}

/// The job of a round.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) file: Vec<u8>,
    pub(super) parsed: JobFile,
    /// Whether the server asked for resources.
    pub(super) asked: bool,
    /// What it was answered.
    pub(super) answer: Option<String>,
}

/// A round whose root is known.
#[derive(Debug)]
pub(super) struct Published {
    /// Digest of the Publish.
    pub(super) digest: Digest,
    pub(super) terms: RoundTerms,
    /// All members but this one, whose entry was in order.
    pub(super) peers: BTreeMap<Name, Member>,
    /// Members whose entry was not in order.
    pub(super) unknown: BTreeMap<Name, Finding>,
    /// What the own report has to be bound to.
    pub(super) order: ReportOrder,
    /// The own transcript, and its SHA-512: with the devices once the report is made.
    pub(super) transcript: Vec<u8>,
    pub(super) binding: Binding,
    /// The own token's payload, once it was sent.
    pub(super) token: Option<Vec<u8>>,
    /// The own verdict: for each other member that this one judges, whether it was accepted.
    pub(super) verdict: Option<VerdictMap>,
    /// It, as it was sent.
    pub(super) verdict_message: Option<Vec<u8>>,
    /// Signed verdicts of others that name members whose tokens have not been seen here.
    pub(super) pending: BTreeMap<Name, (Verdict, SignedVerdict)>,
    /// The verdicts of others as counted here, each with the digest of the verifier's policy.
    pub(super) verdicts: BTreeMap<Name, (VerdictMap, Digest)>,
    /// The coordinator's word on who takes part in the job.
    pub(super) announced: Announced,
}

/// What one verifier says of every other member.
pub type VerdictMap = BTreeMap<Name, Result<(), Finding>>;

/// How far the coordinator's announcement got.
#[derive(Debug)]
pub(super) enum Announced {
    /// It has not come.
    Nothing,
    /// It waits for the verdicts that it is to be compared with.
    Admission {
        /// Who is said to take part.
        names: BTreeSet<Name>,
        /// Why not, for people.
        text: String,
    },
    /// It was acted on.
    Done,
}

/// Another member.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) peer: Peer,
    /// Whether this participant judges it in this round.
    pub(super) judged_by_me: bool,
    /// The transcript of its token as received, and its SHA-512.
    pub(super) transcript: Option<(Vec<u8>, Binding)>,
    pub(super) standing: Standing,
    /// The line of a policy that refuses it, for people; empty where none does.
    pub(super) line: String,
}

/// How far judging got.
#[derive(Debug)]
pub(super) enum Standing {
    /// No token yet.
    Awaited,
    /// Its evidence is being verified.
    Judging(Binding),
    /// Verified and appraised.
    Accepted(Binding, Identifiers),
    /// Refused.
    Refused(Finding),
}

impl Round {
    /// Whether the own nonce has died, and with it every token of the round that was not accepted yet.
    pub(super) fn is_late(&self, now: Now) -> bool {
        now.mono.saturating_sub(self.drawn_at) > NONCE_LIFETIME
    }

    /// The bundle under which it runs.
    pub(super) fn under(&self) -> Under {
        (Arc::clone(&self.bundle), self.policy_digest)
    }

    /// Whether the own verdict accepts the server.
    pub(super) fn accepts_server(&self) -> bool {
        let verdict = self.published.as_ref().and_then(|published| published.verdict.as_ref());
        verdict.and_then(|verdict| verdict.get(&self.server.name)).is_some_and(Result::is_ok)
    }

    /// Whom a verifier judges: everybody else, but in a registration only the server judges sites and sites only the
    /// server (*verification.md* 5.6).
    pub(super) fn judges(&self, verifier: &Name, subject: &Name) -> bool {
        let server = &self.server.name;
        verifier != subject && (self.purpose != Purpose::Register || verifier == server || subject == server)
    }
}
