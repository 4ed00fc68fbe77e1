//! One participant's sweep over its peers in a periodic round: every token checked, every report verified, the verdict
//! signed. For federations that are too large to be played as a whole on one machine.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use cc_testkit::federation::{Federation, Tamper, site};
use fed_proto::message::{Kind, MAX_DOWNWARD};
use fed_proto::signed::Signed;

use crate::bare::Bare;
use crate::clock::cpu_time;
use crate::machines::{Done, Processors};
use crate::print;

/// Signatures that a participant verifies over a peer's token: the message's, and the proof of possession.
const MESSAGES: f64 = 2.0;

/// Plays a federation in which all make their reports and one site, beside the server, gets to see those of others.
pub(crate) fn sweep(participants: usize, bare: &Bare) {
    let done = Rc::new(RefCell::new(Done::default()));
    let mut federation = Federation::new(1, participants - 1);
    federation.run_on(Processors::new(Rc::clone(&done)));
    let tokens = Rc::new(RefCell::new(Vec::new()));
    federation.start_all();
    // In a registration the server judges everybody, so that all chains are known from then on.
    federation.run_until("all sites are registered", Duration::from_secs(600), Federation::all_registered);
    *done.borrow_mut() = Done::default();
    for (name, site_of) in &mut federation.sites {
        let kept = (*name == site(1)).then(|| Rc::clone(&tokens));
        site_of.tamper_inbound = Some(without_tokens(kept));
    }
    let peers = participants - 1;
    federation
        .run_until("all tokens are there", Duration::from_secs(600), |_| tokens.borrow().len() == peers);
    // The server's own part, which is due at the same instant, does not belong to the site's.
    federation.run(Duration::ZERO);
    let reports = done.borrow().reports;
    *done.borrow_mut() = Done::default();
    let tokens: Vec<Vec<u8>> = std::mem::take(&mut tokens.borrow_mut());
    let bytes: usize = tokens.iter().map(Vec::len).sum();
    let start = cpu_time();
    for token in &tokens {
        federation.hand(&site(1), token);
    }
    federation.run(Duration::ZERO);
    let cpu = (cpu_time() - start) as f64;
    let done = done.borrow();
    assert_eq!((done.concluded, done.verifications), (1, peers), "one sweep, whole");
    let name = |what: &str| format!("sweep.{participants}.{what}");
    print::count(&name("reports"), reports as f64, "participants", participants as f64);
    print::count(&name("token_bytes"), bytes as f64, "peers", peers as f64);
    print::time(&name("cpu"), cpu, "p384 per peer", peers as f64 * bare.p384);
    let floor = peers as f64 * (bare.p384 + MESSAGES * bare.ed25519);
    print::time(&name("cpu"), cpu, "all signatures", floor);
}

/// Keeps tokens away from a site, and the verdicts of others; a site whose tokens are kept gets them later.
fn without_tokens(kept: Option<Rc<RefCell<Vec<Vec<u8>>>>>) -> Tamper {
    Box::new(move |bytes| {
        let message = Signed::from_bytes(&bytes, MAX_DOWNWARD).expect("the server sends messages");
        let kind = Kind::from_number(message.header.kind);
        match (kind, &kept) {
            (Some(Kind::Token), Some(kept)) => {
                kept.borrow_mut().push(bytes);
                Vec::new()
            }
            (Some(Kind::Token | Kind::Verdict), _) => Vec::new(),
            _ => vec![bytes],
        }
    })
}
