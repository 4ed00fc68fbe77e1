//! `deny.toml` without cargo-deny: licences, banned crates, duplicate versions and sources of everything that the
//! workspace's lock file brings in. cargo-deny reads the same file where it is installed.

use std::collections::BTreeMap;

use cargo_metadata::Metadata;
use serde::Deserialize;

use crate::run::{Result, read, root};

/// The part of cargo-deny's configuration that is checked here.
#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Bans {
    deny: Vec<Named>,
    skip: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

pub(super) fn check(metadata: &Metadata) -> Result<Vec<String>> {
    let deny: Deny =
        toml::from_str(&read(&root().join("deny.toml"))?).map_err(|error| format!("deny.toml: {error}"))?;
    let mut found = Vec::new();
    let mut versions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        versions.entry(name).or_default().push(package.version.to_string());
        if deny.bans.deny.iter().any(|banned| banned.name == name) {
            found.push(format!("{name} is banned by deny.toml"));
        }
        match &package.source {
            None => {}
            Some(source)
                if deny.sources.allow_registry.iter().any(|url| source.repr == format!("registry+{url}")) => {
            }
            Some(source) => found.push(format!("{name} comes from {source}, which deny.toml does not allow")),
        }
        if let Some(problem) = licence_problem(package.license.as_deref(), &deny.licenses.allow) {
            found.push(format!("{name}: {problem}"));
        }
    }
    for (name, list) in versions.iter().filter(|(_, list)| list.len() > 1) {
        if !deny.bans.skip.iter().any(|skip| skip.name == **name) {
            found.push(format!(
                "{name} is there in versions {}: unify, or list it in deny.toml",
                list.join(", ")
            ));
        }
    }
    for skip in &deny.bans.skip {
        if versions.get(skip.name.as_str()).is_none_or(|list| list.len() < 2) {
            found.push(format!("deny.toml skips {}, which is not there twice", skip.name));
        }
    }
    Ok(found)
}

/// Why a licence expression is not satisfied by the allowed licences.
fn licence_problem(expression: Option<&str>, allowed: &[String]) -> Option<String> {
    let Some(text) = expression else {
        return Some("has no licence expression".to_owned());
    };
    let Ok(parsed) = spdx::Expression::parse_mode(text, spdx::ParseMode::LAX) else {
        return Some(format!("licence {text:?} is not an SPDX expression"));
    };
    let satisfied = parsed.evaluate(|requirement| allowed.contains(&requirement.to_string()));
    (!satisfied).then(|| format!("licence {text:?} is not allowed by deny.toml"))
}

#[cfg(test)]
mod tests {
    use super::licence_problem;

    #[test]
    fn licences_are_evaluated() {
        let allowed = ["MIT".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
        for (text, fine) in [
            (Some("MIT OR GPL-3.0"), true),
            (Some("MIT/Apache-2.0"), true),
            (Some("MIT AND GPL-3.0"), false),
            (Some("Apache-2.0"), false),
            (Some("Apache-2.0 WITH LLVM-exception"), true),
            (Some("nonsense("), false),
            (None, false),
        ] {
            assert_eq!(licence_problem(text, &allowed).is_none(), fine, "{text:?}");
        }
    }
}
