//! The minted TDX material judged by independent implementations: the `x509-cert` crate and aws-lc-rs. What
//! `dcap-qvl` thinks of it is a test of cc-verifier, whose oracle it is.

use aws_lc_rs::digest::{SHA256, SHA384, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use cc_testkit::snp::SignKey;
use cc_testkit::tdx::ca::signer_der;
use cc_testkit::tdx::ccel::{EV_NO_ACTION, Event};
use cc_testkit::tdx::collateral::rfc3339;
use cc_testkit::tdx::pck::SGX_EXTENSION;
use cc_testkit::tdx::sgx::{COMPONENTS, FMSPC, oids, ppid};
use cc_testkit::tdx::{Ca, DAY, EventLog, Form, NOW, SgxExtension, World, ca, field, keys, root_der};
use der::{Decode, Encode};
use x509_cert::Certificate;
use x509_cert::crl::CertificateList;

fn world() -> World {
    World::new(Form::V4, Ca::Platform)
}

/// The uncompressed point of a quote's attestation key.
fn point(key: &[u8]) -> Vec<u8> {
    [&[4], key].concat()
}

fn signed_by(key: &SignKey, message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public()).verify(message, signature).is_ok()
}

#[test]
fn committed_certificates_match_keys_and_specifications() {
    let authorities = Ca::ALL.map(|ca| (ca.der(), ca::pck_ca(ca)));
    for (committed, spec) in
        [(root_der(), ca::root()), (signer_der(), ca::signer())].into_iter().chain(authorities)
    {
        let tbs = spec.tbs();
        assert_eq!(committed[4..4 + tbs.len()], tbs, "run the gen-keys example");
    }
}

#[test]
fn every_certificate_is_signed_by_the_one_above() {
    for ca in Ca::ALL {
        let world = World::new(Form::V4, ca);
        let [pck, pck_ca, root] = [0, 1, 2].map(|at| Certificate::from_der(&world.pck_chain[at]).unwrap());
        let signer = Certificate::from_der(&world.tcb_chain[0]).unwrap();
        for (certificate, issuer) in [(&pck, &pck_ca), (&pck_ca, &root), (&root, &root), (&signer, &root)] {
            let key = issuer.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes();
            let signature = certificate.signature().raw_bytes();
            let tbs = certificate.tbs_certificate();
            assert_eq!(tbs.issuer(), issuer.tbs_certificate().subject());
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key);
            key.verify(&tbs.to_der().unwrap(), signature).expect("signed by the certificate above");
        }
        assert!(pck.tbs_certificate().subject().to_string().contains("CN=Intel SGX PCK Certificate"));
        assert!(pck_ca.tbs_certificate().subject().to_string().contains(ca.name()));
        assert_eq!(pck.tbs_certificate().serial_number().as_bytes().len(), 20);
    }
}

#[test]
fn the_sgx_extension_has_the_items_of_its_authority() {
    for ca in Ca::ALL {
        let world = World::new(Form::V4, ca);
        let pck = Certificate::from_der(&world.pck_chain[0]).unwrap();
        let extensions = pck.tbs_certificate().extensions().unwrap();
        let found = extensions.iter().find(|ext| ext.extn_id.to_string() == SGX_EXTENSION).unwrap();
        let items = Vec::<der::Any>::from_der(found.extn_value.as_bytes()).unwrap();
        let items: Vec<Vec<der::Any>> = items.iter().map(|item| item.decode_as().unwrap()).collect();
        let value = |oid: &str| {
            let id = |item: &[der::Any]| item[0].decode_as::<der::oid::ObjectIdentifier>().unwrap();
            items.iter().find(|item| id(item).to_string() == oid).map(|item| item[1].value().to_vec())
        };
        assert_eq!(items.len(), if ca == Ca::Platform { 7 } else { 5 });
        assert_eq!(value(oids::PPID).unwrap(), ppid());
        assert_eq!(value(oids::FMSPC).unwrap(), FMSPC);
        assert_eq!(value(oids::PCEID).unwrap(), [0, 0]);
        assert_eq!(value(oids::SGX_TYPE).unwrap(), [u8::from(ca == Ca::Platform)]);
        assert_eq!(value(oids::CONFIGURATION).is_some(), ca == Ca::Platform);
        let tcb = value(oids::TCB).unwrap();
        assert!(tcb.ends_with(&COMPONENTS), "CPUSVN is last");
    }
}

#[test]
fn items_of_the_extension_can_be_set_removed_and_doubled() {
    let original = SgxExtension::test_platform(Ca::Platform);
    let mut sgx = original.clone();
    sgx.set_component(7, 200);
    assert_ne!(sgx, original);
    sgx.set_component(7, 0);
    assert_eq!(sgx, original);
    let count = |sgx: &SgxExtension| sgx.encode().windows(11).filter(|w| w.ends_with(&[1, 7, 3])).count();
    sgx.duplicate(oids::SMT_ENABLED);
    assert_eq!(count(&sgx), 2);
    sgx.remove(oids::SMT_ENABLED);
    sgx.remove(oids::SMT_ENABLED);
    assert_eq!(count(&sgx), 0);
}

#[test]
fn revocation_lists_are_signed_and_say_what_was_asked() {
    let mut world = world();
    world.edit_pck_crl(|crl| crl.revoke(vec![7])).edit_root_crl(|crl| crl.revoke(vec![9]));
    for (der, key, serial, number) in
        [(&world.root_crl, keys::root(), 9, 7), (&world.pck_crl, keys::pck_ca(Ca::Platform), 7, 12)]
    {
        let list: CertificateList = CertificateList::from_der(der).unwrap();
        let tbs = &list.tbs_cert_list;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.public());
        key.verify(&tbs.to_der().unwrap(), list.signature.raw_bytes()).expect("signed by the authority");
        assert_eq!(tbs.revoked_certificates.as_ref().unwrap()[0].serial_number.as_bytes(), [serial]);
        let extension = tbs.crl_extensions.as_ref().unwrap().last().unwrap();
        assert_eq!(extension.extn_value.as_bytes(), [2, 1, number]);
    }
}

#[test]
fn quotes_and_documents_are_signed() {
    for form in Form::ALL {
        let world = World::new(form, Ca::Platform);
        let quote = &world.quote;
        let bytes = quote.bytes();
        let signed = &bytes[..quote.signed().len()];
        let attestation = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point(&quote.attestation_key));
        attestation.verify(signed, &quote.signature).expect("the quote");
        assert!(signed_by(keys::pck(), &quote.qe_report, &quote.qe_signature));
        let bound = digest(&SHA256, &[quote.attestation_key.as_slice(), &quote.auth_data].concat());
        assert_eq!(quote.get(field::QE_REPORT_DATA)[..32], *bound.as_ref());
        for document in [&world.tcb_info, &world.qe_identity] {
            assert!(signed_by(keys::tcb_signing(), document.text.as_bytes(), &document.signature));
            let body = String::from_utf8(document.body()).unwrap();
            assert!(body.contains(&document.text) && body.ends_with(r#""}"#));
        }
    }
}

#[test]
fn edits_are_signed_again_and_damage_is_not() {
    let mut world = world();
    world.set(field::MR_TD, &[7; 48]).flip(field::QE_MR_ENCLAVE, 0);
    let attestation = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point(&world.quote.attestation_key));
    attestation.verify(&world.quote.signed(), &world.quote.signature).expect("the quote");
    assert!(signed_by(keys::pck(), &world.quote.qe_report, &world.quote.qe_signature));
    world.quote.flip(field::MR_TD, 9);
    assert!(attestation.verify(&world.quote.signed(), &world.quote.signature).is_err());
    world.edit_tcb_info(|info| info.evaluation_number = 19);
    assert!(world.tcb_info.text.contains(r#""tcbEvaluationDataNumber":19"#));
    assert!(signed_by(keys::tcb_signing(), world.tcb_info.text.as_bytes(), &world.tcb_info.signature));
    world.edit_pck(|pck| pck.not_after = NOW - DAY);
    assert!(world.quote.certificates.starts_with(b"-----BEGIN CERTIFICATE-----\n"));
    assert_eq!(world.quote.certificates.last(), Some(&0));
}

#[test]
fn event_logs_lead_to_the_registers() {
    let mut log = EventLog::small_boot();
    let zero = [0; 48];
    let extended = |value: &[u8], data: &[u8]| {
        let event = digest(&SHA384, data);
        digest(&SHA384, &[value, event.as_ref()].concat()).as_ref().to_vec()
    };
    let [firmware, loader, _, application] = log.registers();
    assert_eq!(loader.to_vec(), extended(&extended(&zero, b"boot loader"), &[0; 4]));
    assert_eq!(application, zero, "nothing was measured into RTMR3");
    log.events.push(Event::new(1, EV_NO_ACTION, b"words"));
    assert_eq!(log.registers()[0], firmware, "not measured");
    let mut world = world();
    world.measure(&log);
    assert_eq!(world.quote.get(field::RTMR1), loader);
}

#[test]
fn times_are_written_as_intel_does() {
    assert_eq!(rfc3339(NOW), "2026-06-01T00:00:00Z");
    assert_eq!(rfc3339(NOW + DAY - 1), "2026-06-01T23:59:59Z");
}
