//! Step T13: the signature of the quote.

use aws_lc_rs::signature::ParsedPublicKey;
use cc_core::{Finding, codes};

use super::quote::Quote;

/// The order of the group of P-256, big-endian (SEC 2, 2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// Both numbers of the signature are in 1 to n - 1.
pub(super) fn well_formed(quote: &Quote<'_>) -> Result<(), Finding> {
    let (r, s) = quote.signature().split_at(32);
    for (name, number) in [("r", r), ("s", s)] {
        if number.iter().all(|byte| *byte == 0) || number >= ORDER.as_slice() {
            let detail = format!("{name} of the signature is {}", hex::encode(number));
            return Err(Finding::new(codes::TDX_SIGNATURE_MALFORMED, detail));
        }
    }
    Ok(())
}

/// ECDSA P-256 with SHA-256 over the signed bytes as received.
pub(super) fn verify(quote: &Quote<'_>, key: &ParsedPublicKey) -> Result<(), Finding> {
    key.verify_sig(quote.signed(), quote.signature()).map_err(|_| {
        let detail = "the quote's signature does not verify with its attestation key";
        Finding::new(codes::TDX_SIGNATURE_INVALID, detail)
    })
}
