//! Signed JSON web tokens (RFC 7515, RFC 7519): rules J1 to J8 of *verification.md* 4.4, whoever issued the token.
//!
//! Whose tokens are taken, with which algorithm and from which keys is the verifier's choice for each [`Issuer`]. A
//! token's header only has to agree with it: nothing in it chooses an algorithm, and no key comes from it. What a
//! token says is read from exactly the bytes that were signed. Which claims it must have beyond those of J6 to J8 is the
//! matter of those who know the issuer ([`crate::nras`]).

mod claims;
mod format;
mod issuer;
mod jwks;
mod key;
mod verify;

pub use claims::Payload;
pub use issuer::{Algorithm, Issuer};
pub use jwks::Jwks;
pub use verify::verify;

pub(crate) use format::Token;
pub(crate) use key::Key;
pub(crate) use verify::{Judged, algorithm, header, judge, signed, under_each};
