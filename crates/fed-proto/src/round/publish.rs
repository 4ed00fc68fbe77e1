//! Steps 3 to 5: the list of challenges is checked, then one report is made.

use std::collections::BTreeMap;

use cc_core::{Binding, Finding, codes};

use crate::binding::Member as ListedMember;
use crate::binding::{Leaf, leaf_hash, members_digest, pop, root};
use crate::crypto::{Digest, Signature, same, sha256, sha512};
use crate::envelope::{Envelope, MAX_ENVELOPE};
use crate::message::{Contribution, Kind, MAX_MEMBERS, Publish};
use crate::name::Name;
use crate::role::Role;
use crate::signed::Signed;
use crate::token::{Peer, RoundTerms};

use super::state::{Announced, Member, Published, Round, Standing};
use super::{Event, Evidence, Now, Output, Participant, ReportOrder, Under, garbage};

impl Participant {
    pub(super) fn publish(
        &mut self,
        now: Now,
        message: &Signed,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), Finding> {
        let epoch = message.header.epoch;
        self.of_round(message)?;
        let publish: Publish = message.read().ok_or_else(|| garbage("a Publish that does not read"))?;
        // The round leaves the map while it is worked on, and comes back only if it goes on.
        let Some(mut round) = self.rounds.remove(&epoch) else { return Err(unknown_round(epoch)) };
        let digest = sha256(&message.payload);
        if let Some(published) = &round.published {
            return if published.digest == digest {
                self.rounds.insert(epoch, round);
                Ok(())
            } else {
                Err(Finding::new(
                    codes::FL_ROOT_EQUIVOCATION,
                    format!("a second, different root for round {epoch}"),
                ))
            };
        }
        match self.check(now, epoch, &round, &publish, digest) {
            Ok(published) => {
                round.published = Some(published);
                round.messages.push(bytes.to_vec());
                self.rounds.insert(epoch, round);
                self.due.push_back(epoch);
                self.make_reports(now, out);
            }
            Err(finding) => out.push(Output::Event(Event::Abstained { epoch, finding })),
        }
        Ok(())
    }

    /// Makes the reports that are due, as fast as [`Bucket`](super::bucket::Bucket) allows: however many roots a
    /// coordinator holds back to publish them at once, they are attested one after the other.
    pub(super) fn make_reports(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some(epoch) = self.due.front().copied() {
            let round = self.rounds.get(&epoch).filter(|round| !round.is_late(now));
            if let Some(published) = round.and_then(|round| round.published.as_ref()) {
                if self.made.take(now.mono).is_err() {
                    return;
                }
                out.push(Output::Collect { epoch, order: Box::new(published.order.clone()) });
            }
            self.due.pop_front();
        }
    }

    /// A message of the coordinator in a round that this participant takes part in.
    pub(super) fn of_round(&mut self, message: &Signed) -> Result<(), Finding> {
        let Some(round) = self.rounds.get(&message.header.epoch) else {
            return Err(unknown_round(message.header.epoch));
        };
        if message.header.sender != round.server.name || message.header.job_id != round.job_id {
            return Err(garbage("a message of the round that is not its coordinator's"));
        }
        message.verify(&self.federation_id, &round.server.key)?;
        self.received.admit(&round.server.key.digest(), &message.header)
    }

    /// Step 4, in its order: form of the list, own leaf, the other entries, the job's demands.
    fn check(
        &mut self,
        now: Now,
        epoch: u64,
        round: &Round,
        publish: &Publish,
        digest: Digest,
    ) -> Result<Published, Finding> {
        let malformed = |text: String| Finding::new(codes::FL_ROOT_MALFORMED, text);
        if round.is_late(now) {
            let text = format!("my nonce for round {epoch} is used up");
            return Err(Finding::new(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN, text));
        }
        let entries = &publish.contributions;
        if entries.len() > MAX_MEMBERS {
            return Err(malformed(format!("{} entries, the limit is {MAX_MEMBERS}", entries.len())));
        }
        let mut leaves = Vec::with_capacity(entries.len());
        for entry in entries {
            let leaf =
                Leaf::parse(&entry.leaf).ok_or_else(|| malformed("an entry is not a leaf".to_owned()))?;
            if leaf.federation_id != self.federation_id || leaf.epoch != epoch {
                return Err(malformed(format!("the leaf of {} belongs elsewhere", leaf.name)));
            }
            leaves.push(leaf);
        }
        if leaves.windows(2).any(|pair| matches!(pair, [a, b] if a.name >= b.name)) {
            return Err(malformed("leaves are not strictly ascending".to_owned()));
        }
        let hashes: Vec<Digest> = entries.iter().map(|entry| leaf_hash(&entry.leaf)).collect();
        let root = root(&hashes);
        let leaf_count = u32::try_from(hashes.len()).map_err(|_| malformed("too many leaves".to_owned()))?;
        if leaf_count != publish.leaf_count || !same(&root.0, &publish.root) {
            return Err(malformed(format!(
                "{leaf_count} leaves with root {root}, the coordinator says otherwise"
            )));
        }
        if !entries.iter().any(|entry| same(&entry.leaf, &round.leaf)) {
            return Err(Finding::new(
                codes::FL_ROOT_OWN_LEAF_MISSING,
                "my own challenge is not under the root",
            ));
        }
        let (peers, unknown) = self.entries(now, round, entries, &leaves);
        let present = |name: &Name| *name == self.me.name || peers.contains_key(name);
        if !present(&round.server.name) {
            return Err(Finding::new(codes::FL_MEMBER_MISSING, "the server is not in the list"));
        }
        if let Some(job) = &round.job {
            let roles = peers.values().map(|member| member.peer.role).chain([self.me.role]);
            let sites = roles.filter(|role| *role == Role::Client).count();
            job.parsed.met_by(sites, present).map_err(|text| Finding::new(codes::FL_MEMBER_MISSING, text))?;
        }
        let listed: Vec<ListedMember> = leaves
            .iter()
            .map(|leaf| ListedMember { name: leaf.name.clone(), role: leaf.role, key: leaf.key })
            .collect();
        let terms = RoundTerms {
            federation_id: self.federation_id,
            policy_digest: round.policy_digest,
            purpose: round.purpose,
            job_id: round.job_id.clone(),
            epoch,
            members: members_digest(&listed),
            root,
            leaf_count,
        };
        let (name, identity) = (self.me.name.clone(), self.me.identity.clone());
        let me = self.enrolled_under(now, &round.under(), &name, self.me.role, &identity)?;
        let transcript = terms.transcript(&me, self.me.profile.clone(), self.me.runtime, None);
        let order = ReportOrder { transcript };
        let transcript = order.with(&[]).bytes();
        Ok(Published {
            digest,
            terms,
            peers,
            unknown,
            binding: order.binding(&[]),
            order,
            transcript,
            token: None,
            verdict: None,
            verdict_message: None,
            pending: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            announced: Announced::Nothing,
        })
    }

    /// Every other entry: enrolled under exactly that name and role, signed by its key, and no key twice.
    fn entries(
        &mut self,
        now: Now,
        round: &Round,
        entries: &[Contribution],
        leaves: &[Leaf],
    ) -> (BTreeMap<Name, Member>, BTreeMap<Name, Finding>) {
        let (mut peers, mut unknown) = (BTreeMap::new(), BTreeMap::new());
        let mut keys: BTreeMap<&Digest, usize> = BTreeMap::new();
        for leaf in leaves {
            let count = keys.entry(&leaf.key).or_default();
            *count = count.saturating_add(1);
        }
        for (entry, leaf) in entries.iter().zip(leaves) {
            if leaf.name == self.me.name {
                continue;
            }
            let twice = keys.get(&leaf.key).is_some_and(|count| *count > 1);
            let result = if twice {
                Err(Finding::new(
                    codes::FL_MEMBER_UNKNOWN,
                    format!("{}: its key is in the list twice", leaf.name),
                ))
            } else if round.proposed.binary_search(&leaf.name).is_err() {
                Err(Finding::new(codes::FL_MEMBER_UNKNOWN, format!("{} was not proposed", leaf.name)))
            } else {
                self.contributed(now, &round.under(), leaf, entry)
            };
            match result {
                Ok(peer) => {
                    let judged_by_me = round.judges(&self.me.name, &leaf.name);
                    let member = Member {
                        peer,
                        judged_by_me,
                        transcript: None,
                        standing: Standing::Awaited,
                        line: String::new(),
                    };
                    peers.insert(leaf.name.clone(), member);
                }
                Err(finding) => {
                    unknown.insert(leaf.name.clone(), finding);
                }
            }
        }
        (peers, unknown)
    }

    /// Verifies one contribution (`fl.member.unknown`); the coordinator asks the same before it publishes.
    pub(crate) fn contributed(
        &mut self,
        now: Now,
        under: &Under,
        leaf: &Leaf,
        entry: &Contribution,
    ) -> Result<Peer, Finding> {
        let unknown = |text: &str| Finding::new(codes::FL_MEMBER_UNKNOWN, format!("{}: {text}", leaf.name));
        let peer = self.enrolled_under(now, under, &leaf.name, leaf.role, &entry.identity)?;
        if peer.key.digest() != leaf.key {
            return Err(unknown("the leaf names another key"));
        }
        let signature = <[u8; 64]>::try_from(entry.signature.as_slice()).map(Signature);
        let signature = signature.map_err(|_| unknown("the leaf's signature has another length"))?;
        peer.key.verify(&entry.leaf, &signature).map_err(|_| unknown("the leaf is not signed by its key"))?;
        Ok(peer)
    }

    /// Step 5, its end: the report is made.
    pub fn collected(
        &mut self,
        now: Now,
        epoch: u64,
        result: Result<Evidence, Finding>,
        out: &mut Vec<Output>,
    ) {
        let abstain = |finding| Output::Event(Event::Abstained { epoch, finding });
        let Some(round) = self.rounds.get(&epoch) else { return };
        let Some(published) = round.published.as_ref().filter(|published| published.token.is_none()) else {
            return;
        };
        let Evidence { evidence, aux, devices, endorsements } = match result {
            Ok(evidence) => evidence,
            Err(finding) => return out.push(abstain(finding)),
        };
        let transcript = published.order.with(&devices).bytes();
        let binding = Binding::new(sha512(&transcript));
        let envelope = Envelope {
            profile: self.me.profile.clone(),
            evidence,
            aux,
            devices,
            endorsements,
            root: published.terms.root,
            leaf_count: published.terms.leaf_count,
            pop: pop::sign_token(&self.me.key, &binding),
            transcript: transcript.clone(),
        };
        let token = envelope.to_bytes();
        if token.len() > MAX_ENVELOPE {
            let text = format!("the own token has {} bytes, the limit is {MAX_ENVELOPE}", token.len());
            return out.push(abstain(Finding::new(codes::ENV_SIZE_EXCEEDED, text)));
        }
        let job_id = round.job_id.clone();
        let bytes = self.sign(Kind::Token, epoch, &job_id, None, token.clone());
        if let Some(round) = self.rounds.get_mut(&epoch)
            && let Some(published) = &mut round.published
        {
            published.token = Some(token);
            (published.transcript, published.binding) = (transcript, binding);
            if published.verdict.is_none() {
                round.messages.push(bytes.clone());
            }
        }
        out.push(Output::Send(bytes));
        // Alone in a round, there is nobody to wait for.
        self.conclude_if_ready(now, epoch, out);
    }
}

pub(super) fn unknown_round(epoch: u64) -> Finding {
    Finding::new(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN, format!("round {epoch} is none that I take part in"))
}
