//! Writing to standard output.

use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::exit::{Exit, Failure, Result};

/// Something good.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Something bad.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Something undecided.
pub(crate) const UNSURE: Style = AnsiColor::Yellow.on_default().bold();
/// Something in the background.
pub(crate) const DIM: Style = Style::new().dimmed();
/// A heading.
pub(crate) const HEADING: Style = Style::new().bold();

/// Prints text; colours are taken out where standard output is not a terminal.
pub(crate) fn text(text: &str) -> std::result::Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints one JSON object, byte for byte as it is.
pub(crate) fn json(object: &impl Serialize) -> std::result::Result<(), Failure> {
    let line = serde_json::to_string_pretty(object).map_err(Failure::new)?;
    raw(format!("{line}\n").as_bytes()).map(|_| ())
}

/// Text with the characters shown that would steer a terminal or reorder what is read: names of files and what evidence
/// says are other people's words.
pub(crate) fn visible(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().flat_map(|c| if steers(c) { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Prints bytes as they are.
pub(crate) fn raw(bytes: &[u8]) -> Result {
    let mut out = std::io::stdout().lock();
    written(out.write_all(bytes).and_then(|()| out.flush()))?;
    Ok(Exit::Accepted)
}

/// A reader that went away (`muster ... | head`) is no failure of ours.
fn written(result: std::io::Result<()>) -> std::result::Result<(), Failure> {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}
