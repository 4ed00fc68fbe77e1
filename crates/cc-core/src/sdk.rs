//! For plugin authors: implement [`Authorizer`] for a type and export it with
//! [`export_authorizer!`](crate::export_authorizer). `docs/PLUGIN-GUIDE.md` walks through a first plugin.
//!
//! The macro turns the trait into the ABI: it decodes requests, encodes answers, and catches panics, which
//! become `plug.panicked` denials. A plugin crate must unwind on panic (no `panic = "abort"`).

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

use abi_stable::std_types::{RBox, RErr, ROk, RResult, RSlice, RVec};

use crate::abi::Answer;
use crate::abi::v1;
use crate::message::{
    CollectRequest, Collected, Denial, Identity, Message, Plan, PlanRequest, VerifyReply, VerifyRequest,
};
use crate::{Claims, Finding, Settings, codes};

/// The version of this crate, for [`Identity::sdk_version`].
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// An authorizer: collects and verifies evidence of one or more profiles.
///
/// It proves that evidence is authentic and says what the evidence says. It does not judge whether that is
/// acceptable: policy, the comparison of the binding and replay rules belong to the host.
pub trait Authorizer: Send + Sync + Sized + 'static {
    /// Who this plugin is. Always the same answer; needs no hardware.
    fn identity() -> Identity;

    /// Makes an instance from the `config` table of the plugin's configuration. Unknown settings are errors
    /// ([`Settings::finish`]); hardware is not touched.
    fn create(settings: Settings) -> Result<Self, Finding>;

    /// Obtains evidence of this machine with the binding in it.
    fn collect(&self, request: &CollectRequest) -> Result<Collected, Finding>;

    /// Says which endorsements are missing, and what the evidence says unverified. Pure: no I/O, no clock.
    fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding>;

    /// Verifies. Pure: no I/O, no clock, the same answer for the same request.
    fn verify(&self, request: &VerifyRequest) -> VerifyReply;
}

/// The object that the ABI carries around an author's type. It is never dropped, so that a destructor that panics
/// cannot end the host; an authorizer lives as long as its process.
struct Exported<A>(ManuallyDrop<A>);

impl<A: Authorizer> v1::Authorizer for Exported<A> {
    fn collect(&self, request: RSlice<'_, u8>) -> Answer {
        answer(request, |request| self.0.collect(&request))
    }

    fn plan(&self, request: RSlice<'_, u8>) -> Answer {
        answer(request, |request| self.0.plan(&request))
    }

    fn verify(&self, request: RSlice<'_, u8>) -> Answer {
        answer(request, |request| Ok(self.0.verify(&request)))
    }
}

fn answer<Q: Message, R: Message>(
    request: RSlice<'_, u8>,
    call: impl FnOnce(Q) -> Result<R, Finding>,
) -> Answer {
    let outcome = guard(|| {
        let request = Q::from_bytes(request.as_slice())
            .map_err(|error| Finding::new(codes::PLUG_CONTRACT, format!("request: {error}")))?;
        call(request)
    });
    match outcome {
        Ok(message) => ROk(message.to_bytes().into()),
        Err(finding) => RErr(denial(finding)),
    }
}

fn denial(finding: Finding) -> RVec<u8> {
    Denial::from(finding).to_bytes().into()
}

/// Runs `call`, turning a panic into a finding with the panic's message.
fn guard<T>(call: impl FnOnce() -> Result<T, Finding>) -> Result<T, Finding> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "panic without a message".to_owned());
        // A payload may panic again while it is dropped; it is leaked instead.
        std::mem::forget(payload);
        Err(Finding::new(codes::PLUG_PANICKED, text))
    })
}

/// The `identify` entry of the root module; used by [`export_authorizer!`](crate::export_authorizer).
#[doc(hidden)]
pub extern "C" fn identify<A: Authorizer>() -> Answer {
    match guard(|| Ok(A::identity())) {
        Ok(identity) => ROk(identity.to_bytes().into()),
        Err(finding) => RErr(denial(finding)),
    }
}

/// The `create` entry of the root module; used by [`export_authorizer!`](crate::export_authorizer).
#[doc(hidden)]
pub extern "C" fn create<A: Authorizer>(settings: RSlice<'_, u8>) -> RResult<v1::AuthorizerObject, RVec<u8>> {
    let made = guard(|| {
        let broken = |what: String| Finding::new(codes::PLUG_CONTRACT, format!("settings: {what}"));
        let mut decoder = minicbor::Decoder::new(settings.as_slice());
        let values: Claims = decoder.decode().map_err(|error| broken(error.to_string()))?;
        if decoder.position() != settings.len() {
            return Err(broken("bytes after the settings".to_owned()));
        }
        A::create(Settings::new(values))
    });
    match made {
        Ok(authorizer) => ROk(v1::Authorizer_TO::from_ptr(
            RBox::new(Exported(ManuallyDrop::new(authorizer))),
            abi_stable::sabi_trait::TD_Opaque,
        )),
        Err(finding) => RErr(denial(finding)),
    }
}

/// Exports an [`Authorizer`] from a `cdylib` crate: `cc_core::export_authorizer!(MyAuthorizer);`, once per
/// library.
#[macro_export]
macro_rules! export_authorizer {
    ($authorizer:ty) => {
        const _: () = {
            extern "C" fn root_module() -> $crate::sdk::rt::RootModuleResult {
                $crate::sdk::rt::root_module::<$authorizer>()
            }

            // The symbol which abi_stable looks up; a test of cc-core holds it equal to the crate's constant.
            #[allow(unsafe_code, reason = "the exported header is part of the plugin ABI")]
            #[unsafe(no_mangle)]
            static _1as_0lib_1header_0root_bmodule_bloader: $crate::sdk::rt::LibHeader =
                // SAFETY: `root_module` returns the module type that is named here.
                unsafe {
                    $crate::sdk::rt::LibHeader::from_constructor::<$crate::sdk::rt::AuthorizerModuleRef>(
                        root_module,
                        $crate::sdk::rt::CheckTypeLayout::Yes,
                    )
                };
        };
    };
}

/// What the export macro refers to; not for direct use.
#[doc(hidden)]
pub mod rt {
    use abi_stable::prefix_type::PrefixTypeTrait;

    pub use crate::abi::v1::AuthorizerModuleRef;
    pub use abi_stable::library::{CheckTypeLayout, LibHeader, RootModuleResult};

    use super::{Authorizer, create, identify, v1};

    /// Makes the root module of an authorizer.
    pub fn root_module<A: Authorizer>() -> RootModuleResult {
        abi_stable::library::__call_root_module_loader(|| -> AuthorizerModuleRef {
            v1::AuthorizerModule { identify: identify::<A>, create: create::<A> }.leak_into_prefix()
        })
    }
}
