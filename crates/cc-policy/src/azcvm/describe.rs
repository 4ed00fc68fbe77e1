//! What the `[azcvm]` section permits, for people: `muster policy check`.

use super::load::name;
use super::policy::CvmPolicy;
use crate::allowed::{hex_list, text_list};
use crate::description::Description;
use crate::{snp, tdx};

/// One line for each knob, in the order of the steps, with the place that decided it.
pub(crate) fn describe(policy: &CvmPolicy) -> Vec<String> {
    let (mut d, p) = (Description::new("azcvm"), policy);
    d.required("secure boot", &p.require_secure_boot);
    d.required("a new report", &p.fresh_hcl);
    d.say("quoted PCRs", text_list(&p.pcr_selection.value), &p.pcr_selection.source);
    for (number, values) in &p.pcrs {
        d.say(&format!("PCR {}", name(*number)), hex_list(&values.value), &values.source);
    }
    let mut lines = d.into_lines();
    lines.extend(p.snp.iter().flat_map(|section| snp::describe(section, "azcvm.snp")));
    lines.extend(p.tdx.iter().flat_map(|section| tdx::describe(section, "azcvm.tdx")));
    lines
}
