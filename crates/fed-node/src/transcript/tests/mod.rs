//! Transcripts of whole federations that run on real state machines, judged by emulated hardware.
#![expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests fail by panicking")]

mod hostile;
mod replays;
mod resealed;
mod rig;
mod tampered;
mod written;
