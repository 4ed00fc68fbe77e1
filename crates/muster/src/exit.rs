//! Exit codes and usage failures: a contract that other tools rely on.

use std::fmt;
use std::process::ExitCode;

use cc_core::Class;

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Accepted, and affirming if appraised.
    Accepted,
    /// Usage or configuration error.
    Usage,
    /// Rejected as not authentic, or not bound as expected.
    Rejected,
    /// Could not be decided.
    Indeterminate,
    /// Authentic, but not affirmed by the policy.
    NotAffirmed,
    /// A plugin could not be loaded, or none serves the profile.
    Plugin,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Accepted => 0,
            Exit::Usage => 2,
            Exit::Rejected => 3,
            Exit::Indeterminate => 4,
            Exit::NotAffirmed => 5,
            Exit::Plugin => 6,
        })
    }
}

impl From<Class> for Exit {
    fn from(class: Class) -> Self {
        match class {
            Class::Indeterminate => Self::Indeterminate,
            _ => Self::Rejected,
        }
    }
}

/// A usage or configuration error: nothing was decided, exit code 2.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Prints the error as clap prints its own.
    pub(crate) fn print(&self) {
        let red = crate::output::BAD;
        // Lines of a message stay lines; whatever else steers a terminal is shown.
        let lines: Vec<_> = self.message.lines().map(crate::output::visible).collect();
        anstream::eprintln!("{red}error:{red:#} {}", lines.join("\n"));
        if let Some(hint) = &self.hint {
            anstream::eprintln!("hint: {}", crate::output::visible(hint));
        }
    }
}

#[cfg(test)]
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What a command returns: how to end, or why it could not begin.
pub(crate) type Result = std::result::Result<Exit, Failure>;
