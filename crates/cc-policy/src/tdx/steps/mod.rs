//! The appraisal steps of *verification.md* 2.2 in their order. T26 (the binding) is the host's, not here; what
//! *decisions.md* 6 gives to verification is not judged again.

mod guest;
mod launch;
mod platform;
mod tcb;

use super::facts::Facts;
use super::policy::{TdxPolicy, waivable};
use crate::steps::Subject;
use crate::{Context, Finding};

type Steps<'a> = crate::steps::Steps<'a, Facts, TdxPolicy>;

/// Takes every step.
pub(crate) fn appraise(subject: Subject<'_>, policy: &TdxPolicy, context: &Context) -> Vec<Finding> {
    let facts = Facts::read(subject.claims);
    let mut steps = Steps::new(&facts, policy);
    // T5: lists that were used were judged where they were.
    steps.used_waivers(subject.waived, &waivable(policy));
    steps.t6_t7_collateral_age(context.now);
    steps.t8_evaluation();
    steps.t12_qe_status();
    steps.t17_status();
    steps.t18_attributes();
    steps.t19_xfam();
    steps.t20_service_td();
    steps.t21_image();
    steps.t22_event_log();
    steps.t23_launch_data(&context.init_data);
    steps.t24_platform();
    steps.t25_module();
    steps.findings
}
