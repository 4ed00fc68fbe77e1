//! NVIDIA GPUs and switches. Each row changes one thing in healthy claims and has the exact codes that follow. Rows
//! without a knob hold the defaults: they fail when a default of *verification.md* 3.3 is weakened or strengthened.

mod context;
mod device;
mod firmware;
mod load;
mod node;
mod property;
mod state;

use cc_core::Claims;

use crate::common::codes;
use crate::common::gpu::*;

/// Name, knobs of `[gpu]`, change of the devices, codes, key that the sources end with.
type Row = (&'static str, &'static str, fn(&mut Vec<Claims>), &'static [&'static str], &'static str);

const NONE: fn(&mut Vec<Claims>) = |_| ();

fn check(rows: &[Row], healthy: fn() -> Vec<Claims>) {
    for (name, knobs, change, expected, key) in rows {
        let mut devices = healthy();
        change(&mut devices);
        let findings = judge(claims(devices), &policy("", knobs)).findings;
        assert_eq!(codes(&findings), *expected, "{name}: {findings:#?}");
        for finding in &findings {
            assert!(finding.source.ends_with(key), "{name}: {finding}");
            assert_ne!(finding.got, finding.want, "{name}");
        }
    }
}

/// Three GPUs, of which the last is for rows to change.
fn three() -> Vec<Claims> {
    (1..=3).map(gpu).collect()
}
