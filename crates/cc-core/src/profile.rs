//! Evidence profiles and what a plugin says about itself.

use std::fmt;

use crate::limits::{MAX_DEVICES_EVIDENCE, MAX_EVIDENCE};

/// The name of an evidence profile (*verification.md* 0.12, key 2), for example `snp-raw-1`: which bytes are
/// the evidence and which checks apply to them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Profile(#[n(0)] String);

impl Profile {
    /// The profile of a raw AMD SEV-SNP report.
    pub fn snp_raw_1() -> Self {
        Self("snp-raw-1".to_owned())
    }

    /// `nv-spdm-1`: reports of NVIDIA GPUs and switches, which come inside the evidence of a processor.
    pub fn nv_spdm_1() -> Self {
        Self("nv-spdm-1".to_owned())
    }

    /// `tdx-quote-1`: a raw quote of an Intel trust domain.
    pub fn tdx_quote_1() -> Self {
        Self("tdx-quote-1".to_owned())
    }

    /// `aci-raw-1`: the raw report of a confidential container group of Azure.
    pub fn aci_raw_1() -> Self {
        Self("aci-raw-1".to_owned())
    }

    /// `aci-maa-1`: a token of Microsoft Azure Attestation about a confidential container group.
    pub fn aci_maa_1() -> Self {
        Self("aci-maa-1".to_owned())
    }

    /// `az-cvm-vtpm-1`: report and virtual TPM of a confidential virtual machine of Azure.
    pub fn az_cvm_vtpm_1() -> Self {
        Self("az-cvm-vtpm-1".to_owned())
    }

    /// Names a profile: 1 to 32 characters, lower-case letters, digits and single hyphens between them,
    /// ending in a hyphen and a decimal number.
    pub fn parse(name: &str) -> Option<Self> {
        let (stem, number) = name.rsplit_once('-')?;
        let well_formed = name.len() <= 32
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
            && stem.starts_with(|c: char| c.is_ascii_lowercase())
            && stem.split('-').all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            });
        well_formed.then(|| Self(name.to_owned()))
    }

    /// Whether its evidence is of devices, which is shown inside that of a processor and never alone (*verification.md*
    /// 0.12, key 2).
    pub fn is_device(&self) -> bool {
        *self == Self::nv_spdm_1()
    }

    /// How many bytes of a verifier's choice evidence of the profile can be asked to carry: 32 in the nonce of devices and
    /// in the extra data of a virtual TPM's quote, 64 more in the user data of that machine's report, otherwise 64.
    pub fn binding_lengths(&self) -> &'static [usize] {
        if self.is_device() {
            &[32]
        } else if *self == Self::az_cvm_vtpm_1() {
            &[32, 96]
        } else {
            &[64]
        }
    }

    /// Most bytes that evidence of the profile may have.
    pub fn max_evidence(&self) -> usize {
        if self.is_device() { MAX_DEVICES_EVIDENCE } else { MAX_EVIDENCE }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a plugin can do for a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
#[non_exhaustive]
pub enum Role {
    /// Obtain evidence from the hardware of this machine.
    #[n(0)]
    Collect,
    /// Say which endorsements evidence needs, and verify it.
    #[n(1)]
    Verify,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Collect => "collect",
            Self::Verify => "verify",
        })
    }
}

/// What stands behind the evidence that a plugin accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
#[non_exhaustive]
pub enum TrustClass {
    /// The vendor's hardware: the plugin's trust anchors are the vendor's.
    #[n(0)]
    Hardware,
    /// Synthetic trust anchors. Nothing such a plugin accepts says anything about a machine.
    #[n(1)]
    Emulated,
}

impl fmt::Display for TrustClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hardware => "hardware",
            Self::Emulated => "emulated",
        })
    }
}

/// One profile that a plugin serves.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct ProfileInfo {
    /// The profile.
    #[n(0)]
    pub profile: Profile,
    /// NVFlare's label of the scheme, for example `x-snp`; a label only.
    #[n(1)]
    pub namespace: String,
    /// Media types of the evidence.
    #[n(2)]
    pub media_types: Vec<String>,
    /// What the plugin does for this profile.
    #[n(3)]
    pub roles: Vec<Role>,
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn names_are_strict() {
        for good in ["snp-raw-1", "tdx-quote-1", "az-cvm-vtpm-1", "foo-12"] {
            assert_eq!(Profile::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "snp", "snp-", "-1", "snp--1", "Snp-raw-1", "snp-raw-1 ", "snp_raw-1", "1-1", "snp-raw-x"]
        {
            assert_eq!(Profile::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Profile::parse(&format!("{}-1", "a".repeat(31))), None);
    }

    #[test]
    fn each_profile_has_room_for_a_binding() {
        for (name, lengths) in [
            ("snp-raw-1", &[64][..]),
            ("tdx-quote-1", &[64]),
            ("nv-spdm-1", &[32]),
            ("aci-raw-1", &[64]),
            ("aci-maa-1", &[64]),
            ("az-cvm-vtpm-1", &[32, 96]),
        ] {
            assert_eq!(Profile::parse(name).unwrap().binding_lengths(), lengths, "{name}");
        }
    }
}
