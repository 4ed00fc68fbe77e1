//! Judging again: the same verification by the loaded plugins, with exactly the endorsements of the file.
//!
//! Nothing is fetched, cached or remembered, and [`Instant::Replayed`] admits nobody.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Finding, Instant, TrustClass, UnixTime, codes};
use cc_manager::attest::{Federation, PolicyFile, Subject, Verifier, VerifierSetup};
use cc_manager::fetch::{Fetcher, Roots, SystemEnvironment};
use cc_manager::{FetchConfig, Floors, Host};
use fed_proto::crypto::Digest;

use super::line::{Appraisal, Devices, Judging, Plugin};
use super::record::Transcript;
use super::report::Difference;

/// Verifies and appraises evidence for an instant.
pub(super) trait Rejudge {
    /// What comes out, in the form of the file.
    fn judge(&self, subject: &Subject, at: UnixTime) -> impl Future<Output = Judging>;
}

/// Why nothing can be judged again.
#[derive(Debug)]
pub(super) enum Unfit {
    /// The loaded plugins are none for the federation.
    Plugins(Finding),
    /// The site's policy is none for it.
    Policy(Finding),
}

/// By the loaded plugins.
#[derive(Debug)]
pub(super) struct Replayer(Verifier);

impl Replayer {
    /// In a federation, by this site policy.
    pub(super) fn new(host: Host, federation: Federation, site_policy: PolicyFile) -> Result<Self, Unfit> {
        let emulated = host.plugins().find(|plugin| plugin.identity().trust_class != TrustClass::Hardware);
        if let (Federation::Production, Some(plugin)) = (federation, emulated) {
            let text =
                format!("plugin {}: emulated, the federation is for production", plugin.identity().name);
            return Err(Unfit::Plugins(Finding::new(codes::POL_PROFILE_DEVELOPMENT, text)));
        }
        let offline = FetchConfig { offline: true, ..FetchConfig::default() };
        let environment = Arc::new(SystemEnvironment::new());
        let fetcher = Fetcher::new(&offline, &Roots::Only(Vec::new()), environment)
            .map_err(|error| Unfit::Plugins(Finding::new(codes::PLUG_CONFIG_INVALID, error.to_string())))?;
        Verifier::new(VerifierSetup {
            host,
            fetcher,
            floors: Floors::open(None),
            collateral: Vec::new(),
            patience: Duration::ZERO,
            federation,
            site_policy,
        })
        .map(Self)
        .map_err(Unfit::Policy)
    }
}

impl Rejudge for Replayer {
    async fn judge(&self, subject: &Subject, at: UnixTime) -> Judging {
        let judgement = self.0.judge(subject, Instant::Replayed(at)).await;
        Judging::of(subject, &judgement, *self.0.site_policy().sha256().as_bytes())
    }
}

/// The subject with the endorsements that the plugin was given then. What came with the token and is not among them was
/// left out for its size then, and is so again.
pub(super) fn with_used(subject: Subject, recorded: &Judging, transcript: &Transcript) -> Subject {
    let of_devices = recorded.devices.iter().flat_map(|devices| &devices.endorsements);
    let used = recorded.endorsements.iter().chain(of_devices);
    let mut all: Vec<Vec<u8>> =
        used.filter_map(|used| transcript.objects.get(&Digest(used.sha256.0)).cloned()).collect();
    for hint in &subject.endorsements {
        if !all.contains(hint) {
            all.push(hint.clone());
        }
    }
    Subject { endorsements: all, ..subject }
}

/// Where the recorded judgement and the new one differ. `denied_by_floors`: the recorded one ended at floors that are
/// not in the file, so that only what was judged is compared and not what came out.
pub(super) fn compare(recorded: &Judging, found: &Judging, denied_by_floors: bool) -> Vec<Difference> {
    let place = |what: &str| format!("judgement of {}: {what}", recorded.subject);
    let mut differences = Vec::new();
    let mut same = |what: &str, recorded: String, found: String| {
        if recorded != found {
            differences.push(Difference::between(place(what), recorded, found));
        }
    };
    let hex32 = |value: &Option<super::value::Hex<32>>| {
        value.map_or_else(|| "none".to_owned(), |hex| hex::encode(hex.0))
    };
    same("profile", recorded.profile.clone(), found.profile.clone());
    same("required profiles", recorded.required.join(", "), found.required.join(", "));
    same("evidence", hex::encode(recorded.evidence.0), hex::encode(found.evidence.0));
    same("expected binding", recorded.expected.clone(), found.expected.clone());
    same("init data", hex32(&recorded.init_data), hex32(&found.init_data));
    same("the owner's policy", hex32(&recorded.floor), hex32(&found.floor));
    same("the site's policy", hex::encode(recorded.site_policy.0), hex::encode(found.site_policy.0));
    let devices = |of: fn(&Devices) -> String| {
        let said = |judging: &Judging| judging.devices.as_ref().map_or_else(|| "none".to_owned(), of);
        (said(recorded), said(found))
    };
    let (was, is) = devices(|d| format!("{} {} {}", d.profile, hex::encode(d.evidence.0), d.expected));
    same("devices", was, is);
    if denied_by_floors {
        return differences;
    }
    let class = |plugin: &Option<Plugin>| {
        plugin.as_ref().map_or_else(|| "none".to_owned(), |p| p.trust_class.clone())
    };
    same("trust class", class(&recorded.plugin), class(&found.plugin));
    same("appraisals", appraisals(&recorded.appraisals), appraisals(&found.appraisals));
    let (was, is) = devices(|d| {
        d.plugin.as_ref().map_or_else(|| "not judged".to_owned(), |plugin| plugin.trust_class.clone())
    });
    same("trust class of the devices", was, is);
    let (was, is) = devices(|d| appraisals(&d.appraisals));
    same("appraisals of the devices", was, is);
    same("hardware", hardware(recorded), hardware(found));
    if recorded.code != found.code {
        let code = found.code.as_deref().and_then(|code| cc_core::Code::parse(code).ok());
        differences.insert(
            0,
            Difference {
                code: code.unwrap_or(codes::TR_REPLAY_DIFFERS),
                place: place("outcome"),
                recorded: outcome(recorded),
                found: outcome(found),
            },
        );
    }
    differences
}

fn outcome(judging: &Judging) -> String {
    let Judging { code, detail, at, .. } = judging;
    match code {
        None => format!("accepted as of {}", at.0),
        Some(code) => format!("{code} as of {}: {}", at.0, detail.as_deref().unwrap_or_default()),
    }
}

fn appraisals(list: &[Appraisal]) -> String {
    let all = list.iter().map(|appraisal| {
        let findings = appraisal.findings.iter();
        let findings: Vec<String> = findings
            .map(|finding| {
                format!("{}: got {}, want {} ({})", finding.code, finding.got, finding.want, finding.source)
            })
            .collect();
        let sha256 = hex::encode(appraisal.sha256.0);
        format!(
            "{} {} {sha256} {} [{}]",
            appraisal.owner,
            appraisal.profile,
            appraisal.status,
            findings.join("; ")
        )
    });
    all.collect::<Vec<_>>().join(", ")
}

fn hardware(judging: &Judging) -> String {
    let Some(found) = &judging.identifiers else { return "none".to_owned() };
    let hex = |blob: &super::value::Blob| hex::encode(&blob.0);
    let optional = |blob: &Option<super::value::Blob>| blob.as_ref().map_or_else(|| "none".to_owned(), hex);
    let devices: Vec<String> = found.devices.iter().map(hex).collect();
    format!(
        "guest {}, chip {}, devices [{}]",
        optional(&found.guest),
        optional(&found.chip),
        devices.join(", ")
    )
}
