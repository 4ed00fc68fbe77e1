//! Which firmware: nothing provisional, nothing below the minimums. Components are compared one by one in the
//! layout of the product line, never as one number.

use cc_core::{Code, codes};

use super::Steps;
use crate::facts::{Fact, Missing, show, show_hex};
use crate::snp::policy::Line;

impl Steps<'_> {
    /// What is not committed can be rolled back by the host.
    pub(super) fn s20_provisional(&mut self) {
        let (facts, allow) = (self.facts, &self.policy.allow_provisional_fw);
        if allow.value {
            return;
        }
        if facts.committed_tcb.is_err() || facts.committed_tcb != facts.current_tcb {
            let got = format!("committed TCB {}", show_hex(&facts.committed_tcb));
            let want = format!("the current TCB {}", show_hex(&facts.current_tcb));
            self.find(codes::SNP_FW_PROVISIONAL, got, want, &allow.source);
        }
        if facts.committed_fw.is_err() || facts.committed_fw != facts.current_fw {
            let got = format!("committed version {}", show(&facts.committed_fw, |fw| fw));
            let want = format!("the current version {}", show(&facts.current_fw, |fw| fw));
            self.find(codes::SNP_FW_PROVISIONAL, got, want, &allow.source);
        }
    }

    /// `line` is absent if and only if S9 refused the product line, whose layout and minimums are unknown then.
    pub(super) fn s21_minimums(&mut self, line: Option<&Line>) {
        let Some(line) = line else { return };
        let facts = self.facts;
        for (name, tcb) in [("reported", &facts.reported_tcb), ("committed", &facts.committed_tcb)] {
            self.minimum(line, name, tcb, &codes::SNP_TCB_BELOW_MINIMUM);
        }
        self.minimum(line, "launch", &facts.launch_tcb, &codes::SNP_TCB_LAUNCH_BELOW_MINIMUM);
        let least = &line.min_fw;
        if !facts.current_fw.is_ok_and(|fw| fw >= least.value) {
            let (got, want) = (show(&facts.current_fw, |fw| fw), format!("at least {}", least.value));
            self.find(codes::SNP_FW_BELOW_MINIMUM, got, want, &least.source);
        }
    }

    fn minimum(&mut self, line: &Line, name: &str, tcb: &Fact<[u8; 8]>, code: &Code) {
        for minimum in &line.min_tcb {
            let found = tcb.and_then(|tcb| tcb.get(minimum.byte).copied().ok_or(Missing::Absent));
            if !found.is_ok_and(|found| found >= minimum.least.value) {
                let got = format!("{name} {} {}", minimum.component, show(&found, |spl| spl));
                let want = format!("at least {}", minimum.least.value);
                self.find(code.clone(), got, want, &minimum.least.source);
            }
        }
    }
}
