//! Verification of what Azure's container groups and machines show, synthetic: tokens, groups, virtual TPMs.

use std::hint::black_box;
use std::path::Path;

use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cc_core::azure::{self, runtime_data};
use cc_core::message::{Blob, MESSAGE_VERSION, VerifyReply, VerifyRequest, WireOutcome};
use cc_core::{Profile, UnixTime};
use cc_manager::{Config, Host};
use cc_testkit::aci::mint::sha256;
use cc_testkit::jwt::rsa_numbers;
use cc_testkit::maa::{self, ISS};
use cc_testkit::nras;
use cc_testkit::snp::{LeafKind, NOW, Product, SignKey, World, ark_der};
use cc_testkit::{aci as groups, vtpm as machines};
use cc_verifier::jwt::{self, Algorithm, Issuer, Jwks};
use cc_verifier::{aci, maa as tokens, snp, tdx, vtpm};

use crate::harness::Bench;
use crate::snp::{BARE as REPORT, bare_report};

const RS256: &str = "rs256.token";
const ES384: &str = "es384.token";
const MACHINE: &str = "p384+rs256.machine";
/// Results of each kind that are remembered.
const ENTRIES: usize = 16;
const BINDING: [u8; 64] = [0x3c; 64];

/// All benchmarks, the bare ones first.
pub(crate) fn benches(plugins: &Path) -> Vec<Bench> {
    let mut benches = vec![bare_rs256(), token(), abi(plugins)];
    benches.extend([bare_es384(), es384()]);
    benches.push(group());
    benches.extend([bare_machine(), machine()]);
    benches
}

/// Signed part and signature of a token in its compact form.
fn parts(token: &str) -> (Vec<u8>, Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    (signed.as_bytes().to_vec(), signature)
}

/// Parsed beforehand, which is about a tenth faster: the limit for those who keep keys.
fn rsa_key(key: &SignKey) -> ParsedPublicKey {
    let [n, e] = rsa_numbers(key);
    let numbers = RsaPublicKeyComponents { n: n.as_slice(), e: e.as_slice() };
    numbers.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).unwrap()
}

fn request(profile: Profile, evidence: Vec<u8>, endorsements: Vec<Vec<u8>>) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile,
        evidence,
        endorsements: endorsements.into_iter().map(Blob).collect(),
        waivers: Vec::new(),
        vouched: vec![0],
        now: UnixTime::from_secs(NOW.unsigned_abs()),
    }
}

fn accepted(reply: &VerifyReply) {
    assert!(matches!(reply.outcome, WireOutcome::Accept { .. }), "{:?}", reply.outcome);
}

fn snp_anchors() -> snp::Anchors {
    snp::Anchors::new(ark_der(Product::Milan), ark_der(Product::Genoa), ark_der(Product::Turin))
}

/// A token of the attestation service about a container group.
fn maa_token() -> (String, Vec<u8>) {
    let mut world = World::new(Product::Milan, LeafKind::Vcek);
    let bound = runtime_data(&BINDING);
    let report_data = [sha256(&bound), [0; 32]].concat();
    world.edit_report(|report| {
        report.set_report_data(report_data.try_into().unwrap());
    });
    (maa::token(ISS, world.report.bytes(), &bound, NOW).sign(maa::key()), bound)
}

/// The token alone, with the keys of its issuer.
fn maa_request() -> VerifyRequest {
    let (token, runtime_data) = maa_token();
    let evidence = azure::Token { token: token.into_bytes(), runtime_data, report: Vec::new() };
    request(Profile::aci_maa_1(), evidence.encode(), vec![maa::jwks()])
}

/// The physical limit: one RSA-2048 verification over what the token signs.
fn bare_rs256() -> Bench {
    let (message, signature) = parts(&maa_token().0);
    let key = rsa_key(maa::key());
    let run = move || key.verify_sig(black_box(&message), &signature).unwrap();
    Bench { name: RS256, bare: RS256, run: Box::new(run) }
}

/// Every rule, every claim; the keys were seen before.
fn token() -> Bench {
    let request = maa_request();
    let verifier = tokens::Verifier::new(vec![ISS.to_owned()], snp_anchors(), ENTRIES).unwrap();
    let run = move || accepted(&verifier.verify(black_box(&request)));
    Bench { name: "maa.verify.token", bare: RS256, run: Box::new(run) }
}

/// The same through the shared library as the host calls it, contract checks included.
fn abi(plugins: &Path) -> Bench {
    let mut config = Config::load(plugins).unwrap();
    let is_ours = |path: &Path| path.ends_with("libcc_aci.so");
    config.plugins.retain(|plugin| is_ours(&plugin.path));
    config.plugins[0].config.insert("maa_issuers", vec![cc_core::ClaimValue::from(ISS)]);
    let host = Host::load(&config, &muster_it::place::worker()).unwrap();
    let request = maa_request();
    let run = move || {
        let plugin = host.plugins().next().unwrap();
        let answer = plugin.verify(black_box(&request)).unwrap();
        assert!(answer.outcome.is_ok());
    };
    Bench { name: "maa.verify.abi", bare: RS256, run: Box::new(run) }
}

/// The overall token of NVIDIA's service about eight devices.
fn eat() -> String {
    nras::Answer::gpus(8, &[0x3c; 32], NOW).sign().overall
}

/// The physical limit of tokens under ES384.
fn bare_es384() -> Bench {
    let (message, signature) = parts(&eat());
    let key = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, nras::key().public().to_vec());
    let run = move || key.verify(black_box(&message), &signature).unwrap();
    Bench { name: ES384, bare: ES384, run: Box::new(run) }
}

/// Rules J1 to J8 of such a token.
fn es384() -> Bench {
    let (token, keys) = (eat(), Jwks::parse(&nras::jwks()).unwrap());
    let run = move || {
        let issuer = Issuer {
            iss: nras::ISS,
            algorithm: Algorithm::Es384,
            jwks_url: "https://nras.attestation.nvidia.com/.well-known/jwks.json",
            max_age: 300,
            audience: None,
        };
        let now = UnixTime::from_secs(NOW.unsigned_abs());
        drop(jwt::verify(black_box(token.as_bytes()), &issuer, Some(&keys), now).unwrap());
    };
    Bench { name: "jwt.verify.es384", bare: ES384, run: Box::new(run) }
}

/// Report, endorsement of the utility VM and CCE policy; chain and endorsement were seen before.
fn group() -> Bench {
    let world = groups::World::new();
    let group = azure::Group { report: world.snp.report.bytes().to_vec(), runtime_data: Vec::new() };
    let uvm = aci::Uvm::new(&world.chain.did(), groups::FEED);
    let anchors = aci::Anchors { snp: snp_anchors(), uvm };
    let request = request(Profile::aci_raw_1(), group.encode(), world.endorsements());
    let verifier = aci::Verifier::new(anchors, ENTRIES);
    let run = move || accepted(&verifier.verify(black_box(&request)));
    Bench { name: "aci.verify.known_group", bare: REPORT, run: Box::new(run) }
}

/// The physical limit of a machine: its processor's report and its TPM's quote.
fn bare_machine() -> Bench {
    let world = World::new(Product::Milan, LeafKind::Vcek);
    let (mut report, machine) = (bare_report(&world), machines::World::snp());
    let key = rsa_key(machine.key);
    let run = move || {
        report();
        key.verify_sig(black_box(&machine.message), &machine.signature).unwrap();
    };
    Bench { name: MACHINE, bare: MACHINE, run: Box::new(run) }
}

/// Report, runtime data, quote and PCRs; the processor's chain was seen before.
fn machine() -> Bench {
    let world = machines::World::snp();
    let request = request(Profile::az_cvm_vtpm_1(), world.evidence(), world.endorsements());
    let intel = tdx::Anchors::new(cc_testkit::tdx::root_der());
    let verifier = vtpm::Verifier::new(snp_anchors(), intel, ENTRIES);
    let run = move || accepted(&verifier.verify(black_box(&request)));
    Bench { name: "vtpm.verify.known_machine", bare: MACHINE, run: Box::new(run) }
}
