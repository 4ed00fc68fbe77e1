//! How current collateral and platform are: age, evaluation data number, TCB status, advisories, date.

use cc_core::{Code, UnixTime, codes};

use super::Steps;
use crate::allowed::text_list;
use crate::facts::{Fact, show};
use crate::tdx::policy::MaxAge;
use crate::tdx::values::TcbStatus;

const SECONDS_PER_HOUR: u64 = 3600;

impl Steps<'_> {
    /// Beside the collateral's own nextUpdate, which verification has judged.
    pub(super) fn t6_t7_collateral_age(&mut self, now: UnixTime) {
        let age = &self.policy.collateral_max_age_hours;
        let MaxAge::Hours(hours) = age.value else { return };
        let limit = u64::from(hours).saturating_mul(SECONDS_PER_HOUR);
        let facts = self.facts;
        for (name, issued, code) in [
            ("TCB info", facts.tcb_info_issue_date, codes::TDX_TCB_INFO_EXPIRED),
            ("QE identity", facts.qe_identity_issue_date, codes::TDX_QE_IDENTITY_EXPIRED),
        ] {
            // What is from the future has no age: the clock is wrong or the collateral is.
            if !issued.is_ok_and(|issued| issued <= now && now.seconds_since(issued) <= limit) {
                let got = format!("{name} of {}", show(&issued, |issued| issued));
                self.find(code, got, format!("at most {hours} hours old at {now}"), &age.source);
            }
        }
    }

    pub(super) fn t8_evaluation(&mut self) {
        let least = &self.policy.min_tcb_eval_num;
        if !self.facts.tcb_eval_num.is_ok_and(|number| number >= u64::from(least.value)) {
            let got = show(&self.facts.tcb_eval_num, |number| number);
            let want = format!("at least {}", least.value);
            self.find(codes::TDX_TCB_EVAL_BELOW_MINIMUM, got, want, &least.source);
        }
    }

    pub(super) fn t12_qe_status(&mut self) {
        let got = show(&self.facts.qe_tcb_status, |status| status);
        self.status(&self.facts.qe_tcb_status, got, codes::TDX_QE_TCB_STATUS);
    }

    /// The status of platform, module and quoting enclave together (*verification.md* 2.3).
    pub(super) fn t17_status(&mut self) {
        let (facts, policy) = (self.facts, self.policy);
        let mut got = show(&facts.tcb_status, |status| status);
        for (name, part) in [
            ("platform", facts.platform_tcb_status),
            ("module", facts.module_tcb_status),
            ("QE", facts.qe_tcb_status),
        ] {
            if let Ok(status) = part {
                got.push_str(&format!(", {name} {status}"));
            }
        }
        let code = match facts.tcb_status {
            Ok(TcbStatus::Revoked) => codes::TDX_TCB_REVOKED,
            _ => codes::TDX_TCB_STATUS,
        };
        self.status(&facts.tcb_status, got, code);
        if facts.tcb_status != Ok(TcbStatus::UpToDate) {
            self.advisories();
        }
        let least = &policy.min_tcb_date;
        if !facts.tcb_date.is_ok_and(|date| date >= least.value) {
            let got = show(&facts.tcb_date, |date| date);
            self.find(codes::TDX_TCB_DATE, got, format!("at least {}", least.value), &least.source);
        }
    }

    fn status(&mut self, status: &Fact<TcbStatus>, got: String, code: Code) {
        let accepted = &self.policy.accepted_status;
        if !status.is_ok_and(|status| accepted.value.contains(&status)) {
            let want = format!("one of {}", text_list(&accepted.value));
            self.find(code, got, want, &accepted.source);
        }
    }

    fn advisories(&mut self) {
        let accepted = &self.policy.accepted_advisories;
        let others = self.facts.advisory_ids.as_ref().map(|ids| {
            let others = ids.iter().filter(|id| !accepted.value.contains(id));
            others.collect::<Vec<_>>()
        });
        if !others.as_ref().is_ok_and(Vec::is_empty) {
            let got = show(&others.map_err(|missing| *missing), text_list);
            let want = format!("only advisories of [{}]", text_list(&accepted.value));
            self.find(codes::TDX_TCB_ADVISORY, got, want, &accepted.source);
        }
    }
}
