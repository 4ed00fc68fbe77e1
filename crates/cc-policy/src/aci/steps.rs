//! The appraisal steps of *verification.md* 4.2 in their order, after those of the report (1.2). What *decisions.md* 6 gives
//! to verification is not judged again, except where this section stands in for S27 and S28.

use cc_core::codes;

use super::facts::{CcePolicy, Facts};
use super::policy::AciPolicy;
use crate::allowed::{Allowed, hex_list, text_list};
use crate::facts::{Missing, show, show_hex};
use crate::snp;
use crate::steps::Subject;
use crate::{Context, Finding, InitData};

type Steps<'a> = crate::steps::Steps<'a, Facts, AciPolicy>;

/// Takes every step.
pub(crate) fn appraise(subject: Subject<'_>, policy: &AciPolicy, context: &Context) -> Vec<Finding> {
    let facts = Facts::read(subject.claims);
    let mut steps = Steps::new(&facts, policy);
    steps.findings = snp::appraise(subject, &policy.snp, context);
    steps.a2_a3_endorser();
    steps.a5_measurement();
    steps.a6_svn();
    steps.a7_cce_policy(&context.init_data);
    steps.a8_permissive();
    steps.findings
}

impl Steps<'_> {
    fn a2_a3_endorser(&mut self) {
        let (facts, policy) = (self.facts, self.policy);
        for (found, wanted, code) in [
            (&facts.uvm_issuer, &policy.uvm_issuer, codes::ACI_UVM_ISSUER),
            (&facts.uvm_feed, &policy.uvm_feed, codes::ACI_UVM_FEED),
        ] {
            if found.as_ref() != Ok(&wanted.value) {
                self.find(code, show(found, |found| found), &wanted.value, &wanted.source);
            }
        }
    }

    /// The endorsement stands for the measurement; a list narrows it further.
    fn a5_measurement(&mut self) {
        let (facts, allowed) = (self.facts, &self.policy.measurements);
        let got = || show_hex(&facts.measurement);
        if facts.measurement.is_err() || facts.measurement != facts.uvm_measurement {
            let want = format!("{}, which is endorsed", show_hex(&facts.uvm_measurement));
            self.find(codes::ACI_UVM_MEASUREMENT_MISMATCH, got(), want, "specification");
        }
        if let Allowed::Only(list) = &allowed.value
            && !facts.measurement.is_ok_and(|measurement| list.contains(&measurement))
        {
            let want = format!("one of {}", hex_list(list));
            self.find(codes::SNP_MEASUREMENT_UNKNOWN, got(), want, &allowed.source);
        }
    }

    fn a6_svn(&mut self) {
        self.at_least(
            codes::ACI_UVM_SVN_BELOW_MINIMUM,
            "utility VM",
            &self.facts.uvm_svn,
            &self.policy.uvm_min_svn,
        );
    }

    fn a7_cce_policy(&mut self, init_data: &InitData) {
        let allowed = &self.policy.cce_policy_allowlist;
        if let Some((got, want)) = allowed.value.difference(&self.facts.host_data, init_data) {
            self.find(codes::ACI_CCE_POLICY_UNKNOWN, got, want, &allowed.source);
        }
    }

    /// A text that came is judged whether it had to come or not, and only as the one that is enforced.
    fn a8_permissive(&mut self) {
        let (facts, policy) = (self.facts, self.policy);
        let required = &policy.require_cce_policy;
        let CcePolicy { sha256, allows } = match &facts.cce_policy {
            Ok(text) => text,
            Err(Missing::Absent) if !required.value => return,
            Err(missing) => {
                let want = "the text of the CCE policy";
                self.find(codes::ACI_CCE_POLICY_PERMISSIVE, missing, want, &required.source);
                return;
            }
        };
        if sha256.is_err() || *sha256 != facts.host_data {
            let want = format!("the text of {}", show_hex(&facts.host_data));
            self.find(codes::ACI_CCE_POLICY_DIGEST, show_hex(sha256), want, "specification");
        }
        let permit = &policy.cce_policy_permit;
        let others = allows.as_ref().map(|names| {
            let others = names.iter().filter(|name| !permit.value.contains(name));
            others.collect::<Vec<_>>()
        });
        if !others.as_ref().is_ok_and(Vec::is_empty) {
            let got = show(&others.map_err(|missing| *missing), text_list);
            let want = format!("nothing but [{}]", text_list(&permit.value));
            self.find(codes::ACI_CCE_POLICY_PERMISSIVE, got, want, &permit.source);
        }
    }
}
