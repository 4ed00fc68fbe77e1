//! Steps S11 and S13 for intermediates and revocation lists, as far as they do not depend on time.

use cc_core::{Code, Finding, UnixTime, codes};

use super::anchors::Anchor;
use super::product::{Kind, Product};
use super::role::Role;
use crate::pki::{Certificate, Crl, RsaKey, Window, common_name, is_pss_sha384};

/// An ASK or ASVK that the root signed.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) subject: Vec<u8>,
    pub(super) serial: Vec<u8>,
    pub(super) key: RsaKey,
    pub(super) window: Window,
    /// Whether any authentic list has its serial number.
    pub(super) revoked: bool,
}

/// A revocation list that the root signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Revocations {
    pub(super) this_update: UnixTime,
    pub(super) next_update: Option<UnixTime>,
    /// Big-endian.
    pub(super) number: [u8; 20],
    /// Index in the slot.
    pub(super) index: usize,
}

impl Issuer {
    /// Judges an intermediate. `None` when by its name it belongs to another product line or kind of leaf.
    pub(super) fn judge(
        der: &[u8],
        anchor: &Anchor,
        kind: Kind,
        product: Product,
    ) -> Result<Option<Self>, Finding> {
        let whose = format!("{} of {product}", kind.issuer_name());
        let role = |what: &dyn std::fmt::Display| finding(codes::SNP_CHAIN_ROLE, &whose, what);
        let certificate = Certificate::parse(der).map_err(|error| role(&error))?;
        let name = common_name(certificate.subject).map_err(|error| role(&error))?;
        match Role::of(name) {
            Some(named) if named == Role::Issuer(kind, product) => {}
            Some(_) => return Ok(None),
            None => return Err(role(&"its common name has no role in the chain")),
        }
        if !certificate.is_v3 {
            return Err(role(&"not an X.509 v3 certificate"));
        }
        certificate.judge_issuer_of_leaves().map_err(|what| role(&what))?;
        let key = RsaKey::of(certificate.spki)
            .map_err(|_| finding(codes::SNP_CHAIN_ALGORITHM, &whose, "its key is not RSA of 4096 bits"))?;
        judge_link(&certificate, &anchor.subject, &anchor.key, &whose)?;
        Ok(Some(Self {
            subject: certificate.subject.to_vec(),
            serial: certificate.serial.to_vec(),
            key,
            window: certificate.window,
            revoked: false,
        }))
    }
}

/// Algorithm, issuer name and signature of a certificate (S11).
pub(super) fn judge_link(
    certificate: &Certificate<'_>,
    issuer_name: &[u8],
    issuer_key: &RsaKey,
    whose: &str,
) -> Result<(), Finding> {
    if certificate.inner_algorithm != certificate.outer_algorithm
        || !is_pss_sha384(certificate.outer_algorithm)
    {
        let what = "not signed with RSASSA-PSS, SHA-384 and a salt of 48 bytes";
        return Err(finding(codes::SNP_CHAIN_ALGORITHM, whose, what));
    }
    if certificate.issuer != issuer_name {
        return Err(finding(codes::SNP_CHAIN_ROLE, whose, "its issuer is not the certificate above it"));
    }
    if !issuer_key.verifies(certificate.tbs, certificate.signature) {
        let what = "its signature does not verify with the key of the certificate above it";
        return Err(finding(codes::SNP_CHAIN_SIGNATURE, whose, what));
    }
    Ok(())
}

impl Revocations {
    /// Judges a revocation list and marks the issuers that it revokes. `None` when neither the root nor an issuer
    /// claims to have made it.
    pub(super) fn judge(
        der: &[u8],
        index: usize,
        anchor: &Anchor,
        issuers: &mut [Result<Issuer, Finding>],
    ) -> Result<Option<Self>, Finding> {
        let refuse =
            |what: &dyn std::fmt::Display| finding(codes::SNP_CRL_SIGNATURE, "revocation list", what);
        let crl = Crl::parse(der).map_err(|error| refuse(&error))?;
        let from_root = crl.issuer == anchor.subject;
        if !from_root && issuers.iter().flatten().all(|issuer| issuer.subject != crl.issuer) {
            return Ok(None);
        }
        if crl.inner_algorithm != crl.outer_algorithm || !is_pss_sha384(crl.outer_algorithm) {
            return Err(refuse(&"not signed with RSASSA-PSS, SHA-384 and a salt of 48 bytes"));
        }
        if !from_root || !anchor.key.verifies(crl.tbs, crl.signature) {
            return Err(refuse(&"not signed by the root of the product line"));
        }
        crl.judge_extensions().map_err(|what| refuse(&what))?;
        let number = crl.number().ok_or_else(|| refuse(&"no number of at most 20 bytes"))?;
        for issuer in issuers.iter_mut().flatten() {
            issuer.revoked |= crl.revokes(&issuer.serial);
        }
        Ok(Some(Self { this_update: crl.this_update, next_update: crl.next_update, number, index }))
    }
}

/// A finding about one certificate or list.
pub(super) fn finding(code: Code, whose: &str, what: impl std::fmt::Display) -> Finding {
    Finding::new(code, format!("{whose}: {what}"))
}
