//! Rules J1 to J8 (*verification.md* 4.4), one violation each, and what is just not one.

use cc_testkit::jwt::{Signing, base64url, compact, ec_key, key_set, quoted, rsa_key};
use cc_testkit::snp::{LeafKind, Product, keys};

use crate::common::codes::result_code;
use crate::common::jwt::{self, Case, ISS, JWKS_URL, NOW, published};

type Row = (&'static str, fn() -> Case, fn(&mut Case), &'static str);

const ES384: fn() -> Case = Case::es384;
const RS256: fn() -> Case = Case::rs256;

fn assert_rows(rows: &[Row]) {
    for (name, new, edit, expected) in rows {
        let mut case = new();
        assert_eq!(case.code(), "accept", "{name}, untouched");
        edit(&mut case);
        assert_eq!(case.code(), *expected, "{name}");
    }
}

/// A token of these texts, well signed.
fn texts(case: &mut Case, header: &str, payload: &str) {
    case.compact = Some(compact(header, payload, &case.token.signing, case.key));
}

fn header(case: &mut Case, name: &str, json: &str) {
    case.token.header.set(name, json);
}

fn claim(case: &mut Case, name: &str, json: &str) {
    case.token.payload.set(name, json);
}

fn shift(case: &mut Case, name: &str, seconds: i64) {
    case.token.payload.set_number(name, NOW + seconds);
}

/// The compact form with one segment replaced.
fn segment(case: &mut Case, index: usize, change: impl Fn(&str) -> String) {
    let compact = case.token.sign(case.key);
    let mut segments: Vec<String> = compact.split('.').map(str::to_owned).collect();
    segments[index] = change(&segments[index]);
    case.compact = Some(segments.join("."));
}

#[test]
fn j1_form() {
    let long = |case: &mut Case, total: usize| {
        case.token.payload.set_text("pad", "");
        // Three bytes of payload are four characters; the rest of the length is that of all other parts.
        let missing = total - case.token.sign(case.key).len();
        case.token.payload.set_text("pad", &"x".repeat(missing / 4 * 3));
        let length = case.token.sign(case.key).len();
        assert!((total - 4..=total).contains(&length), "{length}");
    };
    let mut case = Case::es384();
    long(&mut case, 64 * 1024);
    assert_eq!(case.code(), "accept");
    long(&mut case, 64 * 1024 + 5);
    assert_eq!(case.code(), "jwt.format.invalid");

    const INVALID: &str = "jwt.format.invalid";
    assert_rows(&[
        ("two segments", ES384, |c| segment(c, 1, |_| String::new()), INVALID),
        ("no signature segment", ES384, |c| c.compact = Some("e30.e30".to_owned()), INVALID),
        ("five segments, JWE", ES384, |c| segment(c, 2, |s| format!("{s}.e30.e30")), INVALID),
        ("four segments", ES384, |c| segment(c, 2, |s| format!("{s}.")), INVALID),
        ("nothing", ES384, |c| c.compact = Some(String::new()), INVALID),
        ("padding", ES384, |c| segment(c, 1, |s| format!("{s}=")), INVALID),
        ("a line feed at the end", ES384, |c| segment(c, 2, |s| format!("{s}\n")), INVALID),
        ("a space inside", ES384, |c| segment(c, 1, |s| s.replacen('J', "J ", 1)), INVALID),
        ("trailing bits", ES384, |c| segment(c, 0, trailing_bits), INVALID),
        ("payload of a list", ES384, |c| texts(c, r#"{"alg":"ES384","kid":"ec"}"#, "[1]"), INVALID),
        ("payload not JSON", ES384, |c| texts(c, r#"{"alg":"ES384","kid":"ec"}"#, "{"), INVALID),
        ("header of a list", ES384, |c| texts(c, r#"["ES384","ec"]"#, "{}"), INVALID),
        ("header not JSON", ES384, |c| texts(c, "ES384", "{}"), INVALID),
        ("two documents", ES384, |c| texts(c, r#"{"alg":"ES384","kid":"ec"}"#, "{}{}"), INVALID),
        ("alg twice", ES384, |c| c.token.header.push("alg", r#""ES384""#), INVALID),
        ("an unknown name twice", ES384, |c| (0..2).for_each(|_| c.token.payload.push("x", "1")), INVALID),
        ("kid of a number", ES384, |c| header(c, "kid", "1"), INVALID),
        ("kid null", ES384, |c| header(c, "kid", "null"), INVALID),
        ("jku null", ES384, |c| header(c, "jku", "null"), INVALID),
        ("too deep", ES384, |c| claim(c, "x", &format!("{}{}", "[".repeat(16), "]".repeat(16))), INVALID),
        (
            "as deep as allowed",
            ES384,
            |c| claim(c, "x", &format!("{}{}", "[".repeat(15), "]".repeat(15))),
            "accept",
        ),
        ("b64 false", ES384, |c| header(c, "b64", "false"), INVALID),
        ("b64 null", ES384, |c| header(c, "b64", "null"), INVALID),
        ("b64 true", ES384, |c| header(c, "b64", "true"), "accept"),
        ("enc", ES384, |c| header(c, "enc", r#""A256GCM""#), INVALID),
        ("zip", ES384, |c| header(c, "zip", r#""DEF""#), INVALID),
        ("crit with b64", ES384, |c| header(c, "crit", r#"["b64"]"#), "jwt.crit.unknown"),
        ("crit empty", ES384, |c| header(c, "crit", "[]"), "jwt.crit.unknown"),
        ("crit null", ES384, |c| header(c, "crit", "null"), "jwt.crit.unknown"),
        ("other header parameters", ES384, |c| header(c, "typ", r#""JWT""#), "accept"),
    ]);
}

/// The same bytes in Base64 that is not canonical, if the segment has bits to spare.
fn trailing_bits(segment: &str) -> String {
    assert_ne!(segment.len() % 4, 0, "{segment}");
    let last = segment.bytes().last().unwrap();
    let text = &segment[..segment.len() - 1];
    format!("{text}{}", char::from(last + 1))
}

#[test]
fn j2_algorithm_is_the_verifiers() {
    const REFUSED: &str = "jwt.alg.not_allowed";
    let hs256 = |case: &mut Case, secret: Vec<u8>| {
        header(case, "alg", r#""HS256""#);
        case.token.signing = Signing::Hs256(secret);
    };
    for (name, new, spki) in [
        ("HS256 with the RSA key", RS256, keys::stranger_rsa().spki()),
        ("HS256 with the P-384 key", ES384, keys::stranger_p384().spki()),
    ] {
        let mut case = new();
        hs256(&mut case, spki.to_vec());
        assert_eq!(case.code(), REFUSED, "{name}");
        hs256(&mut case, cc_testkit::snp::cert::pem(spki).replace("CERTIFICATE", "PUBLIC KEY").into_bytes());
        assert_eq!(case.code(), REFUSED, "{name}, PEM");
    }
    assert_rows(&[
        ("no alg", ES384, |c| c.token.header.remove("alg"), REFUSED),
        ("none in capitals", ES384, |c| header(c, "alg", r#""NONE""#), REFUSED),
        ("lower case", ES384, |c| header(c, "alg", r#""es384""#), REFUSED),
        (
            "an RS256 token of the issuer's RSA key",
            ES384,
            |c| c.compact = Some(Case::rs256().compact()),
            REFUSED,
        ),
        (
            "an ES384 token of the issuer's P-384 key",
            RS256,
            |c| c.compact = Some(Case::es384().compact()),
            REFUSED,
        ),
        (
            "ES384 said of a signature of RS256",
            ES384,
            |c| {
                (c.key, c.token.signing) = (keys::stranger_rsa(), Signing::Rs256);
                header(c, "kid", r#""rsa""#);
            },
            "jwt.key.weak",
        ),
        (
            "algorithm before keys",
            ES384,
            |c| {
                header(c, "alg", r#""none""#);
                header(c, "jwk", "{}");
            },
            REFUSED,
        ),
    ]);
}

#[test]
fn j3_keys_come_from_the_issuer() {
    const KEY: &str = "jwt.header_key.present";
    const UNKNOWN: &str = "jwt.kid.unknown";
    assert_rows(&[
        ("the issuer's own jku", ES384, |c| header(c, "jku", &quoted(JWKS_URL)), "accept"),
        (
            "jku with a slash more",
            ES384,
            |c| header(c, "jku", &quoted(&format!("{JWKS_URL}/"))),
            "jwt.jku.mismatch",
        ),
        ("jku empty", ES384, |c| header(c, "jku", r#""""#), "jwt.jku.mismatch"),
        ("x5u", ES384, |c| header(c, "x5u", r#""https://evil.example/c""#), KEY),
        ("jwk null", ES384, |c| header(c, "jwk", "null"), KEY),
        ("the issuer's own key as jwk", ES384, |c| header(c, "jwk", &ec_key("ec", c.key).text()), KEY),
        ("no kid", ES384, |c| c.token.header.remove("kid"), UNKNOWN),
        (
            "no kid, and a key without a name",
            ES384,
            |c| {
                c.token.header.remove("kid");
                let mut key = ec_key("", c.key);
                key.remove("kid");
                c.jwks = Some(key_set(&[key]));
            },
            UNKNOWN,
        ),
        ("empty kid", ES384, |c| header(c, "kid", r#""""#), UNKNOWN),
        ("kid in capitals", ES384, |c| header(c, "kid", r#""EC""#), UNKNOWN),
        ("kid with more", ES384, |c| header(c, "kid", r#""ec?x=1""#), UNKNOWN),
        ("kid of an address", ES384, |c| header(c, "kid", r#""https://evil.example/jwks#ec""#), UNKNOWN),
        ("kid of a query", ES384, |c| header(c, "kid", r#""x' OR '1'='1""#), UNKNOWN),
        ("kid of a position", ES384, |c| header(c, "kid", r#""1""#), UNKNOWN),
        ("no keys published", ES384, |c| c.jwks = Some(key_set(&[])), UNKNOWN),
        (
            "a path as the key's name",
            ES384,
            |c| {
                header(c, "kid", r#""../../etc/passwd""#);
                c.jwks = Some(key_set(&[ec_key("../../etc/passwd", c.key)]));
            },
            "accept",
        ),
    ]);
}

#[test]
fn j5_signature() {
    const INVALID: &str = "jwt.signature.invalid";
    // The order of the group of P-384 (SEC 2, 2.5.1).
    let order =
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
    let bytes: Vec<u8> = (0..48).map(|at| u8::from_str_radix(&order[2 * at..][..2], 16).unwrap()).collect();
    let one = [&[0; 47][..], &[1]].concat();
    for (name, r, s) in [
        ("r of 0", vec![0; 48], one.clone()),
        ("s of 0", one.clone(), vec![0; 48]),
        ("r of n", bytes.clone(), one.clone()),
        ("s of n", one, bytes),
        ("both of 0", vec![0; 48], vec![0; 48]),
    ] {
        let mut case = Case::es384();
        segment(&mut case, 2, |_| base64url(&[r.as_slice(), &s].concat()));
        assert_eq!(case.code(), INVALID, "{name}");
    }
    assert_rows(&[
        ("empty", ES384, |c| segment(c, 2, |_| String::new()), INVALID),
        ("of another key", ES384, |c| c.key = keys::leaf(LeafKind::Vcek), INVALID),
        ("of another RSA key", RS256, |c| c.key = keys::ark(Product::Milan), INVALID),
        (
            "in ASN.1",
            ES384,
            |c| {
                let token = c.token.sign(c.key);
                let (signed, _) = token.rsplit_once('.').unwrap();
                let signature = c.key.sign(cc_testkit::snp::SigKind::Ecdsa, signed.as_bytes());
                c.compact = Some(format!("{signed}.{}", base64url(&signature)));
            },
            INVALID,
        ),
        ("truncated", RS256, |c| segment(c, 2, |s| s[..s.len() / 4 * 4].to_owned()), INVALID),
        ("with more", ES384, |c| segment(c, 2, |s| format!("{s}AAAA")), INVALID),
        (
            "RSASSA-PSS",
            RS256,
            |c| {
                let token = c.token.sign(c.key);
                let (signed, _) = token.rsplit_once('.').unwrap();
                let signature = c.key.sign(cc_testkit::snp::SigKind::PssSha256, signed.as_bytes());
                c.compact = Some(format!("{signed}.{}", base64url(&signature)));
            },
            INVALID,
        ),
        (
            "over the same claims in other bytes",
            ES384,
            |c| {
                segment(c, 1, |_| base64url(format!("{} ", jwt::payload().text()).as_bytes()));
            },
            INVALID,
        ),
    ]);
}

#[test]
fn j6_issuer() {
    const MISMATCH: &str = "jwt.iss.mismatch";
    assert_rows(&[
        ("no iss", ES384, |c| c.token.payload.remove("iss"), MISMATCH),
        ("with a slash more", ES384, |c| claim(c, "iss", &quoted(&format!("{ISS}/"))), MISMATCH),
        ("in capitals", ES384, |c| claim(c, "iss", &quoted(&ISS.to_uppercase())), MISMATCH),
        ("a list", ES384, |c| claim(c, "iss", &format!("[{}]", quoted(ISS))), "jwt.format.invalid"),
        ("null", ES384, |c| claim(c, "iss", "null"), "jwt.format.invalid"),
    ]);
}

#[test]
fn j7_times() {
    assert_rows(&[
        ("expired 59 seconds ago", ES384, |c| shift(c, "exp", -59), "accept"),
        ("expired 60 seconds ago", ES384, |c| shift(c, "exp", -60), "jwt.expired"),
        ("valid in 60 seconds", ES384, |c| shift(c, "nbf", 60), "accept"),
        ("valid in 61 seconds", ES384, |c| shift(c, "nbf", 61), "jwt.not_yet_valid"),
        ("issued in 60 seconds", ES384, |c| shift(c, "iat", 60), "accept"),
        ("issued in 61 seconds", ES384, |c| shift(c, "iat", 61), "jwt.not_yet_valid"),
        ("issued 300 seconds ago", ES384, |c| shift(c, "iat", -300), "accept"),
        ("issued 301 seconds ago", ES384, |c| shift(c, "iat", -301), "jwt.too_old"),
        ("no nbf", ES384, |c| c.token.payload.remove("nbf"), "jwt.exp.missing"),
        ("no iat", ES384, |c| c.token.payload.remove("iat"), "jwt.exp.missing"),
        ("exp null", ES384, |c| claim(c, "exp", "null"), "jwt.format.invalid"),
        ("exp in text", ES384, |c| claim(c, "exp", &format!("\"{}\"", NOW + 60)), "jwt.format.invalid"),
        ("exp with a fraction", ES384, |c| claim(c, "exp", &format!("{}.5", NOW + 60)), "jwt.format.invalid"),
        ("exp below zero", ES384, |c| claim(c, "exp", "-1"), "jwt.format.invalid"),
        ("exp of 2^64", ES384, |c| claim(c, "exp", "18446744073709551616"), "jwt.format.invalid"),
        ("the largest exp", ES384, |c| claim(c, "exp", "18446744073709551615"), "accept"),
        ("the largest nbf", ES384, |c| claim(c, "nbf", "18446744073709551615"), "jwt.not_yet_valid"),
        ("iat of 0", ES384, |c| claim(c, "iat", "0"), "jwt.too_old"),
        ("no time at all", ES384, |c| c.now = 0, "jwt.not_yet_valid"),
        ("another age", ES384, |c| (c.issuer.max_age = 10, shift(c, "iat", -11)).1, "jwt.too_old"),
    ]);
}

#[test]
fn j8_audience() {
    const MISMATCH: &str = "jwt.aud.mismatch";
    let ours = |c: &mut Case| c.issuer.audience = Some("us");
    for (name, audience, expected) in [
        ("missing", None, MISMATCH),
        ("ours", Some(r#""us""#), "accept"),
        ("ours among others", Some(r#"["them","us"]"#), "accept"),
        ("another", Some(r#""them""#), MISMATCH),
        ("others", Some(r#"["them","usa"]"#), MISMATCH),
        ("nobody", Some("[]"), MISMATCH),
        ("null", Some("null"), "jwt.format.invalid"),
        ("a number", Some("1"), "jwt.format.invalid"),
    ] {
        let mut case = Case::es384();
        ours(&mut case);
        audience.into_iter().for_each(|json| claim(&mut case, "aud", json));
        assert_eq!(case.code(), expected, "{name}");
    }
    assert_rows(&[
        ("somebody, and nobody is expected", ES384, |c| claim(c, "aud", r#""us""#), MISMATCH),
        ("an empty list, and nobody is expected", ES384, |c| claim(c, "aud", "[]"), MISMATCH),
    ]);
}

#[test]
fn rules_have_their_order() {
    // Each violation alone, in the order of the rules: with all from a place on, the first is the answer.
    type Violation = (&'static str, fn(&mut Case));
    let violations: [Violation; 11] = [
        ("jwt.crit.unknown", |c| header(c, "crit", "[]")),
        ("jwt.alg.not_allowed", |c| header(c, "alg", r#""none""#)),
        ("jwt.jku.mismatch", |c| header(c, "jku", r#""x""#)),
        ("jwt.header_key.present", |c| header(c, "jwk", "{}")),
        ("jwt.kid.unknown", |c| header(c, "kid", r#""x""#)),
        ("jwt.signature.invalid", |c| c.key = keys::leaf(LeafKind::Vcek)),
        ("jwt.iss.mismatch", |c| claim(c, "iss", r#""x""#)),
        ("jwt.expired", |c| shift(c, "exp", -60)),
        ("jwt.not_yet_valid", |c| shift(c, "nbf", 61)),
        ("jwt.too_old", |c| shift(c, "iat", -301)),
        ("jwt.aud.mismatch", |c| claim(c, "aud", r#""x""#)),
    ];
    for (at, (expected, _)) in violations.iter().enumerate() {
        let mut case = Case::es384();
        violations[at..].iter().for_each(|(_, violate)| violate(&mut case));
        assert_eq!(case.code(), *expected);
        // Without keys, what needs them is passed over and the rest is judged all the same.
        case.jwks = None;
        let keyless = match *expected {
            "jwt.kid.unknown" | "jwt.signature.invalid" => "jwt.iss.mismatch",
            other => other,
        };
        assert_eq!(case.code(), keyless, "without keys");
    }
    let mut case = Case::es384();
    case.jwks = None;
    assert_eq!(case.code(), "jwt.jwks.unavailable");
}

#[test]
fn what_is_read_is_what_was_signed() {
    #[derive(serde::Deserialize)]
    struct Claims {
        jti: String,
        iat: i64,
    }
    let payload = Case::es384().verify().unwrap();
    let Claims { jti, iat } = payload.read().unwrap();
    assert_eq!((jti.as_str(), iat), ("1", NOW));
    assert!(payload.read::<std::collections::BTreeMap<String, bool>>().is_err());
}

#[test]
fn no_bit_of_a_token_can_be_turned() {
    for case in [Case::es384(), Case::rs256()] {
        let token = case.compact().into_bytes();
        let jwks = cc_verifier::jwt::Jwks::parse(&case.jwks.clone().unwrap()).unwrap();
        let mut outcomes = std::collections::BTreeMap::<String, usize>::new();
        // Turning these three bits can give any class of characters; one key of each kind is verified often enough.
        for (at, bit) in (0..token.len()).flat_map(|at| [0, 5, 7].map(|bit| (at, bit))) {
            let mut token = token.clone();
            token[at] ^= 1 << bit;
            let result = cc_verifier::jwt::verify(&token, &case.issuer, Some(&jwks), jwt::instant(NOW));
            let code = result_code(&result);
            assert_ne!(code, "accept", "byte {at}, bit {bit}");
            *outcomes.entry(code).or_default() += 1;
        }
        for expected in ["jwt.format.invalid", "jwt.signature.invalid", "jwt.kid.unknown"] {
            assert!(outcomes.contains_key(expected), "{expected}: {outcomes:?}");
        }
    }
}

/// Rows of the catalogue that a token and its issuer's keys decide.
#[test]
fn catalogue() {
    let evil = |c: &mut Case| {
        c.key = keys::ark(Product::Milan);
    };
    assert_rows(&[
        (
            "N-MAA-01",
            RS256,
            |c| {
                header(c, "alg", r#""none""#);
                c.token.signing = Signing::None;
            },
            "jwt.alg.not_allowed",
        ),
        (
            "N-MAA-02",
            RS256,
            |c| {
                let pem = cc_testkit::snp::cert::pem(c.key.spki()).replace("CERTIFICATE", "PUBLIC KEY");
                header(c, "alg", r#""HS256""#);
                c.token.signing = Signing::Hs256(pem.into_bytes());
            },
            "jwt.alg.not_allowed",
        ),
        (
            "N-MAA-03",
            RS256,
            |c| {
                header(c, "alg", r#""RS384""#);
                c.token.signing = Signing::Rs384;
            },
            "jwt.alg.not_allowed",
        ),
        ("N-MAA-07", RS256, |c| c.jwks = Some(key_set(&[rsa_key("newer", c.key)])), "jwt.kid.unknown"),
        ("N-MAA-09", RS256, |c| header(c, "crit", r#"["x"]"#), "jwt.crit.unknown"),
        ("N-MAA-10", RS256, |c| c.token.payload.push("iss", &quoted(ISS)), "jwt.format.invalid"),
        ("N-MAA-11", RS256, |c| segment(c, 1, |s| format!("{s}==")), "jwt.format.invalid"),
        ("N-MAA-11", RS256, |c| segment(c, 2, standard_alphabet), "jwt.format.invalid"),
        ("N-MAA-12", RS256, |c| segment(c, 2, |s| s[..s.len() / 4 * 4].to_owned()), "jwt.signature.invalid"),
        ("N-MAA-13", RS256, |c| claim(c, "iss", r#""https://other.example""#), "jwt.iss.mismatch"),
        ("N-MAA-14", RS256, |c| claim(c, "iss", &quoted(&format!("{ISS}.evil.com"))), "jwt.iss.mismatch"),
        ("N-MAA-15", RS256, |c| c.token.payload.remove("exp"), "jwt.exp.missing"),
        ("N-MAA-16", RS256, |c| shift(c, "exp", -120), "jwt.expired"),
        ("N-MAA-17", RS256, |c| shift(c, "nbf", 120), "jwt.not_yet_valid"),
        ("N-MAA-18", RS256, |c| (shift(c, "iat", -1200), shift(c, "exp", 25_200)).1, "jwt.too_old"),
        (
            "N-MAA-36",
            RS256,
            |c| (c.issuer.audience = Some("us"), claim(c, "aud", r#""them""#)).1,
            "jwt.aud.mismatch",
        ),
        ("N-MAA-37", RS256, |c| c.jwks = None, "jwt.jwks.unavailable"),
        (
            "N-MAA-38",
            RS256,
            |c| {
                let twice = [published(), vec![rsa_key("rsa", keys::ark(Product::Milan))]].concat();
                c.jwks = Some(key_set(&twice));
            },
            "jwt.key.duplicate",
        ),
    ]);
    let rows: [(&str, &str, String, &str); 4] = [
        ("N-MAA-04", "jku", quoted("https://evil.example/certs"), "jwt.jku.mismatch"),
        ("N-MAA-05", "jwk", rsa_key("rsa", keys::ark(Product::Milan)).text(), "jwt.header_key.present"),
        ("N-MAA-05", "x5c", r#"["MIIB"]"#.to_owned(), "jwt.header_key.present"),
        ("N-MAA-06", "kid", quoted("../../etc/passwd"), "jwt.kid.unknown"),
    ];
    for (row, name, json, expected) in rows {
        let mut case = Case::rs256();
        evil(&mut case);
        header(&mut case, name, &json);
        assert_eq!(case.code(), expected, "{row}");
    }
    let mut weak = rsa_key("rsa", keys::stranger_rsa());
    weak.set_text("n", &base64url(&[0xc1; 128]));
    let mut case = Case::rs256();
    case.jwks = Some(key_set(&[weak]));
    assert_eq!(case.code(), "jwt.key.weak", "N-MAA-19");
}

/// With at least one character that the alphabet of URLs does not have.
fn standard_alphabet(segment: &str) -> String {
    let text = segment.replace('-', "+").replace('_', "/");
    if text == segment { format!("/{}", &text[1..]) } else { text }
}
