//! A confidential machine of Azure with a virtual TPM through the real host: its quote is bound by one digest of the
//! transcript, its processor's report by the other where the policy asks for a new one.

use std::sync::Arc;

use cc_core::{Binding, Code, Profile, codes};
use cc_manager::attest::{
    Judgement, Manager, OwnerFloor, Setup, StartError, Subject, Verifier, VerifierSetup,
};
use cc_policy::InitData;
use muster_it::federation::{Guest, MEASUREMENT, Wall};
use muster_it::place::{config, entry, test_plugin};
use muster_it::verifier::{self, collected};

const PROFILES: [&str; 3] = ["aci-raw-1", "aci-maa-1", "az-cvm-vtpm-1"];
const EXTRA_DATA: [u8; 32] = [0x5a; 32];
const USER_DATA: [u8; 64] = [0x6b; 64];

fn profile() -> Profile {
    Profile::az_cvm_vtpm_1()
}

fn binding() -> Binding {
    Binding::machine(EXTRA_DATA, &USER_DATA)
}

/// A policy for the emulated machine, with more lines of `[azcvm]`.
fn policy(knobs: &str) -> String {
    format!(
        "version = 1\nprofile = \"development\"\n\n[azcvm]\n{knobs}\n\n[azcvm.pcrs]\n11 = [\"{}\"]\n\n\
         [azcvm.snp]\nproducts = [\"Genoa\"]\nmeasurements = [\"{}\"]\ncrl_required = true\n\n\
         [azcvm.snp.min_tcb.Genoa]\nbootloader = 10\ntee = 0\nsnp = 23\nmicrocode = 84\n",
        "0b".repeat(32),
        hex::encode(MEASUREMENT)
    )
}

/// The machine with more settings, and the policy that it judges others by.
fn setup(settings: &str, policy: &str) -> VerifierSetup {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("{}\n{settings}", Guest::new(1, [0; 32]).settings());
    let plugin = entry(&test_plugin("libemulated_aci.so"), &PROFILES, &settings);
    verifier::setup(&config(folder.path(), &[plugin]), policy)
}

/// What the machine shows for a binding.
async fn shown(settings: &str, binding: Binding) -> Subject {
    let verifier = Verifier::new(setup(settings, &policy(""))).unwrap();
    let (evidence, endorsements) = collected(verifier.host(), &profile(), binding.clone()).await;
    Subject {
        name: "machine-1".to_owned(),
        required: vec![profile()],
        profile: profile(),
        evidence,
        devices: None,
        endorsements,
        expected: binding,
        floor: OwnerFloor::NoFederation,
        init_data: InitData::NotCarried,
    }
}

async fn judge(subject: &Subject, policy: &str) -> Judgement {
    verifier::judge(setup("", policy), subject).await
}

async fn refused(subject: &Subject, policy: &str, code: Code) {
    let judgement = judge(subject, policy).await;
    let finding = judgement.outcome().unwrap_err();
    assert_eq!(finding.code, code, "{finding}");
}

#[tokio::test]
async fn a_machine_is_accepted_with_what_identifies_it() {
    let judgement = judge(&shown("", binding()).await, &policy("")).await;
    let identifiers = judgement.outcome().unwrap();
    assert!(identifiers.guest.is_some() && identifiers.chip.is_some() && identifiers.devices.is_empty());
}

#[tokio::test]
async fn the_quote_answers_one_binding() {
    let subject = shown("", binding()).await;
    for expected in
        [Binding::machine([0x5b; 32], &USER_DATA), Binding::Nonce([0x5b; 32]), Binding::new([0x5a; 64])]
    {
        let other = Subject { expected, ..subject.clone() };
        refused(&other, &policy(""), codes::BIND_REPORT_DATA_MISMATCH).await;
    }
}

#[tokio::test]
async fn a_policy_can_ask_for_a_new_report() {
    let demanding = || policy("fresh_hcl = true");
    let fresh = shown("fresh_hcl = true", binding()).await;
    assert!(judge(&fresh, &demanding()).await.outcome().is_ok());
    // Not made anew; made for another verifier; and a binding that does not say what a new one has.
    refused(&shown("", binding()).await, &demanding(), codes::VTPM_USER_DATA_MISMATCH).await;
    let other = Subject { expected: Binding::machine(EXTRA_DATA, &[0x6c; 64]), ..fresh.clone() };
    refused(&other, &demanding(), codes::VTPM_USER_DATA_MISMATCH).await;
    let quote_only = Subject { expected: Binding::Nonce(EXTRA_DATA), ..fresh };
    refused(&quote_only, &demanding(), codes::VTPM_USER_DATA_MISMATCH).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_machine_refuses_it() {
    let subject = shown("", binding()).await;
    let mut other = subject.clone();
    other.evidence[200] ^= 1;
    assert!(judge(&other, &policy("")).await.outcome().is_err());
    refused(&subject, &policy("pcr_selection = [11]"), codes::VTPM_PCR_SELECTION).await;
    let mut without = subject.clone();
    without.endorsements.remove(0);
    refused(&without, &policy(""), codes::SNP_CHAIN_MISSING).await;
}

async fn start(own_init_data: InitData) -> Result<(), StartError> {
    let verifier = setup("fresh_hcl = true", &policy("fresh_hcl = true"));
    let setup = Setup { verifier, own_profiles: vec![profile()], own_init_data, clock: Arc::new(Wall) };
    let (_, tests) = Manager::start(setup).await?;
    let statuses: Vec<_> = tests.iter().map(|test| test.appraisal.status).collect();
    assert_eq!(statuses, [cc_policy::Status::Affirming], "{tests:?}");
    Ok(())
}

#[tokio::test]
async fn a_machine_starts_unless_its_name_should_be_measured() {
    assert_eq!(start(InitData::NotCarried).await, Ok(()));
    // Launch data of Azure's machines are the platform's, and no name.
    let refused = start(cc_manager::init_data(b"a name")).await.unwrap_err();
    assert_eq!(refused.finding().code, codes::ENV_PROFILE_NOT_ALLOWED);
}
