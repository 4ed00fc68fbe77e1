//! Format and defaults of the `[azcvm]` section, and what makes a section unfit to load.
//!
//! Two things have no default, since no value could be right for everybody: the values of PCRs, and what the processor's
//! report must say.

use std::collections::{BTreeMap, BTreeSet};

use cc_core::codes;
use toml::de::DeValue;

use super::policy::{CvmPolicy, Pcr};
use crate::PolicyError;
use crate::policy::Mode;
use crate::reader::{Placed, Table, bytes, flag, number, some_of};
use crate::{snp, tdx};

/// PCRs of a bank (PC Client Platform TPM Profile, 4.6.2).
pub(super) const PCRS: u8 = 24;

/// Reads the section, then refuses what contradicts itself.
pub(crate) fn load(mut t: Table<'_>, mode: &Placed<Mode>) -> Result<CvmPolicy, PolicyError> {
    let section = t.source().to_owned();
    let (snp, tdx) = (t.section("snp")?, t.section("tdx")?);
    let pcr_selection = t.knob(
        "pcr_selection",
        "a list of different numbers from 0 to 23 that is not empty",
        selection,
        (0..PCRS).collect(),
    )?;
    let require_secure_boot = t.knob("require_secure_boot", "true or false", flag, true)?;
    let fresh_hcl = t.knob("fresh_hcl", "true or false", flag, false)?;
    let pcrs = pcrs(t.table("pcrs")?, &pcr_selection)?;
    t.finish()?;
    if snp.is_none() && tdx.is_none() {
        let detail = "tables `snp` and `tdx` are absent, a machine's report needs one for its processor";
        return Err(PolicyError::new(codes::POL_FORMAT_INVALID, section, detail));
    }
    let snp = snp.map(|table| snp::load(table, mode)).transpose()?;
    let tdx = tdx.map(|table| tdx::load(table, mode)).transpose()?;
    Ok(CvmPolicy { snp, tdx, require_secure_boot, fresh_hcl, pcr_selection, pcrs })
}

/// The permitted values, each for a PCR that is quoted.
fn pcrs(
    mut table: Table<'_>,
    selection: &Placed<BTreeSet<u8>>,
) -> Result<BTreeMap<u8, Placed<Vec<Pcr>>>, PolicyError> {
    let section = table.source().to_owned();
    let mut pcrs = BTreeMap::new();
    for number in 0..PCRS {
        let wanted = "a list of values of 64 hexadecimal digits that is not empty";
        let Some(values) = table.optional(&name(number), wanted, some_of(bytes))? else { continue };
        if !selection.value.contains(&number) {
            let detail = format!("has no effect while PCR {number} is not in pcr_selection");
            return Err(PolicyError::new(codes::POL_FORMAT_INVALID, values.source, detail));
        }
        pcrs.insert(number, values);
    }
    table.finish()?;
    if pcrs.is_empty() {
        let detail = "no PCR has a value, expected at least one: what the machine booted stands nowhere else";
        return Err(PolicyError::new(codes::POL_MEASUREMENT_UNSET, section, detail));
    }
    Ok(pcrs)
}

fn selection(value: &DeValue<'_>) -> Option<BTreeSet<u8>> {
    let numbers: Vec<u8> = some_of(|v| number(v).filter(|&n: &u8| n < PCRS))(value)?;
    let set: BTreeSet<_> = numbers.iter().copied().collect();
    (set.len() == numbers.len()).then_some(set)
}

/// What policy and claims call a PCR: two decimal digits.
pub(super) fn name(number: u8) -> String {
    format!("{number:02}")
}
