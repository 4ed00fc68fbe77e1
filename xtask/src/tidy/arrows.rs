//! Which crate may depend on which (`docs/ARCHITECTURE.md`, "Arrows"): normal and build dependencies.

use cargo_metadata::{DependencyKind, Metadata};

/// What each production crate may depend on among ours.
const ALLOWED: &[(&str, &[&str])] = &[
    ("cc-core", &[]),
    ("cc-verifier", &["cc-core"]),
    ("cc-attester", &["cc-core"]),
    ("cc-policy", &["cc-core"]),
    ("cc-store", &["cc-core"]),
    ("fed-proto", &["cc-core"]),
    ("cc-manager", &["cc-core", "cc-policy", "cc-store"]),
    ("fed-node", &["cc-core", "cc-manager", "cc-policy", "cc-store", "fed-proto"]),
    ("fed-agent", &["cc-core", "cc-manager", "cc-policy", "cc-store", "fed-proto", "fed-node"]),
    ("fed-server", &["cc-core", "cc-manager", "cc-policy", "cc-store", "fed-proto", "fed-node"]),
    (
        "muster",
        &[
            "cc-core",
            "cc-manager",
            "cc-policy",
            "cc-store",
            "fed-proto",
            "fed-node",
            "fed-server",
            "fed-agent",
        ],
    ),
    ("cc-snp", &["cc-core", "cc-verifier", "cc-attester"]),
    ("cc-tdx", &["cc-core", "cc-verifier", "cc-attester"]),
    ("cc-aci", &["cc-core", "cc-verifier", "cc-attester"]),
    ("cc-gpu", &["cc-core", "cc-verifier", "cc-attester"]),
    ("cc-testkit", &["cc-core", "cc-verifier", "fed-proto"]),
    ("xtask", &[]),
];

/// Packages of the tests: they may depend on anything.
const TESTS: &[&str] = &[
    "azure",
    "muster-it",
    "emulated-aci",
    "emulated-gpu",
    "emulated-snp",
    "emulated-tdx",
    "fake-nvml",
    "impostor",
    "misbehaver",
];

/// What crates below the shells must not pull in directly: I/O, async and second crypto providers.
const PURE: &[&str] = &["cc-core", "cc-verifier", "cc-policy", "fed-proto"];
const NOT_PURE: &[&str] =
    &["tokio", "reqwest", "rustix", "libc", "getrandom", "rand", "hyper", "ring", "openssl", "sev"];

pub(super) fn check(metadata: &Metadata) -> Vec<String> {
    let members: Vec<_> = metadata.workspace_packages();
    let ours: Vec<&str> = members.iter().map(|package| package.name.as_str()).collect();
    let mut found = Vec::new();
    for package in &members {
        let name = package.name.as_str();
        if TESTS.contains(&name) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(crate_name, _)| *crate_name == name) else {
            found.push(format!(
                "{name} has no row of allowed dependencies (docs/ARCHITECTURE.md, xtask tidy)"
            ));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development) {
            let to = dependency.name.as_str();
            if ours.contains(&to) && !allowed.contains(&to) {
                found.push(format!("{name} must not depend on {to}"));
            }
            if PURE.contains(&name) && NOT_PURE.contains(&to) {
                found.push(format!("{name} is below the shells and must not depend on {to}"));
            }
        }
    }
    found
}
