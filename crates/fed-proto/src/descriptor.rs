//! The federation's descriptor: who owns it, who enrols its members, and whom its members dial. It comes with the kit
//! and never over the network (*verification.md* 5.2, tag 1).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use crate::crypto::{Digest, PublicKey, sha256};
use crate::name::Name;
use crate::tlv::Tlv;

const VERSION: u32 = 1;

/// Whether hardware may be emulated and locked knobs weakened (*verification.md* 0.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FederationProfile {
    /// 1: real hardware only.
    Production,
    /// 2: for trying things out; says so in every result.
    Development,
}

impl FederationProfile {
    /// Its number in the federation's identity.
    pub const fn number(self) -> u8 {
        match self {
            Self::Production => 1,
            Self::Development => 2,
        }
    }

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
        }
    }
}

/// What a participant knows of its federation before it talks to anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// What people call it.
    pub name: String,
    /// Makes federations of one name distinct.
    pub random: [u8; 16],
    /// The owner's Ed25519 key, which signs bundles.
    pub owner: [u8; 32],
    /// The certification authorities that enrol members, as DER certificates.
    pub enrolment_cas: Vec<Vec<u8>>,
    /// Production or development.
    pub profile: FederationProfile,
    /// The one participant in the role of the server.
    pub server: Name,
}

/// Why a text is not a descriptor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorError {
    /// Not TOML of the expected form.
    #[error(transparent)]
    Syntax(#[from] toml::de::Error),
    /// Another version of the format.
    #[error("version {found} is not supported, only {VERSION}")]
    Version {
        /// What it states.
        found: u32,
    },
    /// No name for people, an overlong one, or one that would garble a terminal.
    #[error("name: 1 to {} bytes without control characters are needed", Descriptor::MAX_NAME)]
    Name,
    /// Not bytes in hexadecimal.
    #[error("{key}: not {length} bytes in lower-case hexadecimal digits")]
    Hex {
        /// The key.
        key: &'static str,
        /// How many bytes were expected.
        length: usize,
    },
    /// Nobody could enrol anybody.
    #[error("enrolment_cas: empty")]
    NoCa,
    /// More certification authorities than anybody needs.
    #[error("enrolment_cas: {found}, at most {} are allowed", Descriptor::MAX_CAS)]
    ManyCas {
        /// How many.
        found: usize,
    },
    /// Not a certificate.
    #[error("enrolment_cas: entry {index} is not a certificate in lower-case hexadecimal DER")]
    Ca {
        /// Counted from 1.
        index: usize,
    },
    /// Two certificates of one key.
    #[error("enrolment_cas: entry {index} has the key of an earlier one")]
    CaTwice {
        /// Counted from 1.
        index: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    name: String,
    random: String,
    owner: String,
    profile: FederationProfile,
    server: Name,
    enrolment_cas: Vec<String>,
}

impl Descriptor {
    /// The longest name for people, in bytes.
    pub const MAX_NAME: usize = 128;
    /// The most enrolment CAs.
    pub const MAX_CAS: usize = 16;

    /// The federation's identity, tag 1 of every transcript: SHA-256 over name, random bytes, owner, profile, and the
    /// SHA-256 of each enrolment CA's SubjectPublicKeyInfo, concatenated in ascending order.
    pub fn federation_id(&self) -> Digest {
        // A parsed descriptor has certificates only. Bytes that are none stand for themselves, and enrol nobody.
        let hash = |der: &Vec<u8>| spki(der).unwrap_or_else(|| sha256(der)).0;
        let mut keys: Vec<[u8; 32]> = self.enrolment_cas.iter().map(hash).collect();
        keys.sort_unstable();
        Tlv::new(b"MUSTER-FED\0")
            .field(1, self.name.as_bytes())
            .field(2, &self.random)
            .field(3, &self.owner)
            .field(4, &keys.concat())
            .field(5, &[self.profile.number()])
            .sha256()
    }

    /// The owner's key.
    pub fn owner_key(&self) -> PublicKey {
        PublicKey::from_ed25519(&self.owner)
    }

    /// Reads the text form, version 1, strictly.
    pub fn parse(text: &str) -> Result<Self, DescriptorError> {
        let raw: Raw = toml::from_str(text)?;
        if raw.version != VERSION {
            return Err(DescriptorError::Version { found: raw.version });
        }
        let controls = raw.name.chars().any(char::is_control);
        if raw.name.is_empty() || raw.name.len() > Self::MAX_NAME || controls {
            return Err(DescriptorError::Name);
        }
        if raw.enrolment_cas.is_empty() {
            return Err(DescriptorError::NoCa);
        }
        if raw.enrolment_cas.len() > Self::MAX_CAS {
            return Err(DescriptorError::ManyCas { found: raw.enrolment_cas.len() });
        }
        let mut keys = BTreeSet::new();
        let mut enrolment_cas = Vec::new();
        for (index, text) in (1..).zip(&raw.enrolment_cas) {
            let der = unhex(text).ok_or(DescriptorError::Ca { index })?;
            let key = spki(&der).ok_or(DescriptorError::Ca { index })?;
            if !keys.insert(key) {
                return Err(DescriptorError::CaTwice { index });
            }
            enrolment_cas.push(der);
        }
        Ok(Self {
            name: raw.name,
            random: exactly("random", &raw.random)?,
            owner: exactly("owner", &raw.owner)?,
            enrolment_cas,
            profile: raw.profile,
            server: raw.server,
        })
    }

    /// The text form: the same descriptor always has the same text.
    pub fn to_text(&self) -> String {
        let mut text = format!("version = {VERSION}\n");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "name = {}", quoted(&self.name));
        let _ = writeln!(text, "random = \"{}\"", hex::encode(self.random));
        let _ = writeln!(text, "owner = \"{}\"", hex::encode(self.owner));
        let _ = writeln!(text, "profile = \"{}\"", self.profile.as_str());
        let _ = writeln!(text, "server = \"{}\"", self.server);
        text.push_str("enrolment_cas = [\n");
        for der in &self.enrolment_cas {
            let _ = writeln!(text, "    \"{}\",", hex::encode(der));
        }
        text.push_str("]\n");
        text
    }
}

/// SHA-256 of a certificate's SubjectPublicKeyInfo.
fn spki(der: &[u8]) -> Option<Digest> {
    let der = CertificateDer::from(der);
    let certificate = webpki::EndEntityCert::try_from(&der).ok()?;
    Some(sha256(certificate.subject_public_key_info().as_ref()))
}

/// Bytes in their one spelling.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let lower = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
    if lower { hex::decode(text).ok() } else { None }
}

fn exactly<const N: usize>(key: &'static str, text: &str) -> Result<[u8; N], DescriptorError> {
    unhex(text).and_then(|bytes| bytes.try_into().ok()).ok_or(DescriptorError::Hex { key, length: N })
}

/// A TOML basic string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};

    use super::*;

    fn ca(key: &KeyPair, subject: &str) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, subject);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.self_signed(key).unwrap().der().to_vec()
    }

    fn descriptor() -> Descriptor {
        let cas = ["one", "two", "three"].map(|name| ca(&KeyPair::generate().unwrap(), name));
        Descriptor {
            name: "Hospitals \"north\" \\ é".to_owned(),
            random: [7; 16],
            owner: [9; 32],
            enrolment_cas: cas.to_vec(),
            profile: FederationProfile::Development,
            server: Name::new("server").unwrap(),
        }
    }

    fn error(text: &str) -> DescriptorError {
        Descriptor::parse(text).unwrap_err()
    }

    #[test]
    fn text_round_trips_byte_for_byte() {
        for profile in [FederationProfile::Production, FederationProfile::Development] {
            let descriptor = Descriptor { profile, ..descriptor() };
            let text = descriptor.to_text();
            let read = Descriptor::parse(&text).unwrap();
            assert_eq!(read, descriptor);
            assert_eq!(read.to_text(), text);
        }
    }

    #[test]
    fn identity_is_the_stated_hash() {
        let descriptor = descriptor();
        let mut keys: Vec<[u8; 32]> = descriptor
            .enrolment_cas
            .iter()
            .map(|der| {
                let der = CertificateDer::from(der.as_slice());
                let certificate = webpki::EndEntityCert::try_from(&der).unwrap();
                sha256(certificate.subject_public_key_info().as_ref()).0
            })
            .collect();
        keys.sort_unstable();
        let name = descriptor.name.as_bytes();
        let mut bytes = b"MUSTER-FED\0\x01\0\0\0".to_vec();
        bytes.push(u8::try_from(name.len()).unwrap());
        bytes.extend(name);
        bytes.extend(b"\x02\0\0\0\x10");
        bytes.extend([7; 16]);
        bytes.extend(b"\x03\0\0\0\x20");
        bytes.extend([9; 32]);
        bytes.extend(b"\x04\0\0\0\x60");
        bytes.extend(keys.concat());
        bytes.extend(b"\x05\0\0\0\x01\x02");
        assert_eq!(descriptor.federation_id(), sha256(&bytes));
    }

    #[test]
    fn identity_depends_on_every_part_but_not_on_order_or_server() {
        let one = descriptor();
        let id = one.federation_id();
        let mut reversed = one.clone();
        reversed.enrolment_cas.reverse();
        reversed.server = Name::new("other").unwrap();
        assert_eq!(reversed.federation_id(), id);
        let mut fewer = one.clone();
        fewer.enrolment_cas.pop();
        for other in [
            Descriptor { name: "x".to_owned(), ..one.clone() },
            Descriptor { random: [8; 16], ..one.clone() },
            Descriptor { owner: [8; 32], ..one.clone() },
            Descriptor { profile: FederationProfile::Production, ..one },
            fewer,
        ] {
            assert_ne!(other.federation_id(), id);
        }
    }

    #[test]
    fn identity_is_of_keys_and_not_of_certificates() {
        let key = KeyPair::generate().unwrap();
        let one = Descriptor { enrolment_cas: vec![ca(&key, "one")], ..descriptor() };
        let renewed = Descriptor { enrolment_cas: vec![ca(&key, "renewed")], ..one.clone() };
        assert_ne!(one.enrolment_cas, renewed.enrolment_cas);
        assert_eq!(one.federation_id(), renewed.federation_id());
    }

    #[test]
    fn two_certificates_of_one_key_refused() {
        let key = KeyPair::generate().unwrap();
        let cas = vec![ca(&key, "one"), ca(&key, "two")];
        let text = Descriptor { enrolment_cas: cas, ..descriptor() }.to_text();
        assert_eq!(error(&text), DescriptorError::CaTwice { index: 2 });
    }

    #[test]
    fn authorities_are_one_to_sixteen_certificates() {
        let with = |cas| Descriptor { enrolment_cas: cas, ..descriptor() }.to_text();
        assert_eq!(error(&with(Vec::new())), DescriptorError::NoCa);
        assert_eq!(error(&with(vec![vec![0; 3]])), DescriptorError::Ca { index: 1 });
        assert_eq!(error(&with(vec![Vec::new(); 17])), DescriptorError::ManyCas { found: 17 });
        let mut trailing = descriptor();
        trailing.enrolment_cas[1].push(0);
        assert_eq!(error(&trailing.to_text()), DescriptorError::Ca { index: 2 });
        let upper = descriptor().to_text().replace("    \"3082", "    \"3082A");
        assert_eq!(error(&upper), DescriptorError::Ca { index: 1 });
    }

    #[test]
    fn values_are_strict() {
        let text = descriptor().to_text();
        let random = DescriptorError::Hex { key: "random", length: 16 };
        assert_eq!(error(&text.replace(&"07".repeat(16), &"07".repeat(15))), random);
        assert_eq!(error(&text.replace(&"07".repeat(16), &"0A".repeat(16))), random);
        let owner = DescriptorError::Hex { key: "owner", length: 32 };
        assert_eq!(error(&text.replace(&"09".repeat(32), "09")), owner);
        for bad in [String::new(), "x".repeat(129), "a\u{1b}[2J".to_owned(), "a\nb".to_owned()] {
            assert_eq!(error(&Descriptor { name: bad, ..descriptor() }.to_text()), DescriptorError::Name);
        }
    }

    #[test]
    fn form_is_strict() {
        let text = descriptor().to_text();
        let other_version = text.replace("version = 1", "version = 2");
        assert_eq!(error(&other_version), DescriptorError::Version { found: 2 });
        for bad in [
            format!("extra = 1\n{text}"),
            text.replace("version = 1\n", ""),
            text.replace("\"development\"", "\"testing\""),
            text.replace("server = \"server\"", "server = \"Server\""),
            text.replace("profile = \"development\"\n", ""),
        ] {
            assert_ne!(bad, text);
            assert!(matches!(error(&bad), DescriptorError::Syntax(_)), "{bad}");
        }
    }
}
