//! The ABI stays as `docs/ABI.md` has it: layout snapshot, and a hash of the sources recorded in the document.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use abi_stable::StableAbi;
use abi_stable::library::ROOT_MODULE_LOADER_NAME;
use abi_stable::std_types::{RResult, RSlice, RVec};
use abi_stable::type_layout::TypeLayout;
use aws_lc_rs::digest::{Context, SHA256};
use cc_core::abi::Answer;
use cc_core::abi::v1::{AuthorizerModuleRef, AuthorizerObject};
use muster_it::place::root;

const SOURCES: [&str; 3] =
    ["crates/cc-core/src/abi.rs", "crates/cc-core/src/message.rs", "crates/cc-core/src/sdk.rs"];
const MARK: &str = "<!-- abi-sources-sha256: ";

fn writing() -> bool {
    std::env::var_os("MUSTER_WRITE_SNAPSHOT").is_some()
}

/// Every type that the layout check reaches, once: name, size, alignment and fields.
fn layout() -> String {
    let mut seen = BTreeSet::new();
    let mut text = String::from("# Written by `cargo xtask abi-snapshot`; see docs/ABI.md.\n");
    // Parameters and results of functions are no fields of the root module: they are named here.
    for layout in [
        <AuthorizerModuleRef as StableAbi>::LAYOUT,
        <RResult<AuthorizerObject, RVec<u8>> as StableAbi>::LAYOUT,
        <Answer as StableAbi>::LAYOUT,
        <RSlice<'static, u8> as StableAbi>::LAYOUT,
    ] {
        describe(layout, &mut seen, &mut text);
    }
    text
}

fn describe(layout: &'static TypeLayout, seen: &mut BTreeSet<String>, text: &mut String) {
    let name = layout.full_type().to_string();
    if !seen.insert(name.clone()) {
        return;
    }
    let (package, version) = layout.package_and_version();
    writeln!(text, "{name} ({package} {version}): size {}, alignment {}", layout.size(), layout.alignment())
        .unwrap();
    let fields = || layout.get_fields().into_iter().flat_map(|fields| fields.iter());
    for field in fields() {
        writeln!(text, "    {}: {}", field.name(), field.full_type()).unwrap();
        for function in field.function_range().iter() {
            writeln!(text, "        {function}").unwrap();
        }
    }
    for field in layout.phantom_fields() {
        describe(field.layout(), seen, text);
    }
    for field in fields() {
        describe(field.layout(), seen, text);
    }
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
