//! Measures the `sev` crate with OpenSSL against a bare aws-lc-rs verification, with the project's harness.
//! Argument: the folder of a fixture with `report.bin`, `vcek.der` and `cert_chain.pem`. Prints JSON lines.

#[path = "../../it/benches/verify/harness.rs"]
mod harness;

use std::hint::black_box;

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use harness::{Bench, measure};
use sev::certs::snp::{Certificate, Chain, Verifiable, ca};
use sev::firmware::guest::AttestationReport;
use sev::parser::ByteParser;

fn main() {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).expect("the folder of a fixture"));
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (report, leaf, pem) = (read("report.bin"), read("vcek.der"), read("cert_chain.pem"));

    let mut signature = [0; 96];
    for (half, offset) in [(0, 0x2a0), (48, 0x2a0 + 72)] {
        let mut number = report[offset..offset + 48].to_vec();
        number.reverse();
        signature[half..half + 48].copy_from_slice(&number);
    }
    let vcek = Certificate::from_der(&leaf).unwrap();
    let spki = vcek.public_key().unwrap().public_key_to_der().unwrap();
    let point = spki[spki.len() - 97..].to_vec();
    let key = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point);
    let signed = report[..0x2a0].to_vec();
    let bare = move || key.verify(black_box(&signed), &signature).unwrap();

    let bytes = report.clone();
    let known = move || {
        let report = AttestationReport::from_bytes(black_box(&bytes)).unwrap();
        (&vcek, &report).verify().unwrap();
    };
    let full = move || {
        let ca = ca::Chain::from_pem_bytes(&pem).unwrap();
        let chain = Chain { ca, vek: Certificate::from_der(&leaf).unwrap() };
        let report = AttestationReport::from_bytes(black_box(&report)).unwrap();
        (&chain, &report).verify().unwrap();
    };
    let bench = |name, run: Box<dyn FnMut()>| Bench { name, bare: "p384", run };
    let mut benches = [
        bench("p384", Box::new(bare)),
        bench("sev.openssl.known_vcek", Box::new(known)),
        bench("sev.openssl.full_chain", Box::new(full)),
    ];
    for result in measure(&mut benches, 21).into_iter().filter(|result| result.name != result.bare) {
        result.print();
    }
}
