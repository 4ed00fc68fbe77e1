//! The rows of the negative test catalogue (*verification.md* 7) about container groups that belong to verification.
//!
//! Each row changes one thing in an otherwise acceptable group and names the exact code. Rows that a policy judges have
//! their claims in `aci_claims.rs`.

use cc_testkit::aci::chain::{EXTENDED_KEY_USAGE, OTHER_PURPOSE, did_of};
use cc_testkit::aci::uvm::{label, name};
use cc_testkit::aci::{Chain, FEED, World};
use cc_testkit::snp::{SigKind, Tcb, keys};
use cc_testkit::{cbor, der};
use cc_verifier::aci::{Anchors, Uvm, Verifier};

use crate::common::aci;
use crate::common::codes::reply_code;

type Row = (&'static str, fn(&mut World, &mut Vec<Vec<u8>>, &mut Anchors), &'static str);

/// Position of the endorsement of the utility VM in [`World::endorsements`].
const UVM: usize = 4;

const ROWS: [Row; 14] = [
    (
        "N-ACI-01",
        |_, all, _| {
            all.remove(UVM);
        },
        "aci.uvm.missing",
    ),
    (
        "N-ACI-02",
        |w, all, _| {
            w.uvm.tag = 98;
            all[UVM] = w.uvm.sign();
        },
        "aci.uvm.cose_malformed",
    ),
    (
        "N-ACI-03",
        |w, all, _| {
            let issuer = w.uvm.remove(&name("iss"));
            w.uvm.unprotected.push(issuer);
            all[UVM] = w.uvm.sign();
        },
        "aci.uvm.cose_malformed",
    ),
    (
        "N-ACI-04",
        |w, all, _| {
            let key = keys::stranger_rsa();
            let chain = Chain::with_keys(key, key, key);
            w.uvm.set_chain(&chain.ders()).set(name("iss"), cbor::text(&chain.did()));
            w.uvm.key = key;
            all[UVM] = w.uvm.sign();
        },
        "aci.uvm.issuer",
    ),
    (
        "N-ACI-05",
        |w, all, _| {
            let purposes = der::seq(&[der::oid(OTHER_PURPOSE)]);
            w.edit_chain(|chain| chain.signer.set_ext(EXTENDED_KEY_USAGE, purposes));
            all[UVM] = w.uvm.sign();
        },
        "aci.uvm.eku",
    ),
    (
        "N-ACI-06",
        |w, all, anchors| {
            let did = did_of(&w.chain.ders()[0]);
            w.uvm.set(name("iss"), cbor::text(&did));
            anchors.uvm = Uvm::new(&did, FEED);
            all[UVM] = w.uvm.sign();
        },
        "aci.uvm.fingerprint",
    ),
    (
        "N-ACI-07",
        |w, all, _| {
            w.uvm.set(name("feed"), cbor::text("ConfAKS-AMD-UVM"));
            all[UVM] = w.uvm.sign();
        },
        "aci.uvm.feed",
    ),
    (
        "N-ACI-08",
        |_, all, _| {
            let at = all[UVM].windows(3).position(|part| part == b"104").unwrap();
            all[UVM][at + 2] ^= 1;
        },
        "aci.uvm.signature",
    ),
    (
        "N-ACI-09",
        |w, all, _| {
            w.snp.edit_report(|report| {
                report.set_measurement([7; 48]);
            });
            assert_eq!(all[UVM][0], 0xd2, "the endorsement of the VM before");
        },
        "aci.uvm.measurement_mismatch",
    ),
    ("N-ACI-12", |_, all, _| all[UVM + 1].push(b'\n'), "aci.cce_policy.digest"),
    (
        "N-ACI-14",
        |w, all, _| {
            let product = w.snp.product;
            let older = Tcb { microcode: product.tcb().microcode - 1, ..product.tcb() };
            w.snp.edit_leaf(|leaf| leaf.set_tcb(older));
            all[0] = w.snp.leaf.clone();
        },
        "snp.tcb.cert_mismatch",
    ),
    (
        "N-ACI-15",
        |w, all, _| {
            w.uvm.set(label(1), cbor::integer(5));
            all[UVM] = w.uvm.sign();
        },
        "aci.uvm.alg",
    ),
    (
        "N-ACI-16",
        |w, all, _| {
            w.edit_chain(|chain| chain.authority_key = keys::stranger_rsa());
            all[UVM] = w.uvm.sign();
        },
        "aci.uvm.chain",
    ),
    (
        "N-ACI-17",
        |w, all, _| {
            w.uvm.set(label(3), cbor::text("text/plain"));
            all[UVM] = w.uvm.sign();
        },
        "aci.uvm.content_type",
    ),
];

#[test]
fn every_row_has_its_code() {
    for (id, mutate, expected) in ROWS {
        let (mut world, mut anchors) = (World::new(), aci::anchors());
        let mut endorsements = world.endorsements();
        assert_eq!(aci::judge_world(&world), "accept", "{id}: the group before its mutation");
        mutate(&mut world, &mut endorsements, &mut anchors);
        let request = aci::request(world.snp.report.bytes(), &endorsements);
        assert_eq!(reply_code(&Verifier::new(anchors, 0).verify(&request)), expected, "{id}");
    }
}

/// The signature kinds of the allowed algorithms are all accepted, so that what a row refuses is not refused for that.
#[test]
fn every_allowed_algorithm_is_accepted() {
    let (rsa, p256, p384) = (cc_testkit::aci::keys::signer(), keys::stranger_p256(), keys::stranger_p384());
    for (number, kind, key, alg) in [
        (-7, SigKind::Ecdsa, p256, "ES256"),
        (-35, SigKind::Ecdsa, p384, "ES384"),
        (-36, SigKind::Ecdsa, cc_testkit::aci::keys::signer_p521(), "ES512"),
        (-37, SigKind::PssSha256, rsa, "PS256"),
        (-38, SigKind::PssSha384, rsa, "PS384"),
        (-39, SigKind::PssSha512, rsa, "PS512"),
    ] {
        let mut world = World::new();
        world.edit_chain(|chain| chain.signer.spki = key.spki().to_vec());
        world.uvm.sign_with(number, kind, key);
        let reply = aci::verifier().verify(&aci::request_of(&world));
        assert_eq!(aci::claims(&reply)["uvm"]["alg"], alg);
    }
}
