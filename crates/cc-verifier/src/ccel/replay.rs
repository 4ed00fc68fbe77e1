//! What the RTMRs must be if a log is true.

use aws_lc_rs::digest::{self, Context};
use cc_core::{Finding, codes};

use super::event_type::EventType;
use super::log::Entries;

/// The outcome of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// RTMR0 to RTMR3.
    pub rtmrs: [[u8; 48]; 4],
    /// Events in the log, the header not counted.
    pub events: usize,
}

/// Computes the RTMRs: each starts as zeros, and an event makes it SHA-384 of its value and the event's digest.
///
/// `tdx.eventlog.malformed` for everything that is not a log of at most 1 MiB: bytes that are neither events nor
/// padding, a register beyond RTMR3, a type that is not known, a missing SHA-384 digest, something measured into
/// MRTD.
pub fn replay(log: &[u8]) -> Result<Replay, Finding> {
    let mut replay = Replay { rtmrs: [[0; 48]; 4], events: 0 };
    for entry in Entries::of(log)? {
        let entry = entry?;
        replay.events = replay.events.saturating_add(1);
        let rtmr = entry.register.rtmr().and_then(|number| replay.rtmrs.get_mut(number));
        if let Some(rtmr) = rtmr.filter(|_| entry.event_type != EventType::NO_ACTION) {
            *rtmr = sha384(&[&rtmr[..], entry.digest]);
        }
    }
    Ok(replay)
}

/// Replays a log and compares all four RTMRs with those of a quote (*verification.md* T22): a difference is
/// `tdx.eventlog.replay_mismatch`. That the quote is authentic the caller must know.
pub fn matches(log: &[u8], rtmrs: [&[u8; 48]; 4]) -> Result<Replay, Finding> {
    let replay = replay(log)?;
    let different =
        replay.rtmrs.iter().zip(rtmrs).enumerate().find(|(_, (replayed, quoted))| *replayed != *quoted);
    match different {
        None => Ok(replay),
        Some((number, (replayed, quoted))) => {
            let (replayed, quoted) = (hex::encode(replayed), hex::encode(quoted));
            let detail = format!("the log leads to RTMR{number} {replayed}, the quote has {quoted}");
            Err(Finding::new(codes::TDX_EVENTLOG_REPLAY_MISMATCH, detail))
        }
    }
}

/// SHA-384 of the parts, one after the other.
pub(super) fn sha384(parts: &[&[u8]]) -> [u8; 48] {
    let mut context = Context::new(&digest::SHA384);
    parts.iter().for_each(|part| context.update(part));
    let digest = context.finish();
    let mut bytes = [0; 48];
    // SHA-384 has 48 bytes: both iterators end together.
    bytes.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    bytes
}
