//! The runtime data: JSON in which the paravisor names the keys of its virtual TPM and the machine's configuration
//! (microsoft/openvmm, `openhcl_attestation_protocol`, `runtime_claims`).

use std::collections::BTreeMap;

use cc_core::{Finding, codes};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::malformed;
use crate::json::{self, present};
use crate::jwt::Key;

/// The name of the attestation key.
const AK: &str = "HCLAkPub";
/// Most keys, and most values of the configuration; there are two and eight.
const MAX_MEMBERS: usize = 64;

/// What the runtime data say.
#[derive(Debug)]
pub(super) struct RuntimeData {
    /// The attestation key. That it is a restricted signing key cannot be seen here: it is because the paravisor made it so,
    /// which the processor's report says by having measured the paravisor.
    pub(super) attestation_key: Key,
    /// The names of all keys, in order.
    pub(super) key_names: Vec<String>,
    /// The configuration of the machine.
    pub(super) vm_configuration: BTreeMap<String, Scalar>,
    /// What the guest had written into NV index 0x01400002 when the report was made; older machines do not have it.
    pub(super) user_data: Option<[u8; 64]>,
}

/// A value of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Bool(bool),
    Integer(u64),
    Text(String),
}

#[derive(Deserialize)]
struct Fields {
    keys: Vec<Box<RawValue>>,
    #[serde(rename = "vm-configuration")]
    vm_configuration: BTreeMap<String, Scalar>,
    #[serde(default, rename = "user-data", deserialize_with = "present")]
    user_data: Option<String>,
}

#[derive(Deserialize)]
struct Name {
    kid: String,
}

/// A key (RFC 7517, RFC 7518); numbers in the Base64 of URLs, big-endian.
#[derive(Deserialize)]
struct RsaKey {
    key_ops: Vec<String>,
    kty: String,
    n: String,
    e: String,
}

impl RuntimeData {
    /// Reads runtime data.
    ///
    /// # Errors
    ///
    /// `vtpm.format.malformed`; `vtpm.user_data.length` for user data that are not 64 bytes; `vtpm.ak.mismatch` without
    /// exactly one attestation key, or with one that is not an RSA key of 2048 bits or more for signatures alone.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Finding> {
        let wrong = |error: serde_json::Error| malformed(format!("the runtime data: {error}"));
        let text = json::object(bytes).map_err(wrong)?;
        let fields: Fields = serde_json::from_str(text).map_err(wrong)?;
        if fields.keys.len() > MAX_MEMBERS || fields.vm_configuration.len() > MAX_MEMBERS {
            return Err(malformed(format!("the runtime data have more than {MAX_MEMBERS} keys or settings")));
        }
        let user_data = fields.user_data.as_deref().map(user_data).transpose()?;
        let mut key_names = Vec::with_capacity(fields.keys.len());
        for key in &fields.keys {
            if !json::is_object(key.get()) {
                return Err(malformed("the runtime data have a key that is not an object".to_owned()));
            }
            let Name { kid } = serde_json::from_str(key.get()).map_err(wrong)?;
            key_names.push(kid);
        }
        let attestation_key = attestation_key(&fields.keys, &key_names)
            .map_err(|what| Finding::new(codes::VTPM_AK_MISMATCH, format!("the key {AK}: {what}")))?;
        Ok(Self { attestation_key, key_names, vm_configuration: fields.vm_configuration, user_data })
    }
}

fn user_data(digits: &str) -> Result<[u8; 64], Finding> {
    let bytes = hex::decode(digits).map_err(|_| malformed("user-data is not hexadecimal".to_owned()))?;
    bytes.try_into().map_err(|bytes: Vec<u8>| {
        let detail = format!("user-data have {} bytes, not 64", bytes.len());
        Finding::new(codes::VTPM_USER_DATA_LENGTH, detail)
    })
}

/// The one key of that name; `Err` says why there is none.
fn attestation_key(keys: &[Box<RawValue>], names: &[String]) -> Result<Key, String> {
    let mut named = keys.iter().zip(names).filter(|(_, name)| *name == AK);
    let (Some((key, _)), None) = (named.next(), named.next()) else {
        return Err("the runtime data do not have exactly one".to_owned());
    };
    let RsaKey { key_ops, kty, n, e } = serde_json::from_str(key.get()).map_err(|error| error.to_string())?;
    if kty != "RSA" {
        return Err(format!("its `kty` is {kty:?}"));
    }
    if key_ops != ["sign"] {
        return Err(format!("its `key_ops` are {key_ops:?}, not for signatures alone"));
    }
    Key::rs256(&n, &e)
}
