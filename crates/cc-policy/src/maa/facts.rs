//! The claims that the steps need.

use cc_core::{Claims, UnixTime};

use crate::facts::{Fact, bytes, flag, integer, printable, read, read_text};

/// The components of the TCB in the words of the policy, each with its claim.
pub(super) const SVNS: [(&str, &str); 4] = [
    ("bootloader", "bootloader_svn"),
    ("tee", "tee_svn"),
    ("snp", "snpfw_svn"),
    ("microcode", "microcode_svn"),
];

/// What the claims say.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) issuer: Fact<String>,
    pub(super) policy_hash: Fact<String>,
    pub(super) issued_at: Fact<UnixTime>,
    pub(super) is_debuggable: Fact<bool>,
    pub(super) migration_allowed: Fact<bool>,
    pub(super) vmpl: Fact<u64>,
    pub(super) hostdata: Fact<[u8; 32]>,
    pub(super) launchmeasurement: Fact<[u8; 48]>,
    pub(super) guestsvn: Fact<u64>,
    /// The values of [`SVNS`].
    pub(super) svns: [Fact<u64>; 4],
    /// The claims of the raw report; absent where it did not come.
    pub(super) report: Fact<Claims>,
}

impl Facts {
    pub(super) fn read(claims: &Claims) -> Self {
        Self {
            issuer: read_text(claims, "iss", printable),
            policy_hash: read_text(claims, "policy_hash", printable),
            issued_at: integer(claims, "iat").map(UnixTime::from_secs),
            is_debuggable: flag(claims, "is_debuggable"),
            migration_allowed: flag(claims, "migration_allowed"),
            vmpl: integer(claims, "vmpl"),
            hostdata: bytes(claims, "hostdata"),
            launchmeasurement: bytes(claims, "launchmeasurement"),
            guestsvn: integer(claims, "guestsvn"),
            svns: SVNS.map(|(_, claim)| integer(claims, claim)),
            report: read(claims, "report", |claims, name| {
                claims.map(name).map(|report| Some(report.clone()))
            }),
        }
    }
}
