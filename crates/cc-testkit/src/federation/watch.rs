//! What somebody knows who sees every wire, every piece of hardware and every judge: the rules that must hold whatever
//! happens, checked without asking the state machines.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fed_proto::binding::{Leaf, leaf_hash, root};
use fed_proto::crypto::Digest;
use fed_proto::grant::Grant;
use fed_proto::message::{Contribution, Kind, MAX_DOWNWARD, Publish};
use fed_proto::name::Name;
use fed_proto::round::NONCE_LIFETIME;
use fed_proto::signed::Signed;

/// Reports that a machine may make at once, and the time in which it may make another one.
const BURST: f64 = 4.0;
const INTERVAL: f64 = 5.0;

/// An instance, by the digest of its attestation key.
pub type Instance = Digest;

/// The watcher.
#[derive(Default)]
pub struct Watch {
    /// The leaf that an instance contributed to a round, and when it did first.
    leaves: BTreeMap<(Instance, u64), (Vec<u8>, Duration)>,
    /// The leaves under each root that was published.
    lists: BTreeMap<Digest, BTreeSet<Vec<u8>>>,
    /// Rounds whose list was read.
    published: BTreeSet<u64>,
    /// Rounds for which an instance made a report; when the last one, and how many it could make then.
    reports: BTreeMap<Instance, (BTreeSet<u64>, Duration, f64)>,
    /// Who made a report over which 64 bytes.
    made: BTreeMap<[u8; 64], (Name, Instance)>,
    /// Verifier and subject, each round in which the verifier's judge affirmed the subject.
    affirmed: BTreeMap<(Instance, Instance), BTreeSet<u64>>,
    /// Jobs with the instances that started them: none starts one twice.
    started: BTreeSet<(String, Instance)>,
    /// How many reports were made by all.
    pub report_count: usize,
}

impl Watch {
    /// A participant sends a message.
    pub(super) fn sent(&mut self, by: Instance, bytes: &[u8], now: Duration) {
        let Some(message) = Signed::from_bytes(bytes, MAX_DOWNWARD) else { return };
        let epoch = message.header.epoch;
        match Kind::from_number(message.header.kind) {
            Some(Kind::Contribution) => {
                if let Some(contribution) = message.read::<Contribution>() {
                    self.drew(by, epoch, contribution.leaf.to_vec(), now);
                }
            }
            Some(Kind::Publish) if !self.published.contains(&epoch) => {
                let Some(publish) = message.read::<Publish>() else { return };
                self.published.insert(epoch);
                let leaves: Vec<Vec<u8>> =
                    publish.contributions.iter().map(|entry| entry.leaf.to_vec()).collect();
                let hashes: Vec<Digest> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
                for leaf in &leaves {
                    // The server's own leaf is on no wire before this.
                    if Leaf::parse(leaf).is_some_and(|leaf| leaf.key == by) {
                        self.drew(by, epoch, leaf.clone(), now);
                    }
                }
                self.lists.insert(root(&hashes), leaves.into_iter().collect());
            }
            _ => {}
        }
    }

    fn drew(&mut self, who: Instance, epoch: u64, leaf: Vec<u8>, now: Duration) {
        let (known, _) = self.leaves.entry((who, epoch)).or_insert_with(|| (leaf.clone(), now));
        assert_eq!(*known, leaf, "a second challenge of one instance for round {epoch}");
    }

    /// Hardware makes a report: at most one for a round, and not too many.
    pub(super) fn report(&mut self, label: &Name, who: Instance, epoch: u64, over: [u8; 64], now: Duration) {
        self.report_count += 1;
        let (epochs, last, level) = self.reports.entry(who).or_insert_with(|| (BTreeSet::new(), now, BURST));
        assert!(epochs.insert(epoch), "{label} makes a second report for round {epoch}");
        *level = (*level + (now - *last).as_secs_f64() / INTERVAL).min(BURST);
        *last = now;
        assert!(*level > 0.999, "{label} makes too many reports");
        *level -= 1.0;
        self.made.insert(over, (label.clone(), who));
    }

    /// How many reports an instance made.
    pub fn reports_of(&self, who: &Instance) -> usize {
        self.reports.get(who).map_or(0, |(epochs, ..)| epochs.len())
    }

    /// Whose hardware made a report.
    pub(super) fn maker(&self, over: &[u8]) -> Option<&(Name, Instance)> {
        self.made.get(<&[u8; 64]>::try_from(over).ok()?)
    }

    /// A judge affirms evidence: it is of a round for which the verifier drew a nonce that lies under the root.
    pub(super) fn affirm(
        &mut self,
        verifier: Instance,
        subject: Instance,
        epoch: u64,
        root: &Digest,
        now: Duration,
    ) {
        let (leaf, at) = &self.leaves[&(verifier, epoch)];
        assert!(self.lists[root].contains(leaf), "evidence is judged that does not answer the own challenge");
        assert!(now - *at <= NONCE_LIFETIME + super::SLACK, "evidence is judged after the nonce died");
        self.affirmed.entry((verifier, subject)).or_default().insert(epoch);
    }

    /// A job starts at an instance: every member affirmed every other one in this round, and it was not long ago.
    pub(super) fn start(
        &mut self,
        at: &Name,
        who: Instance,
        grant: &Grant,
        lifetime: Duration,
        now: Duration,
    ) {
        let (leaf, drawn) = &self.leaves[&(who, grant.epoch)];
        assert!(
            self.lists[&grant.root].contains(leaf),
            "{at} starts a job under a root without its challenge"
        );
        assert!(now - *drawn <= lifetime, "{at} starts a job on verdicts that are too old");
        for verifier in &grant.members {
            for subject in grant.members.iter().filter(|subject| subject.name != verifier.name) {
                let rounds = self.affirmed.get(&(verifier.key, subject.key));
                assert!(
                    rounds.is_some_and(|rounds| rounds.contains(&grant.epoch)),
                    "{at} starts {} although {} did not affirm {} in round {}",
                    grant.job_id,
                    verifier.name,
                    subject.name,
                    grant.epoch
                );
            }
        }
        assert!(self.started.insert((grant.job_id.clone(), who)), "{at} starts a job a second time");
    }

    /// A verdict never outlives its lifetime: a job runs only while every member affirmed every other one in a round for
    /// which this participant drew its nonce at most that long ago.
    pub(super) fn runs(&self, at: &Name, who: Instance, grant: &Grant, lifetime: Duration, now: Duration) {
        let fresh = |epoch: &u64| {
            self.leaves.get(&(who, *epoch)).is_some_and(|(_, drawn)| now - *drawn <= lifetime + super::SLACK)
        };
        for verifier in &grant.members {
            for subject in grant.members.iter().filter(|subject| subject.name != verifier.name) {
                let rounds = self.affirmed.get(&(verifier.key, subject.key));
                assert!(
                    rounds.is_some_and(|rounds| rounds.iter().rev().any(fresh)),
                    "{at} runs {} on no fresh verdict of {} about {}",
                    grant.job_id,
                    verifier.name,
                    subject.name
                );
            }
        }
    }
}
