//! configfs-tsm that fails half way (*verification.md* 1.5).

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use cc_attester::snp::configfs::Configfs;
use cc_attester::tsm::Tree;
use cc_core::codes;
use rustix::io::Errno;

use crate::support::{Backing, Rig, binding};

/// A tree whose attribute cannot be read once the report was asked for.
struct Fails<T> {
    tree: T,
    attribute: &'static str,
    written: AtomicBool,
}

impl<T: Tree> Tree for Fails<T> {
    fn make(&self, name: &str) -> io::Result<()> {
        self.tree.make(name)
    }

    fn read(&self, name: &str, attribute: &str, limit: usize) -> io::Result<Vec<u8>> {
        if attribute == self.attribute && self.written.load(Ordering::Relaxed) {
            return Err(Errno::IO.into());
        }
        self.tree.read(name, attribute, limit)
    }

    fn write(&self, name: &str, attribute: &str, value: &[u8]) -> io::Result<()> {
        self.written.fetch_or(attribute == "inblob", Ordering::Relaxed);
        self.tree.write(name, attribute, value)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.tree.remove(name)
    }
}

/// Once configfs was asked, the device is not asked as well.
#[test]
fn errors_after_the_request_are_answers() {
    let cases = [
        ("auxblob", codes::SNP_COLLECT_FIRMWARE_ERROR),
        ("outblob", codes::SNP_COLLECT_FIRMWARE_ERROR),
        ("generation", codes::SNP_COLLECT_GENERATION_CONFLICT),
    ];
    for (attribute, code) in cases {
        let rig = Rig::new(Backing::Plain);
        let tree = Fails { tree: rig.tree(), attribute, written: AtomicBool::new(false) };
        let collector = rig.collector(vec![Box::new(Configfs::new(tree)), rig.device()]);
        let got = collector.collect(&binding(1)).map_err(|finding| finding.code);
        assert_eq!(got, Err(code), "{attribute}");
        assert_eq!(rig.guest.lock().unwrap().firmware.asked(), 0, "{attribute}");
    }
}
