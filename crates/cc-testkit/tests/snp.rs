//! The minted SNP material judged by independent implementations: the `sev` and `x509-cert` crates.

use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA384, UnparsedPublicKey};
use cc_testkit::snp::cert::Ext;
use cc_testkit::snp::certtable::{ARK_GUID, CertTable};
use cc_testkit::snp::leaf::{CSP_ID, oids};
use cc_testkit::snp::mint::DAY;
use cc_testkit::snp::report::{P384_ORDER, REPORT_LENGTH, little_endian};
use cc_testkit::snp::{
    CertSpec, LeafKind, NOW, Product, ReportBuilder, SigKind, World, ark_der, ask_der, asvk_der, keys,
};
use der::{Decode, Encode};
use sev::certs::snp::{Chain, Verifiable};
use sev::firmware::guest::AttestationReport;
use sev::firmware::host::{CertTableEntry, CertType, TcbVersion};
use sev::parser::ByteParser;
use x509_cert::crl::CertificateList;

/// A named change to a world.
type Case = (&'static str, fn(&mut World));

const KINDS: [LeafKind; 2] = [LeafKind::Vcek, LeafKind::Vlek];

fn worlds() -> impl Iterator<Item = World> {
    Product::ALL.into_iter().flat_map(|product| KINDS.map(|kind| World::new(product, kind)))
}

fn milan() -> World {
    World::new(Product::Milan, LeafKind::Vcek)
}

fn chain(world: &World) -> Chain {
    Chain::from_der(&world.ark, &world.intermediate, &world.leaf).expect("certificates parse")
}

fn parsed(report: &ReportBuilder) -> AttestationReport {
    AttestationReport::from_bytes(report.bytes()).expect("report parses")
}

/// Whether chain and report signature hold.
fn accepted(world: &World) -> bool {
    (&chain(world), &parsed(&world.report)).verify().is_ok()
}

#[test]
fn every_healthy_world_verifies() {
    for world in worlds() {
        assert!(accepted(&world), "{:?} {:?}", world.product, world.kind);
    }
}

#[test]
fn a_version_2_report_verifies() {
    let mut world = milan();
    world.edit_report(|report| _ = report.downgrade(2));
    let report = parsed(&world.report);
    assert_eq!((report.version, report.cpuid_fam_id), (2, None));
    assert!(accepted(&world));
}

#[test]
fn report_fields_lie_where_another_parser_finds_them() {
    for world in worlds() {
        let (ours, theirs) = (&world.report, parsed(&world.report));
        let levels = world.product.tcb();
        let fmc = (world.product == Product::Turin).then_some(levels.fmc);
        let tcb = TcbVersion::new(fmc, levels.bootloader, levels.tee, levels.snp, levels.microcode);
        assert_eq!(theirs.version, world.product.report_version());
        assert_eq!(theirs.policy.0, ours.policy());
        assert_eq!((theirs.vmpl, theirs.sig_algo, theirs.guest_svn), (0, 1, 0));
        assert_eq!(theirs.plat_info.0, ours.platform_info());
        assert_eq!(theirs.key_info.signing_key(), u32::from(world.kind == LeafKind::Vlek));
        assert_eq!(theirs.report_data, ours.report_data());
        assert_eq!(theirs.measurement, ours.measurement());
        assert_eq!(theirs.report_id, ours.report_id());
        assert_eq!(theirs.report_id_ma, [0xFF; 32]);
        for found in [theirs.current_tcb, theirs.reported_tcb, theirs.committed_tcb, theirs.launch_tcb] {
            assert_eq!(found, tcb);
        }
        let [family, model, stepping] = world.product.cpuid();
        assert_eq!(
            (theirs.cpuid_fam_id, theirs.cpuid_mod_id, theirs.cpuid_step),
            (Some(family), Some(model), Some(stepping))
        );
        let chip_id = if world.kind == LeafKind::Vcek { world.product.chip_id() } else { [0; 64] };
        assert_eq!(theirs.chip_id, chip_id);
        let [build, minor, major] = ours.current_version();
        assert_eq!((theirs.current.build, theirs.current.minor, theirs.current.major), (build, minor, major));
        assert_eq!(theirs.committed, theirs.current);
        let vectors = (world.product == Product::Turin).then_some(0x3F);
        assert_eq!((theirs.launch_mit_vector, theirs.current_mit_vector), (vectors, vectors));
    }
}

#[test]
fn setters_reach_the_fields_that_are_zero_by_default() {
    let mut report = ReportBuilder::healthy(Product::Turin, LeafKind::Vcek);
    report
        .set_guest_svn(7)
        .set_family_id([1; 16])
        .set_image_id([2; 16])
        .set_vmpl(3)
        .set_host_data([4; 32])
        .set_id_key_digest([5; 48])
        .set_author_key_digest([6; 48])
        .set_key_info(0b11)
        .set_signing_key(1)
        .flip_policy(19)
        .flip_platform(1)
        .set_committed_version([9, 8, 7])
        .set_launch_mit_vector(10)
        .set_current_mit_vector(11);
    let found = parsed(&report);
    assert_eq!((found.guest_svn, found.family_id, found.image_id, found.vmpl), (7, [1; 16], [2; 16], 3));
    assert_eq!((found.host_data, found.id_key_digest, found.author_key_digest), ([4; 32], [5; 48], [6; 48]));
    assert!(found.key_info.author_key_en() && found.key_info.mask_chip_key());
    assert_eq!(found.key_info.signing_key(), 1);
    assert!(found.policy.debug_allowed() && found.plat_info.tsme_enabled());
    assert_eq!((found.committed.build, found.committed.minor, found.committed.major), (9, 8, 7));
    assert_eq!((found.launch_mit_vector, found.current_mit_vector), (Some(10), Some(11)));
}

#[test]
fn changes_after_signing_break_the_signature() {
    let cases: [Case; 6] = [
        ("report data", |w| w.report.bytes_mut()[0x50] ^= 1),
        ("measurement", |w| w.report.bytes_mut()[0x90] ^= 1),
        ("launch TCB", |w| w.report.bytes_mut()[0x1F7] ^= 1),
        ("big-endian signature", |w| _ = w.report.signature_to_big_endian()),
        ("another signer", |w| _ = w.report.sign(keys::stranger_p384())),
        ("s is the order", |w| _ = w.report.set_signature_s(little_endian(&P384_ORDER))),
    ];
    for (name, damage) in cases {
        let mut world = milan();
        damage(&mut world);
        assert!(!accepted(&world), "{name}");
    }
}

#[test]
fn a_negated_s_verifies_and_differs() {
    let mut world = milan();
    let before = world.report.signature_s();
    world.report.negate_s();
    assert_ne!(world.report.signature_s(), before);
    assert!(accepted(&world));
}

#[test]
fn only_the_issuer_key_makes_a_chain() {
    let cases: [Case; 5] = [
        ("root of another line", |w| w.ark = ark_der(Product::Genoa).to_vec()),
        ("intermediate of the other kind", |w| w.intermediate = asvk_der(Product::Milan).to_vec()),
        ("intermediate signature", |w| *w.intermediate.last_mut().unwrap() ^= 1),
        ("leaf by a stranger", |w| w.leaf = w.leaf_spec.sign(keys::stranger_rsa())),
        ("leaf with PKCS#1 v1.5", |w| _ = w.edit_leaf(|leaf| leaf.set_algorithm(SigKind::Pkcs1Sha384))),
    ];
    for (name, damage) in cases {
        let mut world = milan();
        damage(&mut world);
        assert!(chain(&world).verify().is_err(), "{name}");
    }
}

#[test]
fn edits_are_signed_again() {
    let mut world = milan();
    world
        .edit_report(|report| _ = report.flip_policy(19))
        .edit_leaf(|leaf| leaf.not_after = NOW - DAY)
        .edit_intermediate(|ask| ask.remove_ext("2.5.29.19"))
        .edit_ark(|ark| ark.serial = vec![9]);
    assert!(accepted(&world));
    assert_ne!(world.ark, ark_der(Product::Milan));
    assert_ne!(world.intermediate, ask_der(Product::Milan));
    assert!(parsed(&world.report).policy.debug_allowed());
    world.rekey(keys::stranger_p384());
    assert!(accepted(&world));
}

#[test]
fn a_self_made_world_is_consistent_under_another_root() {
    let world = World::self_made(Product::Milan, LeafKind::Vcek);
    assert!(accepted(&world));
    assert_ne!(world.ark, ark_der(Product::Milan));
    assert_eq!(world.ark_spec.subject, CertSpec::ark(Product::Milan).subject);
}

#[test]
fn committed_certificates_match_keys_and_specifications() {
    for product in Product::ALL {
        let cases = [
            (ark_der(product), CertSpec::ark(product)),
            (ask_der(product), CertSpec::intermediate(product, LeafKind::Vcek)),
            (asvk_der(product), CertSpec::intermediate(product, LeafKind::Vlek)),
        ];
        for (committed, spec) in cases {
            let tbs = spec.tbs();
            assert_eq!(committed[4..4 + tbs.len()], tbs, "{product:?}: run the gen-keys example");
        }
    }
}

#[test]
fn leaves_have_the_extensions_of_their_kind() {
    for world in worlds() {
        let certificate = x509_cert::Certificate::from_der(&world.leaf).unwrap();
        let tbs = certificate.tbs_certificate();
        let value = |oid: &str| {
            let found = tbs.extensions().unwrap().iter().find(|ext| ext.extn_id.to_string() == oid);
            found.map(|ext| ext.extn_value.as_bytes().to_vec())
        };
        let (turin, vcek) = (world.product == Product::Turin, world.kind == LeafKind::Vcek);
        assert_eq!(value(oids::HWID), vcek.then(|| world.product.hwid()));
        assert_eq!(value(oids::CSP_ID).map(|v| v[2..].to_vec()), (!vcek).then(|| CSP_ID.into()));
        assert_eq!(value(oids::FMC_SPL), turin.then(|| vec![2, 1, world.product.tcb().fmc]));
        assert_eq!(value(oids::SPL_4), (!turin).then(|| vec![2, 1, 0]));
        assert_eq!(value(oids::SNP_SPL), Some(vec![2, 1, world.product.tcb().snp]));
        if world.product == Product::Milan {
            assert_eq!(value(oids::UCODE_SPL), Some(vec![2, 2, 0, 0xDB]));
        }
        let common_name = if vcek { "CN=SEV-VCEK" } else { "CN=SEV-VLEK" };
        assert!(tbs.subject().to_string().contains(common_name), "{}", tbs.subject());
        assert_eq!(tbs.serial_number().as_bytes(), [0]);
    }
}

#[test]
fn extensions_can_be_set_removed_and_duplicated() {
    let mut spec = CertSpec::vcek(Product::Genoa);
    let count = |spec: &CertSpec, oid: &str| spec.extensions.iter().filter(|ext| ext.oid == oid).count();
    spec.duplicate_ext(oids::SNP_SPL, vec![2, 1, 99]);
    assert_eq!(count(&spec, oids::SNP_SPL), 2);
    assert_eq!(spec.ext_mut(oids::SNP_SPL).value, [2, 1, 0x17]);
    spec.remove_ext(oids::SNP_SPL);
    assert_eq!(count(&spec, oids::SNP_SPL), 0);
    spec.set_ext(oids::CSP_ID, vec![0x16, 0]);
    assert_eq!(spec.extensions.last(), Some(&Ext::new(oids::CSP_ID, vec![0x16, 0])));
    spec.set_product_name("Genoa-B1");
    assert_eq!(spec.ext_mut(oids::PRODUCT_NAME).value, b"\x16\x08Genoa-B1");
}

#[test]
fn the_revocation_list_is_signed_by_the_root_and_says_what_was_asked() {
    for product in Product::ALL {
        let mut world = World::new(product, LeafKind::Vcek);
        let serial = world.intermediate_spec.serial.clone();
        world.edit_crl(|crl| crl.revoke(serial.clone()));
        let list: CertificateList = CertificateList::from_der(&world.crl).unwrap();
        let tbs = &list.tbs_cert_list;
        assert_eq!(tbs.issuer.to_der().unwrap(), world.ark_spec.subject);
        let seconds = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap();
        assert_eq!(seconds(tbs.this_update), NOW - DAY);
        assert_eq!(tbs.next_update.map(seconds), Some(NOW + 30 * DAY));
        let revoked = tbs.revoked_certificates.as_ref().unwrap();
        assert_eq!(revoked.iter().map(|r| r.serial_number.as_bytes().to_vec()).collect::<Vec<_>>(), [serial]);
        let number = tbs.crl_extensions.as_ref().unwrap().last().unwrap();
        assert_eq!(number.extn_value.as_bytes(), [2, 1, 4]);
        let spki = x509_cert::Certificate::from_der(ark_der(product)).unwrap();
        let key = spki.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes().to_vec();
        let signature = list.signature.raw_bytes();
        let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA384, key);
        key.verify(&tbs.to_der().unwrap(), signature).expect("signed by the root");
    }
}

#[test]
fn another_parser_reads_the_certificate_table() {
    for (kind, leaf_type) in KINDS.into_iter().zip([CertType::VCEK, CertType::VLEK]) {
        let world = World::new(Product::Genoa, kind);
        let types = [CertType::ARK, CertType::ASK, leaf_type];
        let expected = types.into_iter().zip([&world.ark, &world.intermediate, &world.leaf]);
        let read = |table: CertTable| CertTableEntry::vec_bytes_to_cert_table(&mut table.build()).unwrap();
        let (in_der, in_pem) = (read(world.cert_table()), read(world.cert_table_pem()));
        assert_eq!((in_der.len(), in_pem.len()), (3, 3));
        for (i, (cert_type, der)) in expected.enumerate() {
            assert!(in_der[i].cert_type == cert_type && in_pem[i].cert_type == cert_type, "{cert_type:?}");
            assert_eq!(in_der[i].data, *der);
            let decoded = sev::certs::snp::Certificate::from_pem(&in_pem[i].data).unwrap();
            assert_eq!(decoded.to_der().unwrap(), *der);
        }
    }
    let one = CertTable::default().push(ARK_GUID, &[]).build();
    assert_eq!(one.len(), 48);
}

#[test]
fn the_response_header_states_the_length() {
    let report = milan().report;
    let response = report.with_response_header();
    assert_eq!(response.len(), 32 + REPORT_LENGTH);
    assert_eq!(response[..8], [0, 0, 0, 0, 0xA0, 4, 0, 0]);
    assert_eq!(response[32..], report.bytes()[..]);
}
