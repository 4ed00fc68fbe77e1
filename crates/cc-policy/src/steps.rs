//! What all technologies' steps are made of, and the two that they share.
//!
//! A step looks at its own facts whatever the others found; a fact that is missing is a finding of every step
//! that needed it. Findings of one step come most specific first.

use std::fmt::Display;

use cc_core::{Code, TrustClass, codes};

use crate::Finding;
use crate::policy::Mode;
use crate::reader::Placed;

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

    /// Production takes real hardware only (*verification.md* 0.5, 0.13).
    pub(crate) fn trust_class(&mut self, class: TrustClass, mode: &Placed<Mode>) {
        if mode.value == Mode::Production && class != TrustClass::Hardware {
            self.find(codes::POL_PROFILE_DEVELOPMENT, class, "hardware in a production policy", &mode.source);
        }
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
}
