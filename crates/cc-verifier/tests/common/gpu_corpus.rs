//! Published evidence of GPUs and switches, read in place.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_testkit::published::corpus;

/// NVIDIA's root for manifests, DER.
pub(crate) fn rim_root() -> Vec<u8> {
    let pem = std::fs::read_to_string(corpus().join("trust-anchors/all/nvidia/rim_root.pem")).unwrap();
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>()).unwrap()
}
