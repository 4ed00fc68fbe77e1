//! Documents that Intel signs: TCB info and QE identity (steps T6 and T7, as far as they do not depend on time).
//!
//! The signature is over the bytes of the inner value as received; they are read only after that.

use cc_core::{Code, Finding, UnixTime, codes};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::chain::{FaultCodes, finding};
use super::signer::Signers;
use crate::json::{self, Hex, Time};

/// The names of the inner values.
pub(super) const TCB_INFO: &str = "tcbInfo";
pub(super) const ENCLAVE_IDENTITY: &str = "enclaveIdentity";
/// Longest document, in bytes. Those of the time have less than 8 KiB; little enough to read before the signature is
/// checked.
pub(super) const MAX_DOCUMENT: usize = 256 * 1024;

/// A kind of document.
pub(super) trait Content: Sized {
    /// Its name in messages.
    const WHAT: &'static str;
    /// The value of `id`.
    const ID: &'static str;
    /// The values of `version` that are supported.
    const VERSIONS: &'static [u64];
    /// The codes of what can be wrong.
    const CODES: DocumentCodes;

    /// Reads the inner value; `Err` says what is wrong.
    fn read(body: &str) -> Result<Self, serde_json::Error>;

    /// What else belongs to the step.
    fn judge(&self) -> Result<(), Finding> {
        Ok(())
    }
}

/// The codes of what can be wrong with a kind of document.
pub(super) struct DocumentCodes {
    pub(super) missing: Code,
    pub(super) malformed: Code,
    pub(super) fault: FaultCodes,
    pub(super) id: Code,
    pub(super) version: Code,
    pub(super) future: Code,
    pub(super) expired: Code,
}

/// What an inner value is.
#[derive(Deserialize)]
struct Head {
    id: String,
    version: u64,
}

/// How new a document is. Of two, the greater one is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Currency {
    pub(super) tcb_evaluation_data_number: u32,
    pub(super) issue_date: Time,
    pub(super) next_update: Time,
}

impl Currency {
    /// tcbEvaluationDataNumber in the form of a floor.
    pub(super) fn floor(self) -> [u8; 20] {
        let mut padded = [0; 20];
        if let Some(end) = padded.last_chunk_mut() {
            *end = self.tcb_evaluation_data_number.to_be_bytes();
        }
        padded
    }
}

/// The body that the provisioning service sends. Which name the inner value has is not signed; its `id` is.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, alias = "tcbInfo", alias = "enclaveIdentity")]
    body: &'a RawValue,
    #[serde(borrow)]
    signature: Option<&'a RawValue>,
}

/// A document that Intel's signer signed.
#[derive(Debug)]
pub(super) struct Signed<T> {
    pub(super) content: T,
    pub(super) currency: Currency,
    /// issueDate and nextUpdate as text.
    pub(super) dates: [String; 2],
    /// Which signers made it, as positions among all; at least one.
    pub(super) signers: Vec<usize>,
}

impl<T: Content> Signed<T> {
    /// Judges a document. `Err` is the first rejection; without a signer at hand nothing is known of it, which is the
    /// code for a missing document.
    pub(super) fn judge(bytes: &[u8], signers: &Signers) -> Result<Self, Finding> {
        let malformed = |error: &dyn std::fmt::Display| finding(T::CODES.malformed, T::WHAT, error);
        let text = std::str::from_utf8(bytes).map_err(|error| malformed(&error))?;
        json::check(text).map_err(|error| malformed(&error))?;
        let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        let body = envelope.body.get();
        let signature = envelope.signature.and_then(|text| serde_json::from_str(text.get()).ok());
        let Some(Hex::<64>(signature)) = signature else {
            let what = "it has no signature of 64 bytes in hexadecimal";
            return Err(finding(T::CODES.fault.signature, T::WHAT, what));
        };
        let signers = signers.of::<T>(body.as_bytes(), &signature)?;

        let head: Head = serde_json::from_str(body).map_err(|error| malformed(&error))?;
        if head.id != T::ID {
            let what = format!("its id is {:?}, not {:?}", head.id, T::ID);
            return Err(finding(T::CODES.id, T::WHAT, what));
        }
        if !T::VERSIONS.contains(&head.version) {
            let what = format!("version {}, supported are {:?}", head.version, T::VERSIONS);
            return Err(finding(T::CODES.version, T::WHAT, what));
        }
        let currency: Currency = serde_json::from_str(body).map_err(|error| malformed(&error))?;
        let content = T::read(body).map_err(|error| malformed(&error))?;
        content.judge()?;
        let dates = [currency.issue_date, currency.next_update].map(|Time(date)| date.to_string());
        Ok(Self { content, currency, dates, signers })
    }

    /// Whether the document is current.
    pub(super) fn window(&self, now: UnixTime) -> Result<(), Finding> {
        let Currency { issue_date: Time(issue_date), next_update: Time(next_update), .. } = self.currency;
        if now < issue_date {
            let what = format!("issued {issue_date}, now is {now}");
            return Err(finding(T::CODES.future, T::WHAT, what));
        }
        if now > next_update {
            let what = format!("to be replaced by {next_update}, now is {now}");
            return Err(finding(T::CODES.expired, T::WHAT, what));
        }
        Ok(())
    }
}

/// Codes without a document.
pub(super) fn missing<T: Content>(what: &str) -> Finding {
    Finding::new(T::CODES.missing, what)
}

/// The codes of TCB infos.
pub(super) const TCB_INFO_CODES: DocumentCodes = DocumentCodes {
    missing: codes::TDX_TCB_INFO_MISSING,
    malformed: codes::TDX_TCB_INFO_MALFORMED,
    fault: FaultCodes { role: codes::TDX_TCB_INFO_ROLE, signature: codes::TDX_TCB_INFO_SIGNATURE },
    id: codes::TDX_TCB_INFO_ID,
    version: codes::TDX_TCB_INFO_VERSION,
    future: codes::TDX_TCB_INFO_FUTURE,
    expired: codes::TDX_TCB_INFO_EXPIRED,
};

/// The codes of QE identities; outside its window either way is expired.
pub(super) const QE_IDENTITY_CODES: DocumentCodes = DocumentCodes {
    missing: codes::TDX_QE_IDENTITY_MISSING,
    malformed: codes::TDX_QE_IDENTITY_MALFORMED,
    fault: FaultCodes { role: codes::TDX_QE_IDENTITY_ROLE, signature: codes::TDX_QE_IDENTITY_SIGNATURE },
    id: codes::TDX_QE_IDENTITY_ID,
    version: codes::TDX_QE_IDENTITY_VERSION,
    future: codes::TDX_QE_IDENTITY_EXPIRED,
    expired: codes::TDX_QE_IDENTITY_EXPIRED,
};
