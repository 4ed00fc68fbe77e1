//! What the service is asked.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_core::SECONDS_PER_DAY;
use cc_core::gpu::DeviceClass;
use cc_core::message::{EndorsementRequest, Post};

use crate::gpu::arch::Arch;
use crate::gpu::members::Member;
use crate::nras::Service;
use crate::pki::pem;

/// Takes evidence; the class of device is the last part.
const ATTEST: &str = "https://nras.attestation.nvidia.com/v4/attest/";
/// For how long the service's keys may be kept, in seconds.
const KEYS_AGE: u64 = SECONDS_PER_DAY;
/// What questions to it are.
const QUESTION: &str = "application/json";

/// A question for each architecture, and one for the keys. An answer is good for one evidence and is not kept.
pub(in crate::gpu) fn requests(members: &[Member<'_>], nonce: &[u8; 32]) -> Vec<EndorsementRequest> {
    let token = |(arch, body): (Arch, String)| {
        let class = match arch.class() {
            DeviceClass::Gpu => "gpu",
            DeviceClass::Switch => "switch",
        };
        let key = digest(&SHA256, body.as_bytes()).as_ref().to_vec();
        EndorsementRequest {
            kind: "nras.token".to_owned(),
            url: format!("{ATTEST}{class}"),
            max_age: 0,
            post: Some(Post { media_type: QUESTION.to_owned(), body: body.into_bytes(), key }),
        }
    };
    let keys = EndorsementRequest {
        kind: "nras.jwks".to_owned(),
        url: Service::NVIDIA.jwks_url.to_owned(),
        max_age: KEYS_AGE,
        post: None,
    };
    questions(members, nonce).into_iter().map(token).chain([keys]).collect()
}

/// The bodies of the questions, with the devices in the order of the evidence.
pub(super) fn questions(members: &[Member<'_>], nonce: &[u8; 32]) -> Vec<(Arch, String)> {
    let of = |arch| {
        let of_arch: Vec<_> = members.iter().filter(|member| member.chain.arch == arch).collect();
        (!of_arch.is_empty()).then(|| (arch, question(arch, &of_arch, nonce)))
    };
    [Arch::Blackwell, Arch::Hopper, Arch::Ls10].into_iter().filter_map(of).collect()
}

/// Hexadecimal digits, base64 and names of architectures need no escapes.
fn question(arch: Arch, members: &[&Member<'_>], nonce: &[u8; 32]) -> String {
    let mut list = String::new();
    for member in members {
        let chain = pem::encode(member.chain.links.iter().map(|link| link.der.as_slice()));
        let (evidence, chain) = (STANDARD.encode(&member.device.report), STANDARD.encode(chain));
        let comma = if list.is_empty() { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(list, "{comma}{{\"evidence\":\"{evidence}\",\"certificate\":\"{chain}\"}}");
    }
    let (nonce, arch) = (hex::encode(nonce), arch.name());
    format!(
        "{{\"nonce\":\"{nonce}\",\"arch\":\"{arch}\",\"claims_version\":\"3.0\",\"evidence_list\":[{list}]}}"
    )
}
