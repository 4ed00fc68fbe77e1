//! Tokens of Microsoft Azure Attestation: M1, M2, M7 and what of J1 to J8 depends on the configured issuers.

use cc_core::azure::{self, runtime_data};
use cc_core::message::{Blob, PlanRequest, VerifyReply, VerifyRequest, WireOutcome};
use cc_core::{BoundKind, Profile, UnixTime};
use cc_testkit::jwt::{Signing, Token, key_set, rsa_key};
use cc_testkit::maa::{self, ISS, jwks};
use cc_testkit::snp::{LeafKind, NOW, Product, SignKey, World, ark_der};
use cc_verifier::maa::Verifier;
use cc_verifier::snp::Anchors;

use crate::common::codes::reply_code;
use crate::common::requests;

const BINDING: [u8; 64] = [0x2c; 64];
const OTHER: &str = "https://sharedweu.weu.attest.azure.net";
const CODES: [&str; 3] = ["maa.type.mismatch", "maa.compliance.mismatch", "maa.claim.type"];

/// A container group, the runtime data that were bound, and the token about both.
struct Scene {
    world: World,
    token: Token,
    key: &'static SignKey,
    runtime_data: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let mut world = World::new(Product::Milan, LeafKind::Vcek);
        world.edit_report(|report| {
            report.set_report_data([0x11; 64]);
        });
        let runtime_data = runtime_data(&BINDING);
        let token = maa::token(ISS, world.report.bytes(), &runtime_data, NOW);
        Self { world, token, key: maa::key(), runtime_data }
    }

    fn evidence(&self, report: bool) -> azure::Token {
        azure::Token {
            token: self.token.sign(self.key).into_bytes(),
            runtime_data: self.runtime_data.clone(),
            report: if report { self.world.report.bytes().to_vec() } else { Vec::new() },
        }
    }

    /// With the keys, and what the report needs.
    fn request(&self, evidence: &azure::Token) -> VerifyRequest {
        let mut endorsements = vec![jwks()];
        if !evidence.report.is_empty() {
            let world = &self.world;
            endorsements.extend([&world.leaf, &world.intermediate, &world.crl].map(Clone::clone));
        }
        VerifyRequest {
            profile: Profile::aci_maa_1(),
            evidence: evidence.encode(),
            vouched: vec![0],
            endorsements: endorsements.into_iter().map(Blob).collect(),
            ..requests::request(&[], &[])
        }
    }
}

fn verifier() -> Verifier {
    with_issuers(&[OTHER, ISS], 8)
}

fn with_issuers(issuers: &[&str], entries: usize) -> Verifier {
    let issuers = issuers.iter().map(|issuer| (*issuer).to_owned()).collect();
    let anchors = Anchors::new(ark_der(Product::Milan), ark_der(Product::Genoa), ark_der(Product::Turin));
    Verifier::new(issuers, anchors, entries).unwrap()
}

/// The outcome after a change to the token, with and without the raw report.
fn after(change: impl Fn(&mut Token)) -> String {
    let mut scene = Scene::new();
    change(&mut scene.token);
    let codes = [false, true].map(|report| {
        let reply = verifier().verify(&scene.request(&scene.evidence(report)));
        reply_code(&reply).to_owned()
    });
    assert_eq!(codes[0], codes[1], "the report comes after the token");
    codes[0].clone()
}

fn accepted(reply: &VerifyReply) -> (&cc_core::Claims, &cc_core::BoundField) {
    let WireOutcome::Accept { claims, bound, .. } = &reply.outcome else { panic!("{:?}", reply.outcome) };
    (claims, bound)
}

#[test]
fn a_good_token_says_what_it_says() {
    let scene = Scene::new();
    let reply = verifier().verify(&scene.request(&scene.evidence(false)));
    let (claims, bound) = accepted(&reply);
    assert_eq!((bound.kind, bound.bytes.as_slice()), (BoundKind::RuntimeData, &BINDING[..]));
    assert_eq!(reply.recognised, ["maa.jwks"]);
    assert_eq!(claims.text("iss"), Ok(ISS));
    assert_eq!(claims.integer("iat"), Ok(NOW.unsigned_abs()));
    assert_eq!(claims.bytes::<64>("reportdata"), Ok([0x11; 64]));
    assert!(claims.value("report").is_none());
    // Runtime data of another form bind nothing; whether they are those of the token is the host's to say.
    for runtime_data in [Vec::new(), b"{\n}".to_vec()] {
        let evidence = azure::Token { runtime_data, ..scene.evidence(false) };
        let reply = verifier().verify(&scene.request(&evidence));
        let (_, bound) = accepted(&reply);
        assert_eq!((bound.kind, bound.bytes.len()), (BoundKind::Nothing, 0));
    }
}

#[test]
fn the_raw_report_is_verified_too() {
    let scene = Scene::new();
    let evidence = scene.evidence(true);
    let good = scene.request(&evidence);
    let reply = verifier().verify(&good);
    let (claims, _) = accepted(&reply);
    let report = claims.map("report").unwrap();
    assert_eq!(report.bytes::<64>("report_data"), Ok([0x11; 64]));
    assert_eq!(reply.recognised, ["maa.jwks", "snp.vcek", "snp.ask", "snp.crl"]);
    let floors: Vec<_> = reply.floors.iter().map(|floor| (floor.name.as_str(), floor.endorsement)).collect();
    assert_eq!(floors, [("snp.crl.Milan", 3)], "by the positions of the whole request");

    let code = |request: &VerifyRequest| reply_code(&verifier().verify(request)).to_owned();
    let without = |position: usize| {
        let mut request = good.clone();
        request.endorsements.remove(position);
        request
    };
    assert_eq!(code(&without(3)), "snp.crl.missing");
    assert_eq!(code(&without(1)), "snp.chain.missing");
    // A rejection of the report counts before missing keys, missing keys before a missing list.
    let mut forged = evidence.clone();
    forged.report[0x2a1] ^= 1;
    let forged = VerifyRequest { vouched: Vec::new(), ..scene.request(&forged) };
    assert_eq!(code(&forged), "snp.signature.invalid");
    assert!(verifier().verify(&forged).floors.is_empty());
    assert_eq!(code(&VerifyRequest { vouched: Vec::new(), ..without(3) }), "jwt.jwks.unavailable");
    let waived = VerifyRequest { waivers: vec!["snp.crl.missing".to_owned()], ..without(3) };
    let reply = verifier().verify(&waived);
    let WireOutcome::Accept { waived, .. } = &reply.outcome else { panic!("{:?}", reply.outcome) };
    assert_eq!(waived, &["snp.crl.missing"]);
}

#[test]
fn rows_of_the_catalogue() {
    let none = |_: &mut Token| ();
    assert_eq!(after(none), "accept");
    type Change = fn(&mut Token);
    let rows: [(&str, Change, &str); 6] = [
        (
            "N-MAA-20",
            |token| {
                let text = "{\"x-ms-attestation-type\":\"sevsnpvm\",\"x-ms-compliance-status\":\"azure-compliant-uvm\"}";
                token.payload.set("x-ms-isolation-tee", text);
                token.payload.set_text("x-ms-attestation-type", "azurevm");
            },
            CODES[0],
        ),
        (
            "N-MAA-21",
            |token| token.payload.set_text("x-ms-compliance-status", "azure-compliant-cvm"),
            CODES[1],
        ),
        ("N-MAA-22", |token| token.payload.remove("x-ms-compliance-status"), CODES[1]),
        ("N-MAA-24", |token| token.payload.set_text("x-ms-sevsnpvm-is-debuggable", "false"), CODES[2]),
        ("a policy's token", |token| token.payload.remove("x-ms-attestation-type"), CODES[0]),
        (
            "a type that is no text",
            |token| token.payload.set("x-ms-attestation-type", "[\"sevsnpvm\"]"),
            CODES[0],
        ),
    ];
    for (row, change, expected) in rows {
        assert_eq!(after(change), expected, "{row}");
    }
}

/// One field after the other.
#[test]
fn the_report_is_the_one_that_the_token_is_about() {
    let scene = Scene::new();
    let report = scene.world.report.bytes().to_vec();
    for (what, at) in [
        ("guestsvn", 0x04),
        ("familyId", 0x10),
        ("imageId", 0x2f),
        ("vmpl", 0x30),
        ("reportdata", 0x8f),
        ("launchmeasurement", 0x90),
        ("hostdata", 0xc0),
        ("idkeydigest", 0x10f),
        ("authorkeydigest", 0x110),
        ("reportid", 0x15f),
        ("smt-allowed", 0x0a),
    ] {
        let mut changed = report.clone();
        changed[at] ^= 1;
        let evidence = azure::Token { report: changed, ..scene.evidence(true) };
        let reply = verifier().verify(&scene.request(&evidence));
        assert_eq!(reply_code(&reply), "maa.report.mismatch", "N-MAA-35, {what}");
    }
    for (flag, bit) in [("migration-allowed", 4), ("is-debuggable", 8)] {
        let mut changed = report.clone();
        changed[0x0a] ^= bit;
        let evidence = azure::Token { report: changed, ..scene.evidence(true) };
        let reply = verifier().verify(&scene.request(&evidence));
        assert_eq!(reply_code(&reply), "maa.report.mismatch", "{flag}");
    }
}

/// M2: each claim, absent, null, and of another type.
#[test]
fn every_claim_has_its_type() {
    for (name, others) in [
        ("is-debuggable", ["0", "\"false\""]),
        ("migration-allowed", ["1", "[]"]),
        ("smt-allowed", ["\"true\"", "{}"]),
        ("vmpl", ["\"0\"", "false"]),
        ("guestsvn", ["-1", "1.5"]),
        ("bootloader-svn", ["256", "\"3\""]),
        ("tee-svn", ["true", "-1"]),
        ("snpfw-svn", ["1e3", "256"]),
        ("microcode-svn", ["[1]", "256"]),
        ("hostdata", ["\"AA\"", "0"]),
        ("launchmeasurement", ["\"aa\"", "0"]),
        ("reportdata", ["\"\"", "0"]),
        ("reportid", ["\"zz\"", "0"]),
        ("familyId", ["\"01\"", "0"]),
        ("imageId", ["\"01\"", "0"]),
        ("idkeydigest", ["\"01\"", "0"]),
        ("authorkeydigest", ["\"01\"", "0"]),
    ] {
        let name = format!("x-ms-sevsnpvm-{name}");
        assert_eq!(after(|token| token.payload.remove(&name)), CODES[2], "{name}");
        for other in others.into_iter().chain(["null"]) {
            assert_eq!(after(|token| token.payload.set(&name, other)), CODES[2], "{name} is {other}");
        }
    }
    assert_eq!(after(|token| token.payload.remove("x-ms-policy-hash")), CODES[2]);
    let upper = "AB".repeat(32);
    assert_eq!(after(|token| token.payload.set_text("x-ms-sevsnpvm-hostdata", &upper)), CODES[2]);
}

/// The form of the whole comes before the types of its claims.
#[test]
fn a_claim_of_another_type_is_read_strictly_too() {
    let deep = ["[".repeat(15), "]".repeat(15)].concat();
    for (value, code) in [
        ("{\"a\":1,\"a\":1}", "jwt.format.invalid"),
        ("[{\"a\":{\"b\":1,\"b\":2}}]", "jwt.format.invalid"),
        (&*deep, CODES[2]),
        (&*format!("[{deep}]"), "jwt.format.invalid"),
    ] {
        assert_eq!(after(|token| token.payload.set("x-ms-sevsnpvm-vmpl", value)), code, "{value}");
    }
    let hostdata = format!("\"{}\"", "ab".repeat(32));
    assert_eq!(
        after(|token| token.payload.push("x-ms-sevsnpvm-hostdata", &hostdata)),
        "jwt.format.invalid",
        "a claim is there twice"
    );
}

#[test]
fn only_configured_issuers_count() {
    let scene = Scene::new();
    let request = scene.request(&scene.evidence(false));
    for (issuers, expected) in [
        (&[ISS][..], "accept"),
        (&[OTHER], "jwt.iss.mismatch"),
        (&[], "jwt.iss.mismatch"),
        (&["https://sharedeus2.eus2.attest.azure.net.evil.example"], "jwt.iss.mismatch"),
    ] {
        let verifier = with_issuers(issuers, 0);
        assert_eq!(reply_code(&verifier.verify(&request)), expected, "{issuers:?}");
        let plan = verifier.plan(&PlanRequest {
            version: request.version,
            profile: Profile::aci_maa_1(),
            evidence: request.evidence.clone(),
            endorsements: Vec::new(),
        });
        let code = plan.as_ref().map_or_else(|finding| finding.code.as_str(), |_| "accept");
        assert_eq!(code, expected, "{issuers:?}");
    }
    // Issuer and keys belong together: the other one's address of keys is not this one's.
    assert_eq!(after(|token| token.header.set_text("jku", &format!("{OTHER}/certs"))), "jwt.jku.mismatch");
    assert_eq!(after(|token| token.payload.set_text("iss", "https://evil.example")), "jwt.iss.mismatch");
    assert_eq!(after(|token| token.payload.remove("iss")), "jwt.iss.mismatch");
    // No algorithm but the one, not even where nobody's keys would be tried.
    let unsigned = |token: &mut Token| {
        token.payload.remove("iss");
        token.header.set_text("alg", "none");
        token.signing = Signing::None;
    };
    assert_eq!(after(unsigned), "jwt.alg.not_allowed");
}

#[test]
fn an_issuer_is_an_address() {
    for bad in [
        "",
        "https://",
        "http://a.example",
        "a.example",
        "https://a.example/",
        "https://A.example",
        "https://a b",
    ] {
        let anchors = Anchors::new(ark_der(Product::Milan), ark_der(Product::Genoa), ark_der(Product::Turin));
        let refused = Verifier::new(vec![ISS.to_owned(), bad.to_owned()], anchors, 0).unwrap_err();
        assert_eq!(refused.code.as_str(), "plug.config.invalid", "{bad:?}");
    }
}

#[test]
fn keys_count_only_where_the_host_answers_for_them() {
    let scene = Scene::new();
    let good = scene.request(&scene.evidence(false));
    let code = |request: &VerifyRequest| reply_code(&verifier().verify(request)).to_owned();
    assert_eq!(code(&VerifyRequest { vouched: Vec::new(), ..good.clone() }), "jwt.jwks.unavailable");
    assert_eq!(code(&VerifyRequest { endorsements: Vec::new(), ..good.clone() }), "jwt.jwks.unavailable");
    // The attester's own keys, beside a signature that they made.
    let mut forged = Scene::new();
    forged.key = maa::next_key();
    let mut request = forged.request(&forged.evidence(false));
    request.endorsements.push(Blob(key_set(&[rsa_key(maa::KID, maa::next_key())])));
    assert_eq!(code(&request), "jwt.signature.invalid");
    request.vouched = vec![0, 1];
    assert_eq!(code(&request), "accept", "of two sets of keys that the host answers for, one fits");
    // What else an administrator has for other platforms is in nobody's way, wherever it stands.
    let document = Blob(b"{\"tcbInfo\":{},\"signature\":\"00\"}".to_vec());
    let mut request = good.clone();
    request.endorsements.insert(0, document.clone());
    request.endorsements.push(document);
    request.vouched = vec![0, 1, 2];
    let reply = verifier().verify(&request);
    assert_eq!(reply_code(&reply), "accept");
    assert_eq!(reply.recognised, ["unknown", "maa.jwks", "unknown"]);
    // Two keys of one name are an issuer's fault and not another document.
    let twice = key_set(&[rsa_key(maa::KID, maa::key()), rsa_key(maa::KID, maa::next_key())]);
    assert_eq!(code(&VerifyRequest { endorsements: vec![Blob(twice)], ..good.clone() }), "jwt.key.duplicate");
    // A later key under its own name.
    let mut later = Scene::new();
    later.key = maa::next_key();
    later.token.header.set_text("kid", maa::NEXT_KID);
    let mut request = later.request(&later.evidence(false));
    assert_eq!(code(&request), "jwt.kid.unknown");
    request.endorsements[0] = Blob(key_set(&[rsa_key(maa::NEXT_KID, maa::next_key())]));
    assert_eq!(code(&request), "accept");
}

#[test]
fn times_are_judged_but_age_is_policy() {
    let scene = Scene::new();
    let at = |seconds: i64| {
        let now = UnixTime::from_secs((NOW + seconds).unsigned_abs());
        let request = VerifyRequest { now, ..scene.request(&scene.evidence(false)) };
        reply_code(&verifier().verify(&request)).to_owned()
    };
    assert_eq!(at(7 * 3600), "accept");
    assert_eq!(at(maa::LIFETIME + 59), "accept");
    assert_eq!(at(maa::LIFETIME + 60), "jwt.expired");
    assert_eq!(at(-61), "jwt.not_yet_valid");
}

#[test]
fn a_plan_asks_for_the_keys_and_for_what_the_report_needs() {
    let scene = Scene::new();
    let plan = |evidence: azure::Token| {
        let request = scene.request(&evidence);
        let (version, profile, evidence) = (request.version, request.profile, request.evidence);
        verifier().plan(&PlanRequest { version, profile, evidence, endorsements: Vec::new() })
    };
    let requests = plan(scene.evidence(false)).unwrap().requests;
    let [keys] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((keys.kind.as_str(), keys.max_age), ("maa.jwks", 86_400));
    assert_eq!(keys.url, format!("{ISS}/certs"));
    let whole = plan(scene.evidence(true)).unwrap();
    let kinds: Vec<_> = whole.requests.iter().map(|request| request.kind.as_str()).collect();
    assert_eq!(kinds, ["maa.jwks", "snp.vcek", "snp.cert_chain", "snp.crl"]);
    assert!(whole.claims.map("report").is_ok());
    // What comes after keys and time in the order of the checks, verification says.
    let other = azure::Token { report: vec![2; 1184], ..scene.evidence(true) };
    assert_eq!(plan(other).unwrap().requests.len(), 1);
    let mut other = Scene::new();
    other.token.payload.remove("x-ms-compliance-status");
    let claims = plan(other.evidence(false)).unwrap().claims;
    assert_eq!((claims.text("iss"), claims.value("hostdata")), (Ok(ISS), None));
}

#[test]
fn what_is_remembered_changes_nothing() {
    let scene = Scene::new();
    let (remembering, forgetful) = (verifier(), with_issuers(&[OTHER, ISS], 0));
    let mut broken = Scene::new();
    broken.token.payload.set_text("x-ms-compliance-status", "azure-signed-katacc-uvm");
    for scene in [&scene, &broken, &scene] {
        for report in [false, true] {
            let request = scene.request(&scene.evidence(report));
            let expected = forgetful.verify(&request);
            assert_eq!(remembering.verify(&request), expected);
            assert_eq!(remembering.verify(&request), expected);
        }
    }
}

#[test]
fn what_is_no_evidence_is_refused() {
    let scene = Scene::new();
    let good = scene.request(&scene.evidence(false));
    for evidence in [Vec::new(), scene.token.sign(scene.key).into_bytes(), good.evidence[1..].to_vec()] {
        let reply = verifier().verify(&VerifyRequest { evidence, ..good.clone() });
        assert_eq!(reply_code(&reply), "env.format.invalid");
    }
    let other = VerifyRequest { profile: Profile::snp_raw_1(), ..good.clone() };
    assert_eq!(reply_code(&verifier().verify(&other)), "plug.contract");
    // Every bit of the token counts, but those that base64 and JSON leave to the writer are in the signed bytes too.
    let token = scene.token.sign(scene.key).into_bytes();
    for position in 0..token.len() {
        let mut changed = token.clone();
        changed[position] ^= 1;
        let evidence = azure::Token { token: changed, ..scene.evidence(false) };
        let reply = verifier().verify(&scene.request(&evidence));
        assert_ne!(reply_code(&reply), "accept", "byte {position}");
    }
}
