//! What the `[aci]` section permits, for people: `muster policy check`.

use super::policy::AciPolicy;
use crate::allowed::{hex_list, text_list};
use crate::description::{Description, none_or};
use crate::snp;

/// One line for each knob, in the order of the steps, with the place that decided it.
pub(crate) fn describe(policy: &AciPolicy) -> Vec<String> {
    let (mut d, p) = (Description::new("aci"), policy);
    d.say("issuer of utility VMs", &p.uvm_issuer.value, &p.uvm_issuer.source);
    d.say("feed of utility VMs", &p.uvm_feed.value, &p.uvm_feed.source);
    d.say(
        "measurements beside the endorsement",
        p.measurements.value.describe(hex_list),
        &p.measurements.source,
    );
    d.say("oldest utility VM", p.uvm_min_svn.value, &p.uvm_min_svn.source);
    d.say("CCE policies", p.cce_policy_allowlist.value.describe(), &p.cce_policy_allowlist.source);
    d.required("text of the CCE policy", &p.require_cce_policy);
    let permit = none_or(text_list(&p.cce_policy_permit.value));
    d.say("permissive rules of CCE policies", permit, &p.cce_policy_permit.source);
    let mut lines = d.into_lines();
    lines.extend(snp::describe(&p.snp, "aci.snp"));
    lines
}
