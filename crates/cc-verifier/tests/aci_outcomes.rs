//! Requests about container groups: which outcome comes first, what is bound, what endorsements are recognised as.

use cc_core::azure::{Group, runtime_data};
use cc_core::message::{MESSAGE_VERSION, Plan, PlanRequest, VerifyRequest, WireOutcome};
use cc_core::{BoundField, BoundKind, Finding, Profile};
use cc_testkit::aci::mint::sha256;
use cc_testkit::aci::uvm::name;
use cc_testkit::aci::{Endorsement, Policy, World};
use cc_testkit::cbor;
use cc_verifier::aci::Verifier;
use cc_verifier::snp;

use crate::common::aci::{self, request, request_of, verifier};
use crate::common::codes::reply_code;

/// Positions in [`World::endorsements`].
const CRL: usize = 3;
const UVM: usize = 4;
const POLICY: usize = 5;

fn bound(request: &VerifyRequest) -> BoundField {
    match verifier().verify(request).outcome {
        WireOutcome::Accept { bound, .. } => bound,
        other => panic!("{other:?}"),
    }
}

fn plan(request: &VerifyRequest) -> Result<Plan, Finding> {
    verifier().plan(&PlanRequest {
        version: MESSAGE_VERSION,
        profile: request.profile.clone(),
        evidence: request.evidence.clone(),
        endorsements: request.endorsements.clone(),
    })
}

#[test]
fn what_is_wrong_with_the_report_comes_before_what_is_wrong_with_the_group() {
    let mut world = World::new();
    world.snp.report.bytes_mut()[0x50] ^= 1;
    let mut endorsements = world.endorsements();
    endorsements.remove(UVM);
    assert_eq!(aci::judge(world.snp.report.bytes(), &endorsements), "snp.signature.invalid");
}

#[test]
fn what_is_wrong_with_the_group_comes_before_what_is_missing_for_the_report() {
    let world = World::new();
    let without = |positions: &[usize]| {
        let all = world.endorsements().into_iter().enumerate();
        let kept: Vec<_> = all.filter(|(at, _)| !positions.contains(at)).map(|(_, blob)| blob).collect();
        let reply = verifier().verify(&request(world.snp.report.bytes(), &kept));
        let is_undecided = matches!(reply.outcome, WireOutcome::Indeterminate(_));
        (reply_code(&reply).to_owned(), is_undecided)
    };
    assert_eq!(without(&[CRL]), ("snp.crl.missing".to_owned(), true));
    assert_eq!(without(&[CRL, UVM]), ("aci.uvm.missing".to_owned(), false));
    assert_eq!(without(&[0, 1, 2, 3]), ("snp.chain.missing".to_owned(), true));
    assert_eq!(without(&[0, 1, 2, 3, UVM]), ("aci.uvm.missing".to_owned(), false));
    assert_eq!(without(&[POLICY]), ("accept".to_owned(), false));
}

#[test]
fn the_endorsement_comes_before_the_policy() {
    let mut world = World::new();
    world.policy.push('\n');
    assert_eq!(aci::judge_world(&world), "aci.cce_policy.digest");
    world.uvm.set(name("feed"), cbor::text("other"));
    assert_eq!(aci::judge_world(&world), "aci.uvm.feed");
}

#[test]
fn the_first_candidate_that_fits_counts_otherwise_the_one_that_went_furthest() {
    let world = World::new();
    let other = Endorsement::header(&world.chain, &[7; 48]).sign();
    let mut feed = world.uvm.clone();
    let feed = feed.set(name("feed"), cbor::text("other")).sign();
    let statement = Endorsement::cwt(&world.chain).sign();
    let (good, untagged) = (world.uvm.sign(), cbor::array(&[[0]; 4]));
    let judge = |candidates: &[&Vec<u8>]| {
        let mut endorsements = world.endorsements();
        endorsements.splice(UVM..=UVM, candidates.iter().map(|blob| (*blob).clone()));
        aci::judge(world.snp.report.bytes(), &endorsements)
    };
    assert_eq!(judge(&[&untagged, &feed, &other, &statement, &good]), "accept");
    assert_eq!(judge(&[&untagged, &feed, &other]), "aci.uvm.measurement_mismatch");
    assert_eq!(judge(&[&other, &feed, &untagged]), "aci.uvm.measurement_mismatch");
    assert_eq!(judge(&[&untagged, &feed]), "aci.uvm.feed");
    assert_eq!(judge(&[&untagged]), "aci.uvm.cose_malformed");
    // A signed statement about a version alone endorses nothing.
    assert_eq!(judge(&[&statement]), "aci.uvm.measurement_mismatch");
}

#[test]
fn candidates_are_as_many_and_as_long_as_they_may_be() {
    let world = World::new();
    let with = |more: Vec<Vec<u8>>| {
        let mut request = request_of(&world);
        request.endorsements.extend(more.into_iter().map(cc_core::message::Blob));
        let planned =
            plan(&request).map_or_else(|refused| refused.code.as_str().to_owned(), |_| "planned".to_owned());
        (reply_code(&verifier().verify(&request)).to_owned(), planned)
    };
    let fine = ("accept".to_owned(), "planned".to_owned());
    let exceeded = ("env.size.exceeded".to_owned(), "env.size.exceeded".to_owned());
    let messages = |count: u8| (0..count).map(|i| vec![0xd2, i]).collect::<Vec<_>>();
    let texts = |count: u8| (0..count).map(|i| format!("package {i}").into_bytes()).collect::<Vec<_>>();
    assert_eq!(with(messages(7)), fine);
    assert_eq!(with(messages(8)), exceeded);
    assert_eq!(with(texts(7)), fine);
    assert_eq!(with(texts(8)), exceeded);
    // The same again is no further candidate.
    assert_eq!(with(vec![vec![0xd2]; 100]), fine);
    let long = |start: &[u8], length: usize| vec![[start, &vec![0; length - start.len()]].concat()];
    assert_eq!(with(long(&[0xd2], 128 * 1024)), fine);
    assert_eq!(with(long(&[0xd2], 128 * 1024 + 1)), exceeded);
    assert_eq!(with(long(b"package ", 512 * 1024)), fine);
    assert_eq!(with(long(b"package ", 512 * 1024 + 1)), exceeded);
    assert_eq!(with((0..160_u8).map(|i| vec![i, 1]).collect()), exceeded);
}

#[test]
fn endorsements_are_recognised_by_content_and_floors_keep_their_positions() {
    let world = World::new();
    let mut endorsements = world.endorsements();
    endorsements.rotate_right(2);
    endorsements.push(b"# a comment\n\n package policy".to_vec());
    endorsements.extend([
        b"packages".to_vec(),
        b"{}".to_vec(),
        vec![],
        vec![0x84],
        world.snp.cert_table().build(),
    ]);
    let request = request(world.snp.report.bytes(), &endorsements);
    let reply = verifier().verify(&request);
    assert_eq!(reply_code(&reply), "accept");
    let expected = [
        "aci.uvm",
        "aci.cce_policy",
        "snp.vcek",
        "snp.ask",
        "snp.ark",
        "snp.crl",
        "aci.cce_policy",
        "unknown",
        "unknown",
        "unknown",
        "aci.uvm",
        "snp.certtable",
    ];
    assert_eq!(reply.recognised, expected);
    assert_eq!(reply.floors.iter().map(|floor| floor.endorsement).collect::<Vec<_>>(), [5]);
    // Refused before anything is verified, they have the same names.
    let other = VerifyRequest { waivers: vec!["aci.uvm.missing".to_owned()], ..request.clone() };
    let reply = verifier().verify(&other);
    assert_eq!(
        (reply_code(&reply), &reply.recognised),
        ("plug.contract", &expected.map(str::to_owned).to_vec())
    );
    let mut many = request;
    many.endorsements.resize(161, many.endorsements[0].clone());
    let reply = verifier().verify(&many);
    assert_eq!(
        (reply_code(&reply), &reply.recognised),
        ("env.size.exceeded", &vec!["unknown".to_owned(); 161])
    );
}

#[test]
fn the_bound_field_is_report_data_or_the_binding_in_runtime_data() {
    let mut world = World::new();
    let expected = BoundField { kind: BoundKind::ReportData, bytes: world.snp.report.report_data().to_vec() };
    assert_eq!(bound(&request_of(&world)), expected);

    let own = runtime_data(&[0xb1; 64]);
    for (data, expected) in [
        (own, BoundField { kind: BoundKind::RuntimeData, bytes: vec![0xb1; 64] }),
        (b"{\n}".to_vec(), BoundField { kind: BoundKind::Nothing, bytes: vec![] }),
    ] {
        let mut report_data = [0; 64];
        report_data[..32].copy_from_slice(&sha256(&data));
        world.snp.edit_report(|report| {
            report.set_report_data(report_data);
        });
        let group = Group { report: world.snp.report.bytes().to_vec(), runtime_data: data };
        let request = request(&group.encode(), &world.endorsements());
        assert_eq!(bound(&request), expected);
        assert!(plan(&request).is_ok());
    }
}

#[test]
fn evidence_is_a_report_or_a_list_of_two() {
    let world = World::new();
    let mut request = request_of(&world);
    for (evidence, expected) in [
        (vec![], "snp.format.length"),
        (vec![0x82], "env.format.invalid"),
        (vec![0x82, 0x40, 0x40], "env.format.invalid"),
        (vec![0x82, 0x41, 2, 0x41, 3], "snp.format.length"),
        (world.snp.report.bytes()[1..].to_vec(), "snp.format.length"),
    ] {
        request.evidence = evidence;
        assert_eq!(reply_code(&verifier().verify(&request)), expected, "{:x?}", request.evidence.get(..5));
        assert_eq!(plan(&request).unwrap_err().code.as_str(), expected);
    }
    let mut other = request_of(&world);
    other.profile = Profile::snp_raw_1();
    assert_eq!(reply_code(&verifier().verify(&other)), "plug.contract");
    assert_eq!(plan(&other).unwrap_err().code.as_str(), "plug.contract");
}

#[test]
fn a_plan_asks_for_what_the_report_needs() {
    let world = World::new();
    let mut request = request_of(&world);
    let kinds = |request: &VerifyRequest| -> Vec<String> {
        plan(request).unwrap().requests.into_iter().map(|request| request.kind).collect()
    };
    assert_eq!(kinds(&request), ["snp.crl"]);
    request.endorsements.drain(..3);
    assert_eq!(kinds(&request), ["snp.vcek", "snp.cert_chain", "snp.crl"]);
    let raw = snp::Verifier::new(aci::anchors().snp, 0);
    let as_raw = PlanRequest {
        version: MESSAGE_VERSION,
        profile: Profile::snp_raw_1(),
        evidence: request.evidence.clone(),
        endorsements: request.endorsements.clone(),
    };
    assert_eq!(plan(&request), raw.plan(&as_raw));
}

#[test]
fn a_verifier_that_remembers_answers_like_one_that_does_not() {
    let world = World::new();
    let mut worlds = vec![world.clone()];
    let edits: [fn(&mut World); 5] = [
        |w| w.uvm.signing = cc_testkit::snp::SigKind::PssSha256,
        |w| w.policy.push('\n'),
        |w| {
            w.set_policy(&Policy::open_door().text());
        },
        |w| {
            w.snp.edit_report(|report| {
                report.set_measurement([7; 48]);
            });
        },
        |w| w.snp.report.bytes_mut()[0x60] ^= 1,
    ];
    for edit in edits {
        let mut other = world.clone();
        edit(&mut other);
        worlds.push(other);
    }
    let requests: Vec<_> = worlds.iter().map(request_of).collect();
    for entries in [1, 2, 8] {
        let remembering = Verifier::new(aci::anchors(), entries);
        for request in requests.iter().chain(&requests) {
            assert_eq!(remembering.verify(request), verifier().verify(request), "{entries}");
        }
    }
    let codes: Vec<_> =
        requests.iter().map(|request| reply_code(&verifier().verify(request)).to_owned()).collect();
    let expected = [
        "accept",
        "aci.uvm.signature",
        "aci.cce_policy.digest",
        "accept",
        "aci.uvm.measurement_mismatch",
        "snp.signature.invalid",
    ];
    assert_eq!(codes, expected);
}
