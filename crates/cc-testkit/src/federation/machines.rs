//! Other machines behind the participants than the emulation's own.

use cc_core::{Finding, UnixTime};
use fed_proto::crypto::Digest;
use fed_proto::name::Name;
use fed_proto::round::{Concluded, Evidence, JudgeOrder, Participant, ReportOrder};
use fed_proto::sybil::Identifiers;

use super::Federation;

/// Hardware and judges of a whole federation. The watcher still sees who makes a report over what.
pub trait Machines {
    /// The digest of a participant's own policy.
    fn policy(&self, who: &Name) -> Digest;
    /// A report of its hardware.
    fn report(&mut self, who: &Name, order: &ReportOrder) -> Evidence;
    /// How it judges.
    fn judge(&mut self, who: &Name, order: &JudgeOrder, at: UnixTime) -> Result<Identifiers, Finding>;
    /// Its verdict is out.
    fn concluded(&mut self, own: &Participant, concluded: &Concluded, at: UnixTime);
}

impl Federation {
    /// Puts machines behind all participants; to be called before any is started.
    pub fn run_on(&mut self, machines: impl Machines + 'static) {
        self.machines = Some(Box::new(machines));
    }

    /// A site's, or the server's, verdict is out.
    pub(super) fn concluded(&mut self, who: &Name, concluded: &Concluded) {
        let at = self.now().wall;
        let own = if *who == self.server.enrolled.name {
            self.server.coordinator.as_ref().map(|server| server.own())
        } else {
            self.sites.get(who).and_then(|site| site.agent.as_ref())
        };
        if let (Some(machines), Some(own)) = (&mut self.machines, own) {
            machines.concluded(own, concluded, at);
        }
    }
}
