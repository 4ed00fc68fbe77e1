//! The claims of accepted groups: those of the report as `snp-raw-1` gives them, and what comes on top.

use cc_testkit::aci::mint::sha256;
use cc_testkit::aci::uvm::payload;
use cc_testkit::aci::{Policy, World};
use cc_testkit::cbor;
use cc_verifier::snp;
use serde_json::{Value, json};

use crate::common::aci;

fn claims(world: &World) -> Value {
    aci::claims(&aci::verifier().verify(&aci::request_of(world)))
}

#[test]
fn claims_are_those_of_the_report_and_two_more() {
    let world = World::new();
    let mut all = claims(&world);
    let own = all.as_object_mut().unwrap();
    let (uvm, policy) = (own.remove("uvm").unwrap(), own.remove("cce_policy").unwrap());
    let mut request = aci::request_of(&world);
    request.profile = cc_core::Profile::snp_raw_1();
    let reply = snp::Verifier::new(aci::anchors().snp, 0).verify(&request);
    assert_eq!(all, aci::claims(&reply));
    assert_eq!(
        uvm,
        json!({
            "alg": "PS384",
            "feed": "ContainerPlat-AMD-UVM",
            "form": "header",
            "guestsvn": 104,
            "issuer": world.chain.did(),
            "launchmeasurement": all["measurement"],
            "leaf_not_after": "2049-12-31T23:59:59Z",
            "leaf_not_before": "2020-01-01T00:00:00Z",
            "root": "CN=Synthetic Supply Chain RSA Root CA,O=Synthetic Corporation,C=US",
            "root_sha256": hex::encode(sha256(&world.chain.ders()[2])),
            "signing_time": "2026-01-01T00:00:00Z",
        })
    );
    assert_eq!(policy, json!({"findings": [], "sha256": all["host_data"]}));
}

/// As text "99" would be above "100"; as a number it is not.
#[test]
fn a_version_is_a_number() {
    let mut world = World::new();
    world.uvm.payload = payload("\"99\"", &world.snp.report.measurement());
    assert_eq!(claims(&world)["uvm"]["guestsvn"], json!(99));
}

/// A policy that somebody listed by mistake still says what it is.
#[test]
fn an_open_door_is_named() {
    let mut world = World::new();
    world.set_policy(&Policy::open_door().text());
    let findings = claims(&world)["cce_policy"]["findings"].clone();
    assert_eq!(
        findings,
        json!(["allow_all (lines 9, 10, 11, 12, 13, 14, 15, 16)", "no_containers (line 1)"])
    );
}

#[test]
fn what_is_absent_is_no_claim() {
    let mut world = World::new();
    world.uvm.remove(&cbor::text("signingtime"));
    let mut endorsements = world.endorsements();
    endorsements.pop();
    let reply = aci::verifier().verify(&aci::request(world.snp.report.bytes(), &endorsements));
    let claims = aci::claims(&reply);
    assert_eq!((claims.get("cce_policy"), claims["uvm"].get("signing_time")), (None, None));
}

#[test]
fn of_several_texts_the_one_of_host_data_counts() {
    let world = World::new();
    let mut endorsements = world.endorsements();
    endorsements.insert(0, Policy::open_door().text().into_bytes());
    let reply = aci::verifier().verify(&aci::request(world.snp.report.bytes(), &endorsements));
    assert_eq!(aci::claims(&reply)["cce_policy"]["findings"], json!([]));
}
