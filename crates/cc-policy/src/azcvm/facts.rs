//! The claims that the steps need beside those of the processor's report.

use std::collections::BTreeSet;

use cc_core::{ClaimValue, Claims};

use super::load::{PCRS, name};
use super::policy::Pcr;
use crate::facts::{Fact, Missing, bytes, flag, printable, read, read_text};

/// What the claims say.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) tee: Fact<Tee>,
    pub(super) secure_boot: Fact<bool>,
    /// What the guest had put into the report; older machines have none.
    pub(super) user_data: Fact<[u8; 64]>,
    pub(super) pcr_bank: Fact<String>,
    pub(super) pcr_selection: Fact<BTreeSet<u8>>,
    /// By number.
    pcrs: Vec<Fact<Pcr>>,
}

/// Whose report the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tee {
    Snp,
    Tdx,
}

impl Facts {
    pub(super) fn read(claims: &Claims) -> Self {
        let nothing = Claims::new();
        let map = |claims: &Claims, name| claims.map(name).unwrap_or(&nothing).clone();
        let (hcl, vtpm) = (map(claims, "hcl"), map(claims, "vtpm"));
        let pcrs = map(&vtpm, "pcrs");
        Self {
            tee: read_text(claims, "tee", |text| match text {
                "snp" => Some(Tee::Snp),
                "tdx" => Some(Tee::Tdx),
                _ => None,
            }),
            user_data: bytes(&hcl, "user_data"),
            secure_boot: flag(&map(&hcl, "vm_configuration"), "secure-boot"),
            pcr_bank: read_text(&vtpm, "pcr_bank", printable),
            pcr_selection: read(&vtpm, "pcr_selection", |c, n| Ok(numbers(c.value(n)))),
            pcrs: (0..PCRS).map(|number| bytes(&pcrs, &name(number))).collect(),
        }
    }

    /// The value of a PCR that was quoted.
    pub(super) fn pcr(&self, number: u8) -> Fact<Pcr> {
        self.pcrs.get(usize::from(number)).copied().unwrap_or(Err(Missing::Absent))
    }
}

/// Different numbers of PCRs.
fn numbers(list: Option<&ClaimValue>) -> Option<BTreeSet<u8>> {
    let Some(ClaimValue::List(items)) = list else { return None };
    let number = |item: &ClaimValue| match item {
        ClaimValue::Integer(number) => u8::try_from(*number).ok().filter(|number| *number < PCRS),
        _ => None,
    };
    let set: BTreeSet<_> = items.iter().map(number).collect::<Option<_>>()?;
    (set.len() == items.len()).then_some(set)
}
