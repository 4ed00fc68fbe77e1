//! Transcripts of whole federations that run on real state machines, judged by emulated hardware.

mod hostile;
mod replays;
mod resealed;
mod rig;
mod tampered;
mod written;
