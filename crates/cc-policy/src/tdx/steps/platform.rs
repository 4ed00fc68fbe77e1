//! Where the domain runs: configuration and identity of the platform, the TDX module.

use cc_core::codes;

use super::Steps;
use crate::allowed::{Allowed, hex_list};
use crate::facts::{Fact, Missing, show, show_hex};
use crate::tdx::facts::PckCa;
use crate::tdx::values::PlatformId;

impl Steps<'_> {
    /// A certificate that does not say how the platform is configured does not say that something is off.
    pub(super) fn t24_platform(&mut self) {
        let (facts, policy) = (self.facts, self.policy);
        for (name, found, allowed, code) in [
            ("SMT", facts.smt_enabled, &policy.smt_allowed, codes::TDX_PLATFORM_SMT),
            (
                "dynamic platform",
                facts.dynamic_platform,
                &policy.allow_dynamic_platform,
                codes::TDX_PLATFORM_DYNAMIC,
            ),
            ("cached keys", facts.cached_keys, &policy.allow_cached_keys, codes::TDX_PLATFORM_CACHED_KEYS),
        ] {
            if !allowed.value && found != Ok(false) {
                let got = format!("{name}: {}", show(&found, |flag| flag));
                self.find(code, got, format!("{name}: false"), &allowed.source);
            }
        }
        self.platform_ids();
    }

    /// The lists name platforms by either of their ids. One that does not show both might be the one that is denied.
    fn platform_ids(&mut self) {
        let (facts, allowed, denied) =
            (self.facts, &self.policy.platform_allowlist, &self.policy.platform_denylist);
        let ids = [facts.ppid, facts.platform_instance_id];
        let on = |list: &[PlatformId]| ids.iter().flatten().any(|id| list.contains(id));
        let unnamed = facts.ppid.is_err() || !self.shows_instance();
        let got = || {
            let [ppid, instance] = ids;
            format!("PPID {}, platform instance id {}", show_hex(&ppid), show_hex(&instance))
        };
        if !denied.value.is_empty() && (unnamed || on(&denied.value)) {
            let want = "a platform that is not on the deny list";
            self.find(codes::TDX_PLATFORM_DENIED, got(), want, &denied.source);
        }
        if let Allowed::Only(list) = &allowed.value
            && !on(list)
        {
            self.find(codes::TDX_PLATFORM_DENIED, got(), "a platform on the allow list", &allowed.source);
        }
    }

    /// Whether the certificate names the platform's instance as far as its kind does.
    fn shows_instance(&self) -> bool {
        let instance: Fact<PlatformId> = self.facts.platform_instance_id;
        match instance {
            Ok(_) => true,
            Err(Missing::Absent) => self.facts.pck_ca == Ok(PckCa::Processor),
            Err(Missing::Malformed) => false,
        }
    }

    pub(super) fn t25_module(&mut self) {
        let allowed = &self.policy.mrseam_allowlist;
        if let Allowed::Only(list) = &allowed.value
            && !self.facts.mr_seam.is_ok_and(|mr_seam| list.contains(&mr_seam))
        {
            let got = show_hex(&self.facts.mr_seam);
            let want = format!("one of {}", hex_list(list));
            self.find(codes::TDX_MRSEAM_UNKNOWN, got, want, &allowed.source);
        }
    }
}
