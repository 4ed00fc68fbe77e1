//! The published answers of NVIDIA's responders: each shows for its day that the certificate it was asked for is good, and
//! no byte of it can be another one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_core::UnixTime;
use cc_testkit::published::corpus;
use cc_verifier::ocsp::{Answers, Problem, Subject, is_answer};

const FOLDER: &str = "nvidia-gpu/hopper-550.90.07-complete";
/// 2025-08-21T06:47:07Z, when the device's answers were given.
const AUG_2025: u64 = 1_755_758_827;
/// 2025-10-24T11:32:21Z, when the manifests' answers were given.
const OCT_2025: u64 = 1_761_305_541;
const DAY: u64 = 86_400;

/// File, chain, place of the certificate in it (leaf first), and start of currency.
const ANSWERS: [(&str, &str, usize, u64); 7] = [
    ("gpu_certificate_l2", "cert_chain.pem", 3, AUG_2025 + 1),
    ("gpu_certificate_l3", "cert_chain.pem", 2, AUG_2025),
    ("gpu_certificate_l4", "cert_chain.pem", 1, AUG_2025),
    ("gpu_rim_l2", "driver_rim.xml", 2, OCT_2025),
    ("gpu_driver_rim_l3", "driver_rim.xml", 1, OCT_2025),
    ("gpu_driver_rim_l4", "driver_rim.xml", 0, OCT_2025),
    ("gpu_vbios_l4", "vbios_rim.xml", 0, OCT_2025 + 1),
];

fn read(file: &str) -> String {
    let path = corpus().join(FOLDER).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn answer(name: &str) -> Vec<u8> {
    STANDARD.decode(read(&format!("ocsp/test_{name}_base64encoded_ocsp_response.dat"))).unwrap()
}

/// The certificates of a file, PEM or signed XML, leaf first.
fn chain(file: &str) -> Vec<Vec<u8>> {
    let text = read(file);
    let (start, end) = match file.ends_with(".pem") {
        true => ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"),
        false => ("<ds:X509Certificate>", "</ds:X509Certificate>"),
    };
    let between = text.split(start).skip(1).map(|rest| rest.split(end).next().unwrap());
    between.map(|base64| STANDARD.decode(base64.split_whitespace().collect::<String>()).unwrap()).collect()
}

fn subject(file: &str, place: usize) -> Subject {
    let chain = chain(file);
    Subject::of(&chain[place], &chain[place + 1]).unwrap()
}

fn problem(answer: &[u8], subject: &Subject, at: u64) -> Option<Problem> {
    Answers::judge([answer], &[subject]).status(subject, UnixTime::from_secs(at)).err()
}

#[test]
fn published_answers_are_good_for_a_day() {
    for (name, file, place, from) in ANSWERS {
        let (answer, subject) = (answer(name), subject(file, place));
        assert!(is_answer(&answer), "{name}");
        for at in [from, from + DAY] {
            assert_eq!(problem(&answer, &subject, at), None, "{name} at {at}");
        }
        for at in [from - 1, from + DAY + 1] {
            assert!(matches!(problem(&answer, &subject, at), Some(Problem::Stale { .. })), "{name} at {at}");
        }
    }
    println!("{} published answers", ANSWERS.len());
}

#[test]
fn published_answers_are_about_one_certificate() {
    let subjects: Vec<_> = ANSWERS.iter().map(|(_, file, place, _)| subject(file, *place)).collect();
    let all: Vec<_> = ANSWERS.iter().map(|(name, ..)| answer(name)).collect();
    let subjects: Vec<_> = subjects.iter().collect();
    let together = Answers::judge(all.iter().map(Vec::as_slice), &subjects);
    for (index, (name, _, _, from)) in ANSWERS.iter().enumerate() {
        assert!(together.status(subjects[index], UnixTime::from_secs(*from)).is_ok(), "{name}");
        for (other, answer) in all.iter().enumerate().filter(|(other, _)| *other != index) {
            let found = problem(answer, subjects[index], *from);
            assert_eq!(found, Some(Problem::Missing), "answer {other} for {name}");
        }
    }
}

#[test]
fn no_byte_of_a_published_answer_can_be_another() {
    let mut flips = 0;
    for (name, file, place, from) in ANSWERS {
        let (good, subject) = (answer(name), subject(file, place));
        for index in 0..good.len() {
            let mut answer = good.clone();
            answer[index] ^= 1 << (index % 8);
            assert!(problem(&answer, &subject, from).is_some(), "{name}: byte {index}");
            flips += 1;
        }
    }
    println!("{flips} flipped bytes");
}
