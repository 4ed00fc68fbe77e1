//! What the `[snp]` section permits, for people: `muster policy check`.

use super::policy::{CiphertextHiding, Launch, SnpPolicy};
use crate::allowed::{hex_list, text_list};
use crate::description::{Description, none_or};

/// One line for each knob, in the order of the steps, with the place that decided it. `section` is what the section is
/// called.
pub(crate) fn describe(policy: &SnpPolicy, section: &'static str) -> Vec<String> {
    let (mut d, p) = (Description::new(section), policy);
    d.say("report versions", text_list(&p.versions.value), &p.versions.source);
    d.allowed("VLEK reports", &p.allow_vlek);
    d.allowed("masked chip ids", &p.allow_masked_chip_id);
    d.say("products", text_list(p.products.value.keys()), &p.products.source);
    for (product, line) in &p.products.value {
        for minimum in &line.min_tcb {
            let what = format!("minimum {} on {product}", minimum.component);
            d.say(&what, minimum.least.value, &minimum.least.source);
        }
        d.say(&format!("minimum firmware on {product}"), line.min_fw.value, &line.min_fw.source);
    }
    d.required("revocation list", &p.crl_required);
    d.say("oldest revocation list, days", p.crl_max_age_days.value, &p.crl_max_age_days.source);
    d.say("cloud providers", none_or(text_list(&p.allowed_csp_ids.value)), &p.allowed_csp_ids.source);
    d.allowed("provisional firmware", &p.allow_provisional_fw);
    d.say("VMPL", p.vmpl.value, &p.vmpl.source);
    d.allowed("debugging", &p.allow_debug);
    d.allowed("migration agent", &p.allow_migrate_ma);
    d.say("minimum ABI", p.min_abi.value, &p.min_abi.source);
    d.allowed("SMT", &p.smt_allowed);
    d.allowed("CXL", &p.cxl);
    d.required("single socket", &p.require_single_socket);
    d.required("AES-256-XTS", &p.require_xts);
    d.required("RAPL off", &p.require_rapl_dis);
    let hiding = match p.require_ciphertext_hiding.value {
        CiphertextHiding::WhereAvailable => "required on Turin",
        CiphertextHiding::Required => "required",
        CiphertextHiding::NotRequired => "not required",
    };
    d.say("ciphertext hiding", hiding, &p.require_ciphertext_hiding.source);
    d.required("page swap off", &p.page_swap_disable);
    d.required("memory alias check", &p.require_alias_check);
    d.required("ECC memory", &p.require_ecc);
    let mitigations = format!("{:#x}", p.required_mitigations.value);
    d.say("mitigation bits", mitigations, &p.required_mitigations.source);
    if let Launch::Own { measurements, host_data } = &p.launch {
        d.say("measurements", measurements.value.describe(hex_list), &measurements.source);
        d.say("host data", host_data.value.describe(), &host_data.source);
    }
    d.required("ID block", &p.require_id_block);
    d.required("author key", &p.require_author_key);
    d.say("ID keys", none_or(hex_list(&p.id_key_digests.value)), &p.id_key_digests.source);
    d.say("author keys", none_or(hex_list(&p.author_key_digests.value)), &p.author_key_digests.source);
    d.say("minimum guest SVN", p.min_guest_svn.value, &p.min_guest_svn.source);
    for (what, id) in [("family id", &p.family_id), ("image id", &p.image_id)] {
        d.say(what, id.value.describe(hex_list), &id.source);
    }
    d.say("chips", p.chip_allowlist.value.describe(|list| text_list(list)), &p.chip_allowlist.source);
    d.say("denied chips", none_or(text_list(&p.chip_denylist.value)), &p.chip_denylist.source);
    d.into_lines()
}
