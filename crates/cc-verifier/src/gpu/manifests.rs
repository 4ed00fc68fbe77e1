//! Steps G11 to G14: the reference manifests at hand, and which of them a report is compared with.

use std::sync::Arc;

use cc_core::gpu::DeviceClass;
use cc_core::{Finding, codes};

use super::anchors::Anchors;
use super::rim::{Kind, Rim};
use super::wanted::Wanted;
use crate::memory::Key;
use crate::ocsp::Subject;

/// An authentic manifest with what is to be asked about its chain.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) rim: Rim,
    /// Its certificates but the root, signer first.
    pub(super) subjects: Vec<Subject>,
}

impl Manifest {
    /// Verifies a manifest under the root of its class of device.
    pub(super) fn judge(xml: &[u8], anchors: &Anchors) -> Result<Self, Finding> {
        let rim = verify(xml, anchors)?;
        let certificates = rim.chain();
        let pairs = certificates.iter().zip(certificates.iter().skip(1));
        let subjects = pairs.map(|(certificate, issuer)| Subject::of(certificate, issuer));
        let subjects = subjects.collect::<Option<_>>().ok_or_else(|| {
            let detail = "a certificate of the manifest's chain cannot be asked about";
            Finding::new(codes::GPU_RIM_CHAIN, detail)
        })?;
        Ok(Self { rim, subjects })
    }
}

/// Under which root a manifest must be follows from what it is about.
fn verify(xml: &[u8], anchors: &Anchors) -> Result<Rim, Finding> {
    let gpus = Rim::verify(xml, anchors.manifests(DeviceClass::Gpu));
    let is_of_switch = |rim: &Rim| rim.kind() == Kind::SwitchBios;
    if anchors.manifests(DeviceClass::Gpu) == anchors.manifests(DeviceClass::Switch) {
        return gpus;
    }
    if gpus.as_ref().is_ok_and(|rim| !is_of_switch(rim)) {
        return gpus;
    }
    let other_root = || {
        let detail = "the manifest is under the root of another class of device";
        Finding::new(codes::GPU_RIM_CHAIN, detail)
    };
    match Rim::verify(xml, anchors.manifests(DeviceClass::Switch)) {
        Ok(rim) if is_of_switch(&rim) => Ok(rim),
        Ok(_) => Err(other_root()),
        Err(_) => Err(gpus.err().unwrap_or_else(other_root)),
    }
}

/// An endorsement that is a manifest by its looks.
#[derive(Debug)]
pub(super) struct Candidate {
    /// What the service said that it is; a bare file says nothing.
    pub(super) id: Option<String>,
    pub(super) manifest: Result<Arc<Manifest>, Finding>,
    /// Stands for its bytes in the memory of manifests.
    pub(super) key: Key,
}

/// How near a candidate came to be the one that is wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// An answer of the service to a question that nobody asked, if it is the only one.
    OtherAnswer,
    /// A file of which nobody can say what it is.
    Unreadable,
    /// A file for the same part in another version.
    OtherVersion,
    /// The service's answer to the question.
    Answer,
}

/// The manifest that is wanted, if it is among the candidates: the service's answer with that name, or a file for that
/// part in that version. The first one that is good counts, otherwise the error of the one that came nearest; without any,
/// `gpu.rim.not_found`. `all` is what all devices of the evidence want.
pub(super) fn select<'c>(
    candidates: &'c [Candidate],
    wanted: &Wanted,
    all: &[Wanted],
) -> Result<&'c Manifest, Finding> {
    let mut nearest: Option<(Rank, Finding)> = None;
    let mut others = candidates.iter().filter(|candidate| is_other_answer(candidate, wanted, all));
    let only_other = others.next().filter(|_| others.next().is_none());
    for candidate in candidates {
        let manifest = candidate.manifest.as_deref().map_err(Clone::clone);
        let fits = manifest.and_then(|manifest| fits(manifest, wanted).map(|()| manifest));
        let rank = match (&candidate.id, &candidate.manifest) {
            (Some(id), _) if *id == wanted.id => Rank::Answer,
            (Some(_), _) if only_other.is_some_and(|other| std::ptr::eq(other, candidate)) => {
                Rank::OtherAnswer
            }
            (Some(_), _) => continue,
            (None, Ok(manifest)) if manifest.rim.kind() == wanted.kind => Rank::OtherVersion,
            (None, Ok(_)) => continue,
            (None, Err(_)) => Rank::Unreadable,
        };
        let finding = match (rank, fits) {
            (Rank::OtherAnswer, _) => other_answer(candidate, wanted),
            (_, Ok(manifest)) => return Ok(manifest),
            (_, Err(finding)) => finding,
        };
        if nearest.as_ref().is_none_or(|(other, _)| *other < rank) {
            nearest = Some((rank, finding));
        }
    }
    Err(nearest.map_or_else(|| not_found(wanted), |(_, finding)| finding))
}

/// Whether a candidate is an answer to a question that nobody asked, and might be meant for this one.
fn is_other_answer(candidate: &Candidate, wanted: &Wanted, all: &[Wanted]) -> bool {
    let is_asked = |id: &String| all.iter().any(|wanted| wanted.id == *id);
    let may_be_meant =
        candidate.manifest.as_ref().map_or(true, |manifest| manifest.rim.kind() == wanted.kind);
    candidate.id.as_ref().is_some_and(|id| !is_asked(id)) && may_be_meant
}

/// G14.
fn fits(manifest: &Manifest, wanted: &Wanted) -> Result<(), Finding> {
    manifest.rim.judge(wanted.kind, &wanted.version)?;
    if manifest.rim.product() != wanted.product {
        let (found, expected) = (manifest.rim.product(), &wanted.product);
        let detail = format!("the manifest is for product {found:?}, the report is of {expected:?}");
        return Err(Finding::new(codes::GPU_RIM_VERSION_MISMATCH, detail));
    }
    Ok(())
}

fn other_answer(candidate: &Candidate, wanted: &Wanted) -> Finding {
    let id: String = candidate.id.iter().flat_map(|id| id.chars().take(100)).collect();
    let detail = format!("manifest {:?} is needed, the answer is {id:?}", wanted.id);
    Finding::new(codes::GPU_RIM_ID_MISMATCH, detail)
}

fn not_found(wanted: &Wanted) -> Finding {
    let detail = format!("no manifest {:?} among the endorsements", wanted.id);
    Finding::new(codes::GPU_RIM_NOT_FOUND, detail)
}
