//! The question and its answer: context in, status and findings out.

use std::fmt;

use cc_core::{Authentic, Binding, Claims, Code, Profile, UnixTime, codes};

use crate::allowed::text_list;
use crate::steps::{Subject, trust_class};
use crate::{Policy, aci, azcvm, gpu, maa, snp, tdx};

/// What an appraisal knows besides claims and policy. Everything in it must come from a source that the caller
/// trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The verifier's clock.
    pub now: UnixTime,
    /// The init-data that came with the evidence.
    pub init_data: InitData,
    /// What a report that was made anew for this verifier must carry.
    pub user_data: UserData,
}

/// The user data that a machine with a virtual TPM had to put into a new report of its processor (*verification.md* 4.6,
/// `fresh_hcl`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserData {
    /// Nobody asked for any, so that nothing can say that the report is new.
    NotAsked,
    /// These.
    Asked([u8; 64]),
}

impl UserData {
    /// What the binding asks for that evidence was compared with, if it was.
    pub fn of(expected: Option<&Binding>) -> Self {
        expected.and_then(Binding::user_data).map_or(Self::NotAsked, |user_data| Self::Asked(*user_data))
    }
}

/// Init-data (the launch configuration handed to the guest), which is authentic only through a field of the launch
/// that commits to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitData {
    /// None came with the evidence.
    NotCarried,
    /// Digests of the bytes that came, each for the field that has its size (*verification.md* 5.1). The field must
    /// be equal, whatever else the policy wants of it.
    Carried {
        /// For SNP's HOST_DATA.
        sha256: [u8; 32],
        /// For TDX's MRCONFIGID.
        sha384: [u8; 48],
    },
}

impl InitData {
    /// SHA-256 of the bytes that came.
    pub const fn sha256(&self) -> Option<&[u8; 32]> {
        match self {
            Self::Carried { sha256, .. } => Some(sha256),
            Self::NotCarried => None,
        }
    }

    /// SHA-384 of the bytes that came.
    pub const fn sha384(&self) -> Option<&[u8; 48]> {
        match self {
            Self::Carried { sha384, .. } => Some(sha384),
            Self::NotCarried => None,
        }
    }
}

/// The answer, in the words of the attestation-result tiers of AR4SI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything is as the policy wants it.
    Affirming,
    /// Acceptable with reservations. No step of this version gives it; it denies like everything but affirming.
    Warning,
    /// Something is not as the policy wants it.
    Contraindicated,
    /// Nothing could be judged: the policy has no section for the profile. It denies.
    None,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Affirming => "affirming",
            Self::Warning => "warning",
            Self::Contraindicated => "contraindicated",
            Self::None => "none",
        })
    }
}

/// One difference between claims and policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable code of the step.
    pub code: Code,
    /// What the claims say; `absent` or `malformed` when they do not say it.
    pub got: String,
    /// What the policy wants.
    pub want: String,
    /// Where the policy wants it: `policy.toml:12 snp.vmpl`, or `default snp.vmpl`.
    pub source: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: got {}, want {} ({})", self.code, self.got, self.want, self.source)
    }
}

/// Status and findings. The status is affirming exactly if there are no findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appraisal {
    /// The answer.
    pub status: Status,
    /// All differences, in the order of the steps of *verification.md* 1.2, 2.2, 3.2 or 4.2 to 4.6.
    pub findings: Vec<Finding>,
}

/// Judges authentic claims of evidence of `profile` by `policy`, all steps, whatever the earlier ones found. A profile
/// whose technology has no section in the policy is not allowed by it.
///
/// Does **not** compare the binding: that is [`Authentic::compare`], and admission needs both. Claims of GPUs that are
/// affirmed are those of GPUs somewhere, until the accepted evidence of a guest commits to them (G20).
pub fn appraise(
    subject: &Authentic<Claims>,
    profile: &Profile,
    policy: &Policy,
    context: &Context,
) -> Appraisal {
    let evidence = Subject { claims: subject.value(), waived: subject.waived() };
    let found = match profile.as_str() {
        snp::PROFILE => policy.snp.as_ref().map(|section| snp::appraise(evidence, section, context)),
        tdx::PROFILE => policy.tdx.as_ref().map(|section| tdx::appraise(evidence, section, context)),
        gpu::PROFILE => policy.gpu.as_ref().map(|section| gpu::appraise(evidence, section)),
        aci::PROFILE => policy.aci.as_ref().map(|section| aci::appraise(evidence, section, context)),
        maa::PROFILE => policy.maa.as_ref().map(|section| maa::appraise(evidence, section, context)),
        azcvm::PROFILE => {
            policy.azcvm.as_ref().map(|section| azcvm::appraise(evidence, section, context, &policy.file))
        }
        _ => None,
    };
    let Some(found) = found else { return not_judged(profile, policy) };
    let findings: Vec<_> =
        trust_class(subject.trust_class(), &policy.mode).into_iter().chain(found).collect();
    let status = if findings.is_empty() { Status::Affirming } else { Status::Contraindicated };
    Appraisal { status, findings }
}

fn not_judged(profile: &Profile, policy: &Policy) -> Appraisal {
    let sections = [
        policy.snp.is_some().then_some(snp::PROFILE),
        policy.tdx.is_some().then_some(tdx::PROFILE),
        policy.gpu.is_some().then_some(gpu::PROFILE),
        policy.aci.is_some().then_some(aci::PROFILE),
        policy.maa.is_some().then_some(maa::PROFILE),
        policy.azcvm.is_some().then_some(azcvm::PROFILE),
    ];
    let allowed = text_list(sections.into_iter().flatten());
    let finding = Finding {
        code: codes::ENV_PROFILE_NOT_ALLOWED,
        got: format!("evidence of profile {profile}"),
        want: format!("evidence of a profile that the policy has a section for: {allowed}"),
        source: policy.file.clone(),
    };
    Appraisal { status: Status::None, findings: vec![finding] }
}
