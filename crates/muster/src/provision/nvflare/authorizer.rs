//! NVFlare's authorizers, by the path of their class, and the evidence that stands for them here.

/// What an authorizer attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Snp,
    Tdx,
    Gpu,
    Aci,
    AzureCvm,
    Mock,
}

const KNOWN: &[(&str, Kind)] = &[
    ("nvflare.app_opt.confidential_computing.snp_authorizer.SNPAuthorizer", Kind::Snp),
    ("nvflare.app_opt.confidential_computing.tdx_authorizer.TDXAuthorizer", Kind::Tdx),
    ("nvflare.app_opt.confidential_computing.gpu_authorizer.GPUAuthorizer", Kind::Gpu),
    ("nvflare.app_opt.confidential_computing.aci_authorizer.ACIAuthorizer", Kind::Aci),
    ("nvflare.app_opt.confidential_computing.az_cvm_authorizer.AZCVMAuthorizer", Kind::AzureCvm),
    ("nvflare.app_opt.confidential_computing.mock_authorizer.MockAuthorizer", Kind::Mock),
];

impl Kind {
    /// The kind with this class path; an unknown one is refused, whatever its last word is.
    pub(super) fn of(path: &str) -> Option<Self> {
        KNOWN.iter().find(|(known, _)| *known == path).map(|(_, kind)| *kind)
    }

    /// The namespace of its tokens, unless its arguments say otherwise.
    pub(super) const fn namespace(self) -> &'static str {
        match self {
            Self::Snp => "x-snp",
            Self::Tdx => "x-tdx",
            Self::Gpu => "x-nv-gpu",
            Self::Aci => "x-az-aci",
            Self::AzureCvm => "x-az-cvm",
            Self::Mock => "x-mock",
        }
    }

    /// The profile of the evidence that stands for its tokens. A mock token stands for emulated SNP.
    pub(super) const fn profile(self) -> &'static str {
        match self {
            Self::Snp | Self::Mock => "snp-raw-1",
            Self::Tdx => "tdx-quote-1",
            Self::Gpu => "nv-spdm-1",
            Self::Aci => "aci-maa-1",
            Self::AzureCvm => "az-cvm-vtpm-1",
        }
    }

    /// Whether it is about a device and not about the machine.
    pub(super) const fn is_device(self) -> bool {
        matches!(self, Self::Gpu)
    }

    /// What the site file calls the processor's mechanism; nothing where it does not say.
    pub(super) const fn mechanism(self) -> Option<&'static str> {
        match self {
            Self::Snp => Some("amd_sev_snp"),
            Self::Tdx => Some("intel_tdx"),
            Self::Mock => Some("mock"),
            Self::Gpu | Self::Aci | Self::AzureCvm => None,
        }
    }
}
