//! `muster evidence show|verify|appraise`: reads files, runs the host's pipeline, makes the result object.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cc_core::limits::MAX_MESSAGE;
use cc_core::{Finding, Instant, Profile, Waivers, codes};
use cc_manager::clock;
use cc_manager::endorsements::{self, Loaded, Origin};
use cc_manager::fetch::{Fetcher, Roots, SystemEnvironment};
use cc_manager::{
    Config, Expectation, Floors, Host, ImportError, Imported, Judged, NoPlugin, PluginInfo, Request,
    Verification,
};
use cc_policy::{Context, InitData, Policy, UserData};

use crate::cli::{Appraise, Format, Plugins, Show, Verify};
use crate::exit::{Exit, Failure, Result};
use crate::report::{AppraisalReport, EndorsementRef, PluginRef, RequestRef, Shown, Verdict};
use crate::{human, output, plugin, policy};

const VERIFY: &str = "muster.evidence.verify/1";
const APPRAISE: &str = "muster.evidence.appraise/1";
const SHOW: &str = "muster.evidence.show/1";

/// Largest file that is read as evidence, in bytes: the largest message to a plugin.
const MAX_EVIDENCE_FILE: usize = MAX_MESSAGE;
/// Largest init data, in bytes.
const MAX_INIT_DATA: usize = MAX_MESSAGE;

/// For how long fetching is tried, for all endorsements together.
const PATIENCE: Duration = Duration::from_secs(30);

/// `evidence show`.
pub(crate) fn show(command: &Show) -> Result {
    let source = &command.source;
    let profile = profile(&source.profile)?;
    let file = read(&source.evidence, MAX_EVIDENCE_FILE)?;
    let mut shown = Shown {
        schema: SHOW,
        profile: profile.to_string(),
        verified: false,
        code: None,
        detail: None,
        plugin: None,
        requests: Vec::new(),
        claims: cc_core::Claims::new(),
    };
    let supplied = supplied(&command.endorsements)?;
    let result = match loaded(&source.plugins)? {
        Err((exit, finding)) => Err((exit, finding)),
        Ok((host, _)) => match import(&profile, &file, &source.evidence) {
            Err(finding) => Err((Exit::Rejected, finding)),
            Ok(Imported { evidence, endorsements }) => {
                let endorsements = supplied.endorsements.into_iter().chain(endorsements).collect();
                match runtime()?.block_on(cc_manager::show(&host, &profile, &evidence, endorsements)) {
                    Err(error) => Err(no_plugin(&error)?),
                    Ok(read) => {
                        shown.plugin = Some((&read.plugin).into());
                        read.result.map_err(|finding| (finding.code.class().into(), finding))
                    }
                }
            }
        },
    };
    let exit = match result {
        Ok((claims, requests)) => {
            shown.claims = claims.inspect_unverified().clone();
            shown.requests = requests
                .into_iter()
                .map(|request| RequestRef { kind: request.kind, url: request.url })
                .collect();
            Exit::Accepted
        }
        Err((exit, finding)) => {
            shown.code = Some(finding.code.to_string());
            shown.detail = Some(finding.detail);
            exit
        }
    };
    match source.format {
        Format::Json => output::json(&shown)?,
        Format::Human => output::text(&human::shown(&shown))?,
    }
    Ok(exit)
}

fn supplied(paths: &[PathBuf]) -> std::result::Result<Loaded, Failure> {
    endorsements::load(paths, Origin::Administrator)
        .map_err(|error| Failure::new(format!("endorsements: {error}")))
}

/// `evidence verify`.
pub(crate) fn verify(command: Verify) -> Result {
    let format = command.source.format;
    let (exit, verdict, _) = verdict(VERIFY, command)?;
    print(format, exit, &verdict)
}

/// `evidence appraise`.
pub(crate) fn appraise(command: Appraise) -> Result {
    let format = command.verify.source.format;
    let policy = policy::load(&command.policy)?;
    let init_data = match &command.init_data {
        None => InitData::NotCarried,
        Some(path) => cc_manager::init_data(&read(path, MAX_INIT_DATA)?),
    };
    let profile = profile(&command.verify.source.profile)?;
    let user_data = UserData::of(command.verify.expect_binding.as_ref());
    let (exit, mut verdict, judged) = verdict(APPRAISE, command.verify)?;
    let (exit, report) = match judged {
        None => {
            let policy_profile = policy.profile().to_owned();
            (exit, AppraisalReport { status: "none".to_owned(), policy_profile, findings: Vec::new() })
        }
        Some(judged) => appraised(&judged, &profile, &policy, (init_data, user_data)),
    };
    verdict.appraisal = Some(report);
    print(format, exit, &verdict)
}

fn appraised(
    judged: &Judged,
    profile: &Profile,
    policy: &Policy,
    (init_data, user_data): (InitData, UserData),
) -> (Exit, AppraisalReport) {
    let authentic = judged.authentic();
    let context = Context { now: authentic.at().time(), init_data, user_data };
    let appraisal = cc_policy::appraise(authentic, profile, policy, &context);
    let exit = match appraisal.status {
        cc_policy::Status::Affirming => Exit::Accepted,
        _ => Exit::NotAffirmed,
    };
    (exit, AppraisalReport::new(&appraisal, policy))
}

fn print(format: Format, exit: Exit, verdict: &Verdict) -> Result {
    match format {
        Format::Json => output::json(verdict)?,
        Format::Human => output::text(&human::verdict(verdict))?,
    }
    Ok(exit)
}

/// Verifies and makes the result object; accepted evidence comes along for appraisal.
fn verdict(
    schema: &'static str,
    command: Verify,
) -> std::result::Result<(Exit, Verdict, Option<Judged>), Failure> {
    let Verify { source, endorsements: paths, at, expect_binding, waive, offline } = command;
    let profile = profile(&source.profile)?;
    expect_binding.iter().try_for_each(|binding| fits(&profile, binding))?;
    let waivers = Waivers::new(waive).map_err(|code| Failure::new(format!("{code} cannot be waived")))?;
    let file = read(&source.evidence, MAX_EVIDENCE_FILE)?;
    let supplied = supplied(&paths)?;
    supplied.notes.iter().for_each(|note| tracing::warn!("{}", output::visible(note)));

    let given = at;
    let denied = |exit: Exit, finding: &Finding| {
        let mut verdict = Verdict::denied(schema, profile.as_str(), finding);
        verdict.at = given.map(|at| at.to_string());
        verdict.replayed = given.is_some();
        Ok((exit, verdict, None))
    };
    let (host, mut config) = match loaded(&source.plugins)? {
        Ok(loaded) => loaded,
        Err((exit, finding)) => return denied(exit, &finding),
    };
    let at = match given.map_or_else(|| clock::now().map(Instant::Present), |at| Ok(Instant::Replayed(at))) {
        Ok(at) => at,
        Err(finding) => return denied(Exit::Rejected, &finding),
    };
    let imported = match import(&profile, &file, &source.evidence) {
        Ok(imported) => imported,
        Err(finding) => return denied(Exit::Rejected, &finding),
    };
    config.fetch.offline |= offline;
    config.fetch.cache_dir = config.fetch.cache_dir.or_else(default_cache);
    let request = Request {
        profile: profile.clone(),
        evidence: imported.evidence,
        endorsements: supplied.endorsements.into_iter().chain(imported.endorsements).collect(),
        waivers,
        at,
        expected: expect_binding.map_or(Expectation::NotCompared, Expectation::Compare),
        patience: PATIENCE,
    };
    match run_pipeline(&host, &config, request)? {
        Ok(verification) => Ok(reported(schema, verification)),
        Err(error) => no_plugin(&error).and_then(|(exit, finding)| denied(exit, &finding)),
    }
}

/// A binding of another length than the profile's evidence carries is a usage error: it could never match.
pub(crate) fn fits(profile: &Profile, binding: &cc_core::Binding) -> std::result::Result<(), Failure> {
    let (length, wanted) = (binding.as_bytes().len(), profile.binding_lengths());
    if wanted.contains(&length) {
        return Ok(());
    }
    let wanted: Vec<_> = wanted.iter().map(ToString::to_string).collect();
    let wanted = wanted.join(" or ");
    Err(Failure::new(format!(
        "evidence of profile {profile} is bound to {wanted} bytes, {length} were given"
    )))
}

fn runtime() -> std::result::Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)
}

fn run_pipeline(
    host: &Host,
    config: &Config,
    request: Request,
) -> std::result::Result<std::result::Result<Verification, NoPlugin>, Failure> {
    let fetcher = Fetcher::new(&config.fetch, &Roots::System, Arc::new(SystemEnvironment::new()))
        .map_err(Failure::new)?;
    let floors = Floors::open(config.fetch.cache_dir.clone());
    Ok(runtime()?.block_on(cc_manager::verify(host, &fetcher, &floors, request)))
}

fn reported(schema: &'static str, verification: Verification) -> (Exit, Verdict, Option<Judged>) {
    for note in &verification.notes {
        // Where it mattered, the result says so; the addresses are for those who look closer.
        tracing::info!("{note}");
    }
    let profile = verification.profile.as_str();
    let (exit, mut verdict, judged) = match verification.result {
        Err(finding) => (finding.code.class().into(), Verdict::denied(schema, profile, &finding), None),
        Ok(judged) => (Exit::Accepted, accepted(schema, profile, &judged), Some(judged)),
    };
    verdict.at = Some(verification.at.time().to_string());
    verdict.replayed = verification.at.is_replayed();
    verdict.plugin = Some((&verification.plugin).into());
    verdict.endorsements = verification
        .endorsements
        .into_iter()
        .map(|used| EndorsementRef { kind: used.kind, sha256: used.sha256.to_string(), source: used.source })
        .collect();
    (exit, verdict, judged)
}

fn accepted(schema: &'static str, profile: &str, judged: &Judged) -> Verdict {
    let authentic = judged.authentic();
    Verdict {
        schema,
        profile: profile.to_owned(),
        outcome: "accept",
        code: None,
        detail: None,
        at: None,
        replayed: false,
        plugin: None,
        endorsements: Vec::new(),
        waived: authentic.waived().iter().map(ToString::to_string).collect(),
        binding: match judged {
            Judged::Authentic(_) => "not-compared",
            Judged::Verified(_) => "matched",
        },
        claims: authentic.value().clone(),
        appraisal: None,
    }
}

/// Loads the plugins. The inner error is a loading failure to be reported as a result; one of the configuration is a
/// usage failure.
#[expect(clippy::type_complexity, reason = "a result within a result, used in this file only")]
pub(crate) fn loaded(
    plugins: &Plugins,
) -> std::result::Result<std::result::Result<(Host, Config), (Exit, Finding)>, Failure> {
    match plugin::load(plugins) {
        Ok(loaded) => Ok(Ok(loaded)),
        Err(errors) => match plugin::exit_of(&errors) {
            Exit::Usage => {
                let failure = Failure::new(&errors);
                Err(match errors.first().hint() {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                })
            }
            exit => {
                plugin::print_load_errors(&errors);
                let first = errors.first();
                let detail = format!("{}: {}", first.path.display(), first.detail);
                Ok(Err((exit, Finding::new(first.code.clone(), detail))))
            }
        },
    }
}

/// An unknown profile is a usage failure, one that is not served a result.
pub(crate) fn no_plugin(error: &NoPlugin) -> std::result::Result<(Exit, Finding), Failure> {
    match error {
        NoPlugin::UnknownProfile(_) => {
            Err(Failure::new(error).hint("`muster plugin list` shows the profiles that the plugins serve"))
        }
        NoPlugin::NotServed { .. } => {
            Ok((Exit::Plugin, Finding::new(codes::PLUG_PROFILE_UNSERVED, error.to_string())))
        }
    }
}

pub(crate) fn profile(name: &str) -> std::result::Result<Profile, Failure> {
    Profile::parse(name).ok_or_else(|| {
        Failure::new(format!("`{name}` is not the name of a profile"))
            .hint("a profile looks like snp-raw-1; `muster plugin list` shows those that the plugins serve")
    })
}

/// What is not a form of the profile's evidence is refused with a code, like everything that an attester may send.
fn import(profile: &Profile, file: &[u8], path: &Path) -> std::result::Result<Imported, Finding> {
    cc_manager::import(profile, file, &path.display().to_string()).map_err(|error| {
        let code = match error {
            ImportError::Size { .. } => codes::ENV_SIZE_EXCEEDED,
            _ => codes::ENV_FORMAT_INVALID,
        };
        Finding::new(code, error.to_string())
    })
}

/// Reads a file of at most `limit` bytes, whatever its size is said to be.
pub(crate) fn read(path: &Path, limit: usize) -> std::result::Result<Vec<u8>, Failure> {
    let fail = |error: std::io::Error| Failure::new(format!("cannot read {}: {error}", path.display()));
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .map_err(fail)?
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    if bytes.len() > limit {
        return Err(Failure::new(format!("{} has more than {limit} bytes", path.display())));
    }
    Ok(bytes)
}

/// The user's cache folder, where the configuration names none.
fn default_cache() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("muster"))
}

impl From<&PluginInfo> for PluginRef {
    fn from(info: &PluginInfo) -> Self {
        Self {
            name: info.name.clone(),
            version: info.version.clone(),
            sha256: info.sha256.to_string(),
            trust_class: info.trust_class.to_string(),
        }
    }
}
