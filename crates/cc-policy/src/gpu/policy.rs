//! The `[gpu]` section as a type. It only comes from [`super::load()`], which is where the defaults stand.

use std::collections::BTreeMap;

use cc_core::{Code, codes};

use super::values::{Arch, DriverVersion, GpuMode, Ueid, VbiosVersion};
use crate::allowed::Allowed;
use crate::reader::Placed;

/// What the claims of GPUs and switches must be. Field names are the keys of the format; *verification.md* 3.3 has their
/// meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GpuPolicy {
    // Step G1.
    pub(super) gpu_count: Placed<usize>,
    pub(super) device_allowlist: Placed<Allowed<Ueid>>,
    pub(super) device_denylist: Placed<Vec<Ueid>>,
    // G3.
    pub(super) archs: Placed<Vec<Arch>>,
    // G5.
    pub(super) require_fwid: Placed<bool>,
    // G8, G12; locked.
    pub(super) ocsp_required: Placed<bool>,
    pub(super) rim_required: Placed<bool>,
    // Whether a service may have judged G8 and G11 to G16.
    pub(super) allow_nras: Placed<bool>,
    // G10. Only the floors of permitted architectures are here, all of them.
    pub(super) min_driver: Placed<DriverVersion>,
    pub(super) denied_drivers: Placed<Vec<DriverVersion>>,
    pub(super) min_vbios: Placed<BTreeMap<Arch, Placed<VbiosVersion>>>,
    pub(super) denied_vbios: Placed<Vec<VbiosVersion>>,
    // G17.
    pub(super) allowed_unreferenced: Placed<Vec<u8>>,
    // G18.
    pub(super) mode: Placed<GpuMode>,
    // G19; locked.
    pub(super) require_cc_state: Placed<bool>,
}

/// The codes that the section can waive, each with the knob that says whether it does not.
pub(crate) fn waivable(policy: &GpuPolicy) -> [(Code, &Placed<bool>); 2] {
    [(codes::GPU_OCSP_UNAVAILABLE, &policy.ocsp_required), (codes::GPU_RIM_NOT_FOUND, &policy.rim_required)]
}
