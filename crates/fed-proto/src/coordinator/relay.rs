//! The way of messages from one member to the others.

use std::sync::Arc;

use crate::binding::Purpose;
use crate::message::{Kind, Reserve};
use crate::name::Name;
use crate::signed::Signed;

use super::rounds::{Passed, Round};
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
        let (place, own) = (self.passed, *from == own);
        round.passed_on.push(Passed { place, own, bytes: Arc::clone(&bytes) });
        self.broadcast(epoch, &bytes, Some(from), out);
    }

    /// What a member that reconnects has missed: Opens and lists first, then the words of all members in the order in
    /// which they came, over all rounds, then who is absent and what is asked. Whatever the server signs is signed anew,
    /// so that its sequence numbers rise.
    pub(super) fn resume(&mut self, name: &Name, connection: Conn, out: &mut Vec<Action>) {
        let takes_part =
            |round: &Round| round.members.contains_key(name) && round.purpose != Purpose::Register;
        let mut before = Vec::new();
        let mut passed_on = Vec::new();
        let mut after = Vec::new();
        let mut asked = Vec::new();
        for (epoch, round) in self.rounds.iter().filter(|(_, round)| takes_part(round)) {
            let word = |kind, payload: &Vec<u8>| (kind, *epoch, round.job_id().to_owned(), payload.clone());
            before.push(word(Kind::Open, &round.open));
            if !round.publish.is_empty() {
                before.push(word(Kind::Publish, &round.publish));
            }
            if !round.closed.is_empty() {
                after.push(word(Kind::Closed, &round.closed));
            }
            if round.reserves(name) {
                asked.push((*epoch, round.job_id().to_owned()));
            }
            passed_on.extend(round.passed_on.iter().cloned());
        }
        passed_on.sort_by_key(|passed| passed.place);
        self.send_anew(connection, before, out);
        for passed in passed_on {
            match Signed::from_bytes(&passed.bytes, usize::MAX).filter(|_| passed.own) {
                Some(message) => {
                    let Some(kind) = Kind::from_number(message.header.kind) else { continue };
                    let word = (kind, message.header.epoch, message.header.job_id, message.payload);
                    self.send_anew(connection, vec![word], out);
                }
                None => self.send(connection, &passed.bytes, out),
            }
        }
        self.send_anew(connection, after, out);
        for (epoch, job_id) in asked {
            self.tell(connection, name, &Reserve { epoch }, epoch, &job_id, out);
        }
    }

    fn send_anew(&mut self, to: Conn, words: Vec<(Kind, u64, String, Vec<u8>)>, out: &mut Vec<Action>) {
        for (kind, epoch, job_id, payload) in words {
            let bytes = Arc::new(self.own.sign(kind, epoch, &job_id, None, payload));
            self.send(to, &bytes, out);
        }
    }
}
