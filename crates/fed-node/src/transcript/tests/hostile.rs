//! Files that nobody wrote: they are refused before they cost anything.

use cc_core::{Code, codes};
use cc_testkit::federation::{Random, site};
use fed_proto::binding::Purpose;

use super::super::record::Transcript;
use super::super::{MAX_FILE, MAX_LINE, show};
use super::rig::Rig;

fn code(bytes: &[u8]) -> Code {
    Transcript::parse(bytes).unwrap_err().code
}

fn first(body: &str) -> Vec<u8> {
    format!("{{\"kind\":\"head\",\"prev\":\"{}\",\"body\":{body}}}\n", "0".repeat(64)).into_bytes()
}

#[test]
fn sizes_come_first() {
    assert_eq!(code(&vec![b'x'; MAX_FILE + 1]), codes::ENV_SIZE_EXCEEDED);
    let mut long = vec![b'x'; MAX_LINE + 1];
    long.push(b'\n');
    assert_eq!(code(&long), codes::ENV_SIZE_EXCEEDED);
}

#[test]
fn what_is_no_transcript_is_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (what, bytes, expected) in [
        ("nothing", Vec::new(), codes::TR_SEAL_INVALID),
        ("an empty line", b"\n".to_vec(), codes::TR_FORMAT_INVALID),
        ("text", b"hello\n".to_vec(), codes::TR_FORMAT_INVALID),
        ("not UTF-8", b"\xff\xfe\n".to_vec(), codes::TR_FORMAT_INVALID),
        ("an object", b"{}\n".to_vec(), codes::TR_FORMAT_INVALID),
        ("a head that is none", first("{}"), codes::TR_FORMAT_INVALID),
        ("a deep head", first(&deep), codes::TR_FORMAT_INVALID),
        ("a cut head", first("{\"version\":1"), codes::TR_FORMAT_INVALID),
        ("nulls", vec![0; 4096], codes::TR_SEAL_INVALID),
    ] {
        assert_eq!(code(&bytes), expected, "{what}");
        assert_eq!(show(&bytes).unwrap_err().code, expected, "{what}");
    }
}

#[test]
fn a_line_has_one_spelling() {
    let mut rig = Rig::registered(1, |_| {});
    rig.job(1);
    let kept = rig.last(&site(1), Purpose::JobStart);
    let text = String::from_utf8(kept.bytes).unwrap();
    let (head, _) = text.split_once('\n').unwrap();
    for (from, to) in [
        ("\"version\":1,", "\"version\":1, "),
        ("\"version\":1,", "\"version\":1.0,"),
        ("\"version\":1,", "\"version\":1,\"version\":1,"),
        ("\"version\":1,", "\"version\":1,\"more\":1,"),
        ("\"version\":1,\"verifier\":\"site-001\",", "\"verifier\":\"site-001\",\"version\":1,"),
        ("\"site-001\"", "\"\\u0073ite-001\""),
        ("\"job-start\"", "\"job start\""),
        ("T00:", "t00:"),
    ] {
        let changed = head.replacen(from, to, 1);
        assert_ne!(changed, head, "{from}");
        // A file of one line: whether the chain holds is not what is asked here.
        assert_eq!(code(format!("{changed}\n").as_bytes()), codes::TR_FORMAT_INVALID, "{to}");
    }
    assert_eq!(code(format!("{head}\n").as_bytes()), codes::TR_SEAL_INVALID, "the head itself reads");
}

#[test]
fn random_changes_never_panic() {
    let mut rig = Rig::registered(1, |_| {});
    rig.job(1);
    let kept = rig.last(&site(1), Purpose::JobStart);
    let mut random = Random::new(5);
    for _ in 0..300 {
        let edited = rig.resealed(&kept, |t| {
            let at = usize::try_from(random.below(u64::try_from(t.messages.len()).unwrap())).unwrap();
            let bytes = &mut t.messages[at];
            let length = u64::try_from(bytes.len()).unwrap();
            let place = usize::try_from(random.below(length)).unwrap();
            match random.below(3) {
                0 => bytes[place] ^= u8::try_from(random.below(255) + 1).unwrap(),
                1 => bytes.truncate(place),
                _ => bytes.insert(place, 0xff),
            }
        });
        let report = super::rig::verify(&edited, None, None);
        assert!(!report.differences.is_empty());
    }
}
