//! Where the published evidence lies, for the tests that read it.

use std::path::PathBuf;

/// The directory of published evidence: `$MUSTER_CORPUS`, or `../shared/evidence` beside the workspace. `None`, and a
/// line on standard error, when there is none.
pub(crate) fn corpus() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/evidence"));
    let path = std::env::var_os("MUSTER_CORPUS").map_or_else(beside, PathBuf::from);
    if path.join("snp").is_dir() {
        return Some(path);
    }
    eprintln!("NOT TESTED: no published evidence at {}; set MUSTER_CORPUS", path.display());
    None
}
