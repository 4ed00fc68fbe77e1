//! Where the published evidence lies, and what is expected of it.

pub mod tdx;

use std::path::{Path, PathBuf};

/// The folder of published evidence: `$MUSTER_CORPUS`, or `../shared/evidence` beside the workspace. `Err` says that there
/// is none, and what to do.
pub fn find() -> Result<PathBuf, String> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/evidence");
    let folder = std::env::var_os("MUSTER_CORPUS").map_or_else(beside, PathBuf::from);
    let missing = || format!("no published evidence at {}; set MUSTER_CORPUS", folder.display());
    if folder.is_dir() { Ok(folder) } else { Err(missing()) }
}

/// The same for a test, which has nothing to say without it.
///
/// # Panics
///
/// Where there is none.
pub fn corpus() -> PathBuf {
    find().unwrap_or_else(|missing| panic!("{missing}"))
}
