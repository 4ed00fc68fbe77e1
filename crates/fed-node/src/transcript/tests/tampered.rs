//! What anybody but the writer can do to a file is found, with its code.

use cc_core::{Code, codes};
use cc_testkit::federation::site;
use fed_proto::binding::Purpose;
use fed_proto::descriptor::Descriptor;

use super::super::report::Outcome;
use super::rig::{Kept, Rig, verify};

fn kept() -> (Rig, Kept) {
    let mut rig = Rig::registered(2, |_| {});
    rig.job(2);
    let kept = rig.last(&site(1), Purpose::JobStart);
    (rig, kept)
}

fn code(bytes: &[u8], descriptor: &Descriptor) -> Code {
    let report = verify(bytes, Some(descriptor), None);
    assert_eq!(report.outcome, Outcome::NotAuthentic, "{:?}", report.differences);
    assert_eq!(report.differences.len(), 1);
    report.differences[0].code.clone()
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let lines = bytes.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n');
    lines.map(<[u8]>::to_vec).collect()
}

fn joined(lines: &[Vec<u8>]) -> Vec<u8> {
    lines.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
}

#[test]
fn a_changed_byte_of_any_line_is_found() {
    let (rig, kept) = kept();
    let lines = lines(&kept.bytes);
    let mut kinds = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let kind = String::from_utf8_lossy(&line[9..]).split('"').next().unwrap().to_owned();
        let body = line.windows(8).position(|part| part == b"\"body\":{").unwrap();
        let last = number + 1 == lines.len();
        // Every byte of the seal, many of the others.
        for at in (0..line.len()).step_by(if last { 1 } else { 1 + line.len() / 40 }) {
            let mut changed = lines.clone();
            changed[number][at] ^= 1;
            let found = code(&joined(&changed), rig.descriptor());
            let expected: &[Code] = match (last, at) {
                // Another line then begins where none did.
                _ if changed[number][at] == b'\n' => &[codes::TR_FORMAT_INVALID],
                (_, 0..9) => &[codes::TR_FORMAT_INVALID],
                (_, at) if at < body => &[codes::TR_FORMAT_INVALID, codes::TR_CHAIN_BROKEN],
                (false, at) if at > body + 8 => &[codes::TR_CHAIN_BROKEN],
                (false, _) => &[codes::TR_FORMAT_INVALID, codes::TR_CHAIN_BROKEN],
                (true, _) => &[codes::TR_FORMAT_INVALID, codes::TR_SEAL_INVALID],
            };
            assert!(expected.contains(&found), "line {} ({kind}), byte {at}: {found}", number + 1);
        }
        kinds.push(kind);
    }
    kinds.dedup();
    let all = ["head", "bundle", "policy", "path", "object", "message", "judgement", "verdict", "seal"];
    assert_eq!(kinds, all);
}

#[test]
fn lines_that_are_missing_moved_or_added_are_found() {
    let (rig, kept) = kept();
    let lines = lines(&kept.bytes);
    let check = |changed: &[Vec<u8>], expected: &[Code], what: &str| {
        let found = code(&joined(changed), rig.descriptor());
        assert!(expected.contains(&found), "{what}: {found}");
    };
    for number in 0..lines.len() {
        let mut without = lines.clone();
        without.remove(number);
        let seal = number + 1 == lines.len();
        let expected = if seal { codes::TR_SEAL_INVALID } else { codes::TR_CHAIN_BROKEN };
        check(&without, &[expected], &format!("without line {number}"));
        let mut twice = lines.clone();
        twice.insert(number, lines[number].clone());
        check(&twice, &[codes::TR_CHAIN_BROKEN], &format!("line {number} twice"));
        if number > 0 {
            let mut swapped = lines.clone();
            swapped.swap(number, number - 1);
            check(&swapped, &[codes::TR_CHAIN_BROKEN], &format!("line {number} before its predecessor"));
        }
    }
    let mut empty = lines.clone();
    empty.push(Vec::new());
    check(&empty, &[codes::TR_FORMAT_INVALID], "an empty line at the end");
}

#[test]
fn a_cut_file_is_found() {
    let (rig, kept) = kept();
    let bytes = &kept.bytes;
    for end in (0..bytes.len()).step_by(997).chain([bytes.len() - 1]) {
        assert_eq!(code(&bytes[..end], rig.descriptor()), codes::TR_SEAL_INVALID, "{end} bytes");
    }
    let mut more = bytes.clone();
    more.extend_from_slice(b"\n");
    assert_eq!(code(&more, rig.descriptor()), codes::TR_FORMAT_INVALID);
    more.pop();
    more.push(b' ');
    assert_eq!(code(&more, rig.descriptor()), codes::TR_SEAL_INVALID);
}

#[test]
fn a_seal_by_another_key_is_found() {
    let (rig, kept) = kept();
    let by_another = kept.transcript.to_bytes(|message| rig.sign(&site(2), message)).unwrap();
    assert_eq!(code(&by_another, rig.descriptor()), codes::TR_SEAL_INVALID);
    let of_another = kept.transcript.to_bytes(|_| rig.sign(&site(1), b"something else")).unwrap();
    assert_eq!(code(&of_another, rig.descriptor()), codes::TR_SEAL_INVALID);
    // Without the domain that is the seal's own.
    let bare = kept.transcript.to_bytes(|message| rig.sign(&site(1), &message[18..])).unwrap();
    assert_eq!(code(&bare, rig.descriptor()), codes::TR_SEAL_INVALID);
}
