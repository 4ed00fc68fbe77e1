//! Endorsements from files: certificates, revocation lists and other collateral, told apart by content only.
//!
//! This turns files into single objects; what each object *is* says the plugin. A file that cannot be used is
//! reported and left out, since a folder may hold other things too; a path that does not exist is an error.
//!
//! A file may be DER, a PEM bundle, DER in hexadecimal digits as Intel's caching service gives out its revocation
//! lists, DER in base64 as OCSP answers are kept, a file of a container group's security context, a `bundle` of Intel's
//! collateral, or any other document or table, which stays as it is.

mod bundle;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_core::limits::{MAX_ENDORSEMENT, MAX_MESSAGE};
use rustls_pki_types::pem::{PemObject, SectionKind};
use serde::Deserialize;

use crate::{Sha256, disk};

/// Most entries of one folder that are looked at.
const MAX_ENTRIES: usize = 256;
/// Largest object that is neither DER, a document nor an event log, in bytes: a table of certificates; what is larger is
/// not worth its place.
const MAX_OTHER: usize = 16 * 1024;

/// First byte of a tagged COSE_Sign1 (RFC 9052, 2).
const COSE_SIGN1: u8 = 0xd2;

/// Who supplied an endorsement. Whether it is genuine does not depend on that; whether it may raise the
/// rollback floors does (*verification.md* 0.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Loaded by this verifier's administrator.
    Administrator,
    /// Came with the evidence.
    Attester,
    /// Fetched by this verifier.
    Fetched,
}

/// One endorsement object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsement {
    /// One DER object, one table or one document; never PEM.
    pub bytes: Vec<u8>,
    /// Digest of `bytes`.
    pub sha256: Sha256,
    /// File or address, for people.
    pub source: String,
    /// Who supplied it.
    pub origin: Origin,
}

impl Endorsement {
    /// An endorsement of these bytes.
    pub fn new(bytes: Vec<u8>, source: impl Into<String>, origin: Origin) -> Self {
        Self { sha256: Sha256::of(&bytes), bytes, source: source.into(), origin }
    }
}

/// What was found in files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The objects in the order of the paths, each content once.
    pub endorsements: Vec<Endorsement>,
    /// Which files or parts were left out, and why.
    pub notes: Vec<String>,
}

/// A path that was named and cannot be looked at.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct UnreadablePath {
    /// The path.
    pub path: PathBuf,
    /// What the system says.
    pub error: std::io::Error,
}

/// Reads files, and the files directly inside folders, sorted by name.
pub fn load(paths: &[PathBuf], origin: Origin) -> Result<Loaded, UnreadablePath> {
    let mut loaded = Loaded::default();
    for path in paths {
        let unreadable = |error| UnreadablePath { path: path.clone(), error };
        if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            for entry in entries(path, &mut loaded.notes).map_err(unreadable)? {
                file(&entry, origin, &mut loaded);
            }
        } else {
            file(path, origin, &mut loaded);
        }
    }
    dedupe(&mut loaded.endorsements);
    Ok(loaded)
}

/// Keeps the first of each content.
pub(crate) fn dedupe(endorsements: &mut Vec<Endorsement>) {
    let mut seen = BTreeSet::new();
    endorsements.retain(|endorsement| seen.insert(endorsement.sha256));
}

fn entries(folder: &Path, notes: &mut Vec<String>) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    if paths.len() > MAX_ENTRIES {
        let what = format!("{} entries, those after the first {MAX_ENTRIES} are left out", paths.len());
        notes.push(format!("{}: {what}", folder.display()));
        paths.truncate(MAX_ENTRIES);
    }
    Ok(paths)
}

fn file(path: &Path, origin: Origin, loaded: &mut Loaded) {
    let source = path.display().to_string();
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(reason) => return loaded.notes.push(format!("{source}: {reason}")),
    };
    let mut notes = Vec::new();
    let parts = match objects(&bytes, &mut notes) {
        Ok(parts) => parts,
        Err(reason) => return loaded.notes.push(format!("{source}: {reason}")),
    };
    for part in parts {
        let size = part.len();
        if part.is_empty() || size > MAX_ENDORSEMENT {
            notes.push(format!("object of {size} bytes, expected 1 to {MAX_ENDORSEMENT}"));
        } else if size > MAX_OTHER && !is_der(&part) && !is_document(&part) && !is_event_log(&part) {
            notes.push(format!(
                "object of {size} bytes, neither DER, a document nor an event log, expected at most {MAX_OTHER}"
            ));
        } else {
            loaded.endorsements.push(Endorsement::new(part, source.clone(), origin));
        }
    }
    loaded.notes.extend(notes.iter().map(|note| format!("{source}: {note}")));
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let facts = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !facts.is_file() {
        return Err("not a regular file".to_owned());
    }
    disk::read(path, MAX_MESSAGE).map_err(|error| error.to_string())
}

/// The objects of a file in the forms that files have and fetched bodies do not.
fn objects(file: &[u8], notes: &mut Vec<String>) -> Result<Vec<Vec<u8>>, String> {
    // The files of a container group's security context are what they are in base64.
    let context = security_context(file);
    let file = context.as_deref().unwrap_or(file);
    if let Some(chain) = host_certificates(file) {
        return pem(chain.as_bytes(), notes);
    }
    if let Some(der) = hex_der(file).or_else(|| base64_der(file)) {
        return Ok(vec![der]);
    }
    if bundle::is_bundle(file) { bundle::objects(file) } else { parts(file, notes) }
}

/// The one DER SEQUENCE that a text of hexadecimal digits stands for.
fn hex_der(text: &[u8]) -> Option<Vec<u8>> {
    one_sequence(hex::decode(text.trim_ascii_end()).ok()?)
}

/// The one DER SEQUENCE that a text in base64 stands for: one line, canonical.
fn base64_der(text: &[u8]) -> Option<Vec<u8>> {
    one_sequence(STANDARD.decode(text.trim_ascii_end()).ok()?)
}

/// What stands in base64 in a file of a container group's security context: the endorsement of its utility VM (COSE), its
/// CCE policy (Rego) or the host's certificates (JSON). Certificates in base64 are not meant.
fn security_context(file: &[u8]) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(file.trim_ascii_end()).ok()?;
    let is_cose = bytes.first() == Some(&COSE_SIGN1);
    let is_rego = bytes.trim_ascii_start().starts_with(b"package ");
    (is_cose || is_rego || host_certificates(&bytes).is_some()).then_some(bytes)
}

/// The host's certificates as its metadata service writes them (THIM).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HostCertificates {
    vcek_cert: String,
    certificate_chain: String,
}

fn host_certificates(file: &[u8]) -> Option<String> {
    let host: HostCertificates = serde_json::from_slice(file).ok()?;
    Some(format!("{}\n{}", host.vcek_cert, host.certificate_chain))
}

fn one_sequence(bytes: Vec<u8>) -> Option<Vec<u8>> {
    (sequence_length(&bytes) == Some(bytes.len())).then_some(bytes)
}

/// Splits a file or a fetched body into objects: a PEM bundle into its certificates and revocation lists,
/// concatenated DER into its values; anything else is one object. `Err` says why a PEM bundle has neither.
pub fn split(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    parts(bytes, &mut Vec::new())
}

/// [`split`] that also says what it left out.
fn parts(bytes: &[u8], notes: &mut Vec<String>) -> Result<Vec<Vec<u8>>, String> {
    if is_pem(bytes) { pem(bytes, notes) } else { Ok(der(bytes).unwrap_or_else(|| vec![bytes.to_vec()])) }
}

/// A line begins a section, and the text is not a JSON document that merely contains one.
fn is_pem(bytes: &[u8]) -> bool {
    let json = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
    !json && bytes.split(|&b| b == b'\n' || b == b'\r').any(|line| line.starts_with(b"-----BEGIN "))
}

fn pem(bytes: &[u8], notes: &mut Vec<String>) -> Result<Vec<Vec<u8>>, String> {
    let (mut objects, mut others) = (Vec::new(), Vec::new());
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes) {
        match section {
            Ok((SectionKind::Certificate | SectionKind::Crl, der)) => objects.push(der),
            Ok((kind, _)) => others.push(format!("PEM section {kind:?} is no endorsement")),
            Err(error) => others.push(pem_error(&error)),
        }
    }
    if objects.is_empty() {
        let none = || "PEM without a certificate or revocation list".to_owned();
        return Err(others.into_iter().next().unwrap_or_else(none));
    }
    notes.append(&mut others);
    Ok(objects)
}

fn pem_error(error: &rustls_pki_types::pem::Error) -> String {
    use rustls_pki_types::pem::Error;
    // The library prints these two as lists of numbers.
    match error {
        Error::MissingSectionEnd { .. } => "malformed PEM: a section has no end".to_owned(),
        Error::IllegalSectionStart { .. } => "malformed PEM: a section does not begin properly".to_owned(),
        other => format!("malformed PEM: {other}"),
    }
}

/// Whether there is room for the SEQUENCE that `bytes` begins with.
pub(crate) fn is_der(bytes: &[u8]) -> bool {
    sequence_length(bytes).is_some_and(|length| length <= bytes.len())
}

/// Whether `bytes` begin as a JSON object, XML, a signed COSE message or a Rego policy does.
fn is_document(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    matches!(start.first(), Some(&(b'{' | b'<' | COSE_SIGN1))) || start.starts_with(b"package ")
}

/// Whether `bytes` begin as a crypto-agile event log of the TCG does: its header event holds this name.
fn is_event_log(bytes: &[u8]) -> bool {
    bytes.get(32..).is_some_and(|data| data.starts_with(b"Spec ID Event03\0"))
}

/// The values of concatenated DER SEQUENCEs, if `bytes` is exactly that.
fn der(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let (value, rest) = bytes.split_at_checked(sequence_length(bytes)?)?;
        values.push(value.to_vec());
        bytes = rest;
    }
    (!values.is_empty()).then_some(values)
}

/// Length of the SEQUENCE at the start of `bytes`, header included (ITU-T X.690, 8.1.3).
fn sequence_length(bytes: &[u8]) -> Option<usize> {
    let (&[0x30, first], rest) = bytes.split_first_chunk::<2>()? else { return None };
    if first < 0x80 {
        return usize::from(first).checked_add(2);
    }
    let count = usize::from(first & 0x7f);
    let digits = rest.get(..count).filter(|digits| (1..=4).contains(&digits.len()))?;
    let length = digits.iter().try_fold(0_usize, |sum, &b| sum.checked_mul(256)?.checked_add(b.into()))?;
    length.checked_add(2)?.checked_add(count)
}
