//! Chains of devices in NVIDIA's shape.
//!
//! The committed root (`keys/gpu-root.der`) is byte-stable although ECDSA signatures are random, because a trust anchor is
//! compared as a whole. `examples/gen-keys.rs` makes it anew together with the keys.

use super::keys;
use crate::der;
use crate::snp::ca::{AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, KEY_USAGE, SUBJECT_KEY_ID, authority_key_id};
use crate::snp::cert::pem;
use crate::snp::{CertSpec, Ext, SigKind, SignKey};

/// Identifier of the extension that names the firmware on Hopper and LS10 (CompositeDeviceID).
pub const COMPOSITE_DEVICE_ID: &str = "2.23.133.5.4.1";
/// Identifier of the extension that names the firmware on Blackwell (DICE TcbInfo).
pub const TCB_INFO: &str = "2.23.133.5.4.1.1";
/// Common name of the root.
pub const ROOT_NAME: &str = "NVIDIA Device Identity CA";

/// Start of validity of all: 2021-11-05T00:00:00Z.
pub const NOT_BEFORE: i64 = 1_636_070_400;
/// End of validity of all: 9999-12-31T23:59:59Z.
pub const NOT_AFTER: i64 = 253_402_300_799;

const SHA384: &str = "2.16.840.1.101.3.4.2.2";
/// Key usage: digitalSignature; keyCertSign; keyCertSign and cRLSign. Unused bits and bits.
const SIGNS_REPORTS: (u8, u8) = (7, 0b1000_0000);
const SIGNS_CERTIFICATES: (u8, u8) = (2, 0b0000_0100);
const SIGNS_BOTH: (u8, u8) = (1, 0b0000_0110);

/// A family of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arch {
    /// GB100.
    Blackwell,
    /// GH100.
    Hopper,
    /// The switch.
    Ls10,
}

impl Arch {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Blackwell, Self::Hopper, Self::Ls10];

    /// The name that the tools use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blackwell => "BLACKWELL",
            Self::Hopper => "HOPPER",
            Self::Ls10 => "LS10",
        }
    }

    /// The chip, as certificates name it.
    pub fn chip(self) -> &'static str {
        match self {
            Self::Blackwell => "GB100",
            Self::Hopper => "GH100",
            Self::Ls10 => "LS_10",
        }
    }

    /// Common names, leaf first. The model's authority of the switch is that of Hopper.
    fn names(self) -> [String; 4] {
        let (chip, unit) = (self.chip(), if self == Self::Ls10 { "FSP" } else { "GSP" });
        let model = if self == Self::Ls10 { "GH100" } else { chip };
        [
            format!("{chip} A01 {unit} FMC LF"),
            format!("{chip} A01 {unit} BROM"),
            format!("NVIDIA {chip} Provisioner ICA 1"),
            format!("NVIDIA {model} Identity"),
        ]
    }
}

/// The committed root certificate.
pub fn root_der() -> &'static [u8] {
    include_bytes!("../../keys/gpu-root.der")
}

/// The root with any key.
pub fn root_with_key(key: &SignKey) -> CertSpec {
    let name = name(None, ROOT_NAME, "NVIDIA");
    certificate((name.clone(), key), (name, key), SIGNS_BOTH, true)
}

/// A device's certificates: specifications that can be edited, and keys. Leaf first.
#[derive(Clone)]
pub struct DeviceChain {
    /// Leaf, device, provisioner, model.
    pub specs: [CertSpec; 4],
    /// Their keys, then the root's: each certificate is signed with the key after its own.
    pub keys: [&'static SignKey; 5],
    /// The root certificate.
    pub root: Vec<u8>,
}

impl DeviceChain {
    /// The chain of a device with that number, whose leaf names that firmware.
    pub fn new(arch: Arch, number: u8, fwid: &[u8; 48]) -> Self {
        let keys = [keys::leaf(), keys::device(), keys::provisioner(), keys::model(), keys::root()];
        let [leaf, device, provisioner, model] = arch.names();
        let (ueid, pdi) = (format!("{number:02X}C22BA15E5D68088282DA074ED9FB37AA58577A"), pdi(number));
        let subjects = [
            name(Some(&ueid), &leaf, "NVIDIA Corporation"),
            name(Some(&format!("41{pdi}")), &device, "NVIDIA Corporation"),
            name(None, &provisioner, "NVIDIA Corporation"),
            name(None, &model, "NVIDIA Corporation"),
            name(None, ROOT_NAME, "NVIDIA"),
        ];
        let spec = |at: usize| {
            let usage = [SIGNS_REPORTS, SIGNS_CERTIFICATES, SIGNS_BOTH, SIGNS_BOTH][at];
            let issuer = (subjects[at + 1].clone(), keys[at + 1]);
            certificate((subjects[at].clone(), keys[at]), issuer, usage, at != 0)
        };
        let mut specs = [spec(0), spec(1), spec(2), spec(3)];
        specs[0].serial = vec![0x53, number, 1];
        specs[1].serial = vec![0x41, number, 2];
        let (id, value) = match arch {
            Arch::Blackwell => (TCB_INFO, tcb_info(&[fwid, &[0; 48]])),
            Arch::Hopper | Arch::Ls10 => (COMPOSITE_DEVICE_ID, composite_device_id(keys[1], fwid)),
        };
        specs[0].set_ext(id, value);
        Self { specs, keys, root: root_der().to_vec() }
    }

    /// The certificates, leaf first, root last, DER.
    pub fn ders(&self) -> Vec<Vec<u8>> {
        let signed = self.specs.iter().zip(&self.keys[1..]).map(|(spec, key)| spec.sign(key));
        signed.chain([self.root.clone()]).collect()
    }

    /// The chain as the driver gives it.
    pub fn pem(&self) -> Vec<u8> {
        bundle(&self.ders())
    }
}

/// Certificates in PEM, one after the other.
pub fn bundle(ders: &[Vec<u8>]) -> Vec<u8> {
    ders.iter().map(|der| pem(der)).collect::<String>().into_bytes()
}

/// The identifier of a device on NVLink, in hexadecimal.
pub fn pdi(number: u8) -> String {
    format!("431D480FE5E872{number:02X}")
}

/// The extension that names a firmware on Hopper and LS10: version, key, FWID.
pub fn composite_device_id(key: &SignKey, fwid: &[u8]) -> Vec<u8> {
    der::seq(&[der::integer(1), key.spki().to_vec(), fwid_of(fwid)])
}

/// The extension that names firmwares on Blackwell: vendor, model, SVN, layer, index, FWIDs, flags.
pub fn tcb_info(fwids: &[&[u8]]) -> Vec<u8> {
    let fwids: Vec<_> = fwids.iter().map(|fwid| fwid_of(fwid)).collect();
    der::seq(&[
        der::context_primitive(0, b"NVIDIA"),
        der::context_primitive(1, b"GB100 A01 GSP"),
        der::context_primitive(3, &[1]),
        der::context_primitive(4, &[0]),
        der::context_primitive(5, &[0]),
        der::context(6, &fwids),
        der::context_primitive(7, &[0, 0x80, 0, 0, 0]),
    ])
}

fn fwid_of(digest: &[u8]) -> Vec<u8> {
    der::seq(&[der::oid(SHA384), der::octet_string(digest)])
}

/// The name of a certificate: perhaps a serialNumber, then C, O, CN.
pub fn name(serial_number: Option<&str>, common_name: &str, organisation: &str) -> Vec<u8> {
    let attribute = |kind: &str, tag: u8, value: &str| {
        der::set(&[der::seq(&[der::oid(kind), der::tlv(tag, value.as_bytes())])])
    };
    let serial = serial_number.map(|number| attribute("2.5.4.5", der::PRINTABLE_STRING, number));
    let country = (organisation != "NVIDIA").then(|| attribute("2.5.4.6", der::PRINTABLE_STRING, "US"));
    let rest = [
        attribute("2.5.4.10", der::UTF8_STRING, organisation),
        attribute("2.5.4.3", der::UTF8_STRING, common_name),
    ];
    der::seq(&serial.into_iter().chain(country).chain(rest).collect::<Vec<_>>())
}

fn certificate(
    (subject, key): (Vec<u8>, &SignKey),
    (issuer, issuer_key): (Vec<u8>, &SignKey),
    (unused_bits, usage): (u8, u8),
    is_authority: bool,
) -> CertSpec {
    let mut serial = key.key_id();
    serial.insert(0, 0x2D);
    let mut extensions = vec![Ext::critical(KEY_USAGE, der::bit_string(unused_bits, &[usage]))];
    if is_authority {
        extensions.insert(0, Ext::critical(BASIC_CONSTRAINTS, der::seq(&[der::boolean(true)])));
    }
    extensions.push(Ext::new(SUBJECT_KEY_ID, der::octet_string(&key.key_id())));
    extensions.push(Ext::new(AUTHORITY_KEY_ID, authority_key_id(issuer_key)));
    CertSpec {
        version: Some(2),
        serial,
        inner_algorithm: SigKind::Ecdsa.algorithm(),
        issuer,
        not_before: NOT_BEFORE,
        not_after: NOT_AFTER,
        subject,
        spki: key.spki().to_vec(),
        extensions,
        outer_algorithm: SigKind::Ecdsa.algorithm(),
        signing: SigKind::Ecdsa,
    }
}
