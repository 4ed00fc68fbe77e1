//! The physical limit: bare operations with aws-lc-rs.

use std::hint::black_box;

use aws_lc_rs::agreement::{EphemeralPrivateKey, UnparsedPublicKey as Share, X25519, agree_ephemeral};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_SHA384, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};

use crate::clock::cpu_time;

/// Bytes under a report's signature.
const REPORT: usize = 672;
/// How often each is repeated; the median counts.
const REPEATS: usize = 201;

/// Nanoseconds of thread CPU time for one operation.
pub(crate) struct Bare {
    pub(crate) p384: f64,
    pub(crate) p256: f64,
    pub(crate) p256_sign: f64,
    pub(crate) ed25519: f64,
    pub(crate) rsa4096: f64,
    /// A key and an agreement.
    pub(crate) x25519: f64,
}

impl Bare {
    /// Measures all, in turns.
    pub(crate) fn measure() -> Self {
        let message = vec![0x5a; REPORT];
        let random = SystemRandom::new();
        let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let ed25519 = Ed25519KeyPair::generate().unwrap();
        let rsa = RsaKeyPair::generate(KeySize::Rsa4096).unwrap();
        let mut rsa_signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PSS_SHA384, &random, &message, &mut rsa_signature).unwrap();
        let p384_signature = p384.sign(&random, &message).unwrap();
        let p256_signature = p256.sign(&random, &message).unwrap();
        let ed25519_signature = ed25519.sign(&message);
        let share = EphemeralPrivateKey::generate(&X25519, &random).unwrap().compute_public_key().unwrap();
        let sign = || {
            black_box(p256.sign(&random, &message).unwrap());
        };
        let agree = || {
            let own = EphemeralPrivateKey::generate(&X25519, &random).unwrap();
            black_box(own.compute_public_key().unwrap());
            agree_ephemeral(own, Share::new(&X25519, share.as_ref()), (), |secret| {
                black_box(secret);
                Ok(())
            })
            .unwrap();
        };
        let operations: [&dyn Fn(); 6] = [
            &verify(&ECDSA_P384_SHA384_FIXED, &p384, &message, p384_signature.as_ref()),
            &verify(&ECDSA_P256_SHA256_ASN1, &p256, &message, p256_signature.as_ref()),
            &sign,
            &verify(&ED25519, &ed25519, &message, ed25519_signature.as_ref()),
            &verify(&RSA_PSS_2048_8192_SHA384, &rsa, &message, &rsa_signature),
            &agree,
        ];
        let mut samples: [Vec<u64>; 6] = Default::default();
        for _ in 0..REPEATS {
            for (operation, samples) in operations.iter().zip(&mut samples) {
                let start = cpu_time();
                operation();
                samples.push(cpu_time() - start);
            }
        }
        let [p384, p256, p256_sign, ed25519, rsa4096, x25519] = samples.map(median);
        Self { p384, p256, p256_sign, ed25519, rsa4096, x25519 }
    }
}

fn verify<'a>(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &impl KeyPair,
    message: &'a [u8],
    signature: &'a [u8],
) -> Box<dyn Fn() + 'a> {
    let key = UnparsedPublicKey::new(algorithm, key_bytes(key));
    Box::new(move || key.verify(black_box(message), signature).unwrap())
}

fn key_bytes(key: &impl KeyPair) -> Vec<u8> {
    key.public_key().as_ref().to_vec()
}

fn median(mut values: Vec<u64>) -> f64 {
    values.sort_unstable();
    values[values.len() / 2] as f64
}
