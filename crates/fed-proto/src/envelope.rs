//! The envelope in which evidence travels (*verification.md* 0.12): deterministic CBOR, so that a token has one form.

use cc_core::limits::{MAX_ENDORSEMENTS, MAX_EVIDENCE};
use cc_core::limits::{MAX_GPUS, MAX_SWITCHES};
use cc_core::{Code, Finding, Profile, codes};
use minicbor::{Decoder, Encoder};

use crate::binding::{Device, DeviceClass};
use crate::crypto::{Digest, Signature, sha256};

/// Largest envelope, in bytes (*verification.md* 0.11).
pub const MAX_ENVELOPE: usize = 1024 * 1024;

const VERSION: u64 = 1;
/// The profiles of *verification.md* 0.12.
const PROFILES: [&str; 6] =
    ["snp-raw-1", "tdx-quote-1", "nv-spdm-1", "aci-raw-1", "aci-maa-1", "az-cvm-vtpm-1"];

/// One participant's token: the same bytes for every verifier of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Key 2.
    pub profile: Profile,
    /// Key 3: the transcript's bytes; a verifier rebuilds them.
    pub transcript: Vec<u8>,
    /// Key 4: raw, as the kernel, driver or service returned it.
    pub evidence: Vec<u8>,
    /// Key 5: certificate tables, logs and the like; absent on the wire when empty.
    pub aux: Vec<Vec<u8>>,
    /// Key 6: evidence of GPUs and switches, in strictly ascending order of their reports' SHA-256; absent on the wire
    /// when empty.
    pub devices: Vec<Device>,
    /// Key 7: hints; absent on the wire when empty.
    pub endorsements: Vec<Vec<u8>>,
    /// Key 8: root of the challenges.
    pub root: Digest,
    /// Key 8: number of its leaves.
    pub leaf_count: u32,
    /// Key 9: proof of possession of the attestation key.
    pub pop: Signature,
}

impl Envelope {
    /// The one form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.evidence.len().saturating_add(1024));
        // Writing to a vector cannot fail; an empty answer, should it ever, is malformed for every reader.
        match self.write(&mut Encoder::new(&mut bytes)) {
            Ok(()) => bytes,
            Err(_) => Vec::new(),
        }
    }

    fn write(
        &self,
        e: &mut Encoder<&mut Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        let optional = [!self.aux.is_empty(), !self.devices.is_empty(), !self.endorsements.is_empty()];
        let present = optional.into_iter().fold(6_u64, |count, there| count.saturating_add(u64::from(there)));
        e.map(present)?.u8(1)?.u64(VERSION)?.u8(2)?.str(self.profile.as_str())?;
        e.u8(3)?.bytes(&self.transcript)?.u8(4)?.bytes(&self.evidence)?;
        if !self.aux.is_empty() {
            blobs(e.u8(5)?, &self.aux)?;
        }
        if !self.devices.is_empty() {
            e.u8(6)?.array(length(self.devices.len()))?;
            for device in &self.devices {
                e.array(4)?.u8(device.class.number())?;
                e.bytes(&device.report)?.bytes(&device.cert_chain)?.bytes(&device.cc_state)?;
            }
        }
        if !self.endorsements.is_empty() {
            blobs(e.u8(7)?, &self.endorsements)?;
        }
        e.u8(8)?.array(2)?.bytes(&self.root.0)?.u32(self.leaf_count)?;
        e.u8(9)?.bytes(&self.pop.0)?.ok()
    }

    /// Reads an envelope: size first, then version and profile, then everything else. Bytes that would be written
    /// differently are `env.format.invalid`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Finding> {
        if bytes.len() > MAX_ENVELOPE {
            return Err(size(format!("envelope of {} bytes, the limit is {MAX_ENVELOPE}", bytes.len())));
        }
        let envelope = read(&mut Decoder::new(bytes)).map_err(|wrong| match wrong {
            Wrong::Cbor(error) => format(error.to_string()),
            Wrong::Finding(finding) => finding,
        })?;
        if envelope.to_bytes() != bytes {
            return Err(format("not the deterministic form, or bytes after it"));
        }
        Ok(envelope)
    }
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn blobs(
    e: &mut Encoder<&mut Vec<u8>>,
    blobs: &[Vec<u8>],
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    e.array(length(blobs.len()))?;
    blobs.iter().try_for_each(|blob| e.bytes(blob)?.ok())
}

enum Wrong {
    Cbor(minicbor::decode::Error),
    Finding(Finding),
}

impl From<minicbor::decode::Error> for Wrong {
    fn from(error: minicbor::decode::Error) -> Self {
        Self::Cbor(error)
    }
}

fn finding(code: Code, text: impl Into<String>) -> Finding {
    Finding::new(code, text)
}

fn format(text: impl Into<String>) -> Finding {
    finding(codes::ENV_FORMAT_INVALID, text)
}

fn size(text: impl Into<String>) -> Finding {
    finding(codes::ENV_SIZE_EXCEEDED, text)
}

fn wrong(text: &str) -> Wrong {
    Wrong::Finding(format(text))
}

fn read(d: &mut Decoder<'_>) -> Result<Envelope, Wrong> {
    let mut left = d.map()?.ok_or_else(|| wrong("map of indefinite length"))?;
    let mut next = None;
    let mut key = |d: &mut Decoder<'_>, wanted: u64, required: bool| -> Result<bool, Wrong> {
        if next.is_none() && left > 0 {
            next = Some(d.u64()?);
            left = left.saturating_sub(1);
        }
        let found = next == Some(wanted);
        if found {
            next = None;
        }
        match (found, required) {
            (false, true) => Err(Wrong::Finding(format(format!("expected key {wanted}")))),
            (found, _) => Ok(found),
        }
    };
    key(d, 1, true)?;
    let version = d.u64()?;
    if version != VERSION {
        let text = format!("version {version}, expected {VERSION}");
        return Err(Wrong::Finding(finding(codes::ENV_VERSION_UNSUPPORTED, text)));
    }
    key(d, 2, true)?;
    let name = d.str()?;
    let profile =
        Profile::parse(name).filter(|profile| PROFILES.contains(&profile.as_str())).ok_or_else(|| {
            let shown: String = name.chars().take(32).collect();
            Wrong::Finding(finding(codes::ENV_PROFILE_UNKNOWN, format!("profile {shown:?}")))
        })?;
    key(d, 3, true)?;
    let transcript = d.bytes()?.to_vec();
    key(d, 4, true)?;
    let evidence = d.bytes()?.to_vec();
    if evidence.len() > MAX_EVIDENCE {
        let text = format!("evidence of {} bytes, the limit is {MAX_EVIDENCE}", evidence.len());
        return Err(Wrong::Finding(size(text)));
    }
    let aux = if key(d, 5, false)? { read_blobs(d)? } else { Vec::new() };
    let devices = if key(d, 6, false)? { read_devices(d)? } else { Vec::new() };
    let endorsements = if key(d, 7, false)? { read_blobs(d)? } else { Vec::new() };
    key(d, 8, true)?;
    if d.array()? != Some(2) {
        return Err(wrong("challenge is not an array of two"));
    }
    let root = Digest(fixed(d)?);
    let leaf_count = d.u32()?;
    key(d, 9, true)?;
    let pop = Signature(fixed(d)?);
    Ok(Envelope { profile, transcript, evidence, aux, devices, endorsements, root, leaf_count, pop })
}

fn fixed<const N: usize>(d: &mut Decoder<'_>) -> Result<[u8; N], Wrong> {
    d.bytes()?.try_into().map_err(|_| Wrong::Finding(format(format!("a field is not {N} bytes long"))))
}

fn read_blobs(d: &mut Decoder<'_>) -> Result<Vec<Vec<u8>>, Wrong> {
    let count = d.array()?.ok_or_else(|| wrong("array of indefinite length"))?;
    if count > length(MAX_ENDORSEMENTS) {
        return Err(Wrong::Finding(size(format!("{count} objects, the limit is {MAX_ENDORSEMENTS}"))));
    }
    // The envelope's own limit is that of one object.
    (0..count).map(|_| Ok(d.bytes()?.to_vec())).collect()
}

fn read_devices(d: &mut Decoder<'_>) -> Result<Vec<Device>, Wrong> {
    let count = d.array()?.ok_or_else(|| wrong("array of indefinite length"))?;
    if count > length(MAX_GPUS.saturating_add(MAX_SWITCHES)) {
        return Err(Wrong::Finding(size(format!("{count} devices"))));
    }
    let mut devices = Vec::new();
    for _ in 0..count {
        if d.array()? != Some(4) {
            return Err(wrong("a device is not an array of four"));
        }
        let class = DeviceClass::from_number(d.u8()?).ok_or_else(|| wrong("unknown class of device"))?;
        let device = Device {
            class,
            report: d.bytes()?.to_vec(),
            cert_chain: d.bytes()?.to_vec(),
            cc_state: fixed(d)?,
        };
        devices.push(device);
    }
    let of = |class| devices.iter().filter(|device| device.class == class).count();
    if of(DeviceClass::Gpu) > MAX_GPUS || of(DeviceClass::Switch) > MAX_SWITCHES {
        return Err(Wrong::Finding(size(format!("more than {MAX_GPUS} GPUs or {MAX_SWITCHES} switches"))));
    }
    // One order, so that the same devices are the same token; one report twice is not two devices.
    if !devices.is_sorted_by(|a, b| sha256(&a.report) < sha256(&b.report)) {
        return Err(wrong("devices are not in strictly ascending order of their reports' SHA-256"));
    }
    Ok(devices)
}
