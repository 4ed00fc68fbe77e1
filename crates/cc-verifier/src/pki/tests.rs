use super::asn1::{Elements, is_minimal_integer, octets_of_bits};
use super::*;

#[test]
fn integers_are_minimal() {
    for (content, minimal) in [
        (&[][..], false),
        (&[0], true),
        (&[0x7f], true),
        (&[0x80], true),
        (&[0, 0x7f], false),
        (&[0, 0x80], true),
        (&[0xff, 0x80], false),
        (&[0xff, 0x7f], true),
        (&[1, 0], true),
    ] {
        assert_eq!(is_minimal_integer(content), minimal, "{content:02x?}");
    }
}

#[test]
fn lengths_are_definite_and_minimal() {
    for bytes in [
        &b""[..],
        b"\x30",
        b"\x30\x80\x00\x00",
        b"\x30\x81\x00",
        b"\x30\x82\x00\x01\x00",
        b"\x30\x01",
        b"\x30\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
    ] {
        assert!(Element::of(bytes, "test").is_err(), "{bytes:02x?}");
    }
    let empty = Element::of(b"\x30\x00", "test").unwrap();
    assert!(Elements::of(empty.content, "test").unwrap().is_finished());
    assert!(octets_of_bits(&[], "test").is_err());
    assert!(octets_of_bits(&[1, 2], "test").is_err());
    assert_eq!(octets_of_bits(&[0, 2], "test"), Ok(&[2][..]));
}

#[test]
fn names_have_one_common_name() {
    let attribute = |tag: u8, text: &[u8]| {
        let value = [&[tag, u8::try_from(text.len()).unwrap()], text].concat();
        let fields = [&[0x06, 3, 0x55, 4, 3], value.as_slice()].concat();
        let sequence = [&[0x30, u8::try_from(fields.len()).unwrap()], fields.as_slice()].concat();
        [&[0x31, u8::try_from(sequence.len()).unwrap()], sequence.as_slice()].concat()
    };
    let name = |rdns: &[Vec<u8>]| {
        let content = rdns.concat();
        [&[0x30, u8::try_from(content.len()).unwrap()], content.as_slice()].concat()
    };
    let (utf8, printable, bmp) = (attribute(0x0c, b"a"), attribute(0x13, b"b"), attribute(0x1e, b"\0c"));
    assert_eq!(common_name(&name(std::slice::from_ref(&utf8))), Ok("a"));
    assert_eq!(common_name(&name(std::slice::from_ref(&printable))), Ok("b"));
    for bad in [vec![], vec![utf8, printable], vec![bmp], vec![attribute(0x0c, b"\xff")]] {
        assert!(common_name(&name(&bad)).is_err(), "{bad:02x?}");
    }
}
