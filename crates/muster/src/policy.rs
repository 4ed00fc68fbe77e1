//! `muster policy check`.

use std::fmt::Write as _;
use std::path::Path;

use cc_policy::Policy;
use serde::Serialize;

use crate::cli::Format;
use crate::exit::{Exit, Failure, Result};
use crate::output;

/// Largest policy file, in bytes.
const MAX_POLICY: usize = 1024 * 1024;

#[derive(Serialize)]
struct Checked {
    schema: &'static str,
    file: String,
    permits: Vec<String>,
}

pub(crate) fn check(file: &Path, format: Format) -> Result {
    let policy = load(file)?;
    match format {
        Format::Json => output::json(&Checked {
            schema: "muster.policy.check/1",
            file: file.display().to_string(),
            permits: policy.describe(),
        })?,
        Format::Human => {
            let good = output::GOOD;
            let mut text = format!("{good}VALID{good:#} {}\n", file.display());
            for line in policy.describe() {
                let _ = writeln!(text, "  {line}");
            }
            output::text(&text)?;
        }
    }
    Ok(Exit::Accepted)
}

/// Reads a policy; what is wrong with it is a configuration error with its code and place.
pub(crate) fn load(file: &Path) -> std::result::Result<Policy, Failure> {
    let bytes = crate::evidence::read(file, MAX_POLICY)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::new(format!("the policy {} is not UTF-8", file.display())))?;
    Policy::parse(&text, &file.display().to_string()).map_err(|error| {
        let hint = error.code.info().map_or("", |info| info.hint);
        Failure::new(error).hint(hint)
    })
}
