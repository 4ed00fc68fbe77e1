//! The same for GPUs: claims of one Hopper, of several, of a whole protected-PCIe system, and policies that affirm them.

use cc_core::{Authentic, ClaimValue, Claims, Profile, TrustClass};
use cc_policy::{Appraisal, Policy};

use super::{context, filled, judge_as, map, parse, subject, tdx};

/// Claims of one device by name, as verification writes them.
pub(crate) fn gpu(number: u8) -> Claims {
    let mut c = Claims::new();
    c.insert("class", "gpu");
    c.insert("arch", "HOPPER");
    c.insert("ueid", ueid(number));
    c.insert("driver_version", "580.159.03");
    c.insert("vbios_version", "96.00.9f.00.01");
    c.insert("fwid", filled('f', 48));
    c.insert("feature_flag", "SPT");
    c.insert("driver_rim", map(&[("id", "NV_GPU_DRIVER_GH100_580.159.03".into())]));
    c.insert("vbios_rim", map(&[("id", "NV_GPU_VBIOS_1010_0200_882_96009F0001".into())]));
    c.insert("unreferenced", vec![40_u64, 41]);
    c.insert("cc_state", cc_state(0));
    c
}

/// Claims of a switch that is linked to the GPUs 1 to 8.
pub(crate) fn switch(number: u8) -> Claims {
    let mut c = Claims::new();
    c.insert("class", "switch");
    c.insert("arch", "LS10");
    c.insert("ueid", ueid(number));
    c.insert("vbios_version", "96.10.6d.00.01");
    c.insert("vbios_rim", map(&[("id", "NV_SWITCH_BIOS_5612_0002_890_96106D0001".into())]));
    c.insert("unreferenced", Vec::<u64>::new());
    c.insert("cc_state", map(&STATE.map(|name| (name, 0_u64.into()))));
    c.insert("device_pdi", pdi(number));
    c.insert("gpu_pdis", (1..=8).map(pdi).collect::<Vec<_>>());
    c
}

/// Serial number of a device's leaf certificate.
pub(crate) fn ueid(number: u8) -> String {
    format!("53c22ba15e5d68088282da074ed9fb37aa5857{number:02x}")
}

/// Identifier of a device on NVLink.
pub(crate) fn pdi(number: u8) -> String {
    format!("431d480fe5e872{number:02x}")
}

const STATE: [&str; 4] = ["environment", "cc_feature", "dev_tools_mode", "multi_gpu_mode"];

/// The state of a driver in production, set to that multi-GPU mode.
pub(crate) fn cc_state(multi_gpu_mode: u64) -> Claims {
    let values: [ClaimValue; 4] = [2_u64.into(), 1_u64.into(), 0_u64.into(), multi_gpu_mode.into()];
    let mut state = Claims::new();
    for (name, value) in STATE.into_iter().zip(values) {
        state.insert(name, value);
    }
    state
}

/// One GPU for which the policy of [`policy`] is made.
pub(crate) fn one() -> Vec<Claims> {
    vec![gpu(1)]
}

/// Eight GPUs and four switches, which all see each other.
pub(crate) fn system() -> Vec<Claims> {
    let gpus = (1..=8).map(|number| {
        let mut c = gpu(number);
        c.insert("feature_flag", "PPCIE");
        c.insert("cc_state", cc_state(1));
        c.insert("device_pdi", pdi(number));
        c.insert("switch_pdis", (11..=14).map(pdi).collect::<Vec<_>>());
        c
    });
    gpus.chain((11..=14).map(switch)).collect()
}

/// Knobs for [`system`].
pub(crate) const SYSTEM: &str = "mode = \"PPCIE\"\ngpu_count = 8\n\
    min_vbios = { HOPPER = \"96.00.9f.00.01\", LS10 = \"96.10.6d.00.01\" }";

/// The claims of those devices.
pub(crate) fn claims(devices: Vec<Claims>) -> Claims {
    let mut c = Claims::new();
    for (name, class) in [("gpu_count", "gpu"), ("switch_count", "switch")] {
        let count = devices.iter().filter(|device| device.text("class") == Ok(class)).count();
        c.insert(name, u64::try_from(count).unwrap());
    }
    c.insert("nonce", filled('7', 32));
    c.insert("devices", devices);
    c
}

/// A policy text for one Hopper, with a section for TDX; `head` stands above `[gpu]`, `knobs` in it.
pub(crate) fn policy_text(head: &str, knobs: &str) -> String {
    let mut section = String::from("[gpu]\n");
    for (key, line) in [
        ("archs", "archs = [\"HOPPER\"]\n"),
        ("gpu_count", "gpu_count = 1\n"),
        ("min_driver", "min_driver = \"580.65.06\"\n"),
        ("min_vbios", "min_vbios = { HOPPER = \"96.00.9f.00.01\" }\n"),
        ("allowed_unreferenced", "allowed_unreferenced = [40, 41]\n"),
    ] {
        if !knobs.contains(key) {
            section.push_str(line);
        }
    }
    format!("version = 1\n{head}\n{section}{knobs}\n{}", processor())
}

/// The section that a policy must have beside.
pub(crate) fn processor() -> String {
    let text = tdx::policy_text("", "");
    text.split_once("\n\n").unwrap().1.to_owned()
}

pub(crate) fn policy(head: &str, knobs: &str) -> Policy {
    parse(&policy_text(head, knobs)).unwrap_or_else(|error| panic!("{knobs}: {error}"))
}

pub(crate) fn profile() -> Profile {
    Profile::nv_spdm_1()
}

pub(crate) fn judge(claims: Claims, policy: &Policy) -> Appraisal {
    judge_subject(&subject(claims, Vec::new(), TrustClass::Hardware), policy)
}

pub(crate) fn judge_subject(subject: &Authentic<Claims>, policy: &Policy) -> Appraisal {
    judge_as(&profile(), subject, policy, &context())
}
