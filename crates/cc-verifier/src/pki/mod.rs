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
pub(crate) mod pem;
mod pkcs1;
mod window;

pub(crate) use asn1::{Element, Elements, Malformed, context, octets_of_bits};
pub(crate) use cert::{Certificate, Extensions, KeyUsage};
pub(crate) use crl::Crl;
pub(crate) use key::{
    Curve, EcdsaKey, P384_ORDER, RsaKey, is_pss_sha384, key_octets, p256_key, p256_key_of_coordinates,
    p384_key, p384_key_of_coordinates, p521_key, rsa_numbers,
};
pub(crate) use name::{common_name, printed, serial_number};
pub(crate) use pkcs1::signed_with_pkcs1;
pub(crate) use window::{Window, time};

#[cfg(test)]
mod tests;
