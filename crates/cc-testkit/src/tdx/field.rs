//! Where the fields of a quote lie (section 2.1 of the verification requirements).

/// A part of a quote that is signed as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The 48 bytes at the start, under the attestation key.
    Header,
    /// The TD report body, under the attestation key.
    Body,
    /// The report of the quoting enclave, under the PCK.
    QeReport,
}

/// One field: part, offset in it, length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The part that holds it.
    pub part: Part,
    /// Offset in the part, bytes.
    pub offset: usize,
    /// Length, bytes.
    pub length: usize,
}

macro_rules! fields {
    ($($name:ident $part:ident $offset:literal $length:literal $doc:literal;)*) => {
        $(
            #[doc = $doc]
            pub const $name: Field = Field { part: Part::$part, offset: $offset, length: $length };
        )*
    };
}

fields! {
    VERSION Header 0x00 2 "Quote version.";
    ATT_KEY_TYPE Header 0x02 2 "Kind of the attestation key; 2 is ECDSA with P-256.";
    TEE_TYPE Header 0x04 4 "Kind of the attested environment; 0x81 is TDX.";
    RESERVED_8 Header 0x08 4 "Once QE SVN and PCE SVN.";
    QE_VENDOR_ID Header 0x0C 16 "Vendor of the quoting enclave.";
    USER_DATA Header 0x1C 20 "QE id and four zero bytes.";

    TEE_TCB_SVN Body 0x000 16 "SVNs of module (0), module's major version (1), loader and microcode at launch.";
    MR_SEAM Body 0x010 48 "Measurement of the module.";
    MR_SIGNER_SEAM Body 0x040 48 "Signer of the module; zero is Intel.";
    SEAM_ATTRIBUTES Body 0x070 8 "Attributes of the module.";
    TD_ATTRIBUTES Body 0x078 8 "Attributes of the TD, little-endian.";
    XFAM Body 0x080 8 "Extended features of the TD, little-endian.";
    MR_TD Body 0x088 48 "Measurement of the TD's initial contents.";
    MR_CONFIG_ID Body 0x0B8 48 "Configuration id.";
    MR_OWNER Body 0x0E8 48 "Owner id.";
    MR_OWNER_CONFIG Body 0x118 48 "Owner's configuration id.";
    RTMR0 Body 0x148 48 "Run-time measurement register 0.";
    RTMR1 Body 0x178 48 "Run-time measurement register 1.";
    RTMR2 Body 0x1A8 48 "Run-time measurement register 2.";
    RTMR3 Body 0x1D8 48 "Run-time measurement register 3.";
    REPORT_DATA Body 0x208 64 "The bound bytes.";
    TEE_TCB_SVN_2 Body 0x248 16 "Current SVNs (TD 1.5).";
    MR_SERVICE_TD Body 0x258 48 "Service TDs (TD 1.5).";

    QE_CPU_SVN QeReport 0x000 16 "CPUSVN of the quoting enclave.";
    QE_MISC_SELECT QeReport 0x010 4 "MISCSELECT of the quoting enclave.";
    QE_ATTRIBUTES QeReport 0x030 16 "ATTRIBUTES of the quoting enclave.";
    QE_MR_ENCLAVE QeReport 0x040 32 "MRENCLAVE of the quoting enclave.";
    QE_MR_SIGNER QeReport 0x080 32 "MRSIGNER of the quoting enclave.";
    QE_ISV_PROD_ID QeReport 0x100 2 "ISVPRODID of the quoting enclave, little-endian.";
    QE_ISV_SVN QeReport 0x102 2 "ISVSVN of the quoting enclave, little-endian.";
    QE_REPORT_DATA QeReport 0x140 64 "Hash of attestation key and authentication data, then zero.";
}

/// The run-time measurement registers in order.
pub const RTMRS: [Field; 4] = [RTMR0, RTMR1, RTMR2, RTMR3];

/// Length of the header, bytes.
pub const HEADER_LENGTH: usize = 48;
/// Length of a TD 1.0 body, bytes.
pub const TD10_LENGTH: usize = 584;
/// Length of a TD 1.5 body, bytes.
pub const TD15_LENGTH: usize = 648;
/// Length of the report of the quoting enclave, bytes.
pub const QE_REPORT_LENGTH: usize = 384;
