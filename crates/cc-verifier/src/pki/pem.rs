//! Certificates in PEM.

use cc_core::limits::MAX_CERTIFICATE;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";
/// Most certificates in one chain.
const MAX_BUNDLE: usize = 10;

/// Whether `bytes` begin like a certificate in PEM.
pub(crate) fn is_pem(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(BEGIN)
}

/// The certificates of a chain, DER, with any white space between them. `None` when it is anything else.
pub(crate) fn bundle(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut rest = pem.trim_ascii();
    let mut certificates = Vec::new();
    while !rest.is_empty() {
        if certificates.len() == MAX_BUNDLE {
            return None;
        }
        let (der, after) = block(rest)?;
        certificates.push(der);
        rest = after.trim_ascii_start();
    }
    Some(certificates)
}

/// The certificate that `pem` begins with, and what follows its last line.
pub(crate) fn block(pem: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let end = pem.windows(END.len()).position(|window| window == END)?.checked_add(END.len())?;
    let (block, rest) = pem.split_at_checked(end)?;
    if !block.starts_with(BEGIN) {
        return None;
    }
    let (_, der) = der::pem::decode_vec(block).ok()?;
    (der.len() <= MAX_CERTIFICATE).then_some((der, rest))
}

/// The certificates of a chain in PEM.
pub(crate) fn encode<'a>(ders: impl IntoIterator<Item = &'a [u8]>) -> String {
    let block = |der: &[u8]| der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, der);
    // Only a label that cannot be written fails.
    ders.into_iter().filter_map(|der| block(der).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_has_certificates_only() {
        let certificate = |byte: u8| {
            der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, &[byte; 100]).unwrap()
        };
        let [a, b] = [1, 2].map(certificate);
        assert_eq!(bundle([a.as_str(), "\n\n", b.trim_end()].concat().as_bytes()).unwrap().len(), 2);
        assert_eq!(bundle(a.repeat(10).as_bytes()).unwrap().len(), 10);
        assert_eq!(bundle(a.repeat(11).as_bytes()), None);
        assert_eq!(bundle([a.as_str(), "x", &b].concat().as_bytes()), None);
        assert!(is_pem(a.as_bytes()) && !is_pem(b"{}"));
    }
}
