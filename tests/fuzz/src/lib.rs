//! What the fuzz targets share: genuine evidence, how it is asked about, and how input bytes become several objects.
//!
//! The targets are in `fuzz_targets`, one for each parser of foreign bytes; each asserts more than the absence of a
//! panic where there is more to assert. `seeds` has inputs that reach deep, written by the example `make_seeds`
//! from the project's fixtures; what the fuzzer learns goes to `corpus`, what it finds to `artifacts`.

#![forbid(unsafe_code)]

pub mod aci;
pub mod federation;
pub mod gpu;
pub mod ocsp;
pub mod tdx;
pub mod vtpm;

use std::sync::LazyLock;

use cc_core::message::{Blob, MESSAGE_VERSION, PlanRequest, VerifyRequest};
use cc_core::{Profile, UnixTime};

/// A report of version 2 by a Milan processor (see `tests/fixtures/README.md`).
pub const REPORT: &[u8] = include_bytes!("../../fixtures/snp/milan-v2-sev/report.bin");
/// The VCEK of that processor, DER.
pub const LEAF: &[u8] = include_bytes!("../../fixtures/snp/milan-v2-sev/vcek.der");
/// ASK and ARK of Milan, PEM.
pub const CHAIN_PEM: &[u8] = include_bytes!("../../fixtures/snp/milan-v2-sev/cert_chain.pem");
/// ASK and ARK of Milan, DER.
pub static CHAIN: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| objects(CHAIN_PEM));
/// The VCEK of a Turin processor, DER.
pub const TURIN_LEAF: &[u8] = include_bytes!("../../fixtures/snp/turin-vcek/vcek.der");
/// ASK and ARK of Turin, DER.
pub static TURIN_CHAIN: LazyLock<[Vec<u8>; 2]> =
    LazyLock::new(|| objects(include_bytes!("../../fixtures/snp/turin-vcek/cert_chain.pem")));

/// 2026-06-01T00:00:00Z, when the certificates are valid.
const NOW: u64 = 1_780_272_000;
/// Where the S of the signature stands, and how long its number is; little-endian.
const S: std::ops::Range<usize> = 0x2e8..0x2e8 + 48;
/// The order of the group of P-384, big-endian (SEC 2, 2.5.1).
const ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a,
    0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// [`REPORT`] with n - S for S: the other signature that anyone can make of one (*verification.md* 0.7).
pub static MIRRORED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut report = REPORT.to_vec();
    let mut borrow = 0;
    for (s, n) in report[S].iter_mut().zip(ORDER.iter().rev()) {
        let difference = i16::from(*n) - i16::from(*s) - borrow;
        borrow = i16::from(difference < 0);
        *s = difference.rem_euclid(256) as u8;
    }
    report
});

fn objects(pem: &[u8]) -> [Vec<u8>; 2] {
    cc_manager::endorsements::split(pem).unwrap().try_into().unwrap()
}

/// Asks what is missing for evidence.
pub fn plan_request(evidence: &[u8], endorsements: Vec<Blob>) -> PlanRequest {
    PlanRequest {
        version: MESSAGE_VERSION,
        profile: Profile::snp_raw_1(),
        evidence: evidence.to_vec(),
        endorsements,
    }
}

/// Asks for verification when the certificates are valid, without revocation lists.
pub fn verify_request(evidence: &[u8], endorsements: Vec<Blob>) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::snp_raw_1(),
        evidence: evidence.to_vec(),
        endorsements,
        waivers: vec!["snp.crl.missing".to_owned()],
        vouched: Vec::new(),
        now: UnixTime::from_secs(NOW),
    }
}

/// Reads input as objects: each has its length before it, 16 bits little-endian; the last may be shorter than that.
pub fn blobs(mut input: &[u8]) -> Vec<Blob> {
    let mut blobs = Vec::new();
    while let Some((length, rest)) = input.split_first_chunk() {
        let length = rest.len().min(u16::from_le_bytes(*length).into());
        blobs.push(Blob(rest[..length].to_vec()));
        input = &rest[length..];
    }
    blobs
}

/// The input that [`blobs`] reads as these objects.
pub fn input_of(blobs: &[&[u8]]) -> Vec<u8> {
    let mut input = Vec::new();
    for blob in blobs {
        input.extend(u16::try_from(blob.len()).unwrap().to_le_bytes());
        input.extend(*blob);
    }
    input
}
