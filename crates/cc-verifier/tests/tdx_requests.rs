//! Requests with unlabelled endorsements: the floors that follow from what was used, bad endorsements beside good ones, and
//! what a host must not ask (*decisions.md* 3, 4 and 13).

use cc_core::Profile;
use cc_core::limits::MAX_ENDORSEMENTS;
use cc_core::message::VerifyReply;
use cc_testkit::tdx::collateral::rfc3339;
use cc_testkit::tdx::{Ca, DAY, Form, NOW, World};
use cc_verifier::tdx::Verifier;

use crate::common::codes::reply_code;
use crate::common::tdx::{Parts, anchors, request, world};

fn reply(world: &World, endorsements: &[Vec<u8>]) -> VerifyReply {
    Verifier::new(anchors(), 0).verify(&request(&world.quote.bytes(), endorsements))
}

/// Name, number and position of each floor.
fn floors(reply: &VerifyReply) -> Vec<(&str, u64, u32)> {
    let number = |number: &[u8; 20]| u64::from_be_bytes(*number.last_chunk().unwrap());
    reply.floors.iter().map(|f| (f.name.as_str(), number(&f.number), f.endorsement)).collect()
}

#[test]
fn floors_are_the_numbers_of_what_was_used() {
    for (ca, list, number) in
        [(Ca::Platform, "tdx.pck_crl.platform", 12), (Ca::Processor, "tdx.pck_crl.processor", 13)]
    {
        let mut world = World::new(Form::V5Td15, ca);
        world.edit_tcb_info(|info| info.evaluation_number = 300);
        let mut blobs = world.endorsements();
        blobs.insert(0, b"{}".to_vec());
        let reply = reply(&world, &blobs);
        let mut found = floors(&reply);
        found.sort_unstable();
        let mut expected = vec![
            ("tdx.root_crl", 7, 4),
            (list, number, 5),
            ("tdx.tcb_info.70c06f000000", 300, 1),
            ("tdx.qe_identity", 18, 2),
        ];
        expected.sort_unstable();
        assert_eq!(found, expected, "{ca:?}");
    }
    let mut world = world();
    world.edit_tcb_info(|info| info.levels.clear());
    let refused = reply(&world, &world.endorsements());
    assert_eq!((reply_code(&refused), refused.floors.len()), ("tdx.tcb.not_found", 0));
}

#[test]
fn a_bad_document_beside_a_good_one_does_no_harm() {
    let world = world();
    let changes: [fn(&mut World); 4] = [
        |w| w.tcb_info.signature[0] ^= 1,
        |w| _ = w.edit_tcb_info(|info| info.next_update = rfc3339(NOW - DAY)),
        |w| _ = w.edit_tcb_info(|info| info.issue_date = rfc3339(NOW + DAY)),
        |w| _ = w.sign_tcb_info("{}".to_owned()),
    ];
    for (which, change) in changes.into_iter().enumerate() {
        let mut bad = world.clone();
        change(&mut bad);
        for infos in
            [[world.tcb_info.body(), bad.tcb_info.body()], [bad.tcb_info.body(), world.tcb_info.body()]]
        {
            let parts = Parts { tcb_infos: infos.to_vec(), ..Parts::of(&world) };
            assert_eq!(parts.code(), "accept", "{which}");
        }
    }
}

#[test]
fn what_the_host_must_not_ask_is_refused() {
    let world = world();
    let quote = world.quote.bytes();
    let verifier = Verifier::new(anchors(), 0);
    let mut other = request(&quote, &world.endorsements());
    other.profile = Profile::snp_raw_1();
    assert_eq!(reply_code(&verifier.verify(&other)), "plug.contract");
    for waiver in ["tdx.tcb_info.missing", "tdx.crl.expired", "no code", ""] {
        let mut waived = request(&quote, &world.endorsements());
        waived.waivers = vec![waiver.to_owned()];
        assert_eq!(reply_code(&verifier.verify(&waived)), "plug.contract", "{waiver}");
    }
    let too_many = vec![Vec::new(); MAX_ENDORSEMENTS + 1];
    assert_eq!(reply_code(&verifier.verify(&request(&quote, &too_many))), "env.size.exceeded");
}
