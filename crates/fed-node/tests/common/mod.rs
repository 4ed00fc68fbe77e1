//! A federation's certificates, a server on loopback, and clients that do not keep to the rules.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fed_node::rpc::{ConnectError, Limits, Session, Sessions, Status, connect, serve};
use fed_node::tls::{Authenticated, ClientTls, SERVER_NAME, ServerTls};
use fed_proto::descriptor::{Descriptor, FederationProfile};
use fed_proto::enrol::Subject;
use fed_proto::name::Name;
use fed_proto::role::Role;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::CancellationToken;

/// A certificate chain and its key.
pub(crate) type Credentials = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn client_subject(text: &str) -> Subject {
    Subject::Participant { role: Role::Client, name: name(text) }
}

/// Fails instead of hanging; what is awaited takes milliseconds.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.unwrap()
}

/// One enrolment CA and the federation around it.
pub(crate) struct World {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) descriptor: Descriptor,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "enrolment");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let descriptor = Descriptor {
            name: "test".to_owned(),
            random: [1; 16],
            owner: [2; 32],
            enrolment_cas: vec![der],
            profile: FederationProfile::Development,
            server: name("server"),
        };
        Self { issuer: Issuer::new(params, key), descriptor }
    }

    /// A certificate with this URI (none if empty); with `dns`, also for a TLS server of that name.
    pub(crate) fn certificate(&self, uri: &str, dns: Option<&str>) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, uri);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if !uri.is_empty() {
            params.subject_alt_names.push(SanType::URI(uri.try_into().unwrap()));
        }
        if let Some(dns) = dns {
            params.subject_alt_names.push(SanType::DnsName(dns.try_into().unwrap()));
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    pub(crate) fn credentials(&self, uri: &str, dns: Option<&str>) -> Credentials {
        let (certificate, key) = self.certificate(uri, dns);
        (vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }

    pub(crate) fn server_tls(&self) -> ServerTls {
        self.server_tls_as("muster:server:server", Some(SERVER_NAME))
    }

    pub(crate) fn server_tls_as(&self, uri: &str, dns: Option<&str>) -> ServerTls {
        let (chain, key) = self.credentials(uri, dns);
        ServerTls::new(&self.descriptor, chain, key).unwrap()
    }

    /// TLS of a client with a certificate for this URI.
    pub(crate) fn tls(&self, uri: &str) -> ClientTls {
        let (chain, key) = self.credentials(uri, None);
        ClientTls::new(&self.descriptor, chain, key).unwrap()
    }

    pub(crate) fn site(&self, name: &str) -> ClientTls {
        self.tls(&format!("muster:client:{name}"))
    }

    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        for der in &self.descriptor.enrolment_cas {
            roots.add(der.clone().into()).unwrap();
        }
        roots
    }

    /// rustls as it comes, for clients that do not keep to the rules.
    pub(crate) fn raw_config(
        &self,
        credentials: Option<Credentials>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(self.roots());
        let mut config = match credentials {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }
}

pub(crate) async fn raw_connect(
    config: &Arc<ClientConfig>,
    address: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(address).await?;
    let name = ServerName::try_from(SERVER_NAME).unwrap();
    TlsConnector::from(Arc::clone(config)).connect(name, tcp).await
}

/// HTTP/2 without any of this crate's restraint, as the site `raw`, and what the connection exports for 32 ones.
pub(crate) async fn raw_http2<B>(world: &World, address: &str) -> (SendRequest<B>, [u8; 32])
where
    B: hyper::body::Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
{
    let credentials = world.credentials("muster:client:raw", None);
    let config = Arc::new(world.raw_config(Some(credentials), &[&TLS13]));
    let stream = soon(raw_connect(&config, address)).await.unwrap();
    let label = b"EXPORTER-MUSTER-Attestation";
    let exported = stream.get_ref().1.export_keying_material([0; 32], label, Some(&[1; 32])).unwrap();
    let (requests, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    (requests, exported)
}

/// Hands sessions to the test, and answers administrators with their name and what they sent.
struct Handler(mpsc::UnboundedSender<Session>);

impl Sessions for Handler {
    fn open(&self, session: Session) {
        let _ = self.0.send(session);
    }

    async fn admin(&self, peer: &Authenticated, request: Bytes) -> Result<Bytes, Status> {
        let Subject::Admin { name } = &peer.subject else { return Err(Status::internal("not an admin")) };
        if request.is_empty() {
            return Err(Status::invalid_argument("empty"));
        }
        Ok([name.as_str().as_bytes(), b":", &request].concat().into())
    }
}

pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) sessions: mpsc::UnboundedReceiver<Session>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(world: &World) -> Self {
        Self::with(world.server_tls(), Limits::default()).await
    }

    pub(crate) async fn with(tls: ServerTls, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, sessions) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(serve(listener, tls, limits, Handler(sender), shutdown.clone()));
        Self { address, sessions, shutdown, task }
    }

    /// Both ends of a new session.
    pub(crate) async fn session(&mut self, tls: &ClientTls) -> (Session, Session) {
        let client = soon(connect(tls, &self.address)).await.unwrap();
        (client, soon(self.sessions.recv()).await.unwrap())
    }

    pub(crate) async fn refusal(&self, tls: &ClientTls) -> ConnectError {
        soon(connect(tls, &self.address)).await.map(drop).unwrap_err()
    }
}

/// A frame goes there and back.
pub(crate) async fn exchange(client: &mut Session, server: &mut Session) {
    client.outbound.send(Bytes::from_static(b"ping")).unwrap();
    assert_eq!(soon(server.inbound.recv()).await.unwrap(), "ping");
    server.outbound.send(Bytes::from_static(b"pong")).unwrap();
    assert_eq!(soon(client.inbound.recv()).await.unwrap(), "pong");
}
