//! What an agent leaves that is killed, and the next one finds.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use fed_node::launch::{Launcher, Leftover, LeftoverError};

use crate::site::{Site, ends, gone, job, runs, setup, shell};

/// Names the site's folder, for the agent that is killed.
const SITE: &str = "FED_AGENT_TEST_SITE";

#[test]
fn the_program_dies_with_the_agent_and_all_it_started_at_the_next_start() {
    let site = Site::new();
    let ready = site.fifo("ready");
    let mut agent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "leftovers::is_an_agent_until_it_is_killed", "--nocapture"])
        .env(SITE, site.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(agent.stdout.take().unwrap()).lines();
    let program = lines.find_map(|line| line.unwrap().strip_prefix("program ").map(str::to_owned));
    let program: u32 = program.unwrap().parse().unwrap();
    let [in_group, out_of_group] = ready.pids();
    assert!([program, in_group, out_of_group].into_iter().all(runs));
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(ends(program), "the kernel kills it");
    assert!(runs(in_group) && runs(out_of_group), "nobody has killed these yet");
    let (_, leftovers) = Launcher::start(setup(site.inputs(), site.data())).unwrap();
    assert_eq!(leftovers, [Leftover { job: job(1).to_string(), processes: 2 }]);
    assert!(gone(in_group) && gone(out_of_group));
    let (_, leftovers) = Launcher::start(setup(site.inputs(), site.data())).unwrap();
    assert_eq!(leftovers, []);
}

/// The agent that is killed; as a test of its own it does nothing.
#[tokio::test]
async fn is_an_agent_until_it_is_killed() {
    let Some(folder) = std::env::var_os(SITE).map(PathBuf::from) else { return };
    let (launcher, _) = Launcher::start(setup(folder.join("inputs"), folder.join("data"))).unwrap();
    let script = "sleep 1000 & a=$!; setsid sleep 1000 & echo $a $! > $READY; wait";
    let mut app = shell(script);
    app.env.insert("READY".to_owned(), folder.join("ready").display().to_string());
    let launched = launcher.launch(&job(1), &app, b"grant").await.unwrap();
    println!("program {}", launched.process());
    launched.ended().await;
}

/// A process in a group of its own, which no agent has started.
fn stranger() -> Child {
    Command::new("sleep").arg("1000").process_group(0).spawn().unwrap()
}

fn start_of(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    rest.split_whitespace().nth(19).unwrap().parse().unwrap()
}

/// Notes a process for a job, and lets an agent start.
fn noted(data: &Path, text: &str) -> Result<Vec<Leftover>, LeftoverError> {
    let folder = data.join("jobs/some-job");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("process"), text).unwrap();
    let (_, leftovers) = Launcher::start(setup(data.join("inputs"), data.to_owned()))?;
    assert!(!folder.join("process").exists(), "what is over is forgotten");
    Ok(leftovers)
}

#[test]
fn only_the_very_process_that_was_noted_is_killed() {
    let site = Site::new();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let boot = boot.trim();
    let mut stranger = stranger();
    let (pid, start) = (stranger.id(), start_of(stranger.id()));
    let others = [
        format!("{pid} {} {boot}\n", start - 1),
        format!("{pid} {start} 00000000-0000-0000-0000-000000000000\n"),
        format!("{pid} {start} {boot}"),
        format!("{pid} {start}\n"),
        String::new(),
        "-1 0 x\n".to_owned(),
    ];
    for text in others {
        assert_eq!(noted(&site.data(), &text), Ok(Vec::new()), "{text}");
        assert!(runs(pid), "{text}");
    }
    let killed = noted(&site.data(), &format!("{pid} {start} {boot}\n"));
    assert_eq!(killed, Ok(vec![Leftover { job: "some-job".to_owned(), processes: 1 }]));
    assert!(gone(pid));
    stranger.wait().unwrap();
}

#[test]
fn an_agent_that_cannot_know_does_not_start() {
    let site = Site::new();
    std::fs::create_dir(site.data()).unwrap();
    std::fs::write(site.data().join("jobs"), "not a folder").unwrap();
    let refused = Launcher::start(setup(site.inputs(), site.data())).unwrap_err();
    assert!(
        matches!(&refused, LeftoverError::Unreadable { path, .. } if path.ends_with("jobs")),
        "{refused}"
    );
}
