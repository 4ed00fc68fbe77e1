//! Revocation lists (step T5, as far as it does not depend on time).

use cc_core::{Finding, UnixTime, codes};

use super::chain::finding;
use super::claims;
use crate::pki::{Crl, EcdsaKey};

/// The lists of one authority.
#[derive(Debug)]
pub(super) struct Lists {
    /// Whether each is one, in the order supplied.
    pub(super) judged: Vec<Result<Revocations, Finding>>,
    /// The serial numbers (INTEGER content) on any authentic list, current or not, sorted.
    serials: Vec<Vec<u8>>,
}

/// An authentic list.
#[derive(Clone, Debug)]
pub(super) struct Revocations {
    pub(super) this_update: UnixTime,
    pub(super) next_update: Option<UnixTime>,
    /// Big-endian.
    pub(super) number: [u8; 20],
    /// Index in the slot.
    pub(super) index: usize,
    /// The number and the date after it as text.
    pub(super) texts: (String, Option<String>),
}

impl Lists {
    /// Judges lists that the authority with that name and key should have made.
    pub(super) fn judge(lists: &[&[u8]], name: &[u8], key: &EcdsaKey) -> Self {
        let mut serials = Vec::new();
        let judged = lists
            .iter()
            .enumerate()
            .map(|(index, der)| Revocations::judge(der, index, name, key, &mut serials))
            .collect();
        serials.sort_unstable();
        serials.dedup();
        Self { judged, serials }
    }

    /// Whether any authentic list has that serial number.
    pub(super) fn revoke(&self, serial: &[u8]) -> bool {
        self.serials.binary_search_by(|other| other.as_slice().cmp(serial)).is_ok()
    }

    /// The newest list that is current. `Err` with the first rejection when there are lists and none is; `None` without
    /// lists. Intel's lists all have the number 1, so the date decides.
    pub(super) fn current(&self, now: UnixTime) -> Result<Option<&Revocations>, Finding> {
        let (mut newest, mut rejection) = (None::<&Revocations>, None);
        for list in &self.judged {
            match list.as_ref().map_err(Clone::clone).and_then(|list| list.currency(now)) {
                Ok(list) if newest.is_none_or(|other| other.age() < list.age()) => newest = Some(list),
                Ok(_) => {}
                Err(finding) => rejection = rejection.or(Some(finding)),
            }
        }
        match rejection {
            Some(finding) if newest.is_none() => Err(finding),
            _ => Ok(newest),
        }
    }
}

impl Revocations {
    fn judge(
        der: &[u8],
        index: usize,
        name: &[u8],
        key: &EcdsaKey,
        serials: &mut Vec<Vec<u8>>,
    ) -> Result<Self, Finding> {
        let refuse =
            |what: &dyn std::fmt::Display| finding(codes::TDX_CRL_SIGNATURE, "revocation list", what);
        let crl = Crl::parse(der).map_err(|error| refuse(&error))?;
        if crl.issuer != name {
            let what = "it is not the list of the authority above the certificate";
            return Err(finding(codes::TDX_CRL_ISSUER_MISMATCH, "revocation list", what));
        }
        if crl.inner_algorithm != crl.outer_algorithm || !key.signs_with(crl.outer_algorithm) {
            return Err(refuse(&"not signed with ECDSA and SHA-256"));
        }
        if !key.verifies(crl.tbs, crl.signature) {
            return Err(refuse(&"its signature does not verify with the key of the authority that it names"));
        }
        crl.judge_extensions().map_err(|what| refuse(&what))?;
        let number = crl.number().ok_or_else(|| refuse(&"no number of at most 20 bytes"))?;
        serials.extend(crl.serials().map(<[u8]>::to_vec));
        let (this_update, next_update) = (crl.this_update, crl.next_update);
        let texts = (claims::number(&number), next_update.map(|date| date.to_string()));
        Ok(Self { this_update, next_update, number, index, texts })
    }

    /// Whether a list is current. One that does not say when the next is due could be kept back for ever.
    fn currency(&self, now: UnixTime) -> Result<&Self, Finding> {
        let expired = |detail: String| Err(Finding::new(codes::TDX_CRL_EXPIRED, detail));
        let Some(next_update) = self.next_update else {
            return expired("the revocation list has no nextUpdate".to_owned());
        };
        if now < self.this_update || now > next_update {
            let from = self.this_update;
            return expired(format!(
                "the revocation list is current from {from} until {next_update}, now is {now}"
            ));
        }
        Ok(self)
    }

    const fn age(&self) -> ([u8; 20], UnixTime) {
        (self.number, self.this_update)
    }
}
