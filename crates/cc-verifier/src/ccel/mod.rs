//! Event logs of a TDX guest (CCEL; *verification.md* T22): what the firmware, the boot loader and the kernel say
//! that they measured.
//!
//! A log is the crypto-agile event log of the *TCG PC Client Platform Firmware Profile* (section 10) in the form of
//! the *UEFI Specification* (section 38.4): registers are MRTD (0) and RTMR0 to RTMR3 (1 to 4), digests are SHA-384.
//! It proves nothing by itself. [`matches()`] is the proof: what the log says leads to the RTMRs of an authenticated
//! quote. Even then only the digests are proven; what they are digests *of* is the log's word, unless the digest is
//! that of the event's data ([`Event::covers_data`]).
//!
//! Reading is strict: everything up to the padding must be events whose register and type are known. Not done:
//! judging events, image by image, and computing digests of things that the log only names.

mod describe;
mod event_type;
mod log;
mod reader;
mod replay;

use cc_core::Finding;

pub use event_type::EventType;
pub use log::{Register, is_log};
pub use replay::{Replay, matches, replay};

/// One event, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The register that it is about.
    pub register: Register,
    /// What kind of event it is; [`EventType::NO_ACTION`] was not measured.
    pub event_type: EventType,
    /// The SHA-384 digest that the register was extended with.
    pub digest: [u8; 48],
    /// Whether the digest is that of the event's data, so that a replay proves what `description` says of them.
    pub covers_data: bool,
    /// What the data say, as far as they can be read: one line of at most 1024 printable characters.
    pub description: String,
}

/// The events of a log in their order, the header left out. Errors as in [`replay()`].
pub fn events(log: &[u8]) -> Result<Vec<Event>, Finding> {
    log::Entries::of(log)?
        .map(|entry| {
            entry.map(|entry| Event {
                register: entry.register,
                event_type: entry.event_type,
                digest: *entry.digest,
                covers_data: replay::sha384(&[entry.data]) == *entry.digest,
                description: describe::description(&entry),
            })
        })
        .collect()
}
