//! SEV-SNP verification: in the library, through the loaded plugin, and by the `sev` crate.

use std::hint::black_box;
use std::path::Path;

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use cc_core::message::{Blob, MESSAGE_VERSION, VerifyRequest, WireOutcome};
use cc_core::{Profile, UnixTime};
use cc_manager::{Config, Host, Isolation, WorkerLimits, endorsements};
use cc_testkit::snp::{LeafKind, NOW, Product, World, ark_der};
use cc_verifier::snp::{Anchors, Verifier};
use muster_it::place::fixture;
use sev::certs::snp::{Certificate, Chain, Verifiable, ca};
use sev::firmware::guest::AttestationReport;
use sev::parser::ByteParser;

use crate::harness::Bench;

pub(crate) const BARE: &str = "p384";

/// All benchmarks, the bare one first.
pub(crate) fn benches(plugins: &Path) -> Vec<Bench> {
    let mut benches = vec![bare()];
    benches.extend([known_vcek(), new_vcek(), full_chain()]);
    benches.extend(abi(plugins));
    benches.extend(sev());
    benches
}

fn bench(name: &'static str, run: impl FnMut() + 'static) -> Bench {
    Bench { name, bare: BARE, run: Box::new(run) }
}

/// The physical limit: one ECDSA P-384 verification over as many bytes as a report signs.
fn bare() -> Bench {
    bench(BARE, bare_report(&World::new(Product::Genoa, LeafKind::Vcek)))
}

/// The verification of a report's signature, and nothing else.
pub(crate) fn bare_report(world: &World) -> impl FnMut() + 'static {
    let report = world.report.bytes().to_vec();
    let mut signature = [0; 96];
    for (half, offset) in [(0, 0x2a0), (48, 0x2a0 + 72)] {
        let mut number = report[offset..offset + 48].to_vec();
        number.reverse();
        signature[half..half + 48].copy_from_slice(&number);
    }
    let point = world.leaf_key.spki();
    let key = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point[point.len() - 97..].to_vec());
    move || key.verify(black_box(&report[..0x2a0]), &signature).unwrap()
}

fn anchors() -> Anchors {
    Anchors::new(ark_der(Product::Milan), ark_der(Product::Genoa), ark_der(Product::Turin))
}

fn request(evidence: &[u8], endorsements: Vec<Vec<u8>>, waivers: &[&str]) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::snp_raw_1(),
        evidence: evidence.to_vec(),
        endorsements: endorsements.into_iter().map(Blob).collect(),
        waivers: waivers.iter().map(|code| (*code).to_owned()).collect(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(NOW as u64),
    }
}

fn accepted(verifier: &Verifier, request: &VerifyRequest) {
    let reply = verifier.verify(black_box(request));
    assert!(matches!(reply.outcome, WireOutcome::Accept { .. }), "{:?}", reply.outcome);
}

/// Report, leaf, intermediate, root and revocation list, all checks; the chain was seen before.
fn known_vcek() -> Bench {
    let world = World::new(Product::Genoa, LeafKind::Vcek);
    let chain = vec![world.leaf.clone(), world.intermediate.clone(), world.ark.clone(), world.crl.clone()];
    let request = request(world.report.bytes(), chain, &[]);
    let verifier = Verifier::new(anchors(), 16);
    bench("snp.verify.known_vcek", move || accepted(&verifier, &request))
}

/// The same with a leaf that was not seen before: two processors take turns under a memory for one.
fn new_vcek() -> Bench {
    let first = World::new(Product::Genoa, LeafKind::Vcek);
    let mut second = World::new(Product::Genoa, LeafKind::Vcek);
    second.edit_leaf(|leaf| leaf.not_after += 1);
    let requests = [&first, &second].map(|world| {
        let chain =
            vec![world.leaf.clone(), first.intermediate.clone(), first.ark.clone(), first.crl.clone()];
        request(world.report.bytes(), chain, &[])
    });
    let verifier = Verifier::new(anchors(), 1);
    let mut turn = 0;
    bench("snp.verify.new_vcek", move || {
        turn = 1 - turn;
        accepted(&verifier, &requests[turn]);
    })
}

/// Nothing is remembered, and the certificates come as PEM.
fn full_chain() -> Bench {
    let world = World::new(Product::Genoa, LeafKind::Vcek);
    let pem: String =
        [&world.leaf, &world.intermediate, &world.ark].map(|der| cc_testkit::snp::cert::pem(der)).concat();
    let (report, crl) = (world.report.bytes().to_vec(), world.crl.clone());
    let verifier = Verifier::new(anchors(), 0);
    bench("snp.verify.full_chain", move || {
        let mut chain = endorsements::split(pem.as_bytes()).unwrap();
        chain.push(crl.clone());
        accepted(&verifier, &request(&report, chain, &[]));
    })
}

/// A real report and AMD's roots, through the shared library as the host calls it, contract checks included. No
/// revocation list was published with the report: it is waived.
fn abi(plugins: &Path) -> [Bench; 2] {
    let config = Config::load(plugins).unwrap();
    let mut confined = config.clone();
    for plugin in &mut confined.plugins {
        plugin.isolation = Isolation::Worker(WorkerLimits::default());
    }
    [("snp.verify.abi", config), ("snp.verify.worker", confined)].map(|(name, config)| through(name, &config))
}

fn through(name: &'static str, config: &Config) -> Bench {
    let host = Host::load(config, &muster_it::place::worker()).unwrap();
    let report = std::fs::read(fixture("snp/milan-v2-sev/report.bin")).unwrap();
    let mut chain =
        endorsements::split(&std::fs::read(fixture("snp/milan-v2-sev/vcek.der")).unwrap()).unwrap();
    let pem = std::fs::read(fixture("snp/milan-v2-sev/cert_chain.pem")).unwrap();
    chain.extend(endorsements::split(&pem).unwrap());
    let request = request(&report, chain, &["snp.crl.missing"]);
    bench(name, move || {
        let plugin = host.plugins().find(|plugin| plugin.identity().name == "cc-snp").unwrap();
        let answer = plugin.verify(black_box(&request)).unwrap();
        assert!(answer.outcome.is_ok());
    })
}

/// The `sev` crate with its pure-Rust back-end, which checks less (no validity, no revocation, no extensions).
fn sev() -> [Bench; 2] {
    let world = World::new(Product::Genoa, LeafKind::Vcek);
    let report = world.report.bytes().to_vec();
    let vcek = Certificate::from_der(&world.leaf).unwrap();
    let cached = bench("sev.rustcrypto.known_vcek", {
        let report = report.clone();
        move || {
            let report = AttestationReport::from_bytes(black_box(&report)).unwrap();
            (&vcek, &report).verify().unwrap();
        }
    });
    let full = bench("sev.rustcrypto.full_chain", move || {
        let ca = ca::Chain {
            ark: Certificate::from_der(&world.ark).unwrap(),
            ask: Certificate::from_der(&world.intermediate).unwrap(),
        };
        let chain = Chain { ca, vek: Certificate::from_der(&world.leaf).unwrap() };
        let report = AttestationReport::from_bytes(black_box(&report)).unwrap();
        (&chain, &report).verify().unwrap();
    });
    [cached, full]
}
