//! Format and defaults of the `[maa]` section, and what makes a section unfit to load.
//!
//! Four things have no default, since no value could be right for everybody: the issuers, the CCE policies, what tells the
//! utility VMs that are permitted, and the minimum SVNs. The issuers are those of the plugin's settings or fewer: the
//! settings say whose keys are used, the policy whose word counts.

use cc_core::{Code, codes};
use toml::de::DeValue;

use super::facts::SVNS;
use super::policy::MaaPolicy;
use crate::PolicyError;
use crate::allowed::Allowed;
use crate::cce::CcePolicies;
use crate::policy::Mode;
use crate::reader::{Placed, Table, bytes, flag, number, some_of, text};
use crate::snp;

const FLAG: &str = "true or false";

/// Reads the section, then refuses what contradicts itself or, in production, weakens a locked knob.
pub(crate) fn load(mut t: Table<'_>, mode: &Placed<Mode>) -> Result<MaaPolicy, PolicyError> {
    let section = t.source().to_owned();
    let issuers = t.optional("issuers", "a list of issuers that is not empty", some_of(text))?;
    let snp = t.section("snp")?;
    let policy = MaaPolicy {
        issuers: issuers.ok_or_else(|| {
            let detail = "key `issuers` is absent, expected the attestation services whose word counts";
            PolicyError::new(codes::POL_FORMAT_INVALID, section.as_str(), detail)
        })?,
        policy_hashes: t.knob(
            "policy_hashes",
            "a list of SHA-256 digests in base64url, of 43 characters, that is not empty",
            |v| some_of(policy_hash)(v).map(Allowed::Only),
            Allowed::Any,
        )?,
        max_age_seconds: t.knob("max_age_seconds", "a number of seconds", number, 300)?,
        allow_debug: t.knob("allow_debug", FLAG, flag, false)?,
        allow_migration: t.knob("allow_migration", FLAG, flag, false)?,
        cce_policy_allowlist: CcePolicies::load(&mut t, mode)?,
        measurements: t.knob(
            "measurements",
            "a list of measurements of 96 hexadecimal digits, none of them zero",
            |v| some_of(measurement)(v).map(Allowed::Only),
            Allowed::Any,
        )?,
        uvm_min_svn: t.knob("uvm_min_svn", "a number of 32 bits", number, 0)?,
        min_tcb: min_tcb(t.table("min_tcb")?)?,
        require_raw_report: t.knob("require_raw_report", FLAG, flag, true)?,
        snp: snp.map(|table| snp::load_within(table, mode)).transpose()?,
    };
    t.finish()?;
    consistent(&policy, &section)?;
    if mode.value == Mode::Production {
        fit_for_production(&policy)?;
    }
    Ok(policy)
}

fn min_tcb(mut table: Table<'_>) -> Result<Vec<(&'static str, Placed<u8>)>, PolicyError> {
    let mut minimums = Vec::new();
    for (component, _) in SVNS {
        let Some(least) = table.optional(component, "a number of 8 bits", number)? else {
            let detail = format!("component {component} is absent, a minimum has all of the token's");
            return Err(PolicyError::new(codes::POL_MIN_TCB_UNSET, table.source(), detail));
        };
        minimums.push((component, least));
    }
    table.finish()?;
    Ok(minimums)
}

/// Refuses what leaves the utility VM open, and a report that nothing would judge.
fn consistent(policy: &MaaPolicy, section: &str) -> Result<(), PolicyError> {
    let refused = |code: Code, place: &str, detail| Err(PolicyError::new(code, place, detail));
    if policy.measurements.value == Allowed::Any && policy.uvm_min_svn.value == 0 {
        let detail = "neither `measurements` nor `uvm_min_svn` says which utility VMs are permitted";
        return refused(codes::POL_UVM_MIN_SVN_UNSET, section, detail);
    }
    if policy.require_raw_report.value && policy.snp.is_none() {
        let detail = "the raw report is required and table snp, which judges it, is absent";
        return refused(codes::POL_MIN_TCB_UNSET, &policy.require_raw_report.source, detail);
    }
    Ok(())
}

/// Refuses what only a development policy may say (*verification.md* 0.13).
fn fit_for_production(policy: &MaaPolicy) -> Result<(), PolicyError> {
    for locked in [&policy.allow_debug, &policy.allow_migration] {
        if locked.value {
            let detail = "found true, which is locked to false unless profile = \"development\"";
            return Err(PolicyError::new(codes::POL_PROFILE_DEVELOPMENT, locked.source.as_str(), detail));
        }
    }
    Ok(())
}

fn measurement(value: &DeValue<'_>) -> Option<[u8; 48]> {
    bytes(value).filter(|measurement| *measurement != [0; 48])
}

/// As tokens have it: base64url without padding.
fn policy_hash(value: &DeValue<'_>) -> Option<String> {
    text(value).filter(|text| {
        text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    })
}
