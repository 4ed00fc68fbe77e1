//! The file on disk, from records of the manager, and verified by a host.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Instant, codes};
use cc_manager::attest::{Federation as Kind, PolicyFile, Verifier, VerifierSetup};
use cc_manager::fetch::{Fetcher, Roots, SystemEnvironment};
use cc_manager::{Config, Danger, FetchConfig, Floors, Host, WorkerCommand};
use cc_testkit::federation::{Federation, Machines, Owner, WALL, name, site};
use fed_proto::bundle::SignedBundle;
use fed_proto::crypto::{Digest, Signature};
use fed_proto::descriptor::FederationProfile;
use fed_proto::name::Name;
use fed_proto::round::{Concluded, Evidence, JudgeOrder, Participant, ReportOrder};
use fed_proto::sybil::Identifiers;

use super::super::report::Outcome;
use super::super::{Options, TranscriptError, verify, write};
use super::rig::{differences, policy};
use crate::judge::{owner_policy, subject};
use crate::record::{JudgedPeer, RoundRecord};

/// A host without plugins: it judges nobody, and says so.
fn host() -> Host {
    let danger = Danger { allow_emulated: false };
    let config = Config { plugins: Vec::new(), fetch: FetchConfig::default(), danger };
    Host::load(&config, &WorkerCommand { program: "/nonexistent".into(), arguments: Vec::new() }).unwrap()
}

fn site_policy() -> PolicyFile {
    PolicyFile::parse(&policy("the one of all"), "policy.toml").unwrap()
}

/// Judges with the manager's verifier and writes what comes of it.
struct Manager {
    owner: Owner,
    bundle: SignedBundle,
    verifier: Verifier,
    folder: std::path::PathBuf,
    judged: Vec<(Name, u64, JudgedPeer)>,
}

impl Machines for Manager {
    fn policy(&self, _: &Name) -> Digest {
        Digest(*site_policy().sha256().as_bytes())
    }

    fn report(&mut self, who: &Name, _: &ReportOrder) -> Evidence {
        let evidence = format!("evidence of {who}").into_bytes();
        Evidence { evidence, aux: Vec::new(), devices: Vec::new(), endorsements: vec![b"a hint".to_vec()] }
    }

    fn judge(
        &mut self,
        who: &Name,
        order: &JudgeOrder,
        at: cc_core::UnixTime,
    ) -> Result<Identifiers, cc_core::Finding> {
        let floor = Arc::new(owner_policy(&order.bundle, order.role)?);
        let subject = subject(&self.owner.descriptor.federation_id(), floor, order)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let judgement = runtime.block_on(self.verifier.judge(&subject, Instant::Present(at)));
        let result = judgement.admission().map(|_| Identifiers::default());
        self.judged.push((who.clone(), order.epoch, JudgedPeer { subject, judgement: Arc::new(judgement) }));
        result
    }

    fn concluded(&mut self, own: &Participant, concluded: &Concluded, at: cc_core::UnixTime) {
        let me = own.me();
        let of = |(who, epoch, _): &&(Name, u64, JudgedPeer)| *who == me.name && *epoch == concluded.epoch;
        let record = RoundRecord {
            verifier: me.name.to_string(),
            judged: self.judged.iter().filter(of).map(|(_, _, peer)| peer.clone()).collect(),
            concluded: concluded.clone(),
            bundle: self.bundle.clone(),
            descriptor: me.descriptor.clone(),
            site_policy: site_policy(),
            at,
        };
        let folder = self.folder.join(me.name.as_str()).join("transcripts");
        let path = write(&folder, &record, |message| me.key.sign(message)).unwrap();
        let again = write(&folder, &record, |message| me.key.sign(message)).unwrap_err();
        assert!(matches!(again, TranscriptError::Exists { path: there } if there == path));
    }
}

fn run(folder: &Path) -> Federation {
    let edit = |bundle: &mut fed_proto::bundle::Bundle| {
        bundle.roles.values_mut().for_each(|floor| floor.policy = policy("the owner's"));
    };
    let mut federation = Federation::with(2, 2, Owner::new(), edit);
    let fetcher =
        Fetcher::new(&FetchConfig::default(), &Roots::Only(Vec::new()), Arc::new(SystemEnvironment::new()))
            .unwrap();
    let verifier = Verifier::new(VerifierSetup {
        host: host(),
        fetcher,
        floors: Floors::open(None),
        collateral: Vec::new(),
        patience: Duration::ZERO,
        federation: Kind::Development,
        site_policy: site_policy(),
    });
    let mut owner = Owner::new();
    owner.descriptor = federation.owner.descriptor.clone();
    let bundle = federation.bundle.clone();
    let (verifier, folder) = (verifier.unwrap(), folder.to_owned());
    federation.run_on(Manager { owner, bundle, verifier, folder, judged: Vec::new() });
    federation.start_all();
    federation.run(Duration::from_secs(20));
    federation
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_record_becomes_a_private_file_that_a_host_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_owned();
    let descriptor = std::thread::spawn(move || run(&place).owner.descriptor.clone()).join().unwrap();
    for who in [name("server"), site(1)] {
        let folder = folder.path().join(who.as_str()).join("transcripts");
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let files = files(&folder);
        assert_eq!(files.len(), 1, "one round, and nothing else: {files:?}");
        let name = files[0].file_name().unwrap().to_str().unwrap();
        assert_eq!(name, format!("{}-register.jsonl", WALL.as_secs() * 1000), "{who}");
        assert_eq!(std::fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
        let bytes = std::fs::read(&files[0]).unwrap();
        let options = |at| Options { host: host(), descriptor: Some(descriptor.clone()), at };
        let report = verify(&bytes, options(None)).await;
        assert_eq!((report.outcome, differences(&report)), (Outcome::Same, vec![]));
        let codes: Vec<_> = report.judged.iter().map(|judged| judged.recorded.clone().unwrap()).collect();
        assert!(codes.iter().all(|code| *code == codes::PLUG_PROFILE_UNSERVED), "{codes:?}");
        assert_eq!(verify(&bytes, options(Some(WALL))).await.outcome, Outcome::Same);
    }
    // What belongs to a development federation is no production federation's.
    let bytes = std::fs::read(&files(&folder.path().join("server/transcripts"))[0]).unwrap();
    let mut production = descriptor;
    production.profile = FederationProfile::Production;
    let options = Options { host: host(), descriptor: Some(production), at: None };
    assert_eq!(differences(&verify(&bytes, options).await), [("bind.federation.mismatch", "descriptor")]);
}

#[test]
fn what_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let record = |messages: Vec<Vec<u8>>| {
        let owner = Owner::new();
        RoundRecord {
            verifier: "site-001".to_owned(),
            concluded: Concluded {
                epoch: 1,
                purpose: fed_proto::binding::Purpose::Periodic,
                job_id: String::new(),
                root: Digest([0; 32]),
                accepted: Vec::new(),
                refused: Vec::new(),
                messages,
            },
            bundle: owner.sign(&owner.bundle(1)),
            judged: Vec::new(),
            descriptor: owner.descriptor.clone(),
            site_policy: site_policy(),
            at: WALL,
        }
    };
    for messages in [Vec::new(), vec![b"garbage".to_vec()]] {
        let error = write(folder.path(), &record(messages), |_| Signature([0; 64])).unwrap_err();
        assert!(matches!(error, TranscriptError::Incomplete(_)), "{error}");
    }
    assert_eq!(files(folder.path()).len(), 0);

    // A file where the folder should be.
    let place = folder.path().to_owned();
    std::fs::write(place.join("taken"), "").unwrap();
    let kept = super::rig::Rig::registered(1, |_| {}).kept();
    let concluded = kept[0].concluded.clone();
    let record = RoundRecord { verifier: kept[0].verifier.to_string(), concluded, ..record(Vec::new()) };
    let error = write(&place.join("taken"), &record, |_| Signature([0; 64])).unwrap_err();
    assert!(matches!(error, TranscriptError::Io { .. }), "{error}");
    // What a crash left behind is in nobody's way, and a link in its place is not followed.
    let left = place.join("folder");
    std::fs::create_dir(&left).unwrap();
    let name = format!("{}-register.jsonl", record.concluded.epoch);
    std::os::unix::fs::symlink(place.join("taken"), left.join(format!(".{name}.new"))).unwrap();
    let path = write(&left, &record, |_| Signature([0; 64])).unwrap();
    assert_eq!(path, left.join(name));
    assert_eq!(files(&left), [path]);
    assert_eq!(std::fs::read(place.join("taken")).unwrap(), b"");
}
