//! What the `[snp]` section permits, for people: `muster policy check`.

use std::fmt::Display;

use super::policy::{Allowed, CiphertextHiding, HostData, SnpPolicy, hex_list, text_list};
use crate::reader::Placed;

/// One line for each knob, in the order of the steps, with the place that decided it.
pub(crate) fn describe(policy: &SnpPolicy) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |what: &str, value: &dyn Display, source: &str| {
        lines.push(format!("snp: {what}: {value} ({source})"));
    };
    let p = policy;
    say("report versions", &text_list(&p.versions.value), &p.versions.source);
    say("VLEK reports", &allowed(&p.allow_vlek), &p.allow_vlek.source);
    say("masked chip ids", &allowed(&p.allow_masked_chip_id), &p.allow_masked_chip_id.source);
    say("products", &text_list(p.products.value.keys()), &p.products.source);
    for (product, line) in &p.products.value {
        for minimum in &line.min_tcb {
            let what = format!("minimum {} on {product}", minimum.component);
            say(&what, &minimum.least.value, &minimum.least.source);
        }
        say(&format!("minimum firmware on {product}"), &line.min_fw.value, &line.min_fw.source);
    }
    say("revocation list", &required(&p.crl_required), &p.crl_required.source);
    say("oldest revocation list, days", &p.crl_max_age_days.value, &p.crl_max_age_days.source);
    say("cloud providers", &none_or(text_list(&p.allowed_csp_ids.value)), &p.allowed_csp_ids.source);
    say("provisional firmware", &allowed(&p.allow_provisional_fw), &p.allow_provisional_fw.source);
    say("VMPL", &p.vmpl.value, &p.vmpl.source);
    say("debugging", &allowed(&p.allow_debug), &p.allow_debug.source);
    say("migration agent", &allowed(&p.allow_migrate_ma), &p.allow_migrate_ma.source);
    say("minimum ABI", &p.min_abi.value, &p.min_abi.source);
    say("SMT", &allowed(&p.smt_allowed), &p.smt_allowed.source);
    say("CXL", &allowed(&p.cxl), &p.cxl.source);
    say("single socket", &required(&p.require_single_socket), &p.require_single_socket.source);
    say("AES-256-XTS", &required(&p.require_xts), &p.require_xts.source);
    say("RAPL off", &required(&p.require_rapl_dis), &p.require_rapl_dis.source);
    let hiding = match p.require_ciphertext_hiding.value {
        CiphertextHiding::WhereAvailable => "required on Turin",
        CiphertextHiding::Required => "required",
        CiphertextHiding::NotRequired => "not required",
    };
    say("ciphertext hiding", &hiding, &p.require_ciphertext_hiding.source);
    say("page swap off", &required(&p.page_swap_disable), &p.page_swap_disable.source);
    say("memory alias check", &required(&p.require_alias_check), &p.require_alias_check.source);
    say("ECC memory", &required(&p.require_ecc), &p.require_ecc.source);
    let mitigations = format!("{:#x}", p.required_mitigations.value);
    say("mitigation bits", &mitigations, &p.required_mitigations.source);
    let measurements = match &p.measurements.value {
        Allowed::Any => "any".to_owned(),
        Allowed::Only(list) => hex_list(list),
    };
    say("measurements", &measurements, &p.measurements.source);
    let host_data = match &p.host_data.value {
        HostData::Zero => "zero".to_owned(),
        HostData::InitData => "the digest of the init-data".to_owned(),
        HostData::Only(list) => hex_list(list),
    };
    say("host data", &host_data, &p.host_data.source);
    say("ID block", &required(&p.require_id_block), &p.require_id_block.source);
    say("author key", &required(&p.require_author_key), &p.require_author_key.source);
    say("ID keys", &none_or(hex_list(&p.id_key_digests.value)), &p.id_key_digests.source);
    say("author keys", &none_or(hex_list(&p.author_key_digests.value)), &p.author_key_digests.source);
    say("minimum guest SVN", &p.min_guest_svn.value, &p.min_guest_svn.source);
    for (what, id) in [("family id", &p.family_id), ("image id", &p.image_id)] {
        let value = match &id.value {
            Allowed::Any => "any".to_owned(),
            Allowed::Only(list) => hex_list(list),
        };
        say(what, &value, &id.source);
    }
    let chips = match &p.chip_allowlist.value {
        Allowed::Any => "any".to_owned(),
        Allowed::Only(list) => text_list(list),
    };
    say("chips", &chips, &p.chip_allowlist.source);
    say("denied chips", &none_or(text_list(&p.chip_denylist.value)), &p.chip_denylist.source);
    lines
}

const fn allowed(knob: &Placed<bool>) -> &'static str {
    if knob.value { "allowed" } else { "not allowed" }
}

const fn required(knob: &Placed<bool>) -> &'static str {
    if knob.value { "required" } else { "not required" }
}

fn none_or(list: String) -> String {
    if list.is_empty() { "none".to_owned() } else { list }
}
