//! Published quotes with published collateral, and the outcome that each has at an instant.

/// 2023-06-20, within the collateral of 2023.
pub const MID_2023: u64 = 1_687_219_200;
/// 2025-02-14.
pub const FEB_2025: u64 = 1_739_491_200;
/// 2025-10-28T12:00:00Z, within both documents of October.
pub const OCT_2025: u64 = 1_761_652_800;
/// 2026-03-18.
pub const MAR_2026: u64 = 1_773_792_000;
/// 2025-06-20, at which the corpus has statuses computed by dcap-qvl.
pub const QVL_2025_06: u64 = 1_750_415_547;
/// 2025-09-03, likewise.
pub const QVL_2025_09: u64 = 1_756_885_319;
/// 2026-02-19, likewise.
pub const QVL_2026_02: u64 = 1_771_498_731;

/// The code of platforms below every level of the collateral.
pub const NOT_FOUND: &str = "tdx.tcb.not_found";
/// Why: such a platform.
pub const BELOW: &str = "the PCK certificate's components are below every level";
/// Why: a platform that the collateral does not speak of.
pub const OTHER_PLATFORM: &str = "no collateral of the platform's FMSPC is published";

/// Folder, file, collateral, instant, TCB status or code, and why it is not accepted.
pub type Row = (&'static str, &'static str, &'static str, u64, &'static str, &'static str);

/// What each quote comes to with each collateral.
#[rustfmt::skip]
pub const ROWS: [Row; 27] = [
    ("tdx/quote-tappd-premai", "quote.dat", "dcapqvl-2026-02", QVL_2026_02, "tdx.fmspc.mismatch", OTHER_PLATFORM),
    ("tdx/v4-dcapqvl-20a06f-near", "quote.bin", "near-gas-2025-09", QVL_2025_09, "UpToDate", ""),
    ("tdx/v4-dcapqvl-b0c06f", "quote.bin", "dcapqvl-2025-06", QVL_2025_06, "UpToDate", ""),
    ("tdx/v4-dcapqvl-b0c06f", "quote.bin", "teekit-2025-10", OCT_2025, "UpToDate", ""),
    ("tdx/v4-dcapqvl-tappd", "quote.bin", "dcapqvl-2025-06", QVL_2025_06, NOT_FOUND, BELOW),
    ("tdx/v4-dcapqvl-tappd", "quote2.bin", "dcapqvl-2025-06", QVL_2025_06, NOT_FOUND, BELOW),
    ("tdx/v4-dcaprs-00806f05", "quote.bin", "dcaprs-2025-02", FEB_2025, "OutOfDate", ""),
    ("tdx/v4-dcaprs-00806f05", "quote.bin", "teekit-2025-10", OCT_2025, "OutOfDate", ""),
    ("tdx/v4-dstack-lite", "quote.bin", "dcapqvl-2026-02", QVL_2026_02, "tdx.pck_chain.not_yet_valid", "PCK of April 2026"),
    ("tdx/v4-dstack-lite", "quote2.bin", "dcapqvl-2026-02", QVL_2026_02, "UpToDate", ""),
    ("tdx/v4-dstack-lite", "quote2.bin", "attestation-rs-2026-03", MAR_2026, "UpToDate", ""),
    ("tdx/v4-gotdx-cos113-ccel", "quote.bin", "dcaprs-2025-02", FEB_2025, "UpToDate", ""),
    ("tdx/v4-gotdx-cos113-ccel", "quote.bin", "teekit-2025-10", OCT_2025, "UpToDate", ""),
    ("tdx/v4-gotdx-spr-50806f", "quote.bin", "spr-2023-06", MID_2023, NOT_FOUND, BELOW),
    ("tdx/v4-oasis-50806f-outofdate", "quote.bin", "spr-2023-06", MID_2023, NOT_FOUND, BELOW),
    ("tdx/v4-teekit-misc", "gcp-quote.bin", "dcapqvl-2026-02", QVL_2026_02, "tdx.fmspc.mismatch", OTHER_PLATFORM),
    ("tdx/v4-teekit-misc", "moemahhouk.dat", "dcapqvl-2026-02", QVL_2026_02, NOT_FOUND, BELOW),
    ("tdx/v4-teekit-misc", "moemahhouk.dat", "attestation-rs-2026-03", MAR_2026, NOT_FOUND, BELOW),
    ("tdx/v4-trustee-debug", "quote.bin", "spr-2023-06", MID_2023, "UpToDate", ""),
    ("tdx/v4-trustee-debug", "quote.bin", "attestation-rs-2026-03", MAR_2026, "OutOfDate", ""),
    ("tdx/v4-trustee-gnr-00a06d", "quote.bin", "trustee-2025-10", OCT_2025, "OutOfDate", ""),
    ("tdx/v5-dcapqvl-90c06f-outdated", "quote.bin", "dcapqvl-2026-02", QVL_2026_02, NOT_FOUND, BELOW),
    ("tdx/v5-dcapqvl-90c06f-outdated", "quote.bin", "attestation-rs-2026-03", MAR_2026, NOT_FOUND, BELOW),
    ("tdx/v5-gotdx-90c06f", "quote.bin", "dcapqvl-2026-02", QVL_2026_02, "UpToDate", ""),
    ("tdx/v5-gotdx-90c06f", "quote.bin", "attestation-rs-2026-03", MAR_2026, "UpToDate", ""),
    ("tdx/v5-trustee-90c06f", "quote.bin", "dcapqvl-2026-02", QVL_2026_02, NOT_FOUND, BELOW),
    ("tdx-azure-vtpm/trustee-v0-v1", "td-quote.bin", "dcaprs-2025-02", FEB_2025, "OutOfDate", ""),
];

/// Advisories of the rows that have any.
#[rustfmt::skip]
pub const ADVISORIES: [(&str, &str, &[&str]); 3] = [
    ("tdx/v4-dcaprs-00806f05", "*", &["00960", "00982", "00986"]),
    ("tdx-azure-vtpm/trustee-v0-v1", "*", &["00960", "00982", "00986"]),
    ("tdx/v4-trustee-debug", "attestation-rs-2026-03", &[
        "00837", "00960", "00982", "00986", "01010", "01036", "01076", "01079", "01099", "01103", "01111",
    ]),
];

/// Published collateral, as the blobs that a host would have. Signing chains stand in for each other: Intel has one signer
/// at a time. Some collateral is published without revocation lists.
pub const COLLATERAL: [(&str, &[&str]); 8] = [
    (
        "spr-2023-06",
        &[
            "tdx/v4-gotdx-spr-50806f/tcbinfo_response.json",
            "tdx/v4-gotdx-spr-50806f/qe_identity_response.json",
            "tdx/v4-gotdx-spr-50806f/pck.crl.der",
            "tdx/v4-gotdx-spr-50806f/root_ca.crl.der",
            "tdx/v4-dcaprs-00806f05/tcb_signing_cert.pem",
        ],
    ),
    (
        "dcaprs-2025-02",
        &[
            "tdx/v4-dcaprs-00806f05/tcbinfo.json",
            "tdx/v4-dcaprs-00806f05/qe_identity.json",
            "tdx/v4-dcaprs-00806f05/pck_platform.crl.der",
            "tdx/v4-dcaprs-00806f05/root_ca.crl.der",
            "tdx/v4-dcaprs-00806f05/tcb_signing_cert.pem",
            "tdx/v4-dcaprs-00806f05/root_ca.pem",
        ],
    ),
    ("dcapqvl-2025-06", &["tdx/v4-dcapqvl-b0c06f/collateral.json"]),
    ("near-gas-2025-09", &["tdx/v4-dcapqvl-20a06f-near/collateral.json"]),
    (
        "trustee-2025-10",
        &[
            "tdx/v4-trustee-gnr-00a06d/tcbInfo.json",
            "tdx/v4-trustee-gnr-00a06d/enclaveIdentity.json",
            "tdx/collateral-2026-03/tcb_signing_chain.pem",
        ],
    ),
    (
        "teekit-2025-10",
        &[
            "tdx/collateral-2025-10-teekit/tcbInfo-tdx-00806f050000.json",
            "tdx/collateral-2025-10-teekit/tcbInfo-tdx-50806f000000.json",
            "tdx/collateral-2025-10-teekit/tcbInfo-tdx-90c06f000000.json",
            "tdx/collateral-2025-10-teekit/tcbInfo-tdx-b0c06f000000.json",
            "tdx/v4-trustee-gnr-00a06d/enclaveIdentity.json",
            "tdx/collateral-2026-03/tcb_signing_chain.pem",
        ],
    ),
    ("dcapqvl-2026-02", &["tdx/v5-dcapqvl-90c06f-outdated/collateral.json"]),
    (
        "attestation-rs-2026-03",
        &[
            "tdx/collateral-2026-03/tcb_info_50806f000000.json",
            "tdx/collateral-2026-03/tcb_info_90c06f000000.json",
            "tdx/collateral-2026-03/td_qe_identity.json",
            "tdx/collateral-2026-03/tcb_signing_chain.pem",
            "tdx/collateral-2026-03/qe_identity_signing_chain.pem",
            "tdx/collateral-2026-03/pck_crl_platform.der",
            "tdx/collateral-2026-03/root_ca_crl.der",
        ],
    ),
];

/// What is no quote that anybody could accept, and why; published with the others.
pub const NO_QUOTES: [(&str, &str); 5] = [
    // MACed reports: of use to the machine alone.
    ("tdx/tdreport-raw/report.dat", "tdx.version.unsupported"),
    ("tdx/tdreport-raw/tdx_report_1.bin", "tdx.version.unsupported"),
    ("tdx-azure-vtpm/kinvolk-hcl/hcl-report.bin", "tdx.version.unsupported"),
    ("tdx-azure-vtpm/trustee-v0-v1/hcl-report.bin", "tdx.version.unsupported"),
    // Its certificate is not in a chain, and Intel's root is not above it.
    ("tdx/intel-qvl-sample-testroot/quote.dat", "tdx.certdata.unsupported"),
];
