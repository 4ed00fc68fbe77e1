//! Which endorsements reach the plugin, and which of the fetched ones are confirmed.

use cc_core::limits::{MAX_ENDORSEMENT, MAX_ENDORSEMENTS};
use cc_core::message::{EndorsementRequest, VerifyReply};
use cc_testkit::kds::Kds;

use super::pipeline::{CRL, URL, code, confirmed, fetcher, planning, request, run, simple, supplied};
use super::{accept, reply};
use crate::endorsements::{Endorsement, Origin};
use crate::{Floors, Host, Request, verify};

#[tokio::test]
async fn surplus_of_the_administrator_is_left_out() {
    let blob = |bytes: Vec<u8>, origin| Endorsement::new(bytes, "supplied", origin);
    let der = blob([&[0x30, 0x82, 1, 0][..], &[5; 256]].concat(), Origin::Administrator);
    let small = |i: usize| blob(vec![7, u8::try_from(i).unwrap()], Origin::Administrator);
    let heavy = |fill| blob(vec![fill; MAX_ENDORSEMENT], Origin::Administrator);
    let attester = blob(vec![1], Origin::Attester);
    for (what, surplus, left) in [
        ("count", (0..MAX_ENDORSEMENTS).map(small).collect::<Vec<_>>(), 2),
        ("total", (7..11).map(heavy).collect(), 1),
        ("size", vec![blob(vec![7; MAX_ENDORSEMENT + 1], Origin::Administrator)], 1),
    ] {
        let endorsements: Vec<_> = surplus.iter().chain([&der, &attester]).cloned().collect();
        let total = endorsements.len();
        let judged = run(
            simple(|request| reply(accept(), request.endorsements.len())),
            Request { endorsements, ..request() },
        );
        let judged = judged.await;
        assert_eq!(code(&judged), None, "{what}");
        let used: Vec<_> = judged.endorsements.iter().map(|used| used.sha256).collect();
        assert_eq!((used.len(), judged.notes.len()), (total - left, left), "{what}: {:?}", judged.notes);
        assert!(used.contains(&der.sha256) && used.contains(&attester.sha256), "{what}");
        let kept = surplus.iter().take(surplus.len() - left).map(|endorsement| endorsement.sha256);
        assert!(used.iter().copied().take(used.len() - 2).eq(kept), "{what}: the first stay, in order");
    }
}

#[tokio::test]
async fn what_is_fetched_crowds_nothing_out() {
    let (kds, folder) = (Kds::start(), tempfile::tempdir().unwrap());
    let wanted =
        EndorsementRequest { kind: "snp.crl".to_owned(), url: URL.to_owned(), max_age: 86_400, post: None };
    let host = Host::of(vec![planning(vec![wanted], |request| reply(accept(), request.endorsements.len()))]);
    let sequences = |count: u8| (0..count).flat_map(|i| [0x30, 1, i]).collect::<Vec<_>>();
    let supplied = |count: usize| -> Vec<_> {
        (0..count).map(|i| supplied(u8::try_from(i).unwrap(), Origin::Attester)).collect()
    };
    let heavy: Vec<_> =
        (0..3).map(|fill| Endorsement::new(vec![fill; MAX_ENDORSEMENT], "", Origin::Attester)).collect();
    for (what, body, endorsements, taken) in [
        ("as many as one answer may hold", sequences(8), Vec::new(), 8),
        ("more", sequences(9), Vec::new(), 0),
        ("many more", sequences(200), Vec::new(), 0),
        ("room for the last one", sequences(1), supplied(MAX_ENDORSEMENTS - 1), 1),
        ("no room for one of two", sequences(2), supplied(MAX_ENDORSEMENTS - 1), 0),
        ("too heavy with the others", vec![9; MAX_ENDORSEMENT], heavy, 0),
    ] {
        let cache = folder.path().join(what);
        kds.route(CRL, &body);
        let before = endorsements.len();
        let request = Request { endorsements, ..request() };
        let judged =
            verify(&host, &fetcher(Some(&kds), Some(&cache)), &Floors::open(None), request).await.unwrap();
        assert_eq!(code(&judged), None, "{what}");
        assert_eq!(judged.endorsements.len(), before + taken, "{what}");
        assert_eq!(judged.notes.len(), usize::from(taken == 0), "{what}: {:?}", judged.notes);
        assert_eq!(confirmed(&cache), taken > 0, "{what}");
    }
}

#[tokio::test]
async fn what_served_nobody_is_not_confirmed() {
    for (kind, expected) in [("snp.crl", true), ("unknown", false)] {
        let (kds, folder) = (Kds::start(), tempfile::tempdir().unwrap());
        kds.route(CRL, b"the list");
        let wanted = EndorsementRequest {
            kind: "snp.crl".to_owned(),
            url: URL.to_owned(),
            max_age: 86_400,
            post: None,
        };
        let answer = move |_| VerifyReply { recognised: vec![kind.to_owned()], ..reply(accept(), 1) };
        let host = Host::of(vec![planning(vec![wanted], answer)]);
        let fetcher = fetcher(Some(&kds), Some(folder.path()));
        let judged = verify(&host, &fetcher, &Floors::open(None), request()).await.unwrap();
        assert_eq!((code(&judged), confirmed(folder.path())), (None, expected), "{kind}");
    }
}
