//! The appraisal steps of *verification.md* 4.6, after those of the processor's report (1.2 or 2.2). The binding is the
//! host's, not here; what *decisions.md* 6 gives to verification is not judged again.

use cc_core::codes;

use super::facts::{Facts, Tee};
use super::load::name;
use super::policy::CvmPolicy;
use crate::allowed::{hex_list, text_list};
use crate::facts::{Missing, show, show_hex};
use crate::steps::Subject;
use crate::{Context, Finding, UserData, snp, tdx};

type Steps<'a> = crate::steps::Steps<'a, Facts, CvmPolicy>;

/// The bank that policies have values for.
const BANK: &str = "sha256";

/// Takes every step. `file` is the policy's, the place of a section that is not there.
pub(crate) fn appraise(
    subject: Subject<'_>,
    policy: &CvmPolicy,
    context: &Context,
    file: &str,
) -> Vec<Finding> {
    let facts = Facts::read(subject.claims);
    let mut steps = Steps::new(&facts, policy);
    steps.report(subject, context, file);
    steps.secure_boot();
    steps.fresh(context);
    steps.selection();
    steps.values();
    steps.findings
}

impl Steps<'_> {
    fn report(&mut self, subject: Subject<'_>, context: &Context, file: &str) {
        match (self.facts.tee, &self.policy.snp, &self.policy.tdx) {
            (Ok(Tee::Snp), Some(section), _) => self.findings = snp::appraise(subject, section, context),
            (Ok(Tee::Tdx), _, Some(section)) => self.findings = tdx::appraise(subject, section, context),
            (tee, snp, tdx) => {
                let got = show(&tee, |tee| match tee {
                    Tee::Snp => "a machine on SNP",
                    Tee::Tdx => "a machine on TDX",
                });
                let sections = [snp.is_some().then_some("azcvm.snp"), tdx.is_some().then_some("azcvm.tdx")];
                let sections = text_list(sections.into_iter().flatten());
                let want = format!("a machine that the policy has a section for: {sections}");
                self.find(codes::ENV_PROFILE_NOT_ALLOWED, got, want, file);
            }
        }
    }

    /// As the paravisor configured the machine, under the processor's report.
    fn secure_boot(&mut self) {
        let required = &self.policy.require_secure_boot;
        let found = &self.facts.secure_boot;
        if required.value && *found != Ok(true) {
            let got = format!("secure boot: {}", show(found, |flag| flag));
            self.find(codes::VTPM_SECURE_BOOT_DISABLED, got, "secure boot: true", &required.source);
        }
    }

    /// A report that carries what this verifier asked for was made after it asked.
    fn fresh(&mut self, context: &Context) {
        let required = &self.policy.fresh_hcl;
        let found = &self.facts.user_data;
        let asked = match context.user_data {
            UserData::Asked(asked) => Ok(asked),
            UserData::NotAsked => Err(Missing::Absent),
        };
        if required.value && (asked.is_err() || *found != asked) {
            let got = format!("user data: {}", show_hex(found));
            let want = match asked {
                Ok(asked) => format!("user data: {}", hex::encode(asked)),
                Err(_) => "a binding that says which user data a new report has".to_owned(),
            };
            self.find(codes::VTPM_USER_DATA_MISMATCH, got, want, &required.source);
        }
    }

    /// A quote over fewer or other PCRs says nothing of those that count: some can be reset by anybody
    /// (go-attestation's CVE-2022-0317).
    fn selection(&mut self) {
        let (facts, expected) = (self.facts, &self.policy.pcr_selection);
        if facts.pcr_bank.as_deref() != Ok(BANK) {
            let got = show(&facts.pcr_bank, |bank| bank);
            self.find(codes::VTPM_PCR_ALGORITHM, got, BANK, "specification");
        }
        if facts.pcr_selection.as_ref() != Ok(&expected.value) {
            let got = show(&facts.pcr_selection, text_list);
            let want = format!("exactly {}", text_list(&expected.value));
            self.find(codes::VTPM_PCR_SELECTION, got, want, &expected.source);
        }
    }

    fn values(&mut self) {
        let (facts, policy) = (self.facts, self.policy);
        for (number, allowed) in &policy.pcrs {
            let found = facts.pcr(*number);
            if !found.is_ok_and(|value| allowed.value.contains(&value)) {
                let got = format!("PCR {} {}", name(*number), show_hex(&found));
                let want = format!("one of {}", hex_list(&allowed.value));
                self.find(codes::VTPM_PCR_VALUE, got, want, &allowed.source);
            }
        }
    }
}
