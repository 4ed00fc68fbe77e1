//! Step 6: peers' tokens come in and are judged.

use std::collections::BTreeSet;
use std::sync::Arc;

use cc_core::{Binding, Finding, codes};

use crate::crypto::sha512;
use crate::envelope::Envelope;
use crate::message::Closed;
use crate::name::Name;
use crate::signed::Signed;
use crate::sybil::Identifiers;
use crate::token::{Checked, Look, check};

use super::publish::unknown_round;
use super::state::{Published, Standing};
use super::{Env, Event, JudgeOrder, Now, Output, Participant, garbage};

impl Participant {
    pub(super) fn token(
        &mut self,
        now: Now,
        message: &Signed,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), Finding> {
        let epoch = message.header.epoch;
        let round = self.rounds.get_mut(&epoch).ok_or_else(|| unknown_round(epoch))?;
        let late = round.is_late(now);
        let published = round.published.as_mut().ok_or_else(|| garbage("a token before the list"))?;
        if message.header.sender == self.me.name {
            return Err(Finding::new(codes::FL_TOKEN_REFLECTED, "my own token came back"));
        }
        let member = published
            .peers
            .get_mut(&message.header.sender)
            .ok_or_else(|| garbage("a token of somebody who is no member"))?;
        message.verify(&self.federation_id, &member.peer.key)?;
        self.received.admit(&member.peer.key.digest(), &message.header)?;
        if message.header.job_id != published.terms.job_id {
            let text = format!("{} sends a token for another job", message.header.sender);
            return Err(Finding::new(codes::BIND_JOB_MISMATCH, text));
        }
        if member.transcript.is_some() || !matches!(member.standing, Standing::Awaited) {
            // A resend, or a second opinion of the sender about itself: the first one counts.
            return Ok(());
        }
        if published.verdict.is_none() {
            round.messages.push(bytes.to_vec());
        }
        let envelope = Envelope::parse(&message.payload);
        if let Ok(envelope) = &envelope {
            let binding = Binding::new(sha512(&envelope.transcript));
            member.transcript = Some((envelope.transcript.clone(), binding));
        }
        if !member.judged_by_me || published.verdict.is_some() {
            return Ok(());
        }
        let role = member.peer.role;
        let key = member.peer.key.digest();
        let required =
            round.bundle.roles.get(&role).map(|floor| floor.profiles.as_slice()).unwrap_or_default();
        let looked = envelope.and_then(|envelope| {
            let look = Look {
                me: &self.me.name,
                terms: &published.terms,
                sender: &member.peer,
                required,
                runtime: self.runtimes.get(&key).copied(),
                late,
            };
            check(look, &envelope).map(|checked| (envelope, checked))
        });
        match looked {
            Ok((envelope, Checked { binding, gpu_nonce, runtime })) => {
                member.standing = Standing::Judging(binding.clone());
                self.runtimes.insert(key, runtime);
                let peer = message.header.sender.clone();
                out.push(Output::Judge(Box::new(JudgeOrder {
                    epoch,
                    peer,
                    role,
                    envelope,
                    binding,
                    gpu_nonce,
                    policy_digest: published.terms.policy_digest,
                    bundle: Arc::clone(&round.bundle),
                })));
            }
            Err(finding) => self.settle(now, epoch, &message.header.sender, Err(finding), out),
        }
        Ok(())
    }

    /// Before [`judged`](Self::judged), for people: the line of a policy that refuses a peer. It goes out with the verdict;
    /// nothing rests on it.
    pub fn explained(&mut self, epoch: u64, peer: &Name, line: String) {
        let published = self.rounds.get_mut(&epoch).and_then(|round| round.published.as_mut());
        if let Some(member) = published.and_then(|published| published.peers.get_mut(peer)) {
            member.line = line;
        }
    }

    /// What verification and appraisal said about a peer's evidence.
    pub fn judged(
        &mut self,
        now: Now,
        epoch: u64,
        peer: &Name,
        result: Result<Identifiers, Finding>,
        env: &mut dyn Env,
        out: &mut Vec<Output>,
    ) {
        let Some(round) = self.rounds.get(&epoch) else { return };
        let member = round.published.as_ref().and_then(|published| published.peers.get(peer));
        if !matches!(member.map(|member| &member.standing), Some(Standing::Judging(_))) {
            return;
        }
        let result = if round.is_late(now) { result.and_then(|_| Err(too_old(peer, epoch))) } else { result };
        self.settle(now, epoch, peer, result, out);
        self.registered_if_mutual(epoch, env, out);
    }

    /// The coordinator says who is absent: nobody waits for them any longer.
    pub(super) fn closed(
        &mut self,
        now: Now,
        message: &Signed,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), Finding> {
        self.of_round(message)?;
        let closed: Closed = message.read().ok_or_else(|| garbage("a Closed that does not read"))?;
        let epoch = message.header.epoch;
        let names = closed.absent.iter().filter_map(|name| Name::new(name).ok());
        let absent_names: BTreeSet<Name> = names.filter(|name| self.awaits(epoch, name)).collect();
        if absent_names.is_empty() {
            return Ok(());
        }
        // Why somebody is refused belongs to the round; one that settles nobody does not, so that their number is bounded.
        if let Some(round) = self.rounds.get_mut(&epoch) {
            round.messages.push(bytes.to_vec());
        }
        for name in absent_names {
            self.settle(now, epoch, &name, Err(absent(&name)), out);
        }
        Ok(())
    }

    fn awaits(&self, epoch: u64, peer: &Name) -> bool {
        let published = self.rounds.get(&epoch).and_then(|round| round.published.as_ref());
        published
            .and_then(|published| published.peers.get(peer))
            .is_some_and(|member| member.judged_by_me && matches!(member.standing, Standing::Awaited))
    }

    /// Notes how one peer was judged; the last one concludes the round.
    fn settle(
        &mut self,
        now: Now,
        epoch: u64,
        peer: &Name,
        result: Result<Identifiers, Finding>,
        out: &mut Vec<Output>,
    ) {
        let Some(round) = self.rounds.get_mut(&epoch) else { return };
        let purpose = round.purpose;
        let Some(published) = round.published.as_mut().filter(|published| published.verdict.is_none()) else {
            return;
        };
        let Some(member) = published.peers.get_mut(peer) else { return };
        let binding = match &member.standing {
            Standing::Judging(binding) => Some(binding.clone()),
            _ => None,
        };
        let shown = result.as_ref().map(drop).map_err(Clone::clone);
        member.standing = match (result, binding) {
            (Ok(hardware), Some(binding)) => Standing::Accepted(binding, hardware),
            (Err(finding), _) => Standing::Refused(finding),
            (Ok(_), None) => Standing::Refused(absent(peer)),
        };
        out.push(Output::Event(Event::Judged { epoch, purpose, peer: peer.clone(), result: shown }));
        self.conclude_if_ready(now, epoch, out);
    }

    /// The verdict is due when every peer that this participant judges is settled.
    pub(super) fn conclude_if_ready(&mut self, now: Now, epoch: u64, out: &mut Vec<Output>) {
        let ready = |published: &Published| {
            let mut judged = published.peers.values().filter(|member| member.judged_by_me);
            published.verdict.is_none()
                && judged.all(|m| matches!(m.standing, Standing::Accepted(..) | Standing::Refused(_)))
        };
        if self.rounds.get(&epoch).and_then(|round| round.published.as_ref()).is_some_and(ready) {
            self.conclude(now, epoch, out);
        }
    }

    /// The own nonces die, and with them what was not settled.
    pub(super) fn deadlines(&mut self, now: Now, out: &mut Vec<Output>) {
        let mut due = Vec::new();
        for (epoch, round) in self.rounds.iter().filter(|(_, round)| round.is_late(now)) {
            let open = round.published.iter().filter(|published| published.verdict.is_none());
            for (name, member) in open.flat_map(|published| &published.peers) {
                let unsettled = matches!(member.standing, Standing::Awaited | Standing::Judging(_));
                if member.judged_by_me && unsettled {
                    due.push((*epoch, name.clone()));
                }
            }
        }
        for (epoch, name) in due {
            self.settle(now, epoch, &name, Err(too_old(&name, epoch)), out);
        }
        self.overdue_admissions(now, out);
        self.forget_rounds(now);
    }
}

fn too_old(name: &Name, epoch: u64) -> Finding {
    let text = format!("{name} was not judged before the deadline of round {epoch}");
    Finding::new(codes::BIND_TOKEN_TOO_OLD, text)
}

fn absent(name: &Name) -> Finding {
    Finding::new(codes::FL_MEMBER_MISSING, format!("{name} sent no token in time"))
}
