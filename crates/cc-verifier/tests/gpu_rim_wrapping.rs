//! Every way to make a signature cover something else than what is read, or to be read differently than it was signed:
//! what a signature may look like, and which XML there is (step G12).

use cc_testkit::gpu::rim::{Reference, Signature, Signer, Tag, canonical};

use crate::common::rim::{accepted, code, replaced, signature_code, signed_code, tag};

const WRAPPING: &str = "gpu.rim.wrapping";
const SIGNATURE: &str = "gpu.rim.signature";
const XML: &str = "gpu.rim.xml";

#[test]
fn exactly_one_reference_to_the_whole_document() {
    type Edit = fn(&mut Signature);
    let cases: [(&str, Edit, &str); 19] = [
        ("none", |s| s.references.clear(), WRAPPING),
        ("two", |s| s.references.push(s.references[0].clone()), WRAPPING),
        (
            "a second, to something else",
            |s| s.references.push(Reference::to(&Tag::driver("1.1").xml())),
            WRAPPING,
        ),
        ("by identifier", |s| s.references[0].attributes = " URI=\"#x\"".to_owned(), WRAPPING),
        ("by pointer", |s| s.references[0].attributes = " URI=\"#xpointer(/)\"".to_owned(), WRAPPING),
        ("to a file", |s| s.references[0].attributes = " URI=\"file:///rim\"".to_owned(), WRAPPING),
        ("to nothing", |s| s.references[0].attributes.clear(), WRAPPING),
        ("with an identifier", |s| s.references[0].attributes += " Id=\"x\"", WRAPPING),
        (
            "with a type",
            |s| s.references[0].attributes += " Type=\"http://www.w3.org/2000/09/xmldsig#Object\"",
            WRAPPING,
        ),
        ("no transforms", |s| s.references[0].transforms.clear(), WRAPPING),
        ("the first transform only", |s| _ = s.references[0].transforms.pop(), WRAPPING),
        ("the second transform only", |s| _ = s.references[0].transforms.remove(0), WRAPPING),
        ("transforms in another order", |s| s.references[0].transforms.reverse(), WRAPPING),
        (
            "a further transform",
            |s| s.references[0].transforms.push("http://www.w3.org/2000/09/xmldsig#base64".to_owned()),
            WRAPPING,
        ),
        (
            "a selecting transform",
            |s| s.references[0].transforms[0] = "http://www.w3.org/TR/1999/REC-xpath-19991116".to_owned(),
            WRAPPING,
        ),
        (
            "a style sheet",
            |s| s.references[0].transforms[0] = "http://www.w3.org/TR/1999/REC-xslt-19991116".to_owned(),
            WRAPPING,
        ),
        (
            "exclusive form",
            |s| s.references[0].transforms[1] = "http://www.w3.org/2001/10/xml-exc-c14n#".to_owned(),
            WRAPPING,
        ),
        ("with comments", |s| s.references[0].transforms[1] += "#WithComments", WRAPPING),
        (
            "form 1.0",
            |s| s.references[0].transforms[1] = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315".to_owned(),
            WRAPPING,
        ),
    ];
    for (what, edit, expected) in cases {
        assert_eq!(signature_code(edit), expected, "{what}");
    }
    assert_eq!(signature_code(|_| {}), "accept");
}

#[test]
fn one_algorithm_of_each_kind() {
    type Edit = fn(&mut Signature);
    let cases: [(&str, Edit); 8] = [
        ("SHA-1", |s| s.references[0].method = "http://www.w3.org/2000/09/xmldsig#sha1".to_owned()),
        ("SHA-256", |s| s.references[0].method = "http://www.w3.org/2001/04/xmlenc#sha256".to_owned()),
        ("another name of SHA-384", |s| {
            s.references[0].method = "http://www.w3.org/2001/04/xmlenc#sha384".to_owned()
        }),
        ("HMAC", |s| s.method = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha384".to_owned()),
        ("ECDSA with SHA-256", |s| {
            s.method = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256".to_owned()
        }),
        ("RSA", |s| s.method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384".to_owned()),
        ("nothing", |s| s.method.clear()),
        ("SignedInfo in exclusive form", |s| {
            s.canonicalization = "http://www.w3.org/2001/10/xml-exc-c14n#".to_owned()
        }),
    ];
    for (what, edit) in cases {
        assert_eq!(signature_code(edit), SIGNATURE, "{what}");
    }
}

#[test]
fn a_signature_has_its_parts_and_no_other() {
    assert_eq!(signature_code(|s| s.attributes = " Id=\"s\"".to_owned()), WRAPPING);
    assert_eq!(signature_code(|s| s.info_attributes = " Id=\"i\"".to_owned()), WRAPPING);
    assert_eq!(signature_code(|s| s.objects = "<ds:Object/>".to_owned()), WRAPPING);
    assert_eq!(signature_code(|s| s.objects = "<ds:KeyInfo/>".to_owned()), WRAPPING);
    assert_eq!(signature_code(|s| s.objects = "x".to_owned()), WRAPPING);
    assert_eq!(signature_code(|s| s.objects = "\n ".to_owned()), "accept", "white space is not signed there");

    let signed = Signer::nvidia().sign_xml(&tag().xml());
    let part = |start: &str, end: &str| {
        let from = signed.find(start).unwrap();
        signed[from..from + signed[from..].find(end).unwrap() + end.len()].to_owned()
    };
    let info = part("<ds:SignedInfo>", "</ds:SignedInfo>");
    let value = part("<ds:SignatureValue>", "</ds:SignatureValue>");
    let reference = part("<ds:Reference", "</ds:Reference>");
    let digest = part("<ds:DigestValue>", "</ds:DigestValue>");
    let transform = part("<ds:Transform ", "/>");
    for (what, old, new, expected) in [
        ("no SignedInfo", &info, String::new(), WRAPPING),
        ("two SignedInfo", &info, info.repeat(2), WRAPPING),
        ("SignedInfo of no namespace", &info, info.replace("ds:SignedInfo", "SignedInfo"), WRAPPING),
        ("no value", &value, String::new(), WRAPPING),
        ("an empty value", &value, "<ds:SignatureValue/>".to_owned(), SIGNATURE),
        ("a value with an attribute", &value, value.replacen('>', " Id=\"v\">", 1), SIGNATURE),
        ("a value with an element", &value, value.replacen('>', "><ds:x/>", 1), SIGNATURE),
        ("value first", &[info.as_str(), &value].concat(), [value.as_str(), &info].concat(), WRAPPING),
        ("text in SignedInfo", &info, info.replacen('>', ">x", 1), WRAPPING),
        ("text in Reference", &reference, reference.replacen('>', ">x", 1), WRAPPING),
        ("an element in Reference", &reference, reference.replacen('>', "><ds:x/>", 1), WRAPPING),
        ("no digest", &digest, String::new(), WRAPPING),
        ("two digests", &digest, digest.repeat(2), WRAPPING),
        ("a digest with an attribute", &digest, digest.replacen('>', " Id=\"d\">", 1), SIGNATURE),
        ("a transform with content", &transform, transform.replace("/>", ">x</ds:Transform>"), WRAPPING),
        ("a transform with an attribute", &transform, transform.replace("/>", " a=\"\"/>"), WRAPPING),
        ("another method first", &reference, format!("<ds:SignatureMethod/>{reference}"), SIGNATURE),
    ] {
        assert_eq!(code(replaced(&signed, old, &new)), expected, "{what}");
    }
    // White space within Base64 that is not signed is of no account, and within that which is, it is.
    let spaced = |text: &str| format!("{}\n {}", &text[..60], &text[60..]);
    assert_eq!(code(replaced(&signed, &value, &spaced(&value))), "accept");
    assert_eq!(code(replaced(&signed, &digest, &spaced(&digest))), SIGNATURE);
}

#[test]
fn a_signature_stands_below_the_root_and_only_there() {
    let tag = tag().xml();
    let signature = Signature::over(&tag, &Signer::nvidia()).xml(&tag);
    for (what, old, new) in [
        ("in the payload", "</ns0:Payload>", format!("{signature}</ns0:Payload>")),
        (
            "in an element of its own",
            "</SoftwareIdentity>",
            format!("<ns0:x>{signature}</ns0:x></SoftwareIdentity>"),
        ),
    ] {
        assert_eq!(code(replaced(&tag, old, &new)), WRAPPING, "{what}");
    }
    // Anywhere below the root is as good: what is signed is the rest.
    assert_eq!(code(replaced(&tag, "    <ns0:Meta", &format!("    {signature}<ns0:Meta"))), "accept");
    // As the root, after it, and before it.
    assert_eq!(code(&signature), WRAPPING);
    assert_eq!(code(format!("{tag}{signature}")), XML);
    assert_eq!(code(format!("{signature}{tag}")), XML);
    // One by name only.
    let fake = "<ns0:Signature/></SoftwareIdentity>";
    assert_eq!(signed_code(&replaced(&tag, "</SoftwareIdentity>", fake)), "gpu.rim.schema");
    assert_eq!(code(replaced(&tag, "</SoftwareIdentity>", fake)), SIGNATURE);
}

#[test]
fn what_is_equal_in_canonical_form_is_equal() {
    let signed = Signer::nvidia().sign_xml(&tag().xml());
    let rim = accepted(signed.as_bytes());
    let seven = "type=\"Measurement\" index=\"7\" active=\"True\" alternatives=\"1\"";
    let equal: [(&str, String); 8] = [
        (
            "attributes in another order",
            replaced(&signed, seven, "alternatives=\"1\" active=\"True\" index=\"7\" type=\"Measurement\""),
        ),
        ("more space between attributes", replaced(&signed, seven, &seven.replace(' ', " \n  "))),
        (
            "space at the end of a tag",
            replaced(&signed, "Measurement_7\" size=\"48\"/>", "Measurement_7\" size=\"48\" />"),
        ),
        ("space at the end of an end tag", replaced(&signed, "</ns0:Payload>", "</ns0:Payload\n>")),
        (
            "two tags for an empty element",
            replaced(&signed, "Measurement_7\" size=\"48\"/>", "Measurement_7\" size=\"48\"></ns0:Resource>"),
        ),
        ("declarations in another order", replaced(&signed, "<ns0:Payload ", "<ns0:Payload  ")),
        ("space around the root", format!("\n  {signed}\n\n")),
        ("its canonical form", canonical(&signed)),
    ];
    for (what, text) in equal {
        assert_ne!(text, signed, "{what}");
        let other = accepted(text.as_bytes());
        assert_eq!(other.golden(), rim.golden(), "{what}");
        assert_eq!(
            (other.kind(), other.version(), other.product()),
            (rim.kind(), rim.version(), rim.product())
        );
        assert_ne!(other.sha256(), rim.sha256(), "{what}");
    }
}

#[test]
fn what_is_not_equal_in_canonical_form_is_not() {
    let signed = Signer::nvidia().sign_xml(&tag().xml());
    for (what, old, new) in [
        ("a space in text", "    <ns0:Meta", "     <ns0:Meta"),
        ("a line feed in text", "    <ns0:Meta", "\n    <ns0:Meta"),
        ("no text", "    <ns0:Meta", "<ns0:Meta"),
        ("a space in a value", "index=\"7\"", "index=\" 7\""),
        ("another prefix for the same namespace", "<ns0:Entity", "<Entity"),
        ("another prefix in both tags", "ns0:Payload xmlns", "ns0:Payload a=\"\" xmlns"),
        ("a declaration that nobody needs", "<ns0:Entity ", "<ns0:Entity xmlns:a=\"http://a\" "),
        ("a declaration less", " xmlns:SHA384=\"http://www.w3.org/2001/04/xmlenc#sha384\"", ""),
        (
            "a prefix moved",
            "xmlns:ns2=\"http://www.w3.org/2001/04/xmlenc#sha384\"",
            "xmlns:ns2=\"http://www.w3.org/2001/04/xmlenc#sha38\"",
        ),
        ("another value prefix", "ns2:Hash1=", "SHA384:Hash1="),
        ("an element more", "</SoftwareIdentity>", "<ns0:Link/></SoftwareIdentity>"),
        ("text after the signature", "</SoftwareIdentity>", "\n</SoftwareIdentity>"),
    ] {
        assert_eq!(code(replaced(&signed, old, new)), SIGNATURE, "{what}");
    }
}

#[test]
fn xml_beyond_the_subset_is_refused() {
    let signed = Signer::nvidia().sign_xml(&tag().xml());
    let version = "\"550.90.07\"";
    let cases: [(&str, &str, &str); 41] = [
        ("a declaration of XML", "<SoftwareIdentity ", "<?xml version=\"1.0\"?><SoftwareIdentity "),
        ("a processing instruction", "    <ns0:Meta", "<?a b?><ns0:Meta"),
        ("a comment", "    <ns0:Meta", "<!-- --><ns0:Meta"),
        ("a comment in Base64", "<ds:SignatureValue>", "<ds:SignatureValue><!-- -->"),
        ("a comment before the root", "<SoftwareIdentity ", "<!-- --><SoftwareIdentity "),
        ("CDATA", "    <ns0:Meta", "<![CDATA[]]><ns0:Meta"),
        ("a predefined entity", version, "\"550&amp;90.07\""),
        ("a character by number", version, "\"550.90&#46;07\""),
        ("an ampersand", version, "\"550&90.07\""),
        ("a tab in a tag", " revision=", "\trevision="),
        ("a tab in text", "    <ns0:Meta", "\t<ns0:Meta"),
        ("a carriage return", "    <ns0:Meta", "\r\n<ns0:Meta"),
        ("a line feed in a value", version, "\"550.90.07\n\""),
        ("a NUL", "    <ns0:Meta", "\0<ns0:Meta"),
        ("a letter beyond ASCII", version, "\"550.90.07\u{e9}\""),
        ("a byte order mark", "<SoftwareIdentity ", "\u{feff}<SoftwareIdentity "),
        ("a greater-than sign in text", "    <ns0:Meta", ">   <ns0:Meta"),
        ("a less-than sign in a value", version, "\"550.90.07<\""),
        ("apostrophes", version, "'550.90.07'"),
        ("no quotation marks", version, "550.90.07"),
        ("space around an equals sign", "colloquialVersion=", "colloquialVersion ="),
        ("no space between attributes", "\"550.90.07\" ", "\"550.90.07\""),
        ("an attribute without value", " revision=\"r1\"", " revision"),
        ("an attribute twice", " revision=\"r1\"", " revision=\"r1\" revision=\"r1\""),
        ("an attribute twice, under two prefixes", "ns2:Hash1=\"", "SHA384:Hash0=\""),
        ("an attribute of XML", " revision=\"r1\"", " xml:space=\"preserve\""),
        ("an attribute that XML keeps", " revision=\"r1\"", " XmlThing=\"\""),
        ("an element that XML keeps", "    <ns0:Meta", "<xmlThing/><ns0:Meta"),
        ("an element with the prefix of declarations", "    <ns0:Meta", "<xmlns:a/><ns0:Meta"),
        ("a prefix that is not declared", " revision=", " ns9:revision="),
        ("an element with such a prefix", "<ns0:Entity ", "<ns9:Entity "),
        ("a default namespace withdrawn", "<ns0:Entity ", "<ns0:Entity xmlns=\"\" "),
        ("a prefix withdrawn", "<ns0:Entity ", "<ns0:Entity xmlns:a=\"\" "),
        ("a relative namespace", "<ns0:Entity ", "<ns0:Entity xmlns:a=\"a/b\" "),
        (
            "a prefix declared again",
            "<ns0:Entity ",
            "<ns0:Entity xmlns:ns0=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\" ",
        ),
        ("a prefix declared twice", "<ns0:Entity ", "<ns0:Entity xmlns:a=\"http://a\" xmlns:a=\"http://a\" "),
        (
            "the prefix of XML declared",
            "<ns0:Entity ",
            "<ns0:Entity xmlns:xml=\"http://www.w3.org/XML/1998/namespace\" ",
        ),
        (
            "the namespace of XML under another prefix",
            "<ns0:Entity ",
            "<ns0:Entity xmlns:a=\"http://www.w3.org/XML/1998/namespace\" ",
        ),
        ("two colons", "<ns0:Entity ", "<ns0:a:Entity "),
        ("a name that begins with a digit", " revision=", " 1revision="),
        ("no name", "<ns0:Entity ", "< ns0:Entity "),
    ];
    for (what, old, new) in cases {
        assert_eq!(code(replaced(&signed, old, new)), XML, "{what}");
    }
    for (what, text) in [
        ("nothing", String::new()),
        ("white space", " \n".to_owned()),
        ("text", "x".to_owned()),
        ("not ended", signed.strip_suffix('>').unwrap().to_owned()),
        ("two roots", format!("{signed}{signed}")),
        ("text after the root", format!("{signed}x")),
        ("text before the root", format!("x{signed}")),
        ("ended twice", format!("{signed}</SoftwareIdentity>")),
        ("tags crossed", signed.replace("</ns0:Payload>", "</ns0:Payloads>")),
        ("a tag ended by its other name", signed.replace("</ns0:Payload>", "</Payload>")),
    ] {
        assert_eq!(code(text), XML, "{what}");
    }
    for length in 0..signed.len() {
        assert_eq!(code(&signed[..length]), XML, "{length} bytes");
    }
}

#[test]
fn size_is_limited() {
    let tag = tag().xml();
    let with = |old: &str, new: String| signed_code(&replaced(&tag, old, &new));
    let meta = "    <ns0:Meta";
    let nested = |depth: usize| format!("{}{}{meta}", "<ns0:x>".repeat(depth), "</ns0:x>".repeat(depth));
    assert_eq!(with(meta, nested(7)), "gpu.rim.schema");
    assert_eq!(with(meta, nested(8)), XML);
    assert_eq!(with(meta, nested(20_000)), XML);
    let wide = |count: usize| format!("{}{meta}", "<ns0:Entity/>".repeat(count));
    assert_eq!(with(meta, wide(4000)), "accept");
    assert_eq!(with(meta, wide(4096)), XML);
    let attributes =
        |count: usize| (0..count).map(|i| format!(" a{i}=\"\"")).collect::<String>() + " revision=";
    assert_eq!(with(" revision=", attributes(52)), "accept");
    assert_eq!(with(" revision=", attributes(53)), XML);
    let namespaces = |count: usize| {
        (0..count).map(|i| format!(" xmlns:a{i}=\"http://a\"")).collect::<String>() + " revision="
    };
    assert_eq!(with(" revision=", namespaces(12)), "accept");
    assert_eq!(with(" revision=", namespaces(13)), XML);
    let signed = Signer::nvidia().sign_xml(&tag);
    let room = 1024 * 1024 - signed.len();
    assert_eq!(code(format!("{signed}{}", " ".repeat(room))), "accept");
    assert_eq!(code(format!("{signed}{}", " ".repeat(room + 1))), XML);
}
