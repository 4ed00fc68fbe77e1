//! Error codes: each unique, documented and tested.

use std::path::Path;

use super::sources::{rust_files, split_tests, without_comments};
use crate::run::{Result, read, root};

const REGISTRY: &str = "crates/cc-core/src/code/registry";

pub(super) fn check() -> Result<Vec<String>> {
    let mut registry = String::new();
    for file in rust_files()?.iter().filter(|file| file.starts_with(REGISTRY)) {
        registry.push_str(&read(&root().join(file))?);
    }
    let documented = read(&root().join("docs/reference/errors.md"))?;
    let codes = codes_of(&registry);
    let mut found = Vec::new();
    if codes.len() < 50 {
        found.push(format!("only {} codes found in {REGISTRY}: has its form changed?", codes.len()));
    }
    let tests = test_text()?;
    for (index, (name, code)) in codes.iter().enumerate() {
        if codes.iter().take(index).any(|(_, other)| other == code) {
            found.push(format!("{code} is registered twice"));
        }
        if !documented.contains(&format!("`{code}`")) {
            found.push(format!("{code} is not in docs/reference/errors.md: run `cargo xtask gen-docs`"));
        }
        if !tests.contains(&format!("\"{code}\"")) && !mentions(&tests, name) {
            found.push(format!("{code} ({name}) occurs in no test"));
        }
    }
    found.extend(catalogue(&tests));
    Ok(found)
}

/// The parts of the negative-test catalogue that are built, each with the number of its rows. A row has a test that
/// mentions it, or whose name begins with it.
const CATALOGUE: &[(&str, u32)] =
    &[("SNP", 101), ("TDX", 97), ("GPU", 75), ("MAA", 39), ("ACI", 17), ("VTPM", 7), ("ENV", 13), ("FL", 44)];

fn catalogue(tests: &str) -> Vec<String> {
    let rows =
        CATALOGUE.iter().flat_map(|(part, count)| (1..=*count).map(move |row| format!("N-{part}-{row:02}")));
    let complaint = |row: String| {
        (!covered(tests, &row)).then(|| format!("{row} of the negative-test catalogue is in no test"))
    };
    rows.filter_map(complaint).collect()
}

/// Whether a test mentions the row as it is written in the catalogue, or is named after it.
fn covered(tests: &str, row: &str) -> bool {
    let name = row.to_ascii_lowercase().replace('-', "_");
    mentions(tests, row) || tests.contains(&format!("fn {name}_"))
}

/// Constant name and code of each entry: lines `NAME "code" Class flag`.
fn codes_of(registry: &str) -> Vec<(String, String)> {
    registry
        .lines()
        .filter_map(|line| {
            let mut parts = line.trim().splitn(3, ' ');
            let name = parts.next()?;
            let code = parts.next()?.strip_prefix('"')?.strip_suffix('"')?;
            let constant = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            (constant && code.contains('.')).then(|| (name.to_owned(), code.to_owned()))
        })
        .collect()
}

/// Whether the constant occurs as a whole word.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at.saturating_add(name.len())..).and_then(|t| t.chars().next());
        !part(before) && !part(after)
    })
}

/// The text of all tests: integration tests, and the test modules of sources. The registry's own tests do not
/// count, since they name codes without exercising them.
fn test_text() -> Result<String> {
    let mut text = String::new();
    for file in rust_files()? {
        if file.starts_with("xtask") || file == Path::new("crates/cc-core/src/code.rs") {
            continue;
        }
        let content = read(&root().join(&file))?;
        let is_test = file.components().any(|part| part.as_os_str() == "tests") || file.ends_with("tests.rs");
        text.push_str(&without_comments(if is_test { &content } else { split_tests(&content).1 }));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_mentions_are_recognised() {
        let entries =
            codes_of("    SNP_X \"snp.x.y\" Reject false\n        \"text. more\"\n    // NOT \"a.b\" c\n");
        assert_eq!(entries, [("SNP_X".to_owned(), "snp.x.y".to_owned())]);
        assert!(mentions("codes::SNP_X,", "SNP_X"));
        assert!(!mentions("SNP_X_Y", "SNP_X"));
        assert!(covered("fn n_fl_01_b_presents", "N-FL-01") && covered("\"N-FL-01\"", "N-FL-01"));
        assert!(!covered("fn n_fl_011_x", "N-FL-01") && !covered("n_fl_01_x", "N-FL-01"));
    }
}
