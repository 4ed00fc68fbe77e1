//! The way of messages from one member to the others.

use std::sync::Arc;

use crate::binding::Purpose;
use crate::message::{Kind, Reserve};
use crate::name::Name;

use super::rounds::Round;
use super::{Action, Conn, Coordinator, Work};

impl Coordinator {
    /// Hands bytes to every member of a round but one, the own participant included.
    pub(super) fn broadcast(
        &mut self,
        epoch: u64,
        bytes: &Arc<Vec<u8>>,
        but: Option<&Name>,
        out: &mut Vec<Action>,
    ) {
        let own = self.own.me().name.clone();
        let Some(round) = self.rounds.get(&epoch) else { return };
        let mut to_own = false;
        for (name, chosen) in &round.members {
            if Some(name) == but {
                continue;
            }
            if *name == own {
                to_own = true;
            } else if let Some(to) = chosen.or_else(|| self.sites.get(name).and_then(|site| site.connection))
            {
                self.send(to, bytes, out);
            }
        }
        if to_own {
            self.work.push_back(Work::ToOwn(Arc::clone(bytes)));
        }
    }

    /// To all other members; in a registration the sites' own words go to the server only, and the server's to all.
    pub(super) fn pass_on(&mut self, epoch: u64, from: &Name, bytes: Arc<Vec<u8>>, out: &mut Vec<Action>) {
        let own = self.own.me().name.clone();
        let Some(round) = self.rounds.get_mut(&epoch) else { return };
        if round.purpose == Purpose::Register && *from != own {
            self.work.push_back(Work::ToOwn(bytes));
            return;
        }
        self.passed = self.passed.saturating_add(1);
        round.passed_on.push((self.passed, Arc::clone(&bytes)));
        self.broadcast(epoch, &bytes, Some(from), out);
    }

    /// What a member that reconnects has missed: first the coordinator's own words, signed anew, then those of the
    /// others in the order in which they were signed, over all rounds.
    pub(super) fn resume(&mut self, name: &Name, connection: Conn, out: &mut Vec<Action>) {
        let takes_part =
            |round: &Round| round.members.contains_key(name) && round.purpose != Purpose::Register;
        let mut own_words = Vec::new();
        let mut passed_on = Vec::new();
        let mut reserving = Vec::new();
        for (epoch, round) in self.rounds.iter().filter(|(_, round)| takes_part(round)) {
            let words =
                [(Kind::Open, &round.open), (Kind::Publish, &round.publish), (Kind::Closed, &round.closed)];
            for (kind, payload) in words.into_iter().filter(|(_, payload)| !payload.is_empty()) {
                own_words.push((kind, *epoch, round.job_id().to_owned(), payload.clone()));
            }
            passed_on.extend(round.passed_on.iter().cloned());
            if round.reserves(name) {
                reserving.push((*epoch, round.job_id().to_owned()));
            }
        }
        // Whoever is absent is so after all that was heard.
        let (last, first): (Vec<_>, Vec<_>) = own_words.into_iter().partition(|word| word.0 == Kind::Closed);
        passed_on.sort_by_key(|(place, _)| *place);
        for (kind, epoch, job_id, payload) in first {
            let bytes = Arc::new(self.own.sign(kind, epoch, &job_id, None, payload));
            self.send(connection, &bytes, out);
        }
        for (_, bytes) in passed_on {
            self.send(connection, &bytes, out);
        }
        for (kind, epoch, job_id, payload) in last {
            let bytes = Arc::new(self.own.sign(kind, epoch, &job_id, None, payload));
            self.send(connection, &bytes, out);
        }
        for (epoch, job_id) in reserving {
            self.tell(connection, name, &Reserve { epoch }, epoch, &job_id, out);
        }
    }
}
