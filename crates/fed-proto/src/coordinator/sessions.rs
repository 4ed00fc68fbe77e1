//! Connections: who is at the other end, which instance, and whether it is alive.

use std::sync::Arc;
use std::time::Duration;

use cc_core::{Binding, Finding, codes};

use crate::binding::pop;
use crate::crypto::{Signature, sha256, sha512};
use crate::message::{ChannelProof, Hello, Identity, Kind, MAX_UPWARD, Notice, Payload};
use crate::name::Name;
use crate::role::Role;
use crate::round::Now;
use crate::signed::Signed;
use crate::token::Peer;

use super::{Action, Conn, Coordinator, ServerEnv, ServerEvent, Standing};

/// Refused messages after which a connection ends, and the time in which one is forgiven.
const STRIKES: u32 = 16;
const FORGIVEN: Duration = Duration::from_secs(10);

/// One connection of a participant.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) name: Name,
    pub(super) role: Role,
    pub(super) since: Duration,
    /// Refused messages, and when the last one was counted: one is forgiven with every `FORGIVEN`.
    strikes: u32,
    struck_at: Duration,
    /// The instance, once it said hello.
    pub(super) peer: Option<(Identity, Peer)>,
    pub(super) state: State,
    /// Whether the instance was asked for a new token because no proof came.
    pub(super) asked_anew: bool,
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
        let since = now.mono;
        let state = State::Greeting;
        let new = Connection {
            name,
            role,
            since,
            strikes: 0,
            struck_at: since,
            peer: None,
            state,
            asked_anew: false,
        };
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
        let current = self.detach(&gone, connection, out);
        self.silent(now, &gone.name, connection, current, env, out);
        self.pump(now, env, out);
    }

    /// Whether a connection that ended was a site's; then the site is without.
    fn detach(&mut self, gone: &Connection, connection: Conn, out: &mut Vec<Action>) -> bool {
        let site = self.sites.get_mut(&gone.name);
        let current = site.filter(|site| site.connection == Some(connection));
        let was_current = current.is_some();
        if let Some(site) = current {
            site.connection = None;
            site.challenge = None;
            let event = ServerEvent::Connected { name: gone.name.clone(), connected: false };
            out.push(Action::Event(event));
        }
        // Whoever says hello with ever new keys and never registers uses up no memory.
        if let Some((_, peer)) = &gone.peer {
            let key = peer.key.digest();
            let of_site = self.sites.get(&gone.name).is_some_and(|site| site.key == key);
            let elsewhere = self.connections.keys().any(|other| self.key_at(*other) == Some(key));
            if !of_site && !elsewhere {
                self.received.forget(&key);
            }
        }
        was_current
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
            self.charge(now, connection, finding, out);
        }
        self.sessions_tick(now, env, out);
        self.pump(now, env, out);
    }

    /// A refused message is charged to the connection that brought it, and to nobody else (*verification.md* 5.8 row 11).
    fn charge(&mut self, now: Now, connection: Conn, finding: Finding, out: &mut Vec<Action>) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        let passed = now.mono.saturating_sub(known.struck_at).as_secs();
        let forgiven = passed.checked_div(FORGIVEN.as_secs()).unwrap_or_default();
        known.strikes = known.strikes.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX));
        known.strikes = known.strikes.saturating_add(1);
        known.struck_at = now.mono;
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
        if message.header.recipient.as_ref().is_some_and(|to| *to != self.own.me().name) {
            return Err(garbage("a message for somebody else"));
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
            | Kind::JobUpdate => {
                if self.is_heard(connection, name, kind, message.header.epoch) {
                    self.in_round(now, name, kind, &message, Arc::new(bytes), env, out)
                } else {
                    Ok(())
                }
            }
            _ => Err(garbage("a message of a kind that the server does not receive")),
        }
    }

    /// Whether this is the connection over which the name takes part in a round, or in jobs: that of the registered
    /// instance, or of the one that is being registered. Another one that the name has may be on its way there, or be
    /// somebody else's.
    fn is_heard(&self, connection: Conn, name: &Name, kind: Kind, epoch: u64) -> bool {
        let chosen = if kind == Kind::JobUpdate { None } else { self.member_connection(epoch, name) };
        chosen.or_else(|| self.sites.get(name).and_then(|site| site.connection)) == Some(connection)
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
        let claimed = self.claimed_by_another(connection, &name, &key, out);
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
        // Of a contended name the server asks before it decides: with a challenge at once, unless one is out.
        if let Some(known) = self.connections.get_mut(&connection) {
            known.peer = Some((identity, peer));
            known.state = state;
        }
        Ok(())
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
        let invalid = |text: &str| Finding::new(codes::BIND_POP_INVALID, format!("{name}: {text}"));
        let proof: ChannelProof = message.read().ok_or_else(|| invalid("a proof that does not read"))?;
        let report_data = sha512(&proof.transcript);
        if !self.sites.get(&name).is_some_and(|site| site.shown.contains(&report_data)) {
            // It knows of no token that this server accepted, so it shows a new one: a message may have been lost.
            self.set_state(connection, State::Queued);
            return Ok(());
        }
        let proven = self.proven(&name, peer, connection, &proof, env);
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
        proof: &ChannelProof,
        env: &mut dyn ServerEnv,
    ) -> Result<(), Finding> {
        let invalid = |text: &str| Finding::new(codes::BIND_POP_INVALID, format!("{name}: {text}"));
        let report_data = sha512(&proof.transcript);
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

    /// Says why, then ends the connection.
    pub(super) fn refuse(&mut self, connection: Conn, finding: Finding, out: &mut Vec<Action>) {
        let Some(known) = self.connections.remove(&connection) else { return };
        self.detach(&known, connection, out);
        let name = known.name;
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
