//! What the outcome is when several things are wrong or missing, and what goes through to the verifiers of processors
//! (*verification.md* 4.6, *decisions.md* 1, 3 and 26).

use cc_core::message::{Blob, Message, VerifyRequest, WireOutcome};
use cc_core::{BoundKind, Profile};
use cc_testkit::snp::keys::stranger_rsa;
use cc_testkit::tdx::{Form, field};
use cc_testkit::vtpm::{Processor, World};
use cc_testkit::{snp, tdx};

use crate::common::codes::reply_code;
use crate::common::vtpm::{self, amd, intel, request, to_plan, verifier, worlds};

/// A violation alone, and its code. Each leaves what the others change as it is; the later ones are made first, so that
/// making a report anew does not mend them.
type Row = (fn(&mut World), &'static str);

const PROCESSOR_SNP: Row =
    (|w| amd(w, |w| _ = w.edit_leaf(|leaf| leaf.not_after = snp::NOW - 1)), "snp.chain.expired");
const PROCESSOR_TDX: Row = (|w| intel(w, |w| w.tcb_info.signature[0] ^= 1), "tdx.tcb_info.signature");
const VMPL: Row = (|w| amd(w, |w| _ = w.edit_report(|report| _ = report.set_vmpl(1))), "snp.vmpl.mismatch");
const TD_REPORT: Row = (|w| w.hcl.hardware[0x210] ^= 1, "vtpm.hcl.mismatch");
const BINDING: Row = (|w| _ = w.hcl.runtime_data.pop(), "vtpm.hcl.mismatch");
const RUNTIME: Row = (|w| runtime(w, "vm-configuration", "[]"), "vtpm.format.malformed");
const USER_DATA: Row = (|w| runtime(w, "user-data", "\"00\""), "vtpm.user_data.length");
const KEY: Row = (|w| runtime(w, "keys", "[]"), "vtpm.ak.mismatch");
const MAGIC: Row = (|w| _ = w.edit_quote(|quote| quote.magic = 0), "vtpm.attest.magic");
const KIND: Row = (|w| _ = w.edit_quote(|quote| quote.kind = 0x8017), "vtpm.attest.type");
const FORM: Row = (|w| _ = w.edit_quote(|quote| quote.safe = 2), "vtpm.format.malformed");
const SIGNATURE: Row = (by_another_key, "vtpm.signature.invalid");
const ALGORITHM: Row =
    (|w| _ = w.edit_quote(|quote| quote.banks.push((4, vec![1, 0, 0]))), "vtpm.pcr.algorithm");
const SELECTION: Row = (|w| _ = w.pcrs.pop(), "vtpm.pcr.selection");
const DIGEST: Row = (|w| w.pcrs[0].1[0] ^= 1, "vtpm.pcr.digest");

/// Sets a member of the runtime data.
fn runtime(world: &mut World, name: &str, json: &str) {
    world.edit_runtime(|runtime| runtime.set(name, json));
}

fn by_another_key(world: &mut World) {
    world.key = stranger_rsa();
    world.edit_quote(|_| {});
}

const REST: [Row; 10] = [RUNTIME, USER_DATA, KEY, MAGIC, KIND, FORM, SIGNATURE, ALGORITHM, SELECTION, DIGEST];

#[test]
fn the_earlier_step_decides() {
    let snp = [&[PROCESSOR_SNP, VMPL, BINDING][..], &REST].concat();
    let tdx = [&[PROCESSOR_TDX, BINDING, TD_REPORT][..], &REST].concat();
    for (world, rows) in [(World::snp(), snp), (World::tdx(Form::V4), tdx)] {
        for (i, (first, expected)) in rows.iter().enumerate() {
            let mut alone = world.clone();
            first(&mut alone);
            assert_eq!(reply_code(&vtpm::verify(&alone)), *expected);
            for (second, later) in &rows[i + 1..] {
                let mut both = world.clone();
                second(&mut both);
                first(&mut both);
                let reply = vtpm::verify(&both);
                assert_eq!(reply_code(&reply), *expected, "before {later}: {:?}", reply.outcome);
                assert!(reply.floors.is_empty());
            }
        }
    }
}

/// What a world is asked about, without the endorsement at a position.
fn without(world: &World, position: usize) -> VerifyRequest {
    let mut request = request(&world.evidence(), &world.endorsements());
    request.endorsements.remove(position);
    request
}

#[test]
fn what_is_missing_gives_way_to_what_is_wrong() {
    let verifier = verifier(0);
    for (name, world, position, missing) in [
        ("VCEK", World::snp(), 0, "snp.chain.missing"),
        ("CRL", World::snp(), 3, "snp.crl.missing"),
        ("TCB info", World::tdx(Form::V4), 0, "tdx.tcb_info.missing"),
        ("root CRL", World::tdx(Form::V4), 3, "tdx.crl.missing"),
    ] {
        let reply = verifier.verify(&without(&world, position));
        assert_eq!(reply_code(&reply), missing, "{name}");
        assert!(matches!(reply.outcome, WireOutcome::Indeterminate(_)), "{name}");
        for (edit, expected) in REST.iter().chain([&BINDING]) {
            let mut wrong = world.clone();
            edit(&mut wrong);
            let reply = verifier.verify(&without(&wrong, position));
            assert_eq!(reply_code(&reply), *expected, "{name}");
            assert!(matches!(reply.outcome, WireOutcome::Reject(_)), "{name}");
        }
    }
}

#[test]
fn waivers_names_and_floors_are_those_of_the_processor() {
    let snp = (World::snp(), "snp.crl.missing", 3, &["snp.vcek", "snp.ask", "snp.ark", "snp.crl"][..]);
    let names = ["tdx.tcb_info", "tdx.qe_identity", "tdx.signing_chain", "tdx.root_crl", "tdx.pck_crl"];
    let tdx = (World::tdx(Form::V5Td10), "tdx.crl.missing", 3, &names[..]);
    for (world, waiver, list, names) in [snp, tdx] {
        let verifier = verifier(0);
        let reply = vtpm::verify(&world);
        assert_eq!((reply_code(&reply), &reply.profile), ("accept", &Profile::az_cvm_vtpm_1()));
        assert_eq!(reply.recognised, names);
        let alone = alone(&world);
        assert_eq!(reply.floors, alone.floors);
        assert!(!reply.floors.is_empty());

        let mut waived = without(&world, list);
        waived.waivers.push(waiver.to_owned());
        let WireOutcome::Accept { waived, .. } = verifier.verify(&waived).outcome else { panic!("{waiver}") };
        assert_eq!(waived, [waiver]);

        let mut unwaivable = without(&world, list);
        unwaivable.waivers.push("vtpm.quote.missing".to_owned());
        assert_eq!(reply_code(&verifier.verify(&unwaivable)), "plug.contract");
    }
}

/// The processor's part by itself.
fn alone(world: &World) -> cc_core::message::VerifyReply {
    let request = request(&[], &world.endorsements());
    match &world.processor {
        Processor::Snp(processor) => {
            let [milan, genoa, turin] = snp::Product::ALL.map(snp::ark_der);
            let anchors = cc_verifier::snp::Anchors::new(milan, genoa, turin);
            let evidence = processor.report.bytes().to_vec();
            let request = VerifyRequest { profile: Profile::snp_raw_1(), evidence, ..request };
            cc_verifier::snp::Verifier::new(anchors, 0).verify(&request)
        }
        Processor::Tdx(processor) => {
            let anchors = cc_verifier::tdx::Anchors::new(tdx::root_der());
            let evidence = processor.quote.bytes();
            let request = VerifyRequest { profile: Profile::tdx_quote_1(), evidence, ..request };
            cc_verifier::tdx::Verifier::new(anchors, 0).verify(&request)
        }
    }
}

#[test]
fn claims_are_the_processors_and_more_and_the_bound_field_is_the_quotes() {
    for (name, world) in worlds() {
        let WireOutcome::Accept { claims, bound, waived } = vtpm::verify(&world).outcome else {
            panic!("{name}")
        };
        let WireOutcome::Accept { claims: processors, .. } = alone(&world).outcome else { panic!("{name}") };
        assert_eq!((bound.kind, &bound.bytes), (BoundKind::ExtraData, &world.quote.extra_data), "{name}");
        assert_eq!(
            world.machine().extra_data(),
            Ok(&bound.bytes[..]),
            "{name}: the host finds another field"
        );
        assert!(waived.is_empty(), "{name}");
        for (claim, value) in processors.iter() {
            assert_eq!(claims.value(claim), Some(value), "{name}: {claim}");
        }
        let added: Vec<_> =
            claims.iter().map(|(claim, _)| claim).filter(|claim| processors.value(claim).is_none()).collect();
        assert_eq!(added, ["hcl", "tee", "vtpm"], "{name}");
        let tee = if matches!(world.processor, Processor::Snp(_)) { "snp" } else { "tdx" };
        assert_eq!(claims.text("tee"), Ok(tee), "{name}");
        assert_eq!(
            serde_json::to_value(claims.map("hcl").unwrap()).unwrap(),
            serde_json::json!({
                "fresh": false,
                "runtime_data_keys": ["HCLAkPub", "HCLEkPub"],
                "user_data": "0a".repeat(64),
                "version": 2,
                "vm_configuration": {
                    "console-enabled": true,
                    "current-time": 1_678_652_405,
                    "secure-boot": true,
                    "vmUniqueId": "6332533D-5649-4D02-8AA7-8F64B7C3EE21",
                },
            }),
            "{name}"
        );
        let pcrs: serde_json::Map<_, _> =
            (0..24_u8).map(|number| (format!("{number:02}"), hex::encode([number; 32]).into())).collect();
        assert_eq!(
            serde_json::to_value(claims.map("vtpm").unwrap()).unwrap(),
            serde_json::json!({
                "clock": 0x1122_3344,
                "extra_data": hex::encode((0x40..0x60).collect::<Vec<u8>>()),
                "firmware_version": 0x2020_0312_0012_0003_u64,
                "pcr_bank": "sha256",
                "pcr_selection": (0..24).collect::<Vec<_>>(),
                "pcrs": pcrs,
                "quote": "fresh",
                "reset_count": 5,
                "restart_count": 7,
                "safe": true,
            }),
            "{name}"
        );
    }
}

#[test]
fn plans_are_those_of_the_processor() {
    for (name, world) in worlds() {
        let mut asked = to_plan(&request(&world.evidence(), &[]));
        let plan = verifier(0).plan(&asked).unwrap();
        let kinds: Vec<_> = plan.requests.iter().map(|request| request.kind.as_str()).collect();
        let expected = match world.processor {
            Processor::Snp(_) => ["snp.vcek", "snp.cert_chain", "snp.crl"].to_vec(),
            Processor::Tdx(_) => ["tdx.tcb_info", "tdx.qe_identity", "tdx.pck_crl", "tdx.root_crl"].to_vec(),
        };
        assert_eq!(kinds, expected, "{name}");
        let verified = vtpm::claims(&world);
        for claim in ["hcl", "tee", "vtpm"] {
            assert_eq!(plan.claims.value(claim), verified.value(claim), "{name}: {claim}");
        }
        asked.evidence = Vec::new();
        assert_eq!(verifier(0).plan(&asked).unwrap_err().code.as_str(), "vtpm.format.malformed", "{name}");
    }
    // What the processor's part alone is refused for.
    let mut snp = World::snp();
    amd(&mut snp, |world| _ = world.edit_report(|report| _ = report.set_version(6)));
    let mut tdx = World::tdx(Form::V4);
    intel(&mut tdx, |world| _ = world.set(field::VERSION, &[6]));
    for (world, expected) in [(snp, "snp.version.unsupported"), (tdx, "tdx.version.unsupported")] {
        let asked = request(&world.evidence(), &[]);
        assert_eq!(verifier(0).plan(&to_plan(&asked)).unwrap_err().code.as_str(), expected);
        assert_eq!(reply_code(&verifier(0).verify(&asked)), expected);
    }
}

#[test]
fn the_hosts_mistakes_are_told() {
    let world = World::snp();
    let verifier = verifier(0);
    let mut other = request(&world.evidence(), &world.endorsements());
    other.profile = Profile::snp_raw_1();
    assert_eq!(reply_code(&verifier.verify(&other)), "plug.contract");
    assert_eq!(verifier.plan(&to_plan(&other)).unwrap_err().code.as_str(), "plug.contract");
    let mut many = request(&world.evidence(), &[]);
    many.endorsements = vec![Blob(Vec::new()); 161];
    let reply = verifier.verify(&many);
    assert_eq!((reply_code(&reply), reply.recognised.len()), ("env.size.exceeded", 161));
    assert_eq!(verifier.plan(&to_plan(&many)).unwrap_err().code.as_str(), "env.size.exceeded");
}

#[test]
fn a_memory_changes_nothing() {
    let (none, some) = (verifier(0), verifier(8));
    for round in 0..3 {
        for (name, world) in worlds() {
            let genuine = world.clone();
            let mut forged = world.clone();
            forged.signature[9] ^= 1;
            for world in [genuine, forged] {
                let request = request(&world.evidence(), &world.endorsements());
                let (plain, remembered) = (none.verify(&request), some.verify(&request));
                assert_eq!(plain.to_bytes(), remembered.to_bytes(), "{name}, round {round}");
            }
        }
    }
}
