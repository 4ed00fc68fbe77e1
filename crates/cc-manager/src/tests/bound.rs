//! The bound field as the host reads it, and rule M5: runtime data are those of the evidence.

use cc_core::azure::{Group, Machine, Token, runtime_data};
use cc_core::{Binding, BoundField, BoundKind, Finding, Profile, codes};
use cc_testkit::jwt;
use cc_testkit::maa::{self, ISS};

use crate::Sha256;
use crate::bound::{stated, user_data};

const OURS: [u8; 64] = [0x5a; 64];
const OTHER: [u8; 64] = [0x77; 64];
const NOW: i64 = 1_780_272_000;

/// A report over the digest of runtime data.
fn report(data: &[u8]) -> Vec<u8> {
    let mut report = vec![0; 1184];
    report[0] = 2;
    report[0x50..0x70].copy_from_slice(Sha256::of(data).as_bytes());
    report
}

fn evidence(token: &jwt::Token, data: &[u8]) -> Vec<u8> {
    let token = token.sign(maa::key()).into_bytes();
    Token { token, runtime_data: data.to_vec(), report: Vec::new() }.encode()
}

/// A token for these runtime data, changed, and shown with those.
fn of_token(sent: &[u8], shown: &[u8], change: impl Fn(&mut jwt::Token)) -> Result<BoundField, Finding> {
    let mut token = maa::token(ISS, &report(sent), sent, NOW);
    change(&mut token);
    stated(&Profile::aci_maa_1(), &evidence(&token, shown)).map(Option::unwrap)
}

fn same(_: &mut jwt::Token) {}

fn code<T>(result: &Result<T, Finding>) -> &str {
    result.as_ref().map_or_else(|finding| finding.code.as_str(), |_| "accept")
}

#[test]
fn a_token_is_bound_through_its_runtime_data() {
    let data = runtime_data(&OURS);
    let found = of_token(&data, &data, same).unwrap();
    assert_eq!(found, BoundField { kind: BoundKind::RuntimeData, bytes: OURS.to_vec() });
    assert_eq!(found.compare(&Binding::new(OURS)), Ok(()));
    let bare = of_token(&data, &[], same).unwrap();
    assert_eq!(bare, BoundField { kind: BoundKind::Nothing, bytes: Vec::new() });
    assert_eq!(code(&bare.compare(&Binding::new(OURS))), "bind.report_data.mismatch");
}

#[test]
fn runtime_data_of_something_else_are_refused() {
    let (ours, other) = (runtime_data(&OURS), runtime_data(&OTHER));
    // The token is about other runtime data.
    assert_eq!(code(&of_token(&other, &ours, same)), "bind.runtime_data.mismatch", "N-MAA-29");
    // Those that everybody sends.
    assert_eq!(code(&of_token(b"{\n}", b"{\n}", same)), "bind.runtime_data.mismatch", "N-MAA-30");
    // A second binding, which another reader might take.
    let text = String::from_utf8(ours.clone()).unwrap();
    let twice =
        text.replacen('{', &format!("{{\"muster\":{{\"v\":1,\"bind\":\"{}\"}},", hex::encode(OTHER)), 1);
    let found = of_token(twice.as_bytes(), twice.as_bytes(), same);
    assert_eq!(code(&found), "bind.runtime_data.mismatch", "N-MAA-32");
    // What the service wrote of them.
    let runtime =
        |json: &'static str| of_token(&ours, &ours, move |token| token.payload.set("x-ms-runtime", json));
    for json in ["{}", "null", "{\"muster\":{\"v\":1,\"bind\":\"\"}}", "[]"] {
        assert_eq!(code(&runtime(json)), "bind.runtime_data.mismatch", "{json}");
    }
    for (from, to) in [("\"v\":1", "\"v\":2"), ("\"v\":1", "\"v\":1,\"w\":1"), ("}}", "},\"x\":1}")] {
        let changed = text.replacen(from, to, 1);
        let found = of_token(&ours, &ours, |token| token.payload.set("x-ms-runtime", &changed));
        assert_eq!(code(&found), "bind.runtime_data.mismatch", "{changed}");
    }
    let missing = of_token(&ours, &ours, |token| token.payload.remove("x-ms-runtime"));
    assert_eq!(code(&missing), "bind.runtime_data.mismatch");
    // The order of the members is the service's.
    let turned = format!("{{\"muster\":{{\"bind\":\"{}\",\"v\":1}}}}", hex::encode(OURS));
    assert_eq!(code(&of_token(&ours, &ours, |token| token.payload.set("x-ms-runtime", &turned))), "accept");
    // The other half of the report data is zero.
    let longer = of_token(&ours, &ours, |token| {
        let digits = format!("{}{}", Sha256::of(&ours), "01".repeat(32));
        token.payload.set_text("x-ms-sevsnpvm-reportdata", &digits);
    });
    assert_eq!(code(&longer), "bind.runtime_data.mismatch");
}

/// Bound well, to something else; a `nonce` is no evidence of anything.
#[test]
fn another_binding_is_another_participants() {
    let other = runtime_data(&OTHER);
    for (row, nonce) in [("N-MAA-31", None), ("N-MAA-33", Some("1234"))] {
        let found = of_token(&other, &other, |token| {
            nonce.into_iter().for_each(|nonce| token.payload.set("nonce", nonce));
        });
        let compared = found.unwrap().compare(&Binding::new(OURS));
        assert_eq!(code(&compared), "bind.report_data.mismatch", "{row}");
    }
}

#[test]
fn a_group_is_bound_directly_or_through_its_runtime_data() {
    let read = |report: Vec<u8>, data: &[u8]| {
        let group = Group { report, runtime_data: data.to_vec() };
        stated(&Profile::aci_raw_1(), &group.encode()).map(Option::unwrap)
    };
    let mut direct = report(&[]);
    direct[0x50..0x90].copy_from_slice(&OURS);
    let found = read(direct, &[]).unwrap();
    assert_eq!(found, BoundField { kind: BoundKind::ReportData, bytes: OURS.to_vec() });
    let data = runtime_data(&OURS);
    let found = read(report(&data), &data).unwrap();
    assert_eq!(found, BoundField { kind: BoundKind::RuntimeData, bytes: OURS.to_vec() });
    assert_eq!(code(&read(report(&data), &runtime_data(&OTHER))), "bind.runtime_data.mismatch");
    assert_eq!(code(&read(report(b"{\n}"), b"{\n}")), "bind.runtime_data.mismatch");
    assert_eq!(code(&read(vec![2; 80], &[])), "snp.format.length");
}

#[test]
fn a_machine_is_bound_by_its_quote() {
    let message = |extra: &[u8]| {
        let length = u16::try_from(extra.len()).unwrap().to_be_bytes();
        [&b"\xffTCG\x80\x18\0\0"[..], &length, extra].concat()
    };
    let read = |message: Vec<u8>| {
        let machine =
            Machine { hcl_report: vec![1], td_quote: vec![], message, signature: vec![], pcrs: vec![] };
        stated(&Profile::az_cvm_vtpm_1(), &machine.encode()).map(Option::unwrap)
    };
    let found = read(message(&[7; 32])).unwrap();
    assert_eq!(found, BoundField { kind: BoundKind::ExtraData, bytes: vec![7; 32] });
    assert_eq!(found.compare(&Binding::Nonce([7; 32])), Ok(()));
    assert_eq!(code(&found.compare(&Binding::Nonce([8; 32]))), "bind.report_data.mismatch");
    let short = read(message(&[7; 9])).unwrap();
    assert_eq!(code(&short.compare(&Binding::Nonce([7; 32]))), "bind.report_data.mismatch");
    assert_eq!(read(Vec::new()).unwrap_err().code, codes::VTPM_QUOTE_MISSING);
}

/// An HCL report as far as the host looks at it.
fn hcl_report(runtime_data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(runtime_data.len()).unwrap().to_le_bytes();
    [&[1; 32 + 1184 + 16][..], &length, runtime_data, &[0; 9]].concat()
}

fn machine(hcl_report: Vec<u8>) -> Vec<u8> {
    Machine { hcl_report, td_quote: vec![], message: vec![], signature: vec![], pcrs: vec![] }.encode()
}

#[test]
fn the_host_reads_a_machines_user_data_itself() {
    let read = |hcl_report| user_data(&machine(hcl_report)).map_err(|finding| finding.code);
    let with = |digits: &str| hcl_report(format!("{{\"keys\":[],\"user-data\":\"{digits}\"}}").as_bytes());
    assert_eq!(read(with(&"7A".repeat(64))), Ok(Some([0x7a; 64])));
    assert_eq!(read(hcl_report(b"{\"keys\":[]}")), Ok(None));
    for malformed in [
        with(&"7a".repeat(63)),
        with(&"7g".repeat(64)),
        hcl_report(b"{\"user-data\":1}"),
        hcl_report(b"{\"user-data\":\"00\",\"user-data\":\"00\"}"),
        hcl_report(b""),
        with("")[..1240].to_vec(),
        Vec::new(),
    ] {
        assert_eq!(read(malformed), Err(codes::VTPM_FORMAT_MALFORMED));
    }
}
