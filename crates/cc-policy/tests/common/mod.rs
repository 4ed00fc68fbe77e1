//! Healthy claims of each product line, a policy that affirms them, and ways to change one thing.

pub(crate) mod azure;
pub(crate) mod gpu;
pub(crate) mod tdx;

use cc_core::{
    Authentic, Binding, BoundField, BoundKind, ClaimValue, Claims, Code, Instant, Profile, TrustClass,
    UnixTime,
};
use cc_policy::{Appraisal, Context, Finding, InitData, Policy, PolicyError, Status, UserData, appraise};

/// 2026-06-01T00:00:00Z.
pub(crate) const NOW: u64 = 1_780_272_000;
pub(crate) const CHIP: &str = "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
pub(crate) const TURIN_CHIP: &str = "59790fb1c39f35c1";

/// `digit` repeated to `bytes` bytes.
pub(crate) fn filled(digit: char, bytes: usize) -> String {
    String::from_iter([digit, digit]).repeat(bytes)
}

pub(crate) fn map(entries: &[(&'static str, ClaimValue)]) -> Claims {
    let mut claims = Claims::new();
    for (name, value) in entries {
        claims.insert(name, value.clone());
    }
    claims
}

pub(crate) fn firmware(major: u8, minor: u8, build: u8) -> Claims {
    map(&[("major", major.into()), ("minor", minor.into()), ("build", build.into())])
}

/// Claims that the policy of [`policy`] affirms.
pub(crate) fn healthy(product: &str) -> Claims {
    let turin = product == "Turin";
    let mut c = Claims::new();
    c.insert("version", if turin { 5_u64 } else { 3 });
    c.insert("product", product);
    c.insert("signing_key", "VCEK");
    c.insert("policy", if turin { "0x103001f" } else { "0x3001f" });
    c.insert("platform_info", if turin { "0x65" } else { "0x25" });
    c.insert("vmpl", 0_u64);
    c.insert("guest_svn", 2_u64);
    c.insert("family_id", filled('1', 16));
    c.insert("image_id", filled('2', 16));
    c.insert("measurement", filled('a', 48));
    c.insert("host_data", filled('0', 32));
    c.insert("id_key_digest", filled('4', 48));
    c.insert("author_key_digest", filled('5', 48));
    c.insert("author_key_en", 1_u64);
    c.insert("report_id_ma", filled('f', 32));
    for name in ["reported_tcb", "current_tcb", "committed_tcb", "launch_tcb"] {
        c.insert(name, if turin { "0101010400000051" } else { "0400000000001854" });
    }
    c.insert("current_fw", firmware(1, 55, 22));
    c.insert("committed_fw", firmware(1, 55, 22));
    if turin {
        c.insert("current_mit_vector", "3f00000000000000");
        c.insert("launch_mit_vector", "3f00000000000000");
    }
    let chip = if turin { TURIN_CHIP } else { CHIP };
    c.insert("chip_id", format!("{chip:0<128}"));
    c.insert("leaf_ext", map(&[("hwID", chip.into())]));
    c.insert("crl_this_update", "2026-05-31T00:00:00Z");
    c
}

/// Turns healthy claims into those of a VLEK report.
pub(crate) fn vlek(c: &mut Claims) {
    c.insert("signing_key", "VLEK");
    c.insert("chip_id", filled('0', 64));
    c.insert("leaf_ext", map(&[("cspID", "CN=cloud.example".into())]));
}

pub(crate) fn without(claims: &Claims, name: &str) -> Claims {
    let mut rest = Claims::new();
    for (other, value) in claims.iter().filter(|(other, _)| *other != name) {
        rest.insert(other, value.clone());
    }
    rest
}

/// A policy text with minimums for all product lines; `head` stands above `[snp]`, `knobs` in it.
pub(crate) fn policy_text(head: &str, knobs: &str) -> String {
    let measurements = if knobs.contains("measurements") {
        String::new()
    } else {
        format!("measurements = [\"{}\", \"{}\"]", filled('b', 48), filled('a', 48))
    };
    format!(
        "version = 1\n{head}\n[snp]\n{measurements}\n{knobs}\n\
         [snp.min_tcb.Milan]\nbootloader = 4\ntee = 0\nsnp = 24\nmicrocode = 84\n\
         [snp.min_tcb.Genoa]\nbootloader = 4\ntee = 0\nsnp = 24\nmicrocode = 84\n\
         [snp.min_tcb.Turin]\nfmc = 1\nbootloader = 1\ntee = 1\nsnp = 4\nmicrocode = 81\n"
    )
}

pub(crate) fn parse(text: &str) -> Result<Policy, PolicyError> {
    Policy::parse(text, "policy.toml")
}

pub(crate) fn policy(head: &str, knobs: &str) -> Policy {
    parse(&policy_text(head, knobs)).unwrap_or_else(|error| panic!("{knobs}: {error}"))
}

pub(crate) fn subject(claims: Claims, waived: Vec<Code>, trust_class: TrustClass) -> Authentic<Claims> {
    let bound = BoundField { kind: BoundKind::ReportData, bytes: Binding::new([7; 64]).as_bytes().to_vec() };
    Authentic::assertion(claims, bound, waived, Instant::Present(UnixTime::from_secs(NOW)), trust_class)
}

pub(crate) fn context() -> Context {
    Context { now: UnixTime::from_secs(NOW), init_data: InitData::NotCarried, user_data: UserData::NotAsked }
}

pub(crate) fn judge(claims: Claims, policy: &Policy) -> Appraisal {
    judge_with(&subject(claims, Vec::new(), TrustClass::Hardware), policy, &context())
}

pub(crate) fn judge_with(subject: &Authentic<Claims>, policy: &Policy, context: &Context) -> Appraisal {
    judge_as(&Profile::snp_raw_1(), subject, policy, context)
}

/// Judges evidence of a profile that the policy has a section for.
pub(crate) fn judge_as(
    profile: &Profile,
    subject: &Authentic<Claims>,
    policy: &Policy,
    context: &Context,
) -> Appraisal {
    let appraisal = appraise(subject, profile, policy, context);
    let expected = if appraisal.findings.is_empty() { Status::Affirming } else { Status::Contraindicated };
    assert_eq!(appraisal.status, expected);
    appraisal
}

pub(crate) fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}
