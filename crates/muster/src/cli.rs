//! The command line: what can be typed, and its help.

mod value;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Exit codes, shown with `--help`.
const EXIT_CODES: &str = "\
Exit codes:
  0  accepted (and affirming, if appraised)
  2  usage or configuration error
  3  rejected: not authentic, or not bound as expected
  4  indeterminate: something needed to decide was not at hand
  5  authentic, but the policy does not affirm it
  6  a plugin could not be loaded, or none serves the profile";

const VERIFY_EXAMPLES: &str = "\
Examples:
  Verify a report with the certificates in a folder, without any network:
    muster evidence verify --profile snp-raw-1 --evidence report.bin --endorsements certs/ --offline

  The same, as of a past instant and without a revocation list:
    muster evidence verify --profile snp-raw-1 --evidence report.bin --endorsements certs/ \\
        --at 2026-06-01T00:00:00Z --waive snp.crl.missing --offline

  Fetch what is missing from AMD, and demand that the report answers a challenge:
    muster evidence verify --profile snp-raw-1 --evidence report.bin --expect-binding <128 hex digits>

  Verify a TDX quote and its event log with collateral that another tool wrote:
    muster evidence verify --profile tdx-quote-1 --evidence quote.bin --offline \\
        --endorsements collateral.json --endorsements ccel.bin

  Verify the report of an Azure container group with the files of its security context:
    muster evidence verify --profile aci-raw-1 --evidence report.bin --endorsements /security-context-1/";

const APPRAISE_EXAMPLES: &str = "\
Examples:
  muster evidence appraise --profile snp-raw-1 --evidence report.bin --endorsements certs/ --policy site.toml
  muster evidence appraise --profile snp-raw-1 --evidence report.bin --policy site.toml --format json | jq .appraisal";

const PROVISION_EXAMPLES: &str = "\
Examples:
  muster provision federation.toml --out kits/
  muster provision --import-nvflare workspace/project/prod_00 --out kits/";

const TRANSCRIPT_EXAMPLES: &str = "\
Examples:
  Verify everything again, in the federation whose descriptor you have:
    muster transcript verify 1780272000123-job-start-3f2a9c0d1e5b.jsonl --descriptor descriptor.toml

  What would be decided today:
    muster transcript verify FILE --descriptor descriptor.toml --at 2026-11-25T12:00:00Z --format json

Exit codes:
  0  authentic, and the same verdict, byte for byte
  2  usage or configuration error
  3  not authentic, or something comes out otherwise
  6  a plugin could not be loaded, is none for the federation, or none serves a profile";

/// Attested admission for federated learning.
///
/// Muster proves what a participant runs, by hardware evidence, and judges it by your policy.
#[derive(Debug, Parser)]
#[command(name = "muster", version, propagate_version = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// More about what happens, on standard error: -v informational, -vv everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show, verify and appraise evidence.
    #[command(subcommand)]
    Evidence(Evidence),
    /// List, inspect and check authorizer plugins.
    #[command(subcommand)]
    Plugin(Plugin),
    /// Check appraisal policies.
    #[command(subcommand)]
    Policy(Policy),
    /// Make the kits of a federation: for each participant and administrator a folder with key, certificate and
    /// configuration.
    ///
    /// Everything is checked first, and any error stops everything. Run again, it changes nothing of what is there, makes
    /// kits for new names, and signs the next version of the bundle if `bundle` or the roster (organisation, replaceable)
    /// changed. A kit that is moved away is made anew, with a new key; the folder `owner` has the owner's keys.
    #[command(after_long_help = format!("{PROVISION_EXAMPLES}\n\nfederation.toml:\n\n{}", crate::provision::EXAMPLE))]
    Provision(Provision),
    /// Run the federation's server from its kit.
    #[command(after_help = "Example:\n  muster server --kit kits/server")]
    Server(Run),
    /// Run a site from its kit: dial the server, attest, judge the others, run admitted jobs.
    #[command(after_help = "Example:\n  muster agent --kit kits/site-1")]
    Agent(Run),
    /// Show the sites, how far each is trusted and why, and when that expires.
    #[command(after_help = "Example:\n  muster status --kit kits/admin")]
    Status(Administrator),
    /// Submit, list, explain, abort and watch jobs.
    #[command(subcommand)]
    Job(Job),
    /// Put the owner's newer bundle into force.
    #[command(subcommand)]
    Bundle(Bundle),
    /// Becomes the program of a job; started by servers and agents only.
    #[command(name = crate::node::STARTER, hide = true)]
    JobStarter,
    /// Becomes the confined process of a plugin; started by the plugin host only.
    #[command(name = crate::plugin::WORKER, hide = true)]
    PluginWorker,
    /// Verify again what a participant decided in a round, from the one file that it kept of it.
    #[command(subcommand)]
    Transcript(Transcript),
    /// Explain an error code.
    #[command(after_help = "Example:\n  muster explain snp.crl.missing")]
    Explain(Explain),
    /// Print a completion script for a shell.
    #[command(after_help = "Example:\n  muster completions bash > /etc/bash_completion.d/muster")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print generated reference documentation.
    #[command(subcommand)]
    Reference(Reference),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    /// Parse evidence and show what it says, without verifying anything.
    #[command(
        after_help = "Examples:\n  muster evidence show --profile snp-raw-1 --evidence report.bin\n  muster evidence show --profile tdx-quote-1 --evidence quote.bin --endorsements ccel.bin"
    )]
    Show(Show),
    /// Verify that evidence is authentic, and show what it says.
    #[command(after_help = format!("{VERIFY_EXAMPLES}\n\n{EXIT_CODES}"))]
    Verify(Verify),
    /// Verify evidence, then judge its claims by a policy.
    #[command(after_help = format!("{APPRAISE_EXAMPLES}\n\n{EXIT_CODES}"))]
    Appraise(Appraise),
    /// Obtain evidence from the hardware of this machine.
    #[command(
        after_help = "Example:\n  muster evidence collect --profile snp-raw-1 --binding <128 hex digits> --out report.bin"
    )]
    Collect(Collect),
}

/// Which evidence, and which plugins read it.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// Profile of the evidence, for example snp-raw-1.
    #[arg(long, value_name = "P")]
    pub(crate) profile: String,
    /// File with the evidence: raw bytes, or the JSON form of configfs-tsm.
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: PathBuf,
    #[command(flatten)]
    pub(crate) plugins: Plugins,
    /// Output for people, or one JSON object on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// Where the plugins are configured.
#[derive(Debug, Args)]
pub(crate) struct Plugins {
    /// Plugin configuration, or a folder that has one as plugins.toml
    /// [default: plugins/plugins.toml beside this program].
    #[arg(long = "plugins", value_name = "FILE|DIR")]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) source: Source,
    /// What belongs to the evidence: certificates, or the event log of a TDX guest, whose events are listed.
    #[arg(long, value_name = "PATH")]
    pub(crate) endorsements: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Certificates, revocation lists and other endorsements: files or folders, PEM or DER, in any mix.
    #[arg(long, value_name = "PATH")]
    pub(crate) endorsements: Vec<PathBuf>,
    /// Judge as of this instant (RFC 3339) instead of now; the result is marked as replayed.
    #[arg(long, value_name = "RFC3339", value_parser = value::instant)]
    pub(crate) at: Option<cc_core::UnixTime>,
    /// Demand that the evidence is bound to these 64 bytes (nv-spdm-1: 32, the nonce of the devices; az-cvm-vtpm-1: 32, the
    /// quote's extra data, or 96 with the user data of the report).
    #[arg(long, value_name = "HEX", value_parser = value::binding)]
    pub(crate) expect_binding: Option<cc_core::Binding>,
    /// Accept this missing-collateral finding; the result records it. May be given several times.
    #[arg(long, value_name = "CODE", value_parser = value::waiver)]
    pub(crate) waive: Vec<cc_core::Code>,
    /// Fetch nothing; use only what is given and what is cached.
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Appraise {
    #[command(flatten)]
    pub(crate) verify: Verify,
    /// The appraisal policy.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// The init data whose digest HOST_DATA must be, where the policy says so.
    #[arg(long, value_name = "FILE")]
    pub(crate) init_data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Collect {
    /// Profile of the evidence, for example snp-raw-1.
    #[arg(long, value_name = "P")]
    pub(crate) profile: String,
    /// The 64 bytes to bind into the evidence (nv-spdm-1: 32, the nonce of the devices; az-cvm-vtpm-1: 32, the quote's extra
    /// data, or 96 with the user data of a report that is made anew).
    #[arg(long, value_name = "HEX", value_parser = value::binding)]
    pub(crate) binding: cc_core::Binding,
    /// Where to write the evidence; endorsements that come with it are written beside it as OUT.aux.N.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) plugins: Plugins,
    /// Output for people, or one JSON object on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// List the configured plugins after loading them.
    #[command(after_help = "Example:\n  muster plugin list --plugins /etc/muster/plugins.toml")]
    List {
        #[command(flatten)]
        plugins: Plugins,
        /// Output for people, or one JSON object on standard output.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Load one plugin file and show its identity and digest. Loading runs the plugin's code: inspect only
    /// files whose origin you trust.
    #[command(after_help = "Example:\n  muster plugin inspect /usr/lib/muster/libcc_snp.so")]
    Inspect(PluginFile),
    /// Like inspect, and probe that it keeps the contract.
    #[command(after_help = "Example:\n  muster plugin check ./target/debug/libmy_authorizer.so")]
    Check(PluginFile),
}

#[derive(Debug, Args)]
pub(crate) struct PluginFile {
    /// The plugin library.
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Output for people, or one JSON object on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Read a policy and say what it permits, or what is wrong with it.
    #[command(after_help = "Example:\n  muster policy check site.toml")]
    Check {
        /// The policy.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Output for people, or one JSON object on standard output.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

/// A participant to run.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Its kit, as made by `muster provision`.
    #[arg(long, value_name = "DIR")]
    pub(crate) kit: PathBuf,
    /// One line for each event: for people, or a JSON object.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// Who asks the server.
#[derive(Debug, Args)]
pub(crate) struct Administrator {
    /// The administrator's kit, as made by `muster provision`.
    #[arg(long, value_name = "DIR")]
    pub(crate) kit: PathBuf,
    /// Output for people, or one JSON object on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Job {
    /// Submit a job file.
    #[command(after_help = "Example:\n  muster job submit train.toml --kit kits/admin")]
    Submit {
        /// The job file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        admin: Administrator,
    },
    /// List all jobs.
    List {
        #[command(flatten)]
        admin: Administrator,
    },
    /// Everything about a job: its history, and for each verifier and subject the verdict, its code and the policy's line.
    #[command(after_help = "Example:\n  muster job show train --kit kits/admin")]
    Show {
        /// Its identity, the beginning of it, or its name.
        #[arg(value_name = "JOB")]
        job: String,
        #[command(flatten)]
        admin: Administrator,
    },
    /// End a job everywhere.
    Abort {
        /// Its identity, the beginning of it, or its name.
        #[arg(value_name = "JOB")]
        job: String,
        /// For the job's history.
        #[arg(long, default_value = "aborted by an administrator")]
        reason: String,
        #[command(flatten)]
        admin: Administrator,
    },
    /// Show each new state of a job until it has ended; exit code 0 if it completed, 3 otherwise.
    Watch {
        /// Its identity, the beginning of it, or its name.
        #[arg(value_name = "JOB")]
        job: String,
        #[command(flatten)]
        admin: Administrator,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bundle {
    /// Hand a signed bundle to the server: from the next round on everybody is judged by it.
    #[command(after_help = "Example:\n  muster bundle publish kits/owner/bundle.cbor --kit kits/admin")]
    Publish {
        /// The bundle, `bundle.cbor` of any kit.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        admin: Administrator,
    },
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("source").required(true).args(["file", "import_nvflare"]))]
pub(crate) struct Provision {
    /// The description of the federation, federation.toml. Paths in it are relative to its folder.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Folder of the kits.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Read a provisioning of NVFlare instead (a folder prod_NN, or one that has project.yml and a folder for each
    /// participant) and write OUT/federation.toml from it. Policies, plugins and the end of the bundle have no place in
    /// NVFlare's files: they are left for the owner to complete, and nothing is guessed.
    #[arg(long, value_name = "DIR")]
    pub(crate) import_nvflare: Option<PathBuf>,
    /// The profile of an imported federation; only development has a place for NVFlare's MockAuthorizer.
    #[arg(long, value_enum, default_value_t = FederationProfile::Production, requires = "import_nvflare")]
    pub(crate) profile: FederationProfile,
    /// Output for people, or one JSON object on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// What a federation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FederationProfile {
    /// Real hardware only.
    Production,
    /// Emulated hardware, for trying things out.
    Development,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Transcript {
    /// Verify a transcript offline: every signature, every piece of evidence, every verdict. Admits nobody.
    #[command(after_help = TRANSCRIPT_EXAMPLES)]
    Verify(TranscriptVerify),
    /// Show who judged whom, when, and how. Only that the file is whole is checked.
    #[command(after_help = "Example:\n  muster transcript show 1780272000123-register.jsonl")]
    Show {
        /// The transcript.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Output for people, or one JSON object on standard output.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TranscriptVerify {
    /// The transcript.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Judge everybody as of this instant (RFC 3339) instead of the recorded ones.
    #[arg(long, value_name = "RFC3339", value_parser = value::instant)]
    pub(crate) at: Option<cc_core::UnixTime>,
    /// The federation, from your own kit. Without it the file's own descriptor is believed, and the result says so.
    #[arg(long, value_name = "FILE")]
    pub(crate) descriptor: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) plugins: Plugins,
    /// Output for people, or one JSON object on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, for example snp.signature.invalid.
    #[arg(value_name = "CODE", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) code: Option<String>,
    /// All codes.
    #[arg(long)]
    pub(crate) all: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t = ExplainFormat::Human)]
    pub(crate) format: ExplainFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Reference {
    /// The manual pages, one file for each command.
    Man {
        /// Folder to write them to.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// All help texts, as Markdown.
    Cli,
}

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    Human,
    /// One JSON object.
    Json,
}

/// How explanations are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// Text for people.
    Human,
    /// One JSON object.
    Json,
    /// A Markdown page.
    Markdown,
}
