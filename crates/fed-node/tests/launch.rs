//! Jobs as real processes: what they get, how they end, and that nothing of them stays.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use fed_node::launch::{LaunchError, Launcher};
use fed_proto::crypto::{Digest, sha256};
use fed_proto::job::{App, FileRef};
use fed_proto::scheduler::Exit;

use crate::site::{self, Site, app, gone, job, runs, shell};

#[tokio::test]
async fn a_program_gets_its_files_its_grant_and_nothing_of_the_agents() {
    let site = Site::new();
    let (data, code) =
        (site.offer(b"some data"), site.offer(b"#!/bin/sh\nid=$MUSTER_JOB_ID\ncat data; echo $id"));
    let launcher = site.launcher(|setup| {
        setup.allow_code.insert(code);
        setup.environment = vec![("PATH".into(), "/usr/bin:/bin".into()), ("LANG".into(), "C".into())];
    });
    let app = App {
        command: vec!["./run.sh".to_owned()],
        inputs: vec![FileRef { name: "data".to_owned(), sha256: data }],
        code: vec![FileRef { name: "run.sh".to_owned(), sha256: code }],
        ..app("")
    };
    let launched = launcher.launch(&job(1), &app, b"grant").await.unwrap();
    let ended = launched.ended().await;
    assert_eq!((ended.exit, ended.detail.as_str()), (Exit::Completed, "completed"));
    assert_eq!(launched.ended().await, ended, "it can be asked again");
    assert_eq!(launched.stop().await, ended, "what has ended cannot be stopped");
    assert!(site.stdout(1).ends_with(&format!("some data{}\n", job(1))), "{}", site.stdout(1));
    let mode =
        |name: &str| std::fs::metadata(site.folder(1).join(name)).unwrap().permissions().mode() & 0o777;
    let names = [".", "grant.cbor", "stdout", "stderr", "data", "run.sh"];
    assert_eq!(names.map(mode), [0o700, 0o600, 0o600, 0o600, 0o400, 0o500]);
    assert_eq!(std::fs::read(site.folder(1).join("grant.cbor")).unwrap(), b"grant");
    assert!(!site.folder(1).join("process").exists());
}

#[tokio::test]
async fn the_environment_is_exactly_what_is_documented() {
    let site = Site::new();
    let common = [("PATH", "/usr/bin:/bin"), ("HOME", "/home/agent"), ("TZ", "UTC")];
    let launcher = site.launcher(|setup| {
        setup.environment = common.map(|(name, value)| (name.into(), value.into())).to_vec();
    });
    let own = [("TZ", "Europe/Berlin"), ("EPOCHS", "3"), ("EMPTY", "")];
    let app = App {
        command: vec!["env".to_owned()],
        env: own.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..app("")
    };
    let ended = launcher.launch(&job(1), &app, b"").await.unwrap().ended().await;
    assert_eq!(ended.exit, Exit::Completed);
    let found: BTreeMap<String, String> = site
        .stdout(1)
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let (folder, id) = (site.folder(1).display().to_string(), job(1));
    let expected = [
        ("EMPTY", ""),
        ("EPOCHS", "3"),
        ("HOME", "/home/agent"),
        ("MUSTER_GRANT", &format!("{folder}/grant.cbor")),
        ("MUSTER_JOB_DIR", &folder),
        ("MUSTER_JOB_ID", id.as_str()),
        ("MUSTER_SITE", "site-1"),
        ("PATH", "/usr/bin:/bin"),
        ("TZ", "Europe/Berlin"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(found, BTreeMap::from(expected));
}

#[test]
fn the_agents_environment_that_jobs_get_is_four_variables() {
    let names: Vec<_> = fed_node::launch::inherited().into_iter().map(|(name, _)| name).collect();
    let known = ["PATH", "HOME", "LANG", "TZ"];
    assert!(names.iter().all(|name| known.iter().any(|known| name == known)), "{names:?}");
    assert!(names.iter().any(|name| name == "PATH"));
}

#[tokio::test]
async fn exits_are_told_apart() {
    let site = Site::new();
    let launcher = site.launcher(|_| {});
    let cases = [
        ("exit 0", Exit::Completed, "completed"),
        ("exit 3", Exit::Exception, "exit code 3"),
        ("exit 127", Exit::Exception, "exit code 127"),
        ("kill -KILL $$", Exit::Abnormal, "killed by signal 9"),
        ("kill -TERM $$", Exit::Abnormal, "killed by signal 15"),
        ("kill -SEGV $$", Exit::Abnormal, "killed by signal 11"),
        ("read line; test $? = 1", Exit::Completed, "completed"),
        ("test $(umask) = 0077", Exit::Completed, "completed"),
        ("test $(ulimit -c) = 0", Exit::Completed, "completed"),
        ("grep -q '^NoNewPrivs:.1' /proc/self/status", Exit::Completed, "completed"),
        ("! ls -l /proc/self/fd | grep socket", Exit::Completed, "completed"),
    ];
    for (number, (script, exit, detail)) in (0..).zip(cases) {
        let ended = launcher.launch(&job(number), &shell(script), b"").await.unwrap().ended().await;
        assert_eq!((ended.exit, ended.detail.as_str()), (exit, detail), "{script}");
    }
}

/// Each refusal leaves nothing behind, and the job may be tried again.
async fn refused(site: &Site, launcher: &Launcher, app: &App) -> LaunchError {
    let error = launcher.launch(&job(1), app, b"grant").await.expect_err("it must not start");
    assert!(!site.folder(1).exists(), "{error}");
    assert_eq!(error.exit(), Exit::NotStarted);
    error
}

fn with_input(name: &str, sha256: Digest) -> App {
    App { inputs: vec![FileRef { name: name.to_owned(), sha256 }], ..app("exit 0") }
}

#[tokio::test]
async fn code_that_is_not_on_the_allow_list_is_refused() {
    let site = Site::new();
    let [allowed, other] = [b"allowed", b"another"].map(|code| site.offer(code));
    let launcher = site.launcher(|setup| {
        setup.allow_code.insert(allowed);
    });
    let file = |name: &str, sha256| FileRef { name: name.to_owned(), sha256 };
    let app = App { code: vec![file("a.py", allowed), file("b.py", other)], ..app("exit 0") };
    let error = refused(&site, &launcher, &app).await;
    assert_eq!(error, LaunchError::CodeNotAllowed { name: "b.py".to_owned(), digest: other });
    let text =
        format!("BYOC job not allowed: code b.py with SHA-256 {other} is not on the site's allow-list");
    assert_eq!(error.to_string(), text);
    let launcher = site.launcher(|_| {});
    assert!(
        matches!(refused(&site, &launcher, &app).await, LaunchError::CodeNotAllowed { .. }),
        "empty list"
    );
    let launcher = site.launcher(|setup| setup.allow_code.extend([allowed, other]));
    let ended = launcher.launch(&job(1), &app, b"").await.unwrap().ended().await;
    assert_eq!(ended.exit, Exit::Completed);
}

#[tokio::test]
async fn files_must_be_there_and_have_the_content_that_the_job_names() {
    let site = Site::new();
    let launcher = site.launcher(|_| {});
    let missing = sha256(b"missing");
    let error = refused(&site, &launcher, &with_input("a", missing)).await;
    assert_eq!(error, LaunchError::FileMissing { name: "a".to_owned(), digest: missing });
    let expected = site.offer(b"good");
    std::fs::write(site.inputs().join(expected.to_string()), b"evil").unwrap();
    let error = refused(&site, &launcher, &with_input("a", expected)).await;
    let found = sha256(b"evil");
    assert_eq!(error, LaunchError::FileDiffers { name: "a".to_owned(), expected, found });
    let folder = sha256(b"folder");
    std::fs::create_dir(site.inputs().join(folder.to_string())).unwrap();
    let error = refused(&site, &launcher, &with_input("a", folder)).await;
    assert!(matches!(error, LaunchError::File { .. }), "{error}");
}

#[tokio::test]
async fn names_neither_leave_the_folder_nor_hide_what_is_the_agents() {
    let site = Site::new();
    let launcher = site.launcher(|_| {});
    let data = site.offer(b"data");
    for name in ["grant.cbor", "stdout", "stderr", "process"] {
        let error = refused(&site, &launcher, &with_input(name, data)).await;
        assert_eq!(error, LaunchError::NameTaken { name: name.to_owned() });
    }
    for name in ["../a", "/tmp/a", "a/b", "a/", "", ".", ".."] {
        let error = refused(&site, &launcher, &with_input(name, data)).await;
        assert_eq!(error, LaunchError::NotAName { name: name.to_owned() });
    }
    let one = with_input("a", data);
    let twice = App { code: one.inputs.clone(), ..one };
    let launcher = site.launcher(|setup| {
        setup.allow_code.insert(data);
    });
    let error = refused(&site, &launcher, &twice).await;
    assert_eq!(error, LaunchError::NameTaken { name: "a".to_owned() });
}

#[tokio::test]
async fn a_program_that_cannot_run_has_not_started() {
    let site = Site::new();
    let launcher = site.launcher(|_| {});
    let run = |command: &[&str]| App {
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        ..with_input("data", site.offer(b"#!/bin/sh"))
    };
    for program in ["no-such-program", "/no/such/program", "./data"] {
        let error = refused(&site, &launcher, &run(&[program])).await;
        assert!(
            matches!(&error, LaunchError::Program { program: named, detail }
                if named == program && detail.contains("os error")),
            "{error}"
        );
    }
    assert_eq!(refused(&site, &launcher, &run(&[])).await, LaunchError::NoCommand);
    let error = refused(&site, &launcher, &run(&["sh", "a\0b"])).await;
    assert!(matches!(error, LaunchError::Program { .. }), "{error}");
}

#[tokio::test]
async fn a_starter_that_does_not_start_is_no_success() {
    let site = Site::new();
    for starter in [vec!["/bin/true"], vec!["/no/such/file"], vec![], vec!["/bin/echo", "+"]] {
        let launcher =
            site.launcher(|setup| setup.starter = starter.iter().map(std::ffi::OsString::from).collect());
        let error = refused(&site, &launcher, &app("exit 0")).await;
        assert!(matches!(error, LaunchError::Process { .. }), "{starter:?}: {error}");
    }
}

#[tokio::test]
async fn a_job_runs_once_at_a_site() {
    let site = Site::new();
    let launcher = site.launcher(|_| {});
    launcher.launch(&job(1), &app("exit 0"), b"").await.unwrap().ended().await;
    let again = site.launcher(|_| {});
    for launcher in [launcher, again] {
        let error = launcher.launch(&job(1), &app("exit 0"), b"").await.unwrap_err();
        assert_eq!(error, LaunchError::Exists { job: job(1), folder: site.folder(1) });
        assert!(site.folder(1).join("grant.cbor").exists(), "what the first run left stays");
    }
}

#[tokio::test]
async fn stopping_asks_first() {
    let site = Site::new();
    let launcher = site.launcher(|setup| setup.grace = Duration::from_secs(600));
    let ready = site.fifo("ready");
    let script = "trap 'echo saved; exit 7' TERM; echo ready > $READY; while :; do :; done";
    let launched = launcher.launch(&job(1), &ready.known_to(shell(script)), b"").await.unwrap();
    assert_eq!(ready.next(), "ready\n");
    let ended = launched.stop().await;
    assert_eq!((ended.exit, ended.detail.as_str()), (Exit::Stopped, "stopped (exit code 7)"));
    assert!(site.stdout(1).ends_with("saved\n"));
    assert!(gone(launched.process()));
}

#[tokio::test]
async fn whoever_follows_the_program_is_given_the_grace_too() {
    let site = Site::new();
    let launcher = site.launcher(|setup| setup.grace = Duration::from_secs(600));
    let ready = site.fifo("ready");
    // The shell ends at once; what it runs takes a step more.
    let inner = "trap 'echo saved; exit 0' TERM; echo ready > $READY; while :; do :; done";
    let app = ready.known_to(App { env: [("INNER".to_owned(), inner.to_owned())].into(), ..shell("") });
    let app = App { command: shell("sh -c \"$INNER\" & wait").command, ..app };
    let launched = launcher.launch(&job(1), &app, b"").await.unwrap();
    assert_eq!(ready.next(), "ready\n");
    let ended = launched.stop().await;
    assert_eq!((ended.exit, ended.detail.as_str()), (Exit::Stopped, "stopped (killed by signal 15)"));
    assert!(site.stdout(1).ends_with("saved\n"), "{}", site.stdout(1));
}

#[tokio::test]
async fn who_does_not_listen_is_killed_with_all_its_processes() {
    let site = Site::new();
    let launcher = site.launcher(|setup| setup.grace = Duration::from_millis(50));
    let ready = site.fifo("ready");
    let script = "trap '' TERM; sleep 1000 & echo $! > $READY; while :; do sleep 1000; done";
    let launched = launcher.launch(&job(1), &ready.known_to(shell(script)), b"").await.unwrap();
    let [child] = ready.pids();
    assert!(runs(child) && runs(launched.process()));
    let ended = launched.stop().await;
    assert_eq!((ended.exit, ended.detail.as_str()), (Exit::Stopped, "stopped (killed by signal 9)"));
    assert!(gone(child) && gone(launched.process()));
}

#[tokio::test]
async fn what_a_program_leaves_running_ends_with_it() {
    let site = Site::new();
    let launcher = site.launcher(|_| {});
    let ready = site.fifo("ready");
    let script = "sleep 1000 & a=$!; setsid sleep 1000 & echo $a $! > $READY; exit 0";
    let launched = launcher.launch(&job(1), &ready.known_to(shell(script)), b"").await.unwrap();
    let [in_group, out_of_group] = ready.pids();
    assert_eq!(launched.ended().await.exit, Exit::Completed);
    assert!(gone(in_group) && gone(out_of_group));
}

#[tokio::test]
async fn a_job_that_nobody_watches_is_killed() {
    let site = Site::new();
    let launcher = site.launcher(|_| {});
    let ready = site.fifo("ready");
    let script = "trap '' TERM; echo ready > $READY; while :; do sleep 1000; done";
    let launched = launcher.launch(&job(1), &ready.known_to(shell(script)), b"").await.unwrap();
    assert_eq!(ready.next(), "ready\n");
    let process = launched.process();
    drop(launched);
    assert!(site::ends(process));
}

#[tokio::test]
async fn a_launch_that_nobody_waits_for_is_given_up() {
    let site = Site::new();
    let launcher = site.launcher(|_| {});
    let (job, app) = (job(1), app("sleep 20; echo survived"));
    {
        let launch = std::pin::pin!(launcher.launch(&job, &app, b""));
        let now = std::pin::pin!(std::future::ready(()));
        tokio::select! {
            biased;
            _ = launch => panic!("processes are not that fast"),
            () = now => {}
        }
    }
    // The process is noted as long as it runs.
    while !site.folder(1).exists()
        || site.folder(1).join("process").exists()
        || !site.folder(1).join("grant.cbor").exists()
    {
        std::thread::yield_now();
    }
    assert!(!site.stdout(1).contains("survived"));
}
