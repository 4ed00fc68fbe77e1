//! Carries out what the coordinator wants.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use fed_node::log::Line;
use fed_node::record::{self, Counted, RoundRecord};
use fed_node::rpc::Ended;
use fed_node::work;
use fed_proto::coordinator::{Action, ServerEvent};
use fed_proto::job::JobId;
use fed_proto::round::Event;

use crate::Server;

impl Server {
    pub(crate) fn carry_out(&mut self, action: Action) {
        match action {
            Action::Send { to, bytes } => {
                let Some(wire) = self.world.wires.get(&to) else { return };
                let frame = Arc::try_unwrap(bytes).unwrap_or_else(|shared| shared.to_vec());
                // A session that ended is reported as gone; a slow reader loses it.
                if let Err(error) = wire.outbound.send(Bytes::from(frame)) {
                    tracing::debug!(%error, "a message was not sent");
                }
            }
            Action::Close { connection, finding } => {
                if let Some(wire) = self.world.wires.remove(&connection) {
                    wire.link.end(Ended::Refused(finding));
                }
            }
            Action::Collect { epoch, order } => work::collect(&self.node.judge, epoch, order, &self.sender),
            Action::Judge(order) => work::judge(&self.node.judge, order, &self.sender),
            Action::Event(event) => self.event(event),
        }
    }

    fn event(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::Own(event) => self.own(event),
            ServerEvent::Opened { epoch, purpose, members } => {
                let names: Vec<String> = members.iter().map(ToString::to_string).collect();
                let line = |line| Line { epoch: Some(epoch), purpose: Some(purpose.to_string()), ..line };
                self.say(|l| line(l).text(names.join(", ")), "round");
            }
            ServerEvent::Registered { name, instance_id, spki, transcript } => {
                let Some(now) = self.now() else { return };
                let member = cc_store::Member {
                    name: name.to_string(),
                    role: fed_proto::role::Role::Client.as_u8(),
                    instance_id,
                    key_digest: fed_proto::crypto::sha256(&spki).0,
                    key: spki,
                    registered: now.wall,
                    transcript,
                };
                self.store(move |change| change.put_member(&member));
                self.say(|line| line.name(&name), "registered");
            }
            ServerEvent::Refused { name, finding } => {
                self.say(|line| line.name(&name).finding(&finding), "refused")
            }
            ServerEvent::Charged { name, finding } => {
                self.say(|line| line.name(&name).finding(&finding), "charged")
            }
            ServerEvent::Standing { name, standing, reason } => {
                let fill = |line: Line| {
                    let line = line.name(&name).state(standing);
                    reason.as_ref().map_or(line.clone(), |reason| line.finding(reason))
                };
                self.say(fill, "standing");
            }
            ServerEvent::Connected { name, connected } => {
                let state = if connected { "connected" } else { "disconnected" };
                self.say(|line| line.name(&name).state(state), "site");
                if connected {
                    self.stop_leftovers(&name);
                }
            }
            ServerEvent::Attempted { job, number, outcome } => self.attempted(&job, number, outcome),
            ServerEvent::JobUpdate { job_id, name, state, text } => {
                self.job_updated(&job_id, &name, &state, &text)
            }
            ServerEvent::StopJob { job_id, finding } => self.admission_ended(&job_id, &finding),
        }
    }

    fn own(&mut self, event: Event) {
        match event {
            Event::Judged { epoch, purpose, peer, result } => {
                self.say(|line| line.judged(epoch, purpose, &peer, &result), "judged");
            }
            Event::Verdict { epoch, purpose, job_id, verifier, policy, verdict, signed } => {
                for (subject, result) in &verdict {
                    let Err(finding) = result else { continue };
                    if verifier == self.node.kit.config.name {
                        continue;
                    }
                    let fill = |line: Line| {
                        Line {
                            epoch: Some(epoch),
                            purpose: Some(purpose.to_string()),
                            verifier: Some(verifier.to_string()),
                            job: self.name_of(&job_id),
                            job_id: (!job_id.is_empty()).then(|| job_id.clone()),
                            ..line
                        }
                        .name(subject)
                        .finding(finding)
                    };
                    self.say(fill, "declined");
                }
                let counted = Counted { epoch, purpose, job_id, verifier, policy, verdict, signed };
                let place = self.place();
                record::store_verdict(&place, &counted);
            }
            Event::Concluded(concluded) => {
                match RoundRecord::gather(self.coordinator.own(), &self.node.judge, *concluded) {
                    Ok(record) => record::keep(self.coordinator.own(), &self.node.data, &record),
                    Err(finding) => tracing::error!(%finding, "no record of the round"),
                }
            }
            Event::Adopted { version, digest, bundle } => {
                record::store_bundle(&self.place(), version, digest, bundle);
                self.say(|line| line.text(format!("version {version}")), "bundle");
            }
            Event::Start(start) => self.jobs.start(&start),
            Event::NotAdmitted { job_id, reason } => {
                let fill =
                    |line: Line| Line { job: self.name_of(&job_id), job_id: Some(job_id.clone()), ..line };
                self.say(|line| fill(line).text(&reason), "not-admitted");
            }
            Event::Stop { job_id, .. } => {
                if let Ok(job) = JobId::parse(&job_id) {
                    self.jobs.stop(&job);
                }
            }
            Event::Abstained { epoch, finding } => {
                self.say(|line| Line { epoch: Some(epoch), ..line }.finding(&finding), "abstained");
            }
            Event::Refused(finding) => {
                tracing::warn!(%finding, "the server's own participant refused a message")
            }
            Event::Registered | Event::Welcome | Event::TurnedAway(_) | Event::Reserve { .. } => {}
        }
    }

    fn place(&self) -> record::Place<'_> {
        record::Place {
            name: &self.node.kit.config.name,
            judge: &self.node.judge,
            store: &self.node.store,
            clocks: &self.node.clocks,
        }
    }

    /// Stops jobs of an earlier time that a site may still run.
    fn stop_leftovers(&mut self, name: &fed_proto::name::Name) {
        let finding = cc_core::Finding::new(cc_core::codes::FL_JOB_STOPPED, "the job has ended");
        for job in self.scheduler.leftovers(name) {
            let names = BTreeSet::from([name.clone()]);
            self.with(|c, _, _, out| c.stop_sites(job.as_str(), &names, &finding, out));
        }
    }
}
