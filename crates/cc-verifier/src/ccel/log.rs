//! The structure of a log: a header event in the older format, then events with a digest for each algorithm, then
//! padding.

use cc_core::limits::MAX_ENDORSEMENT;
use cc_core::{Finding, codes};

use super::event_type::EventType;
use super::reader::Reader;

/// TPM_ALG_SHA384, with the length of its digest.
const SHA384: (u16, usize) = (0x000C, 48);
/// What the header's data begin with.
const SIGNATURE: &[u8; 16] = b"Spec ID Event03\0";
/// Where they do: after register, type, a SHA-1 digest and the length.
const SIGNATURE_OFFSET: usize = 32;
/// Most algorithms that a header may list; the TCG has registered fewer for PCR banks.
const MAX_ALGORITHMS: usize = 8;

/// A measurement register of a trust domain: MRTD, which holds what the domain was built from and cannot be extended,
/// or one of RTMR0 to RTMR3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register(u32);

impl Register {
    pub(super) const MRTD: Self = Self(0);

    /// The register with this index in a log.
    fn known(index: u32) -> Option<Self> {
        (index <= 4).then_some(Self(index))
    }

    /// The number of an RTMR, 0 to 3; `None` for MRTD.
    pub fn rtmr(self) -> Option<usize> {
        usize::try_from(self.0.checked_sub(1)?).ok()
    }
}

impl std::fmt::Display for Register {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.rtmr() {
            None => f.pad("mrtd"),
            Some(number) => f.pad(&format!("rtmr{number}")),
        }
    }
}

/// One event of correct form.
pub(super) struct Entry<'a> {
    pub(super) register: Register,
    pub(super) event_type: EventType,
    pub(super) digest: &'a [u8; 48],
    pub(super) data: &'a [u8],
}

/// Whether `blob` is an event log, perhaps a malformed one: its header says so.
pub fn is_log(blob: &[u8]) -> bool {
    blob.get(SIGNATURE_OFFSET..).is_some_and(|rest| rest.starts_with(SIGNATURE))
}

/// The events of a log after its header; ends at the padding, or after the first error.
pub(super) struct Entries<'a> {
    algorithms: Vec<(u16, usize)>,
    rest: Reader<'a>,
    size: usize,
    failed: bool,
}

impl<'a> Entries<'a> {
    /// Reads the header.
    pub(super) fn of(log: &'a [u8]) -> Result<Self, Finding> {
        if log.len() > MAX_ENDORSEMENT {
            let detail = format!("log of {} bytes, the limit is {MAX_ENDORSEMENT}", log.len());
            return Err(malformed(detail));
        }
        let mut rest = Reader::new(log);
        let algorithms = header(&mut rest)
            .ok_or_else(|| malformed("the header is no Spec ID event of version 2, cut short or too long"))?;
        if !algorithms.contains(&SHA384) {
            return Err(malformed(format!("the header lists {algorithms:x?} and not SHA-384")));
        }
        Ok(Self { algorithms, rest, size: log.len(), failed: false })
    }

    fn entry(&mut self) -> Result<Entry<'a>, String> {
        let cut = || "is cut short".to_owned();
        let index = self.rest.u32().ok_or_else(cut)?;
        let register =
            Register::known(index).ok_or_else(|| format!("is for register {index}, the last one is 4"))?;
        let number = self.rest.u32().ok_or_else(cut)?;
        let event_type =
            EventType::known(number).ok_or_else(|| format!("has type {number:#x}, which is not known"))?;
        let digest = self.digests()?;
        let data = self.rest.long_field().ok_or_else(cut)?;
        let unmeasured = event_type == EventType::NO_ACTION;
        if register == Register::MRTD && !unmeasured {
            return Err("is for MRTD, which is not extended".to_owned());
        }
        if unmeasured && digest != &[0; 48] {
            return Err("was not measured and has a digest".to_owned());
        }
        Ok(Entry { register, event_type, digest, data })
    }

    /// One digest for each algorithm of the header, in any order; returns that of SHA-384.
    fn digests(&mut self) -> Result<&'a [u8; 48], String> {
        let cut = || "is cut short".to_owned();
        let count = self.rest.u32().ok_or_else(cut)?;
        if usize::try_from(count) != Ok(self.algorithms.len()) {
            return Err(format!("has {count} digests, the header lists {}", self.algorithms.len()));
        }
        let (mut seen, mut sha384) = (Vec::new(), None);
        for _ in 0..self.algorithms.len() {
            let algorithm = self.rest.u16().ok_or_else(cut)?;
            let listed = self.algorithms.iter().find(|(listed, _)| *listed == algorithm);
            let Some((_, length)) = listed.filter(|_| !seen.contains(&algorithm)) else {
                return Err(format!("has a digest by algorithm {algorithm:#x} that has no place"));
            };
            seen.push(algorithm);
            let digest = self.rest.bytes(*length).ok_or_else(cut)?;
            if algorithm == SHA384.0 {
                sha384 = digest.try_into().ok();
            }
        }
        sha384.ok_or_else(|| "has no SHA-384 digest".to_owned())
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        let left = self.rest.rest();
        if self.failed || is_padding(left) {
            return None;
        }
        let offset = self.size.saturating_sub(left.len());
        let entry = self.entry().map_err(|what| malformed(format!("the event at offset {offset} {what}")));
        self.failed = entry.is_err();
        Some(entry)
    }
}

/// Nothing, or the rest of the memory for the log as firmware leaves it: all bits zero or all one.
fn is_padding(rest: &[u8]) -> bool {
    let all = |fill: u8| rest.iter().all(|byte| *byte == fill);
    all(0x00) || all(0xFF)
}

/// The header (TCG_EfiSpecIdEvent in a TCG_PCClientPCREvent): the algorithms with the lengths of their digests.
fn header(log: &mut Reader<'_>) -> Option<Vec<(u16, usize)>> {
    let index = log.u32()?;
    let event_type = log.u32()?;
    let digest = log.array::<20>()?;
    let sound =
        Register::known(index).is_some() && event_type == EventType::NO_ACTION.number() && digest == &[0; 20];
    let mut data = Reader::new(log.long_field()?);
    let signature = data.array::<16>()?;
    let _platform_class = data.u32()?;
    let [_minor, major, _errata, _uintn_size] = *data.array()?;
    let count = usize::try_from(data.u32()?).ok().filter(|count| (1..=MAX_ALGORITHMS).contains(count))?;
    let mut algorithms = Vec::with_capacity(count);
    for _ in 0..count {
        let (algorithm, length) = (data.u16()?, usize::from(data.u16()?));
        if algorithms.iter().any(|(known, _)| *known == algorithm) {
            return None;
        }
        algorithms.push((algorithm, length));
    }
    let _vendor = data.short_field()?;
    (sound && signature == SIGNATURE && major == 2 && data.rest().is_empty()).then_some(algorithms)
}

fn malformed(detail: impl Into<String>) -> Finding {
    Finding::new(codes::TDX_EVENTLOG_MALFORMED, detail)
}
