//! A plugin that speaks the frozen ABI and writes its messages by hand, byte by byte as docs/ABI.md has them:
//! it shows that the contract is the document, not the SDK.

use abi_stable::export_root_module;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RBox, RErr, ROk, RResult, RSlice, RVec};
use cc_core::abi::Answer;
use cc_core::abi::v1::{Authorizer, Authorizer_TO, AuthorizerModule, AuthorizerModuleRef, AuthorizerObject};

const PROFILE: &str = "frozen-1";

fn message(write: impl FnOnce(&mut minicbor::Encoder<&mut Vec<u8>>)) -> RVec<u8> {
    let mut bytes = Vec::new();
    write(&mut minicbor::Encoder::new(&mut bytes));
    bytes.into()
}

fn denial(code: &str, detail: &str) -> RVec<u8> {
    message(|e| {
        e.map(3).unwrap().u8(0).unwrap().u16(1).unwrap();
        e.u8(1).unwrap().str(code).unwrap().u8(2).unwrap().str(detail).unwrap();
    })
}

extern "C" fn identify_answer() -> Answer {
    ROk(message(|e| {
        e.map(7).unwrap().u8(0).unwrap().u16(1).unwrap();
        e.u8(1).unwrap().str("frozen").unwrap();
        e.u8(2).unwrap().str("Muster tests").unwrap();
        e.u8(3).unwrap().str("0.1.0").unwrap();
        e.u8(4).unwrap().str("1.0.0").unwrap();
        e.u8(5).unwrap().u8(1).unwrap(); // emulated
        e.u8(6).unwrap().array(1).unwrap().map(4).unwrap();
        e.u8(0).unwrap().str(PROFILE).unwrap();
        e.u8(1).unwrap().str("x-frozen").unwrap();
        e.u8(2).unwrap().array(1).unwrap().str("application/octet-stream").unwrap();
        e.u8(3).unwrap().array(1).unwrap().u8(1).unwrap(); // verify
    }))
}

#[cfg(not(feature = "changed-layout"))]
extern "C" fn identify() -> Answer {
    identify_answer()
}

#[cfg(feature = "changed-layout")]
extern "C" fn identify(_: u64) -> Answer {
    identify_answer()
}

extern "C" fn create(_settings: RSlice<'_, u8>) -> RResult<AuthorizerObject, RVec<u8>> {
    ROk(Authorizer_TO::from_ptr(RBox::new(Frozen), TD_Opaque))
}

#[cfg(feature = "newer-minor")]
extern "C" fn capabilities() -> u64 {
    7
}

struct Frozen;

impl Frozen {
    /// The evidence of a plan or verify request: key 2 of the map.
    fn evidence(request: &[u8]) -> Vec<u8> {
        let mut d = minicbor::Decoder::new(request);
        for _ in 0..d.map().unwrap().unwrap() {
            if d.u8().unwrap() == 2 {
                return d.bytes().unwrap().to_vec();
            }
            d.skip().unwrap();
        }
        Vec::new()
    }
}

impl Authorizer for Frozen {
    fn collect(&self, _request: RSlice<'_, u8>) -> Answer {
        RErr(denial("frozen.collect.unsupported", "this plugin only verifies"))
    }

    fn plan(&self, request: RSlice<'_, u8>) -> Answer {
        if Self::evidence(request.as_slice()).is_empty() {
            return RErr(denial("frozen.evidence.empty", "no evidence"));
        }
        ROk(message(|e| {
            e.map(3).unwrap().u8(0).unwrap().u16(1).unwrap();
            e.u8(1).unwrap().array(0).unwrap();
            e.u8(2).unwrap().map(1).unwrap().str("frozen").unwrap().bool(true).unwrap();
        }))
    }

    fn verify(&self, request: RSlice<'_, u8>) -> Answer {
        let evidence = Self::evidence(request.as_slice());
        if evidence == b"garbage" {
            return ROk(vec![0xff; 64].into());
        }
        if evidence == b"flood" {
            return ROk(vec![0; 5 << 20].into());
        }
        if evidence == b"garbled denial" {
            return RErr(vec![0x00].into());
        }
        ROk(message(|e| {
            e.map(5).unwrap().u8(0).unwrap().u16(1).unwrap();
            e.u8(1).unwrap().str(PROFILE).unwrap();
            e.u8(2).unwrap().array(2).unwrap();
            if evidence == b"good" {
                // accept: [claims, [kind, bytes], waived]
                e.u8(0).unwrap().array(3).unwrap();
                e.map(1).unwrap().str("frozen").unwrap().bool(true).unwrap();
                e.array(2).unwrap().u8(0).unwrap().bytes(&[0; 64]).unwrap();
                e.array(0).unwrap();
            } else {
                // reject: [{version, code, detail}]
                e.u8(1).unwrap().array(1).unwrap();
                e.map(3).unwrap().u8(0).unwrap().u16(1).unwrap();
                e.u8(1).unwrap().str("frozen.evidence.bad").unwrap().u8(2).unwrap().str("not good").unwrap();
            }
            e.u8(3).unwrap().array(0).unwrap();
            e.u8(4).unwrap().array(0).unwrap();
        }))
    }
}

#[export_root_module]
fn root_module() -> AuthorizerModuleRef {
    AuthorizerModule {
        identify,
        create,
        #[cfg(feature = "newer-minor")]
        capabilities,
    }
    .leak_into_prefix()
}
