//! Any bytes as an evidence file and as a file of endorsements: raw evidence stays as it is, all parts are within
//! their limits, and splitting loses no byte of what is not PEM.

#![no_main]

use cc_core::Profile;
use cc_core::limits::{MAX_ENDORSEMENT, MAX_EVIDENCE};
use cc_manager::endorsements::{Origin, split};
use cc_manager::import;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    for profile in [Profile::snp_raw_1(), Profile::parse("tdx-quote-1").unwrap()] {
        let Ok(imported) = import(&profile, file, "evidence") else { continue };
        assert!(imported.evidence.len() <= MAX_EVIDENCE);
        assert!(imported.endorsements.len() <= 1);
        for endorsement in &imported.endorsements {
            assert!((1..=MAX_ENDORSEMENT).contains(&endorsement.bytes.len()));
            assert_eq!(endorsement.origin, Origin::Attester);
        }
        if !file.trim_ascii_start().starts_with(b"{") {
            assert_eq!(imported.evidence, file);
            assert!(imported.endorsements.is_empty());
        }
    }
    let is_pem = file.windows(11).any(|part| part == b"-----BEGIN ");
    match split(file) {
        Ok(objects) if is_pem => assert!(!objects.is_empty()),
        Ok(objects) => assert_eq!(objects.concat(), file),
        Err(reason) => assert!(is_pem, "{reason}"),
    }
});
