//! Published quotes and collateral, read in place.

use std::path::Path;

use cc_core::tdx::declared_length;
use cc_testkit::published::corpus;
use serde_json::Value;

/// Published quotes by folder and file.
pub(crate) const QUOTES: [(&str, &str); 19] = [
    ("tdx/quote-tappd-premai", "quote.dat"),
    ("tdx/v4-dcapqvl-20a06f-near", "quote.bin"),
    ("tdx/v4-dcapqvl-b0c06f", "quote.bin"),
    ("tdx/v4-dcapqvl-tappd", "quote.bin"),
    ("tdx/v4-dcapqvl-tappd", "quote2.bin"),
    ("tdx/v4-dcaprs-00806f05", "quote.bin"),
    ("tdx/v4-dstack-lite", "quote.bin"),
    ("tdx/v4-dstack-lite", "quote2.bin"),
    ("tdx/v4-gotdx-cos113-ccel", "quote.bin"),
    ("tdx/v4-gotdx-spr-50806f", "quote.bin"),
    ("tdx/v4-oasis-50806f-outofdate", "quote.bin"),
    ("tdx/v4-teekit-misc", "gcp-quote.bin"),
    ("tdx/v4-teekit-misc", "moemahhouk.dat"),
    ("tdx/v4-trustee-debug", "quote.bin"),
    ("tdx/v4-trustee-gnr-00a06d", "quote.bin"),
    ("tdx/v5-dcapqvl-90c06f-outdated", "quote.bin"),
    ("tdx/v5-gotdx-90c06f", "quote.bin"),
    ("tdx/v5-trustee-90c06f", "quote.bin"),
    ("tdx-azure-vtpm/trustee-v0-v1", "td-quote.bin"),
];

/// A quote without what kernels hand out behind it.
pub(crate) fn quote(folder: &str, file: &str) -> Vec<u8> {
    let mut bytes = std::fs::read(corpus().join(folder).join(file)).unwrap();
    let end = declared_length(&bytes).unwrap();

    bytes.truncate(end);
    bytes
}

/// The blobs of published collateral.
pub(crate) fn collateral(name: &str) -> Vec<Vec<u8>> {
    let (_, files) = cc_testkit::published::tdx::COLLATERAL.iter().find(|(other, _)| *other == name).unwrap();
    blobs(files)
}

/// The blobs of files. A bundle in the form of dcap-qvl is taken apart into what the provisioning service sent.
pub(crate) fn blobs(files: &[&str]) -> Vec<Vec<u8>> {
    files.iter().flat_map(|file| split(&corpus().join(file))).collect()
}

fn split(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    if path.file_name().unwrap() != "collateral.json" {
        return vec![bytes];
    }
    let bundle: Value = serde_json::from_slice(&bytes).unwrap();
    let text = |name: &str| bundle[name].as_str().unwrap();
    // Bodies are put together again around the inner value as it was received.
    let body = |outer: &str, name: &str| {
        let (inner, signature) = (text(name), text(&format!("{name}_signature")));
        format!(r#"{{"{outer}":{inner},"signature":"{signature}"}}"#).into_bytes()
    };
    vec![
        body("tcbInfo", "tcb_info"),
        body("enclaveIdentity", "qe_identity"),
        text("tcb_info_issuer_chain").as_bytes().to_vec(),
        text("qe_identity_issuer_chain").as_bytes().to_vec(),
        hex::decode(text("root_ca_crl")).unwrap(),
        hex::decode(text("pck_crl")).unwrap(),
    ]
}
