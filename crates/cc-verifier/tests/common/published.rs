//! All published collateral that is complete, as both verifiers take it.

use base64::Engine;
use dcap_qvl::QuoteCollateralV3;
use serde_json::Value;

use super::tdx::Parts;
use super::tdx_corpus::blobs;

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

/// The collateral in these files, one for each TCB info; none if anything is missing.
pub(crate) fn sets(name: &str, files: &[&str]) -> Vec<Set> {
    let blobs = blobs(files);
    let with = |start: &'static str| blobs.iter().filter(move |blob| blob.starts_with(start.as_bytes()));
    let list = |issuer: &str| {
        let holds = |blob: &&Vec<u8>| blob.windows(issuer.len()).any(|part| part == issuer.as_bytes());
        blobs.iter().filter(|blob| blob.starts_with(&[0x30, 0x82])).find(holds)
    };
    let chain = with("-----BEGIN").find(|pem| certificates(pem).len() == 2);
    let (Some(chain), Some(root_crl), Some(pck_crl)) =
        (chain, list("Intel SGX Root CA"), list("Intel SGX PCK Platform CA"))
    else {
        return Vec::new();
    };
    let identity = with(r#"{"enclaveIdentity""#).next().unwrap();
    with(r#"{"tcbInfo""#)
        .map(|info| Set {
            name: name.to_owned(),
            root: certificates(chain).pop().unwrap(),
            chain: String::from_utf8(chain.clone()).unwrap(),
            tcb_info: Document::of_body("tcbInfo", info),
            qe_identity: Document::of_body("enclaveIdentity", identity),
            root_crl: root_crl.clone(),
            pck_crl: pck_crl.clone(),
        })
        .collect()
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
        Self {
            name,
            text: text.to_owned(),
            signature: hex::decode(end.strip_suffix(r#""}"#).unwrap()).unwrap(),
        }
    }

    fn body(&self) -> Vec<u8> {
        let Self { name, text, signature } = self;
        format!(r#"{{"{name}":{text},"signature":"{}"}}"#, hex::encode(signature)).into_bytes()
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
