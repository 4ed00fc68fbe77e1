//! The authorizer ABI: the few types that cross the boundary between host and plugin. `docs/ABI.md` is the
//! contract; plugin authors use [`crate::sdk`] and need nothing of this module.
//!
//! A plugin library exports one root module of type [`v1::AuthorizerModule`]. `abi_stable` compares the layout
//! of everything reachable from it before the host calls anything. Everything that may grow is a byte string
//! with its own version ([`crate::message`]), so that this module need not change.
//!
//! The types of `v1` are frozen. Growth is a `v2` module with a new root module type under the same symbol,
//! which hosts try first; a field is never appended here, since `abi_stable` refuses older plugins in a newer
//! host then.

#![expect(
    non_local_definitions,
    unsafe_code,
    unused_qualifications,
    reason = "code that the derive macros of abi_stable generate"
)]

use abi_stable::std_types::{RResult, RVec};

/// What every call answers: the bytes of the call's message, or of a [`Denial`](crate::message::Denial).
pub type Answer = RResult<RVec<u8>, RVec<u8>>;

/// Version 1 of the contract.
pub mod v1 {
    use abi_stable::StableAbi;
    use abi_stable::library::RootModule;
    use abi_stable::sabi_trait;
    use abi_stable::sabi_types::VersionStrings;
    use abi_stable::std_types::{RBox, RResult, RSlice, RVec};

    use super::Answer;

    /// One configured authorizer. Calls may come from several threads at once.
    #[sabi_trait]
    pub trait Authorizer: Send + Sync + 'static {
        /// Takes a [`CollectRequest`](crate::message::CollectRequest), answers
        /// [`Collected`](crate::message::Collected). May block on the hardware.
        fn collect(&self, request: RSlice<'_, u8>) -> Answer;

        /// Takes a [`PlanRequest`](crate::message::PlanRequest), answers [`Plan`](crate::message::Plan). Pure.
        fn plan(&self, request: RSlice<'_, u8>) -> Answer;

        /// Takes a [`VerifyRequest`](crate::message::VerifyRequest), answers
        /// [`VerifyReply`](crate::message::VerifyReply). Pure: the same request has the same answer.
        #[sabi(last_prefix_field)]
        fn verify(&self, request: RSlice<'_, u8>) -> Answer;
    }

    /// An authorizer on its way across the boundary.
    pub type AuthorizerObject = Authorizer_TO<RBox<()>>;

    /// The root module: what a plugin library exports.
    #[repr(C)]
    #[derive(StableAbi)]
    #[sabi(kind(Prefix(prefix_ref = AuthorizerModuleRef)))]
    #[sabi(missing_field(panic))]
    pub struct AuthorizerModule {
        /// Answers an [`Identity`](crate::message::Identity). Needs no hardware and no configuration.
        pub identify: extern "C" fn() -> Answer,
        /// Makes an authorizer from its settings ([`Claims`](crate::Claims) in CBOR), or answers a
        /// [`Denial`](crate::message::Denial). Needs no hardware.
        #[sabi(last_prefix_field)]
        pub create: extern "C" fn(RSlice<'_, u8>) -> RResult<AuthorizerObject, RVec<u8>>,
    }

    /// The version that loader and plugin compare. It is not the package's: `abi_stable` demands that the
    /// host's minor version is not above the plugin's, so it stays as it is for as long as the layout does.
    pub const VERSION: VersionStrings = VersionStrings::new("1.0.0");

    impl RootModule for AuthorizerModuleRef {
        abi_stable::declare_root_module_statics! {AuthorizerModuleRef}
        const BASE_NAME: &'static str = "muster_authorizer";
        const NAME: &'static str = "muster_authorizer";
        const VERSION_STRINGS: VersionStrings = VERSION;
    }
}
