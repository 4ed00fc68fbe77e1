//! Steps S27 to S30.

use cc_core::Claims;

use super::{NONE, check};

use crate::common::{codes, filled, healthy, judge, policy};

/// The digests that healthy claims carry: 48 bytes of 0x44 (ID key) and of 0x55 (author key).
const ID_BLOCK: &str = "require_id_block = true\nid_key_digests = [\"444444444444444444444444444444444444444444444444444444444444444444444444444444444444444444444444\"]";
const AUTHOR_DIGESTS: &str = "author_key_digests = [\"555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555\"]";

/// Name, knobs, change of the claims, codes.
type KeyRow<'a> = (&'a str, &'a str, fn(&mut Claims), &'a [&'a str]);

#[test]
fn launch() {
    check(&[
        // S27
        (
            "N-SNP-78 other measurement",
            "Genoa",
            "",
            |c| c.insert("measurement", filled('c', 48)),
            &["snp.measurement.unknown"],
            ":4 snp.measurements",
        ),
        ("second of two measurements", "Genoa", "", |c| c.insert("measurement", filled('b', 48)), &[], ""),
        (
            "zero measurement",
            "Genoa",
            "",
            |c| c.insert("measurement", filled('0', 48)),
            &["snp.measurement.unknown"],
            "snp.measurements",
        ),
        // S28
        (
            "N-SNP-81 host data where none is expected",
            "Genoa",
            "",
            |c| c.insert("host_data", filled('3', 32)),
            &["snp.host_data.mismatch"],
            "default snp.host_data",
        ),
        (
            "host data expected",
            "Genoa",
            "host_data = [\"3333333333333333333333333333333333333333333333333333333333333333\"]",
            |c| c.insert("host_data", filled('3', 32)),
            &[],
            "",
        ),
        (
            "other host data",
            "Genoa",
            "host_data = [\"3333333333333333333333333333333333333333333333333333333333333333\"]",
            NONE,
            &["snp.host_data.mismatch"],
            ":5 snp.host_data",
        ),
        ("zero host data said expressly", "Genoa", "host_data = \"zero\"", NONE, &[], ""),
        // S29
        ("ID block ignored by default", "Genoa", "", |c| c.insert("id_key_digest", filled('9', 48)), &[], ""),
        ("ID key trusted", "Genoa", ID_BLOCK, |c| c.insert("author_key_en", 0_u64), &[], ""),
        (
            "N-SNP-96 ID key unknown",
            "Genoa",
            ID_BLOCK,
            |c| c.insert("id_key_digest", filled('9', 48)),
            &["snp.id_key.untrusted"],
            ":6 snp.id_key_digests",
        ),
    ]);
    let author_alone = format!("require_id_block = true\n{AUTHOR_DIGESTS}");
    let either = format!("{ID_BLOCK}\n{AUTHOR_DIGESTS}");
    let both = format!("{either}\nrequire_author_key = true");
    let rows: [KeyRow<'_>; 10] = [
        ("author key alone", &author_alone, NONE, &[]),
        (
            "author key not enabled",
            &author_alone,
            |c: &mut Claims| c.insert("author_key_en", 0_u64),
            &["snp.author_key.untrusted"],
        ),
        (
            "author key unknown",
            &author_alone,
            |c| c.insert("author_key_digest", filled('9', 48)),
            &["snp.author_key.untrusted"],
        ),
        (
            "either: ID key unknown, author key trusted",
            &either,
            |c| c.insert("id_key_digest", filled('9', 48)),
            &[],
        ),
        (
            "either: author key unknown, ID key trusted",
            &either,
            |c| c.insert("author_key_digest", filled('9', 48)),
            &[],
        ),
        (
            "either: neither",
            &either,
            |c| {
                c.insert("id_key_digest", filled('9', 48));
                c.insert("author_key_en", 0_u64);
            },
            &["snp.id_key.untrusted"],
        ),
        ("both trusted", &both, NONE, &[]),
        (
            "both: ID key unknown",
            &both,
            |c| c.insert("id_key_digest", filled('9', 48)),
            &["snp.id_key.untrusted"],
        ),
        (
            "N-SNP-83 both: author digest there, key not enabled",
            &both,
            |c| c.insert("author_key_en", 0_u64),
            &["snp.author_key.untrusted"],
        ),
        (
            "both: neither",
            &both,
            |c| {
                c.insert("id_key_digest", filled('9', 48));
                c.insert("author_key_digest", filled('9', 48));
            },
            &["snp.id_key.untrusted", "snp.author_key.untrusted"],
        ),
    ];
    for (name, knobs, change, expected) in rows {
        let mut claims = healthy("Genoa");
        change(&mut claims);
        assert_eq!(codes(&judge(claims, &policy("", knobs)).findings), expected, "{name}");
    }
    check(&[
        // S30
        ("any guest SVN by default", "Genoa", "", |c| c.insert("guest_svn", 0_u64), &[], ""),
        (
            "N-SNP-84 guest SVN one below",
            "Genoa",
            "min_guest_svn = 3",
            NONE,
            &["snp.guest_svn.below_minimum"],
            ":5 snp.min_guest_svn",
        ),
        ("guest SVN at the minimum", "Genoa", "min_guest_svn = 2", NONE, &[], ""),
        (
            "N-SNP-97 image id",
            "Genoa",
            "image_id = \"22222222222222222222222222222223\"",
            NONE,
            &["snp.image_id.mismatch"],
            ":5 snp.image_id",
        ),
        ("image id equal", "Genoa", "image_id = \"22222222222222222222222222222222\"", NONE, &[], ""),
        (
            "family id",
            "Genoa",
            "family_id = \"11111111111111111111111111111112\"",
            NONE,
            &["snp.image_id.mismatch"],
            ":5 snp.family_id",
        ),
        ("family id equal", "Genoa", "family_id = \"11111111111111111111111111111111\"", NONE, &[], ""),
    ]);
}
