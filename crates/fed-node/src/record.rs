//! What a participant knows of a round when its verdict is out: the material of a transcript.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cc_core::{Finding, UnixTime};
use cc_manager::attest::{Judgement, PolicyFile, Subject};
use cc_store::StoreError;
use fed_proto::binding::Purpose;
use fed_proto::bundle::SignedBundle;
use fed_proto::crypto::{Digest, sha256};
use fed_proto::descriptor::Descriptor;
use fed_proto::name::Name;
use fed_proto::round::{Concluded, Participant, VerdictMap};
use fed_proto::verdict::SignedVerdict;

use crate::clock::Clocks;
use crate::judge::Judge;
use crate::transcript;

/// How long evidence, and verdicts of rounds without a job, are kept in the store, in seconds; transcripts have them too.
const KEPT: u64 = 30 * cc_core::SECONDS_PER_DAY;
/// Most evidence that is kept in the store, in bytes.
const MOST_EVIDENCE: u64 = 1024 * 1024 * 1024;

/// One judged peer.
#[derive(Clone, Debug)]
pub struct JudgedPeer {
    /// What was judged, and by what.
    pub subject: Subject,
    /// What came of it.
    pub judgement: Arc<Judgement>,
}

/// A round as one participant saw it.
#[derive(Clone, Debug)]
pub struct RoundRecord {
    /// The participant.
    pub verifier: String,
    /// Verdict and messages.
    pub concluded: Concluded,
    /// The bundle under which the round ran, if it still is the one in force.
    pub bundle: SignedBundle,
    /// Everybody whose evidence was verified.
    pub judged: Vec<JudgedPeer>,
    /// The federation, from the participant's own kit.
    pub descriptor: Descriptor,
    /// The participant's own policy.
    pub site_policy: PolicyFile,
    /// When the verdict was made.
    pub at: UnixTime,
}

impl RoundRecord {
    /// Everything that is known of a round whose verdict was just made; the judge forgets it. `clk.untrusted` when there
    /// is no telling when that was.
    pub fn gather(own: &Participant, judge: &Judge, concluded: Concluded) -> Result<Self, Finding> {
        let judged = judge.take(concluded.epoch);
        Ok(Self {
            verifier: own.me().name.to_string(),
            concluded,
            bundle: own.signed_bundle().clone(),
            judged,
            descriptor: own.me().descriptor.clone(),
            site_policy: judge.manager().verifier().site_policy().clone(),
            at: judge.now()?.wall,
        })
    }
}

/// A verdict that was counted, the own one or a peer's.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The round.
    pub epoch: u64,
    /// What for.
    pub purpose: Purpose,
    /// The job, or empty.
    pub job_id: String,
    /// Whose verdict it is.
    pub verifier: Name,
    /// Digest of the policy by which it judged.
    pub policy: Digest,
    /// What it says of every other member.
    pub verdict: VerdictMap,
    /// It, as signed.
    pub signed: Box<SignedVerdict>,
}

/// Who keeps records, and where.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The participant.
    pub name: &'a Name,
    /// Its judge.
    pub judge: &'a Judge,
    /// Its store.
    pub store: &'a cc_store::Handle,
    /// Its clocks.
    pub clocks: &'a Clocks,
}

/// Stores a verdict with the lines of policies that came with it; of the own one also the evidence that it is about.
pub fn store_verdict(place: &Place<'_>, counted: &Counted) {
    let Ok(now) = place.clocks.now() else { return };
    let own =
        if counted.verifier == *place.name { place.judge.known(counted.epoch) } else { BTreeMap::new() };
    let statement = cc_store::Statement {
        epoch: counted.epoch,
        purpose: counted.purpose.number(),
        job: (!counted.job_id.is_empty()).then(|| counted.job_id.clone()),
        verifier: counted.verifier.to_string(),
        policy_digest: counted.policy.0,
        at: now.wall,
        signed: [counted.signed.bytes.as_slice(), &counted.signed.signature.0].concat(),
    };
    let judgements = counted.verdict.iter().map(|(subject, result)| {
        let known = own.get(subject.as_str());
        let finding = result.as_ref().err();
        cc_store::Judgement {
            subject: subject.to_string(),
            code: finding.map(|finding| finding.code.to_string()),
            detail: finding.map(|finding| finding.detail.clone()).unwrap_or_default(),
            policy_line: counted.signed.lines.get(subject).cloned().unwrap_or_default(),
            evidence: known.map(|peer| sha256(&peer.subject.evidence).0),
        }
    });
    let judgements: Vec<_> = judgements.collect();
    if counted.verifier == *place.name {
        prune(place.store, now.wall);
    }
    place.store.write_then(move |change| change.put_verdicts(&statement, &judgements), |result| log(&result));
}

/// Once for each round: what nobody needs any longer. Verdicts of jobs stay, since they explain the jobs.
fn prune(store: &cc_store::Handle, now: UnixTime) {
    let before = UnixTime::from_secs(now.as_secs().saturating_sub(KEPT));
    let pruning = move |change: &dyn cc_store::Change| {
        change.prune_evidence(before, MOST_EVIDENCE)?;
        change.prune_verdicts(before).map(drop)
    };
    store.write_then(pruning, |result| log(&result));
}

/// Stores the owner's bundle that came into force.
pub fn store_bundle(place: &Place<'_>, version: u64, digest: Digest, bytes: Vec<u8>) {
    let Ok(now) = place.clocks.now() else { return };
    let row = cc_store::Bundle { version, digest: digest.0, bytes, at: now.wall };
    place.store.write_then(move |change| change.put_bundle(&row), |result| log(&result));
}

/// Writes the transcript of a round into the participant's data folder; takes about as long as a commit. What cannot be
/// written is reported and stops nothing.
pub fn keep(own: &Participant, data: &Path, record: &RoundRecord) {
    let folder = data.join(transcript::FOLDER);
    let written =
        tokio::task::block_in_place(|| transcript::write(&folder, record, |bytes| own.me().key.sign(bytes)));
    if let Err(error) = written {
        tracing::error!(%error, "no transcript of the round");
    }
}

fn log(result: &Result<(), StoreError>) {
    if let Err(error) = result {
        tracing::error!(%error, "not stored");
    }
}
