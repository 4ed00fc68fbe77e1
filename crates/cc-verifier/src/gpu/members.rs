//! The devices of the evidence, each with its chain and the manifests that its report needs.

use std::sync::Arc;

use cc_core::gpu::Device;
use cc_core::{Finding, Waivers, codes};

use super::chain::Chain;
use super::collateral::Collateral;
use super::evidence::Evidence;
use super::revocation::{Notes, is_missing};
use super::spdm::Report;
use super::wanted::Wanted;

/// A device whose chain is at hand.
pub(super) struct Member<'e> {
    pub(super) device: &'e Device,
    pub(super) report: &'e Report<'e>,
    pub(super) chain: Arc<Chain>,
    /// The manifests that the report needs, if it names them properly (G11).
    pub(super) wanted: Result<Vec<Wanted>, Finding>,
}

/// Brings devices and chains together: those that came with the reports, in their order, or those among the endorsements.
/// A device that has neither is left out and the chain noted as missing. No device may be there twice (G1).
pub(super) fn of<'e, 'c>(
    evidence: &'e Evidence<'e>,
    own: impl Iterator<Item = Option<&'c Arc<Chain>>>,
    collateral: &'c Collateral,
    notes: &mut Notes,
) -> Result<Vec<Member<'e>>, Finding> {
    let pool = &collateral.pool;
    let entries = || evidence.devices.iter().zip(&evidence.reports);
    let known: Vec<Option<&Arc<Chain>>> = entries()
        .zip(own)
        .map(|((device, report), own)| own.or_else(|| pool.signer(report, device.class)))
        .collect();
    let mut taken: Vec<_> = known.iter().flatten().copied().collect();
    let mut members: Vec<Member<'e>> = Vec::with_capacity(evidence.devices.len());
    for ((device, report), known) in entries().zip(known) {
        let chain = known.map_or_else(|| pool.other_than(&taken, device.class), Ok);
        let chain = match chain {
            Ok(chain) => {
                taken.push(chain);
                Arc::clone(chain)
            }
            Err(finding) if is_missing(&finding) => {
                report.opaque.judge(device.class)?; // G9, which needs no chain
                notes.miss(finding, &Waivers::none());
                continue;
            }
            Err(finding) => return Err(finding),
        };
        if let Some(other) = members.iter().find(|other| other.chain.is_of_same_device(&chain)) {
            let detail = format!("two reports of the device {} or {}", other.chain.ueid, chain.ueid);
            return Err(Finding::new(codes::GPU_DEVICES_DUPLICATE, detail));
        }
        let wanted = Wanted::of(&report.opaque, &chain);
        members.push(Member { device, report, chain, wanted });
    }
    Ok(members)
}

/// What all of them need, each once.
pub(super) fn wanted(members: &[Member<'_>]) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = Vec::new();
    for wanted in members.iter().flat_map(|member| &member.wanted).flatten() {
        if !all.contains(wanted) {
            all.push(wanted.clone());
        }
    }
    all
}
