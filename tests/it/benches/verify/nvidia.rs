//! NVIDIA's verifier in Python, in a process that verifies once for every line it gets.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use crate::gpu::KNOWN_DEVICE;
use crate::harness::Bench;

/// As it is installed, and without its log.
const MODES: [(&str, &str); 2] =
    [("gpu.nvidia_python.as_shipped", "as-shipped"), ("gpu.nvidia_python.silent", "silent")];

/// The whole verification of the package's own sample without its network calls, compared with ours of a known device.
pub(crate) fn benches(python: &Path) -> Vec<Bench> {
    MODES
        .into_iter()
        .map(|(name, mode)| {
            let mut peer = Peer::start(python, mode);
            Bench { name, bare: KNOWN_DEVICE, run: Box::new(move || peer.verify()) }
        })
        .collect()
}

/// The process. It ends when its input does.
struct Peer {
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    process: Child,
    /// Its working folder, where it writes its log.
    _folder: TempDir,
}

impl Peer {
    fn start(python: &Path, mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let driver = muster_it::place::root().join("tests/bench-nvidia-python/verify.py");
        let mut process = Command::new(python)
            .arg(driver)
            .arg(mode)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (process.stdin.take(), process.stdout.take().unwrap());
        Self { input, output: BufReader::new(output), process, _folder: folder }
    }

    fn verify(&mut self) {
        self.input.as_mut().unwrap().write_all(b"\n").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        assert_eq!(answer, "done\n", "NVIDIA's verifier did not come to its end");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.process.wait();
    }
}
