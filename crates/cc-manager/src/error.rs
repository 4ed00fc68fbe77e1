//! What goes wrong before any evidence is looked at: configuration and loading.

use std::fmt;
use std::path::{Path, PathBuf};

use cc_core::{Code, Finding};

/// Why a configuration or a plugin could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {}: {detail}", path.display())]
pub struct LoadError {
    /// The stable code of the stage that failed.
    pub code: Code,
    /// The configuration or plugin file.
    pub path: PathBuf,
    /// What was found and what was wanted.
    pub detail: String,
}

impl LoadError {
    pub(crate) fn new(code: Code, path: &Path, detail: impl Into<String>) -> Self {
        Self::of(path, Finding::new(code, detail))
    }

    pub(crate) fn of(path: &Path, finding: Finding) -> Self {
        Self { code: finding.code, path: path.to_owned(), detail: finding.detail }
    }

    /// What the reader can do about it, as the registry has it; `None` for a vendor's own code.
    pub fn hint(&self) -> Option<&'static str> {
        self.code.info().map(|info| info.hint)
    }
}

/// Everything that failed while the configured plugins were loaded; at least one error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadErrors {
    first: LoadError,
    others: Vec<LoadError>,
}

impl LoadErrors {
    /// The errors, unless there are none.
    pub(crate) fn from_list(errors: Vec<LoadError>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        Some(Self { first, others: errors.collect() })
    }

    /// The first error, whose code stands for all.
    pub const fn first(&self) -> &LoadError {
        &self.first
    }

    /// All errors in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &LoadError> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl From<LoadError> for LoadErrors {
    fn from(first: LoadError) -> Self {
        Self { first, others: Vec::new() }
    }
}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().enumerate().try_for_each(|(i, error)| {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")
        })
    }
}

impl std::error::Error for LoadErrors {}
