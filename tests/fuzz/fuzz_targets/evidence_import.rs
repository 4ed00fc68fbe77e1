//! Any bytes as an evidence file and as a file of endorsements: raw evidence stays as it is but for padding, all parts
//! are within their limits, and splitting loses no byte of what is not PEM.

#![no_main]

use cc_core::Profile;
use cc_core::limits::{MAX_ENDORSEMENT, MAX_EVIDENCE};
use cc_manager::endorsements::{Origin, split};
use cc_manager::import;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    for profile in [Profile::snp_raw_1(), Profile::tdx_quote_1()] {
        let Ok(imported) = import(&profile, file, "evidence") else { continue };
        assert!(imported.evidence.len() <= MAX_EVIDENCE);
        assert!(imported.endorsements.len() <= 1);
        for endorsement in &imported.endorsements {
            assert!((1..=MAX_ENDORSEMENT).contains(&endorsement.bytes.len()));
            assert_eq!(endorsement.origin, Origin::Attester);
        }
        if !file.trim_ascii_start().starts_with(b"{") {
            // Nothing but padding is cut, and that of quotes alone.
            let rest = file.strip_prefix(&imported.evidence[..]).unwrap();
            let padding = profile == Profile::tdx_quote_1() && rest.iter().all(|byte| *byte == 0);
            assert!(rest.is_empty() || padding);
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
