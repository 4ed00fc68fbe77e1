//! The table of codes, a file for each domain. `docs/reference/errors.md` is generated from it.

use super::CodeInfo;

macro_rules! registry {
    ($($name:ident $code:literal $class:ident $waivable:literal $meaning:literal $hint:literal;)*) => {
        /// The codes of this domain as constants.
        pub(super) mod codes {
            use crate::code::Code;
            $(#[doc = $meaning] pub const $name: Code = Code::registered($code);)*
        }

        pub(super) const ENTRIES: &[crate::code::CodeInfo] = &[$(crate::code::CodeInfo {
            code: $code,
            class: crate::code::Class::$class,
            waivable: $waivable,
            meaning: $meaning,
            hint: $hint,
        }),*];
    };
}

mod azure;
mod gpu;
mod jwt;
mod protocol;
mod snp;
mod tdx;

/// Every registered code as a constant.
pub mod codes {
    pub use super::azure::codes::*;
    pub use super::gpu::codes::*;
    pub use super::jwt::codes::*;
    pub use super::protocol::codes::*;
    pub use super::snp::codes::*;
    pub use super::tdx::codes::*;
}

/// Every registered code, in the order of the documentation.
pub fn registry() -> impl DoubleEndedIterator<Item = &'static CodeInfo> + Clone {
    [protocol::ENTRIES, snp::ENTRIES, tdx::ENTRIES, gpu::ENTRIES, jwt::ENTRIES, azure::ENTRIES]
        .into_iter()
        .flatten()
}
