//! `muster evidence collect`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::cli::{Collect, Format};
use crate::evidence::{fits, loaded, no_plugin, profile};
use crate::exit::{Exit, Failure, Result};
use crate::output;
use crate::report::CollectedReport;

const SCHEMA: &str = "muster.evidence.collect/1";

pub(crate) fn run(command: &Collect) -> Result {
    let profile = profile(&command.profile)?;
    fits(&profile, &command.binding)?;
    let mut report = CollectedReport {
        schema: SCHEMA,
        profile: profile.to_string(),
        code: None,
        detail: None,
        plugin: None,
        evidence: None,
        endorsements: Vec::new(),
    };
    let result = match loaded(&command.plugins)? {
        Err(failed) => Err(failed),
        Ok((host, _)) => {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
            match runtime.block_on(cc_manager::collect(&host, &profile, command.binding.clone())) {
                Err(error) => Err(no_plugin(&error)?),
                Ok(collection) => {
                    report.plugin = Some((&collection.plugin).into());
                    collection.result.map_err(|finding| (finding.code.class().into(), finding))
                }
            }
        }
    };
    let exit = match result {
        Err((exit, finding)) => {
            report.code = Some(finding.code.to_string());
            report.detail = Some(finding.detail);
            exit
        }
        Ok((evidence, endorsements)) => {
            write(&command.out, &evidence)?;
            report.evidence = Some(command.out.display().to_string());
            for (index, endorsement) in endorsements.iter().enumerate() {
                let mut name = command.out.clone().into_os_string();
                name.push(format!(".aux.{index}"));
                let path = PathBuf::from(name);
                write(&path, &endorsement.bytes)?;
                report.endorsements.push(path.display().to_string());
            }
            Exit::Accepted
        }
    };
    match command.format {
        Format::Json => output::json(&report)?,
        Format::Human => output::text(&human(&report))?,
    }
    Ok(exit)
}

fn human(report: &CollectedReport) -> String {
    let (good, bad) = (output::GOOD, output::BAD);
    let mut text = String::new();
    match (&report.evidence, &report.code) {
        (Some(file), _) => {
            let _ = writeln!(
                text,
                "{good}COLLECTED{good:#} {} evidence in {}",
                report.profile,
                output::visible(file)
            );
            for file in &report.endorsements {
                let _ = writeln!(text, "  endorsement in {}", output::visible(file));
            }
        }
        (None, code) => {
            let code = code.as_deref().unwrap_or_default();
            let _ = writeln!(text, "{bad}NOT COLLECTED{bad:#} {code}");
            text.push_str(&crate::human::reason(code, report.detail.as_deref().unwrap_or_default()));
        }
    }
    text
}

fn write(path: &Path, bytes: &[u8]) -> std::result::Result<(), Failure> {
    std::fs::write(path, bytes)
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
}
