//! Claims of the HCL report and the quote, beside those of the processor.
//!
//! `tee` is `snp` or `tdx`, and says whose the other claims are. `hcl` and `vtpm` are maps; `hcl.fresh` is always false
//! (as far as can be seen here it dates from the last boot; `hcl.user_data` say more to those who chose them) and `vtpm.quote` always `fresh`, once the host has found its own binding in the
//! extra data. The names below `hcl.vm_configuration` are the paravisor's; PCRs are named by two digits.

use cc_core::{ClaimValue, Claims};

use super::check::Passed;
use super::hcl::Hardware;
use super::quote::Quote;
use super::runtime::Scalar;

/// Adds them to the processor's.
pub(super) fn add(claims: &mut Claims, passed: &Passed<'_>) {
    let tee = match passed.hcl.hardware() {
        Hardware::Snp(_) => "snp",
        Hardware::Tdx(_) => "tdx",
    };
    claims.insert("tee", tee);
    claims.insert("hcl", hcl(passed));
    claims.insert("vtpm", vtpm(&passed.quote));
}

fn hcl(passed: &Passed<'_>) -> Claims {
    let runtime = &passed.runtime;
    let mut claims = Claims::new();
    claims.insert("fresh", false);
    claims.insert("runtime_data_keys", runtime.key_names.clone());
    if let Some(user_data) = &runtime.user_data {
        claims.insert_bytes("user_data", user_data);
    }
    claims.insert("version", passed.hcl.version());
    let mut configuration = Claims::new();
    for (name, value) in &runtime.vm_configuration {
        configuration.insert(name, ClaimValue::from(value));
    }
    claims.insert("vm_configuration", configuration);
    claims
}

impl From<&Scalar> for ClaimValue {
    fn from(value: &Scalar) -> Self {
        match value {
            Scalar::Bool(flag) => Self::from(*flag),
            Scalar::Integer(number) => Self::from(*number),
            Scalar::Text(text) => Self::from(text.as_str()),
        }
    }
}

fn vtpm(quote: &Quote<'_>) -> Claims {
    let attest = &quote.attest;
    let mut claims = Claims::new();
    claims.insert("clock", attest.clock);
    claims.insert_bytes("extra_data", attest.extra_data);
    claims.insert("firmware_version", attest.firmware_version);
    claims.insert("pcr_bank", "sha256");
    claims.insert("pcr_selection", quote.pcrs.iter().map(|(number, _)| *number).collect::<Vec<_>>());
    let mut values = Claims::new();
    for (number, value) in &quote.pcrs {
        values.insert_bytes(&format!("{number:02}"), *value);
    }
    claims.insert("pcrs", values);
    claims.insert("quote", "fresh");
    claims.insert("reset_count", attest.reset_count);
    claims.insert("restart_count", attest.restart_count);
    claims.insert("safe", attest.safe);
    claims
}
