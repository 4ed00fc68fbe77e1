//! What the outcome is when several things are wrong or missing: of two violations that of the earlier step, a violation
//! before what is missing, and only then what is missing (*verification.md* 2.2, *decisions.md* 1 to 3).

use cc_core::{Outcome, Waivers, codes};
use cc_testkit::tdx::ca::intel_name;
use cc_testkit::tdx::collateral::rfc3339;
use cc_testkit::tdx::{Ca, Form, NOW, World, field, keys};

use crate::common::codes::outcome_code;
use crate::common::tdx::{self, Parts};

/// A step, a violation of it alone, its code. Each leaves what the others change as it is.
type Row = (&'static str, fn(&mut World), &'static str);

const ROWS: [Row; 37] = [
    ("T1, version", |w| _ = w.set(field::VERSION, &[6]), "tdx.version.unsupported"),
    ("T1, TEE type", |w| _ = w.set(field::TEE_TYPE, &[]), "tdx.tee_type.mismatch"),
    ("T1, key type", |w| _ = w.set(field::ATT_KEY_TYPE, &[3]), "tdx.att_key_type.unsupported"),
    ("T1, vendor", |w| _ = w.flip(field::QE_VENDOR_ID, 0), "tdx.qe_vendor.unknown"),
    ("T2", |w| w.quote.trailing.push(0), "tdx.format.length"),
    ("T3, type", |w| w.quote.inner_type = 4, "tdx.certdata.unsupported"),
    ("T4, root", |w| _ = w.edit_root(|_| {}), "tdx.pck_chain.untrusted_root"),
    (
        "T4, intermediate",
        |w| _ = w.edit_pck_ca(|ca| ca.subject = intel_name("Intel SGX")),
        "tdx.pck_chain.role",
    ),
    (
        "T4, leaf",
        |w| {
            w.pck_chain[0] = w.pck_spec.sign(keys::stranger());
            w.rechain();
        },
        "tdx.pck_chain.signature",
    ),
    (
        "T4, intermediate's validity",
        |w| _ = w.edit_pck_ca(|ca| ca.not_before = NOW + 1),
        "tdx.pck_chain.not_yet_valid",
    ),
    ("T4, leaf's validity", |w| _ = w.edit_pck(|pck| pck.not_after = NOW - 1), "tdx.pck_chain.expired"),
    (
        "T5, revoked",
        |w| {
            let serial = w.pck_spec.serial.clone();
            w.edit_pck_crl(|crl| crl.revoke(serial));
        },
        "tdx.pck.revoked",
    ),
    ("T5, list", |w| _ = w.edit_root_crl(|crl| crl.next_update = Some(NOW - 1)), "tdx.crl.expired"),
    ("T6, signature", |w| w.tcb_info.signature[0] ^= 1, "tdx.tcb_info.signature"),
    ("T6, id", |w| _ = w.edit_tcb_info(|info| info.id.push('X')), "tdx.tcb_info.id"),
    ("T6, version", |w| _ = w.edit_tcb_info(|info| info.version = 2), "tdx.tcb_info.version"),
    ("T6, form", |w| _ = w.edit_tcb_info(|info| info.pce_id.clear()), "tdx.tcb_info.malformed"),
    (
        "T6, window",
        |w| _ = w.edit_tcb_info(|info| info.next_update = rfc3339(NOW - 1)),
        "tdx.tcb_info.expired",
    ),
    ("T7, signature", |w| w.qe_identity.signature[0] ^= 1, "tdx.qe_identity.signature"),
    ("T7, id", |w| _ = w.edit_qe_identity(|identity| identity.id.push('X')), "tdx.qe_identity.id"),
    (
        "T7, window",
        |w| _ = w.edit_qe_identity(|identity| identity.next_update = rfc3339(NOW - 1)),
        "tdx.qe_identity.expired",
    ),
    (
        "T9, FMSPC",
        |w| _ = w.edit_tcb_info(|info| info.fmspc = "00806f050000".to_owned()),
        "tdx.fmspc.mismatch",
    ),
    ("T9, PCEID", |w| _ = w.edit_tcb_info(|info| info.pce_id = "0001".to_owned()), "tdx.pceid.mismatch"),
    ("T10", |w| w.quote.qe_signature[40] ^= 1, "tdx.qe_report.signature"),
    ("T11", |w| _ = w.flip(field::QE_REPORT_DATA, 500), "tdx.qe_report_data.mismatch"),
    ("T12, identity", |w| _ = w.flip(field::QE_MR_SIGNER, 5), "tdx.qe_identity.mismatch"),
    (
        "T12, debug",
        |w| {
            w.flip(field::QE_ATTRIBUTES, 1)
                .edit_qe_identity(|identity| identity.attributes_mask.replace_range(..2, "F9"));
        },
        "tdx.qe.debug",
    ),
    ("T12, level", |w| _ = w.set(field::QE_ISV_SVN, &[3]), "tdx.qe_tcb.not_found"),
    ("T13, form", |w| w.quote.signature[32..].fill(0), "tdx.signature.malformed"),
    ("T13", |w| _ = w.quote.flip(field::REPORT_DATA, 9), "tdx.signature.invalid"),
    (
        "T14, identity",
        |w| _ = w.edit_tcb_info(|info| _ = info.identities.pop()),
        "tdx.module.identity_missing",
    ),
    ("T14, signer", |w| _ = w.set(field::MR_SIGNER_SEAM, &[1]), "tdx.module.mrsigner_mismatch"),
    ("T14, attributes", |w| _ = w.set(field::SEAM_ATTRIBUTES, &[1]), "tdx.module.attributes"),
    ("T15, form", |w| _ = w.edit_tcb_info(|info| _ = info.levels[1].sgx.pop()), "tdx.tcb.malformed"),
    (
        "T15, level",
        |w| _ = w.edit_tcb_info(|info| info.levels.iter_mut().for_each(|level| level.tdx[9] = 1)),
        "tdx.tcb.not_found",
    ),
    ("T16", |w| _ = w.set(field::TEE_TCB_SVN, &[1, 1, 4]), "tdx.module_tcb.not_found"),
    (
        "T17",
        |w| _ = w.edit_tcb_info(|info| info.levels[0].standing.status = "Revoked".to_owned()),
        "tdx.tcb.revoked",
    ),
];

fn world() -> World {
    World::new(Form::V4, Ca::Platform)
}

#[test]
fn the_earlier_step_decides() {
    for (i, (earlier, first, expected)) in ROWS.iter().enumerate() {
        let mut alone = world();
        first(&mut alone);
        assert_eq!(Parts::of(&alone).code(), *expected, "{earlier}");
        for (later, second, _) in &ROWS[i + 1..] {
            // The later one is made first, so that signing again does not mend it.
            let mut both = world();
            second(&mut both);
            first(&mut both);
            assert_eq!(Parts::of(&both).code(), *expected, "{earlier} and {later}");
        }
    }
}

/// Something that is not there, its code, and the steps that need it.
type Absence = (&'static str, fn(&mut Parts), &'static str, &'static [&'static str]);

const ABSENCES: [Absence; 7] = [
    ("root CRL", |p| p.root_crls.clear(), "tdx.crl.missing", &["T5, list"]),
    ("PCK CRL", |p| p.pck_crls.clear(), "tdx.crl.missing", &["T5, revoked"]),
    (
        "all CRLs",
        |p| {
            p.root_crls.clear();
            p.pck_crls.clear();
        },
        "tdx.crl.missing",
        &["T5, revoked", "T5, list"],
    ),
    ("TCB info", |p| p.tcb_infos.clear(), "tdx.tcb_info.missing", &["T6", "T9", "T14", "T15", "T16", "T17"]),
    (
        "QE identity",
        |p| p.qe_identities.clear(),
        "tdx.qe_identity.missing",
        &["T7", "T12, identity", "T12, level"],
    ),
    (
        "signers",
        |p| p.signers.clear(),
        "tdx.tcb_info.missing",
        &["T6", "T7", "T9", "T12, identity", "T12, level", "T14", "T15", "T16", "T17"],
    ),
    (
        "everything",
        |p| *p = Parts { evidence: std::mem::take(&mut p.evidence), ..Parts::default() },
        "tdx.crl.missing",
        &["T5", "T6", "T7", "T9", "T12, identity", "T12, level", "T14", "T15", "T16", "T17"],
    ),
];

#[test]
fn violations_come_before_what_is_missing() {
    for (what, remove, missing, needed_by) in ABSENCES {
        let mut parts = Parts::of(&world());
        remove(&mut parts);
        let outcome = parts.outcome();
        assert_eq!(outcome_code(&outcome), missing, "no {what}");
        assert!(matches!(outcome, Outcome::Indeterminate(_)), "no {what}: {outcome:?}");
        for (step, violate, code) in ROWS {
            let mut world = world();
            violate(&mut world);
            let mut parts = Parts::of(&world);
            remove(&mut parts);
            let unseen = needed_by.iter().any(|needing| step.starts_with(needing));
            assert_eq!(parts.code(), if unseen { missing } else { code }, "{step}, no {what}");
        }
    }
}

#[test]
fn only_missing_lists_are_waived() {
    let waivers = Waivers::new([codes::TDX_CRL_MISSING]).unwrap();
    let code = |parts: &Parts| outcome_code(&parts.verify(&waivers, tdx::now()).outcome).to_owned();
    for (what, remove, missing, _) in ABSENCES {
        let mut parts = Parts::of(&world());
        remove(&mut parts);
        let waived = what.ends_with("CRL") || what == "all CRLs";
        let expected = match what {
            "everything" => "tdx.tcb_info.missing",
            _ if waived => "accept",
            _ => missing,
        };
        assert_eq!(code(&parts), expected, "no {what}");
        if let Outcome::Accept(accepted) = parts.verify(&waivers, tdx::now()).outcome {
            assert_eq!(accepted.waived, [codes::TDX_CRL_MISSING], "no {what}");
        }
    }
    let Outcome::Accept(accepted) = Parts::of(&world()).verify(&waivers, tdx::now()).outcome else {
        panic!()
    };
    assert!(accepted.waived.is_empty(), "nothing was missing");
    // What is there is judged: a waiver is for lists that are not.
    for (step, violate, expected) in ROWS {
        let mut world = world();
        violate(&mut world);
        assert_eq!(code(&Parts::of(&world)), expected, "{step}");
    }
    for refused in [codes::TDX_TCB_INFO_MISSING, codes::TDX_QE_IDENTITY_MISSING] {
        assert!(Waivers::new([refused]).is_err());
    }
}

#[test]
fn revocation_counts_without_the_other_list() {
    let mut world = world();
    let (pck, ca, signer) =
        (world.pck_spec.serial.clone(), world.pck_ca_spec.serial.clone(), world.signer_spec.serial.clone());
    world.edit_pck_crl(|crl| crl.revoke(pck));
    let parts = Parts { root_crls: Vec::new(), ..Parts::of(&world) };
    assert_eq!(parts.code(), "tdx.pck.revoked");
    for (serial, expected) in [(ca, "tdx.ca.revoked"), (signer, "tdx.tcb_signer.revoked")] {
        let mut world = self::world();
        world.edit_root_crl(|crl| crl.revoke(serial));
        let parts = Parts { pck_crls: Vec::new(), ..Parts::of(&world) };
        assert_eq!(parts.code(), expected);
        // An expired list still tells what was revoked.
        world.edit_root_crl(|crl| crl.next_update = Some(NOW - 1));
        assert_eq!(Parts::of(&world).code(), expected);
    }
}

#[test]
fn nothing_that_is_missing_hides_a_bad_level() {
    let mut world = world();
    world.edit_tcb_info(|info| info.levels[0].standing.status = "Revoked".to_owned());
    let parts = Parts { qe_identities: Vec::new(), ..Parts::of(&world) };
    assert_eq!(parts.code(), "tdx.tcb.revoked");
    let mut world = self::world();
    world.edit_qe_identity(|identity| identity.levels[0].standing.status = "Fine".to_owned());
    let parts = Parts { tcb_infos: Vec::new(), ..Parts::of(&world) };
    assert_eq!(parts.code(), "tdx.tcb.unrecognized");
}
