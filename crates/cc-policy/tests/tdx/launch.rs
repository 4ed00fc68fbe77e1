//! Steps T21 to T23.

use cc_core::TrustClass;
use cc_policy::{Context, InitData};

use super::{NONE, check};

use crate::common::tdx::{healthy, image, judge_with, policy};
use crate::common::{codes, context, filled, subject};

#[test]
fn images() {
    check(&[
        (
            "image b",
            "",
            |c| {
                image(c, 'b');
                c.insert("rtmr3", filled('7', 48));
            },
            &[],
            "",
        ),
        ("neither image", "", |c| image(c, 'c'), &["tdx.measurement.unknown"], ":6 tdx.images.1"),
        (
            "N-TDX-76 MRTD of image a with RTMR1 of image b",
            "",
            |c| c.insert("rtmr1", filled('5', 48)),
            &["tdx.measurement.unknown"],
            ":6 tdx.images.1",
        ),
        (
            "MRTD of image b with RTMRs of image a",
            "",
            |c| c.insert("mr_td", filled('b', 48)),
            &["tdx.measurement.unknown"],
            ":6 tdx.images.1",
        ),
        (
            "RTMR0 of image b",
            "",
            |c| c.insert("rtmr0", filled('4', 48)),
            &["tdx.measurement.unknown"],
            "tdx.images.1",
        ),
        (
            "RTMR2 of image b",
            "",
            |c| c.insert("rtmr2", filled('6', 48)),
            &["tdx.measurement.unknown"],
            "tdx.images.1",
        ),
        (
            "RTMR3 of image b",
            "",
            |c| c.insert("rtmr3", filled('7', 48)),
            &["tdx.measurement.unknown"],
            "tdx.images.1",
        ),
        (
            "image b that extended nothing",
            "",
            |c| image(c, 'b'),
            &["tdx.measurement.unknown"],
            ":12 tdx.images.2",
        ),
        // T22
        ("event log replayed", "require_eventlog = true", |c| c.insert("eventlog_replayed", true), &[], ""),
        (
            "no event log",
            "require_eventlog = true",
            NONE,
            &["tdx.eventlog.replay_mismatch"],
            ":5 tdx.require_eventlog",
        ),
        (
            "event log not replayed",
            "require_eventlog = true",
            |c| c.insert("eventlog_replayed", false),
            &["tdx.eventlog.replay_mismatch"],
            ":5 tdx.require_eventlog",
        ),
        // T23
        (
            "MRCONFIGID where none is expected",
            "",
            |c| c.insert("mr_config_id", filled('3', 48)),
            &["tdx.mrconfigid.mismatch"],
            "default tdx.mr_config_id",
        ),
        (
            "N-TDX-92 MROWNER where none is expected",
            "",
            |c| c.insert("mr_owner", filled('3', 48)),
            &["tdx.mrowner.mismatch"],
            "default tdx.mr_owner",
        ),
        (
            "MROWNERCONFIG where none is expected",
            "",
            |c| c.insert("mr_owner_config", filled('3', 48)),
            &["tdx.mrowner.mismatch"],
            "default tdx.mr_owner_config",
        ),
    ]);
    let listed = |key: &str| format!("{key} = [\"{}\"]", filled('3', 48));
    for (key, code) in [
        ("mr_config_id", "tdx.mrconfigid.mismatch"),
        ("mr_owner", "tdx.mrowner.mismatch"),
        ("mr_owner_config", "tdx.mrowner.mismatch"),
    ] {
        let policy = policy("", &listed(key));
        for (digit, expected) in [('3', vec![]), ('0', vec![code]), ('4', vec![code])] {
            let mut claims = healthy();
            claims.insert(key, filled(digit, 48));
            assert_eq!(codes(&super::judge(claims, &policy).findings), expected, "{key} {digit}");
        }
    }
}

#[test]
fn the_nearest_image_explains_what_differs() {
    let mut claims = healthy();
    claims.insert("rtmr1", filled('5', 48));
    let finding = &super::judge(claims, &policy("", "")).findings[0];
    assert_eq!(finding.got, format!("rtmr1 {}", filled('5', 48)));
    assert_eq!(finding.want, format!("one of 2 images, nearest a: rtmr1 {}", filled('2', 48)));
}

#[test]
fn init_data_is_what_mr_config_id_commits_to() {
    let digest = |byte| InitData::Carried { sha256: [9; 32], sha384: [byte; 48] };
    let listed = format!("mr_config_id = [\"{}\"]", filled('3', 48));
    let (zero, threes) = (filled('0', 48), filled('3', 48));
    let padded = format!("{}{}", "09".repeat(32), "00".repeat(16));
    for (name, knobs, mr_config_id, init_data, expected) in [
        ("digest equal", "mr_config_id = \"init-data\"", &threes, digest(0x33), true),
        ("digest differs", "mr_config_id = \"init-data\"", &threes, digest(0x34), false),
        ("N-TDX-79 zero while expected", "mr_config_id = \"init-data\"", &zero, digest(0x33), false),
        ("the other digest, padded", "mr_config_id = \"init-data\"", &padded, digest(0x33), false),
        ("expected and not carried", "mr_config_id = \"init-data\"", &threes, InitData::NotCarried, false),
        (
            "expected and not carried, zero",
            "mr_config_id = \"init-data\"",
            &zero,
            InitData::NotCarried,
            false,
        ),
        ("carried where none is expected", "", &zero, digest(0x33), false),
        ("carried, listed and equal", &listed, &threes, digest(0x33), true),
        ("carried, listed and different", &listed, &threes, digest(0x34), false),
    ] {
        let mut claims = healthy();
        claims.insert("mr_config_id", mr_config_id.as_str());
        let subject = subject(claims, Vec::new(), TrustClass::Hardware);
        let context = Context { init_data, ..context() };
        let findings = judge_with(&subject, &policy("", knobs), &context).findings;
        let codes = codes(&findings);
        assert_eq!(codes, if expected { &[][..] } else { &["tdx.mrconfigid.mismatch"] }, "{name}");
    }
}
