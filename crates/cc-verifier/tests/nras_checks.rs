//! Every check of answers of NVIDIA's attestation service (*verification.md* 3.5), one violation each.

use cc_testkit::jwt::{Object, Signing, ec_key, key_set};
use cc_testkit::nras::{Answer, KID, good_chain, jwks, key};
use cc_testkit::snp::{LeafKind, keys};

use crate::common::codes::result_code;
use crate::common::nras::{NONCE, NOW, gpus, judge, judge_with, outcome};

const MALFORMED: &str = "nras.claims.malformed";
const DIGEST: &str = "nras.submod.digest_mismatch";
const NONCE_CODE: &str = "bind.gpu_nonce.mismatch";

type Row = (&'static str, fn(&mut Answer), &'static str);

/// Each row changes an answer about two GPUs.
fn assert_rows(rows: &[Row]) {
    for (name, edit, expected) in rows {
        let mut answer = gpus(2);
        edit(&mut answer);
        assert_eq!(outcome(&answer.body()), *expected, "{name}");
    }
}

fn overall(answer: &mut Answer) -> &mut Object {
    &mut answer.overall.payload
}

/// The claims of the second device.
fn device(answer: &mut Answer) -> &mut Object {
    let last = answer.devices.len() - 1;
    &mut answer.devices[last].1.payload
}

#[test]
fn good_answers_become_claims() {
    let claims = judge(&gpus(2).body()).unwrap();
    // 478176379286082186618948445787393647364802107000 and one more.
    let [first, second] = [0x5678, 0x5679].map(|end| {
        format!(
            r#"{{"arch":"HOPPER","class":"gpu","driver_version":"550.90.07","hwmodel":"GH100 A01 GSP BROM","ueid":"53c22ba15e5d68088282da074ed9fb37aa58{end:x}","vbios_version":"96.00.9f.00.01"}}"#
        )
    });
    let nonce = "2a".repeat(32);
    assert_eq!(
        serde_json::to_string(&claims).unwrap(),
        format!(
            r#"{{"devices":[{first},{second}],"gpu_count":2,"nonce":"{nonce}","nras_issuer":"https://nras.attestation.nvidia.com","switch_count":0}}"#
        )
    );
    let switches = judge(&Answer::switches(1, &NONCE, NOW).body()).unwrap();
    let json = serde_json::to_string(&switches).unwrap();
    for part in [
        r#""arch":"LS10","class":"switch","hwmodel":"LS_10 A01 FSP BROM","ueid":"#,
        r#""vbios_version":"96.10.55.00.01""#,
        r#""gpu_count":0"#,
        r#""switch_count":1"#,
    ] {
        assert!(json.contains(part), "{part} in {json}");
    }
    assert!(!json.contains("driver_version"), "{json}");
}

#[test]
fn n_gpu_59_a_device_token_of_another_run() {
    let answer = gpus(2).sign();
    for other in [
        // Of other evidence; of the same evidence, but signed anew; the other device's.
        Answer::gpus(2, &[7; 32], NOW).sign().devices[1].1.clone(),
        gpus(2).sign().devices[1].1.clone(),
        answer.devices[0].1.clone(),
    ] {
        let mut mixed = answer.clone();
        mixed.devices[1].1 = other;
        assert_eq!(outcome(&mixed.body()), DIGEST);
    }
    assert_eq!(outcome(&answer.body()), "accept");
}

#[test]
fn n_gpu_60_another_nonce() {
    assert_eq!(outcome(&Answer::gpus(2, &[7; 32], NOW).body()), NONCE_CODE);
    assert_rows(&[
        ("overall", |a| overall(a).set_text("eat_nonce", &"07".repeat(32)), NONCE_CODE),
        ("of a device", |a| device(a).set_text("eat_nonce", &"07".repeat(32)), NONCE_CODE),
        ("in capitals", |a| overall(a).set_text("eat_nonce", &"2A".repeat(32)), "accept"),
        ("too short", |a| overall(a).set_text("eat_nonce", &"2a".repeat(31)), MALFORMED),
        ("too short in a device", |a| device(a).set_text("eat_nonce", &"2a".repeat(31)), MALFORMED),
        ("a list", |a| overall(a).set("eat_nonce", &format!("[\"{}\"]", "2a".repeat(32))), MALFORMED),
    ]);
}

#[test]
fn answers_have_one_form() {
    let signed = gpus(2).sign();
    let body = String::from_utf8(signed.body()).unwrap();
    for (name, text, expected) in [
        ("nothing", String::new(), MALFORMED),
        ("a bare token", signed.overall.clone(), MALFORMED),
        ("another kind", body.replacen("\"JWT\"", "\"CWT\"", 1), MALFORMED),
        ("a part more", body.replacen("]]", "]],[]", 1).replacen("}]", "},{}]", 1), MALFORMED),
        ("more after it", format!("{body}x"), MALFORMED),
        ("a device twice", body.replacen("\"GPU-1\"", "\"GPU-0\"", 1), MALFORMED),
        ("no GPU-0", body.replacen("\"GPU-0\"", "\"GPU-2\"", 1), MALFORMED),
        ("a gap", body.replacen("\"GPU-1\"", "\"GPU-2\"", 1), MALFORMED),
        ("a leading zero", body.replacen("\"GPU-1\"", "\"GPU-01\"", 1), MALFORMED),
        ("both classes", body.replacen("\"GPU-1\"", "\"SWITCH-0\"", 1), MALFORMED),
        ("too long", format!("{}{body}", " ".repeat(1 << 20)), "env.size.exceeded"),
        ("unchanged", body, "accept"),
    ] {
        assert_eq!(outcome(text.as_bytes()), expected, "{name}");
    }
    assert_eq!(outcome(b"\xff"), MALFORMED);
    assert_eq!(outcome(&gpus(0).body()), "gpu.devices.empty");
    assert_eq!(outcome(&gpus(16).body()), "accept");
    assert_eq!(outcome(&gpus(17).body()), "env.size.exceeded");
    assert_eq!(outcome(&Answer::switches(8, &NONCE, NOW).body()), "accept");
    assert_eq!(outcome(&Answer::switches(9, &NONCE, NOW).body()), "env.size.exceeded");
}

#[test]
fn all_tokens_are_the_services() {
    assert_rows(&[
        (
            "issuer",
            |a| overall(a).set_text("iss", "https://nras.attestation-stg.nvidia.com"),
            "jwt.iss.mismatch",
        ),
        ("issuer of a device", |a| device(a).set_text("iss", "LOCAL_GPU_VERIFIER"), "jwt.iss.mismatch"),
        ("old", |a| overall(a).set_number("iat", NOW - 301), "jwt.too_old"),
        ("an old device", |a| device(a).set_number("iat", NOW - 301), "jwt.too_old"),
        ("alg of a device", |a| a.devices[1].1.header.set_text("alg", "none"), "jwt.alg.not_allowed"),
        ("kid of a device", |a| a.devices[1].1.header.set_text("kid", "other"), "jwt.kid.unknown"),
        ("an unsigned device", |a| a.devices[1].1.signing = Signing::None, "jwt.signature.invalid"),
        ("alg", |a| a.overall.header.set_text("alg", "RS256"), "jwt.alg.not_allowed"),
        ("unsigned", |a| a.overall.signing = Signing::None, "jwt.signature.invalid"),
    ]);
    let other = key_set(&[ec_key(KID, keys::leaf(LeafKind::Vcek))]);
    assert_eq!(result_code(&judge_with(&gpus(1).body(), Some(&other))), "jwt.signature.invalid");
}

#[test]
fn missing_keys_stop_nothing() {
    let keyless = |answer: &Answer| result_code(&judge_with(&answer.body(), None));
    assert_eq!(keyless(&gpus(2)), "jwt.jwks.unavailable");
    let mut answer = gpus(2);
    device(&mut answer).set("secboot", "false");
    assert_eq!(keyless(&answer), "nras.secboot.disabled");
    answer.overall.payload.set("submods", "{}");
    assert_eq!(keyless(&answer), DIGEST);
    assert!(judge_with(&gpus(2).body(), Some(&jwks())).is_ok());
}

#[test]
fn the_overall_token_names_the_device_tokens() {
    let digests = |name: &str, algorithm: &str| {
        let mut answer = gpus(1);
        let signed = answer.sign();
        let devices = [(name.to_owned(), signed.devices[0].1.clone())];
        answer.overall.payload.set("submods", &cc_testkit::nras::submods(algorithm, &devices));
        let mut signed = signed;
        signed.overall = answer.overall.sign(key());
        outcome(&signed.body())
    };
    assert_eq!(digests("GPU-0", "SHA-256"), "accept");
    assert_eq!(digests("GPU-0", "SHA256"), "accept");
    assert_eq!(digests("GPU-0", "SHA-384"), MALFORMED);
    assert_eq!(digests("GPU-1", "SHA-256"), DIGEST);

    let mut more = gpus(2).sign();
    more.devices.pop();
    assert_eq!(outcome(&more.body()), DIGEST, "a token less than is named");
    let mut less = gpus(1).sign();
    less.devices.push(gpus(2).sign().devices.remove(1));
    assert_eq!(outcome(&less.body()), DIGEST, "a token more than is named");

    let digest = "00".repeat(32);
    let submods = |json: String| {
        let mut answer = gpus(1);
        overall(&mut answer).set("submods", &json);
        outcome(&answer.body())
    };
    assert_eq!(submods(format!(r#"{{"GPU-0":["DIGEST",["SHA-256","{digest}"]]}}"#)), DIGEST);
    for bad in [
        format!(r#"{{"GPU-0":["digest",["SHA-256","{digest}"]]}}"#),
        format!(r#"{{"GPU-0":["DIGEST",["SHA-256","{digest}00"]]}}"#),
        format!(r#"{{"GPU-0":["DIGEST",["SHA-256","{digest}"],1]}}"#),
        format!(r#"{{"GPU-0":["DIGEST","{digest}"]}}"#),
        r#"["GPU-0"]"#.to_owned(),
        "null".to_owned(),
    ] {
        assert_eq!(submods(bad.clone()), MALFORMED, "{bad}");
    }
}

#[test]
fn the_overall_result_is_good() {
    assert_rows(&[
        ("false", |a| overall(a).set("x-nvidia-overall-att-result", "false"), "nras.overall.failed"),
        ("text", |a| overall(a).set_text("x-nvidia-overall-att-result", "true"), MALFORMED),
        ("another subject", |a| overall(a).set_text("sub", "OTHER"), MALFORMED),
        ("version 2", |a| overall(a).set_text("x-nvidia-ver", "2.0"), MALFORMED),
        (
            "before the devices",
            |a| {
                overall(a).set("x-nvidia-overall-att-result", "false");
                device(a).set_text("measres", "fail");
            },
            "nras.overall.failed",
        ),
    ]);
    for name in ["sub", "x-nvidia-ver", "x-nvidia-overall-att-result", "eat_nonce"] {
        let mut answer = gpus(1);
        overall(&mut answer).remove(name);
        assert_eq!(outcome(&answer.body()), MALFORMED, "{name}");
    }
}

#[test]
fn every_device_is_good() {
    assert_rows(&[
        ("measurements", |a| device(a).set_text("measres", "fail"), "nras.measurements.failed"),
        ("result in capitals", |a| device(a).set_text("measres", "SUCCESS"), "nras.measurements.failed"),
        ("secure boot", |a| device(a).set("secboot", "false"), "nras.secboot.disabled"),
        ("secure boot null", |a| device(a).set("secboot", "null"), MALFORMED),
        ("debugging", |a| device(a).set_text("dbgstat", "enabled"), "nras.debug.enabled"),
        (
            "debugging since boot",
            |a| device(a).set_text("dbgstat", "disabled-since-boot"),
            "nras.debug.enabled",
        ),
        ("warning", |a| device(a).set_text("x-nvidia-attestation-warning", "on hold"), "nras.cert.status"),
        ("no warning", |a| device(a).remove("x-nvidia-attestation-warning"), "accept"),
        ("Blackwell", |a| device(a).set_text("hwmodel", "GB100 A01 GSP BROM"), "accept"),
        ("a switch among GPUs", |a| device(a).set_text("hwmodel", "LS_10 A01 FSP BROM"), MALFORMED),
        ("an unknown chip", |a| device(a).set_text("hwmodel", "GA100 A01 GSP BROM"), MALFORMED),
        ("a long model", |a| device(a).set_text("hwmodel", &format!("GH100 {}", "x".repeat(60))), MALFORMED),
        ("an odd model", |a| device(a).set_text("hwmodel", "GH100 \u{7f}"), MALFORMED),
        ("a hexadecimal ueid", |a| device(a).set_text("ueid", "53c22b"), MALFORMED),
        ("ueid 0", |a| device(a).set_text("ueid", "0"), MALFORMED),
        ("an odd version", |a| device(a).set_text("x-nvidia-gpu-driver-version", "550..07"), MALFORMED),
        ("a long version", |a| device(a).set_text("x-nvidia-gpu-driver-version", &"1".repeat(65)), MALFORMED),
        ("an empty version", |a| device(a).set_text("x-nvidia-gpu-vbios-version", ""), MALFORMED),
        (
            "one device twice",
            |a| {
                let same =
                    a.devices[0].1.payload.0.iter().find(|(name, _)| name == "ueid").unwrap().1.clone();
                device(a).set("ueid", &same);
            },
            "gpu.devices.duplicate",
        ),
    ]);
}

#[test]
fn every_flag_is_there_and_true() {
    let flags = |new: fn() -> Answer, expected: usize| {
        let names: Vec<String> = {
            let mut answer = new();
            let is_flag = |(name, json): &&(String, String)| name.starts_with("x-nvidia") && json == "true";
            device(&mut answer).0.iter().filter(is_flag).map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(names.len(), expected);
        for name in &names {
            let code = if name.ends_with("fwid-match") {
                "nras.fwid.mismatch"
            } else if name.ends_with("version-match") {
                "nras.rim.version_mismatch"
            } else {
                "nras.overall.failed"
            };
            for (json, expected) in
                [("false", code), ("null", MALFORMED), ("1", MALFORMED), ("\"true\"", MALFORMED)]
            {
                let mut answer = new();
                device(&mut answer).set(name, json);
                assert_eq!(outcome(&answer.body()), expected, "{name}: {json}");
            }
        }
    };
    flags(|| gpus(1), 16);
    flags(|| Answer::switches(1, &NONCE, NOW), 10);
}

#[test]
fn every_chain_is_good() {
    let chains = |new: fn() -> Answer, expected: usize| {
        let names: Vec<String> = {
            let mut answer = new();
            device(&mut answer)
                .0
                .iter()
                .map(|(name, _)| name.clone())
                .filter(|name| name.ends_with("-chain"))
                .collect()
        };
        assert_eq!(names.len(), expected);
        type Edit = fn(&mut Object);
        let edits: [(&str, Edit, &str); 12] = [
            ("good", |_| (), "accept"),
            ("expired", |c| c.set_text("x-nvidia-cert-status", "expired"), "nras.cert.status"),
            ("no status", |c| c.remove("x-nvidia-cert-status"), MALFORMED),
            ("revoked", |c| c.set_text("x-nvidia-cert-ocsp-status", "revoked"), "nras.cert.status"),
            ("unknown", |c| c.set_text("x-nvidia-cert-ocsp-status", "unknown"), "nras.cert.status"),
            ("not asked", |c| c.set("x-nvidia-cert-ocsp-status", "null"), MALFORMED),
            ("no OCSP", |c| c.remove("x-nvidia-cert-ocsp-status"), MALFORMED),
            (
                "on hold",
                |c| c.set_text("x-nvidia-cert-revocation-reason", "certificate_hold"),
                "nras.cert.status",
            ),
            ("invalid answer", |c| c.set("x-nvidia-cert-ocsp-response-valid", "false"), "nras.cert.status"),
            ("other nonce", |c| c.set("x-nvidia-cert-ocsp-nonce-matches", "false"), "nras.cert.status"),
            ("valid answer", |c| c.set("x-nvidia-cert-ocsp-response-valid", "true"), "accept"),
            ("nonce null", |c| c.set("x-nvidia-cert-ocsp-nonce-matches", "null"), "accept"),
        ];
        for name in &names {
            for (what, edit, expected) in edits {
                let (mut answer, mut chain) = (new(), good_chain());
                edit(&mut chain);
                device(&mut answer).set(name, &chain.text());
                assert_eq!(outcome(&answer.body()), expected, "{name}: {what}");
            }
            let mut answer = new();
            device(&mut answer).set(name, r#"["valid","good"]"#);
            assert_eq!(outcome(&answer.body()), MALFORMED, "{name}: a list");
        }
    };
    chains(|| gpus(1), 3);
    chains(|| Answer::switches(1, &NONCE, NOW), 2);
}

#[test]
fn every_claim_that_is_judged_must_be_there() {
    let unjudged = ["jti", "oemid", "x-nvidia-attestation-warning"];
    for new in [|| gpus(1), || Answer::switches(1, &NONCE, NOW)] {
        let names: Vec<_> = device(&mut new()).0.iter().map(|(name, _)| name.clone()).collect();
        assert!(names.len() > 20);
        for name in names {
            let mut answer = new();
            device(&mut answer).remove(&name);
            let expected = match name.as_str() {
                "iss" => "jwt.iss.mismatch",
                "exp" | "nbf" | "iat" => "jwt.exp.missing",
                other if unjudged.contains(&other) => "accept",
                _ => MALFORMED,
            };
            assert_eq!(outcome(&answer.body()), expected, "{name}");
        }
    }
}
