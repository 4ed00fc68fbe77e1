//! How the domain runs: its attributes, its extended features, the service TD that is bound to it.
//!
//! Bit positions are those of *verification.md* 2.1 (TDATTRIBUTES at 0x078).

use cc_core::{Code, codes};

use super::Steps;
use crate::allowed::hex_list;
use crate::facts::{Fact, Missing, bit, show, show_bit, show_hex};
use crate::tdx::facts::Body;
use crate::tdx::load::XFAM_MANDATORY;

/// Bits of TDATTRIBUTES.
mod attribute {
    /// DEBUG (bit 0) and whatever else takes the domain out of trust.
    pub(super) const TUD: u64 = 0xff;
    pub(super) const SEPT_VE_DISABLE: u64 = 1 << 28;
    pub(super) const MIGRATABLE: u64 = 1 << 29;
    pub(super) const PKS: u64 = 1 << 30;
    pub(super) const KL: u64 = 1 << 31;
    pub(super) const PERFMON: u64 = 1 << 63;
    pub(super) const KNOWN: u64 = TUD | SEPT_VE_DISABLE | MIGRATABLE | PKS | KL | PERFMON;
}

impl Steps<'_> {
    pub(super) fn t18_attributes(&mut self) {
        let (word, policy) = (&self.facts.td_attributes, self.policy);
        let untrusted = word.map(|word| word & attribute::TUD);
        if !policy.allow_debug.value && untrusted != Ok(0) {
            let got =
                format!("DEBUG and other TUD bits {}", show(&untrusted, |bits| format!("{bits:#010b}")));
            self.find(codes::TDX_ATTR_DEBUG, got, "none of them", &policy.allow_debug.source);
        }
        for (mask, name, code, allowed) in [
            (attribute::MIGRATABLE, "MIGRATABLE", codes::TDX_ATTR_MIGRATABLE, &policy.allow_migratable),
            (attribute::PKS, "PKS", codes::TDX_ATTR_PKS, &policy.allow_pks),
            (attribute::KL, "KL", codes::TDX_ATTR_KL, &policy.allow_kl),
            (attribute::PERFMON, "PERFMON", codes::TDX_ATTR_PERFMON, &policy.allow_perfmon),
        ] {
            if !allowed.value {
                self.attribute(mask, name, false, code, &allowed.source);
            }
        }
        let required = &policy.require_sept_ve_disable;
        if required.value {
            let (mask, name) = (attribute::SEPT_VE_DISABLE, "SEPT_VE_DISABLE");
            self.attribute(mask, name, true, codes::TDX_ATTR_SEPT_VE_DISABLE, &required.source);
        }
        if !word.is_ok_and(|word| word & !attribute::KNOWN == 0) {
            let got = show(word, |word| format!("{word:#x}"));
            let want = format!("no bits but {:#x}", attribute::KNOWN);
            self.find(codes::TDX_ATTR_UNKNOWN_BIT, got, want, "specification");
        }
    }

    fn attribute(&mut self, mask: u64, name: &str, want: bool, code: Code, source: &str) {
        let found = bit(&self.facts.td_attributes, mask);
        if found != Ok(want) {
            self.find(code, show_bit(&found, name), show_bit(&Ok(want), name), source);
        }
    }

    pub(super) fn t19_xfam(&mut self) {
        let (xfam, allowed) = (&self.facts.xfam, &self.policy.xfam_allowed);
        let fine = |xfam| xfam & XFAM_MANDATORY == XFAM_MANDATORY && xfam & !allowed.value == 0;
        if !xfam.is_ok_and(fine) {
            let got = show(xfam, |xfam| format!("{xfam:#x}"));
            let want = format!("bits of {:#x}, {XFAM_MANDATORY:#x} among them", allowed.value);
            self.find(codes::TDX_XFAM_INVALID, got, want, &allowed.source);
        }
    }

    /// A body of TD 1.0 does not show the service TD: then only a domain that cannot be migrated has none.
    pub(super) fn t20_service_td(&mut self) {
        let (facts, allowed) = (self.facts, &self.policy.service_td);
        let migrates = bit(&facts.td_attributes, attribute::MIGRATABLE) != Ok(false);
        let shown: Fact<[u8; 48]> = match (facts.body, facts.mr_service_td) {
            // A migratable domain that T18 refuses is one finding.
            (Ok(Body::Td10), Err(Missing::Absent)) if !(migrates && self.policy.allow_migratable.value) => {
                return;
            }
            (Ok(Body::Td15), shown) => shown,
            (Ok(Body::Td10), Ok(_)) => Err(Missing::Malformed),
            (Ok(Body::Td10), Err(missing)) | (Err(missing), _) => Err(missing),
        };
        if !shown.is_ok_and(|shown| shown == [0; 48] || allowed.value.contains(&shown)) {
            let want = match allowed.value.as_slice() {
                [] => "zero".to_owned(),
                listed => format!("zero or one of {}", hex_list(listed)),
            };
            self.find(codes::TDX_SERVICE_TD_PRESENT, show_hex(&shown), want, &allowed.source);
        }
    }
}
