//! What a participant knows of a round when its verdict is out: the material of a transcript.

use std::sync::Arc;

use cc_manager::attest::{Judgement, Subject};
use fed_proto::bundle::SignedBundle;
use fed_proto::round::Concluded;

/// One judged peer.
#[derive(Clone, Debug)]
pub struct JudgedPeer {
    /// What was judged, and by what.
    pub subject: Subject,
    /// What came of it.
    pub judgement: Arc<Judgement>,
}

/// A round as one participant saw it.
#[derive(Clone, Debug)]
pub struct RoundRecord {
    /// The participant.
    pub verifier: String,
    /// Verdict and messages.
    pub concluded: Concluded,
    /// The bundle under which the round ran, if it still is the one in force.
    pub bundle: SignedBundle,
    /// Everybody whose evidence was verified.
    pub judged: Vec<JudgedPeer>,
}
