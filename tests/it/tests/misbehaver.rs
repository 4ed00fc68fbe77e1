//! A plugin that breaks the contract costs its request and nothing else: the host denies with the right code, and
//! the next plugin answers as if nothing had been.

use std::sync::Arc;
use std::time::Duration;

use cc_core::{Binding, Class, Code, Finding, Instant, Profile, UnixTime, Waivers, codes};
use cc_manager::fetch::{Fetcher, Roots, SystemEnvironment};
use cc_manager::{Config, Expectation, Floors, Host, Request, Verification};
use muster_it::place::{config, entry, test_plugin};

struct World {
    host: Host,
    fetcher: Fetcher,
    floors: Floors,
}

/// A host with the misbehaving plugin and, beside it, one that behaves.
fn world(fault: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("fault = {fault:?}");
    let file = config(
        folder.path(),
        &[
            entry(&test_plugin("libmisbehaver.so"), &["misbehaver-1"], &settings),
            entry(&test_plugin("libvendor_example.so"), &["acme-note-1"], ""),
        ],
    );
    let mut config = Config::load_file(&file).unwrap();
    config.fetch.offline = true;
    let host = Host::load(&config, &muster_it::place::worker()).unwrap();
    let fetcher = Fetcher::new(&config.fetch, &Roots::System, Arc::new(SystemEnvironment::new())).unwrap();
    World { host, fetcher, floors: Floors::open(None) }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn verify(world: &World, profile: &str, evidence: &[u8]) -> Verification {
    let request = Request {
        profile: Profile::parse(profile).unwrap(),
        evidence: evidence.to_vec(),
        endorsements: Vec::new(),
        waivers: Waivers::none(),
        at: Instant::Present(UnixTime::from_secs(1_780_272_000)),
        expected: Expectation::NotCompared,
        patience: Duration::ZERO,
    };
    run(cc_manager::verify(&world.host, &world.fetcher, &world.floors, request)).unwrap()
}

/// A note of the vendor's example: binding, text, checksum.
fn note() -> Vec<u8> {
    let mut note = vec![0; 64];
    note.extend_from_slice(b"hi");
    note.push(b'h'.wrapping_add(b'i'));
    note
}

fn denied(fault: &str) -> Finding {
    let world = world(fault);
    let finding = verify(&world, "misbehaver-1", b"evidence").result.expect_err(fault);
    assert!(verify(&world, "acme-note-1", &note()).result.is_ok(), "after {fault}");
    finding
}

#[test]
fn without_a_fault_it_is_accepted() {
    assert!(verify(&world("none"), "misbehaver-1", b"evidence").result.is_ok());
}

#[test]
fn every_fault_denies_with_its_code() {
    let rows: &[(&str, Code)] = &[
        ("panic in plan", codes::PLUG_PANICKED),
        ("panic in verify", codes::PLUG_PANICKED),
        ("too many requests", codes::PLUG_CONTRACT),
        ("oversized claims", codes::PLUG_CONTRACT),
        ("too many claims", codes::PLUG_CONTRACT),
        ("short bound field", codes::PLUG_CONTRACT),
        ("claims for another profile", codes::PLUG_CONTRACT),
        ("waiver nobody gave", codes::PLUG_CONTRACT),
        ("unregistered code", codes::PLUG_CONTRACT),
        ("malformed code", codes::PLUG_CONTRACT),
        ("indeterminate code as reject", codes::PLUG_CONTRACT),
        ("reject code as indeterminate", codes::PLUG_CONTRACT),
        ("other message version", codes::PLUG_CONTRACT),
        ("floor out of range", codes::PLUG_CONTRACT),
    ];
    for (fault, code) in rows {
        let finding = denied(fault);
        assert_eq!(finding.code, *code, "{fault}: {finding}");
        assert_eq!(finding.code.class(), Class::Reject);
        assert!(!finding.detail.is_empty(), "{fault}");
    }
}

#[test]
fn n_fl_34_accept_with_empty_claims() {
    assert_eq!(denied("empty claims").code, codes::PLUG_CONTRACT);
}

#[test]
fn bytes_that_are_no_message_deny() {
    let folder = tempfile::tempdir().unwrap();
    let file = config(folder.path(), &[entry(&test_plugin("libabi_same.so"), &["frozen-1"], "")]);
    let mut config = Config::load_file(&file).unwrap();
    config.fetch.offline = true;
    let host = Host::load(&config, &muster_it::place::worker()).unwrap();
    let fetcher = Fetcher::new(&config.fetch, &Roots::System, Arc::new(SystemEnvironment::new())).unwrap();
    let world = World { host, fetcher, floors: Floors::open(None) };
    for evidence in [&b"garbage"[..], b"flood", b"garbled denial"] {
        let finding = verify(&world, "frozen-1", evidence).result.unwrap_err();
        assert_eq!(finding.code, codes::PLUG_CONTRACT, "{finding}");
        assert!(verify(&world, "frozen-1", b"good").result.is_ok(), "the next request is answered");
    }
}

#[test]
fn a_vendors_own_code_passes() {
    assert_eq!(denied("own code").code.as_str(), "misbehaver.felt.likeit");
}

#[test]
fn control_characters_do_not_reach_a_terminal() {
    let detail = denied("control characters").detail;
    assert!(!detail.chars().any(char::is_control), "{detail:?}");
}

#[test]
fn urls_outside_the_allow_list_are_not_asked_for() {
    for fault in ["request to a strange host", "request without tls"] {
        let world = world(fault);
        let verification = verify(&world, "misbehaver-1", b"evidence");
        assert_eq!(verification.notes.len(), 1, "{fault}: {:?}", verification.notes);
        assert!(
            !verification.notes.concat().contains("offline"),
            "{fault} ends before the network: {:?}",
            verification.notes
        );
    }
}

#[test]
fn collected_evidence_is_held_to_the_contract() {
    for (fault, code) in [
        ("panic in collect", codes::PLUG_PANICKED),
        ("empty evidence", codes::PLUG_CONTRACT),
        ("oversized evidence", codes::PLUG_CONTRACT),
    ] {
        let world = world(fault);
        let profile = Profile::parse("misbehaver-1").unwrap();
        let collection = run(cc_manager::collect(&world.host, &profile, Binding::new([7; 64]))).unwrap();
        assert_eq!(collection.result.expect_err(fault).code, code, "{fault}");
    }
}
