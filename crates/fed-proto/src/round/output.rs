//! What a participant wants of its shell, and what it says.

use std::sync::Arc;

use cc_core::{Binding, Finding};

use crate::binding::{Device, Purpose, Transcript, devices_digest, gpu_nonce};
use crate::bundle::Bundle;
use crate::crypto::Digest;
use crate::envelope::Envelope;
use crate::name::Name;
use crate::role::Role;
use crate::verdict::SignedVerdict;

use super::{Start, VerdictMap};

/// Evidence as collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Raw evidence.
    pub evidence: Vec<u8>,
    /// What comes with it.
    pub aux: Vec<Vec<u8>>,
    /// The devices whose evidence was collected for it, in ascending order of their reports' SHA-256
    /// ([`Device::collected`]).
    pub devices: Vec<Device>,
    /// Hints for the verifiers.
    pub endorsements: Vec<Vec<u8>>,
}

/// What a report has to be bound to: devices first, the processor last (*verification.md* 5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportOrder {
    /// With tag 16 empty.
    pub(crate) transcript: Transcript,
}

impl ReportOrder {
    /// The nonce to ask every device with.
    pub fn gpu_nonce(&self) -> Binding {
        Binding::Nonce(gpu_nonce(&self.transcript).0)
    }

    /// What the processor's evidence must be bound to, once the devices were asked.
    pub fn binding(&self, devices: &[Device]) -> Binding {
        self.with(devices).binding()
    }

    pub(crate) fn with(&self, devices: &[Device]) -> Transcript {
        Transcript { devices: devices_digest(devices), ..self.transcript.clone() }
    }
}

/// A peer's evidence to verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgeOrder {
    /// The round.
    pub epoch: u64,
    /// Whose evidence it is.
    pub peer: Name,
    /// In which role.
    pub role: Role,
    /// The envelope; its transcript and proof were checked.
    pub envelope: Envelope,
    /// What the evidence must be bound to.
    pub binding: Binding,
    /// The nonce that the evidence of every device in the envelope must carry.
    pub gpu_nonce: Binding,
    /// Digest of the bundle under which the round runs.
    pub policy_digest: Digest,
    /// That bundle.
    pub bundle: Arc<Bundle>,
}

/// What the shell has to do.
#[derive(Debug)]
pub enum Output {
    /// Send a message to the coordinator.
    Send(Vec<u8>),
    /// Make one hardware report as `order` says, then call [`Participant::collected`](super::Participant::collected).
    Collect {
        /// The round.
        epoch: u64,
        /// What it has to be bound to.
        order: Box<ReportOrder>,
    },
    /// Verify a peer's evidence and appraise it by the owner's floor and the own policy, then call
    /// [`Participant::judged`](super::Participant::judged).
    Judge(Box<JudgeOrder>),
    /// Something happened that is worth recording.
    Event(Event),
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// A newer bundle of the owner is in force.
    Adopted {
        /// Its version.
        version: u64,
        /// Digest of its signed bytes.
        digest: Digest,
        /// The bundle, for keeping.
        bundle: Vec<u8>,
    },
    /// A message was refused; it is charged to the connection that brought it.
    Refused(Finding),
    /// This participant took no part in a round, or left it.
    Abstained {
        /// The round.
        epoch: u64,
        /// Why.
        finding: Finding,
    },
    /// One peer of a round was judged.
    Judged {
        /// The round.
        epoch: u64,
        /// What for.
        purpose: Purpose,
        /// Who.
        peer: Name,
        /// How.
        result: Result<(), Finding>,
    },
    /// A verdict was counted: the own one, or a signed one of a peer whose tokens were all seen here.
    Verdict {
        /// The round.
        epoch: u64,
        /// What for.
        purpose: Purpose,
        /// The job, or empty.
        job_id: String,
        /// Whose verdict it is.
        verifier: Name,
        /// Digest of the policy by which it judged.
        policy: Digest,
        /// What it says of every other member.
        verdict: VerdictMap,
        /// It, as signed.
        signed: Box<SignedVerdict>,
    },
    /// A round is over for this participant: its verdict is out.
    Concluded(Box<Concluded>),
    /// The server admitted this instance to the roster.
    Registered,
    /// The server knows this instance, and accepted the proof for this connection.
    Welcome,
    /// The server refused this participant.
    TurnedAway(Finding),
    /// The server asks to set resources aside for a job; answer with [`Participant::reserved`](super::Participant::reserved).
    Reserve {
        /// The round.
        epoch: u64,
        /// The job.
        job_id: String,
        /// The job file.
        file: Vec<u8>,
    },
    /// The job starts here.
    Start(Box<Start>),
    /// The job does not start here, and a reservation is to be given back.
    NotAdmitted {
        /// The job.
        job_id: String,
        /// Why.
        reason: String,
    },
    /// The job must stop here at once.
    Stop {
        /// The job.
        job_id: String,
        /// Why.
        finding: Finding,
    },
}

/// A verdict with what led to it.
#[derive(Clone, Debug)]
pub struct Concluded {
    /// The round.
    pub epoch: u64,
    /// What for.
    pub purpose: Purpose,
    /// The job, or empty.
    pub job_id: String,
    /// The root.
    pub root: Digest,
    /// The members that were accepted.
    pub accepted: Vec<Name>,
    /// The others, each with the reason.
    pub refused: Vec<(Name, Finding)>,
    /// The bytes of every message of the round so far, in the order of arrival, own ones included.
    pub messages: Vec<Vec<u8>>,
}
