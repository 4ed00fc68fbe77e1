//! The appraisal steps of *verification.md* 1.2 in their order. Each looks at its own facts whatever the others
//! found; a fact that is missing is a finding of every step that needed it.
//!
//! Findings of one step come most specific first. S32 (the binding) is the host's, not here.

mod firmware;
mod guest;
mod identity;
mod launch;

use std::fmt::Display;

use cc_core::{Authentic, Claims, Code};

use super::facts::{Fact, Facts, Missing};
use super::policy::SnpPolicy;
use crate::{Context, Finding, Policy};

/// Takes every step.
pub(crate) fn appraise(subject: &Authentic<Claims>, policy: &Policy, context: &Context) -> Vec<Finding> {
    let facts = Facts::read(subject.value());
    let mut steps = Steps { facts: &facts, policy: &policy.snp, findings: Vec::new() };
    steps.trust_class(subject.trust_class(), &policy.mode);
    steps.s2_version();
    steps.s6_signing_key();
    steps.s8_masked_chip_id();
    let line = steps.s9_product();
    steps.s13_revocation_list(subject.waived(), context.now);
    steps.s18_csp_id();
    steps.s20_provisional();
    steps.s21_minimums(line);
    steps.s22_vmpl();
    steps.s23_locked();
    steps.s24_guest_policy();
    steps.s25_platform();
    steps.s26_mitigations();
    steps.s27_measurement();
    steps.s28_host_data(&context.init_data);
    steps.s29_id_block();
    steps.s30_image();
    steps.s31_chip();
    steps.findings
}

/// What the steps look at and what they found so far.
struct Steps<'a> {
    facts: &'a Facts,
    policy: &'a SnpPolicy,
    findings: Vec<Finding>,
}

impl Steps<'_> {
    fn find(&mut self, code: Code, got: impl Display, want: impl Display, source: &str) {
        let (got, want) = (got.to_string(), want.to_string());
        self.findings.push(Finding { code, got, want, source: source.to_owned() });
    }
}

/// The fact as text; `absent` or `malformed` when it is missing.
fn show<T: Clone, D: Display>(fact: &Fact<T>, text: impl FnOnce(T) -> D) -> String {
    match fact.clone() {
        Ok(value) => text(value).to_string(),
        Err(missing) => missing.to_string(),
    }
}

/// The fact as hexadecimal text.
fn show_hex<T: Clone + AsRef<[u8]>>(fact: &Fact<T>) -> String {
    show(fact, hex::encode)
}

/// Whether a bit of a flag word is set.
fn bit(word: &Fact<u64>, bit: u64) -> Result<bool, Missing> {
    word.map(|word| word & bit != 0)
}

/// A flag as it stands in the report.
fn show_bit(set: &Fact<bool>, name: &str) -> String {
    format!("{name} = {}", show(set, u8::from))
}
