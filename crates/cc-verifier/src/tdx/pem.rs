//! The certificates in a quote (step T3).

use cc_core::{Finding, codes};

use crate::pki::pem::block;

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
}
