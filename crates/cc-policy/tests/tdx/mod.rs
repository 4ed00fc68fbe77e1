//! Intel TDX. Each row changes one thing in healthy claims and has the exact codes that follow. Rows without a knob
//! hold the defaults: they fail when a default of *verification.md* 2.4 is weakened or strengthened.

mod context;
mod guest;
mod launch;
mod load;
mod platform;
mod property;
mod tcb;

use cc_core::Claims;

use crate::common::codes;
use crate::common::tdx::*;

/// Name, knobs of `[tdx]`, change of the claims, codes, key that the sources end with.
type Row = (&'static str, &'static str, fn(&mut Claims), &'static [&'static str], &'static str);

const NONE: fn(&mut Claims) = |_| ();

fn check(rows: &[Row]) {
    for (name, knobs, change, expected, key) in rows {
        let mut claims = healthy();
        change(&mut claims);
        let findings = judge(claims, &policy("", knobs)).findings;
        assert_eq!(codes(&findings), *expected, "{name}: {findings:#?}");
        for finding in &findings {
            assert!(finding.source.ends_with(key), "{name}: {finding}");
            assert_ne!(finding.got, finding.want, "{name}");
        }
    }
}
