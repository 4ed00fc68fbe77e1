//! Every check of HCL report, runtime data and quote that no row of the catalogue covers, one violation each, and what is
//! just not one (*verification.md* 4.6).

use cc_core::azure::Machine;
use cc_testkit::jwt::{Object, base64url};
use cc_testkit::snp::keys::stranger_rsa;
use cc_testkit::tdx::Form;
use cc_testkit::vtpm::World;
use cc_testkit::vtpm::hcl::{jwk, keys};
use cc_testkit::vtpm::quote::sign;

use crate::common::codes::reply_code;
use crate::common::vtpm::{self, Row, amd, assert_rows, intel, request, to_plan, verifier, worlds};

const MALFORMED: &str = "vtpm.format.malformed";
const AK: &str = "vtpm.ak.mismatch";
const HCL: &str = "vtpm.hcl.mismatch";

#[test]
fn hcl_report_has_one_form() {
    let rows: [Row; 22] = [
        ("signature", |w| w.hcl.signature[3] = b'B', MALFORMED),
        ("version 0", |w| w.hcl.version = 0, MALFORMED),
        ("version 1", |w| w.hcl.version = 1, "accept"),
        ("version 3", |w| w.hcl.version = 3, MALFORMED),
        ("size one less", |w| size(w, -1), MALFORMED),
        ("size one more", |w| size(w, 1), MALFORMED),
        ("request for a key", |w| w.hcl.request_type = 1, MALFORMED),
        ("status", |w| w.hcl.reserved[0] = 1, MALFORMED),
        ("last reserved word", |w| w.hcl.reserved[3] = 1 << 31, MALFORMED),
        ("data size", |w| data_size(w), MALFORMED),
        ("data version", |w| w.hcl.data_version = 2, MALFORMED),
        ("no report", |w| w.hcl.report_type = 0, MALFORMED),
        ("report of a VBS machine", |w| w.hcl.report_type = 1, MALFORMED),
        ("no report of a trusted machine", |w| w.hcl.report_type = 3, MALFORMED),
        ("SHA-384", |w| w.hcl.hash_type = 2, MALFORMED),
        ("runtime data one longer", |w| variable(w, 1), MALFORMED),
        ("runtime data too long", |w| w.hcl.variable_size = Some(u32::MAX), MALFORMED),
        ("something at the end", |w| *w.hcl.trailing.last_mut().unwrap() = 1, MALFORMED),
        ("something after the runtime data", |w| w.hcl.trailing[0] = b' ', MALFORMED),
        ("nothing at the end", |w| w.hcl.trailing.clear(), "accept"),
        ("as long as allowed", |w| w.hcl.trailing.resize(trailing(w, 16 * 1024), 0), "accept"),
        ("longer", |w| w.hcl.trailing.resize(trailing(w, 16 * 1024 + 1), 0), MALFORMED),
    ];
    for (name, world) in worlds() {
        println!("{name}");
        assert_rows(&world, &rows);
    }
}

fn size(world: &mut World, by: i32) {
    let length = 32 + 1184 + 20 + u32::try_from(world.hcl.runtime_data.len()).unwrap();
    world.hcl.report_size = Some(length.checked_add_signed(by).unwrap());
}

/// The runtime data have a length that goes into what follows, everywhere.
fn variable(world: &mut World, by: u32) {
    let length = u32::try_from(world.hcl.runtime_data.len()).unwrap() + by;
    world.hcl.variable_size = Some(length);
    world.hcl.data_size = Some(length + 20);
}

/// The header of the runtime data is left out.
fn data_size(world: &mut World) {
    world.hcl.data_size = Some(u32::try_from(world.hcl.runtime_data.len()).unwrap());
}

/// How many bytes follow the runtime data when there are so many in all.
fn trailing(world: &World, total: usize) -> usize {
    total - 32 - 1184 - 20 - world.hcl.runtime_data.len()
}

#[test]
fn hcl_report_is_whole() {
    for (name, mut world) in worlds() {
        world.hcl.trailing.clear();
        let (whole, verifier) = (world.machine(), verifier(0));
        for end in 0..whole.hcl_report.len() {
            let cut = Machine { hcl_report: whole.hcl_report[..end].to_vec(), ..whole.clone() };
            let reply = verifier.verify(&request(&cut.encode(), &[]));
            assert_eq!(reply_code(&reply), MALFORMED, "{name}: {end} bytes");
        }
    }
}

#[test]
fn evidence_is_a_list_of_what_belongs_together() {
    let other = World::tdx(Form::V4).machine().td_quote;
    let verifier = verifier(0);
    for (name, world) in worlds() {
        let (evidence, machine) = (world.evidence(), world.machine());
        let quote = if machine.td_quote.is_empty() { other.clone() } else { Vec::new() };
        for (what, evidence) in [
            ("nothing", Vec::new()),
            ("the HCL report alone", machine.hcl_report.clone()),
            ("cut", evidence[..evidence.len() - 1].to_vec()),
            ("longer", [&evidence[..], &[0]].concat()),
            ("a TD quote too much or missing", Machine { td_quote: quote, ..machine }.encode()),
        ] {
            let request = request(&evidence, &world.endorsements());
            let reply = verifier.verify(&request);
            assert_eq!(reply_code(&reply), MALFORMED, "{name}, {what}");
            assert_eq!(reply.recognised, vec!["unknown"; request.endorsements.len()], "{name}, {what}");
            let planned = verifier.plan(&to_plan(&request)).unwrap_err();
            assert_eq!(planned.code.as_str(), MALFORMED, "{name}, {what}");
        }
    }
}

#[test]
fn report_is_the_paravisors() {
    let rows: [Row; 5] = [
        ("VMPL 1", |w| vmpl(w, 1), "snp.vmpl.mismatch"),
        ("VMPL 3", |w| vmpl(w, 3), "snp.vmpl.mismatch"),
        ("asked for by the host", |w| vmpl(w, u32::MAX), "snp.vmpl.mismatch"),
        ("before the digest", vmpl_and_digest, "snp.vmpl.mismatch"),
        ("something after the digest", |w| extend_report_data(w), HCL),
    ];
    assert_rows(&World::snp(), &rows);
}

fn vmpl(world: &mut World, vmpl: u32) {
    amd(world, |world| _ = world.edit_report(|report| _ = report.set_vmpl(vmpl)));
}

fn vmpl_and_digest(world: &mut World) {
    world.set_report_data([7; 64]);
    vmpl(world, 1);
}

/// The last byte of REPORT_DATA, behind the right digest.
fn extend_report_data(world: &mut World) {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &world.hcl.runtime_data);
    let mut report_data = [0; 64];
    report_data[..32].copy_from_slice(digest.as_ref());
    report_data[63] = 1;
    world.set_report_data(report_data);
}

#[test]
fn td_report_is_the_quotes() {
    let rows: [Row; 4] = [
        ("something after the digest", |w| extend_report_data(w), HCL),
        ("REPORTDATA of the TD report", |w| w.hcl.hardware[0x80] ^= 1, HCL),
        ("type", |w| w.hcl.hardware[0] = 0, MALFORMED),
        ("something after the TD report", |w| w.hcl.hardware.push(1), MALFORMED),
    ];
    // What both have, by its place in the TD report; TDX 1.5 adds two fields.
    let common = [0x080..0x0c0, 0x108..0x180, 0x200..0x390];
    let later = [0x180..0x190, 0x390..0x3c0];
    for (form, later) in [(Form::V4, &[][..]), (Form::V5Td10, &[]), (Form::V5Td15, &later)] {
        let world = World::tdx(form);
        assert_rows(&world, &rows);
        let verifier = verifier(0);
        for at in 0..1024 {
            let mut other = world.clone();
            other.hcl.hardware[at] ^= 0x10;
            let reply = verifier.verify(&request(&other.evidence(), &other.endorsements()));
            let compared = common.iter().chain(later).any(|range| range.contains(&at));
            let expected = match at {
                0 | 1 => MALFORMED,
                _ if compared => HCL,
                _ => "accept",
            };
            assert_eq!(reply_code(&reply), expected, "{form:?}, byte {at:#x}");
        }
        // The quote of another domain, whose runtime data are the same.
        let mut other = world.clone();
        let before = other.hcl.hardware.clone();
        intel(&mut other, |world| _ = world.flip(cc_testkit::tdx::field::MR_TD, 0));
        other.hcl.hardware = before;
        assert_eq!(reply_code(&vtpm::verify(&other)), HCL, "{form:?}");
    }
}

#[test]
fn runtime_data_are_strict_json() {
    let rows: [Row; 33] = [
        ("not JSON", |w| text(w, "{"), MALFORMED),
        ("not text", |w| _ = w.report_on(vec![0xff]), MALFORMED),
        ("nothing", |w| text(w, ""), MALFORMED),
        ("a list", |w| text(w, r#"[[],{},""]"#), MALFORMED),
        ("two documents", |w| text(w, &(w.runtime.text() + "{}")), MALFORMED),
        ("a name twice", |w| _ = w.edit_runtime(|r| r.push("user-data", "\"\"")), MALFORMED),
        (
            "an unknown name twice",
            |w| _ = w.edit_runtime(|r| (0..2).for_each(|_| r.push("x", "1"))),
            MALFORMED,
        ),
        ("an unknown name", |w| set(w, "x", "[{}]"), "accept"),
        ("too deep", |w| set(w, "x", &["[".repeat(16), "]".repeat(16)].concat()), MALFORMED),
        ("no keys", |w| _ = w.edit_runtime(|r| r.remove("keys")), MALFORMED),
        ("keys not a list", |w| set(w, "keys", "{}"), MALFORMED),
        ("a key that is a list", |w| set(w, "keys", r#"[["HCLAkPub"]]"#), MALFORMED),
        ("a key without a name", |w| set(w, "keys", "[{}]"), MALFORMED),
        ("65 keys", |w| set(w, "keys", &keys(&vec![Object::of(&[("kid", "x")]); 65])), MALFORMED),
        ("64 keys", with_64_keys, "accept"),
        ("no configuration", |w| _ = w.edit_runtime(|r| r.remove("vm-configuration")), MALFORMED),
        ("configuration a list", |w| set(w, "vm-configuration", "[]"), MALFORMED),
        ("configuration empty", |w| set(w, "vm-configuration", "{}"), "accept"),
        ("a setting that is null", |w| setting(w, "null"), MALFORMED),
        ("a setting that is a list", |w| setting(w, "[1]"), MALFORMED),
        ("a setting that is an object", |w| setting(w, "{}"), MALFORMED),
        ("a setting below zero", |w| setting(w, "-1"), MALFORMED),
        ("a setting with a fraction", |w| setting(w, "1.5"), MALFORMED),
        ("a setting that is a large number", |w| setting(w, "18446744073709551615"), "accept"),
        ("64 settings", |w| settings(w, 64), "accept"),
        ("65 settings", |w| settings(w, 65), MALFORMED),
        ("no user data", |w| _ = w.edit_runtime(|r| r.remove("user-data")), "accept"),
        ("user data null", |w| set(w, "user-data", "null"), MALFORMED),
        ("user data a number", |w| set(w, "user-data", "0"), MALFORMED),
        ("user data not hexadecimal", |w| user_data(w, &"0g".repeat(64)), MALFORMED),
        ("user data of half a byte too much", |w| user_data(w, &"0".repeat(129)), MALFORMED),
        ("user data too long", |w| user_data(w, &"00".repeat(65)), "vtpm.user_data.length"),
        ("user data in lower case", |w| user_data(w, &"ab".repeat(64)), "accept"),
    ];
    assert_rows(&World::snp(), &rows);
    assert_rows(&World::tdx(Form::V4), &rows);
}

fn text(world: &mut World, text: &str) {
    world.report_on(text.as_bytes().to_vec());
}

fn set(world: &mut World, name: &str, json: &str) {
    world.edit_runtime(|runtime| runtime.set(name, json));
}

fn user_data(world: &mut World, digits: &str) {
    world.edit_runtime(|runtime| runtime.set_text("user-data", digits));
}

fn setting(world: &mut World, json: &str) {
    set(world, "vm-configuration", &format!(r#"{{"x":{json}}}"#));
}

fn settings(world: &mut World, count: usize) {
    let mut configuration = Object::default();
    (0..count).for_each(|number| configuration.set(&number.to_string(), "true"));
    set(world, "vm-configuration", &configuration.text());
}

fn with_64_keys(world: &mut World) {
    let mut all = vec![Object::of(&[("kid", "x")]); 63];
    all.push(jwk("HCLAkPub", "sign", world.key));
    set(world, "keys", &keys(&all));
}

#[test]
fn attestation_key_is_one_rsa_key_for_signatures() {
    let rows: [Row; 19] = [
        ("no keys at all", |w| set(w, "keys", "[]"), AK),
        ("two of them", |w| two(w), AK),
        ("alone", |w| key(w, |_| {}), "accept"),
        ("on a curve", |w| key(w, |k| k.set_text("kty", "EC")), AK),
        ("without a type", |w| key(w, |k| k.remove("kty")), AK),
        ("for encryption", |w| key(w, |k| k.set("key_ops", r#"["encrypt"]"#)), AK),
        ("for everything", |w| key(w, |k| k.set("key_ops", r#"["sign","decrypt"]"#)), AK),
        ("for nothing", |w| key(w, |k| k.set("key_ops", "[]")), AK),
        ("without operations", |w| key(w, |k| k.remove("key_ops")), AK),
        ("operations null", |w| key(w, |k| k.set("key_ops", "null")), AK),
        ("1024 bits", |w| key(w, |k| k.set_text("n", &base64url(&[0xff; 128]))), AK),
        ("2047 bits", |w| key(w, |k| k.set_text("n", &base64url(&[0x7f; 256]))), AK),
        ("exponent 1", |w| key(w, |k| k.set_text("e", "AQ")), AK),
        ("an even exponent", |w| key(w, |k| k.set_text("e", "AQAA")), AK),
        ("padding", |w| key(w, |k| k.set_text("e", "AQ==")), AK),
        ("another alphabet", |w| key(w, |k| k.set_text("n", "+/+/")), AK),
        ("without a modulus", |w| key(w, |k| k.remove("n")), AK),
        ("without an exponent", |w| key(w, |k| k.remove("e")), AK),
        ("4096 bits", of_4096_bits, "accept"),
    ];
    assert_rows(&World::snp(), &rows);
}

fn key(world: &mut World, edit: impl FnOnce(&mut Object)) {
    let mut key = jwk("HCLAkPub", "sign", world.key);
    edit(&mut key);
    set(world, "keys", &keys(&[key]));
}

fn two(world: &mut World) {
    let key = jwk("HCLAkPub", "sign", world.key);
    set(world, "keys", &keys(&[key.clone(), key]));
}

fn of_4096_bits(world: &mut World) {
    world.key = stranger_rsa();
    key(world, |_| {});
    world.edit_quote(|_| {});
}

#[test]
fn quote_is_whole_and_signed() {
    const SIGNATURE: &str = "vtpm.signature.invalid";
    let rows: [Row; 19] = [
        ("no quote", |w| w.message.clear(), "vtpm.quote.missing"),
        ("nothing of a quote", nothing, "vtpm.quote.missing"),
        ("no signature", |w| w.signature.clear(), SIGNATURE),
        ("a signature with its length before it", |w| _ = w.signature.splice(..0, [1, 0]), SIGNATURE),
        ("a signature cut short", |w| _ = w.signature.pop(), SIGNATURE),
        ("signed by another key", |w| w.signature = sign(stranger_rsa(), &w.message), SIGNATURE),
        ("signed by another key, which is named", another_key_named, SIGNATURE),
        ("another message", another_message, SIGNATURE),
        ("something behind", |w| _ = w.edit_quote(|q| q.trailing.push(0)), MALFORMED),
        ("a length before it", |w| _ = w.message.splice(..0, [0, 145]), "vtpm.attest.magic"),
        ("extra data beyond the end", |w| _ = w.edit_quote(|q| q.extra_data_size = Some(900)), MALFORMED),
        ("extra data of 64 bytes", |w| _ = w.edit_quote(|q| q.extra_data = vec![1; 64]), "accept"),
        ("extra data of 65 bytes", |w| _ = w.edit_quote(|q| q.extra_data = vec![1; 65]), MALFORMED),
        ("no extra data", |w| _ = w.edit_quote(|q| q.extra_data.clear()), "accept"),
        ("not quite safe", |w| _ = w.edit_quote(|q| q.safe = 2), MALFORMED),
        ("unsafe", |w| _ = w.edit_quote(|q| q.safe = 0), "accept"),
        ("many banks", |w| _ = w.edit_quote(|q| q.bank_count = Some(u32::MAX)), MALFORMED),
        ("a small bitmap", |w| _ = w.edit_quote(|q| q.banks[0].1.truncate(2)), MALFORMED),
        ("a large bitmap", |w| _ = w.edit_quote(|q| q.banks[0].1.push(0)), MALFORMED),
    ];
    assert_rows(&World::snp(), &rows);
    assert_rows(&World::tdx(Form::V5Td15), &rows);
}

fn nothing(world: &mut World) {
    world.message.clear();
    world.signature.clear();
    world.pcrs.clear();
}

fn another_message(world: &mut World) {
    let signature = world.signature.clone();
    world.edit_quote(|quote| quote.extra_data[0] ^= 1);
    world.signature = signature;
}

fn another_key_named(world: &mut World) {
    let named = jwk("HCLAkPub", "sign", stranger_rsa());
    set(world, "keys", &keys(&[named]));
}

#[test]
fn quote_is_cut_nowhere() {
    let world = World::snp();
    let verifier = verifier(0);
    let (machine, endorsements) = (world.machine(), world.endorsements());
    for end in 1..world.message.len() {
        let message = world.message[..end].to_vec();
        let signature = sign(world.key, &message);
        let cut = Machine { message, signature, ..machine.clone() };
        let reply = verifier.verify(&request(&cut.encode(), &endorsements));
        assert_eq!(reply_code(&reply), MALFORMED, "{end} bytes");
    }
}

#[test]
fn pcrs_are_those_of_the_quote() {
    const SELECTION: &str = "vtpm.pcr.selection";
    const ALGORITHM: &str = "vtpm.pcr.algorithm";
    const DIGEST: &str = "vtpm.pcr.digest";
    let rows: [Row; 14] = [
        ("SHA-384", |w| _ = w.edit_quote(|q| q.banks[0].0 = 0x000c), ALGORITHM),
        ("SHA-1 too", |w| _ = w.edit_quote(|q| q.banks.push((4, vec![0; 3]))), ALGORITHM),
        ("SHA-1 first", |w| _ = w.edit_quote(|q| q.banks.insert(0, (4, vec![1, 0, 0]))), ALGORITHM),
        ("no bank", |w| _ = w.edit_quote(|q| q.banks.clear()), SELECTION),
        ("two banks", two_banks, SELECTION),
        ("no PCR", |w| _ = w.quote_over(&[]), SELECTION),
        ("one PCR", |w| _ = w.quote_over(&[(0, [5; 32])]), "accept"),
        ("the last PCR", |w| _ = w.quote_over(&[(23, [5; 32])]), "accept"),
        ("a value too few", |w| _ = w.pcrs.pop(), SELECTION),
        ("no values", |w| w.pcrs.clear(), SELECTION),
        ("a value too many", one_too_many, SELECTION),
        ("another value", |w| w.pcrs[7].1[31] ^= 1, DIGEST),
        ("two values in the other order", |w| w.pcrs.swap(3, 4), DIGEST),
        ("no digest", |w| _ = w.edit_quote(|q| q.pcr_digest.clear()), DIGEST),
    ];
    assert_rows(&World::snp(), &rows);
    assert_rows(&World::tdx(Form::V4), &rows);
}

/// Half of the PCRs in each of two banks of the same hash.
fn two_banks(world: &mut World) {
    world.edit_quote(|quote| {
        quote.banks = vec![(0x000b, vec![0xff, 0x0f, 0]), (0x000b, vec![0, 0xf0, 0xff])];
    });
}

fn one_too_many(world: &mut World) {
    let values = world.pcrs.clone();
    world.quote_over(&values[..23]);
    world.pcrs = values;
}
