//! What a site has set aside for jobs (*workflow.md* S6).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::job::{JobId, Resources};

/// How long a reservation waits for its job.
pub const EXPIRY: Duration = Duration::from_secs(300);

/// Names a reservation; unique within its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// Why nothing was set aside, or nothing was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// More than what is free.
    #[error("not enough {resource} ({wanted} wanted, {free} free)")]
    Insufficient {
        /// The resource.
        resource: String,
        /// What the job wants of it.
        wanted: u64,
        /// What is free.
        free: u64,
    },
    /// The job runs here.
    #[error("job {job} runs here already")]
    Runs {
        /// The job.
        job: JobId,
    },
    /// No such reservation, or it expired.
    #[error("no such reservation, or it expired")]
    Unknown,
}

#[derive(Clone, Debug)]
struct Reservation {
    job: JobId,
    resources: Resources,
    /// `None` once the job runs.
    expires: Option<Duration>,
}

/// A site's resources and who has them. Instants are monotonic.
#[derive(Clone, Debug)]
pub struct Ledger {
    capacity: Resources,
    reservations: BTreeMap<Token, Reservation>,
    next: u64,
}

impl Ledger {
    /// A site that has this, all of it free. What is not named it does not have.
    pub fn new(capacity: Resources) -> Self {
        Self { capacity, reservations: BTreeMap::new(), next: 0 }
    }

    /// Sets resources aside for [`EXPIRY`]. An earlier reservation of the job that it did not come to use is
    /// replaced, since the server that asks again has given it up.
    pub fn reserve(
        &mut self,
        job: &JobId,
        wanted: &Resources,
        now: Duration,
    ) -> Result<Token, ResourceError> {
        self.expire(now);
        if self.reservations.values().any(|held| held.job == *job && held.expires.is_none()) {
            return Err(ResourceError::Runs { job: job.clone() });
        }
        self.reservations.retain(|_, held| held.job != *job);
        for (resource, wanted) in wanted {
            let free = self.free(resource);
            if *wanted > free {
                return Err(ResourceError::Insufficient {
                    resource: resource.clone(),
                    wanted: *wanted,
                    free,
                });
            }
        }
        let token = Token(self.next);
        self.next = self.next.saturating_add(1);
        let expires = Some(now.saturating_add(EXPIRY));
        self.reservations.insert(token, Reservation { job: job.clone(), resources: wanted.clone(), expires });
        Ok(token)
    }

    /// Gives a reservation up, or the resources of a job that ended; of one that is gone already nothing is left to
    /// give up.
    pub fn cancel(&mut self, token: Token) {
        self.reservations.remove(&token);
    }

    /// The job starts: its reservation holds until [`cancel`](Self::cancel).
    pub fn commit(&mut self, token: Token, now: Duration) -> Result<(), ResourceError> {
        self.expire(now);
        let held = self.reservations.get_mut(&token).ok_or(ResourceError::Unknown)?;
        held.expires = None;
        Ok(())
    }

    /// What is free of a resource.
    pub fn free(&self, resource: &str) -> u64 {
        let held = self
            .reservations
            .values()
            .filter_map(|held| held.resources.get(resource))
            .fold(0_u64, |sum, amount| sum.saturating_add(*amount));
        self.capacity.get(resource).copied().unwrap_or(0).saturating_sub(held)
    }

    /// Drops what has waited too long.
    pub fn expire(&mut self, now: Duration) {
        self.reservations.retain(|_, held| held.expires.is_none_or(|expires| now < expires));
    }
}
