//! What the service answered, beside the devices that it was asked about.

use cc_core::message::VerifyRequest;
use cc_core::{Finding, UnixTime, Waivers, codes, exchange};

use super::questions::questions;
use crate::gpu::members::Member;
use crate::gpu::opaque::Item;
use crate::gpu::revocation::Notes;
use crate::jwt::{Jwks, under_each};
use crate::nras::{self, Answer, Eat, Good, Service};

/// The service's answers and keys among the endorsements, as far as the host answers for their origin.
pub(in crate::gpu) struct Served<'a> {
    service: Service<'a>,
    tokens: Vec<&'a [u8]>,
    keys: Vec<&'a [u8]>,
}

/// What an endorsement that this is about is called.
const TOKEN: &str = "nras.token";
const KEYS: &str = "nras.jwks";

impl<'a> Served<'a> {
    /// Finds them, and names them.
    pub(in crate::gpu) fn sort(
        issuer: &'a str,
        request: &'a VerifyRequest,
        names: &mut [&'static str],
    ) -> Self {
        let service = Service { iss: issuer, ..Service::NVIDIA };
        let mut served = Self { service, tokens: Vec::new(), keys: Vec::new() };
        for ((position, blob), name) in (0_u32..).zip(&request.endorsements).zip(names) {
            let (kind, list) = if is_token(&blob.0) {
                (TOKEN, &mut served.tokens)
            } else if is_keys(&blob.0) {
                (KEYS, &mut served.keys)
            } else {
                continue;
            };
            *name = kind;
            if request.vouched.contains(&position) {
                list.push(&blob.0);
            }
        }
        served
    }

    pub(in crate::gpu) const fn issuer(&self) -> &str {
        self.service.iss
    }

    /// Every answer must be good, and every device must be in one. What is missing is noted.
    pub(in crate::gpu) fn judge(
        &self,
        members: &[Member<'_>],
        nonce: &[u8; 32],
        now: UnixTime,
        notes: &mut Notes,
    ) -> Result<(), Finding> {
        let keys = self.keys.iter().map(|keys| Jwks::parse(keys)).collect::<Result<Vec<_>, _>>()?;
        let asked = questions(members, nonce);
        let mut seen = vec![false; members.len()];
        for token in &self.tokens {
            let answer = match exchange::decode(token) {
                Some((question, answer)) if asked.iter().any(|(_, body)| body.as_bytes() == question) => {
                    answer
                }
                Some(_) => return Err(mismatch("an answer to a question about other evidence".to_owned())),
                None => token,
            };
            let Answer { class, devices, unsigned } = self.answer(answer, &keys, nonce, now)?;
            for good in &devices {
                let ueid = hex::encode(good.ueid);
                let of_device = |(member, _): &(&Member<'_>, _)| {
                    member.device.class == class && format!("{:0>40}", member.chain.ueid) == ueid
                };
                let (member, seen) = members.iter().zip(&mut seen).find(of_device).ok_or_else(|| {
                    mismatch(format!("a token is about the device {ueid}, which is not in the evidence"))
                })?;
                same(member, good)?;
                *seen = true;
            }
            if let Some(missing) = unsigned {
                notes.miss(missing, &Waivers::none());
            }
        }
        if let Some((_, member)) = seen.iter().zip(members).find(|(seen, _)| !**seen) {
            let detail =
                format!("no answer of the attestation service about the device {}", member.chain.ueid);
            let missing = Finding::new(codes::NRAS_SERVICE_UNAVAILABLE, detail);
            notes.miss(missing, &Waivers::none());
        }
        Ok(())
    }

    /// Under the first set of keys with which an answer is good; the last one's error otherwise.
    fn answer(
        &self,
        answer: &[u8],
        keys: &[Jwks],
        nonce: &[u8; 32],
        now: UnixTime,
    ) -> Result<Answer, Finding> {
        under_each(keys, |keys| nras::judge(answer, &self.service, keys, nonce, now))
    }
}

/// The versions that policy judges are those in the signed report.
fn same(member: &Member<'_>, good: &Good) -> Result<(), Finding> {
    let opaque = &member.report.opaque;
    let vbios = opaque.vbios_version(member.device.class);
    for (what, said, reported) in [
        ("architecture", Some(good.arch), Some(member.chain.arch.name())),
        ("driver version", good.driver_version.as_deref(), opaque.text(Item::DRIVER_VERSION)),
        ("VBIOS version", Some(good.vbios_version.as_str()), vbios.as_deref()),
    ] {
        let is_absent = said.is_none() && member.device.class == cc_core::gpu::DeviceClass::Switch;
        let is_same = said.zip(reported).is_some_and(|(said, own)| said.eq_ignore_ascii_case(own));
        if !is_absent && !is_same {
            let detail = format!(
                "device {}: the service says {what} {said:?}, evidence and certificates say {reported:?}",
                member.chain.ueid
            );
            return Err(mismatch(detail));
        }
    }
    Ok(())
}

fn mismatch(detail: String) -> Finding {
    Finding::new(codes::NRAS_DEVICE_MISMATCH, detail)
}

/// The answer to a question in JSON, or a detached EAT alone.
fn is_token(blob: &[u8]) -> bool {
    match exchange::decode(blob) {
        Some((question, _)) => question.starts_with(b"{"),
        None => Eat::parse(blob).is_ok(),
    }
}

/// A set of keys; one with a name twice is judged later.
fn is_keys(blob: &[u8]) -> bool {
    Jwks::parse(blob).map_or_else(|finding| finding.code == codes::JWT_KEY_DUPLICATE, |_| true)
}
