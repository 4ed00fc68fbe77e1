//! Steps T3 and T4: what the certificates in the quote prove, as far as it does not depend on time.

use aws_lc_rs::signature::ParsedPublicKey;
use cc_core::{Code, Finding, UnixTime, codes};

use super::anchors::{Anchor, Anchors};
use super::claims;
use super::pck::PckExtension;
use super::pem;
use super::role::{Ca, Role};
use crate::pki::{Certificate, Curve, EcdsaKey, KeyUsage, Window, common_name, p256_key};

/// The certificates of a quote: roles and signatures are right, dates are not judged.
#[derive(Debug)]
pub(super) struct Chain {
    root: Window,
    pub(super) issuer: Issuer,
    pub(super) pck: Pck,
}

/// The intermediate.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) ca: Ca,
    pub(super) der: Vec<u8>,
    /// The subject's name, all bytes.
    pub(super) subject: Vec<u8>,
    /// INTEGER content.
    pub(super) serial: Vec<u8>,
    pub(super) key: EcdsaKey,
    window: Window,
}

/// The platform's certificate.
#[derive(Debug)]
pub(super) struct Pck {
    /// INTEGER content.
    pub(super) serial: Vec<u8>,
    pub(super) key: ParsedPublicKey,
    window: Window,
    pub(super) extension: PckExtension,
    pub(super) texts: PckTexts,
}

/// What does not change from quote to quote, as text.
#[derive(Debug)]
pub(super) struct PckTexts {
    pub(super) serial: String,
    pub(super) not_before: String,
    pub(super) not_after: String,
}

impl Chain {
    /// Judges the PEM of a quote. `Err` is the first rejection.
    pub(super) fn judge(chain: &[u8], anchors: &Anchors) -> Result<Self, Finding> {
        let [pck, issuer, root] = pem::pck_chain(chain)?;
        let anchor = anchors.root()?;
        if root != anchor.der {
            let detail = "the root certificate in the quote is not the trust anchor";
            return Err(Finding::new(codes::TDX_PCK_CHAIN_UNTRUSTED_ROOT, detail));
        }
        let issuer = Issuer::judge(issuer, anchor)?;
        let pck = Pck::judge(&pck, &issuer)?;
        Ok(Self { root: anchor.window, issuer, pck })
    }

    /// T4: all certificates are valid now; both ends of a span are inside it.
    pub(super) fn validity(&self, now: UnixTime) -> Result<(), Finding> {
        let windows = [("root", self.root), ("intermediate", self.issuer.window), ("PCK", self.pck.window)];
        for (whose, Window { from, until }) in windows {
            if now < from {
                let detail = format!("{whose} certificate is valid from {from}, now is {now}");
                return Err(Finding::new(codes::TDX_PCK_CHAIN_NOT_YET_VALID, detail));
            }
            if now > until {
                let detail = format!("{whose} certificate was valid until {until}, now is {now}");
                return Err(Finding::new(codes::TDX_PCK_CHAIN_EXPIRED, detail));
            }
        }
        Ok(())
    }
}

impl Issuer {
    fn judge(der: Vec<u8>, anchor: &Anchor) -> Result<Self, Finding> {
        let refuse = |code: Code, what: &dyn std::fmt::Display| finding(code, "intermediate", what);
        let role = |what: &dyn std::fmt::Display| refuse(codes::TDX_PCK_CHAIN_ROLE, what);
        let certificate =
            Certificate::parse(&der).map_err(|error| refuse(codes::TDX_PCK_CHAIN_SIGNATURE, &error))?;
        let name = common_name(certificate.subject).map_err(|error| role(&error))?;
        let Some(Role::Issuer(ca)) = Role::of(name) else {
            return Err(role(&"its common name is not that of an issuer of PCK certificates"));
        };
        if !certificate.is_v3 {
            return Err(role(&"not an X.509 v3 certificate"));
        }
        certificate.judge_issuer_of_leaves().map_err(|what| role(&what))?;
        if !certificate.allows(KeyUsage::CRL_SIGN) {
            return Err(role(&"keyUsage without cRLSign"));
        }
        let key =
            EcdsaKey::on(Curve::P256, certificate.spki).map_err(|_| role(&"its key is not on P-256"))?;
        link(&certificate, &anchor.subject, &anchor.key)
            .map_err(|fault| fault.finding(&PCK_CHAIN, "intermediate"))?;
        let (subject, serial) = (certificate.subject.to_vec(), certificate.serial.to_vec());
        let window = certificate.window;
        Ok(Self { ca, subject, serial, key, window, der })
    }
}

impl Pck {
    fn judge(der: &[u8], issuer: &Issuer) -> Result<Self, Finding> {
        let role = |what: &dyn std::fmt::Display| finding(codes::TDX_PCK_CHAIN_ROLE, "PCK certificate", what);
        let certificate = Certificate::parse(der)
            .map_err(|error| finding(codes::TDX_PCK_CHAIN_SIGNATURE, "PCK certificate", error))?;
        end_entity(&certificate, Role::Pck).map_err(|what| role(&what))?;
        let key = p256_key(certificate.spki).map_err(|_| role(&"its key is not on P-256"))?;
        link(&certificate, &issuer.subject, &issuer.key)
            .map_err(|fault| fault.finding(&PCK_CHAIN, "PCK certificate"))?;
        let extension = PckExtension::read(&certificate.extensions).map_err(|error| role(&error))?;
        let (serial, window) = (certificate.serial.to_vec(), certificate.window);
        let texts = PckTexts {
            serial: claims::number(&serial),
            not_before: window.from.to_string(),
            not_after: window.until.to_string(),
        };
        Ok(Self { serial, key, window, extension, texts })
    }
}

/// Why a certificate is not what it should be. Which code that has depends on what the certificate is for.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// It is another kind of certificate.
    Role(String),
    /// It is not signed by the one that should have signed it.
    Signature(String),
}

/// The codes of faults.
pub(super) struct FaultCodes {
    pub(super) role: Code,
    pub(super) signature: Code,
}

const PCK_CHAIN: FaultCodes =
    FaultCodes { role: codes::TDX_PCK_CHAIN_ROLE, signature: codes::TDX_PCK_CHAIN_SIGNATURE };

impl Fault {
    pub(super) fn finding(&self, codes: &FaultCodes, whose: &str) -> Finding {
        match self {
            Self::Role(what) => finding(codes.role.clone(), whose, what),
            Self::Signature(what) => finding(codes.signature.clone(), whose, what),
        }
    }
}

/// Whether a certificate is an end entity of that role, for signatures that are none of X.509.
pub(super) fn end_entity(certificate: &Certificate<'_>, role: Role) -> Result<(), String> {
    let name = common_name(certificate.subject).map_err(|error| error.to_string())?;
    if Role::of(name) != Some(role) {
        return Err(format!("its common name is {name:?}"));
    }
    if !certificate.is_v3 {
        return Err("not an X.509 v3 certificate".to_owned());
    }
    if certificate.extensions.duplicate().is_some() {
        return Err("an extension twice".to_owned());
    }
    certificate.judge_end_entity()?;
    if !certificate.allows(KeyUsage::DIGITAL_SIGNATURE) {
        return Err("no critical keyUsage with digitalSignature".to_owned());
    }
    Ok(())
}

/// Algorithm, issuer name and signature of a certificate.
pub(super) fn link(certificate: &Certificate<'_>, issuer: &[u8], key: &EcdsaKey) -> Result<(), Fault> {
    if certificate.inner_algorithm != certificate.outer_algorithm
        || !key.signs_with(certificate.outer_algorithm)
    {
        return Err(Fault::Signature("not signed with ECDSA and SHA-256".to_owned()));
    }
    if certificate.issuer != issuer {
        return Err(Fault::Role("its issuer is not the certificate above it".to_owned()));
    }
    if !key.verifies(certificate.tbs, certificate.signature) {
        let what = "its signature does not verify with the key of the certificate above it";
        return Err(Fault::Signature(what.to_owned()));
    }
    Ok(())
}

/// A finding about one certificate or document.
pub(super) fn finding(code: Code, whose: &str, what: impl std::fmt::Display) -> Finding {
    Finding::new(code, format!("{whose}: {what}"))
}
