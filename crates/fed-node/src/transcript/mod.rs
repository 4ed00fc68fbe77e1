//! Transcripts: each round leaves one self-contained file, from which everything can be verified again offline.
//!
//! A transcript is JSON lines, `{"kind":…,"prev":…,"body":{…}}`, in this order, each in exactly one form:
//!
//! | kind | how many | what |
//! | --- | --- | --- |
//! | `head` | 1 | version, verifier, descriptor, epoch, purpose, job, root, instant |
//! | `bundle` | 1 | the owner's signed bundle under which the round ran |
//! | `policy` | 1 | the verifier's own policy |
//! | `path` | 1 | how the verifier's own challenge lies under the root |
//! | `object` | any | evidence and endorsements, each content once, ascending by SHA-256 |
//! | `message` | 4 or more | every message of the round as received or sent, in that order |
//! | `judgement` | any | one for each peer whose evidence was verified: by what, for when, with what outcome |
//! | `verdict` | 1 | the verifier's own verdict as signed, with the reasons for people |
//! | `seal` | 1 | the number of lines before it, their SHA-256, and the attestation key's signature over that |
//!
//! `prev` is the SHA-256 of the previous line without its line feed, zeros in the head. The signature of the seal is
//! over `"MUSTER-TRANSCRIPT\0" ‖ SHA-256` of all bytes before the seal.
//!
//! [`write()`] makes the file, [`verify()`] re-runs it, [`show()`] reads it without verifying. Nothing in a transcript is
//! taken from it that can be computed: the round is derived from the signed messages (`round`), the evidence is
//! verified again (`replay`) with exactly the endorsements of the file, and the verdict is made again
//! (`verify`). What only the verifier can know (what it heard when, what it knew from earlier rounds) can
//! refuse somebody and never accept anybody; such refusals are listed as the verifier's word ([`Word`]).

mod file;
mod line;
mod list;
mod parse;
mod record;
mod replay;
mod report;
mod rerun;
mod round;
mod show;
#[cfg(test)]
mod tests;
mod token;
mod value;
mod verify;

use std::path::PathBuf;

pub use file::write;
pub use report::{
    DescriptorFrom, Difference, Judged, OtherVerdict, Outcome, PluginUse, Report, Summary, Tokens, Verdicts,
    Word,
};
pub use show::{Shown, ShownJudgement, ShownVerdict, show};
pub use verify::{Options, verify};

/// The folder of a participant's transcripts, in its data folder.
pub const FOLDER: &str = "transcripts";
/// Largest transcript, in bytes; a round of 4,096 members has about a fifth of it.
pub const MAX_FILE: usize = 256 * 1024 * 1024;
/// Longest line, in bytes: the largest message in base64.
const MAX_LINE: usize = 34 * 1024 * 1024;
/// What precedes the digest that a seal signs.
const SEAL: &[u8] = b"MUSTER-TRANSCRIPT\0";
/// The version of the format.
const VERSION: u32 = 1;

/// Why a transcript was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TranscriptError {
    /// There is one of that round already; it stays as it is.
    #[error("{}: there is a transcript of that round already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The record does not have what a transcript needs.
    #[error("the record of the round has no usable {0}")]
    Incomplete(&'static str),
    /// The file could not be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The transcript is larger than it may be.
    #[error("the transcript has {size} bytes or more, the limit is {limit}")]
    TooLarge {
        /// How far it got.
        size: usize,
        /// The limit.
        limit: usize,
    },
}
