//! The `[aci]` section as a type. It only comes from [`super::load()`], which is where the defaults stand.

use cc_core::Code;

use crate::allowed::Allowed;
use crate::cce::CcePolicies;
use crate::reader::Placed;
use crate::snp::{self, SnpPolicy};

/// What the claims of a container group must be. Field names are the keys of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AciPolicy {
    // S1 to S31.
    pub(super) snp: SnpPolicy,
    // Step A2.
    pub(super) uvm_issuer: Placed<String>,
    // A3.
    pub(super) uvm_feed: Placed<String>,
    // A5: beside the endorsement.
    pub(super) measurements: Placed<Allowed<[u8; 48]>>,
    // A6.
    pub(super) uvm_min_svn: Placed<u32>,
    // A7.
    pub(super) cce_policy_allowlist: Placed<CcePolicies>,
    // A8.
    pub(super) require_cce_policy: Placed<bool>,
    pub(super) cce_policy_permit: Placed<Vec<String>>,
}

/// The codes that the section can waive, each with the knob that says whether it does not.
pub(crate) const fn waivable(policy: &AciPolicy) -> [(Code, &Placed<bool>); 1] {
    snp::waivable(&policy.snp)
}

/// Whether the CCE policy must be one of the participant's own.
pub(crate) const fn needs_init_data(policy: &AciPolicy) -> bool {
    policy.cce_policy_allowlist.value.needs_init_data()
}
