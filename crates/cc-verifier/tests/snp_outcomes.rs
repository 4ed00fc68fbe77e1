//! What the outcome is when several things are wrong, missing, offered twice or remembered (*decisions.md* 1 to 4, 26),
//! and what the plan asks for.

use cc_core::message::{Message, VerifyReply};
use cc_core::{Outcome, Profile, UnixTime, Waivers, codes};
use cc_testkit::snp::keys::stranger_p384;
use cc_testkit::snp::leaf::oids;
use cc_testkit::snp::mint::DAY;
use cc_testkit::snp::{LeafKind, NOW, Product, World, ca};
use cc_verifier::snp::{ChainCache, Slots, Verifier, verify};

use LeafKind::{Vcek, Vlek};
use Product::{Genoa, Milan, Turin};

use crate::common::codes::{outcome_code, reply_code};
use crate::common::requests;
use crate::common::synthetic::{anchors, check, now, slots};

fn drop_ref<T>(_: &mut T) {}

type WorldEdit = fn(&mut World);
type SlotsEdit = for<'a> fn(&mut Slots<'a>);

#[test]
fn rejections_come_before_what_is_missing() {
    let no_crl: SlotsEdit = |s| s.crls.clear();
    let no_leaf: SlotsEdit = |s| s.leaves.clear();
    let no_issuer: SlotsEdit = |s| s.intermediates.clear();
    let no_root: SlotsEdit = |s| s.roots.clear();
    let nothing: SlotsEdit = |s| *s = Slots::default();
    let cases: [(&str, WorldEdit, SlotsEdit, &str); 18] = [
        ("no CRL", |_| {}, no_crl, "snp.crl.missing"),
        ("no leaf", |_| {}, no_leaf, "snp.chain.missing"),
        ("no intermediate", |_| {}, no_issuer, "snp.chain.missing"),
        ("nothing", |_| {}, nothing, "snp.chain.missing"),
        ("root from the pin", |_| {}, no_root, "accept"),
        (
            "expired, no CRL",
            |w| drop_ref(w.edit_leaf(|l| l.not_after = NOW - 1)),
            no_crl,
            "snp.chain.expired",
        ),
        ("altered, no CRL", |w| w.report.bytes_mut()[0x90] ^= 1, no_crl, "snp.signature.invalid"),
        ("altered, no intermediate", |w| w.report.bytes_mut()[0x90] ^= 1, no_issuer, "snp.signature.invalid"),
        (
            "R zero, nothing",
            |w| drop_ref(w.report.set_signature_r([0; 72])),
            nothing,
            "snp.signature.malformed",
        ),
        (
            "root of another, no leaf",
            |w| w.ark = ca::ark_der(Genoa).to_vec(),
            no_leaf,
            "snp.chain.untrusted_root",
        ),
        (
            "inconsistent, nothing",
            |w| drop_ref(w.edit_report(|r| drop_ref(r.set_current_tcb([0; 8])))),
            nothing,
            "snp.tcb.inconsistent",
        ),
        (
            "bad intermediate, no leaf",
            |w| *w.intermediate.last_mut().unwrap() ^= 1,
            no_leaf,
            "snp.chain.signature",
        ),
        (
            "revoked, no leaf",
            |w| drop_ref(w.edit_crl(|c| c.revoke(ca::intermediate_serial(Milan, Vcek)))),
            no_leaf,
            "snp.chain.revoked",
        ),
        (
            "CRL expired, no intermediate",
            |w| drop_ref(w.edit_crl(|c| c.next_update = Some(NOW - 1))),
            no_issuer,
            "snp.crl.expired",
        ),
        (
            "leaf expired, no intermediate",
            |w| drop_ref(w.edit_leaf(|l| l.not_after = NOW - 1)),
            no_issuer,
            "snp.chain.expired",
        ),
        (
            "extension missing, no intermediate",
            |w| drop_ref(w.edit_leaf(|l| l.remove_ext(oids::SNP_SPL))),
            no_issuer,
            "snp.ext.missing",
        ),
        (
            "another chip, no intermediate",
            |w| drop_ref(w.edit_report(|r| drop_ref(r.set_chip_id([1; 64])))),
            no_issuer,
            "snp.chip_id.mismatch",
        ),
        // Two rejections: the earlier step.
        (
            "expired and altered",
            |w| {
                w.edit_leaf(|l| l.not_after = NOW - 1);
                w.report.bytes_mut()[0x90] ^= 1;
            },
            |_| {},
            "snp.chain.expired",
        ),
    ];
    for (what, mutate, edit, expected) in cases {
        let mut world = World::new(Milan, Vcek);
        mutate(&mut world);
        let mut slots = slots(&world);
        edit(&mut slots);
        let outcome = check(world.report.bytes(), &slots).outcome;
        assert_eq!(outcome_code(&outcome), expected, "{what}: {outcome:?}");
        let indeterminate = matches!(outcome, Outcome::Indeterminate(_));
        assert_eq!(indeterminate, expected.ends_with(".missing") && !expected.contains("ext"), "{what}");
    }
}

#[test]
fn version_2_without_certificates() {
    let mut world = World::new(Milan, Vcek);
    world.edit_report(|r| drop_ref(r.downgrade(2)));
    let genoa = World::new(Genoa, Vcek);
    let turin = World::new(Turin, Vcek);
    let full = slots(&world);
    let cases = [
        ("nothing", Slots::default(), "snp.chain.missing"),
        ("a root of the time", Slots { roots: vec![&genoa.ark], ..Slots::default() }, "snp.chain.missing"),
        ("a later root", Slots { roots: vec![&turin.ark], ..Slots::default() }, "snp.chain.untrusted_root"),
        ("no leaf", Slots { leaves: vec![], ..full.clone() }, "snp.chain.missing"),
        (
            "intermediates of two lines",
            Slots {
                leaves: vec![],
                intermediates: vec![&genoa.intermediate, &world.intermediate],
                ..full.clone()
            },
            "snp.chain.missing",
        ),
        (
            "an intermediate of another line than the root",
            Slots { leaves: vec![], intermediates: vec![&genoa.intermediate], ..full.clone() },
            "snp.chain.untrusted_root",
        ),
        ("another's root", Slots { roots: vec![&genoa.ark], ..full.clone() }, "snp.chain.untrusted_root"),
        ("all", full, "accept"),
    ];
    for (what, slots, expected) in cases {
        assert_eq!(outcome_code(&check(world.report.bytes(), &slots).outcome), expected, "{what}");
    }
}

#[test]
fn version_2_takes_the_first_line_that_lacks_nothing() {
    let mut milan = World::new(Milan, Vcek);
    milan.edit_report(|r| drop_ref(r.downgrade(2)));
    let mut genoa = World::new(Genoa, Vcek);
    genoa.edit_leaf(|l| {
        l.set_ext(oids::HWID, Milan.hwid());
        l.set_tcb(Milan.tcb());
    });
    let mut expired = genoa.clone();
    expired.edit_leaf(|l| l.not_after = NOW - 1);
    let (m, g, e) = (milan.leaf.as_slice(), genoa.leaf.as_slice(), expired.leaf.as_slice());
    let (both, of_genoa) = (vec![milan.crl.as_slice(), &genoa.crl], vec![genoa.crl.as_slice()]);
    for (what, leaves, crls, expected) in [
        ("both complete", vec![m, g], &both, "Milan"),
        ("both complete, turned", vec![g, m], &both, "Genoa"),
        ("the first without a list", vec![m, g], &of_genoa, "Genoa"),
        ("the second without a list", vec![g, m], &of_genoa, "Genoa"),
        ("one missing, one rejected", vec![m, e], &of_genoa, "snp.crl.missing"),
        ("one rejected, one missing", vec![e, m], &of_genoa, "snp.crl.missing"),
        ("one rejected, one complete", vec![e, m], &both, "Milan"),
    ] {
        let slots = Slots {
            leaves,
            intermediates: vec![&milan.intermediate, &genoa.intermediate],
            roots: vec![&milan.ark, &genoa.ark],
            crls: crls.clone(),
        };
        let outcome = check(milan.report.bytes(), &slots).outcome;
        let found = match &outcome {
            Outcome::Accept(accepted) => accepted.claims.text("product").unwrap(),
            _ => outcome_code(&outcome),
        };
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn a_waiver_turns_only_the_missing_list() {
    let waivers = Waivers::new([codes::SNP_CRL_MISSING]).unwrap();
    let world = World::new(Milan, Vcek);
    let waive = |slots: &Slots<'_>| {
        verify(world.report.bytes(), slots, &anchors(), &waivers, now(), &ChainCache::new(0)).outcome
    };
    let Outcome::Accept(accepted) = waive(&Slots { crls: vec![], ..slots(&world) }) else { panic!() };
    assert_eq!(accepted.waived, [codes::SNP_CRL_MISSING]);
    assert_eq!(accepted.claims.value("crl_number"), None);
    let Outcome::Accept(accepted) = waive(&slots(&world)) else { panic!() };
    assert_eq!(accepted.waived, [], "not needed");
    assert_eq!(accepted.claims.text("crl_number"), Ok("0x4"));
    let mut expired = world.clone();
    expired.edit_crl(|crl| crl.next_update = Some(NOW - 1));
    assert_eq!(outcome_code(&waive(&slots(&expired))), "snp.crl.expired");
    assert_eq!(
        outcome_code(&waive(&Slots { leaves: vec![], crls: vec![], ..slots(&world) })),
        "snp.chain.missing"
    );
}

#[test]
fn the_first_candidate_that_nothing_rejects_counts() {
    let world = World::new(Milan, Vcek);
    let leaf = |edit: &dyn Fn(&mut cc_testkit::snp::CertSpec)| {
        let mut world = world.clone();
        world.edit_leaf(edit);
        world.leaf
    };
    let vlek = World::new(Milan, Vlek).leaf;
    let genoa = World::new(Genoa, Vcek).leaf;
    let other_chip = leaf(&|l| l.set_ext(oids::HWID, vec![7; 64]));
    let expired = leaf(&|l| l.not_after = NOW - 1);
    let other_key = leaf(&|l| l.spki = stranger_p384().spki().to_vec());
    let reissued = leaf(&|l| l.not_before += DAY);
    let good = world.leaf.as_slice();
    let cases: [(&str, Vec<&[u8]>, &str); 8] = [
        ("good last", vec![&vlek, &genoa, &other_chip, &expired, good], "accept"),
        ("good first", vec![good, &vlek], "accept"),
        ("same kind before other kind", vec![&vlek, &genoa], "snp.chain.role"),
        ("same product before other product", vec![&genoa, &other_chip], "snp.chip_id.mismatch"),
        ("same chip before other chip", vec![&other_chip, &expired], "snp.chain.expired"),
        ("the first of equals", vec![&expired, &other_key], "snp.chain.expired"),
        ("the first of equals, turned", vec![&other_key, &expired], "snp.signature.invalid"),
        ("garbage is a candidate", vec![b"garbage"], "snp.chain.role"),
    ];
    for (what, leaves, expected) in cases {
        let slots = Slots { leaves, ..slots(&world) };
        assert_eq!(outcome_code(&check(world.report.bytes(), &slots).outcome), expected, "{what}");
    }
    // Without a list, a candidate that nothing rejects is still preferred to one that is rejected.
    let slots_without = Slots { leaves: vec![&other_key, good], crls: vec![], ..slots(&world) };
    assert_eq!(outcome_code(&check(world.report.bytes(), &slots_without).outcome), "snp.crl.missing");
    let slots = Slots { leaves: vec![&reissued, good], ..slots(&world) };
    let Outcome::Accept(accepted) = check(world.report.bytes(), &slots).outcome else { panic!() };
    assert_eq!(accepted.claims.text("leaf_not_before"), Ok("2023-01-02T00:00:00Z"));
}

#[test]
fn other_certificates_do_not_disturb() {
    let worlds: Vec<World> =
        Product::ALL.into_iter().flat_map(|p| [World::new(p, Vcek), World::new(p, Vlek)]).collect();
    let mixed = Slots {
        leaves: worlds.iter().map(|w| w.leaf.as_slice()).collect(),
        intermediates: worlds.iter().map(|w| w.intermediate.as_slice()).collect(),
        roots: worlds.iter().map(|w| w.ark.as_slice()).collect(),
        crls: worlds.iter().map(|w| w.crl.as_slice()).collect(),
    };
    for world in &worlds {
        assert_eq!(
            outcome_code(&check(world.report.bytes(), &mixed).outcome),
            "accept",
            "{:?}",
            world.product
        );
    }
    // A renewed intermediate with another key stands beside the one that issued the leaf.
    let world = &worlds[0];
    let mut renewed = world.clone();
    renewed.edit_intermediate(|ask| ask.spki = cc_testkit::snp::keys::stranger_rsa().spki().to_vec());
    for intermediates in [
        vec![renewed.intermediate.as_slice(), &world.intermediate],
        vec![&world.intermediate, &renewed.intermediate],
    ] {
        let slots = Slots { intermediates, ..slots(world) };
        assert_eq!(outcome_code(&check(world.report.bytes(), &slots).outcome), "accept");
    }
}

#[test]
fn answers_do_not_depend_on_memory() {
    let mut worlds = vec![World::new(Milan, Vcek), World::new(Genoa, Vlek), World::new(Turin, Vcek)];
    let mut v2 = World::new(Milan, Vcek);
    v2.edit_report(|r| drop_ref(r.downgrade(2)));
    worlds.push(v2);
    for world in &worlds {
        let cached = Verifier::new(anchors(), 4);
        let uncached = Verifier::new(anchors(), 0);
        let cache = ChainCache::new(4);
        let mut request = requests::request(
            world.report.bytes(),
            &[&world.leaf, &world.intermediate, &world.ark, &world.crl],
        );
        let mut altered = world.report.clone();
        altered.bytes_mut()[0x50] ^= 1;
        let crl_end = world.crl_spec.next_update.unwrap();
        // Cold, hit, altered report on a hit, list expired on a hit, certificate expired on a hit, hit again.
        for (evidence, at, expected) in [
            (world.report.bytes(), NOW, "accept"),
            (world.report.bytes(), NOW, "accept"),
            (altered.bytes(), NOW, "snp.signature.invalid"),
            (world.report.bytes(), crl_end, "accept"),
            (world.report.bytes(), crl_end + 1, "snp.crl.expired"),
            (world.report.bytes(), world.leaf_spec.not_after + 1, "snp.chain.expired"),
            (world.report.bytes(), world.leaf_spec.not_before - 1, "snp.chain.not_yet_valid"),
            (world.report.bytes(), NOW, "accept"),
        ] {
            request.evidence = evidence.to_vec();
            request.now = UnixTime::from_secs(at.unsigned_abs());
            let (with, without) = (cached.verify(&request), uncached.verify(&request));
            assert_eq!(reply_code(&with), expected);
            assert_eq!(with.to_bytes(), without.to_bytes(), "{expected}");
            let by_slots = |cache: &ChainCache| {
                verify(evidence, &slots(world), &anchors(), &Waivers::none(), request.now, cache)
            };
            assert_eq!(by_slots(&cache), by_slots(&ChainCache::new(0)), "{expected}");
        }
    }
}

#[test]
fn memory_is_keyed_by_everything() {
    let world = World::new(Milan, Vcek);
    let cache = ChainCache::new(16);
    let run = |report: &[u8], slots: &Slots<'_>, anchors| {
        let verification = verify(report, slots, &anchors, &Waivers::none(), now(), &cache);
        outcome_code(&verification.outcome).to_owned()
    };
    assert_eq!(run(world.report.bytes(), &slots(&world), anchors()), "accept");
    // The same certificates under other anchors.
    let others = cc_verifier::snp::Anchors::new(ca::ark_der(Genoa), ca::ark_der(Milan), ca::ark_der(Turin));
    assert_eq!(run(world.report.bytes(), &slots(&world), others), "snp.chain.untrusted_root");
    // The same certificates for another kind of key or another product line.
    let mut vlek = world.clone();
    vlek.edit_report(|r| drop_ref(r.set_signing_key(1)));
    assert_eq!(run(vlek.report.bytes(), &slots(&world), anchors()), "snp.chain.kind_mismatch");
    let mut genoa = world.clone();
    genoa.edit_report(|r| drop_ref(r.set_cpuid(Genoa.cpuid())));
    assert_eq!(run(genoa.report.bytes(), &slots(&world), anchors()), "snp.chain.untrusted_root");
    // Other leaf, list, intermediate, root.
    let mut revoked = world.clone();
    revoked.edit_crl(|crl| crl.revoke(ca::intermediate_serial(Milan, Vcek)));
    assert_eq!(run(world.report.bytes(), &slots(&revoked), anchors()), "snp.chain.revoked");
    let mut leaf = world.clone();
    leaf.edit_leaf(|leaf| leaf.not_after = NOW - 1);
    assert_eq!(run(world.report.bytes(), &slots(&leaf), anchors()), "snp.chain.expired");
    let self_made = World::self_made(Milan, Vcek);
    let swapped = Slots { intermediates: vec![&self_made.intermediate], ..slots(&world) };
    assert_eq!(run(world.report.bytes(), &swapped, anchors()), "snp.chain.signature");
    let root = Slots { roots: vec![&self_made.ark], ..slots(&world) };
    assert_eq!(run(world.report.bytes(), &root, anchors()), "snp.chain.untrusted_root");
    let without = Slots { crls: vec![], ..slots(&world) };
    assert_eq!(run(world.report.bytes(), &without, anchors()), "snp.crl.missing");
    // The border between two objects moved.
    let genoa = World::new(Genoa, Vcek).intermediate;
    let two = Slots { intermediates: vec![&world.intermediate, &genoa], ..slots(&world) };
    assert_eq!(run(world.report.bytes(), &two, anchors()), "accept");
    let longer = [world.intermediate.as_slice(), &genoa[..1]].concat();
    let moved = Slots { intermediates: vec![&longer, &genoa[1..]], ..slots(&world) };
    assert_eq!(run(world.report.bytes(), &moved, anchors()), "snp.chain.role");
    // The bytes of two slots run together.
    let joined =
        Slots { leaves: vec![], intermediates: vec![&world.leaf, &world.intermediate], ..slots(&world) };
    assert_eq!(run(world.report.bytes(), &joined, anchors()), "snp.chain.missing");
    assert_eq!(run(world.report.bytes(), &slots(&world), anchors()), "accept");
}

#[test]
fn unusable_anchors_reject_everything() {
    let world = World::new(Milan, Vcek);
    let anchors = cc_verifier::snp::Anchors::new(b"", b"", b"");
    for roots in [vec![], vec![world.ark.as_slice()], vec![&b""[..]]] {
        let slots = Slots { roots, ..slots(&world) };
        let answer =
            verify(world.report.bytes(), &slots, &anchors, &Waivers::none(), now(), &ChainCache::new(0));
        assert_eq!(outcome_code(&answer.outcome), "snp.chain.untrusted_root");
    }
}

fn reply(world: &World, endorsements: &[&[u8]]) -> VerifyReply {
    Verifier::new(anchors(), 2).verify(&requests::request(world.report.bytes(), endorsements))
}

#[test]
fn endorsements_are_recognised_by_content() {
    let (vcek, vlek) = (World::new(Milan, Vcek), World::new(Milan, Vlek));
    let table = vcek.cert_table().build();
    let blobs: [&[u8]; 9] = [
        b"",
        &vcek.crl,
        &vcek.leaf,
        &vlek.leaf,
        &vlek.intermediate,
        &vcek.intermediate,
        &vcek.ark,
        &table,
        b"PEM",
    ];
    let names = [
        "unknown",
        "snp.crl",
        "snp.vcek",
        "snp.vlek",
        "snp.asvk",
        "snp.ask",
        "snp.ark",
        "snp.certtable",
        "unknown",
    ];
    let accepted = reply(&vcek, &blobs);
    assert_eq!(reply_code(&accepted), "accept");
    assert_eq!(accepted.recognised, names);
    assert_eq!(accepted.floors[0].endorsement, 1);
    // Also when the report is refused, and when the table is.
    let mut request = requests::request(b"short", &blobs);
    let verifier = Verifier::new(anchors(), 2);
    assert_eq!(verifier.verify(&request).recognised, names);
    let mut broken = vcek.cert_table();
    broken.terminated = false;
    let refused = reply(&vcek, &[&broken.build(), &vcek.crl]);
    assert_eq!(reply_code(&refused), "snp.certtable.malformed");
    assert_eq!(refused.recognised, ["snp.certtable", "snp.crl"]);
    assert!(refused.floors.is_empty());
    // A certificate beyond the limit is not even read.
    let mut large = vcek.clone();
    large.edit_leaf(|leaf| leaf.set_ext("1.2.3.4", vec![0; 16 * 1024]));
    let unread = reply(&vcek, &[&large.leaf]);
    assert_eq!(reply_code(&unread), "snp.chain.missing");
    assert_eq!(unread.recognised, ["unknown"]);
    // What a host must not ask.
    request = requests::request(vcek.report.bytes(), &blobs);
    request.waivers = vec!["snp.chain.missing".to_owned()];
    assert_eq!(reply_code(&verifier.verify(&request)), "plug.contract");
    request.waivers.clear();
    request.profile = Profile::parse("snp-raw-2").unwrap();
    assert_eq!(reply_code(&verifier.verify(&request)), "plug.contract");
}
