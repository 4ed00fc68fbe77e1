//! How long and how often services are asked: every fault of the network and of the service, with the waits between.

use std::time::Duration;

use cc_core::azure::runtime_data;
use cc_core::{Code, codes};
use cc_testkit::https::Fault;
use cc_testkit::sidecar::{COMBINED, RAW, report_data};

use crate::support::group::ContainerGroup;
use crate::support::{binding, report};

/// What one request ends with, how often `/attest/raw` was asked for it, and the waits in milliseconds.
struct Seen {
    outcome: Result<(), Code>,
    asked: usize,
    waits: Vec<u128>,
}

fn seen(group: &ContainerGroup) -> Seen {
    let outcome = group.outcome();
    let waits = group.pace.waits.lock().unwrap().iter().map(Duration::as_millis).collect();
    Seen { outcome, asked: group.sidecar.service().count(RAW), waits }
}

fn with(faults: impl IntoIterator<Item = Fault>) -> ContainerGroup {
    let mut group = ContainerGroup::beside_sidecar();
    // Only a service that is silent is waited for, and not for long.
    group.options.sidecar_timeout = Duration::from_millis(300);
    for fault in faults {
        group.sidecar.service().fault(RAW, fault);
    }
    group
}

#[test]
fn the_service_says_when_to_ask_again() {
    for fault in [Fault::Throttle(Some("7".to_owned())), Fault::Busy(Some("7".to_owned()))] {
        let Seen { outcome, asked, waits } = seen(&with([fault]));
        assert_eq!((outcome, asked, waits), (Ok(()), 2, vec![7000]));
    }
    // A date, or nothing that could be read: the waits of our own.
    for after in [Some("Wed, 21 Oct 2026 07:28:00 GMT"), Some("-1"), Some(""), None] {
        let fault = Fault::Busy(after.map(str::to_owned));
        let Seen { outcome, asked, waits } = seen(&with([fault.clone(), fault]));
        assert_eq!((outcome, asked, waits), (Ok(()), 3, vec![1000, 2000]), "{after:?}");
    }
}

#[test]
fn five_times_with_waits_that_double_and_vary() {
    for (chance, expected) in [(255, vec![1000, 2000, 4000, 8000]), (0, vec![500, 1001, 2003, 4007])] {
        let mut group = with([]);
        group.chance = chance;
        group.sidecar.service().always(RAW, Fault::Status(500));
        let Seen { outcome, asked, waits } = seen(&group);
        assert_eq!((outcome, asked, waits), (Err(codes::ACI_COLLECT_UNAVAILABLE), 5, expected));
    }
}

#[test]
fn nobody_waits_past_the_deadline() {
    let mut group = with(vec![Fault::Throttle(Some("100".to_owned())); 2]);
    group.options.timeout = Duration::from_secs(150);
    let Seen { outcome, asked, waits } = seen(&group);
    assert_eq!((outcome, asked, waits), (Err(codes::ACI_COLLECT_UNAVAILABLE), 2, vec![100_000]));
    let far = u64::MAX.to_string();
    let Seen { outcome, asked, waits } = seen(&with([Fault::Throttle(Some(far))]));
    assert_eq!((outcome, asked, waits), (Err(codes::ACI_COLLECT_UNAVAILABLE), 1, vec![]));
}

#[test]
fn a_service_that_is_silent_or_breaks_off_is_asked_again() {
    for fault in [Fault::Stall, Fault::Truncate] {
        let group = with([fault.clone()]);
        let Seen { outcome, asked, waits } = seen(&group);
        assert_eq!((outcome, asked, waits), (Ok(()), 2, vec![1000]), "{fault:?}");
        group.sidecar.service().always(RAW, fault.clone());
        assert_eq!(group.outcome(), Err(codes::ACI_COLLECT_UNAVAILABLE), "{fault:?}");
    }
}

#[test]
fn a_service_that_is_not_there_is_unavailable() {
    let mut group = with([]);
    // A port that was somebody's a moment ago.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    group.options.sidecar = Some(format!("http://{gone}"));
    let refused = group.collector().report(&binding(1)).unwrap_err();
    assert_eq!(refused.code, codes::ACI_COLLECT_UNAVAILABLE, "{}", refused.detail);
    assert_eq!(group.pace.waits.lock().unwrap().len(), 4);
}

#[test]
fn what_is_no_answer_is_final() {
    let elsewhere = || with([]).sidecar.service().url();
    for fault in [
        Fault::Redirect(RAW.to_owned()),
        Fault::Redirect(elsewhere()),
        Fault::Refuse(403, r#"{"error":"no"}"#.to_owned()),
        Fault::Status(404),
        Fault::Status(204),
        Fault::Empty,
        Fault::Say(b"garbage".to_vec()),
        Fault::Oversize(1024 * 1024 + 1, true),
        Fault::Oversize(1024 * 1024 + 1, false),
    ] {
        let Seen { outcome, asked, waits } = seen(&with([fault.clone()]));
        assert_eq!((outcome, asked, waits), (Err(codes::ACI_COLLECT_REFUSED), 1, vec![]), "{fault:?}");
    }
    let said = with([Fault::Refuse(403, "x".repeat(10_000))]).collector().report(&binding(1)).unwrap_err();
    assert!(said.detail.contains("xxx") && said.detail.len() < 600, "{}", said.detail);
}

/// Also where what is beyond the limit is nothing but white space.
#[test]
fn an_answer_has_a_mebibyte_at_most() {
    let runtime_data = runtime_data(binding(1).report_data().unwrap());
    let report = hex::encode(report(report_data(&runtime_data), 0));
    let answer = |length: usize| {
        let mut body = format!(r#"{{"report":"{report}"}}"#).into_bytes();
        body.resize(length, b' ');
        seen(&with([Fault::Say(body)])).outcome
    };
    assert_eq!(answer(1024 * 1024), Ok(()));
    assert_eq!(answer(1024 * 1024 + 1), Err(codes::ACI_COLLECT_REFUSED));
}

#[test]
fn only_an_unknown_path_leads_to_the_older_one() {
    let group = with([]);
    group.sidecar.service().fault(COMBINED, Fault::Refuse(403, "no".to_owned()));
    assert_eq!(group.outcome(), Err(codes::ACI_COLLECT_REFUSED));
    assert_eq!(group.sidecar.service().log(), [COMBINED]);
}
