//! Connections: who is at the other end, which instance, and whether it is alive.

use std::sync::Arc;
use std::time::Duration;

use cc_core::{Binding, Finding, codes};

use crate::binding::pop;
use crate::crypto::{Signature, sha256, sha512};
use crate::message::{Challenge, ChannelProof, Hello, Identity, Kind, MAX_UPWARD, Notice, Payload};
use crate::name::Name;
use crate::role::Role;
use crate::round::Now;
use crate::signed::Signed;
use crate::token::Peer;

use super::{Action, Conn, Coordinator, ServerEnv, ServerEvent, Site, Standing};

/// Refused messages after which a connection ends.
const STRIKES: u32 = 16;
/// Heartbeats without answer after which a connection ends.
const MISSED_HEARTBEATS: u32 = 3;

/// One connection of a participant.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) name: Name,
    role: Role,
    since: Duration,
    strikes: u32,
    /// The instance, once it said hello.
    peer: Option<(Identity, Peer)>,
    pub(super) state: State,
}

/// How far a connection got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No hello yet.
    Greeting,
    /// Another instance of its name is asked whether it lives.
    Contending {
        /// Until when it may answer.
        until: Duration,
    },
    /// Waits for a registration round.
    Queued,
    /// Takes part in one.
    Registering,
    /// Its instance is registered; the proof for this connection has not come.
    Unproven,
    /// The connection of a registered instance.
    Proven,
}

impl Coordinator {
    /// A participant connected. Name and role are what its certificate says, as verified by TLS.
    pub fn connected(&mut self, now: Now, connection: Conn, name: Name, role: Role) {
        let new = Connection { name, role, since: now.mono, strikes: 0, peer: None, state: State::Greeting };
        self.connections.insert(connection, new);
    }

    /// A connection is gone.
    pub fn disconnected(
        &mut self,
        now: Now,
        connection: Conn,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        let Some(gone) = self.connections.remove(&connection) else { return };
        if let Some(site) = self.sites.get_mut(&gone.name)
            && site.connection == Some(connection)
        {
            site.connection = None;
            site.challenge = None;
            let event = ServerEvent::Connected { name: gone.name.clone(), connected: false };
            out.push(Action::Event(event));
        }
        self.silent(now, &gone.name, connection, env, out);
        self.pump(now, env, out);
    }

    /// A message arrived over a connection.
    pub fn receive(
        &mut self,
        now: Now,
        connection: Conn,
        bytes: Vec<u8>,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        let Some(known) = self.connections.get(&connection) else { return };
        let name = known.name.clone();
        if let Err(finding) = self.message(now, connection, &name, bytes, env, out) {
            self.charge(connection, finding, out);
        }
        self.sessions_tick(now, env, out);
        self.pump(now, env, out);
    }

    /// A refused message is charged to the connection that brought it, and to nobody else (*verification.md* 5.8 row 11).
    fn charge(&mut self, connection: Conn, finding: Finding, out: &mut Vec<Action>) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        known.strikes = known.strikes.saturating_add(1);
        let name = known.name.clone();
        // A wrong name or a missing signature is never an accident.
        let at_once =
            finding.code == codes::FL_NAME_UNAUTHENTICATED || finding.code == codes::FL_MESSAGE_UNSIGNED;
        let over = known.strikes >= STRIKES || at_once;
        out.push(Action::Event(ServerEvent::Charged { name, finding: finding.clone() }));
        if over {
            let finding = if at_once {
                finding
            } else {
                Finding::new(
                    codes::FL_PEER_QUARANTINED,
                    format!("{STRIKES} refused messages, the last: {finding}"),
                )
            };
            self.refuse(connection, finding, out);
        }
    }

    fn message(
        &mut self,
        now: Now,
        connection: Conn,
        name: &Name,
        bytes: Vec<u8>,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) -> Result<(), Finding> {
        let garbage = |text: &str| Finding::new(codes::FL_PEER_QUARANTINED, format!("{name}: {text}"));
        let message = Signed::from_bytes(&bytes, MAX_UPWARD).ok_or_else(|| garbage("not a message"))?;
        if message.header.sender != *name {
            let text = format!("{name} sends as {}", message.header.sender);
            return Err(Finding::new(codes::FL_NAME_UNAUTHENTICATED, text));
        }
        let kind =
            Kind::from_number(message.header.kind).ok_or_else(|| garbage("unknown kind of message"))?;
        if kind == Kind::Hello {
            return self.hello(now, connection, &message, out);
        }
        let peer = self.connections.get(&connection).and_then(|known| known.peer.as_ref());
        let (_, peer) = peer.ok_or_else(|| garbage("a message before the hello"))?;
        message.verify(self.own.federation_id(), &peer.key)?;
        let key = peer.key.digest();
        self.received.admit(&key, &message.header)?;
        match kind {
            Kind::ChannelProof => self.channel_proof(now, connection, &message, env, out),
            Kind::Alive => self.alive(now, connection, &message, out),
            Kind::Contribution
            | Kind::Busy
            | Kind::Token
            | Kind::Verdict
            | Kind::Reserved
            | Kind::JobUpdate => self.in_round(now, name, kind, &message, Arc::new(bytes), env, out),
            _ => Err(garbage("a message of a kind that the server does not receive")),
        }
    }

    fn hello(
        &mut self,
        now: Now,
        connection: Conn,
        message: &Signed,
        out: &mut Vec<Action>,
    ) -> Result<(), Finding> {
        let Some(known) = self.connections.get(&connection) else { return Ok(()) };
        let (name, role) = (known.name.clone(), known.role);
        let garbage = |text: &str| Finding::new(codes::FL_PEER_QUARANTINED, format!("{name}: {text}"));
        if known.peer.is_some() {
            return Err(garbage("a second hello"));
        }
        let Hello { identity } = message.read().ok_or_else(|| garbage("a hello that does not read"))?;
        let welcome = self.admissible(now, &name, role, &identity);
        let peer = match welcome {
            Ok(peer) => peer,
            Err(finding) => {
                self.refuse(connection, finding, out);
                return Ok(());
            }
        };
        message.verify(self.own.federation_id(), &peer.key)?;
        let key = peer.key.digest();
        self.received.admit(&key, &message.header)?;
        let claimed = self.claimed_by_another(connection, &name, &key);
        let known_instance = self.sites.get(&name).filter(|site| site.standing != Standing::Evicted);
        let state = match known_instance {
            Some(site) if site.key == key && site.identity.is(&identity) => State::Unproven,
            _ if claimed => {
                let text = format!("another instance of {name} is registering");
                self.refuse(connection, Finding::new(codes::FL_REGISTRATION_DUPLICATE, text), out);
                return Ok(());
            }
            Some(site) if site.connection.is_some() => {
                let until = now.mono.saturating_add(self.timing.liveness);
                State::Contending { until }
            }
            _ => State::Queued,
        };
        if let Some(known) = self.connections.get_mut(&connection) {
            known.peer = Some((identity, peer));
            known.state = state;
        }
        if matches!(state, State::Contending { .. }) {
            // The server asks before it decides: with a challenge at the next tick, whatever the heartbeat says.
            if let Some(site) = self.sites.get_mut(&name) {
                site.challenge = None;
            }
        }
        Ok(())
    }

    /// Whether a hello may lead to anything.
    fn admissible(
        &mut self,
        now: Now,
        name: &Name,
        role: Role,
        identity: &Identity,
    ) -> Result<Peer, Finding> {
        if role != Role::Client {
            let text = format!("{name} is a {role}; this server registers clients");
            return Err(Finding::new(codes::FL_MEMBER_UNKNOWN, text));
        }
        let peer = self.own.enrolled(now, name, role, identity)?;
        if self.retired.contains(&peer.key.digest()) {
            let text = format!("{name} shows the key of an instance that was replaced");
            return Err(Finding::new(codes::FL_REGISTRATION_STALE_INSTANCE, text));
        }
        Ok(peer)
    }

    /// Another connection of the name, with another key, waits for or takes part in a registration. One with the same
    /// key is what a lost connection left behind, and gives way.
    fn claimed_by_another(&mut self, connection: Conn, name: &Name, key: &crate::crypto::Digest) -> bool {
        let waiting = |known: &Connection| {
            matches!(known.state, State::Queued | State::Registering | State::Contending { .. })
        };
        let others = self
            .connections
            .iter()
            .filter(|(other, known)| **other != connection && known.name == *name && waiting(known));
        let mut claimed = false;
        let mut stale = Vec::new();
        for (other, known) in others {
            match &known.peer {
                Some((_, peer)) if peer.key.digest() == *key => stale.push(*other),
                _ => claimed = true,
            }
        }
        for other in stale {
            self.connections.remove(&other);
        }
        claimed
    }

    /// *verification.md* 5.4 (a).
    fn channel_proof(
        &mut self,
        now: Now,
        connection: Conn,
        message: &Signed,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) -> Result<(), Finding> {
        let Some(known) = self.connections.get(&connection) else { return Ok(()) };
        if known.state != State::Unproven {
            // The proof of an instance that this server does not know yet: it registers instead.
            return Ok(());
        }
        let name = known.name.clone();
        let Some((_, peer)) = &known.peer else { return Ok(()) };
        let proven = self.proven(&name, peer, connection, message, env);
        match proven {
            Ok(()) => {
                self.attach(now, connection, &name, out);
                self.notice(connection, &name, "welcome", "", out);
                self.resume(&name, connection, out);
            }
            Err(finding) => self.refuse(connection, finding, out),
        }
        Ok(())
    }

    fn proven(
        &self,
        name: &Name,
        peer: &Peer,
        connection: Conn,
        message: &Signed,
        env: &mut dyn ServerEnv,
    ) -> Result<(), Finding> {
        let invalid = |text: &str| Finding::new(codes::BIND_POP_INVALID, format!("{name}: {text}"));
        let proof: ChannelProof = message.read().ok_or_else(|| invalid("a proof that does not read"))?;
        let report_data = sha512(&proof.transcript);
        let shown = self.sites.get(name).is_some_and(|site| site.shown.contains(&report_data));
        if !shown {
            return Err(invalid("a proof for a token that was not accepted"));
        }
        let pop =
            <[u8; 64]>::try_from(proof.pop.as_slice()).map_err(|_| invalid("a proof of another length"))?;
        let stated =
            <[u8; 32]>::try_from(proof.exporter.as_slice()).map_err(|_| invalid("not an exporter"))?;
        let own = env.exporter_of(connection, &sha256(&proof.transcript).0).ok_or_else(|| {
            Finding::new(codes::BIND_CHANNEL_MISMATCH, format!("{name}: the connection is gone"))
        })?;
        pop::verify_channel(&peer.key, &Binding::new(report_data), &stated, &own, &Signature(pop))
    }

    /// From now on this is the site's connection; an earlier one of the same instance ends.
    fn attach(&mut self, now: Now, connection: Conn, name: &Name, out: &mut Vec<Action>) {
        if let Some(known) = self.connections.get_mut(&connection) {
            known.state = State::Proven;
        }
        let Some(site) = self.sites.get_mut(name) else { return };
        let earlier = site.connection.replace(connection);
        site.alive_at = now.mono;
        site.challenge = None;
        if let Some(earlier) = earlier.filter(|earlier| *earlier != connection) {
            self.connections.remove(&earlier);
            let text = format!("{name} reconnected");
            let finding = Finding::new(codes::FL_REGISTRATION_STALE_INSTANCE, text);
            out.push(Action::Close { connection: earlier, finding });
        }
        out.push(Action::Event(ServerEvent::Connected { name: name.clone(), connected: true }));
    }

    fn alive(
        &mut self,
        now: Now,
        connection: Conn,
        message: &Signed,
        out: &mut Vec<Action>,
    ) -> Result<(), Finding> {
        let Some(known) = self.connections.get(&connection) else { return Ok(()) };
        let name = known.name.clone();
        let Some(site) = self.sites.get_mut(&name).filter(|site| site.connection == Some(connection)) else {
            return Ok(());
        };
        let answer = Challenge::from_bytes(&message.payload);
        let asked = site.challenge.map(|(nonce, _)| nonce);
        let right =
            answer.zip(asked).is_some_and(|(answer, asked)| crate::crypto::same(&answer.nonce, &asked));
        if !right {
            return Err(Finding::new(
                codes::FL_PEER_QUARANTINED,
                format!("{name}: not the answer to the challenge"),
            ));
        }
        site.alive_at = now.mono;
        site.challenge = None;
        // It lives: who contends for the name is refused, unless the owner said that the newest wins.
        let replaceable = self.own.bundle().replaceable(&name);
        let contender = self
            .connections
            .iter_mut()
            .find(|(_, known)| known.name == name && matches!(known.state, State::Contending { .. }));
        match contender {
            Some((_, known)) if replaceable => known.state = State::Queued,
            Some((contender, _)) => {
                let contender = *contender;
                let text = format!("an instance of {name} is alive");
                self.refuse(contender, Finding::new(codes::FL_REGISTRATION_DUPLICATE, text), out);
            }
            None => {}
        }
        Ok(())
    }

    /// A registration round judged one site: each completes on its own.
    pub(super) fn registration(
        &mut self,
        now: Now,
        epoch: u64,
        name: &Name,
        result: Result<(), Finding>,
        out: &mut Vec<Action>,
    ) {
        let Some(connection) = self.member_connection(epoch, name) else { return };
        if let Err(finding) = result {
            if self.sites.get(name).is_some_and(|site| site.connection == Some(connection)) {
                // Accepted first, refused by the rules over the whole round.
                self.sites.remove(name);
            }
            return self.refuse(connection, finding, out);
        }
        let Some(transcript) = self.own.transcript_of(epoch, name) else { return };
        let Some(known) = self.connections.get_mut(&connection) else { return };
        let Some((identity, peer)) = known.peer.clone() else { return };
        known.state = State::Unproven;
        known.since = now.mono;
        let mut site = Site::new(identity, peer.key.digest(), now.mono);
        site.accepted(sha512(&transcript));
        let event = ServerEvent::Registered {
            name: name.clone(),
            instance_id: peer.instance_id,
            spki: peer.key.spki().to_vec(),
            transcript,
        };
        if let Some(earlier) = self.sites.insert(name.clone(), site)
            && earlier.key != peer.key.digest()
        {
            self.retired.insert(earlier.key);
            let mut own = Vec::new();
            self.own.replaced_instance(name, &peer.key.digest(), &mut own);
            self.work.extend(own.into_iter().map(super::Work::FromOwn));
            if let Some(old) = earlier.connection {
                let text = format!("a newer instance of {name} was accepted");
                self.refuse(old, Finding::new(codes::FL_REGISTRATION_STALE_INSTANCE, text), out);
            }
        }
        out.push(Action::Event(event));
        self.notice(connection, name, "registered", "", out);
    }

    /// Says why, then ends the connection.
    pub(super) fn refuse(&mut self, connection: Conn, finding: Finding, out: &mut Vec<Action>) {
        let Some(known) = self.connections.remove(&connection) else { return };
        let name = known.name;
        if let Some(site) = self.sites.get_mut(&name)
            && site.connection == Some(connection)
        {
            site.connection = None;
        }
        self.notice(connection, &name, finding.code.as_str(), &finding.detail, out);
        out.push(Action::Close { connection, finding: finding.clone() });
        out.push(Action::Event(ServerEvent::Refused { name, finding }));
    }

    fn notice(&mut self, connection: Conn, name: &Name, code: &str, text: &str, out: &mut Vec<Action>) {
        let notice = Notice { code: code.to_owned(), text: text.to_owned() };
        self.tell(connection, name, &notice, 0, "", out);
    }

    /// Sends to one participant.
    pub(super) fn tell<P: Payload>(
        &mut self,
        connection: Conn,
        name: &Name,
        payload: &P,
        epoch: u64,
        job_id: &str,
        out: &mut Vec<Action>,
    ) {
        let bytes = self.own.sign(P::KIND, epoch, job_id, Some(name.clone()), payload.to_bytes());
        self.send(connection, &Arc::new(bytes), out);
    }

    /// Sites whose enrolment the bundle in force revokes.
    pub(super) fn evict_unenrolled(&mut self, now: Now, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let all: Vec<(Name, Identity)> =
            self.sites.iter().map(|(name, site)| (name.clone(), site.identity.clone())).collect();
        for (name, identity) in all {
            let Err(finding) = self.own.enrolled(now, &name, Role::Client, &identity) else { continue };
            let mut own = Vec::new();
            self.own.evict(&name, &finding, &mut own);
            self.follow(now, own, env, out);
            let Some(site) = self.sites.get_mut(&name) else { continue };
            site.standing = Standing::Evicted;
            site.reason = Some(finding.clone());
            let connection = site.connection;
            out.push(Action::Event(ServerEvent::Standing {
                name,
                standing: Standing::Evicted,
                reason: Some(finding.clone()),
            }));
            if let Some(connection) = connection {
                self.refuse(connection, finding, out);
            }
        }
    }

    /// Heartbeats, contended names, and connections that say nothing.
    pub(super) fn sessions_tick(&mut self, now: Now, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let timing = self.timing;
        let overdue = |known: &Connection| {
            let waits = matches!(known.state, State::Greeting | State::Unproven);
            waits && now.mono.saturating_sub(known.since) > timing.liveness
        };
        let silent: Vec<Conn> =
            self.connections.iter().filter(|(_, known)| overdue(known)).map(|(conn, _)| *conn).collect();
        for connection in silent {
            let text = "neither hello nor proof in time";
            self.refuse(connection, Finding::new(codes::FL_PEER_QUARANTINED, text), out);
        }
        let contended: Vec<Name> = self
            .connections
            .values()
            .filter(|known| matches!(known.state, State::Contending { .. }))
            .map(|known| known.name.clone())
            .collect();
        self.heartbeats(now, &contended, env, out);
        for (_, known) in &mut self.connections {
            if matches!(known.state, State::Contending { until } if until <= now.mono) {
                known.state = State::Queued;
            }
        }
    }

    fn heartbeats(&mut self, now: Now, contended: &[Name], env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let limit = self.timing.heartbeat.saturating_mul(MISSED_HEARTBEATS);
        let mut ask = Vec::new();
        let mut dead = Vec::new();
        for (name, site) in &mut self.sites {
            let Some(connection) = site.connection else { continue };
            let quiet = now.mono.saturating_sub(site.alive_at);
            let due = quiet >= self.timing.heartbeat || contended.contains(name);
            let asked_lately =
                site.challenge.is_some_and(|(_, at)| now.mono.saturating_sub(at) < self.timing.heartbeat);
            if quiet > limit {
                dead.push(connection);
            } else if due && !asked_lately {
                let nonce = env.nonce();
                site.challenge = Some((nonce, now.mono));
                ask.push((connection, name.clone(), nonce));
            }
        }
        for (connection, name, nonce) in ask {
            self.tell(connection, &name, &Challenge { nonce: nonce.to_vec().into() }, 0, "", out);
        }
        for connection in dead {
            let text = format!("no answer for {} s", limit.as_secs());
            out.push(Action::Close { connection, finding: Finding::new(codes::FL_MEMBER_MISSING, text) });
            self.disconnected(now, connection, env, out);
        }
    }

    /// Those who wait for a registration, at most `most`.
    pub(super) fn queued(&self, most: usize) -> Vec<(Name, Conn)> {
        let queued = self.connections.iter().filter(|(_, known)| known.state == State::Queued);
        queued.take(most).map(|(connection, known)| (known.name.clone(), *connection)).collect()
    }

    pub(super) fn set_state(&mut self, connection: Conn, state: State) {
        if let Some(known) = self.connections.get_mut(&connection) {
            known.state = state;
        }
    }

    /// The key of the instance at the other end.
    pub(super) fn key_at(&self, connection: Conn) -> Option<crate::crypto::Digest> {
        let (_, peer) = self.connections.get(&connection)?.peer.as_ref()?;
        Some(peer.key.digest())
    }
}
