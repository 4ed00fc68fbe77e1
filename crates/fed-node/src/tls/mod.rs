//! Mutual TLS 1.3 between enrolled participants.
//!
//! Both ends prove an enrolment certificate under a CA of the federation's descriptor. There is one version, one
//! crypto provider, one protocol above (HTTP/2), and no resumption of any kind: each connection is a full handshake
//! with its own keys, as a proof over the connection needs it (*verification.md* 5.4).
//!
//! A handshake proves who the peer was enrolled as. Whether it still is (revocation), and what it runs, is for the
//! caller to decide.

mod error;
mod stream;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use fed_proto::crypto::{Digest, sha256};
use fed_proto::descriptor::Descriptor;
use fed_proto::enrol::{self, Subject};
use fed_proto::name::Name;
use fed_proto::role::Role;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::time::timeout;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

pub(crate) use error::subject_words;
pub use error::{ConfigError, HandshakeError};
pub use stream::Exporter;
pub(crate) use stream::Stream;

use crate::wire::Wire;

/// How long a handshake may take.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// The name that the server's certificate has for TLS, in every federation. Which server it is, its URI says.
pub const SERVER_NAME: &str = "muster-server";

/// How long the reason of a refusal may take to reach the peer.
const LINGER: Duration = Duration::from_secs(2);
const ALPN: &[u8] = b"h2";

/// Who is at the other end of a connection, by what the handshake proved.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// What its enrolment certificate names.
    pub subject: Subject,
    /// SHA-256 of that certificate, by which a bundle revokes it.
    pub certificate_sha256: Digest,
    /// Keying material of this connection.
    pub exporter: Exporter,
}

/// The server's side of TLS.
#[derive(Clone)]
pub struct ServerTls {
    acceptor: TlsAcceptor,
}

impl ServerTls {
    /// Takes the server's enrolment chain, leaf first, and its key.
    pub fn new(
        descriptor: &Descriptor,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, ConfigError> {
        let provider = provider();
        let roots = Arc::new(roots(descriptor)?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Accepts a connection within `limit`, or refuses it, and the peer learns why.
    pub(crate) async fn accept(
        &self,
        wire: Wire,
        limit: Duration,
    ) -> Result<(Stream, Authenticated), HandshakeError> {
        let accepting = self.acceptor.accept(wire).into_fallible();
        match timeout(limit, accepting).await.map_err(|_| late())? {
            Ok(accepted) => finish(accepted.into()),
            Err((error, wire)) => {
                stream::close(wire, LINGER).await;
                Err(error.into())
            }
        }
    }
}

/// A client's side of TLS: an agent's or an administrator's.
#[derive(Clone)]
pub struct ClientTls {
    connector: TlsConnector,
    server: Name,
}

impl ClientTls {
    /// Takes the client's enrolment chain, leaf first, and its key.
    pub fn new(
        descriptor: &Descriptor,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, ConfigError> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots(descriptor)?)
            .with_client_auth_cert(chain, key)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), server: descriptor.server.clone() })
    }

    /// Connects, and makes sure that the peer is the descriptor's server.
    pub(crate) async fn connect(&self, wire: Wire) -> Result<(Stream, Authenticated), HandshakeError> {
        let name = ServerName::try_from(SERVER_NAME).map_err(io::Error::other)?;
        let connecting = self.connector.connect(name, wire);
        let connected = timeout(HANDSHAKE_TIME, connecting).await.map_err(|_| late())??;
        let (stream, peer) = finish(connected.into())?;
        let expected = Subject::Participant { role: Role::Server, name: self.server.clone() };
        if peer.subject == expected {
            Ok((stream, peer))
        } else {
            Err(HandshakeError::WrongServer { found: peer.subject, expected: self.server.clone() })
        }
    }
}

/// Fails unless `key` is the key of the first certificate.
pub(crate) fn check_pair(
    chain: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
) -> Result<(), rustls::Error> {
    CertifiedKey::from_der(chain.to_vec(), key.clone_key(), &aws_lc_rs::default_provider()).map(drop)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn roots(descriptor: &Descriptor) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    for der in &descriptor.enrolment_cas {
        roots.add(CertificateDer::from(der.as_slice()).into_owned())?;
    }
    Ok(roots)
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the TLS handshake took too long")
}

/// Reads off a finished handshake who the peer is.
fn finish(tls: tokio_rustls::TlsStream<Wire>) -> Result<(Stream, Authenticated), HandshakeError> {
    let (_, state) = tls.get_ref();
    if state.alpn_protocol() != Some(ALPN) {
        return Err(HandshakeError::NoHttp2);
    }
    let leaf = state.peer_certificates().and_then(<[_]>::first).ok_or(HandshakeError::NoCertificate)?;
    let subject = enrol::subject(leaf)?;
    let certificate_sha256 = sha256(leaf);
    let stream = Stream::new(tls);
    let exporter = stream.exporter();
    Ok((stream, Authenticated { subject, certificate_sha256, exporter }))
}
