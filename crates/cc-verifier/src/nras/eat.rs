//! Step 1: the detached EAT, `[["JWT", overall token], {name: device token, …}]`.

use std::collections::BTreeMap;

use cc_core::gpu::DeviceClass;
use cc_core::limits::{MAX_ENDORSEMENT, MAX_GPUS, MAX_SWITCHES};
use cc_core::{Finding, codes};

use crate::json;

/// An answer taken apart; nothing of it is verified.
pub(crate) struct Eat {
    pub(super) overall: String,
    /// All devices of one answer are of one class.
    pub(super) class: DeviceClass,
    /// Names and tokens, in the order of the evidence.
    pub(super) devices: Vec<(String, String)>,
}

type Parts = ((String, String), BTreeMap<String, String>);

impl Eat {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Finding> {
        if bytes.len() > MAX_ENDORSEMENT {
            let detail = format!("an answer of {} bytes, the limit is {MAX_ENDORSEMENT}", bytes.len());
            return Err(Finding::new(codes::ENV_SIZE_EXCEEDED, detail));
        }
        let malformed = |what: &dyn std::fmt::Display| {
            Finding::new(codes::NRAS_CLAIMS_MALFORMED, format!("no detached EAT: {what}"))
        };
        let text = std::str::from_utf8(bytes).map_err(|error| malformed(&error))?;
        json::check(text).map_err(|error| malformed(&error))?;
        let parts: Parts = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        let ((kind, overall), mut tokens) = parts;
        if kind != "JWT" {
            return Err(malformed(&format_args!("its first part is a {kind:?}")));
        }
        if tokens.is_empty() {
            return Err(Finding::new(codes::GPU_DEVICES_EMPTY, "the answer has no device token"));
        }
        let classes = [(DeviceClass::Gpu, "GPU-", MAX_GPUS), (DeviceClass::Switch, "SWITCH-", MAX_SWITCHES)];
        let first = |(_, prefix, _): &(DeviceClass, &str, usize)| tokens.contains_key(&format!("{prefix}0"));
        let Some((class, prefix, limit)) = classes.into_iter().find(first) else {
            return Err(malformed(&"there is neither GPU-0 nor SWITCH-0"));
        };
        if tokens.len() > limit {
            let detail = format!("{} device tokens, the limit is {limit}", tokens.len());
            return Err(Finding::new(codes::ENV_SIZE_EXCEEDED, detail));
        }
        let mut devices = Vec::with_capacity(tokens.len());
        for index in 0..tokens.len() {
            let name = format!("{prefix}{index}");
            let token = tokens.remove(&name).ok_or_else(|| malformed(&format_args!("there is no {name}")))?;
            devices.push((name, token));
        }
        Ok(Self { overall, class, devices })
    }
}
