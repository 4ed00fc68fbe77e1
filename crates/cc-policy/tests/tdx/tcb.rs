//! Steps T6 and T7 (age), T8, T12 and T17.

use cc_core::{ClaimValue, Claims};

use super::{NONE, check};

use crate::common::tdx::status;

const HARDENING: &str = "accepted_status = [\"UpToDate\", \"SWHardeningNeeded\"]\n\
    accepted_advisories = [\"INTEL-SA-00837\", \"INTEL-SA-00960\"]";
const OLD: &str = "accepted_status = [\"UpToDate\", \"OutOfDate\"]\n\
    accepted_advisories = [\"INTEL-SA-00837\"]\nmin_tcb_date = \"2025-05-14T00:00:00Z\"";

fn advisories(c: &mut Claims, ids: &[&str]) {
    c.insert("advisory_ids", ids.to_vec());
}

fn hardening(c: &mut Claims, ids: &[&str]) {
    status(c, "SWHardeningNeeded", "SWHardeningNeeded", "UpToDate", "UpToDate");
    advisories(c, ids);
}

#[test]
fn age_and_evaluation() {
    check(&[
        // T6, T7
        (
            "old collateral inside its window",
            "",
            |c| c.insert("tcb_info_issue_date", "2026-05-03T00:00:00Z"),
            &[],
            "",
        ),
        ("collateral at the limit", "collateral_max_age_hours = 24", NONE, &[], ""),
        (
            "TCB info one second over",
            "collateral_max_age_hours = 24",
            |c| c.insert("tcb_info_issue_date", "2026-05-30T23:59:59Z"),
            &["tdx.tcb_info.expired"],
            ":5 tdx.collateral_max_age_hours",
        ),
        (
            "QE identity one second over",
            "collateral_max_age_hours = 24",
            |c| c.insert("qe_identity_issue_date", "2026-05-30T23:59:59Z"),
            &["tdx.qe_identity.expired"],
            "tdx.collateral_max_age_hours",
        ),
        (
            "collateral of the future",
            "collateral_max_age_hours = 24",
            |c| c.insert("tcb_info_issue_date", "2026-06-01T00:00:01Z"),
            &["tdx.tcb_info.expired"],
            "tdx.collateral_max_age_hours",
        ),
        // T8
        ("evaluation number at the minimum", "min_tcb_eval_num = 18", NONE, &[], ""),
        (
            "N-TDX-35 evaluation number below",
            "min_tcb_eval_num = 19",
            NONE,
            &["tdx.tcb_eval.below_minimum"],
            ":5 tdx.min_tcb_eval_num",
        ),
    ]);
}

#[test]
fn statuses() {
    check(&[
        // T12: the quoting enclave also counts for the whole.
        (
            "N-TDX-44 QE at an OutOfDate level",
            "",
            |c| status(c, "OutOfDate", "UpToDate", "UpToDate", "OutOfDate"),
            &["tdx.qe_tcb.status", "tdx.tcb.status"],
            "default tdx.accepted_status",
        ),
        (
            "QE alone",
            "",
            |c| c.insert("qe_tcb_status", "OutOfDate"),
            &["tdx.qe_tcb.status"],
            "default tdx.accepted_status",
        ),
        (
            "QE status unknown",
            "",
            |c| c.insert("qe_tcb_status", "Fine"),
            &["tdx.qe_tcb.status"],
            "tdx.accepted_status",
        ),
        // T17
        (
            "N-TDX-58 platform OutOfDate, module UpToDate",
            "",
            |c| status(c, "OutOfDate", "OutOfDate", "UpToDate", "UpToDate"),
            &["tdx.tcb.status"],
            "default tdx.accepted_status",
        ),
        (
            "N-TDX-59 platform UpToDate, module OutOfDate",
            "",
            |c| status(c, "OutOfDate", "UpToDate", "OutOfDate", "UpToDate"),
            &["tdx.tcb.status"],
            "default tdx.accepted_status",
        ),
        (
            "N-TDX-60 platform Revoked, module UpToDate",
            "",
            |c| status(c, "Revoked", "Revoked", "UpToDate", "UpToDate"),
            &["tdx.tcb.revoked"],
            "default tdx.accepted_status",
        ),
        (
            "Revoked where OutOfDate is accepted",
            OLD,
            |c| status(c, "Revoked", "Revoked", "UpToDate", "UpToDate"),
            &["tdx.tcb.revoked"],
            ":5 tdx.accepted_status",
        ),
        (
            "N-TDX-62 OutOfDate whatever the order of the levels",
            "accepted_status = [\"UpToDate\", \"ConfigurationNeeded\"]",
            |c| status(c, "OutOfDate", "OutOfDate", "UpToDate", "UpToDate"),
            &["tdx.tcb.status"],
            ":5 tdx.accepted_status",
        ),
        ("N-TDX-63 SWHardeningNeeded", "", |c| hardening(c, &[]), &["tdx.tcb.status"], "tdx.accepted_status"),
        (
            "SWHardeningNeeded with an advisory",
            "",
            |c| hardening(c, &["INTEL-SA-00837"]),
            &["tdx.tcb.status", "tdx.tcb.advisory"],
            "",
        ),
        (
            "N-TDX-64 SWHardeningNeeded accepted, unknown advisory",
            HARDENING,
            |c| hardening(c, &["INTEL-SA-00837", "INTEL-SA-00982"]),
            &["tdx.tcb.advisory"],
            ":6 tdx.accepted_advisories",
        ),
        ("one of the accepted advisories", HARDENING, |c| hardening(c, &["INTEL-SA-00960"]), &[], ""),
        ("accepted status without advisories", HARDENING, |c| hardening(c, &[]), &[], ""),
        ("UpToDate where more is accepted", HARDENING, NONE, &[], ""),
        ("advisory on an UpToDate platform", "", |c| advisories(c, &["INTEL-SA-00982"]), &[], ""),
        (
            "no word of advisories",
            HARDENING,
            |c| {
                hardening(c, &[]);
                *c = crate::common::without(c, "advisory_ids");
            },
            &["tdx.tcb.advisory"],
            "tdx.accepted_advisories",
        ),
        (
            "advisory that is no text",
            HARDENING,
            |c| {
                hardening(c, &[]);
                c.insert("advisory_ids", vec![ClaimValue::from("INTEL-SA-00837"), 1_u64.into()]);
            },
            &["tdx.tcb.advisory"],
            "tdx.accepted_advisories",
        ),
        (
            "N-TDX-65 relaunch advised",
            "",
            |c| status(c, "TDRelaunchAdvised", "OutOfDate", "OutOfDate", "UpToDate"),
            &["tdx.tcb.status"],
            "default tdx.accepted_status",
        ),
        (
            "relaunch advised is not OutOfDate",
            OLD,
            |c| status(c, "TDRelaunchAdvised", "OutOfDate", "OutOfDate", "UpToDate"),
            &["tdx.tcb.status"],
            ":5 tdx.accepted_status",
        ),
        (
            "status unknown",
            "",
            |c| c.insert("tcb_status", "Fine"),
            &["tdx.tcb.status"],
            "default tdx.accepted_status",
        ),
        ("OutOfDate accepted", OLD, |c| status(c, "OutOfDate", "OutOfDate", "UpToDate", "UpToDate"), &[], ""),
        (
            "N-TDX-89 OutOfDate accepted, TCB date one second older",
            OLD,
            |c| {
                status(c, "OutOfDate", "OutOfDate", "UpToDate", "UpToDate");
                c.insert("tcb_date", "2025-05-13T23:59:59Z");
            },
            &["tdx.tcb.date"],
            ":7 tdx.min_tcb_date",
        ),
        (
            "UpToDate and too old",
            "min_tcb_date = \"2025-05-14T00:00:01Z\"",
            NONE,
            &["tdx.tcb.date"],
            ":5 tdx.min_tcb_date",
        ),
    ]);
}

#[test]
fn the_finding_says_which_part_is_to_blame() {
    let mut claims = crate::common::tdx::healthy();
    status(&mut claims, "OutOfDate", "OutOfDate", "UpToDate", "UpToDate");
    let findings = super::judge(claims, &super::policy("", "")).findings;
    assert_eq!(
        findings[0].to_string(),
        "tdx.tcb.status: got OutOfDate, platform OutOfDate, module UpToDate, QE UpToDate, want one of UpToDate \
         (default tdx.accepted_status)"
    );
}
