//! A guest with GPUs of the test kit: reports are signed in process, and come with the manifests and OCSP answers that
//! verify them, as of now.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use cc_core::gpu::encode;
use cc_core::message::{Blob, Collected, MESSAGE_VERSION};
use cc_core::{Binding, Finding, codes};
use cc_testkit::gpu::mint::{Member, World};
use cc_testkit::gpu::{Arch, NOW};
use cc_testkit::ocsp::Answer;

use crate::settings::Machine;

/// Seconds for which collateral is handed out again, so that verifiers can remember it.
const REUSED: i64 = 600;
/// How long before it is issued collateral begins, for verifiers whose clock is behind, and until when it is current.
const SINCE: i64 = 3600;
const CURRENT: i64 = 3 * 86_400;
/// The opaque item that says in which mode a GPU is.
const FEATURE_FLAG: u16 = 36;
/// The opaque item that names the firmware.
const FIRMWARE_IDENTITY: u16 = 20;
/// NVML's value of a production environment.
const PRODUCTION: u8 = 2;
/// A measurement of the driver's manifest.
const DRIVER_PLACE: usize = 21;

/// The guest.
pub(crate) struct Guest {
    machine: Machine,
    issued: Mutex<Option<(i64, Vec<Vec<u8>>)>>,
}

impl Guest {
    pub(crate) fn new(machine: Machine) -> Self {
        Self { machine, issued: Mutex::default() }
    }

    /// Signs a report of every GPU over the nonce.
    pub(crate) fn collect(&self, binding: &Binding) -> Result<Collected, Finding> {
        let nonce = *binding.nonce()?;
        let state = self.machine.state()?;
        state.behaviour.happen()?;
        let mut world = self.world();
        for member in &mut world.members {
            member.edit(|report| {
                (report.nonce, report.responder_nonce) = (nonce, [self.machine.responder_nonce; 32]);
                report.set_item(FEATURE_FLAG, &[state.mode, 0]);
                report.set_item(FIRMWARE_IDENTITY, &state.fwid);
                if state.modified == 1
                    && let Some(byte) =
                        report.blocks.get_mut(DRIVER_PLACE).and_then(|block| block.value.first_mut())
                {
                    *byte ^= 1;
                }
            });
            let multi_gpu = u8::from(state.mode == 2);
            member.cc_state = Some([PRODUCTION, state.cc_feature, state.dev_tools, multi_gpu]);
        }
        let endorsements = self.endorsements(&world)?;
        Ok(Collected {
            version: MESSAGE_VERSION,
            evidence: encode(&world.members.iter().map(Member::device).collect::<Vec<_>>()),
            endorsements: endorsements.into_iter().map(Blob).collect(),
        })
    }

    fn world(&self) -> World {
        let mut world = World::new(Arch::Hopper, 0);
        let numbers = self.machine.first..self.machine.first.saturating_add(self.machine.gpus);
        world.members = numbers.map(|number| Member::new(Arch::Hopper, number)).collect();
        world
    }

    /// Manifests and answers that are current.
    fn endorsements(&self, world: &World) -> Result<Vec<Vec<u8>>, Finding> {
        let now = now()?;
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, endorsements)) =
            issued.as_ref().filter(|(at, _)| (0..REUSED).contains(&now.saturating_sub(*at)))
        {
            return Ok(endorsements.clone());
        }
        // The signer of manifests is valid around the test kit's instant: as much later as that is past.
        let mut world = world.clone();
        let passed = now.saturating_sub(NOW);
        for spec in &mut world.signer.chain.specs {
            spec.not_before = spec.not_before.saturating_add(passed);
            spec.not_after = spec.not_after.saturating_add(passed);
        }
        let dated = |mut answer: Answer| {
            answer.produced_at = now.saturating_sub(SINCE);
            for single in &mut answer.singles {
                single.this_update = now.saturating_sub(SINCE);
                single.next_update = Some(now.saturating_add(CURRENT));
            }
            answer.sign()
        };
        let endorsements: Vec<_> =
            world.files().into_iter().chain(world.answers().into_iter().map(dated)).collect();
        *issued = Some((now, endorsements.clone()));
        Ok(endorsements)
    }
}

/// Seconds since 1970.
fn now() -> Result<i64, Finding> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .ok_or_else(|| Finding::new(codes::GPU_COLLECT_FAILED, "the clock of this machine is out of range"))
}
