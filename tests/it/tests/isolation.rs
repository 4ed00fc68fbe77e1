//! Plugins in processes of their own: whatever one does costs its request and nothing else, and it reaches nothing.

use std::io::BufRead as _;
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Binding, Class, Code, Finding, Instant, Profile, UnixTime, Waivers, codes};
use cc_manager::endorsements::{self, Endorsement, Origin};
use cc_manager::fetch::{Fetcher, Roots, SystemEnvironment};
use cc_manager::{
    Config, Expectation, Floors, Host, Isolation, LoadError, Request, Verification, WorkerCommand,
    WorkerLimits,
};
use muster_it::place::{config, entry, fixture, isolated, muster, plugins, test_plugin, worker};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// Long enough for a busy machine to answer, short enough to wait for.
const DEADLINE: &str = "worker.deadline_seconds = 5\nworker.collect_deadline_seconds = 5";

struct World {
    host: Host,
    fetcher: Fetcher,
    floors: Floors,
}

fn world(lines: &str, fault: &str) -> Result<World, LoadError> {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("fault = {fault:?}");
    let entries = [
        isolated(lines, &test_plugin("libmisbehaver.so"), &["misbehaver-1"], &settings),
        isolated("", &test_plugin("libvendor_example.so"), &["acme-note-1"], ""),
    ];
    let mut config = Config::load_file(&config(folder.path(), &entries)).unwrap();
    config.fetch.offline = true;
    let host = Host::load(&config, &worker()).map_err(|errors| errors.first().clone())?;
    let fetcher = Fetcher::new(&config.fetch, &Roots::System, Arc::new(SystemEnvironment::new())).unwrap();
    Ok(World { host, fetcher, floors: Floors::open(None) })
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn verify(world: &World, profile: &str, evidence: &[u8]) -> Verification {
    let request = Request {
        profile: Profile::parse(profile).unwrap(),
        evidence: evidence.to_vec(),
        endorsements: Vec::new(),
        waivers: Waivers::none(),
        at: Instant::Present(UnixTime::from_secs(1_780_272_000)),
        expected: Expectation::NotCompared,
        patience: Duration::ZERO,
    };
    cc_manager::verify(&world.host, &world.fetcher, &world.floors, request).await.unwrap()
}

fn told(world: &World, evidence: &[u8]) -> Result<cc_manager::Judged, Finding> {
    run(verify(world, "misbehaver-1", evidence)).result
}

/// The finding of a request that goes wrong; before and after it the same host answers.
fn costs_one_request(evidence: &[u8], code: &Code) -> Finding {
    let world = world(DEADLINE, "as told").unwrap();
    assert!(told(&world, b"good").is_ok());
    let finding = told(&world, evidence).unwrap_err();
    assert_eq!((&finding.code, finding.code.class()), (code, Class::Indeterminate), "{finding}");
    assert!(told(&world, b"good").is_ok(), "the next request is answered");
    finding
}

#[test]
fn n_fl_37_plugin_never_returns() {
    let finding = costs_one_request(b"hang", &codes::PLUG_TIMEOUT);
    assert_eq!(finding.detail, "no answer within 5 s");
}

#[test]
fn n_fl_44_verifier_killed_by_signal() {
    let finding = costs_one_request(b"abort", &codes::PLUG_CRASHED);
    assert!(finding.detail.contains("SIGABRT"), "{finding}");
    // The handler of the stack's guard page has to restore the default before the signal can end the process.
    let finding = costs_one_request(b"overflow", &codes::PLUG_CRASHED);
    assert!(finding.detail.contains("SIG"), "{finding}");
}

#[test]
fn a_plugin_that_exits_or_takes_all_memory_costs_its_request() {
    costs_one_request(b"exit", &codes::PLUG_CRASHED);
    costs_one_request(b"allocate", &codes::PLUG_CRASHED);
}

#[test]
fn while_one_request_hangs_others_are_answered() {
    let world = world(DEADLINE, "as told").unwrap();
    run(async {
        let note = [[0; 64].as_slice(), b"hi", &[b'h'.wrapping_add(b'i')]].concat();
        let others = async {
            for _ in 0..10 {
                assert!(verify(&world, "acme-note-1", &note).await.result.is_ok());
            }
        };
        let (hung, ()) = tokio::join!(verify(&world, "misbehaver-1", b"hang"), others);
        assert_eq!(hung.result.unwrap_err().code, codes::PLUG_TIMEOUT);
    });
}

/// The processes that `parent` started and that run.
fn children(parent: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>())
        .collect()
}

#[test]
fn a_worker_that_ended_while_it_had_nothing_to_do_costs_nothing() {
    let world = world(DEADLINE, "as told").unwrap();
    assert!(told(&world, b"good").is_ok());
    // Those that this thread started: other tests have workers too.
    let workers = std::fs::read_to_string("/proc/thread-self/children").unwrap();
    assert_eq!(workers.split_whitespace().count(), 2, "one for each plugin");
    for worker in workers.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(worker).unwrap()).unwrap();
        let fd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        let mut ended = [rustix::event::PollFd::new(&fd, rustix::event::PollFlags::IN)];
        rustix::event::poll(&mut ended, None).unwrap();
    }
    assert!(told(&world, b"good").is_ok());
}

#[test]
fn a_worker_that_hangs_ends_with_its_host() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "worker.deadline_seconds = 600";
    let library = test_plugin("libmisbehaver.so");
    let file = config(folder.path(), &[isolated(lines, &library, &["misbehaver-1"], "fault = \"as told\"")]);
    let evidence = folder.path().join("evidence");
    std::fs::write(&evidence, b"hang").unwrap();
    let mut host = std::process::Command::new(muster())
        .args(["evidence", "verify", "--profile", "misbehaver-1", "--offline", "--plugins"])
        .arg(&file)
        .arg("--evidence")
        .arg(&evidence)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(host.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap() == "hanging"));
    let worker = children(host.id()).first().copied().unwrap();
    let worker = rustix::process::Pid::from_raw(i32::try_from(worker).unwrap()).unwrap();
    let fd = rustix::process::pidfd_open(worker, rustix::process::PidfdFlags::empty()).unwrap();
    host.kill().unwrap();
    host.wait().unwrap();
    let mut ended = [rustix::event::PollFd::new(&fd, rustix::event::PollFlags::IN)];
    let within = rustix::event::Timespec { tv_sec: 60, tv_nsec: 0 };
    assert_eq!(rustix::event::poll(&mut ended, Some(&within)), Ok(1), "the worker has ended");
}

fn reached(world: &World, when: &[u8]) -> String {
    let judged = told(world, when).unwrap();
    judged.authentic().value().text("reached").unwrap().to_owned()
}

#[test]
fn a_verifier_reaches_nothing() {
    // The same plugin in this process shows that each attempt would succeed.
    let folder = tempfile::tempdir().unwrap();
    let settings = "fault = \"as told\"";
    let file = config(folder.path(), &[entry(&test_plugin("libmisbehaver.so"), &["misbehaver-1"], settings)]);
    let mut config = Config::load_file(&file).unwrap();
    config.fetch.offline = true;
    let host = Host::load(&config, &worker()).unwrap();
    let fetcher = Fetcher::new(&config.fetch, &Roots::System, Arc::new(SystemEnvironment::new())).unwrap();
    let free = World { host, fetcher, floors: Floors::open(None) };
    let files = "etc libraries itself write";
    assert_eq!(reached(&free, b"reached at loading"), files);
    assert_eq!(
        reached(&free, b"reach"),
        format!("{files} environment network sockets programs host threads")
    );
    let confined = world(DEADLINE, "as told").unwrap();
    assert_eq!(reached(&confined, b"reached at loading"), "libraries", "what the linker needs");
    assert_eq!(reached(&confined, b"reach"), "");
}

fn collect(world: &World) -> Result<Vec<u8>, Finding> {
    let profile = Profile::parse("misbehaver-1").unwrap();
    let collected = cc_manager::collect(&world.host, &profile, Binding::new([7; 64]));
    run(collected).unwrap().result.map(|(evidence, _)| evidence)
}

#[test]
fn a_collector_reaches_devices_and_no_network() {
    let world = world(DEADLINE, "collect what it can reach").unwrap();
    let reached = String::from_utf8(collect(&world).unwrap()).unwrap();
    assert_eq!(reached, "etc libraries itself write sockets threads");
}

#[test]
fn a_collector_that_hangs_or_crashes_costs_its_request() {
    let world = |fault| world(DEADLINE, fault).unwrap();
    let (hanging, crashing) = (world("hang in collect"), world("abort in collect"));
    for _ in 0..2 {
        assert_eq!(collect(&crashing).unwrap_err().code, codes::PLUG_CRASHED);
    }
    assert_eq!(collect(&hanging).unwrap_err().code, codes::PLUG_TIMEOUT);
    assert!(told(&hanging, b"good").is_ok(), "verifying goes on");
}

#[test]
fn what_goes_wrong_at_the_start_has_its_code() {
    let refused = |lines: &str, fault: &str| world(lines, fault).err().unwrap().code;
    assert_eq!(refused("worker.deadline_seconds = 2", "hang in create"), codes::PLUG_TIMEOUT);
    assert_eq!(refused("", "abort in create"), codes::PLUG_CRASHED);
    assert_eq!(refused("", "refuse create"), codes::PLUG_CONFIG_INVALID);
    assert_eq!(refused("", "panic in create"), codes::PLUG_PANICKED);
}

/// Real evidence gives the same answer, claim for claim, whether its plugin is confined or not.
#[test]
fn a_real_plugin_answers_the_same_in_a_worker() {
    let config = Config::load(&plugins()).unwrap();
    let mut confined = config.clone();
    for plugin in &mut confined.plugins {
        assert_eq!(plugin.isolation, Isolation::InProcess);
        plugin.isolation = Isolation::Worker(WorkerLimits::default());
    }
    let answers = [config, confined].map(|mut config| {
        config.fetch.offline = true;
        let host = Host::load(&config, &worker()).unwrap();
        let fetcher =
            Fetcher::new(&config.fetch, &Roots::System, Arc::new(SystemEnvironment::new())).unwrap();
        let world = World { host, fetcher, floors: Floors::open(None) };
        let file = |name: &str| std::fs::read(fixture(&format!("snp/milan-v2-sev/{name}"))).unwrap();
        let certificates =
            ["vcek.der", "cert_chain.pem"].map(|name| endorsements::split(&file(name)).unwrap());
        let endorsements = certificates.into_iter().flatten();
        let request = |evidence: Vec<u8>| Request {
            profile: Profile::snp_raw_1(),
            evidence,
            endorsements: endorsements
                .clone()
                .map(|bytes| Endorsement::new(bytes, "fixture", Origin::Administrator))
                .collect(),
            waivers: Waivers::new([codes::SNP_CRL_MISSING]).unwrap(),
            at: Instant::Replayed(UnixTime::from_secs(1_700_000_000)),
            expected: Expectation::NotCompared,
            patience: Duration::ZERO,
        };
        let judge = |evidence| {
            run(cc_manager::verify(&world.host, &world.fetcher, &world.floors, request(evidence)))
                .unwrap()
                .result
        };
        let mut flipped = file("report.bin");
        flipped[0x90] ^= 1;
        (judge(file("report.bin")), judge(flipped))
    });
    let [(accepted, refused), (confined_accepted, confined_refused)] = answers;
    assert!(accepted.is_ok(), "{accepted:?}");
    assert_eq!(refused.as_ref().unwrap_err().code, codes::SNP_SIGNATURE_INVALID);
    assert_eq!((accepted, refused), (confined_accepted, confined_refused));
}

#[test]
fn the_loader_says_the_same_in_a_worker() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("libtext.so");
    std::fs::write(&text, b"not a library").unwrap();
    let older = test_plugin("libabi_older_minor.so");
    for (library, code) in [(&text, codes::PLUG_LOAD_FAILED), (&older, codes::PLUG_ABI_VERSION)] {
        let file = config(folder.path(), &[isolated("", library, &["frozen-1"], "")]);
        let errors = Host::load(&Config::load_file(&file).unwrap(), &worker()).unwrap_err();
        assert_eq!(errors.first().code, code, "{errors}");
    }
}

/// Which system calls are missing is what a filter on this thread says, which its children inherit.
#[test]
fn what_cannot_be_confined_is_not_loaded() {
    for call in [libc::SYS_landlock_create_ruleset, libc::SYS_landlock_restrict_self] {
        let rules = [(call, Vec::new())].into_iter().collect();
        let missing = SeccompAction::Errno(u32::try_from(libc::ENOSYS).unwrap());
        let architecture = std::env::consts::ARCH.try_into().unwrap();
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, missing, architecture).unwrap();
        let program = BpfProgram::try_from(filter).unwrap();
        let refused = std::thread::spawn(move || {
            seccompiler::apply_filter(&program).unwrap();
            world("", "none").err().unwrap()
        });
        let error = refused.join().unwrap();
        assert_eq!(error.code, codes::PLUG_CONFINEMENT_UNAVAILABLE, "{error}");
    }
}

#[test]
fn without_a_program_for_workers_nothing_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let library = test_plugin("libvendor_example.so");
    let file = config(folder.path(), &[isolated("", &library, &["acme-note-1"], "")]);
    let config = Config::load_file(&file).unwrap();
    for program in ["/nonexistent", "/bin/true"] {
        let command = WorkerCommand { program: program.into(), arguments: Vec::new() };
        let errors = Host::load(&config, &command).unwrap_err();
        assert_eq!(errors.first().code, codes::PLUG_CRASHED, "{errors}");
    }
}
