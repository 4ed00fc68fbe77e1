//! Steps S20 and S21.

use super::{MILAN, NONE, check};

use crate::common::firmware;

#[test]
fn firmware_and_minimums() {
    check(&[
        // S20
        (
            "N-SNP-60 committed TCB below current",
            "Genoa",
            "",
            |c| c.insert("current_tcb", "0400000000001855"),
            &["snp.fw.provisional"],
            "default snp.allow_provisional_fw",
        ),
        (
            "provisional TCB allowed",
            "Genoa",
            "allow_provisional_fw = true",
            |c| c.insert("current_tcb", "0400000000001855"),
            &[],
            "",
        ),
        (
            "committed build below current",
            "Genoa",
            "",
            |c| c.insert("current_fw", firmware(1, 55, 23)),
            &["snp.fw.provisional"],
            "default snp.allow_provisional_fw",
        ),
        (
            "provisional build allowed",
            "Genoa",
            "allow_provisional_fw = true",
            |c| c.insert("current_fw", firmware(1, 55, 23)),
            &[],
            "",
        ),
        // S21
        (
            "N-SNP-58 REPORTED below in snp, above in microcode",
            "Genoa",
            "",
            |c| c.insert("reported_tcb", "04000000000017ff"),
            &["snp.tcb.below_minimum"],
            ":14 snp.min_tcb.Genoa.snp",
        ),
        (
            "N-SNP-59 COMMITTED below",
            "Genoa",
            "allow_provisional_fw = true",
            |c| c.insert("committed_tcb", "0400000000001853"),
            &["snp.tcb.below_minimum"],
            ":15 snp.min_tcb.Genoa.microcode",
        ),
        (
            "N-SNP-63 LAUNCH below",
            "Genoa",
            "",
            |c| c.insert("launch_tcb", "0300000000001854"),
            &["snp.tcb.launch_below_minimum"],
            ":12 snp.min_tcb.Genoa.bootloader",
        ),
        ("above in all", "Genoa", "", |c| c.insert("reported_tcb", "05010000000019ff"), &[], ""),
        (
            "Turin fmc",
            "Turin",
            "",
            |c| c.insert("reported_tcb", "0001010400000051"),
            &["snp.tcb.below_minimum"],
            "snp.min_tcb.Turin.fmc",
        ),
        (
            "Turin bootloader",
            "Turin",
            "",
            |c| c.insert("reported_tcb", "0100010400000051"),
            &["snp.tcb.below_minimum"],
            "snp.min_tcb.Turin.bootloader",
        ),
        (
            "Turin tee",
            "Turin",
            "",
            |c| c.insert("reported_tcb", "0101000400000051"),
            &["snp.tcb.below_minimum"],
            "snp.min_tcb.Turin.tee",
        ),
        (
            "Turin snp",
            "Turin",
            "",
            |c| c.insert("reported_tcb", "0101010300000051"),
            &["snp.tcb.below_minimum"],
            "snp.min_tcb.Turin.snp",
        ),
        (
            "Turin microcode",
            "Turin",
            "",
            |c| c.insert("reported_tcb", "0101010400000050"),
            &["snp.tcb.below_minimum"],
            "snp.min_tcb.Turin.microcode",
        ),
        (
            "Milan microcode",
            "Milan",
            MILAN,
            |c| c.insert("launch_tcb", "0400000000001853"),
            &["snp.tcb.launch_below_minimum"],
            "snp.min_tcb.Milan.microcode",
        ),
        (
            "N-SNP-64 firmware version below",
            "Genoa",
            "min_fw.Genoa = { major = 1, minor = 56 }",
            NONE,
            &["snp.fw.below_minimum"],
            ":5 snp.min_fw.Genoa",
        ),
        (
            "firmware build below",
            "Genoa",
            "min_fw.Genoa = { major = 1, minor = 55, build = 23 }",
            NONE,
            &["snp.fw.below_minimum"],
            "snp.min_fw.Genoa",
        ),
        (
            "firmware at the minimum",
            "Genoa",
            "min_fw.Genoa = { major = 1, minor = 55, build = 22 }",
            NONE,
            &[],
            "",
        ),
        (
            "higher minor, lower build",
            "Genoa",
            "min_fw.Genoa = { major = 1, minor = 54, build = 99 }",
            NONE,
            &[],
            "",
        ),
        ("minimum of another line", "Genoa", "min_fw.Turin = { major = 9 }", NONE, &[], ""),
    ]);
}
