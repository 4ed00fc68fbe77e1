//! `message Frame { bytes frame = 1; }` of `proto/muster.proto`, in its one canonical encoding.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use crate::wire::Budget;

/// Field 1, length-delimited.
const KEY: u8 = 0x0a;
/// The key and the longest length of a frame within the limits.
const MAX_OVERHEAD: usize = 5;

/// The largest message that a frame of `limit` bytes makes.
pub(super) const fn message_limit(limit: usize) -> usize {
    limit.saturating_add(MAX_OVERHEAD)
}

/// Frames as they are, counted on arrival.
#[derive(Clone, Debug, Default)]
pub(super) struct FrameCodec {
    pub(super) budget: Option<Arc<Budget>>,
}

impl Codec for FrameCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = FrameEncoder;
    type Decoder = Self;

    fn encoder(&mut self) -> FrameEncoder {
        FrameEncoder
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

impl Decoder for FrameCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        if let Some(budget) = &self.budget {
            budget.frame().map_err(|finding| Status::resource_exhausted(finding.to_string()))?;
        }
        read(message).map(Some).ok_or_else(|| Status::invalid_argument("the message is not a frame"))
    }
}

#[derive(Debug)]
pub(super) struct FrameEncoder;

impl Encoder for FrameEncoder {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, frame: Bytes, message: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.reserve(message_limit(frame.len()));
        write(&frame, message);
        Ok(())
    }
}

/// A field of the default value is not written.
fn write(frame: &[u8], message: &mut impl BufMut) {
    if frame.is_empty() {
        return;
    }
    message.put_u8(KEY);
    let mut length = frame.len();
    while let [low, _, ..] = length.to_le_bytes()
        && length >= 0x80
    {
        message.put_u8(low | 0x80);
        length >>= 7;
    }
    let [low, ..] = length.to_le_bytes();
    message.put_u8(low);
    message.put_slice(frame);
}

/// Exactly one frame: no other field, no second value, nothing behind it.
fn read(message: &mut impl Buf) -> Option<Bytes> {
    if !message.has_remaining() {
        return Some(Bytes::new());
    }
    if message.try_get_u8().ok()? != KEY {
        return None;
    }
    let mut length: usize = 0;
    for shift in [0, 7, 14, 21] {
        let byte = message.try_get_u8().ok()?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            let canonical = byte != 0 && length == message.remaining();
            return canonical.then(|| message.copy_to_bytes(length));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[derive(Clone, PartialEq, prost::Message)]
    struct Frame {
        #[prost(bytes = "vec", tag = "1")]
        frame: Vec<u8>,
    }

    #[test]
    fn equals_the_protobuf_encoding() {
        for length in [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152, super::super::MAX_DOWNWARD]
        {
            let frame: Vec<u8> = [1, 2, 3].into_iter().cycle().take(length).collect();
            let mut ours = Vec::new();
            write(&frame, &mut ours);
            assert_eq!(ours, Frame { frame: frame.clone() }.encode_to_vec(), "{length}");
            assert!(ours.len() <= message_limit(length));
            assert_eq!(read(&mut ours.as_slice()).unwrap(), frame);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [
            b"\x0a".as_slice(),
            b"\x0a\x00",
            b"\x0a\x01",
            b"\x0a\x01ab",
            b"\x0a\x81\x00a",
            b"\x0a\x80\x80\x80\x80\x01",
            b"\x0a\x01a\x0a\x01b",
            b"\x12\x01a",
            b"\x0a\x01a\x10\x01",
            b"\x08\x01",
        ] {
            assert!(read(&mut &*bad).is_none(), "{bad:?}");
        }
    }
}
