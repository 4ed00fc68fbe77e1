//! NVIDIA's attestation service in place of manifests and OCSP answers.

use cc_core::exchange;
use cc_core::message::{Blob, Plan, PlanRequest, VerifyReply, VerifyRequest, WireOutcome};
use cc_testkit::gpu::report::item;
use cc_testkit::gpu::{Arch, NOW, World};
use cc_testkit::nras::{Answer, ISS, jwks};
use cc_verifier::gpu::Verifier;

use crate::common::codes::reply_code;
use crate::common::gpu::{Parts, anchors, first};

const NONCE: [u8; 32] = [0x5A; 32];

/// Hoppers whose certificates are signed once, so that evidence made again is the same.
fn hoppers(count: u8) -> World {
    let mut world = World::new(Arch::Hopper, count);
    world.members.iter_mut().for_each(|member| member.pem = Some(member.chain.pem()));
    world
}

fn verifier() -> Verifier {
    Verifier::new(anchors(), 8).with_nras(ISS.to_owned())
}

fn plan(world: &World) -> Plan {
    let request = Parts { evidence: world.evidence(), ..Parts::default() }.request();
    let (version, profile, evidence) = (request.version, request.profile, request.evidence);
    verifier().plan(&PlanRequest { version, profile, evidence, endorsements: Vec::new() }).unwrap()
}

/// The leaf's serial number of the device with that number, as the service writes it.
const UEIDS: [&str; 2] =
    ["10039136078527345631830647807959242631261214586", "15748126849351185156063791685757223176792201082"];

/// A good answer about the world's Hoppers.
fn answer(count: u64) -> Answer {
    let mut answer = Answer::gpus(count, &NONCE, NOW);
    for ((_, token), ueid) in answer.devices.iter_mut().zip(UEIDS) {
        token.payload.set_text("ueid", ueid);
    }
    answer
}

fn asked(world: &World, answer: &Answer) -> Vec<u8> {
    let question = plan(world).requests[0].post.clone().unwrap().body;
    exchange::encode(&question, &answer.body())
}

fn request(world: &World, endorsements: &[Vec<u8>]) -> VerifyRequest {
    let request = Parts { evidence: world.evidence(), ..Parts::default() }.request();
    let vouched = (0..).zip(endorsements).map(|(position, _)| position).collect();
    VerifyRequest { endorsements: endorsements.iter().cloned().map(Blob).collect(), vouched, ..request }
}

fn judge(world: &World, answer: &Answer) -> String {
    reply_code(&verifier().verify(&request(world, &[asked(world, answer), jwks()]))).to_owned()
}

fn recognised(reply: &VerifyReply) -> Vec<&str> {
    reply.recognised.iter().map(String::as_str).collect()
}

#[test]
fn numbers_of_devices_are_those_of_their_certificates() {
    for (number, ueid) in (1_u8..).zip(UEIDS) {
        let digits = format!("{number:02x}c22ba15e5d68088282da074ed9fb37aa58577a");
        assert_eq!(decimal(&digits), ueid);
    }
}

/// A hexadecimal number in decimal digits.
fn decimal(digits: &str) -> String {
    let mut number = vec![0_u32];
    for digit in digits.chars() {
        let mut carry = digit.to_digit(16).unwrap();
        for place in &mut number {
            let value = *place * 16 + carry;
            (*place, carry) = (value % 10, value / 10);
        }
        while carry > 0 {
            number.push(carry % 10);
            carry /= 10;
        }
    }
    number.iter().rev().map(ToString::to_string).collect()
}

#[test]
fn a_plan_asks_the_service_once_for_each_architecture() {
    let mut world = World::new(Arch::Hopper, 2);
    world.members.extend(World::new(Arch::Ls10, 3).members.into_iter().skip(2));
    let requests = plan(&world).requests;
    let shown: Vec<_> = requests.iter().map(|r| (r.kind.as_str(), r.url.as_str(), r.max_age)).collect();
    const HOST: &str = "https://nras.attestation.nvidia.com";
    let [gpus, switches, keys] =
        ["/v4/attest/gpu", "/v4/attest/switch", "/.well-known/jwks.json"].map(|path| format!("{HOST}{path}"));
    let expected = [("nras.token", &*gpus, 0), ("nras.token", &*switches, 0), ("nras.jwks", &*keys, 86_400)];
    assert_eq!(shown, expected);
    for (request, arch, count) in [(&requests[0], "HOPPER", 2), (&requests[1], "LS10", 1)] {
        let post = request.post.as_ref().unwrap();
        let body = std::str::from_utf8(&post.body).unwrap();
        let begin =
            format!("{{\"nonce\":\"{}\",\"arch\":\"{arch}\",\"claims_version\":\"3.0\",", "5a".repeat(32));
        assert!(body.starts_with(&begin), "{body}");
        assert_eq!(body.matches("{\"evidence\":\"").count(), count);
        assert_eq!((body.matches("\"certificate\":\"").count(), post.key.len()), (count, 32));
        assert_eq!(post.media_type, "application/json");
    }
    assert_eq!(requests[2].post, None);
}

#[test]
fn good_answers_stand_in_for_manifests_and_statuses() {
    let world = hoppers(2);
    let reply = verifier().verify(&request(&world, &[asked(&world, &answer(2)), jwks()]));
    let WireOutcome::Accept { claims, .. } = &reply.outcome else { panic!("{:?}", reply.outcome) };
    assert_eq!(recognised(&reply), ["nras.token", "nras.jwks"]);
    let shown = format!("{claims:?}");
    assert!(shown.contains("verifier") && shown.contains(ISS) && !shown.contains("unreferenced"), "{shown}");
    // Alone, as an administrator's file.
    let reply = verifier().verify(&request(&world, &[answer(2).body(), jwks()]));
    assert_eq!(reply_code(&reply), "accept");
    // Without the setting nothing of it counts.
    let reply = Verifier::new(anchors(), 0).verify(&request(&world, &[answer(2).body(), jwks()]));
    assert_eq!((reply_code(&reply), recognised(&reply)), ("gpu.ocsp.unavailable", vec!["unknown"; 2]));
}

#[test]
fn only_what_the_host_answers_for_counts() {
    let world = hoppers(1);
    let good = request(&world, &[asked(&world, &answer(1)), jwks()]);
    for (vouched, expected) in [
        (vec![0, 1], "accept"),
        (vec![0], "jwt.jwks.unavailable"),
        (vec![1], "nras.service_unavailable"),
        (vec![], "nras.service_unavailable"),
    ] {
        let reply = verifier().verify(&VerifyRequest { vouched: vouched.clone(), ..good.clone() });
        assert_eq!(reply_code(&reply), expected, "{vouched:?}");
    }
    let waived = VerifyRequest { waivers: vec!["nras.service_unavailable".to_owned()], ..good };
    assert_ne!(reply_code(&verifier().verify(&waived)), "accept");
}

#[test]
fn answers_must_be_about_the_evidence() {
    let world = hoppers(2);
    let edited = |edit: &dyn Fn(&mut Answer)| {
        let mut answer = answer(2);
        edit(&mut answer);
        judge(&world, &answer)
    };
    assert_eq!(edited(&|_| ()), "accept");
    let claim = |name: &'static str, value: &'static str| {
        edited(&|answer| answer.devices[1].1.payload.set_text(name, value))
    };
    assert_eq!(claim("ueid", "17"), "nras.device.mismatch");
    assert_eq!(claim("ueid", UEIDS[0]), "gpu.devices.duplicate");
    assert_eq!(claim("x-nvidia-gpu-driver-version", "550.90.08"), "nras.device.mismatch");
    assert_eq!(claim("x-nvidia-gpu-vbios-version", "96.00.9F.00.02"), "nras.device.mismatch");
    assert_eq!(claim("hwmodel", "GB100 A01 GSP BROM"), "nras.device.mismatch");
    assert_eq!(claim("dbgstat", "enabled"), "nras.debug.enabled");
    assert_eq!(claim("eat_nonce", "00"), "nras.claims.malformed");
    assert_eq!(judge(&world, &answer(1)), "nras.service_unavailable");
    assert_eq!(judge(&hoppers(1), &answer(2)), "nras.device.mismatch");
    let mut other = Answer::gpus(2, &[7; 32], NOW);
    other.overall.payload.set_text("jti", "1");
    assert_eq!(judge(&world, &other), "bind.gpu_nonce.mismatch");
    // The answer to a question about other reports of the same devices, with the same nonce.
    let mut again = world.clone();
    first(&mut again).edit(|report| report.responder_nonce[0] ^= 1);
    let reply = verifier().verify(&request(&again, &[asked(&world, &answer(2)), jwks()]));
    assert_eq!(reply_code(&reply), "nras.device.mismatch");
}

#[test]
fn the_rest_is_judged_here() {
    let code = |world: &World| {
        let exchange = exchange::encode(b"{}", &answer(1).body());
        reply_code(&verifier().verify(&request(world, &[exchange, jwks()]))).to_owned()
    };
    let mut world = hoppers(1);
    world.members[0].report.signature[5] ^= 1;
    assert_eq!(code(&world), "gpu.signature.invalid");
    let mut world = hoppers(1);
    first(&mut world).edit(|report| report.set_item(item::FWID, &[0; 48]));
    assert_eq!(code(&world), "gpu.fwid.mismatch");
    let mut world = hoppers(1);
    first(&mut world).edit(|report| report.remove_item(item::PROJECT));
    assert_eq!(code(&world), "gpu.opaque.missing");
    let mut world = hoppers(1);
    world.members[0].label = Some("BLACKWELL".to_owned());
    assert_eq!(code(&world), "gpu.arch.mismatch");
    // The chain's own validity.
    let good = hoppers(1);
    let late = VerifyRequest {
        now: cc_core::UnixTime::from_secs(1_000_000_000),
        ..request(&good, &[asked(&good, &answer(1)), jwks()])
    };
    assert_eq!(reply_code(&verifier().verify(&late)), "gpu.chain.not_yet_valid");
}
