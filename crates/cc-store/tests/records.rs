//! What is kept, kind by kind, and what is refused.

use cc_core::UnixTime;
use cc_store::{
    Bundle, Change, Collateral, Evidence, FloorNumber, Handle, Job, Judgement, Member, Pruned, Stage,
    Statement, StoreError,
};

fn store() -> (tempfile::TempDir, Handle) {
    let folder = tempfile::tempdir().unwrap();
    let store = Handle::open(&folder.path().join("muster.db")).unwrap();
    (folder, store)
}

fn reopened(folder: &tempfile::TempDir, store: Handle) -> Handle {
    drop(store);
    Handle::open(&folder.path().join("muster.db")).unwrap()
}

const fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds)
}

fn bundle(version: u64, digest: u8) -> Bundle {
    Bundle { version, digest: [digest; 32], bytes: vec![digest, 1, 2], at: at(100 + version) }
}

#[test]
fn a_store_belongs_to_one_federation() {
    let (folder, store) = store();
    assert_eq!(store.read(|view| view.federation()), Ok(None));
    for _ in 0..2 {
        assert_eq!(store.write(|change| change.bind_federation(&[1; 32])), Ok(()));
    }
    let store = reopened(&folder, store);
    let other = StoreError::OtherFederation { stored: [1; 32], offered: [2; 32] };
    assert_eq!(store.write(|change| change.bind_federation(&[2; 32])), Err(other));
    assert_eq!(store.read(|view| view.federation()), Ok(Some([1; 32])));
}

#[test]
fn the_owners_bundle_never_goes_back() {
    let (folder, store) = store();
    let put = |store: &Handle, bundle: Bundle| store.write(move |change| change.put_bundle(&bundle));
    assert_eq!(store.read(|view| view.bundle()), Ok(None));
    put(&store, bundle(3, 3)).unwrap();
    let store = reopened(&folder, store);
    assert_eq!(put(&store, bundle(2, 2)), Err(StoreError::BundleRollback { stored: 3, offered: 2 }));
    let other = StoreError::BundleEquivocation { version: 3, stored: [3; 32], offered: [4; 32] };
    assert_eq!(put(&store, bundle(3, 4)), Err(other));
    let again = Bundle { at: at(999), ..bundle(3, 3) };
    assert_eq!(put(&store, again), Ok(()), "the same one changes nothing");
    assert_eq!(store.read(|view| view.bundle()), Ok(Some(bundle(3, 3))));
    put(&store, bundle(7, 7)).unwrap();
    assert_eq!(store.read(|view| view.bundle()), Ok(Some(bundle(7, 7))));
}

#[test]
fn floors_only_rise() {
    let (folder, store) = store();
    let raise = |store: &Handle, name: &'static str, number: FloorNumber| {
        store.write(move |change| change.raise_floor(name, number))
    };
    let mut longest = [0xff; 20];
    longest[0] = 0x7f;
    let longest = FloorNumber(longest);
    assert_eq!(raise(&store, "snp.crl.Milan", 5.into()), Ok(true));
    assert_eq!(raise(&store, "snp.crl.Milan", 5.into()), Ok(false));
    assert_eq!(raise(&store, "clock", 0.into()), Ok(true), "zero is a floor too");
    assert_eq!(raise(&store, "tdx.crl", longest), Ok(true));
    let store = reopened(&folder, store);
    let lower = raise(&store, "snp.crl.Milan", 4.into()).unwrap_err();
    assert_eq!(lower.to_string(), "snp.crl.Milan has number 0x4, its floor is 0x5");
    assert!(matches!(raise(&store, "tdx.crl", u64::MAX.into()), Err(StoreError::FloorLower { .. })));
    let all = vec![
        ("clock".to_owned(), 0.into()),
        ("snp.crl.Milan".to_owned(), 5.into()),
        ("tdx.crl".to_owned(), longest),
    ];
    assert_eq!(store.read(|view| view.floors()), Ok(all));
    assert_eq!(
        store.read(|view| Ok((view.floor("clock")?, view.floor("none")?))),
        Ok((Some(0.into()), None))
    );
}

#[test]
fn epochs_follow_the_clock_and_never_repeat() {
    let (folder, store) = store();
    let next = |store: &Handle, now_ms| store.write(move |change| change.next_epoch(now_ms));
    assert_eq!(store.read(|view| view.last_epoch()), Ok(None));
    let now = 1_780_000_000_000;
    assert_eq!(next(&store, now), Ok(now));
    assert_eq!(next(&store, now), Ok(now + 1), "twice in a millisecond");
    assert_eq!(next(&store, now - 3_600_000), Ok(now + 2), "the clock was set back");
    let store = reopened(&folder, store);
    assert_eq!(next(&store, 0), Ok(now + 3));
    assert_eq!(next(&store, now + 50), Ok(now + 50));
    assert_eq!(store.read(|view| view.last_epoch()), Ok(Some(now + 50)));
}

#[test]
fn the_last_epoch_is_not_given_out_twice() {
    let (_folder, store) = store();
    let most = u64::try_from(i64::MAX).unwrap();
    assert_eq!(store.write(move |change| change.next_epoch(most)), Ok(most));
    for now in [0, most, u64::MAX] {
        let refused = store.write(move |change| change.next_epoch(now));
        assert!(matches!(refused, Err(StoreError::TooLarge { what: "epoch", .. })), "{refused:?}");
    }
}

#[test]
fn epochs_begin_at_any_clock() {
    let (_folder, store) = store();
    assert_eq!(store.write(|change| change.next_epoch(0)), Ok(0));
    assert_eq!(store.write(|change| change.next_epoch(0)), Ok(1));
}

#[test]
fn nonces_are_issued_once_and_pruned() {
    let (_folder, store) = store();
    let issue = |epoch, hash: u8, seconds| {
        store.write(move |change| change.issue_nonce(epoch, &[hash; 32], at(seconds)))
    };
    issue(7, 1, 100).unwrap();
    issue(7, 2, 200).unwrap();
    assert_eq!(issue(8, 1, 300), Err(StoreError::NonceReused { stored: 7, offered: 8 }));
    let nonce = |epoch, hash: u8| store.read(move |view| view.nonce(epoch, &[hash; 32])).unwrap();
    assert_eq!([nonce(7, 1), nonce(8, 1), nonce(7, 3)], [Some(at(100)), None, None]);
    assert_eq!(store.write(|change| change.prune_nonces(at(200))), Ok(1));
    assert_eq!([nonce(7, 1), nonce(7, 2)], [None, Some(at(200))]);
}

fn member(name: &str, instance: u8) -> Member {
    Member {
        name: name.to_owned(),
        role: 2,
        instance_id: [instance; 16],
        key_digest: [instance; 32],
        key: vec![instance; 44],
        registered: at(instance.into()),
        transcript: vec![instance; 309],
    }
}

#[test]
fn the_roster_has_one_instance_of_each_name_and_one_name_of_each_key() {
    let (folder, store) = store();
    let put = |store: &Handle, member: Member| store.write(move |change| change.put_member(&member));
    put(&store, member("site-2", 2)).unwrap();
    put(&store, member("site-1", 1)).unwrap();
    put(&store, member("site-2", 3)).unwrap();
    let taken = StoreError::KeyTaken { name: "site-3".to_owned(), holder: "site-1".to_owned() };
    assert_eq!(put(&store, member("site-3", 1)), Err(taken));
    let store = reopened(&folder, store);
    let roster = store.read(|view| view.roster());
    assert_eq!(roster, Ok(vec![member("site-1", 1), member("site-2", 3)]));
    assert_eq!(store.read(|view| view.member("site-2")), Ok(Some(member("site-2", 3))));
    assert_eq!(store.read(|view| view.retired()), Ok(vec![[2; 32]]));
    put(&store, member("site-2", 3)).unwrap();
    assert_eq!(
        store.read(|view| view.retired()),
        Ok(vec![[2; 32]]),
        "the same instance again replaces nothing"
    );
    assert_eq!(store.write(|change| change.remove_member("site-2")), Ok(true));
    assert_eq!(store.write(|change| change.remove_member("site-2")), Ok(false));
    assert_eq!(store.read(|view| view.member("site-2")), Ok(None));
    put(&store, member("site-3", 3)).unwrap();
}

fn keep(store: &Handle, hash: u8, size: usize, seconds: u64) {
    store.write(move |change| change.put_evidence(&[hash; 32], &vec![hash; size], at(seconds))).unwrap();
}

fn kept(store: &Handle) -> Vec<u8> {
    let there = |view: &dyn cc_store::View| {
        (0..10).map(|hash| Ok((hash, view.evidence(&[hash; 32])?))).collect::<Result<Vec<_>, _>>()
    };
    let all = store.read(there).unwrap();
    all.into_iter().filter(|(_, evidence)| evidence.is_some()).map(|(hash, _)| hash).collect()
}

#[test]
fn evidence_is_kept_once() {
    let (_folder, store) = store();
    keep(&store, 1, 4, 100);
    keep(&store, 1, 4, 300);
    keep(&store, 1, 4, 200);
    let found = store.read(|view| view.evidence(&[1; 32]));
    assert_eq!(found, Ok(Some(Evidence { bytes: vec![1; 4], at: at(300) })));
    let other = store.write(|change| change.put_evidence(&[1; 32], b"else", at(400)));
    assert_eq!(other, Err(StoreError::EvidenceConflict { hash: [1; 32] }));
    assert_eq!(store.read(|view| view.evidence(&[2; 32])), Ok(None));
}

#[test]
fn evidence_is_bounded_by_age_and_size() {
    let (_folder, store) = store();
    for (hash, seconds) in [(1, 100), (2, 200), (3, 300), (4, 400)] {
        keep(&store, hash, 1000, seconds);
    }
    keep(&store, 2, 1000, 350);
    let prune = |before, most| store.write(move |change| change.prune_evidence(at(before), most)).unwrap();
    assert_eq!(prune(0, u64::MAX), Pruned::default());
    assert_eq!(prune(0, 4000), Pruned::default());
    assert_eq!(prune(101, 4000), Pruned { rows: 1, bytes: 1000 });
    assert_eq!(kept(&store), [2, 3, 4]);
    assert_eq!(prune(0, 2999), Pruned { rows: 1, bytes: 1000 });
    assert_eq!(kept(&store), [2, 4], "3 has not been seen for longest");
    assert_eq!(prune(350, 1999), Pruned { rows: 1, bytes: 1000 });
    assert_eq!(kept(&store), [4]);
    assert_eq!(prune(0, 0), Pruned { rows: 1, bytes: 1000 });
    assert_eq!(kept(&store), []);
}

fn statement(epoch: u64, job: Option<&str>, verifier: &str) -> Statement {
    Statement {
        epoch,
        purpose: if job.is_some() { 3 } else { 2 },
        job: job.map(str::to_owned),
        verifier: verifier.to_owned(),
        policy_digest: [9; 32],
        at: at(epoch),
        signed: format!("{verifier} at {epoch}").into_bytes(),
    }
}

fn judgement(subject: &str, code: Option<&str>) -> Judgement {
    Judgement {
        subject: subject.to_owned(),
        code: code.map(str::to_owned),
        detail: "why".to_owned(),
        policy_line: "measurement = [\"aa\"]".to_owned(),
        evidence: Some([1; 32]),
    }
}

/// `verifier>subject:code` of each, in order.
fn told(verdicts: Vec<cc_store::Verdict>) -> Vec<String> {
    let text = |verdict: cc_store::Verdict| {
        let Judgement { subject, code, .. } = verdict.judgement;
        format!("{} {}>{subject}:{}", verdict.epoch, verdict.verifier, code.unwrap_or_default())
    };
    verdicts.into_iter().map(text).collect()
}

#[test]
fn verdicts_are_found_by_round_by_job_and_by_pair() {
    let (folder, store) = store();
    let put = |store: &Handle, statement: Statement, judgements: Vec<Judgement>| {
        store.write(move |change| change.put_verdicts(&statement, &judgements)).unwrap();
    };
    let bad = Some("snp.measurement.mismatch");
    put(
        &store,
        statement(10, Some("j"), "site-1"),
        vec![judgement("site-2", bad), judgement("server", None)],
    );
    put(&store, statement(10, Some("j"), "server"), vec![judgement("site-1", None)]);
    put(&store, statement(11, None, "site-1"), vec![judgement("site-2", None)]);
    put(&store, statement(9, None, "site-1"), vec![judgement("site-3", bad)]);
    let store = reopened(&folder, store);
    let round = store.read(|view| view.verdicts(10)).unwrap();
    let whole = &round[2];
    assert_eq!((whole.purpose, whole.job.as_deref(), whole.policy_digest), (3, Some("j"), [9; 32]));
    assert_eq!((whole.at, &whole.judgement), (at(10), &judgement("site-2", bad)));
    assert_eq!(
        told(round),
        ["10 server>site-1:", "10 site-1>server:", "10 site-1>site-2:snp.measurement.mismatch"]
    );
    assert_eq!(told(store.read(|view| view.job_verdicts("j")).unwrap()).len(), 3);
    assert_eq!(told(store.read(|view| view.job_verdicts("k")).unwrap()).len(), 0);
    assert_eq!(
        told(store.read(|view| view.latest_verdicts()).unwrap()),
        [
            "10 server>site-1:",
            "10 site-1>server:",
            "11 site-1>site-2:",
            "9 site-1>site-3:snp.measurement.mismatch"
        ]
    );
    let signed = vec![statement(10, Some("j"), "server"), statement(10, Some("j"), "site-1")];
    assert_eq!(store.read(|view| view.statements(10)), Ok(signed));
}

#[test]
fn a_later_word_in_a_round_replaces_the_verdict_and_keeps_both_statements() {
    let (_folder, store) = store();
    let put = |judgements: Vec<Judgement>, signed: &'static str| {
        let statement = Statement { signed: signed.into(), ..statement(10, None, "server") };
        store.write(move |change| change.put_verdicts(&statement, &judgements)).unwrap();
    };
    put(vec![judgement("site-1", None), judgement("site-2", Some("snp.crl.missing"))], "first");
    put(vec![judgement("site-2", None)], "second");
    assert_eq!(
        told(store.read(|view| view.verdicts(10)).unwrap()),
        ["10 server>site-1:", "10 server>site-2:"]
    );
    let signed = store.read(|view| view.statements(10)).unwrap();
    assert_eq!(signed.iter().map(|s| s.signed.as_slice()).collect::<Vec<_>>(), [&b"first"[..], b"second"]);
}

#[test]
fn verdicts_of_jobs_outlive_those_of_other_rounds() {
    let (_folder, store) = store();
    for (epoch, job) in [(10, Some("j")), (11, None), (12, None)] {
        let statement = statement(epoch, job, "server");
        let judged = move |change: &dyn Change| change.put_verdicts(&statement, &[judgement("site-1", None)]);
        store.write(judged).unwrap();
    }
    assert_eq!(store.write(|change| change.prune_verdicts(at(12))), Ok(1));
    let left = |epoch| store.read(move |view| Ok(told(view.verdicts(epoch)?).len())).unwrap();
    assert_eq!([10, 11, 12].map(left), [1, 0, 1]);
    assert_eq!(store.read(|view| view.statements(11)), Ok(Vec::new()));
}

fn job(id: &str, sequence: u64) -> Job {
    Job {
        id: id.to_owned(),
        sequence,
        nonce: [7; 16],
        file: b"name = \"j\"".to_vec(),
        stage: Stage::Waiting,
        record: b"SUBMITTED".to_vec(),
    }
}

#[test]
fn jobs_are_kept_in_order_and_only_go_on() {
    let (folder, store) = store();
    for job in [job("b", 1), job("c", 0), job("a", 1)] {
        store.write(move |change| change.add_job(&job)).unwrap();
    }
    let twice = store.write(|change| change.add_job(&job("b", 9)));
    assert_eq!(twice, Err(StoreError::JobExists { job: "b".to_owned() }));
    let update = |store: &Handle, id: &'static str, stage, record: &'static str| {
        store.write(move |change| change.update_job(id, stage, record.as_bytes()))
    };
    update(&store, "b", Stage::Waiting, "SUBMITTED, attempted").unwrap();
    update(&store, "b", Stage::Dispatched, "DISPATCHED").unwrap();
    update(&store, "b", Stage::Dispatched, "RUNNING").unwrap();
    update(&store, "a", Stage::Ended, "FINISHED:ABORTED").unwrap();
    let store = reopened(&folder, store);
    let back = update(&store, "b", Stage::Waiting, "SUBMITTED").unwrap_err();
    assert_eq!(back.to_string(), "job b is dispatched and cannot become waiting");
    for stage in [Stage::Waiting, Stage::Dispatched] {
        let back = StoreError::JobStage { job: "a".to_owned(), stored: Stage::Ended, offered: stage };
        assert_eq!(update(&store, "a", stage, "RUNNING"), Err(back));
    }
    update(&store, "a", Stage::Ended, "FINISHED:ABORTED, site-1 too").unwrap();
    assert_eq!(update(&store, "x", Stage::Ended, ""), Err(StoreError::JobUnknown { job: "x".to_owned() }));
    let ids = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!(store.read(|view| view.jobs()).map(ids).unwrap(), ["c", "a", "b"]);
    assert_eq!(store.read(|view| view.unfinished_jobs()).map(ids).unwrap(), ["c", "b"]);
    let running = Job { stage: Stage::Dispatched, record: b"RUNNING".to_vec(), ..job("b", 1) };
    assert_eq!(store.read(|view| view.job("b")), Ok(Some(running)));
    assert_eq!(store.read(|view| view.job("x")), Ok(None));
}

#[test]
fn collateral_is_replaced_and_pruned() {
    let (folder, store) = store();
    let put = |store: &Handle, key: &'static str, byte: u8, seconds| {
        let collateral = Collateral { bytes: vec![byte; 3], fetched: at(seconds) };
        store.write(move |change| change.put_collateral("snp.crl", key, &collateral)).unwrap();
    };
    put(&store, "Milan", 1, 100);
    put(&store, "Milan", 2, 200);
    put(&store, "Genoa", 3, 150);
    let store = reopened(&folder, store);
    let milan = Collateral { bytes: vec![2; 3], fetched: at(200) };
    assert_eq!(store.read(|view| view.collateral("snp.crl", "Milan")), Ok(Some(milan)));
    assert_eq!(store.read(|view| view.collateral("tdx.crl", "Milan")), Ok(None));
    assert_eq!(store.write(|change| change.prune_collateral(at(200))), Ok(Pruned { rows: 1, bytes: 3 }));
    assert_eq!(store.read(|view| view.collateral("snp.crl", "Genoa")), Ok(None));
}

#[test]
fn numbers_that_do_not_fit_are_refused_not_wrapped() {
    let (_folder, store) = store();
    let large = store.write(|change| change.issue_nonce(u64::MAX, &[1; 32], at(1)));
    assert_eq!(large.unwrap_err().to_string(), "epoch 18446744073709551615 exceeds 9223372036854775807");
    let large = store.write(|change| change.put_bundle(&bundle(u64::MAX - 1000, 1)));
    assert!(matches!(large, Err(StoreError::TooLarge { what: "bundle version", .. })));
}
