//! The TPM: what is read from it, and the quote.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::PathBuf;

use cc_core::{Finding, codes};

use super::command::{Command, Reader, sized};

/// Largest answer, in bytes; the kernel's buffer.
const MAX_ANSWER: usize = 4096;
/// TPM_CC_NV_DefineSpace.
const NV_DEFINE_SPACE: u32 = 0x12a;
/// TPM_CC_NV_Write.
const NV_WRITE: u32 = 0x137;
/// TPM_CC_NV_Read.
const NV_READ: u32 = 0x14e;
/// TPM_CC_Quote.
const QUOTE: u32 = 0x158;
/// TPM_CC_NV_ReadPublic.
const NV_READ_PUBLIC: u32 = 0x169;
/// TPM_CC_PCR_Read.
const PCR_READ: u32 = 0x17e;
/// TPM_RH_OWNER.
const OWNER: u32 = 0x4000_0001;
/// TPM_RC_HANDLE for the first handle: there is no such index.
const NO_SUCH_HANDLE: u32 = 0x18b;
/// TPMA_NV_OWNERWRITE: the owner may write.
const OWNER_WRITE: u32 = 1 << 1;
/// TPMA_NV_AUTHWRITE, TPMA_NV_AUTHREAD: whoever names the index may.
const AUTH_WRITE: u32 = 1 << 2;
const AUTH_READ: u32 = 1 << 18;
/// TPMA_NV_OWNERREAD: the owner may read.
const OWNER_READ: u32 = 1 << 17;
/// TPM_ALG_RSASSA.
const RSASSA: u16 = 0x0014;
/// TPM_ALG_SHA256.
const SHA256: u16 = 0x000b;
/// How much of an index is read at once: less than any TPM's buffer.
const CHUNK: u16 = 512;
/// PCRs of a bank (PC Client Platform TPM Profile, 4.6.2), of which a TPM gives eight at once.
const PCRS: usize = 24;

/// A way to a TPM: sends a command and gives the whole answer.
pub trait Port: Send {
    /// Sends `command` and returns the answer. An error says why there is nobody to ask.
    fn transmit(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>>;
}

/// The device at a path. It is opened for each command, as the kernel's resource manager allows.
#[derive(Clone, Debug)]
pub struct DevicePort(pub PathBuf);

impl Port for DevicePort {
    fn transmit(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut device = OpenOptions::new().read(true).write(true).open(&self.0)?;
        device.write_all(command)?;
        let mut answer = vec![0; MAX_ANSWER];
        let length = device.read(&mut answer)?;
        answer.truncate(length);
        Ok(answer)
    }
}

/// What a quote consists of.
pub(super) struct Quote {
    /// TPMS_ATTEST.
    pub(super) message: Vec<u8>,
    /// The signature: RSASSA with SHA-256.
    pub(super) signature: Vec<u8>,
}

/// A TPM at the other end of a port.
pub(super) struct Tpm(pub(super) Box<dyn Port>);

impl Tpm {
    /// What the NV index holds, with the owner's authorization where that suffices, otherwise with its own.
    pub(super) fn nv(&mut self, index: u32) -> Result<Vec<u8>, Finding> {
        let (attributes, size) = self.public(index)?.ok_or_else(|| {
            let detail =
                format!("TPM2_NV_ReadPublic: response code {NO_SUCH_HANDLE:#x}: no NV index {index:#x}");
            Finding::new(codes::VTPM_COLLECT_FAILED, detail)
        })?;
        let authorizer = if attributes & OWNER_READ == 0 { index } else { OWNER };
        let mut content = Vec::new();
        let mut offset = 0_u16;
        while let Some(rest) = size.checked_sub(offset).filter(|rest| *rest != 0) {
            let count = rest.min(CHUNK);
            let parameters = [count.to_be_bytes(), offset.to_be_bytes()].concat();
            let chunk =
                self.ask("TPM2_NV_Read", NV_READ, &[authorizer, index], true, &parameters, |answer| {
                    let chunk = answer.sized()?;
                    (chunk.len() == usize::from(count)).then(|| chunk.to_vec())
                })?;
            content.extend(chunk);
            offset = offset.saturating_add(count);
        }
        Ok(content)
    }

    /// Makes the NV index hold exactly `content`: one that is there with another size is left alone, one that is not is
    /// defined for everybody on the machine, as the platform's own tools do.
    pub(super) fn write(&mut self, index: u32, content: &[u8; 64]) -> Result<(), Finding> {
        let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
        let attributes = match self.public(index)? {
            Some((attributes, size)) if size == length => attributes,
            Some((_, size)) => {
                let detail = format!("NV index {index:#x} has {size} bytes, needed are {length}");
                return Err(Finding::new(codes::VTPM_COLLECT_FAILED, detail));
            }
            None => {
                let attributes = OWNER_WRITE | AUTH_WRITE | OWNER_READ | AUTH_READ;
                let (name, policy) = (SHA256.to_be_bytes(), sized(&[]));
                let public = [
                    &index.to_be_bytes()[..],
                    &name,
                    &attributes.to_be_bytes(),
                    &policy,
                    &length.to_be_bytes(),
                ];
                let parameters = [sized(&[]), sized(&public.concat())].concat();
                self.ask("TPM2_NV_DefineSpace", NV_DEFINE_SPACE, &[OWNER], true, &parameters, |_| Some(()))?;
                attributes
            }
        };
        let authorizer = if attributes & OWNER_WRITE == 0 { index } else { OWNER };
        let parameters = [&sized(content)[..], &[0, 0]].concat();
        self.ask("TPM2_NV_Write", NV_WRITE, &[authorizer, index], true, &parameters, |_| Some(()))
    }

    /// Attributes and size of an NV index, if there is one.
    fn public(&mut self, index: u32) -> Result<Option<(u32, u16)>, Finding> {
        let answer = self.answer("TPM2_NV_ReadPublic", NV_READ_PUBLIC, &[index], false, &[], |answer| {
            let (mut public, _name) = (Reader(answer.sized()?), answer.sized()?);
            let (found, _name_algorithm) = (public.u32()?, public.u16()?);
            let (attributes, _policy, size) = (public.u32()?, public.sized()?, public.u16()?);
            public.end()?;
            (found == index).then_some((attributes, size))
        })?;
        match answer {
            Ok(public) => Ok(Some(public)),
            Err(NO_SUCH_HANDLE) => Ok(None),
            Err(code) => Err(refused("TPM2_NV_ReadPublic", code)),
        }
    }

    /// All PCRs of the SHA-256 bank.
    pub(super) fn pcrs(&mut self) -> Result<Vec<[u8; 32]>, Finding> {
        let mut values = Vec::new();
        for byte in 0..3 {
            let mut bitmap = [0; 3];
            if let Some(bits) = bitmap.get_mut(byte) {
                *bits = 0xff_u8;
            }
            let selection = selection(bitmap);
            let batch = self.ask("TPM2_PCR_Read", PCR_READ, &[], false, &selection, |answer| {
                let (_update_counter, out) = (answer.u32()?, answer.take(selection.len())?);
                if out != selection || answer.u32()? != 8 {
                    return None;
                }
                (0..8).map(|_| answer.sized()?.try_into().ok()).collect::<Option<Vec<[u8; 32]>>>()
            })?;
            values.extend(batch);
        }
        Ok(values)
    }

    /// A quote over all PCRs of the SHA-256 bank and `data`, by the key at `handle`.
    pub(super) fn quote(&mut self, handle: u32, data: &[u8; 32]) -> Result<Quote, Finding> {
        let scheme = [RSASSA.to_be_bytes(), SHA256.to_be_bytes()].concat();
        let parameters = [sized(data), scheme, selection([0xff; 3])].concat();
        self.ask("TPM2_Quote", QUOTE, &[handle], true, &parameters, |answer| {
            let message = answer.sized()?.to_vec();
            let ours = (answer.u16()?, answer.u16()?) == (RSASSA, SHA256);
            let signature = answer.sized()?.to_vec();
            ours.then_some(Quote { message, signature })
        })
    }

    fn ask<T>(
        &mut self,
        name: &str,
        code: u32,
        handles: &[u32],
        authorized: bool,
        parameters: &[u8],
        read: impl Fn(&mut Reader<'_>) -> Option<T>,
    ) -> Result<T, Finding> {
        let answer = self.answer(name, code, handles, authorized, parameters, read)?;
        answer.map_err(|code| refused(name, code))
    }

    /// What the TPM answers, or the response code with which it refuses.
    fn answer<T>(
        &mut self,
        name: &str,
        code: u32,
        handles: &[u32],
        authorized: bool,
        parameters: &[u8],
        read: impl Fn(&mut Reader<'_>) -> Option<T>,
    ) -> Result<Result<T, u32>, Finding> {
        let command = Command { code, handles, authorized, parameters };
        let answer = self.0.transmit(&command.bytes());
        let answer = answer
            .map_err(|error| Finding::new(codes::VTPM_COLLECT_NO_DEVICE, format!("{name}: {error}")))?;
        let failed = |detail: String| Finding::new(codes::VTPM_COLLECT_FAILED, format!("{name}: {detail}"));
        let mut reader = match command.parameters_of(&answer).map_err(failed)? {
            Ok(parameters) => Reader(parameters),
            Err(code) => return Ok(Err(code)),
        };
        let value = read(&mut reader).filter(|_| reader.end().is_some());
        let value = value
            .ok_or_else(|| failed(format!("the answer is not the one to it: {}", hex::encode(&answer))))?;
        Ok(Ok(value))
    }
}

fn refused(name: &str, code: u32) -> Finding {
    Finding::new(codes::VTPM_COLLECT_FAILED, format!("{name}: response code {code:#x}"))
}

/// TPML_PCR_SELECTION of one entry: the SHA-256 bank, by its bits.
fn selection(bitmap: [u8; PCRS / 8]) -> Vec<u8> {
    [&1_u32.to_be_bytes()[..], &SHA256.to_be_bytes(), &[3], &bitmap].concat()
}
