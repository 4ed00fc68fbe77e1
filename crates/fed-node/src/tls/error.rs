//! What goes wrong around a handshake.

use std::io;

use cc_core::Finding;
use fed_proto::enrol::Subject;
use fed_proto::name::Name;
use tokio_rustls::rustls;
use tokio_rustls::rustls::server::VerifierBuilderError;

/// A kit's certificates or key cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The chain, the key or an enrolment CA.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// No usable enrolment CA.
    #[error(transparent)]
    Verifier(#[from] VerifierBuilderError),
}

/// Why a handshake did not produce a connection.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The connection broke, or took too long.
    #[error(transparent)]
    Io(io::Error),
    /// One of the two ends refuses the other.
    #[error(transparent)]
    Tls(rustls::Error),
    /// The peer did not agree to HTTP/2.
    #[error("the peer does not speak HTTP/2")]
    NoHttp2,
    /// The peer showed no certificate.
    #[error("the peer has no certificate")]
    NoCertificate,
    /// Its certificate is of an enrolment CA but names nobody; `fl.name.unauthenticated`.
    #[error("{0}")]
    Nameless(Finding),
    /// A participant of this federation, but not its server.
    #[error("the peer is not the server {expected} of the descriptor but {}", subject_words(found))]
    WrongServer {
        /// Who it is.
        found: Subject,
        /// Who it should be.
        expected: Name,
    },
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        match of_tls(&error) {
            Some(tls) => Self::Tls(tls),
            None => Self::Io(error),
        }
    }
}

impl From<Finding> for HandshakeError {
    fn from(finding: Finding) -> Self {
        Self::Nameless(finding)
    }
}

/// The TLS error inside of an I/O error.
pub(super) fn of_tls(error: &io::Error) -> Option<rustls::Error> {
    error.get_ref()?.downcast_ref().cloned()
}

/// A subject for people.
pub(crate) fn subject_words(subject: &Subject) -> String {
    match subject {
        Subject::Participant { role, name } => format!("the {role} {name}"),
        Subject::Admin { name } => format!("the admin {name}"),
    }
}
