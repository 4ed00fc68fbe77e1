//! What the demo tells on standard error.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

const HEADING: Style = AnsiColor::Cyan.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// A new scene.
pub(super) fn scene(title: &str) {
    anstream::eprintln!("\n{HEADING}{title}{HEADING:#}");
}

/// What is about to be done.
pub(super) fn note(text: &str) {
    anstream::eprintln!("  {DIM}{text}{DIM:#}");
}

/// One event of a participant, if it is worth a line.
pub(super) fn event(who: &str, line: &Value) {
    let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
    let code = text("code");
    let shown = match (text("event"), who) {
        ("registered", "server") => format!("{GOOD}registered{GOOD:#} {}", text("name")),
        ("self-test", _) => format!("{DIM}self-test: {}{DIM:#}", text("text")),
        ("declined", "server") if text("job").is_empty() => {
            format!(
                "{BAD}{} rejects {}{BAD:#} in a {} round: {code}",
                text("verifier"),
                text("name"),
                text("purpose")
            )
        }
        ("declined", "server") => {
            format!(
                "{BAD}{} declines {}{BAD:#} in job {}: {code}",
                text("verifier"),
                text("name"),
                text("job")
            )
        }
        ("job", "server") => {
            format!("job {} is {}: {DIM}{}{DIM:#}", text("job"), text("state"), text("text"))
        }
        ("refused", "server") => {
            format!("{BAD}{} is refused{BAD:#}: {code} {DIM}{}{DIM:#}", text("name"), text("text"))
        }
        ("standing", "server") => {
            format!("{} is {}: {code} {DIM}{}{DIM:#}", text("name"), text("state"), text("text"))
        }
        ("revoked", "server") => {
            format!("{BAD}job {} stops{BAD:#}: {code} {DIM}{}{DIM:#}", text("job"), text("text"))
        }
        ("stopped", _) if code != "fl.job.stopped" => {
            format!("{BAD}stops its part{BAD:#}: {code} {DIM}{}{DIM:#}", text("text"))
        }
        ("bundle", _) => format!("adopts the owner's bundle, {}", text("text")),
        ("turned-away", _) => format!("{BAD}is turned away{BAD:#}: {code}"),
        _ => return,
    };
    anstream::eprintln!("  {:<10}{shown}", who);
}

/// The end.
pub(super) fn end(summary: &Value, took: Duration) {
    scene("What happened");
    let count = |key: &str| summary.get(key).and_then(Value::as_u64).unwrap_or_default();
    anstream::eprintln!(
        "  {} participants, {} hardware reports (emulated), {:.0} s",
        count("participants"),
        count("hardware_reports"),
        took.as_secs_f32()
    );
    for job in summary.get("jobs").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| job.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let declined = job.get("declined").and_then(Value::as_array).map_or(0, Vec::len);
        anstream::eprintln!(
            "  job {:<10}{:<28}{} attempts, {declined} refusals",
            text("name"),
            text("status"),
            job.get("attempts").and_then(Value::as_u64).unwrap_or_default(),
        );
    }
}
