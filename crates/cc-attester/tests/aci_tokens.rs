//! Tokens about container groups: through a sidecar, from the service itself, and what both can do wrong.

use std::time::Duration;

use cc_attester::aci::{Collector, Options};
use cc_attester::web::Authorities;
use cc_core::azure::{Token, runtime_data};
use cc_core::message::Blob;
use cc_core::{Code, Finding, codes};
use cc_testkit::https::Fault;
use cc_testkit::jwt::base64url;
use cc_testkit::maa::{self, ATTEST};
use cc_testkit::sidecar::{COMBINED, MAA, RAW, report_data};

use crate::support::group::{ContainerGroup, Kernel};
use crate::support::{binding, report};

/// A group whose containers have the kernel's interface and ask the service themselves.
fn direct() -> ContainerGroup {
    let mut group = ContainerGroup::new(Kernel::Reports);
    group.options.maa_endpoint = Some(group.maa.service().url());
    group
}

/// A group whose sidecar asks.
fn through_sidecar() -> ContainerGroup {
    let mut group = ContainerGroup::beside_sidecar();
    group.options.maa_endpoint = Some("https://sharedeus2.eus2.attest.azure.net".to_owned());
    group
}

/// The runtime data of binding 1, and the report over them.
fn sent() -> (Vec<u8>, Vec<u8>) {
    let runtime_data = runtime_data(binding(1).report_data().unwrap());
    let report = report(report_data(&runtime_data), 0);
    (runtime_data, report)
}

fn header_and_payload(token: &[u8]) -> String {
    std::str::from_utf8(token).unwrap().rsplit_once('.').unwrap().0.to_owned()
}

#[test]
fn the_service_is_asked_with_a_report_of_the_kernel() {
    let group = direct();
    let collected = group.collector().token(&binding(1)).unwrap();
    let (runtime_data, report) = sent();
    let token = Token::decode(&collected.evidence).unwrap();
    let issuer = group.maa.service().url();
    let expected = maa::token(&issuer, &report, &runtime_data, cc_testkit::snp::mint::NOW).sign(maa::key());
    assert_eq!(header_and_payload(&token.token), header_and_payload(expected.as_bytes()));
    assert_eq!((token.runtime_data, token.report), (runtime_data, report));
    assert_eq!(collected.endorsements, [group.endorsements(), vec![Blob(vec![0xC1; 24])]].concat());
    assert_eq!(group.maa.service().log(), [ATTEST]);
    assert!(group.sidecar.service().log().is_empty());
}

#[test]
fn a_sidecar_obtains_token_and_report_with_the_same_runtime_data() {
    let group = through_sidecar();
    let collected = group.collector().token(&binding(1)).unwrap();
    let (runtime_data, report) = sent();
    let token = Token::decode(&collected.evidence).unwrap();
    let expected = maa::token(maa::ISS, &report, &runtime_data, cc_testkit::snp::mint::NOW).sign(maa::key());
    assert_eq!(header_and_payload(&token.token), header_and_payload(expected.as_bytes()));
    assert_eq!((token.runtime_data, token.report), (runtime_data, report));
    assert_eq!(collected.endorsements, group.endorsements());
    assert_eq!(group.sidecar.service().log(), [COMBINED, RAW, MAA]);
    assert!(group.maa.service().log().is_empty());
}

fn refusal(group: &ContainerGroup) -> Finding {
    group.collector().token(&binding(1)).unwrap_err()
}

/// What is done to a token.
type Edit = fn(&mut cc_testkit::jwt::Token);

#[test]
fn tokens_about_another_request_are_refused() {
    let cases: &[(&str, Edit, Code)] = &[
        (
            "other report data",
            |token| token.payload.set_text("x-ms-sevsnpvm-reportdata", &"0".repeat(128)),
            codes::MAA_COLLECT_WRONG_TOKEN,
        ),
        (
            "half of the report data",
            |token| {
                let half = token.payload.0.iter().find(|(name, _)| name.ends_with("reportdata")).unwrap().1
                    [..65]
                    .to_owned();
                token.payload.set("x-ms-sevsnpvm-reportdata", &format!("{half}\""));
            },
            codes::MAA_COLLECT_WRONG_TOKEN,
        ),
        (
            "other runtime data",
            |token| token.payload.set("x-ms-runtime", r#"{"muster":{"v":1,"bind":"00"}}"#),
            codes::MAA_COLLECT_WRONG_TOKEN,
        ),
        (
            "more runtime data",
            |token| {
                let (_, runtime) = token.payload.0.iter().find(|(name, _)| name == "x-ms-runtime").unwrap();
                let more = runtime.replacen('{', r#"{"more":1,"#, 1);
                token.payload.set("x-ms-runtime", &more);
            },
            codes::MAA_COLLECT_WRONG_TOKEN,
        ),
        (
            "no report data",
            |token| token.payload.remove("x-ms-sevsnpvm-reportdata"),
            codes::MAA_COLLECT_REFUSED,
        ),
        ("no runtime data", |token| token.payload.remove("x-ms-runtime"), codes::MAA_COLLECT_REFUSED),
        (
            "report data twice",
            |token| token.payload.push("x-ms-sevsnpvm-reportdata", "\"\""),
            codes::MAA_COLLECT_REFUSED,
        ),
        (
            "report data a number",
            |token| token.payload.set("x-ms-sevsnpvm-reportdata", "1"),
            codes::MAA_COLLECT_REFUSED,
        ),
        ("too long", |token| token.payload.set_text("x", &"x".repeat(64 * 1024)), codes::MAA_COLLECT_REFUSED),
    ];
    let (direct, beside) = (direct(), through_sidecar());
    for (name, edit, code) in cases {
        direct.maa.edit(*edit);
        beside.sidecar.edit(*edit);
        for group in [&direct, &beside] {
            let refused = refusal(group);
            assert_eq!(&refused.code, code, "{name}: {}", refused.detail);
        }
    }
    // The service writes runtime data anew: other white space is the same.
    direct.maa.edit(|token| {
        let (_, runtime) = token.payload.0.iter().find(|(name, _)| name == "x-ms-runtime").unwrap();
        let spaced = runtime.replace(':', " : ");
        token.payload.set("x-ms-runtime", &spaced);
    });
    assert!(direct.collector().token(&binding(1)).is_ok());
}

#[test]
fn what_is_no_token_is_refused() {
    let group = direct();
    let payload = base64url(b"{}");
    for token in ["", "a.b", "a.b.c.d", &format!("a.{payload}.c"), "a.*.c", &format!("a.{payload}=.c")] {
        group.maa.service().fault(ATTEST, Fault::Say(format!(r#"{{"token":"{token}"}}"#).into_bytes()));
        assert_eq!(refusal(&group).code, codes::MAA_COLLECT_REFUSED, "{token}");
    }
    for body in ["", "{}", r#"{"token":1}"#, "<html>"] {
        group.maa.service().fault(ATTEST, Fault::Say(body.as_bytes().to_vec()));
        assert_eq!(refusal(&group).code, codes::MAA_COLLECT_REFUSED, "{body}");
    }
}

#[test]
fn a_service_that_throttles_is_asked_when_it_says() {
    let group = direct();
    group.maa.service().fault(ATTEST, Fault::Throttle(Some("3".to_owned())));
    assert!(group.collector().token(&binding(1)).is_ok());
    assert_eq!(*group.pace.waits.lock().unwrap(), [Duration::from_secs(3)]);
    group.maa.service().always(ATTEST, Fault::Throttle(None));
    assert_eq!(refusal(&group).code, codes::MAA_COLLECT_UNAVAILABLE);
    assert_eq!(group.maa.service().count(ATTEST), 2 + 5);
}

#[test]
fn a_service_that_refuses_is_not_asked_again() {
    let group = direct();
    group
        .maa
        .service()
        .fault(ATTEST, Fault::Refuse(400, r#"{"error":{"code":"PolicyEvaluationError"}}"#.to_owned()));
    let refused = refusal(&group);
    assert_eq!(refused.code, codes::MAA_COLLECT_REFUSED);
    assert!(refused.detail.contains("PolicyEvaluationError"), "{}", refused.detail);
    assert_eq!(group.maa.service().count(ATTEST), 1);
}

#[test]
fn a_service_of_strangers_is_not_talked_to() {
    let mut group = direct();
    group.authorities =
        Authorities::Only(vec![ContainerGroup::new(Kernel::Absent).maa.service().ca_der().to_vec()]);
    assert_eq!(refusal(&group).code, codes::MAA_COLLECT_UNAVAILABLE);
    assert!(group.maa.service().log().is_empty());
}

#[test]
fn a_fake_or_foreign_report_is_not_carried_along() {
    let group = through_sidecar();
    group.sidecar.make(|report_data| cc_testkit::sidecar::canned_report(report_data).to_vec());
    assert_eq!(refusal(&group).code, codes::ACI_COLLECT_FAKE_REPORT);
    group.sidecar.make(|_| report([9; 64], 0));
    assert_eq!(refusal(&group).code, codes::ACI_COLLECT_WRONG_REPORT);
    assert_eq!(group.sidecar.service().count(MAA), 0);
}

#[test]
fn the_endpoint_is_named_and_asked_over_tls() {
    let mut group = direct();
    group.options.maa_endpoint = None;
    assert_eq!(refusal(&group).code, codes::PLUG_CONFIG_MISSING);
    for endpoint in
        ["http://localhost", "https://", "sharedeus2.eus2.attest.azure.net", "https://a/certs", "https://u@a"]
    {
        let options = Options { maa_endpoint: Some(endpoint.to_owned()), ..Options::default() };
        let refused = Collector::new(options).err().map(|finding| finding.code);
        assert_eq!(refused, Some(codes::PLUG_CONFIG_INVALID), "{endpoint}");
    }
}
