//! A guest with GPUs through the real host: the processor vouches for its devices, both are judged, and nothing of the one
//! stands in for the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cc_core::{Binding, Code, Instant, Profile, UnixTime, codes, gpu};
use cc_manager::attest::{
    DeviceEvidence, Judgement, Manager, OwnerFloor, Setup, StartError, Subject, Verifier, VerifierSetup,
};
use cc_manager::clock::Clock;
use cc_manager::fetch::{Environment, Fetcher, Roots, Wait};
use cc_manager::{FetchConfig, Sha256};
use muster_it::federation::{Guest, Wall, policy};
use muster_it::place::{entry, test_plugin};
use muster_it::verifier::{self, collected};

const BINDING: [u8; 64] = [0x5a; 64];
const NONCE: [u8; 32] = [0xa5; 32];
const INIT: &[u8] = b"the init bytes of a name";

fn guest() -> Guest {
    Guest::new(1, *Sha256::of(INIT).as_bytes())
}

/// What the emulated devices of two GPUs need, and lines that stand in place of others.
fn section(lines: &str) -> String {
    let referenced = [1_u8, 7, 9, 20, 21, 34, 35];
    let unreferenced: Vec<u8> = (0..64).filter(|place| !referenced.contains(place)).collect();
    let mut section = format!(
        "\n[gpu]\ngpu_count = 2\narchs = [\"HOPPER\"]\nmin_driver = \"550.90.07\"\n\
         min_vbios.HOPPER = \"96.00.9f.00.01\"\nallowed_unreferenced = {unreferenced:?}\n"
    );
    for line in lines.lines() {
        let key = line.split(" = ").next().unwrap();
        section = section.lines().filter(|old| !old.starts_with(key)).map(|old| format!("{old}\n")).collect();
        section += line;
        section.push('\n');
    }
    section
}

/// A host with a processor and GPUs that are as `devices` says.
fn setup(devices: &str, section: &str) -> VerifierSetup {
    let folder = tempfile::tempdir().unwrap();
    let file = guest().write_plugins(folder.path());
    let settings = format!("guest = {{ {devices} }}");
    let more = entry(&test_plugin("libemulated_gpu.so"), &["nv-spdm-1"], &settings);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n{more}")).unwrap();
    verifier::setup(&file, &(policy("") + section))
}

/// What a guest with such devices shows.
async fn shown(devices: &str) -> Subject {
    let verifier = Verifier::new(setup(devices, &section(""))).unwrap();
    let host = verifier.host();
    let (of_devices, mut hints) = collected(host, &Profile::nv_spdm_1(), Binding::Nonce(NONCE)).await;
    let (evidence, more) = collected(host, &Profile::snp_raw_1(), Binding::new(BINDING)).await;
    hints.extend(more);
    Subject {
        name: "site-1".to_owned(),
        required: vec![Profile::snp_raw_1(), Profile::nv_spdm_1()],
        profile: Profile::snp_raw_1(),
        evidence,
        devices: Some(DeviceEvidence {
            profile: Profile::nv_spdm_1(),
            evidence: of_devices,
            expected: Binding::Nonce(NONCE),
        }),
        endorsements: hints,
        expected: Binding::new(BINDING),
        floor: OwnerFloor::NoFederation,
        init_data: cc_manager::init_data(INIT),
    }
}

async fn judge(subject: &Subject, section: &str) -> Judgement {
    verifier::judge(setup("", section), subject).await
}

/// A second passes whenever somebody looks.
#[derive(Default)]
struct Looks(AtomicU64);

impl Environment for Looks {
    fn now(&self) -> UnixTime {
        Wall.now().unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::SeqCst))
    }

    fn pause(&self, _: Duration) -> Wait {
        Box::pin(std::future::ready(()))
    }

    fn limit(&self, _: Duration) -> Wait {
        Box::pin(std::future::pending())
    }

    fn chance(&self) -> u8 {
        0
    }
}

/// What is written down is when the last of its evidence was judged.
#[tokio::test]
async fn the_instant_goes_on_while_devices_are_judged() {
    let with = shown("gpus = 2").await;
    let required = vec![with.profile.clone()];
    let without = Subject { devices: None, required, ..with.clone() };
    let asked = Wall.now().unwrap().as_secs();
    let config = FetchConfig { offline: true, ..FetchConfig::default() };
    let mut passed = Vec::new();
    for subject in [&without, &with] {
        let fetcher = Fetcher::new(&config, &Roots::Only(Vec::new()), Arc::new(Looks::default()));
        let setup = VerifierSetup { fetcher: fetcher.unwrap(), ..setup("", &section("")) };
        let present = Instant::Present(UnixTime::from_secs(asked));
        let judgement = Verifier::new(setup).unwrap().judge(subject, present).await;
        assert!(judgement.admission().is_ok(), "{:?}", judgement.outcome());
        passed.push(judgement.at.time().as_secs() - asked);
    }
    assert!(passed[0] > 0 && passed[1] > passed[0], "{passed:?}");
}

fn code(judgement: &Judgement) -> Code {
    judgement.outcome().map(|_| ()).unwrap_err().code.clone()
}

#[tokio::test]
async fn a_processor_with_two_gpus_is_accepted_and_all_are_told_apart() {
    let subject = shown("gpus = 2").await;
    let judgement = judge(&subject, &section("")).await;
    let found = judgement.admission().unwrap();
    assert_eq!(found.devices.len(), 2);
    assert_ne!(found.devices[0], found.devices[1]);
    assert!(found.chip.is_some() && found.guest.is_some());
    let devices = judgement.devices.as_ref().unwrap();
    assert_eq!(devices.plugin.name, "emulated-gpu");
    assert_eq!(devices.verified().unwrap().authentic().value().integer("gpu_count"), Ok(2));
    assert!(judgement.appraisals.len() == 1 && devices.appraisals.len() == 1);
    // Another machine's devices have other serial numbers.
    let other = judge(&shown("gpus = 2, first = 9").await, &section("")).await;
    assert!(other.admission().unwrap().devices.iter().all(|device| !found.devices.contains(device)));
}

#[tokio::test]
async fn what_is_wrong_with_a_device_refuses_its_guest() {
    for (devices, expected) in [
        ("gpus = 2, modified = 1", codes::GPU_MEASUREMENT_MISMATCH),
        ("gpus = 1", codes::GPU_DEVICES_COUNT),
        ("gpus = 2, mode = 1", codes::GPU_MODE_MISMATCH),
        ("gpus = 2, cc_feature = 0", codes::GPU_CC_DISABLED),
        ("gpus = 2, dev_tools = 1", codes::GPU_CC_DEVTOOLS),
        (
            "gpus = 2, fwid = \"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\"",
            codes::GPU_FWID_MISMATCH,
        ),
    ] {
        let judgement = judge(&shown(devices).await, &section("")).await;
        assert_eq!(code(&judgement), expected, "{devices}: {:?}", judgement.outcome());
        assert!(judgement.verified().is_some(), "the processor's own evidence is in order");
        assert!(judgement.admission().is_err());
    }
    let older = judge(&shown("gpus = 2").await, &section("min_driver = \"550.90.08\"")).await;
    assert_eq!(code(&older), codes::GPU_DRIVER_BELOW_MINIMUM);
    let none = judge(&shown("gpus = 2").await, "").await;
    assert_eq!(code(&none), codes::ENV_PROFILE_NOT_ALLOWED, "a policy that says nothing of devices");
}

#[tokio::test]
async fn n_gpu_22_devices_that_answered_an_earlier_nonce() {
    let mut subject = shown("gpus = 2").await;
    let devices = subject.devices.as_mut().unwrap();
    devices.expected = Binding::Nonce([0xa6; 32]);
    assert_eq!(code(&judge(&subject, &section("")).await), codes::BIND_GPU_NONCE_MISMATCH);
}

/// The expected nonce stands where the device puts its own, and nowhere else.
#[tokio::test]
async fn n_gpu_23_the_nonce_in_the_place_of_the_responders() {
    let mut subject = shown("gpus = 2, responder_nonce = 166").await;
    let devices = subject.devices.as_mut().unwrap();
    devices.expected = Binding::Nonce([0xa6; 32]);
    let list = gpu::decode(&devices.evidence).unwrap();
    let of_responder = |report: &[u8]| {
        let record = u32::from_le_bytes([report[42], report[43], report[44], 0]);
        let at = 45 + usize::try_from(record).unwrap();
        report[at..at + 32] == [0xa6; 32]
    };
    assert!(list.iter().all(|device| of_responder(&device.report)));
    assert_eq!(code(&judge(&subject, &section("")).await), codes::BIND_GPU_NONCE_MISMATCH);
}

#[tokio::test]
async fn devices_of_two_rounds_are_refused_together() {
    let mut subject = shown("gpus = 2").await;
    let host = Verifier::new(setup("gpus = 2", &section(""))).unwrap().host().clone();
    let (earlier, _) = collected(&host, &Profile::nv_spdm_1(), Binding::Nonce([1; 32])).await;
    let devices = subject.devices.as_mut().unwrap();
    let mut list = gpu::decode(&devices.evidence).unwrap();
    list[1] = gpu::decode(&earlier).unwrap().swap_remove(1);
    devices.evidence = gpu::encode(&list);
    assert_eq!(code(&judge(&subject, &section("")).await), codes::BIND_GPU_NONCE_MISMATCH);
}

#[tokio::test]
async fn a_processor_that_is_refused_vouches_for_nothing() {
    let mut subject = shown("gpus = 2").await;
    subject.expected = Binding::new([0x5b; 64]);
    let judgement = judge(&subject, &section("")).await;
    assert_eq!(code(&judgement), codes::BIND_REPORT_DATA_MISMATCH);
    assert!(judgement.devices.is_none(), "it did not come to the devices");
}

#[tokio::test]
async fn a_role_that_requires_devices_is_shown_some() {
    let subject = Subject { devices: None, ..shown("gpus = 2").await };
    assert_eq!(code(&judge(&subject, &section("")).await), codes::POL_EVIDENCE_MISSING);
    let unasked = Subject { required: vec![Profile::snp_raw_1()], ..subject };
    assert!(judge(&unasked, &section("")).await.admission().is_ok());
}

async fn start(devices: &str, own_profiles: Vec<Profile>) -> Result<Manager, StartError> {
    let setup = Setup {
        verifier: setup(devices, &section("")),
        own_profiles,
        own_init_data: cc_manager::init_data(INIT),
        clock: Arc::new(Wall),
    };
    Manager::start(setup).await.map(|(manager, passed)| {
        assert_eq!(passed.len(), 2);
        manager
    })
}

#[tokio::test]
async fn a_participant_tests_its_devices_before_it_starts() {
    let both = || vec![Profile::snp_raw_1(), Profile::nv_spdm_1()];
    start("gpus = 2", both()).await.unwrap();
    let error = start("gpus = 2, fail = \"gpu.cc.disabled\"", both()).await.unwrap_err();
    assert_eq!(error.finding().code, codes::GPU_CC_DISABLED);
    let error = start("gpus = 2, modified = 1", both()).await.unwrap_err();
    assert_eq!(error.finding().code, codes::GPU_MEASUREMENT_MISMATCH);
    let alone = start("gpus = 2", vec![Profile::nv_spdm_1()]).await.unwrap_err();
    assert_eq!(alone.finding().code, codes::POL_EVIDENCE_MISSING);
}
