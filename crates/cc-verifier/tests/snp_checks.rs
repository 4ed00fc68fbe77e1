//! Every check of the steps S3 to S20 that no row of the catalogue covers, one violation each.

use cc_core::{Outcome, UnixTime, Waivers};
use cc_testkit::der;
use cc_testkit::snp::ca::{BASIC_CONSTRAINTS, KEY_USAGE, intermediate_serial};
use cc_testkit::snp::cert::{amd_name, sign_tbs};
use cc_testkit::snp::keys::{ark, stranger_p384};
use cc_testkit::snp::leaf::{ia5, oids};
use cc_testkit::snp::mint::DAY;
use cc_testkit::snp::report::{P384_ORDER, little_endian};
use cc_testkit::snp::{CertSpec, CrlSpec, Ext, LeafKind, NOW, Product, Revoked, SigKind, Tcb, World};
use cc_verifier::snp::{ChainCache, Slots, verify};

use LeafKind::{Vcek, Vlek};
use Product::{Genoa, Milan, Turin};

use crate::common::codes::outcome_code;
use crate::common::synthetic;

const UNKNOWN: &str = "1.2.3.4";
const NULL: [u8; 2] = [5, 0];

fn outcome(world: &World) -> Outcome {
    synthetic::check(world.report.bytes(), &synthetic::slots(world)).outcome
}

fn assert_outcome(what: &str, world: &World, expected: &str) {
    let outcome = outcome(world);
    assert_eq!(outcome_code(&outcome), expected, "{what}: {outcome:?}");
}

#[test]
fn every_reserved_byte_is_zero() {
    for (product, version) in [(Milan, 2), (Milan, 3), (Genoa, 4), (Turin, 3), (Turin, 5)] {
        let mut healthy = World::new(product, Vcek);
        healthy.edit_report(|r| drop_ref(r.downgrade(version)));
        assert_outcome("healthy", &healthy, "accept");
        let tcbs = [0x038, 0x180, 0x1e0, 0x1f0];
        let reserved_of_tcb = if product == Turin { 4..7 } else { 2..6 };
        let in_tcbs = tcbs.into_iter().flat_map(|at| reserved_of_tcb.clone().map(move |i| at + i));
        let ranges = [0x04c..0x050, 0x18b..0x1a0, 0x1eb..0x1ec, 0x1ef..0x1f0, 0x208..0x2a0, 0x330..0x4a0];
        let of_version = match version {
            2 => vec![0x188..0x18b, 0x1f8..0x208],
            3 | 4 => vec![0x1f8..0x200, 0x200..0x208],
            _ => vec![],
        };
        for offset in ranges.into_iter().chain(of_version).flatten().chain(in_tcbs) {
            let mut world = healthy.clone();
            world.edit_report(|r| r.bytes_mut()[offset] = 0x80);
            assert_outcome(&format!("{product:?} v{version} {offset:#x}"), &world, "snp.format.reserved");
        }
    }
}

#[test]
fn every_bit_of_policy_and_key_information_has_its_rule() {
    for bit in 0..64 {
        let mut world = World::new(Milan, Vcek);
        world.edit_report(|r| drop_ref(r.flip_policy(bit)));
        let expected = if bit == 17 || bit >= 26 { "snp.policy.malformed" } else { "accept" };
        assert_outcome(&format!("policy bit {bit}"), &world, expected);
    }
    for bit in 0..32 {
        let mut world = World::new(Milan, Vcek);
        world.edit_report(|r| drop_ref(r.set_key_info(1 << bit)));
        let expected = match bit {
            0 => "accept",
            1 => "snp.chip_key.masked",
            2 => "snp.chain.kind_mismatch",
            3 | 4 => "snp.signing_key.reserved",
            _ => "snp.policy.malformed",
        };
        assert_outcome(&format!("key information bit {bit}"), &world, expected);
    }
}

/// Ends a chain of setters.
fn drop_ref<T>(_: &mut T) {}

/// A name for the case, the edit, the expected code.
type CertCase = (&'static str, CertEdit, &'static str);
type CertEdit = fn(&mut CertSpec);
type CrlEdit = fn(&mut CrlSpec);

#[test]
fn intermediates_have_their_role() {
    let cases: [CertCase; 18] = [
        ("X.509 v1", |c| c.version = None, "snp.chain.role"),
        ("X.509 v2", |c| c.version = Some(1), "snp.chain.role"),
        ("no role", |c| c.subject = amd_name("SEV-Milano"), "snp.chain.role"),
        ("another issuer", |c| c.issuer = amd_name("ARK-Genoa"), "snp.chain.role"),
        ("no keyUsage", |c| c.remove_ext(KEY_USAGE), "snp.chain.role"),
        ("keyUsage not critical", |c| c.ext_mut(KEY_USAGE).critical = false, "snp.chain.role"),
        ("no keyCertSign", |c| c.set_ext(KEY_USAGE, der::bit_string(1, &[2])), "snp.chain.role"),
        (
            "basicConstraints not critical",
            |c| c.ext_mut(BASIC_CONSTRAINTS).critical = false,
            "snp.chain.role",
        ),
        ("not a CA", |c| c.set_ext(BASIC_CONSTRAINTS, der::seq::<Vec<u8>>(&[])), "snp.chain.role"),
        (
            "path length without CA",
            |c| c.set_ext(BASIC_CONSTRAINTS, der::seq(&[der::boolean(false), der::integer(0)])),
            "snp.chain.role",
        ),
        (
            "no path length",
            |c| c.set_ext(BASIC_CONSTRAINTS, der::seq(&[der::boolean(true)])),
            "snp.chain.role",
        ),
        (
            "path length 1",
            |c| c.set_ext(BASIC_CONSTRAINTS, der::seq(&[der::boolean(true), der::integer(1)])),
            "snp.chain.role",
        ),
        ("unknown critical", |c| c.extensions.push(Ext::critical(UNKNOWN, NULL.to_vec())), "snp.chain.role"),
        ("duplicate", |c| c.duplicate_ext(KEY_USAGE, der::bit_string(1, &[4])), "snp.chain.role"),
        ("P-384 key", |c| c.spki = stranger_p384().spki().to_vec(), "snp.chain.algorithm"),
        ("PKCS#1", |c| c.set_algorithm(SigKind::Pkcs1Sha384), "snp.chain.algorithm"),
        ("PSS with SHA-256", |c| c.set_algorithm(SigKind::PssSha256), "snp.chain.algorithm"),
        (
            "inner and outer algorithm differ",
            |c| c.inner_algorithm = SigKind::PssSha384ShortParameters.algorithm(),
            "snp.chain.algorithm",
        ),
    ];
    for (what, edit, expected) in cases {
        let mut world = World::new(Milan, Vcek);
        world.edit_intermediate(edit);
        assert_outcome(what, &world, expected);
    }
    let validity: [CertCase; 9] = [
        ("unused bits counted as used", |c| c.set_ext(KEY_USAGE, der::bit_string(0, &[4])), "accept"),
        ("keyCertSign an unused bit", |c| c.set_ext(KEY_USAGE, der::bit_string(3, &[4])), "snp.chain.role"),
        ("eight unused bits", |c| c.set_ext(KEY_USAGE, der::bit_string(8, &[4])), "snp.chain.role"),
        ("first second", |c| c.not_before = NOW, "accept"),
        ("last second", |c| c.not_after = NOW, "accept"),
        ("one early", |c| c.not_before = NOW + 1, "snp.chain.not_yet_valid"),
        ("one late", |c| c.not_after = NOW - 1, "snp.chain.expired"),
        ("not critical but unknown", |c| c.extensions.push(Ext::new(UNKNOWN, NULL.to_vec())), "accept"),
        ("short PSS parameters", |c| c.set_algorithm(SigKind::PssSha384ShortParameters), "accept"),
    ];
    for (what, edit, expected) in validity {
        let mut world = World::new(Milan, Vcek);
        world.edit_intermediate(edit);
        assert_outcome(what, &world, expected);
    }
}

#[test]
fn leaves_have_their_role() {
    let cases: [CertCase; 19] = [
        ("X.509 v1", |c| c.version = None, "snp.chain.role"),
        ("serial number not minimal", |c| c.serial = vec![0, 1], "snp.chain.role"),
        ("no role", |c| c.subject = amd_name("SEV-CEK"), "snp.chain.role"),
        ("issuer of the other kind", |c| c.issuer = amd_name("SEV-VLEK-Milan"), "snp.chain.role"),
        ("issuer of another product line", |c| c.issuer = amd_name("SEV-Genoa"), "snp.chain.role"),
        ("a CA", |c| c.set_ext(BASIC_CONSTRAINTS, der::seq(&[der::boolean(true)])), "snp.chain.role"),
        ("unknown critical", |c| c.extensions.push(Ext::critical(UNKNOWN, NULL.to_vec())), "snp.chain.role"),
        ("explicitly no CA", |c| c.set_ext(BASIC_CONSTRAINTS, der::seq::<Vec<u8>>(&[])), "accept"),
        ("PSS with SHA-256", |c| c.set_algorithm(SigKind::PssSha256), "snp.chain.algorithm"),
        (
            "inner and outer algorithm differ",
            |c| c.inner_algorithm = SigKind::PssSha384ShortParameters.algorithm(),
            "snp.chain.algorithm",
        ),
        ("PSS named, PKCS#1 made", |c| c.signing = SigKind::Pkcs1Sha384, "snp.chain.signature"),
        ("first second", |c| c.not_before = NOW, "accept"),
        ("last second", |c| c.not_after = NOW, "accept"),
        ("one early", |c| c.not_before = NOW + 1, "snp.chain.not_yet_valid"),
        ("one late", |c| c.not_after = NOW - 1, "snp.chain.expired"),
        (
            "duplicate unknown",
            |c| {
                c.extensions.push(Ext::new(UNKNOWN, NULL.to_vec()));
                c.duplicate_ext(UNKNOWN, NULL.to_vec());
            },
            "snp.ext.duplicate",
        ),
        ("another key", |c| c.spki = stranger_p384().spki().to_vec(), "snp.signature.invalid"),
        ("point not on the curve", |c| *c.spki.last_mut().unwrap() ^= 1, "snp.chain.algorithm"),
        ("stepping ignored", |c| c.set_product_name("Milan-Z9"), "accept"),
    ];
    for (what, edit, expected) in cases {
        let mut world = World::new(Milan, Vcek);
        world.edit_leaf(edit);
        assert_outcome(what, &world, expected);
    }
}

#[test]
fn leaf_extensions_are_strict() {
    let required = [
        oids::STRUCT_VERSION,
        oids::PRODUCT_NAME,
        oids::BL_SPL,
        oids::TEE_SPL,
        oids::SNP_SPL,
        oids::SPL_5,
        oids::SPL_6,
        oids::SPL_7,
        oids::UCODE_SPL,
    ];
    for (product, kind, own) in [
        (Milan, Vcek, oids::HWID),
        (Milan, Vcek, oids::SPL_4),
        (Genoa, Vlek, oids::CSP_ID),
        (Turin, Vcek, oids::FMC_SPL),
        (Turin, Vcek, oids::HWID),
    ] {
        for oid in required.into_iter().chain([own]) {
            let mut world = World::new(product, kind);
            world.edit_leaf(|leaf| leaf.remove_ext(oid));
            assert_outcome(&format!("without {oid}"), &world, "snp.ext.missing");
            let mut world = World::new(product, kind);
            world.edit_leaf(|leaf| leaf.duplicate_ext(oid, vec![2, 1, 1]));
            assert_outcome(&format!("twice {oid}"), &world, "snp.ext.duplicate");
            let mut world = World::new(product, kind);
            world.edit_leaf(|leaf| leaf.set_ext(oid, vec![2, 2, 1, 0]));
            assert_outcome(&format!("malformed {oid}"), &world, "snp.ext.malformed");
        }
    }
    let cases: [(&str, Product, LeafKind, CertEdit, &str); 13] = [
        ("level 256", Milan, Vcek, |l| l.set_ext(oids::SPL_4, vec![2, 2, 1, 0]), "snp.ext.malformed"),
        (
            "level with a leading zero",
            Milan,
            Vcek,
            |l| l.set_ext(oids::BL_SPL, vec![2, 2, 0, 4]),
            "snp.ext.malformed",
        ),
        (
            "level as OCTET STRING",
            Milan,
            Vcek,
            |l| l.set_ext(oids::BL_SPL, vec![4, 1, 4]),
            "snp.ext.malformed",
        ),
        ("nameless level", Milan, Vcek, |l| l.set_ext(oids::SPL_6, vec![2, 1, 1]), "snp.tcb.cert_mismatch"),
        ("the other form", Milan, Vcek, |l| l.set_ext(oids::STRUCT_VERSION, vec![2, 1, 1]), "accept"),
        (
            "an unknown form",
            Milan,
            Vcek,
            |l| l.set_ext(oids::STRUCT_VERSION, vec![2, 1, 2]),
            "snp.ext.malformed",
        ),
        ("fmcSPL on Milan", Milan, Vcek, |l| l.set_ext(oids::FMC_SPL, vec![2, 1, 0]), "snp.ext.conflict"),
        ("spl4 on Turin", Turin, Vcek, |l| l.set_ext(oids::SPL_4, vec![2, 1, 0]), "snp.ext.conflict"),
        ("HWID in a VLEK", Milan, Vlek, |l| l.set_ext(oids::HWID, vec![7; 64]), "snp.ext.conflict"),
        (
            "HWID of 64 bytes on Turin",
            Turin,
            Vcek,
            |l| l.set_ext(oids::HWID, vec![7; 64]),
            "snp.ext.malformed",
        ),
        (
            "HWID as OCTET STRING",
            Turin,
            Vcek,
            |l| l.set_ext(oids::HWID, der::octet_string(&Turin.hwid())),
            "accept",
        ),
        ("empty CSP_ID", Milan, Vlek, |l| l.set_ext(oids::CSP_ID, ia5("")), "snp.ext.malformed"),
        ("control character", Milan, Vlek, |l| l.set_ext(oids::CSP_ID, ia5("a\nb")), "snp.ext.malformed"),
    ];
    for (what, product, kind, edit, expected) in cases {
        let mut world = World::new(product, kind);
        world.edit_leaf(edit);
        assert_outcome(what, &world, expected);
    }
}

#[test]
fn revocation_lists_are_authentic_and_current() {
    let revoked = |kind| Revoked::serial(intermediate_serial(Milan, kind));
    let cases: [(&str, CrlEdit, &str); 18] = [
        ("first second", |c| c.this_update = NOW, "accept"),
        ("last second", |c| c.next_update = Some(NOW), "accept"),
        ("from the future", |c| c.this_update = NOW + 1, "snp.crl.expired"),
        ("no nextUpdate", |c| c.next_update = None, "snp.crl.expired"),
        ("no number", |c| c.number = None, "snp.crl.signature"),
        ("version 1", |c| c.version = None, "snp.crl.signature"),
        ("PKCS#1", |c| c.set_algorithm(SigKind::Pkcs1Sha384), "snp.crl.signature"),
        ("PSS named, PKCS#1 made", |c| c.signing = SigKind::Pkcs1Sha384, "snp.crl.signature"),
        (
            "inner and outer algorithm differ",
            |c| c.inner_algorithm = SigKind::PssSha384ShortParameters.algorithm(),
            "snp.crl.signature",
        ),
        (
            "unknown critical",
            |c| c.extensions.push(Ext::critical(UNKNOWN, NULL.to_vec())),
            "snp.crl.signature",
        ),
        (
            "duplicate",
            |c| {
                c.extensions.push(Ext::new(UNKNOWN, NULL.to_vec()));
                c.extensions.push(Ext::new(UNKNOWN, NULL.to_vec()));
            },
            "snp.crl.signature",
        ),
        (
            "unknown critical in an entry",
            |c| {
                let extensions = vec![Ext::critical(UNKNOWN, NULL.to_vec())];
                c.revoked.push(Revoked { extensions, ..Revoked::serial(vec![1]) });
            },
            "snp.crl.signature",
        ),
        ("another's", |c| c.issuer = amd_name("ARK-Genoa"), "snp.crl.missing"),
        ("of the intermediate", |c| c.issuer = amd_name("SEV-Milan"), "snp.crl.signature"),
        ("others revoked", |c| c.revoke(vec![1]), "accept"),
        (
            "revoked in an expired list",
            |c| {
                c.next_update = Some(NOW - DAY);
                c.revoke(intermediate_serial(Milan, Vcek));
            },
            "snp.chain.revoked",
        ),
        ("the other intermediate revoked", |c| c.revoke(intermediate_serial(Milan, Vlek)), "accept"),
        ("the leaf's serial", |c| c.revoke(vec![0]), "accept"),
    ];
    for (what, edit, expected) in cases {
        let mut world = World::new(Milan, Vcek);
        world.edit_crl(edit);
        assert_outcome(what, &world, expected);
    }
    // Any authentic list revokes, whatever stands beside it; one current list is enough.
    let healthy = World::new(Milan, Vcek);
    let list = |edit: &dyn Fn(&mut CrlSpec)| {
        let mut spec = healthy.crl_spec.clone();
        edit(&mut spec);
        spec.sign(ark(Milan))
    };
    let revoking = list(&|crl| crl.revoked.push(revoked(Vcek)));
    let expired = list(&|crl| crl.next_update = Some(NOW - 1));
    let forged = healthy.crl_spec.sign(healthy.intermediate_key);
    for (what, other, expected) in [
        ("revoking", &revoking, "snp.chain.revoked"),
        ("expired", &expired, "accept"),
        ("forged", &forged, "accept"),
    ] {
        for crls in [vec![other.as_slice(), &healthy.crl], vec![&healthy.crl, other]] {
            let slots = Slots { crls, ..synthetic::slots(&healthy) };
            let verification = synthetic::check(healthy.report.bytes(), &slots);
            assert_eq!(outcome_code(&verification.outcome), expected, "{what}");
        }
    }
}

#[test]
fn the_newest_of_several_current_lists_counts() {
    let world = World::new(Milan, Vcek);
    let lists =
        [4, 9, 7].map(|number| CrlSpec { number: Some(number), ..world.crl_spec.clone() }.sign(ark(Milan)));
    for (order, position) in [([0, 1, 2], 1), ([1, 0, 2], 0), ([2, 0, 1], 2)] {
        let crls = order.map(|i: usize| lists[i].as_slice()).to_vec();
        let answer = synthetic::check(world.report.bytes(), &Slots { crls, ..synthetic::slots(&world) });
        assert_eq!((answer.floors[0].number[19], answer.floors[0].endorsement), (9, position), "{order:?}");
        let Outcome::Accept(accepted) = answer.outcome else { panic!("{order:?}") };
        assert_eq!(accepted.claims.text("crl_number"), Ok("0x9"));
    }
}

#[test]
fn crl_numbers_are_floors() {
    let number = |content: &[u8]| {
        let mut world = World::new(Genoa, Vcek);
        let extension = Ext::new("2.5.29.20", der::tlv(der::INTEGER, content));
        world.edit_crl(|crl| {
            crl.number = None;
            crl.extensions.push(extension);
        });
        let verification = synthetic::check(world.report.bytes(), &synthetic::slots(&world));
        verification.floors.first().map(|floor| {
            assert_eq!((floor.name.as_str(), floor.endorsement), ("snp.crl.Genoa", 0));
            hex::encode(floor.number)
        })
    };
    let padded = |digits: &str| Some(format!("{digits:0>40}"));
    assert_eq!(number(&[4]), padded("04"));
    assert_eq!(number(&[0]), padded("00"));
    assert_eq!(number(&[0, 0x80]), padded("80"));
    assert_eq!(number(&[0x7f; 20]), padded(&"7f".repeat(20)));
    assert_eq!(number(&[0x7f; 21]), None);
    assert_eq!(number(&[0x80]), None, "negative");
    assert_eq!(number(&[0, 1]), None, "not minimal");
    assert_eq!(number(&[]), None);
}

#[test]
fn roots_are_valid_too() {
    let world = World::new(Milan, Vcek);
    for (at, expected) in [(1_577_836_799, "snp.chain.not_yet_valid"), (2_524_608_000, "snp.chain.expired")] {
        let verification = verify(
            world.report.bytes(),
            &synthetic::slots(&world),
            &synthetic::anchors(),
            &Waivers::none(),
            UnixTime::from_secs(at),
            &ChainCache::new(0),
        );
        let Outcome::Reject(finding) = verification.outcome else { panic!("{expected}") };
        assert_eq!(finding.code.as_str(), expected);
        assert!(finding.detail.starts_with("root"), "{}", finding.detail);
    }
}

#[test]
fn tcbs_and_versions_are_consistent() {
    for product in Product::ALL {
        let tcb = product.tcb();
        let mut lower = vec![
            Tcb { bootloader: tcb.bootloader - 1, ..tcb },
            Tcb { snp: tcb.snp - 1, ..tcb },
            Tcb { microcode: tcb.microcode - 1, ..tcb },
        ];
        if product == Turin {
            lower.extend([Tcb { fmc: 0, ..tcb }, Tcb { tee: 0, ..tcb }]);
        }
        for lower in lower.into_iter().map(|tcb| tcb.encode(product)) {
            let mut current = World::new(product, Vcek);
            current.edit_report(|r| drop_ref(r.set_current_tcb(lower)));
            assert_outcome("CURRENT lower", &current, "snp.tcb.inconsistent");
            let mut reported = World::new(product, Vcek);
            reported.edit_report(|r| drop_ref(r.set_current_tcb(lower).set_committed_tcb(lower)));
            assert_outcome("REPORTED above CURRENT", &reported, "snp.tcb.inconsistent");
            let mut committed = World::new(product, Vcek);
            committed.edit_report(|r| drop_ref(r.set_committed_tcb(lower)));
            assert_outcome("COMMITTED lower", &committed, "accept");
            let mut cert = World::new(product, Vcek);
            cert.edit_report(|r| drop_ref(r.set_reported_tcb(lower)));
            assert_outcome("REPORTED not the leaf's", &cert, "snp.tcb.cert_mismatch");
        }
    }
    for (committed, expected) in [
        ([0x1d, 0x37, 1], "accept"),
        ([0xff, 0x36, 1], "accept"),
        ([0xff, 0xff, 0], "accept"),
        ([0x1e, 0x37, 1], "snp.tcb.inconsistent"),
        ([0, 0x38, 1], "snp.tcb.inconsistent"),
        ([0, 0, 2], "snp.tcb.inconsistent"),
    ] {
        let mut world = World::new(Milan, Vcek);
        world.edit_report(|r| drop_ref(r.set_committed_version(committed)));
        assert_outcome(&format!("{committed:?}"), &world, expected);
    }
}

#[test]
fn signature_numbers_are_in_the_group() {
    let above = |bytes: [u8; 48]| {
        let mut bytes = bytes;
        bytes[47] += 1;
        little_endian(&bytes)
    };
    let padded = |number: [u8; 72], at: usize| {
        let mut number = number;
        number[at] = 1;
        number
    };
    let world = World::new(Milan, Vcek);
    let (r, s) = (world.report.signature_r(), world.report.signature_s());
    let (order, above) = (little_endian(&P384_ORDER), above(P384_ORDER));
    for (what, r, s) in [
        ("R is zero", [0; 72], s),
        ("R is the order", order, s),
        ("R is above the order", above, s),
        ("R is 49 bytes", padded(r, 48), s),
        ("R is 72 bytes", padded(r, 71), s),
        ("S is zero", r, [0; 72]),
        ("S is the order", r, order),
        ("S is above the order", r, above),
        ("S is 49 bytes", r, padded(s, 48)),
        ("S is 72 bytes", r, padded(s, 71)),
    ] {
        let mut world = world.clone();
        world.report.set_signature_r(r).set_signature_s(s);
        assert_outcome(what, &world, "snp.signature.malformed");
    }
    let mut largest = P384_ORDER;
    largest[47] -= 1;
    let mut world = world.clone();
    world.report.set_signature_r(little_endian(&largest));
    assert_outcome("R is the order less one", &world, "snp.signature.invalid");
}

#[test]
fn masked_chip_ids_become_a_claim() {
    for (kind, chip_id, masked) in
        [(Vcek, [0; 64], true), (Vcek, Milan.chip_id(), false), (Vlek, [0; 64], true)]
    {
        let mut world = World::new(Milan, kind);
        world.edit_report(|r| drop_ref(r.set_chip_id(chip_id)));
        let Outcome::Accept(accepted) = outcome(&world) else { panic!("{kind:?}") };
        assert_eq!(accepted.claims.flag("chip_id_masked"), Ok(masked));
        assert_eq!(accepted.bound.bytes, world.report.report_data());
    }
}

#[test]
fn version_2_takes_the_product_line_of_its_chain() {
    for (product, expected) in [(Milan, "accept"), (Genoa, "accept"), (Turin, "snp.chain.untrusted_root")] {
        let mut world = World::new(product, Vcek);
        world.edit_report(|r| {
            r.downgrade(2).set_all_tcbs(if product == Turin {
                [0; 8]
            } else {
                product.tcb().encode(product)
            });
        });
        assert_outcome(&format!("{product:?}"), &world, expected);
        if let Outcome::Accept(accepted) = outcome(&world) {
            assert_eq!(accepted.claims.text("product"), Ok(product.name()));
            assert_eq!(accepted.claims.value("cpuid_fam_mod_step"), None);
        }
    }
    let mut turin = World::new(Turin, Vcek);
    turin.edit_report(|r| drop_ref(r.downgrade(2).set_all_tcbs([0; 8])));
    let slots = Slots { roots: vec![], ..synthetic::slots(&turin) };
    let outcome = synthetic::check(turin.report.bytes(), &slots).outcome;
    assert_eq!(outcome_code(&outcome), "snp.product.mismatch", "without a root");
    turin.edit_leaf(|leaf| leaf.set_product_name("Zen"));
    let slots = Slots { roots: vec![], ..synthetic::slots(&turin) };
    let outcome = synthetic::check(turin.report.bytes(), &slots).outcome;
    assert_eq!(outcome_code(&outcome), "snp.product.mismatch", "neither line is known");
    turin.edit_leaf(|leaf| leaf.remove_ext(oids::SNP_SPL));
    let slots = Slots { roots: vec![], ..synthetic::slots(&turin) };
    let outcome = synthetic::check(turin.report.bytes(), &slots).outcome;
    assert_eq!(outcome_code(&outcome), "snp.ext.missing", "S14 before S15");
    let mut world = World::new(Milan, Vcek);
    world.edit_report(|r| drop_ref(r.downgrade(2))).edit_leaf(|leaf| leaf.set_product_name("Genoa"));
    assert_outcome("product name of another line", &world, "snp.product.mismatch");
}

#[test]
fn der_is_strict() {
    let world = World::new(Milan, Vcek);
    let trailing = |der: &[u8]| [der, &[0]].concat();
    let cases: [(&str, Vec<u8>, &str); 4] = [
        ("trailing byte", trailing(&world.leaf), "snp.chain.role"),
        ("truncated", world.leaf[..world.leaf.len() - 1].to_vec(), "snp.chain.role"),
        ("empty", Vec::new(), "snp.chain.role"),
        (
            "FALSE written out",
            {
                let tbs = world.leaf_spec.tbs();
                let oid = der::oid(oids::STRUCT_VERSION);
                let from = der::seq(&[oid.clone(), der::octet_string(&[2, 1, 0])]);
                let to = der::seq(&[oid, der::boolean(false), der::octet_string(&[2, 1, 0])]);
                let tbs = replace_in_tbs(&tbs, &from, &to);
                sign_tbs(
                    &tbs,
                    &world.leaf_spec.outer_algorithm,
                    world.intermediate_key,
                    world.leaf_spec.signing,
                )
            },
            "snp.chain.role",
        ),
    ];
    for (what, leaf, expected) in cases {
        let world = World { leaf, ..world.clone() };
        assert_outcome(what, &world, expected);
    }
    let intermediate = World { intermediate: trailing(&world.intermediate), ..world.clone() };
    assert_outcome("intermediate", &intermediate, "snp.chain.role");
    let crl = World { crl: trailing(&world.crl), ..world };
    assert_outcome("revocation list", &crl, "snp.crl.signature");
}

/// Replaces a part of the extensions, all of which have lengths of two octets around them.
fn replace_in_tbs(tbs: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = tbs.windows(from.len()).position(|window| window == from).unwrap();
    let growth = u16::try_from(to.len() - from.len()).unwrap();
    let mut out = [&tbs[..at], to, &tbs[at + from.len()..]].concat();
    // Outer SEQUENCE, then [3] and its SEQUENCE, which start right before the first extension.
    for length_at in [2, at - 6, at - 2] {
        let length = u16::from_be_bytes([out[length_at], out[length_at + 1]]) + growth;
        out[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
    }
    out
}
