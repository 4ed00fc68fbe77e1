//! Frozen copy of the plugin ABI, version 1, with deliberate deviations behind features.
#![allow(non_local_definitions, missing_docs)]

pub mod abi {
    use abi_stable::std_types::{RResult, RVec};

    pub type Answer = RResult<RVec<u8>, RVec<u8>>;

    pub mod v1 {
        use abi_stable::StableAbi;
        use abi_stable::library::RootModule;
        use abi_stable::sabi_trait;
        use abi_stable::sabi_types::VersionStrings;
        use abi_stable::std_types::{RBox, RResult, RSlice, RVec};

        use super::Answer;

        #[sabi_trait]
        pub trait Authorizer: Send + Sync + 'static {
            fn collect(&self, request: RSlice<'_, u8>) -> Answer;
            fn plan(&self, request: RSlice<'_, u8>) -> Answer;
            #[sabi(last_prefix_field)]
            fn verify(&self, request: RSlice<'_, u8>) -> Answer;
        }

        pub type AuthorizerObject = Authorizer_TO<RBox<()>>;

        #[repr(C)]
        #[derive(StableAbi)]
        #[sabi(kind(Prefix(prefix_ref = AuthorizerModuleRef)))]
        #[sabi(missing_field(panic))]
        pub struct AuthorizerModule {
            #[cfg(not(feature = "changed-layout"))]
            pub identify: extern "C" fn() -> Answer,
            #[cfg(feature = "changed-layout")]
            pub identify: extern "C" fn(u64) -> Answer,
            #[sabi(last_prefix_field)]
            pub create: extern "C" fn(RSlice<'_, u8>) -> RResult<AuthorizerObject, RVec<u8>>,
            #[cfg(feature = "newer-minor")]
            pub capabilities: extern "C" fn() -> u64,
        }

        #[cfg(not(any(feature = "newer-minor", feature = "older-minor")))]
        pub const VERSION: VersionStrings = VersionStrings::new("1.0.0");
        #[cfg(feature = "newer-minor")]
        pub const VERSION: VersionStrings = VersionStrings::new("1.1.0");
        #[cfg(feature = "older-minor")]
        pub const VERSION: VersionStrings = VersionStrings::new("0.9.0");

        impl RootModule for AuthorizerModuleRef {
            abi_stable::declare_root_module_statics! {AuthorizerModuleRef}
            const BASE_NAME: &'static str = "muster_authorizer";
            const NAME: &'static str = "muster_authorizer";
            const VERSION_STRINGS: VersionStrings = VERSION;
        }
    }
}
