//! What the `[gpu]` section permits, for people: `muster policy check`.

use super::policy::GpuPolicy;
use crate::allowed::text_list;
use crate::description::{Description, none_or};

/// One line for each knob, in the order of the steps, with the place that decided it.
pub(crate) fn describe(policy: &GpuPolicy) -> Vec<String> {
    let (mut d, p) = (Description::new("gpu"), policy);
    d.say("GPUs", p.gpu_count.value, &p.gpu_count.source);
    d.say("devices", p.device_allowlist.value.describe(|list| text_list(list)), &p.device_allowlist.source);
    d.say("denied devices", none_or(text_list(&p.device_denylist.value)), &p.device_denylist.source);
    d.say("architectures", text_list(&p.archs.value), &p.archs.source);
    d.required("firmware identity", &p.require_fwid);
    d.required("OCSP answers", &p.ocsp_required);
    d.required("reference manifests", &p.rim_required);
    d.say("NVIDIA's attestation service as verifier", p.allow_nras.value, &p.allow_nras.source);
    d.say("oldest driver", &p.min_driver.value, &p.min_driver.source);
    d.say("denied drivers", none_or(text_list(&p.denied_drivers.value)), &p.denied_drivers.source);
    for (arch, floor) in &p.min_vbios.value {
        d.say(&format!("oldest VBIOS of {arch}"), floor.value, &floor.source);
    }
    d.say("denied VBIOSes", none_or(text_list(&p.denied_vbios.value)), &p.denied_vbios.source);
    let unreferenced = none_or(text_list(&p.allowed_unreferenced.value));
    d.say("measurements without a reference value", unreferenced, &p.allowed_unreferenced.source);
    d.say("mode", p.mode.value, &p.mode.source);
    d.required("confidential-computing state", &p.require_cc_state);
    d.into_lines()
}
