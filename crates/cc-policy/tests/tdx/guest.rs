//! Steps T18 to T20.

use super::{NONE, check};

use crate::common::filled;
use crate::common::tdx::version_4;

const SERVICE_TD: &str = "service_td = [\"888888888888888888888888888888888888888888888888888888888888888888888888888888888888888888888888\"]";

#[test]
fn attributes() {
    check(&[
        (
            "N-TDX-67 DEBUG",
            "",
            |c| c.insert("td_attributes", "0100001000000000"),
            &["tdx.attr.debug"],
            "default tdx.allow_debug",
        ),
        (
            "N-TDX-68 TUD bit 4",
            "",
            |c| c.insert("td_attributes", "1000001000000000"),
            &["tdx.attr.debug"],
            "default tdx.allow_debug",
        ),
        (
            "TUD bit 7",
            "",
            |c| c.insert("td_attributes", "8000001000000000"),
            &["tdx.attr.debug"],
            "default tdx.allow_debug",
        ),
        (
            "N-TDX-69 SEPT_VE_DISABLE clear",
            "",
            |c| c.insert("td_attributes", "0000000000000000"),
            &["tdx.attr.sept_ve_disable"],
            "default tdx.require_sept_ve_disable",
        ),
        (
            "SEPT_VE_DISABLE not required",
            "require_sept_ve_disable = false",
            |c| c.insert("td_attributes", "0000000000000000"),
            &[],
            "",
        ),
        (
            "N-TDX-70 MIGRATABLE",
            "",
            |c| c.insert("td_attributes", "0000003000000000"),
            &["tdx.attr.migratable"],
            "default tdx.allow_migratable",
        ),
        (
            "MIGRATABLE allowed",
            "allow_migratable = true",
            |c| c.insert("td_attributes", "0000003000000000"),
            &[],
            "",
        ),
        (
            "N-TDX-71 bit 39",
            "",
            |c| c.insert("td_attributes", "0000001080000000"),
            &["tdx.attr.unknown_bit"],
            "specification",
        ),
        (
            "bit 8",
            "",
            |c| c.insert("td_attributes", "0001001000000000"),
            &["tdx.attr.unknown_bit"],
            "specification",
        ),
        (
            "N-TDX-72 PERFMON",
            "",
            |c| c.insert("td_attributes", "0000001000000080"),
            &["tdx.attr.perfmon"],
            "default tdx.allow_perfmon",
        ),
        (
            "PERFMON allowed",
            "allow_perfmon = true",
            |c| c.insert("td_attributes", "0000001000000080"),
            &[],
            "",
        ),
        (
            "N-TDX-90 KL",
            "",
            |c| c.insert("td_attributes", "0000009000000000"),
            &["tdx.attr.kl"],
            "default tdx.allow_kl",
        ),
        ("KL allowed", "allow_kl = true", |c| c.insert("td_attributes", "0000009000000000"), &[], ""),
        ("PKS by default", "", |c| c.insert("td_attributes", "0000005000000000"), &[], ""),
        (
            "N-TDX-91 PKS",
            "allow_pks = false",
            |c| c.insert("td_attributes", "0000005000000000"),
            &["tdx.attr.pks"],
            ":5 tdx.allow_pks",
        ),
    ]);
}

#[test]
fn features() {
    check(&[
        (
            "N-TDX-73 XFAM bit 0 clear",
            "",
            |c| c.insert("xfam", "e602060000000000"),
            &["tdx.xfam.invalid"],
            "default tdx.xfam_allowed",
        ),
        (
            "XFAM bit 1 clear",
            "",
            |c| c.insert("xfam", "e502060000000000"),
            &["tdx.xfam.invalid"],
            "default tdx.xfam_allowed",
        ),
        (
            "N-TDX-74 XFAM bit 62",
            "",
            |c| c.insert("xfam", "e702060000000040"),
            &["tdx.xfam.invalid"],
            "default tdx.xfam_allowed",
        ),
        ("all of the default mask", "", |c| c.insert("xfam", "e7db060000000000"), &[], ""),
        ("the least", "xfam_allowed = 0x3", |c| c.insert("xfam", "0300000000000000"), &[], ""),
        (
            "a bit that the policy takes away",
            "xfam_allowed = 0x0002dbe7",
            NONE,
            &["tdx.xfam.invalid"],
            ":5 tdx.xfam_allowed",
        ),
        (
            "a bit that the policy adds",
            "xfam_allowed = 0x000edbe7",
            |c| c.insert("xfam", "e7020e0000000000"),
            &[],
            "",
        ),
    ]);
}

#[test]
fn service_tds() {
    check(&[
        (
            "N-TDX-75 service TD",
            "",
            |c| c.insert("mr_service_td", filled('8', 48)),
            &["tdx.service_td.present"],
            "default tdx.service_td",
        ),
        ("zero said expressly", "service_td = \"zero\"", NONE, &[], ""),
        ("listed service TD", SERVICE_TD, |c| c.insert("mr_service_td", filled('8', 48)), &[], ""),
        ("no service TD where one is listed", SERVICE_TD, NONE, &[], ""),
        (
            "another than the listed",
            SERVICE_TD,
            |c| c.insert("mr_service_td", filled('7', 48)),
            &["tdx.service_td.present"],
            ":5 tdx.service_td",
        ),
        ("TD 1.0 has none", "", version_4, &[], ""),
        (
            "TD 1.0 in version 5",
            "",
            |c| {
                version_4(c);
                c.insert("version", 5_u64);
                c.insert("body_type", 2_u64);
            },
            &[],
            "",
        ),
        (
            "TD 1.0 with one",
            "",
            |c| {
                version_4(c);
                c.insert("mr_service_td", filled('0', 48));
            },
            &["tdx.service_td.present"],
            "tdx.service_td",
        ),
        (
            "TD 1.0 that can be migrated does not show by whom",
            "allow_migratable = true",
            |c| {
                version_4(c);
                c.insert("td_attributes", "0000003000000000");
            },
            &["tdx.service_td.present"],
            "default tdx.service_td",
        ),
        (
            "TD 1.0 that must not be migrated",
            "",
            |c| {
                version_4(c);
                c.insert("td_attributes", "0000003000000000");
            },
            &["tdx.attr.migratable"],
            "default tdx.allow_migratable",
        ),
        (
            "version 4 with a type of body",
            "",
            |c| {
                version_4(c);
                c.insert("body_type", 2_u64);
            },
            &["tdx.service_td.present"],
            "tdx.service_td",
        ),
        (
            "unknown type of body",
            "",
            |c| c.insert("body_type", 4_u64),
            &["tdx.service_td.present"],
            "tdx.service_td",
        ),
        (
            "unknown version",
            "",
            |c| c.insert("version", 6_u64),
            &["tdx.service_td.present"],
            "tdx.service_td",
        ),
    ]);
}
