//! Azure's container groups and machines. Each row changes one thing in healthy claims and has the exact codes that follow.
//! Rows without a knob hold the defaults: they fail when a default is weakened or strengthened.

mod aci;
mod cce;
mod context;
mod cvm;
mod examples;
mod load;
mod maa;
mod needed;
mod property;

use cc_core::Claims;

use crate::common::azure::*;
use crate::common::codes;

/// Name, knobs of the section, change of the claims, codes, key that the sources end with.
type Row<'a> = (&'a str, &'a str, fn(&mut Claims), &'a [&'a str], &'a str);

const NONE: fn(&mut Claims) = |_| ();

fn check(kind: Kind, rows: &[Row<'_>]) {
    for (name, knobs, change, expected, key) in rows {
        let mut claims = (kind.healthy)();
        change(&mut claims);
        let findings = kind.judge(claims, &kind.policy("", knobs, "")).findings;
        assert_eq!(codes(&findings), *expected, "{name}: {findings:#?}");
        for finding in &findings {
            assert!(finding.source.ends_with(key), "{name}: {finding}");
            assert_ne!(finding.got, finding.want, "{name}");
        }
    }
}
