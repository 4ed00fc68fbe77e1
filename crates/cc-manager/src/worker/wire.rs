//! Frames between host and worker: one byte that says what it is, the length (u32, little-endian), the bytes.
//!
//! Both ends are the same program, but the host reads as if it did not know that: a plugin has the worker's memory.

use cc_core::limits::MAX_MESSAGE;

/// Length of what precedes the bytes.
pub(super) const HEAD: usize = 5;

/// What the host wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Confine yourself as a verifier and load the library; the bytes are the limit of memory in MiB (u64).
    LoadVerifier,
    /// The same as a collector.
    LoadCollector,
    /// Make an authorizer with these settings.
    Create,
    Identify,
    Collect,
    Plan,
    Verify,
}

/// What the worker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Say {
    /// The answer.
    Message,
    /// The plugin's or the loader's denial.
    Denied,
    /// The plugin's answer has so many bytes (u64) and was not sent.
    Oversize,
}

const ASKS: [Ask; 7] =
    [Ask::LoadVerifier, Ask::LoadCollector, Ask::Create, Ask::Identify, Ask::Collect, Ask::Plan, Ask::Verify];
const SAYS: [Say; 3] = [Say::Message, Say::Denied, Say::Oversize];

impl Ask {
    pub(super) fn number(self) -> u8 {
        number(&ASKS, self)
    }

    pub(super) fn of(number: u8) -> Option<Self> {
        ASKS.get(usize::from(number)).copied()
    }
}

impl Say {
    pub(super) fn number(self) -> u8 {
        number(&SAYS, self)
    }

    pub(super) fn of(number: u8) -> Option<Self> {
        SAYS.get(usize::from(number)).copied()
    }
}

fn number<T: PartialEq>(all: &[T], one: T) -> u8 {
    let position = all.iter().position(|candidate| *candidate == one);
    position.and_then(|position| u8::try_from(position).ok()).unwrap_or(u8::MAX)
}

/// The head of a frame.
pub(super) fn head(number: u8, length: usize) -> [u8; HEAD] {
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    [number, a, b, c, d]
}

/// What a head says; nothing for a length beyond [`MAX_MESSAGE`].
pub(super) fn read_head([number, a, b, c, d]: [u8; HEAD]) -> Option<(u8, usize)> {
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
    (length <= MAX_MESSAGE).then_some((number, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_as_written_and_lengths_are_bounded() {
        for ask in ASKS {
            let (number, length) = read_head(head(ask.number(), MAX_MESSAGE)).unwrap();
            assert_eq!((Ask::of(number), length), (Some(ask), MAX_MESSAGE));
        }
        for say in SAYS {
            assert_eq!(Say::of(say.number()), Some(say));
        }
        assert_eq!(read_head(head(0, MAX_MESSAGE + 1)), None);
        assert_eq!((Ask::of(7), Say::of(3)), (None, None));
    }
}
