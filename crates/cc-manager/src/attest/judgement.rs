//! What became of a participant's evidence: the outcome, and everything that explains it.

use cc_core::{Claims, Class, Finding, Instant, Profile, Verified, codes};
use cc_policy::{Appraisal, Status};

use crate::{PluginInfo, Sha256, UsedEndorsement};

/// What identifies the hardware behind accepted evidence, for the rules over a whole round (*verification.md* 5.8,
/// row 6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identifiers {
    /// The guest: SNP's REPORT_ID.
    pub guest: Option<Vec<u8>>,
    /// The processor: the HWID of the VCEK. A VLEK has none.
    pub chip: Option<Vec<u8>>,
    /// The devices.
    pub devices: Vec<Vec<u8>>,
}

/// The three outcomes that callers treat differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Authentic, bound, and affirmed by both policies.
    Accepted,
    /// Nothing speaks against it, but something needed to decide was not at hand; asking again may help.
    CollateralUnavailable,
    /// Something speaks against it.
    Refuted,
}

impl Kind {
    /// The kind of a denial.
    pub fn of(finding: &Finding) -> Self {
        match finding.code.class() {
            Class::Indeterminate => Self::CollateralUnavailable,
            // A class that is not known denies for good.
            _ => Self::Refuted,
        }
    }
}

/// Whose policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyOwner {
    /// The federation's owner: the floor.
    Federation,
    /// This verifier's own site.
    Site,
}

impl PolicyOwner {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Federation => "the federation's policy",
            Self::Site => "the site's own policy",
        }
    }
}

/// What one policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyAppraisal {
    /// Whose it is.
    pub owner: PolicyOwner,
    /// SHA-256 of its file.
    pub sha256: Sha256,
    /// `production` or `development`.
    pub policy_profile: &'static str,
    /// Status and findings, each with the policy's line.
    pub appraisal: Appraisal,
}

impl PolicyAppraisal {
    /// Fails with the first finding unless the policy affirms.
    pub(super) fn affirmed(&self) -> Result<(), Finding> {
        let Appraisal { status, findings } = &self.appraisal;
        let owner = self.owner.name();
        match (status, findings.first()) {
            (Status::Affirming, None) => Ok(()),
            (_, Some(first)) => {
                let detail = format!("{owner}: got {}, want {} ({})", first.got, first.want, first.source);
                Err(Finding::new(first.code.clone(), detail))
            }
            (status, None) => {
                Err(Finding::new(codes::POL_FORMAT_INVALID, format!("{owner}: status {status}")))
            }
        }
    }
}

/// The devices of a judged subject.
#[derive(Clone, Debug)]
pub struct JudgedDevices {
    /// The profile of their evidence.
    pub profile: Profile,
    /// Who verified.
    pub plugin: PluginInfo,
    /// Every endorsement that the plugin was given.
    pub endorsements: Vec<UsedEndorsement>,
    /// What could not be fetched, what was left out.
    pub notes: Vec<String>,
    /// The federation's appraisal, then the site's; empty unless the evidence is authentic and bound.
    pub appraisals: Vec<PolicyAppraisal>,
    pub(super) verified: Option<Verified<Claims>>,
}

impl JudgedDevices {
    /// What the evidence says, if it is authentic and bound; also where a policy refuses it.
    pub const fn verified(&self) -> Option<&Verified<Claims>> {
        self.verified.as_ref()
    }
}

/// A judged subject.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Who.
    pub name: String,
    /// What kind of evidence.
    pub profile: Profile,
    /// The instant for which it was judged, at last: the present goes on while something is fetched.
    pub at: Instant,
    /// Who verified; `None` when it did not come to that.
    pub plugin: Option<PluginInfo>,
    /// Every endorsement that the plugin was given.
    pub endorsements: Vec<UsedEndorsement>,
    /// What could not be fetched, what was left out.
    pub notes: Vec<String>,
    /// The federation's appraisal, then the site's; empty unless the evidence is authentic and bound.
    pub appraisals: Vec<PolicyAppraisal>,
    /// Its devices, if it shows any and it came to them: the processor's evidence was accepted.
    pub devices: Option<JudgedDevices>,
    pub(super) verified: Option<Verified<Claims>>,
    pub(super) outcome: Result<Identifiers, Finding>,
}

impl Judgement {
    /// What the evidence says, if it is authentic and bound; also where a policy refuses it.
    pub fn verified(&self) -> Option<&Verified<Claims>> {
        self.verified.as_ref()
    }

    /// The outcome for [`Judgement::at`], whichever instant that is: for explaining and comparing.
    pub const fn outcome(&self) -> Result<&Identifiers, &Finding> {
        self.outcome.as_ref()
    }

    /// The outcome as an admission needs it: of evidence that was judged for the present. A replay is
    /// `clk.replayed`, whatever it found.
    pub fn admission(&self) -> Result<&Identifiers, Finding> {
        let identifiers = self.outcome.as_ref().map_err(Clone::clone)?;
        let devices = self.devices.as_ref().map(|devices| &devices.verified);
        for verified in [Some(&self.verified), devices].into_iter().flatten() {
            match verified {
                Some(verified) => {
                    verified.admissible()?;
                }
                None => {
                    let detail = "the binding was not compared";
                    return Err(Finding::new(codes::BIND_REPORT_DATA_MISMATCH, detail));
                }
            }
        }
        Ok(identifiers)
    }

    /// Which of the three outcomes the admission has.
    pub fn kind(&self) -> Kind {
        self.admission().map_or_else(|finding| Kind::of(&finding), |_| Kind::Accepted)
    }
}
