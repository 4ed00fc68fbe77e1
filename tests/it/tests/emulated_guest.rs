//! The emulated guest through the real host: what it collects is verified and affirmed, with nothing fetched; and what
//! is wrong with it is found.

use std::sync::Arc;

use cc_core::{Binding, Code, Instant, Profile, codes};
use cc_manager::attest::{
    Federation, Judgement, Kind, Manager, OwnerFloor, Setup, StartError, Subject, Verifier, VerifierSetup,
};
use cc_manager::clock::Clock;
use cc_manager::{Config, Host, Sha256};
use cc_policy::InitData;
use muster_it::federation::{Guest, Wall, policy};
use muster_it::place::{entry, plugins, test_plugin};
use muster_it::verifier::{self, collected};
use tempfile::TempDir;

const BINDING: [u8; 64] = [0x5a; 64];
const INIT: &[u8] = b"the init bytes of a name";

fn profile() -> Profile {
    Profile::snp_raw_1()
}

fn init_data() -> InitData {
    cc_manager::init_data(INIT)
}

fn guest(number: u64) -> Guest {
    Guest::new(number, *Sha256::of(INIT).as_bytes())
}

/// A participant with this guest and this policy.
fn setup(guest: &Guest, policy: &str) -> VerifierSetup {
    let folder = tempfile::tempdir().unwrap();
    verifier::setup(&guest.write_plugins(folder.path()), policy)
}

async fn start(guest: &Guest, policy: &str) -> Result<Manager, StartError> {
    let setup = Setup {
        verifier: setup(guest, policy),
        own_profiles: vec![profile()],
        own_init_data: init_data(),
        clock: Arc::new(Wall),
    };
    Manager::start(setup).await.map(|(manager, _)| manager)
}

/// Collects from one guest and judges by a verifier that has another guest of its own.
async fn judge(guest: &Guest, expected: [u8; 64]) -> Judgement {
    let collector = Verifier::new(setup(guest, &policy(""))).unwrap();
    let (evidence, endorsements) = collected(collector.host(), &profile(), Binding::new(BINDING)).await;
    verifier::judge(setup(&self::guest(1000), &policy("")), &subject(evidence, endorsements, expected)).await
}

fn subject(evidence: Vec<u8>, endorsements: Vec<Vec<u8>>, expected: [u8; 64]) -> Subject {
    Subject {
        name: "site-1".to_owned(),
        required: vec![profile()],
        profile: profile(),
        evidence,
        devices: None,
        endorsements,
        expected: Binding::new(expected),
        floor: OwnerFloor::NoFederation,
        init_data: init_data(),
    }
}

async fn refused(guest: &Guest, code: Code) {
    let judgement = judge(guest, BINDING).await;
    assert_eq!(judgement.outcome().unwrap_err().code, code);
}

#[tokio::test]
async fn what_comes_with_the_evidence_is_all_that_a_verifier_needs() {
    for product in ["Milan", "Genoa", "Turin"] {
        let guest = Guest { product, more: "guest_svn = 3".to_owned(), ..guest(1) };
        let judgement = judge(&guest, BINDING).await;
        let claims = judgement.verified().unwrap().authentic().value();
        assert_eq!(claims.text("product").unwrap(), product);
        assert_eq!(claims.integer("guest_svn").unwrap(), 3);
        let kinds: Vec<_> = judgement.endorsements.iter().map(|used| used.kind.as_str()).collect();
        assert_eq!(kinds, ["snp.vcek", "snp.ask", "snp.ark", "snp.crl"], "{product}");
        if product == "Genoa" {
            assert_eq!(judgement.kind(), Kind::Accepted, "{:?}", judgement.outcome());
        } else {
            assert_eq!(judgement.outcome().unwrap_err().code, codes::SNP_PRODUCT_NOT_ALLOWED);
        }
    }
}

#[tokio::test]
async fn evidence_answers_one_binding() {
    let mut other = BINDING;
    other[63] ^= 1;
    let judgement = judge(&guest(1), other).await;
    assert_eq!(judgement.outcome().unwrap_err().code, codes::BIND_REPORT_DATA_MISMATCH);
}

#[tokio::test]
async fn chips_and_guests_are_told_apart() {
    let mut neighbour = guest(1);
    neighbour.report_id = 2;
    let mut ids = Vec::new();
    for guest in [guest(1), neighbour, guest(2)] {
        let judgement = judge(&guest, BINDING).await;
        let ids_of = judgement.admission().unwrap().clone();
        ids.push((ids_of.chip.unwrap(), ids_of.guest.unwrap()));
    }
    assert_eq!(ids[0].0.len(), 64);
    assert!(ids[0].0 == ids[1].0 && ids[0].1 != ids[1].1, "two guests on one chip");
    assert!(ids[0].0 != ids[2].0 && ids[0].1 != ids[2].1, "two chips");
}

#[tokio::test]
async fn what_a_policy_forbids_is_found() {
    let image = Guest { measurement: [1; 48], ..guest(1) };
    refused(&image, codes::SNP_MEASUREMENT_UNKNOWN).await;
    refused(&Guest { host_data: [0; 32], ..guest(1) }, codes::SNP_HOST_DATA_MISMATCH).await;
    for (more, code) in [
        ("tcb = { snp = 22 }", codes::SNP_TCB_BELOW_MINIMUM),
        ("vmpl = 1", codes::SNP_VMPL_MISMATCH),
        ("policy = 0xb0000", codes::SNP_POLICY_DEBUG),
        ("platform_info = 5", codes::SNP_PLATFORM_ALIAS_CHECK),
    ] {
        refused(&Guest { more: more.to_owned(), ..guest(1) }, code).await;
    }
}

#[tokio::test]
async fn the_state_file_changes_a_running_guest() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state.toml");
    let guest = Guest { state: Some(state.clone()), ..guest(1) };
    let manager = start(&guest, &policy("")).await.unwrap();
    let now = || async {
        let own = manager.collect(&profile(), Binding::new(BINDING)).await?;
        let subject = subject(own.evidence, own.endorsements, BINDING);
        manager.judge(1, &subject).await.unwrap().admission().map(drop)
    };
    for (text, outcome) in [
        ("", Ok(())),
        ("tcb = { microcode = 83 }", Err(codes::SNP_TCB_BELOW_MINIMUM)),
        ("tcb = { microcode = 90 }", Ok(())),
        ("fail = \"snp.collect.throttled\"\ndelay_ms = 1", Err(codes::SNP_COLLECT_THROTTLED)),
        ("microcode = 83", Err(codes::PLUG_CONFIG_INVALID)),
    ] {
        std::fs::write(&state, text).unwrap();
        assert_eq!(now().await.map_err(|finding| finding.code), outcome, "{text}");
    }
    std::fs::write(&state, format!("measurement = \"{}\"", "01".repeat(48))).unwrap();
    assert_eq!(now().await.unwrap_err().code, codes::SNP_MEASUREMENT_UNKNOWN);
    std::fs::remove_file(&state).unwrap();
    assert_eq!(now().await, Ok(()), "no file, no change");
}

#[tokio::test]
async fn a_guest_with_another_name_in_its_launch_data_does_not_start() {
    start(&guest(1), &policy("")).await.unwrap();
    let other = Guest { host_data: [9; 32], ..guest(1) };
    let error = start(&other, &policy("")).await.unwrap_err();
    assert_eq!(error.finding().code, codes::SNP_HOST_DATA_MISMATCH);
}

#[tokio::test]
async fn n_env_07_profile_of_snp_with_a_tdx_quote() {
    // The start of a quote (version 4, attestation key type 2, TEE type 0x81), as long as real ones are.
    let mut quote = vec![0; 5006];
    quote[..8].copy_from_slice(&[4, 0, 2, 0, 0x81, 0, 0, 0]);
    let verifier = Verifier::new(setup(&guest(1), &policy(""))).unwrap();
    let at = Instant::Present(Wall.now().unwrap());
    let judgement = verifier.judge(&subject(quote, Vec::new(), BINDING), at).await;
    assert_eq!(judgement.outcome().unwrap_err().code, codes::SNP_FORMAT_LENGTH);
}

#[tokio::test]
async fn n_fl_39_development_in_a_federation_for_production() {
    let production = |setup: VerifierSetup| VerifierSetup { federation: Federation::Production, ..setup };
    // Emulated hardware, whatever the policy.
    let hardened = policy("").replace("development", "production");
    for text in [policy(""), hardened.clone()] {
        let refused = Verifier::new(production(setup(&guest(1), &text))).unwrap_err();
        assert_eq!(refused.code, codes::POL_PROFILE_DEVELOPMENT);
    }
    // A policy for development, over real hardware's roots.
    let real = || Host::load(&Config::load(&plugins()).unwrap(), &muster_it::place::worker()).unwrap();
    let of = |text: &str| production(VerifierSetup { host: real(), ..setup(&guest(1), text) });
    assert_eq!(Verifier::new(of(&policy(""))).unwrap_err().code, codes::POL_PROFILE_DEVELOPMENT);
    assert!(Verifier::new(of(&hardened)).is_ok());
}

#[tokio::test]
async fn settings_are_read_strictly() {
    let folder = TempDir::new().unwrap();
    for settings in ["guest = 1", "guest = { chips = 1 }", "guest = { tcb = { fmc = 1 } }"] {
        let plugin = entry(&test_plugin("libemulated_snp.so"), &["snp-raw-1"], settings);
        let file = folder.path().join("plugins.toml");
        std::fs::write(&file, format!("version = 1\n[danger]\nallow_emulated = true\n{plugin}")).unwrap();
        let errors = Host::load(&Config::load_file(&file).unwrap(), &muster_it::place::worker()).unwrap_err();
        assert_eq!(errors.first().code, codes::PLUG_CONFIG_INVALID, "{settings}: {errors}");
    }
}
