//! Where the published evidence lies, and what is expected of it.

pub mod tdx;

use std::path::{Path, PathBuf};

/// The folder of published evidence: `$MUSTER_CORPUS`, or `../shared/evidence` beside the workspace.
///
/// # Panics
///
/// Where there is none: a test that reads it has nothing to say without it.
pub fn corpus() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/evidence");
    let folder = std::env::var_os("MUSTER_CORPUS").map_or_else(beside, PathBuf::from);
    assert!(folder.is_dir(), "no published evidence at {}; set MUSTER_CORPUS", folder.display());
    folder
}
