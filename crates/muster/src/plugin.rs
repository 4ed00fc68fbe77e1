//! `muster plugin`: list, inspect and check.

use std::fmt::Write as _;
use std::path::PathBuf;

use cc_core::codes;
use cc_core::message::Identity;
use cc_manager::{Config, Host, LoadError, LoadErrors, Sha256, WorkerCommand};
use serde::Serialize;

use crate::cli::{self, Format, Plugins};
use crate::exit::{Exit, Failure, Result};
use crate::output;

/// A plugin in JSON.
#[derive(Serialize)]
struct Described {
    path: String,
    sha256: String,
    name: String,
    vendor: String,
    version: String,
    sdk_version: String,
    trust_class: String,
    profiles: Vec<Served>,
}

#[derive(Serialize)]
struct Served {
    profile: String,
    namespace: String,
    media_types: Vec<String>,
    roles: Vec<String>,
}

#[derive(Serialize)]
struct Listing {
    schema: &'static str,
    plugins: Vec<Described>,
}

#[derive(Serialize)]
struct Single {
    schema: &'static str,
    plugin: Described,
}

/// What is printed when loading fails.
#[derive(Serialize)]
struct Failed {
    schema: &'static str,
    code: String,
    detail: String,
    errors: Vec<FailedPlugin>,
}

#[derive(Serialize)]
struct FailedPlugin {
    path: String,
    code: String,
    detail: String,
}

pub(crate) fn run(command: cli::Plugin) -> Result {
    match command {
        cli::Plugin::List { plugins, format } => {
            const SCHEMA: &str = "muster.plugin.list/1";
            let host = match load(&plugins) {
                Ok((host, _)) => host,
                Err(errors) => return failed(SCHEMA, &errors, format),
            };
            let listed =
                host.plugins().map(|p| describe(&p.path().display(), p.sha256(), p.identity())).collect();
            print(format, &Listing { schema: SCHEMA, plugins: listed }, |list| list.plugins.iter().collect())
        }
        cli::Plugin::Inspect(file) => single("muster.plugin.inspect/1", &file, cc_manager::inspect),
        cli::Plugin::Check(file) => single("muster.plugin.check/1", &file, cc_manager::check),
    }
}

/// The hidden subcommand under which a process becomes a plugin's worker.
pub(crate) const WORKER: &str = "plugin-worker";

/// How a plugin's process is started.
pub(crate) fn worker() -> WorkerCommand {
    WorkerCommand::this_program(WORKER)
}

/// Loads the plugins that the arguments name.
pub(crate) fn load(plugins: &Plugins) -> std::result::Result<(Host, Config), LoadErrors> {
    let config = match &plugins.path {
        Some(path) => Config::load(path)?,
        None => Config::load_dir(&beside_this_program()?)?,
    };
    Ok((Host::load(&config, &worker())?, config))
}

/// The folder `plugins` beside this program, and only that.
fn beside_this_program() -> std::result::Result<PathBuf, LoadError> {
    match std::env::current_exe() {
        Ok(program) => Ok(program.with_file_name("plugins")),
        Err(error) => Err(LoadError {
            code: codes::PLUG_CONFIG_MISSING,
            path: PathBuf::from("plugins"),
            detail: format!("where this program is cannot be told: {error}"),
        }),
    }
}

fn single(
    schema: &'static str,
    file: &cli::PluginFile,
    load: fn(&std::path::Path, &WorkerCommand) -> std::result::Result<cc_manager::Inspection, LoadError>,
) -> Result {
    let path =
        std::path::absolute(&file.path).map_err(|e| Failure::new(format!("{}: {e}", file.path.display())))?;
    match load(&path, &worker()) {
        Err(error) => failed(schema, &error.into(), file.format),
        Ok(found) => {
            let plugin = describe(&found.path.display(), found.sha256, &found.identity);
            print(file.format, &Single { schema, plugin }, |single| vec![&single.plugin])
        }
    }
}

fn describe(path: &dyn std::fmt::Display, sha256: Sha256, identity: &Identity) -> Described {
    Described {
        path: path.to_string(),
        sha256: sha256.to_string(),
        name: identity.name.clone(),
        vendor: identity.vendor.clone(),
        version: identity.plugin_version.clone(),
        sdk_version: identity.sdk_version.clone(),
        trust_class: identity.trust_class.to_string(),
        profiles: identity
            .profiles
            .iter()
            .map(|info| Served {
                profile: info.profile.to_string(),
                namespace: info.namespace.clone(),
                media_types: info.media_types.clone(),
                roles: info.roles.iter().map(ToString::to_string).collect(),
            })
            .collect(),
    }
}

fn print<T: Serialize>(format: Format, object: &T, plugins: impl Fn(&T) -> Vec<&Described>) -> Result {
    match format {
        Format::Json => output::json(object)?,
        Format::Human => {
            let (bold, dim) = (output::HEADING, output::DIM);
            let mut text = String::new();
            for plugin in plugins(object) {
                let _ =
                    writeln!(text, "{bold}{} {}{bold:#} by {}", plugin.name, plugin.version, plugin.vendor);
                let _ = writeln!(text, "  path       {}", plugin.path);
                let _ = writeln!(text, "  sha256     {}", plugin.sha256);
                let _ = writeln!(
                    text,
                    "  evidence   {} {dim}(built with cc-core {}){dim:#}",
                    plugin.trust_class, plugin.sdk_version
                );
                for served in &plugin.profiles {
                    let _ = writeln!(text, "  serves     {} ({})", served.profile, served.roles.join(", "));
                }
            }
            output::text(&text)?;
        }
    }
    Ok(Exit::Accepted)
}

/// The exit code of a loading failure: 2 where the configuration itself is at fault, else 6.
pub(crate) fn exit_of(errors: &LoadErrors) -> Exit {
    if errors.first().code.as_str().starts_with("plug.config.") { Exit::Usage } else { Exit::Plugin }
}

fn failed(schema: &'static str, errors: &LoadErrors, format: Format) -> Result {
    print_load_errors(errors);
    let exit = exit_of(errors);
    if exit == Exit::Plugin && format == Format::Json {
        output::json(&Failed {
            schema,
            code: errors.first().code.to_string(),
            detail: errors.first().detail.clone(),
            errors: errors
                .iter()
                .map(|error| FailedPlugin {
                    path: error.path.display().to_string(),
                    code: error.code.to_string(),
                    detail: error.detail.clone(),
                })
                .collect(),
        })?;
    }
    Ok(exit)
}

/// Every failure with its hint, on standard error.
pub(crate) fn print_load_errors(errors: &LoadErrors) {
    for error in errors.iter() {
        let failure = Failure::new(error);
        match error.hint() {
            Some(hint) => failure.hint(hint).print(),
            None => failure.print(),
        }
    }
}
