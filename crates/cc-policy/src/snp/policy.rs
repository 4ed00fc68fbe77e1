//! The `[snp]` section as a type. It only comes from [`super::load()`], which is where the defaults stand.

use std::collections::BTreeMap;

use cc_core::{Code, codes};

use super::values::{Abi, ChipId, FwVersion, Product};
use crate::allowed::{Allowed, LaunchData};
use crate::reader::Placed;

/// What SNP claims must be. Field names are the keys of the format; *verification.md* 1.3 has their meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnpPolicy {
    // Step S2.
    pub(super) versions: Placed<Vec<u64>>,
    // S6, S8.
    pub(super) allow_vlek: Placed<bool>,
    pub(super) allow_masked_chip_id: Placed<bool>,
    // S9, S21: the permitted product lines, each with its minimums.
    pub(super) products: Placed<BTreeMap<Product, Line>>,
    // S13.
    pub(super) crl_required: Placed<bool>,
    pub(super) crl_max_age_days: Placed<u32>,
    // S18.
    pub(super) allowed_csp_ids: Placed<Vec<String>>,
    // S20.
    pub(super) allow_provisional_fw: Placed<bool>,
    // S22.
    pub(super) vmpl: Placed<u64>,
    // S23, locked.
    pub(super) allow_debug: Placed<bool>,
    pub(super) allow_migrate_ma: Placed<bool>,
    // S24.
    pub(super) min_abi: Placed<Abi>,
    pub(super) smt_allowed: Placed<bool>,
    pub(super) cxl: Placed<bool>,
    pub(super) require_single_socket: Placed<bool>,
    pub(super) require_xts: Placed<bool>,
    pub(super) require_rapl_dis: Placed<bool>,
    pub(super) require_ciphertext_hiding: Placed<CiphertextHiding>,
    pub(super) page_swap_disable: Placed<bool>,
    // S25.
    pub(super) require_alias_check: Placed<bool>,
    pub(super) require_ecc: Placed<bool>,
    // S26.
    pub(super) required_mitigations: Placed<u64>,
    // S27, S28.
    pub(super) launch: Launch,
    // S29.
    pub(super) require_id_block: Placed<bool>,
    pub(super) require_author_key: Placed<bool>,
    pub(super) id_key_digests: Placed<Vec<[u8; 48]>>,
    pub(super) author_key_digests: Placed<Vec<[u8; 48]>>,
    // S30.
    pub(super) min_guest_svn: Placed<u32>,
    pub(super) family_id: Placed<Allowed<[u8; 16]>>,
    pub(super) image_id: Placed<Allowed<[u8; 16]>>,
    // S31.
    pub(super) chip_allowlist: Placed<Allowed<ChipId>>,
    pub(super) chip_denylist: Placed<Vec<ChipId>>,
}

/// The codes that the section can waive, each with the knob that says whether it does not.
pub(crate) const fn waivable(policy: &SnpPolicy) -> [(Code, &Placed<bool>); 1] {
    [(codes::SNP_CRL_MISSING, &policy.crl_required)]
}

/// Whether HOST_DATA must be the digest of the init-data.
pub(crate) const fn needs_init_data(policy: &SnpPolicy) -> bool {
    matches!(&policy.launch, Launch::Own { host_data, .. } if matches!(host_data.value, LaunchData::InitData))
}

/// Who judges MEASUREMENT and HOST_DATA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Launch {
    /// This section.
    Own { measurements: Placed<Allowed<[u8; 48]>>, host_data: Placed<LaunchData<32>> },
    /// The section around this one, on whose platform they mean more than a value in a list.
    Around,
}

/// The minimums of a permitted product line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// One for each component of the line's layout.
    pub(super) min_tcb: Vec<Minimum>,
    pub(super) min_fw: Placed<FwVersion>,
}

/// The minimum of one TCB component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Minimum {
    pub(super) component: &'static str,
    /// Which byte of a TCB in report order.
    pub(super) byte: usize,
    pub(super) least: Placed<u8>,
}

/// Whether the guest policy must insist on ciphertext hiding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CiphertextHiding {
    /// Unless the product line is one that does not have it (Milan, Genoa).
    WhereAvailable,
    Required,
    NotRequired,
}
