//! The order of the steps: of two violations the one of the earlier step is the outcome (*verification.md* 1.2).

use cc_testkit::snp::keys::stranger_p384;
use cc_testkit::snp::leaf::oids;
use cc_testkit::snp::{CertSpec, LeafKind, NOW, Product, ReportBuilder, SigKind, Tcb, World, ark_der};

use Product::{Genoa, Milan};

use crate::common::codes::outcome_code;
use crate::common::synthetic;

/// A step, a violation of it alone, its code. Each leaves what the others change as it is.
type Row = (&'static str, fn(&mut World), &'static str);

const ROWS: [Row; 21] = [
    ("S2", |w| report(w, |r| r.set_version(6)), "snp.version.unsupported"),
    ("S3", |w| report(w, |r| r.set_reserved_4c(1)), "snp.format.reserved"),
    ("S4", |w| report(w, |r| r.flip_policy(17)), "snp.policy.malformed"),
    ("S5", |w| report(w, |r| r.set_signature_algo(2)), "snp.sigalgo.unsupported"),
    ("S6", |w| report(w, |r| r.set_signing_key(3)), "snp.signing_key.reserved"),
    ("S7", |w| report(w, |r| r.set_key_info(r.key_info() | 2)), "snp.chip_key.masked"),
    ("S9", |w| report(w, |r| r.set_cpuid([0x1b, 1, 1])), "snp.product.unknown"),
    ("S10", |w| w.ark = ark_der(Genoa).to_vec(), "snp.chain.untrusted_root"),
    ("S11, intermediate", |w| drop_ref(w.edit_intermediate(|ask| ask.version = None)), "snp.chain.role"),
    ("S11, leaf", |w| leaf(w, |l| l.set_algorithm(SigKind::Pkcs1Sha384)), "snp.chain.algorithm"),
    (
        "S12, intermediate",
        |w| drop_ref(w.edit_intermediate(|ask| ask.not_before = NOW + 1)),
        "snp.chain.not_yet_valid",
    ),
    ("S12, leaf", |w| leaf(w, |l| l.not_after = NOW - 1), "snp.chain.expired"),
    ("S13", |w| drop_ref(w.edit_crl(|crl| crl.next_update = Some(NOW - 1))), "snp.crl.expired"),
    ("S14, missing", |w| leaf(w, |l| l.remove_ext(oids::TEE_SPL)), "snp.ext.missing"),
    ("S14, malformed", |w| leaf(w, |l| l.set_ext(oids::UCODE_SPL, vec![])), "snp.ext.malformed"),
    ("S15", |w| leaf(w, |l| l.set_product_name("Genoa")), "snp.product.mismatch"),
    ("S16, form", |w| drop_ref(w.report.set_signature_s([0; 72])), "snp.signature.malformed"),
    ("S16", |w| leaf(w, |l| l.spki = stranger_p384().spki().to_vec()), "snp.signature.invalid"),
    ("S17", |w| report(w, |r| r.set_chip_id([7; 64])), "snp.chip_id.mismatch"),
    ("S19", |w| report(w, |r| r.set_reported_tcb(microcode(-1))), "snp.tcb.cert_mismatch"),
    ("S20", |w| report(w, |r| r.set_committed_tcb(microcode(1))), "snp.tcb.inconsistent"),
];

/// Ends a chain of setters.
fn drop_ref<T>(_: &mut T) {}

fn report(world: &mut World, edit: impl FnOnce(&mut ReportBuilder) -> &mut ReportBuilder) {
    world.edit_report(|report| {
        edit(report);
    });
}

fn leaf(world: &mut World, edit: impl FnOnce(&mut CertSpec)) {
    world.edit_leaf(edit);
}

/// Milan's TCB with another level of microcode.
fn microcode(by: i8) -> [u8; 8] {
    let tcb = Milan.tcb();
    Tcb { microcode: tcb.microcode.saturating_add_signed(by), ..tcb }.encode(Milan)
}

fn outcome(world: &World, length: usize) -> String {
    let evidence = &world.report.bytes()[..length];
    outcome_code(&synthetic::check(evidence, &synthetic::slots(world)).outcome).to_owned()
}

#[test]
fn the_earlier_step_decides() {
    let healthy = World::new(Milan, LeafKind::Vcek);
    assert_eq!(outcome(&healthy, 1184), "accept");
    for (i, (earlier, first, expected)) in ROWS.iter().enumerate() {
        let mut alone = healthy.clone();
        first(&mut alone);
        assert_eq!(outcome(&alone, 1184), *expected, "{earlier}");
        assert_eq!(outcome(&alone, 1183), "snp.format.length", "S1 and {earlier}");
        for (later, second, _) in &ROWS[i + 1..] {
            // The later one is made first, so that signing the report again does not mend it.
            let mut both = healthy.clone();
            second(&mut both);
            first(&mut both);
            assert_eq!(outcome(&both, 1184), *expected, "{earlier} and {later}");
        }
    }
}
