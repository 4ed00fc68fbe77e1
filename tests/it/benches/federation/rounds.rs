//! Periodic rounds of whole federations, all pairs.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use cc_testkit::federation::Federation;

use crate::bare::Bare;
use crate::clock::cpu_time;
use crate::machines::{Done, Processors};
use crate::print;

/// Seed of every emulated network; nothing is lost or delayed in it.
const SEED: u64 = 1;
/// Virtual time between two looks.
const STEP: Duration = Duration::from_secs(1);

/// Registers a server and its sites, lets the first periodic round pass, in which chains are new, and measures the
/// second one.
pub(crate) fn round(participants: usize, bare: &Bare) {
    let done = Rc::new(RefCell::new(Done::default()));
    let mut federation = Federation::new(SEED, participants - 1);
    federation.run_on(Processors::new(Rc::clone(&done)));
    federation.start_all();
    let limit = Duration::from_secs(600);
    federation.run_until("all sites are registered", limit, Federation::all_registered);
    let _warm = next_round(&mut federation, &done, participants);
    let before = traffic(&federation);
    let cpu = next_round(&mut federation, &done, participants) as f64;
    let bytes = traffic(&federation) - before;
    let done = done.borrow();
    let all = participants as f64;
    let pairs = all * (all - 1.0);
    let name = |what: &str| format!("round.{participants}.{what}");
    print::count(&name("reports"), done.reports as f64, "participants", all);
    print::count(&name("verifications"), done.verifications as f64, "ordered pairs", pairs);
    print::count(&name("bytes_per_site"), bytes as f64 / (all - 1.0), "participants", all);
    print::time(&name("cpu"), cpu, "p384 per pair", pairs * bare.p384);
    print::time(&name("cpu"), cpu, "all signatures", pairs * (bare.p384 + MESSAGES * bare.ed25519));
}

/// Signatures that a participant verifies of each other one in a round beside the report's: of its contribution, its
/// token, the token's proof of possession, the message that carries its verdict, and the verdict.
const MESSAGES: f64 = 5.0;

/// Runs until every participant has concluded another periodic round. The thread CPU time from its Open on.
fn next_round(federation: &mut Federation, done: &Rc<RefCell<Done>>, participants: usize) -> u64 {
    *done.borrow_mut() = Done::default();
    let (mut total, mut last) = (0, 0);
    loop {
        let start = cpu_time();
        federation.run(STEP);
        let step = cpu_time() - start;
        let done = done.borrow();
        if done.reports > 0 {
            total += step + std::mem::take(&mut last);
        } else {
            last = step;
        }
        if done.concluded == participants {
            return total;
        }
    }
}

fn traffic(federation: &Federation) -> u64 {
    federation.traffic.values().sum()
}
