//! A participant's start from its kit (*workflow.md* 1.3 row 1), with an emulated guest: it refuses wherever anything
//! that it needs is not in order, and runs where all is.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use cc_core::{Finding, UnixTime, codes};
use cc_manager::clock::Clock;
use cc_testkit::federation::{Owner, site};
use fed_node::node::{BootError, Node};
use fed_proto::bundle::{Bundle, NameBinding};
use fed_proto::crypto::sha256;
use fed_proto::enrol::init_data;
use fed_proto::role::Role;
use muster_it::federation::{Guest, policy};
use tempfile::TempDir;

const CONFIG: &str = "version = 1\nname = \"site-001\"\nrole = \"client\"\nserver = \"127.0.0.1:7443\"\n\
                      profile = \"snp-raw-1\"\ndata = \"data\"\n";

/// The clock by which the guest signs, so much ahead; the release date does not matter here.
struct Wall(u64);

impl Clock for Wall {
    fn now(&self) -> Result<UnixTime, Finding> {
        Ok(UnixTime::from_secs(seconds() + self.0))
    }
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// A clock of before this version was built.
struct Early;

impl Clock for Early {
    fn now(&self) -> Result<UnixTime, Finding> {
        Err(Finding::new(codes::CLK_UNTRUSTED, "1970"))
    }
}

/// The kit of `site-001`, whose name is measured.
struct Kit {
    folder: TempDir,
    owner: Owner,
    guest: Guest,
}

impl Kit {
    fn new() -> Self {
        let owner = Owner::new();
        let init = init_data(&owner.descriptor.federation_id(), &site(1), Role::Client);
        let kit = Self { folder: tempfile::tempdir().unwrap(), guest: Guest::new(1, sha256(&init).0), owner };
        kit.write_bundle(1, |_| {});
        kit.write("muster.toml", CONFIG);
        kit.write("policy.toml", &policy(""));
        kit.guest.write_plugins(kit.path());
        kit
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path().join(file), text).unwrap();
    }

    /// The owner's bundle with this version, changed; the emulated federation's is of the years of its own clock.
    fn write_bundle(&self, version: u64, change: impl FnOnce(&mut Bundle)) {
        let mut bundle = self.owner.bundle(version);
        bundle.not_after = UnixTime::from_secs(seconds() + 86_400);
        let floor = bundle.roles.get_mut(&Role::Client).unwrap();
        (floor.policy, floor.name_binding) = (policy(""), NameBinding::Both);
        change(&mut bundle);
        let enrolled = self.owner.enrol(&site(1), Role::Client);
        enrolled.write_kit(&self.owner, &self.owner.sign(&bundle), self.path());
    }

    /// Puts the node onto another guest.
    fn runs_in(&self, change: impl FnOnce(&mut Guest)) {
        let mut guest = self.guest.clone();
        change(&mut guest);
        guest.write_plugins(self.path());
    }

    async fn start(&self) -> Result<Node, BootError> {
        Node::start_by(self.path(), &muster_it::place::worker(), Arc::new(Wall(0))).await
    }

    /// The code of the refusal.
    async fn refused(&self) -> String {
        code(self.start().await)
    }
}

fn code(started: Result<Node, BootError>) -> String {
    match started.unwrap_err() {
        BootError::Attestation(error) => error.finding().code.to_string(),
        BootError::Refused(finding) => finding.code.to_string(),
        error => error.to_string(),
    }
}

#[tokio::test]
async fn a_healthy_participant_starts_and_has_shown_what_it_runs() {
    let kit = Kit::new();
    let node = kit.start().await.unwrap();
    assert_eq!(node.self_tests.len(), 1);
    assert_eq!((&node.participant.me().name, node.participant.me().role), (&site(1), Role::Client));
    assert_eq!(node.participant.me().policy, sha256(policy("").as_bytes()));
    assert_eq!(node.participant.bundle().version, 1);
}

#[tokio::test]
async fn own_evidence_that_fails_keeps_it_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.toml");
    for (text, code) in [
        ("fail = \"snp.collect.no_device\"", "snp.collect.no_device"),
        ("fail = \"snp.collect.throttled\"", "snp.collect.throttled"),
        ("unknown = 1", "plug.config.invalid"),
    ] {
        let kit = Kit::new();
        std::fs::write(&state, text).unwrap();
        kit.runs_in(|guest| guest.state = Some(state.clone()));
        assert_eq!(kit.refused().await, code);
    }
    // Nobody who could show the profile that the configuration names.
    let kit = Kit::new();
    kit.write("muster.toml", &CONFIG.replace("snp-raw-1", "tdx-quote-1"));
    assert_eq!(kit.refused().await, "plug.profile.unserved");
    kit.write("muster.toml", CONFIG);
    kit.write("plugins.toml", "version = 1\n");
    let refused = kit.start().await.map(drop);
    assert!(refused.is_err(), "no plugins at all");
}

#[tokio::test]
async fn launch_data_of_another_name_role_or_federation_keep_it_from_starting() {
    let kit = Kit::new();
    let federation = kit.owner.descriptor.federation_id();
    for init in [
        init_data(&federation, &site(2), Role::Client),
        init_data(&federation, &site(1), Role::Server),
        init_data(&sha256(b"another federation"), &site(1), Role::Client),
    ] {
        kit.runs_in(|guest| guest.host_data = sha256(&init).0);
        assert_eq!(kit.refused().await, "snp.host_data.mismatch");
    }
    kit.runs_in(|guest| guest.host_data = [0; 32]);
    assert_eq!(kit.refused().await, "snp.host_data.mismatch");
    // Where names need not be measured, none is compared.
    kit.write_bundle(2, |bundle| {
        bundle.roles.get_mut(&Role::Client).unwrap().name_binding = NameBinding::Enrolment;
    });
    kit.start().await.unwrap();
}

#[tokio::test]
async fn policies_that_do_not_load_keep_it_from_starting() {
    let kit = Kit::new();
    for text in ["", "version = 2\n", "version = 1\nunknown = 1\n", &policy("unknown = 1")] {
        kit.write("policy.toml", text);
        let error = kit.start().await.unwrap_err();
        assert!(matches!(error, BootError::Policy { .. }), "{text}: {error}");
    }
    std::fs::remove_file(kit.path().join("policy.toml")).unwrap();
    assert!(matches!(kit.start().await.unwrap_err(), BootError::Read { .. }));
}

#[tokio::test]
async fn n_fl_40_a_clock_before_the_release_keeps_it_from_starting() {
    let kit = Kit::new();
    let refused = Node::start_by(kit.path(), &muster_it::place::worker(), Arc::new(Early)).await.unwrap_err();
    assert!(matches!(refused, BootError::Refused(finding) if finding.code == codes::CLK_UNTRUSTED));
    assert!(!kit.path().join("data").exists(), "nothing was touched");
}

#[tokio::test]
async fn bundles_that_ended_are_older_or_not_the_owners_keep_it_from_starting() {
    let kit = Kit::new();
    kit.write_bundle(1, |bundle| bundle.not_after = UnixTime::from_secs(seconds() - 1));
    assert_eq!(kit.refused().await, "pol.rollback");
    let other = Owner::new();
    let mut foreign = other.bundle(1);
    foreign.federation_id = sha256(b"another federation");
    std::fs::write(kit.path().join("bundle.cbor"), kit.owner.sign(&foreign).to_bytes()).unwrap();
    assert_eq!(kit.refused().await, "bind.federation.mismatch");
    let mut bytes = kit.owner.sign(&kit.owner.bundle(1)).to_bytes();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(kit.path().join("bundle.cbor"), bytes).unwrap();
    assert_eq!(kit.refused().await, "pol.signature.invalid");
    // What was in force once stays the lowest: the stored one counts, as long as it has not ended.
    kit.write_bundle(5, |bundle| bundle.not_after = UnixTime::from_secs(seconds() + 600));
    drop(kit.start().await.unwrap());
    kit.write_bundle(4, |_| {});
    assert_eq!(kit.start().await.unwrap().participant.bundle().version, 5);
    let later = Node::start_by(kit.path(), &muster_it::place::worker(), Arc::new(Wall(601))).await;
    assert_eq!(code(later), "pol.rollback");
}

#[tokio::test]
async fn a_bundle_that_says_nothing_of_its_role_keeps_it_from_starting() {
    let kit = Kit::new();
    kit.write_bundle(1, |bundle| drop(bundle.roles.remove(&Role::Client)));
    assert_eq!(kit.refused().await, "pol.evidence.missing");
}
