//! Each rule of the contract: the answer that keeps it is taken, the one that breaks it is `plug.contract`.

use cc_core::limits::{
    MAX_CLAIMS, MAX_DEVICES_EVIDENCE, MAX_ENDORSEMENT, MAX_ENDORSEMENTS, MAX_EVIDENCE, MAX_EVIDENCE_POST,
    MAX_MESSAGE, MAX_PLAN_REQUESTS, MAX_POST,
};
use cc_core::message::{
    Blob, CollectRequest, Collected, Denial, EndorsementRequest, Floor, MESSAGE_VERSION, Message, Plan, Post,
    VerifyReply, VerifyRequest, WireOutcome,
};
use cc_core::{Binding, BoundField, BoundKind, Claims, Finding, Profile, UnixTime, codes};
use cc_testkit::vtpm;

use super::{accept, claims, denied, evidence, plan, reply};
use crate::contract::{self, Answer};

fn request() -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::snp_raw_1(),
        evidence: evidence(),
        endorsements: vec![Blob(vec![1]), Blob(vec![2])],
        waivers: vec!["snp.crl.missing".to_owned()],
        vouched: Vec::new(),
        now: UnixTime::from_secs(0),
    }
}

fn check(spoil: impl FnOnce(&mut VerifyReply)) -> Result<Answer, Finding> {
    let mut reply = reply(accept(), 2);
    spoil(&mut reply);
    contract::reply(&request(), &reply.to_bytes())
}

fn with_claims(values: Claims) -> impl FnOnce(&mut VerifyReply) {
    move |reply| {
        if let WireOutcome::Accept { claims, .. } = &mut reply.outcome {
            *claims = values;
        }
    }
}

fn with_waived(codes: &'static [&'static str]) -> impl FnOnce(&mut VerifyReply) {
    move |reply| {
        if let WireOutcome::Accept { waived, .. } = &mut reply.outcome {
            *waived = codes.iter().map(|&code| code.to_owned()).collect();
        }
    }
}

fn with_bound(bytes: Vec<u8>) -> impl FnOnce(&mut VerifyReply) {
    move |reply| {
        if let WireOutcome::Accept { bound, .. } = &mut reply.outcome {
            bound.bytes = bytes;
        }
    }
}

fn floor(name: &str, endorsement: u32) -> Floor {
    Floor { name: name.to_owned(), number: [0; 20], endorsement }
}

fn text_claims(name: &str, length: usize) -> Claims {
    let mut claims = Claims::new();
    claims.insert(name, "x".repeat(length));
    claims
}

#[test]
fn good_replies_are_taken() {
    assert!(check(|_| ()).unwrap().outcome.is_ok());
    let waived = check(with_waived(&["snp.crl.missing"])).unwrap().outcome.unwrap().waived;
    assert_eq!(waived, [codes::SNP_CRL_MISSING]);
    assert_eq!(check(|r| r.floors = vec![floor("snp.crl.Milan", 1)]).unwrap().floors.len(), 1);
    assert!(check(with_claims(text_claims("a", MAX_CLAIMS - 8))).is_ok());
    let vendor = Denial { code: "acme.chip.broken".to_owned(), ..denied(&codes::SNP_FORMAT_LENGTH, "") };
    let finding = check(|r| r.outcome = WireOutcome::Reject(vendor)).unwrap().outcome.unwrap_err();
    assert_eq!(finding.code.as_str(), "acme.chip.broken");
}

#[test]
fn broken_replies_are_refused() {
    type Spoil = Box<dyn FnOnce(&mut VerifyReply)>;
    let reject = |code: &str| -> Spoil {
        let denial = Denial { code: code.to_owned(), ..denied(&codes::SNP_FORMAT_LENGTH, "") };
        Box::new(move |r| r.outcome = WireOutcome::Reject(denial))
    };
    let mut nested = Claims::new();
    nested.insert("outer", vec![text_claims("in\u{1b}ner", 1)]);
    let cases: Vec<(&str, Spoil)> = vec![
        ("other version", Box::new(|r| r.version = 2)),
        ("other profile", Box::new(|r| r.profile = Profile::parse("tdx-quote-1").unwrap())),
        ("too few kinds", Box::new(|r| r.recognised.truncate(1))),
        ("too many kinds", Box::new(|r| r.recognised.push("unknown".to_owned()))),
        ("empty kind", Box::new(|r| r.recognised[0].clear())),
        ("long kind", Box::new(|r| r.recognised[0] = "k".repeat(65))),
        ("kind with a space", Box::new(|r| r.recognised[0] = "snp crl".to_owned())),
        ("no claims", Box::new(with_claims(Claims::new()))),
        ("large claims", Box::new(with_claims(text_claims("a", MAX_CLAIMS)))),
        ("claim name", Box::new(with_claims(text_claims("a\n", 1)))),
        ("empty claim name", Box::new(with_claims(text_claims("", 1)))),
        ("nested claim name", Box::new(with_claims(nested))),
        ("short bound field", Box::new(with_bound(vec![7; 63]))),
        ("long bound field", Box::new(with_bound(vec![7; 65]))),
        ("waiver not granted", Box::new(with_waived(&["snp.chain.missing"]))),
        ("waiver twice", Box::new(with_waived(&["snp.crl.missing", "snp.crl.missing"]))),
        ("waiver no code", Box::new(with_waived(&["crl"]))),
        ("floor beyond", Box::new(|r| r.floors = vec![floor("a", 2)])),
        ("floor name", Box::new(|r| r.floors = vec![floor("", 0)])),
        ("many floors", Box::new(|r| r.floors = vec![floor("a", 0); 17])),
        ("unregistered code", reject("snp.made.up")),
        ("no code", reject("broken")),
        ("undecided as rejected", reject("snp.crl.missing")),
        ("binding is the host's", reject("bind.report_data.mismatch")),
        ("rollback is the host's", reject("coll.rollback")),
        ("policy is the host's", reject("pol.format.invalid")),
        ("clock is the host's", reject("clk.untrusted")),
        (
            "rejected as undecided",
            Box::new(|r| r.outcome = WireOutcome::Indeterminate(denied(&codes::SNP_FORMAT_LENGTH, ""))),
        ),
        (
            "floors of rejected",
            Box::new(|r| {
                r.outcome = WireOutcome::Reject(denied(&codes::SNP_FORMAT_LENGTH, ""));
                r.floors = vec![floor("a", 0)];
            }),
        ),
    ];
    for (what, spoil) in cases {
        let finding = check(spoil).expect_err(what);
        assert_eq!(finding.code, codes::PLUG_CONTRACT, "{what}: {finding}");
    }
    let short = VerifyRequest { evidence: vec![7; 0x8f], ..request() };
    let finding = contract::reply(&short, &reply(accept(), 2).to_bytes()).unwrap_err();
    assert_eq!(finding.code, codes::PLUG_CONTRACT, "accepted without a bound field in the evidence");
    for bytes in [vec![], vec![0; MAX_MESSAGE + 1], [reply(accept(), 2).to_bytes(), vec![0]].concat()] {
        assert_eq!(contract::reply(&request(), &bytes).unwrap_err().code, codes::PLUG_CONTRACT);
    }
}

#[test]
fn user_data_that_the_evidence_does_not_have() {
    let mut machine = vtpm::World::snp();
    machine.edit_runtime(|runtime| runtime.set_text("user-data", &"7a".repeat(64)));
    let request = VerifyRequest {
        profile: Profile::az_cvm_vtpm_1(),
        evidence: machine.evidence(),
        endorsements: Vec::new(),
        ..request()
    };
    let check = |hcl: Claims| {
        let mut values = claims();
        values.insert("hcl", hcl);
        let bound = BoundField { kind: BoundKind::ExtraData, bytes: machine.quote.extra_data.clone() };
        let reply = reply(WireOutcome::Accept { claims: values, bound, waived: Vec::new() }, 0);
        let reply = VerifyReply { profile: Profile::az_cvm_vtpm_1(), ..reply };
        contract::reply(&request, &reply.to_bytes()).map(|_| ()).map_err(|finding| finding.code)
    };
    let with = |bytes: &[u8]| {
        let mut hcl = Claims::new();
        hcl.insert_bytes("user_data", bytes);
        hcl
    };
    assert_eq!(check(with(&[0x7a; 64])), Ok(()));
    for other in [with(&[0x7b; 64]), with(&[0x7a; 63]), Claims::new()] {
        assert_eq!(check(other), Err(codes::BIND_REPORT_DATA_MISMATCH));
    }
}

#[test]
fn n_fl_35_report_data_that_the_evidence_does_not_have() {
    for byte in 0..64 {
        let mut other = vec![7; 64];
        other[byte] ^= 1;
        assert_eq!(check(with_bound(other)).unwrap_err().code, codes::BIND_REPORT_DATA_MISMATCH);
    }
}

#[test]
fn profiles_of_vendors_bind_in_their_own_place() {
    let profile = Profile::parse("vendor-1").unwrap();
    let request = VerifyRequest { profile: profile.clone(), evidence: vec![1], ..request() };
    let reply = VerifyReply { profile, ..reply(accept(), 2) };
    assert!(contract::reply(&request, &reply.to_bytes()).unwrap().outcome.is_ok());
}

#[test]
fn plans_have_limits() {
    let of = |kind: &str, url: &str| EndorsementRequest {
        kind: kind.to_owned(),
        url: url.to_owned(),
        max_age: 1,
        post: None,
    };
    let good = of("snp.crl", "https://kdsintf.amd.com/vcek/v1/Milan/crl");
    assert!(contract::plan(&plan(vec![good.clone(); MAX_PLAN_REQUESTS])).is_ok());
    let unread = Plan { version: MESSAGE_VERSION, requests: Vec::new(), claims: Claims::new() };
    assert!(contract::plan(&unread.to_bytes()).is_ok(), "a plan need not say anything");
    let many =
        Plan { version: MESSAGE_VERSION, requests: vec![good; MAX_PLAN_REQUESTS + 1], claims: claims() };
    let large = Plan { version: MESSAGE_VERSION, requests: Vec::new(), claims: text_claims("a", MAX_CLAIMS) };
    for (what, bytes) in [
        ("many", many.to_bytes()),
        ("large claims", large.to_bytes()),
        ("kind", plan(vec![of("", "https://a")])),
        ("address with a line feed", plan(vec![of("k", "https://a/\n")])),
        ("long address", plan(vec![of("k", &"a".repeat(2049))])),
        ("garbage", vec![1]),
    ] {
        assert_eq!(contract::plan(&bytes).unwrap_err().code, codes::PLUG_CONTRACT, "{what}");
    }
}

#[test]
fn questions_have_limits() {
    let of = |host: &str, media_type: &str, body: usize, key: usize| {
        let post = Post { media_type: media_type.to_owned(), body: vec![1; body], key: vec![1; key] };
        let (kind, url) = ("gpu.ocsp".to_owned(), format!("https://{host}/"));
        let request = EndorsementRequest { kind, url, max_age: 1, post: Some(post) };
        contract::plan(&plan(vec![request])).map(|_| ()).map_err(|finding| finding.code)
    };
    let (ocsp, json) = ("application/ocsp-request", "application/json");
    let (responder, service) = ("ocsp.ndis.nvidia.com", "nras.attestation.nvidia.com");
    for (host, media_type, body, allowed) in [
        (service, json, MAX_EVIDENCE_POST, true),
        (service, json, MAX_EVIDENCE_POST + 1, false),
        (service, ocsp, 1, false),
        ("rim.attestation.nvidia.com", json, 1, false),
        ("nras.attestation.nvidia.com.example.org", json, 1, false),
    ] {
        let expected = if allowed { Ok(()) } else { Err(codes::PLUG_CONTRACT) };
        assert_eq!(of(host, media_type, body, 32), expected, "{host}, {media_type:?}, {body}");
    }
    for (media_type, body, key, allowed) in [
        (ocsp, 1, 1, true),
        (ocsp, MAX_POST, 1024, true),
        (ocsp, MAX_POST + 1, 1, false),
        (ocsp, 1, 1025, false),
        (ocsp, 0, 1, false),
        (ocsp, 1, 0, false),
        ("application/ocsp-request ", 1, 1, false),
        ("application/json", 1, 1, false),
        ("", 1, 1, false),
    ] {
        let expected = if allowed { Ok(()) } else { Err(codes::PLUG_CONTRACT) };
        assert_eq!(of(responder, media_type, body, key), expected, "{media_type:?}, {body}, {key}");
    }
}

#[test]
fn collected_evidence_has_limits() {
    let of = |evidence: usize, endorsements: Vec<Blob>| {
        let collected = Collected { version: MESSAGE_VERSION, evidence: vec![0; evidence], endorsements };
        let request = of_profile(Profile::snp_raw_1());
        contract::collected(&request, &collected.to_bytes()).map(|_| ()).map_err(|finding| finding.code)
    };
    let blob = |size| Blob(vec![0; size]);
    assert_eq!(of(1, Vec::new()), Ok(()));
    assert_eq!(of(MAX_EVIDENCE, vec![blob(1); MAX_ENDORSEMENTS]), Ok(()));
    assert_eq!(of(1, vec![blob(MAX_ENDORSEMENT)]), Ok(()));
    for (what, broken) in [
        ("empty", of(0, Vec::new())),
        ("large", of(MAX_EVIDENCE + 1, Vec::new())),
        ("many endorsements", of(1, vec![blob(1); MAX_ENDORSEMENTS + 1])),
        ("empty endorsement", of(1, vec![blob(0)])),
        ("large endorsement", of(1, vec![blob(MAX_ENDORSEMENT + 1)])),
    ] {
        assert_eq!(broken, Err(codes::PLUG_CONTRACT), "{what}");
    }
    let devices = of_profile(Profile::nv_spdm_1());
    assert_eq!(contract::collected(&devices, b"").unwrap_err().code, codes::PLUG_CONTRACT);
    // Many devices have more evidence than one processor.
    for (size, fits) in [(MAX_DEVICES_EVIDENCE, true), (MAX_DEVICES_EVIDENCE + 1, false)] {
        let collected =
            Collected { version: MESSAGE_VERSION, evidence: vec![0; size], endorsements: Vec::new() };
        assert_eq!(contract::collected(&devices, &collected.to_bytes()).is_ok(), fits);
    }
}

fn of_profile(profile: Profile) -> CollectRequest {
    CollectRequest { version: MESSAGE_VERSION, profile, binding: Binding::new([0; 64]) }
}

#[test]
fn details_cannot_steer_a_terminal() {
    let denial = denied(&codes::SNP_FORMAT_LENGTH, "a\u{1b}[2Jb\nc\u{202e}d");
    let finding = contract::denial(&denial.to_bytes());
    assert_eq!((finding.code, finding.detail.as_str()), (codes::SNP_FORMAT_LENGTH, "a [2Jb c d"));
    assert_eq!(contract::denial(b"").code, codes::PLUG_CONTRACT);
    let panicked = denied(&codes::PLUG_PANICKED, "at the disco");
    assert_eq!(contract::denial(&panicked.to_bytes()).code, codes::PLUG_PANICKED);
}
