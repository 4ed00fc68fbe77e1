//! Published evidence of Azure's confidential machines, read in place, and the forms in which others wrote it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use cc_core::azure::Machine;
use cc_testkit::published::corpus;
use serde_json::Value;

/// How a project wrote the evidence of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Trustee, before versions: lists of numbers (`evidence-v0.json`).
    Numbers,
    /// Trustee, versions 1 and 2: HCL report and TD quote in the Base64 of URLs with padding, the rest in hexadecimal.
    Texts,
    /// Azure's clean room: Base64, what the TPM signed with its length before it and the whole TPMT_SIGNATURE behind it.
    CleanRoom,
    /// A raw HCL report beside the TPM's quote as Rust's bincode wrote it (`quote.bin`).
    Bincode,
    /// A raw HCL report beside the TPM's quote in hexadecimal (`tpm-quote-v1.json`).
    Hexadecimal,
    /// A raw HCL report alone.
    Alone,
}

pub(crate) use Form::{Alone, Bincode, CleanRoom, Hexadecimal, Numbers, Texts};

/// Reads the evidence in a file of a folder. What is beside it in the folder and belongs to it is taken along.
pub(crate) fn machine(folder: &str, file: &str, form: Form) -> Machine {
    let folder = corpus().join(folder);
    let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
    let bytes = read(file);
    let json = || serde_json::from_slice::<Value>(&bytes).unwrap();
    let raw = || Machine {
        hcl_report: read("hcl-report.bin"),
        td_quote: std::fs::read(folder.join("td-quote.bin")).unwrap_or_default(),
        message: Vec::new(),
        signature: Vec::new(),
        pcrs: Vec::new(),
    };
    let mut machine = match form {
        Numbers => numbers(&json()),
        Texts => texts(&json()),
        CleanRoom => clean_room(&json()["report"]["snpCvm"]["evidence"]),
        Bincode => bincode(&bytes, raw()),
        Hexadecimal => hexadecimal(&json(), raw()),
        Alone => raw(),
    };
    if !machine.td_quote.is_empty() {
        let end = cc_core::tdx::declared_length(&machine.td_quote).unwrap();
        assert!(machine.td_quote.split_off(end).iter().all(|byte| *byte == 0), "{folder:?}");
    }
    machine
}

/// The certificates of a folder, DER.
pub(crate) fn certificates(folder: &str) -> Vec<Vec<u8>> {
    let folder = corpus().join(folder);
    let mut found = Vec::new();
    for file in ["vcek.der", "ask.der", "ark.der"] {
        found.extend(std::fs::read(folder.join(file)).ok());
    }
    for file in ["certs.pem", "vcek_chain.pem"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        for part in text.split("-----BEGIN CERTIFICATE-----").skip(1) {
            let body: String = part.split("-----END").next().unwrap().split_whitespace().collect();
            found.push(STANDARD.decode(body).unwrap());
        }
    }
    found
}

/// What the corpus observed of a folder's evidence.
pub(crate) fn observed(folder: &str) -> Value {
    let bytes = std::fs::read(corpus().join(folder).join("expected.json")).unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()["observed"].take()
}

fn numbers(json: &Value) -> Machine {
    let list = |value: &Value| -> Vec<u8> { serde_json::from_value(value.clone()).unwrap_or_default() };
    // SNP and TDX have other names for the same.
    let either = |names: [&str; 2]| names.into_iter().find_map(|name| json.get(name)).unwrap();
    let quote = either(["quote", "tpm_quote"]);
    Machine {
        hcl_report: list(either(["report", "hcl_report"])),
        td_quote: json.get("td_quote").map(list).unwrap_or_default(),
        message: list(&quote["message"]),
        signature: list(&quote["signature"]),
        pcrs: quote["pcrs"].as_array().unwrap().iter().map(|pcr| list(pcr).try_into().unwrap()).collect(),
    }
}

fn texts(json: &Value) -> Machine {
    let base64 = |name: &str| json.get(name).map(|text| URL_SAFE.decode(text.as_str().unwrap()).unwrap());
    let raw = Machine {
        hcl_report: base64("hcl_report").unwrap(),
        td_quote: base64("td_quote").unwrap_or_default(),
        message: Vec::new(),
        signature: Vec::new(),
        pcrs: Vec::new(),
    };
    hexadecimal(&json["tpm_quote"], raw)
}

fn hexadecimal(json: &Value, raw: Machine) -> Machine {
    let hex = |text: &Value| hex::decode(text.as_str().unwrap()).unwrap();
    Machine {
        message: hex(&json["message"]),
        signature: hex(&json["signature"]),
        pcrs: json["pcrs"].as_array().unwrap().iter().map(|pcr| hex(pcr).try_into().unwrap()).collect(),
        ..raw
    }
}

fn clean_room(json: &Value) -> Machine {
    let base64 = |text: &Value| STANDARD.decode(text.as_str().unwrap()).unwrap();
    let quote = base64(&json["tpmQuote"]);
    let (length, rest) = quote.split_first_chunk().unwrap();
    let (message, signature) = rest.split_at(u16::from_be_bytes(*length).into());
    // TPM_ALG_RSASSA, TPM_ALG_SHA256, length of the signature.
    let signature = signature.strip_prefix(&[0, 0x14, 0, 0x0b, 1, 0]).unwrap();
    let pcrs = (0..24).map(|number| base64(&json["pcrs"][number.to_string()]).try_into().unwrap());
    Machine {
        hcl_report: base64(&json["hclReport"]),
        td_quote: Vec::new(),
        message: message.to_vec(),
        signature: signature.to_vec(),
        pcrs: pcrs.collect(),
    }
}

/// Signature and message, each with its length before it, and so many PCRs; lengths of 64 bits, little-endian.
fn bincode(mut bytes: &[u8], raw: Machine) -> Machine {
    let mut take = |length: Option<usize>| {
        let length = length.unwrap_or_else(|| {
            let (length, rest) = bytes.split_first_chunk().unwrap();
            bytes = rest;
            u64::from_le_bytes(*length).try_into().unwrap()
        });
        let (taken, rest) = bytes.split_at(length);
        bytes = rest;
        taken.to_vec()
    };
    let (signature, message, count) = (take(None), take(None), take(Some(8)));
    let count = u64::from_le_bytes(count.try_into().unwrap());
    let pcrs = (0..count).map(|_| take(Some(32)).try_into().unwrap()).collect();
    assert!(bytes.is_empty());
    Machine { message, signature, pcrs, ..raw }
}
