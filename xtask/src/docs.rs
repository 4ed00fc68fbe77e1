//! `gen-docs` and `abi-snapshot`: documents that are made from the code. The tests compare them with the code;
//! these commands write them.

use crate::run::{Result, capture, cargo, root, run, write};

/// Writes `docs/reference/`.
pub(crate) fn gen_docs() -> Result<()> {
    for (file, arguments) in [
        ("errors.md", &["explain", "--all", "--format", "markdown"][..]),
        ("cli.md", &["reference", "cli"][..]),
    ] {
        let text = capture(cargo().args(["run", "--quiet", "--package", "muster", "--"]).args(arguments))?;
        let path = root().join("docs/reference").join(file);
        write(&path, &text)?;
        eprintln!("wrote {}", path.display());
    }
    Ok(())
}

/// Writes the layout snapshot and the hash of the ABI's sources through the test that checks them.
pub(crate) fn abi_snapshot() -> Result<()> {
    run(cargo().env("MUSTER_WRITE_SNAPSHOT", "1").args(["test", "--package", "muster-it", "--test", "abi"]))
}
