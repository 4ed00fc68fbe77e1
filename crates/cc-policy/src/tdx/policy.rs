//! The `[tdx]` section as a type. It only comes from [`super::load()`], which is where the defaults stand.

use cc_core::{Code, UnixTime, codes};

use super::values::{PlatformId, Register, TcbStatus};
use crate::allowed::{Allowed, LaunchData};
use crate::reader::Placed;

/// What TDX claims must be. Field names are the keys of the format; *verification.md* 2.4 has their meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TdxPolicy {
    // Step T5.
    pub(super) crl_required: Placed<bool>,
    // T6, T7.
    pub(super) collateral_max_age_hours: Placed<MaxAge>,
    // T8.
    pub(super) min_tcb_eval_num: Placed<u32>,
    // T12, T17.
    pub(super) accepted_status: Placed<Vec<TcbStatus>>,
    pub(super) accepted_advisories: Placed<Vec<String>>,
    pub(super) min_tcb_date: Placed<UnixTime>,
    // T18; the first is locked.
    pub(super) allow_debug: Placed<bool>,
    pub(super) require_sept_ve_disable: Placed<bool>,
    pub(super) allow_migratable: Placed<bool>,
    pub(super) allow_perfmon: Placed<bool>,
    pub(super) allow_kl: Placed<bool>,
    pub(super) allow_pks: Placed<bool>,
    // T19.
    pub(super) xfam_allowed: Placed<u64>,
    // T20: the service TDs that may be bound beside none; empty for `"zero"`.
    pub(super) service_td: Placed<Vec<Register>>,
    // T21: the key `images`, or `measurements = "any"`.
    pub(super) images: Placed<Allowed<Placed<Image>>>,
    // T22.
    pub(super) require_eventlog: Placed<bool>,
    // T23.
    pub(super) mr_config_id: Placed<LaunchData<48>>,
    pub(super) mr_owner: Placed<LaunchData<48>>,
    pub(super) mr_owner_config: Placed<LaunchData<48>>,
    // T24.
    pub(super) smt_allowed: Placed<bool>,
    pub(super) allow_dynamic_platform: Placed<bool>,
    pub(super) allow_cached_keys: Placed<bool>,
    pub(super) platform_allowlist: Placed<Allowed<PlatformId>>,
    pub(super) platform_denylist: Placed<Vec<PlatformId>>,
    // T25.
    pub(super) mrseam_allowlist: Placed<Allowed<Register>>,
}

/// The codes that the section can waive, each with the knob that says whether it does not.
pub(crate) const fn waivable(policy: &TdxPolicy) -> [(Code, &Placed<bool>); 1] {
    [(codes::TDX_CRL_MISSING, &policy.crl_required)]
}

/// Whether MRCONFIGID must be the digest of the init-data.
pub(crate) const fn needs_init_data(policy: &TdxPolicy) -> bool {
    matches!(policy.mr_config_id.value, LaunchData::InitData)
}

/// How old TCB info and QE identity may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaxAge {
    /// As old as they say themselves, which verification has judged.
    NextUpdate,
    /// This old and no older.
    Hours(u32),
}

/// The measurement of one image: all registers together, since a domain that starts one image's firmware and then
/// another's kernel is neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(super) name: String,
    /// The values of [`REGISTERS`](super::values::REGISTERS).
    pub(super) registers: [Register; 5],
}
