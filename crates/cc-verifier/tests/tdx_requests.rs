//! Requests with unlabelled endorsements: what each is recognised as, which of several counts, the floors that follow, and
//! what is asked for (*decisions.md* 3, 4, 19 and 26).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

#[path = "common/tdx.rs"]
mod tdx;

use cc_core::limits::{MAX_CERTIFICATE, MAX_ENDORSEMENTS};
use cc_core::message::{Blob, MESSAGE_VERSION, Message, PlanRequest, VerifyReply};
use cc_core::{Profile, UnixTime};
use cc_testkit::tdx::collateral::rfc3339;
use cc_testkit::tdx::mint::chain_pem;
use cc_testkit::tdx::{Ca, DAY, EventLog, Form, NOW, World, crl, field, keys};
use cc_verifier::tdx::{QuoteCache, Verifier, verify};
use tdx::{Parts, anchors, reply_code, request, world};

fn reply(world: &World, endorsements: &[Vec<u8>]) -> VerifyReply {
    Verifier::new(anchors(), 0).verify(&request(&world.quote.bytes(), endorsements))
}

#[test]
fn endorsements_are_recognised_by_content() {
    let world = world();
    let [signer, root] = [0, 1].map(|at: usize| world.tcb_chain[at].clone());
    let good: [(&str, Vec<u8>); 10] = [
        ("tdx.tcb_info", world.tcb_info.body()),
        ("tdx.qe_identity", world.qe_identity.body()),
        ("tdx.signing_chain", chain_pem(&world.tcb_chain).into_bytes()),
        ("tdx.signing_chain", chain_pem(&world.tcb_chain).replace('\n', "\r\n").into_bytes()),
        ("tdx.signing_chain", signer),
        ("tdx.signing_chain", root),
        ("tdx.root_crl", world.root_crl.clone()),
        ("tdx.pck_crl", world.pck_crl.clone()),
        ("tdx.pck_crl", crl::pck(Ca::Processor).sign(keys::pck_ca(Ca::Processor))),
        ("unknown", world.pck_chain[1].clone()),
    ];
    let odd: [(&str, Vec<u8>); 9] = [
        ("unknown", Vec::new()),
        ("unknown", b"{}".to_vec()),
        ("unknown", br#"{"tcb":{"tcbInfo":{}}}"#.to_vec()),
        ("unknown", vec![0x30; 40]),
        ("unknown", vec![0; MAX_CERTIFICATE + 1]),
        ("unknown", b"-----BEGIN CERTIFICATE-----\n".to_vec()),
        ("unknown", keys::root().spki().to_vec()),
        ("unknown", world.quote.bytes()),
        ("unknown", cc_testkit::snp::ark_der(cc_testkit::snp::Product::Milan).to_vec()),
    ];
    let (names, blobs): (Vec<_>, Vec<_>) = good.into_iter().chain(odd).unzip();
    let reply = reply(&world, &blobs);
    assert_eq!(reply.recognised, names);
    assert_eq!(reply_code(&reply), "accept");
}

#[test]
fn event_logs_are_recognised() {
    let world = world();
    let mut blobs = world.endorsements();
    blobs.push(EventLog::small_boot().bytes());
    assert_eq!(reply(&world, &blobs).recognised.last().unwrap(), "tdx.ccel");
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
fn the_newest_of_several_counts() {
    let mut world = world();
    let older = world.endorsements();
    world.edit_tcb_info(|info| {
        info.evaluation_number = 19;
        info.levels[0].standing.status = "OutOfDate".to_owned();
    });
    world.edit_pck_crl(|crl| crl.number = Some(99));
    let newer = world.endorsements();
    for blobs in [[older.clone(), newer.clone()].concat(), [newer, older].concat()] {
        let reply = reply(&world, &blobs);
        let found = floors(&reply);
        assert!(found.iter().any(|(name, number, _)| name.starts_with("tdx.tcb_info") && *number == 19));
        assert!(found.iter().any(|(name, number, _)| name.starts_with("tdx.pck_crl") && *number == 99));
    }
}

#[test]
fn collateral_of_other_platforms_beside_it_does_no_harm() {
    let world = world();
    let mut other = world.clone();
    other.edit_tcb_info(|info| {
        info.fmspc = "00806f050000".to_owned();
        info.evaluation_number = 99;
    });
    let parts = Parts::of(&world);
    for infos in
        [[world.tcb_info.body(), other.tcb_info.body()], [other.tcb_info.body(), world.tcb_info.body()]]
    {
        assert_eq!(Parts { tcb_infos: infos.to_vec(), ..parts.clone() }.code(), "accept");
    }
    assert_eq!(Parts { tcb_infos: vec![other.tcb_info.body()], ..parts }.code(), "tdx.fmspc.mismatch");
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
fn answers_do_not_depend_on_memory() {
    let verifier = Verifier::new(anchors(), 4);
    let good = world();
    let mut bad = world();
    bad.quote.flip(field::MR_TD, 0);
    let mut revoked = world();
    let serial = revoked.pck_spec.serial.clone();
    revoked.edit_pck_crl(|crl| crl.revoke(serial));
    let mut other = World::new(Form::V5Td15, Ca::Platform);
    other.set(field::MR_TD, &[9; 48]);
    let cases = [&good, &bad, &other, &revoked, &good, &bad, &revoked, &other];
    for world in cases {
        for at in [NOW, NOW + 365 * DAY, NOW] {
            let mut request = request(&world.quote.bytes(), &world.endorsements());
            request.now = UnixTime::from_secs(at.unsigned_abs());
            let fresh = Verifier::new(anchors(), 0).verify(&request);
            assert_eq!(verifier.verify(&request).to_bytes(), fresh.to_bytes());
        }
    }
    // The same collateral under another anchor is another matter.
    let parts = Parts::of(&good);
    let cache = QuoteCache::new(4);
    let stranger = World::self_made(Form::V4, Ca::Platform);
    let strange = cc_verifier::tdx::Anchors::new(&stranger.pck_chain[2]);
    let code = |anchors: &cc_verifier::tdx::Anchors| {
        let none = cc_core::Waivers::none();
        let answer = verify(&parts.evidence, &parts.slots(), anchors, &none, tdx::now(), &cache);
        tdx::code(&answer.outcome).to_owned()
    };
    assert_eq!(code(&anchors()), "accept");
    assert_eq!(code(&strange), "tdx.pck_chain.untrusted_root");
    assert_eq!(code(&anchors()), "accept");
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
    let several = |number: u64| -> Vec<Vec<u8>> {
        let mut world = world.clone();
        let infos = (0..number).map(|at| {
            world.edit_tcb_info(|info| info.evaluation_number = at);
            world.tcb_info.body()
        });
        let infos: Vec<_> = infos.collect();
        [world.endorsements(), infos].concat()
    };
    assert_eq!(reply_code(&reply(&world, &several(7))), "accept");
    assert_eq!(reply_code(&reply(&world, &several(40))), "env.size.exceeded");
}

#[test]
fn plans_ask_for_the_collateral_of_the_platform() {
    let plan = |world: &World| {
        let request = PlanRequest {
            version: MESSAGE_VERSION,
            profile: Profile::tdx_quote_1(),
            evidence: world.quote.bytes(),
            endorsements: world.endorsements().into_iter().map(Blob).collect(),
        };
        Verifier::new(anchors(), 0).plan(&request)
    };
    for (ca, name) in [(Ca::Platform, "platform"), (Ca::Processor, "processor")] {
        let world = World::new(Form::V4, ca);
        let plan = plan(&world).unwrap();
        let mut found: Vec<_> = plan.requests.iter().map(|r| (r.kind.clone(), r.url.clone())).collect();
        found.sort();
        let service = "https://api.trustedservices.intel.com";
        let list = format!("{service}/sgx/certification/v4/pckcrl?ca={name}&encoding=der");
        let expected = [
            ("tdx.pck_crl", list.as_str()),
            ("tdx.qe_identity", &format!("{service}/tdx/certification/v4/qe/identity?update=early")),
            ("tdx.root_crl", "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"),
            ("tdx.tcb_info", &format!("{service}/tdx/certification/v4/tcb?fmspc=70c06f000000&update=early")),
        ];
        assert_eq!(found, expected.map(|(kind, url)| (kind.to_owned(), url.to_owned())));
        let mr_td = cc_testkit::tdx::collateral::hex(world.quote.get(field::MR_TD));
        assert_eq!(plan.claims.text("mr_td"), Ok(mr_td.as_str()));
    }
    type Damage = fn(&mut World);
    let refusals: [(Damage, &str); 4] = [
        (|w| w.quote.trailing.push(0), "tdx.format.length"),
        (|w| *w = World::self_made(Form::V4, Ca::Platform), "tdx.pck_chain.untrusted_root"),
        (|w| _ = w.quote.flip(field::MR_TD, 0), "tdx.signature.invalid"),
        (|w| _ = w.flip(field::QE_REPORT_DATA, 0), "tdx.qe_report_data.mismatch"),
    ];
    for (damage, expected) in refusals {
        let mut world = world();
        damage(&mut world);
        assert_eq!(plan(&world).unwrap_err().code.as_str(), expected);
    }
}
