//! What a plan asks for, and what it refuses (*verification.md* 2.5, *decisions.md* 19).

use cc_core::limits::MAX_ENDORSEMENTS;
use cc_core::message::{Blob, MESSAGE_VERSION, Plan, PlanRequest};
use cc_core::{Finding, Profile};
use cc_testkit::tdx::sgx::oids;
use cc_testkit::tdx::{Ca, Form, NOW, World, field, keys};
use cc_testkit::{der, tdx::ca};
use cc_verifier::tdx::{Anchors, Verifier};

use Form::{V4, V5Td15};

use crate::common::tdx;

fn plan_request(evidence: Vec<u8>, endorsements: Vec<Vec<u8>>) -> PlanRequest {
    PlanRequest {
        version: MESSAGE_VERSION,
        profile: Profile::tdx_quote_1(),
        evidence,
        endorsements: endorsements.into_iter().map(Blob).collect(),
    }
}

fn plan(world: &World, endorsements: Vec<Vec<u8>>) -> Result<Plan, Finding> {
    Verifier::new(tdx::anchors(), 0).plan(&plan_request(world.quote.bytes(), endorsements))
}

fn urls(plan: &Plan) -> Vec<&str> {
    plan.requests.iter().map(|request| request.url.as_str()).collect()
}

#[test]
fn plans_ask_for_all_collateral_of_the_platform() {
    for (platform_ca, name) in [(Ca::Platform, "platform"), (Ca::Processor, "processor")] {
        let mut world = World::new(V4, platform_ca);
        world.edit_sgx(|sgx| sgx.set(oids::FMSPC, der::octet_string(&[0xab, 0, 0x6f, 5, 0, 0x0c])));
        let asked = plan(&world, Vec::new()).unwrap();
        let crl = format!(
            "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca={name}&encoding=der"
        );
        assert_eq!(
            urls(&asked),
            [
                "https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=ab006f05000c&update=early",
                "https://api.trustedservices.intel.com/tdx/certification/v4/qe/identity?update=early",
                &crl,
                "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der",
            ]
        );
        let kinds: Vec<_> = asked.requests.iter().map(|r| (r.kind.as_str(), r.max_age)).collect();
        let day = 86_400;
        assert_eq!(
            kinds,
            [("tdx.tcb_info", day), ("tdx.qe_identity", day), ("tdx.pck_crl", day), ("tdx.root_crl", day)]
        );
        // What is at hand may be old.
        assert_eq!(plan(&world, world.endorsements()).unwrap().requests, asked.requests);
    }
}

#[test]
fn plans_show_what_the_quote_says() {
    for form in Form::ALL {
        let world = World::new(form, Ca::Platform);
        let shown = plan(&world, world.endorsements()).unwrap().claims;
        let verified = tdx::Parts::of(&world).claims();
        let of_collateral = |name: &str| {
            ["tcb_", "qe_identity_", "root_crl_", "pck_crl_"].iter().any(|prefix| name.starts_with(prefix))
                || name.ends_with("_tcb_status")
                || name == "advisory_ids"
        };
        for (name, value) in verified.iter() {
            let expected = (!of_collateral(name)).then_some(value);
            assert_eq!(shown.value(name), expected, "{form:?}: {name}");
        }
        assert!(shown.iter().all(|(name, _)| verified.value(name).is_some()), "{form:?}");
        assert_eq!(shown.value("body_type").is_some(), form != V4);
        assert_eq!(shown.value("tee_tcb_svn_2").is_some(), form == V5Td15);
    }
}

type Row = (&'static str, fn(&mut World), &'static str);

/// What verification rejects at any time and with any endorsements.
const REJECTED: [Row; 14] = [
    ("T1", |w| _ = w.set(field::VERSION, &[3]), "tdx.version.unsupported"),
    ("T2", |w| w.quote.trailing.push(0), "tdx.format.length"),
    ("T3", |w| w.quote.inner_type = 1, "tdx.certdata.unsupported"),
    ("T3, PEM", |w| w.quote.certificates.push(0), "tdx.certdata.unsupported"),
    ("T4, root", |w| *w = World::self_made(V4, Ca::Platform), "tdx.pck_chain.untrusted_root"),
    (
        "T4, FMSPC of a forged leaf",
        |w| {
            w.pck_ca_key = keys::stranger();
            w.edit_sgx(|sgx| sgx.set(oids::FMSPC, der::octet_string(&[7; 6])));
        },
        "tdx.pck_chain.signature",
    ),
    (
        "T4, forged intermediate",
        |w| {
            w.pck_chain[1] = ca::pck_ca(Ca::Platform).sign(keys::stranger());
            w.rechain();
        },
        "tdx.pck_chain.signature",
    ),
    ("T4, role", |w| _ = w.edit_pck(|pck| pck.subject = ca::intel_name("PCK")), "tdx.pck_chain.role"),
    ("T10", |w| w.quote.qe_signature[0] ^= 1, "tdx.qe_report.signature"),
    ("T11", |w| w.quote.auth_data[0] ^= 1, "tdx.qe_report_data.mismatch"),
    (
        "T12, debug",
        |w| {
            w.flip(field::QE_ATTRIBUTES, 1)
                .edit_qe_identity(|identity| identity.attributes_mask.replace_range(..2, "F9"));
        },
        "tdx.qe.debug",
    ),
    ("T13, form", |w| w.quote.signature[..32].fill(0), "tdx.signature.malformed"),
    (
        "T13, key",
        |w| {
            w.quote.attestation_key[0] ^= 1;
            w.rebind();
        },
        "tdx.signature.malformed",
    ),
    ("T13", |w| _ = w.quote.flip(field::MR_TD, 1), "tdx.signature.invalid"),
];

/// What only collateral or the time tells.
const LEFT_OPEN: [Row; 6] = [
    ("T4, expired", |w| _ = w.edit_pck(|pck| pck.not_after = NOW - 1), "tdx.pck_chain.expired"),
    ("T5", |w| w.pck_crl = w.pck_crl_spec.sign(keys::stranger()), "tdx.crl.signature"),
    ("T6", |w| w.tcb_info.signature[0] ^= 1, "tdx.tcb_info.signature"),
    ("T12, identity", |w| _ = w.flip(field::QE_MR_SIGNER, 0), "tdx.qe_identity.mismatch"),
    ("T14", |w| _ = w.set(field::TEE_TCB_SVN, &[6, 9, 4]), "tdx.module.identity_missing"),
    ("T16", |w| _ = w.set(field::TEE_TCB_SVN, &[1, 1, 4]), "tdx.module_tcb.not_found"),
];

#[test]
fn plans_reject_what_verification_rejects_without_endorsements() {
    for (what, mutate, expected) in REJECTED {
        let mut world = World::new(V4, Ca::Platform);
        mutate(&mut world);
        for endorsements in [Vec::new(), world.endorsements()] {
            assert_eq!(plan(&world, endorsements).unwrap_err().code.as_str(), expected, "{what}");
        }
        assert_eq!(tdx::Parts::of(&world).code(), expected, "{what}, when verified");
    }
    for (what, mutate, expected) in LEFT_OPEN {
        let mut world = World::new(V4, Ca::Platform);
        mutate(&mut world);
        assert_eq!(tdx::Parts::of(&world).code(), expected, "{what}, when verified");
        assert!(plan(&world, world.endorsements()).is_ok(), "{what}");
    }
}

#[test]
fn plans_keep_to_the_contract() {
    let world = World::new(V4, Ca::Platform);
    let evidence = world.quote.bytes();
    let infos: Vec<_> = (0..9)
        .map(|number| {
            let mut world = world.clone();
            world.edit_tcb_info(|info| info.evaluation_number = number);
            world.tcb_info.body()
        })
        .collect();
    let code = |request: &PlanRequest| match Verifier::new(tdx::anchors(), 0).plan(request) {
        Ok(_) => "planned".to_owned(),
        Err(finding) => finding.code.to_string(),
    };
    let other_profile =
        PlanRequest { profile: Profile::snp_raw_1(), ..plan_request(evidence.clone(), Vec::new()) };
    for (request, expected) in [
        (other_profile, "plug.contract"),
        (plan_request(Vec::new(), Vec::new()), "tdx.format.length"),
        (plan_request(evidence.clone(), vec![b"x".to_vec(); MAX_ENDORSEMENTS]), "planned"),
        (plan_request(evidence.clone(), vec![b"x".to_vec(); MAX_ENDORSEMENTS + 1]), "env.size.exceeded"),
        (plan_request(evidence.clone(), infos[..8].to_vec()), "planned"),
        (plan_request(evidence.clone(), infos), "env.size.exceeded"),
    ] {
        assert_eq!(code(&request), expected);
    }
    // Under Intel's root the synthetic platform is nothing.
    let intel = Verifier::new(Anchors::intel(), 0).plan(&plan_request(evidence, Vec::new()));
    assert_eq!(intel.unwrap_err().code.as_str(), "tdx.pck_chain.untrusted_root");
}
