//! Sizes and numbers: what comes from a stranger costs little before its signature is checked.

use cc_core::limits::MAX_ENDORSEMENTS;
use cc_core::message::VerifyReply;
use cc_testkit::snp::{CertSpec, CrlSpec, Ext, LeafKind, Product, Revoked, World};
use cc_verifier::snp::{Slots, Verifier};

use LeafKind::Vcek;
use Product::Milan;

use crate::common::codes::{outcome_code, reply_code};
use crate::common::requests;
use crate::common::synthetic;

fn drop_ref<T>(_: &mut T) {}

fn reply(world: &World, endorsements: &[&[u8]]) -> VerifyReply {
    let request = requests::request(world.report.bytes(), endorsements);
    Verifier::new(synthetic::anchors(), 0).verify(&request)
}

#[test]
fn slots_have_limits() {
    type Fill = for<'a> fn(&mut Slots<'a>, &mut dyn FnMut(&mut Vec<&'a [u8]>));
    let slots: [(&str, usize, usize, Fill, &str); 4] = [
        ("leaves", 8, 16 * 1024, |s, fill| fill(&mut s.leaves), "accept"),
        ("intermediates", 12, 16 * 1024, |s, fill| fill(&mut s.intermediates), "accept"),
        ("roots", 12, 16 * 1024, |s, fill| fill(&mut s.roots), "accept"),
        ("lists", 12, 256 * 1024, |s, fill| fill(&mut s.crls), "accept"),
    ];
    let world = World::new(Milan, Vcek);
    let zeros = vec![0; 256 * 1024 + 1];
    for (what, most, longest, choose, expected) in slots {
        for (count, length, expected) in [
            (most, 1, expected),
            (most + 1, 1, "env.size.exceeded"),
            (2, longest, expected),
            (2, longest + 1, "env.size.exceeded"),
        ] {
            let mut slots = synthetic::slots(&world);
            choose(&mut slots, &mut |slot| {
                let good = slot[0];
                *slot = vec![&zeros[..length]; count - 1];
                slot.push(good);
            });
            let outcome = synthetic::check(world.report.bytes(), &slots).outcome;
            assert_eq!(outcome_code(&outcome), expected, "{what}: {count}, the longest {length}");
        }
    }
}

#[test]
fn endorsements_count_once() {
    let world = World::new(Milan, Vcek);
    let table = world.cert_table().build();
    let mut blobs: Vec<&[u8]> = vec![&table];
    for object in [&world.crl, &world.leaf, &world.intermediate, &world.ark] {
        blobs.extend([object.as_slice(); 15]);
    }
    let accepted = reply(&world, &blobs);
    assert_eq!(reply_code(&accepted), "accept");
    assert_eq!(accepted.floors[0].endorsement, 1, "the first of the equal lists");
    assert_eq!((accepted.recognised[1].as_str(), accepted.recognised[15].as_str()), ("snp.crl", "snp.crl"));
    let leaves: Vec<_> = (1..=9_u8)
        .map(|serial| {
            let mut world = world.clone();
            world.edit_leaf(|leaf| leaf.serial = vec![serial]);
            world.leaf
        })
        .collect();
    let leaves: Vec<_> = leaves.iter().map(Vec::as_slice).collect();
    assert_eq!(reply_code(&reply(&world, &leaves)), "env.size.exceeded");
}

#[test]
fn more_endorsements_than_allowed_are_not_looked_at() {
    let world = World::new(Milan, Vcek);
    for (count, name) in [(MAX_ENDORSEMENTS, "snp.crl"), (MAX_ENDORSEMENTS + 1, "unknown")] {
        let refused = Verifier::new(synthetic::anchors(), 0)
            .verify(&requests::request(b"short", &vec![world.crl.as_slice(); count]));
        assert_eq!(refused.recognised, vec![name; count]);
        let code = if count == MAX_ENDORSEMENTS { "snp.format.length" } else { "env.size.exceeded" };
        assert_eq!(reply_code(&refused), code);
    }
}

/// As many extensions with different identifiers.
fn extensions(count: usize) -> impl Iterator<Item = Ext> {
    (0..count).map(|i| Ext::new(format!("1.2.3.{i}"), vec![5, 0]))
}

#[test]
fn lists_of_extensions_have_a_limit() {
    type Edit = fn(&mut World, usize);
    fn fill(spec: &mut CertSpec, count: usize) {
        let own = spec.extensions.len();
        spec.extensions.extend(extensions(count - own));
    }
    let cases: [(&str, Edit, &str); 4] = [
        ("leaf", |w, count| drop_ref(w.edit_leaf(|leaf| fill(leaf, count))), "snp.chain.missing"),
        (
            "intermediate",
            |w, count| drop_ref(w.edit_intermediate(|ask| fill(ask, count))),
            "snp.chain.missing",
        ),
        (
            "revocation list",
            |w, count| {
                drop_ref(w.edit_crl(|crl| {
                    let own = crl.extensions.len() + usize::from(crl.number.is_some());
                    crl.extensions.extend(extensions(count - own));
                }));
            },
            "snp.crl.missing",
        ),
        (
            // Read behind the signature only.
            "entry of a revocation list",
            |w, count| {
                let extensions = extensions(count).collect();
                let entry = Revoked { extensions, ..Revoked::serial(vec![1]) };
                drop_ref(w.edit_crl(|crl| crl.revoked.push(entry)));
            },
            "snp.crl.signature",
        ),
    ];
    for (what, edit, expected) in cases {
        for (count, expected) in [(32, "accept"), (33, expected)] {
            let mut world = World::new(Milan, Vcek);
            edit(&mut world, count);
            let reply = reply(&world, &[&world.leaf, &world.intermediate, &world.crl]);
            assert_eq!(reply_code(&reply), expected, "{what}: {count}");
        }
    }
}

#[test]
fn entries_of_lists_are_judged_behind_the_signature() {
    let world = World::new(Milan, Vcek);
    let critical = vec![Ext::critical("1.2.3.4", vec![5, 0])];
    let mut spec = world.crl_spec.clone();
    spec.revoked.push(Revoked { extensions: critical, ..Revoked::serial(vec![1]) });
    for (what, crl) in
        [("authentic", spec.sign(world.ark_key)), ("forged", spec.sign(world.intermediate_key))]
    {
        let refused = reply(&world, &[&world.leaf, &world.intermediate, &crl]);
        assert_eq!(reply_code(&refused), "snp.crl.signature", "{what}");
        assert_eq!(refused.recognised[2], "snp.crl", "{what}");
    }
}

#[test]
fn revocation_lists_have_room_for_thousands() {
    let world = World::new(Milan, Vcek);
    let list = |entries: u32| {
        let serial = |i: u32| Revoked::serial([&[1][..], &i.to_be_bytes()].concat());
        CrlSpec { revoked: (0..entries).map(serial).collect(), ..world.crl_spec.clone() }.sign(world.ark_key)
    };
    for (entries, code, name) in [(10_000, "accept", "snp.crl"), (12_000, "snp.crl.missing", "unknown")] {
        let crl = list(entries);
        assert_eq!(crl.len() > 256 * 1024, name == "unknown", "{} bytes", crl.len());
        let reply = reply(&world, &[&world.leaf, &world.intermediate, &crl]);
        assert_eq!((reply_code(&reply), reply.recognised[2].as_str()), (code, name));
    }
}

#[test]
fn certificate_tables_are_checked_to_the_last_byte() {
    let world = World::new(Milan, Vcek);
    let outcome = |table: Vec<u8>| {
        let reply = reply(&world, &[&table, &world.crl]);
        reply_code(&reply).to_owned()
    };
    let edited = |edit: &dyn Fn(&mut cc_testkit::snp::CertTable)| {
        let mut table = world.cert_table();
        edit(&mut table);
        table.build()
    };
    assert_eq!(outcome(edited(&|_| {})), "accept");
    assert_eq!(
        outcome(edited(&|t| drop_ref(t.push("00000000-0000-0000-0000-000000000001", b"x")))),
        "accept"
    );
    assert_eq!(outcome(edited(&|t| t.terminated = false)), "snp.certtable.malformed");
    assert_eq!(outcome(edited(&|t| t.entries[1].offset = Some(u32::MAX))), "snp.certtable.malformed");
    assert_eq!(outcome(edited(&|t| t.entries[1].length = Some(u32::MAX))), "snp.certtable.malformed");
    assert_eq!(outcome(edited(&|t| t.entries[1].length = Some(0))), "snp.certtable.malformed");
    assert_eq!(
        outcome(edited(&|t| t.entries[1].offset = Some(95))),
        "snp.certtable.malformed",
        "in the entries"
    );
    assert_eq!(outcome(edited(&|t| t.entries[1].guid = t.entries[0].guid)), "snp.certtable.malformed");
    // Blobs apart from each other; the first one is the root, right behind the entries.
    let root = u32::try_from(world.ark.len()).unwrap();
    for (offset, length, what) in
        [(96, root, "the same"), (97, root - 2, "inside"), (95 + root, 1, "the end")]
    {
        let overlapping = edited(&|t| {
            t.entries[1].offset = Some(offset);
            t.entries[1].length = Some(length);
        });
        assert_eq!(outcome(overlapping), "snp.certtable.malformed", "{what}");
    }
    // A host may fill its buffer up.
    let filled = |length: usize| {
        let mut table = edited(&|_| {});
        table.resize(length, 0);
        table
    };
    assert_eq!(outcome(filled(0x4000)), "accept");
    assert_eq!(outcome(filled(0x4001)), "snp.certtable.malformed");
    let entries = |count: usize| {
        edited(&|t| {
            for i in t.entries.len()..count {
                t.push(&format!("00000000-0000-0000-0000-{i:012}"), b"x");
            }
        })
    };
    assert_eq!(outcome(entries(32)), "accept");
    assert_eq!(outcome(entries(33)), "snp.certtable.malformed");
    let table = edited(&|_| {});
    assert_eq!(outcome(table[..table.len() - 1].to_vec()), "snp.certtable.malformed");
    assert_eq!(outcome(table[..24].to_vec()), "snp.certtable.malformed");
}
