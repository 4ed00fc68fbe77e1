//! The security context that the platform puts into each container of a group (*verification.md* 4.1).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_core::limits::MAX_ENDORSEMENT;
use cc_core::message::Blob;
use cc_core::{Code, Finding, codes};

use super::Options;
use crate::thim::HostCertificates;

/// Where Kata keeps it, below the root.
const KATA: &str = "opt/confidential-containers/share/kata-containers";
/// How its directory is called elsewhere, before digits.
const PREFIX: &str = "security-context-";
/// Most bytes of a file: an endorsement in base64, and the end of its line.
const MAX_FILE: usize = MAX_ENDORSEMENT / 3 * 4 + 8;

/// What the context endorses a report with.
pub(super) struct Context {
    /// The processor's certificates.
    pub(super) host: HostCertificates,
    /// The signed statement about the utility VM, COSE.
    pub(super) uvm: Vec<u8>,
    /// The text of the CCE policy.
    pub(super) policy: Vec<u8>,
}

impl Context {
    /// Reads the three files. `aci.collect.context_missing` where there is none, or not all of it.
    pub(super) fn read(options: &Options) -> Result<Self, Finding> {
        let directory = find(options)?;
        let file = directory.join("host-amd-cert-base64");
        let host = serde_json::from_slice(&content(&file)?).map_err(|error| malformed(&file, error))?;
        Ok(Self {
            host,
            uvm: content(&directory.join("reference-info-base64"))?,
            policy: content(&directory.join("security-policy-base64"))?,
        })
    }

    /// The certificates, VCEK first, the statement, and the policy.
    pub(super) fn endorsements(&self) -> Result<Vec<Blob>, Finding> {
        let mut endorsements = self.host.endorsements().map_err(|detail| {
            Finding::new(codes::ACI_COLLECT_CONTEXT_MALFORMED, format!("host-amd-cert-base64: {detail}"))
        })?;
        endorsements.extend([Blob(self.uvm.clone()), Blob(self.policy.clone())]);
        Ok(endorsements)
    }
}

/// The directory. Two of them are none: which one is the platform's cannot be told.
fn find(options: &Options) -> Result<PathBuf, Finding> {
    let missing = |detail: String| Finding::new(codes::ACI_COLLECT_CONTEXT_MISSING, detail);
    if let Some(directory) = &options.context_dir {
        return Ok(directory.clone());
    }
    let root = &options.root;
    let entries = std::fs::read_dir(root).map_err(|error| missing(format!("{}: {error}", root.display())))?;
    let mut found = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()))
        .map(|entry| entry.path());
    match (found.next(), found.next()) {
        (Some(directory), None) => Ok(directory),
        (Some(_), Some(_)) => {
            Err(missing(format!("several directories {PREFIX}* in {}: set `context_dir`", root.display())))
        }
        (None, _) => {
            let kata = root.join(KATA);
            let found = kata.is_dir().then(|| kata.clone());
            found.ok_or_else(|| {
                missing(format!("neither {PREFIX}* in {} nor {}", root.display(), kata.display()))
            })
        }
    }
}

/// What a file holds in base64. Empty is malformed.
fn content(path: &Path) -> Result<Vec<u8>, Finding> {
    let missing = |error: std::io::Error| named(codes::ACI_COLLECT_CONTEXT_MISSING, path, error);
    // A pipe would keep us waiting.
    if !std::fs::metadata(path).map_err(missing)?.is_file() {
        return Err(named(codes::ACI_COLLECT_CONTEXT_MISSING, path, "not a file"));
    }
    let mut text = Vec::new();
    let limit = u64::try_from(MAX_FILE).unwrap_or(0).saturating_add(1);
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut text)).map_err(missing)?;
    if text.len() > MAX_FILE {
        return Err(malformed(path, format!("more than {MAX_FILE} bytes")));
    }
    let bytes = STANDARD.decode(text.trim_ascii_end()).map_err(|error| malformed(path, error))?;
    if bytes.is_empty() {
        return Err(malformed(path, "empty"));
    }
    Ok(bytes)
}

fn malformed(path: &Path, detail: impl std::fmt::Display) -> Finding {
    named(codes::ACI_COLLECT_CONTEXT_MALFORMED, path, detail)
}

fn named(code: Code, path: &Path, detail: impl std::fmt::Display) -> Finding {
    Finding::new(code, format!("{}: {detail}", path.display()))
}
