//! Asking the stand-ins of services.

use std::sync::Arc;

use cc_testkit::https::Service;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Status line and body of the answer to a request.
pub(crate) async fn ask(service: &Service, request: &str) -> (String, Vec<u8>) {
    let url = service.url();
    if let Some(authority) = url.strip_prefix("http://") {
        return exchange(tokio::net::TcpStream::connect(authority).await.unwrap(), request).await;
    }
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(service.ca_der().to_vec())).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let authority = url.strip_prefix("https://").unwrap();
    let stream = tokio::net::TcpStream::connect(authority).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    exchange(TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap(), request).await
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> (String, Vec<u8>) {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
    let status = String::from_utf8(answer[..end].to_vec()).unwrap().lines().next().unwrap().to_owned();
    (status, answer[end..].to_vec())
}

/// The same of the answer to JSON that is posted.
pub(crate) async fn post(service: &Service, path: &str, body: &str) -> (String, Vec<u8>) {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {length}");
    ask(service, &format!("{head}\r\n\r\n{body}")).await
}
