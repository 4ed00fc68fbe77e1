//! Sizes and numbers, forms of endorsements, which of several is used, and what a memory may not change: what comes from
//! a stranger costs little before its signature is checked, and nothing old stands in for something new.

use cc_core::limits::MAX_ENDORSEMENTS;
use cc_core::message::{Message, VerifyReply, WireOutcome};
use cc_core::{UnixTime, Waivers};
use cc_testkit::tdx::collateral::rfc3339;
use cc_testkit::tdx::mint::chain_pem;
use cc_testkit::tdx::{Ca, DAY, Form, NOW, World, ca, crl, field, keys};
use cc_verifier::tdx::{Anchors, QuoteCache, Slots, Verifier, verify};

use crate::common::codes::{outcome_code, reply_code};
use crate::common::tdx::{self, Parts, request, world};

fn reply(world: &World, endorsements: &[Vec<u8>]) -> VerifyReply {
    Verifier::new(tdx::anchors(), 0).verify(&request(&world.quote.bytes(), endorsements))
}

#[test]
fn slots_have_limits() {
    type Choose = for<'s, 'a> fn(&'s mut Slots<'a>) -> &'s mut Vec<&'a [u8]>;
    // Bytes that are nothing are refused where they would be used, and of no account elsewhere.
    let slots: [(&str, usize, Choose, &str); 7] = [
        ("signers", 16 * 1024, |s| &mut s.signers, "accept"),
        ("roots", 16 * 1024, |s| &mut s.roots, "accept"),
        ("TCB infos", 256 * 1024, |s| &mut s.tcb_infos, "accept"),
        ("QE identities", 256 * 1024, |s| &mut s.qe_identities, "accept"),
        ("root CRLs", 256 * 1024, |s| &mut s.root_crls, "accept"),
        ("PCK CRLs", 256 * 1024, |s| &mut s.pck_crls, "accept"),
        ("event logs", 1024 * 1024, |s| &mut s.event_logs, "tdx.eventlog.malformed"),
    ];
    let world = world();
    let parts = Parts::of(&world);
    let zeros = vec![0; 1024 * 1024 + 1];
    for (what, longest, choose, expected) in slots {
        for (count, length, expected) in [
            (8, 1, expected),
            (9, 1, "env.size.exceeded"),
            (2, longest, expected),
            (2, longest + 1, "env.size.exceeded"),
        ] {
            let mut slots = parts.slots();
            let slot = choose(&mut slots);
            let good = slot.first().copied();
            *slot = vec![&zeros[..length]; count - usize::from(good.is_some())];
            slot.extend(good);
            let cache = QuoteCache::new(0);
            let answer =
                verify(&parts.evidence, &slots, &tdx::anchors(), &Waivers::none(), tdx::now(), &cache);
            assert_eq!(outcome_code(&answer.outcome), expected, "{what}: {count}, the longest {length}");
        }
    }
}

#[test]
fn endorsements_count_once() {
    let world = world();
    let blobs: Vec<_> = world.endorsements().into_iter().flat_map(|blob| vec![blob; 12]).collect();
    assert!(blobs.len() <= MAX_ENDORSEMENTS);
    let accepted = reply(&world, &blobs);
    assert_eq!(reply_code(&accepted), "accept");
    assert!(accepted.recognised.iter().all(|name| name != "unknown"));
    let first = |name: &str| {
        u32::try_from(accepted.recognised.iter().position(|other| other == name).unwrap()).unwrap()
    };
    let floors: Vec<_> = accepted.floors.iter().map(|f| (f.name.as_str(), f.endorsement)).collect();
    assert_eq!(
        floors,
        [
            ("tdx.root_crl", first("tdx.root_crl")),
            ("tdx.pck_crl.platform", first("tdx.pck_crl")),
            ("tdx.tcb_info.70c06f000000", first("tdx.tcb_info")),
            ("tdx.qe_identity", first("tdx.qe_identity")),
        ]
    );
    let mut number = [0; 20];
    number[19] = 18;
    assert!(accepted.floors.iter().skip(2).all(|floor| floor.number == number));

    let too_many = vec![world.tcb_info.body(); MAX_ENDORSEMENTS + 1];
    let refused = reply(&world, &too_many);
    assert_eq!(reply_code(&refused), "env.size.exceeded");
    assert_eq!(refused.recognised, vec!["unknown"; MAX_ENDORSEMENTS + 1]);
}

#[test]
fn more_than_eight_of_a_kind_are_refused() {
    let world = world();
    let body = |number: usize, name: &str| {
        let mut bytes = world.tcb_info.body();
        bytes.splice(0..0, format!(r#"{{"n":{number},"{name}":1,"#).into_bytes());
        bytes.remove(bytes.iter().rposition(|byte| *byte == b'{').unwrap());
        bytes
    };
    let certificate = |number: u8| {
        let mut spec = ca::signer();
        spec.serial = vec![1, number];
        spec.sign(keys::root())
    };
    let list = |mut spec: cc_testkit::snp::CrlSpec, number: i64| {
        spec.this_update += number;
        spec.sign(keys::stranger())
    };
    type Make<'a> = Box<dyn Fn(u8) -> Vec<u8> + 'a>;
    let kinds: [(&str, Make<'_>); 5] = [
        ("TCB infos", Box::new(|n| body(n.into(), "tcbInfo"))),
        ("QE identities", Box::new(|n| body(n.into(), "enclaveIdentity"))),
        ("signers", Box::new(certificate)),
        ("root CRLs", Box::new(|n| list(crl::root(), n.into()))),
        ("PCK CRLs", Box::new(|n| list(crl::pck(Ca::Platform), n.into()))),
    ];
    for (what, make) in kinds {
        for (further, refused) in [(7, false), (8, true)] {
            let mut blobs = world.endorsements();
            blobs.extend((1..=further).map(&make));
            let code = reply_code(&reply(&world, &blobs)).to_owned();
            assert_eq!(code == "env.size.exceeded", refused, "{what}: {further} more: {code}");
        }
    }
}

#[test]
fn endorsements_are_told_by_their_content() {
    let world = world();
    let [info, identity, chain, root_crl, pck_crl]: [Vec<u8>; 5] = world.endorsements().try_into().unwrap();
    let spaced = [b"\n ".as_slice(), &info, b"\n"].concat();
    let log = [&[0; 32][..], b"Spec ID Event03\0"].concat();
    let padded_list = [pck_crl.as_slice(), &[0]].concat();
    let long_text = [b"{\"tcbInfo\":\"".as_slice(), &vec![b'x'; 256 * 1024], b"\"}"].concat();
    let rows: [(&str, Vec<u8>, &str); 19] = [
        ("TCB info", info.clone(), "tdx.tcb_info"),
        ("with white space", spaced, "tdx.tcb_info"),
        ("cut off", info[..40].to_vec(), "tdx.tcb_info"),
        ("signature first", b"{\"signature\":\"00\",\"tcbInfo\":{}}".to_vec(), "tdx.tcb_info"),
        ("too long", long_text, "unknown"),
        ("QE identity", identity, "tdx.qe_identity"),
        ("other JSON", b"{\"a\":{\"tcbInfo\":1}}".to_vec(), "unknown"),
        ("a list", b"[{\"tcbInfo\":1}]".to_vec(), "unknown"),
        ("signing chain", chain.clone(), "tdx.signing_chain"),
        ("signer, DER", world.tcb_chain[0].clone(), "tdx.signing_chain"),
        ("root, DER", world.tcb_chain[1].clone(), "tdx.signing_chain"),
        ("issuer, DER", world.pck_chain[1].clone(), "unknown"),
        ("issuer, PEM", chain_pem(&world.pck_chain[1..2]).into_bytes(), "unknown"),
        ("chain with words", [chain.as_slice(), b"words"].concat(), "unknown"),
        ("root CRL", root_crl, "tdx.root_crl"),
        ("PCK CRL", pck_crl, "tdx.pck_crl"),
        ("PCK CRL of the other", crl::pck(Ca::Processor).sign(keys::stranger()), "tdx.pck_crl"),
        ("list and more", padded_list, "unknown"),
        ("event log", log, "tdx.ccel"),
    ];
    for (what, blob, expected) in rows {
        assert_eq!(reply(&world, &[blob]).recognised, [expected], "{what}");
    }
    // A chain in PEM, or its certificates one by one, or the signer alone.
    let one_by_one = |certificates: &[Vec<u8>]| {
        let mut blobs = world.endorsements();
        blobs.splice(2..3, certificates.iter().cloned());
        reply_code(&reply(&world, &blobs)).to_owned()
    };
    assert_eq!(one_by_one(&world.tcb_chain), "accept");
    assert_eq!(one_by_one(&world.tcb_chain[..1]), "accept");
    assert_eq!(one_by_one(&world.tcb_chain[1..]), "tdx.tcb_info.missing");
}

/// The evaluation number and issue date of the documents that were used.
fn used(parts: &Parts) -> (u64, String) {
    let claims = parts.claims();
    (claims.integer("tcb_eval_num").unwrap(), claims.text("tcb_info_issue_date").unwrap().to_owned())
}

#[test]
fn the_newest_document_is_used() {
    let bodies = |number: u64, age: i64| {
        let mut world = world();
        world.edit_tcb_info(|info| {
            info.evaluation_number = number;
            info.issue_date = rfc3339(NOW - age * DAY);
        });
        world.edit_qe_identity(|identity| {
            identity.evaluation_number = number;
            identity.issue_date = rfc3339(NOW - age * DAY);
        });
        (world.tcb_info.body(), world.qe_identity.body())
    };
    let (newest, same_number, old) = (bodies(19, 5), bodies(19, 9), bodies(17, 1));
    let mut later = bodies(20, 1);
    let mut parts = Parts::of(&world());
    for order in [[&newest, &same_number, &old], [&old, &same_number, &newest]] {
        parts.tcb_infos = order.map(|(info, _)| info.clone()).to_vec();
        parts.qe_identities = order.map(|(_, identity)| identity.clone()).to_vec();
        assert_eq!(used(&parts), (19, rfc3339(NOW - 5 * DAY)));
    }
    // What is newer and not Intel's is of no account.
    later.0[40] ^= 1;
    later.1[40] ^= 1;
    parts.tcb_infos.insert(0, later.0);
    parts.qe_identities.insert(0, later.1);
    assert_eq!(used(&parts), (19, rfc3339(NOW - 5 * DAY)));
}

#[test]
fn expired_documents_do_not_stand_in() {
    let fresh = world();
    let mut stale = world();
    stale.edit_tcb_info(|info| {
        info.evaluation_number = 99;
        info.next_update = rfc3339(NOW - 1);
    });
    stale.edit_qe_identity(|identity| {
        identity.evaluation_number = 99;
        identity.next_update = rfc3339(NOW - 1);
    });
    let mut parts = Parts::of(&stale);
    assert_eq!(parts.code(), "tdx.tcb_info.expired");
    parts.tcb_infos.push(fresh.tcb_info.body());
    assert_eq!(parts.code(), "tdx.qe_identity.expired");
    parts.qe_identities.push(fresh.qe_identity.body());
    assert_eq!(used(&parts).0, 18);
}

#[test]
fn documents_of_revoked_signers_do_not_stand_in() {
    let fresh = world();
    let mut parts = Parts::of(&fresh);
    let mut other = world();
    other.signer_key = keys::stranger();
    other.signer_spec = ca::signer_with_keys(keys::stranger(), keys::root());
    other.signer_spec.serial = vec![0x11, 0x22];
    other.edit_signer(|_| {}).edit_tcb_info(|info| info.evaluation_number = 99);
    parts.signers.push(other.tcb_chain[0].clone());
    parts.tcb_infos.insert(0, other.tcb_info.body());
    assert_eq!(parts.claims().text("tcb_info_issue_date"), Ok(rfc3339(NOW - 10 * DAY).as_str()));
    let used = |parts: &Parts| {
        let slots = parts.slots();
        let cache = QuoteCache::new(0);
        let answer = verify(&parts.evidence, &slots, &tdx::anchors(), &Waivers::none(), tdx::now(), &cache);
        answer.floors.iter().find(|floor| floor.name.contains("tcb_info")).map(|floor| floor.endorsement)
    };
    assert_eq!(used(&parts), Some(0));
    let mut revoking = world();
    revoking.edit_root_crl(|crl| crl.revoke(other.signer_spec.serial.clone()));
    parts.root_crls = vec![revoking.root_crl];
    assert_eq!(used(&parts), Some(1));
    parts.tcb_infos.pop();
    assert_eq!(parts.code(), "tdx.tcb_signer.revoked");
}

#[test]
fn tcb_infos_are_chosen_by_platform() {
    let own = world();
    let mut other = world();
    other.edit_tcb_info(|info| {
        info.fmspc = "00806f050000".to_owned();
        info.evaluation_number = 99;
    });
    let mut parts = Parts::of(&own);
    for order in [[&own, &other], [&other, &own]] {
        parts.tcb_infos = order.map(|world| world.tcb_info.body()).to_vec();
        assert_eq!(used(&parts).0, 18);
    }
    // That of the platform counts even when it is out of date: another one is no reason to ask for another.
    let mut expired = world();
    expired.edit_tcb_info(|info| info.next_update = rfc3339(NOW - 1));
    parts.tcb_infos = vec![other.tcb_info.body(), expired.tcb_info.body()];
    assert_eq!(parts.code(), "tdx.tcb_info.expired");
    parts.tcb_infos = vec![other.tcb_info.body()];
    assert_eq!(parts.code(), "tdx.fmspc.mismatch");
}

#[test]
fn the_newest_list_is_used() {
    // Intel's lists all have the same number.
    let list = |age: i64| {
        let mut world = world();
        world.edit_pck_crl(|crl| {
            crl.this_update = NOW - age * DAY;
            crl.next_update = Some(NOW + (30 - age) * DAY);
        });
        world.pck_crl
    };
    let mut parts = Parts::of(&world());
    for order in [[2, 9], [9, 2]] {
        parts.pck_crls = order.map(list).to_vec();
        let claims = parts.claims();
        assert_eq!(claims.text("pck_crl_next_update"), Ok(rfc3339(NOW + 28 * DAY).as_str()));
    }
}

/// Every order of two requests, with and without memory, at times at which things are valid or not.
#[test]
fn a_memory_changes_nothing() {
    let base = world();
    let mut worlds: Vec<(&str, World)> = vec![("as it is", base.clone())];
    let mut add = |what, edit: &dyn Fn(&mut World)| {
        let mut world = base.clone();
        edit(&mut world);
        worlds.push((what, world));
    };
    let pck = base.pck_spec.serial.clone();
    let signer = base.signer_spec.serial.clone();
    add("another quote", &|w| _ = w.set(field::REPORT_DATA, &[7; 64]));
    add("an altered quote", &|w| _ = w.quote.flip(field::REPORT_DATA, 3));
    add("another attestation key", &|w| {
        w.attestation_key = keys::stranger();
        w.quote.sign(keys::stranger()).bind().sign_qe(w.pck_key);
    });
    add("another key, not vouched for", &|w| _ = w.quote.sign(keys::stranger()));
    add("another QE signature", &|w| w.quote.qe_signature[9] ^= 1);
    add("other authentication data", &|w| w.quote.auth_data[9] ^= 1);
    add("a revoked platform", &|w| _ = w.edit_pck_crl(|crl| crl.revoke(pck.clone())));
    add("a revoked signer", &|w| _ = w.edit_root_crl(|crl| crl.revoke(signer.clone())));
    add("another leaf", &|w| _ = w.edit_pck(|pck| pck.serial = vec![1, 2, 3]));
    add("a forged leaf", &|w| {
        w.pck_chain[0] = w.pck_spec.sign(keys::stranger());
        w.rechain();
    });
    add("another TCB info", &|w| _ = w.edit_tcb_info(|info| info.levels[0].sgx[0] = 5));
    add("a forged TCB info", &|w| w.tcb_info.signature[5] ^= 1);
    add("another level", &|w| _ = w.set(field::TEE_TCB_SVN, &[5, 1, 4]));
    add("TDX 1.5", &|w| *w = World::new(Form::V5Td15, Ca::Platform));
    add("a processor's leaf", &|w| *w = World::new(Form::V4, Ca::Processor));

    let instants = [NOW - 4000 * DAY, NOW - 20 * DAY, NOW, NOW + 60 * DAY, NOW + 9000 * DAY];
    let mut compared = 0;
    let mut accepted = 0;
    for (first, one) in &worlds {
        for entries in [1, 64] {
            let remembering = Verifier::new(tdx::anchors(), entries);
            let known = remembering.verify(&request(&one.quote.bytes(), &one.endorsements()));
            for (second, other) in &worlds {
                for at in instants {
                    let mut request = request(&other.quote.bytes(), &other.endorsements());
                    request.now = UnixTime::from_secs(at.unsigned_abs());
                    let plain = Verifier::new(tdx::anchors(), 0).verify(&request);
                    let remembered = remembering.verify(&request);
                    let what = format!("{first} ({}), then {second}", reply_code(&known));
                    assert_eq!(plain.to_bytes(), remembered.to_bytes(), "{what}");
                    compared += 1;
                    accepted += usize::from(matches!(plain.outcome, WireOutcome::Accept { .. }));
                }
            }
        }
    }
    println!("{compared} answers compared, {accepted} of them accepted");
    assert!(accepted > 200);
}

/// The same endorsements mean something else for a platform of the other issuer.
#[test]
fn a_memory_is_of_one_issuer() {
    let worlds = Ca::ALL.map(|issuer| World::new(Form::V4, issuer));
    let mut blobs = worlds[0].endorsements();
    blobs.push(worlds[1].pck_crl.clone());
    for order in [[0, 1], [1, 0]] {
        let remembering = Verifier::new(tdx::anchors(), 8);
        for world in order.map(|which| &worlds[which]) {
            let request = request(&world.quote.bytes(), &blobs);
            let (plain, remembered) = (reply(world, &blobs), remembering.verify(&request));
            assert_eq!(reply_code(&plain), "accept");
            assert_eq!(plain.to_bytes(), remembered.to_bytes());
        }
    }
}

/// A memory is of the anchor that it was filled under.
#[test]
fn a_memory_is_of_one_anchor() {
    let world = world();
    let parts = Parts::of(&world);
    let cache = QuoteCache::new(8);
    let code = |anchors: &Anchors| {
        let answer = verify(&parts.evidence, &parts.slots(), anchors, &Waivers::none(), tdx::now(), &cache);
        outcome_code(&answer.outcome).to_owned()
    };
    let stranger = ca::root_with_key(keys::stranger()).sign(keys::stranger());
    for _ in 0..2 {
        assert_eq!(code(&tdx::anchors()), "accept");
        assert_eq!(code(&Anchors::intel()), "tdx.pck_chain.untrusted_root");
        assert_eq!(code(&Anchors::new(&stranger)), "tdx.pck_chain.untrusted_root");
        assert_eq!(code(&Anchors::new(b"no certificate")), "tdx.pck_chain.untrusted_root");
    }
}
