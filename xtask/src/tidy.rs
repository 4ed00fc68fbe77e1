//! `tidy`: the project's own rules, checked. It also runs as a test of this package.

mod arrows;
mod codes;
mod deny;
mod modules;
mod sources;

use crate::run::{Result, metadata};

/// Runs every check; the error lists all violations.
pub(crate) fn tidy() -> Result<()> {
    let metadata = metadata()?;
    let mut found = Vec::new();
    found.extend(arrows::check(&metadata));
    found.extend(deny::check(&metadata)?);
    found.extend(codes::check()?);
    found.extend(modules::check(&metadata)?);
    found.extend(sources::check()?);
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("tidy found {}:\n  {}", found.len(), found.join("\n  ")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_is_tidy() {
        super::tidy().unwrap();
    }
}
