//! Steps S1 to S9: what can be said of a report without any certificate.

use cc_core::{Code, Finding, codes};

use super::bits;
use super::product::{Kind, Product, Tcb};
use super::report::Report;

/// A report of correct form; still not authenticated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form<'a> {
    pub(super) report: Report<'a>,
    /// The kind of key that is said to have signed it.
    pub(super) kind: Kind,
    /// The product line by CPUID; `None` for version 2, which has no CPUID (*decisions.md* 7).
    pub(super) product: Option<Product>,
}

impl Form<'_> {
    /// The product line whose TCB layout the report has. Version 2 is older than the other layout.
    pub(super) fn layout(&self) -> Product {
        self.product.unwrap_or(Product::Milan)
    }

    /// Whether CHIP_ID is all zero: masked by the host, or a report signed by a VLEK.
    pub(super) fn chip_id_is_zero(&self) -> bool {
        self.report.chip_id().iter().all(|byte| *byte == 0)
    }
}

/// Checks S1 to S7 and S9, as far as they belong to verification (*decisions.md* 6).
pub(super) fn check(evidence: &[u8]) -> Result<Form<'_>, Finding> {
    let report = Report::new(evidence)?; // S1
    let product = version(report)?; // S2
    reserved(report, product)?; // S3
    policy_and_key_info(report)?; // S4
    match report.signature_algo() {
        1 => {} // S5
        other => {
            return Err(finding(codes::SNP_SIGALGO_UNSUPPORTED, format!("SIGNATURE_ALGO is {other}, not 1")));
        }
    }
    let kind = signing_key(report)?; // S6
    if bits::mask_chip_key(report.key_info()) {
        return Err(finding(codes::SNP_CHIP_KEY_MASKED, "MASK_CHIP_KEY is set".to_owned())); // S7
    }
    let product = match product {
        Some(Some(product)) => Some(product), // S9
        None => None,
        Some(None) => {
            let [family, model, stepping] = report.cpuid();
            let detail = format!("CPUID family {family:#x}, model {model:#x}, stepping {stepping:#x}");
            return Err(finding(codes::SNP_PRODUCT_UNKNOWN, detail));
        }
    };
    Ok(Form { report, kind, product })
}

fn finding(code: Code, detail: String) -> Finding {
    Finding::new(code, detail)
}

/// S2: versions 2 to 5. Returns the product line: none before version 3, or none that is known (judged in S9).
fn version(report: Report<'_>) -> Result<Option<Option<Product>>, Finding> {
    let [family, model, _] = report.cpuid();
    match report.version() {
        2 => Ok(None),
        3..=5 => Ok(Some(Product::from_cpuid(family, model))),
        other => {
            let detail = format!("report version {other}, supported are 2 to 5");
            Err(finding(codes::SNP_VERSION_UNSUPPORTED, detail))
        }
    }
}

/// S3: everything reserved in that version is zero.
fn reserved(report: Report<'_>, product: Option<Option<Product>>) -> Result<(), Finding> {
    let version = report.version();
    let zero = |offset: usize, bytes: &[u8]| match bytes.iter().zip(offset..).find(|(byte, _)| **byte != 0) {
        None => Ok(()),
        Some((byte, at)) => {
            let detail = format!("byte {at:#05x} is {byte:#04x}, reserved in version {version}");
            Err(finding(codes::SNP_FORMAT_RESERVED, detail))
        }
    };
    zero(0x04c, report.field::<0x04c, 4>())?;
    if product.is_none() {
        zero(0x188, report.field::<0x188, 3>())?;
    }
    zero(0x18b, report.field::<0x18b, 21>())?;
    zero(0x1eb, report.field::<0x1eb, 1>())?;
    zero(0x1ef, report.field::<0x1ef, 1>())?;
    if version < 5 {
        zero(0x1f8, report.field::<0x1f8, 16>())?;
    }
    zero(0x208, report.field::<0x208, 152>())?;
    zero(0x330, report.field::<0x330, 368>())?;
    // Without a known product line there is no layout; S9 rejects such a report.
    let Some(layout) = product.unwrap_or(Some(Product::Milan)) else { return Ok(()) };
    for (name, tcb) in tcbs(report) {
        if let Err(bytes) = Tcb::decode(tcb, layout) {
            let detail = format!("{name} {} has reserved bytes {}", hex::encode(tcb), hex::encode(bytes));
            return Err(finding(codes::SNP_FORMAT_RESERVED, detail));
        }
    }
    Ok(())
}

/// The TCBs of a report by claim name.
pub(super) fn tcbs(report: Report<'_>) -> [(&'static str, [u8; 8]); 4] {
    [
        ("current_tcb", report.current_tcb()),
        ("reported_tcb", report.reported_tcb()),
        ("committed_tcb", report.committed_tcb()),
        ("launch_tcb", report.launch_tcb()),
    ]
}

/// S4: bits of POLICY and of the key information that have one correct value.
fn policy_and_key_info(report: Report<'_>) -> Result<(), Finding> {
    let (policy, key_info) = (report.policy(), report.key_info());
    if policy & bits::POLICY_RESERVED_ONE == 0 || policy & bits::POLICY_RESERVED_ZERO != 0 {
        let detail = format!("POLICY is {policy:#x}; bit 17 must be one and bits 63:26 zero");
        return Err(finding(codes::SNP_POLICY_MALFORMED, detail));
    }
    if key_info & bits::KEY_INFO_RESERVED != 0 {
        let detail = format!("key information is {key_info:#x}; bits 31:5 must be zero");
        return Err(finding(codes::SNP_POLICY_MALFORMED, detail));
    }
    Ok(())
}

/// S6: who signed.
fn signing_key(report: Report<'_>) -> Result<Kind, Finding> {
    match bits::signing_key(report.key_info()) {
        0 => Ok(Kind::Vcek),
        1 => Ok(Kind::Vlek),
        7 => {
            Err(finding(codes::SNP_SIGNING_KEY_NONE, "SIGNING_KEY is 7: the report is not signed".to_owned()))
        }
        other => Err(finding(codes::SNP_SIGNING_KEY_RESERVED, format!("SIGNING_KEY is {other}"))),
    }
}
