//! Job files and shorthands.

use std::time::Duration;

use cc_testkit::federation::Federation;
use fed_proto::name::Name;
use fed_proto::scheduler::Outcome;

/// A job for `@ALL` with these demands.
pub(crate) fn job(label: &str, more: &str) -> String {
    format!(
        "version = 1\nname = \"{label}\"\n{more}\n[deploy]\nmain = [\"@ALL\"]\n[app.main]\ncommand = [\"/bin/true\"]\n"
    )
}

/// A federation of `sites` sites that are all registered.
pub(crate) fn registered(seed: u64, sites: usize) -> Federation {
    let mut federation = Federation::new(seed, sites);
    federation.start_all();
    federation.run_until("registration", seconds(120), Federation::all_registered);
    federation
}

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Runs until the n-th attempt ended, and says how.
pub(crate) fn outcome(federation: &mut Federation, attempts: usize) -> Outcome {
    federation.run_until("the attempt", seconds(300), |f| f.server.attempts.len() >= attempts);
    federation.run(seconds(2));
    federation.server.attempts[attempts - 1].2.clone()
}

/// Clients and server of an outcome that is a schedule.
pub(crate) fn scheduled(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Scheduled { sites } => sites.iter().map(Name::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

/// Why an attempt failed.
pub(crate) fn reason(outcome: &Outcome) -> String {
    match outcome {
        Outcome::NoResource { reason } | Outcome::Block { reason } => reason.clone(),
        Outcome::Scheduled { sites } => panic!("scheduled: {sites:?}"),
    }
}
