//! The committed test keys (`keys/*.p8`) and signing with them.
//!
//! The keys are public and worthless as secrets; `keys/README.md` says how they are made.

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, KeyPair, RsaKeyPair};

use super::cert::SigKind;
use super::product::{LeafKind, Product};
use crate::der;

/// A private key with the public key forms that certificates need.
pub struct SignKey {
    pair: Pair,
    public: Vec<u8>,
    spki: Vec<u8>,
}

enum Pair {
    Rsa(RsaKeyPair),
    /// The same key twice: signatures as ASN.1 for certificates, fixed-width for reports.
    Ecdsa {
        asn1: EcdsaKeyPair,
        fixed: EcdsaKeyPair,
    },
}

impl SignKey {
    /// An RSA key from PKCS#8 DER.
    pub fn rsa(pkcs8: &[u8]) -> Self {
        let pair = RsaKeyPair::from_pkcs8(pkcs8).expect("an RSA key in PKCS#8");
        let public = pair.public_key().as_ref().to_vec();
        let algorithm = der::seq(&[der::oid("1.2.840.113549.1.1.1"), der::null()]);
        let spki = der::seq(&[algorithm, der::bit_string(0, &public)]);
        Self { pair: Pair::Rsa(pair), public, spki }
    }

    /// A P-384 key from PKCS#8 DER.
    pub fn p384(pkcs8: &[u8]) -> Self {
        let asn1 = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P384_SHA384_ASN1_SIGNING, pkcs8);
        let fixed = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8);
        Self::ecdsa(asn1.expect("a P-384 key in PKCS#8"), fixed.expect("the same key"), "1.3.132.0.34")
    }

    /// A P-256 key from PKCS#8 DER.
    pub fn p256(pkcs8: &[u8]) -> Self {
        let asn1 = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8);
        let fixed = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8);
        Self::ecdsa(asn1.expect("a P-256 key in PKCS#8"), fixed.expect("the same key"), "1.2.840.10045.3.1.7")
    }

    /// A P-521 key from PKCS#8 DER, for SHA-512.
    pub fn p521(pkcs8: &[u8]) -> Self {
        let asn1 = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P521_SHA512_ASN1_SIGNING, pkcs8);
        let fixed = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P521_SHA512_FIXED_SIGNING, pkcs8);
        Self::ecdsa(asn1.expect("a P-521 key in PKCS#8"), fixed.expect("the same key"), "1.3.132.0.35")
    }

    fn ecdsa(asn1: EcdsaKeyPair, fixed: EcdsaKeyPair, curve: &str) -> Self {
        let public = asn1.public_key().as_ref().to_vec();
        let algorithm = der::seq(&[der::oid("1.2.840.10045.2.1"), der::oid(curve)]);
        let spki = der::seq(&[algorithm, der::bit_string(0, &public)]);
        Self { pair: Pair::Ecdsa { asn1, fixed }, public, spki }
    }

    /// The SubjectPublicKeyInfo, DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The public key: for elliptic curves the uncompressed point.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// The subject key identifier as AMD and Intel compute it: SHA-1 of the public key bits (RFC 5280, 4.2.1.2, method 1).
    pub fn key_id(&self) -> Vec<u8> {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.public).as_ref().to_vec()
    }

    /// The signature over `message`. Panics if this key cannot make signatures of that kind.
    pub fn sign(&self, kind: SigKind, message: &[u8]) -> Vec<u8> {
        let encoding = match kind {
            SigKind::PssSha256 => &signature::RSA_PSS_SHA256,
            SigKind::PssSha384 | SigKind::PssSha384ShortParameters => &signature::RSA_PSS_SHA384,
            SigKind::PssSha512 => &signature::RSA_PSS_SHA512,
            SigKind::Pkcs1Sha512 => &signature::RSA_PKCS1_SHA512,
            SigKind::Pkcs1Sha256 => &signature::RSA_PKCS1_SHA256,
            SigKind::Pkcs1Sha384 => &signature::RSA_PKCS1_SHA384,
            SigKind::Ecdsa => {
                let Pair::Ecdsa { asn1, .. } = &self.pair else { panic!("an RSA key cannot make {kind:?}") };
                return asn1.sign(&SystemRandom::new(), message).expect("signing").as_ref().to_vec();
            }
        };
        let Pair::Rsa(pair) = &self.pair else { panic!("an elliptic curve key cannot make {kind:?}") };
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), message, &mut signature).expect("signing");
        signature
    }

    /// An ECDSA signature over `message` as big-endian `r ‖ s`, each as wide as the curve's order.
    pub fn sign_fixed(&self, message: &[u8]) -> Vec<u8> {
        let Pair::Ecdsa { fixed, .. } = &self.pair else { panic!("an RSA key cannot sign reports") };
        fixed.sign(&SystemRandom::new(), message).expect("signing").as_ref().to_vec()
    }
}

/// A key accessor: reads the committed file at the first use.
macro_rules! key {
    ($loader:path, $file:literal) => {{
        static KEY: std::sync::OnceLock<$crate::snp::SignKey> = std::sync::OnceLock::new();
        KEY.get_or_init(|| $loader(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/keys/", $file))))
    }};
}

pub(crate) use key;

/// The AMD root key of the product line (RSA-4096).
pub fn ark(product: Product) -> &'static SignKey {
    match product {
        Product::Milan => key!(SignKey::rsa, "ark-milan.p8"),
        Product::Genoa => key!(SignKey::rsa, "ark-genoa.p8"),
        Product::Turin => key!(SignKey::rsa, "ark-turin.p8"),
    }
}

/// The key that signs VCEK certificates of the product line (RSA-4096).
pub fn ask(product: Product) -> &'static SignKey {
    match product {
        Product::Milan => key!(SignKey::rsa, "ask-milan.p8"),
        Product::Genoa => key!(SignKey::rsa, "ask-genoa.p8"),
        Product::Turin => key!(SignKey::rsa, "ask-turin.p8"),
    }
}

/// The key that signs VLEK certificates of the product line (RSA-4096).
pub fn asvk(product: Product) -> &'static SignKey {
    match product {
        Product::Milan => key!(SignKey::rsa, "asvk-milan.p8"),
        Product::Genoa => key!(SignKey::rsa, "asvk-genoa.p8"),
        Product::Turin => key!(SignKey::rsa, "asvk-turin.p8"),
    }
}

/// The issuer of leaf certificates of this kind: [`ask`] or [`asvk`].
pub fn intermediate(product: Product, kind: LeafKind) -> &'static SignKey {
    match kind {
        LeafKind::Vcek => ask(product),
        LeafKind::Vlek => asvk(product),
    }
}

/// The key that signs reports: one P-384 key each for VCEK and VLEK, shared by the product lines.
pub fn leaf(kind: LeafKind) -> &'static SignKey {
    match kind {
        LeafKind::Vcek => key!(SignKey::p384, "vcek.p8"),
        LeafKind::Vlek => key!(SignKey::p384, "vlek.p8"),
    }
}

/// An RSA-4096 key that no trust anchor and no issuer uses.
pub fn stranger_rsa() -> &'static SignKey {
    key!(SignKey::rsa, "stranger-rsa.p8")
}

/// A P-384 key that no certificate made by default contains.
pub fn stranger_p384() -> &'static SignKey {
    key!(SignKey::p384, "stranger-p384.p8")
}

/// A P-256 key.
pub fn stranger_p256() -> &'static SignKey {
    key!(SignKey::p256, "stranger-p256.p8")
}
