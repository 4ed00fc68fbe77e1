//! Claims of the overall token.

use std::collections::BTreeMap;

use cc_core::Finding;

use super::said::{Said, malformed};
use crate::json::Hex;
use crate::jwt::Payload;

const TOKEN: &str = "overall token";
/// What the token is about; no device token has it.
const SUBJECT: &str = "NVIDIA-PLATFORM-ATTESTATION";
/// The version of the claims.
const VERSION: &str = "3.0";
/// SHA-256 as the service calls it, and as NVIDIA's tools do.
const SHA256: [&str; 2] = ["SHA-256", "SHA256"];

/// What the service says of the whole.
pub(super) struct Overall {
    pub(super) nonce: [u8; 32],
    pub(super) result: bool,
    /// SHA-256 of each device token, by name.
    pub(super) submods: BTreeMap<String, [u8; 32]>,
}

impl Overall {
    pub(super) fn read(payload: &Payload) -> Result<Self, Finding> {
        let said = Said::of(TOKEN, payload)?;
        for (name, expected) in [("sub", SUBJECT), ("x-nvidia-ver", VERSION)] {
            let value: String = said.value(name)?;
            if value != expected {
                return Err(malformed(TOKEN, &format_args!("`{name}` is {value:?}, not {expected:?}")));
            }
        }
        let Hex::<32>(nonce) = said.value("eat_nonce")?;
        let result = said.value("x-nvidia-overall-att-result")?;
        let submods: BTreeMap<String, (String, (String, Hex<32>))> = said.value("submods")?;
        let submods = submods.into_iter().map(|(name, (kind, (algorithm, Hex(digest))))| {
            if kind == "DIGEST" && SHA256.contains(&algorithm.as_str()) {
                return Ok((name, digest));
            }
            Err(malformed(TOKEN, &format_args!("{name} has a {kind:?} made with {algorithm:?}")))
        });
        Ok(Self { nonce, result, submods: submods.collect::<Result<_, _>>()? })
    }
}
