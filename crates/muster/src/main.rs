//! The `muster` command: arguments in, text for people or one JSON object out, stable exit codes.
//!
//! Data goes to standard output, everything else to standard error. The system clock is read once, by
//! [`cc_manager::clock`].
#![forbid(unsafe_code)]

mod admin;
mod cli;
mod collect;
mod evidence;
mod exit;
mod explain;
mod human;
mod node;
mod output;
mod plugin;
mod policy;
mod provision;
mod reference;
mod report;
mod transcript;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use cli::{Cli, Command};
use exit::Exit;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.verbose);
    let exit = match cli.command {
        Command::Evidence(cli::Evidence::Collect(command)) => collect::run(&command),
        Command::Evidence(cli::Evidence::Show(command)) => evidence::show(&command),
        Command::Evidence(cli::Evidence::Verify(command)) => evidence::verify(command),
        Command::Evidence(cli::Evidence::Appraise(command)) => evidence::appraise(command),
        Command::Plugin(command) => plugin::run(command),
        Command::Policy(cli::Policy::Check { file, format }) => policy::check(&file, format),
        Command::Server(command) => node::server(&command),
        Command::Agent(command) => node::agent(&command),
        Command::Status(command) => admin::status(&command),
        Command::Job(command) => admin::job(command),
        Command::Bundle(cli::Bundle::Publish { file, admin }) => admin::publish(&admin, &file),
        Command::JobStarter => return node::become_job(),
        Command::PluginWorker => return cc_manager::become_worker(),
        Command::Provision(command) => provision::run(&command),
        Command::Transcript(command) => transcript::run(command),
        Command::Explain(command) => explain::run(&command),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "muster", &mut script);
            output::raw(&script)
        }
        Command::Reference(command) => reference::run(command),
    };
    match exit {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.print();
            Exit::Usage.into()
        }
    }
}

/// Warnings always, more with `-v`.
fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .without_time()
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr)
        .init();
}
