//! A question with its answer, as one endorsement.
//!
//! What a service answers to a POST means nothing without the question: it may be about something else, or old. So the
//! host hands both to the plugin that asked: the CBOR array of the two, each a byte string.

use minicbor::{Decoder, Encoder};

/// Writes an exchange.
pub fn encode(request: &[u8], response: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(request.len().saturating_add(response.len()).saturating_add(16));
    let mut write = || Encoder::new(&mut bytes).array(2)?.bytes(request)?.bytes(response).map(|_| ());
    let written: Result<(), minicbor::encode::Error<std::convert::Infallible>> = write();
    match written {
        Ok(()) => bytes,
        // Writing to a vector cannot fail; an empty endorsement, should that ever change, is none for any reader.
        Err(_) => Vec::new(),
    }
}

/// Reads request and response of exactly one exchange in the one form that [`encode`] writes.
pub fn decode(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut decoder = Decoder::new(bytes);
    if decoder.array().ok()? != Some(2) {
        return None;
    }
    let (request, response) = (decoder.bytes().ok()?, decoder.bytes().ok()?);
    (encode(request, response) == bytes).then_some((request, response))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_only() {
        let good = encode(b"why", b"because");
        assert_eq!(good, b"\x82\x43why\x47because");
        assert_eq!(decode(&good), Some((&b"why"[..], &b"because"[..])));
        for bytes in [
            &b""[..],
            b"\x82\x43why",
            b"\x82\x43why\x47because\x00",
            b"\x83\x43why\x47because\x40",
            b"\x98\x02\x43why\x47because",
            b"\x9f\x43why\x47because\xff",
            b"\x82\x58\x03why\x47because",
            b"\x82\x5f\x43why\xff\x47because",
            b"\x82\x63why\x47because",
        ] {
            assert_eq!(decode(bytes), None, "{bytes:02x?}");
        }
    }
}
