//! The ABI stays as `docs/ABI.md` has it: layout snapshot, and a hash of the sources recorded in the document.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::PathBuf;

use abi_stable::StableAbi;
use abi_stable::library::ROOT_MODULE_LOADER_NAME;
use aws_lc_rs::digest::{Context, SHA256};
use cc_core::abi::v1::AuthorizerModuleRef;
use muster_it::place::root;

const SOURCES: [&str; 3] =
    ["crates/cc-core/src/abi.rs", "crates/cc-core/src/message.rs", "crates/cc-core/src/sdk.rs"];
const MARK: &str = "<!-- abi-sources-sha256: ";

fn writing() -> bool {
    std::env::var_os("MUSTER_WRITE_SNAPSHOT").is_some()
}

/// Everything the layout check compares, without addresses and source positions.
fn layout() -> String {
    let text = format!("{:#?}", <AuthorizerModuleRef as StableAbi>::LAYOUT);
    let stable = |line: &&str| !line.contains("line:") && !line.contains("0x");
    let mut lines: Vec<&str> = text.lines().filter(stable).collect();
    lines.push("");
    lines.join("\n")
}

#[test]
fn the_layout_is_the_snapshot() {
    let path = root().join("docs/reference/abi-v1.layout");
    if writing() {
        std::fs::write(&path, layout()).unwrap();
    }
    let recorded = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        recorded == layout(),
        "the layout of the ABI differs from docs/reference/abi-v1.layout; version 1 is frozen, see docs/ABI.md"
    );
}

#[test]
fn the_document_knows_the_sources() {
    let mut hash = Context::new(&SHA256);
    for source in SOURCES {
        hash.update(&std::fs::read(root().join(source)).unwrap());
    }
    let hash = hex::encode(hash.finish());
    let path: PathBuf = root().join("docs/ABI.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(MARK).unwrap();
    let (recorded, after) = rest.split_once(" -->").unwrap();
    if writing() {
        std::fs::write(&path, format!("{before}{MARK}{hash} -->{after}")).unwrap();
        return;
    }
    assert_eq!(
        recorded, hash,
        "the ABI's sources changed: bring docs/ABI.md up to date, then run `cargo xtask abi-snapshot`"
    );
}

#[test]
fn the_export_macro_uses_the_symbol_of_abi_stable() {
    let sdk = std::fs::read_to_string(root().join("crates/cc-core/src/sdk.rs")).unwrap();
    assert!(sdk.contains(&format!("static {ROOT_MODULE_LOADER_NAME}:")));
}
