//! Certificates in PEM: the chain in a quote (step T3), and issuer chains among endorsements.

use cc_core::limits::MAX_CERTIFICATE;
use cc_core::{Finding, codes};

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";
/// Most certificates in one issuer chain.
const MAX_BUNDLE: usize = 10;

/// Whether `bytes` begin like a certificate in PEM.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(BEGIN)
}

/// The three certificates of a quote, DER: exactly those, each followed by a line feed, then at most one NUL, which most
/// platforms append.
pub(super) fn pck_chain(mut pem: &[u8]) -> Result<[Vec<u8>; 3], Finding> {
    let mut next = || -> Option<Vec<u8>> {
        let (der, rest) = block(pem)?;
        pem = rest.strip_prefix(b"\n")?;
        Some(der)
    };
    match (next(), next(), next()) {
        (Some(leaf), Some(intermediate), Some(root)) if matches!(pem, [] | [0]) => {
            Ok([leaf, intermediate, root])
        }
        _ => {
            let detail = "the certification data is not three certificates in PEM, a line feed after each, \
                          and at most one NUL";
            Err(Finding::new(codes::TDX_CERTDATA_UNSUPPORTED, detail))
        }
    }
}

/// The certificates of an issuer chain, DER, with any white space between them. `None` when it is anything else.
pub(super) fn bundle(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
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
fn block(pem: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let end = pem.windows(END.len()).position(|window| window == END)?.checked_add(END.len())?;
    let (block, rest) = pem.split_at_checked(end)?;
    if !block.starts_with(BEGIN) {
        return None;
    }
    let (_, der) = der::pem::decode_vec(block).ok()?;
    (der.len() <= MAX_CERTIFICATE).then_some((der, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(byte: u8, label: &str) -> String {
        der::pem::encode_string(label, der::pem::LineEnding::LF, &[byte; 100]).unwrap()
    }

    #[test]
    fn a_quote_has_three_certificates_and_nothing_else() {
        let [a, b, c] = [1, 2, 3].map(|byte| certificate(byte, "CERTIFICATE"));
        let chain = [a.as_str(), &b, &c].concat();
        assert_eq!(pck_chain(chain.as_bytes()), Ok([vec![1; 100], vec![2; 100], vec![3; 100]]));
        assert!(pck_chain(format!("{chain}\0").as_bytes()).is_ok());
        for bad in [
            String::new(),
            [a.as_str(), &b].concat(),
            [chain.as_str(), &a].concat(),
            format!("{chain}\0\0"),
            format!("{chain}\n"),
            format!("\n{chain}"),
            format!("x{chain}"),
            chain.trim_end().to_owned(),
            [a.as_str(), "\n", &b, &c].concat(),
            [a.as_str(), &b, &certificate(3, "X509 CRL")].concat(),
            chain.replacen('\n', "\r\n", 50).replacen("CERTIFICATE-----\r\n", "CERTIFICATE-----\n\n", 1),
            chain.replacen("AQEB", "AQE=", 1),
        ] {
            let code = pck_chain(bad.as_bytes()).unwrap_err().code;
            assert_eq!(code, codes::TDX_CERTDATA_UNSUPPORTED, "{bad:?}");
        }
    }

    #[test]
    fn a_bundle_has_certificates_only() {
        let [a, b] = [1, 2].map(|byte| certificate(byte, "CERTIFICATE"));
        assert_eq!(bundle([a.as_str(), "\n\n", b.trim_end()].concat().as_bytes()).unwrap().len(), 2);
        assert_eq!(bundle(a.repeat(10).as_bytes()).unwrap().len(), 10);
        assert_eq!(bundle(a.repeat(11).as_bytes()), None);
        assert_eq!(bundle([a.as_str(), "x", &b].concat().as_bytes()), None);
        assert!(is_pem(a.as_bytes()) && !is_pem(b"{}"));
    }
}
