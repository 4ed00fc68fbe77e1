//! The seed's CCManager for one participant: makes its own evidence and judges everybody else's.
//!
//! * [`Manager::start`] refuses what must not run at all and shows by a self-test that the collector works;
//! * [`Manager::collect`] obtains evidence for a binding, one at a time;
//! * [`Manager::judge`] verifies a peer's evidence and appraises it by the federation owner's policy *and* by the
//!   site's own. Both must affirm; what either does not waive is not waived.
//!
//! [`Verifier`] is the judging part alone, which also serves whoever re-runs a transcript: for another instant than
//! the present it explains and admits nobody. Rounds, names and the rules over many participants (Sybil) are
//! elsewhere: what they need comes out of a judgement as [`Identifiers`].

mod cache;
mod judgement;
mod manager;
mod policy_file;
mod subject;
mod verifier;

pub use judgement::{Identifiers, JudgedDevices, Judgement, Kind, PolicyAppraisal, PolicyOwner};
pub use manager::{Manager, OwnEvidence, SelfTest, Setup, StartError};
pub use policy_file::PolicyFile;
pub use subject::{DeviceEvidence, OwnerFloor, Subject};
pub use verifier::{Federation, Verifier, VerifierSetup};
