//! Event logs in the form of the CCEL table (TCG crypto-agile log), and the registers that follow from them.

use aws_lc_rs::digest::{SHA384, digest};

/// `TPM_ALG_SHA384`.
const ALG_SHA384: u16 = 0x000C;
/// `EV_NO_ACTION`: is logged and not measured.
pub const EV_NO_ACTION: u32 = 3;

/// An event log under construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLog {
    /// The header event, from its first byte on.
    pub header: Vec<u8>,
    /// The events in order.
    pub events: Vec<Event>,
    /// Bytes after the last event; firmware leaves the rest of the table as 0xFF.
    pub padding: Vec<u8>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Measurement register: 0 is MRTD, 1 to 4 are RTMR0 to RTMR3.
    pub register: u32,
    /// Event type.
    pub kind: u32,
    /// Digests with their algorithms.
    pub digests: Vec<(u16, Vec<u8>)>,
    /// What was measured, or words about it.
    pub data: Vec<u8>,
}

impl Event {
    /// An event of this type whose digest is that of its data; zero if it is not measured.
    pub fn new(register: u32, kind: u32, data: &[u8]) -> Self {
        let measured = digest(&SHA384, data);
        let digest = if kind == EV_NO_ACTION { vec![0; 48] } else { measured.as_ref().to_vec() };
        Self { register, kind, digests: vec![(ALG_SHA384, digest)], data: data.to_vec() }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = [self.register, self.kind, self.digests.len() as u32].map(u32::to_le_bytes).concat();
        for (algorithm, digest) in &self.digests {
            out.extend(algorithm.to_le_bytes());
            out.extend(digest);
        }
        out.extend((self.data.len() as u32).to_le_bytes());
        out.extend(&self.data);
        out
    }
}

impl EventLog {
    /// The log of a small boot: events in RTMR0 to RTMR2, one of them not measured, and padding.
    pub fn small_boot() -> Self {
        const EVENTS: [(u32, u32, &[u8]); 8] = [
            (1, 0x8000_000B, b"TdxTable"),
            (1, 0x8000_0001, b"SecureBoot"),
            (1, 0x0000_0004, &[0; 4]),
            (2, 0x8000_0003, b"boot loader"),
            (2, 0x0000_0004, &[0; 4]),
            (3, 0x0000_000D, b"kernel"),
            (3, 0x0000_000D, b"initial file system"),
            (3, 0x0000_000D, b"command line"),
        ];
        let events = EVENTS.map(|(register, kind, data)| Event::new(register, kind, data)).to_vec();
        Self { header: header(), events, padding: vec![0xFF; 64] }
    }

    /// The log.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = self.header.clone();
        out.extend(self.events.iter().flat_map(Event::encode));
        out.extend(&self.padding);
        out
    }

    /// RTMR0 to RTMR3 after these events.
    pub fn registers(&self) -> [[u8; 48]; 4] {
        let mut registers = [[0; 48]; 4];
        for event in self.events.iter().filter(|event| event.kind != EV_NO_ACTION) {
            let register = usize::try_from(event.register).expect("small").checked_sub(1);
            let Some(value) = register.and_then(|index| registers.get_mut(index)) else { continue };
            for (_, extension) in event.digests.iter().filter(|(algorithm, _)| *algorithm == ALG_SHA384) {
                let extended = [value.as_slice(), extension].concat();
                value.copy_from_slice(digest(&SHA384, &extended).as_ref());
            }
        }
        registers
    }
}

/// The header event ("Spec ID Event03"): SHA-384 only.
pub fn header() -> Vec<u8> {
    let mut event = b"Spec ID Event03\0".to_vec();
    event.extend([0; 4]);
    // Minor and major version, errata, size of UINTN in words of 32 bits.
    event.extend([0, 2, 0, 2]);
    event.extend(1_u32.to_le_bytes());
    event.extend(ALG_SHA384.to_le_bytes());
    event.extend(48_u16.to_le_bytes());
    event.push(0);
    let mut out = [1_u32, EV_NO_ACTION].map(u32::to_le_bytes).concat();
    out.extend([0; 20]);
    out.extend((event.len() as u32).to_le_bytes());
    out.extend(event);
    out
}
