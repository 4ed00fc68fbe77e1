//! Tokens one by one: their form, what is checked of them in which order, and who is refused over all of them. Rows of
//! the negative-test catalogue (*verification.md* 7) name the functions.

mod check;
mod envelope;
mod fixture;
mod hostile;
mod messages;
mod order;
mod sybil;
mod transcript;
mod tree;
