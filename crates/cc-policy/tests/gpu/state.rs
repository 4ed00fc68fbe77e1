//! What the driver in the guest says of confidential computing (G19).

use super::*;

use crate::common::{map, without};

/// Changes a number of the first device's state.
fn state(devices: &mut [Claims], name: &str, value: u64) {
    let first = devices.first_mut().unwrap();
    let mut state = first.map("cc_state").unwrap().clone();
    state.insert(name, value);
    first.insert("cc_state", state);
}

/// In the order of the steps.
const ALL: &[&str] = &["gpu.cc.disabled", "gpu.cc.devtools", "gpu.cc.environment", "gpu.mode.mismatch"];

#[test]
fn confidential_computing_is_on_and_in_production() {
    check(
        &[
            ("N-GPU-53", "", |d| state(d, "dev_tools_mode", 1), &["gpu.cc.devtools"], "gpu.require_cc_state"),
            ("N-GPU-54", "", |d| state(d, "environment", 1), &["gpu.cc.environment"], "gpu.require_cc_state"),
            (
                "no environment",
                "",
                |d| state(d, "environment", 0),
                &["gpu.cc.environment"],
                "gpu.require_cc_state",
            ),
            (
                "unknown one",
                "",
                |d| state(d, "environment", 3),
                &["gpu.cc.environment"],
                "gpu.require_cc_state",
            ),
            ("N-GPU-55", "", |d| state(d, "cc_feature", 0), &["gpu.cc.disabled"], "gpu.require_cc_state"),
            (
                "unknown feature",
                "",
                |d| state(d, "cc_feature", 2),
                &["gpu.cc.disabled"],
                "gpu.require_cc_state",
            ),
            (
                "unknown tools",
                "",
                |d| state(d, "dev_tools_mode", 2),
                &["gpu.cc.devtools"],
                "gpu.require_cc_state",
            ),
            (
                "set to another mode",
                "",
                |d| state(d, "multi_gpu_mode", 1),
                &["gpu.mode.mismatch"],
                "gpu.mode",
            ),
            ("not read", "", |d| d[0] = without(&d[0], "cc_state"), ALL, ""),
            ("empty", "", |d| d[0].insert("cc_state", Claims::new()), ALL, ""),
            ("not a map", "", |d| d[0].insert("cc_state", "02010000"), ALL, ""),
        ],
        one,
    );
    check(
        &[
            (
                "a system set to each for itself",
                SYSTEM,
                |d| state(d, "multi_gpu_mode", 0),
                &["gpu.mode.mismatch"],
                "gpu.mode",
            ),
            (
                "a system over encrypted NVLink",
                SYSTEM,
                |d| state(d, "multi_gpu_mode", 2),
                &["gpu.mode.mismatch"],
                "gpu.mode",
            ),
            ("switches have none", SYSTEM, |d| d[8] = without(&d[8], "cc_state"), &[], ""),
        ],
        system,
    );
}

/// A state that says what is wrong is not better than none.
#[test]
fn a_state_that_is_not_required_must_be_right_where_it_is() {
    let policy = policy("profile = \"development\"", "require_cc_state = false");
    let judge = |change: fn(&mut Vec<Claims>)| {
        let mut devices = one();
        change(&mut devices);
        judge(claims(devices), &policy).findings
    };
    assert_eq!(judge(|d| d[0] = without(&d[0], "cc_state")), []);
    assert_eq!(codes(&judge(|d| state(d, "dev_tools_mode", 1))), ["gpu.cc.devtools"]);
    assert_eq!(codes(&judge(|d| state(d, "multi_gpu_mode", 1))), ["gpu.mode.mismatch"]);
    assert_eq!(codes(&judge(|d| d[0].insert("cc_state", map(&[])))), ALL);
    assert_eq!(codes(&judge(|d| d[0].insert("cc_state", 0_u64))), ALL);
}
