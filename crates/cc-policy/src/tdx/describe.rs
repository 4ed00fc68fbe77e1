//! What the `[tdx]` section permits, for people: `muster policy check`.

use super::policy::{Image, MaxAge, TdxPolicy};
use super::values::REGISTERS;
use crate::allowed::{Allowed, hex_list, text_list};
use crate::description::{Description, none_or};
use crate::reader::Placed;

/// One line for each knob, in the order of the steps, with the place that decided it. `section` is what the section is
/// called.
pub(crate) fn describe(policy: &TdxPolicy, section: &'static str) -> Vec<String> {
    let (mut d, p) = (Description::new(section), policy);
    d.required("revocation lists", &p.crl_required);
    let age = match p.collateral_max_age_hours.value {
        MaxAge::NextUpdate => "until its next update".to_owned(),
        MaxAge::Hours(hours) => format!("{hours} hours"),
    };
    d.say("oldest collateral", age, &p.collateral_max_age_hours.source);
    d.say("minimum TCB evaluation data number", p.min_tcb_eval_num.value, &p.min_tcb_eval_num.source);
    d.say("accepted TCB statuses", text_list(&p.accepted_status.value), &p.accepted_status.source);
    let advisories = none_or(text_list(&p.accepted_advisories.value));
    d.say("accepted advisories", advisories, &p.accepted_advisories.source);
    d.say("minimum TCB date", p.min_tcb_date.value, &p.min_tcb_date.source);
    d.allowed("debugging", &p.allow_debug);
    d.required("SEPT_VE_DISABLE", &p.require_sept_ve_disable);
    d.allowed("migration", &p.allow_migratable);
    d.allowed("performance monitoring", &p.allow_perfmon);
    d.allowed("Key Locker", &p.allow_kl);
    d.allowed("supervisor protection keys", &p.allow_pks);
    d.say("XFAM bits", format!("{:#x}", p.xfam_allowed.value), &p.xfam_allowed.source);
    d.say("service TDs", none_or(hex_list(&p.service_td.value)), &p.service_td.source);
    match &p.images.value {
        Allowed::Any => d.say("images", "any", &p.images.source),
        Allowed::Only(images) => {
            for Placed { value: Image { name, registers }, source } in images {
                let named = REGISTERS.iter().zip(registers);
                let named = named.map(|(register, value)| format!("{register} {}", hex::encode(value)));
                d.say(&format!("image {name}"), text_list(named), source);
            }
        }
    }
    d.required("event log", &p.require_eventlog);
    d.say("MRCONFIGID", p.mr_config_id.value.describe(), &p.mr_config_id.source);
    d.say("MROWNER", p.mr_owner.value.describe(), &p.mr_owner.source);
    d.say("MROWNERCONFIG", p.mr_owner_config.value.describe(), &p.mr_owner_config.source);
    d.allowed("SMT", &p.smt_allowed);
    d.allowed("dynamic platforms", &p.allow_dynamic_platform);
    d.allowed("cached keys", &p.allow_cached_keys);
    d.say("platforms", p.platform_allowlist.value.describe(hex_list), &p.platform_allowlist.source);
    d.say("denied platforms", none_or(hex_list(&p.platform_denylist.value)), &p.platform_denylist.source);
    d.say("TDX modules", p.mrseam_allowlist.value.describe(hex_list), &p.mrseam_allowlist.source);
    d.into_lines()
}
