//! Every check of certificates and revocation lists (steps T4 and T5, and the signer of T6 and T7) that no row of the
//! catalogue covers, one violation each, and what is just not one.

use cc_testkit::der;
use cc_testkit::snp::ca::{
    AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, CRL_DISTRIBUTION_POINTS, KEY_USAGE, SUBJECT_KEY_ID,
};
use cc_testkit::snp::keys::stranger_p384;
use cc_testkit::snp::{CertSpec, CrlSpec, Ext, Revoked, SigKind, SignKey};
use cc_testkit::tdx::ca::{SIGNER_NAME, intel_name};
use cc_testkit::tdx::pck::{PCK_NAME, SGX_EXTENSION};
use cc_testkit::tdx::sgx::{Value, oids};
use cc_testkit::tdx::{Ca, NOW, SgxExtension, World, crl, keys};

use crate::common::tdx::{Parts, assert_code, assert_rows, replaced, world};

#[test]
fn certificates_of_the_quote_have_their_places() {
    assert_rows(&[
        ("same root, issued again", |w| _ = w.edit_root(|_| {}), "tdx.pck_chain.untrusted_root"),
        ("root twice", |w| chain(w, [0, 2, 2]), "tdx.pck_chain.role"),
        ("intermediate as leaf", |w| chain(w, [1, 1, 2]), "tdx.pck_chain.role"),
        ("leaf and intermediate swapped", |w| chain(w, [1, 0, 2]), "tdx.pck_chain.role"),
        ("root first", |w| chain(w, [2, 1, 0]), "tdx.pck_chain.untrusted_root"),
    ]);
    let mut world = world();
    world.pck_chain[1] = Ca::Processor.der().to_vec();
    world.rechain();
    assert_code("the other intermediate", &world, "tdx.pck_chain.role");
}

/// A certificate with a part to play, and how it is edited.
type Edit = fn(&mut World, &mut dyn FnMut(&mut CertSpec));

const LEAF: (&str, Edit) = ("PCK", |w, edit| _ = w.edit_pck(edit));

const INTERMEDIATE: (&str, Edit) = ("PCK CA", |w, edit| _ = w.edit_pck_ca(edit));

const SIGNER: (&str, Edit) = ("TCB signer", |w, edit| _ = w.edit_signer(edit));

#[test]
fn certificates_are_valid_at_the_instant() {
    let chain = ["tdx.pck_chain.expired", "tdx.pck_chain.not_yet_valid"];
    // TCB info is the first that the signer signs.
    let signer = ["tdx.tcb_info.expired", "tdx.tcb_info.future"];
    for ((whose, edit), [expired, early]) in [(LEAF, chain), (INTERMEDIATE, chain), (SIGNER, signer)] {
        for (from, until, expected) in
            [(NOW, NOW, "accept"), (NOW - 1, NOW - 1, expired), (NOW + 1, NOW + 1, early)]
        {
            let mut world = world();
            edit(&mut world, &mut |spec| (spec.not_before, spec.not_after) = (from, until));
            assert_code(&format!("{whose} from {} until {}", from - NOW, until - NOW), &world, expected);
        }
    }
}

#[test]
fn certificates_have_form_role_and_algorithm() {
    type Change = fn(&mut CertSpec);
    let authority = der::seq(&[der::boolean(true), der::integer(0)]);
    let chain = ["tdx.pck_chain.role", "tdx.pck_chain.signature"];
    let signer = ["tdx.tcb_info.role", "tdx.tcb_info.signature"];
    let role: [(&str, Change); 9] = [
        ("another name", |c| c.subject = intel_name("Intel SGX")),
        ("a name in other letters", |c| c.subject = replaced(&c.subject, "SGX", "sgx")),
        ("version 1", |c| c.version = None),
        ("another issuer's name", |c| c.issuer = intel_name("Intel SGX Root CA 2")),
        ("key usage not critical", |c| c.ext_mut(KEY_USAGE).critical = false),
        ("no key usage", |c| c.remove_ext(KEY_USAGE)),
        ("no usage at all", |c| c.ext_mut(KEY_USAGE).value = der::bit_string(0, &[0])),
        ("a critical extension", |c| c.extensions.push(Ext::critical("1.2.3.4", vec![5, 0]))),
        ("key on P-384", |c| c.spki = stranger_p384().spki().to_vec()),
    ];
    let signature: [(&str, Change); 3] = [
        ("SHA-384 by the identifier", |c| c.set_algorithm(SigKind::Ecdsa)),
        ("inner and outer identifier differ", |c| c.inner_algorithm = SigKind::Ecdsa.algorithm()),
        ("outer and inner identifier differ", |c| c.outer_algorithm = SigKind::Ecdsa.algorithm()),
    ];
    let good: [(&str, Change); 4] = [
        ("no authority key id", |c| c.remove_ext(AUTHORITY_KEY_ID)),
        ("no distribution point", |c| c.remove_ext(CRL_DISTRIBUTION_POINTS)),
        ("no subject key id", |c| c.remove_ext(SUBJECT_KEY_ID)),
        ("an extension", |c| c.extensions.push(Ext::new("1.2.3.4", vec![5, 0]))),
    ];
    for ((whose, edit), codes) in [(LEAF, chain), (INTERMEDIATE, chain), (SIGNER, signer)] {
        let role = role.iter().map(|(what, change)| (*what, *change, codes[0]));
        let signature = signature.iter().map(|(what, change)| (*what, *change, codes[1]));
        let good = good.iter().map(|(what, change)| (*what, *change, "accept"));
        for (what, change, expected) in role.chain(signature).chain(good) {
            let mut world = world();
            edit(&mut world, &mut |spec| change(spec));
            assert_code(&format!("{whose}: {what}"), &world, expected);
        }
        let mut world = world();
        edit(&mut world, &mut |spec| spec.duplicate_ext(SUBJECT_KEY_ID, vec![4, 1, 0]));
        assert_code(&format!("{whose}: an extension twice"), &world, codes[0]);
    }
    for ((whose, edit), [code, _]) in [(LEAF, chain), (SIGNER, signer)] {
        let mut world = world();
        edit(&mut world, &mut |spec| spec.ext_mut(BASIC_CONSTRAINTS).value.clone_from(&authority));
        assert_code(&format!("{whose}: an authority"), &world, code);
    }
    let constraints: [(&str, Vec<u8>); 4] = [
        ("no authority", der::seq::<Vec<u8>>(&[])),
        ("no path length", der::seq(&[der::boolean(true)])),
        ("path length 1", der::seq(&[der::boolean(true), der::integer(1)])),
        ("not DER", vec![0x30, 0x80]),
    ];
    for (what, value) in constraints {
        let mut world = world();
        world.edit_pck_ca(|ca| ca.ext_mut(BASIC_CONSTRAINTS).value = value);
        assert_code(what, &world, "tdx.pck_chain.role");
    }
    let usages = [("may not sign certificates", 0b0000_0010, 1), ("may not sign lists", 0b0000_0100, 2)];
    for (what, usage, unused) in usages {
        let mut world = world();
        world.edit_pck_ca(|ca| ca.ext_mut(KEY_USAGE).value = der::bit_string(unused, &[usage]));
        assert_code(what, &world, "tdx.pck_chain.role");
    }
}

#[test]
fn signatures_of_certificates_are_those_of_the_certificate_above() {
    assert_rows(&[
        ("intermediate altered", |w| alter(w, 1), "tdx.pck_chain.signature"),
        ("leaf altered", |w| alter(w, 0), "tdx.pck_chain.signature"),
        ("leaf by the root", |w| leaf_by(w, keys::root()), "tdx.pck_chain.signature"),
        ("leaf by itself", |w| leaf_by(w, keys::pck()), "tdx.pck_chain.signature"),
    ]);
    let mut world = world();
    world.pck_chain[0].push(0);
    world.rechain();
    assert_code("leaf with a byte after it", &world, "tdx.pck_chain.signature");
}

#[test]
fn the_sgx_extension_is_strict() {
    let mandatory =
        [oids::PPID, oids::TCB, oids::PCEID, oids::FMSPC, oids::SGX_TYPE, oids::PCESVN, oids::CPUSVN];
    let optional = [
        oids::PLATFORM_INSTANCE_ID,
        oids::CONFIGURATION,
        oids::DYNAMIC_PLATFORM,
        oids::CACHED_KEYS,
        oids::SMT_ENABLED,
    ];
    let components: Vec<_> = (1..=16).map(oids::component).collect();
    let mandatory: Vec<_> = mandatory.into_iter().chain(components.iter().map(String::as_str)).collect();
    let sgx = |what: &str, edit: &dyn Fn(&mut SgxExtension), expected: &str| {
        let mut world = world();
        world.edit_sgx(edit);
        assert_code(what, &world, expected);
    };
    for oid in &mandatory {
        sgx(&format!("no {oid}"), &|sgx| sgx.remove(oid), "tdx.pck_chain.role");
    }
    for oid in optional {
        sgx(&format!("no {oid}"), &|sgx| sgx.remove(oid), "accept");
    }
    for oid in mandatory.iter().chain(&optional) {
        sgx(&format!("{oid} twice"), &|sgx| sgx.duplicate(oid), "tdx.pck_chain.role");
        sgx(&format!("{oid} of another type"), &|sgx| sgx.set(oid, der::null()), "tdx.pck_chain.role");
    }
    let fixed = [(oids::PPID, 16), (oids::PCEID, 2), (oids::FMSPC, 6), (oids::CPUSVN, 16)];
    for (oid, length) in fixed.into_iter().chain([(oids::PLATFORM_INSTANCE_ID, 16)]) {
        for wrong in [0, length - 1, length + 1] {
            let value = der::octet_string(&vec![0; wrong]);
            sgx(&format!("{oid} of {wrong} bytes"), &|sgx| sgx.set(oid, value.clone()), "tdx.pck_chain.role");
        }
    }
    let values: [(&str, &str, Vec<u8>, &str); 9] = [
        ("component of 256", &components[6], der::integer(256), "tdx.pck_chain.role"),
        ("component of 255", &components[6], der::integer(255), "accept"),
        ("component below zero", &components[6], vec![2, 1, 0xFF], "tdx.pck_chain.role"),
        ("component not minimal", &components[6], vec![2, 2, 0, 4], "tdx.pck_chain.role"),
        ("PCESVN of 65536", oids::PCESVN, der::integer(65536), "tdx.pck_chain.role"),
        ("PCESVN of 65535", oids::PCESVN, der::integer(65535), "accept"),
        ("an unknown type", oids::SGX_TYPE, der::tlv(0x0A, &[3]), "tdx.pck_chain.role"),
        ("scalable with integrity", oids::SGX_TYPE, der::tlv(0x0A, &[2]), "accept"),
        ("another truth", oids::SMT_ENABLED, vec![1, 1, 1], "tdx.pck_chain.role"),
    ];
    for (what, oid, value, expected) in values {
        sgx(what, &|sgx| sgx.set(oid, value.clone()), expected);
    }
    assert_rows(&[
        ("no SGX extension", |w| _ = w.edit_pck(|pck| pck.remove_ext(SGX_EXTENSION)), "tdx.pck_chain.role"),
        (
            "two SGX extensions",
            |w| {
                let value = w.sgx.encode();
                w.edit_pck(|pck| pck.duplicate_ext(SGX_EXTENSION, value));
            },
            "tdx.pck_chain.role",
        ),
        (
            "a byte after it",
            |w| _ = w.edit_pck(|pck| pck.ext_mut(SGX_EXTENSION).value.push(0)),
            "tdx.pck_chain.role",
        ),
        (
            "an item of another tree",
            |w| _ = w.edit_sgx(|sgx| sgx.items[0].oid = "1.2.840.113741.1.13.2.1".to_owned()),
            "tdx.pck_chain.role",
        ),
    ]);
    sgx("a new item", &|sgx| add(sgx, "1.2.840.113741.1.13.1.9"), "accept");
}

#[test]
fn names_of_roles_are_not_interchangeable() {
    let names = [PCK_NAME, SIGNER_NAME, Ca::Platform.name(), Ca::Processor.name(), "Intel SGX Root CA"];
    for name in names {
        let mut world = world();
        world.edit_pck(|pck| pck.subject = intel_name(name));
        let expected = if name == PCK_NAME { "accept" } else { "tdx.pck_chain.role" };
        assert_code(&format!("PCK named {name}"), &world, expected);
        let mut world = self::world();
        world.edit_signer(|signer| signer.subject = intel_name(name));
        let expected = if name == SIGNER_NAME { "accept" } else { "tdx.tcb_info.role" };
        assert_code(&format!("signer named {name}"), &world, expected);
    }
}

/// A revocation list with a part to play, and how it is edited.
type EditList = fn(&mut World, &mut dyn FnMut(&mut CrlSpec));

#[test]
fn revocation_lists_are_authentic_and_current() {
    type Change = fn(&mut CrlSpec);
    let rows: [(&str, Change, &str); 15] = [
        ("until now", |c| c.next_update = Some(NOW), "accept"),
        ("expired", |c| c.next_update = Some(NOW - 1), "tdx.crl.expired"),
        ("no next update", |c| c.next_update = None, "tdx.crl.expired"),
        ("from now", |c| c.this_update = NOW, "accept"),
        ("of the future", |c| c.this_update = NOW + 1, "tdx.crl.expired"),
        ("another name", |c| c.issuer = intel_name("Intel SGX CA"), "tdx.crl.issuer_mismatch"),
        ("no number", |c| c.number = None, "tdx.crl.signature"),
        ("version 1", |c| c.version = None, "tdx.crl.signature"),
        ("SHA-384 by the identifier", |c| c.set_algorithm(SigKind::Ecdsa), "tdx.crl.signature"),
        ("inner identifier differs", |c| c.inner_algorithm = SigKind::Ecdsa.algorithm(), "tdx.crl.signature"),
        (
            "limited in scope",
            |c| c.extensions.push(Ext::critical("2.5.29.28", der::seq::<Vec<u8>>(&[]))),
            "tdx.crl.signature",
        ),
        (
            "an extension twice",
            |c| c.extensions.push(Ext::new(AUTHORITY_KEY_ID, vec![0x30, 0])),
            "tdx.crl.signature",
        ),
        (
            "an entry for another issuer",
            |c| {
                let other = Ext::critical("2.5.29.29", der::seq::<Vec<u8>>(&[]));
                c.revoked.push(Revoked { extensions: vec![other], ..Revoked::serial(vec![1]) });
            },
            "tdx.crl.signature",
        ),
        (
            "an entry with a reason",
            |c| {
                let reason = Ext::new("2.5.29.21", vec![0x0A, 1, 1]);
                c.revoked.push(Revoked { extensions: vec![reason], ..Revoked::serial(vec![1]) });
            },
            "accept",
        ),
        ("others revoked", |c| c.revoke(vec![1]), "accept"),
    ];
    let lists: [(&str, EditList); 2] =
        [("root", |w, edit| _ = w.edit_root_crl(edit)), ("PCK CA", |w, edit| _ = w.edit_pck_crl(edit))];
    for (whose, edit) in lists {
        for (what, change, expected) in &rows {
            let mut world = world();
            edit(&mut world, &mut |spec| change(spec));
            assert_code(&format!("list of the {whose}: {what}"), &world, expected);
        }
    }
    assert_rows(&[
        ("root list altered", |w| *w.root_crl.last_mut().unwrap() ^= 1, "tdx.crl.signature"),
        ("PCK list altered", |w| *w.pck_crl.last_mut().unwrap() ^= 1, "tdx.crl.signature"),
        ("root list with a byte after it", |w| w.root_crl.push(0), "tdx.crl.signature"),
        ("PCK list by the root", |w| w.pck_crl = w.pck_crl_spec.sign(keys::root()), "tdx.crl.signature"),
        ("PCK list is the root's", |w| w.pck_crl.clone_from(&w.root_crl), "tdx.crl.issuer_mismatch"),
    ]);
}

#[test]
fn an_older_list_does_not_hide_a_revocation() {
    let mut world = world();
    let parts = Parts::of(&world);
    let serial = world.pck_spec.serial.clone();
    world.edit_pck_crl(|crl| crl.revoke(serial));
    for newer in [11, 12, 13] {
        world.edit_pck_crl(|crl| crl.number = Some(newer));
        for first in [true, false] {
            let mut lists = vec![parts.pck_crls[0].clone(), world.pck_crl.clone()];
            if first {
                lists.reverse();
            }
            let both = Parts { pck_crls: lists, ..parts.clone() };
            assert_eq!(both.code(), "tdx.pck.revoked", "number {newer} beside 12");
        }
    }
}

#[test]
fn lists_of_others_beside_the_right_one_do_no_harm() {
    let world = world();
    let parts = Parts::of(&world);
    let processor = crl::pck(Ca::Processor).sign(keys::pck_ca(Ca::Processor));
    for lists in [[&processor, &world.pck_crl], [&world.pck_crl, &processor]] {
        let both = Parts { pck_crls: lists.map(Clone::clone).to_vec(), ..parts.clone() };
        assert_eq!(both.code(), "accept");
    }
}

fn chain(world: &mut World, places: [usize; 3]) {
    world.pck_chain = places.map(|place| world.pck_chain[place].clone()).to_vec();
    world.rechain();
}

/// Inverts the last bit of a certificate's signature.
fn alter(world: &mut World, place: usize) {
    *world.pck_chain[place].last_mut().unwrap() ^= 1;
    world.rechain();
}

fn leaf_by(world: &mut World, key: &SignKey) {
    world.pck_chain[0] = world.pck_spec.sign(key);
    world.rechain();
}

fn add(sgx: &mut SgxExtension, oid: &str) {
    let mut item = sgx.items[0].clone();
    (item.oid, item.value) = (oid.to_owned(), Value::Der(der::null()));
    sgx.items.push(item);
}
