//! Makes the test keys and authority certificates of `keys/` anew, of all technologies or of one:
//! `cargo run -p cc-testkit --example gen-keys [snp|tdx|gpu|rim|ocsp|maa|uvm|vtpm]`.
//!
//! Everything that contains the old certificates (plugins built for tests) must then be built again.
#![allow(clippy::expect_used, reason = "a developer's tool: a panic is its error message")]

use std::path::Path;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use cc_testkit::gpu::{device_chain, rim};
use cc_testkit::snp::{CertSpec, LeafKind, Product, SignKey};
use cc_testkit::tdx::{Ca, ca};

fn main() {
    let only = std::env::args().nth(1);
    if only.as_deref().is_none_or(|technology| technology == "snp") {
        snp();
    }
    if only.as_deref().is_none_or(|technology| technology == "tdx") {
        tdx();
    }
    if only.as_deref().is_none_or(|technology| technology == "gpu") {
        gpu();
    }
    if only.as_deref().is_none_or(|technology| technology == "rim") {
        manifests();
    }
    if only.as_deref().is_none_or(|technology| technology == "ocsp") {
        p384(["ocsp-authority", "ocsp-responder"]);
    }
    if only.as_deref().is_none_or(|technology| technology == "maa") {
        rsa_of(KeySize::Rsa2048, "maa.p8");
        rsa_of(KeySize::Rsa2048, "maa-next.p8");
    }
    if only.as_deref().is_none_or(|technology| technology == "vtpm") {
        rsa_of(KeySize::Rsa2048, "vtpm-ak.p8");
    }
    if only.as_deref().is_none_or(|technology| technology == "uvm") {
        rsa("uvm-root.p8");
        rsa("uvm-authority.p8");
        rsa_of(KeySize::Rsa3072, "uvm-signer.p8");
        ecdsa(&ECDSA_P521_SHA512_ASN1_SIGNING, "uvm-signer-p521.p8");
    }
}

fn snp() {
    for product in Product::ALL {
        let name = product.name().to_lowercase();
        let [ark, ask, asvk] =
            ["ark", "ask", "asvk"].map(|role| SignKey::rsa(&rsa(&format!("{role}-{name}.p8"))));
        write(&format!("ark-{name}.der"), &CertSpec::ark_with_key(product, &ark).sign(&ark));
        for (role, kind, key) in [("ask", LeafKind::Vcek, &ask), ("asvk", LeafKind::Vlek, &asvk)] {
            let spec = CertSpec::intermediate_with_keys(product, kind, key, &ark);
            write(&format!("{role}-{name}.der"), &spec.sign(&ark));
        }
    }
    rsa("stranger-rsa.p8");
    for file in ["vcek.p8", "vlek.p8", "stranger-p384.p8"] {
        ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING, file);
    }
    ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING, "stranger-p256.p8");
}

fn tdx() {
    let p256 = |role: &str| SignKey::p256(&ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING, &format!("tdx-{role}.p8")));
    let root = p256("root");
    write("tdx-root.der", &ca::root_with_key(&root).sign(&root));
    for (ca, role) in [(Ca::Platform, "platform-ca"), (Ca::Processor, "processor-ca")] {
        let spec = ca::pck_ca_with_keys(ca, &p256(role), &root);
        write(&format!("tdx-{role}.der"), &spec.sign(&root));
    }
    let signer = ca::signer_with_keys(&p256("tcb-signing"), &root);
    write("tdx-tcb-signing.der", &signer.sign(&root));
    p256("pck");
    p256("attestation");
}

fn gpu() {
    let [root] = p384(["gpu-root"]);
    write("gpu-root.der", &device_chain::root_with_key(&root).sign(&root));
    p384(["gpu-model", "gpu-provisioner", "gpu-device", "gpu-leaf"]);
}

fn manifests() {
    let [root] = p384(["rim-root"]);
    write("rim-root.der", &rim::root_with_key(&root).sign(&root));
    p384(["rim-authority", "rim-issuer", "rim-signer"]);
}

fn p384<const N: usize>(names: [&str; N]) -> [SignKey; N] {
    names.map(|name| SignKey::p384(&ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING, &format!("{name}.p8"))))
}

fn rsa(file: &str) -> Vec<u8> {
    rsa_of(KeySize::Rsa4096, file)
}

fn rsa_of(size: KeySize, file: &str) -> Vec<u8> {
    let pair = KeyPair::generate(size).expect("RSA key generation");
    let pkcs8 = pair.as_der().expect("RSA key encoding").as_ref().to_vec();
    write(file, &pkcs8);
    pkcs8
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm, file: &str) -> Vec<u8> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).expect("ECDSA key generation");
    write(file, pkcs8.as_ref());
    pkcs8.as_ref().to_vec()
}

fn write(file: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys").join(file);
    std::fs::write(&path, bytes).expect("writing below keys/");
}
