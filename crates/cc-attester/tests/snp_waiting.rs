//! How the SNP collector treats the device's time and its callers': one request at a time, paced, and none that is
//! started for a caller who has gone (*verification.md* 1.5, N-SNP-99).

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cc_attester::pace::Gate;
use cc_attester::snp::{Collector, Device, Failure, Options, RawReport, ReportRequest};
use cc_core::{Binding, codes};

use crate::support::{Backing, Rig, TestPace, binding, report};

#[test]
fn requests_keep_their_distance() {
    let rig = Rig::new(Backing::Plain);
    let collector = rig.collector(vec![rig.configfs(), rig.device()]);
    for elapsed in [0, 500, 1999, 2000, 5000] {
        collector.collect(&binding(1)).unwrap();
        *rig.pace.now.lock().unwrap() += Duration::from_millis(elapsed);
    }
    collector.collect(&binding(1)).unwrap();
    assert_eq!(*rig.pace.waits.lock().unwrap(), [2000, 1500, 1].map(Duration::from_millis));
}

/// A device that says when it is asked, and answers when told to.
struct Held {
    asked: Arc<Mutex<Vec<Binding>>>,
    entered: Sender<()>,
    release: Receiver<()>,
}

impl Device for Held {
    fn report(&mut self, request: &ReportRequest, gate: &mut Gate) -> Result<RawReport, Failure> {
        let _pass = gate.pass();
        self.asked.lock().unwrap().push(request.binding.clone());
        self.entered.send(()).unwrap();
        // An error means that the test is over.
        let _ = self.release.recv();
        Ok(RawReport { report: report(*request.binding.report_data().unwrap(), 0), certs: vec![] })
    }
}

struct Stage {
    collector: Collector,
    asked: Arc<Mutex<Vec<Binding>>>,
    entered: Receiver<()>,
    release: Sender<()>,
    _directory: tempfile::TempDir,
}

fn stage(timeout: Duration) -> Stage {
    let (entered_tx, entered) = channel();
    let (release, release_rx) = channel();
    let asked = Arc::default();
    let held = Held { asked: Arc::clone(&asked), entered: entered_tx, release: release_rx };
    let directory = tempfile::tempdir().unwrap();
    let options = Options { timeout, lock: directory.path().join("lock"), ..Options::default() };
    let collector = Collector::with_devices(vec![Box::new(held)], Box::new(TestPace::new()), &options);
    Stage { collector, asked, entered, release, _directory: directory }
}

#[test]
fn nobody_asks_while_an_abandoned_request_is_at_the_device() {
    let stage = stage(Duration::from_millis(1));
    // The caller leaves after a millisecond, the first time perhaps before its request was begun.
    while stage.entered.try_recv().is_err() {
        let error = stage.collector.collect(&binding(1)).unwrap_err();
        assert_eq!(error.code, codes::SNP_COLLECT_THROTTLED);
    }
    for number in 2..40 {
        let error = stage.collector.collect(&binding(number)).unwrap_err();
        assert_eq!(error.code, codes::SNP_COLLECT_THROTTLED);
        assert!(error.detail.contains("nobody waits for"), "not turned away at once: {error}");
    }
    assert_eq!(*stage.asked.lock().unwrap(), [binding(1)], "a second request while the first one is out");

    // The device comes back: its report goes to nobody, and the next caller is served.
    drop(stage.release);
    let collected = loop {
        match stage.collector.collect(&binding(77)) {
            Ok(collected) => break collected,
            Err(error) => assert_eq!(error.code, codes::SNP_COLLECT_THROTTLED),
        }
    };
    assert_eq!(collected.evidence, report(*binding(77).report_data().unwrap(), 0));
    assert!(stage.asked.lock().unwrap()[1..].iter().all(|asked| *asked == binding(77)));
}

/// The second caller is queued behind the first one; both leave, and then the device comes back.
#[test]
fn nothing_is_asked_for_a_caller_who_left_the_queue() {
    let stage = stage(Duration::from_millis(100));
    std::thread::scope(|scope| {
        scope.spawn(|| stage.collector.collect(&binding(1)).unwrap_err());
        // On a slow machine the first caller may leave before its request is begun; there is nothing to see then.
        let Ok(()) = stage.entered.recv_timeout(Duration::from_secs(1)) else { return };
        let error = stage.collector.collect(&binding(2)).unwrap_err();
        assert_eq!(error.code, codes::SNP_COLLECT_THROTTLED);
    });
    drop(stage.release);
    while stage.collector.collect(&binding(3)).is_err() {}
    assert!(!stage.asked.lock().unwrap().contains(&binding(2)));
}

#[test]
fn callers_wait_for_each_other() {
    let stage = stage(Duration::from_secs(90));
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8_u8)
            .map(|number| {
                let collector = &stage.collector;
                scope.spawn(move || (number, collector.collect(&binding(number)).unwrap()))
            })
            .collect();
        for count in 1..=8 {
            stage.entered.recv().unwrap();
            assert_eq!(stage.asked.lock().unwrap().len(), count, "requests at the device at once");
            stage.release.send(()).unwrap();
        }
        for call in calls {
            let (number, collected) = call.join().unwrap();
            assert_eq!(collected.evidence, report(*binding(number).report_data().unwrap(), 0));
        }
    });
}

#[test]
fn the_queue_has_an_end() {
    let stage = stage(Duration::from_secs(90));
    std::thread::scope(|scope| {
        let collector = &stage.collector;
        // 16 fit into the queue and one more when the first has gone to the device; of 40 callers 23 or 24 are
        // turned away while nothing moves.
        let (done_tx, done) = channel();
        for number in 0..40_u8 {
            let done = done_tx.clone();
            scope.spawn(move || done.send(collector.collect(&binding(number))).unwrap());
        }
        stage.entered.recv().unwrap();
        for _ in 0..23 {
            let error = done.recv().unwrap().unwrap_err();
            assert_eq!(error.code, codes::SNP_COLLECT_THROTTLED);
        }
        drop(stage.release);
        let served = (0..17).filter(|_| done.recv().unwrap().is_ok()).count();
        assert!(served >= 16, "{served}");
    });
}
