//! Answers about the revocation of certificates (RFC 6960), as NVIDIA's responders give them.
//!
//! [`Subject`] is a certificate with its issuer; [`request()`] asks about it; [`Answers`] says what the answers at hand are
//! worth: from whom they are, what they are about, whether they are current (*verification.md* G8 and G13). Answers are
//! read strictly and verified over the received bytes. An answer is known with its question (an *exchange*, see
//! [`cc_core::exchange`]), and must then fit it, or without (stapled to evidence, or from a file), and then lasts as
//! long as it says.
//!
//! Nothing here judges the chain that a certificate belongs to.

mod answers;
mod problem;
mod request;
mod responder;
mod response;
mod subject;
mod write;

pub use answers::{Answers, Status, is_answer};
pub use problem::{Chain, Problem};
pub use request::request;
pub use subject::Subject;
