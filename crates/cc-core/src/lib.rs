//! The vocabulary of Muster and the contract between its host and its authorizer plugins.
//!
//! Three audiences read this crate:
//!
//! * **everybody** uses the words of RFC 9334 as types: [`Claims`], [`Binding`], [`Profile`], [`Outcome`], the
//!   [`Code`] registry and the order-keeping wrappers [`Unverified`], [`Authentic`] and [`Verified`];
//! * **plugin authors** implement [`sdk::Authorizer`] and name the type in [`export_authorizer!`];
//! * **the host** loads what that macro exports, through [`abi`] and the byte messages of [`message`].
//!
//! What it refuses to do: no cryptography, no I/O, no clock, no policy. `docs/ABI.md` is the contract in prose.

pub mod abi;
pub mod azure;
mod binding;
mod claims;
mod code;
pub mod exchange;
pub mod gpu;
pub mod limits;
pub mod lower_hex;
pub mod message;
mod outcome;
mod profile;
pub mod sdk;
mod settings;
pub mod tdx;
mod time;
mod trust;

pub use binding::{Binding, BindingError, BoundField, BoundKind, bound_field_of};
pub use claims::{ClaimValue, Claims, ClaimsError};
pub use code::{Class, Code, CodeInfo, InvalidCode, codes, registry};
pub use outcome::{Accepted, Finding, Outcome, Waivers};
pub use profile::{Profile, ProfileInfo, Role, TrustClass};
pub use settings::Settings;
pub use time::{SECONDS_PER_DAY, UnixTime};
pub use trust::{Admissible, Authentic, Instant, Unverified, Verified};
