//! The rows of the negative test catalogue (*verification.md* 7) that belong to verification.
//!
//! Each row changes one thing in an otherwise acceptable world and names the exact code. Rows that a policy judges
//! (*decisions.md* 6) are with the policy; here is only what they rest on, that the claim is made.

use cc_testkit::der;
use cc_testkit::tdx::ca::intel_name;
use cc_testkit::tdx::collateral::{Signed, SvnLevel, out_of_date};
use cc_testkit::tdx::field::{self, Field};
use cc_testkit::tdx::sgx::oids;
use cc_testkit::tdx::{Ca, EventLog, Form, NOW, QeIdentity, TcbInfo, World, ca, crl, keys};
use cc_verifier::tdx::Verifier;

use Form::{V4, V5Td15};

use crate::common::codes::reply_code;
use crate::common::tdx::{self, Parts};

/// A world, and what of it is handed to the verifier in another form.
struct Case {
    world: World,
    /// Instead of the quote.
    evidence: Option<Vec<u8>>,
    has_pck_crl: bool,
    event_log: Option<Vec<u8>>,
}

impl Case {
    fn new(form: Form) -> Self {
        Self { world: World::new(form, Ca::Platform), evidence: None, has_pck_crl: true, event_log: None }
    }

    /// The outcome with endorsements in their slots, and with unlabelled ones the same.
    fn outcome(&self) -> String {
        let mut parts = Parts::of(&self.world);
        let mut blobs = self.world.endorsements();
        if let Some(evidence) = &self.evidence {
            parts.evidence.clone_from(evidence);
        }
        if !self.has_pck_crl {
            parts.pck_crls.clear();
            blobs.pop();
        }
        parts.event_logs.extend(self.event_log.clone());
        blobs.extend(self.event_log.clone());
        let code = parts.code();
        let reply = Verifier::new(tdx::anchors(), 0).verify(&tdx::request(&parts.evidence, &blobs));
        assert_eq!(reply_code(&reply), code, "unlabelled");
        code
    }
}

type Row = (&'static str, Form, fn(&mut Case), &'static str);

const FORMAT: [Row; 20] = [
    ("N-TDX-01", V4, |c| sgx_quote(c), "tdx.version.unsupported"),
    ("N-TDX-02", V4, |c| set(c, field::VERSION, &[6]), "tdx.version.unsupported"),
    ("N-TDX-02", V5Td15, |c| set(c, field::VERSION, &[6]), "tdx.version.unsupported"),
    ("N-TDX-03", V4, |c| set(c, field::TEE_TYPE, &[]), "tdx.tee_type.mismatch"),
    ("N-TDX-04", V4, |c| set(c, field::ATT_KEY_TYPE, &[3]), "tdx.att_key_type.unsupported"),
    ("N-TDX-05", V4, |c| flip(c, field::QE_VENDOR_ID, 127), "tdx.qe_vendor.unknown"),
    ("N-TDX-06", V5Td15, |c| descriptor(c, 1, 648), "tdx.format.length"),
    (
        "N-TDX-06",
        V5Td15,
        |c| {
            c.world.quote.body.truncate(384);
            descriptor(c, 1, 384);
        },
        "tdx.format.length",
    ),
    ("N-TDX-07", V5Td15, |c| descriptor(c, 3, 584), "tdx.format.length"),
    ("N-TDX-08", V4, |c| signature_size(c, 1), "tdx.format.length"),
    ("N-TDX-09", V4, |c| signature_size(c, -1), "tdx.format.length"),
    ("N-TDX-10", V4, |c| c.world.quote.inner_size = Some(u32::MAX), "tdx.format.length"),
    ("N-TDX-11", V4, |c| c.world.quote.outer_type = 5, "tdx.certdata.unsupported"),
    ("N-TDX-11", V4, |c| c.evidence = Some(certificates_in_front(&c.world)), "tdx.certdata.unsupported"),
    (
        "N-TDX-12",
        V4,
        |c| {
            c.world.quote.inner_type = 1;
            c.world.quote.certificates = vec![0; 36];
        },
        "tdx.certdata.unsupported",
    ),
    ("N-TDX-12", V4, |c| c.world.quote.inner_type = 1, "tdx.certdata.unsupported"),
    ("N-TDX-13", V4, |c| chain(c, |chain| _ = chain.pop()), "tdx.certdata.unsupported"),
    (
        "N-TDX-14",
        V4,
        |c| chain(c, |chain| chain.push(Ca::Processor.der().to_vec())),
        "tdx.certdata.unsupported",
    ),
    ("N-TDX-81", V4, |c| c.evidence = Some(td_report()), "tdx.version.unsupported"),
    // The same for the outer size.
    ("N-TDX-10", V4, |c| c.world.quote.outer_size = Some(u32::MAX), "tdx.format.length"),
];

const CHAIN: [Row; 15] = [
    ("N-TDX-15", V4, |c| c.world = World::self_made(V4, Ca::Platform), "tdx.pck_chain.untrusted_root"),
    (
        "N-TDX-16",
        V4,
        |c| {
            c.world.pck_chain[0] = c.world.pck_spec.sign(keys::stranger());
            c.world.rechain();
        },
        "tdx.pck_chain.signature",
    ),
    (
        "N-TDX-16",
        V4,
        |c| {
            // The attacker's intermediate comes along.
            let key = keys::stranger();
            c.world.pck_chain[1] = ca::pck_ca_with_keys(Ca::Platform, key, key).sign(key);
            c.world.pck_chain[0] = c.world.pck_spec.sign(key);
            c.world.rechain();
        },
        "tdx.pck_chain.signature",
    ),
    (
        "N-TDX-17",
        V4,
        |c| _ = c.world.edit_pck(|pck| pck.subject = intel_name("Intel SGX PCK Certificates")),
        "tdx.pck_chain.role",
    ),
    ("N-TDX-18", V4, |c| _ = c.world.edit_pck(|pck| pck.not_after = NOW - 1), "tdx.pck_chain.expired"),
    (
        "N-TDX-19",
        V4,
        |c| {
            let serial = c.world.pck_spec.serial.clone();
            c.world.edit_pck_crl(|crl| crl.revoke(serial));
        },
        "tdx.pck.revoked",
    ),
    (
        "N-TDX-20",
        V4,
        |c| {
            let serial = c.world.pck_ca_spec.serial.clone();
            c.world.edit_root_crl(|crl| crl.revoke(serial));
        },
        "tdx.ca.revoked",
    ),
    (
        "N-TDX-21",
        V4,
        |c| c.world.pck_crl = crl::pck(Ca::Processor).sign(keys::pck_ca(Ca::Processor)),
        "tdx.crl.issuer_mismatch",
    ),
    ("N-TDX-22", V4, |c| _ = c.world.edit_pck_crl(|crl| crl.next_update = Some(NOW - 1)), "tdx.crl.expired"),
    ("N-TDX-23", V4, |c| c.has_pck_crl = false, "tdx.crl.missing"),
    (
        "N-TDX-84",
        V4,
        |c| c.world.root_crl = c.world.root_crl_spec.sign(keys::stranger()),
        "tdx.crl.signature",
    ),
    (
        "N-TDX-85",
        V4,
        |c| {
            let serial = c.world.signer_spec.serial.clone();
            c.world.edit_root_crl(|crl| crl.revoke(serial));
        },
        "tdx.tcb_signer.revoked",
    ),
    // The same for the other list; a serial number says nothing in the list of another authority.
    ("N-TDX-84", V4, |c| c.world.pck_crl = c.world.pck_crl_spec.sign(keys::stranger()), "tdx.crl.signature"),
    ("N-TDX-22", V4, |c| _ = c.world.edit_root_crl(|crl| crl.next_update = Some(NOW - 1)), "tdx.crl.expired"),
    (
        "N-TDX-19",
        V4,
        |c| {
            let serial = c.world.pck_spec.serial.clone();
            c.world.edit_root_crl(|crl| crl.revoke(serial));
        },
        "accept",
    ),
];

const TCB_INFO: [Row; 15] = [
    (
        "N-TDX-24",
        V4,
        |c| replace(&mut c.world.tcb_info, r#"{"svn":3,"#, r#"{"svn":2,"#),
        "tdx.tcb_info.signature",
    ),
    ("N-TDX-25", V4, |c| replace(&mut c.world.tcb_info, ":", ": "), "tdx.tcb_info.signature"),
    (
        "N-TDX-26",
        V4,
        |c| {
            let text = c.world.tcb_info.text.clone();
            c.world.tcb_info = Signed::new("tcbInfo", text, c.world.pck_key);
            c.world.tcb_chain = c.world.pck_chain.clone();
            c.world.qe_chain = c.world.pck_chain.clone();
        },
        "tdx.tcb_info.role",
    ),
    (
        "N-TDX-27",
        V4,
        |c| {
            // Intel's name, signed by the PCK authority.
            let world = &mut c.world;
            world.signer_spec.issuer = intel_name(Ca::Platform.name());
            let signer = world.signer_spec.sign(world.pck_ca_key);
            world.tcb_chain = vec![signer, world.pck_chain[1].clone(), world.pck_chain[2].clone()];
            world.qe_chain = world.tcb_chain.clone();
        },
        "tdx.tcb_info.role",
    ),
    ("N-TDX-28", V4, |c| tcb_info(c, |info| info.id = "SGX".to_owned()), "tdx.tcb_info.id"),
    ("N-TDX-29", V4, |c| tcb_info(c, |info| info.next_update = at(NOW - 1)), "tdx.tcb_info.expired"),
    ("N-TDX-30", V4, |c| tcb_info(c, |info| info.issue_date = at(NOW + 1)), "tdx.tcb_info.future"),
    (
        "N-TDX-31",
        V4,
        |c| {
            let text = c.world.tcb_info.text.clone();
            let doubled = text.replacen(r#","tcbLevels":["#, r#","tcbLevels":[],"tcbLevels":["#, 1);
            assert_ne!(doubled, text);
            c.world.sign_tcb_info(doubled);
        },
        "tdx.tcb_info.malformed",
    ),
    ("N-TDX-32", V4, |c| tcb_info(c, |info| _ = info.levels[0].sgx.pop()), "tdx.tcb.malformed"),
    ("N-TDX-33", V4, |c| tcb_info(c, |info| info.fmspc = "00806f050000".to_owned()), "tdx.fmspc.mismatch"),
    ("N-TDX-34", V4, |c| tcb_info(c, |info| info.pce_id = "0001".to_owned()), "tdx.pceid.mismatch"),
    (
        "N-TDX-34",
        V4,
        |c| _ = c.world.edit_sgx(|sgx| sgx.set(oids::PCEID, der::octet_string(&[0, 1]))),
        "tdx.pceid.mismatch",
    ),
    ("N-TDX-86", V4, |c| tcb_info(c, |info| info.version = 2), "tdx.tcb_info.version"),
    // Components of the other list, and in a level that does not count.
    ("N-TDX-32", V4, |c| tcb_info(c, |info| _ = info.levels[0].tdx.pop()), "tdx.tcb.malformed"),
    ("N-TDX-32", V4, |c| tcb_info(c, |info| info.levels[2].tdx.push(0)), "tdx.tcb.malformed"),
];

const QE: [Row; 17] = [
    ("N-TDX-37", V4, |c| c.world.qe_identity.signature[7] ^= 1, "tdx.qe_identity.signature"),
    ("N-TDX-37", V4, |c| c.world.qe_identity.signature.clear(), "tdx.qe_identity.signature"),
    ("N-TDX-38", V4, |c| qe_identity(c, |identity| identity.id = "QE".to_owned()), "tdx.qe_identity.id"),
    ("N-TDX-39", V4, |c| flip(c, field::QE_MR_SIGNER, 9), "tdx.qe_identity.mismatch"),
    ("N-TDX-40", V4, |c| set(c, field::QE_ISV_PROD_ID, &[1]), "tdx.qe_identity.mismatch"),
    (
        "N-TDX-41",
        V4,
        |c| {
            qe_identity(c, |identity| identity.attributes_mask.replace_range(..2, "F9"));
            flip(c, field::QE_ATTRIBUTES, 1);
        },
        "tdx.qe.debug",
    ),
    ("N-TDX-42", V4, |c| flip(c, field::QE_MISC_SELECT, 31), "tdx.qe_identity.mismatch"),
    ("N-TDX-43", V4, |c| set(c, field::QE_ISV_SVN, &[3]), "tdx.qe_tcb.not_found"),
    ("N-TDX-45", V4, |c| _ = c.world.quote.sign(keys::stranger()), "tdx.qe_report_data.mismatch"),
    ("N-TDX-46", V4, |c| c.world.quote.auth_data[31] ^= 1, "tdx.qe_report_data.mismatch"),
    ("N-TDX-47", V4, |c| c.world.quote.auth_data.clear(), "tdx.qe_report_data.mismatch"),
    ("N-TDX-48", V4, |c| flip(c, field::QE_REPORT_DATA, 8 * 63), "tdx.qe_report_data.mismatch"),
    ("N-TDX-48", V4, |c| flip(c, field::QE_REPORT_DATA, 8 * 32), "tdx.qe_report_data.mismatch"),
    ("N-TDX-49", V4, |c| c.world.quote.qe_signature[63] ^= 1, "tdx.qe_report.signature"),
    (
        "N-TDX-87",
        V4,
        |c| qe_identity(c, |identity| identity.next_update = at(NOW - 1)),
        "tdx.qe_identity.expired",
    ),
    (
        "N-TDX-88",
        V4,
        |c| {
            let text = c.world.qe_identity.text.clone();
            c.world.qe_identity = Signed::new("enclaveIdentity", text, c.world.pck_key);
            c.world.qe_chain = c.world.pck_chain.clone();
        },
        "tdx.qe_identity.role",
    ),
    // Authentication data of another length counts in full.
    (
        "N-TDX-47",
        V4,
        |c| {
            c.world.quote.auth_data.clear();
            c.world.rebind();
        },
        "accept",
    ),
];

const QUOTE: [Row; 15] = [
    ("N-TDX-50", V4, |c| c.world.quote.signature[..32].fill(0), "tdx.signature.malformed"),
    (
        "N-TDX-51",
        V4,
        |c| {
            c.world.quote.attestation_key[63] ^= 1;
            c.world.rebind();
        },
        "tdx.signature.malformed",
    ),
    ("N-TDX-52", V4, |c| _ = c.world.quote.flip(field::REPORT_DATA, 0), "tdx.signature.invalid"),
    ("N-TDX-53", V4, |c| _ = c.world.quote.flip(field::MR_TD, 383), "tdx.signature.invalid"),
    ("N-TDX-54", V4, |c| flip(c, field::MR_SIGNER_SEAM, 0), "tdx.module.mrsigner_mismatch"),
    ("N-TDX-55", V4, |c| flip(c, field::SEAM_ATTRIBUTES, 5), "tdx.module.attributes"),
    ("N-TDX-56", V4, |c| set(c, field::TEE_TCB_SVN, &[6, 9, 4]), "tdx.module.identity_missing"),
    ("N-TDX-57", V4, |c| set(c, field::TEE_TCB_SVN, &[1, 1, 4]), "tdx.module_tcb.not_found"),
    (
        "N-TDX-60",
        V4,
        |c| tcb_info(c, |info| info.levels[0].standing.status = "Revoked".to_owned()),
        "tdx.tcb.revoked",
    ),
    ("N-TDX-61", V4, |c| tcb_info(c, above_the_platform), "tdx.tcb.not_found"),
    (
        "N-TDX-66",
        V4,
        |c| tcb_info(c, |info| info.levels[0].standing.status = "Fine".to_owned()),
        "tdx.tcb.unrecognized",
    ),
    (
        "N-TDX-77",
        V4,
        |c| {
            let mut log = measured(c);
            let last = log.events.iter().rposition(|event| event.register == 3).unwrap();
            log.events.remove(last);
            c.event_log = Some(log.bytes());
        },
        "tdx.eventlog.replay_mismatch",
    ),
    (
        "N-TDX-78",
        V4,
        |c| {
            let mut log = measured(c);
            log.events.last_mut().unwrap().register = 8;
            c.event_log = Some(log.bytes());
        },
        "tdx.eventlog.malformed",
    ),
    ("N-TDX-77", V4, |c| c.event_log = Some(measured(c).bytes()), "accept"),
    ("N-TDX-53", V5Td15, |c| _ = c.world.quote.flip(field::MR_SERVICE_TD, 0), "tdx.signature.invalid"),
];

#[test]
fn every_row_has_its_code() {
    let rows = FORMAT.into_iter().chain(CHAIN).chain(TCB_INFO).chain(QE).chain(QUOTE);
    let mut wrong = Vec::new();
    for (id, form, mutate, expected) in rows {
        let mut case = Case::new(form);
        assert_eq!(case.outcome(), "accept", "{id}: the world before its mutation");
        mutate(&mut case);
        let code = case.outcome();
        if code != expected {
            wrong.push(format!("{id}: {code}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Row, mutation, combined status, advisories: what the policy then refuses.
type StatusRow = (&'static str, Form, fn(&mut Case), &'static str, &'static [&'static str]);

const STATUSES: [StatusRow; 8] = [
    (
        "N-TDX-44",
        V4,
        |c| {
            qe_identity(c, |identity| {
                identity.levels[0].isvsvn = 8;
                identity.levels.push(SvnLevel::new(5, out_of_date("2023-02-15", &["INTEL-SA-00837"])));
            });
        },
        "OutOfDate",
        &["INTEL-SA-00837"],
    ),
    (
        "N-TDX-58",
        V4,
        |c| tcb_info(c, |info| info.levels[0].sgx[0] = 5),
        "OutOfDate",
        &["INTEL-SA-01036", "INTEL-SA-01079"],
    ),
    ("N-TDX-59", V4, |c| set(c, field::TEE_TCB_SVN, &[5, 1, 4]), "OutOfDate", &["INTEL-SA-01036"]),
    (
        "N-TDX-62",
        V4,
        |c| {
            tcb_info(c, |info| {
                info.levels[0].sgx[0] = 5;
                info.levels.reverse();
                info.identities[1].levels.reverse();
            });
        },
        "OutOfDate",
        &["INTEL-SA-01036", "INTEL-SA-01079"],
    ),
    (
        "N-TDX-63",
        V4,
        |c| tcb_info(c, |info| info.levels[0].standing.status = "SWHardeningNeeded".to_owned()),
        "SWHardeningNeeded",
        &[],
    ),
    (
        "N-TDX-64",
        V4,
        |c| {
            tcb_info(c, |info| {
                info.levels[0].standing.status = "SWHardeningNeeded".to_owned();
                info.levels[0].standing.advisories = vec!["INTEL-SA-00615".to_owned()];
            });
        },
        "SWHardeningNeeded",
        &["INTEL-SA-00615"],
    ),
    (
        "N-TDX-65",
        V5Td15,
        |c| {
            set(c, field::TEE_TCB_SVN, &[4, 1, 2]);
            set(c, field::TEE_TCB_SVN_2, &[6, 1, 4]);
        },
        "TDRelaunchAdvised",
        &["INTEL-SA-00106", "INTEL-SA-01036"],
    ),
    (
        "N-TDX-89",
        V4,
        |c| set(c, field::TEE_TCB_SVN, &[3, 1, 4]),
        "OutOfDate",
        &["INTEL-SA-01036", "INTEL-SA-01099"],
    ),
];

#[test]
fn rows_of_the_policy_have_their_status() {
    for (id, form, mutate, status, advisories) in STATUSES {
        let mut case = Case::new(form);
        mutate(&mut case);
        let claims = Parts::of(&case.world).claims();
        assert_eq!(claims.text("tcb_status"), Ok(status), "{id}");
        let claims = serde_json::to_value(&claims).unwrap();
        assert_eq!(claims["advisory_ids"], serde_json::json!(advisories), "{id}");
    }
}

fn set(case: &mut Case, field: Field, value: &[u8]) {
    case.world.set(field, value);
}

fn flip(case: &mut Case, field: Field, bit: usize) {
    case.world.flip(field, bit);
}

fn descriptor(case: &mut Case, kind: u16, size: u32) {
    case.world.edit_quote(|quote| quote.descriptor = Some((kind, size)));
}

fn signature_size(case: &mut Case, more: i32) {
    let quote = &mut case.world.quote;
    let data = quote.bytes().len() - quote.signed().len() - 4;
    quote.signature_size = u32::try_from(data).unwrap().checked_add_signed(more);
}

fn chain(case: &mut Case, edit: impl FnOnce(&mut Vec<Vec<u8>>)) {
    edit(&mut case.world.pck_chain);
    case.world.rechain();
}

fn tcb_info(case: &mut Case, edit: impl FnOnce(&mut TcbInfo)) {
    case.world.edit_tcb_info(edit);
}

fn qe_identity(case: &mut Case, edit: impl FnOnce(&mut QeIdentity)) {
    case.world.edit_qe_identity(edit);
}

/// Changes a text without signing it again.
fn replace(signed: &mut Signed, from: &str, to: &str) {
    let changed = signed.text.replacen(from, to, 1);
    assert_ne!(changed, signed.text);
    signed.text = changed;
}

fn at(unix: i64) -> String {
    cc_testkit::tdx::collateral::rfc3339(unix)
}

/// Component 7 asks for one more than the platform has, in every level.
fn above_the_platform(info: &mut TcbInfo) {
    for level in &mut info.levels {
        level.sgx[7] = 6;
    }
}

/// Signs the registers of a small boot and returns its log.
fn measured(case: &mut Case) -> EventLog {
    let log = EventLog::small_boot();
    case.world.measure(&log);
    log
}

/// An SGX quote: version 3, TEE type 0, an enclave report as body, the PCK chain right after the key.
fn sgx_quote(case: &mut Case) {
    case.world.edit_quote(|quote| {
        quote.body.clone_from(&quote.qe_report);
        quote.set(field::VERSION, &[3]).set(field::TEE_TYPE, &[]);
    });
}

/// The quote with the PCK chain where the QE report certification data belongs.
fn certificates_in_front(world: &World) -> Vec<u8> {
    let quote = &world.quote;
    let mut data = [quote.signature.as_slice(), &quote.attestation_key].concat();
    data.extend(5_u16.to_le_bytes());
    data.extend(u32::try_from(quote.certificates.len()).unwrap().to_le_bytes());
    data.extend(&quote.certificates);
    let mut out = quote.signed();
    out.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    out.extend(data);
    out
}

/// A TDREPORT: type 0x81, then what only this machine can check.
fn td_report() -> Vec<u8> {
    let mut report = vec![0; 1024];
    report[0] = 0x81;
    report[0xE0..0x100].fill(0x5A);
    report
}
