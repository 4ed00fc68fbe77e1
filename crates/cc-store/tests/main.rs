//! Records survive what happens to a process, and only what was written is read.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests fail by panicking"
)]

mod crash;
mod handle;
mod open;
mod records;
