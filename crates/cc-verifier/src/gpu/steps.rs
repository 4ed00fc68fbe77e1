//! Steps G3 to G17 for one device, in order.

use cc_core::gpu::Device;
use cc_core::{Finding, UnixTime, Waivers, codes};

use super::chain::Chain;
use super::collateral::Collateral;
use super::manifests::{self, Manifest};
use super::measurements;
use super::members::Member;
use super::revocation::{self, Notes, is_missing};
use super::signature;
use super::spdm::Report;
use super::wanted::Wanted;
use crate::ocsp;

/// A device which no step rejects.
pub(super) struct Passed<'a> {
    /// The manifests that its report was compared with.
    pub(super) manifests: Vec<(&'a Wanted, &'a Manifest)>,
    /// Measurements without a reference value.
    pub(super) unreferenced: Vec<u8>,
    /// When the first new OCSP answer is due.
    pub(super) next_update: Option<UnixTime>,
}

/// What all devices of the evidence are judged with.
pub(super) struct Context<'a> {
    pub(super) collateral: &'a Collateral,
    pub(super) waivers: &'a Waivers,
    pub(super) now: UnixTime,
}

/// The steps that need no endorsement and no instant. Returns the manifests that the report needs.
pub(super) fn check_alone<'m>(member: &'m Member<'_>) -> Result<&'m [Wanted], Finding> {
    identity(member)?;
    contents(member)
}

/// The steps that nobody stands in for and that need no instant: G3, G5, G6 and G9.
pub(super) fn check_own(member: &Member<'_>) -> Result<(), Finding> {
    identity(member)?;
    member.report.opaque.judge(member.device.class)
}

/// Checks a device. `Err` is the first rejection in the order of the steps; what is missing is noted, and every step that
/// does not need it is taken (*decisions.md* 1). `all` is what all devices need.
pub(super) fn check<'a>(
    member: &'a Member<'_>,
    all: &[Wanted],
    context: &Context<'a>,
    notes: &mut Notes,
) -> Result<Passed<'a>, Finding> {
    let Context { collateral, waivers, now } = *context;
    let judge = |subjects: &[_], of, notes: &mut Notes| {
        revocation::judge(subjects, of, &collateral.answers, now, waivers, notes)
    };
    member.chain.validity(now)?; // G4
    identity(member)?; // G3, G5, G6
    let mut due = vec![judge(&member.chain.subjects, ocsp::Chain::Device, notes)?]; // G8
    let mut manifests: Vec<(&Wanted, &Manifest)> = Vec::with_capacity(2);
    for wanted in contents(member)? {
        let manifest = match manifests::select(&collateral.manifests, wanted, all) {
            Ok(manifest) => manifest, // G11, G12, G14
            Err(finding) if is_missing(&finding) => {
                notes.miss(finding, waivers);
                continue;
            }
            Err(finding) => return Err(finding),
        };
        manifest.rim.validity(now)?; // G13
        due.push(judge(&manifest.subjects, ocsp::Chain::Manifest, notes)?);
        manifests.push((wanted, manifest));
    }
    let compared: Vec<_> = manifests.iter().map(|(wanted, manifest)| (wanted.kind, *manifest)).collect();
    let unreferenced = measurements::compare(member.report, &compared)?; // G15, G16
    Ok(Passed { manifests, unreferenced, next_update: due.into_iter().flatten().min() })
}

/// G3, G5 and G6: whose report it is.
fn identity(member: &Member<'_>) -> Result<(), Finding> {
    architecture(member.device, &member.chain)?;
    firmware(member.report, &member.chain)?;
    signature::verify(member.report, &member.chain.key)
}

/// G9 and of G11 that names can be built: what the report must have. Returns the manifests that it needs.
fn contents<'m>(member: &'m Member<'_>) -> Result<&'m [Wanted], Finding> {
    member.report.opaque.judge(member.device.class)?;
    member.wanted.as_deref().map_err(Clone::clone)
}

/// G3: the sender's label is the architecture that the certificates name.
fn architecture(device: &Device, chain: &Chain) -> Result<(), Finding> {
    match &device.arch {
        Some(claimed) if claimed != chain.arch.name() => {
            let detail =
                format!("the certificates are those of {}, the evidence says {claimed:?}", chain.arch.name());
            Err(Finding::new(codes::GPU_ARCH_MISMATCH, detail))
        }
        _ => Ok(()),
    }
}

/// G5: the leaf names a firmware identity, and that of the report, if it has one, is the same.
fn firmware(report: &Report<'_>, chain: &Chain) -> Result<(), Finding> {
    let expected = chain.fwid.as_ref().map_err(Clone::clone)?;
    match report.opaque.fwid()? {
        Some(found) if found != expected => {
            let (found, expected) = (hex::encode(found), hex::encode(expected));
            let detail =
                format!("the report's firmware identity is {found}, the leaf certificate has {expected}");
            Err(Finding::new(codes::GPU_FWID_MISMATCH, detail))
        }
        _ => Ok(()),
    }
}
