//! What the `[maa]` section permits, for people: `muster policy check`.

use super::policy::MaaPolicy;
use crate::allowed::{hex_list, text_list};
use crate::description::Description;
use crate::snp;

/// One line for each knob, in the order of the steps, with the place that decided it.
pub(crate) fn describe(policy: &MaaPolicy) -> Vec<String> {
    let (mut d, p) = (Description::new("maa"), policy);
    d.say("issuers", text_list(&p.issuers.value), &p.issuers.source);
    let hashes = p.policy_hashes.value.describe(|list| text_list(list));
    d.say("attestation policies", hashes, &p.policy_hashes.source);
    d.say("oldest token, seconds", p.max_age_seconds.value, &p.max_age_seconds.source);
    d.allowed("debugging", &p.allow_debug);
    d.allowed("migration", &p.allow_migration);
    d.say("CCE policies", p.cce_policy_allowlist.value.describe(), &p.cce_policy_allowlist.source);
    d.say("measurements", p.measurements.value.describe(hex_list), &p.measurements.source);
    d.say("oldest utility VM", p.uvm_min_svn.value, &p.uvm_min_svn.source);
    for (component, least) in &p.min_tcb {
        d.say(&format!("minimum {component}"), least.value, &least.source);
    }
    d.required("raw report", &p.require_raw_report);
    let mut lines = d.into_lines();
    lines.extend(p.snp.iter().flat_map(|section| snp::describe(section, "maa.snp")));
    lines
}
