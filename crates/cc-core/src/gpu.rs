//! Evidence of GPUs and switches: the list that is the evidence of profile `nv-spdm-1`, and the parts of a device's
//! report that are read without its plugin (*verification.md* 3.1).
//!
//! Enough to find the bound field and the declared end; nothing here is a verification.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use crate::limits::{MAX_DEVICE_CHAIN, MAX_DEVICE_REPORT, MAX_GPUS, MAX_SWITCHES};
use crate::{Code, Finding, codes};

/// Length of the GET_MEASUREMENTS request that a report begins with.
pub const REQUEST_LENGTH: usize = 37;
/// Where the request's nonce stands in a report; 32 bytes.
const NONCE: usize = 4;
/// Length of the signature, r and s of P-384.
const SIGNATURE: usize = 96;
/// Length of the responder's nonce.
const RESPONDER_NONCE: usize = 32;
/// The opaque item that names the driver.
const DRIVER_VERSION: u16 = 3;
/// Elements of a device in the list.
const ELEMENTS: u64 = 5;

/// What kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceClass {
    /// 1.
    Gpu,
    /// 2.
    Switch,
}

impl DeviceClass {
    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::Gpu => 1,
            Self::Switch => 2,
        }
    }

    /// The class with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Gpu),
            2 => Some(Self::Switch),
            _ => None,
        }
    }
}

/// The evidence of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What it is.
    pub class: DeviceClass,
    /// Its report, request and response, as received from the driver.
    pub report: Vec<u8>,
    /// Its certificate chain, leaf first, as received from the driver: PEM. Empty where the chain comes with the
    /// endorsements.
    pub cert_chain: Vec<u8>,
    /// Environment, ccFeature, devToolsMode, multiGpuMode as NVML has them; zero for a switch. Nothing where nobody read
    /// them, as in a file.
    pub cc_state: Option<[u8; 4]>,
    /// The architecture that the sender claims, in NVIDIA's spelling (`HOPPER`).
    pub arch: Option<String>,
}

/// Writes the evidence of profile `nv-spdm-1`: a CBOR array of the devices, each an array of class (1, 2), report,
/// chain, CC state (4 bytes or none) and architecture (text, empty for none).
pub fn encode(devices: &[Device]) -> Vec<u8> {
    let mut bytes = Vec::new();
    match write(devices, &mut bytes) {
        Ok(()) => bytes,
        // Writing to a vector cannot fail; an empty list, should that ever change, is no evidence for any reader.
        Err(_) => Vec::new(),
    }
}

fn write(
    devices: &[Device],
    bytes: &mut Vec<u8>,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    let mut e = Encoder::new(bytes);
    e.array(u64::try_from(devices.len()).unwrap_or(u64::MAX))?;
    for device in devices {
        e.array(ELEMENTS)?.u8(device.class.number())?.bytes(&device.report)?.bytes(&device.cert_chain)?;
        e.bytes(device.cc_state.as_ref().map_or(&[], |state| state.as_slice()))?;
        e.str(device.arch.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

/// Reads what [`encode`] writes: at most 16 GPUs and 8 switches (`env.size.exceeded`), anything but the one form is
/// `env.format.invalid`, an empty list `gpu.devices.empty`.
pub fn decode(bytes: &[u8]) -> Result<Vec<Device>, Finding> {
    let wrong = |error: minicbor::decode::Error| invalid(error.to_string());
    let mut d = Decoder::new(bytes);
    let count = d.array().map_err(wrong)?.ok_or_else(|| invalid("list of indefinite length".to_owned()))?;
    if count == 0 {
        return Err(finding(codes::GPU_DEVICES_EMPTY, "the list of devices is empty".to_owned()));
    }
    let mut devices = Vec::new();
    for _ in 0..count {
        devices.push(device(&mut d).map_err(wrong)??);
        within("GPUs", of(&devices, DeviceClass::Gpu), MAX_GPUS)?;
        within("switches", of(&devices, DeviceClass::Switch), MAX_SWITCHES)?;
    }
    // Whatever is not the shortest form, or follows the list, would be written differently.
    if encode(&devices) != bytes {
        return Err(invalid("the list of devices is not in its one form".to_owned()));
    }
    Ok(devices)
}

fn of(devices: &[Device], class: DeviceClass) -> usize {
    devices.iter().filter(|device| device.class == class).count()
}

fn device(d: &mut Decoder<'_>) -> Result<Result<Device, Finding>, minicbor::decode::Error> {
    if d.array()? != Some(ELEMENTS) {
        return Ok(Err(invalid(format!("a device is not an array of {ELEMENTS}"))));
    }
    let number = d.u8()?;
    let (report, chain, state) = (bytes(d)?, bytes(d)?, bytes(d)?);
    let arch = d.str()?;
    Ok((|| {
        let class =
            DeviceClass::from_number(number).ok_or_else(|| invalid(format!("device class {number}")))?;
        within("bytes of a device's report", report.len(), MAX_DEVICE_REPORT)?;
        within("bytes of a device's certificate chain", chain.len(), MAX_DEVICE_CHAIN)?;
        within("bytes of an architecture's name", arch.len(), 32)?;
        let cc_state = match state {
            [] => None,
            state => {
                let exact = || invalid(format!("CC state of {} bytes, it has 4", state.len()));
                Some(state.try_into().map_err(|_| exact())?)
            }
        };
        let arch = (!arch.is_empty()).then(|| arch.to_owned());
        Ok(Device { class, report: report.to_vec(), cert_chain: chain.to_vec(), cc_state, arch })
    })())
}

fn bytes<'b>(d: &mut Decoder<'b>) -> Result<&'b [u8], minicbor::decode::Error> {
    match d.datatype()? {
        Type::Bytes => d.bytes(),
        other => Err(minicbor::decode::Error::type_mismatch(other)),
    }
}

/// The 32 bytes that the verifier chose, in the request. `Err` when `report` is too short to have them
/// (`gpu.spdm.malformed`).
pub fn nonce(report: &[u8]) -> Result<&[u8; 32], Finding> {
    let field = report.get(NONCE..).and_then(<[u8]>::first_chunk);
    field.ok_or_else(|| malformed(format!("report of {} bytes has no nonce", report.len())))
}

/// How long the report says that it is, in bytes: request, measurements, responder's nonce, opaque data, signature.
/// `gpu.spdm.malformed` when there are fewer bytes than that.
pub fn declared_length(report: &[u8]) -> Result<usize, Finding> {
    let cut = || malformed(format!("report of {} bytes ends before its measurements do", report.len()));
    let opaque = opaque_start(report).ok_or_else(cut)?;
    let length = report.get(opaque..).and_then(<[u8]>::first_chunk::<2>).ok_or_else(cut)?;
    let end = [2, usize::from(u16::from_le_bytes(*length)), SIGNATURE]
        .into_iter()
        .try_fold(opaque, usize::checked_add);
    end.filter(|end| *end <= report.len()).ok_or_else(cut)
}

/// What kind of device made a report, as far as its opaque data tell: GPUs name their driver there (type 3), switches have
/// none. A report that is cut short counts as a GPU's; whoever verifies it refuses it.
pub fn class_of(report: &[u8]) -> DeviceClass {
    let driver = (|| {
        let end = declared_length(report).ok()?.checked_sub(SIGNATURE)?;
        let mut items = report.get(opaque_start(report)?.checked_add(2)?..end)?;
        while let Some(([a, b, c, d], rest)) = items.split_first_chunk() {
            if u16::from_le_bytes([*a, *b]) == DRIVER_VERSION {
                return Some(true);
            }
            items = rest.get(usize::from(u16::from_le_bytes([*c, *d]))..)?;
        }
        Some(false)
    })();
    if driver == Some(false) { DeviceClass::Switch } else { DeviceClass::Gpu }
}

/// Where the length of the opaque data stands.
fn opaque_start(report: &[u8]) -> Option<usize> {
    let record = report.get(const { REQUEST_LENGTH.saturating_add(5) }..)?.first_chunk::<3>()?;
    let [a, b, c] = *record;
    let record = usize::try_from(u32::from_le_bytes([a, b, c, 0])).ok()?;
    const { REQUEST_LENGTH.saturating_add(8) }.checked_add(record)?.checked_add(RESPONDER_NONCE)
}

/// The nonce of all devices of a list: that of the first one, which every other one must have too
/// (`bind.gpu_nonce.mismatch`).
pub fn common_nonce(devices: &[Device]) -> Result<[u8; 32], Finding> {
    let mut nonces = devices.iter().map(|device| nonce(&device.report));
    let empty = || finding(codes::GPU_DEVICES_EMPTY, "the list of devices is empty".to_owned());
    let first = nonces.next().ok_or_else(empty)??;
    for other in nonces {
        let other = other?;
        if other != first {
            let detail = format!(
                "one device carries nonce {}, another one {}",
                hex::encode(first),
                hex::encode(other)
            );
            return Err(finding(codes::BIND_GPU_NONCE_MISMATCH, detail));
        }
    }
    Ok(*first)
}

fn within(what: &str, size: usize, limit: usize) -> Result<(), Finding> {
    if size <= limit {
        return Ok(());
    }
    Err(finding(codes::ENV_SIZE_EXCEEDED, format!("{what}: {size}, the limit is {limit}")))
}

fn invalid(detail: String) -> Finding {
    finding(codes::ENV_FORMAT_INVALID, detail)
}

fn malformed(detail: String) -> Finding {
    finding(codes::GPU_SPDM_MALFORMED, detail)
}

fn finding(code: Code, detail: String) -> Finding {
    Finding::new(code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(class: DeviceClass, nonce: u8) -> Device {
        let mut report = vec![0; 60];
        report.get_mut(4..36).unwrap().fill(nonce);
        Device {
            class,
            report,
            cert_chain: vec![7; 9],
            cc_state: Some([2, 1, 0, 0]),
            arch: Some("HOPPER".to_owned()),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let bare = Device { cc_state: None, arch: None, ..device(DeviceClass::Switch, 1) };
        let devices = [device(DeviceClass::Gpu, 1), bare];
        assert_eq!(decode(&encode(&devices)).unwrap(), devices);
    }

    #[test]
    fn nothing_else_is_read() {
        let good = encode(&[device(DeviceClass::Gpu, 1)]);
        let code = |bytes: &[u8]| decode(bytes).unwrap_err().code;
        assert_eq!(code(&encode(&[])), codes::GPU_DEVICES_EMPTY);
        assert_eq!(code(&[]), codes::ENV_FORMAT_INVALID);
        assert_eq!(code(&[&good[..], &[0]].concat()), codes::ENV_FORMAT_INVALID);
        for end in 0..good.len() {
            assert_eq!(code(&good[..end]), codes::ENV_FORMAT_INVALID, "{end}");
        }
        // One device in a list whose length is not in the shortest form.
        assert_eq!(code(&[&[0x98, 1], &good[1..]].concat()), codes::ENV_FORMAT_INVALID);
        let class = [&good[..2], &[3], &good[3..]].concat();
        assert_eq!(code(&class), codes::ENV_FORMAT_INVALID);
        let devices = vec![device(DeviceClass::Gpu, 1); MAX_GPUS + 1];
        assert_eq!(code(&encode(&devices)), codes::ENV_SIZE_EXCEEDED);
        let devices = vec![device(DeviceClass::Switch, 1); MAX_SWITCHES + 1];
        assert_eq!(code(&encode(&devices)), codes::ENV_SIZE_EXCEEDED);
        let large = Device { report: vec![0; MAX_DEVICE_REPORT + 1], ..device(DeviceClass::Gpu, 1) };
        assert_eq!(code(&encode(&[large])), codes::ENV_SIZE_EXCEEDED);
        let large = Device { cert_chain: vec![0; MAX_DEVICE_CHAIN + 1], ..device(DeviceClass::Gpu, 1) };
        assert_eq!(code(&encode(&[large])), codes::ENV_SIZE_EXCEEDED);
    }

    #[test]
    fn devices_have_one_nonce() {
        let two = |a, b| [device(DeviceClass::Gpu, a), device(DeviceClass::Gpu, b)];
        assert_eq!(common_nonce(&two(5, 5)).unwrap(), [5; 32]);
        assert_eq!(common_nonce(&two(5, 6)).unwrap_err().code, codes::BIND_GPU_NONCE_MISMATCH);
        assert_eq!(common_nonce(&[]).unwrap_err().code, codes::GPU_DEVICES_EMPTY);
        let short = Device { report: vec![0; 35], ..device(DeviceClass::Gpu, 1) };
        assert_eq!(common_nonce(&[short]).unwrap_err().code, codes::GPU_SPDM_MALFORMED);
    }

    #[test]
    fn the_declared_end_is_computed() {
        // A record of 3 bytes, opaque data of 5.
        let mut report = vec![0; 37];
        report.extend([0x11, 0x60, 0, 0, 1, 3, 0, 0, 1, 2, 3]);
        report.extend([0; 32]);
        report.extend([5, 0, 1, 2, 3, 4, 5]);
        report.extend([9; 96]);
        assert_eq!(declared_length(&report).unwrap(), report.len());
        assert_eq!(class_of(&report), DeviceClass::Gpu, "opaque data that are cut short");
        let mut items = report.clone();
        let at = 37 + 11 + 32;
        items.splice(at..at + 7, [9, 0, 22, 0, 1, 0, 7, 3, 0, 0, 0]);
        assert_eq!(class_of(&items), DeviceClass::Gpu, "a driver's version");
        items[at + 7] = 23;
        assert_eq!(class_of(&items), DeviceClass::Switch);
        let padded = [&report[..], &[0; 20]].concat();
        assert_eq!(declared_length(&padded).unwrap(), report.len());
        for end in 0..report.len() {
            assert_eq!(declared_length(&report[..end]).unwrap_err().code, codes::GPU_SPDM_MALFORMED);
        }
    }
}
