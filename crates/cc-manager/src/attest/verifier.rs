//! The judging part: verification by a plugin, then appraisal by two policies.
//!
//! `judge`: 1 `required`  2 `verify` (the pipeline: plugin, floors, binding)  3 `trust class`  4 `appraise` by the
//! federation's policy, then by the site's  5 `identifiers`  6 `devices`, if there are any: steps 2 to 5 for their
//! evidence. The first denial is the outcome; both appraisals are made, whatever the first one found.

use std::time::Duration;

use cc_core::{Binding, ClaimValue, Claims, Finding, Instant, Profile, TrustClass, Verified, Waivers, codes};
use cc_policy::{Context, Policy, UserData};

use super::judgement::{Identifiers, JudgedDevices, Judgement, PolicyAppraisal, PolicyOwner};
use super::{DeviceEvidence, OwnerFloor, PolicyFile, Subject};
use crate::endorsements::{Endorsement, Origin};
use crate::fetch::Fetcher;
use crate::pipeline::{Judged, NoPlugin, Request};
use crate::{Expectation, Floors, Host, Verification, verify};

/// What the federation's descriptor says it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Federation {
    /// Emulated hardware and policies for development are acceptable. Every result says so.
    Development,
    /// Real hardware and production policies only.
    Production,
}

/// What a verifier is made of.
#[derive(Debug)]
pub struct VerifierSetup {
    /// The plugins.
    pub host: Host,
    /// Fetches endorsements that nobody supplied.
    pub fetcher: Fetcher,
    /// The rollback floors.
    pub floors: Floors,
    /// Endorsements that the administrator loaded.
    pub collateral: Vec<Endorsement>,
    /// For how long fetching may be tried for one subject.
    pub patience: Duration,
    /// The federation's profile.
    pub federation: Federation,
    /// The site's own policy.
    pub site_policy: PolicyFile,
}

/// Judges evidence by the federation's policy and by the site's.
#[derive(Debug)]
pub struct Verifier {
    setup: VerifierSetup,
}

impl Verifier {
    /// A verifier, unless plugins or policy are none for the federation (`pol.profile.development`).
    pub fn new(setup: VerifierSetup) -> Result<Self, Finding> {
        for plugin in setup.host.plugins() {
            let identity = plugin.identity();
            fits(setup.federation, identity.trust_class, &format!("plugin {}", identity.name))?;
        }
        policy_fits(setup.federation, &setup.site_policy, PolicyOwner::Site)?;
        Ok(Self { setup })
    }

    /// The plugins.
    pub const fn host(&self) -> &Host {
        &self.setup.host
    }

    /// The site's own policy.
    pub const fn site_policy(&self) -> &PolicyFile {
        &self.setup.site_policy
    }

    /// Judges a subject for an instant: see the module's text for the steps.
    pub async fn judge(&self, subject: &Subject, at: Instant) -> Judgement {
        let mut judgement = Judgement {
            name: subject.name.clone(),
            profile: subject.profile.clone(),
            at,
            plugin: None,
            endorsements: Vec::new(),
            notes: Vec::new(),
            appraisals: Vec::new(),
            devices: None,
            verified: None,
            outcome: Err(Finding::new(codes::BIND_REPORT_DATA_MISMATCH, "nothing was compared yet")),
        };
        judgement.outcome = self.run(subject, &mut judgement).await;
        judgement
    }

    async fn run(&self, subject: &Subject, judgement: &mut Judgement) -> Result<Identifiers, Finding> {
        subject.shows_what_is_required()?;
        let policies = self.policies(subject)?;
        let request = self.request(subject, judgement.at, &policies);
        let VerifierSetup { host, fetcher, floors, .. } = &self.setup;
        let verification = verify(host, fetcher, floors, request).await.map_err(|error| unserved(&error))?;
        let Verification { plugin, at, endorsements, notes, result, .. } = verification;
        // Fetching takes time: what is kept is the instant at which it was judged, so that judging again finds the same.
        judgement.at = at;
        (judgement.plugin, judgement.endorsements, judgement.notes) = (Some(plugin), endorsements, notes);
        let verified = match result? {
            Judged::Verified(verified) => verified,
            Judged::Authentic(authentic) => authentic.compare(&subject.expected)?,
        };
        judgement.verified = Some(verified.clone());
        judgement.appraisals =
            self.appraise(&verified, subject, &subject.profile, judgement.at, &policies)?;
        judgement.appraisals.iter().try_for_each(PolicyAppraisal::affirmed)?;
        let mut identifiers = identifiers(&subject.profile, &verified)?;
        if let Some(shown) = &subject.devices {
            identifiers.devices = self.devices(subject, shown, &policies, judgement).await?;
        }
        Ok(identifiers)
    }

    /// Step 6: the devices that the processor vouches for. Returns what identifies them.
    async fn devices(
        &self,
        subject: &Subject,
        shown: &DeviceEvidence,
        policies: &[(PolicyOwner, &PolicyFile)],
        judgement: &mut Judgement,
    ) -> Result<Vec<Vec<u8>>, Finding> {
        let request = Request {
            profile: shown.profile.clone(),
            evidence: shown.evidence.clone(),
            expected: Expectation::Compare(shown.expected.clone()),
            ..self.request(subject, judgement.at, policies)
        };
        let VerifierSetup { host, fetcher, floors, .. } = &self.setup;
        let verification = verify(host, fetcher, floors, request).await.map_err(|error| unserved(&error))?;
        let Verification { plugin, profile, at, endorsements, notes, result } = verification;
        judgement.at = at;
        let appraisals = Vec::new();
        let judged = JudgedDevices { profile, plugin, endorsements, notes, appraisals, verified: None };
        let judged = judgement.devices.insert(judged);
        let verified = match result? {
            Judged::Verified(verified) => verified,
            Judged::Authentic(authentic) => authentic.compare(&shown.expected)?,
        };
        judged.verified = Some(verified.clone());
        judged.appraisals = self.appraise(&verified, subject, &shown.profile, judgement.at, policies)?;
        judged.appraisals.iter().try_for_each(PolicyAppraisal::affirmed)?;
        device_identifiers(&verified)
    }

    /// What every policy says of verified evidence, whatever the first one finds.
    fn appraise(
        &self,
        verified: &Verified<Claims>,
        subject: &Subject,
        profile: &Profile,
        at: Instant,
        policies: &[(PolicyOwner, &PolicyFile)],
    ) -> Result<Vec<PolicyAppraisal>, Finding> {
        let authentic = verified.authentic();
        fits(self.setup.federation, authentic.trust_class(), &format!("evidence of {}", subject.name))?;
        let user_data = UserData::of(Some(&subject.expected));
        let context = Context { now: at.time(), init_data: subject.init_data, user_data };
        let appraised = policies.iter().map(|(owner, file)| PolicyAppraisal {
            owner: *owner,
            sha256: file.sha256(),
            policy_profile: file.policy().profile(),
            appraisal: cc_policy::appraise(authentic, profile, file.policy(), &context),
        });
        Ok(appraised.collect())
    }

    /// Verifies this machine's own evidence, with the waivers of the site's policy.
    pub(super) async fn verify_own(
        &self,
        profile: &Profile,
        evidence: Vec<u8>,
        endorsements: Vec<Endorsement>,
        expected: Binding,
        at: Instant,
    ) -> Result<Verification, Finding> {
        let VerifierSetup { host, fetcher, floors, collateral, patience, site_policy, .. } = &self.setup;
        let request = Request {
            profile: profile.clone(),
            evidence,
            endorsements: collateral.iter().cloned().chain(endorsements).collect(),
            waivers: site_policy.policy().waivers(),
            at,
            expected: Expectation::Compare(expected),
            patience: *patience,
        };
        verify(host, fetcher, floors, request).await.map_err(|error| unserved(&error))
    }

    /// The policies that must affirm, the floor first.
    fn policies<'a>(&'a self, subject: &'a Subject) -> Result<Vec<(PolicyOwner, &'a PolicyFile)>, Finding> {
        let floor = match &subject.floor {
            OwnerFloor::Policy(floor) => Some((PolicyOwner::Federation, floor.as_ref())),
            OwnerFloor::NoFederation => None,
        };
        if let Some((owner, floor)) = floor {
            policy_fits(self.setup.federation, floor, owner)?;
        }
        Ok(floor.into_iter().chain([(PolicyOwner::Site, &self.setup.site_policy)]).collect())
    }

    fn request(&self, subject: &Subject, at: Instant, policies: &[(PolicyOwner, &PolicyFile)]) -> Request {
        let source = format!("sent by {}", subject.name);
        let hints = subject.endorsements.iter();
        let hints = hints.map(|bytes| Endorsement::new(bytes.clone(), source.clone(), Origin::Attester));
        Request {
            profile: subject.profile.clone(),
            evidence: subject.evidence.clone(),
            endorsements: self.setup.collateral.iter().cloned().chain(hints).collect(),
            waivers: waivers(policies.iter().map(|(_, file)| file.policy())),
            at,
            expected: Expectation::Compare(subject.expected.clone()),
            patience: self.setup.patience,
        }
    }
}

/// What every policy waives, and nothing else (*decisions.md* 3).
fn waivers<'a>(policies: impl Iterator<Item = &'a Policy> + Clone) -> Waivers {
    let common = policies.clone().next().map(Policy::waivers).unwrap_or(Waivers::none());
    let by_all = common.codes().iter().filter(|code| policies.clone().all(|p| p.waivers().covers(code)));
    // Codes of waivers can be waived.
    Waivers::new(by_all.cloned()).unwrap_or(Waivers::none())
}

/// Emulated hardware has no place in a production federation (*verification.md* 0.13).
fn fits(federation: Federation, class: TrustClass, what: &str) -> Result<(), Finding> {
    match (federation, class) {
        (Federation::Development, _) | (Federation::Production, TrustClass::Hardware) => Ok(()),
        (Federation::Production, class) => Err(Finding::new(
            codes::POL_PROFILE_DEVELOPMENT,
            format!("{what} is of trust class {class}, the federation is for production"),
        )),
    }
}

/// Nor has a policy that may weaken what is locked.
fn policy_fits(federation: Federation, file: &PolicyFile, owner: PolicyOwner) -> Result<(), Finding> {
    match (federation, file.policy().profile()) {
        (Federation::Development, _) | (Federation::Production, "production") => Ok(()),
        (Federation::Production, profile) => Err(Finding::new(
            codes::POL_PROFILE_DEVELOPMENT,
            format!("{} has profile {profile}, the federation is for production", owner.name()),
        )),
    }
}

pub(super) fn unserved(error: &NoPlugin) -> Finding {
    let code = match error {
        NoPlugin::NotServed { .. } => codes::PLUG_PROFILE_UNSERVED,
        NoPlugin::UnknownProfile(_) => codes::ENV_PROFILE_UNKNOWN,
    };
    Finding::new(code, error.to_string())
}

/// Reads the identifiers of a profile whose claims are known. One whose claims are not gets none, and no policy of this
/// version affirms it.
fn identifiers(profile: &Profile, verified: &Verified<Claims>) -> Result<Identifiers, Finding> {
    let claims = verified.authentic().value();
    match profile.as_str() {
        "snp-raw-1" | "aci-raw-1" => snp_identifiers(claims),
        "tdx-quote-1" => tdx_identifiers(claims),
        "aci-maa-1" => match claims.map("report") {
            Ok(report) => snp_identifiers(report),
            // The token names no processor.
            Err(_) => {
                let guest = claims.bytes::<32>("reportid").map_err(|error| broken(error.to_string()))?;
                Ok(Identifiers { guest: Some(guest.to_vec()), chip: None, devices: Vec::new() })
            }
        },
        "az-cvm-vtpm-1" => match claims.text("tee") {
            Ok("tdx") => tdx_identifiers(claims),
            _ => snp_identifiers(claims),
        },
        _ => Ok(Identifiers::default()),
    }
}

/// A quote says which platform made it, and nothing that would tell two trust domains on it apart.
fn tdx_identifiers(claims: &Claims) -> Result<Identifiers, Finding> {
    // Packages of one platform share its instance id; where there is none the platform has one package (Intel, PCK
    // Certificate and CRL Profile Specification).
    let platform = claims.bytes::<16>("platform_instance_id").or_else(|_| claims.bytes::<16>("ppid"));
    let platform = platform.map_err(|error| broken(error.to_string()))?;
    Ok(Identifiers { guest: None, chip: Some(platform.to_vec()), devices: Vec::new() })
}

/// The serial numbers in the certificates of all devices.
fn device_identifiers(verified: &Verified<Claims>) -> Result<Vec<Vec<u8>>, Finding> {
    let broken = |what: &str| broken(format!("claims of devices: {what}"));
    let Some(ClaimValue::List(devices)) = verified.authentic().value().value("devices") else {
        return Err(broken("there is no list `devices`"));
    };
    let ueid = |device: &ClaimValue| match device {
        ClaimValue::Map(device) => {
            let text = device.text("ueid").map_err(|error| broken(&error.to_string()))?;
            hex::decode(text).map_err(|error| broken(&format!("ueid: {error}")))
        }
        _ => Err(broken("a device is no map")),
    };
    devices.iter().map(ueid).collect()
}

fn broken(what: String) -> Finding {
    Finding::new(codes::PLUG_CONTRACT, what)
}

fn snp_identifiers(claims: &Claims) -> Result<Identifiers, Finding> {
    let guest = claims.bytes::<32>("report_id").map_err(|error| broken(error.to_string()))?;
    let chip = match claims.map("leaf_ext").ok().and_then(|leaf| leaf.value("hwID")) {
        None => None,
        Some(ClaimValue::Text(text)) => {
            Some(hex::decode(text).map_err(|error| broken(format!("hwID: {error}")))?)
        }
        Some(_) => return Err(broken("hwID is not text".to_owned())),
    };
    Ok(Identifiers { guest: Some(guest.to_vec()), chip, devices: Vec::new() })
}
