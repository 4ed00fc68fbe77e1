//! How the guest runs: privilege level, the guest policy that the firmware enforces, the platform's state.
//!
//! Bit positions are those of *verification.md* 1.1 (POLICY at 0x008, PLATFORM_INFO at 0x040).

use cc_core::{Code, codes};

use super::Steps;
use crate::facts::{bit, show, show_bit, show_hex};
use crate::reader::Placed;
use crate::snp::policy::CiphertextHiding;
use crate::snp::values::{Abi, Product};

/// Bits of POLICY.
mod policy_bit {
    pub(super) const SMT: u64 = 1 << 16;
    pub(super) const MIGRATE_MA: u64 = 1 << 18;
    pub(super) const DEBUG: u64 = 1 << 19;
    pub(super) const SINGLE_SOCKET: u64 = 1 << 20;
    pub(super) const CXL_ALLOW: u64 = 1 << 21;
    pub(super) const MEM_AES_256_XTS: u64 = 1 << 22;
    pub(super) const RAPL_DIS: u64 = 1 << 23;
    pub(super) const CIPHERTEXT_HIDING_DRAM: u64 = 1 << 24;
    pub(super) const PAGE_SWAP_DISABLE: u64 = 1 << 25;
}

/// Bits of PLATFORM_INFO.
mod platform_bit {
    pub(super) const SMT_EN: u64 = 1;
    pub(super) const ECC_EN: u64 = 1 << 2;
    pub(super) const ALIAS_CHECK_COMPLETE: u64 = 1 << 5;
    /// Bits 0 to 5 and 7 have published meanings.
    pub(super) const KNOWN: u64 = 0b1011_1111;
    /// Set by real Turin firmware, meaning unpublished.
    pub(super) const BIT6: u64 = 1 << 6;
}

impl Steps<'_> {
    pub(super) fn s22_vmpl(&mut self) {
        let want = &self.policy.vmpl;
        match self.facts.vmpl {
            Ok(vmpl) if vmpl > 3 => {
                let expected = format!("a guest's privilege level, {}", want.value);
                let got = format!("{vmpl}, a report that the host requested");
                self.find(codes::SNP_VMPL_HOST_REPORT, got, expected, &want.source);
            }
            Ok(vmpl) if vmpl == want.value => {}
            vmpl => {
                self.find(codes::SNP_VMPL_MISMATCH, show(&vmpl, |vmpl| vmpl), want.value, &want.source);
            }
        }
    }

    /// The locked knobs. A migration agent, where one is permitted, has a report id of its own.
    pub(super) fn s23_locked(&mut self) {
        let policy = self.policy;
        if !policy.allow_debug.value {
            self.clear(policy_bit::DEBUG, "DEBUG", codes::SNP_POLICY_DEBUG, &policy.allow_debug);
        }
        if policy.allow_migrate_ma.value {
            return;
        }
        let allow = &policy.allow_migrate_ma;
        self.clear(policy_bit::MIGRATE_MA, "MIGRATE_MA", codes::SNP_POLICY_MIGRATE_MA, allow);
        if self.facts.report_id_ma != Ok([0xff; 32]) {
            let got = show_hex(&self.facts.report_id_ma);
            self.find(codes::SNP_REPORT_ID_MA_PRESENT, got, "all ff, no migration agent", &allow.source);
        }
    }

    pub(super) fn s24_guest_policy(&mut self) {
        let policy = self.policy;
        let least = &policy.min_abi;
        let abi = self.facts.policy.map(|word| {
            let [minor, major, ..] = word.to_le_bytes();
            Abi { major, minor }
        });
        if !abi.is_ok_and(|abi| abi >= least.value) {
            let want = format!("at least {}", least.value);
            self.find(codes::SNP_POLICY_ABI, show(&abi, |abi| abi), want, &least.source);
        }
        if !policy.smt_allowed.value {
            self.clear(policy_bit::SMT, "SMT", codes::SNP_POLICY_SMT, &policy.smt_allowed);
        }
        if !policy.cxl.value {
            self.clear(policy_bit::CXL_ALLOW, "CXL_ALLOW", codes::SNP_POLICY_CXL, &policy.cxl);
        }
        for (knob, bit, name, code) in [
            (
                &policy.require_single_socket,
                policy_bit::SINGLE_SOCKET,
                "SINGLE_SOCKET",
                codes::SNP_POLICY_SINGLE_SOCKET,
            ),
            (&policy.require_xts, policy_bit::MEM_AES_256_XTS, "MEM_AES_256_XTS", codes::SNP_POLICY_XTS),
            (&policy.require_rapl_dis, policy_bit::RAPL_DIS, "RAPL_DIS", codes::SNP_POLICY_RAPL),
        ] {
            if knob.value {
                self.set(bit, name, code, knob);
            }
        }
        let hiding = &policy.require_ciphertext_hiding;
        let required = match hiding.value {
            CiphertextHiding::Required => true,
            CiphertextHiding::NotRequired => false,
            CiphertextHiding::WhereAvailable => {
                !matches!(self.facts.product, Ok(Product::Milan | Product::Genoa))
            }
        };
        if required {
            let (bit, name) = (policy_bit::CIPHERTEXT_HIDING_DRAM, "CIPHERTEXT_HIDING_DRAM");
            self.set(bit, name, codes::SNP_POLICY_CIPHERTEXT_HIDING, hiding);
        }
        let swap = &policy.page_swap_disable;
        if swap.value {
            let (bit, name) = (policy_bit::PAGE_SWAP_DISABLE, "PAGE_SWAP_DISABLE");
            self.set(bit, name, codes::SNP_POLICY_PAGE_SWAP, swap);
        }
    }

    pub(super) fn s25_platform(&mut self) {
        let (facts, policy) = (self.facts, self.policy);
        for (knob, mask, name, code) in [
            (
                &policy.require_alias_check,
                platform_bit::ALIAS_CHECK_COMPLETE,
                "ALIAS_CHECK_COMPLETE",
                codes::SNP_PLATFORM_ALIAS_CHECK,
            ),
            (&policy.require_ecc, platform_bit::ECC_EN, "ECC_EN", codes::SNP_PLATFORM_ECC),
        ] {
            let found = bit(&facts.platform_info, mask);
            if knob.value && found != Ok(true) {
                self.find(code, show_bit(&found, name), format!("{name} = 1"), &knob.source);
            }
        }
        // Firmware does not launch such a guest, so that one of the two words is not what it seems.
        let on = bit(&facts.platform_info, platform_bit::SMT_EN);
        let permitted = bit(&facts.policy, policy_bit::SMT);
        if on != Ok(false) && permitted != Ok(true) {
            let got = format!("{}, {}", show_bit(&on, "SMT_EN"), show_bit(&permitted, "policy SMT"));
            self.find(codes::SNP_PLATFORM_SMT, got, "SMT off where the guest forbids it", "specification");
        }
        let known = match facts.product {
            Ok(Product::Turin) => platform_bit::KNOWN | platform_bit::BIT6,
            _ => platform_bit::KNOWN,
        };
        if !facts.platform_info.is_ok_and(|word| word & !known == 0) {
            let got = show(&facts.platform_info, |word| format!("{word:#x}"));
            let want = format!("no bits but {known:#x}");
            self.find(codes::SNP_PLATFORM_UNKNOWN_BIT, got, want, "specification");
        }
    }

    /// Reports before version 5 have no vectors, and so none of the bits.
    pub(super) fn s26_mitigations(&mut self) {
        let required = &self.policy.required_mitigations;
        if required.value == 0 {
            return;
        }
        let vectors = [("current", self.facts.current_mit_vector), ("launch", self.facts.launch_mit_vector)];
        for (name, vector) in vectors {
            if !vector.is_ok_and(|vector| vector & required.value == required.value) {
                let got = format!("{name} {}", show(&vector, |vector| format!("{vector:#x}")));
                let want = format!("all bits of {:#x}", required.value);
                self.find(codes::SNP_MITIGATION_MISSING, got, want, &required.source);
            }
        }
    }

    fn clear<T>(&mut self, mask: u64, name: &str, code: Code, knob: &Placed<T>) {
        let found = bit(&self.facts.policy, mask);
        if found != Ok(false) {
            self.find(code, show_bit(&found, name), format!("{name} = 0"), &knob.source);
        }
    }

    fn set<T>(&mut self, mask: u64, name: &str, code: Code, knob: &Placed<T>) {
        let found = bit(&self.facts.policy, mask);
        if found != Ok(true) {
            self.find(code, show_bit(&found, name), format!("{name} = 1"), &knob.source);
        }
    }
}
