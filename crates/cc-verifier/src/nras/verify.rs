//! The order of the checks.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use cc_core::gpu::DeviceClass;
use cc_core::{Claims, Finding, UnixTime, codes};

use super::claims;
use super::device::{Device, Good};
use super::eat::Eat;
use super::overall::Overall;
use crate::jwt::{self, Algorithm, Issuer, Judged, Jwks};

/// An attestation service; its tokens are signed with ES384.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service<'a> {
    /// The exact value of `iss` in its tokens.
    pub iss: &'a str,
    /// Where it publishes its keys.
    pub jwks_url: &'a str,
    /// How many seconds ago its tokens may have been issued.
    pub max_age: u64,
}

impl Service<'static> {
    /// The public service.
    pub const NVIDIA: Self = Self {
        iss: "https://nras.attestation.nvidia.com",
        jwks_url: "https://nras.attestation.nvidia.com/.well-known/jwks.json",
        max_age: 300,
    };
}

impl<'a> Service<'a> {
    const fn issuer(&self) -> Issuer<'a> {
        let Self { iss, jwks_url, max_age } = *self;
        Issuer { iss, algorithm: Algorithm::Es384, jwks_url, max_age, audience: None }
    }
}

/// Verifies an answer of the service: that it is authentic, about evidence with that nonce, and good for every device.
///
/// Steps: 1 form; 2 the overall token (J1 to J8) and its claims; 3 its nonce; 4 as many device tokens as it names, each
/// with the digest that it has; 5 each device token (J1 to J8) and its nonce; 6 the overall result; 7 what is said of
/// each device. Missing keys stop none of them (*decisions.md* 1).
///
/// The claims are `devices` (a map each, in the order of the evidence), `gpu_count`, `nonce`, `nras_issuer` and
/// `switch_count`; names within `devices` are those of devices that are verified locally. Driver, VBIOS and architecture
/// are not judged here.
///
/// # Errors
///
/// The first rejection, `jwt.*`, `nras.*`, `bind.gpu_nonce.mismatch`, `gpu.devices.empty` or `.duplicate`, or
/// `env.size.exceeded`; without one, `jwt.jwks.unavailable` if there are no keys.
pub fn verify(
    answer: &[u8],
    service: &Service<'_>,
    jwks: Option<&Jwks>,
    nonce: &[u8; 32],
    now: UnixTime,
) -> Result<Claims, Finding> {
    let Answer { class, devices, unsigned } = judge(answer, service, jwks, nonce, now)?;
    let claims = claims::of(nonce, service.iss, class, &devices);
    unsigned.map_or(Ok(claims), Err)
}

/// An answer against which nothing speaks, but which is not verified while `unsigned` says that the keys are missing.
pub(crate) struct Answer {
    pub(crate) class: DeviceClass,
    /// In the order of the evidence; no two are one device.
    pub(crate) devices: Vec<Good>,
    pub(crate) unsigned: Option<Finding>,
}

/// [`verify`] for those who have more to judge about an answer whose keys are missing.
pub(crate) fn judge(
    answer: &[u8],
    service: &Service<'_>,
    jwks: Option<&Jwks>,
    nonce: &[u8; 32],
    now: UnixTime,
) -> Result<Answer, Finding> {
    let issuer = service.issuer();
    let in_token = |name: &str| {
        let name = name.to_owned();
        move |finding: Finding| Finding::new(finding.code, format!("{name}: {}", finding.detail))
    };
    let eat = Eat::parse(answer)?;

    let Judged { payload, unsigned } =
        jwt::judge(eat.overall.as_bytes(), &issuer, jwks, now).map_err(in_token("overall token"))?;
    let overall = Overall::read(&payload)?;
    same_nonce("overall token", &overall.nonce, nonce)?;
    submods(&eat, &overall)?;

    let mut devices = Vec::with_capacity(eat.devices.len());
    for (name, token) in &eat.devices {
        let token = jwt::judge(token.as_bytes(), &issuer, jwks, now).map_err(in_token(name))?;
        let device = Device::read(eat.class, name, token.payload)?;
        same_nonce(name, device.nonce(), nonce)?;
        devices.push(device);
    }
    if !overall.result {
        let detail = "`x-nvidia-overall-att-result` is false";
        return Err(Finding::new(codes::NRAS_OVERALL_FAILED, detail));
    }
    let devices: Vec<_> = devices.iter().map(Device::judge).collect::<Result<_, _>>()?;
    let mut seen = BTreeSet::new();
    if let Some(twice) = devices.iter().find(|device| !seen.insert(device.ueid)) {
        let detail = format!("two tokens are about the device {}", hex::encode(twice.ueid));
        return Err(Finding::new(codes::GPU_DEVICES_DUPLICATE, detail));
    }
    Ok(Answer { class: eat.class, devices, unsigned })
}

fn same_nonce(token: &str, said: &[u8; 32], expected: &[u8; 32]) -> Result<(), Finding> {
    if said == expected {
        return Ok(());
    }
    let detail =
        format!("{token}: `eat_nonce` is {}, expected is {}", hex::encode(said), hex::encode(expected));
    Err(Finding::new(codes::BIND_GPU_NONCE_MISMATCH, detail))
}

/// The overall token names exactly the device tokens that are there, by their digests.
fn submods(eat: &Eat, overall: &Overall) -> Result<(), Finding> {
    let mismatch = |detail| Err(Finding::new(codes::NRAS_SUBMOD_DIGEST_MISMATCH, detail));
    if overall.submods.len() != eat.devices.len() {
        let (named, there) = (overall.submods.len(), eat.devices.len());
        return mismatch(format!("{there} device tokens, the overall token names {named}"));
    }
    for (name, token) in &eat.devices {
        let Some(expected) = overall.submods.get(name) else {
            return mismatch(format!("the overall token does not name {name}"));
        };
        let actual = digest(&SHA256, token.as_bytes());
        if actual.as_ref() != expected {
            let (actual, expected) = (hex::encode(actual), hex::encode(expected));
            return mismatch(format!("the token of {name} has the digest {actual}, not {expected}"));
        }
    }
    Ok(())
}
