//! What the requests of all profiles have in common.

use cc_core::limits::MAX_ENDORSEMENTS;
use cc_core::message::Blob;
use cc_core::{Code, Finding, Profile, Waivers, codes};

/// What the host must not ask of a verifier that serves `served`.
pub(crate) fn contract(served: &Profile, asked: &Profile, endorsements: &[Blob]) -> Result<(), Finding> {
    if asked != served {
        let detail = format!("profile {asked} was asked for, this verifier serves {served}");
        return Err(Finding::new(codes::PLUG_CONTRACT, detail));
    }
    if !is_bounded(endorsements) {
        let detail = format!("{} endorsements, the limit is {MAX_ENDORSEMENTS}", endorsements.len());
        return Err(Finding::new(codes::ENV_SIZE_EXCEEDED, detail));
    }
    Ok(())
}

/// Whether there are no more endorsements than are allowed.
pub(crate) const fn is_bounded(endorsements: &[Blob]) -> bool {
    endorsements.len() <= MAX_ENDORSEMENTS
}

/// The endorsements as slices.
pub(crate) fn bytes(endorsements: &[Blob]) -> impl ExactSizeIterator<Item = &[u8]> + Clone {
    endorsements.iter().map(|blob| blob.0.as_slice())
}

/// Reads the waivers of a request.
pub(crate) fn waivers(texts: &[String]) -> Result<Waivers, Finding> {
    let refuse = |text: &str| Finding::new(codes::PLUG_CONTRACT, format!("{text:?} cannot be waived"));
    let parsed: Result<Vec<_>, _> =
        texts.iter().map(|text| Code::parse(text).map_err(|_| refuse(text))).collect();
    Waivers::new(parsed?).map_err(|code| refuse(code.as_str()))
}
