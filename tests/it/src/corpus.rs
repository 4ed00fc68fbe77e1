//! The corpus of real evidence, read in place.

use std::path::PathBuf;

use crate::place::root;

/// The corpus folder: `MUSTER_CORPUS`, or `../shared/evidence` beside the checkout. `None`, with a loud note on
/// standard error, where there is none: `cases` tests of `what` do not run then.
pub fn corpus(what: &str, cases: usize) -> Option<PathBuf> {
    let folder =
        std::env::var_os("MUSTER_CORPUS").map_or_else(|| root().join("../shared/evidence"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("########################################################################");
    eprintln!("## SKIPPED: {cases} cases of {what}: there is no corpus at {}", folder.display());
    eprintln!("## Set MUSTER_CORPUS to the folder of the evidence corpus.");
    eprintln!("########################################################################");
    None
}
