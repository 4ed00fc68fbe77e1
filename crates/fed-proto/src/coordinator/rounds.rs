//! Rounds as the coordinator runs them: open, collect contributions, publish, pass tokens and verdicts on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Finding, codes};

use crate::admission::Verdicts;
use crate::binding::{Leaf, Purpose, leaf_hash, root};
use crate::crypto::{Digest, sha512};
use crate::message::{Contribution, Kind, Open, Payload, Publish};
use crate::name::Name;
use crate::round::{Concluded, NONCE_LIFETIME, Now, VerdictMap};
use crate::signed::Signed;

use super::jobs::JobRound;
use super::sessions::State;
use super::{Action, Conn, Coordinator, ServerEnv, ServerEvent};

/// A round that is under way.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) purpose: Purpose,
    pub(super) job: Option<JobRound>,
    pub(super) opened_at: Duration,
    pub(super) phase: Phase,
    pub(super) open: Vec<u8>,
    /// Invited, and not known to be absent; with the connection where one was chosen (registrations).
    pub(super) members: BTreeMap<Name, Option<Conn>>,
    pub(super) absent: BTreeMap<Name, Finding>,
    pub(super) contributions: BTreeMap<Name, Contribution>,
    pub(super) publish: Vec<u8>,
    pub(super) closed: Vec<u8>,
    pub(super) tokens: BTreeSet<Name>,
    /// Whose verdict was passed on.
    pub(super) signed: BTreeSet<Name>,
    /// Tokens and verdicts as passed on, for members that reconnect.
    pub(super) passed_on: Vec<Passed>,
    pub(super) verdicts: Verdicts,
}

/// A message that was passed on.
#[derive(Clone, Debug)]
pub(super) struct Passed {
    /// Its place in the order of all rounds.
    pub(super) place: u64,
    /// Whether the server's own participant sent it.
    pub(super) own: bool,
    pub(super) bytes: Arc<Vec<u8>>,
}

/// How far a round got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Contributions are awaited.
    Contributing(Duration),
    /// Tokens are awaited.
    Attesting(Duration),
    /// Verdicts are awaited.
    Judging(Duration),
    /// Sites set resources aside.
    Reserving(Duration),
    /// The attempt's outcome is known; the announcement waits for the store.
    Deciding,
}

impl Coordinator {
    /// Opens a round among the server and these; `Err` says why not.
    pub(super) fn open_round(
        &mut self,
        now: Now,
        purpose: Purpose,
        sites: Vec<(Name, Option<Conn>)>,
        job: Option<JobRound>,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) -> Result<u64, Finding> {
        let wait = self.report_wait(now);
        if !wait.is_zero() {
            let text = format!("the server makes no report for another {:.1} s", wait.as_secs_f64());
            return Err(Finding::new(codes::FL_MEMBER_BUSY, text));
        }
        let epoch = env.epoch().ok_or_else(|| {
            Finding::new(codes::FL_MEMBER_BUSY, "the number of the round could not be stored")
        })?;
        let mut members: BTreeMap<Name, Option<Conn>> = sites.into_iter().collect();
        members.insert(self.own.me().name.clone(), None);
        let open = Open {
            purpose: purpose.number(),
            job_nonce: job.as_ref().map_or_else(Vec::new, |job| job.nonce.to_vec()).into(),
            job_file: job.as_ref().map_or_else(Vec::new, |job| job.file_bytes.clone()).into(),
            members: members.keys().map(|name| name.to_string()).collect(),
            bundle: self.own.signed_bundle().to_bytes().into(),
            identity: self.own.me().identity.clone(),
        }
        .to_bytes();
        let round = Round {
            purpose,
            job,
            opened_at: now.mono,
            phase: Phase::Contributing(now.mono.saturating_add(self.timing.contribution)),
            open: open.clone(),
            members,
            absent: BTreeMap::new(),
            contributions: BTreeMap::new(),
            publish: Vec::new(),
            closed: Vec::new(),
            tokens: BTreeSet::new(),
            signed: BTreeSet::new(),
            passed_on: Vec::new(),
            verdicts: Verdicts::new(),
        };
        let names: Vec<Name> = round.members.keys().cloned().collect();
        let bytes = Arc::new(self.own.sign(Kind::Open, epoch, round.job_id(), None, open));
        self.rounds.insert(epoch, round);
        out.push(Action::Event(ServerEvent::Opened { epoch, purpose, members: names }));
        self.broadcast(epoch, &bytes, None, out);
        Ok(epoch)
    }

    /// The connection of a member of a round.
    pub(super) fn member_connection(&self, epoch: u64, name: &Name) -> Option<Conn> {
        let chosen = *self.rounds.get(&epoch)?.members.get(name)?;
        chosen.or_else(|| self.sites.get(name).and_then(|site| site.connection))
    }

    /// A message of a member; its signature was verified.
    #[expect(clippy::too_many_arguments, reason = "one message with all that its handling touches")]
    pub(super) fn in_round(
        &mut self,
        now: Now,
        name: &Name,
        kind: Kind,
        message: &Signed,
        bytes: Arc<Vec<u8>>,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) -> Result<(), Finding> {
        let epoch = message.header.epoch;
        match kind {
            Kind::Contribution => self.contribution(now, epoch, name, message, out),
            Kind::Busy => {
                let busy = Finding::new(codes::FL_MEMBER_BUSY, format!("{name} is busy"));
                self.absent(epoch, name, busy, out);
                self.contributed_if_all(now, epoch, env, out);
                Ok(())
            }
            Kind::Token => {
                self.token(epoch, name, bytes, out);
                Ok(())
            }
            Kind::Verdict => {
                self.verdict(epoch, name, bytes, out);
                Ok(())
            }
            Kind::Reserved => self.reserved(now, epoch, name, message, env, out),
            Kind::JobUpdate => self.job_update_of(name, message, out),
            _ => Ok(()),
        }?;
        if kind == Kind::Contribution {
            self.contributed_if_all(now, epoch, env, out);
        }
        Ok(())
    }

    fn contribution(
        &mut self,
        now: Now,
        epoch: u64,
        name: &Name,
        message: &Signed,
        out: &mut Vec<Action>,
    ) -> Result<(), Finding> {
        let unknown = |text: &str| Finding::new(codes::FL_MEMBER_UNKNOWN, format!("{name}: {text}"));
        let Some(round) = self.rounds.get(&epoch) else { return Ok(()) };
        let open = matches!(round.phase, Phase::Contributing(_)) && round.members.contains_key(name);
        if !open || round.contributions.contains_key(name) {
            return Ok(());
        }
        let contribution: Contribution =
            message.read().ok_or_else(|| unknown("a contribution that does not read"))?;
        let checked = Leaf::parse(&contribution.leaf)
            .ok_or_else(|| unknown("its leaf does not read"))
            .and_then(|leaf| {
                if leaf.name != *name
                    || leaf.epoch != epoch
                    || leaf.federation_id != *self.own.federation_id()
                {
                    return Err(unknown("its leaf belongs elsewhere"));
                }
                let peer = self.own.contributed(now, &self.own.bundle_of(epoch), &leaf, &contribution)?;
                let connected =
                    self.member_connection(epoch, name).and_then(|connection| self.key_at(connection));
                if connected.is_some_and(|key| key != peer.key.digest()) {
                    return Err(unknown("its leaf is of another instance than the one on its connection"));
                }
                Ok(())
            });
        if let Err(finding) = checked {
            // Dropped before Publish; the round goes on without it.
            out.push(Action::Event(ServerEvent::Charged { name: name.clone(), finding: finding.clone() }));
            self.absent(epoch, name, finding, out);
            return Ok(());
        }
        if let Some(round) = self.rounds.get_mut(&epoch) {
            round.contributions.insert(name.clone(), contribution);
        }
        Ok(())
    }

    /// A member takes no part. One that asked for its registration asks again if it is busy, and is sent away otherwise.
    fn absent(&mut self, epoch: u64, name: &Name, finding: Finding, out: &mut Vec<Action>) {
        let Some(round) = self.rounds.get_mut(&epoch) else { return };
        if !matches!(round.phase, Phase::Contributing(_)) {
            return;
        }
        let Some(chosen) = round.members.remove(name) else { return };
        round.contributions.remove(name);
        round.absent.insert(name.clone(), finding.clone());
        match chosen {
            Some(connection) if finding.code == codes::FL_MEMBER_BUSY => {
                self.set_state(connection, State::Queued);
            }
            Some(connection) => self.refuse(connection, finding, out),
            None => {}
        }
    }

    /// A connection is gone: nobody waits for its contributions. `current` says that it was the site's.
    pub(super) fn silent(
        &mut self,
        now: Now,
        name: &Name,
        connection: Conn,
        current: bool,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        let concerned: Vec<u64> = self
            .rounds
            .iter()
            .filter(|(_, round)| {
                let through = |chosen: &Option<Conn>| chosen.map_or(current, |chosen| chosen == connection);
                matches!(round.phase, Phase::Contributing(_))
                    && !round.contributions.contains_key(name)
                    && round.members.get(name).is_some_and(through)
            })
            .map(|(epoch, _)| *epoch)
            .collect();
        for epoch in concerned {
            let finding = Finding::new(codes::FL_MEMBER_MISSING, format!("{name} is disconnected"));
            self.absent(epoch, name, finding, out);
            self.contributed_if_all(now, epoch, env, out);
        }
    }

    fn contributed_if_all(&mut self, now: Now, epoch: u64, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let Some(round) = self.rounds.get(&epoch) else { return };
        let all = round.members.keys().all(|name| round.contributions.contains_key(name));
        if all && matches!(round.phase, Phase::Contributing(_)) {
            self.publish(now, epoch, env, out);
        }
    }

    /// Step 3.
    pub(super) fn publish(&mut self, now: Now, epoch: u64, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let own = self.own.me().name.clone();
        let late: Vec<Name> = match self.rounds.get(&epoch) {
            Some(round) => round
                .members
                .keys()
                .filter(|name| !round.contributions.contains_key(*name))
                .cloned()
                .collect(),
            None => return,
        };
        for name in late {
            let text = format!("{name} sent no contribution in time");
            self.absent(epoch, &name, Finding::new(codes::FL_MEMBER_MISSING, text), out);
        }
        let Some(round) = self.rounds.get(&epoch) else { return };
        let alone = round.members.len() < 2 || !round.members.contains_key(&own);
        let unmet = round.job.as_ref().and_then(|job| {
            let clients = round.members.len().saturating_sub(1);
            job.parsed.met_by(clients, |name| round.members.contains_key(name)).err()
        });
        if alone || unmet.is_some() {
            let why = unmet.unwrap_or_else(|| "nobody answered".to_owned());
            let absent: Vec<String> = round.absent.values().map(ToString::to_string).collect();
            let text = if absent.is_empty() { why } else { format!("{why} ({})", absent.join("; ")) };
            self.abandon(now, epoch, &Finding::new(codes::FL_MEMBER_MISSING, text), env, out);
            return;
        }
        let contributions: Vec<Contribution> = round.contributions.values().cloned().collect();
        let hashes: Vec<Digest> = contributions.iter().map(|entry| leaf_hash(&entry.leaf)).collect();
        let leaf_count = u32::try_from(hashes.len()).unwrap_or(u32::MAX);
        let publish = Publish { contributions, root: root(&hashes).0.to_vec().into(), leaf_count }.to_bytes();
        let job_id = round.job_id().to_owned();
        if let Some(round) = self.rounds.get_mut(&epoch) {
            round.phase = Phase::Attesting(now.mono.saturating_add(self.timing.collection));
            round.publish.clone_from(&publish);
        }
        let bytes = Arc::new(self.own.sign(Kind::Publish, epoch, &job_id, None, publish));
        self.broadcast(epoch, &bytes, None, out);
    }

    /// The first token of a member is passed on while tokens are awaited. Words about rounds that are over are nobody's
    /// fault.
    fn token(&mut self, epoch: u64, name: &Name, bytes: Arc<Vec<u8>>, out: &mut Vec<Action>) {
        let Some(round) = self.rounds.get_mut(&epoch) else { return };
        let awaited = matches!(round.phase, Phase::Attesting(_)) && round.contributions.contains_key(name);
        if !awaited || !round.tokens.insert(name.clone()) {
            return;
        }
        let complete = round.members.keys().all(|member| round.tokens.contains(member));
        if complete {
            round.phase = round.judging();
        }
        self.pass_on(epoch, name, bytes, out);
    }

    /// So is its first verdict.
    fn verdict(&mut self, epoch: u64, name: &Name, bytes: Arc<Vec<u8>>, out: &mut Vec<Action>) {
        let Some(round) = self.rounds.get_mut(&epoch) else { return };
        let awaited = !round.publish.is_empty() && round.contributions.contains_key(name);
        if awaited && round.signed.insert(name.clone()) {
            self.pass_on(epoch, name, bytes, out);
        }
    }

    pub(super) fn counted(&mut self, epoch: u64, verifier: Name, verdict: VerdictMap) {
        if let Some(round) = self.rounds.get_mut(&epoch) {
            round.verdicts.insert(verifier, verdict);
        }
    }

    /// The server's own verdict is out.
    pub(super) fn concluded(&mut self, now: Now, concluded: &Concluded, out: &mut Vec<Action>) {
        let Some(round) = self.rounds.get(&concluded.epoch) else { return };
        let purpose = round.purpose;
        let absent: Vec<(Name, Finding)> = round.absent.clone().into_iter().collect();
        if purpose == Purpose::Register {
            return self.end_round(concluded.epoch, out);
        }
        let mut results: Vec<(Name, Result<(), Finding>)> =
            concluded.accepted.iter().map(|name| (name.clone(), Ok(()))).collect();
        let refused = concluded.refused.iter().cloned().chain(absent);
        results.extend(refused.map(|(name, finding)| (name, Err(finding))));
        for (name, result) in &results {
            let transcript = self.own.transcript_of(concluded.epoch, name);
            if let (Ok(()), Some(transcript), Some(site)) = (result, transcript, self.sites.get_mut(name)) {
                site.accepted(sha512(&transcript));
            }
        }
        self.book_standings(now, purpose, results, out);
        if purpose != Purpose::JobStart {
            // Members still pass their verdicts on until the round is forgotten.
            if let Some(round) = self.rounds.get_mut(&concluded.epoch) {
                round.phase = round.judging();
            }
        }
    }

    /// A round without job is over. Whoever is still registering was not even judged.
    pub(super) fn end_round(&mut self, epoch: u64, out: &mut Vec<Action>) {
        let Some(round) = self.rounds.remove(&epoch) else { return };
        for (name, connection) in &round.members {
            let left = connection.filter(|connection| self.is_registering(*connection));
            if let Some(connection) = left {
                let text = format!("{name} was not judged in its registration");
                self.refuse(connection, Finding::new(codes::FL_MEMBER_MISSING, text), out);
            }
        }
    }

    fn book_standings(
        &mut self,
        now: Now,
        purpose: Purpose,
        results: Vec<(Name, Result<(), Finding>)>,
        out: &mut Vec<Action>,
    ) {
        for (name, result) in results {
            let Some(site) = self.sites.get_mut(&name) else { continue };
            if site.judged(now.mono, purpose, &result) {
                let (standing, reason) = (site.standing, site.reason.clone());
                out.push(Action::Event(ServerEvent::Standing { name, standing, reason }));
            }
        }
    }

    /// A round that leads to nothing.
    pub(super) fn abandon(
        &mut self,
        now: Now,
        epoch: u64,
        finding: &Finding,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        let Some(round) = self.rounds.remove(&epoch) else { return };
        if round.purpose == Purpose::Register {
            for connection in round.members.values().flatten() {
                if self.is_registering(*connection) {
                    self.set_state(*connection, State::Queued);
                }
            }
        } else {
            let absent = round.absent.into_iter().map(|(name, finding)| (name, Err(finding)));
            self.book_standings(now, round.purpose, absent.collect(), out);
        }
        if let Some(job) = round.job {
            self.attempt_failed(now, epoch, job, &finding.to_string(), env, out);
        }
    }
}

impl Round {
    pub(super) fn job_id(&self) -> &str {
        self.job.as_ref().map_or("", |job| job.id.as_str())
    }

    /// Until the nonces die.
    pub(super) fn judging(&self) -> Phase {
        Phase::Judging(self.opened_at.saturating_add(NONCE_LIFETIME))
    }

    /// Whether every member that sent a token has signed a verdict.
    pub(super) fn verdicts_complete(&self) -> bool {
        matches!(self.phase, Phase::Judging(_))
            && self.tokens.iter().all(|name| self.verdicts.contains_key(name))
    }

    /// Whether an answer about resources is awaited from this site.
    pub(super) fn reserves(&self, name: &Name) -> bool {
        matches!(self.phase, Phase::Reserving(_)) && self.job.as_ref().is_some_and(|job| job.awaits(name))
    }

    /// The clients of the round: those that contributed.
    pub(super) fn clients(&self, server: &Name) -> BTreeSet<Name> {
        self.contributions.keys().filter(|name| *name != server).cloned().collect()
    }
}
