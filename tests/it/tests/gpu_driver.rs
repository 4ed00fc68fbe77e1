//! The GPU collector against the driver of this machine, where there is one.

use cc_attester::gpu::{Collector, Options};
use cc_core::codes;

/// Says something past the test harness, which would keep it to itself.
fn say(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stderr().write_all(format!("\n*** {text} ***\n\n").as_bytes());
}

#[test]
fn a_real_driver_answers_with_evidence_or_with_the_state_that_keeps_it_from_that() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let options = Options { lock: folder.path().join("lock"), ..Options::default() };
    let nonce = [0x3C; 32];
    match Collector::new(options).collect(&nonce) {
        Ok(devices) => {
            assert!(!devices.is_empty());
            assert_eq!(cc_core::gpu::common_nonce(&devices), Ok(nonce));
            say(&format!("{} GPUs of this machine gave evidence", devices.len()));
        }
        Err(finding)
            if [codes::GPU_COLLECT_NO_DRIVER, codes::GPU_COLLECT_NO_DEVICE].contains(&finding.code) =>
        {
            say(&format!("SKIPPED against a real driver: {finding}"));
        }
        Err(finding) if finding.code == codes::GPU_CC_DISABLED => {
            assert!(finding.detail.contains("--set-cc-mode=on"), "{finding}");
            say(&format!("a GPU of this machine is not confidential: {finding}"));
        }
        Err(finding) if [codes::GPU_CC_DEVTOOLS, codes::GPU_CC_ENVIRONMENT].contains(&finding.code) => {
            say(&format!("a GPU of this machine is not for production: {finding}"));
        }
        Err(finding) => panic!("{finding}"),
    }
}
