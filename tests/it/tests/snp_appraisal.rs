//! The rows of the negative catalogue (*verification.md* section 7) that appraisal decides, over reports which are
//! minted, signed, verified and only then judged: each row must verify and end in exactly its finding. The rows
//! that verification decides are in cc-verifier, those of the collector in cc-attester.

use cc_core::message::{Blob, MESSAGE_VERSION, VerifyRequest, WireOutcome};
use cc_core::{Authentic, Binding, Claims, Instant, Profile, TrustClass, UnixTime, codes};
use cc_policy::{Appraisal, Context, InitData, Policy, Status, UserData, appraise};
use cc_testkit::snp::LeafKind::{Vcek, Vlek};
use cc_testkit::snp::Product::{Genoa, Milan, Turin};
use cc_testkit::snp::leaf::CSP_ID;
use cc_testkit::snp::{LeafKind, NOW, Product, ReportBuilder, Tcb, World, ark_der};
use cc_verifier::snp::{Anchors, Verifier};

/// The launch digest that the policy allows.
const MEASUREMENT: [u8; 48] = [0xa5; 48];
const KEY_DIGEST: [u8; 48] = [0xb6; 48];

/// A report, a policy, and what comes with them.
struct Case {
    world: World,
    /// Keys of `[snp]`, on top of products, measurements and minimum TCB.
    knobs: Vec<String>,
    products: &'static str,
    init_data: InitData,
}

impl Case {
    fn new(product: Product, kind: LeafKind) -> Self {
        let mut world = World::new(product, kind);
        world.edit_report(|r| {
            r.set_measurement(MEASUREMENT);
        });
        Self { world, knobs: Vec::new(), products: "[\"Genoa\", \"Turin\"]", init_data: InitData::NotCarried }
    }

    fn knob(&mut self, knob: impl Into<String>) {
        self.knobs.push(knob.into());
    }

    fn report(&mut self, edit: impl FnOnce(&mut ReportBuilder) -> &mut ReportBuilder) {
        self.world.edit_report(|report| {
            edit(report);
        });
    }

    fn policy(&self) -> Policy {
        let mut text = format!(
            "version = 1\n[snp]\nproducts = {}\nmeasurements = [\"{}\"]\n{}\n",
            self.products,
            hex::encode(MEASUREMENT),
            self.knobs.join("\n")
        );
        for product in Product::ALL.iter().filter(|p| self.products.contains(p.name())) {
            let Tcb { fmc, bootloader, tee, snp, microcode } = product.tcb();
            let fmc = if *product == Turin { format!("fmc = {fmc}\n") } else { String::new() };
            text += &format!(
                "[snp.min_tcb.{}]\n{fmc}bootloader = {bootloader}\ntee = {tee}\nsnp = {snp}\nmicrocode = {microcode}\n",
                product.name()
            );
        }
        Policy::parse(&text, "test.toml").unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// Verifies, which must succeed.
    fn authentic(&self) -> Authentic<Claims> {
        let World { leaf, intermediate, ark, crl, .. } = &self.world;
        let reply = verifier().verify(&VerifyRequest {
            version: MESSAGE_VERSION,
            profile: Profile::snp_raw_1(),
            evidence: self.world.report.bytes().to_vec(),
            endorsements: [leaf, intermediate, ark, crl].map(|der| Blob(der.clone())).to_vec(),
            waivers: Vec::new(),
            vouched: Vec::new(),
            now: now(),
        });
        match reply.outcome {
            WireOutcome::Accept { claims, bound, .. } => {
                Authentic::assertion(claims, bound, Vec::new(), Instant::Present(now()), TrustClass::Hardware)
            }
            denied => panic!("not authentic: {denied:?}"),
        }
    }

    fn appraise(&self) -> Appraisal {
        let context = Context { now: now(), init_data: self.init_data, user_data: UserData::NotAsked };
        appraise(&self.authentic(), &Profile::snp_raw_1(), &self.policy(), &context)
    }
}

fn now() -> UnixTime {
    UnixTime::from_secs(u64::try_from(NOW).unwrap())
}

fn verifier() -> Verifier {
    Verifier::new(Anchors::new(ark_der(Milan), ark_der(Genoa), ark_der(Turin)), 0)
}

fn tcb(product: Product, edit: impl FnOnce(&mut Tcb)) -> [u8; 8] {
    let mut tcb = product.tcb();
    edit(&mut tcb);
    tcb.encode(product)
}

/// Row, product line, kind of leaf, what makes the case, the finding's code. A row with a policy knob sets it in
/// the same step; `healthy` must then hold with the knob alone.
type Row = (&'static str, Product, LeafKind, fn(&mut Case), fn(&mut Case), &'static str);

fn none(_: &mut Case) {}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("N-SNP-05", Genoa, Vcek, none, |c| c.report(|r| r.downgrade(2)), "snp.version.unsupported"),
    ("N-SNP-15", Genoa, Vlek, vlek_allowed, |c| c.knobs.clear(), "snp.signing_key.vlek_not_allowed"),
    ("N-SNP-18", Genoa, Vlek, vlek_allowed, |c| { c.knobs.clear(); c.knob("allow_vlek = true\nallowed_csp_ids = [\"CN=other\"]"); }, "snp.csp_id.not_allowed"),
    ("N-SNP-20", Genoa, Vcek, none, |c| c.report(|r| r.set_chip_id([0; 64])), "snp.chip_id.masked"),
    ("N-SNP-54", Milan, Vcek, milan_allowed, |c| { c.knobs.clear(); c.products = "[\"Genoa\", \"Turin\"]"; }, "snp.product.not_allowed"),
    ("N-SNP-58", Genoa, Vcek, none, |c| below(c, |t| { t.snp -= 1; t.microcode += 1; }), "snp.tcb.below_minimum"),
    ("N-SNP-59", Genoa, Vcek, |c| c.knob("allow_provisional_fw = true"), |c| c.report(|r| r.set_committed_tcb(tcb(Genoa, |t| t.microcode -= 1))), "snp.tcb.below_minimum"),
    ("N-SNP-60", Genoa, Vcek, none, |c| c.report(|r| r.set_current_tcb(tcb(Genoa, |t| t.microcode += 1))), "snp.fw.provisional"),
    ("N-SNP-63", Genoa, Vcek, none, |c| c.report(|r| r.set_launch_tcb(tcb(Genoa, |t| t.snp -= 1))), "snp.tcb.launch_below_minimum"),
    ("N-SNP-64", Genoa, Vcek, |c| firmware(c, 55), |c| c.report(|r| r.set_current_version([0, 54, 1]).set_committed_version([0, 54, 1])), "snp.fw.below_minimum"),
    ("N-SNP-66", Genoa, Vcek, none, |c| c.report(|r| r.set_vmpl(1)), "snp.vmpl.mismatch"),
    ("N-SNP-67", Genoa, Vcek, none, |c| c.report(|r| r.set_vmpl(u32::MAX)), "snp.vmpl.host_report"),
    ("N-SNP-68", Genoa, Vcek, none, |c| c.report(|r| r.flip_policy(19)), "snp.policy.debug"),
    ("N-SNP-69", Genoa, Vcek, none, |c| c.report(|r| r.flip_policy(18)), "snp.policy.migrate_ma"),
    ("N-SNP-70", Genoa, Vcek, none, |c| c.report(|r| r.set_report_id_ma([0; 32])), "snp.report_id_ma.present"),
    ("N-SNP-71", Genoa, Vcek, |c| { c.knob("min_abi = \"1.55\""); c.report(|r| r.set_policy(r.policy() | 0x0137)); }, |c| c.report(|r| r.set_policy(r.policy() - 1)), "snp.policy.abi"),
    ("N-SNP-72", Genoa, Vcek, |c| { c.knob("smt_allowed = false"); c.report(|r| r.flip_policy(16).flip_platform(0)); }, |c| c.report(|r| r.flip_policy(16)), "snp.policy.smt"),
    ("N-SNP-73", Genoa, Vcek, none, |c| c.report(|r| r.flip_policy(21)), "snp.policy.cxl"),
    ("N-SNP-74", Genoa, Vcek, none, |c| c.report(|r| r.flip_policy(16)), "snp.platform.smt"),
    ("N-SNP-75", Genoa, Vcek, none, |c| c.report(|r| r.flip_platform(5)), "snp.platform.alias_check"),
    ("N-SNP-76 bit 6 on Milan", Milan, Vcek, milan_allowed, |c| c.report(|r| r.flip_platform(6)), "snp.platform.unknown_bit"),
    ("N-SNP-76 bit 6 on Genoa", Genoa, Vcek, none, |c| c.report(|r| r.flip_platform(6)), "snp.platform.unknown_bit"),
    ("N-SNP-76 bit 8 on Genoa", Genoa, Vcek, none, |c| c.report(|r| r.flip_platform(8)), "snp.platform.unknown_bit"),
    ("N-SNP-76 bit 8 on Turin", Turin, Vcek, none, |c| c.report(|r| r.flip_platform(8)), "snp.platform.unknown_bit"),
    ("N-SNP-77", Turin, Vcek, |c| { c.knob("required_mitigations = 0x4"); c.report(|r| r.set_launch_mit_vector(4).set_current_mit_vector(4)); }, |c| c.report(|r| r.set_current_mit_vector(3)), "snp.mitigation.missing"),
    ("N-SNP-78", Genoa, Vcek, none, |c| c.report(|r| r.set_measurement([7; 48])), "snp.measurement.unknown"),
    ("N-SNP-81", Genoa, Vcek, none, |c| c.report(|r| r.set_host_data([1; 32])), "snp.host_data.mismatch"),
    ("N-SNP-82", Genoa, Vcek, |c| { c.knob("host_data = \"init-data\""); c.init_data = InitData::Carried { sha256: [1; 32], sha384: [0; 48] }; c.report(|r| r.set_host_data([1; 32])); }, |c| c.init_data = InitData::Carried { sha256: [2; 32], sha384: [0; 48] }, "snp.host_data.mismatch"),
    ("N-SNP-83", Genoa, Vcek, author_required, |c| c.report(|r| r.set_key_info(0)), "snp.author_key.untrusted"),
    ("N-SNP-84", Genoa, Vcek, |c| { c.knob("min_guest_svn = 2"); c.report(|r| r.set_guest_svn(2)); }, |c| c.report(|r| r.set_guest_svn(1)), "snp.guest_svn.below_minimum"),
    ("N-SNP-85", Genoa, Vcek, none, |c| c.knob(format!("chip_denylist = [\"{}\"]", hex::encode(Genoa.hwid()))), "snp.chip_id.denied"),
    ("N-SNP-91", Genoa, Vcek, |c| { c.knob("require_single_socket = true"); c.report(|r| r.flip_policy(20)); }, |c| c.report(|r| r.flip_policy(20)), "snp.policy.single_socket"),
    ("N-SNP-92", Genoa, Vcek, |c| { c.knob("require_xts = true"); c.report(|r| r.flip_policy(22)); }, |c| c.report(|r| r.flip_policy(22)), "snp.policy.xts"),
    ("N-SNP-93", Genoa, Vcek, |c| { c.knob("require_rapl_dis = true"); c.report(|r| r.flip_policy(23)); }, |c| c.report(|r| r.flip_policy(23)), "snp.policy.rapl"),
    ("N-SNP-94", Turin, Vcek, none, |c| c.report(|r| r.flip_policy(24)), "snp.policy.ciphertext_hiding"),
    ("N-SNP-95", Genoa, Vcek, |c| { c.knob("page_swap_disable = true"); c.report(|r| r.flip_policy(25)); }, |c| c.report(|r| r.flip_policy(25)), "snp.policy.page_swap"),
    ("N-SNP-96", Genoa, Vcek, id_block_required, |c| c.report(|r| r.set_id_key_digest([9; 48])), "snp.id_key.untrusted"),
    ("N-SNP-97", Genoa, Vcek, |c| { c.knob("image_id = \"00000000000000000000000000000001\""); c.report(|r| r.set_image_id([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])); }, |c| c.report(|r| r.set_image_id([2; 16])), "snp.image_id.mismatch"),
    ("ECC required", Genoa, Vcek, none, |c| c.report(|r| r.flip_platform(2)), "snp.platform.ecc"),
];

fn vlek_allowed(case: &mut Case) {
    case.knob(format!("allow_vlek = true\nallowed_csp_ids = [\"{CSP_ID}\"]"));
}

fn milan_allowed(case: &mut Case) {
    case.products = "[\"Milan\"]";
    case.knob(format!("chip_allowlist = [\"{}\"]", hex::encode(Milan.hwid())));
}

fn firmware(case: &mut Case, minor: u8) {
    case.knob(format!("min_fw.Genoa = {{ major = 1, minor = {minor}, build = 0 }}"));
}

fn id_block_required(case: &mut Case) {
    case.knob(format!("require_id_block = true\nid_key_digests = [\"{}\"]", hex::encode(KEY_DIGEST)));
    case.report(|r| r.set_id_key_digest(KEY_DIGEST));
}

fn author_required(case: &mut Case) {
    id_block_required(case);
    case.knob(format!("require_author_key = true\nauthor_key_digests = [\"{}\"]", hex::encode(KEY_DIGEST)));
    case.report(|r| r.set_author_key_digest(KEY_DIGEST).set_key_info(1));
}

/// Changes the TCB of report and certificate together, but not that of the launch.
fn below(case: &mut Case, edit: fn(&mut Tcb)) {
    let mut tcb = case.world.product.tcb();
    edit(&mut tcb);
    let encoded = tcb.encode(case.world.product);
    case.world.edit_leaf(|leaf| {
        leaf.set_tcb(tcb);
    });
    let launch = case.world.product.tcb().encode(case.world.product);
    case.report(|r| r.set_all_tcbs(encoded).set_launch_tcb(launch));
}

#[test]
fn every_row_verifies_and_ends_in_its_finding() {
    for (name, product, kind, healthy, spoil, code) in ROWS {
        let mut case = Case::new(*product, *kind);
        healthy(&mut case);
        let before = case.appraise();
        assert_eq!(before.status, Status::Affirming, "{name} before the change: {:?}", before.findings);
        spoil(&mut case);
        let after = case.appraise();
        assert_eq!(after.status, Status::Contraindicated, "{name}");
        assert!(!after.findings.is_empty());
        for finding in &after.findings {
            assert_eq!(finding.code.as_str(), *code, "{name}: {:?}", after.findings);
        }
    }
    println!("{} rows", ROWS.len());
}

#[test]
fn policies_that_permit_nothing_or_anything_do_not_load() {
    let zero = "0".repeat(96);
    let some = hex::encode(MEASUREMENT);
    let tcb = "[snp.min_tcb.Turin]\nfmc = 1\nbootloader = 1\ntee = 1\nsnp = 4\nmicrocode = 81";
    for (name, text, code) in [
        (
            "N-SNP-65",
            format!("products = [\"Genoa\"]\nmeasurements = [\"{some}\"]"),
            codes::POL_MIN_TCB_UNSET,
        ),
        (
            "N-SNP-79",
            format!("products = [\"Turin\"]\nmeasurements = [\"{zero}\"]\n{tcb}"),
            codes::POL_MEASUREMENT_INVALID,
        ),
        (
            "N-SNP-80",
            format!("products = [\"Turin\"]\nmeasurements = []\n{tcb}"),
            codes::POL_MEASUREMENT_UNSET,
        ),
    ] {
        let error = Policy::parse(&format!("version = 1\n[snp]\n{text}"), "test.toml").unwrap_err();
        assert_eq!(error.code, code, "{name}: {error}");
    }
}

#[test]
fn the_binding_is_compared_in_full() {
    // The first half is right, the rest is zero.
    let mut case = Case::new(Genoa, Vcek);
    let mut report_data = [0; 64];
    report_data[..32].fill(0x5a);
    case.report(|r| r.set_report_data(report_data));
    let refused = case.authentic().compare(&Binding::new([0x5a; 64])).unwrap_err();
    assert_eq!(refused.code, codes::BIND_REPORT_DATA_MISMATCH, "N-SNP-86");
    assert!(case.authentic().compare(&Binding::new(report_data)).is_ok());
}

#[test]
fn a_signature_s_negated_is_the_same_evidence() {
    // As far as the row lies here: the other signature verifies too, and what the report says does not change, so
    // nothing that identifies evidence may be taken from the signature.
    let mut case = Case::new(Genoa, Vcek);
    let before = case.authentic();
    case.world.report.negate_s();
    assert_eq!(case.authentic(), before, "N-SNP-30");
}

#[test]
fn emulated_evidence_is_never_affirmed_in_production() {
    let case = Case::new(Genoa, Vcek);
    let real = case.authentic();
    let emulated = Authentic::assertion(
        real.value().clone(),
        real.bound().clone(),
        Vec::new(),
        real.at(),
        TrustClass::Emulated,
    );
    let context = Context { now: now(), init_data: InitData::NotCarried, user_data: UserData::NotAsked };
    let appraisal = appraise(&emulated, &Profile::snp_raw_1(), &case.policy(), &context);
    assert_eq!(appraisal.status, Status::Contraindicated);
    assert_eq!(appraisal.findings[0].code, codes::POL_PROFILE_DEVELOPMENT);
}
