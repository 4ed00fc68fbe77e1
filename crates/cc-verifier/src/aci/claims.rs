//! Claims that come on top of those of the report.
//!
//! `uvm`: `form` (`header` or `cwt`), `alg`, `issuer`, `feed`, `guestsvn` (a number), `launchmeasurement`, `signing_time`
//! if there is one, `root` (the name of the certificate that the issuer's DID pins, where it can be printed),
//! `root_sha256`, `leaf_not_before`, `leaf_not_after`. `cce_policy`, if the text was supplied: `sha256`, and `findings`,
//! one text for each name of an opening: `name (line 3)` or `name (lines 3, 4, 5)`.

use cc_core::Claims;

use super::anchors::Uvm;
use super::cce::Opening;
use super::uvm::Endorsement;

/// Claims of an endorsement that the endorser of `trust` signed.
pub(super) fn of_uvm(endorsement: &Endorsement, trust: &Uvm) -> Claims {
    let mut claims = Claims::new();
    claims.insert("alg", endorsement.algorithm);
    claims.insert("feed", trust.feed.as_str());
    claims.insert("form", endorsement.form.name());
    claims.insert("guestsvn", endorsement.guest_svn);
    claims.insert("issuer", trust.did.as_str());
    if let Some(measurement) = &endorsement.launch_measurement {
        claims.insert_bytes("launchmeasurement", measurement);
    }
    claims.insert("leaf_not_after", endorsement.leaf_not_after.to_string());
    claims.insert("leaf_not_before", endorsement.leaf_not_before.to_string());
    if let Some(root) = &endorsement.root {
        claims.insert("root", root.as_str());
    }
    claims.insert_bytes("root_sha256", &endorsement.root_sha256);
    if let Some(signing_time) = endorsement.signing_time {
        claims.insert("signing_time", signing_time.to_string());
    }
    claims
}

/// Claims of a CCE policy with that digest.
pub(super) fn of_policy(sha256: &[u8; 32], openings: &[Opening]) -> Claims {
    let mut claims = Claims::new();
    claims.insert("findings", openings.iter().map(Opening::to_string).collect::<Vec<_>>());
    claims.insert_bytes("sha256", sha256);
    claims
}
