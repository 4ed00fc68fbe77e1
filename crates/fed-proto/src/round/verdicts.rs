//! Step 7: the own verdict goes out, those of others are counted.

use std::collections::{BTreeMap, BTreeSet};

use cc_core::{Binding, Class, Finding, codes};

use crate::binding::Purpose;
use crate::crypto::Signature;
use crate::message::{Payload, VerdictMessage};
use crate::name::Name;
use crate::signed::Signed;
use crate::sybil::{self, Candidate};
use crate::verdict::{SignedVerdict, Verdict, accepted_digest, lines};

use super::publish::unknown_round;
use super::state::{Member, Published, Standing, VerdictMap};
use super::{Concluded, Event, Now, Output, Participant, garbage};

impl Participant {
    /// Everybody is judged: the rules over the whole round, then the signed verdict.
    pub(super) fn conclude(&mut self, now: Now, epoch: u64, out: &mut Vec<Output>) {
        let Some(round) = self.rounds.get_mut(&epoch) else { return };
        let Some(published) = round.published.as_mut() else { return };
        refuse_shared_hardware(published, epoch, round.purpose, &round.bundle, out);
        let mut own: VerdictMap = BTreeMap::new();
        let mut accepted: Vec<(&Name, &Binding)> = Vec::new();
        for (name, member) in published.peers.iter().filter(|(_, member)| member.judged_by_me) {
            let result = match &member.standing {
                Standing::Accepted(binding, _) => {
                    accepted.push((name, binding));
                    Ok(())
                }
                Standing::Refused(finding) => Err(finding.clone()),
                Standing::Awaited | Standing::Judging(_) => {
                    Err(Finding::new(codes::FL_MEMBER_MISSING, format!("{name} was not judged")))
                }
            };
            own.insert(name.clone(), result);
        }
        own.extend(published.unknown.iter().map(|(name, finding)| (name.clone(), Err(finding.clone()))));
        let verdict = Verdict {
            federation_id: self.federation_id,
            epoch,
            purpose: round.purpose,
            job_id: round.job_id.clone(),
            root: published.terms.root,
            verifier: self.me.name.clone(),
            policy: self.me.policy,
            accepted: accepted_digest(accepted),
            refused: refusals(&own),
        };
        published.verdict = Some(own.clone());
        let job_id = round.job_id.clone();
        let bytes = verdict.bytes();
        let signature = self.me.key.sign(&bytes);
        let said = published.peers.iter().filter(|(_, member)| !member.line.is_empty());
        let said: Vec<_> = said.map(|(name, member)| (name.to_string(), member.line.clone())).collect();
        let lines = lines(&verdict, &said);
        let said = lines.iter().map(|(name, line)| (name.to_string(), line.clone())).collect();
        let signed = SignedVerdict { bytes: bytes.clone(), signature, lines };
        let message =
            VerdictMessage { bytes: bytes.into(), signature: signature.0.to_vec().into(), lines: said };
        let payload = message.to_bytes();
        let sent = self.send(&message, epoch, &job_id, None, out);
        if let Some(round) = self.rounds.get_mut(&epoch) {
            round.messages.push(sent);
            let messages = std::mem::take(&mut round.messages);
            if let Some(published) = &mut round.published {
                published.verdict_message = Some(payload);
            }
            if let Some(published) = &round.published {
                let concluded = concluded(epoch, round, published, messages);
                out.push(Output::Event(Event::Concluded(Box::new(concluded))));
            }
        }
        let policy = self.me.policy;
        self.book(epoch, &self.me.name.clone(), policy, &own, signed, out);
        self.count_verdicts(now, epoch, out);
    }

    /// Somebody else's verdict.
    pub(super) fn verdict(
        &mut self,
        now: Now,
        message: &Signed,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), Finding> {
        let epoch = message.header.epoch;
        let sender = &message.header.sender;
        let round = self.rounds.get_mut(&epoch).ok_or_else(|| unknown_round(epoch))?;
        let published = round.published.as_mut().ok_or_else(|| garbage("a verdict before the list"))?;
        if *sender == self.me.name {
            return Err(Finding::new(codes::FL_TOKEN_REFLECTED, "my own verdict came back"));
        }
        let member =
            published.peers.get(sender).ok_or_else(|| garbage("a verdict of somebody who is no member"))?;
        message.verify(&self.federation_id, &member.peer.key)?;
        self.received.admit(&member.peer.key.digest(), &message.header)?;
        if published.verdicts.contains_key(sender) || published.pending.contains_key(sender) {
            // A resend, or a change of mind: the first one counts.
            return Ok(());
        }
        let signed: VerdictMessage = message.read().ok_or_else(|| garbage("a verdict that does not read"))?;
        let signature = <[u8; 64]>::try_from(signed.signature.as_slice())
            .map_err(|_| garbage("the signature of a verdict has another length"))?;
        member.peer.key.verify(&signed.bytes, &Signature(signature)).map_err(|error| {
            Finding::new(codes::FL_MESSAGE_UNSIGNED, format!("verdict of {sender}: {error}"))
        })?;
        let verdict = Verdict::parse(&signed.bytes).ok_or_else(|| garbage("a verdict that is malformed"))?;
        let of_this_round = verdict.federation_id == self.federation_id
            && verdict.epoch == epoch
            && verdict.purpose == round.purpose
            && verdict.job_id == round.job_id
            && verdict.root == published.terms.root
            && verdict.verifier == *sender;
        if !of_this_round {
            let text = format!("{sender} sends a verdict of another round, root or verifier");
            return Err(Finding::new(codes::FL_VERDICT_MISMATCH, text));
        }
        if published.verdict.is_none() {
            round.messages.push(bytes.to_vec());
        }
        let lines = lines(&verdict, &signed.lines);
        let kept = SignedVerdict { bytes: signed.bytes.to_vec(), signature: Signature(signature), lines };
        published.pending.insert(sender.clone(), (verdict, kept));
        self.count_verdicts(now, epoch, out);
        Ok(())
    }

    /// Counts the verdicts whose accepted members' tokens were all seen here. In a registration nothing rests on
    /// the verdicts of others: each pair with the server completes on its own.
    pub(super) fn count_verdicts(&mut self, now: Now, epoch: u64, out: &mut Vec<Output>) {
        let Some(round) = self.rounds.get_mut(&epoch) else { return };
        if round.purpose == Purpose::Register {
            return;
        }
        let Some(published) = round.published.as_mut() else { return };
        let me = &self.me.name;
        let ready: Vec<Name> = published
            .pending
            .iter()
            .filter(|(_, (verdict, _))| readable(verdict, published, me))
            .map(|(n, _)| n.clone())
            .collect();
        let mut counted = Vec::new();
        for verifier in ready {
            if let Some((verdict, signed)) = published.pending.remove(&verifier) {
                let policy = verdict.policy;
                let map = count(&verdict, published, me);
                published.verdicts.insert(verifier.clone(), (map.clone(), policy));
                counted.push((verifier, policy, map, signed));
            }
        }
        for (verifier, policy, map, signed) in counted {
            self.book(epoch, &verifier, policy, &map, signed, out);
        }
        self.try_admission(now, epoch, out);
    }

    /// Carries one verifier's verdict over to the ledger and to the jobs that run here.
    fn book(
        &mut self,
        epoch: u64,
        verifier: &Name,
        policy: crate::crypto::Digest,
        verdict: &VerdictMap,
        signed: SignedVerdict,
        out: &mut Vec<Output>,
    ) {
        let Some(round) = self.rounds.get(&epoch) else { return };
        let Some(published) = &round.published else { return };
        let own_key = self.me.key.public().digest();
        let key_of = |name: &Name| match published.peers.get(name) {
            Some(member) => Some(member.peer.key.digest()),
            None => (*name == self.me.name).then_some(own_key),
        };
        let Some(verifier_key) = key_of(verifier) else { return };
        let at = round.drawn_at;
        let mut rejects = Vec::new();
        let mut accepts = Vec::new();
        for (subject, result) in verdict {
            // Whose an entry is that was not in order nobody knows: it says nothing of any instance.
            let Some(subject_key) = key_of(subject) else { continue };
            match result {
                Ok(()) => accepts.push((subject.clone(), subject_key)),
                // No answer and an undecided case let the age run on; only a Reject ends at once (5.5 step 8).
                Err(finding) if is_refutation(finding) => {
                    rejects.push((subject.clone(), subject_key, finding.clone()));
                }
                Err(_) => {}
            }
        }
        if *verifier == round.server.name && matches!(verdict.get(&self.me.name), Some(Ok(()))) {
            self.shown = Some(published.transcript.clone());
        }
        out.push(Output::Event(Event::Verdict {
            epoch,
            purpose: round.purpose,
            job_id: round.job_id.clone(),
            verifier: verifier.clone(),
            policy,
            verdict: verdict.clone(),
            signed: Box::new(signed),
        }));
        for (subject, key) in &accepts {
            self.ledger.accept((verifier, &verifier_key), (subject, key), at);
        }
        for (subject, key, finding) in rejects {
            self.ledger.reject((verifier, &verifier_key), (&subject, &key), at);
            self.refuted((verifier, &verifier_key), (&subject, &key), &finding, out);
        }
        // Who another verifier takes for a newer instance is that verifier's affair.
        if *verifier == self.me.name {
            for (name, key) in &accepts {
                self.replaced(name, key, out);
            }
        }
    }
}

/// Whether a denial says something against its subject, rather than that nothing could be said.
pub fn is_refutation(finding: &Finding) -> bool {
    let silent = [codes::FL_MEMBER_MISSING, codes::BIND_TOKEN_TOO_OLD, codes::FL_VERDICT_MISMATCH];
    finding.code.class() == Class::Reject && !silent.contains(&finding.code)
}

fn refusals(verdict: &VerdictMap) -> Vec<(Name, cc_core::Code)> {
    let refused = verdict.iter().filter_map(|(name, result)| Some((name, result.as_ref().err()?)));
    refused.map(|(name, finding)| (name.clone(), finding.code.clone())).collect()
}

/// *verification.md* 5.8 rows 6 and 13, over everybody who was accepted.
fn refuse_shared_hardware(
    published: &mut Published,
    epoch: u64,
    purpose: Purpose,
    bundle: &crate::bundle::Bundle,
    out: &mut Vec<Output>,
) {
    let accepted = published.peers.iter().filter_map(|(name, member)| match &member.standing {
        Standing::Accepted(_, hardware) => {
            Some(Candidate { name, organisation: bundle.organisation(name), hardware })
        }
        _ => None,
    });
    let refused = sybil::refuse(&accepted.collect::<Vec<_>>(), bundle.chip_quota);
    for (peer, finding) in refused {
        if let Some(member) = published.peers.get_mut(&peer) {
            member.standing = Standing::Refused(finding.clone());
            out.push(Output::Event(Event::Judged { epoch, purpose, peer, result: Err(finding) }));
        }
    }
}

fn concluded(
    epoch: u64,
    round: &super::state::Round,
    published: &Published,
    messages: Vec<Vec<u8>>,
) -> Concluded {
    let verdict = published.verdict.iter().flatten();
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    for (name, result) in verdict {
        match result {
            Ok(()) => accepted.push(name.clone()),
            Err(finding) => refused.push((name.clone(), finding.clone())),
        }
    }
    Concluded {
        epoch,
        purpose: round.purpose,
        job_id: round.job_id.clone(),
        root: published.terms.root,
        accepted,
        refused,
        messages,
    }
}

/// The tokens of everybody whom the verdict does not refuse were seen here.
fn readable(verdict: &Verdict, published: &Published, me: &Name) -> bool {
    subjects(verdict, published, me).all(|(_, binding)| binding.is_some())
}

/// Everybody whom the verdict accepts, ascending, with `SHA-512(T)` as far as it is known here.
fn subjects<'a>(
    verdict: &'a Verdict,
    published: &'a Published,
    me: &'a Name,
) -> impl Iterator<Item = (&'a Name, Option<&'a Binding>)> {
    let known =
        |(name, member): (&'a Name, &'a Member)| (name, member.transcript.as_ref().map(|(_, hash)| hash));
    let before = published.peers.range(..me.clone()).map(known);
    let after = published.peers.range(me.clone()..).map(known);
    let all = before.chain([(me, Some(&published.binding))]).chain(after);
    let refused: BTreeSet<&Name> = verdict.refused.iter().map(|(name, _)| name).collect();
    all.filter(move |(name, _)| **name != verdict.verifier && !refused.contains(name))
}

/// What the verdict says of everybody else, if the members that it accepts are the ones whose tokens were seen here.
fn count(verdict: &Verdict, published: &Published, me: &Name) -> VerdictMap {
    let subjects: Vec<_> = subjects(verdict, published, me).collect();
    let known = subjects.iter().filter_map(|(name, binding)| Some((*name, (*binding)?)));
    let same = accepted_digest(known) == verdict.accepted;
    let accepted = subjects.iter().map(|(name, _)| {
        let mismatch = || {
            let text = format!("{} accepted other tokens than those seen here", verdict.verifier);
            Finding::new(codes::FL_VERDICT_MISMATCH, text)
        };
        ((*name).clone(), if same { Ok(()) } else { Err(mismatch()) })
    });
    let refused = verdict.refused.iter().map(|(name, code)| {
        let text = format!("refused by {}", verdict.verifier);
        (name.clone(), Err(Finding::new(code.clone(), text)))
    });
    accepted.chain(refused).collect()
}
