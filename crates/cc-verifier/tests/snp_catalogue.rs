//! The rows of the negative test catalogue (*verification.md* 7) that belong to verification.
//!
//! Each row changes one thing in an otherwise acceptable world and names the exact code.

use cc_testkit::snp::certtable::VCEK_GUID;
use cc_testkit::snp::keys::{self, stranger_p256};
use cc_testkit::snp::leaf::{ia5, oids};
use cc_testkit::snp::mint::DAY;
use cc_testkit::snp::report::{P384_ORDER, little_endian};
use cc_testkit::snp::{
    CertSpec, LeafKind, NOW, Product, ReportBuilder, SigKind, Tcb, World, ark_der, ca, cert,
};
use cc_verifier::snp::Verifier;

use LeafKind::{Vcek, Vlek};
use Product::{Genoa, Milan, Turin};

use crate::common::codes::{outcome_code, reply_code};
use crate::common::requests;
use crate::common::synthetic;

/// A world, and what of it is handed to the verifier in another form.
struct Case {
    world: World,
    /// Instead of the report.
    evidence: Option<Vec<u8>>,
    /// Instead of leaf, intermediate and root: a certificate table.
    table: Option<Vec<u8>>,
    has_crl: bool,
}

impl Case {
    fn new(product: Product, kind: LeafKind) -> Self {
        Self { world: World::new(product, kind), evidence: None, table: None, has_crl: true }
    }

    fn outcome(&self) -> String {
        let evidence = self.evidence.as_deref().unwrap_or(self.world.report.bytes());
        if let Some(table) = &self.table {
            let request = requests::request(evidence, &[table, &self.world.crl]);
            let reply = Verifier::new(synthetic::anchors(), 0).verify(&request);
            return reply_code(&reply).to_owned();
        }
        let mut slots = synthetic::slots(&self.world);
        if !self.has_crl {
            slots.crls.clear();
        }
        outcome_code(&synthetic::check(evidence, &slots).outcome).to_owned()
    }
}

type Row = (&'static str, Product, LeafKind, fn(&mut Case), &'static str);

const FORM: [Row; 14] = [
    (
        "N-SNP-01",
        Milan,
        Vcek,
        |c| c.evidence = Some(c.world.report.bytes()[..1183].to_vec()),
        "snp.format.length",
    ),
    (
        "N-SNP-02",
        Milan,
        Vcek,
        |c| c.evidence = Some(c.world.report.with_response_header()),
        "snp.format.length",
    ),
    ("N-SNP-03", Milan, Vcek, |c| report(c, |r| r.downgrade(1)), "snp.version.unsupported"),
    ("N-SNP-04", Turin, Vcek, |c| report(c, |r| r.set_version(6)), "snp.version.unsupported"),
    ("N-SNP-06", Milan, Vcek, |c| byte(c, 0x18b, 1), "snp.format.reserved"),
    ("N-SNP-07", Milan, Vcek, |c| report(c, |r| r.set_launch_mit_vector(1)), "snp.format.reserved"),
    ("N-SNP-08", Milan, Vcek, |c| c.world.report.bytes_mut()[0x330] = 1, "snp.format.reserved"),
    ("N-SNP-09", Milan, Vcek, |c| report(c, |r| r.flip_policy(17)), "snp.policy.malformed"),
    ("N-SNP-10", Milan, Vcek, |c| report(c, |r| r.flip_policy(40)), "snp.policy.malformed"),
    ("N-SNP-11", Milan, Vcek, |c| report(c, |r| r.set_key_info(1 << 5)), "snp.policy.malformed"),
    ("N-SNP-12", Milan, Vcek, |c| report(c, |r| r.set_signature_algo(2)), "snp.sigalgo.unsupported"),
    (
        "N-SNP-13",
        Milan,
        Vcek,
        |c| {
            c.world.report.set_signing_key(7).set_signature_r([0; 72]).set_signature_s([0; 72]);
        },
        "snp.signing_key.none",
    ),
    ("N-SNP-14", Milan, Vcek, |c| report(c, |r| r.set_signing_key(3)), "snp.signing_key.reserved"),
    ("N-SNP-19", Milan, Vcek, |c| report(c, |r| r.set_key_info(2)), "snp.chip_key.masked"),
];

const CHAIN: [Row; 20] = [
    ("N-SNP-16", Milan, Vcek, |c| report(c, |r| r.set_signing_key(1)), "snp.chain.kind_mismatch"),
    ("N-SNP-17", Milan, Vlek, |c| report(c, |r| r.set_signing_key(0)), "snp.chain.kind_mismatch"),
    ("N-SNP-31", Milan, Vcek, |c| c.world = World::self_made(Milan, Vcek), "snp.chain.untrusted_root"),
    ("N-SNP-32", Milan, Vcek, |c| c.world.ark = ark_der(Genoa).to_vec(), "snp.chain.untrusted_root"),
    ("N-SNP-33", Milan, Vcek, |c| edit_ark_serial(&mut c.world), "snp.chain.untrusted_root"),
    ("N-SNP-34", Milan, Vcek, |c| *c.world.intermediate.last_mut().unwrap() ^= 1, "snp.chain.signature"),
    (
        "N-SNP-35",
        Milan,
        Vcek,
        |c| {
            c.world.edit_intermediate(|ask| ask.remove_ext(ca::BASIC_CONSTRAINTS));
        },
        "snp.chain.role",
    ),
    ("N-SNP-36", Milan, Vlek, |c| leaf(c, |l| l.subject = cert::amd_name("SEV-VCEK")), "snp.chain.role"),
    ("N-SNP-37", Milan, Vcek, |c| c.world.leaf = c.world.intermediate.clone(), "snp.chain.role"),
    ("N-SNP-38", Milan, Vcek, |c| leaf(c, |l| l.set_algorithm(SigKind::Pkcs1Sha384)), "snp.chain.algorithm"),
    (
        "N-SNP-39",
        Milan,
        Vcek,
        |c| leaf(c, |l| l.spki = stranger_p256().spki().to_vec()),
        "snp.chain.algorithm",
    ),
    ("N-SNP-40", Milan, Vcek, |c| leaf(c, |l| l.not_after = NOW - DAY), "snp.chain.expired"),
    ("N-SNP-41", Milan, Vcek, |c| leaf(c, |l| l.not_before = NOW + DAY), "snp.chain.not_yet_valid"),
    ("N-SNP-42", Milan, Vcek, |c| c.has_crl = false, "snp.crl.missing"),
    (
        "N-SNP-43",
        Milan,
        Vcek,
        |c| {
            c.world.edit_crl(|crl| crl.next_update = Some(NOW - 1));
        },
        "snp.crl.expired",
    ),
    (
        "N-SNP-44",
        Milan,
        Vcek,
        |c| c.world.crl = c.world.crl_spec.sign(c.world.intermediate_key),
        "snp.crl.signature",
    ),
    (
        "N-SNP-45",
        Milan,
        Vcek,
        |c| {
            c.world.edit_crl(|crl| crl.revoke(ca::intermediate_serial(Milan, Vcek)));
        },
        "snp.chain.revoked",
    ),
    ("N-SNP-52", Milan, Vcek, |c| leaf(c, |l| l.set_product_name("Genoa-B1")), "snp.product.mismatch"),
    ("N-SNP-53", Milan, Vcek, |c| report(c, |r| r.set_cpuid([0x1b, 1, 1])), "snp.product.unknown"),
    (
        "N-SNP-87",
        Milan,
        Vcek,
        |c| {
            let mut table = c.world.cert_table();
            table.entries[2].length = Some(u32::try_from(c.world.leaf.len()).unwrap() + 1);
            c.table = Some(table.build());
        },
        "snp.certtable.malformed",
    ),
];

const LEAF_AND_REPORT: [Row; 22] = [
    ("N-SNP-21", Milan, Vcek, |c| byte(c, 0x1a0 + 63, 0xff), "snp.chip_id.mismatch"),
    ("N-SNP-22", Turin, Vcek, |c| byte(c, 0x1a0 + 8, 1), "snp.chip_id.mismatch"),
    ("N-SNP-23", Genoa, Vcek, |c| leaf(c, |l| l.set_ext(oids::HWID, vec![7; 8])), "snp.ext.malformed"),
    ("N-SNP-24", Milan, Vcek, |c| c.world.report.bytes_mut()[0x50] ^= 1, "snp.signature.invalid"),
    ("N-SNP-25", Milan, Vcek, |c| c.world.report.bytes_mut()[0x90] ^= 1, "snp.signature.invalid"),
    ("N-SNP-26", Milan, Vcek, |c| bytes(c, |r| r.set_signature_r([0; 72])), "snp.signature.malformed"),
    (
        "N-SNP-27",
        Milan,
        Vcek,
        |c| {
            c.world.report.set_signature_s(little_endian(&P384_ORDER));
        },
        "snp.signature.malformed",
    ),
    ("N-SNP-28", Milan, Vcek, |c| c.world.report.bytes_mut()[0x2a0 + 48] = 1, "snp.signature.malformed"),
    (
        "N-SNP-29",
        Milan,
        Vcek,
        |c| {
            let (mut r, mut s) = (c.world.report.signature_r(), c.world.report.signature_s());
            r.reverse();
            s.reverse();
            c.world.report.set_signature_r(r).set_signature_s(s);
        },
        "snp.signature.malformed",
    ),
    ("N-SNP-47", Milan, Vcek, |c| leaf(c, |l| l.remove_ext(oids::SNP_SPL)), "snp.ext.missing"),
    (
        "N-SNP-48",
        Milan,
        Vcek,
        |c| leaf(c, |l| l.duplicate_ext(oids::SNP_SPL, vec![2, 1, 1])),
        "snp.ext.duplicate",
    ),
    (
        "N-SNP-49",
        Milan,
        Vcek,
        |c| leaf(c, |l| l.set_ext(oids::UCODE_SPL, vec![2, 1, 0xdb])),
        "snp.ext.malformed",
    ),
    ("N-SNP-50", Milan, Vcek, |c| leaf(c, |l| l.ext_mut(oids::UCODE_SPL).value.push(0)), "snp.ext.malformed"),
    ("N-SNP-51", Milan, Vcek, |c| leaf(c, |l| l.set_ext(oids::CSP_ID, ia5("CN=x"))), "snp.ext.conflict"),
    ("N-SNP-55", Milan, Vcek, |c| reported(c, |t| t.microcode -= 1), "snp.tcb.cert_mismatch"),
    (
        "N-SNP-56",
        Milan,
        Vcek,
        |c| {
            let higher = Tcb { microcode: 0xdc, ..Milan.tcb() }.encode(Milan);
            report(c, |r| r.set_reported_tcb(higher).set_current_tcb(higher));
        },
        "snp.tcb.cert_mismatch",
    ),
    ("N-SNP-57", Turin, Vcek, |c| reported(c, |t| t.fmc = 0), "snp.tcb.cert_mismatch"),
    (
        "N-SNP-61",
        Milan,
        Vcek,
        |c| {
            let higher = Tcb { snp: 0x19, ..Milan.tcb() }.encode(Milan);
            report(c, |r| r.set_committed_tcb(higher));
        },
        "snp.tcb.inconsistent",
    ),
    (
        "N-SNP-62",
        Milan,
        Vcek,
        |c| {
            let lower = Tcb { microcode: 0xda, ..Milan.tcb() }.encode(Milan);
            report(c, |r| r.set_current_tcb(lower).set_committed_tcb(lower));
        },
        "snp.tcb.inconsistent",
    ),
    (
        "N-SNP-88",
        Milan,
        Vcek,
        |c| {
            let mut damaged = c.world.leaf.clone();
            *damaged.last_mut().unwrap() ^= 1;
            c.table = Some(c.world.cert_table().push(VCEK_GUID, &damaged).build());
        },
        "snp.certtable.malformed",
    ),
    // Further readings of two rows: big-endian numbers at the start of their fields, and a correct encoding.
    ("N-SNP-29", Milan, Vcek, |c| bytes(c, ReportBuilder::signature_to_big_endian), "snp.signature.invalid"),
    ("N-SNP-49", Milan, Vcek, |c| leaf(c, |l| l.set_ext(oids::UCODE_SPL, vec![2, 2, 0, 0xdb])), "accept"),
];

#[test]
fn every_row_has_its_code() {
    for (id, product, kind, mutate, expected) in FORM.into_iter().chain(CHAIN).chain(LEAF_AND_REPORT) {
        let mut case = Case::new(product, kind);
        assert_eq!(case.outcome(), "accept", "{id}: the world before its mutation");
        mutate(&mut case);
        assert_eq!(case.outcome(), expected, "{id}");
    }
}

#[test]
fn worlds_are_accepted_through_a_certificate_table() {
    for product in Product::ALL {
        for kind in [Vcek, Vlek] {
            let mut case = Case::new(product, kind);
            case.table = Some(case.world.cert_table().build());
            assert_eq!(case.outcome(), "accept", "{product:?} {kind:?}");
            case.table = Some(case.world.cert_table_pem().build());
            assert_eq!(case.outcome(), "accept", "{product:?} {kind:?}, PEM as some hosts write it");
        }
    }
}

fn report(case: &mut Case, edit: impl FnOnce(&mut ReportBuilder) -> &mut ReportBuilder) {
    case.world.edit_report(|report| {
        edit(report);
    });
}

/// Changes the report without signing it again.
fn bytes(case: &mut Case, edit: impl FnOnce(&mut ReportBuilder) -> &mut ReportBuilder) {
    edit(&mut case.world.report);
}

fn byte(case: &mut Case, offset: usize, bits: u8) {
    case.world.edit_report(|report| report.bytes_mut()[offset] ^= bits);
}

fn leaf(case: &mut Case, edit: impl FnOnce(&mut CertSpec)) {
    case.world.edit_leaf(edit);
}

fn reported(case: &mut Case, edit: impl FnOnce(&mut Tcb)) {
    let product = case.world.product;
    let mut tcb = product.tcb();
    edit(&mut tcb);
    report(case, |r| r.set_reported_tcb(tcb.encode(product)));
}

fn edit_ark_serial(world: &mut World) {
    world.edit_ark(|ark| ark.serial = vec![1]);
    assert_eq!(world.ark_spec.spki, keys::ark(world.product).spki(), "the pinned key");
}
