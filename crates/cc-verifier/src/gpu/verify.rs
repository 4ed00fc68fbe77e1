//! From a list of devices and endorsements to an outcome.

use std::sync::Arc;

use cc_core::gpu::Device;
use cc_core::{Accepted, BoundField, BoundKind, Finding, Outcome, UnixTime, Waivers};

use super::anchors::Anchors;
use super::cache::DeviceCache;
use super::chain::Chain;
use super::claims;
use super::collateral::{Collateral, Known};
use super::evidence::{self, Evidence};
use super::members;
use super::revocation::Notes;
use super::served::Served;
use super::slots::Slots;
use super::steps::{self, Context};
use crate::memory::{KeyBuilder, Lookup};
use crate::verification::Verification;

/// Verifies that genuine NVIDIA devices signed the reports in `evidence` (see `cc_core::gpu`), and says what they say.
///
/// Steps of *verification.md* 3.2, as far as they are not policy (*decisions.md* 6): G2 form, G3 and G4 certificates, G1
/// no device twice, and then for each device in the order of the evidence G4 dates, G5 firmware identity, G6 signature, G8
/// revocation, G9 opaque data, G11 to G14 reference manifests, G15 and G16 measurements. The first rejection in this order
/// is the outcome; without one, the first missing endorsement; without that, the claims.
///
/// Does not judge how many devices there are, versions, modes, topology, CC state or the binding: see the claims. `anchors`
/// and `now` must come from a source which the caller trusts. The answer is the same with any state of `cache`.
pub fn verify(
    evidence: &[u8],
    slots: &Slots<'_>,
    anchors: &Anchors,
    waivers: &Waivers,
    now: UnixTime,
    cache: &DeviceCache,
) -> Verification {
    let add_key = |key: KeyBuilder| {
        slots.all().iter().fold(key.part(b"slots"), |key, list| key.list(list.iter().copied()))
    };
    let devices = match evidence::devices(evidence) {
        Ok(devices) => devices,
        Err(finding) => return Verification::denied(finding),
    };
    let learn = |chains: &[Arc<Chain>]| {
        let collateral = Collateral::judge(slots, chains, anchors, cache)?;
        Ok(Known { collateral, names: Vec::new() })
    };
    answer(&devices, anchors, waivers, now, cache, None, add_key, learn).1
}

/// Verifies devices with endorsements that `learn` judges for chains and `add_key` adds to the key of a memory, or with
/// what a service says of them. Returns what the endorsements are, if it came to that.
#[allow(clippy::too_many_arguments, reason = "two callers, one meaning each")]
pub(super) fn answer(
    devices: &[Device],
    anchors: &Anchors,
    waivers: &Waivers,
    now: UnixTime,
    cache: &DeviceCache,
    served: Option<&Served<'_>>,
    add_key: impl FnOnce(KeyBuilder) -> KeyBuilder,
    learn: impl FnOnce(&[Arc<Chain>]) -> Result<Known, Finding>,
) -> (Option<Arc<Known>>, Verification) {
    let denied = |finding| Verification::denied(finding);
    let read =
        Evidence::new(devices).and_then(|evidence| Ok((evidence, own_chains(devices, anchors, cache)?)));
    let (evidence, own) = match read {
        Ok(read) => read,
        Err(finding) => return (None, denied(finding)),
    };
    let lookup = cache.collateral(anchors, devices, add_key);
    let known = lookup
        .or_judge(|| learn(&own.iter().flatten().map(|(_, chain)| Arc::clone(chain)).collect::<Vec<_>>()));
    let known = match known {
        Ok(known) => known,
        Err(finding) => return (None, denied(finding)),
    };
    let context = Context { collateral: &known.collateral, waivers, now };
    let outcome = match check(&evidence, &own, &context, served) {
        Ok(accepted) => Outcome::Accept(accepted),
        Err(finding) => return (Some(known), denied(finding)),
    };
    for (lookup, chain) in own.into_iter().flatten() {
        lookup.keep(&chain);
    }
    if !lookup.is_remembered() {
        known.collateral.keep_manifests(cache);
    }
    lookup.keep(&known);
    (Some(known), Verification { outcome, floors: Vec::new() })
}

/// A chain, and where it is remembered.
pub(super) type Own<'c> = Option<(Lookup<'c, Chain>, Arc<Chain>)>;

/// The chains that came with the reports.
pub(super) fn own_chains<'c>(
    devices: &[Device],
    anchors: &Anchors,
    cache: &'c DeviceCache,
) -> Result<Vec<Own<'c>>, Finding> {
    let own = |device: &Device| {
        if device.cert_chain.is_empty() {
            return Ok(None);
        }
        let lookup = cache.chain(anchors, device.class, &device.cert_chain);
        let chain = lookup.or_judge(|| chain(device, anchors))?;
        Ok(Some((lookup, chain)))
    };
    devices.iter().map(own).collect()
}

/// The chain that came with a report.
fn chain(device: &Device, anchors: &Anchors) -> Result<Chain, Finding> {
    Chain::judge(Chain::decode(&device.cert_chain)?, device.class, anchors)
}

/// Checks all devices. `Err` is the outcome that is not an acceptance.
fn check(
    evidence: &Evidence<'_>,
    own: &[Own<'_>],
    context: &Context<'_>,
    served: Option<&Served<'_>>,
) -> Result<Accepted, Finding> {
    let mut notes = Notes::default();
    let own = own.iter().map(|own| own.as_ref().map(|(_, chain)| chain));
    let members = members::of(evidence, own, context.collateral, &mut notes)?;
    let mut claims = Vec::with_capacity(members.len());
    if let Some(served) = served {
        for member in &members {
            member.chain.validity(context.now)?; // G4
            steps::check_own(member)?; // G3, G5, G6, G9
            claims.push(claims::of_served_device(member));
        }
        served.judge(&members, &evidence.nonce, context.now, &mut notes)?; // for G8 and G11 to G16
    } else {
        let all = members::wanted(&members);
        for member in &members {
            let passed = steps::check(member, &all, context, &mut notes)?;
            claims.push(claims::of_device(member, Some(&passed)));
        }
    }
    if let Some(missing) = notes.missing {
        return Err(missing);
    }
    let bound = BoundField { kind: BoundKind::GpuNonce, bytes: evidence.nonce.to_vec() };
    let mut claims = claims::of(&evidence.nonce, claims, evidence.gpus());
    if let Some(served) = served {
        claims::of_service(&mut claims, served.issuer());
    }
    Ok(Accepted { claims, bound, waived: notes.waived })
}
