//! The claims that the steps need, of each device in the order of the evidence.
//!
//! Counts are taken from the list of devices, not from the numbers beside it: two readings of one thing cannot disagree.

use std::collections::BTreeSet;

use cc_core::{ClaimValue, Claims, lower_hex};

use super::values::{Arch, DriverVersion, Pdi, Ueid, VbiosVersion};
use crate::facts::{Fact, Missing, bytes, integer, printable, read, read_text};

/// What the claims say.
#[derive(Debug)]
pub(super) struct Facts {
    /// Where there is no list of devices, one of which nothing is known, so that each step finds what it misses.
    pub(super) devices: Vec<DeviceFacts>,
    /// The issuer of the attestation service that judged devices in the verifier's place; absent where none did.
    pub(super) nras: Fact<String>,
}

/// What kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Gpu,
    Switch,
}

/// What the claims of one device say.
#[derive(Debug)]
pub(super) struct DeviceFacts {
    pub(super) class: Fact<Class>,
    pub(super) arch: Fact<Arch>,
    pub(super) ueid: Fact<Ueid>,
    pub(super) fwid: Fact<[u8; 48]>,
    pub(super) driver_version: Fact<DriverVersion>,
    pub(super) vbios_version: Fact<VbiosVersion>,
    /// Whether an attestation service judged it.
    pub(super) served: bool,
    /// Whether the report was compared with every reference manifest that it needs.
    pub(super) compared: bool,
    /// Indices of measurements without a reference value, as manifests count them.
    pub(super) unreferenced: Fact<Vec<u64>>,
    pub(super) feature_flag: Fact<String>,
    pub(super) cc_state: CcState,
    pub(super) pdi: Fact<Pdi>,
    /// The devices of the other class that it sees on NVLink.
    pub(super) neighbours: Fact<BTreeSet<Pdi>>,
}

/// What the driver in the guest says, in NVML's numbers.
#[derive(Debug)]
pub(super) struct CcState {
    pub(super) is_absent: bool,
    pub(super) cc_feature: Fact<u64>,
    pub(super) dev_tools_mode: Fact<u64>,
    pub(super) environment: Fact<u64>,
    pub(super) multi_gpu_mode: Fact<u64>,
}

impl Facts {
    pub(super) fn read(claims: &Claims) -> Self {
        let nras = read_text(claims, "nras", |text| printable(text).filter(|text| !text.is_empty()));
        match claims.value("devices") {
            Some(ClaimValue::List(items)) => {
                let device = |item: &ClaimValue| match item {
                    ClaimValue::Map(claims) => DeviceFacts::read(claims),
                    _ => DeviceFacts::unknown(Missing::Malformed),
                };
                Self { devices: items.iter().map(device).collect(), nras }
            }
            other => {
                let missing = if other.is_none() { Missing::Absent } else { Missing::Malformed };
                Self { devices: vec![DeviceFacts::unknown(missing)], nras }
            }
        }
    }

    /// The devices with their place, counted from 1.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, &DeviceFacts)> {
        (1..).zip(&self.devices)
    }

    /// How many devices of a class there are.
    pub(super) fn count(&self, class: Class) -> Fact<usize> {
        let mut count = 0_usize;
        for device in &self.devices {
            if device.class? == class {
                count = count.saturating_add(1);
            }
        }
        Ok(count)
    }
}

impl DeviceFacts {
    fn read(claims: &Claims) -> Self {
        let class = read_text(claims, "class", |text| match text {
            "gpu" => Some(Class::Gpu),
            "switch" => Some(Class::Switch),
            _ => None,
        });
        let (manifests, neighbours): (&[_], _) = match class {
            Ok(Class::Switch) => (&["vbios_rim"], "gpu_pdis"),
            Ok(Class::Gpu) | Err(_) => (&["driver_rim", "vbios_rim"], "switch_pdis"),
        };
        Self {
            class,
            arch: read_text(claims, "arch", Arch::parse),
            ueid: read_text(claims, "ueid", Ueid::parse),
            fwid: bytes(claims, "fwid"),
            driver_version: read_text(claims, "driver_version", DriverVersion::parse),
            vbios_version: read_text(claims, "vbios_version", VbiosVersion::parse),
            served: claims.value("verifier").is_some(),
            compared: manifests.iter().all(|name| claims.value(name).is_some()),
            unreferenced: read(claims, "unreferenced", |claims, name| Ok(numbers(claims.value(name)))),
            feature_flag: read_text(claims, "feature_flag", |text| {
                printable(text).filter(|text| !text.is_empty())
            }),
            cc_state: CcState::read(claims),
            pdi: bytes(claims, "device_pdi")
                .and_then(|pdi| if pdi == [0; 8] { Err(Missing::Malformed) } else { Ok(pdi) }),
            neighbours: read(claims, neighbours, |claims, name| Ok(pdis(claims.value(name)))),
        }
    }

    /// A device of which nothing is known.
    const fn unknown(missing: Missing) -> Self {
        Self {
            class: Err(missing),
            arch: Err(missing),
            ueid: Err(missing),
            fwid: Err(missing),
            driver_version: Err(missing),
            vbios_version: Err(missing),
            served: false,
            compared: false,
            unreferenced: Err(missing),
            feature_flag: Err(missing),
            cc_state: CcState::unknown(missing),
            pdi: Err(missing),
            neighbours: Err(missing),
        }
    }

    /// What does not say that it is a switch is judged like a GPU, of which more is demanded.
    pub(super) fn is_switch(&self) -> bool {
        self.class == Ok(Class::Switch)
    }
}

impl CcState {
    fn read(claims: &Claims) -> Self {
        let Some(value) = claims.value("cc_state") else {
            return Self { is_absent: true, ..Self::unknown(Missing::Absent) };
        };
        let ClaimValue::Map(state) = value else { return Self::unknown(Missing::Malformed) };
        Self {
            is_absent: false,
            cc_feature: integer(state, "cc_feature"),
            dev_tools_mode: integer(state, "dev_tools_mode"),
            environment: integer(state, "environment"),
            multi_gpu_mode: integer(state, "multi_gpu_mode"),
        }
    }

    const fn unknown(missing: Missing) -> Self {
        Self {
            is_absent: false,
            cc_feature: Err(missing),
            dev_tools_mode: Err(missing),
            environment: Err(missing),
            multi_gpu_mode: Err(missing),
        }
    }
}

fn numbers(list: Option<&ClaimValue>) -> Option<Vec<u64>> {
    let Some(ClaimValue::List(items)) = list else { return None };
    let number = |item: &ClaimValue| match item {
        ClaimValue::Integer(number) => Some(*number),
        _ => None,
    };
    items.iter().map(number).collect()
}

fn pdis(list: Option<&ClaimValue>) -> Option<BTreeSet<Pdi>> {
    let Some(ClaimValue::List(items)) = list else { return None };
    let pdi = |item: &ClaimValue| match item {
        ClaimValue::Text(text) => lower_hex::decode(text),
        _ => None,
    };
    items.iter().map(pdi).collect()
}
