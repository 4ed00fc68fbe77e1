//! The file: written beside its place, durable, and moved there only when it is whole; never replaced.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use fed_proto::crypto::Signature;

use super::TranscriptError;
use super::record::Transcript;
use crate::record::RoundRecord;

/// How much of the job's identity stands in the name of the file.
const JOB_DIGITS: usize = 12;

/// Writes the transcript of a round to `folder`, which is made if it is not there: `<epoch>-<purpose>.jsonl`, or
/// `<epoch>-<purpose>-<first 12 digits of the job>.jsonl`, for its owner alone (0600). `key` gets the bytes to sign with
/// the verifier's attestation key. Returns the path; the file is on disk then. Blocks.
///
/// A transcript that is there already stays as it is ([`TranscriptError::Exists`]).
pub fn write(
    folder: &Path,
    record: &RoundRecord,
    key: impl FnOnce(&[u8]) -> Signature,
) -> Result<PathBuf, TranscriptError> {
    let transcript = Transcript::of(record)?;
    let bytes = transcript.to_bytes(key)?;
    let name = name(&transcript);
    let path = folder.join(&name);
    match place(folder, &folder.join(format!(".{name}.new")), &path, &bytes) {
        Ok(Placed::Here) => Ok(path),
        Ok(Placed::There) => Err(TranscriptError::Exists { path }),
        Err(source) => Err(TranscriptError::Io { path, source }),
    }
}

/// Whether the file stands in its place.
enum Placed {
    /// It does.
    Here,
    /// Another one does.
    There,
}

fn name(transcript: &Transcript) -> String {
    let head = &transcript.head;
    let job: String = head.job_id.chars().take(JOB_DIGITS).filter(char::is_ascii_alphanumeric).collect();
    let dash = if job.is_empty() { "" } else { "-" };
    format!("{}-{}{dash}{job}.jsonl", head.epoch, head.purpose.word())
}

fn place(folder: &Path, temporary: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<Placed> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // What a crash left behind.
    match std::fs::remove_file(temporary) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    // A link, unlike a rename, does not replace what is there.
    let linked = written.and_then(|()| match std::fs::hard_link(temporary, path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Placed::There),
        linked => linked.map(|()| Placed::Here),
    });
    let removed = std::fs::remove_file(temporary);
    let placed = linked?;
    removed?;
    File::open(folder)?.sync_all()?;
    Ok(placed)
}
