//! The part of X.509 (RFC 5280) that attestation needs, strict and over the received bytes.
//!
//! A certificate or revocation list is read once into a view that borrows from the input; nothing is ever
//! encoded again, so a signature is checked over exactly what was received (*verification.md* 0.3, 0.6). Reading
//! says only that the structure is well formed. Roles, names, algorithms, dates and signatures are judged by the
//! caller, who knows which code a violation has.

mod asn1;
mod cert;
mod crl;
mod key;
mod name;
mod window;

pub(crate) use asn1::{Element, Elements, Malformed};
pub(crate) use cert::{Certificate, Extensions, KeyUsage};
pub(crate) use crl::Crl;
pub(crate) use key::{
    P256Key, RsaKey, is_ecdsa_sha256, is_pss_sha384, p256_key, p256_key_of_coordinates, p384_key,
    p384_key_of_coordinates, rsa_numbers,
};
pub(crate) use name::common_name;
pub(crate) use window::Window;

#[cfg(test)]
mod tests;
