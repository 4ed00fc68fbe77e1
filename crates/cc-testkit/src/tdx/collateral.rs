//! TCB infos and QE identities as Intel's service writes them, and the signature over their exact text.

use std::fmt::Write;

use super::quote::qe_mr_signer;
use super::sgx::FMSPC;
use super::{DAY, NOW};
use crate::der;
use crate::snp::SignKey;

/// A signed JSON text as it stands in the service's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The name of the signed value: `tcbInfo` or `enclaveIdentity`.
    pub name: &'static str,
    /// The signed value, exactly.
    pub text: String,
    /// `r ‖ s`, big-endian.
    pub signature: Vec<u8>,
}

impl Signed {
    /// Signs a text.
    pub fn new(name: &'static str, text: String, key: &SignKey) -> Self {
        let signature = key.sign_fixed(text.as_bytes());
        Self { name, text, signature }
    }

    /// The body of the service's answer: the text and its signature.
    pub fn body(&self) -> Vec<u8> {
        let (name, text, signature) = (self.name, &self.text, hex(&self.signature));
        format!(r#"{{"{name}":{text},"signature":"{signature}"}}"#).into_bytes()
    }
}

/// A TCB info (version 3, id TDX) by field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcbInfo {
    /// `id`.
    pub id: String,
    /// `version`.
    pub version: u64,
    /// `issueDate`.
    pub issue_date: String,
    /// `nextUpdate`.
    pub next_update: String,
    /// `fmspc`, hexadecimal.
    pub fmspc: String,
    /// `pceId`, hexadecimal.
    pub pce_id: String,
    /// `tcbType`.
    pub tcb_type: u64,
    /// `tcbEvaluationDataNumber`.
    pub evaluation_number: u64,
    /// `tdxModule`; `None` leaves it out.
    pub module: Option<Module>,
    /// `tdxModuleIdentities`; left out when there are none.
    pub identities: Vec<ModuleIdentity>,
    /// `tcbLevels`.
    pub levels: Vec<PlatformLevel>,
}

/// What a TDX module must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// `mrsigner`, hexadecimal.
    pub mrsigner: String,
    /// `attributes`, hexadecimal.
    pub attributes: String,
    /// `attributesMask`, hexadecimal.
    pub attributes_mask: String,
}

/// The identity of one major version of the TDX module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleIdentity {
    /// `id`: `TDX_` and two hexadecimal digits.
    pub id: String,
    /// What it must look like.
    pub module: Module,
    /// `tcbLevels`.
    pub levels: Vec<SvnLevel>,
}

/// A level of a TDX module or of a quoting enclave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SvnLevel {
    /// `isvsvn`.
    pub isvsvn: u64,
    /// Date, status and advisories.
    pub standing: Standing,
}

/// A level of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformLevel {
    /// The `svn`s of `sgxtcbcomponents`.
    pub sgx: Vec<u64>,
    /// `pcesvn`.
    pub pcesvn: u64,
    /// The `svn`s of `tdxtcbcomponents`.
    pub tdx: Vec<u64>,
    /// Date, status and advisories.
    pub standing: Standing,
}

/// What Intel thinks of a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `tcbDate`.
    pub date: String,
    /// `tcbStatus`.
    pub status: String,
    /// `advisoryIDs`; left out when there are none.
    pub advisories: Vec<String>,
}

/// A QE identity (version 2, id TD_QE) by field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QeIdentity {
    /// `id`.
    pub id: String,
    /// `version`.
    pub version: u64,
    /// `issueDate`.
    pub issue_date: String,
    /// `nextUpdate`.
    pub next_update: String,
    /// `tcbEvaluationDataNumber`.
    pub evaluation_number: u64,
    /// `miscselect`, hexadecimal.
    pub miscselect: String,
    /// `miscselectMask`, hexadecimal.
    pub miscselect_mask: String,
    /// `attributes`, hexadecimal.
    pub attributes: String,
    /// `attributesMask`, hexadecimal.
    pub attributes_mask: String,
    /// `mrsigner`, hexadecimal.
    pub mrsigner: String,
    /// `isvprodid`.
    pub isvprodid: u64,
    /// `tcbLevels`.
    pub levels: Vec<SvnLevel>,
}

impl Standing {
    /// A level's date (`YYYY-MM-DD`), status and advisories.
    pub fn new(day: &str, status: &str, advisories: &[&str]) -> Self {
        let advisories = advisories.iter().map(ToString::to_string).collect();
        Self { date: format!("{day}T00:00:00Z"), status: status.to_owned(), advisories }
    }

    fn write(&self, out: &mut String) {
        let _ = write!(out, r#","tcbDate":"{}","tcbStatus":"{}""#, self.date, self.status);
        if !self.advisories.is_empty() {
            let _ = write!(out, r#","advisoryIDs":["{}"]"#, self.advisories.join(r#"",""#));
        }
        out.push('}');
    }
}

impl Module {
    /// Intel's signer and no attributes.
    pub fn intel() -> Self {
        let zeros = |bytes: usize| "00".repeat(bytes);
        Self { mrsigner: zeros(48), attributes: zeros(8), attributes_mask: "FF".repeat(8) }
    }

    fn write(&self, out: &mut String) {
        let Self { mrsigner, attributes, attributes_mask } = self;
        let _ = write!(out, r#""mrsigner":"{mrsigner}","attributes":"{attributes}","#);
        let _ = write!(out, r#""attributesMask":"{attributes_mask}""#);
    }
}

impl SvnLevel {
    /// A level from this ISVSVN on.
    pub fn new(isvsvn: u64, standing: Standing) -> Self {
        Self { isvsvn, standing }
    }

    fn write(&self, out: &mut String) {
        let _ = write!(out, r#"{{"tcb":{{"isvsvn":{}}}"#, self.isvsvn);
        self.standing.write(out);
    }
}

impl PlatformLevel {
    /// A level from these SVNs on; the components that are not given are 0.
    pub fn new(sgx: &[u64], pcesvn: u64, tdx: &[u64], standing: Standing) -> Self {
        let all = |svns: &[u64]| svns.iter().copied().chain(std::iter::repeat(0)).take(16).collect();
        Self { sgx: all(sgx), pcesvn, tdx: all(tdx), standing }
    }

    fn write(&self, out: &mut String) {
        const SGX: [&str; 8] = [
            r#","category":"BIOS","type":"Early Microcode Update""#,
            r#","category":"OS/VMM","type":"SGX Late Microcode Update""#,
            r#","category":"OS/VMM","type":"TXT SINIT""#,
            r#","category":"BIOS""#,
            r#","category":"BIOS""#,
            r#","category":"BIOS""#,
            "",
            r#","category":"OS/VMM","type":"SEAMLDR ACM""#,
        ];
        const TDX: [&str; 3] = [
            r#","category":"OS/VMM","type":"TDX Module""#,
            r#","category":"OS/VMM","type":"TDX Module""#,
            r#","category":"OS/VMM","type":"TDX Late Microcode Update""#,
        ];
        let components = |svns: &[u64], labels: &[&str]| {
            let labels = labels.iter().copied().chain(std::iter::repeat(""));
            list(svns.iter().zip(labels), |(svn, label), out| {
                let _ = write!(out, r#"{{"svn":{svn}{label}}}"#);
            })
        };
        let (sgx, tdx) = (components(&self.sgx, &SGX), components(&self.tdx, &TDX));
        let pcesvn = self.pcesvn;
        let _ =
            write!(out, r#"{{"tcb":{{"sgxtcbcomponents":{sgx},"pcesvn":{pcesvn},"tdxtcbcomponents":{tdx}}}"#);
        self.standing.write(out);
    }
}

impl TcbInfo {
    /// The TCB info for the test platform, which stands on its first level (UpToDate), and its module on the first of
    /// its identity; lower levels are OutOfDate with advisories.
    pub fn test_platform() -> Self {
        let up = || Standing::new("2024-11-13", "UpToDate", &[]);
        let sgx = |svn: u64, bios: u64| [svn, svn, 2, 2, bios, 1, 0, 5];
        Self {
            id: "TDX".to_owned(),
            version: 3,
            issue_date: rfc3339(NOW - 10 * DAY),
            next_update: rfc3339(NOW + 20 * DAY),
            fmspc: hex(&FMSPC),
            pce_id: "0000".to_owned(),
            tcb_type: 0,
            evaluation_number: 18,
            module: Some(Module::intel()),
            identities: vec![
                ModuleIdentity {
                    id: "TDX_03".to_owned(),
                    module: Module::intel(),
                    levels: vec![SvnLevel::new(3, up())],
                },
                ModuleIdentity {
                    id: "TDX_01".to_owned(),
                    module: Module::intel(),
                    levels: vec![
                        SvnLevel::new(6, up()),
                        SvnLevel::new(4, out_of_date("2024-03-13", &["INTEL-SA-01036"])),
                        SvnLevel::new(2, out_of_date("2023-08-09", &["INTEL-SA-01036", "INTEL-SA-01099"])),
                    ],
                },
            ],
            levels: vec![
                PlatformLevel::new(&sgx(3, 4), 13, &[5, 0, 3], up()),
                PlatformLevel::new(
                    &sgx(2, 3),
                    13,
                    &[5, 0, 3],
                    out_of_date("2024-03-13", &["INTEL-SA-01036", "INTEL-SA-01079"]),
                ),
                PlatformLevel::new(
                    &sgx(2, 3),
                    5,
                    &[5, 0, 2],
                    out_of_date("2018-01-04", &["INTEL-SA-00106", "INTEL-SA-01036"]),
                ),
            ],
        }
    }

    /// The JSON text, keys in Intel's order.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let Self { id, version, issue_date, next_update, fmspc, pce_id, tcb_type, evaluation_number, .. } =
            self;
        let _ = write!(out, r#"{{"id":"{id}","version":{version},"issueDate":"{issue_date}","#);
        let _ = write!(out, r#""nextUpdate":"{next_update}","fmspc":"{fmspc}","pceId":"{pce_id}","#);
        let _ = write!(out, r#""tcbType":{tcb_type},"tcbEvaluationDataNumber":{evaluation_number}"#);
        if let Some(module) = &self.module {
            out.push_str(r#","tdxModule":{"#);
            module.write(&mut out);
            out.push('}');
        }
        if !self.identities.is_empty() {
            let identities = list(&self.identities, |identity, out| {
                let _ = write!(out, r#"{{"id":"{}","#, identity.id);
                identity.module.write(out);
                let levels = list(&identity.levels, SvnLevel::write);
                let _ = write!(out, r#","tcbLevels":{levels}}}"#);
            });
            let _ = write!(out, r#","tdxModuleIdentities":{identities}"#);
        }
        let levels = list(&self.levels, PlatformLevel::write);
        let _ = write!(out, r#","tcbLevels":{levels}}}"#);
        out
    }
}

impl QeIdentity {
    /// The identity of the test platform's quoting enclave, which stands on the only level (UpToDate).
    pub fn test_platform() -> Self {
        Self {
            id: "TD_QE".to_owned(),
            version: 2,
            issue_date: rfc3339(NOW - 10 * DAY),
            next_update: rfc3339(NOW + 20 * DAY),
            evaluation_number: 18,
            miscselect: "00000000".to_owned(),
            miscselect_mask: "FFFFFFFF".to_owned(),
            attributes: "11000000000000000000000000000000".to_owned(),
            attributes_mask: "FBFFFFFFFFFFFFFF0000000000000000".to_owned(),
            mrsigner: hex(&qe_mr_signer()).to_uppercase(),
            isvprodid: 2,
            levels: vec![SvnLevel::new(4, Standing::new("2024-11-13", "UpToDate", &[]))],
        }
    }

    /// The JSON text, keys in Intel's order.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let Self { id, version, issue_date, next_update, evaluation_number, miscselect, .. } = self;
        let Self { miscselect_mask, attributes, attributes_mask, mrsigner, isvprodid, .. } = self;
        let levels = list(&self.levels, SvnLevel::write);
        let _ = write!(out, r#"{{"id":"{id}","version":{version},"issueDate":"{issue_date}","#);
        let _ = write!(out, r#""nextUpdate":"{next_update}","tcbEvaluationDataNumber":{evaluation_number},"#);
        let _ = write!(out, r#""miscselect":"{miscselect}","miscselectMask":"{miscselect_mask}","#);
        let _ = write!(out, r#""attributes":"{attributes}","attributesMask":"{attributes_mask}","#);
        let _ = write!(out, r#""mrsigner":"{mrsigner}","isvprodid":{isvprodid},"tcbLevels":{levels}}}"#);
        out
    }
}

/// A standing that is OutOfDate.
pub fn out_of_date(day: &str, advisories: &[&str]) -> Standing {
    Standing::new(day, "OutOfDate", advisories)
}

/// An instant, seconds since 1970, as Intel writes it: `2026-06-01T00:00:00Z`.
pub fn rfc3339(unix: i64) -> String {
    let time = der::generalized_time(unix);
    let digits = std::str::from_utf8(&time[2..]).expect("digits");
    let (date, clock) = digits.split_at(8);
    let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
    format!("{year}-{month}-{day}T{}:{}:{}Z", &clock[..2], &clock[2..4], &clock[4..6])
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A JSON array.
fn list<T>(items: impl IntoIterator<Item = T>, write: impl Fn(T, &mut String)) -> String {
    let items: Vec<String> = items
        .into_iter()
        .map(|item| {
            let mut out = String::new();
            write(item, &mut out);
            out
        })
        .collect();
    format!("[{}]", items.join(","))
}
