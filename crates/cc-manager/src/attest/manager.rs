//! One participant: its own evidence, and its view of the others.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA512, digest};
use cc_core::{Binding, Claims, Code, Finding, Instant, Profile, codes};
use cc_policy::{Appraisal, Context, InitData, UserData};

use super::cache::Cache;
use super::{Judgement, Subject, Verifier, VerifierSetup};
use crate::clock::Clock;
use crate::endorsements::{Endorsement, Origin};
use crate::{PluginInfo, collect};

/// Begins what evidence made at start-up is bound to; no transcript begins with it (*verification.md* 5.2).
const SELF_TEST: &[u8] = b"MUSTER-SELF-TEST\0";

/// What a participant is made of.
pub struct Setup {
    /// The judging part.
    pub verifier: VerifierSetup,
    /// The profiles that this participant has to show, at least one.
    pub own_profiles: Vec<Profile>,
    /// What its own HOST_DATA must commit to: computed from its own kit where names are measured.
    pub own_init_data: InitData,
    /// The clock for everything that may admit somebody.
    pub clock: Arc<dyn Clock>,
}

/// Why a participant must not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// Its parts do not fit the federation or each other.
    #[error("refusing to start: {0}")]
    Unfit(Finding),
    /// It cannot show what it has to.
    #[error("refusing to start: self-test of {profile}: {finding}")]
    SelfTest {
        /// The profile that was to be shown.
        profile: Profile,
        /// What went wrong.
        finding: Finding,
    },
}

impl StartError {
    /// The reason, with its code.
    pub const fn finding(&self) -> &Finding {
        match self {
            Self::Unfit(finding) | Self::SelfTest { finding, .. } => finding,
        }
    }
}

/// A self-test that passed. What the site's own policy says of the machine is for people: that policy is written for the
/// others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfTest {
    /// The profile that was shown.
    pub profile: Profile,
    /// Who collected and verified.
    pub plugin: PluginInfo,
    /// The site's own policy about this machine.
    pub appraisal: Appraisal,
}

/// Evidence of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnEvidence {
    /// Its profile.
    pub profile: Profile,
    /// The raw evidence.
    pub evidence: Vec<u8>,
    /// What came with it from the hardware: hints for whoever verifies.
    pub endorsements: Vec<Vec<u8>>,
}

/// One participant's manager.
pub struct Manager {
    verifier: Verifier,
    own_profiles: Vec<Profile>,
    clock: Arc<dyn Clock>,
    collecting: Arc<tokio::sync::Mutex<()>>,
    cache: Cache,
}

impl std::fmt::Debug for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manager").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

impl Manager {
    /// Refuses what must not run, then shows for each of its own profiles that evidence can be collected, is authentic
    /// and answers the challenge. The evidence of this test is dropped: it never leaves the function.
    pub async fn start(setup: Setup) -> Result<(Self, Vec<SelfTest>), StartError> {
        let Setup { verifier, own_profiles, own_init_data, clock } = setup;
        let verifier = Verifier::new(verifier).map_err(StartError::Unfit)?;
        if own_profiles.iter().all(Profile::is_device) {
            let detail = "this participant has no profile of a processor to show";
            return Err(StartError::Unfit(Finding::new(codes::POL_EVIDENCE_MISSING, detail)));
        }
        let manager =
            Self { verifier, own_profiles, clock, collecting: Arc::default(), cache: Cache::default() };
        let mut passed = Vec::new();
        for profile in &manager.own_profiles {
            let tested = manager.self_test(profile, own_init_data).await;
            let fail = |finding| StartError::SelfTest { profile: profile.clone(), finding };
            passed.push(tested.map_err(fail)?);
        }
        Ok((manager, passed))
    }

    async fn self_test(&self, profile: &Profile, init_data: InitData) -> Result<SelfTest, Finding> {
        let at = Instant::Present(self.clock.now()?);
        let binding = self_test_binding(profile)?;
        let user_data = UserData::of(Some(&binding));
        let OwnEvidence { evidence, endorsements, .. } = self.collect(profile, binding.clone()).await?;
        let source = "self-test";
        let endorsements = endorsements.into_iter();
        let endorsements = endorsements.map(|bytes| Endorsement::new(bytes, source, Origin::Attester));
        let endorsements = endorsements.collect();
        let verification = self.verifier.verify_own(profile, evidence, endorsements, binding, at).await?;
        let judged = verification.result?;
        let authentic = judged.authentic();
        let context = Context { now: at.time(), init_data, user_data };
        let policy = self.verifier.site_policy().policy();
        let appraisal = cc_policy::appraise(authentic, profile, policy, &context);
        launched_as(profile, authentic.value(), &appraisal, init_data)?;
        Ok(SelfTest { profile: profile.clone(), plugin: verification.plugin, appraisal })
    }

    /// Obtains evidence of this machine with `binding` in it, one at a time. Giving up the wait does not begin a second
    /// collection: the next one waits until the hardware has answered.
    pub async fn collect(&self, profile: &Profile, binding: Binding) -> Result<OwnEvidence, Finding> {
        let alone = Arc::clone(&self.collecting).lock_owned().await;
        let (host, profile) = (self.verifier.host().clone(), profile.clone());
        let task = tokio::spawn(async move {
            let _alone = alone;
            collect(&host, &profile, binding).await
        });
        let collection = match task.await {
            Ok(collection) => collection.map_err(|error| super::verifier::unserved(&error))?,
            Err(error) => {
                return Err(Finding::new(codes::PLUG_PANICKED, format!("collection ended: {error}")));
            }
        };
        let (evidence, endorsements) = collection.result?;
        let endorsements = endorsements.into_iter().map(|endorsement| endorsement.bytes).collect();
        Ok(OwnEvidence { profile: collection.profile, evidence, endorsements })
    }

    /// Judges a participant's evidence for the present, in the round `epoch`; the same subject twice in a round is
    /// verified once. `Err` when there is no present to judge for: `clk.untrusted`.
    pub async fn judge(&self, epoch: u64, subject: &Subject) -> Result<Arc<Judgement>, Finding> {
        let at = Instant::Present(self.clock.now()?);
        let key = subject.digest(self.verifier.site_policy().sha256());
        if let Some(known) = self.cache.find(epoch, &key) {
            return Ok(known);
        }
        let judgement = Arc::new(self.verifier.judge(subject, at).await);
        self.cache.keep(epoch, key, &judgement);
        Ok(judgement)
    }

    /// Forgets the judgements of a round that is over.
    pub fn end_round(&self, epoch: u64) {
        self.cache.end(epoch);
    }

    /// The judging part.
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The profiles that this participant shows.
    pub fn own_profiles(&self) -> &[Profile] {
        &self.own_profiles
    }
}

/// What start-up evidence is bound to: nobody can have asked for it before.
fn self_test_binding(profile: &Profile) -> Result<Binding, Finding> {
    let mut random = [0; 32];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| Finding::new(codes::PLUG_SELFTEST_FAILED, "the system gives no randomness"))?;
    if profile.is_device() {
        return Ok(Binding::Nonce(random));
    }
    let sum = digest(&SHA512, &[SELF_TEST, &random].concat());
    let mut bytes = [0; 64];
    // SHA-512 has 64 bytes: both iterators end together.
    bytes.iter_mut().zip(sum.as_ref()).for_each(|(to, from)| *to = *from);
    if *profile == Profile::az_cvm_vtpm_1() {
        return Ok(Binding::machine(random, &bytes));
    }
    Ok(Binding::new(bytes))
}

/// This machine was launched with the name that its kit gives it (*verification.md* 5.1).
fn launched_as(
    profile: &Profile,
    claims: &Claims,
    appraisal: &Appraisal,
    expected: InitData,
) -> Result<(), Finding> {
    let InitData::Carried { sha256, sha384 } = expected else { return Ok(()) };
    match profile.as_str() {
        "snp-raw-1" => committed(claims, ("HOST_DATA", "host_data"), &sha256, codes::SNP_HOST_DATA_MISMATCH),
        "tdx-quote-1" => {
            committed(claims, ("MRCONFIGID", "mr_config_id"), &sha384, codes::TDX_MRCONFIGID_MISMATCH)
        }
        "aci-raw-1" => listed_for_name(appraisal, codes::ACI_CCE_POLICY_UNKNOWN),
        "aci-maa-1" => listed_for_name(appraisal, codes::MAA_HOSTDATA_UNKNOWN),
        // The processor that vouches for devices has launch data.
        _ if profile.is_device() => Ok(()),
        _ => {
            let detail = format!("where launch data stand in evidence of profile {profile} is not known");
            Err(Finding::new(codes::ENV_PROFILE_NOT_ALLOWED, detail))
        }
    }
}

/// HOST_DATA of a container group is its CCE policy, which the site's policy lists for each name: `unlisted` where it does
/// not, and nothing is listed by a policy without a section.
fn listed_for_name(appraisal: &Appraisal, unlisted: Code) -> Result<(), Finding> {
    let codes = [unlisted, codes::ENV_PROFILE_NOT_ALLOWED];
    match appraisal.findings.iter().find(|finding| codes.contains(&finding.code)) {
        None => Ok(()),
        Some(finding) => {
            let detail = format!("this kit's name: got {}, want {}", finding.got, finding.want);
            Err(Finding::new(finding.code.clone(), detail))
        }
    }
}

fn committed<const N: usize>(
    claims: &Claims,
    (field, claim): (&str, &str),
    expected: &[u8; N],
    code: Code,
) -> Result<(), Finding> {
    let found = claims.bytes::<N>(claim);
    if found.as_ref() == Ok(expected) {
        return Ok(());
    }
    let found = found.map_or_else(|error| error.to_string(), hex::encode);
    let detail = format!("{field} is {found}, this kit's name needs {}", hex::encode(expected));
    Err(Finding::new(code, detail))
}
