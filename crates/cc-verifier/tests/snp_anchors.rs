//! The compiled-in roots are AMD's: equal to those of the `sev` crate and of the published evidence.

use sev::certs::snp::builtin::{genoa, milan, turin};

use cc_testkit::published::corpus;

const OURS: [(&str, &[u8]); 3] = [
    ("milan", include_bytes!("../anchors/amd/ark-milan.der")),
    ("genoa", include_bytes!("../anchors/amd/ark-genoa.der")),
    ("turin", include_bytes!("../anchors/amd/ark-turin.der")),
];

#[test]
fn roots_are_those_of_the_sev_crate() {
    let theirs = [milan::ark(), genoa::ark(), turin::ark()].map(|ark| ark.unwrap().to_der().unwrap());
    for ((product, ours), theirs) in OURS.into_iter().zip(theirs) {
        assert!(ours == theirs, "{product}");
    }
}

#[test]
fn roots_are_those_of_the_published_evidence() {
    let corpus = corpus();
    for (product, ours) in OURS {
        let path = corpus.join(format!("trust-anchors/all/amd/{product}-ark.der"));
        assert!(ours == std::fs::read(path).unwrap(), "{product}");
    }
}
