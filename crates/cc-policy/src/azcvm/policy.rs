//! The `[azcvm]` section as a type. It only comes from [`super::load()`], which is where the defaults stand.

use std::collections::{BTreeMap, BTreeSet};

use cc_core::Code;

use crate::reader::Placed;
use crate::snp::{self, SnpPolicy};
use crate::tdx::{self, TdxPolicy};

/// The value of a PCR in the SHA-256 bank.
pub(super) type Pcr = [u8; 32];

/// What the claims of a machine must be. Field names are the keys of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CvmPolicy {
    // At least one of them is there.
    pub(super) snp: Option<SnpPolicy>,
    pub(super) tdx: Option<TdxPolicy>,
    pub(super) require_secure_boot: Placed<bool>,
    /// The processor's report is of now, not of the last boot.
    pub(super) fresh_hcl: Placed<bool>,
    /// Exactly these are quoted.
    pub(super) pcr_selection: Placed<BTreeSet<u8>>,
    /// The permitted values of some of them, at least of one.
    pub(super) pcrs: BTreeMap<u8, Placed<Vec<Pcr>>>,
}

/// The codes that the section can waive, each with the knob that says whether it does not.
pub(crate) fn waivable(policy: &CvmPolicy) -> impl Iterator<Item = (Code, &Placed<bool>)> {
    policy.snp.iter().flat_map(snp::waivable).chain(policy.tdx.iter().flat_map(tdx::waivable))
}

/// Whether launch data must be the digest of the init-data, whichever processor the machine has.
pub(crate) fn needs_init_data(policy: &CvmPolicy) -> bool {
    policy.snp.iter().all(snp::needs_init_data) && policy.tdx.iter().all(tdx::needs_init_data)
}
