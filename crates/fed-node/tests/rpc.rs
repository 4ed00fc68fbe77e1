//! Frames there and back, and what happens to whoever does not keep to the limits: to them, and to nobody else.

use std::sync::Arc;

use bytes::Bytes;
use cc_core::codes;
use fed_node::rpc::{
    ConnectError, Ended, Limits, MAX_DOWNWARD, MAX_UPWARD, NotSent, Rate, Session, admin_call, connect,
};
use http::Request;
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::version::TLS13;

use crate::common::{Server, World, exchange, raw_connect, raw_http2, soon};

fn frame(length: usize) -> Bytes {
    (0..=255).cycle().take(length).collect::<Vec<u8>>().into()
}

fn refused(error: ConnectError) -> (tonic::Code, String) {
    match error {
        ConnectError::Refused { status, .. } => (status.code(), status.message().to_owned()),
        other => panic!("{other:?}"),
    }
}

fn there(ended: Ended) -> String {
    match ended {
        Ended::There(text) => text,
        other => panic!("{other:?}"),
    }
}

fn quarantined(ended: Ended) -> String {
    match ended {
        Ended::Quarantined(finding) if finding.code == codes::FL_PEER_QUARANTINED => finding.detail,
        other => panic!("{other:?}"),
    }
}

/// Everything that arrives until the end.
async fn rest(session: &mut Session) -> usize {
    let mut count = 0;
    while soon(session.inbound.recv()).await.is_some() {
        count += 1;
    }
    count
}

#[tokio::test]
async fn frames_arrive_in_order_and_whole() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    let (mut client, mut accepted) = server.session(&world.site("site-1")).await;
    let sizes = [0, 1, 127, 128, 70_000, MAX_UPWARD];
    for size in sizes {
        client.outbound.send(frame(size)).unwrap();
    }
    for size in sizes {
        assert_eq!(soon(accepted.inbound.recv()).await.unwrap(), frame(size));
    }
    for size in sizes.into_iter().chain([MAX_DOWNWARD]) {
        accepted.outbound.send(frame(size)).unwrap();
        assert_eq!(soon(client.inbound.recv()).await.unwrap(), frame(size));
    }
    let too_large = |size, limit| Err(NotSent::TooLarge { size, limit });
    let up = client.outbound.send(frame(MAX_UPWARD + 1));
    assert_eq!(up, too_large(MAX_UPWARD + 1, MAX_UPWARD));
    let down = accepted.outbound.send(frame(MAX_DOWNWARD + 1));
    assert_eq!(down, too_large(MAX_DOWNWARD + 1, MAX_DOWNWARD));
    exchange(&mut client, &mut accepted).await;
}

#[tokio::test]
async fn what_was_sent_before_the_end_arrives() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    let (client, mut accepted) = server.session(&world.site("site-1")).await;
    for _ in 0..100 {
        client.outbound.send(frame(10_000)).unwrap();
    }
    drop(client);
    assert_eq!(rest(&mut accepted).await, 100);
    assert!(matches!(soon(accepted.link.wait()).await, Ended::There(_)));

    let (mut client, accepted) = server.session(&world.site("site-1")).await;
    for _ in 0..100 {
        accepted.outbound.send(frame(100_000)).unwrap();
    }
    drop(accepted);
    assert_eq!(rest(&mut client).await, 100);
    assert!(matches!(soon(client.link.wait()).await, Ended::There(_)));
    assert_eq!(client.outbound.send(frame(1)), Err(NotSent::Ended));
}

#[tokio::test]
async fn refusal_says_why_after_what_was_sent() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    let (mut client, accepted) = server.session(&world.site("site-1")).await;
    accepted.outbound.send(frame(10)).unwrap();
    let finding = cc_core::Finding::new(codes::FL_REGISTRATION_DUPLICATE, "site-1 is there already");
    accepted.link.end(Ended::Refused(finding.clone()));
    accepted.link.end(Ended::Here);
    assert_eq!(accepted.outbound.send(frame(10)), Err(NotSent::Ended));
    assert_eq!(rest(&mut client).await, 1);
    assert_eq!(there(soon(client.link.wait()).await), finding.to_string());
    assert_eq!(accepted.link.ended(), Some(Ended::Refused(finding)), "the first reason counts");
}

#[tokio::test]
async fn administrators_call_and_participants_have_sessions() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    let admin = world.tls("muster:admin:alice");
    let call =
        |request: &'static [u8]| soon(admin_call(&admin, &server.address, Bytes::from_static(request)));
    assert_eq!(call(b"list").await.unwrap(), "alice:list");
    let answer = refused(call(b"").await.unwrap_err());
    assert_eq!(answer, (tonic::Code::InvalidArgument, "empty".to_owned()), "the handler's own answer");

    for uri in
        ["muster:client:alice", "muster:relay:alice", "muster:key-broker:alice", "muster:server:server"]
    {
        let participant = world.tls(uri);
        let error = soon(admin_call(&participant, &server.address, frame(1))).await.unwrap_err();
        assert_eq!(refused(error).0, tonic::Code::PermissionDenied, "{uri}");
    }
    for uri in ["muster:admin:site-1", "muster:server:server"] {
        let error = server.refusal(&world.tls(uri)).await;
        assert_eq!(refused(error).0, tonic::Code::PermissionDenied, "{uri}");
    }
    assert!(server.sessions.try_recv().is_err());
    for uri in ["muster:client:site-1", "muster:relay:site-1", "muster:key-broker:site-1"] {
        let (mut client, mut accepted) = server.session(&world.tls(uri)).await;
        exchange(&mut client, &mut accepted).await;
    }
}

#[tokio::test]
async fn too_many_frames_end_the_offender_alone() {
    let world = World::new();
    let frames = Rate { per_second: 1, burst: 20 };
    let mut server = Server::with(world.server_tls(), Limits { frames, ..Limits::default() }).await;
    let (mut good, mut good_accepted) = server.session(&world.site("good")).await;
    let (mut bad, mut bad_accepted) = server.session(&world.site("bad")).await;
    exchange(&mut good, &mut good_accepted).await;
    for _ in 0..1000 {
        if bad.outbound.send(frame(1)).is_err() {
            break;
        }
    }
    let received = rest(&mut bad_accepted).await;
    let detail = quarantined(soon(bad_accepted.link.wait()).await);
    assert_eq!(detail, "the connection sent more than 20 frames at once or 1 per second");
    assert!((1..100).contains(&received), "{received}");
    assert_eq!(rest(&mut bad).await, 0);
    assert_eq!(there(soon(bad.link.wait()).await), format!("fl.peer.quarantined: {detail}"));
    exchange(&mut good, &mut good_accepted).await;
    // It may come back, with a new budget.
    let (mut back, mut back_accepted) = server.session(&world.site("bad")).await;
    exchange(&mut back, &mut back_accepted).await;
}

#[tokio::test]
async fn too_many_bytes_end_the_offender_alone() {
    let world = World::new();
    let bytes = Rate { per_second: 1000, burst: 200_000 };
    let mut server = Server::with(world.server_tls(), Limits { bytes, ..Limits::default() }).await;
    let (mut good, mut good_accepted) = server.session(&world.site("good")).await;
    let (mut bad, mut bad_accepted) = server.session(&world.site("bad")).await;
    for _ in 0..10 {
        let _ = bad.outbound.send(frame(100_000));
    }
    let received = rest(&mut bad_accepted).await;
    let detail = quarantined(soon(bad_accepted.link.wait()).await);
    assert_eq!(detail, "the connection sent more than 200000 bytes at once or 1000 per second");
    assert!(received < 3, "{received}");
    assert_eq!(rest(&mut bad).await, 0);
    assert_eq!(there(soon(bad.link.wait()).await), format!("fl.peer.quarantined: {detail}"));
    exchange(&mut good, &mut good_accepted).await;
}

#[tokio::test(start_paused = true)]
async fn bytes_count_before_the_handshake_too() {
    let world = World::new();
    let bytes = Rate { per_second: 1, burst: 100 };
    let mut server = Server::with(world.server_tls(), Limits { bytes, ..Limits::default() }).await;
    let connecting = connect(&world.site("site-1"), &server.address).await;
    let _ = connecting.map(drop).unwrap_err();
    assert!(server.sessions.try_recv().is_err());
}

async fn raw_post(world: &World, address: &str, path: &str, body: &'static [u8]) -> http::HeaderMap {
    let (mut requests, _) = raw_http2(world, address).await;
    let request = Request::post(format!("https://muster-server{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(Bytes::from_static(body)))
        .unwrap();
    let response = soon(requests.send_request(request)).await.unwrap();
    let mut headers = response.headers().clone();
    if let Ok(body) = soon(response.into_body().collect()).await {
        headers.extend(body.trailers().cloned().unwrap_or_default());
    }
    headers
}

const SESSION: &str = "/muster.v1.Federation/Session";

#[tokio::test]
async fn what_is_no_frame_ends_the_offender_alone() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    let (mut good, mut good_accepted) = server.session(&world.site("good")).await;
    for (body, found) in [
        // Announces 4 GiB, of which not one byte is allocated, then one byte more than the largest frame.
        (b"\0\xff\xff\xff\xff".as_slice(), "too large: found 4294967295 bytes"),
        (b"\0\x00\x10\xc8\xe6", "too large: found 1100006 bytes"),
        (b"\0\0\0\0\x03\x0a\x02a", "not a frame"),
        (b"\0\0\0\0\x03\x12\x01a", "not a frame"),
        (b"\x01\0\0\0\x03\x0a\x01a", "compressed-flag"),
        (b"\x07\0\0\0\x03\x0a\x01a", "invalid compression flag"),
        (b"\0\0\0\0\x03\x0a\x01", "Unexpected EOF"),
    ] {
        let headers = raw_post(&world, &server.address, SESSION, body).await;
        let mut accepted = soon(server.sessions.recv()).await.unwrap();
        assert_eq!(rest(&mut accepted).await, 0);
        let detail = quarantined(soon(accepted.link.wait()).await);
        assert!(detail.contains(found), "{detail}");
        assert_eq!(headers["grpc-status"], "8", "RESOURCE_EXHAUSTED");
        assert!(headers["grpc-message"].to_str().unwrap().starts_with("fl.peer.quarantined"), "{headers:?}");
        exchange(&mut good, &mut good_accepted).await;
    }
}

#[tokio::test]
async fn other_methods_do_not_exist() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    for path in
        ["/", "/muster.v1.Federation/session", "/muster.v1.Federation/Session/", "/muster.v2.Admin/Call"]
    {
        let headers = raw_post(&world, &server.address, path, b"\0\0\0\0\x03\x0a\x01a").await;
        assert_eq!(headers["grpc-status"], "12", "{path}: UNIMPLEMENTED");
    }
    let headers = raw_post(&world, &server.address, SESSION, b"\0\0\0\0\x03\x0a\x01a").await;
    assert_eq!(headers["grpc-status"], "0");
    let mut accepted = soon(server.sessions.recv()).await.unwrap();
    assert_eq!(soon(accepted.inbound.recv()).await.unwrap(), "a");
}

#[tokio::test]
async fn one_session_per_connection() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    let (mut requests, exported) = raw_http2(&world, &server.address).await;
    let open = || {
        let pending = http_body_util::StreamBody::new(tokio_stream::pending::<
            Result<hyper::body::Frame<Bytes>, std::convert::Infallible>,
        >());
        Request::post(format!("https://muster-server{SESSION}"))
            .header("content-type", "application/grpc")
            .body(pending)
            .unwrap()
    };
    let first = soon(requests.send_request(open())).await.unwrap();
    let mut accepted = soon(server.sessions.recv()).await.unwrap();
    assert_eq!(accepted.peer.exporter.export(&[1; 32]), Some(exported), "as rustls has it");
    let second = soon(requests.send_request(open())).await.unwrap();
    assert_eq!(second.headers()["grpc-status"], "9", "FAILED_PRECONDITION");
    assert!(server.sessions.try_recv().is_err());
    accepted.outbound.send(frame(1)).unwrap();
    let mut body = first.into_body();
    let data = soon(body.frame()).await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(data, b"\0\0\0\0\x03\x0a\x01\0".as_slice());
    assert!(accepted.inbound.try_recv().is_err());
}

#[tokio::test]
async fn slow_reader_is_closed_and_nobody_waits() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    let (mut good, mut good_accepted) = server.session(&world.site("good")).await;
    let (slow, slow_accepted) = server.session(&world.site("slow")).await;
    let big = frame(MAX_DOWNWARD);
    let sent = (0..100).take_while(|_| slow_accepted.outbound.send(big.clone()).is_ok()).count();
    assert!((4..10).contains(&sent), "{sent}");
    assert_eq!(soon(slow_accepted.link.wait()).await, Ended::SlowReader);
    exchange(&mut good, &mut good_accepted).await;

    // Many small ones as well.
    let (slower, slower_accepted) = server.session(&world.site("slow")).await;
    let sent = (0..1_000_000).take_while(|_| slower_accepted.outbound.send(frame(1)).is_ok()).count();
    assert!(sent < 100_000, "{sent}");
    assert_eq!(soon(slower_accepted.link.wait()).await, Ended::SlowReader);
    exchange(&mut good, &mut good_accepted).await;
    drop((slow, slower));
}

#[tokio::test]
async fn handler_that_takes_nothing_makes_the_sender_wait() {
    let world = World::new();
    let limits = Limits { bytes: Rate { per_second: u32::MAX, burst: u32::MAX }, ..Limits::default() };
    let mut server = Server::with(world.server_tls(), limits).await;
    let (mut good, mut good_accepted) = server.session(&world.site("good")).await;
    let (client, mut accepted) = server.session(&world.site("eager")).await;
    for _ in 0..60 {
        client.outbound.send(frame(MAX_UPWARD)).unwrap();
    }
    exchange(&mut good, &mut good_accepted).await;
    assert!(accepted.inbound.len() <= accepted.inbound.max_capacity());
    assert_eq!(client.link.ended(), None);
    for _ in 0..60 {
        assert_eq!(soon(accepted.inbound.recv()).await.unwrap().len(), MAX_UPWARD);
    }
}

#[tokio::test]
async fn connections_of_one_name_are_bounded() {
    let world = World::new();
    let limits = Limits { connections_per_subject: 2, ..Limits::default() };
    let mut server = Server::with(world.server_tls(), limits).await;
    let tls = world.site("site-1");
    let (one, one_accepted) = server.session(&tls).await;
    let (mut two, mut two_accepted) = server.session(&tls).await;
    let (code, text) = refused(server.refusal(&tls).await);
    assert_eq!(code, tonic::Code::PermissionDenied);
    assert_eq!(text, "fl.peer.quarantined: already 2 connections of this name");
    // Another certificate of the same name and role counts with it, another name or role does not.
    refused(server.refusal(&world.site("site-1")).await);
    server.session(&world.site("site-2")).await;
    server.session(&world.tls("muster:relay:site-1")).await;
    exchange(&mut two, &mut two_accepted).await;
    drop(one);
    soon(one_accepted.link.wait()).await;
    let (mut three, mut three_accepted) = soon(async {
        loop {
            // The place is free a moment after the session's end.
            if let Ok(session) = connect(&tls, &server.address).await {
                return (session, server.sessions.recv().await.unwrap());
            }
        }
    })
    .await;
    exchange(&mut three, &mut three_accepted).await;
}

#[tokio::test]
async fn connections_of_all_are_bounded() {
    let world = World::new();
    let limits = Limits { connections: 1, ..Limits::default() };
    let mut server = Server::with(world.server_tls(), limits).await;
    let (mut one, mut one_accepted) = server.session(&world.site("site-1")).await;
    let waiting = tokio::spawn({
        let (tls, address) = (world.site("site-2"), server.address.clone());
        async move { connect(&tls, &address).await }
    });
    for _ in 0..10 {
        exchange(&mut one, &mut one_accepted).await;
    }
    assert!(server.sessions.try_recv().is_err());
    assert!(!waiting.is_finished());
    drop(one);
    let mut two = soon(waiting).await.unwrap().unwrap();
    exchange(&mut two, &mut soon(server.sessions.recv()).await.unwrap()).await;
}

#[tokio::test]
async fn shutdown_finishes_what_is_being_sent() {
    let world = World::new();
    let mut server = Server::start(&world).await;
    let (mut client, accepted) = server.session(&world.site("site-1")).await;
    let (mut idle, _idle_accepted) = server.session(&world.site("site-2")).await;
    for _ in 0..50 {
        accepted.outbound.send(frame(100_000)).unwrap();
    }
    server.shutdown.cancel();
    assert_eq!(rest(&mut client).await, 50);
    assert_eq!(there(soon(client.link.wait()).await), "the server shuts down");
    assert_eq!(rest(&mut idle).await, 0);
    assert_eq!(soon(accepted.link.wait()).await, Ended::Shutdown);
    soon(server.task).await.unwrap();
    let error = soon(connect(&world.site("site-3"), &server.address)).await.map(drop).unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn dead_peer_is_noticed() {
    let world = World::new();
    let server = Server::start(&world).await;
    let credentials = world.credentials("muster:client:dead", None);
    let config = Arc::new(world.raw_config(Some(credentials), &[&TLS13]));
    let mut stream = raw_connect(&config, &server.address).await.unwrap();
    // HTTP/2 as far as necessary, and no answer to any ping.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    assert!(all.windows(4).any(|bytes| bytes == b"\0\0\x08\x06"), "it was asked");
}
