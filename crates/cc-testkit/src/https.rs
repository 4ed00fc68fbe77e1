//! A stand-in for a vendor's service: HTTPS on loopback, or HTTP for the services that a machine has to itself; answers
//! by path, misbehaves on request.
//!
//! HTTP is written by hand, so that it can be wrong. The server has a thread of its own and works for
//! asynchronous tests and for child processes alike; it ends when it is dropped.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What the service does instead of answering.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Status 429, with this `Retry-After` if any.
    Throttle(Option<String>),
    /// Status 503, with this `Retry-After` if any.
    Busy(Option<String>),
    /// A bare status.
    Status(u16),
    /// A status with this body.
    Refuse(u16, String),
    /// Status 200 with this body.
    Say(Vec<u8>),
    /// Takes the request and never answers.
    Stall,
    /// Status 302 to this place.
    Redirect(String),
    /// Promises the whole body and sends half of it.
    Truncate,
    /// Sends this many bytes; the second field says whether the length is announced.
    Oversize(usize, bool),
    /// Status 200 and no body.
    Empty,
    /// The body without the headers that belong to it.
    Bare,
}

/// What is answered for a path.
#[derive(Clone, Default)]
struct Route {
    headers: Vec<String>,
    body: Vec<u8>,
    /// Answers what is posted; without one, only what is got is answered.
    post: Option<Arc<Post>>,
    /// A header, with its value, without which the answer is status 400.
    demanded: Option<(String, String)>,
}

/// The answer, its media type in front, to a question of some media type.
type Post = dyn Fn(&str, &[u8]) -> (String, Vec<u8>) + Send + Sync;

#[derive(Default)]
struct State {
    routes: HashMap<String, Route>,
    once: HashMap<String, VecDeque<Fault>>,
    always: HashMap<String, Fault>,
    silent: bool,
    log: Vec<String>,
}

/// The running service.
pub struct Service {
    state: Arc<Mutex<State>>,
    arrivals: watch::Receiver<usize>,
    scheme: &'static str,
    port: u16,
    ca_der: Vec<u8>,
    ca_pem: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Service {
    /// Starts the service on a free port, without routes.
    pub fn start() -> Self {
        let authority = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let ca = params.self_signed(&authority).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let issuer = Issuer::from_params(&params, &authority);
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let tls = server_config(certificate.der().clone(), PrivateKeyDer::Pkcs8(key.serialize_der().into()));
        Self::listen(Some(tls), ca.der().to_vec(), ca.pem())
    }

    /// The same without TLS.
    pub fn start_plain() -> Self {
        Self::listen(None, Vec::new(), String::new())
    }

    fn listen(tls: Option<TlsAcceptor>, ca_der: Vec<u8>, ca_pem: String) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let state = Arc::new(Mutex::new(State::default()));
        let (stop, stopped) = oneshot::channel();
        let (ready, port) = std::sync::mpsc::channel();
        let (arrived, arrivals) = watch::channel(0);
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                ready.send(listener.local_addr().unwrap().port()).unwrap();
                tokio::select! {
                    () = serve(listener, tls, shared, Arc::new(arrived)) => {}
                    _ = stopped => {}
                }
            });
        });
        let port = port.recv().unwrap();
        Self { state, arrivals, scheme, port, ca_der, ca_pem, stop: Some(stop), thread: Some(thread) }
    }

    /// The base address, `https://127.0.0.1:PORT` or the same with `http`.
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// The same service under another host name.
    pub fn other_name(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.port)
    }

    /// The authority that issued the service's certificate, in DER.
    pub fn ca_der(&self) -> &[u8] {
        &self.ca_der
    }

    /// Writes the authority as PEM, for configurations that name a file.
    pub fn write_ca(&self, file: &Path) {
        std::fs::write(file, &self.ca_pem).unwrap();
    }

    /// Answers `path` (with its query) with `body`; replaces an earlier answer.
    pub fn route(&self, path: &str, body: &[u8]) {
        self.route_with(path, &[], body);
    }

    /// The same with headers, by name.
    pub fn route_with(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let headers = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let route = Route { headers, body: body.to_vec(), ..Route::default() };
        self.state.lock().unwrap().routes.insert(path.to_owned(), route);
    }

    /// Answers what is posted to `path`: `answer` gets the question's media type and body, and gives those of the
    /// answer.
    pub fn route_post(
        &self,
        path: &str,
        answer: impl Fn(&str, &[u8]) -> (String, Vec<u8>) + Send + Sync + 'static,
    ) {
        let route = Route { post: Some(Arc::new(answer)), ..Route::default() };
        self.state.lock().unwrap().routes.insert(path.to_owned(), route);
    }

    /// From now on answers `path` only to who sends this header.
    pub fn demand(&self, path: &str, header: &str, value: &str) {
        let mut state = self.state.lock().unwrap();
        state.routes.get_mut(path).unwrap().demanded = Some((header.to_owned(), value.to_owned()));
    }

    /// Misbehaves on the next request for `path`; several faults apply one after the other.
    pub fn fault(&self, path: &str, fault: Fault) {
        self.state.lock().unwrap().once.entry(path.to_owned()).or_default().push_back(fault);
    }

    /// Misbehaves on every request for `path`.
    pub fn always(&self, path: &str, fault: Fault) {
        self.state.lock().unwrap().always.insert(path.to_owned(), fault);
    }

    /// From now on takes connections and never says a word, not even in the TLS handshake.
    pub fn silence(&self) {
        self.state.lock().unwrap().silent = true;
    }

    /// Ends the service: its port is closed when this returns.
    pub fn go_down(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Every request so far: path with query, in the order of arrival.
    pub fn log(&self) -> Vec<String> {
        self.state.lock().unwrap().log.clone()
    }

    /// How many requests there were for `path`.
    pub fn count(&self, path: &str) -> usize {
        self.log().iter().filter(|logged| *logged == path).count()
    }

    /// Waits until `count` requests (or, when silent, connections) arrived in total.
    pub async fn arrived(&self, count: usize) {
        self.arrivals.clone().wait_for(|&arrived| arrived >= count).await.unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.go_down();
    }
}

fn server_config(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> TlsAcceptor {
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    state: Arc<Mutex<State>>,
    arrived: Arc<watch::Sender<usize>>,
) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(connection(stream, tls.clone(), Arc::clone(&state), Arc::clone(&arrived)));
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    state: Arc<Mutex<State>>,
    arrived: Arc<watch::Sender<usize>>,
) {
    if state.lock().unwrap().silent {
        arrived.send_modify(|count| *count += 1);
        std::future::pending::<()>().await;
    }
    match tls {
        // A client that does not trust this authority ends the handshake: nothing to answer then.
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                exchange(stream, state, arrived).await;
            }
        }
        None => exchange(stream, state, arrived).await,
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    state: Arc<Mutex<State>>,
    arrived: Arc<watch::Sender<usize>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.clone().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let mut question = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
    if stream.read_exact(&mut question).await.is_err() {
        return;
    }
    let answer = {
        let mut state = state.lock().unwrap();
        state.log.push(path.clone());
        let fault = state.once.get_mut(&path).and_then(VecDeque::pop_front);
        let fault = fault.or_else(|| state.always.get(&path).cloned());
        let route = state.routes.get(&path).filter(|route| route.post.is_some() == head.starts_with("POST "));
        let demanded = route.and_then(|route| route.demanded.as_ref());
        let unmet = demanded.is_some_and(|(name, value)| header(name).as_ref() != Some(value));
        let fault = fault.or_else(|| unmet.then_some(Fault::Status(400)));
        let posted = route.and_then(|route| {
            let (media_type, body) =
                route.post.as_ref()?(&header("content-type").unwrap_or_default(), &question);
            Some(Route { headers: vec![format!("Content-Type: {media_type}")], body, ..Route::default() })
        });
        answer(fault, posted.as_ref().or(route))
    };
    arrived.send_modify(|count| *count += 1);
    match answer {
        Some(answer) => {
            // A client that gave up on the answer has closed the connection.
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
        None => std::future::pending::<()>().await,
    }
}

/// The bytes of the answer; `None` when there is to be none.
fn answer(fault: Option<Fault>, route: Option<&Route>) -> Option<Vec<u8>> {
    let whole = route.cloned().unwrap_or_default();
    let (headers, body, length) = (&whole.headers[..], &whole.body[..], Some(whole.body.len()));
    let Some(fault) = fault else {
        return Some(match route {
            Some(_) => response("200 OK", headers, length, body),
            None => response("404 Not Found", &[], Some(0), b""),
        });
    };
    Some(match fault {
        Fault::Throttle(after) => {
            let header = after.map(|after| format!("Retry-After: {after}"));
            response("429 Too Many Requests", &header.into_iter().collect::<Vec<_>>(), Some(0), b"")
        }
        Fault::Busy(after) => {
            let header = after.map(|after| format!("Retry-After: {after}"));
            response("503 Service Unavailable", &header.into_iter().collect::<Vec<_>>(), Some(0), b"")
        }
        Fault::Refuse(status, body) => {
            response(&format!("{status} Status"), &[], Some(body.len()), body.as_bytes())
        }
        Fault::Say(body) => response("200 OK", headers, Some(body.len()), &body),
        Fault::Status(status) => response(&format!("{status} Status"), &[], Some(0), b""),
        Fault::Stall => return None,
        Fault::Redirect(to) => response("302 Found", &[format!("Location: {to}")], Some(0), b""),
        Fault::Truncate => response("200 OK", headers, length, &body[..body.len() / 2]),
        Fault::Oversize(size, announced) => {
            response("200 OK", &[], announced.then_some(size), &vec![0x30; size])
        }
        Fault::Empty => response("200 OK", headers, Some(0), b""),
        Fault::Bare => response("200 OK", &[], length, body),
    })
}

fn response(status: &str, headers: &[String], length: Option<usize>, body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    if let Some(length) = length {
        text.push_str(&format!("Content-Length: {length}\r\n"));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}
