//! Every check of the steps T2 to T17 and T22 that no row of the catalogue covers, one violation each, and what is
//! just not one.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

#[path = "common/tdx.rs"]
mod tdx;

use cc_testkit::der;
use cc_testkit::snp::ca::{
    AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, CRL_DISTRIBUTION_POINTS, KEY_USAGE, SUBJECT_KEY_ID,
};
use cc_testkit::snp::keys::stranger_p384;
use cc_testkit::snp::{CertSpec, CrlSpec, Ext, Revoked, SigKind, SignKey};
use cc_testkit::tdx::ca::{SIGNER_NAME, intel_name};
use cc_testkit::tdx::collateral::{Module, ModuleIdentity, PlatformLevel, Standing, SvnLevel, rfc3339};
use cc_testkit::tdx::field;
use cc_testkit::tdx::pck::{PCK_NAME, SGX_EXTENSION};
use cc_testkit::tdx::quote::P256_ORDER;
use cc_testkit::tdx::sgx::{COMPONENTS, Value, oids};
use cc_testkit::tdx::{Ca, Form, NOW, SgxExtension, World, ca, crl, keys};
use tdx::Parts;

use Form::{V4, V5Td10, V5Td15};

/// What is done, to a world of version 4 with a platform CA, and the code.
type Row = (&'static str, fn(&mut World), &'static str);

fn world() -> World {
    World::new(V4, Ca::Platform)
}

fn assert_rows(rows: &[Row]) {
    for (what, mutate, expected) in rows {
        let mut world = world();
        mutate(&mut world);
        let outcome = Parts::of(&world).outcome();
        assert_eq!(tdx::code(&outcome), *expected, "{what}: {outcome:?}");
    }
}

fn assert_code(what: &str, world: &World, expected: &str) {
    let outcome = Parts::of(world).outcome();
    assert_eq!(tdx::code(&outcome), expected, "{what}: {outcome:?}");
}

#[test]
fn every_form_under_every_authority_is_accepted() {
    for form in Form::ALL {
        for ca in Ca::ALL {
            assert_code(&format!("{form:?} {ca:?}"), &World::new(form, ca), "accept");
        }
    }
}

#[test]
fn lengths_nest_exactly() {
    for form in Form::ALL {
        let world = World::new(form, Ca::Platform);
        let parts = Parts::of(&world);
        for length in 0..parts.evidence.len() {
            let cut = Parts { evidence: parts.evidence[..length].to_vec(), ..parts.clone() };
            assert_eq!(cut.code(), "tdx.format.length", "{form:?}: {length} bytes");
        }
        for trailing in [vec![0], vec![0; 70], vec![0x0A]] {
            let mut world = world.clone();
            world.quote.trailing = trailing;
            assert_code(&format!("{form:?}: something follows"), &world, "tdx.format.length");
        }
        for by in [-1_i32, 1] {
            let sizes: [fn(&mut World, i32); 3] = [
                |w, by| {
                    let quote = &mut w.quote;
                    let size = quote.bytes().len() - quote.signed().len() - 4 - 134;
                    quote.outer_size = u32::try_from(size).unwrap().checked_add_signed(by);
                },
                |w, by| w.quote.auth_size = Some(if by < 0 { 31 } else { 33 }),
                |w, by| {
                    let size = u32::try_from(w.quote.certificates.len()).unwrap();
                    w.quote.inner_size = size.checked_add_signed(by);
                },
            ];
            for (which, lie) in sizes.into_iter().enumerate() {
                let mut world = world.clone();
                lie(&mut world, by);
                assert_code(&format!("{form:?}: size {which} by {by}"), &world, "tdx.format.length");
            }
        }
    }
    let bodies =
        [(1, 584), (2, 648), (2, 583), (3, 584), (3, 649), (4, 648), (4, 885), (0, 648), (3, u32::MAX)];
    for form in [V5Td10, V5Td15] {
        for (kind, size) in bodies {
            let mut world = World::new(form, Ca::Platform);
            world.edit_quote(|quote| quote.descriptor = Some((kind, size)));
            assert_code(&format!("{form:?} as {kind} of {size}"), &world, "tdx.format.length");
        }
    }
}

#[test]
fn a_body_of_tdx_1_5_ex_is_not_read() {
    let mut world = World::new(V5Td15, Ca::Platform);
    world.edit_quote(|quote| {
        quote.body.resize(885, 0);
        quote.descriptor = Some((4, 885));
    });
    assert_code("type 4", &world, "tdx.format.length");
}

#[test]
fn certification_data_is_a_chain_in_a_report() {
    for kind in [0, 1, 2, 3, 4, 5, 7, 8, 0x106] {
        let mut world = world();
        world.quote.outer_type = kind;
        assert_code(&format!("outer type {kind}"), &world, "tdx.certdata.unsupported");
    }
    for kind in [0, 1, 2, 3, 4, 6, 7, 8, 0x105] {
        let mut world = world();
        world.quote.inner_type = kind;
        assert_code(&format!("inner type {kind}"), &world, "tdx.certdata.unsupported");
    }
    let unsupported = "tdx.certdata.unsupported";
    let cases: [(&str, fn(&mut Vec<u8>), &str); 11] = [
        ("no NUL", |pem| assert_eq!(pem.pop(), Some(0)), "accept"),
        ("two NULs", |pem| pem.push(0), unsupported),
        ("another byte instead of NUL", |pem| *pem.last_mut().unwrap() = b' ', unsupported),
        ("a further line feed", |pem| pem.push(b'\n'), unsupported),
        ("no line feed at the end", |pem| pem.truncate(pem.len() - 2), unsupported),
        ("words in front", |pem| drop(pem.splice(0..0, *b"subject=\n")), unsupported),
        ("words between", |pem| insert_after_first(pem, b"subject=\n"), unsupported),
        ("an empty line between", |pem| insert_after_first(pem, b"\n"), unsupported),
        ("nothing", Vec::clear, unsupported),
        ("not text", |pem| pem[40] = 0xFF, unsupported),
        ("another label", |pem| *pem = replaced(pem, "CERTIFICATE", "X509 CRL"), unsupported),
    ];
    for (what, edit, expected) in cases {
        let mut world = world();
        edit(&mut world.quote.certificates);
        assert_code(what, &world, expected);
    }
}

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

#[test]
fn tcb_infos_are_current_and_of_a_known_kind() {
    assert_rows(&[
        ("until now", |w| _ = w.edit_tcb_info(|i| i.next_update = rfc3339(NOW)), "accept"),
        ("from now", |w| _ = w.edit_tcb_info(|i| i.issue_date = rfc3339(NOW)), "accept"),
        ("version 4", |w| _ = w.edit_tcb_info(|i| i.version = 4), "tdx.tcb_info.version"),
        ("type 1", |w| _ = w.edit_tcb_info(|i| i.tcb_type = 1), "tdx.tcb_info.version"),
        ("id in other letters", |w| _ = w.edit_tcb_info(|i| i.id = "tdx".to_owned()), "tdx.tcb_info.id"),
        ("id TD_QE", |w| _ = w.edit_tcb_info(|i| i.id = "TD_QE".to_owned()), "tdx.tcb_info.id"),
        ("FMSPC in capitals", |w| _ = w.edit_tcb_info(|i| i.fmspc = i.fmspc.to_uppercase()), "accept"),
        (
            "FMSPC of 5 bytes",
            |w| _ = w.edit_tcb_info(|i| _ = i.fmspc.split_off(10)),
            "tdx.tcb_info.malformed",
        ),
        ("PCEID of 3 bytes", |w| _ = w.edit_tcb_info(|i| i.pce_id.push_str("00")), "tdx.tcb_info.malformed"),
        (
            "a date in words",
            |w| _ = w.edit_tcb_info(|i| i.issue_date = "May".to_owned()),
            "tdx.tcb_info.malformed",
        ),
        (
            "a date of a level in words",
            |w| _ = w.edit_tcb_info(|i| i.levels[2].standing.date = "2018".to_owned()),
            "tdx.tcb_info.malformed",
        ),
        ("SVN of 256", |w| _ = w.edit_tcb_info(|i| i.levels[2].sgx[0] = 256), "tdx.tcb_info.malformed"),
        (
            "PCESVN of 65536",
            |w| _ = w.edit_tcb_info(|i| i.levels[2].pcesvn = 65536),
            "tdx.tcb_info.malformed",
        ),
        ("no levels", |w| _ = w.edit_tcb_info(|i| i.levels.clear()), "tdx.tcb.not_found"),
        ("a signature of 63 bytes", |w| _ = w.tcb_info.signature.pop(), "tdx.tcb_info.signature"),
        ("another signature", |w| w.tcb_info.signature[0] ^= 1, "tdx.tcb_info.signature"),
    ]);
    for key in [
        "id",
        "version",
        "issueDate",
        "nextUpdate",
        "fmspc",
        "pceId",
        "tcbType",
        "tcbEvaluationDataNumber",
        "tcbLevels",
    ] {
        let mut world = world();
        let text = replaced(world.tcb_info.text.as_bytes(), &format!("\"{key}\""), "\"other\"");
        world.sign_tcb_info(String::from_utf8(text).unwrap());
        assert_code(&format!("no {key}"), &world, "tdx.tcb_info.malformed");
    }
}

#[test]
fn qe_identities_are_current_and_of_a_known_kind() {
    assert_rows(&[
        ("version 3", |w| _ = w.edit_qe_identity(|i| i.version = 3), "accept"),
        ("version 1", |w| _ = w.edit_qe_identity(|i| i.version = 1), "tdx.qe_identity.version"),
        ("version 4", |w| _ = w.edit_qe_identity(|i| i.version = 4), "tdx.qe_identity.version"),
        ("until now", |w| _ = w.edit_qe_identity(|i| i.next_update = rfc3339(NOW)), "accept"),
        ("from now", |w| _ = w.edit_qe_identity(|i| i.issue_date = rfc3339(NOW)), "accept"),
        (
            "of the future",
            |w| _ = w.edit_qe_identity(|i| i.issue_date = rfc3339(NOW + 1)),
            "tdx.qe_identity.expired",
        ),
        ("id QVE", |w| _ = w.edit_qe_identity(|i| i.id = "QVE".to_owned()), "tdx.qe_identity.id"),
        (
            "signer of 31 bytes",
            |w| _ = w.edit_qe_identity(|i| _ = i.mrsigner.split_off(62)),
            "tdx.qe_identity.malformed",
        ),
        (
            "mask of 15 bytes",
            |w| _ = w.edit_qe_identity(|i| _ = i.attributes_mask.split_off(30)),
            "tdx.qe_identity.malformed",
        ),
        (
            "product of 65536",
            |w| _ = w.edit_qe_identity(|i| i.isvprodid = 65536),
            "tdx.qe_identity.malformed",
        ),
        ("no levels", |w| _ = w.edit_qe_identity(|i| i.levels.clear()), "tdx.qe_tcb.not_found"),
        ("a signature of 65 bytes", |w| w.qe_identity.signature.push(0), "tdx.qe_identity.signature"),
        (
            "one word changed",
            |w| w.qe_identity.text = w.qe_identity.text.replacen("UpToDate", "UpToDatE", 1),
            "tdx.qe_identity.signature",
        ),
        (
            "by a key of nobody",
            |w| {
                w.signer_key = keys::stranger();
                w.edit_qe_identity(|_| {});
            },
            "tdx.qe_identity.signature",
        ),
    ]);
    for key in [
        "id",
        "version",
        "issueDate",
        "nextUpdate",
        "tcbEvaluationDataNumber",
        "miscselect",
        "miscselectMask",
        "attributes",
        "attributesMask",
        "mrsigner",
        "isvprodid",
        "tcbLevels",
    ] {
        let mut world = world();
        let text = replaced(world.qe_identity.text.as_bytes(), &format!("\"{key}\""), "\"other\"");
        world.sign_qe_identity(String::from_utf8(text).unwrap());
        assert_code(&format!("no {key}"), &world, "tdx.qe_identity.malformed");
    }
}

#[test]
fn documents_are_strict_json() {
    let edits: [(&str, fn(&str) -> String, bool); 9] = [
        ("a name that is not known", |text| with(text, r#""new":{"a":[1,null,true]}"#), true),
        ("a name twice", |text| with(text, r#""tcbEvaluationDataNumber":18"#), false),
        ("a name twice, deep inside", |text| with(text, r#""new":[{"a":1,"a":1}]"#), false),
        ("a name twice, written differently", |text| with(text, r#""new":{"a":1,"\u0061":1}"#), false),
        (
            "deep, but not too deep",
            |text| with(text, &format!(r#""new":{}1{}"#, "[".repeat(13), "]".repeat(13))),
            true,
        ),
        ("too deep", |text| with(text, &format!(r#""new":{}1{}"#, "[".repeat(30), "]".repeat(30))), false),
        (
            "a number as text",
            |text| text.replacen(r#""version":"#, r#""version":""#, 1).replacen(",\"issue", "\",\"issue", 1),
            false,
        ),
        (
            "a number with a point",
            |text| text.replacen(r#""tcbEvaluationDataNumber":18"#, r#""tcbEvaluationDataNumber":18.0"#, 1),
            false,
        ),
        (
            "a number below zero",
            |text| text.replacen(r#""tcbEvaluationDataNumber":18"#, r#""tcbEvaluationDataNumber":-18"#, 1),
            false,
        ),
    ];
    for (what, edit, accepted) in edits {
        let mut world = world();
        let edited = edit(&world.tcb_info.text);
        assert_ne!(edited, world.tcb_info.text, "{what}");
        world.sign_tcb_info(edited);
        assert_code(what, &world, if accepted { "accept" } else { "tdx.tcb_info.malformed" });

        let mut world = self::world();
        let edited = edit(&world.qe_identity.text);
        world.sign_qe_identity(edited);
        assert_code(what, &world, if accepted { "accept" } else { "tdx.qe_identity.malformed" });
    }
    let world = world();
    let parts = Parts::of(&world);
    let bodies: [(&str, fn(&mut Vec<u8>), &str); 7] = [
        ("a byte after it", |body| body.push(b'}'), "malformed"),
        ("cut off", |body| drop(body.pop()), "malformed"),
        ("nothing", Vec::clear, "malformed"),
        ("not UTF-8", |body| body[30] = 0xFF, "malformed"),
        ("a list", |body| *body = [b"[".as_slice(), body, b"]"].concat(), "malformed"),
        ("no signature", |body| *body = replaced(body, "\"signature\"", "\"other\""), "signature"),
        (
            "a number as signature",
            |body| *body = replaced(body, "\"signature\":", "\"signature\":1,\"x\":"),
            "signature",
        ),
    ];
    for (what, edit, code) in bodies {
        let mut damaged = parts.clone();
        edit(&mut damaged.tcb_infos[0]);
        assert_eq!(damaged.code(), format!("tdx.tcb_info.{code}"), "TCB info: {what}");
        let mut damaged = parts.clone();
        edit(&mut damaged.qe_identities[0]);
        assert_eq!(damaged.code(), format!("tdx.qe_identity.{code}"), "QE identity: {what}");
    }
}

#[test]
fn signers_are_issued_by_the_root_itself() {
    let mut world = world();
    world.edit_signer(|signer| signer.issuer = intel_name(Ca::Platform.name()));
    assert_code("another issuer by name", &world, "tdx.tcb_info.role");

    let mut world = self::world();
    let mut signer = world.signer_spec.sign(keys::stranger());
    world.tcb_chain[0].clone_from(&signer);
    world.qe_chain[0].clone_from(&signer);
    assert_code("issued by a key of nobody", &world, "tdx.tcb_info.signature");

    let mut world = self::world();
    signer = ca::signer_with_keys(keys::stranger(), keys::root()).sign(keys::stranger());
    world.signer_key = keys::stranger();
    world.tcb_chain[0].clone_from(&signer);
    world.qe_chain[0] = signer;
    world.edit_tcb_info(|_| {}).edit_qe_identity(|_| {});
    assert_code("a self-made signer", &world, "tdx.tcb_info.signature");

    let mut parts = Parts::of(&self::world());
    parts.roots = vec![cc_testkit::tdx::ca::root_with_key(keys::stranger()).sign(keys::stranger())];
    assert_eq!(parts.code(), "tdx.tcb_info.signature", "another root beside it");
    parts.roots.clear();
    assert_eq!(parts.code(), "accept", "the anchor stands in");
}

#[test]
fn a_second_signer_does_no_harm() {
    let world = world();
    let other = ca::signer_with_keys(keys::stranger(), keys::root()).sign(keys::root());
    let parts = Parts::of(&world);
    for signers in [[&other, &world.tcb_chain[0]], [&world.tcb_chain[0], &other]] {
        let both = Parts { signers: signers.map(Clone::clone).to_vec(), ..parts.clone() };
        assert_eq!(both.code(), "accept");
    }
}

#[test]
fn the_quoting_enclave_is_the_one_of_the_identity() {
    for bit in 0..128 {
        let mut world = world();
        world.flip(field::QE_ATTRIBUTES, bit);
        let inside = bit < 64 && bit != 2;
        // Not masked here: DEBUG is inside the mask, and so a mismatch first.
        assert_code(
            &format!("attribute {bit}"),
            &world,
            if inside { "tdx.qe_identity.mismatch" } else { "accept" },
        );
    }
    for bit in 0..32 {
        let mut world = world();
        world.flip(field::QE_MISC_SELECT, bit);
        assert_code(&format!("MISCSELECT {bit}"), &world, "tdx.qe_identity.mismatch");
        world.edit_qe_identity(|identity| identity.miscselect_mask = "00".repeat(4));
        assert_code(&format!("MISCSELECT {bit}, not masked"), &world, "accept");
    }
    for bit in [0, 7, 255] {
        let mut world = world();
        world.flip(field::QE_MR_SIGNER, bit);
        assert_code(&format!("MRSIGNER {bit}"), &world, "tdx.qe_identity.mismatch");
    }
    for (product, svn, expected) in [
        ([2, 0], [4, 0], "accept"),
        ([2, 0], [0, 1], "accept"),
        ([2, 0], [3, 0], "tdx.qe_tcb.not_found"),
        ([2, 1], [7, 0], "tdx.qe_identity.mismatch"),
        ([0, 2], [7, 0], "tdx.qe_identity.mismatch"),
    ] {
        let mut world = world();
        world.set(field::QE_ISV_PROD_ID, &product).set(field::QE_ISV_SVN, &svn);
        assert_code(&format!("ISVPRODID {product:?}, ISVSVN {svn:?}"), &world, expected);
    }
    assert_rows(&[
        (
            "the byte order of MISCSELECT",
            |w| {
                w.set(field::QE_MISC_SELECT, &[1, 2, 3, 4]);
                w.edit_qe_identity(|identity| identity.miscselect = "01020304".to_owned());
            },
            "accept",
        ),
        (
            "debug that the identity asks for",
            |w| {
                w.flip(field::QE_ATTRIBUTES, 1);
                w.edit_qe_identity(|identity| identity.attributes.replace_range(..2, "13"));
            },
            "tdx.qe.debug",
        ),
        // The measurement changes with every release; the signer vouches for it.
        ("another measurement", |w| _ = w.flip(field::QE_MR_ENCLAVE, 0), "accept"),
    ]);
}

#[test]
fn the_quoting_enclave_binds_the_attestation_key() {
    assert_rows(&[
        ("hash altered", |w| _ = w.flip(field::QE_REPORT_DATA, 0), "tdx.qe_report_data.mismatch"),
        ("authentication data too long", |w| w.quote.auth_data.push(0), "tdx.qe_report_data.mismatch"),
        (
            "all of long authentication data",
            |w| {
                w.quote.auth_data = vec![7; 1000];
                w.rebind();
            },
            "accept",
        ),
        ("by the attestation key", |w| _ = w.quote.sign_qe(keys::attestation()), "tdx.qe_report.signature"),
        ("by the PCK CA", |w| _ = w.quote.sign_qe(keys::pck_ca(Ca::Platform)), "tdx.qe_report.signature"),
        ("report altered", |w| _ = w.quote.flip(field::QE_MR_ENCLAVE, 3), "tdx.qe_report.signature"),
    ]);
    let mut world = world();
    world.rekey_pck(keys::stranger());
    assert_code("another key in the certificate and under the report", &world, "accept");
}

#[test]
fn numbers_of_signatures_are_in_the_group() {
    let mut largest = P256_ORDER;
    largest[31] -= 1;
    let mut above = P256_ORDER;
    above[31] += 1;
    let zero = [0; 32];
    for half in [0, 32] {
        for (what, number, quote, report) in [
            ("zero", zero, "tdx.signature.malformed", "tdx.qe_report.signature"),
            ("the order", P256_ORDER, "tdx.signature.malformed", "tdx.qe_report.signature"),
            ("above the order", above, "tdx.signature.malformed", "tdx.qe_report.signature"),
            ("all ones", [0xFF; 32], "tdx.signature.malformed", "tdx.qe_report.signature"),
            ("the order less one", largest, "tdx.signature.invalid", "tdx.qe_report.signature"),
        ] {
            let mut damaged = world();
            damaged.quote.signature[half..half + 32].copy_from_slice(&number);
            assert_code(&format!("quote, half {half}: {what}"), &damaged, quote);
            let mut damaged = world();
            damaged.quote.qe_signature[half..half + 32].copy_from_slice(&number);
            assert_code(&format!("QE report, half {half}: {what}"), &damaged, report);
        }
    }
    for (what, key) in [("zero", vec![0; 64]), ("all ones", vec![0xFF; 64])] {
        let mut world = world();
        world.quote.attestation_key = key;
        world.rebind();
        assert_code(what, &world, "tdx.signature.malformed");
    }
}

#[test]
fn the_module_is_the_one_of_its_identity() {
    const ATTRIBUTE: &str = "0100000000000000";
    assert_rows(&[
        ("version 0", |w| _ = w.set(field::TEE_TCB_SVN, &[5, 0, 3]), "accept"),
        (
            "version 0 without module",
            |w| {
                w.set(field::TEE_TCB_SVN, &[5, 0, 3]).edit_tcb_info(|info| info.module = None);
            },
            "tdx.module.identity_missing",
        ),
        ("version 1 without module", |w| _ = w.edit_tcb_info(|info| info.module = None), "accept"),
        (
            "version 1 without identities",
            |w| _ = w.edit_tcb_info(|info| info.identities.clear()),
            "tdx.module.identity_missing",
        ),
        (
            "version 0x1A",
            |w| {
                w.set(field::TEE_TCB_SVN, &[9, 0x1A, 4])
                    .edit_tcb_info(|info| info.identities[0].id = "TDX_1A".to_owned());
            },
            "accept",
        ),
        (
            "another signer, which the identity asks for",
            |w| {
                w.set(field::MR_SIGNER_SEAM, &[0xAB; 48])
                    .edit_tcb_info(|info| info.identities[1].module.mrsigner = "AB".repeat(48));
            },
            "accept",
        ),
        (
            "a signer which the module asks for, but not its identity",
            |w| {
                w.set(field::MR_SIGNER_SEAM, &[0xAB; 48])
                    .edit_tcb_info(|info| info.module.as_mut().unwrap().mrsigner = "AB".repeat(48));
            },
            "tdx.module.mrsigner_mismatch",
        ),
        (
            "Intel's signer, when another is asked for",
            |w| _ = w.edit_tcb_info(|info| info.identities[1].module.mrsigner = "AB".repeat(48)),
            "tdx.module.mrsigner_mismatch",
        ),
        (
            "an attribute outside the mask",
            |w| {
                w.flip(field::SEAM_ATTRIBUTES, 0)
                    .edit_tcb_info(|info| info.identities[1].module.attributes_mask = "00".repeat(8));
            },
            "tdx.module.attributes",
        ),
        (
            "an attribute that the identity asks for",
            |w| {
                w.flip(field::SEAM_ATTRIBUTES, 0)
                    .edit_tcb_info(|info| info.identities[1].module.attributes = ATTRIBUTE.to_owned());
            },
            "tdx.module.attributes",
        ),
        (
            "no attribute, when one is asked for",
            |w| _ = w.edit_tcb_info(|info| info.identities[1].module.attributes = ATTRIBUTE.to_owned()),
            "tdx.module.attributes",
        ),
    ]);
    for (isvsvn, expected) in [(1, "tdx.module_tcb.not_found"), (2, "accept"), (255, "accept")] {
        let mut world = world();
        world.set(field::TEE_TCB_SVN, &[isvsvn, 1, 4]);
        assert_code(&format!("ISVSVN {isvsvn}"), &world, expected);
    }
}

/// The platform's status when it is below `level` in one thing and nothing but `other` is beside it.
fn status(world: &World) -> String {
    Parts::of(world).claims().text("platform_tcb_status").unwrap().to_owned()
}

#[test]
fn every_component_counts_for_the_level() {
    let low = || Standing::new("2020-01-01", "OutOfDate", &[]);
    for (number, svn) in (1..).zip(COMPONENTS) {
        let mut world = world();
        world.edit_tcb_info(|info| info.levels[1] = PlatformLevel::new(&[], 0, &[], low()));
        for (required, expected) in [(u64::from(svn), "UpToDate"), (u64::from(svn) + 1, "OutOfDate")] {
            world.edit_tcb_info(|info| info.levels[0].sgx[number - 1] = required);
            assert_eq!(status(&world), expected, "component {number}, {required} is required");
        }
    }
    let mut world = world();
    world.edit_tcb_info(|info| info.levels[1] = PlatformLevel::new(&[], 0, &[], low()));
    world.edit_sgx(|sgx| sgx.set(oids::PCESVN, der::integer(12)));
    assert_eq!(status(&world), "OutOfDate", "PCESVN");

    for index in 0..16 {
        for (version, counts) in [(0, true), (1, index >= 2)] {
            let mut world = self::world();
            let mut svn = [9; 16];
            svn[1] = version;
            world.set(field::TEE_TCB_SVN, &svn).edit_tcb_info(|info| {
                info.levels = vec![
                    PlatformLevel::new(&[], 0, &[], Standing::new("2024-11-13", "UpToDate", &[])),
                    PlatformLevel::new(&[], 0, &[], low()),
                ];
                info.levels[0].tdx[index] = u64::from(svn[index]) + 1;
            });
            let expected = if counts { "OutOfDate" } else { "UpToDate" };
            assert_eq!(status(&world), expected, "TDX component {index}, module version {version}");
        }
    }
}

#[test]
fn unknown_and_revoked_levels_are_refused_wherever_they_count() {
    type Place = fn(&mut World, Standing);
    let places: [(&str, Place); 3] = [
        ("platform", |w, standing| _ = w.edit_tcb_info(|info| info.levels[0].standing = standing)),
        ("module", |w, standing| {
            _ = w.edit_tcb_info(|info| info.identities[1].levels[0].standing = standing)
        }),
        ("QE", |w, standing| _ = w.edit_qe_identity(|identity| identity.levels[0].standing = standing)),
    ];
    for (place, set) in places {
        for (name, expected) in [
            ("Revoked", "tdx.tcb.revoked"),
            ("Fine", "tdx.tcb.unrecognized"),
            ("", "tdx.tcb.unrecognized"),
            ("uptodate", "tdx.tcb.unrecognized"),
            // Never in a document: it follows from comparing levels.
            ("TDRelaunchAdvised", "tdx.tcb.unrecognized"),
            ("TDRelaunchAdvisedConfigurationNeeded", "tdx.tcb.unrecognized"),
            ("OutOfDate", "accept"),
        ] {
            let mut world = world();
            set(&mut world, Standing::new("2024-11-13", name, &[]));
            assert_code(&format!("{place}: {name}"), &world, expected);
        }
    }
    // Levels that do not count may be what they like.
    let mut world = world();
    world.edit_tcb_info(|info| {
        info.levels[1].standing.status = "Revoked".to_owned();
        info.levels[2].standing.status = "Fine".to_owned();
        info.identities[0].levels[0].standing.status = "Revoked".to_owned();
    });
    assert_code("other levels", &world, "accept");
}

#[test]
fn levels_are_sorted_before_they_are_compared() {
    let mut world = world();
    world.edit_qe_identity(|identity| {
        identity.levels.insert(0, SvnLevel::new(2, Standing::new("2020-01-01", "OutOfDate", &[])));
    });
    world.edit_tcb_info(|info| {
        info.levels.reverse();
        info.identities[1].levels.reverse();
    });
    let claims = Parts::of(&world).claims();
    for name in ["tcb_status", "platform_tcb_status", "module_tcb_status", "qe_tcb_status"] {
        assert_eq!(claims.text(name), Ok("UpToDate"), "{name}");
    }
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
    let identity = ModuleIdentity { id: "TDX_09".to_owned(), module: Module::intel(), levels: Vec::new() };
    let mut world = world();
    world.set(field::TEE_TCB_SVN, &[6, 9, 4]).edit_tcb_info(|info| info.identities.push(identity));
    assert_code("an identity without levels", &world, "tdx.module_tcb.not_found");
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

/// Writes a member at the end of an object.
fn with(object: &str, member: &str) -> String {
    format!("{},{member}}}", object.strip_suffix('}').unwrap())
}

/// Writes text after the first certificate.
fn insert_after_first(pem: &mut Vec<u8>, text: &[u8]) {
    const END: &[u8] = b"-----END CERTIFICATE-----\n";
    let at = pem.windows(END.len()).position(|window| window == END).unwrap() + END.len();
    pem.splice(at..at, text.iter().copied());
}

/// Replaces every occurrence.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from.as_bytes()) {
        out.extend(&rest[..at]);
        out.extend(to.as_bytes());
        rest = &rest[at + from.len()..];
    }
    assert!(!out.is_empty(), "{from} is not there");
    out.extend(rest);
    out
}
