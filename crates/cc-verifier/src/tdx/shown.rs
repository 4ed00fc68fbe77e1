//! What a plan says of event logs, for people: unverified, and shortened where a log is long.

use cc_core::{Claims, Finding};

use crate::ccel::{self, Event};

/// Most events that are listed; claims have limits (`cc_core::limits`).
const MOST_EVENTS: usize = 200;
/// Most characters of what an event says of itself.
const MOST_CHARACTERS: usize = 120;

/// Adds a line for each event of the first log, as `eventlog`: register, type, the first 8 bytes of the digest, what the
/// event says of itself, and a star where the digest is not that of the event's data, so that these are hearsay even
/// when the log fits the quote. A log that cannot be read is refused (T22).
pub(super) fn add_events(claims: &mut Claims, logs: &[&[u8]]) -> Result<(), Finding> {
    let Some(log) = logs.first() else { return Ok(()) };
    let events = ccel::events(log)?;
    let mut lines: Vec<String> = events.iter().take(MOST_EVENTS).map(line).collect();
    let more = events.len().saturating_sub(MOST_EVENTS);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    claims.insert("eventlog", lines);
    Ok(())
}

fn line(event: &Event) -> String {
    let digest: String = hex::encode(event.digest).chars().take(16).collect();
    let said: String = event.description.chars().take(MOST_CHARACTERS).collect();
    let hearsay = if event.covers_data { "" } else { "*" };
    format!("{} {} {digest} {said}{hearsay}", event.register, event.event_type.name()).trim_end().to_owned()
}
