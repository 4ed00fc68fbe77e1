//! Every check of the steps T2, T3 and T10 to T17 that no row of the catalogue covers, one violation each, and what is
//! just not one.

use cc_testkit::der;
use cc_testkit::tdx::collateral::{Module, ModuleIdentity, PlatformLevel, Standing, SvnLevel};
use cc_testkit::tdx::field;
use cc_testkit::tdx::quote::P256_ORDER;
use cc_testkit::tdx::sgx::{COMPONENTS, oids};
use cc_testkit::tdx::{Ca, Form, World, keys};

use Form::{V5Td10, V5Td15};

use crate::common::tdx::{Parts, assert_code, assert_rows, replaced, world};

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
    type Edit = fn(&mut Vec<u8>);
    let cases: [(&str, Edit, &str); 11] = [
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
    let identity = ModuleIdentity { id: "TDX_09".to_owned(), module: Module::intel(), levels: Vec::new() };
    let mut world = world();
    world.set(field::TEE_TCB_SVN, &[6, 9, 4]).edit_tcb_info(|info| info.identities.push(identity));
    assert_code("an identity without levels", &world, "tdx.module_tcb.not_found");
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

/// Writes text after the first certificate.
fn insert_after_first(pem: &mut Vec<u8>, text: &[u8]) {
    const END: &[u8] = b"-----END CERTIFICATE-----\n";
    let at = pem.windows(END.len()).position(|window| window == END).unwrap() + END.len();
    pem.splice(at..at, text.iter().copied());
}
