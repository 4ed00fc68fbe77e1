//! Sets of keys, and which keys can be used (J4).

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use cc_testkit::jwt::{Object, base64url, certified_key, ec_key, key_set, rsa_key, rsa_numbers};
use cc_testkit::snp::cert::amd_name;
use cc_testkit::snp::{CertSpec, LeafKind, Product, SigKind, SignKey, keys};
use cc_verifier::jwt::Jwks;

use crate::common::codes::result_code;
use crate::common::jwt::{Case, published};

/// The smallest key that is allowed.
fn rsa_2048() -> &'static SignKey {
    static KEY: OnceLock<SignKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let key: Pkcs8V1Der<'_> = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
        SignKey::rsa(key.as_ref())
    })
}

/// A certificate of a key.
fn certificate(key: &SignKey) -> Vec<u8> {
    let mut spec = CertSpec {
        version: Some(2),
        serial: vec![1],
        inner_algorithm: Vec::new(),
        issuer: amd_name("issuer"),
        not_before: 0,
        not_after: 1,
        subject: amd_name("signer"),
        spki: key.spki().to_vec(),
        extensions: Vec::new(),
        outer_algorithm: Vec::new(),
        signing: SigKind::Ecdsa,
    };
    spec.set_algorithm(SigKind::Ecdsa);
    spec.sign(keys::stranger_p384())
}

/// The outcome of a token of a key that is published like this.
fn outcome(mut case: Case, key: &Object) -> String {
    case.jwks = Some(key_set(std::slice::from_ref(key)));
    case.code()
}

const WEAK: &str = "jwt.key.weak";

#[test]
fn sets_are_objects_with_keys() {
    const UNREADABLE: &str = "jwt.jwks.unavailable";
    let ec = ec_key("ec", keys::stranger_p384()).text();
    let rows: [(&str, String, &str); 14] = [
        ("published", String::from_utf8(key_set(&published())).unwrap(), "accept"),
        ("more members", format!(r#"{{"keys":[{ec}],"x":1}}"#), "accept"),
        ("no keys", "{}".to_owned(), UNREADABLE),
        ("keys null", r#"{"keys":null}"#.to_owned(), UNREADABLE),
        ("a list", format!("[[{ec}]]"), UNREADABLE),
        ("keys twice", format!(r#"{{"keys":[{ec}],"keys":[{ec}]}}"#), UNREADABLE),
        ("a member twice", format!(r#"{{"keys":[{ec},{{"kty":"x","kty":"x"}}]}}"#), UNREADABLE),
        ("a key of a list", format!(r#"{{"keys":[{ec},["a"]]}}"#), UNREADABLE),
        ("a key of null", format!(r#"{{"keys":[{ec},null]}}"#), UNREADABLE),
        ("kid of a number", format!(r#"{{"keys":[{ec},{{"kid":1}}]}}"#), UNREADABLE),
        ("a page", "<html></html>".to_owned(), UNREADABLE),
        ("nothing", String::new(), UNREADABLE),
        ("deep", format!(r#"{{"keys":[{ec}],"x":{}{}}}"#, "[".repeat(16), "]".repeat(16)), UNREADABLE),
        ("too long", format!(r#"{{"keys":[{ec}]}}{}"#, " ".repeat(1 << 20)), UNREADABLE),
    ];
    for (name, set, expected) in rows {
        let mut case = Case::es384();
        case.jwks = Some(set.into_bytes());
        assert_eq!(case.code(), expected, "{name}");
    }
    assert_eq!(result_code(&Jwks::parse(b"\xff")), UNREADABLE);
}

#[test]
fn names_are_unique_and_only_the_key_that_is_used_is_judged() {
    let (good, other) = (ec_key("ec", keys::stranger_p384()), ec_key("b", keys::leaf(LeafKind::Vcek)));
    let set = |keys: &[&Object]| {
        let mut case = Case::es384();
        case.jwks = Some(key_set(&keys.iter().map(|key| (*key).clone()).collect::<Vec<_>>()));
        case.code()
    };
    assert_eq!(set(&[&good, &good]), "jwt.key.duplicate");
    assert_eq!(set(&[&good, &other, &other]), "jwt.key.duplicate", "also of a key that is not used");
    let nameless = Object::of(&[("kty", "EC")]);
    assert_eq!(set(&[&nameless, &good, &nameless]), "accept");
    for odd in ["1", "[]", r#"{"kty":"oct"}"#] {
        let mut key = Object::of(&[("kid", "odd")]);
        key.set("kty", odd);
        key.set("x5c", odd);
        assert_eq!(set(&[&key, &good]), "accept", "{odd}");
    }
}

#[test]
fn keys_are_for_signatures_of_the_algorithm() {
    let edited = |edit: fn(&mut Object)| {
        let mut key = ec_key("ec", keys::stranger_p384());
        edit(&mut key);
        outcome(Case::es384(), &key)
    };
    assert_eq!(edited(|_| ()), "accept");
    assert_eq!(edited(|k| (k.remove("use"), k.remove("alg")).1), "accept");
    assert_eq!(edited(|k| k.set("key_ops", r#"["sign","verify"]"#)), "accept");
    type Edit = fn(&mut Object);
    let weak: [(&str, Edit); 16] = [
        ("for encryption", |k| k.set_text("use", "enc")),
        ("use null", |k| k.set("use", "null")),
        ("for nothing", |k| k.set("key_ops", "[]")),
        ("for signing", |k| k.set("key_ops", r#"["sign"]"#)),
        ("of ES256", |k| k.set_text("alg", "ES256")),
        ("of RS256", |k| k.set_text("alg", "RS256")),
        ("of RSA", |k| k.set_text("kty", "RSA")),
        ("symmetric", |k| k.set_text("kty", "oct")),
        ("of no kind", |k| k.remove("kty")),
        ("on P-256", |k| k.set_text("crv", "P-256")),
        ("on no curve", |k| k.remove("crv")),
        ("without y", |k| k.remove("y")),
        ("x with padding", |k| k.set_text("x", &format!("{}=", base64url(&[1; 47])))),
        ("x of 47 bytes", |k| k.set_text("x", &base64url(&[1; 47]))),
        ("x of 49 bytes", |k| {
            let x = [&[0][..], &keys::stranger_p384().public()[1..49]].concat();
            k.set_text("x", &base64url(&x));
        }),
        ("off the curve", |k| k.set_text("x", &base64url(&[1; 48]))),
    ];
    for (name, edit) in weak {
        assert_eq!(edited(edit), WEAK, "{name}");
    }
    let infinity =
        |k: &mut Object| ["x", "y"].into_iter().for_each(|name| k.set_text(name, &base64url(&[0; 48])));
    let mut key = ec_key("ec", keys::stranger_p384());
    infinity(&mut key);
    assert_eq!(outcome(Case::es384(), &key), WEAK, "zero");
}

#[test]
fn rsa_keys_have_2048_to_8192_bits() {
    let mut case = Case::rs256();
    case.key = rsa_2048();
    assert_eq!(outcome(case, &rsa_key("rsa", rsa_2048())), "accept");
    let numbers = |n: &[u8], e: &[u8]| {
        let mut key = rsa_key("rsa", keys::stranger_rsa());
        key.set_text("n", &base64url(n));
        key.set_text("e", &base64url(e));
        outcome(Case::rs256(), &key)
    };
    let [n, e] = rsa_numbers(keys::stranger_rsa());
    assert_eq!(numbers(&n, &e), "accept");
    let of_bits = |bits: usize| {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] >>= (8 - bits % 8) % 8;
        n
    };
    for (name, n, e) in [
        ("1024 bits", of_bits(1024), e.clone()),
        ("2047 bits", of_bits(2047), e.clone()),
        ("8193 bits", of_bits(8193), e.clone()),
        ("65536 bits", of_bits(65_536), e.clone()),
        ("nothing", Vec::new(), e.clone()),
        ("a leading zero", [&[0], n.as_slice()].concat(), e.clone()),
        ("zeros up to the size", [vec![0; 128], of_bits(1024)].concat(), e),
        ("exponent 0", n.clone(), vec![0]),
        ("exponent 1", n.clone(), vec![1]),
        ("even exponent", n.clone(), vec![2]),
        ("no exponent", n, Vec::new()),
    ] {
        assert_eq!(numbers(&n, &e), WEAK, "{name}");
    }
    for bits in [2048, 8192] {
        assert_eq!(numbers(&of_bits(bits), &[1, 0, 1]), "jwt.signature.invalid", "{bits}");
    }
    for missing in ["n", "e"] {
        let mut key = rsa_key("rsa", keys::stranger_rsa());
        key.remove(missing);
        assert_eq!(outcome(Case::rs256(), &key), WEAK, "without {missing}");
    }
}

#[test]
fn keys_without_numbers_are_those_of_their_certificates() {
    let ec = |key: &SignKey| outcome(Case::es384(), &certified_key("ec", "EC", &certificate(key)));
    let rsa = |key: &SignKey| outcome(Case::rs256(), &certified_key("rsa", "RSA", &certificate(key)));
    assert_eq!(
        (ec(keys::stranger_p384()), rsa(keys::stranger_rsa())),
        ("accept".to_owned(), "accept".to_owned())
    );
    assert_eq!(ec(keys::leaf(LeafKind::Vcek)), "jwt.signature.invalid");
    assert_eq!(rsa(keys::ark(Product::Milan)), "jwt.signature.invalid");
    for other in [keys::stranger_p256(), keys::stranger_rsa()] {
        assert_eq!(ec(other), WEAK);
    }
    assert_eq!(rsa(keys::stranger_p384()), WEAK);

    let good = certificate(keys::stranger_p384());
    let edited = |edit: &dyn Fn(&mut Object)| {
        let mut key = certified_key("ec", "EC", &good);
        edit(&mut key);
        outcome(Case::es384(), &key)
    };
    let more = [good.as_slice(), &[0]].concat();
    assert_eq!(outcome(Case::es384(), &certified_key("ec", "EC", &more)), WEAK, "trailing byte");
    assert_eq!(edited(&|k| k.set("x5c", "[]")), WEAK);
    assert_eq!(edited(&|k| k.set("x5c", r#"["AA"]"#)), WEAK, "no padding");
    assert_eq!(edited(&|k| k.set("x5c", r#""AAAA""#)), WEAK);
    assert_eq!(edited(&|k| k.remove("x5c")), WEAK);
    assert_eq!(edited(&|k| k.set_text("crv", "P-256")), WEAK);
    let huge = certified_key("ec", "EC", &vec![0x30; 16 * 1024 + 1]);
    assert_eq!(outcome(Case::es384(), &huge), WEAK);
    // Numbers come first: only the verifier of certificates would know what to make of both.
    let mut both = ec_key("ec", keys::stranger_p384());
    both.set("x5c", r#"["AAAA"]"#);
    assert_eq!(outcome(Case::es384(), &both), "accept");
}
