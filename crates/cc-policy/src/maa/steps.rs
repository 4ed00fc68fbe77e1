//! The appraisal steps of *verification.md* 4.4 and 4.5 in their order. M5 (the binding) is the host's, not here; what
//! *decisions.md* 6 gives to verification is not judged again.

use cc_core::{Code, UnixTime, codes};

use super::facts::{Facts, SVNS};
use super::policy::MaaPolicy;
use crate::allowed::{Allowed, hex_list, text_list};
use crate::facts::{Fact, Missing, bytes, show, show_hex};
use crate::snp;
use crate::steps::Subject;
use crate::{Context, Finding, InitData};

/// How far the clocks of verifier and service may be apart (*verification.md* 0.8), in seconds.
const SKEW: u64 = 60;

type Steps<'a> = crate::steps::Steps<'a, Facts, MaaPolicy>;

/// Takes every step.
pub(crate) fn appraise(subject: Subject<'_>, policy: &MaaPolicy, context: &Context) -> Vec<Finding> {
    let facts = Facts::read(subject.claims);
    let mut steps = Steps::new(&facts, policy);
    steps.j6_issuer();
    steps.j7_age(context.now);
    steps.m2_flags();
    steps.m3_launch(&context.init_data);
    steps.m4_minimums();
    steps.m7_report(subject.waived, context);
    steps.findings
}

impl Steps<'_> {
    fn j6_issuer(&mut self) {
        let (facts, policy) = (self.facts, self.policy);
        let (issuers, hashes) = (&policy.issuers, &policy.policy_hashes);
        if !facts.issuer.as_ref().is_ok_and(|issuer| issuers.value.contains(issuer)) {
            let want = format!("one of {}", text_list(&issuers.value));
            self.find(codes::JWT_ISS_MISMATCH, show(&facts.issuer, |issuer| issuer), want, &issuers.source);
        }
        if let Allowed::Only(list) = &hashes.value
            && !facts.policy_hash.as_ref().is_ok_and(|hash| list.contains(hash))
        {
            let want = format!("one of {}", text_list(list));
            let got = show(&facts.policy_hash, |hash| hash);
            self.find(codes::MAA_POLICY_HASH_MISMATCH, got, want, &hashes.source);
        }
    }

    /// Beside the token's own end, which verification has judged: services issue tokens for hours.
    fn j7_age(&mut self, now: UnixTime) {
        let age = &self.policy.max_age_seconds;
        let limit = u64::from(age.value);
        // A token from the future has no age: a clock is wrong or the service is.
        let fine = |issued: UnixTime| issued.seconds_since(now) <= SKEW && now.seconds_since(issued) <= limit;
        if !self.facts.issued_at.is_ok_and(fine) {
            let got = show(&self.facts.issued_at, |issued| format!("a token of {issued}"));
            let want = format!("a token at most {limit} seconds old at {now}");
            self.find(codes::JWT_TOO_OLD, got, want, &age.source);
        }
    }

    fn m2_flags(&mut self) {
        let (facts, policy) = (self.facts, self.policy);
        for (name, found, allowed, code) in [
            ("debuggable", &facts.is_debuggable, &policy.allow_debug, codes::MAA_DEBUGGABLE),
            ("migration allowed", &facts.migration_allowed, &policy.allow_migration, codes::MAA_MIGRATION),
        ] {
            if !allowed.value && *found != Ok(false) {
                let got = format!("{name}: {}", show(found, |flag| flag));
                self.find(code, got, format!("{name}: false"), &allowed.source);
            }
        }
        if facts.vmpl != Ok(0) {
            self.find(codes::MAA_VMPL, show(&facts.vmpl, |vmpl| vmpl), 0, "specification");
        }
    }

    fn m3_launch(&mut self, init_data: &InitData) {
        let (facts, policy) = (self.facts, self.policy);
        let (groups, measurements) = (&policy.cce_policy_allowlist, &policy.measurements);
        if let Some((got, want)) = groups.value.difference(&facts.hostdata, init_data) {
            self.find(codes::MAA_HOSTDATA_UNKNOWN, got, want, &groups.source);
        }
        if let Allowed::Only(list) = &measurements.value
            && !facts.launchmeasurement.is_ok_and(|measurement| list.contains(&measurement))
        {
            let want = format!("one of {}", hex_list(list));
            let got = show_hex(&facts.launchmeasurement);
            self.find(codes::SNP_MEASUREMENT_UNKNOWN, got, want, &measurements.source);
        }
        let code = codes::MAA_UVM_SVN_BELOW_MINIMUM;
        self.at_least(code, "utility VM", &facts.guestsvn, &policy.uvm_min_svn);
    }

    fn m4_minimums(&mut self) {
        let (facts, policy) = (self.facts, self.policy);
        for ((_, claim), (found, (_, least))) in SVNS.iter().zip(facts.svns.iter().zip(&policy.min_tcb)) {
            self.at_least(codes::MAA_TCB_BELOW_MINIMUM, claim, found, least);
        }
    }

    /// A report that came is judged whether it had to come or not.
    fn m7_report(&mut self, waived: &[Code], context: &Context) {
        let (facts, policy) = (self.facts, self.policy);
        let required = &policy.require_raw_report;
        match (&facts.report, &policy.snp) {
            (Ok(report), Some(section)) => {
                // The token's two are judged by M3, the report's are the same.
                self.same("measurement", &facts.launchmeasurement, &bytes(report, "measurement"));
                self.same("host data", &facts.hostdata, &bytes(report, "host_data"));
                self.findings.extend(snp::appraise(Subject { claims: report, waived }, section, context));
            }
            (Ok(_), None) => {
                let (got, want) = ("the raw report", "a token alone, since there is no section maa.snp");
                self.find(codes::ENV_PROFILE_NOT_ALLOWED, got, want, &required.source);
            }
            (Err(Missing::Absent), _) if !required.value => {
                for code in waived {
                    let want = "no waiver, since the raw report alone needs what can be waived";
                    self.find(code.clone(), "waived", want, &required.source);
                }
            }
            (Err(missing), _) => {
                let want = "the raw report that the token is about";
                self.find(codes::MAA_REPORT_MISSING, missing, want, &required.source);
            }
        }
    }

    fn same<const N: usize>(&mut self, name: &str, token: &Fact<[u8; N]>, report: &Fact<[u8; N]>) {
        if report.is_err() || report != token {
            let (got, want) =
                (format!("{name} {}", show_hex(report)), format!("the token's {}", show_hex(token)));
            self.find(codes::MAA_REPORT_MISMATCH, got, want, "specification");
        }
    }
}
