//! Signed JSON web tokens and key sets, written by hand, every member changeable.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::snp::SignKey;
use crate::snp::cert::SigKind;

/// A JSON object before it is written: names and values in order, values as JSON text. Names can be there twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object(pub Vec<(String, String)>);

impl Object {
    /// An object of texts.
    pub fn of(members: &[(&str, &str)]) -> Self {
        let mut object = Self::default();
        members.iter().for_each(|(name, text)| object.set_text(name, text));
        object
    }

    /// Replaces the value of a member, or appends it.
    pub fn set(&mut self, name: &str, json: &str) {
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, value)) => json.clone_into(value),
            None => self.push(name, json),
        }
    }

    /// The same with a text, which is quoted.
    pub fn set_text(&mut self, name: &str, text: &str) {
        self.set(name, &quoted(text));
    }

    /// The same with a number.
    pub fn set_number(&mut self, name: &str, number: i64) {
        self.set(name, &number.to_string());
    }

    /// Appends a member, whether or not it is there already.
    pub fn push(&mut self, name: &str, json: &str) {
        self.0.push((name.to_owned(), json.to_owned()));
    }

    /// Removes a member. Panics if there is none.
    pub fn remove(&mut self, name: &str) {
        let before = self.0.len();
        self.0.retain(|(other, _)| other != name);
        assert!(self.0.len() < before, "no member {name}");
    }

    /// The JSON text.
    pub fn text(&self) -> String {
        let members: Vec<_> = self.0.iter().map(|(name, json)| format!("{}:{json}", quoted(name))).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// A JSON text with the characters escaped that must be.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// How a token is signed, whatever its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signing {
    /// ECDSA with the hash of the key's curve, fixed width.
    Ecdsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// HMAC with SHA-256 and this secret; the key is not used.
    Hs256(Vec<u8>),
    /// The empty signature.
    None,
}

/// A token before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The header.
    pub header: Object,
    /// The payload.
    pub payload: Object,
    /// How it is signed.
    pub signing: Signing,
}

impl Token {
    /// A token of the algorithm ES384.
    pub fn es384(kid: &str, payload: Object) -> Self {
        Self { header: Object::of(&[("kid", kid), ("alg", "ES384")]), payload, signing: Signing::Ecdsa }
    }

    /// A token of the algorithm RS256.
    pub fn rs256(kid: &str, payload: Object) -> Self {
        Self { header: Object::of(&[("kid", kid), ("alg", "RS256")]), payload, signing: Signing::Rs256 }
    }

    /// The token in its compact form.
    pub fn sign(&self, key: &SignKey) -> String {
        compact(&self.header.text(), &self.payload.text(), &self.signing, key)
    }
}

/// A token of any texts in its compact form.
pub fn compact(header: &str, payload: &str, signing: &Signing, key: &SignKey) -> String {
    let signed = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
    let signature = match signing {
        Signing::Ecdsa => key.sign_fixed(signed.as_bytes()),
        Signing::Rs256 => key.sign(SigKind::Pkcs1Sha256, signed.as_bytes()),
        Signing::Rs384 => key.sign(SigKind::Pkcs1Sha384, signed.as_bytes()),
        Signing::Hs256(secret) => {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
            hmac::sign(&secret, signed.as_bytes()).as_ref().to_vec()
        }
        Signing::None => Vec::new(),
    };
    format!("{signed}.{}", base64url(&signature))
}

/// Base64 in the alphabet of URLs, without padding.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A P-384 key as a member of a key set, by its coordinates.
pub fn ec_key(kid: &str, key: &SignKey) -> Object {
    let (x, y) = key.public()[1..].split_at(48);
    Object::of(&[
        ("kty", "EC"),
        ("use", "sig"),
        ("crv", "P-384"),
        ("kid", kid),
        ("x", &base64url(x)),
        ("y", &base64url(y)),
        ("alg", "ES384"),
    ])
}

/// An RSA key as a member of a key set, by its numbers.
pub fn rsa_key(kid: &str, key: &SignKey) -> Object {
    let [n, e] = rsa_numbers(key);
    Object::of(&[("kty", "RSA"), ("use", "sig"), ("kid", kid), ("n", &base64url(&n)), ("e", &base64url(&e))])
}

/// A key as a member of a key set, by its certificate (DER) alone.
pub fn certified_key(kid: &str, kty: &str, certificate: &[u8]) -> Object {
    let mut key = Object::of(&[("kty", kty), ("use", "sig"), ("kid", kid)]);
    key.set("x5c", &format!("[\"{}\"]", STANDARD.encode(certificate)));
    key
}

/// The body in which an issuer publishes keys.
pub fn key_set(keys: &[Object]) -> Vec<u8> {
    let keys: Vec<_> = keys.iter().map(Object::text).collect();
    format!("{{\"keys\":[{}]}}", keys.join(",")).into_bytes()
}

/// Modulus and exponent, big-endian, without leading zeros.
pub fn rsa_numbers(key: &SignKey) -> [Vec<u8>; 2] {
    // SEQUENCE of two INTEGERs.
    let (_, content) = element(key.public());
    let (rest, n) = element(content);
    let (_, e) = element(rest);
    [n, e].map(|number| number.iter().copied().skip_while(|byte| *byte == 0).collect())
}

/// What follows the first element, and that element's content.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (header, length) = match der[1] {
        length @ 0..=0x7f => (2, usize::from(length)),
        0x81 => (3, usize::from(der[2])),
        _ => (4, usize::from(der[2]) * 256 + usize::from(der[3])),
    };
    let (content, rest) = der[header..].split_at(length);
    (rest, content)
}
