//! Hostile bytes: no altered report is accepted, and nothing panics.

use std::sync::LazyLock;

use cc_core::message::{MESSAGE_VERSION, PlanRequest};
use cc_testkit::snp::{LeafKind, Product, World};
use cc_verifier::snp::{ChainCache, Report, Slots, Verifier, certtable, verify};
use proptest::prelude::*;

use crate::common::codes::{outcome_code, reply_code};
use crate::common::requests;
use crate::common::synthetic;

#[test]
fn every_bit_of_a_report_counts() {
    for product in Product::ALL {
        let world = World::new(product, LeafKind::Vcek);
        let (anchors, cache) = (synthetic::anchors(), ChainCache::new(2));
        let waivers = cc_core::Waivers::none();
        let mut report = *world.report.bytes();
        let accepted = |report: &[u8]| {
            let slots = synthetic::slots(&world);
            let answer = verify(report, &slots, &anchors, &waivers, synthetic::now(), &cache);
            outcome_code(&answer.outcome) == "accept"
        };
        assert!(accepted(&report), "{product:?}");
        for bit in 0..report.len() * 8 {
            report[bit / 8] ^= 1 << (bit % 8);
            assert!(!accepted(&report), "{product:?}: bit {bit} of no account");
            report[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(accepted(&report), "{product:?}: restored");
    }
}

static WORLD: LazyLock<World> = LazyLock::new(|| World::new(Product::Milan, LeafKind::Vcek));
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(synthetic::anchors(), 4));

/// Runs everything that reads `blobs` or `evidence`; true when the report was accepted.
fn accepts(evidence: &[u8], blobs: &[&[u8]]) -> bool {
    let request = requests::request(evidence, blobs);
    let _ = VERIFIER.plan(&PlanRequest {
        version: MESSAGE_VERSION,
        profile: request.profile.clone(),
        evidence: request.evidence.clone(),
        endorsements: request.endorsements.clone(),
    });
    for blob in blobs {
        let _ = certtable::blobs(blob);
    }
    let _ = Report::new(evidence);
    let slots = Slots {
        leaves: blobs.iter().take(8).copied().collect(),
        intermediates: blobs.iter().take(8).copied().collect(),
        roots: vec![],
        crls: blobs.to_vec(),
    };
    let _ = synthetic::check(evidence, &slots);
    reply_code(&VERIFIER.verify(&request)) == "accept"
}

fn objects() -> [&'static [u8]; 4] {
    let world = &*WORLD;
    [&world.leaf, &world.intermediate, &world.ark, &world.crl]
}

/// One DER element with any short content.
fn element() -> impl Strategy<Value = Vec<u8>> {
    let leaf = (any::<u8>(), prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(tag, content)| tlv(tag, &content));
    leaf.prop_recursive(6, 48, 6, |inner| {
        let tags = prop_oneof![Just(0x30_u8), Just(0x31), Just(0xa0), Just(0xa3), Just(0x04), Just(0x03)];
        (tags, prop::collection::vec(inner, 0..6)).prop_map(|(tag, parts)| tlv(tag, &parts.concat()))
    })
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length @ 0..=0x7f) => bytes.push(length),
        _ => {
            bytes.push(0x82);
            bytes.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        }
    }
    bytes.extend(content);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_bytes_are_judged(
        evidence in prop::collection::vec(any::<u8>(), 0..1300),
        blob in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        prop_assert!(!accepts(&evidence, &[&blob]));
        prop_assert!(!accepts(WORLD.report.bytes(), &[&blob]));
    }

    #[test]
    fn any_der_is_judged(der in element()) {
        prop_assert!(!accepts(WORLD.report.bytes(), &[&der, objects()[1], objects()[3]]));
    }

    /// Of leaf, intermediate and list, no byte can be changed; the root is compared as a whole.
    #[test]
    fn any_altered_endorsement_is_refused(which in 0..4_usize, at in any::<prop::sample::Index>(), bits in 1..=255_u8) {
        let mut altered = objects().map(<[u8]>::to_vec);
        let position = at.index(altered[which].len());
        altered[which][position] ^= bits;
        let blobs = altered.each_ref().map(Vec::as_slice);
        let accepted = accepts(WORLD.report.bytes(), &blobs);
        // A root that is no certificate any more is an unknown object: the anchor stands in for it.
        prop_assert!(!accepted || which == 2, "byte {} of object {}", position, which);
    }

    #[test]
    fn any_altered_table_is_judged(at in any::<prop::sample::Index>(), byte in any::<u8>(), end in any::<prop::sample::Index>()) {
        let mut table = WORLD.cert_table().build();
        let position = at.index(96);
        table[position] = byte;
        accepts(WORLD.report.bytes(), &[&table, objects()[3]]);
        table.truncate(end.index(table.len()));
        accepts(WORLD.report.bytes(), &[&table, objects()[3]]);
    }
}
