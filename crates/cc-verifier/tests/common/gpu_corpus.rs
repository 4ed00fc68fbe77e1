//! Published evidence of GPUs and switches, read in place.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The directory of published evidence: `$MUSTER_CORPUS`, or `../shared/evidence` beside the workspace.
///
/// # Panics
///
/// When there is none: a test that reads it has nothing to say without it.
pub(crate) fn corpus() -> PathBuf {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/evidence"));
    let path = std::env::var_os("MUSTER_CORPUS").map_or_else(beside, PathBuf::from);
    assert!(
        path.join("nvidia-gpu").is_dir(),
        "no published evidence at {}; set MUSTER_CORPUS",
        path.display()
    );
    path
}

/// NVIDIA's root for manifests, DER.
pub(crate) fn rim_root() -> Vec<u8> {
    let pem = std::fs::read_to_string(corpus().join("trust-anchors/all/nvidia/rim_root.pem")).unwrap();
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>()).unwrap()
}
