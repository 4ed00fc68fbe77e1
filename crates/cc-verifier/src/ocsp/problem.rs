//! Why a certificate cannot be relied on, and the code that this has.

use cc_core::{Finding, UnixTime, codes};

/// What is wrong with a certificate or with the answers about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is no answer about it, or none but that the responder cannot answer.
    Missing,
    /// An answer to a question about it is malformed, or does not read as an answer; says where.
    Malformed(&'static str),
    /// An answer is from somebody whom the issuer did not authorise; says why.
    Responder(&'static str),
    /// The signature of an answer does not fit.
    Signature,
    /// The answer to a question about it is about something else.
    CertIdMismatch,
    /// The answer to a question does not echo the question's nonce.
    Nonce,
    /// The responder's certificate is not valid now.
    ResponderExpired {
        /// Start of its validity.
        from: UnixTime,
        /// End of its validity.
        until: UnixTime,
        /// The instant for which is judged.
        now: UnixTime,
    },
    /// An answer is not current.
    Stale {
        /// From when it is.
        this_update: UnixTime,
        /// Until when it is; an answer that does not say so could be kept back for ever.
        next_update: Option<UnixTime>,
        /// The instant for which is judged.
        now: UnixTime,
    },
    /// The responder does not know the certificate.
    Unknown,
    /// The certificate is revoked or on hold.
    Revoked {
        /// Since when.
        since: UnixTime,
    },
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// It says whose a device's key is (G8).
    Device,
    /// It says who signed a reference manifest (G13).
    Manifest,
}

impl Problem {
    /// How far the answer came that has this problem: that of the one that came furthest is told.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Missing => 0,
            Self::Malformed(_) => 1,
            Self::Responder(_) => 2,
            Self::Signature => 3,
            Self::CertIdMismatch => 4,
            Self::Nonce => 5,
            Self::ResponderExpired { .. } => 6,
            Self::Stale { .. } => 7,
            Self::Unknown => 8,
            Self::Revoked { .. } => 9,
        }
    }

    /// The finding about a certificate, which `whose` names, of that chain.
    pub fn finding(&self, chain: Chain, whose: &str) -> Finding {
        let code = match (self, chain) {
            (Self::Missing, _) => codes::GPU_OCSP_UNAVAILABLE,
            (Self::Malformed(_) | Self::Signature, _) => codes::GPU_OCSP_SIGNATURE,
            (Self::Responder(_) | Self::ResponderExpired { .. }, _) => codes::GPU_OCSP_RESPONDER,
            (Self::CertIdMismatch, _) => codes::GPU_OCSP_CERTID_MISMATCH,
            (Self::Nonce, _) => codes::GPU_OCSP_NONCE,
            (Self::Stale { .. }, _) => codes::GPU_OCSP_STALE,
            (Self::Unknown, _) => codes::GPU_CERT_UNKNOWN,
            (Self::Revoked { .. }, Chain::Device) => codes::GPU_CERT_REVOKED,
            (Self::Revoked { .. }, Chain::Manifest) => codes::GPU_RIM_REVOKED,
        };
        Finding::new(code, format!("{whose}: {self}"))
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("no OCSP answer"),
            Self::Malformed(what) => write!(f, "malformed {what}"),
            Self::Responder(what) => write!(f, "the OCSP answer is not from an authorised responder: {what}"),
            Self::Signature => f.write_str("the signature of the OCSP answer does not verify"),
            Self::CertIdMismatch => f.write_str("the OCSP answer is about another certificate"),
            Self::Nonce => f.write_str("the OCSP answer does not echo the nonce of the request"),
            Self::ResponderExpired { from, until, now } => {
                write!(
                    f,
                    "the certificate of the OCSP responder is valid from {from} until {until}, now is {now}"
                )
            }
            Self::Stale { this_update, next_update: None, now } => {
                write!(f, "the OCSP answer of {this_update} has no nextUpdate, now is {now}")
            }
            Self::Stale { this_update, next_update: Some(next_update), now } => {
                write!(f, "the OCSP answer is current from {this_update} until {next_update}, now is {now}")
            }
            Self::Unknown => f.write_str("the OCSP responder does not know the certificate"),
            Self::Revoked { since } => write!(f, "revoked since {since}"),
        }
    }
}
