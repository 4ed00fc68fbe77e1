//! What a CCE policy lets through (*verification.md* A8).
//!
//! A CCE policy is a module of Rego that the guest agent enforces; HOST_DATA is its digest. The tools that make one write
//! constants and hand every decision to the framework inside the utility VM, so that what is constant can be read without
//! evaluating anything ([`lint()`]). Whatever is written otherwise is an opening itself: nobody here knows what it allows.

mod lint;
mod syntax;
mod token;

pub use lint::{Opening, lint};

/// Longest text of a policy, in bytes.
pub(super) const MAX_POLICY: usize = 512 * 1024;

/// Whether an endorsement is the text of a CCE policy: its first word is `package`.
pub(super) fn is_policy(text: &[u8]) -> bool {
    let mut rest = text.trim_ascii_start();
    while rest.starts_with(b"#") {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        rest = rest.get(end..).unwrap_or_default().trim_ascii_start();
    }
    rest.strip_prefix(b"package").is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}
