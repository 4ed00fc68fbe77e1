//! Which instances live: heartbeats, contended names, and connections that say nothing.

use cc_core::{Finding, codes};

use crate::message::{Challenge, Payload};
use crate::name::Name;
use crate::round::Now;
use crate::signed::Signed;

use super::sessions::{Connection, State};
use super::{Action, Conn, Coordinator, ServerEnv};

/// Heartbeats without answer after which a connection ends.
const MISSED_HEARTBEATS: u32 = 3;

impl Coordinator {
    pub(super) fn alive(
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

    /// A known instance that does not prove itself may never have heard that it was accepted: it is asked anew, once on
    /// a connection.
    fn ask_anew(&mut self, now: Now, connection: Conn) -> bool {
        let known = self.connections.get_mut(&connection);
        let Some(known) = known.filter(|known| known.state == State::Unproven && !known.asked_anew) else {
            return false;
        };
        known.asked_anew = true;
        known.since = now.mono;
        known.state = State::Queued;
        true
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
            if self.ask_anew(now, connection) {
                continue;
            }
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
        for known in self.connections.values_mut() {
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
}
