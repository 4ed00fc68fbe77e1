//! What can be said about a peer's token without looking into its evidence (*verification.md* 5.5 step 6).

use cc_core::{Binding, Finding, Profile, codes};

use crate::binding::{Purpose, Transcript, devices_digest, gpu_nonce, pop};
use crate::crypto::{Digest, PublicKey, sha512};
use crate::envelope::Envelope;
use crate::name::Name;
use crate::role::Role;

/// What all tokens of a round have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundTerms {
    /// The federation.
    pub federation_id: Digest,
    /// The owner's bundle under which the round runs.
    pub policy_digest: Digest,
    /// What the round is for.
    pub purpose: Purpose,
    /// The job, or empty.
    pub job_id: String,
    /// The round.
    pub epoch: u64,
    /// Digest of the member list.
    pub members: Digest,
    /// Root of the challenges, the verifier's own among them.
    pub root: Digest,
    /// Their number.
    pub leaf_count: u32,
}

/// One member of a round: what it contributed, under an enrolment that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Who.
    pub name: Name,
    /// In which role.
    pub role: Role,
    /// Its attestation key.
    pub key: PublicKey,
    /// The instance.
    pub instance_id: [u8; 16],
    /// Digest of its key-encapsulation key, if it has one.
    pub kem: Option<Digest>,
}

impl RoundTerms {
    /// The transcript that a member's token has to carry.
    pub fn transcript(
        &self,
        peer: &Peer,
        profile: Profile,
        runtime: Option<Digest>,
        devices: Option<Digest>,
    ) -> Transcript {
        Transcript {
            federation_id: self.federation_id,
            policy_digest: self.policy_digest,
            name: peer.name.clone(),
            role: peer.role,
            profile,
            instance_id: peer.instance_id,
            key: peer.key.digest(),
            kem: peer.kem,
            purpose: self.purpose,
            job_id: self.job_id.clone(),
            epoch: self.epoch,
            members: self.members,
            root: self.root,
            leaf_count: self.leaf_count,
            runtime,
            devices,
        }
    }
}

/// What a verifier knows when it looks at a token.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The verifier.
    pub me: &'a Name,
    /// The round.
    pub terms: &'a RoundTerms,
    /// Who sent the token: the holder of the key that signed the message.
    pub sender: &'a Peer,
    /// The profiles that the owner's bundle requires of the sender's role.
    pub required: &'a [Profile],
    /// What this instance said earlier that it runs; nothing on its first token.
    pub runtime: Option<Option<Digest>>,
    /// Whether the verifier's deadline for the round has passed.
    pub late: bool,
}

/// What a token's evidence has to be held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What the processor's evidence has to be bound to.
    pub binding: Binding,
    /// What the evidence of its devices has to be bound to.
    pub gpu_nonce: Binding,
    /// What the sender says that it runs.
    pub runtime: Option<Digest>,
}

/// Checks everything about a token but its evidence, in the order of the specification.
pub fn check(look: Look<'_>, envelope: &Envelope) -> Result<Checked, Finding> {
    let Look { me, terms, sender, required, runtime, late } = look;
    let stated = Transcript::stated_name(&envelope.transcript)?;
    if stated == *me {
        return Err(Finding::new(codes::FL_TOKEN_REFLECTED, format!("{} sent my own token", sender.name)));
    }
    if stated != sender.name {
        let text = format!("{} presents the token of {stated}", sender.name);
        return Err(Finding::new(codes::BIND_NAME_MISMATCH, text));
    }
    if late {
        let text = format!("the token of {stated} came after the deadline of round {}", terms.epoch);
        return Err(Finding::new(codes::BIND_TOKEN_TOO_OLD, text));
    }
    let states = Transcript::stated_runtime(&envelope.transcript)?;
    let runtime = runtime.unwrap_or(states);
    let expected =
        terms.transcript(sender, envelope.profile.clone(), runtime, devices_digest(&envelope.devices));
    let compared = expected.compare(&envelope.transcript);
    if let Err((0..=4, finding)) = compared {
        return Err(finding);
    }
    if envelope.profile.is_device() {
        let text = format!("{stated} shows devices and no processor that vouches for them");
        return Err(Finding::new(codes::GPU_CPU_TEE_MISSING, text));
    }
    if !required.contains(&envelope.profile) {
        let wanted: Vec<&str> = required.iter().map(Profile::as_str).collect();
        let text =
            format!("{} shows {}, required of a {} is {wanted:?}", stated, envelope.profile, sender.role);
        return Err(Finding::new(codes::ENV_PROFILE_NOT_ALLOWED, text));
    }
    if let Err((5..=8, finding)) = compared {
        return Err(finding);
    }
    // The proof is over the bytes as received; that they are the right ones is what the tags say.
    let received = Binding::new(sha512(&envelope.transcript));
    pop::verify_token(&sender.key, &received, &envelope.pop)?;
    if let Err((_, finding)) = compared {
        return Err(finding);
    }
    if envelope.root != terms.root || envelope.leaf_count != terms.leaf_count {
        let text = format!("challenge {} over {} leaves", envelope.root, envelope.leaf_count);
        return Err(Finding::new(codes::BIND_ROOT_MISMATCH, text));
    }
    if let Some(profile) = required.iter().find(|profile| profile.is_device())
        && envelope.devices.is_empty()
    {
        let text = format!("a {} has to show {profile}, {stated} shows no device", sender.role);
        return Err(Finding::new(codes::POL_EVIDENCE_MISSING, text));
    }
    let gpu_nonce = Binding::Nonce(gpu_nonce(&expected).0);
    Ok(Checked { binding: expected.binding(), gpu_nonce, runtime: states })
}
