//! Each row changes one thing in healthy claims and has the exact codes that follow. Rows without a knob hold
//! the defaults: they fail when a default of *verification.md* 1.3 is weakened or strengthened.

mod firmware;
mod guest;
mod identity;
mod launch;

use cc_core::Claims;

use crate::common::*;

/// Name, product line, knobs of `[snp]`, change of the claims, codes, key that the sources end with.
type Row = (&'static str, &'static str, &'static str, fn(&mut Claims), &'static [&'static str], &'static str);

const NONE: fn(&mut Claims) = |_| ();
const MILAN: &str = "products = [\"Milan\"]\nchip_allowlist = [\"c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff\"]";
const VLEK: &str = "allow_vlek = true\nallowed_csp_ids = [\"CN=cloud.example\"]";
fn check(rows: &[Row]) {
    for (name, product, knobs, change, expected, key) in rows {
        let mut claims = healthy(product);
        change(&mut claims);
        let policy = policy("", knobs);
        let findings = judge(claims, &policy).findings;
        assert_eq!(codes(&findings), *expected, "{name}: {findings:#?}");
        for finding in &findings {
            assert!(finding.source.ends_with(key), "{name}: {finding}");
            assert_ne!(finding.got, finding.want, "{name}");
        }
    }
}
