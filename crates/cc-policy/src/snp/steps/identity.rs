//! Who speaks: report version, signing key, chip, product line, revocation list, cloud provider.

use cc_core::{Code, SECONDS_PER_DAY, UnixTime, codes};

use super::Steps;
use crate::allowed::{Allowed, text_list};
use crate::facts::show;
use crate::snp::policy::{Line, waivable};
use crate::snp::values::{ChipId, SigningKey};

impl<'a> Steps<'a> {
    pub(super) fn s2_version(&mut self) {
        let versions = &self.policy.versions;
        if !self.facts.version.is_ok_and(|version| versions.value.contains(&version)) {
            let got = show(&self.facts.version, |version| version);
            let want = format!("one of {}", text_list(&versions.value));
            self.find(codes::SNP_VERSION_UNSUPPORTED, got, want, &versions.source);
        }
    }

    pub(super) fn s6_signing_key(&mut self) {
        let allow_vlek = &self.policy.allow_vlek;
        let (got, want) = match self.facts.signing_key {
            Ok(SigningKey::Vcek) => return,
            Ok(SigningKey::Vlek) if allow_vlek.value => return,
            Ok(SigningKey::Vlek) => ("VLEK".to_owned(), "VCEK"),
            Err(missing) => (missing.to_string(), if allow_vlek.value { "VCEK or VLEK" } else { "VCEK" }),
        };
        self.find(codes::SNP_SIGNING_KEY_VLEK_NOT_ALLOWED, got, want, &allow_vlek.source);
    }

    /// Every VLEK report has a zero chip id (*decisions.md* 8).
    pub(super) fn s8_masked_chip_id(&mut self) {
        let allow = &self.policy.allow_masked_chip_id;
        if allow.value || self.facts.signing_key == Ok(SigningKey::Vlek) {
            return;
        }
        if !self.facts.chip_id.is_ok_and(|chip| !chip.is_masked()) {
            let got = show(&self.facts.chip_id, |_| "all zero, masked by the host");
            self.find(codes::SNP_CHIP_ID_MASKED, got, "the chip's id", &allow.source);
        }
    }

    /// Returns the minimums of the product line if it is permitted.
    pub(super) fn s9_product(&mut self) -> Option<&'a Line> {
        let products = &self.policy.products;
        let line = self.facts.product.ok().and_then(|product| products.value.get(&product));
        if line.is_none() {
            let got = show(&self.facts.product, |product| product);
            let want = format!("one of {}", text_list(products.value.keys()));
            self.find(codes::SNP_PRODUCT_NOT_ALLOWED, got, want, &products.source);
        }
        line
    }

    /// A list that was used must be fresh.
    pub(super) fn s13_revocation_list(&mut self, waived: &[Code], now: UnixTime) {
        let policy = self.policy;
        self.used_waivers(waived, &waivable(policy));
        if waived.contains(&codes::SNP_CRL_MISSING) {
            return;
        }
        let days = &self.policy.crl_max_age_days;
        let limit = u64::from(days.value).saturating_mul(SECONDS_PER_DAY);
        // A list from the future has no age: the clock is wrong or the list is.
        if !self.facts.crl_this_update.is_ok_and(|issued| issued <= now && now.seconds_since(issued) <= limit)
        {
            let got = show(&self.facts.crl_this_update, |issued| format!("a list of {issued}"));
            let want = format!("a list at most {} days old at {now}", days.value);
            self.find(codes::SNP_CRL_EXPIRED, got, want, &days.source);
        }
    }

    pub(super) fn s18_csp_id(&mut self) {
        // A missing signing key, or a VLEK where none is allowed, was found by S6.
        if self.facts.signing_key != Ok(SigningKey::Vlek) || !self.policy.allow_vlek.value {
            return;
        }
        let allowed = &self.policy.allowed_csp_ids;
        if !self.facts.csp_id.as_ref().is_ok_and(|id| allowed.value.contains(id)) {
            let got = show(&self.facts.csp_id, |id| id);
            let want = format!("one of [{}]", text_list(&allowed.value));
            self.find(codes::SNP_CSP_ID_NOT_ALLOWED, got, want, &allowed.source);
        }
    }

    /// Judges the HWID of the leaf, which is there even when the host masks the report's chip id. A VLEK has
    /// none, so that a chip list refuses it.
    pub(super) fn s31_chip(&mut self) {
        let (allowed, denied) = (&self.policy.chip_allowlist, &self.policy.chip_denylist);
        let got = || show(&self.facts.hwid, |chip| chip);
        let on = |list: &[ChipId]| self.facts.hwid.map(|chip| list.contains(&chip));
        if !denied.value.is_empty() && on(&denied.value) != Ok(false) {
            let got = got();
            self.find(codes::SNP_CHIP_ID_DENIED, got, "a chip that is not on the deny list", &denied.source);
        }
        if let Allowed::Only(list) = &allowed.value
            && !on(list).is_ok_and(|listed| listed)
        {
            let got = got();
            self.find(codes::SNP_CHIP_ID_DENIED, got, "a chip on the allow list", &allowed.source);
        }
    }
}
