//! What is due: the ends of phases, periodic rounds, registrations.

use std::sync::Arc;
use std::time::Duration;

use crate::binding::Purpose;
use crate::message::{Closed, Kind, Payload};
use crate::name::Name;
use crate::round::Now;

use super::rounds::Phase;
use super::sessions::State;
use super::{Action, Coordinator, ServerEnv, half_of};

/// Most sites of one registration round (*verification.md* 5.6).
const MOST_REGISTERING: usize = 63;
/// Registrations leave the server's reports to other rounds unless this many are free, or so long has passed since the
/// last one: a site that is refused and comes again and again must not use them up.
const SPARE_REPORTS: u32 = 3;
const REGISTRATION_INTERVAL: Duration = Duration::from_secs(15);

impl Coordinator {
    /// Deadlines, and rounds that are due.
    pub(super) fn rounds_tick(&mut self, now: Now, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let due: Vec<(u64, Phase)> = self
            .rounds
            .iter()
            .filter(|(_, round)| match round.phase {
                Phase::Contributing(until)
                | Phase::Attesting(until)
                | Phase::Judging(until)
                | Phase::Reserving(until) => now.mono >= until,
                Phase::Deciding => false,
            })
            .map(|(epoch, round)| (*epoch, round.phase))
            .collect();
        for (epoch, phase) in due {
            match phase {
                Phase::Contributing(_) => self.publish(now, epoch, env, out),
                Phase::Attesting(_) => self.close(epoch, out),
                Phase::Judging(_) => self.decide(now, epoch, env, out),
                Phase::Reserving(_) => self.reservations_over(now, epoch, env, out),
                Phase::Deciding => {}
            }
            self.pump(now, env, out);
        }
        // Verdicts that expire are more urgent than sites that are new.
        self.periodic(now, env, out);
        self.register_waiting(now, env, out);
    }

    /// Whoever has sent no token by now is absent.
    fn close(&mut self, epoch: u64, out: &mut Vec<Action>) {
        let Some(round) = self.rounds.get_mut(&epoch) else { return };
        round.phase = round.judging();
        let absent =
            round.members.keys().filter(|name| !round.tokens.contains(*name)).map(Name::to_string).collect();
        let job_id = round.job_id().to_owned();
        let closed = Closed { absent }.to_bytes();
        round.closed.clone_from(&closed);
        let bytes = Arc::new(self.own.sign(Kind::Closed, epoch, &job_id, None, closed));
        self.broadcast(epoch, &bytes, None, out);
    }

    /// The next registration round opens as soon as the own report of the previous one is out (*verification.md* 5.6).
    fn register_waiting(&mut self, now: Now, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let own = &self.own.me().name;
        let busy = self
            .rounds
            .values()
            .any(|round| round.purpose == Purpose::Register && !round.tokens.contains(own));
        let lately = self.registered_at.is_some_and(|at| now.mono.saturating_sub(at) < REGISTRATION_INTERVAL);
        if busy || (lately && self.own.reports_ready(now) < SPARE_REPORTS) {
            return;
        }
        let waiting = self.queued(MOST_REGISTERING);
        if waiting.is_empty() {
            return;
        }
        let sites = waiting.iter().map(|(name, connection)| (name.clone(), Some(*connection))).collect();
        if self.open_round(now, Purpose::Register, sites, None, env, out).is_ok() {
            self.registered_at = Some(now.mono);
            for (_, connection) in waiting {
                self.set_state(connection, State::Registering);
            }
            self.pump(now, env, out);
        }
    }

    /// Every half lifetime of a verdict, less up to a tenth (*verification.md* 5.5 step 8).
    fn periodic(&mut self, now: Now, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let under_way = self
            .rounds
            .values()
            .any(|round| round.purpose == Purpose::Periodic && !matches!(round.phase, Phase::Judging(_)));
        if under_way || (now.mono < self.next_periodic && !self.hurry) {
            return;
        }
        let sites: Vec<_> = self
            .sites
            .iter()
            .filter(|(_, site)| site.is_connected())
            .map(|(name, _)| (name.clone(), None))
            .collect();
        let half = half_of(self.own.bundle().verdict_lifetime);
        if sites.is_empty() {
            self.next_periodic = now.mono.saturating_add(half);
            self.hurry = false;
            return;
        }
        if self.open_round(now, Purpose::Periodic, sites, None, env, out).is_ok() {
            let [random, ..] = env.nonce();
            // 0 to 255 of 2,560: up to 10 %.
            let jitter = half.saturating_mul(u32::from(random)).checked_div(2560).unwrap_or_default();
            self.next_periodic = now.mono.saturating_add(half).saturating_sub(jitter);
            self.hurry = false;
            self.pump(now, env, out);
        }
    }
}
