//! Carries out what the state machine wants.

use bytes::Bytes;
use fed_node::log::Line;
use fed_node::record::{self, RoundRecord};
use fed_node::work;
use fed_proto::job::JobId;
use fed_proto::round::{Event, Output};

use crate::{Agent, failure};

impl Agent {
    pub(crate) fn carry_out(&mut self, output: Output) {
        match output {
            Output::Send(bytes) => {
                if let Some(session) = &self.session
                    && let Err(error) = session.outbound.send(Bytes::from(bytes))
                {
                    tracing::warn!(%error, "a message was not sent");
                }
            }
            Output::Collect { epoch, order } => work::collect(&self.node.judge, epoch, order, &self.sender),
            Output::Judge(order) => work::judge(&self.node.judge, order, &self.sender),
            Output::Event(event) => self.event(event),
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Registered => {
                self.backoff.reset();
                self.say(|line| line, "registered");
                self.catch_up();
            }
            Event::Welcome => {
                self.backoff.reset();
                self.say(|line| line, "reconnected");
                self.catch_up();
            }
            Event::TurnedAway(finding) => self.say(|line| line.finding(&finding), "turned-away"),
            Event::Refused(finding) => {
                tracing::debug!(%finding, "a message was refused");
            }
            Event::Abstained { epoch, finding } => {
                self.say(|line| Line { epoch: Some(epoch), ..line }.finding(&finding), "abstained");
            }
            Event::Judged { epoch, purpose, peer, result } => {
                self.say(|line| line.judged(epoch, purpose, &peer, &result), "judged");
            }
            Event::Verdict { epoch, purpose, job_id, verifier, policy, verdict, signed } => {
                let (me, server) = (&self.node.kit.config.name, &self.node.kit.descriptor.server);
                self.ends_for(failure::of_verdict(me, server, &verifier, &verdict));
                record::store_verdict(
                    &self.place(),
                    &record::Counted { epoch, purpose, job_id, verifier, policy, verdict, signed },
                );
            }
            Event::Concluded(concluded) => {
                match RoundRecord::gather(&self.node.participant, &self.node.judge, *concluded) {
                    Ok(record) => record::keep(&self.node.participant, &self.node.configured.data, &record),
                    Err(finding) => tracing::error!(%finding, "no record of the round"),
                }
            }
            Event::Adopted { version, digest, bundle } => {
                record::store_bundle(&self.place(), version, digest, bundle);
                self.say(|line| line.text(format!("version {version}")), "bundle");
            }
            Event::Reserve { epoch, job_id, file } => {
                let Ok(job) = JobId::parse(&job_id) else { return };
                let result = self.jobs.reserve(&job, &file);
                self.with(|participant, _, _, out| participant.reserved(epoch, &job_id, result, out));
            }
            Event::Start(start) => {
                let names: Vec<&str> =
                    start.grant.members.iter().map(|member| member.name.as_str()).collect();
                let text = format!("admitted: {}", names.join(", "));
                let job_id = start.grant.job_id.clone();
                self.say(|line| Line { job_id: Some(job_id), ..line }.text(text), "admitted");
                self.jobs.start(&start);
            }
            Event::NotAdmitted { job_id, reason } => {
                if let Ok(job) = JobId::parse(&job_id) {
                    self.jobs.release(&job);
                }
                self.say(|line| Line { job_id: Some(job_id), ..line }.text(reason), "not-admitted");
            }
            Event::Stop { job_id, finding } => {
                if let Ok(job) = JobId::parse(&job_id) {
                    self.jobs.stop(&job);
                }
                self.say(|line| Line { job_id: Some(job_id), ..line }.finding(&finding), "stopped");
            }
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

    /// What could not be said without a connection.
    fn catch_up(&mut self) {
        for (job, state, text) in std::mem::take(&mut self.unsaid) {
            self.with(|participant, _, _, out| participant.job_update(&job, state, &text, out));
        }
    }
}
