//! Collection from a software TPM that is set up like Azure's, with a metadata service beside it; and each fault of both.

use std::path::PathBuf;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use cc_attester::vtpm::{Collector, DevicePort, Options, Port, Surroundings};
use cc_core::azure::Machine;
use cc_core::message::{Blob, Collected};
use cc_core::{Binding, Finding, codes};
use cc_testkit::azure::{CERTIFICATION, Metadata, TD_QUOTE, host_certificates};
use cc_testkit::https::Fault;
use cc_testkit::snp::{LeafKind, Product, World};
use serde_json::json;
use tempfile::TempDir;

use crate::support::TestPace;
use crate::support::swtpm::{SoftPort, SoftTpm};

const NV_READ_PUBLIC: u32 = 0x169;
const NV_READ: u32 = 0x14e;
const PCR_READ: u32 = 0x17e;
const QUOTE: u32 = 0x158;

/// An HCL report as far as the collector looks at it: header, report of this type (2 is SNP, 4 is TDX), runtime data.
fn hcl_report(kind: u8) -> Vec<u8> {
    let mut report: Vec<u8> = (0..2000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    report[..4].copy_from_slice(b"HCLA");
    report[1224..1228].copy_from_slice(&[kind, 0, 0, 0]);
    report
}

/// A quote for a TDREPORT as far as the collector looks at it: version 4, trust domain, its REPORTDATA.
fn td_quote(td_report: &[u8]) -> Vec<u8> {
    let mut quote = vec![0; 48 + 584 + 4];
    (quote[0], quote[4]) = (4, 0x81);
    quote[568..632].copy_from_slice(&td_report[128..192]);
    quote
}

/// What is done to an answer.
type Edit = fn(&mut Vec<u8>);

struct Rig {
    tpm: SoftTpm,
    metadata: Metadata,
    world: World,
    pace: TestPace,
    directory: TempDir,
}

impl Rig {
    fn new(hcl_report: &[u8]) -> Self {
        let world = World::new(Product::Milan, LeafKind::Vcek);
        Self {
            tpm: SoftTpm::with_hcl_report(hcl_report, true),
            metadata: Metadata::start(&host_certificates(&world), td_quote),
            world,
            pace: TestPace::new(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn through(&self, port: impl Port + 'static) -> Collector {
        let options = Options {
            metadata: self.metadata.service().url(),
            lock: self.directory.path().join("lock"),
            metadata_timeout: Duration::from_millis(300),
            ..Options::default()
        };
        let pace = Box::new(self.pace.clone());
        let surroundings = Surroundings { port: Box::new(port), pace, chance: Box::new(|| 255) };
        Collector::within(surroundings, &options).unwrap()
    }

    fn collect(&self) -> Result<Collected, Finding> {
        self.through(self.tpm.port()).collect(&Binding::Nonce([0xA5; 32]))
    }

    /// The code with which a collection ends whose TPM's answers to `command` are edited.
    fn edited(&self, command: u32, edit: Edit) -> Finding {
        let port = Edited { inner: self.tpm.port(), command, edit };
        let collected = self.through(port).collect(&Binding::Nonce([0xA5; 32]));
        match collected {
            Ok(_) => panic!("what was edited is not noticed"),
            Err(finding) => finding,
        }
    }
}

/// Edits the answers to one kind of command.
struct Edited {
    inner: SoftPort,
    command: u32,
    edit: Edit,
}

fn code(command: &[u8]) -> u32 {
    u32::from_be_bytes(command[6..10].try_into().unwrap())
}

impl Port for Edited {
    fn transmit(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut answer = self.inner.transmit(command)?;
        if code(command) == self.command {
            (self.edit)(&mut answer);
            let length = u32::try_from(answer.len()).unwrap();
            answer[2..6].copy_from_slice(&length.to_be_bytes());
        }
        Ok(answer)
    }
}

/// Extends a PCR before each of the first quotes.
struct Restless(SoftPort, usize);

impl Port for Restless {
    fn transmit(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        if code(command) == QUOTE && self.1 > 0 {
            self.1 -= 1;
            self.0.extend(14);
        }
        self.0.transmit(command)
    }
}

/// That the key of the TPM signed the message, which is over the nonce and these PCRs.
fn verify(rig: &Rig, machine: &Machine) {
    let key = RsaPublicKeyComponents { n: &rig.tpm.modulus[..], e: &[1, 0, 1][..] };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, &machine.message, &machine.signature).unwrap();
    assert_eq!(machine.extra_data().unwrap(), [0xA5; 32]);
    assert_eq!(machine.pcrs.len(), 24);
    let over = digest(&SHA256, machine.pcrs.as_flattened());
    assert!(machine.message.ends_with(over.as_ref()));
}

#[test]
fn an_snp_machine_has_a_quote_and_its_processors_certificates() {
    let rig = Rig::new(&hcl_report(2));
    rig.tpm.port().extend(3);
    let collected = rig.collect().unwrap();
    let machine = Machine::decode(&collected.evidence).unwrap();
    verify(&rig, &machine);
    assert_eq!(machine.hcl_report, hcl_report(2));
    assert!(machine.td_quote.is_empty());
    // PCRs 17 to 22 start as ones, the others as zeros; one was extended.
    for (number, value) in machine.pcrs.iter().enumerate() {
        let expected = match number {
            3 => digest(&SHA256, &[[0; 32], [7; 32]].concat()).as_ref().try_into().unwrap(),
            17..=22 => [0xff; 32],
            _ => [0; 32],
        };
        assert_eq!(*value, expected, "PCR {number}");
    }
    let world = &rig.world;
    let certificates = [&world.leaf, &world.intermediate, &world.ark].map(|der| Blob(der.clone()));
    assert_eq!(collected.endorsements, certificates);
    assert_eq!(rig.metadata.service().log(), [CERTIFICATION]);
}

#[test]
fn a_tdx_machine_has_a_quote_in_place_of_its_local_report() {
    let rig = Rig::new(&hcl_report(4));
    let collected = rig.collect().unwrap();
    let machine = Machine::decode(&collected.evidence).unwrap();
    verify(&rig, &machine);
    assert_eq!(machine.td_quote, td_quote(&hcl_report(4)[32..]));
    assert_eq!(collected.endorsements, []);
    assert_eq!(rig.metadata.service().log(), [TD_QUOTE]);
}

#[test]
fn an_index_that_is_not_the_owners_is_read_with_its_own_authorization() {
    let mut rig = Rig::new(&hcl_report(2));
    rig.tpm = SoftTpm::with_hcl_report(&hcl_report(2), false);
    let machine = Machine::decode(&rig.collect().unwrap().evidence).unwrap();
    assert_eq!(machine.hcl_report, hcl_report(2));
}

#[test]
fn pcrs_that_change_are_read_again_three_times() {
    let rig = Rig::new(&hcl_report(2));
    let ask = |times| rig.through(Restless(rig.tpm.port(), times)).collect(&Binding::Nonce([0xA5; 32]));
    verify(&rig, &Machine::decode(&ask(2).unwrap().evidence).unwrap());
    assert_eq!(ask(3).unwrap_err().code, codes::VTPM_COLLECT_BUSY);
}

#[test]
fn a_quote_that_does_not_answer_is_refused() {
    let rig = Rig::new(&hcl_report(2));
    // Header, length of the parameters and of the message; then magic, type, the signer's name and the extra data.
    let cases: [(&str, Edit); 5] = [
        ("magic", |answer| answer[16] ^= 1),
        ("type", |answer| answer[21] ^= 1),
        ("extra data", |answer| {
            let at = answer.windows(32).position(|part| part == [0xA5; 32]).unwrap();
            answer[at + 31] ^= 1;
        }),
        ("shorter message", |answer| {
            // The last byte of the digest leaves the message, which says so in all lengths.
            let length = usize::from(u16::from_be_bytes([answer[14], answer[15]]));
            answer.remove(16 + length - 1);
            answer[13] = answer[13].wrapping_sub(1);
            answer[15] = answer[15].wrapping_sub(1);
        }),
        ("longer message", |answer| {
            let length = usize::from(u16::from_be_bytes([answer[14], answer[15]]));
            answer.insert(16 + length, 0);
            answer[13] = answer[13].wrapping_add(1);
            answer[15] = answer[15].wrapping_add(1);
        }),
    ];
    for (name, edit) in cases {
        let refused = rig.edited(QUOTE, edit);
        assert_eq!(refused.code, codes::VTPM_COLLECT_WRONG_QUOTE, "{name}: {}", refused.detail);
    }
}

#[test]
fn answers_of_another_form_are_refused() {
    let rig = Rig::new(&hcl_report(2));
    for command in [NV_READ_PUBLIC, NV_READ, PCR_READ, QUOTE] {
        let cases: [(&str, Edit); 4] = [
            ("header only", |answer| answer.truncate(10)),
            ("cut", |answer| answer.truncate(15)),
            ("other tag", |answer| answer[1] ^= 3),
            ("response code", |answer| answer[9] = 1),
        ];
        for (name, edit) in cases {
            let refused = rig.edited(command, edit);
            assert_eq!(refused.code, codes::VTPM_COLLECT_FAILED, "{command:#x} {name}: {}", refused.detail);
        }
    }
    let cases: [(&str, u32, Edit); 11] = [
        ("length of the public area", NV_READ_PUBLIC, |answer| answer[11] ^= 1),
        ("more in the public area", NV_READ_PUBLIC, |answer| {
            answer[11] += 1;
            answer.insert(26, 0);
        }),
        ("length of the parameters", NV_READ, |answer| answer[13] ^= 1),
        ("less than was asked for", NV_READ, |answer| {
            answer.remove(16);
            for at in [12, 14] {
                let length = u16::from_be_bytes([answer[at], answer[at + 1]]) - 1;
                answer[at..at + 2].copy_from_slice(&length.to_be_bytes());
            }
        }),
        ("number of values", PCR_READ, |answer| answer[27] = 7),
        ("another index", NV_READ_PUBLIC, |answer| answer[15] ^= 1),
        ("more after the public area", NV_READ_PUBLIC, |answer| answer.push(0)),
        ("another bank", PCR_READ, |answer| answer[19] = 4),
        ("other PCRs", PCR_READ, |answer| answer[21] ^= 1),
        ("another scheme", QUOTE, |answer| {
            let length = usize::from(u16::from_be_bytes([answer[14], answer[15]]));
            answer[16 + length + 1] = 0x16;
        }),
        ("nothing at all", QUOTE, |answer| answer.truncate(6)),
    ];
    for (name, command, edit) in cases {
        let refused = rig.edited(command, edit);
        assert_eq!(refused.code, codes::VTPM_COLLECT_FAILED, "{name}: {}", refused.detail);
        let asked = match command {
            NV_READ_PUBLIC => "TPM2_NV_ReadPublic: ",
            NV_READ => "TPM2_NV_Read: ",
            PCR_READ => "TPM2_PCR_Read: ",
            _ => "TPM2_Quote: ",
        };
        assert!(refused.detail.starts_with(asked), "{name}: {}", refused.detail);
    }
}

/// Its quotes are longer than they say.
struct Boaster(SoftPort);

impl Port for Boaster {
    fn transmit(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut answer = self.0.transmit(command)?;
        if code(command) == QUOTE {
            answer.push(0);
        }
        Ok(answer)
    }
}

#[test]
fn an_answer_has_the_length_that_it_says() {
    let rig = Rig::new(&hcl_report(2));
    let refused = rig.through(Boaster(rig.tpm.port())).collect(&Binding::Nonce([0; 32])).unwrap_err();
    assert_eq!(refused.code, codes::VTPM_COLLECT_FAILED);
}

#[test]
fn a_tpm_that_is_not_azures_has_no_evidence() {
    let mut rig = Rig::new(&hcl_report(2));
    rig.tpm = SoftTpm::empty();
    let refused = rig.collect().unwrap_err();
    assert_eq!(refused.code, codes::VTPM_COLLECT_FAILED);
    assert!(refused.detail.starts_with("TPM2_NV_ReadPublic: response code 0x"), "{}", refused.detail);
    let [mut snp, mut tdx] = [2, 4].map(hcl_report);
    (snp[0], tdx[3]) = (b'h', b'B');
    for other in [hcl_report(3), snp, tdx, vec![0; 2000], hcl_report(2)[..1227].to_vec()] {
        rig.tpm = SoftTpm::with_hcl_report(&other, true);
        assert_eq!(rig.collect().unwrap_err().code, codes::VTPM_COLLECT_FAILED);
    }
    assert!(rig.metadata.service().log().is_empty());
}

#[test]
fn without_a_tpm_there_is_no_device() {
    let rig = Rig::new(&hcl_report(2));
    let nowhere = DevicePort(PathBuf::from("/nonexistent/tpmrm0"));
    let refused = rig.through(nowhere).collect(&Binding::Nonce([0; 32])).unwrap_err();
    assert_eq!(refused.code, codes::VTPM_COLLECT_NO_DEVICE);
    let wide = rig.through(rig.tpm.port()).collect(&Binding::new([0; 64])).unwrap_err();
    assert_eq!(wide.code, codes::PLUG_CONTRACT);
}

#[test]
fn a_device_gives_each_answer_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tpmrm0");
    std::fs::write(&path, [&[0; 12][..], b"the answer"].concat()).unwrap();
    let answer = DevicePort(path.clone()).transmit(&[1; 12]).unwrap();
    assert_eq!(answer, b"the answer");
    assert!(std::fs::read(&path).unwrap().starts_with(&[1; 12]));
}

#[test]
fn a_metadata_service_that_fails_is_said_to() {
    let rig = Rig::new(&hcl_report(2));
    for fault in [Fault::Say(b"{}".to_vec()), Fault::Refuse(400, "no".to_owned()), Fault::Status(404)] {
        rig.metadata.service().fault(CERTIFICATION, fault.clone());
        assert_eq!(rig.collect().unwrap_err().code, codes::VTPM_COLLECT_REFUSED, "{fault:?}");
    }
    let mut host = host_certificates(&rig.world);
    host["vcekCert"] = json!("none");
    rig.metadata.service().fault(CERTIFICATION, Fault::Say(host.to_string().into_bytes()));
    assert_eq!(rig.collect().unwrap_err().code, codes::VTPM_COLLECT_REFUSED);
    rig.metadata.service().fault(CERTIFICATION, Fault::Throttle(Some("2".to_owned())));
    assert!(rig.collect().is_ok());
    assert_eq!(*rig.pace.waits.lock().unwrap(), [Duration::from_secs(2)]);
    rig.metadata.service().always(CERTIFICATION, Fault::Status(500));
    assert_eq!(rig.collect().unwrap_err().code, codes::VTPM_COLLECT_UNAVAILABLE);
}

#[test]
fn a_quote_of_another_machine_is_refused() {
    let rig = Rig::new(&hcl_report(4));
    let say = |quote: &[u8]| {
        let body = json!({ "quote": cc_testkit::jwt::base64url(quote) }).to_string();
        rig.metadata.service().fault(TD_QUOTE, Fault::Say(body.into_bytes()));
        rig.collect().map(|_| ()).map_err(|finding| finding.code)
    };
    let good = td_quote(&hcl_report(4)[32..]);
    assert_eq!(say(&good), Ok(()));
    for at in [568, 631] {
        let mut other = good.clone();
        other[at] ^= 1;
        assert_eq!(say(&other), Err(codes::VTPM_COLLECT_WRONG_QUOTE));
    }
    assert_eq!(say(b""), Err(codes::VTPM_COLLECT_WRONG_QUOTE));
    assert_eq!(say(&[&good[..], &vec![0; 128 * 1024]].concat()), Err(codes::VTPM_COLLECT_REFUSED));
    for body in [r#"{"quote":"*"}"#, r#"{"quote":1}"#, "{}"] {
        rig.metadata.service().fault(TD_QUOTE, Fault::Say(body.as_bytes().to_vec()));
        assert_eq!(rig.collect().unwrap_err().code, codes::VTPM_COLLECT_REFUSED, "{body}");
    }
    // Base64 with padding says the same.
    let padded = URL_SAFE.encode([&good[..], &[0]].concat());
    assert!(padded.ends_with('='));
    rig.metadata.service().fault(TD_QUOTE, Fault::Say(json!({ "quote": padded }).to_string().into_bytes()));
    assert!(rig.collect().is_ok());
}

#[test]
fn the_address_of_the_metadata_service_is_one() {
    assert!(Collector::new(&Options::default()).is_ok());
    for metadata in ["https://169.254.169.254", "http://169.254.169.254/metadata", "169.254.169.254", ""] {
        let options = Options { metadata: metadata.to_owned(), ..Options::default() };
        let refused = Collector::new(&options).err().map(|finding| finding.code);
        assert_eq!(refused, Some(codes::PLUG_CONFIG_INVALID), "{metadata}");
    }
}
