//! HCL reports by field; every length can be made to lie.

use crate::jwt::{Object, base64url, rsa_numbers};
use crate::snp::SignKey;
use crate::tdx;
use crate::tdx::field::{
    MR_CONFIG_ID, MR_OWNER, MR_OWNER_CONFIG, MR_SEAM, MR_SERVICE_TD, MR_SIGNER_SEAM, MR_TD, REPORT_DATA,
    RTMR0, RTMR1, RTMR2, RTMR3, SEAM_ATTRIBUTES, TD_ATTRIBUTES, TD15_LENGTH, TEE_TCB_SVN, TEE_TCB_SVN_2,
    XFAM,
};

/// Length of the NV index that holds the report, bytes.
pub const NV_LENGTH: usize = 2600;
/// Room for the processor's report, bytes.
pub const HARDWARE_LENGTH: usize = 1184;
/// Length of a TD report, bytes.
pub const TD_REPORT_LENGTH: usize = 1024;

/// An HCL report before it is written. Numbers are little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HclBuilder {
    /// `HCLA`.
    pub signature: [u8; 4],
    /// Version of the header.
    pub version: u32,
    /// Length of everything but the zeros at the end as written, if it shall not be true.
    pub report_size: Option<u32>,
    /// Type of the request; 2 is that of a certificate for an attestation key.
    pub request_type: u32,
    /// Status and three reserved words.
    pub reserved: [u32; 4],
    /// The processor's report; zeros follow up to [`HARDWARE_LENGTH`].
    pub hardware: Vec<u8>,
    /// Length of data header and runtime data as written, if it shall not be true.
    pub data_size: Option<u32>,
    /// Version of the data header.
    pub data_version: u32,
    /// Kind of the processor's report: 2 SNP, 4 TDX.
    pub report_type: u32,
    /// Hash of the runtime data; 1 is SHA-256.
    pub hash_type: u32,
    /// Length of the runtime data as written, if it shall not be true.
    pub variable_size: Option<u32>,
    /// The runtime data.
    pub runtime_data: Vec<u8>,
    /// What follows.
    pub trailing: Vec<u8>,
}

impl HclBuilder {
    /// A report of version 2 that fills its NV index.
    pub fn healthy(report_type: u32, hardware: Vec<u8>, runtime_data: Vec<u8>) -> Self {
        let mut report = Self {
            signature: *b"HCLA",
            version: 2,
            report_size: None,
            request_type: 2,
            reserved: [0; 4],
            hardware,
            data_size: None,
            data_version: 1,
            report_type,
            hash_type: 1,
            variable_size: None,
            runtime_data,
            trailing: Vec::new(),
        };
        report.trailing = vec![0; NV_LENGTH.saturating_sub(report.bytes().len())];
        report
    }

    /// The report.
    pub fn bytes(&self) -> Vec<u8> {
        let length = self.runtime_data.len() as u32;
        let mut bytes = self.signature.to_vec();
        let header = [self.version, self.report_size.unwrap_or(32 + 1184 + 20 + length), self.request_type];
        bytes.extend(header.into_iter().chain(self.reserved).flat_map(u32::to_le_bytes));
        let mut hardware = self.hardware.clone();
        hardware.resize(hardware.len().max(HARDWARE_LENGTH), 0);
        bytes.extend(hardware);
        let data = [
            self.data_size.unwrap_or(20 + length),
            self.data_version,
            self.report_type,
            self.hash_type,
            self.variable_size.unwrap_or(length),
        ];
        bytes.extend(data.into_iter().flat_map(u32::to_le_bytes));
        bytes.extend(&self.runtime_data);
        bytes.extend(&self.trailing);
        bytes
    }
}

/// Runtime data with this attestation key, as the paravisor writes them.
pub fn runtime_data(key: &SignKey) -> Object {
    let mut configuration = Object::default();
    configuration.set("console-enabled", "true");
    configuration.set_number("current-time", 1_678_652_405);
    configuration.set("secure-boot", "true");
    configuration.set_text("vmUniqueId", "6332533D-5649-4D02-8AA7-8F64B7C3EE21");
    let mut runtime = Object::default();
    runtime.set("keys", &keys(&[jwk("HCLAkPub", "sign", key), jwk("HCLEkPub", "encrypt", key)]));
    runtime.set("vm-configuration", &configuration.text());
    runtime.set_text("user-data", &"0A".repeat(64));
    runtime
}

/// A list of keys as JSON text.
pub fn keys(keys: &[Object]) -> String {
    let keys: Vec<_> = keys.iter().map(Object::text).collect();
    format!("[{}]", keys.join(","))
}

/// A key as the paravisor writes it.
pub fn jwk(kid: &str, operation: &str, key: &SignKey) -> Object {
    let [n, e] = rsa_numbers(key);
    let mut jwk = Object::of(&[("kid", kid)]);
    jwk.set("key_ops", &format!("[\"{operation}\"]"));
    jwk.set_text("kty", "RSA");
    jwk.set_text("e", &base64url(&e));
    jwk.set_text("n", &base64url(&n));
    jwk
}

/// The TD report that a quote is of. Hashes and MAC, which nobody but its own platform can check, are all ones.
pub fn td_report(quote: &tdx::QuoteBuilder) -> Vec<u8> {
    let mut report = vec![0; TD_REPORT_LENGTH];
    report[0] = 0x81;
    report[0x20..0x80].fill(0xff);
    report[0xe0..0x100].fill(0xff);
    report[0x100..0x102].fill(0xff);
    let mut fields = vec![
        (0x080, REPORT_DATA),
        (0x108, TEE_TCB_SVN),
        (0x118, MR_SEAM),
        (0x148, MR_SIGNER_SEAM),
        (0x178, SEAM_ATTRIBUTES),
        (0x200, TD_ATTRIBUTES),
        (0x208, XFAM),
        (0x210, MR_TD),
        (0x240, MR_CONFIG_ID),
        (0x270, MR_OWNER),
        (0x2a0, MR_OWNER_CONFIG),
        (0x2d0, RTMR0),
        (0x300, RTMR1),
        (0x330, RTMR2),
        (0x360, RTMR3),
    ];
    if quote.body.len() == TD15_LENGTH {
        fields.extend([(0x180, TEE_TCB_SVN_2), (0x390, MR_SERVICE_TD)]);
    }
    for (at, field) in fields {
        report[at..at + field.length].copy_from_slice(quote.get(field));
    }
    report
}
