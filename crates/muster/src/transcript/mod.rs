//! `muster transcript verify|show`.

mod json;
mod text;

use std::path::Path;

use cc_core::{Finding, codes};
use fed_node::transcript::{self, DescriptorFrom, MAX_FILE, Options, Outcome, Report};
use fed_proto::descriptor::Descriptor;

use crate::cli::{Format, Transcript, TranscriptVerify};
use crate::evidence::{loaded, read};
use crate::exit::{Exit, Failure, Result};
use crate::output;
use json::{Shown, Verified};

/// Longest descriptor, in bytes.
const MAX_DESCRIPTOR: usize = 1024 * 1024;

pub(crate) fn run(command: Transcript) -> Result {
    match command {
        Transcript::Verify(command) => verify(command),
        Transcript::Show { file, format } => show(&file, format),
    }
}

fn verify(command: TranscriptVerify) -> Result {
    let TranscriptVerify { file, at, descriptor, plugins, format } = command;
    let bytes = read(&file, MAX_FILE)?;
    let descriptor = descriptor.as_deref().map(read_descriptor).transpose()?;
    let from = if descriptor.is_some() { DescriptorFrom::Given } else { DescriptorFrom::File };
    let verified = match loaded(&plugins)? {
        Err((_, finding)) => Verified::not_loaded(&file, from, at, &finding),
        Ok((host, _)) => {
            tracing::info!("{} bytes to verify", bytes.len());
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
            let report = runtime.block_on(transcript::verify(&bytes, Options { host, descriptor, at }));
            return print(format, &file, &report);
        }
    };
    match format {
        Format::Json => output::json(&verified)?,
        Format::Human => output::text(&text::not_loaded(&verified))?,
    }
    Ok(Exit::Plugin)
}

fn print(format: Format, file: &Path, report: &Report) -> Result {
    match format {
        Format::Json => output::json(&Verified::new(file, report))?,
        Format::Human => output::text(&text::verified(report))?,
    }
    Ok(match report.outcome {
        Outcome::Same => Exit::Accepted,
        Outcome::Differs | Outcome::NotAuthentic => Exit::Rejected,
        Outcome::NoPlugin => Exit::Plugin,
    })
}

fn show(file: &Path, format: Format) -> Result {
    let bytes = read(file, MAX_FILE)?;
    let shown = transcript::show(&bytes);
    let exit = if shown.is_ok() { Exit::Accepted } else { Exit::Rejected };
    match format {
        Format::Json => output::json(&Shown::new(file, &shown))?,
        Format::Human => output::text(&text::shown(&shown))?,
    }
    Ok(exit)
}

fn read_descriptor(path: &Path) -> std::result::Result<Descriptor, Failure> {
    let invalid = |what: String| Failure::new(format!("{}: {what}", path.display()));
    let text = String::from_utf8(read(path, MAX_DESCRIPTOR)?).map_err(|_| invalid("not UTF-8".to_owned()))?;
    Descriptor::parse(&text).map_err(|error| {
        invalid(error.to_string()).hint("name the descriptor.toml of a kit of your federation")
    })
}

/// The code that stands for a report: the first difference's.
fn first(report: &Report) -> Option<Finding> {
    let first = report.differences.first()?;
    let detail = match first.code == codes::TR_REPLAY_DIFFERS {
        true => format!("{}: recorded {}, found {}", first.place, first.recorded, first.found),
        false => format!("{}: {}", first.place, first.found),
    };
    Some(Finding::new(first.code.clone(), detail))
}
