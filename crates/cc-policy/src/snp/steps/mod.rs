//! The appraisal steps of *verification.md* 1.2 in their order. S32 (the binding) is the host's, not here.

mod firmware;
mod guest;
mod identity;
mod launch;

use super::facts::Facts;
use super::policy::SnpPolicy;
use crate::steps::Subject;
use crate::{Context, Finding};

type Steps<'a> = crate::steps::Steps<'a, Facts, SnpPolicy>;

/// Takes every step.
pub(crate) fn appraise(subject: Subject<'_>, policy: &SnpPolicy, context: &Context) -> Vec<Finding> {
    let facts = Facts::read(subject.claims);
    let mut steps = Steps::new(&facts, policy);
    steps.s2_version();
    steps.s6_signing_key();
    steps.s8_masked_chip_id();
    let line = steps.s9_product();
    steps.s13_revocation_list(subject.waived, context.now);
    steps.s18_csp_id();
    steps.s20_provisional();
    steps.s21_minimums(line);
    steps.s22_vmpl();
    steps.s23_locked();
    steps.s24_guest_policy();
    steps.s25_platform();
    steps.s26_mitigations();
    steps.s27_s28_launch(&context.init_data);
    steps.s29_id_block();
    steps.s30_image();
    steps.s31_chip();
    steps.findings
}
