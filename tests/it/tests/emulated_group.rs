//! A container group of Azure through the real host: report, utility VM and CCE policy are judged together, and the group
//! starts only under the name that the policy lists its CCE policy for.

use std::sync::Arc;

use cc_core::{Binding, Profile, codes};
use cc_manager::Sha256;
use cc_manager::attest::{
    Judgement, Manager, OwnerFloor, Setup, StartError, Subject, Verifier, VerifierSetup,
};
use cc_testkit::aci::Chain;
use muster_it::federation::{Guest, Wall};
use muster_it::place::{config, entry, root, test_plugin};
use muster_it::verifier::{self, collected};

const BINDING: [u8; 64] = [0x5a; 64];
const INIT: &[u8] = b"the init bytes of a name";
const PROFILES: [&str; 3] = ["aci-raw-1", "aci-maa-1", "az-cvm-vtpm-1"];

/// SHA-256 of the emulated group's CCE policy.
fn cce_policy() -> Sha256 {
    Sha256::of(&std::fs::read(root().join("tests/plugins/emulated-aci/policy.rego")).unwrap())
}

fn group() -> Guest {
    Guest::new(1, *cce_policy().as_bytes())
}

/// Lists the group's CCE policy for the name with these init bytes.
fn policy(init: &[u8]) -> String {
    format!(
        "version = 1\nprofile = \"development\"\n\n[aci]\ncce_policy_allowlist = {{ \"{}\" = [\"{}\"] }}\n\
         uvm_min_svn = 104\nuvm_issuer = \"{}\"\nrequire_cce_policy = true\n\n\
         [aci.snp]\nproducts = [\"Genoa\"]\ncrl_required = true\n\n\
         [aci.snp.min_tcb.Genoa]\nbootloader = 10\ntee = 0\nsnp = 23\nmicrocode = 84\n",
        Sha256::of(init),
        cce_policy(),
        Chain::new().did()
    )
}

fn setup(group: &Guest, policy: &str) -> VerifierSetup {
    let folder = tempfile::tempdir().unwrap();
    let plugin = entry(&test_plugin("libemulated_aci.so"), &PROFILES, &group.settings());
    verifier::setup(&config(folder.path(), &[plugin]), policy)
}

async fn shown(group: &Guest) -> Subject {
    let verifier = Verifier::new(setup(group, &policy(INIT))).unwrap();
    let (evidence, endorsements) =
        collected(verifier.host(), &Profile::aci_raw_1(), Binding::new(BINDING)).await;
    Subject {
        name: "cloud-1".to_owned(),
        required: vec![Profile::aci_raw_1()],
        profile: Profile::aci_raw_1(),
        evidence,
        devices: None,
        endorsements,
        expected: Binding::new(BINDING),
        floor: OwnerFloor::NoFederation,
        init_data: cc_manager::init_data(INIT),
    }
}

async fn judge(subject: &Subject, policy: &str) -> Judgement {
    verifier::judge(setup(&group(), policy), subject).await
}

async fn start(group: &Guest, policy: &str) -> Result<(), StartError> {
    let setup = Setup {
        verifier: setup(group, policy),
        own_profiles: vec![Profile::aci_raw_1()],
        own_init_data: cc_manager::init_data(INIT),
        clock: Arc::new(Wall),
    };
    Manager::start(setup).await.map(drop)
}

#[tokio::test]
async fn a_group_is_accepted_with_what_identifies_it() {
    let judgement = judge(&shown(&group()).await, &policy(INIT)).await;
    let found = judgement.admission().unwrap();
    assert!(found.chip.is_some() && found.guest.is_some() && found.devices.is_empty());
    let claims = judgement.verified().unwrap().authentic().value();
    assert_eq!(claims.map("uvm").unwrap().integer("guestsvn"), Ok(104));
    let kinds: Vec<_> = judgement.endorsements.iter().map(|used| used.kind.as_str()).collect();
    assert_eq!(kinds, ["snp.vcek", "snp.ask", "snp.ark", "snp.crl", "aci.uvm", "aci.cce_policy"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_group_refuses_it() {
    let code = |judgement: &Judgement| judgement.outcome().map(drop).unwrap_err().code.clone();
    let good = shown(&group()).await;

    let other = Subject { expected: Binding::new([1; 64]), ..good.clone() };
    assert_eq!(code(&judge(&other, &policy(INIT)).await), codes::BIND_REPORT_DATA_MISMATCH);
    // Another CCE policy than the text that comes along, and without a text one that is not listed.
    let mut changed = shown(&Guest { host_data: [7; 32], ..group() }).await;
    assert_eq!(code(&judge(&changed, &policy(INIT)).await), codes::ACI_CCE_POLICY_DIGEST);
    changed.endorsements.truncate(5);
    assert_eq!(code(&judge(&changed, &policy(INIT)).await), codes::ACI_CCE_POLICY_UNKNOWN);
    let mut bare = good.clone();
    bare.endorsements.truncate(4);
    assert_eq!(code(&judge(&bare, &policy(INIT)).await), codes::ACI_UVM_MISSING);
    // The group of another name.
    let renamed = Subject { init_data: cc_manager::init_data(b"another name"), ..good.clone() };
    assert_eq!(code(&judge(&renamed, &policy(INIT)).await), codes::ACI_CCE_POLICY_UNKNOWN);
    let newer = policy(INIT).replace("uvm_min_svn = 104", "uvm_min_svn = 105");
    assert_eq!(code(&judge(&good, &newer).await), codes::ACI_UVM_SVN_BELOW_MINIMUM);
    let tcb = Guest { more: "tcb = { snp = 22 }".to_owned(), ..group() };
    assert_eq!(code(&judge(&shown(&tcb).await, &policy(INIT)).await), codes::SNP_TCB_BELOW_MINIMUM);
}

#[tokio::test]
async fn a_group_starts_only_under_the_name_that_its_policy_is_listed_for() {
    start(&group(), &policy(INIT)).await.unwrap();
    let code = |result: Result<(), StartError>| result.unwrap_err().finding().code.clone();
    assert_eq!(code(start(&group(), &policy(b"another name")).await), codes::ACI_CCE_POLICY_UNKNOWN);
    let plain = policy(INIT).replace(&format!("{{ \"{}\" = ", Sha256::of(INIT)), "").replace("] }", "]");
    assert_eq!(code(start(&group(), &plain).await), codes::ACI_CCE_POLICY_UNKNOWN);
    let none = muster_it::federation::policy("");
    assert_eq!(code(start(&group(), &none).await), codes::ENV_PROFILE_NOT_ALLOWED);
}
