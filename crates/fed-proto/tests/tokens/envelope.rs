//! The envelope: one form, and everything else refused with its code.

use cc_core::limits::{MAX_ENDORSEMENTS, MAX_EVIDENCE};
use cc_core::{Code, codes};
use fed_proto::binding::DeviceClass;
use fed_proto::envelope::{Envelope, MAX_ENVELOPE};
use minicbor::Encoder;

use super::fixture::{Case, devices};

/// With every key.
fn full() -> Envelope {
    let mut envelope = Case::new().envelope();
    envelope.aux = vec![b"a table".to_vec(), Vec::new()];
    envelope.devices = [devices(DeviceClass::Gpu, 2)].concat();
    envelope
}

/// The entries of an envelope's map: key, and value as CBOR.
type Entries = Vec<(u64, Vec<u8>)>;

fn cbor(write: impl FnOnce(&mut Encoder<Vec<u8>>)) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder);
    encoder.into_writer()
}

fn bytes(value: &[u8]) -> Vec<u8> {
    cbor(|e| {
        e.bytes(value).unwrap();
    })
}

fn entries(envelope: &Envelope) -> Entries {
    let blobs = |blobs: &[Vec<u8>]| {
        let head = cbor(|e| {
            e.array(blobs.len().try_into().unwrap()).unwrap();
        });
        [head, blobs.iter().flat_map(|blob| bytes(blob)).collect()].concat()
    };
    let devices = cbor(|e| {
        e.array(envelope.devices.len().try_into().unwrap()).unwrap();
        for device in &envelope.devices {
            e.array(4).unwrap().u8(device.class.number()).unwrap().bytes(&device.report).unwrap();
            e.bytes(&device.cert_chain).unwrap().bytes(&device.cc_state).unwrap();
        }
    });
    let challenge = cbor(|e| {
        e.array(2).unwrap().bytes(&envelope.root.0).unwrap().u32(envelope.leaf_count).unwrap();
    });
    vec![
        (
            1,
            cbor(|e| {
                e.u8(1).unwrap();
            }),
        ),
        (
            2,
            cbor(|e| {
                e.str(envelope.profile.as_str()).unwrap();
            }),
        ),
        (3, bytes(&envelope.transcript)),
        (4, bytes(&envelope.evidence)),
        (5, blobs(&envelope.aux)),
        (6, devices),
        (7, blobs(&envelope.endorsements)),
        (8, challenge),
        (9, bytes(&envelope.pop.0)),
    ]
}

fn map(entries: &Entries) -> Vec<u8> {
    let head = cbor(|e| {
        e.map(entries.len().try_into().unwrap()).unwrap();
    });
    let body = entries.iter().flat_map(|(key, value)| {
        let key = cbor(|e| {
            e.u64(*key).unwrap();
        });
        [key, value.clone()].concat()
    });
    [head, body.collect()].concat()
}

#[track_caller]
fn refused(bytes: &[u8], code: Code) {
    let finding = Envelope::parse(bytes).expect_err(code.as_str());
    assert_eq!(finding.code, code, "{finding}");
}

/// The full envelope with changed entries.
#[track_caller]
fn changed(code: Code, change: impl FnOnce(&mut Entries)) {
    let mut entries = entries(&full());
    change(&mut entries);
    refused(&map(&entries), code);
}

#[test]
fn one_form_there_and_back() {
    let full = full();
    assert_eq!(full.to_bytes(), map(&entries(&full)), "as another encoder writes it");
    for envelope in [Case::new().envelope(), full] {
        assert_eq!(Envelope::parse(&envelope.to_bytes()), Ok(envelope));
    }
}

#[test]
fn n_env_01_empty_input() {
    refused(&[], codes::ENV_FORMAT_INVALID);
}

#[test]
fn n_env_02_one_trailing_byte() {
    for byte in [0, 0xff] {
        refused(&[full().to_bytes(), vec![byte]].concat(), codes::ENV_FORMAT_INVALID);
    }
}

#[test]
fn n_env_03_indefinite_length_map() {
    let mut whole = full().to_bytes();
    assert_eq!(whole[0], 0xa9, "a map of nine");
    whole[0] = 0xbf;
    whole.push(0xff);
    refused(&whole, codes::ENV_FORMAT_INVALID);
    // Nor anything else of indefinite length.
    for key in [5, 6, 7, 8] {
        changed(codes::ENV_FORMAT_INVALID, |entries| {
            let value = &mut entries[key - 1].1;
            value[0] = 0x9f;
            value.push(0xff);
        });
    }
    changed(codes::ENV_FORMAT_INVALID, |entries| {
        entries[3].1 = [&[0x5f][..], &bytes(b"a report"), &[0xff]].concat();
    });
}

#[test]
fn n_env_04_second_evidence() {
    let again = (4, bytes(b"another report"));
    for at in 0..=9 {
        changed(codes::ENV_FORMAT_INVALID, |entries| entries.insert(at, again.clone()));
    }
    for at in 0..9 {
        changed(codes::ENV_FORMAT_INVALID, |entries| entries.insert(at, entries[at].clone()));
    }
}

#[test]
fn n_env_05_unknown_key() {
    for key in [0, 10, 99] {
        changed(codes::ENV_FORMAT_INVALID, |entries| entries.push((key, bytes(b"x"))));
        changed(codes::ENV_FORMAT_INVALID, |entries| entries.insert(0, (key, bytes(b"x"))));
        changed(codes::ENV_FORMAT_INVALID, |entries| entries.insert(4, (key, bytes(b"x"))));
    }
}

#[test]
fn n_env_06_version_2() {
    for version in [0, 2, 255] {
        changed(codes::ENV_VERSION_UNSUPPORTED, |entries| {
            entries[0].1 = cbor(|e| {
                e.u64(version).unwrap();
            });
        });
    }
    // What a later version has beside is nobody's business here.
    changed(codes::ENV_VERSION_UNSUPPORTED, |entries| {
        entries[0].1 = vec![2];
        entries[1].1 = cbor(|e| {
            e.str("foo-1").unwrap();
        });
        entries.push((99, bytes(b"x")));
    });
}

#[test]
fn n_env_09_a_mebibyte_and_one_byte() {
    let of = |length: usize| {
        let mut envelope = Case::new().envelope();
        envelope.endorsements = vec![vec![7; length]];
        envelope
    };
    let overhead = of(100_000).to_bytes().len() - 100_000;
    let largest = of(MAX_ENVELOPE - overhead);
    assert_eq!(largest.to_bytes().len(), 1024 * 1024);
    assert_eq!(Envelope::parse(&largest.to_bytes()), Ok(largest));
    let larger = of(MAX_ENVELOPE - overhead + 1).to_bytes();
    assert_eq!(larger.len(), 1024 * 1024 + 1);
    refused(&larger, codes::ENV_SIZE_EXCEEDED);
    refused(&vec![0; MAX_ENVELOPE + 1], codes::ENV_SIZE_EXCEEDED);
}

#[test]
fn n_env_13_profile_that_does_not_exist() {
    for name in ["foo-1", "snp-raw-2", "SNP-RAW-1", "", "snp-raw-1 ", &"x".repeat(1000)] {
        changed(codes::ENV_PROFILE_UNKNOWN, |entries| {
            entries[1].1 = cbor(|e| {
                e.str(name).unwrap();
            });
        });
    }
    for name in ["snp-raw-1", "tdx-quote-1", "nv-spdm-1", "aci-raw-1", "aci-maa-1", "az-cvm-vtpm-1"] {
        let mut envelope = full();
        envelope.profile = cc_core::Profile::parse(name).unwrap();
        assert_eq!(Envelope::parse(&envelope.to_bytes()), Ok(envelope));
    }
}

#[test]
fn keys_are_all_there_and_in_order() {
    for at in [0, 1, 2, 3, 7, 8] {
        changed(codes::ENV_FORMAT_INVALID, |entries| drop(entries.remove(at)));
    }
    for at in [4, 5, 6] {
        let mut entries = entries(&full());
        entries.remove(at);
        assert!(Envelope::parse(&map(&entries)).is_ok(), "key {} may be absent", at + 1);
    }
    for at in 0..8 {
        changed(codes::ENV_FORMAT_INVALID, |entries| entries.swap(at, at + 1));
    }
    for key in [4, 5, 6] {
        changed(codes::ENV_FORMAT_INVALID, |entries| entries[key].1 = vec![0x80]);
    }
}

#[test]
fn fields_have_their_types_and_lengths() {
    for (at, value) in [
        (0, bytes(&[1])),
        (1, bytes(b"snp-raw-1")),
        (2, vec![0xf6]),
        (
            3,
            cbor(|e| {
                e.str("text").unwrap();
            }),
        ),
        (4, vec![0xa0]),
        (4, vec![0x81, 0x01]),
        (6, vec![0x81, 0x61, b'x']),
        (7, bytes(&[0; 32])),
        (7, [vec![0x82], bytes(&[0; 31]), vec![3]].concat()),
        (7, [vec![0x82], bytes(&[0; 33]), vec![3]].concat()),
        (7, [vec![0x83], bytes(&[0; 32]), vec![3, 3]].concat()),
        (7, [vec![0x81], bytes(&[0; 32])].concat()),
        (7, [vec![0x82], bytes(&[0; 32]), vec![0x1b, 0, 0, 0, 1, 0, 0, 0, 0]].concat()),
        (8, bytes(&[0; 63])),
        (8, bytes(&[0; 65])),
    ] {
        changed(codes::ENV_FORMAT_INVALID, |entries| entries[at].1 = value);
    }
}

#[test]
fn longer_forms_of_numbers_and_lengths_are_refused() {
    changed(codes::ENV_FORMAT_INVALID, |entries| entries[0].1 = vec![0x18, 1]);
    changed(codes::ENV_FORMAT_INVALID, |entries| entries[3].1 = vec![0x59, 0, 1, 7]);
    let mut bytes = full().to_bytes();
    bytes.splice(0..1, [0xb8, 9]);
    refused(&bytes, codes::ENV_FORMAT_INVALID);
    let mut bytes = full().to_bytes();
    assert_eq!(bytes[1], 1, "the first key");
    bytes.splice(1..2, [0x18, 1]);
    refused(&bytes, codes::ENV_FORMAT_INVALID);
}

#[test]
fn evidence_and_lists_have_limits() {
    let full = || Case::new().envelope();
    let mut envelope = full();
    envelope.evidence = vec![1; MAX_EVIDENCE];
    assert!(Envelope::parse(&envelope.to_bytes()).is_ok());
    envelope.evidence.push(1);
    refused(&envelope.to_bytes(), codes::ENV_SIZE_EXCEEDED);
    type List = fn(&mut Envelope) -> &mut Vec<Vec<u8>>;
    let lists: [List; 2] = [|e| &mut e.aux, |e| &mut e.endorsements];
    for of in lists {
        let mut envelope = full();
        *of(&mut envelope) = vec![vec![1]; MAX_ENDORSEMENTS];
        assert!(Envelope::parse(&envelope.to_bytes()).is_ok());
        of(&mut envelope).push(vec![1]);
        refused(&envelope.to_bytes(), codes::ENV_SIZE_EXCEEDED);
    }
    // What the head of a list promises is refused before any of it is read.
    for (at, head) in [(4, [0x98, 161]), (5, [0x98, 25]), (6, [0x98, 161])] {
        changed(codes::ENV_SIZE_EXCEEDED, |entries| entries[at].1 = head.to_vec());
    }
}

#[test]
fn devices_have_limits_a_form_and_an_order() {
    let of = |devices| {
        let mut envelope = full();
        envelope.devices = devices;
        envelope
    };
    let mixed = |gpus: u8, switches: u8| {
        let mut devices = devices(DeviceClass::Gpu, gpus + switches);
        devices.iter_mut().rev().take(switches.into()).for_each(|d| d.class = DeviceClass::Switch);
        of(devices)
    };
    for envelope in [mixed(16, 0), mixed(0, 8), mixed(16, 8)] {
        assert_eq!(Envelope::parse(&envelope.to_bytes()), Ok(envelope));
    }
    for envelope in [mixed(17, 0), mixed(0, 9), mixed(17, 7), mixed(15, 9)] {
        refused(&envelope.to_bytes(), codes::ENV_SIZE_EXCEEDED);
    }
    let two = devices(DeviceClass::Gpu, 2);
    refused(&of(vec![two[1].clone(), two[0].clone()]).to_bytes(), codes::ENV_FORMAT_INVALID);
    refused(&of(vec![two[0].clone(), two[0].clone()]).to_bytes(), codes::ENV_FORMAT_INVALID);
    for device in [
        [vec![0x84, 3], bytes(b"r"), bytes(b"c"), bytes(&[0; 4])].concat(),
        [vec![0x84, 0], bytes(b"r"), bytes(b"c"), bytes(&[0; 4])].concat(),
        [vec![0x84, 1], bytes(b"r"), bytes(b"c"), bytes(&[0; 3])].concat(),
        [vec![0x83, 1], bytes(b"r"), bytes(b"c")].concat(),
        [vec![0x85, 1], bytes(b"r"), bytes(b"c"), bytes(&[0; 4]), bytes(b"more")].concat(),
        [vec![0x9f, 1], bytes(b"r"), bytes(b"c"), bytes(&[0; 4]), vec![0xff]].concat(),
    ] {
        changed(codes::ENV_FORMAT_INVALID, |entries| entries[5].1 = [vec![0x81], device].concat());
    }
}

#[test]
fn every_truncation_and_extension_is_refused() {
    for envelope in [Case::new().envelope(), full()] {
        let bytes = envelope.to_bytes();
        for length in 0..bytes.len() {
            refused(&bytes[..length], codes::ENV_FORMAT_INVALID);
        }
        for byte in 0..=255 {
            refused(&[&bytes[..], &[byte]].concat(), codes::ENV_FORMAT_INVALID);
            assert!(Envelope::parse(&[&[byte], &bytes[..]].concat()).is_err());
        }
    }
}
