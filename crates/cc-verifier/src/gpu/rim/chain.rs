//! The certificates of a manifest (steps G12 and G13, as far as they do not depend on revocation).

use aws_lc_rs::signature::ParsedPublicKey;
use cc_core::{Finding, UnixTime, codes};

use crate::pki::{Certificate, Curve, EcdsaKey, KeyUsage, Malformed, Window, p384_key};

/// How many certificates there are: signer, two authorities, root.
const LENGTH: usize = 4;

/// The certificates of a manifest: roles and signatures are right, dates are not judged.
#[derive(Debug)]
pub(super) struct Chain {
    /// Signer first, root last.
    certificates: [Vec<u8>; LENGTH],
    windows: [Window; LENGTH],
    signer: ParsedPublicKey,
}

impl Chain {
    /// Judges certificates, DER, under the trusted root.
    pub(super) fn judge(certificates: Vec<Vec<u8>>, trusted: &[u8]) -> Result<Self, Finding> {
        let certificates: [Vec<u8>; LENGTH] = certificates.try_into().map_err(|other: Vec<_>| {
            finding(format!("{} certificates, a manifest has {LENGTH}", other.len()))
        })?;
        let [signer, issuer, authority, root] = &certificates;
        if root != trusted {
            return Err(finding("the last certificate is not NVIDIA's root for manifests"));
        }
        let [root, authority, issuer, signer] = [
            parse("root", root)?,
            parse("authority", authority)?,
            parse("issuer", issuer)?,
            parse("signer", signer)?,
        ];
        link("authority", &authority, &root)?;
        authority.judge_issuer(1).map_err(|what| of("authority", what))?;
        link("issuer", &issuer, &authority)?;
        issuer.judge_issuer(0).map_err(|what| of("issuer", what))?;
        link("signer", &signer, &issuer)?;
        let key = judge_signer(&signer).map_err(|what| of("signer", what))?;
        let windows = [signer.window, issuer.window, authority.window, root.window];
        Ok(Self { windows, signer: key, certificates })
    }

    /// Whether `signature`, in fixed width, is that of the first certificate's key over `message`: ECDSA with SHA-384.
    pub(super) fn signer_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.signer.verify_sig(message, signature).is_ok()
    }

    /// Signer first, root last; DER.
    pub(super) const fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// When the signer's certificate is valid.
    pub(super) const fn signer_window(&self) -> Window {
        let [signer, ..] = self.windows;
        signer
    }

    /// All certificates are valid now; both ends of a span are inside it.
    pub(super) fn validity(&self, now: UnixTime) -> Result<(), Finding> {
        for (whose, Window { from, until }) in
            ["signer", "issuer", "authority", "root"].iter().zip(self.windows)
        {
            if now < from || now > until {
                let detail = format!("{whose} certificate is valid from {from} until {until}, now is {now}");
                return Err(Finding::new(codes::GPU_RIM_EXPIRED, detail));
            }
        }
        Ok(())
    }
}

fn finding(what: impl Into<String>) -> Finding {
    Finding::new(codes::GPU_RIM_CHAIN, what)
}

fn of(whose: &str, what: impl std::fmt::Display) -> Finding {
    finding(format!("{whose} certificate: {what}"))
}

fn parse<'a>(whose: &str, der: &'a [u8]) -> Result<Certificate<'a>, Finding> {
    let certificate = Certificate::parse(der).map_err(|error| of(whose, error))?;
    if certificate.is_v3 { Ok(certificate) } else { Err(of(whose, "not an X.509 v3 certificate")) }
}

/// Algorithm, issuer name and signature of a certificate.
fn link(whose: &str, certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> Result<(), Finding> {
    if certificate.issuer != issuer.subject {
        return Err(of(whose, "its issuer is not the certificate after it"));
    }
    let key = EcdsaKey::on(Curve::P384, issuer.spki)
        .map_err(|Malformed(what)| of(whose, format!("issued by an unusable {what}")))?;
    if certificate.inner_algorithm != certificate.outer_algorithm
        || !key.signs_with(certificate.outer_algorithm)
    {
        return Err(of(whose, "not signed with ECDSA and SHA-384"));
    }
    if key.verifies(certificate.tbs, certificate.signature) {
        Ok(())
    } else {
        Err(of(whose, "its signature does not verify with the key of the certificate after it"))
    }
}

/// Whether a certificate is an end entity that may sign documents; gives its key.
fn judge_signer(certificate: &Certificate<'_>) -> Result<ParsedPublicKey, &'static str> {
    if certificate.extensions.duplicate().is_some() {
        return Err("an extension twice");
    }
    certificate.judge_end_entity()?;
    if !certificate.allows(KeyUsage::DIGITAL_SIGNATURE) {
        return Err("no critical keyUsage with digitalSignature");
    }
    p384_key(certificate.spki).map_err(|_| "its key is not on P-384")
}
