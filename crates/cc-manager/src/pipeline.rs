//! The verification pipeline, and the only place that may call something authentic.
//!
//! `verify`: 1 `limits`  2 `plan`  3 `fetch` what is missing, and plan again with it  4 `verify` by the plugin, held to the
//! contract  5 `floors`  6 `binding`. The first denial ends it; but if what the cache has served for long took part in 4
//! or 5, that is fetched anew once and judged again. Nothing here judges whether claims are acceptable.

use std::sync::Arc;
use std::time::Duration;

use cc_core::message::{
    Blob, CollectRequest, EndorsementRequest, Floor, MESSAGE_VERSION, Plan, PlanRequest, VerifyRequest,
};
use cc_core::{
    Accepted, Authentic, Binding, BoundField, Claims, Class, Finding, Instant, Profile, Role, TrustClass,
    UnixTime, Unverified, Verified, Waivers, codes,
};

use crate::bound;
use crate::collateral::Collateral;
use crate::contract::UNKNOWN;
use crate::endorsements::{Endorsement, Origin};
use crate::fetch::{Fetcher, Keep};
use crate::{Floors, Host, Plugin, Sha256};

/// The profiles that this project defines (*verification.md* 0.12); a vendor's plugin may bring others.
const PROFILES: [&str; 6] =
    ["aci-maa-1", "aci-raw-1", "az-cvm-vtpm-1", "nv-spdm-1", "snp-raw-1", "tdx-quote-1"];

/// Most plans for one verification: endorsements may name others that are needed in turn.
const MAX_PLANS: usize = 3;

/// What to verify, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which kind of evidence it is.
    pub profile: Profile,
    /// The raw evidence.
    pub evidence: Vec<u8>,
    /// Endorsements at hand; candidates are tried in this order.
    pub endorsements: Vec<Endorsement>,
    /// Which missing collateral the caller lives with.
    pub waivers: Waivers,
    /// The instant for which to judge; the caller answers for the clock. The present goes on while endorsements are
    /// fetched: an answer that was given meanwhile is not one of the future. A replay writes no cache and no floor, and
    /// floors, being knowledge of the present, are not applied to it.
    pub at: Instant,
    /// What the evidence must be bound to.
    pub expected: Expectation,
    /// For how long fetching may be tried, all endorsements together.
    pub patience: Duration,
}

/// What the evidence must be bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Exactly these bytes.
    Compare(Binding),
    /// Nothing in particular: the result is authentic, not verified.
    NotCompared,
}

/// Which plugin answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Digest of its library.
    pub sha256: Sha256,
    /// What stands behind the evidence that it accepts.
    pub trust_class: TrustClass,
}

impl PluginInfo {
    fn of(plugin: &Plugin) -> Self {
        let identity = plugin.identity();
        Self {
            name: identity.name.clone(),
            version: identity.plugin_version.clone(),
            sha256: plugin.sha256(),
            trust_class: identity.trust_class,
        }
    }
}

/// An endorsement that took part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedEndorsement {
    /// What the plugin took it for, for example `snp.vcek`; `unknown` when it could not use it.
    pub kind: String,
    /// Digest of the object.
    pub sha256: Sha256,
    /// The object.
    pub bytes: Vec<u8>,
    /// File or address that it came from.
    pub source: String,
}

/// The result of a verification.
#[derive(Clone, Debug)]
pub struct Verification {
    /// Who verified.
    pub plugin: PluginInfo,
    /// The profile.
    pub profile: Profile,
    /// The instant for which it was judged.
    pub at: Instant,
    /// Every endorsement that was handed to the plugin, in order.
    pub endorsements: Vec<UsedEndorsement>,
    /// What else people should know: what could not be fetched, what was left out.
    pub notes: Vec<String>,
    /// What the evidence says, or why it is denied; [`Code::class`](cc_core::Code::class) of the finding tells
    /// a rejection from an undecided case.
    pub result: Result<Judged, Finding>,
}

/// Accepted evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Authentic; the binding was not compared.
    Authentic(Authentic<Claims>),
    /// Authentic, and bound to what was expected.
    Verified(Verified<Claims>),
}

impl Judged {
    /// The authentic claims, whether or not the binding was compared.
    pub const fn authentic(&self) -> &Authentic<Claims> {
        match self {
            Self::Authentic(authentic) => authentic,
            Self::Verified(verified) => verified.authentic(),
        }
    }
}

/// There is no plugin to ask.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlugin {
    /// The profile is served by no loaded plugin.
    #[error("no loaded plugin can {role} evidence of profile {profile}")]
    NotServed {
        /// The profile.
        profile: Profile,
        /// What was wanted.
        role: Role,
    },
    /// The profile is none that this project or a loaded plugin defines.
    #[error("there is no profile {0}")]
    UnknownProfile(Profile),
}

fn no_plugin(host: &Host, profile: &Profile, role: Role) -> NoPlugin {
    let mut claimed = host.plugins().flat_map(|plugin| &plugin.identity().profiles);
    if PROFILES.contains(&profile.as_str()) || claimed.any(|info| info.profile == *profile) {
        NoPlugin::NotServed { profile: profile.clone(), role }
    } else {
        NoPlugin::UnknownProfile(profile.clone())
    }
}

/// Verifies evidence: see the module's text for the steps.
pub async fn verify(
    host: &Host,
    fetcher: &Fetcher,
    floors: &Floors,
    request: Request,
) -> Result<Verification, NoPlugin> {
    let Request { profile, evidence, endorsements, waivers, at: asked, expected, patience } = request;
    let mut at = asked;
    let plugin =
        host.serving(&profile, Role::Verify).ok_or_else(|| no_plugin(host, &profile, Role::Verify))?;
    let (mut collateral, fits) = match Collateral::new(&profile, &evidence, endorsements) {
        Ok(collateral) => (collateral, Ok(())),
        Err(finding) => (Collateral::default(), Err(finding)),
    };
    // Read here and not asked of the plugin, so that a mismatch counts even where the plugin cannot decide.
    let stated = bound::stated(&profile, &evidence);
    // Devices that answer different nonces are bound to nothing. What else is wrong with evidence is the plugin's to say.
    let fits = fits.and_then(|()| match &stated {
        Err(finding) if finding.code == codes::BIND_GPU_NONCE_MISMATCH => Err(finding.clone()),
        _ => Ok(()),
    });
    let keep = if at.is_replayed() { Keep::No } else { Keep::Yes };
    let (began, deadline) = (fetcher.elapsed(), fetcher.deadline(patience));
    let mut prepared = fits;
    for _ in 0..MAX_PLANS {
        let plan = match prepared {
            Ok(()) => prepare(plugin, &profile, &evidence, &collateral).await,
            Err(finding) => Err(finding),
        };
        let requests = plan.map(|plan| plan.requests);
        prepared = requests.as_ref().map(|_| ()).map_err(Clone::clone);
        // Without anything new the next plan would be the same.
        if !collateral.fetch(fetcher, requests.unwrap_or_default(), deadline, keep).await {
            break;
        }
    }
    let call = VerifyRequest {
        version: MESSAGE_VERSION,
        profile: profile.clone(),
        evidence,
        endorsements: Vec::new(),
        waivers: waivers.codes().iter().map(|code| code.as_str().to_owned()).collect(),
        vouched: Vec::new(),
        now: at.time(),
    };
    let result = match prepared {
        Ok(()) => {
            at = later(asked, fetcher.elapsed().saturating_sub(began));
            let judged = judge(plugin, &call, &mut collateral, at, floors).await;
            // For the past nothing newer would do.
            let may_refresh = judged.is_err() && !at.is_replayed();
            if may_refresh && collateral.refresh(fetcher, deadline, keep).await {
                at = later(asked, fetcher.elapsed().saturating_sub(began));
                judge(plugin, &call, &mut collateral, at, floors).await
            } else {
                judged
            }
        }
        Err(finding) => Err(finding),
    };
    let result = result.and_then(|authentic| {
        if !at.is_replayed() {
            collateral.confirm(fetcher);
        }
        match &expected {
            Expectation::Compare(binding) => authentic.compare(binding).map(Judged::Verified),
            Expectation::NotCompared => Ok(Judged::Authentic(authentic)),
        }
    });
    let result = result.map_err(|finding| refuted(finding, &stated, &expected, &collateral));
    let notes = collateral.notes();
    let Collateral { endorsements, kinds, .. } = collateral;
    let kinds = kinds.into_iter().map(Some).chain(std::iter::repeat(None));
    let used = endorsements.into_iter().zip(kinds).map(|(endorsement, kind)| UsedEndorsement {
        kind: kind.unwrap_or_else(|| UNKNOWN.to_owned()),
        sha256: endorsement.sha256,
        bytes: endorsement.bytes,
        source: endorsement.source,
    });
    let plugin = PluginInfo::of(plugin);
    Ok(Verification { plugin, profile, at, endorsements: used.collect(), notes, result })
}

/// The denial that counts: a rejection at once; of an undecided case a binding that does not match, since any
/// rejection comes before what is undecided (*decisions.md* 1); otherwise the undecided case, with its reasons.
fn refuted(
    finding: Finding,
    stated: &Result<Option<BoundField>, Finding>,
    expected: &Expectation,
    collateral: &Collateral,
) -> Finding {
    if finding.code.class() == Class::Indeterminate {
        match (stated, expected) {
            (Ok(Some(field)), Expectation::Compare(binding)) => {
                if let Err(mismatch) = field.compare(binding) {
                    return mismatch;
                }
            }
            (Err(apart), _) if apart.code == codes::BIND_RUNTIME_DATA_MISMATCH => return apart.clone(),
            _ => {}
        }
    }
    collateral.explain(finding)
}

/// Step 2.
async fn prepare(
    plugin: &Arc<Plugin>,
    profile: &Profile,
    evidence: &[u8],
    collateral: &Collateral,
) -> Result<Plan, Finding> {
    let request = PlanRequest {
        version: MESSAGE_VERSION,
        profile: profile.clone(),
        evidence: evidence.to_vec(),
        endorsements: collateral.blobs(),
    };
    plugin.ask(move |plugin| plugin.plan(&request)).await
}

/// The instant so much later, unless it is a replayed one; begun seconds count.
pub(crate) fn later(at: Instant, passed: Duration) -> Instant {
    let seconds = passed.as_secs().saturating_add(u64::from(passed.subsec_nanos() != 0));
    match at {
        Instant::Present(time) => {
            Instant::Present(UnixTime::from_secs(time.as_secs().saturating_add(seconds)))
        }
        Instant::Replayed(_) => at,
    }
}

/// Steps 4 and 5.
async fn judge(
    plugin: &Arc<Plugin>,
    call: &VerifyRequest,
    collateral: &mut Collateral,
    at: Instant,
    floors: &Floors,
) -> Result<Authentic<Claims>, Finding> {
    let (endorsements, vouched) = (collateral.blobs(), collateral.vouched());
    let request = VerifyRequest { endorsements, vouched, now: at.time(), ..call.clone() };
    let answer = plugin.ask(move |plugin| plugin.verify(&request)).await?;
    collateral.kinds = answer.recognised;
    let Accepted { claims, bound, waived } = answer.outcome?;
    let trust_class = plugin.identity().trust_class;
    if !at.is_replayed() {
        let numbers = answer.floors.into_iter().map(|floor| {
            let origin = collateral.origin(&floor);
            // What synthetic anchors authenticated must not move the floors of real collateral.
            (Floor { name: format!("{trust_class}/{}/{}", call.profile, floor.name), ..floor }, origin)
        });
        floors.admit(&numbers.collect::<Vec<_>>())?;
    }
    Ok(Authentic::assertion(claims, bound, waived, at, trust_class))
}

/// What evidence says before anybody verified it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Who read it.
    pub plugin: PluginInfo,
    /// The profile.
    pub profile: Profile,
    /// The unverified claims with what verification would need beyond the endorsements at hand, or why the
    /// evidence is not readable.
    pub result: Result<(Unverified<Claims>, Vec<EndorsementRequest>), Finding>,
}

/// Reads evidence without verifying it.
pub async fn show(
    host: &Host,
    profile: &Profile,
    evidence: &[u8],
    endorsements: Vec<Endorsement>,
) -> Result<Shown, NoPlugin> {
    let plugin = host.serving(profile, Role::Verify).ok_or_else(|| no_plugin(host, profile, Role::Verify))?;
    let collateral = Collateral::new(profile, evidence, endorsements);
    let plan = match collateral {
        Ok(collateral) => prepare(plugin, profile, evidence, &collateral).await,
        Err(finding) => Err(finding),
    };
    let result = plan.map(|plan| (Unverified::new(plan.claims), plan.requests));
    Ok(Shown { plugin: PluginInfo::of(plugin), profile: profile.clone(), result })
}

/// Fresh evidence of this machine.
#[derive(Clone, Debug)]
pub struct Collection {
    /// Who collected it.
    pub plugin: PluginInfo,
    /// The profile.
    pub profile: Profile,
    /// The evidence with the endorsements that came with it, or why there is none.
    pub result: Result<(Vec<u8>, Vec<Endorsement>), Finding>,
}

/// Obtains evidence of this machine with `binding` in it.
pub async fn collect(host: &Host, profile: &Profile, binding: Binding) -> Result<Collection, NoPlugin> {
    let plugin =
        host.serving(profile, Role::Collect).ok_or_else(|| no_plugin(host, profile, Role::Collect))?;
    let (info, plugin, expected) = (PluginInfo::of(plugin), plugin.clone(), binding.clone());
    let request = CollectRequest { version: MESSAGE_VERSION, profile: profile.clone(), binding };
    // The hardware may take seconds.
    let collected = tokio::task::spawn_blocking(move || plugin.collect(&request)).await;
    let collected = collected.unwrap_or_else(|error| {
        Err(Finding::new(codes::PLUG_PANICKED, format!("collection ended: {error}")))
    });
    let result = collected.and_then(|collected| {
        if let Some(field) = bound::stated(profile, &collected.evidence)? {
            field.compare(&expected)?;
        }
        let source = format!("collected by {}", info.name);
        let endorsements = collected.endorsements.into_iter();
        let endorsements =
            endorsements.map(|Blob(bytes)| Endorsement::new(bytes, source.clone(), Origin::Attester));
        Ok((collected.evidence, endorsements.collect()))
    });
    Ok(Collection { plugin: info, profile: profile.clone(), result })
}
