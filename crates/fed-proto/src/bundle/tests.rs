use cc_core::Code;

use super::*;
use crate::crypto::AttKey;
use crate::descriptor::FederationProfile;

const NOW: UnixTime = UnixTime::from_secs(1_780_272_000);
const POLICY: &str = "version = 1\n[snp]\nhost_data = \"init-data\"\n";

fn owner() -> AttKey {
    AttKey::from_seed(&[1; 32]).unwrap()
}

fn descriptor() -> Descriptor {
    Descriptor {
        name: "test".to_owned(),
        random: [1; 16],
        owner: owner().public().spki()[12..].try_into().unwrap(),
        enrolment_cas: Vec::new(),
        profile: FederationProfile::Production,
        server: name("server"),
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn bundle() -> Bundle {
    let floor = |policy: &str, name_binding| RoleFloor {
        profiles: vec![Profile::snp_raw_1(), Profile::parse("tdx-quote-1").unwrap()],
        policy: policy.to_owned(),
        name_binding,
    };
    let entry =
        RosterEntry { role: Role::Client, organisation: "Klinik \"Süd\"".to_owned(), replaceable: true };
    Bundle {
        federation_id: descriptor().federation_id(),
        version: 3,
        not_after: UnixTime::parse("2026-06-02T00:00:00Z").unwrap(),
        revoked_names: BTreeSet::from([name("site-8"), name("site-9")]),
        revoked_certificates: BTreeSet::from([Digest([8; 32])]),
        roles: BTreeMap::from([
            (Role::Server, floor(POLICY, NameBinding::Both)),
            (Role::Client, floor("it's '''\r\n", NameBinding::Enrolment)),
            (Role::KeyBroker, floor("ends with '", NameBinding::Measured)),
        ]),
        members: BTreeMap::from([(name("site.1"), entry)]),
        chip_quota: 2,
        verdict_lifetime: Duration::from_secs(10),
    }
}

fn signed(text: &str) -> SignedBundle {
    SignedBundle::sign(text, |bytes| owner().sign(bytes))
}

fn open(text: &str, lowest: Option<u64>, now: UnixTime) -> Result<Bundle, Code> {
    signed(text).open(&descriptor(), lowest, now).map_err(|finding| finding.code)
}

#[test]
fn owners_bundle_opens() {
    assert_eq!(open(&bundle().to_text(), None, NOW), Ok(bundle()));
    assert_eq!(open(&bundle().to_text(), Some(3), NOW), Ok(bundle()));
    assert_eq!(open(&bundle().to_text(), Some(2), NOW), Ok(bundle()));
}

#[test]
fn n_fl_26_policy_signed_by_non_owner() {
    let text = bundle().to_text();
    let other = AttKey::from_seed(&[2; 32]).unwrap();
    let forged = SignedBundle::sign(&text, |bytes| other.sign(bytes));
    let code = forged.open(&descriptor(), None, NOW).unwrap_err().code;
    assert_eq!(code, codes::POL_SIGNATURE_INVALID);
}

#[test]
fn n_fl_27_policy_version_lower_than_stored() {
    assert_eq!(open(&bundle().to_text(), Some(4), NOW), Err(codes::POL_ROLLBACK));
}

#[test]
fn signature_covers_text_and_domain() {
    let text = bundle().to_text();
    let mut changed = signed(&text);
    changed.text.push(b'\n');
    assert_eq!(changed.open(&descriptor(), None, NOW).unwrap_err().code, codes::POL_SIGNATURE_INVALID);
    let without_domain = SignedBundle::sign(&text, |bytes| owner().sign(&bytes[DOMAIN.len()..]));
    assert_eq!(without_domain.open(&descriptor(), None, NOW).unwrap_err().code, codes::POL_SIGNATURE_INVALID);
    let as_specified = [b"MUSTER-BUNDLE\0", text.as_bytes()].concat();
    SignedBundle::sign(&text, |bytes| {
        assert_eq!(bytes, as_specified);
        owner().sign(bytes)
    });
}

#[test]
fn signature_is_judged_before_anything_is_read() {
    let forged = SignedBundle::sign("garbage", |_| Signature([0; 64]));
    assert_eq!(forged.open(&descriptor(), None, NOW).unwrap_err().code, codes::POL_SIGNATURE_INVALID);
}

#[test]
fn bundle_of_another_federation_refused() {
    let other = Bundle { federation_id: Digest([0; 32]), ..bundle() }.to_text();
    assert_eq!(open(&other, None, NOW), Err(codes::BIND_FEDERATION_MISMATCH));
}

#[test]
fn bundle_ends_at_not_after() {
    let end = bundle().not_after;
    let before = UnixTime::from_secs(end.as_secs() - 1);
    assert_eq!(open(&bundle().to_text(), None, before), Ok(bundle()));
    for after in [0, 1, 86_400] {
        let late = UnixTime::from_secs(end.as_secs() + after);
        assert_eq!(open(&bundle().to_text(), None, late), Err(codes::POL_ROLLBACK));
    }
}

#[test]
fn unreadable_text_refused() {
    assert_eq!(open("garbage", None, NOW), Err(codes::POL_FORMAT_INVALID));
    let binary = SignedBundle { text: vec![0xff], signature: owner().sign(&[DOMAIN, &[0xff]].concat()) };
    assert_eq!(binary.open(&descriptor(), None, NOW).unwrap_err().code, codes::POL_FORMAT_INVALID);
}

#[test]
fn digest_is_of_the_text() {
    let text = bundle().to_text();
    assert_eq!(signed(&text).digest(), sha256(text.as_bytes()));
}

#[test]
fn bytes_have_one_form() {
    let bundle = signed(&bundle().to_text());
    let bytes = bundle.to_bytes();
    assert_eq!(SignedBundle::from_bytes(&bytes), Some(bundle.clone()));
    assert_eq!(bytes[..3], [0xa3, 0x01, 0x01]);
    let mut trailing = bytes.clone();
    trailing.push(0);
    let mut other_version = bytes.clone();
    other_version[2] = 2;
    let mut indefinite = bytes.clone();
    indefinite[0] = 0xbf;
    indefinite.push(0xff);
    let mut unknown_key = bytes.clone();
    unknown_key[0] = 0xa4;
    unknown_key.extend([0x04, 0x00]);
    let mut long_number = bytes.clone();
    long_number.splice(2..3, [0x18, 0x01]);
    let short = bytes[..bytes.len() - 1].to_vec();
    let long_text = SignedBundle { text: vec![b' '; SignedBundle::MAX + 1], ..bundle };
    for bad in [
        trailing,
        other_version,
        indefinite,
        unknown_key,
        long_number,
        short,
        Vec::new(),
        long_text.to_bytes(),
    ] {
        assert_eq!(SignedBundle::from_bytes(&bad), None);
    }
    let longest = SignedBundle { text: vec![b' '; SignedBundle::MAX], ..long_text };
    assert_eq!(SignedBundle::from_bytes(&longest.to_bytes()), Some(longest));
}

#[test]
fn text_round_trips_byte_for_byte() {
    let text = bundle().to_text();
    assert!(text.contains(&format!("policy = '''\n{POLICY}'''")), "{text}");
    assert_eq!(Bundle::parse(&text), Ok(bundle()));
    assert_eq!(Bundle::parse(&text).unwrap().to_text(), text);
}

const SMALL: &str = "version = 1\nfederation_id = \"0000000000000000000000000000000000000000000000000000000000000000\"\n\
                     bundle_version = 1\nnot_after = \"2030-01-01T00:00:00Z\"\n[role.client]\n\
                     profiles = [\"snp-raw-1\"]\npolicy = \"\"\n[member.site-1]\nrole = \"client\"\n";

#[test]
fn defaults_are_the_specified_ones() {
    let bundle = Bundle::parse(SMALL).unwrap();
    assert_eq!((bundle.chip_quota, bundle.verdict_lifetime), (1, Duration::from_secs(600)));
    assert_eq!(bundle.roles[&Role::Client].name_binding, NameBinding::Both);
    assert_eq!(bundle.organisation(&name("site-1")), "site-1");
    assert!(!bundle.replaceable(&name("site-1")));
}

#[test]
fn organisations_and_replacements_are_the_rosters() {
    let bundle = bundle();
    assert_eq!(bundle.organisation(&name("site.1")), "Klinik \"Süd\"");
    assert_eq!(bundle.organisation(&name("site-2")), "site-2");
    assert!(bundle.replaceable(&name("site.1")));
    assert!(!bundle.replaceable(&name("site-2")));
}

/// Each line changes one thing of a text that is read.
#[test]
fn values_are_strict() {
    let zeros = "0".repeat(64);
    let organisation = |length| format!("role = \"client\"\norganisation = \"{}\"", "a".repeat(length));
    let long = organisation(129);
    for (from, to, key) in [
        ("version = 1\nfed", "version = 2\nfed", "version"),
        ("bundle_version = 1", "bundle_version = 0", "bundle_version"),
        (zeros.as_str(), "00", "federation_id"),
        ("\"2030-01-01T00:00:00Z\"", "\"2030-01-01\"", "not_after"),
        ("[role.client]", "verdict_lifetime_s = 9\n[role.client]", "verdict_lifetime_s"),
        ("[role.client]", "verdict_lifetime_s = 3601\n[role.client]", "verdict_lifetime_s"),
        ("[role.client]", "chip_quota = 0\n[role.client]", "chip_quota"),
        ("[role.client]", "revoked_names = [\"a\", \"a\"]\n[role.client]", "revoked_names"),
        ("[role.client]", "revoked_certificates = [\"AB\"]\n[role.client]", "revoked_certificates"),
        ("[\"snp-raw-1\"]", "[]", "role.client.profiles"),
        ("[\"snp-raw-1\"]", "[\"snp-raw-1\", \"snp-raw-1\"]", "role.client.profiles"),
        ("[\"snp-raw-1\"]", "[\"SNP\"]", "role.client.profiles"),
        ("role = \"client\"", "role = \"relay\"", "member.site-1.role"),
        ("role = \"client\"", "role = \"client\"\norganisation = \"\"", "member.site-1.organisation"),
        ("role = \"client\"", "role = \"client\"\norganisation = \"a\\u0007\"", "member.site-1.organisation"),
        ("role = \"client\"", long.as_str(), "member.site-1.organisation"),
    ] {
        let text = SMALL.replacen(from, to, 1);
        assert_ne!(text, SMALL);
        match Bundle::parse(&text).unwrap_err() {
            BundleError::Value { key: found, .. } => assert_eq!(found, key, "{text}"),
            other => panic!("{key}: {other}"),
        }
    }
    Bundle::parse(&SMALL.replacen("role = \"client\"", &organisation(128), 1)).unwrap();
    for good in ["verdict_lifetime_s = 10", "verdict_lifetime_s = 3600", "chip_quota = 2"] {
        Bundle::parse(&SMALL.replacen("[role.client]", &format!("{good}\n[role.client]"), 1)).unwrap();
    }
}

#[test]
fn form_is_strict() {
    for (from, to) in [
        ("version = 1\nfed", "fed"),
        ("bundle_version = 1\n", ""),
        ("not_after = \"2030-01-01T00:00:00Z\"\n", ""),
        ("not_after = \"2030-01-01T00:00:00Z\"", "not_after = 2030-01-01T00:00:00Z"),
        ("[role.client]", "extra = 1\n[role.client]"),
        ("policy = \"\"", "policy = \"\"\nextra = 1"),
        ("policy = \"\"", "policy = \"\"\nname_binding = \"none\""),
        ("policy = \"\"\n", ""),
        ("[role.client]", "[role.clerk]"),
        ("[member.site-1]", "[member.Site-1]"),
        ("role = \"client\"", "role = \"client\"\nextra = 1"),
        ("role = \"client\"\n", ""),
        ("[role.client]", "revoked_names = [\"A\"]\n[role.client]"),
    ] {
        let text = SMALL.replacen(from, to, 1);
        assert_ne!(text, SMALL);
        assert!(matches!(Bundle::parse(&text), Err(BundleError::Syntax { .. })), "{text}");
    }
    let no_roles = "version = 1\nfederation_id = \"00\"\nbundle_version = 1\nnot_after = \"\"\n";
    let wanted = BundleError::Value { key: "role".to_owned(), wanted: "a table with at least one role" };
    assert_eq!(Bundle::parse(no_roles), Err(wanted));
    let long = " ".repeat(SignedBundle::MAX + 1);
    assert_eq!(Bundle::parse(&long), Err(BundleError::TooLong { length: SignedBundle::MAX + 1 }));
}
