//! Who may connect to whom, and what both ends of a connection can export.

use std::sync::Arc;

use fed_node::rpc::{ConnectError, Ended, Limits, connect};
use fed_node::tls::{ClientTls, HANDSHAKE_TIME, HandshakeError, SERVER_NAME};
use fed_proto::crypto::sha256;
use fed_proto::enrol::Subject;
use fed_proto::role::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, HandshakeKind, ServerConfig};

use crate::common::{Server, World, client_subject, name, raw_connect, soon};

fn tls_error(error: ConnectError) -> rustls::Error {
    match error {
        ConnectError::Tls { source: HandshakeError::Tls(error), .. } => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn both_ends_know_each_other() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    let (chain, key) = world.credentials("muster:client:site-1", None);
    let digest = sha256(&chain[0]);
    let tls = ClientTls::new(&world.descriptor, chain, key).unwrap();
    let (client, accepted) = server.session(&tls).await;
    assert_eq!(accepted.peer.subject, client_subject("site-1"));
    assert_eq!(accepted.peer.certificate_sha256, digest);
    let expected = Subject::Participant { role: Role::Server, name: name("server") };
    assert_eq!(client.peer.subject, expected);
    assert_eq!(client.remote.to_string(), server.address);
}

#[tokio::test]
async fn exporter_is_of_the_connection_and_the_context() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    let tls = world.site("site-1");
    let (one, one_there) = server.session(&tls).await;
    let (two, two_there) = server.session(&tls).await;
    let export = |session: &fed_node::rpc::Session, byte| session.peer.exporter.export(&[byte; 32]).unwrap();
    assert_eq!(export(&one, 1), export(&one_there, 1));
    assert_eq!(export(&two, 1), export(&two_there, 1));
    assert_ne!(export(&one, 1), export(&two, 1), "another connection");
    assert_ne!(export(&one, 1), export(&one, 2), "another context");

    let (here, there) = (one.peer.exporter.clone(), one_there.peer.exporter.clone());
    drop(one);
    assert!(matches!(soon(one_there.link.wait()).await, Ended::There(_)));
    // The connection goes a moment after the session.
    soon(async {
        while here.export(&[1; 32]).is_some() || there.export(&[1; 32]).is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(export(&two, 1), export(&two_there, 1), "the other one is not affected");
}

#[tokio::test]
async fn client_of_another_authority_refused() {
    let (world, other) = (World::new(), World::new());
    let mut server = Server::start(&world).await;
    let (chain, key) = other.credentials("muster:client:site-1", None);
    let tls = ClientTls::new(&world.descriptor, chain, key).unwrap();
    let error = tls_error(server.refusal(&tls).await);
    assert!(matches!(error, rustls::Error::AlertReceived(_)), "{error:?}");
    assert!(server.sessions.try_recv().is_err());
}

#[tokio::test]
async fn server_of_another_authority_refused() {
    let (world, other) = (World::new(), World::new());
    let server = Server::start(&other).await;
    let error = tls_error(server.refusal(&world.site("site-1")).await);
    // The two authorities have one name.
    assert_eq!(error, rustls::Error::InvalidCertificate(rustls::CertificateError::BadSignature));
}

#[tokio::test]
async fn site_is_no_server() {
    let world = World::new();
    // As enrolled: for clients, without the server's name in TLS.
    let server = Server::with(world.server_tls_as("muster:client:site-2", None), Limits::default()).await;
    let error = tls_error(server.refusal(&world.site("site-1")).await);
    assert!(matches!(error, rustls::Error::InvalidCertificate(_)), "{error:?}");
    // With the usage and name of a server, it still is not the descriptor's.
    for uri in ["muster:client:server", "muster:server:other", "muster:admin:server"] {
        let server = Server::with(world.server_tls_as(uri, Some(SERVER_NAME)), Limits::default()).await;
        let error = server.refusal(&world.site("site-1")).await;
        let ConnectError::WrongServer { source: HandshakeError::WrongServer { found, expected }, .. } = error
        else {
            panic!("{uri}: {error:?}")
        };
        assert_eq!(expected, name("server"));
        assert!(format!("{found:?}").to_lowercase().contains(uri.rsplit(':').next().unwrap()));
    }
}

#[tokio::test]
async fn server_without_its_name_in_tls_refused() {
    let world = World::new();
    for dns in ["localhost", "muster-server.example"] {
        let tls = world.server_tls_as("muster:server:server", Some(dns));
        let server = Server::with(tls, Limits::default()).await;
        let error = tls_error(server.refusal(&world.site("site-1")).await);
        assert!(matches!(error, rustls::Error::InvalidCertificate(_)), "{error:?}");
    }
}

#[tokio::test]
async fn certificate_that_names_nobody_refused() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    for uri in ["", "muster:client:Not-A-Name", "muster:owner:site-1", "https://example.org/site-1"] {
        server.refusal(&world.tls(uri)).await;
    }
    let tls = world.server_tls_as("", Some(SERVER_NAME));
    let nameless = Server::with(tls, Limits::default()).await;
    let error = nameless.refusal(&world.site("site-1")).await;
    let ConnectError::WrongServer { source: HandshakeError::Nameless(finding), .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(finding.code, cc_core::codes::FL_NAME_UNAUTHENTICATED);
    assert!(server.sessions.try_recv().is_err());
    let (_client, accepted) = server.session(&world.site("site-1")).await;
    assert_eq!(accepted.peer.subject, client_subject("site-1"));
}

/// What a server says to a client that it refuses, which TLS 1.3 tells only after the client's own handshake.
async fn alert(config: rustls::ClientConfig, address: &str) -> std::io::Error {
    let mut stream = match soon(raw_connect(&Arc::new(config), address)).await {
        Ok(stream) => stream,
        Err(error) => return error,
    };
    match soon(stream.read(&mut [0; 64])).await {
        Err(error) => error,
        Ok(count) => panic!("{count} bytes instead of a refusal"),
    }
}

#[tokio::test]
async fn what_is_no_mutual_tls_1_3_with_http2_refused() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    let site = || Some(world.credentials("muster:client:site-1", None));
    let anonymous = alert(world.raw_config(None, &[&TLS13]), &server.address).await;
    assert!(anonymous.to_string().contains("CertificateRequired"), "{anonymous}");
    let old = alert(world.raw_config(site(), &[&TLS12]), &server.address).await;
    assert!(old.to_string().contains("ProtocolVersion"), "{old}");
    let mut http1 = world.raw_config(site(), &[&TLS13]);
    http1.alpn_protocols = vec![b"http/1.1".to_vec()];
    let http1 = alert(http1, &server.address).await;
    assert!(http1.to_string().contains("NoApplicationProtocol"), "{http1}");
    // Nothing agreed upon is not HTTP/2 either.
    let mut none = world.raw_config(site(), &[&TLS13]);
    none.alpn_protocols.clear();
    let mut none = soon(raw_connect(&Arc::new(none), &server.address)).await.unwrap();
    assert!(matches!(soon(none.read(&mut [0; 64])).await, Ok(0) | Err(_)));
    // Nor is anything else.
    let mut garbage = TcpStream::connect(&server.address).await.unwrap();
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = soon(garbage.read_to_end(&mut answer)).await;
    assert!(!answer.starts_with(b"HTTP"));
    assert!(server.sessions.try_recv().is_err());
    server.session(&world.site("site-1")).await;
}

#[tokio::test]
async fn server_never_resumes() {
    let world = World::new();
    let server = Server::start(&world).await;
    let mut config = world.raw_config(Some(world.credentials("muster:client:site-1", None)), &[&TLS13]);
    config.enable_early_data = true;
    let config = Arc::new(config);
    for _ in 0..2 {
        let mut stream = soon(raw_connect(&config, &server.address)).await.unwrap();
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
        // The server's settings: whatever tickets it has came before.
        assert!(soon(stream.read(&mut [0; 64])).await.unwrap() > 0);
        assert_eq!(stream.get_ref().1.tls13_tickets_received(), 0);
    }
}

#[tokio::test]
async fn client_never_resumes() {
    let world = World::new();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = Arc::new(world.roots());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build().unwrap();
    let (chain, key) = world.credentials("muster:server:server", Some(SERVER_NAME));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.max_early_data_size = 1024;
    assert!(config.send_tls13_tickets > 0, "this server offers resumption");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let client = tokio::spawn({
        let tls = world.site("site-1");
        async move {
            for _ in 0..2 {
                connect(&tls, &address).await.map(drop).unwrap_err();
            }
        }
    });
    for _ in 0..2 {
        let (tcp, _) = soon(listener.accept()).await.unwrap();
        let mut stream = soon(acceptor.accept(tcp)).await.unwrap();
        // The client has finished its handshake, tickets included, when it begins HTTP/2.
        assert!(soon(stream.read(&mut [0; 64])).await.unwrap() > 0);
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
    }
    soon(client).await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let error = soon(connect(&world.site("site-1"), &address)).await.map(drop).unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().starts_with(&address), "{error}");
}

#[tokio::test(start_paused = true)]
async fn silent_handshakes_end_and_leave_room() {
    let world = World::new();
    let limits = Limits { handshakes: 2, ..Limits::default() };
    let mut server = Server::with(world.server_tls(), limits).await;
    let start = Instant::now();
    let mut silent = TcpStream::connect(&server.address).await.unwrap();
    let mut second = TcpStream::connect(&server.address).await.unwrap();
    // All places are taken: whoever came when it was crowded has less time.
    server.session(&world.site("site-1")).await;
    assert!(start.elapsed() < HANDSHAKE_TIME, "{:?}", start.elapsed());
    assert_eq!(second.read(&mut [0; 64]).await.unwrap(), 0);
    assert_eq!(silent.read(&mut [0; 64]).await.unwrap(), 0, "closed by the server's limit");
    assert!(start.elapsed() >= HANDSHAKE_TIME);
}
