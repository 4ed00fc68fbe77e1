use super::asn1::{Elements, is_minimal_integer, octets_of_bits};
use super::*;
use cc_testkit::der;
use cc_testkit::snp::keys;

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

#[test]
fn one_signature_algorithm() {
    let hash = |oid: &str, null: bool| {
        let null = if null { der::null() } else { Vec::new() };
        der::seq(&[der::oid(oid), null])
    };
    let (sha384, sha256) = ("2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.1");
    let (pss, mgf1) = ("1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8");
    let with = |id: &str, first: &[u8], mask: &str, second: &[u8], salt: u64, trailer: Option<u64>| {
        let mask = der::seq(&[der::oid(mask), second.to_vec()]);
        let trailer = trailer.map(|trailer| der::context(3, &[der::integer(trailer)]));
        let parameters = der::seq(&[
            der::context(0, &[first]),
            der::context(1, &[mask]),
            der::context(2, &[der::integer(salt)]),
            trailer.unwrap_or_default(),
        ]);
        is_pss_sha384(&der::seq(&[der::oid(id), parameters]))
    };
    let (good, other, bare) = (hash(sha384, true), hash(sha256, true), hash(sha384, false));
    assert!(with(pss, &good, mgf1, &good, 48, None));
    assert!(with(pss, &good, mgf1, &good, 48, Some(1)));
    assert!(with(pss, &bare, mgf1, &bare, 48, None));
    assert!(!with(mgf1, &good, mgf1, &good, 48, None), "another algorithm");
    assert!(!with(pss, &other, mgf1, &good, 48, None), "another hash");
    assert!(!with(pss, &good, pss, &good, 48, None), "another mask");
    assert!(!with(pss, &good, mgf1, &other, 48, None), "another hash in the mask");
    assert!(!with(pss, &good, mgf1, &good, 32, None), "another salt");
    assert!(!with(pss, &good, mgf1, &good, 48, Some(2)), "another trailer");
    assert!(!is_pss_sha384(&der::seq(&[der::oid(pss)])), "no parameters");
}

#[test]
fn keys_are_rsa_4096_or_p384_points() {
    let rsa = |modulus: usize, algorithm: &str| {
        let mut number = vec![0xff; modulus];
        number.insert(0, 0);
        let key = der::seq(&[der::tlv(der::INTEGER, &number), der::integer(65_537)]);
        let algorithm = der::seq(&[der::oid(algorithm), der::null()]);
        RsaKey::of(&der::seq(&[algorithm, der::bit_string(0, &key)]))
    };
    let encryption = "1.2.840.113549.1.1.1";
    assert!(rsa(512, encryption).is_ok());
    assert!(rsa(512, "1.2.840.113549.1.1.10").is_err(), "id-RSASSA-PSS");
    for modulus in [256, 384, 511, 513, 1024] {
        assert!(rsa(modulus, encryption).is_err(), "{modulus}");
    }
    assert!(RsaKey::of(keys::stranger_p384().spki()).is_err());

    let spki = keys::stranger_p384().spki();
    assert!(p384_key(spki).is_ok());
    let (x, y) = spki[spki.len() - 96..].split_at(48);
    let compressed = [&[2 + (y[47] & 1)], x].concat();
    let point = [&[4], x, y].concat();
    let key = |algorithm: &str, curve: &str, point: &[u8]| {
        let algorithm = der::seq(&[der::oid(algorithm), der::oid(curve)]);
        p384_key(&der::seq(&[algorithm, der::bit_string(0, point)])).is_ok()
    };
    assert!(key("1.2.840.10045.2.1", "1.3.132.0.34", &point));
    assert!(!key("1.2.840.10045.2.1", "1.3.132.0.34", &compressed), "compressed");
    assert!(!key("1.2.840.10045.2.1", "1.3.132.0.35", &point), "named P-521");
    assert!(!key("1.2.840.10045.2.1", "1.2.840.10045.3.1.7", &point), "named P-256");
    assert!(!key("1.3.132.1.12", "1.3.132.0.34", &point), "id-ecDH");
    assert!(p384_key(keys::stranger_p256().spki()).is_err());
    assert!(p384_key(keys::stranger_rsa().spki()).is_err());
}
