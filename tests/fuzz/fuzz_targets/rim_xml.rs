//! Any bytes as a reference manifest: what verifies says what one of the seeds says. Text that could be one if it were
//! signed is signed: then what is signed and what is read must be the same, whatever else is wrong with it.

#![no_main]

use std::sync::LazyLock;

use cc_testkit::gpu::rim::{Signer, Tag, root_der};
use cc_verifier::gpu::rim::{Golden, Rim, document};
use libfuzzer_sys::fuzz_target;

static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::nvidia);

static GENUINE: LazyLock<[Vec<Golden>; 3]> = LazyLock::new(|| {
    [Tag::driver("550.90.07"), Tag::vbios("96.00.9F.00.01"), Tag::switch_bios("96.10.55.00.01")]
        .map(|tag| Rim::verify(&SIGNER.sign(&tag), root_der()).unwrap().golden().to_vec())
});

fuzz_target!(|bytes: &[u8]| {
    let file = document(bytes).map_or(bytes.into(), |document| document.xml);
    match Rim::verify(&file, root_der()) {
        Ok(rim) => assert!(GENUINE.iter().any(|golden| golden == rim.golden())),
        // Without that namespace there is no signature, so this is read and lacks nothing else.
        Err(error) if error.code.as_str() == "gpu.rim.signature" => {
            let tag = std::str::from_utf8(&file).unwrap();
            // An empty element has no room for a signature.
            if !tag.contains("xmldsig") && tag.contains("</") {
                let signed = Rim::verify(SIGNER.sign_xml(tag).as_bytes(), root_der());
                let code = signed.map_or_else(|error| error.code.to_string(), |_| String::new());
                assert_ne!(code, "gpu.rim.signature");
            }
        }
        Err(_) => {}
    }
});
