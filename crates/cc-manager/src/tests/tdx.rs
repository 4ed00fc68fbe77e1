//! The pipeline with evidence of TDX: the binding in quotes of both versions, what comes with a header, and old
//! evaluations (catalogue rows N-TDX-36 and 83).

use std::path::Path;
use std::sync::Arc;

use cc_core::message::{
    Blob, CollectRequest, Collected, EndorsementRequest, Floor, Identity, MESSAGE_VERSION, Message,
    VerifyReply, VerifyRequest,
};
use cc_core::{Binding, Code, Profile, ProfileInfo, Role, codes};
use cc_testkit::https::Fault;
use cc_testkit::pcs::{self, Pcs};

use super::pipeline::{code, confirmed, request};
use super::{Standstill, accept, identity, plan, plugin_of, reply};
use crate::endorsements::{Endorsement, Origin};
use crate::fetch::{Fetcher, Roots};
use crate::plugin::Call;
use crate::{
    Endpoint, Expectation, FetchConfig, Floors, Host, Judged, Plugin, Request, Verification, collect, verify,
};

const FMSPC: &str = "00806f050000";
const TCB_INFO: &[u8] = br#"{"tcbInfo":{},"signature":""}"#;
const QE_IDENTITY: &[u8] = br#"{"enclaveIdentity":{},"signature":""}"#;
const SIGNER: &[u8] = &[0x30, 1, 1];
const ROOT: &[u8] = &[0x30, 1, 2];

/// The chain of [`SIGNER`] and [`ROOT`].
const CHAIN: &str = "-----BEGIN CERTIFICATE-----\nMAEB\n-----END CERTIFICATE-----\n\
                     -----BEGIN CERTIFICATE-----\nMAEC\n-----END CERTIFICATE-----\n";

/// A quote with REPORTDATA of sevens, without signature data.
fn quote(version: u8) -> Vec<u8> {
    let mut quote = vec![0; 48];
    (quote[0], quote[4]) = (version, 0x81);
    if version == 5 {
        quote.extend([3, 0, 0x88, 2, 0, 0]);
    }
    quote.extend([1; 520]);
    quote.extend([7; 64]);
    quote.extend(std::iter::repeat_n(1, if version == 5 { 64 } else { 0 }));
    quote.extend([0; 4]);
    quote
}

fn tdx_plugin(
    requests: Vec<EndorsementRequest>,
    answer: impl Fn(VerifyRequest) -> VerifyReply + Send + Sync + 'static,
) -> Plugin {
    let profiles = vec![ProfileInfo {
        profile: Profile::tdx_quote_1(),
        namespace: "x-tdx".to_owned(),
        media_types: Vec::new(),
        roles: vec![Role::Collect, Role::Verify],
    }];
    plugin_of(Identity { profiles, ..identity() }, move |call, bytes| match call {
        Call::Plan => Ok(plan(requests.clone())),
        Call::Verify => {
            let reply = answer(VerifyRequest::from_bytes(bytes).unwrap());
            Ok(VerifyReply { profile: Profile::tdx_quote_1(), ..reply }.to_bytes())
        }
        Call::Collect => {
            let evidence = quote(CollectRequest::from_bytes(bytes).unwrap().binding.as_bytes()[0]);
            Ok(Collected { version: MESSAGE_VERSION, evidence, endorsements: Vec::new() }.to_bytes())
        }
        Call::Identify => unreachable!("{call:?}"),
    })
}

fn tdx_request() -> Request {
    Request { profile: Profile::tdx_quote_1(), evidence: quote(4), ..request() }
}

fn offline() -> Fetcher {
    let config = FetchConfig { offline: true, ..FetchConfig::default() };
    Fetcher::new(&config, &Roots::System, Arc::new(Standstill)).unwrap()
}

#[tokio::test]
async fn n_tdx_83_binding_quote_of_another_epoch_rejected() {
    let host = Host::of(vec![tdx_plugin(Vec::new(), |_| reply(accept(), 0))]);
    for version in [4, 5] {
        let judge = async |expected: [u8; 64]| {
            let expected = Expectation::Compare(Binding::new(expected));
            let request = Request { evidence: quote(version), expected, ..tdx_request() };
            verify(&host, &offline(), &Floors::open(None), request).await.unwrap()
        };
        assert!(matches!(judge([7; 64]).await.result, Ok(Judged::Verified(_))), "version {version}");
        for at in [0, 31, 63] {
            let mut other = [7; 64];
            other[at] ^= 1;
            assert_eq!(code(&judge(other).await), Some(codes::BIND_REPORT_DATA_MISMATCH), "byte {at}");
        }
    }
}

/// The host reads the field itself: a plugin cannot say that another one is bound, nor accept what has none.
#[tokio::test]
async fn binding_is_what_the_quote_says() {
    let host = Host::of(vec![tdx_plugin(Vec::new(), |_| reply(accept(), 0))]);
    let mut other = quote(4);
    other[568] = 8;
    for (evidence, expected) in [
        (quote(4), None),
        (quote(5), None),
        (other, Some(codes::BIND_REPORT_DATA_MISMATCH)),
        (quote(3), Some(codes::PLUG_CONTRACT)),
        (quote(4)[..600].to_vec(), Some(codes::PLUG_CONTRACT)),
    ] {
        let request = Request { evidence, ..tdx_request() };
        let judged = verify(&host, &offline(), &Floors::open(None), request).await.unwrap();
        assert_eq!(code(&judged), expected);
    }
}

#[tokio::test]
async fn collected_quotes_answer_the_request() {
    // The plugin makes a quote of the version that the first byte of the binding says.
    let host = Host::of(vec![tdx_plugin(Vec::new(), |_| reply(accept(), 0))]);
    for (first, expected) in [(4, codes::BIND_REPORT_DATA_MISMATCH), (3, codes::TDX_VERSION_UNSUPPORTED)] {
        let binding = Binding::new([first; 64]);
        let collected = collect(&host, &Profile::tdx_quote_1(), binding).await.unwrap();
        assert_eq!(collected.result.unwrap_err().code, expected);
    }
}

fn published(path: &str) -> String {
    format!("https://{}{path}", pcs::HOST)
}

fn fetcher(service: &Pcs, cache: &Path) -> Fetcher {
    let endpoint =
        |host: &str| Endpoint { host: host.to_owned(), url: service.service().url(), ca_file: None };
    let config = FetchConfig {
        cache_dir: Some(cache.to_owned()),
        endpoints: vec![endpoint(pcs::HOST), endpoint(pcs::ROOT_HOST)],
        ..FetchConfig::default()
    };
    let roots = Roots::Only(vec![service.service().ca_der().to_vec()]);
    Fetcher::new(&config, &roots, Arc::new(Standstill)).unwrap()
}

/// Asks for both documents and for both lists.
fn wanted() -> Vec<EndorsementRequest> {
    let root = format!("https://{}{}", pcs::ROOT_HOST, pcs::ROOT_CRL);
    [
        ("tdx.tcb_info", published(&pcs::tcb_info(FMSPC))),
        ("tdx.qe_identity", published(pcs::QE_IDENTITY)),
        ("tdx.pck_crl", published(&pcs::pck_crl("platform"))),
        ("tdx.root_crl", root),
    ]
    .map(|(kind, url)| EndorsementRequest { kind: kind.to_owned(), url, max_age: 86_400, post: None })
    .to_vec()
}

fn serving() -> Pcs {
    let service = Pcs::start();
    service.serve_tcb_info(FMSPC, TCB_INFO, CHAIN);
    service.serve_qe_identity(QE_IDENTITY, CHAIN);
    service.serve_pck_crl("platform", &[0x30, 1, 3], CHAIN);
    service.serve_root_crl(&[0x30, 1, 4]);
    service
}

/// What a plugin that recognises everything makes of it.
fn everything(request: VerifyRequest) -> VerifyReply {
    reply(accept(), request.endorsements.len())
}

/// What a plugin that recognises the certificates of the chain and nothing else makes of it.
fn chain_only(request: VerifyRequest) -> VerifyReply {
    let kind = |blob: &Blob| if blob.0 == SIGNER || blob.0 == ROOT { "tdx.signing_chain" } else { "unknown" };
    let recognised = request.endorsements.iter().map(|blob| kind(blob).to_owned()).collect();
    VerifyReply { recognised, ..reply(accept(), 0) }
}

fn used(verification: &Verification) -> Vec<(&[u8], &str)> {
    let used = verification.endorsements.iter();
    used.map(|endorsement| (endorsement.bytes.as_slice(), endorsement.source.as_str())).collect()
}

#[tokio::test]
async fn issuer_chains_are_endorsements_beside_the_bodies() {
    let (service, folder) = (serving(), tempfile::tempdir().unwrap());
    let host = Host::of(vec![tdx_plugin(wanted(), everything)]);
    let (info, identity) = (published(&pcs::tcb_info(FMSPC)), published(pcs::QE_IDENTITY));
    let (list, root) = (published(&pcs::pck_crl("platform")), wanted()[3].url.clone());
    let chain = format!("issuer chain of {info}");
    // From the network, and then all of it from the cache.
    for requests in [4, 4] {
        let fetcher = fetcher(&service, folder.path());
        let judged = verify(&host, &fetcher, &Floors::open(None), tdx_request()).await.unwrap();
        assert_eq!((code(&judged), &judged.notes), (None, &vec![]));
        assert_eq!(
            used(&judged),
            [
                (TCB_INFO, info.as_str()),
                (SIGNER, &chain),
                (ROOT, &chain),
                (QE_IDENTITY, &identity),
                (&[0x30, 1, 3], &list),
                (&[0x30, 1, 4], &root),
            ]
        );
        assert_eq!(service.service().log().len(), requests);
    }
}

/// A body that is of no use is not kept for the sake of its chain.
#[tokio::test]
async fn a_chain_confirms_no_body() {
    type Answer = fn(VerifyRequest) -> VerifyReply;
    let answers: [(Answer, bool); 2] = [(chain_only, false), (everything, true)];
    for (answer, expected) in answers {
        let (service, folder) = (serving(), tempfile::tempdir().unwrap());
        let host = Host::of(vec![tdx_plugin(wanted()[..1].to_vec(), answer)]);
        let fetcher = fetcher(&service, folder.path());
        let judged = verify(&host, &fetcher, &Floors::open(None), tdx_request()).await.unwrap();
        assert_eq!((code(&judged), confirmed(folder.path())), (None, expected));
    }
}

/// Without its chain, or with a broken one, a body is not made up for: what that means says the plugin.
#[tokio::test]
async fn chains_that_are_missing_or_broken() {
    let path = pcs::tcb_info(FMSPC);
    let certificate = "-----BEGIN CERTIFICATE-----\nMAEB\n-----END CERTIFICATE-----\n";
    let (cut, long) = (&CHAIN[..40], certificate.repeat(8));
    for (what, fault, header, objects, notes) in [
        ("complete", None, pcs::percent_encoded(CHAIN), 3, 0),
        ("missing", Some(Fault::Bare), pcs::percent_encoded(CHAIN), 1, 0),
        ("not encoded", None, CHAIN.replace('\n', " "), 0, 1),
        ("encoded otherwise", None, pcs::percent_encoded(CHAIN).to_lowercase(), 0, 1),
        ("cut", None, pcs::percent_encoded(cut), 0, 1),
        ("too many certificates", None, pcs::percent_encoded(&long), 0, 1),
    ] {
        let (service, folder) = (Pcs::start(), tempfile::tempdir().unwrap());
        service.service().route_with(&path, &[(pcs::TCB_INFO_CHAIN, &header)], TCB_INFO);
        fault.into_iter().for_each(|fault| service.service().fault(&path, fault));
        let host = Host::of(vec![tdx_plugin(wanted()[..1].to_vec(), everything)]);
        let fetcher = fetcher(&service, folder.path());
        let judged = verify(&host, &fetcher, &Floors::open(None), tdx_request()).await.unwrap();
        assert_eq!(
            (judged.endorsements.len(), judged.notes.len()),
            (objects, notes),
            "{what}: {:?}",
            judged.notes
        );
    }
}

/// N-TDX-36: an evaluation older than one that was seen.
#[tokio::test]
async fn n_tdx_36_an_older_evaluation_is_refused() {
    let floors = Floors::open(None);
    let judge = async |evaluation: u8, origin| -> Option<Code> {
        let host = Host::of(vec![tdx_plugin(Vec::new(), |request| {
            let mut number = [0; 20];
            number[19] = request.endorsements[0].0[0];
            let name = format!("tdx.tcb_info.{FMSPC}");
            VerifyReply { floors: vec![Floor { name, number, endorsement: 0 }], ..reply(accept(), 1) }
        })]);
        let endorsements = vec![Endorsement::new(vec![evaluation], "file", origin)];
        code(&verify(&host, &offline(), &floors, Request { endorsements, ..tdx_request() }).await.unwrap())
    };
    assert_eq!(judge(17, Origin::Administrator).await, None);
    assert_eq!(judge(18, Origin::Attester).await, None);
    assert_eq!(judge(17, Origin::Attester).await, None);
    assert_eq!(judge(16, Origin::Attester).await, Some(codes::COLL_ROLLBACK));
    assert_eq!(judge(16, Origin::Administrator).await, Some(codes::COLL_ROLLBACK));
}
