//! Every check of TCB info and QE identity (steps T6 and T7) that no row of the catalogue covers, one violation each, and
//! what is just not one.

use cc_testkit::tdx::ca::intel_name;
use cc_testkit::tdx::collateral::rfc3339;
use cc_testkit::tdx::{Ca, NOW, ca, keys};

use crate::common::tdx::{Parts, assert_code, assert_rows, replaced, world};

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
fn n_env_12_what_came_in_the_token_has_expired_and_the_stores_copy_has_not() {
    let fresh = Parts::of(&world());
    let mut expired = world();
    expired.edit_tcb_info(|info| info.next_update = rfc3339(NOW - 1));
    let mut parts = Parts::of(&expired);
    assert_eq!(parts.code(), "tdx.tcb_info.expired");
    parts.tcb_infos.extend(fresh.tcb_infos);
    assert_eq!(parts.code(), "accept");
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
    type Rewrite = fn(&str) -> String;
    type Damage = fn(&mut Vec<u8>);
    let edits: [(&str, Rewrite, bool); 9] = [
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
    let bodies: [(&str, Damage, &str); 7] = [
        ("a byte after it", |body| body.push(b'}'), "malformed"),
        ("cut off", |body| _ = body.pop(), "malformed"),
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
    parts.roots = vec![ca::root_with_key(keys::stranger()).sign(keys::stranger())];
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

/// Writes a member at the end of an object.
fn with(object: &str, member: &str) -> String {
    format!("{},{member}}}", object.strip_suffix('}').unwrap())
}
