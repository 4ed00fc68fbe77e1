//! The same for TDX: claims of an up-to-date platform, and a policy that affirms them.

use cc_core::{Authentic, ClaimValue, Claims, Profile, TrustClass};
use cc_policy::{Appraisal, Context, Policy};

use super::{context, filled, judge_as, parse, subject};

pub(crate) const PPID: &str = "811dca2a26b952e85bb6448b097ba4fd";
pub(crate) const INSTANCE: &str = "0123456789abcdef0123456789abcdef";

/// Claims that the policy of [`policy`] affirms: a quote of version 5 with the body of TD 1.5 that runs image `a`.
pub(crate) fn healthy() -> Claims {
    let mut c = Claims::new();
    c.insert("version", 5_u64);
    c.insert("body_type", 3_u64);
    c.insert("mr_seam", filled('e', 48));
    c.insert("td_attributes", "0000001000000000");
    c.insert("xfam", "e702060000000000");
    image(&mut c, 'a');
    c.insert("rtmr3", filled('0', 48));
    for name in ["mr_config_id", "mr_owner", "mr_owner_config", "mr_service_td"] {
        c.insert(name, filled('0', 48));
    }
    c.insert("ppid", PPID);
    c.insert("platform_instance_id", INSTANCE);
    c.insert("pck_ca", "Intel SGX PCK Platform CA");
    c.insert("smt_enabled", true);
    c.insert("dynamic_platform", true);
    c.insert("cached_keys", true);
    status(&mut c, "UpToDate", "UpToDate", "UpToDate", "UpToDate");
    c.insert("tcb_date", "2025-05-14T00:00:00Z");
    c.insert("advisory_ids", ClaimValue::List(Vec::new()));
    c.insert("tcb_eval_num", 18_u64);
    c.insert("tcb_info_issue_date", "2026-05-31T00:00:00Z");
    c.insert("qe_identity_issue_date", "2026-05-31T00:00:00Z");
    c
}

/// The measurement of image `a` or `b` of [`policy`], or of another one.
pub(crate) fn image(c: &mut Claims, image: char) {
    let (mr_td, rtmrs) = match image {
        'a' => ('a', ['1', '2', '3']),
        'b' => ('b', ['4', '5', '6']),
        _ => ('c', ['7', '8', '9']),
    };
    c.insert("mr_td", filled(mr_td, 48));
    for (name, digit) in ["rtmr0", "rtmr1", "rtmr2"].into_iter().zip(rtmrs) {
        c.insert(name, filled(digit, 48));
    }
}

/// The status of all together, then of platform, module and quoting enclave.
pub(crate) fn status(c: &mut Claims, all: &str, platform: &str, module: &str, qe: &str) {
    c.insert("tcb_status", all);
    c.insert("platform_tcb_status", platform);
    c.insert("module_tcb_status", module);
    c.insert("qe_tcb_status", qe);
}

/// Turns claims into those of a quote of version 4, which has the body of TD 1.0.
pub(crate) fn version_4(c: &mut Claims) {
    let mut rest = super::without(&super::without(c, "body_type"), "mr_service_td");
    rest.insert("version", 4_u64);
    *c = rest;
}

/// A policy text that permits the images `a` and `b`; `head` stands above `[tdx]`, `knobs` in it.
pub(crate) fn policy_text(head: &str, knobs: &str) -> String {
    let least = if knobs.contains("min_tcb_eval_num") { "" } else { "min_tcb_eval_num = 17" };
    let images =
        if knobs.contains("images") || knobs.contains("measurements") { String::new() } else { images() };
    format!("version = 1\n{head}\n[tdx]\n{least}\n{knobs}\n{images}")
}

/// The images `a`, which extends nothing at run time, and `b`, which extends RTMR3.
pub(crate) fn images() -> String {
    let table = |name: &str, registers: &[(&str, char)]| {
        let registers =
            registers.iter().map(|(name, digit)| format!("{name} = \"{}\"\n", filled(*digit, 48)));
        format!("[[tdx.images]]\nname = \"{name}\"\n{}", registers.collect::<String>())
    };
    let a = table("a", &[("mr_td", 'a'), ("rtmr0", '1'), ("rtmr1", '2'), ("rtmr2", '3')]);
    let b = table("b", &[("mr_td", 'b'), ("rtmr0", '4'), ("rtmr1", '5'), ("rtmr2", '6'), ("rtmr3", '7')]);
    a + &b
}

pub(crate) fn policy(head: &str, knobs: &str) -> Policy {
    parse(&policy_text(head, knobs)).unwrap_or_else(|error| panic!("{knobs}: {error}"))
}

pub(crate) fn profile() -> Profile {
    Profile::parse("tdx-quote-1").unwrap()
}

pub(crate) fn judge(claims: Claims, policy: &Policy) -> Appraisal {
    judge_with(&subject(claims, Vec::new(), TrustClass::Hardware), policy, &context())
}

pub(crate) fn judge_with(subject: &Authentic<Claims>, policy: &Policy, context: &Context) -> Appraisal {
    judge_as(&profile(), subject, policy, context)
}
