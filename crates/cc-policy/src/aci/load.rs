//! Format and defaults of the `[aci]` section, and what makes a section unfit to load.
//!
//! Three things have no default, since no value could be right for everybody: the CCE policies, the oldest utility VM, and
//! the minimum TCBs in `[aci.snp]`. Endorsements of utility VMs outlive their certificates, so that only the oldest allowed
//! version keeps a host from starting one that was withdrawn (*verification.md* 4.2, A2).

use cc_core::codes;
use toml::de::DeValue;

use super::policy::AciPolicy;
use crate::PolicyError;
use crate::allowed::Allowed;
use crate::cce::CcePolicies;
use crate::policy::Mode;
use crate::reader::{Placed, Table, bytes, flag, list, number, some_of, text};
use crate::snp;

/// Who issues Microsoft's endorsements of utility VMs (*verification.md* 4.2, A2).
const UVM_ISSUER: &str =
    "did:x509:0:sha256:I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s::eku:1.3.6.1.4.1.311.76.59.1.2";
/// Under which name it issues those for container groups (A3).
const UVM_FEED: &str = "ContainerPlat-AMD-UVM";

/// Reads the section.
pub(crate) fn load(mut t: Table<'_>, mode: &Placed<Mode>) -> Result<AciPolicy, PolicyError> {
    let section = t.source().to_owned();
    let uvm_min_svn = t.optional("uvm_min_svn", "a number of 32 bits that is not zero", |v| {
        number(v).filter(|&svn: &u32| svn != 0)
    })?;
    let text_knob = |t: &mut Table<'_>, key, default: &str| {
        t.knob(key, "a text that is not empty", text, default.to_owned())
    };
    let policy = AciPolicy {
        cce_policy_allowlist: CcePolicies::load(&mut t, mode)?,
        uvm_min_svn: uvm_min_svn.ok_or_else(|| {
            let detail = "key `uvm_min_svn` is absent, expected the oldest utility VM that is permitted";
            PolicyError::new(codes::POL_UVM_MIN_SVN_UNSET, section, detail)
        })?,
        uvm_issuer: text_knob(&mut t, "uvm_issuer", UVM_ISSUER)?,
        uvm_feed: text_knob(&mut t, "uvm_feed", UVM_FEED)?,
        measurements: t.knob(
            "measurements",
            "a list of measurements of 96 hexadecimal digits, none of them zero",
            |v| some_of(measurement)(v).map(Allowed::Only),
            Allowed::Any,
        )?,
        require_cce_policy: t.knob("require_cce_policy", "true or false", flag, false)?,
        cce_policy_permit: t.knob(
            "cce_policy_permit",
            "a list of names of what a CCE policy may allow",
            list(text),
            Vec::new(),
        )?,
        snp: snp::load_within(t.table("snp")?, mode)?,
    };
    t.finish()?;
    Ok(policy)
}

fn measurement(value: &DeValue<'_>) -> Option<[u8; 48]> {
    bytes(value).filter(|measurement| *measurement != [0; 48])
}
