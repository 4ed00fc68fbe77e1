//! The `[maa]` section as a type. It only comes from [`super::load()`], which is where the defaults stand.

use cc_core::Code;

use crate::allowed::Allowed;
use crate::cce::CcePolicies;
use crate::reader::Placed;
use crate::snp::{self, SnpPolicy};

/// What the claims of a token must be. Field names are the keys of the format; *verification.md* 4.5 has their meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MaaPolicy {
    // Step J6.
    pub(super) issuers: Placed<Vec<String>>,
    pub(super) policy_hashes: Placed<Allowed<String>>,
    // J7.
    pub(super) max_age_seconds: Placed<u32>,
    // M2, locked.
    pub(super) allow_debug: Placed<bool>,
    pub(super) allow_migration: Placed<bool>,
    // M3. The last two are not both without effect.
    pub(super) cce_policy_allowlist: Placed<CcePolicies>,
    pub(super) measurements: Placed<Allowed<[u8; 48]>>,
    pub(super) uvm_min_svn: Placed<u32>,
    // M4: one for each of the claims that `load` names.
    pub(super) min_tcb: Vec<(&'static str, Placed<u8>)>,
    // M7: the section is there if the report is required.
    pub(super) require_raw_report: Placed<bool>,
    pub(super) snp: Option<SnpPolicy>,
}

/// The codes that the section can waive, each with the knob that says whether it does not.
pub(crate) fn waivable(policy: &MaaPolicy) -> impl Iterator<Item = (Code, &Placed<bool>)> {
    policy.snp.iter().flat_map(snp::waivable)
}

/// Whether the CCE policy must be one of the participant's own.
pub(crate) const fn needs_init_data(policy: &MaaPolicy) -> bool {
    policy.cce_policy_allowlist.value.needs_init_data()
}
