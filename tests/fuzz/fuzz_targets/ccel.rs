//! Any bytes as an event log: shown and replayed alike, with as many events.

#![no_main]

use cc_verifier::ccel;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|log: &[u8]| {
    let (events, replayed) = (ccel::events(log), ccel::replay(log));
    match (events, replayed) {
        (Ok(events), Ok(replayed)) => {
            assert_eq!(events.len(), replayed.events);
            assert!(ccel::is_log(log));
            assert!(ccel::matches(log, replayed.rtmrs.each_ref()).is_ok());
        }
        (Err(_), Err(_)) => {}
        // A register that must not be extended is found by replaying only.
        (shown, replayed) => assert!(shown.is_ok() && replayed.is_err(), "{shown:?} {replayed:?}"),
    }
});
