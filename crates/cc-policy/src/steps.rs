//! What all technologies' steps are made of, and what they share.
//!
//! A step looks at its own facts whatever the others found; a fact that is missing is a finding of every step
//! that needed it. Findings of one step come most specific first.

use std::fmt::Display;

use cc_core::{Claims, Code, TrustClass, codes};

use crate::Finding;
use crate::facts::{Fact, show};
use crate::policy::Mode;
use crate::reader::Placed;

/// What evidence says, and how its authenticity was established: all that a technology's steps look at.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) claims: &'a Claims,
    /// The waivers that were used.
    pub(crate) waived: &'a [Code],
}

/// Production takes real hardware only (*verification.md* 0.5, 0.13).
pub(crate) fn trust_class(class: TrustClass, mode: &Placed<Mode>) -> Option<Finding> {
    (mode.value == Mode::Production && class != TrustClass::Hardware).then(|| Finding {
        code: codes::POL_PROFILE_DEVELOPMENT,
        got: class.to_string(),
        want: "hardware in a production policy".to_owned(),
        source: mode.source.clone(),
    })
}

/// What the steps look at, facts and a section of the policy, and what they found so far.
pub(crate) struct Steps<'a, F, P> {
    pub(crate) facts: &'a F,
    pub(crate) policy: &'a P,
    pub(crate) findings: Vec<Finding>,
}

impl<'a, F, P> Steps<'a, F, P> {
    pub(crate) const fn new(facts: &'a F, policy: &'a P) -> Self {
        Self { facts, policy, findings: Vec::new() }
    }

    pub(crate) fn find(&mut self, code: Code, got: impl Display, want: impl Display, source: &str) {
        let (got, want) = (got.to_string(), want.to_string());
        self.findings.push(Finding { code, got, want, source: source.to_owned() });
    }

    /// A used waiver needs its knob (*decisions.md* 3). `waivable` is what the section can waive, each with the knob that
    /// must be false for it; what is another's is nobody's here.
    pub(crate) fn used_waivers<const N: usize>(
        &mut self,
        waived: &[Code],
        waivable: &[(Code, &Placed<bool>); N],
    ) {
        for code in waived {
            let knob = waivable.iter().find(|(waivable, _)| waivable == code).map(|(_, knob)| *knob);
            if knob.is_none_or(|required| required.value) {
                let source = knob.or(waivable.first().map(|(_, knob)| *knob)).map_or("", |knob| &knob.source);
                let want = "the check, which the policy does not let anyone waive";
                self.find(code.clone(), "waived", want, source);
            }
        }
    }

    /// A number must be the least that the policy wants, or more.
    pub(crate) fn at_least<N: Copy + Display + Into<u64>>(
        &mut self,
        code: Code,
        name: &str,
        found: &Fact<u64>,
        least: &Placed<N>,
    ) {
        if !found.is_ok_and(|found| found >= least.value.into()) {
            let got = format!("{name} {}", show(found, |found| found));
            self.find(code, got, format!("at least {}", least.value), &least.source);
        }
    }
}
