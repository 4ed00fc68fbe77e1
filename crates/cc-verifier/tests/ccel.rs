//! Event logs: what their replay gives, and that everything which is no log is refused (*verification.md* T22,
//! catalogue rows N-TDX-77 and 78).

use aws_lc_rs::digest::{SHA384, digest};
use cc_core::{Code, codes};
use cc_testkit::published::corpus;
use cc_verifier::ccel::{self, EventType, Replay};
use proptest::prelude::*;
use serde_json::Value;

const NO_ACTION: u32 = 3;
const SEPARATOR: u32 = 4;
const IPL: u32 = 0xD;
const VARIABLE: u32 = 0x8000_0001;
const APPLICATION: u32 = 0x8000_0003;
const BLOB2: u32 = 0x8000_000A;

/// Number and digest length of SHA-1, SHA-256 and SHA-384.
const ALL: [(u16, u16); 3] = [(4, 20), (0xB, 32), (0xC, 48)];
const ONLY: [(u16, u16); 1] = [(0xC, 48)];

/// A log as firmware writes it, field by field.
#[derive(Clone)]
struct Log(Vec<u8>);

impl Log {
    fn new(algorithms: &[(u16, u16)]) -> Self {
        Self::with_header(1, NO_ACTION, &spec_id(b"Spec ID Event03\0", 2, algorithms, b""))
    }

    fn with_header(register: u32, event_type: u32, data: &[u8]) -> Self {
        let mut log = Vec::new();
        log.extend(register.to_le_bytes());
        log.extend(event_type.to_le_bytes());
        log.extend([0; 20]);
        log.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        log.extend(data);
        Self(log)
    }

    /// An event with these digests.
    fn raw(mut self, register: u32, event_type: u32, digests: &[(u16, &[u8])], data: &[u8]) -> Self {
        self.0.extend(register.to_le_bytes());
        self.0.extend(event_type.to_le_bytes());
        self.0.extend(u32::try_from(digests.len()).unwrap().to_le_bytes());
        for (algorithm, digest) in digests {
            self.0.extend(algorithm.to_le_bytes());
            self.0.extend(*digest);
        }
        self.0.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        self.0.extend(data);
        self
    }

    /// An event of a log that has SHA-384 only.
    fn event(self, register: u32, event_type: u32, digest: &[u8; 48], data: &[u8]) -> Self {
        self.raw(register, event_type, &[(0xC, digest)], data)
    }

    /// The same followed by `count` bytes `fill`.
    fn padded(mut self, fill: u8, count: usize) -> Self {
        self.0.resize(self.0.len() + count, fill);
        self
    }
}

fn spec_id(signature: &[u8; 16], major: u8, algorithms: &[(u16, u16)], vendor: &[u8]) -> Vec<u8> {
    let mut data = signature.to_vec();
    data.extend([0, 0, 0, 0, 0, major, 0, 2]);
    data.extend(u32::try_from(algorithms.len()).unwrap().to_le_bytes());
    for (algorithm, length) in algorithms {
        data.extend(algorithm.to_le_bytes());
        data.extend(length.to_le_bytes());
    }
    data.push(u8::try_from(vendor.len()).unwrap());
    data.extend(vendor);
    data
}

fn sha384(bytes: &[u8]) -> [u8; 48] {
    digest(&SHA384, bytes).as_ref().try_into().unwrap()
}

fn extended(register: [u8; 48], digest: [u8; 48]) -> [u8; 48] {
    sha384(&[register, digest].concat())
}

/// Two events in RTMR0, one in RTMR2, one in RTMR3 and two that measure nothing.
fn sound() -> Log {
    Log::new(&ONLY)
        .event(1, SEPARATOR, &[1; 48], b"\0\0\0\0")
        .event(0, NO_ACTION, &[0; 48], b"StartupLocality\0\x03")
        .event(1, NO_ACTION, &[0; 48], b"")
        .event(3, IPL, &[2; 48], b"grub_cmd: linux\0")
        .event(1, BLOB2, &[3; 48], b"")
        .event(4, IPL, &[4; 48], b"")
}

fn sound_rtmrs() -> [[u8; 48]; 4] {
    let one = |digest| extended([0; 48], [digest; 48]);
    [extended(one(1), [3; 48]), [0; 48], one(2), one(4)]
}

fn code(result: Result<Replay, cc_core::Finding>) -> Option<Code> {
    result.err().map(|finding| finding.code)
}

fn matched(log: &Log, rtmrs: &[[u8; 48]; 4]) -> Option<Code> {
    let replayed = code(ccel::matches(&log.0, rtmrs.each_ref()));
    assert!(replayed.is_some() || ccel::replay(&log.0).unwrap().rtmrs == *rtmrs);
    replayed
}

#[test]
fn a_replay_extends_each_register_in_order() {
    let replay = ccel::replay(&sound().0).unwrap();
    assert_eq!(replay, Replay { rtmrs: sound_rtmrs(), events: 6 });
    assert_eq!(ccel::matches(&sound().0, sound_rtmrs().each_ref()), Ok(replay));
    let empty = ccel::replay(&Log::new(&ONLY).0).unwrap();
    assert_eq!(empty, Replay { rtmrs: [[0; 48]; 4], events: 0 });
}

#[test]
fn only_sha384_is_replayed() {
    let (a, b, c) = ([1; 20], [2; 32], [3; 48]);
    let log = Log::new(&ALL).raw(1, IPL, &[(4, &a), (0xB, &b), (0xC, &c)], b"x").raw(
        1,
        IPL,
        &[(0xC, &c), (4, &a), (0xB, &b)],
        b"y",
    );
    let replay = ccel::replay(&log.0).unwrap();
    assert_eq!((replay.rtmrs[0], replay.events), (extended(extended([0; 48], c), c), 2));
}

#[test]
fn padding_ends_a_log() {
    for (fill, count) in [(0, 1), (0, 64), (0, 100_000), (0xFF, 1), (0xFF, 100_000)] {
        assert_eq!(matched(&sound().padded(fill, count), &sound_rtmrs()), None, "{count} times {fill:#x}");
    }
    let mixed = [sound().padded(0, 100).padded(0xFF, 1), sound().padded(0xFF, 100).padded(0, 1)];
    for log in mixed.into_iter().chain([sound().padded(1, 100), sound().padded(0, 100).padded(1, 1)]) {
        assert_eq!(matched(&log, &sound_rtmrs()), Some(codes::TDX_EVENTLOG_MALFORMED));
    }
}

/// N-TDX-77, and the same for every other event and register.
#[test]
fn replay_every_event_counts() {
    let sound_rtmrs = sound_rtmrs();
    let mismatch = Some(codes::TDX_EVENTLOG_REPLAY_MISMATCH);
    let events: [(u32, u32, u8); 4] = [(1, SEPARATOR, 1), (3, IPL, 2), (1, BLOB2, 3), (4, IPL, 4)];
    let log = |order: &[usize]| {
        let event = |log: Log, at: &usize| {
            let (register, event_type, digest) = events[*at];
            log.event(register, event_type, &[digest; 48], b"")
        };
        order.iter().fold(Log::new(&ONLY), event)
    };
    assert_eq!(matched(&log(&[0, 1, 2, 3]), &sound_rtmrs), None);
    for omitted in 0..4 {
        let order: Vec<_> = (0..4).filter(|at| *at != omitted).collect();
        assert_eq!(matched(&log(&order), &sound_rtmrs), mismatch, "without event {omitted}");
    }
    assert_eq!(matched(&log(&[0, 1, 2, 3, 3]), &sound_rtmrs), mismatch, "an event twice");
    assert_eq!(matched(&log(&[2, 1, 0, 3]), &sound_rtmrs), mismatch, "another order in a register");
    assert_eq!(matched(&log(&[1, 3, 0, 2]), &sound_rtmrs), None, "another order between registers");
    for register in 0..4 {
        let mut rtmrs = sound_rtmrs;
        rtmrs[register][47] ^= 1;
        assert_eq!(matched(&sound(), &rtmrs), mismatch, "RTMR{register}");
    }
}

/// N-TDX-78 first.
#[test]
fn what_is_no_event_is_malformed() {
    let (digest, short, zero) = ([1; 48], [1; 32], [0; 48]);
    let log = || Log::new(&ONLY);
    let header = |data: &[u8]| Log::with_header(0, NO_ACTION, data).event(1, IPL, &digest, b"");
    let alone = |major, algorithms: &[_]| {
        Log::with_header(0, NO_ACTION, &spec_id(b"Spec ID Event03\0", major, algorithms, b""))
    };
    let id = |major, algorithms: &[_]| alone(major, algorithms).event(1, IPL, &digest, b"");
    let good = spec_id(b"Spec ID Event03\0", 2, &ONLY, b"vendor");
    assert_eq!(code(ccel::replay(&header(&good).0)), None);
    assert_eq!(code(ccel::replay(&id(2, &ONLY).0)), None);
    for (what, log) in [
        ("register 7", log().event(7, IPL, &digest, b"")),
        ("register 5", log().event(5, IPL, &digest, b"")),
        ("register 5, not measured", log().event(5, NO_ACTION, &zero, b"")),
        ("no register", log().event(u32::MAX, IPL, &digest, b"")),
        ("MRTD extended", log().event(0, IPL, &digest, b"")),
        ("reserved type", log().event(1, 2, &digest, b"")),
        ("unknown type", log().event(1, 0x14, &digest, b"")),
        ("type of a vendor", log().event(4, 0x0800_0001, &digest, b"")),
        ("not measured with a digest", log().event(1, NO_ACTION, &digest, b"")),
        ("no digest", log().raw(1, IPL, &[], b"")),
        ("SHA-256 instead", log().raw(1, IPL, &[(0xB, &short)], b"")),
        ("two digests of one algorithm", log().raw(1, IPL, &[(0xC, &digest), (0xC, &digest)], b"")),
        (
            "an algorithm twice and another not at all",
            Log::new(&[(0xB, 32), (0xC, 48)]).raw(1, IPL, &[(0xB, &short), (0xB, &short)], b""),
        ),
        ("SHA-384 missing", Log::new(&[(0xB, 32), (0xC, 48)]).raw(1, IPL, &[(0xB, &short)], b"")),
        (
            "two SHA-384 digests",
            Log::new(&[(0xB, 32), (0xC, 48)]).raw(1, IPL, &[(0xC, &digest), (0xC, &digest)], b""),
        ),
        ("no SHA-384 in the header", id(2, &[(0xB, 32)])),
        ("SHA-384 of another length", id(2, &[(0xC, 32)])),
        ("no SHA-384 in the header, no event", alone(2, &[(0xB, 32)])),
        ("no algorithm", alone(2, &[])),
        ("an algorithm twice in the header", alone(2, &[(0xC, 48), (0xC, 48)])),
        ("more algorithms than there are", alone(2, &[1, 2, 3, 4, 5, 6, 7, 8, 0xC].map(|id| (id, 48)))),
        ("another version", id(1, &ONLY)),
        ("another signature", header(&spec_id(b"Spec ID Event02\0", 2, &ONLY, b""))),
        ("header cut", header(&good[..good.len() - 1])),
        ("header too long", header(&[&good[..], b"\0"].concat())),
        ("header that is an event", Log::with_header(1, IPL, &good)),
        ("header of register 5", Log::with_header(5, NO_ACTION, &good)),
        ("empty", Log(Vec::new())),
        ("padding alone", Log(vec![0; 100])),
        ("too large", sound().padded(0, 1024 * 1024)),
    ] {
        assert_eq!(code(ccel::replay(&log.0)), Some(codes::TDX_EVENTLOG_MALFORMED), "{what}");
        assert_eq!(matched(&log, &[[0; 48]; 4]), Some(codes::TDX_EVENTLOG_MALFORMED), "{what}");
        assert!(ccel::events(&log.0).is_err(), "{what}");
    }
    // A digest in the header, and the number of digests of the first event.
    for at in [10, 32 + 33 + 8] {
        let mut altered = sound();
        altered.0[at] ^= 2;
        assert_eq!(code(ccel::replay(&altered.0)), Some(codes::TDX_EVENTLOG_MALFORMED), "at {at}");
    }
}

#[test]
fn a_log_cut_anywhere_is_no_log_or_another_one() {
    let log = sound().0;
    let whole = ccel::replay(&log).unwrap();
    let mut cuts = 0;
    for end in 0..log.len() {
        match ccel::replay(&log[..end]) {
            // Between two events.
            Ok(replay) => {
                assert!(replay.events < whole.events);
                cuts += 1;
            }
            Err(finding) => assert_eq!(finding.code, codes::TDX_EVENTLOG_MALFORMED),
        }
    }
    // The event that measures nothing begins with zeros; four of them alone look like padding, as does less.
    assert_eq!(cuts, 6 + 4);
}

#[test]
fn lengths_beyond_the_log_are_refused() {
    let log = sound().0;
    for at in 0..log.len() - 3 {
        let mut altered = log.clone();
        altered[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        let _ = ccel::events(&altered);
        let replayed = ccel::replay(&altered);
        assert!(replayed.is_err() || replayed.unwrap().events == 6, "at {at}");
    }
}

#[test]
fn logs_are_told_by_their_header() {
    assert!(ccel::is_log(&sound().0) && ccel::is_log(&Log::new(&ONLY).padded(0xFF, 9).0));
    let certificate = [0x30; 100];
    for other in [&b""[..], b"Spec ID Event03\0", &certificate, &sound().0[..47]] {
        assert!(!ccel::is_log(other));
    }
}

/// UEFI_VARIABLE_DATA.
fn variable(name: &str, value: &[u8]) -> Vec<u8> {
    let mut data: Vec<u8> = (0..16).collect();
    data.extend((name.encode_utf16().count() as u64).to_le_bytes());
    data.extend((value.len() as u64).to_le_bytes());
    data.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
    data.extend(value);
    data
}

/// UEFI_IMAGE_LOAD_EVENT with a PCI node and a file node.
fn image(file: &str) -> Vec<u8> {
    let name: Vec<u8> = file.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    let mut path = vec![1, 1, 6, 0, 0, 4, 4, 4];
    path.extend(u16::try_from(name.len() + 4).unwrap().to_le_bytes());
    path.extend(name);
    path.extend([0x7F, 0xFF, 4, 0]);
    let mut data = vec![7; 24];
    data.extend((path.len() as u64).to_le_bytes());
    data.extend(path);
    data
}

#[test]
fn events_are_described() {
    let (name, file) = (variable("SecureBoot", &[1]), image("\\EFI\\BOOT\\grubx64.efi"));
    let long = "x".repeat(2000);
    let guid = "03020100-0504-0706-0809-0a0b0c0d0e0f";
    let cut_name = name[..name.len() - 20].to_vec();
    let cut_file = file[..file.len() - 1].to_vec();
    for (event_type, data, description) in [
        (SEPARATOR, &[0, 0, 0, 1][..], "00000001".to_owned()),
        (IPL, b"grub_cmd: set a\0", "grub_cmd: set a".to_owned()),
        (IPL, b"two\nlines\x1b[2J", "13 bytes".to_owned()),
        (IPL, b"two\nlines", "two lines".to_owned()),
        (IPL, "a\u{202e}b".as_bytes(), "a b".to_owned()),
        (IPL, b"\xff", "1 bytes".to_owned()),
        (IPL, b"", "0 bytes".to_owned()),
        (IPL, long.as_bytes(), format!("{}…", "x".repeat(1023))),
        (VARIABLE, &name, format!("SecureBoot of {guid}: 01")),
        (VARIABLE, &variable("db", &[1; 17]), format!("db of {guid}: 17 bytes")),
        (VARIABLE, &name[..name.len() - 1], "52 bytes".to_owned()),
        (VARIABLE, &cut_name, format!("{} bytes", cut_name.len())),
        (VARIABLE, &variable("a\u{1b}", b""), format!("a  of {guid}: ")),
        (APPLICATION, &file, "\\EFI\\BOOT\\grubx64.efi".to_owned()),
        (APPLICATION, &cut_file, format!("{} bytes", cut_file.len())),
        (BLOB2, b"\x02Fv12345678", "Fv".to_owned()),
        (BLOB2, b"\x20Fv12345678", "11 bytes".to_owned()),
    ] {
        let log = Log::new(&ONLY).event(2, event_type, &[9; 48], data);
        let [event] = &ccel::events(&log.0).unwrap()[..] else { panic!("one event") };
        assert_eq!(event.description, description);
        assert_eq!((event.register.to_string(), event.register.rtmr()), ("rtmr1".to_owned(), Some(1)));
        assert_eq!(
            (event.event_type.number(), event.digest, event.covers_data),
            (event_type, [9; 48], false)
        );
    }
    let log = sound().event(1, SEPARATOR, &sha384(b"data"), b"data").padded(0xFF, 77);
    let events = ccel::events(&log.0).unwrap();
    assert_eq!(events.len(), 7);
    assert_eq!(
        (events[1].register.to_string(), events[1].event_type),
        ("mrtd".to_owned(), EventType::NO_ACTION)
    );
    assert_eq!((events[6].event_type.name(), events[6].covers_data), ("EV_SEPARATOR", true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_judged(tail in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>()) {
        let mut log = sound().0;
        log.truncate(at.index(log.len() + 1));
        log.extend(&tail);
        let (replayed, events) = (ccel::replay(&log), ccel::events(&log));
        prop_assert_eq!(replayed.map(|replay| replay.events), events.map(|events| events.len()));
    }
}

/// Field `name` of the observations, 48 bytes.
fn observed(folder: &str, name: &str) -> [u8; 48] {
    let expected: Value = serde_json::from_slice(&read(&format!("{folder}/expected.json"))).unwrap();
    hex::decode(expected["observed"][name].as_str().unwrap()).unwrap().try_into().unwrap()
}

fn read(path: &str) -> Vec<u8> {
    let corpus = corpus();
    std::fs::read(corpus.join("tdx").join(path)).unwrap()
}

/// The published log of a COS guest leads to the RTMRs of its quote.
#[test]
fn a_published_log_replays() {
    let folder = "v4-gotdx-cos113-ccel";
    let log = read(&format!("{folder}/ccel_data.dat"));
    let rtmrs = ["rtmr0", "rtmr1", "rtmr2", "rtmr3"].map(|name| observed(folder, name));
    let expected: Value = serde_json::from_slice(&read(&format!("{folder}/expected.json"))).unwrap();
    let expected = &expected["observed"]["rtmr_replay"];
    assert_eq!(expected["match"], serde_json::json!([true, true, true, true]));
    let replay = ccel::matches(&log, rtmrs.each_ref()).unwrap();
    assert_eq!(replay.events as u64, expected["events"].as_u64().unwrap());

    let events = ccel::events(&log).unwrap();
    assert_eq!(events.len(), replay.events);
    let described = |register: &str, text: &str| {
        events
            .iter()
            .any(|event| event.register.to_string() == register && event.description.starts_with(text))
    };
    for (register, text) in [
        ("rtmr0", "TdxTable"),
        ("rtmr0", "Fv(48DB5E17-707C-472D-91CD-1613E7EF51B0)"),
        ("rtmr0", "SecureBoot of 8be4df61-93ca-11d2-aa0d-00e098032b8c: 00"),
        ("rtmr1", "Calling EFI Application from Boot Option"),
        ("rtmr1", "\\EFI\\BOOT\\gr"),
        ("rtmr2", "kernel_cmdline: /syslinux/vmlinuz.A"),
    ] {
        assert!(described(register, text), "{register} {text}");
    }
    let covered = events.iter().filter(|event| event.covers_data).count();
    println!("published event logs: 1, with {} events, {covered} of them of their data", replay.events);
}

/// The published logs of dstack are JSON; as a log of the firmware's form they lead to the RTMRs of their quotes.
/// RTMR3 has events of dstack's own type, with which the log is refused.
#[test]
fn published_events_in_another_form_replay() {
    let mut replayed = 0;
    for (file, quote) in [("getquote.json", "quote.bin"), ("quote-report.json", "quote2.bin")] {
        let report: Value = serde_json::from_slice(&read(&format!("v4-dstack-lite/{file}"))).unwrap();
        let events: Vec<Value> = serde_json::from_str(report["event_log"].as_str().unwrap()).unwrap();
        // The body begins at 48, RTMR0 in it at 0x148.
        let quote = read(&format!("v4-dstack-lite/{quote}"));
        let rtmr = |number: usize| <[u8; 48]>::try_from(&quote[0x178 + 48 * number..][..48]).unwrap();
        let log = |own: bool| {
            let mut log = Log::new(&ONLY);
            for event in &events {
                let number = |name: &str| u32::try_from(event[name].as_u64().unwrap()).unwrap();
                let text = |name: &str| hex::decode(event[name].as_str().unwrap()).unwrap();
                if number("imr") < 3 || own {
                    let digest = text("digest").try_into().unwrap_or([0; 48]);
                    log = log.event(number("imr") + 1, number("event_type"), &digest, &text("event_payload"));
                }
            }
            log
        };
        let rtmrs = [rtmr(0), rtmr(1), rtmr(2), [0; 48]];
        assert_eq!(matched(&log(false), &rtmrs), None, "{file}");
        assert_eq!(matched(&log(true), &rtmrs), Some(codes::TDX_EVENTLOG_MALFORMED), "{file}");
        replayed += 1;
    }
    println!("published event logs in JSON: {replayed}");
}
