//! Who may register, and what becomes of it.

use cc_core::{Finding, codes};

use crate::crypto::{Digest, sha512};
use crate::message::{Identity, Notice};
use crate::name::Name;
use crate::role::Role;
use crate::round::{Now, is_refutation};
use crate::token::Peer;

use super::sessions::{Connection, State};
use super::{Action, Conn, Coordinator, ServerEnv, ServerEvent, Site, Standing};

impl Coordinator {
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
        let Some(key) = self.own.member_key(epoch, name) else { return };
        if let Err(finding) = result {
            self.refuse(connection, finding.clone(), out);
            // It may have been accepted as it came, and be refused by the rules over the whole round now.
            let accepted = self.sites.get(name).filter(|site| site.key == key && is_refutation(&finding));
            if let Some(connection) = accepted.map(|site| site.connection) {
                self.sites.remove(name);
                if let Some(connection) = connection {
                    self.refuse(connection, finding, out);
                }
            }
            return;
        }
        let Some(transcript) = self.own.transcript_of(epoch, name) else { return };
        let Some(known) = self.connections.get_mut(&connection) else { return };
        let Some((identity, peer)) = known.peer.clone() else { return };
        known.state = State::Unproven;
        known.since = now.mono;
        let mut site = Site::new(identity, key, now.mono);
        site.accepted(sha512(&transcript));
        if let Some(replaced) = self.instances.accepted(name, key) {
            self.received.forget(&replaced);
            let mut own = Vec::new();
            self.own.replaced_instance(name, &key, &mut own);
            self.work.extend(own.into_iter().map(super::Work::FromOwn));
        }
        if let Some(earlier) = self.sites.get(name).cloned() {
            // Whoever was evicted is a member again: the bundle in force has it.
            if earlier.key == key && earlier.standing != Standing::Evicted {
                site.go_on_from(&earlier);
            }
            if let Some(old) = earlier.connection.filter(|old| *old != connection) {
                let text = format!("a newer connection or instance of {name} was accepted");
                self.refuse(old, Finding::new(codes::FL_REGISTRATION_STALE_INSTANCE, text), out);
            }
        }
        self.sites.insert(name.clone(), site);
        let event = ServerEvent::Registered {
            name: name.clone(),
            instance_id: peer.instance_id,
            spki: peer.key.spki().to_vec(),
            transcript,
        };
        out.push(Action::Event(event));
        let notice = Notice { code: "registered".to_owned(), text: String::new() };
        self.tell(connection, name, &notice, epoch, "", out);
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

    /// Whether a hello may lead to anything.
    pub(super) fn admissible(
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
        if self.instances.retired.contains(&peer.key.digest()) {
            let text = format!("{name} shows the key of an instance that was replaced");
            return Err(Finding::new(codes::FL_REGISTRATION_STALE_INSTANCE, text));
        }
        Ok(peer)
    }

    /// Another connection of the name, with another key, waits for or takes part in a registration. One with the same
    /// key is what a lost connection left behind, and gives way.
    pub(super) fn claimed_by_another(
        &mut self,
        connection: Conn,
        name: &Name,
        key: &Digest,
        out: &mut Vec<Action>,
    ) -> bool {
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
            let finding = Finding::new(codes::FL_REGISTRATION_STALE_INSTANCE, format!("{name} reconnected"));
            out.push(Action::Close { connection: other, finding });
        }
        claimed
    }

    /// Those who wait for a registration, at most `most`.
    pub(super) fn queued(&self, most: usize) -> Vec<(Name, Conn)> {
        let queued = self.connections.iter().filter(|(_, known)| known.state == State::Queued);
        queued.take(most).map(|(connection, known)| (known.name.clone(), *connection)).collect()
    }

    pub(super) fn is_registering(&self, connection: Conn) -> bool {
        self.connections.get(&connection).is_some_and(|known| known.state == State::Registering)
    }
}
