//! The pipeline over scripted plugins and a fake key distribution service.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cc_core::limits::{MAX_ENDORSEMENT, MAX_ENDORSEMENTS, MAX_EVIDENCE};
use cc_core::message::{
    Blob, CollectRequest, Collected, EndorsementRequest, Floor, Identity, MESSAGE_VERSION, Message,
    VerifyReply, VerifyRequest, WireOutcome,
};
use cc_core::{Binding, Code, Instant, Profile, Role, TrustClass, UnixTime, Waivers, codes};
use cc_testkit::kds::Kds;

use super::{Standstill, accept, denied, evidence, identity, plan, plugin, plugin_of, reply};
use crate::endorsements::{Endorsement, Origin};
use crate::fetch::{Fetcher, Keep, Roots, Source};
use crate::plugin::{Call, CallError};
use crate::{
    Endpoint, Expectation, FetchConfig, Floors, Host, Judged, NoPlugin, Plugin, Request, Verification,
    collect, show, verify,
};

pub(super) const URL: &str = "https://kdsintf.amd.com/vcek/v1/Milan/crl";
pub(super) const CRL: &str = "/vcek/v1/Milan/crl";

pub(super) fn request() -> Request {
    Request {
        profile: Profile::snp_raw_1(),
        evidence: evidence(),
        endorsements: Vec::new(),
        waivers: Waivers::none(),
        at: Instant::Present(UnixTime::from_secs(1_780_272_000)),
        expected: Expectation::NotCompared,
        patience: Duration::from_secs(1),
    }
}

fn at(replayed: bool) -> Instant {
    let time = request().at.time();
    if replayed { Instant::Replayed(time) } else { Instant::Present(time) }
}

pub(super) fn supplied(byte: u8, origin: Origin) -> Endorsement {
    Endorsement::new(vec![byte], format!("file-{byte}"), origin)
}

/// A plugin that asks for nothing and answers `verify` with `answer`.
pub(super) fn simple(answer: impl Fn(VerifyRequest) -> VerifyReply + Send + Sync + 'static) -> Plugin {
    planning(Vec::new(), answer)
}

pub(super) fn planning(
    requests: Vec<EndorsementRequest>,
    answer: impl Fn(VerifyRequest) -> VerifyReply + Send + Sync + 'static,
) -> Plugin {
    plugin(move |call, bytes| match call {
        Call::Plan => Ok(plan(requests.clone())),
        Call::Verify => Ok(answer(VerifyRequest::from_bytes(bytes).unwrap()).to_bytes()),
        Call::Identify | Call::Collect => unreachable!("{call:?}"),
    })
}

pub(super) fn fetcher(kds: Option<&Kds>, cache: Option<&Path>) -> Fetcher {
    let mut config = FetchConfig {
        cache_dir: cache.map(Path::to_owned),
        offline: kds.is_none(),
        ..FetchConfig::default()
    };
    let mut roots = Roots::System;
    if let Some(kds) = kds {
        config.endpoints =
            vec![Endpoint { host: "kdsintf.amd.com".to_owned(), url: kds.url(), ca_file: None }];
        roots = Roots::Only(vec![kds.ca_der().to_vec()]);
    }
    Fetcher::new(&config, &roots, Arc::new(Standstill)).unwrap()
}

pub(super) async fn run(plugin: Plugin, request: Request) -> Verification {
    let host = Host::of(vec![plugin]);
    verify(&host, &fetcher(None, None), &Floors::open(None), request).await.unwrap()
}

pub(super) fn code(verification: &Verification) -> Option<Code> {
    verification.result.as_ref().err().map(|finding| finding.code.clone())
}

#[tokio::test]
async fn only_a_comparison_makes_verified() {
    let answer = |request: VerifyRequest| reply(accept(), request.endorsements.len());
    let judged = run(simple(answer), request()).await;
    let Ok(Judged::Authentic(authentic)) = judged.result else { panic!("{judged:?}") };
    assert_eq!((authentic.at(), authentic.trust_class()), (request().at, TrustClass::Hardware));
    assert_eq!(judged.plugin.name, identity().name);

    let expected = |bytes| Request { expected: Expectation::Compare(Binding::new(bytes)), ..request() };
    let judged = run(simple(answer), expected([7; 64])).await;
    assert!(matches!(judged.result, Ok(Judged::Verified(_))), "{judged:?}");
    for i in [0, 31, 63] {
        let mut other = [7; 64];
        other[i] = 8;
        let judged = run(simple(answer), expected(other)).await;
        assert_eq!(code(&judged), Some(codes::BIND_REPORT_DATA_MISMATCH), "byte {i}");
    }
}

#[tokio::test]
async fn the_plugin_gets_what_was_asked() {
    let waivers = Waivers::new([codes::SNP_CRL_MISSING]).unwrap();
    let endorsements = [1, 2, 1].map(|byte| supplied(byte, Origin::Attester)).to_vec();
    let answer = |request: VerifyRequest| {
        assert_eq!(request.endorsements, [Blob(vec![1]), Blob(vec![2])]);
        assert_eq!(
            (request.waivers, request.now),
            (vec!["snp.crl.missing".to_owned()], self::request().at.time())
        );
        assert_eq!(request.evidence, evidence());
        VerifyReply { recognised: vec!["snp.vcek".to_owned(), "unknown".to_owned()], ..reply(accept(), 0) }
    };
    let judged = run(simple(answer), Request { waivers, endorsements, ..request() }).await;
    assert_eq!(code(&judged), None);
    let used: Vec<_> = judged.endorsements.iter().map(|e| (e.kind.as_str(), e.source.as_str())).collect();
    assert_eq!(used, [("snp.vcek", "file-1"), ("unknown", "file-2")]);
}

#[tokio::test]
async fn denials_pass_through_and_broken_answers_deny() {
    let reject = |code: &Code| WireOutcome::Reject(denied(code, "as it is"));
    for (what, outcome, expected) in [
        ("reject", reject(&codes::SNP_SIGNATURE_INVALID), codes::SNP_SIGNATURE_INVALID),
        ("panic", reject(&codes::PLUG_PANICKED), codes::PLUG_PANICKED),
        (
            "undecided",
            WireOutcome::Indeterminate(denied(&codes::SNP_CRL_MISSING, "")),
            codes::SNP_CRL_MISSING,
        ),
        ("host's code", reject(&codes::COLL_ROLLBACK), codes::PLUG_CONTRACT),
    ] {
        let judged = run(simple(move |_| reply(outcome.clone(), 0)), request()).await;
        assert_eq!(code(&judged), Some(expected), "{what}");
    }
    let panicking = |_: Call, _: &[u8]| Err(CallError::Denied(denied(&codes::PLUG_PANICKED, "").to_bytes()));
    assert_eq!(code(&run(plugin(panicking), request()).await), Some(codes::PLUG_PANICKED));
    let oversize = |_: Call, _: &[u8]| Err(CallError::Oversize(usize::MAX));
    assert_eq!(code(&run(plugin(oversize), request()).await), Some(codes::PLUG_CONTRACT));
    let judged = run(
        plugin(|_, _| Ok(vec![0])),
        Request { endorsements: vec![supplied(1, Origin::Attester)], ..request() },
    );
    let judged = judged.await;
    assert_eq!(
        (code(&judged), judged.endorsements[0].kind.as_str()),
        (Some(codes::PLUG_CONTRACT), "unknown")
    );
}

#[tokio::test]
async fn limits_hold_before_the_plugin_is_asked() {
    let never = || plugin(|call, _| unreachable!("{call:?}"));
    let with = |endorsements| Request { endorsements, ..request() };
    let blob = |fill: u8, size| Endorsement::new(vec![fill; size], "", Origin::Attester);
    let many = (0..=MAX_ENDORSEMENTS).map(|i| supplied(u8::try_from(i).unwrap(), Origin::Attester)).collect();
    let heavy = (0..4).map(|i| blob(i, MAX_ENDORSEMENT)).collect();
    for (what, request) in [
        ("evidence", Request { evidence: vec![0; MAX_EVIDENCE + 1], ..request() }),
        ("count", with(many)),
        ("one endorsement", with(vec![blob(0, MAX_ENDORSEMENT + 1)])),
        ("total", with(heavy)),
    ] {
        assert_eq!(code(&run(never(), request).await), Some(codes::ENV_SIZE_EXCEEDED), "{what}");
    }
}

/// A plugin that wants a revocation list and accepts only with the right one.
fn wants_crl() -> Plugin {
    let wanted =
        EndorsementRequest { kind: "snp.crl".to_owned(), url: URL.to_owned(), max_age: 86_400, post: None };
    planning(vec![wanted], |request| {
        if request.endorsements == [Blob(b"the list".to_vec())] {
            let number = Floor { name: "snp.crl.Milan".to_owned(), number: [5; 20], endorsement: 0 };
            return VerifyReply { floors: vec![number], ..reply(accept(), 1) };
        }
        let missing = denied(&codes::SNP_CRL_MISSING, "no list");
        reply(WireOutcome::Indeterminate(missing), request.endorsements.len())
    })
}

#[tokio::test]
async fn what_the_plan_wants_is_fetched_and_named() {
    let kds = Kds::start();
    kds.route(CRL, b"the list");
    let host = Host::of(vec![wants_crl()]);
    let judged = verify(&host, &fetcher(Some(&kds), None), &Floors::open(None), request()).await.unwrap();
    assert_eq!(code(&judged), None, "{judged:?}");
    assert_eq!(
        (judged.endorsements[0].kind.as_str(), judged.endorsements[0].source.as_str()),
        ("snp.crl", URL)
    );
    assert!(judged.notes.is_empty());

    let offline = verify(&host, &fetcher(None, None), &Floors::open(None), request()).await.unwrap();
    let finding = offline.result.unwrap_err();
    assert_eq!(finding.code, codes::SNP_CRL_MISSING);
    assert_eq!(finding.detail, "no list (snp.crl: offline, and not in the cache)");
    assert_eq!(offline.notes, [format!("snp.crl from {URL}: offline, and not in the cache")]);
}

/// Whether the one entry of a cache is confirmed.
pub(super) fn confirmed(cache: &Path) -> bool {
    let index = std::fs::read_dir(cache.join("index")).unwrap().next().unwrap().unwrap();
    std::fs::read_to_string(index.path()).unwrap().contains("\"confirmed\": true")
}

#[tokio::test]
async fn a_binding_that_does_not_match_comes_before_what_is_undecided() {
    let undecided = |_| reply(WireOutcome::Indeterminate(denied(&codes::SNP_CRL_MISSING, "no list")), 0);
    for (bytes, expected) in [([7; 64], codes::SNP_CRL_MISSING), ([8; 64], codes::BIND_REPORT_DATA_MISMATCH)]
    {
        let expectation = Expectation::Compare(Binding::new(bytes));
        let judged = run(simple(undecided), Request { expected: expectation, ..request() }).await;
        assert_eq!(code(&judged), Some(expected));
    }
}

#[tokio::test]
async fn a_wrong_answer_is_not_kept() {
    let (kds, folder) = (Kds::start(), tempfile::tempdir().unwrap());
    let host = Host::of(vec![wants_crl()]);
    for (body, replayed, expected) in
        [(&b"a lie"[..], false, false), (b"the list", true, false), (b"the list", false, true)]
    {
        let _ = std::fs::remove_dir_all(folder.path().join("index"));
        kds.route(CRL, body);
        let fetcher = fetcher(Some(&kds), Some(folder.path()));
        if replayed {
            // A replay writes nothing, not even the confirmation of what is there already.
            let wanted = EndorsementRequest {
                kind: "snp.crl".to_owned(),
                url: URL.to_owned(),
                max_age: 1,
                post: None,
            };
            let deadline = fetcher.deadline(Duration::from_secs(1));
            fetcher.fetch(&wanted, deadline, Keep::Yes, Source::Any).await.unwrap();
        }
        let judged = verify(&host, &fetcher, &Floors::open(None), Request { at: at(replayed), ..request() })
            .await
            .unwrap();
        assert_eq!(judged.result.is_ok(), body == b"the list");
        assert_eq!(confirmed(folder.path()), expected, "{body:?}, replayed {replayed}");
    }
}

/// Verifies with supplied endorsements of which the first has the number that its byte says.
async fn numbered(floors: &Floors, number: u8, origin: Origin, replayed: bool) -> Option<Code> {
    let answer = |request: VerifyRequest| {
        let mut number = [0; 20];
        number[19] = request.endorsements[0].0[0];
        let floor = Floor { name: "snp.crl.Milan".to_owned(), number, endorsement: 0 };
        VerifyReply { floors: vec![floor], ..reply(accept(), 1) }
    };
    let host = Host::of(vec![simple(answer)]);
    let request = Request { endorsements: vec![supplied(number, origin)], at: at(replayed), ..request() };
    code(&verify(&host, &fetcher(None, None), floors, request).await.unwrap())
}

#[tokio::test]
async fn older_collateral_is_refused() {
    let floors = Floors::open(None);
    let rollback = Some(codes::COLL_ROLLBACK);
    for (number, origin, replayed, expected) in [
        (9, Origin::Administrator, true, None),
        (5, Origin::Administrator, false, None),
        (4, Origin::Administrator, false, rollback.clone()),
        (4, Origin::Attester, false, rollback.clone()),
        (4, Origin::Attester, true, None),
        (8, Origin::Attester, false, None),
        (6, Origin::Administrator, false, None),
        (5, Origin::Administrator, false, rollback),
    ] {
        let found = numbered(&floors, number, origin, replayed).await;
        assert_eq!(found, expected, "{number} {origin:?}, replayed {replayed}");
    }
}

#[tokio::test]
async fn synthetic_anchors_move_no_real_floor() {
    let run = async |trust_class, number, floors: &Floors| {
        let identity = Identity { trust_class, ..identity() };
        let plugin = plugin_of(identity, move |call, _| match call {
            Call::Plan => Ok(plan(Vec::new())),
            _ => {
                let floor = Floor { name: "snp.crl.Milan".to_owned(), number: [number; 20], endorsement: 0 };
                Ok(VerifyReply { floors: vec![floor], ..reply(accept(), 1) }.to_bytes())
            }
        });
        let request = Request { endorsements: vec![supplied(1, Origin::Administrator)], ..request() };
        let host = Host::of(vec![plugin]);
        code(&verify(&host, &fetcher(None, None), floors, request).await.unwrap())
    };
    let floors = Floors::open(None);
    assert_eq!(run(TrustClass::Emulated, 9, &floors).await, None);
    assert_eq!(run(TrustClass::Hardware, 5, &floors).await, None);
    assert_eq!(run(TrustClass::Emulated, 8, &floors).await, Some(codes::COLL_ROLLBACK));
}

#[tokio::test]
async fn profiles_without_a_plugin_are_told_apart() {
    let host = Host::of(vec![simple(|_| reply(accept(), 0))]);
    let ask = async |name: &str| {
        let profile = Profile::parse(name).unwrap();
        let request = Request { profile, ..request() };
        verify(&host, &fetcher(None, None), &Floors::open(None), request).await.map(|_| ())
    };
    let tdx = Profile::parse("tdx-quote-1").unwrap();
    assert_eq!(
        ask("tdx-quote-1").await,
        Err(NoPlugin::NotServed { profile: tdx.clone(), role: Role::Verify })
    );
    let other = Profile::parse("vendor-1").unwrap();
    assert_eq!(ask("vendor-1").await, Err(NoPlugin::UnknownProfile(other.clone())));
    assert_eq!(show(&host, &other, b"", Vec::new()).await.unwrap_err(), NoPlugin::UnknownProfile(other));
    let collected = collect(&host, &tdx, Binding::new([0; 64])).await.map(|_| ());
    assert_eq!(collected, Err(NoPlugin::NotServed { profile: tdx, role: Role::Collect }));
}

#[tokio::test]
async fn show_gives_unverified_claims_and_the_plan() {
    let host = Host::of(vec![wants_crl()]);
    let shown = show(&host, &Profile::snp_raw_1(), &evidence(), Vec::new()).await.unwrap();
    let (claims, requests) = shown.result.unwrap();
    assert_eq!(claims.inspect_unverified(), &super::claims());
    assert_eq!(requests[0].url, URL);
    let large = show(&host, &Profile::snp_raw_1(), &vec![0; MAX_EVIDENCE + 1], Vec::new()).await.unwrap();
    assert_eq!(large.result.unwrap_err().code, codes::ENV_SIZE_EXCEEDED);
}

#[tokio::test]
async fn collected_evidence_answers_the_request() {
    let collecting = |evidence: Vec<u8>| {
        plugin(move |call, bytes| {
            assert_eq!(call, Call::Collect);
            assert_eq!(CollectRequest::from_bytes(bytes).unwrap().binding, Binding::new([7; 64]));
            let endorsements = vec![Blob(vec![1])];
            Ok(Collected { version: MESSAGE_VERSION, evidence: evidence.clone(), endorsements }.to_bytes())
        })
    };
    let run = async |evidence| {
        let host = Host::of(vec![collecting(evidence)]);
        collect(&host, &Profile::snp_raw_1(), Binding::new([7; 64])).await.unwrap().result
    };
    let (bytes, endorsements) = run(evidence()).await.unwrap();
    assert_eq!((bytes, endorsements[0].bytes.as_slice()), (evidence(), &[1][..]));
    assert_eq!(run(vec![0; 1184]).await.unwrap_err().code, codes::BIND_REPORT_DATA_MISMATCH);
    assert_eq!(run(vec![7; 16]).await.unwrap_err().code, codes::SNP_FORMAT_LENGTH);
    assert_eq!(run(Vec::new()).await.unwrap_err().code, codes::PLUG_CONTRACT);
}
