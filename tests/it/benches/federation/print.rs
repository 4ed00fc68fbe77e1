//! Results, one JSON object for each line; `cargo xtask bench` makes a table of them.

/// A time against the physical limit: bare operations that the same work cannot do without.
pub(crate) fn time(name: &str, ns: f64, bare: &str, floor: f64) {
    line(name, ns, "ns", bare, ns / floor);
}

/// A number of things against a number that they should be measured by.
pub(crate) fn count(name: &str, count: f64, per: &str, reference: f64) {
    line(name, count, "", per, count / reference);
}

fn line(name: &str, value: f64, unit: &str, bare: &str, ratio: f64) {
    println!(
        "{}",
        serde_json::json!({ "bench": name, "value": value.round(), "unit": unit, "bare": bare, "ratio": ratio })
    );
}
