//! The published quotes, and all published collateral that is complete, as both verifiers take it.

use std::path::Path;

use base64::Engine;
use cc_testkit::tdx::collateral::hex;
use cc_verifier::tdx::declared_length;
use dcap_qvl::QuoteCollateralV3;
use serde_json::Value;

use crate::tdx::Parts;

/// Files with a quote, below `tdx`.
const QUOTES: [&str; 19] = [
    "intel-qvl-sample-testroot/quote.dat",
    "quote-tappd-premai/quote.dat",
    "v4-dcapqvl-20a06f-near/quote.bin",
    "v4-dcapqvl-b0c06f/quote.bin",
    "v4-dcapqvl-tappd/quote.bin",
    "v4-dcapqvl-tappd/quote2.bin",
    "v4-dcaprs-00806f05/quote.bin",
    "v4-dstack-lite/quote.bin",
    "v4-dstack-lite/quote2.bin",
    "v4-gotdx-cos113-ccel/quote.bin",
    "v4-gotdx-spr-50806f/quote.bin",
    "v4-oasis-50806f-outofdate/quote.bin",
    "v4-teekit-misc/gcp-quote.bin",
    "v4-teekit-misc/moemahhouk.dat",
    "v4-trustee-debug/quote.bin",
    "v4-trustee-gnr-00a06d/quote.bin",
    "v5-dcapqvl-90c06f-outdated/quote.bin",
    "v5-gotdx-90c06f/quote.bin",
    "v5-trustee-90c06f/quote.bin",
];

/// Signing chain, TCB info, QE identity, revocation lists of the root and of the PCK authority; below `tdx`.
const FILES: [[&str; 5]; 5] = [
    [
        "collateral-2026-03/tcb_signing_chain.pem",
        "collateral-2026-03/tcb_info_50806f000000.json",
        "collateral-2026-03/td_qe_identity.json",
        "collateral-2026-03/root_ca_crl.der",
        "collateral-2026-03/pck_crl_platform.der",
    ],
    [
        "collateral-2026-03/tcb_signing_chain.pem",
        "collateral-2026-03/tcb_info_90c06f000000.json",
        "collateral-2026-03/td_qe_identity.json",
        "collateral-2026-03/root_ca_crl.der",
        "collateral-2026-03/pck_crl_platform.der",
    ],
    [
        "v4-dcaprs-00806f05/tcb_signing_cert.pem",
        "v4-dcaprs-00806f05/tcbinfo.json",
        "v4-dcaprs-00806f05/qe_identity.json",
        "v4-dcaprs-00806f05/root_ca.crl.der",
        "v4-dcaprs-00806f05/pck_platform.crl.der",
    ],
    [
        "v4-dcaprs-00806f05/tcb_signing_cert.pem",
        "v4-gotdx-spr-50806f/tcbinfo_response.json",
        "v4-gotdx-spr-50806f/qe_identity_response.json",
        "v4-gotdx-spr-50806f/root_ca.crl.der",
        "v4-gotdx-spr-50806f/pck.crl.der",
    ],
    [
        "intel-qvl-sample-testroot/tcbSignChain.pem",
        "intel-qvl-sample-testroot/tcbInfo.json",
        "intel-qvl-sample-testroot/qeIdentity.json",
        "intel-qvl-sample-testroot/rootCaCrl.der",
        "intel-qvl-sample-testroot/intermediateCaCrl.der",
    ],
];

/// Complete collateral in one file, in the form of `dcap-qvl`.
const BUNDLES: [&str; 3] = [
    "v4-dcapqvl-20a06f-near/collateral.json",
    "v4-dcapqvl-b0c06f/collateral.json",
    "v5-dcapqvl-90c06f-outdated/collateral.json",
];

/// Collateral for one kind of platform.
pub(crate) struct Set {
    pub(crate) name: String,
    /// The root under which it stands, DER.
    pub(crate) root: Vec<u8>,
    chain: String,
    tcb_info: Document,
    qe_identity: Document,
    root_crl: Vec<u8>,
    pck_crl: Vec<u8>,
}

/// A signed document.
struct Document {
    name: &'static str,
    text: String,
    signature: Vec<u8>,
}

/// The quotes, without the padding after some of them.
pub(crate) fn quotes(corpus: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let read = |name: &'static str| {
        let mut quote = std::fs::read(corpus.join("tdx").join(name)).unwrap();
        quote.truncate(declared_length(&quote).unwrap());
        (name, quote)
    };
    QUOTES.into_iter().map(read).collect()
}

/// The collateral.
pub(crate) fn collateral(corpus: &Path) -> Vec<Set> {
    let tdx = corpus.join("tdx");
    let files = FILES.into_iter().map(|files| {
        let [chain, tcb_info, qe_identity, root_crl, pck_crl] =
            files.map(|file| std::fs::read(tdx.join(file)).unwrap());
        Set {
            name: files[1].to_owned(),
            root: certificates(&chain).pop().unwrap(),
            chain: String::from_utf8(chain).unwrap(),
            tcb_info: Document::of_body("tcbInfo", &tcb_info),
            qe_identity: Document::of_body("enclaveIdentity", &qe_identity),
            root_crl,
            pck_crl,
        }
    });
    let bundles = BUNDLES.into_iter().map(|name| {
        let bundle: Value = serde_json::from_slice(&std::fs::read(tdx.join(name)).unwrap()).unwrap();
        let text = |name: &str| bundle[name].as_str().unwrap().to_owned();
        let bytes = |name: &str| unhex(&text(name));
        let document = |name, member: &str| Document {
            name,
            text: text(member),
            signature: bytes(&format!("{member}_signature")),
        };
        let chain = text("tcb_info_issuer_chain");
        Set {
            name: name.to_owned(),
            root: certificates(chain.as_bytes()).pop().unwrap(),
            chain,
            tcb_info: document("tcbInfo", "tcb_info"),
            qe_identity: document("enclaveIdentity", "qe_identity"),
            root_crl: bytes("root_ca_crl"),
            pck_crl: bytes("pck_crl"),
        }
    });
    files.chain(bundles).collect()
}

impl Set {
    /// Around the ends of both documents, and inside.
    pub(crate) fn instants(&self) -> Vec<u64> {
        const DAY: u64 = 86_400;
        let ends = [&self.tcb_info, &self.qe_identity].map(Document::window);
        let around = |at: u64| [at - 1, at, at + 1];
        let mut instants: Vec<u64> =
            ends.iter().flat_map(|(from, until)| [around(*from), around(*until)].concat()).collect();
        instants.extend(ends.iter().flat_map(|(from, until)| [from + DAY, until - DAY, until + 400 * DAY]));
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    /// As we take it.
    pub(crate) fn parts(&self) -> Parts {
        let [signer, root] = certificates(self.chain.as_bytes()).try_into().unwrap();
        Parts {
            evidence: Vec::new(),
            signers: vec![signer],
            roots: vec![root],
            tcb_infos: vec![self.tcb_info.body()],
            qe_identities: vec![self.qe_identity.body()],
            root_crls: vec![self.root_crl.clone()],
            pck_crls: vec![self.pck_crl.clone()],
            event_logs: Vec::new(),
        }
    }

    /// As the oracle takes it.
    pub(crate) fn oracle(&self) -> QuoteCollateralV3 {
        QuoteCollateralV3 {
            pck_crl_issuer_chain: String::new(),
            root_ca_crl: self.root_crl.clone(),
            pck_crl: self.pck_crl.clone(),
            tcb_info_issuer_chain: self.chain.clone(),
            tcb_info: self.tcb_info.text.clone(),
            tcb_info_signature: self.tcb_info.signature.clone(),
            qe_identity_issuer_chain: self.chain.clone(),
            qe_identity: self.qe_identity.text.clone(),
            qe_identity_signature: self.qe_identity.signature.clone(),
            pck_certificate_chain: None,
        }
    }
}

impl Document {
    /// Takes the body of the service's answer apart, the signed text byte by byte.
    fn of_body(name: &'static str, body: &[u8]) -> Self {
        let body = std::str::from_utf8(body).unwrap().trim();
        let start = format!(r#"{{"{name}":"#);
        let (text, end) = body.strip_prefix(&start).unwrap().rsplit_once(r#","signature":""#).unwrap();
        Self { name, text: text.to_owned(), signature: unhex(end.strip_suffix(r#""}"#).unwrap()) }
    }

    fn body(&self) -> Vec<u8> {
        let Self { name, text, signature } = self;
        format!(r#"{{"{name}":{text},"signature":"{}"}}"#, hex(signature)).into_bytes()
    }

    /// Seconds since 1970 of issueDate and nextUpdate.
    fn window(&self) -> (u64, u64) {
        let value: Value = serde_json::from_str(&self.text).unwrap();
        let at = |name: &str| seconds(value[name].as_str().unwrap());
        (at("issueDate"), at("nextUpdate"))
    }
}

/// Seconds since 1970 of a time between 2000 and 2099 as Intel writes it.
fn seconds(time: &str) -> u64 {
    let number = |from: usize, to: usize| time[from..to].parse::<u64>().unwrap();
    let (year, month, day) = (number(0, 4) - 2000, number(5, 7), number(8, 10));
    let leap = u64::from(year.is_multiple_of(4));
    let lengths = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months: u64 = lengths.iter().take(usize::try_from(month).unwrap() - 1).sum();
    let days = 10_957 + year * 365 + year.div_ceil(4) + months + day - 1;
    days * 86_400 + number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19)
}

fn certificates(pem: &[u8]) -> Vec<Vec<u8>> {
    let pem = std::str::from_utf8(pem).unwrap();
    let certificates = pem.split("-----BEGIN CERTIFICATE-----").skip(1).map(|part| {
        let text: String = part.split("-----END").next().unwrap().split_whitespace().collect();
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    });
    certificates.collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
