//! Claims of a quote and of the collateral that authenticated it.
//!
//! Names and encodings are those of *decisions.md* 18. What a quote or a certificate does not have is absent, never a
//! placeholder. All byte strings are hexadecimal in the order of the quote; beside TDATTRIBUTES stand its known bits
//! (`td_attributes_flags`).
//!
//! Here is everything in the order of the names, and dates are texts already: a claim between others and a date to write
//! each cost more than the claim itself, and all together a tenth of a signature.

use cc_core::{ClaimValue, Claims};

use super::chain::Chain;
use super::crl::Revocations;
use super::level::Grade;
use super::quote::Quote;
use super::steps::{Passed, Tcb};

/// Flags of TDATTRIBUTES by claim name.
const ATTRIBUTE_FLAGS: [(&str, u64); 7] = [
    ("debug", 1),
    ("kl", 1 << 31),
    ("migratable", 1 << 29),
    ("perfmon", 1 << 63),
    ("pks", 1 << 30),
    ("sept_ve_disable", 1 << 28),
    ("tud", 0xfe),
];

/// What the quote and the certificates in it say, and the collateral if it was judged.
pub(super) fn of(quote: &Quote<'_>, chain: &Chain, judged: Option<(&Passed<'_>, &Tcb<'_>)>) -> Claims {
    let (body, report) = (quote.body(), quote.attestation().qe_report);
    let (pck, texts) = (&chain.pck.extension, &chain.pck.texts);
    let tcb = judged.map(|(_, tcb)| tcb);
    let identity = tcb.map(|tcb| tcb.identity.signed);
    let event_log = judged.and_then(|(passed, _)| passed.event_log);
    let attributes = u64::from_le_bytes(*body.td_attributes());

    let mut claims = Claims::new();
    let c = &mut claims;
    optional(c, "advisory_ids", tcb.map(advisories));
    optional(c, "body_type", body.kind().map(u32::from));
    optional(c, "cached_keys", pck.cached_keys);
    optional(c, "dynamic_platform", pck.dynamic_platform);
    optional(c, "eventlog_events", event_log.and_then(|replay| u64::try_from(replay.events).ok()));
    optional(c, "eventlog_replayed", event_log.map(|_| true));
    c.insert_bytes("fmspc", &pck.fmspc);
    status(c, "module_tcb_status", tcb.and_then(|tcb| tcb.levels.module).map(|level| &level.grade));
    c.insert_bytes("mr_config_id", body.mr_config_id());
    c.insert_bytes("mr_owner", body.mr_owner());
    c.insert_bytes("mr_owner_config", body.mr_owner_config());
    c.insert_bytes("mr_seam", body.mr_seam());
    if let Some(digest) = body.mr_service_td() {
        c.insert_bytes("mr_service_td", digest);
    }
    c.insert_bytes("mr_td", body.mr_td());
    c.insert_bytes("mrsigner_seam", body.mrsigner_seam());
    c.insert_bytes("pceid", &pck.pceid);
    c.insert("pcesvn", u32::from(pck.pcesvn));
    c.insert("pck_ca", chain.issuer.ca.common_name());
    list(c, ["pck_crl_number", "pck_crl_next_update"], judged.and_then(|(passed, _)| passed.pck_crl));
    c.insert("pck_not_after", texts.not_after.as_str());
    c.insert("pck_not_before", texts.not_before.as_str());
    c.insert("pck_serial", texts.serial.as_str());
    c.insert("pck_tcb_comps", pck.components.to_vec());
    if let Some(id) = &pck.platform_instance_id {
        c.insert_bytes("platform_instance_id", id);
    }
    status(c, "platform_tcb_status", tcb.map(|tcb| &tcb.levels.platform.grade));
    c.insert_bytes("ppid", &pck.ppid);
    dates(c, ["qe_identity_issue_date", "qe_identity_next_update"], identity.map(|signed| &signed.dates));
    c.insert("qe_isvsvn", u32::from(report.isv_svn()));
    c.insert_bytes("qe_mrsigner", report.mr_signer());
    status(c, "qe_tcb_status", tcb.map(|tcb| &tcb.levels.qe.grade));
    c.insert_bytes("report_data", body.report_data());
    list(c, ["root_crl_number", "root_crl_next_update"], judged.and_then(|(passed, _)| passed.root_crl));
    for (name, rtmr) in ["rtmr0", "rtmr1", "rtmr2", "rtmr3"].into_iter().zip(body.rtmrs()) {
        c.insert_bytes(name, rtmr);
    }
    c.insert_bytes("seam_attributes", body.seam_attributes());
    c.insert("sgx_type", pck.sgx_type);
    optional(c, "smt_enabled", pck.smt_enabled);
    let oldest = tcb.and_then(|tcb| tcb.levels.grades().min_by_key(|grade| grade.date));
    optional(c, "tcb_date", oldest.map(|grade| grade.date_text.as_str()));
    optional(c, "tcb_eval_num", tcb.map(evaluation));
    let dates_of_info = tcb.map(|tcb| &tcb.info.signed.dates);
    dates(c, ["tcb_info_issue_date", "tcb_info_next_update"], dates_of_info);
    optional(c, "tcb_status", tcb.map(|tcb| tcb.status.name()));
    c.insert_bytes("td_attributes", body.td_attributes());
    c.insert("td_attributes_flags", flags(attributes));
    c.insert("td_debug", attributes & 1 != 0);
    c.insert_bytes("tee_tcb_svn", body.tee_tcb_svn());
    if let Some(svn) = body.tee_tcb_svn_2() {
        c.insert_bytes("tee_tcb_svn_2", svn);
    }
    c.insert("version", u32::from(quote.version()));
    c.insert_bytes("xfam", body.xfam());
    claims
}

fn optional(claims: &mut Claims, name: &str, value: Option<impl Into<ClaimValue>>) {
    if let Some(value) = value {
        claims.insert(name, value);
    }
}

fn status(claims: &mut Claims, name: &str, grade: Option<&Grade>) {
    let status = grade.and_then(|grade| grade.status.as_ref().ok());
    optional(claims, name, status.map(|status| status.name()));
}

fn dates(claims: &mut Claims, names: [&str; 2], dates: Option<&[String; 2]>) {
    for (name, date) in names.into_iter().zip(dates.into_iter().flatten()) {
        claims.insert(name, date.as_str());
    }
}

fn list(claims: &mut Claims, names: [&str; 2], list: Option<&Revocations>) {
    let [number_name, next_update_name] = names;
    let Some((number, next_update)) = list.map(|list| &list.texts) else { return };
    optional(claims, next_update_name, next_update.as_deref());
    claims.insert(number_name, number.as_str());
}

/// What applies to any of the levels.
fn advisories<'a>(tcb: &Tcb<'a>) -> Vec<&'a str> {
    let mut ids: Vec<_> =
        tcb.levels.grades().flat_map(|grade| &grade.advisories).map(String::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The lower of both numbers.
fn evaluation(tcb: &Tcb<'_>) -> u32 {
    let (info, identity) = (tcb.info.signed.currency, tcb.identity.signed.currency);
    info.tcb_evaluation_data_number.min(identity.tcb_evaluation_data_number)
}

fn flags(attributes: u64) -> Claims {
    let mut claims = Claims::new();
    for (name, mask) in ATTRIBUTE_FLAGS {
        claims.insert(name, attributes & mask != 0);
    }
    claims
}

/// A number in hexadecimal.
pub(super) fn number(big_endian: &[u8]) -> String {
    let digits = hex::encode(big_endian);
    let digits = digits.trim_start_matches('0');
    format!("0x{}", if digits.is_empty() { "0" } else { digits })
}
