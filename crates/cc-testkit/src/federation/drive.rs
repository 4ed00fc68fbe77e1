//! What happens between the state machines: messages, reports, judgements.

use std::sync::Arc;
use std::time::Duration;

use cc_core::{Finding, codes};
use fed_proto::coordinator::{Action, Conn, ServerEvent};
use fed_proto::crypto::sha256;
use fed_proto::name::Name;
use fed_proto::round::{Event, Evidence, JudgeOrder, Output, ReportOrder};
use fed_proto::scheduler::Outcome;
use fed_proto::sybil::Identifiers;

use super::site::{FIRST_BACKOFF, LONGEST_BACKOFF};
use super::{Federation, name};

/// How long an emulated hardware report takes.
const REPORT_TIME: Duration = Duration::from_millis(20);

pub(super) enum Delivery {
    ToServer(Conn, Arc<Vec<u8>>),
    ToSite(Conn, Name, Arc<Vec<u8>>),
    Collected { who: Name, epoch: u64, result: Result<Evidence, Finding> },
    Judged { who: Name, order: Box<JudgeOrder> },
    Gone(Conn),
    Dial(Name),
    Tick,
}

impl Federation {
    pub(super) fn site_output(&mut self, name: &Name, output: Output) {
        let now = self.now;
        let Some(who) = self.instance(name) else { return };
        let site = self.sites.get_mut(name).unwrap();
        match output {
            Output::Send(bytes) => {
                let Some(connection) = site.connection else { return };
                self.watch.sent(who, &bytes, now);
                let changed = match &mut site.tamper {
                    Some(tamper) => tamper(bytes),
                    None => vec![bytes],
                };
                for bytes in changed {
                    let bytes = Arc::new(bytes);
                    *self.traffic.entry(name.clone()).or_default() += bytes.len() as u64;
                    self.transmit(connection, true, || Delivery::ToServer(connection, Arc::clone(&bytes)));
                }
            }
            Output::Collect { epoch, order } => {
                if site.mute {
                    return;
                }
                let over = alone_over(&order);
                let result = match (&site.broken, &mut site.forge, &mut self.machines) {
                    (Some(finding), ..) => Err(finding.clone()),
                    (None, Some(forge), _) => Ok(alone(forge(over))),
                    (None, None, machines) => {
                        self.watch.report(name, who, epoch, over, now);
                        let own = || alone(evidence(name, &over));
                        Ok(machines.as_mut().map_or_else(own, |machines| machines.report(name, &order)))
                    }
                };
                let delivery = Delivery::Collected { who: name.clone(), epoch, result };
                self.queue.push(now + REPORT_TIME, delivery);
            }
            Output::Judge(order) => {
                self.queue.push(now + self.judge_time, Delivery::Judged { who: name.clone(), order });
            }
            Output::Event(event) => self.site_event(name, event),
        }
    }

    fn site_event(&mut self, name: &Name, event: Event) {
        let (now, who) = (self.now, self.instance(name).unwrap());
        let site = self.sites.get_mut(name).unwrap();
        match event {
            Event::Registered => {
                site.registered = true;
                site.backoff = FIRST_BACKOFF;
            }
            Event::Welcome => site.backoff = FIRST_BACKOFF,
            Event::TurnedAway(finding) => site.turned_away.push(finding),
            Event::Refused(finding) => site.refused.push(finding),
            Event::Abstained { epoch, finding } => site.abstained.push((epoch, finding)),
            Event::Reserve { epoch, job_id, .. } => {
                let answer = site.resources.clone();
                self.with_agent(name, None, |agent, _, out| agent.reserved(epoch, &job_id, answer, out));
            }
            Event::Start(start) => {
                let lifetime = site.agent.as_ref().unwrap().bundle().verdict_lifetime;
                self.watch.start(name, who, &start.grant, lifetime, now);
                let job = start.grant.job_id.clone();
                site.running.insert(job.clone(), *start);
                self.with_agent(name, None, |agent, _, out| agent.job_update(&job, "started", "", out));
            }
            Event::Concluded(concluded) => self.concluded(name, &concluded),
            Event::NotAdmitted { job_id, reason } => site.not_admitted.push((job_id, reason)),
            Event::Stop { job_id, finding } => {
                let Some(_) = site.running.remove(&job_id) else { return };
                site.stopped.push((job_id.clone(), finding));
                self.with_agent(name, None, |agent, _, out| agent.job_update(&job_id, "stopped", "", out));
            }
            _ => {}
        }
    }

    fn transmit(&mut self, connection: Conn, up: bool, delivery: impl Fn() -> Delivery) {
        let faults = self.faults;
        if faults.loss > 0 && self.random.percent(faults.loss) {
            return;
        }
        let twice = faults.duplication > 0 && self.random.percent(faults.duplication);
        for _ in 0..if twice { 2 } else { 1 } {
            let most = faults.delay.as_millis() as u64;
            let delay = if most == 0 { 0 } else { self.random.below(most) };
            let mut at = self.now + Duration::from_millis(delay);
            if !faults.reorder {
                let last = self.last.entry((connection, up)).or_default();
                at = at.max(*last);
                *last = at;
            }
            self.queue.push(at, delivery());
        }
    }

    pub(super) fn server_action(&mut self, action: Action) {
        let now = self.now;
        match action {
            Action::Send { to, bytes } => {
                let Some(name) = self.connections.get(&to).cloned() else { return };
                if let Some(who) = self.server_instance() {
                    self.watch.sent(who, &bytes, now);
                }
                *self.traffic.entry(name.clone()).or_default() += bytes.len() as u64;
                self.transmit(to, false, || Delivery::ToSite(to, name.clone(), Arc::clone(&bytes)));
            }
            Action::Close { connection, .. } => {
                // What was sent before arrives before.
                let at = self.last.get(&(connection, false)).copied().unwrap_or(now).max(now);
                self.queue.push(at, Delivery::Gone(connection));
            }
            Action::Collect { epoch, order } => {
                let who = self.server_instance().unwrap();
                let label = self.server.enrolled.name.clone();
                let over = alone_over(&order);
                self.watch.report(&label, who, epoch, over, now);
                let own = || alone(evidence(&label, &over));
                let evidence =
                    self.machines.as_mut().map_or_else(own, |machines| machines.report(&label, &order));
                let delivery = Delivery::Collected { who: label, epoch, result: Ok(evidence) };
                self.queue.push(now + REPORT_TIME, delivery);
            }
            Action::Judge(order) => {
                let who = self.server.enrolled.name.clone();
                self.queue.push(now + self.judge_time, Delivery::Judged { who, order });
            }
            Action::Event(event) => self.server_event(event),
        }
    }

    fn server_event(&mut self, event: ServerEvent) {
        match &event {
            ServerEvent::Attempted { job, number, outcome } => {
                self.server.attempts.push((job.to_string(), *number, outcome.clone()));
                if matches!(outcome, Outcome::Scheduled { .. }) {
                    self.server.held.push(job.clone());
                    if !self.server.hold_announcements {
                        self.announce();
                    }
                }
            }
            ServerEvent::Registered { name, spki, .. } => {
                self.server.instances.accepted(name, sha256(spki));
            }
            ServerEvent::Own(Event::Start(start)) => {
                let who = self.server_instance().unwrap();
                let label = self.server.enrolled.name.clone();
                let lifetime = self.lifetime();
                self.watch.start(&label, who, &start.grant, lifetime, self.now);
                self.server.running.insert(start.grant.job_id.clone(), (**start).clone());
            }
            ServerEvent::Own(Event::Concluded(concluded)) => {
                self.concluded(&self.server.enrolled.name.clone(), concluded);
            }
            ServerEvent::Own(Event::Stop { job_id, finding }) => {
                let stopped = self.server.running.remove(job_id).map(|_| (job_id.clone(), finding.clone()));
                self.server.stopped.extend(stopped);
            }
            _ => {}
        }
        self.server.events.push(event);
    }

    pub(super) fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::ToServer(connection, bytes) => self.with_server(|server, now, env, out| {
                server.receive(now, connection, bytes.to_vec(), env, out);
            }),
            Delivery::ToSite(connection, name, bytes) => self.arrive(connection, &name, &bytes),
            Delivery::Gone(connection) => {
                let name = self.connections.remove(&connection);
                self.last.remove(&(connection, true));
                self.last.remove(&(connection, false));
                if let Some(name) = name
                    && let Some(site) = self.sites.get_mut(&name)
                    && site.connection == Some(connection)
                {
                    site.connection = None;
                    self.dial_again(&name);
                }
                self.with_server(|server, now, env, out| server.disconnected(now, connection, env, out));
            }
            Delivery::Dial(name) => {
                let site = self.sites.get_mut(&name).unwrap();
                site.dialling = false;
                if site.connection.is_none() && site.is_up() {
                    self.connect(&name);
                }
            }
            Delivery::Collected { who, epoch, result } => {
                let now = self.now();
                if who == self.server.enrolled.name {
                    self.with_server(|s, now, env, out| s.collected(now, epoch, result, env, out));
                } else {
                    self.with_agent(&who, None, |a, _, out| a.collected(now, epoch, result, out));
                }
            }
            Delivery::Judged { who, order } => self.judge(&who, &order),
            Delivery::Tick => {
                let now = self.now();
                self.with_server(|server, now, env, out| server.tick(now, env, out));
                for name in self.sites.keys().cloned().collect::<Vec<_>>() {
                    self.with_agent(&name, None, |agent, _, out| agent.tick(now, out));
                }
                self.check_running();
                self.queue.push(self.now + self.tick, Delivery::Tick);
            }
        }
    }

    fn arrive(&mut self, connection: Conn, name: &Name, bytes: &[u8]) {
        let Some(site) = self.sites.get_mut(name) else { return };
        if site.connection != Some(connection) {
            return;
        }
        let changed = match &mut site.tamper_inbound {
            Some(tamper) => tamper(bytes.to_vec()),
            None => return self.hand(name, bytes),
        };
        for bytes in changed {
            self.hand(name, &bytes);
        }
    }

    /// Hands a message to a site, wherever it comes from.
    pub fn hand(&mut self, name: &Name, bytes: &[u8]) {
        let now = self.now();
        self.with_agent(name, None, |agent, env, out| agent.receive(now, bytes, env, out));
    }

    /// Sends a message to the server over a site's connection.
    pub fn hand_to_server(&mut self, from: &Name, bytes: Vec<u8>) {
        let connection = self.sites[from].connection.expect("the site is connected");
        self.with_server(|server, now, env, out| server.receive(now, connection, bytes, env, out));
    }

    /// A site without connection dials again, as agents do.
    pub(super) fn dial_again(&mut self, name: &Name) {
        let site = self.sites.get_mut(name).unwrap();
        if !self.reconnect || site.dialling || !site.is_up() {
            return;
        }
        site.dialling = true;
        let wait = site.backoff.mul_f64(0.8 + self.random.below(400) as f64 / 1000.0);
        site.backoff = (site.backoff * 2).min(LONGEST_BACKOFF);
        self.queue.push(self.now + wait, Delivery::Dial(name.clone()));
    }

    /// The emulated judge: hardware says which guest made the report and over what.
    fn judge(&mut self, who: &Name, order: &JudgeOrder) {
        let (now, epoch, peer) = (self.now(), order.epoch, order.peer.clone());
        self.verifications += 1;
        let is_server = *who == self.server.enrolled.name;
        let verifier = if is_server { self.server_instance() } else { self.instance(who) };
        let Some(verifier) = verifier else { return };
        let (guest, over) = split(&order.envelope.evidence);
        let made = self.watch.maker(over).filter(|(label, _)| label.as_str().as_bytes() == guest).cloned();
        let refusal = self.policy.get(&(who.clone(), peer.clone()));
        let by_machine = self.machines.as_mut().map(|machines| machines.judge(who, order, now.wall));
        let result = match (made, refusal) {
            _ if by_machine.is_some() => {
                let maker = self.watch.maker(order.binding.as_bytes()).map(|(_, maker)| *maker);
                if let (Some(Ok(_)), Some(maker)) = (&by_machine, maker) {
                    self.watch.affirm(verifier, maker, epoch, &order.envelope.root, self.now);
                }
                by_machine.unwrap()
            }
            (None, _) => Err(Finding::new(codes::SNP_SIGNATURE_INVALID, "no hardware made this")),
            (Some(_), _) if over != order.binding.as_bytes() => {
                Err(Finding::new(codes::BIND_REPORT_DATA_MISMATCH, "made over something else"))
            }
            (Some(_), Some(finding)) => Err(finding.clone()),
            (Some((label, maker)), None) => {
                self.watch.affirm(verifier, maker, epoch, &order.envelope.root, self.now);
                Ok(self.sites.get(&label).map_or_else(Identifiers::default, |site| site.hardware.clone()))
            }
        };
        if is_server {
            self.with_server(|server, now, env, out| server.judged(now, epoch, &peer, result, env, out));
        } else {
            self.with_agent(who, None, |agent, env, out| agent.judged(now, epoch, &peer, result, env, out));
        }
    }

    /// A job runs only on fresh verdicts, everywhere.
    fn check_running(&self) {
        for (name, site) in &self.sites {
            let (Some(agent), Some(who)) = (&site.agent, self.instance(name)) else { continue };
            for start in site.running.values() {
                self.watch.runs(name, who, &start.grant, agent.bundle().verdict_lifetime, self.now);
            }
        }
        if let Some(who) = self.server_instance() {
            for start in self.server.running.values() {
                self.watch.runs(&name("server"), who, &start.grant, self.lifetime(), self.now);
            }
        }
    }

    fn lifetime(&self) -> Duration {
        self.server.coordinator.as_ref().unwrap().own().bundle().verdict_lifetime
    }
}

/// What the emulated hardware of a guest signs.
pub fn evidence(guest: &Name, over: &[u8; 64]) -> Vec<u8> {
    [guest.as_str().as_bytes(), b"\0", over].concat()
}

/// What a report without devices is made over.
fn alone_over(order: &ReportOrder) -> [u8; 64] {
    *order.binding(&[]).report_data().unwrap()
}

/// Evidence that nothing comes with.
const fn alone(evidence: Vec<u8>) -> Evidence {
    Evidence { evidence, aux: Vec::new(), devices: Vec::new(), endorsements: Vec::new() }
}

fn split(evidence: &[u8]) -> (&[u8], &[u8]) {
    match evidence.iter().position(|byte| *byte == 0) {
        Some(at) => (&evidence[..at], &evidence[at + 1..]),
        None => (evidence, &[]),
    }
}
