//! Attestation reports (AMD 56860, ATTESTATION_REPORT; section 1.1 of the verification requirements) by field.

use aws_lc_rs::digest;

use super::keys::SignKey;
use super::product::{LeafKind, Product};

/// Length of a report, bytes.
pub const REPORT_LENGTH: usize = 1184;
/// Length of the part under the signature, from offset 0.
pub const SIGNED_LENGTH: usize = 0x2A0;

/// The order of the P-384 group, big-endian.
pub const P384_ORDER: [u8; 48] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xC7, 0x63, 0x4D, 0x81, 0xF4, 0x37, 0x2D, 0xDF, 0x58, 0x1A,
    0x0D, 0xB2, 0x48, 0xB0, 0xA7, 0x7A, 0xEC, 0xEC, 0x19, 0x6A, 0xCC, 0xC5, 0x29, 0x73,
];

/// A report under construction; no setter signs, see [`ReportBuilder::sign`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportBuilder {
    bytes: [u8; REPORT_LENGTH],
}

/// The little-endian form of a field.
trait Field: Sized {
    fn to_bytes(self) -> Vec<u8>;
    fn of(bytes: &[u8]) -> (Self, usize);
}

impl Field for u32 {
    fn to_bytes(self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }
    fn of(bytes: &[u8]) -> (Self, usize) {
        (Self::from_le_bytes(bytes[..4].try_into().unwrap()), 4)
    }
}

impl Field for u64 {
    fn to_bytes(self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }
    fn of(bytes: &[u8]) -> (Self, usize) {
        (Self::from_le_bytes(bytes[..8].try_into().unwrap()), 8)
    }
}

impl<const N: usize> Field for [u8; N] {
    fn to_bytes(self) -> Vec<u8> {
        self.to_vec()
    }
    fn of(bytes: &[u8]) -> (Self, usize) {
        (bytes[..N].try_into().unwrap(), N)
    }
}

/// A getter and a setter for each field.
macro_rules! fields {
    ($($get:ident, $set:ident, $offset:literal, $ty:ty, $doc:literal;)*) => {
        impl ReportBuilder {
            $(
                #[doc = concat!($doc, " (offset ", stringify!($offset), ").")]
                pub fn $get(&self) -> $ty {
                    <$ty as Field>::of(&self.bytes[$offset..]).0
                }

                #[doc = concat!("Sets: ", $doc, " (offset ", stringify!($offset), ").")]
                pub fn $set(&mut self, value: $ty) -> &mut Self {
                    let bytes = value.to_bytes();
                    self.bytes[$offset..$offset + bytes.len()].copy_from_slice(&bytes);
                    self
                }
            )*
        }
    };
}

fields! {
    version, set_version, 0x000, u32, "VERSION";
    guest_svn, set_guest_svn, 0x004, u32, "GUEST_SVN";
    policy, set_policy, 0x008, u64, "POLICY";
    family_id, set_family_id, 0x010, [u8; 16], "FAMILY_ID";
    image_id, set_image_id, 0x020, [u8; 16], "IMAGE_ID";
    vmpl, set_vmpl, 0x030, u32, "VMPL";
    signature_algo, set_signature_algo, 0x034, u32, "SIGNATURE_ALGO";
    current_tcb, set_current_tcb, 0x038, [u8; 8], "CURRENT_TCB";
    platform_info, set_platform_info, 0x040, u64, "PLATFORM_INFO";
    key_info, set_key_info, 0x048, u32, "the word of AUTHOR_KEY_EN (bit 0), MASK_CHIP_KEY (1), SIGNING_KEY (4:2)";
    reserved_4c, set_reserved_4c, 0x04C, u32, "the reserved word after the key information";
    report_data, set_report_data, 0x050, [u8; 64], "REPORT_DATA";
    measurement, set_measurement, 0x090, [u8; 48], "MEASUREMENT";
    host_data, set_host_data, 0x0C0, [u8; 32], "HOST_DATA";
    id_key_digest, set_id_key_digest, 0x0E0, [u8; 48], "ID_KEY_DIGEST";
    author_key_digest, set_author_key_digest, 0x110, [u8; 48], "AUTHOR_KEY_DIGEST";
    report_id, set_report_id, 0x140, [u8; 32], "REPORT_ID";
    report_id_ma, set_report_id_ma, 0x160, [u8; 32], "REPORT_ID_MA";
    reported_tcb, set_reported_tcb, 0x180, [u8; 8], "REPORTED_TCB";
    cpuid, set_cpuid, 0x188, [u8; 3], "CPUID family, model, stepping";
    reserved_18b, set_reserved_18b, 0x18B, [u8; 21], "the reserved bytes after CPUID";
    chip_id, set_chip_id, 0x1A0, [u8; 64], "CHIP_ID";
    committed_tcb, set_committed_tcb, 0x1E0, [u8; 8], "COMMITTED_TCB";
    current_version, set_current_version, 0x1E8, [u8; 3], "CURRENT build, minor, major";
    committed_version, set_committed_version, 0x1EC, [u8; 3], "COMMITTED build, minor, major";
    launch_tcb, set_launch_tcb, 0x1F0, [u8; 8], "LAUNCH_TCB";
    launch_mit_vector, set_launch_mit_vector, 0x1F8, u64, "LAUNCH_MIT_VECTOR (version 5)";
    current_mit_vector, set_current_mit_vector, 0x200, u64, "CURRENT_MIT_VECTOR (version 5)";
    signature_r, set_signature_r, 0x2A0, [u8; 72], "R, little-endian";
    signature_s, set_signature_s, 0x2E8, [u8; 72], "S, little-endian";
}

impl ReportBuilder {
    /// All bytes zero.
    pub fn zeroed() -> Self {
        Self { bytes: [0; REPORT_LENGTH] }
    }

    /// A report, not yet signed, which a strict verifier accepts with the leaf made for the same product and kind:
    /// version [`Product::report_version`], all TCBs [`Product::tcb`].
    pub fn healthy(product: Product, kind: LeafKind) -> Self {
        let mut report = Self::zeroed();
        let tcb = product.tcb().encode(product);
        // SMT allowed and the bit that must be one; on Turin also CIPHERTEXT_HIDING_DRAM, enabled by the platform.
        let (policy, platform, firmware) = match product {
            Product::Milan => (0x3_0000, 0x25, [0x1D, 0x37, 1]),
            Product::Genoa => (0x3_0000, 0x25, [0x28, 0x37, 1]),
            Product::Turin => (0x103_0000, 0x75, [0x41, 0x37, 1]),
        };
        report
            .set_version(product.report_version())
            .set_policy(policy)
            .set_signature_algo(1)
            .set_current_tcb(tcb)
            .set_platform_info(platform)
            .set_report_data(pattern(&digest::SHA512, "report data"))
            .set_measurement(pattern(&digest::SHA384, "measurement"))
            .set_report_id(pattern(&digest::SHA256, "report id"))
            .set_report_id_ma([0xFF; 32])
            .set_reported_tcb(tcb)
            .set_cpuid(product.cpuid())
            .set_committed_tcb(tcb)
            .set_current_version(firmware)
            .set_committed_version(firmware)
            .set_launch_tcb(tcb);
        match kind {
            LeafKind::Vcek => report.set_chip_id(product.chip_id()),
            LeafKind::Vlek => report.set_key_info(1 << 2),
        };
        if product.report_version() == 5 {
            report.set_launch_mit_vector(0x3F).set_current_mit_vector(0x3F);
        }
        report
    }

    /// Turns the report into one of this version: no CPUID before 3, no mitigation vectors before 5.
    pub fn downgrade(&mut self, version: u32) -> &mut Self {
        if version < 5 {
            self.set_launch_mit_vector(0).set_current_mit_vector(0);
        }
        if version < 3 {
            self.set_cpuid([0; 3]);
        }
        self.set_version(version)
    }

    /// Inverts one bit of POLICY.
    pub fn flip_policy(&mut self, bit: u32) -> &mut Self {
        self.set_policy(self.policy() ^ (1 << bit))
    }

    /// Inverts one bit of PLATFORM_INFO.
    pub fn flip_platform(&mut self, bit: u32) -> &mut Self {
        self.set_platform_info(self.platform_info() ^ (1 << bit))
    }

    /// Sets SIGNING_KEY (bits 4:2 of the key information).
    pub fn set_signing_key(&mut self, value: u32) -> &mut Self {
        self.set_key_info((self.key_info() & !0b1_1100) | (value << 2))
    }

    /// Sets CURRENT, COMMITTED, LAUNCH and REPORTED TCB to the same value.
    pub fn set_all_tcbs(&mut self, tcb: [u8; 8]) -> &mut Self {
        self.set_current_tcb(tcb).set_committed_tcb(tcb).set_launch_tcb(tcb).set_reported_tcb(tcb)
    }

    /// The report as it is.
    pub fn bytes(&self) -> &[u8; REPORT_LENGTH] {
        &self.bytes
    }

    /// The report for direct changes.
    pub fn bytes_mut(&mut self) -> &mut [u8; REPORT_LENGTH] {
        &mut self.bytes
    }

    /// The report behind the 32-byte header of the guest device's response (status, length, 24 zero bytes).
    pub fn with_response_header(&self) -> Vec<u8> {
        let mut out = vec![0; 4];
        out.extend((REPORT_LENGTH as u32).to_le_bytes());
        out.resize(32, 0);
        out.extend(self.bytes);
        out
    }

    /// Signs bytes 0 to 0x29F: R and S little-endian in 72-byte fields, the rest of the fields zero.
    pub fn sign(&mut self, key: &SignKey) -> &mut Self {
        let signature = key.sign_fixed(&self.bytes[..SIGNED_LENGTH]);
        let (r, s) = signature.split_at(signature.len() / 2);
        self.set_signature_r(little_endian(r)).set_signature_s(little_endian(s))
    }

    /// Replaces S by n − S: another signature that verifies under the same key.
    pub fn negate_s(&mut self) -> &mut Self {
        let s = self.signature_s();
        let mut negated = [0; 72];
        let mut borrow = 0;
        for (i, order) in P384_ORDER.iter().rev().enumerate() {
            let difference = i16::from(*order) - i16::from(s[i]) - borrow;
            borrow = i16::from(difference < 0);
            negated[i] = difference.rem_euclid(256) as u8;
        }
        self.set_signature_s(negated)
    }

    /// Rewrites R and S as big-endian numbers which fill the low 48 bytes of their fields.
    pub fn signature_to_big_endian(&mut self) -> &mut Self {
        let (mut r, mut s) = (self.signature_r(), self.signature_s());
        r[..48].reverse();
        s[..48].reverse();
        self.set_signature_r(r).set_signature_s(s)
    }
}

/// A big-endian number as a 72-byte little-endian signature field.
pub fn little_endian(big_endian: &[u8]) -> [u8; 72] {
    let mut field = [0; 72];
    for (to, from) in field.iter_mut().zip(big_endian.iter().rev()) {
        *to = *from;
    }
    field
}

/// A random-looking constant for a field.
fn pattern<const N: usize>(algorithm: &'static digest::Algorithm, name: &str) -> [u8; N] {
    let seed = format!("muster test {name}");
    digest::digest(algorithm, seed.as_bytes()).as_ref().try_into().expect("digest as long as the field")
}
