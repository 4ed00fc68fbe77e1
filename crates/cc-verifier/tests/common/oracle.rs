//! The `dcap-qvl` crate as a second opinion on quotes, with aws-lc-rs under it as the one provider of the project.

use std::collections::BTreeSet;

use cc_testkit::tdx::mint::chain_pem;
use cc_testkit::tdx::{Signed, World};
use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::config::{Config, CryptoProvider};
use dcap_qvl::verify::QuoteVerifier;
use rustls_pki_types::SignatureVerificationAlgorithm;

/// What the oracle says about a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opinion {
    /// Combined status and advisories.
    Accepted { status: String, advisories: BTreeSet<String> },
    /// Its words.
    Rejected(String),
}

/// Judges a quote, seconds since 1970. TDs that may be debugged or served by another TD are no matter of
/// authenticity; what else the oracle holds against a TD's attributes it cannot be talked out of.
pub(crate) fn judge(root: &[u8], quote: &[u8], collateral: &QuoteCollateralV3, now: u64) -> Opinion {
    let verifier =
        QuoteVerifier::<Lean>::new_with_config(root.to_vec()).allow_debug(true).allow_service_td(true);
    match verifier.verify(quote, collateral, now) {
        Ok(report) => {
            Opinion::Accepted { status: report.status, advisories: report.advisory_ids.into_iter().collect() }
        }
        Err(error) => Opinion::Rejected(format!("{error:#}")),
    }
}

/// The collateral of a world as the oracle takes it.
pub(crate) fn collateral(world: &World) -> QuoteCollateralV3 {
    let signed = |signed: &Signed| (signed.text.clone(), signed.signature.clone());
    let (tcb_info, tcb_info_signature) = signed(&world.tcb_info);
    let (qe_identity, qe_identity_signature) = signed(&world.qe_identity);
    QuoteCollateralV3 {
        pck_crl_issuer_chain: chain_pem(&world.pck_chain[1..]),
        root_ca_crl: world.root_crl.clone(),
        pck_crl: world.pck_crl.clone(),
        tcb_info_issuer_chain: chain_pem(&world.tcb_chain),
        tcb_info,
        tcb_info_signature,
        qe_identity_issuer_chain: chain_pem(&world.qe_chain),
        qe_identity,
        qe_identity_signature,
        pck_certificate_chain: None,
    }
}

/// The oracle's own parsers over our provider.
struct Lean;

impl Config for Lean {
    type X509 = dcap_qvl::x509::X509CertBackend;
    type SigEncoder = dcap_qvl::signature::DerSigEncoder;
    type Crypto = AwsLc;
}

struct AwsLc;

impl CryptoProvider for AwsLc {
    fn sig_algo() -> &'static dyn SignatureVerificationAlgorithm {
        webpki::aws_lc_rs::ECDSA_P256_SHA256
    }

    fn sha256(data: &[u8]) -> [u8; 32] {
        digest(&aws_lc_rs::digest::SHA256, data)
    }

    fn sha384(data: &[u8]) -> [u8; 48] {
        digest(&aws_lc_rs::digest::SHA384, data)
    }
}

fn digest<const N: usize>(algorithm: &'static aws_lc_rs::digest::Algorithm, data: &[u8]) -> [u8; N] {
    aws_lc_rs::digest::digest(algorithm, data).as_ref().try_into().unwrap()
}
