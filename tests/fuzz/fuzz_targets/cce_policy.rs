//! Any text as a CCE policy: what has no opening speaks of containers and of every decision, and allows none always.

#![no_main]

use cc_testkit::aci::cce::DECISIONS;
use cc_verifier::aci::cce::lint;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let openings = lint(text);
    let names: Vec<_> = openings.iter().map(|opening| opening.name).collect();
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "each name once");
    assert!(openings.iter().all(|opening| (1..=8).contains(&opening.lines.len())));
    if openings.is_empty() {
        let text = std::str::from_utf8(text).unwrap();
        assert!(DECISIONS.iter().chain(&["containers"]).all(|name| text.contains(name)));
    }
});
