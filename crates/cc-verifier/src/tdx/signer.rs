//! The certificates that sign TCB info and QE identity (steps T5 to T7, as far as they do not depend on time).

use aws_lc_rs::signature::ParsedPublicKey;
use cc_core::{Finding, UnixTime};

use super::anchors::Anchor;
use super::chain::{Fault, end_entity, finding, link};
use super::document::{Content, missing};
use super::role::Role;
use crate::pki::{Certificate, Window, common_name, p256_key};

/// The candidates, and whether the roots that came with them are the anchor.
#[derive(Debug)]
pub(super) struct Signers {
    candidates: Vec<Signer>,
    roots: Result<(), Fault>,
}

/// A candidate.
#[derive(Debug)]
pub(super) struct Signer {
    /// Tells which documents it signed; absent when the certificate has no usable key.
    key: Option<ParsedPublicKey>,
    /// Whether its name says that it is for signing documents.
    is_named: bool,
    /// Whether it may sign documents, and is signed by the root itself.
    judged: Result<(), Fault>,
    window: Window,
    /// Whether any authentic list of the root has its serial number.
    revoked: bool,
}

impl Signers {
    /// Judges the certificates in two slots; `is_revoked` tells by a serial number.
    pub(super) fn judge(
        signers: &[&[u8]],
        roots: &[&[u8]],
        anchor: &Anchor,
        is_revoked: impl Fn(&[u8]) -> bool,
    ) -> Self {
        let candidates = signers.iter().map(|der| Signer::judge(der, anchor, &is_revoked)).collect();
        let trusted = roots.is_empty() || roots.contains(&anchor.der.as_slice());
        let untrusted =
            || Fault::Signature("the root of its signing chain is not the trust anchor".to_owned());
        Self { candidates, roots: if trusted { Ok(()) } else { Err(untrusted()) } }
    }

    /// The good candidates that made `signature` over `message`, by position; at least one. Without, the fault of a
    /// bad one that made it says more than that no good one did.
    pub(super) fn of<T: Content>(&self, message: &[u8], signature: &[u8]) -> Result<Vec<usize>, Finding> {
        let fault = |fault: &Fault| fault.finding(&T::CODES.fault, T::WHAT);
        let made = |signer: &Signer| {
            signer.key.as_ref().is_some_and(|key| key.verify_sig(message, signature).is_ok())
        };
        let (good, bad): (Vec<_>, Vec<_>) =
            self.candidates.iter().enumerate().partition(|(_, signer)| signer.judged.is_ok());
        let makers: Vec<_> =
            good.iter().filter(|(_, signer)| made(signer)).map(|(position, _)| *position).collect();
        if !makers.is_empty() {
            return self.roots.as_ref().map_err(fault).map(|()| makers);
        }
        let bad_maker = bad.iter().find(|(_, signer)| made(signer));
        // Without any good candidate, what is wrong with the first one that is meant to be one is the reason.
        let meant = || bad.iter().find(|(_, signer)| signer.is_named && good.is_empty());
        match bad_maker.or_else(meant).and_then(|(_, signer)| signer.judged.as_ref().err()) {
            Some(why) => Err(fault(why)),
            None if good.is_empty() => {
                let what = format!("{}: its signing chain is not among the endorsements", T::WHAT);
                Err(missing::<T>(&what))
            }
            None => {
                let what = "its signature does not verify with the key of a signer that the root certified";
                Err(finding(T::CODES.fault.signature, T::WHAT, what))
            }
        }
    }

    /// Whether one of those at `positions` is revoked.
    pub(super) fn any_revoked(&self, positions: &[usize]) -> bool {
        self.at(positions).any(|signer| signer.revoked)
    }

    /// Whether one of those at `positions` is valid now; the document is of kind `T`.
    pub(super) fn window<T: Content>(&self, positions: &[usize], now: UnixTime) -> Result<(), Finding> {
        let mut rejection = None;
        for Signer { window: Window { from, until }, .. } in self.at(positions) {
            if now < *from {
                let what = format!("its signer's certificate is valid from {from}, now is {now}");
                rejection = rejection.or(Some(finding(T::CODES.future, T::WHAT, what)));
            } else if now > *until {
                let what = format!("its signer's certificate was valid until {until}, now is {now}");
                rejection = rejection.or(Some(finding(T::CODES.expired, T::WHAT, what)));
            } else {
                return Ok(());
            }
        }
        Err(rejection.unwrap_or_else(|| missing::<T>("no signer")))
    }

    fn at<'a>(&'a self, positions: &'a [usize]) -> impl Iterator<Item = &'a Signer> {
        positions.iter().filter_map(|position| self.candidates.get(*position))
    }
}

impl Signer {
    fn judge(der: &[u8], anchor: &Anchor, is_revoked: impl Fn(&[u8]) -> bool) -> Self {
        let certificate = match Certificate::parse(der) {
            Ok(certificate) => certificate,
            Err(error) => {
                let never = Window { from: UnixTime::from_secs(u64::MAX), until: UnixTime::from_secs(0) };
                let judged = Err(Fault::Signature(error.to_string()));
                return Self { key: None, is_named: false, judged, window: never, revoked: false };
            }
        };
        let key = p256_key(certificate.spki).ok();
        let is_named = common_name(certificate.subject).ok().and_then(Role::of) == Some(Role::TcbSigner);
        let judged = end_entity(&certificate, Role::TcbSigner)
            .map_err(Fault::Role)
            .and_then(|()| {
                if key.is_some() { Ok(()) } else { Err(Fault::Role("its key is not on P-256".to_owned())) }
            })
            .and_then(|()| link(&certificate, &anchor.subject, &anchor.key));
        let revoked = is_revoked(certificate.serial);
        Self { key, is_named, judged, window: certificate.window, revoked }
    }
}
