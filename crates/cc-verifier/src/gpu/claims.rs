//! Claims of devices and of the collateral that authenticated them.
//!
//! Names and encodings are those of *decisions.md* 18. What a report or a certificate does not have is absent, never a
//! placeholder. Byte strings are hexadecimal in the order of the report but for the identifiers in `switch_pdis`, which
//! are turned to the order in which switches have theirs.

use cc_core::gpu::DeviceClass;
use cc_core::{ClaimValue, Claims};

use super::manifests::Manifest;
use super::members::Member;
use super::opaque::{Item, Opaque};
use super::rim::Kind;
use super::steps::Passed;
use super::wanted::Wanted;

/// Claims of all devices, in the order of the evidence.
pub(super) fn of(nonce: &[u8; 32], devices: Vec<Claims>, gpus: usize) -> Claims {
    let switches = devices.len().saturating_sub(gpus);
    let mut claims = Claims::new();
    claims.insert("devices", devices);
    claims.insert("gpu_count", count(gpus));
    claims.insert_bytes("nonce", nonce);
    claims.insert("switch_count", count(switches));
    claims
}

/// What a device's report and certificates say, and the collateral if it was judged.
pub(super) fn of_device(member: &Member<'_>, passed: Option<&Passed<'_>>) -> Claims {
    let Member { device, report, chain, .. } = member;
    let opaque = &report.opaque;
    let mut claims = Claims::new();
    let c = &mut claims;
    c.insert("arch", chain.arch.name());
    optional(c, "cc_state", device.cc_state.map(cc_state));
    c.insert("chain_len", count(chain.links.len()));
    match device.class {
        DeviceClass::Gpu => {
            c.insert("class", "gpu");
            if let Some(pdi) = &chain.pdi {
                c.insert_bytes("device_pdi", pdi);
            }
        }
        DeviceClass::Switch => {
            c.insert("class", "switch");
            if let Some(pdi) = opaque.item(Item::PDI) {
                c.insert_bytes("device_pdi", pdi);
            }
        }
    }
    let manifest = |kinds: &[Kind]| {
        let manifests = passed.map_or(&[][..], |passed| &passed.manifests);
        manifests.iter().find(|(wanted, _)| kinds.contains(&wanted.kind)).map(|(wanted, m)| rim(wanted, m))
    };
    optional(c, "driver_rim", manifest(&[Kind::Driver]));
    optional(c, "driver_version", opaque.text(Item::DRIVER_VERSION));
    optional(c, "feature_flag", feature_flag(opaque));
    bytes(c, "fwid", opaque.item(Item::FWID));
    if device.class == DeviceClass::Switch {
        c.insert("gpu_pdis", all(&opaque.gpus_of_switch()));
    }
    c.insert("leaf", chain.leaf.as_str());
    c.insert("measurement_blocks", count(report.blocks()));
    bytes(c, "nvdec0_status", opaque.item(Item::NVDEC0_STATUS));
    optional(
        c,
        "ocsp",
        passed.and_then(|passed| passed.next_update).map(|next_update| {
            let mut claims = Claims::new();
            claims.insert("next_update", next_update.to_string());
            claims
        }),
    );
    c.insert("opaque", of_opaque(opaque));
    bytes(c, "protected_pcie_status", opaque.item(Item::PROTECTED_PCIE_STATUS));
    c.insert("root", chain.root.as_str());
    c.insert_bytes("spdm_nonce", report.nonce);
    if device.class == DeviceClass::Gpu && opaque.item(Item::PDI).is_some() {
        c.insert("switch_pdis", all(&opaque.switches_of_gpu()));
    }
    c.insert("ueid", chain.ueid.as_str());
    optional(c, "unreferenced", passed.map(|passed| passed.unreferenced.clone()));
    optional(c, "vbios_rim", manifest(&[Kind::Vbios, Kind::SwitchBios]));
    optional(c, "vbios_version", opaque.vbios_version(device.class));
    claims
}

/// Notes that the service with this issuer stood in for what needs manifests and OCSP answers.
pub(super) fn of_service(claims: &mut Claims, issuer: &str) {
    claims.insert("nras", issuer);
}

/// The same of one of the devices.
pub(super) fn of_served_device(member: &Member<'_>) -> Claims {
    let mut claims = of_device(member, None);
    claims.insert("verifier", "nras");
    claims
}

fn cc_state([environment, cc_feature, dev_tools_mode, multi_gpu_mode]: [u8; 4]) -> Claims {
    let mut claims = Claims::new();
    claims.insert("cc_feature", cc_feature);
    claims.insert("dev_tools_mode", dev_tools_mode);
    claims.insert("environment", environment);
    claims.insert("multi_gpu_mode", multi_gpu_mode);
    claims
}

fn rim(wanted: &Wanted, manifest: &Manifest) -> Claims {
    let (from, until) = manifest.rim.signer_validity();
    let mut claims = Claims::new();
    claims.insert("id", wanted.id.as_str());
    claims.insert_bytes("sha256", manifest.rim.sha256());
    claims.insert("signer_not_after", until.to_string());
    claims.insert("signer_not_before", from.to_string());
    claims.insert("version", manifest.rim.version());
    claims
}

/// The mode; a number for one that is not known. Reports of drivers that do not say it have none.
fn feature_flag(opaque: &Opaque<'_>) -> Option<String> {
    let content = opaque.item(Item::FEATURE_FLAG)?;
    Some(match opaque.number(Item::FEATURE_FLAG) {
        Some(0) => "SPT".to_owned(),
        Some(1) => "MPT".to_owned(),
        Some(2) => "PPCIE".to_owned(),
        Some(other) => other.to_string(),
        None => hex::encode(content),
    })
}

/// Items by name, text where they are text; those that are lists for the device, or large, are not repeated.
fn of_opaque(opaque: &Opaque<'_>) -> Claims {
    let mut claims = Claims::new();
    for (kind, content) in opaque.iter().filter(|(kind, _)| ![Item::MSR_COUNT, Item::PDI].contains(kind)) {
        let number = kind.0.to_string();
        let (name, is_text) = kind.name().unwrap_or((&number, false));
        match opaque.text(kind).filter(|_| is_text) {
            Some(text) => claims.insert(name, text),
            None => claims.insert_bytes(name, content),
        }
    }
    claims
}

fn all<const N: usize>(ids: &[[u8; N]]) -> Vec<String> {
    ids.iter().map(hex::encode).collect()
}

fn optional(claims: &mut Claims, name: &str, value: Option<impl Into<ClaimValue>>) {
    if let Some(value) = value {
        claims.insert(name, value);
    }
}

fn bytes(claims: &mut Claims, name: &str, value: Option<&[u8]>) {
    if let Some(value) = value {
        claims.insert_bytes(name, value);
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
