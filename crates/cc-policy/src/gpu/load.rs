//! Format and defaults of the `[gpu]` section, and what makes a section unfit to load.
//!
//! Every default is the secure value of *verification.md* 3.3. Three things have none, since no value could be right for
//! everybody: how many GPUs there are, and the oldest driver and VBIOS. VBIOSes are numbered by architecture, so that
//! each permitted one has its own floor.

use std::collections::{BTreeMap, BTreeSet};

use cc_core::codes;
use cc_core::limits::MAX_GPUS;
use toml::de::DeValue;

use super::policy::GpuPolicy;
use super::values::{Arch, DriverVersion, GpuMode, PPCIE_GPUS, Ueid, VbiosVersion};
use crate::PolicyError;
use crate::allowed::Allowed;
use crate::policy::Mode;
use crate::reader::{Placed, Table, flag, list, number, some_of};

const FLAG: &str = "true or false";
const DRIVER: &str = "a version like \"550.90.07\"";
const VBIOS: &str = "a version like \"96.00.9f.00.01\"";
const DEVICES: &str = "a list of serial numbers of leaf certificates in hexadecimal, none of them zero";

/// Reads the section, then refuses what contradicts itself or, in production, weakens a locked knob.
pub(crate) fn load(mut t: Table<'_>, production: &Placed<Mode>) -> Result<GpuPolicy, PolicyError> {
    let section = t.source().to_owned();
    let on = |t: &mut Table<'_>, key| t.knob(key, FLAG, flag, true);
    let absent = |code, key: &str, expected: &str| {
        let detail = format!("key `{key}` is absent, expected {expected}");
        PolicyError::new(code, section.as_str(), detail)
    };

    let gpu_count = t.optional("gpu_count", "a number from 1 to 16", |v| {
        number(v).filter(|count| (1..=MAX_GPUS).contains(count))
    })?;
    let min_driver = t.optional("min_driver", DRIVER, driver)?;
    let archs = t.knob(
        "archs",
        "a list of \"HOPPER\" and \"BLACKWELL\" that is not empty",
        some_of(|v| Arch::parse_gpu(v.as_str()?)),
        vec![Arch::Hopper, Arch::Blackwell],
    )?;
    let mode =
        t.knob("mode", "\"SPT\", \"MPT\" or \"PPCIE\"", |v| GpuMode::parse(v.as_str()?), GpuMode::Spt)?;
    let min_vbios = min_vbios(t.table("min_vbios")?, &permitted(&archs.value, mode.value))?;

    let policy = GpuPolicy {
        gpu_count: gpu_count
            .ok_or_else(|| absent(codes::POL_FORMAT_INVALID, "gpu_count", "how many GPUs a guest has"))?,
        device_allowlist: t.knob(
            "device_allowlist",
            DEVICES,
            |v| some_of(device)(v).map(Allowed::Only),
            Allowed::Any,
        )?,
        device_denylist: t.knob("device_denylist", DEVICES, list(device), Vec::new())?,
        archs,
        require_fwid: on(&mut t, "require_fwid")?,
        ocsp_required: on(&mut t, "ocsp_required")?,
        rim_required: on(&mut t, "rim_required")?,
        allow_nras: t.knob("allow_nras", FLAG, flag, false)?,
        min_driver: min_driver
            .ok_or_else(|| absent(codes::POL_MIN_TCB_UNSET, "min_driver", "the oldest driver"))?,
        denied_drivers: t.knob(
            "denied_drivers",
            "a list of versions like \"550.90.07\"",
            list(driver),
            Vec::new(),
        )?,
        min_vbios,
        denied_vbios: t.knob(
            "denied_vbios",
            "a list of versions like \"96.00.9f.00.01\"",
            list(vbios),
            Vec::new(),
        )?,
        allowed_unreferenced: t.knob(
            "allowed_unreferenced",
            "a list of indices from 0 to 255",
            list(number),
            Vec::new(),
        )?,
        mode,
        require_cc_state: on(&mut t, "require_cc_state")?,
    };
    t.finish()?;
    consistent(&policy)?;
    if production.value == Mode::Production {
        fit_for_production(&policy)?;
    }
    Ok(policy)
}

/// The architectures of GPUs and, where the mode has any, of switches.
fn permitted(gpus: &[Arch], mode: GpuMode) -> Vec<Arch> {
    let switches = (mode.switches() != 0).then_some(Arch::Ls10);
    gpus.iter().copied().chain(switches).collect()
}

/// The floor of each permitted architecture; others may be there, too.
fn min_vbios(
    mut table: Table<'_>,
    permitted: &[Arch],
) -> Result<Placed<BTreeMap<Arch, Placed<VbiosVersion>>>, PolicyError> {
    let source = table.source().to_owned();
    let mut floors = BTreeMap::new();
    for arch in Arch::ALL {
        let floor = table.optional(arch.name(), VBIOS, vbios)?;
        match floor {
            Some(floor) if permitted.contains(&arch) => {
                floors.insert(arch, floor);
            }
            None if permitted.contains(&arch) => {
                let detail =
                    format!("key `{arch}` is absent, expected the oldest VBIOS of that architecture");
                return Err(PolicyError::new(codes::POL_MIN_TCB_UNSET, source, detail));
            }
            Some(_) | None => {}
        }
    }
    table.finish()?;
    Ok(Placed { value: floors, source })
}

/// Refuses combinations in which nothing could pass.
fn consistent(policy: &GpuPolicy) -> Result<(), PolicyError> {
    let invalid = |place: &str, detail| Err(PolicyError::new(codes::POL_FORMAT_INVALID, place, detail));
    let (gpus, mode) = (policy.gpu_count.value, policy.mode.value);
    if mode == GpuMode::Ppcie && gpus != PPCIE_GPUS {
        let detail = format!("{mode} is of systems of {PPCIE_GPUS} GPUs, and gpu.gpu_count is {gpus}");
        return invalid(&policy.mode.source, detail);
    }
    if let Allowed::Only(allowed) = &policy.device_allowlist.value {
        let denied = &policy.device_denylist.value;
        let named = allowed.iter().filter(|device| !denied.contains(device)).collect::<BTreeSet<_>>().len();
        let needed = gpus.saturating_add(mode.switches());
        if named < needed {
            let detail = format!(
                "has {named} devices that are not on gpu.device_denylist, and a guest has {needed} devices"
            );
            return invalid(&policy.device_allowlist.source, detail);
        }
    }
    Ok(())
}

/// Refuses what only a development policy may say (*verification.md* 0.13): without reference manifests nothing says what
/// runs on a device, without its state nobody who drives it vouches for it.
fn fit_for_production(policy: &GpuPolicy) -> Result<(), PolicyError> {
    for locked in [&policy.ocsp_required, &policy.rim_required, &policy.require_cc_state] {
        if !locked.value {
            let detail = "found false, which is locked to true unless profile = \"development\"";
            return Err(PolicyError::new(codes::POL_PROFILE_DEVELOPMENT, locked.source.as_str(), detail));
        }
    }
    Ok(())
}

fn driver(value: &DeValue<'_>) -> Option<DriverVersion> {
    DriverVersion::parse(value.as_str()?)
}

fn vbios(value: &DeValue<'_>) -> Option<VbiosVersion> {
    VbiosVersion::parse(value.as_str()?)
}

fn device(value: &DeValue<'_>) -> Option<Ueid> {
    Ueid::parse(value.as_str()?)
}
