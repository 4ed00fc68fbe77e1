//! What several tests use: synthetic worlds, and published evidence with how it is verified.

pub(crate) mod aci;
pub(crate) mod aci_corpus;
pub(crate) mod codes;
pub(crate) mod differences;
pub(crate) mod gpu;
pub(crate) mod gpu_corpus;
pub(crate) mod gpu_published;
pub(crate) mod jwt;
pub(crate) mod mutations;
pub(crate) mod nras;
pub(crate) mod ocsp;
pub(crate) mod oracle;
pub(crate) mod published;
pub(crate) mod requests;
pub(crate) mod rim;
pub(crate) mod synthetic;
pub(crate) mod tdx;
pub(crate) mod tdx_corpus;
pub(crate) mod vtpm;
pub(crate) mod vtpm_corpus;
