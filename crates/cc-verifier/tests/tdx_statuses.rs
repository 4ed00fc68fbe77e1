//! The algebra of TCB statuses (*verification.md* 2.3, step T17): what platform, TDX module and quoting enclave have
//! together, and when a domain should be launched again.

use cc_core::Claims;
use cc_testkit::tdx::collateral::Standing;
use cc_testkit::tdx::{Ca, Form, World, field};

use crate::common::tdx::{Parts, world};

/// Statuses in order, the best first.
const STATUSES: [&str; 6] = [
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
];

/// The world with these statuses, dates and advisories of platform, module and quoting enclave.
fn standing(parts: [Standing; 3]) -> World {
    let mut world = world();
    let [platform, module, enclave] = parts;
    world.edit_tcb_info(|info| {
        info.levels[0].standing = platform;
        info.identities[1].levels[0].standing = module;
    });
    world.edit_qe_identity(|identity| identity.levels[0].standing = enclave);
    world
}

fn status(claims: &Claims) -> &str {
    claims.text("tcb_status").unwrap()
}

#[test]
fn the_worst_status_wins_and_configuration_is_not_forgotten() {
    for platform in STATUSES {
        for module in STATUSES {
            for enclave in STATUSES {
                let parts = [platform, module, enclave];
                let worst = parts.into_iter().max_by_key(|part| STATUSES.iter().position(|s| s == part));
                let configure = parts.into_iter().any(|part| part.contains("Configuration"));
                let expected = match worst.unwrap() {
                    "OutOfDate" if configure => "OutOfDateConfigurationNeeded",
                    worst => worst,
                };
                let world = standing(parts.map(|part| Standing::new("2024-11-13", part, &[])));
                let claims = Parts::of(&world).claims();
                assert_eq!(status(&claims), expected, "{parts:?}");
                let names = ["platform_tcb_status", "module_tcb_status", "qe_tcb_status"];
                assert_eq!(names.map(|name| claims.text(name).unwrap()), parts);
            }
        }
    }
}

#[test]
fn advisories_are_united_and_the_oldest_date_counts() {
    let dates = ["2024-11-13", "2023-02-01", "2025-01-01"];
    for shift in 0..3 {
        let [a, b, c] = [0, 1, 2].map(|at: usize| dates[(at + shift) % 3]);
        let world = standing([
            Standing::new(a, "UpToDate", &["INTEL-SA-00003", "INTEL-SA-00001"]),
            Standing::new(b, "OutOfDate", &["INTEL-SA-00002", "INTEL-SA-00001"]),
            Standing::new(c, "UpToDate", &["INTEL-SA-00004"]),
        ]);
        let claims = Parts::of(&world).claims();
        assert_eq!(claims.text("tcb_date"), Ok("2023-02-01T00:00:00Z"), "the oldest is at {shift}");
        let claims = serde_json::to_value(&claims).unwrap();
        let all = ["INTEL-SA-00001", "INTEL-SA-00002", "INTEL-SA-00003", "INTEL-SA-00004"];
        assert_eq!(claims["advisory_ids"], serde_json::json!(all));
    }
}

#[test]
fn a_module_of_version_0_has_no_status_of_its_own() {
    let mut world = world();
    world.set(field::TEE_TCB_SVN, &[5, 0, 3]);
    let claims = Parts::of(&world).claims();
    assert_eq!(claims.value("module_tcb_status"), None);
    assert_eq!(status(&claims), "UpToDate");
}

/// TEE_TCB_SVN, TEE_TCB_SVN2, what else is changed, and the status.
type Relaunch = (&'static str, [u8; 3], [u8; 3], fn(&mut World), &'static str);

/// The newest module has ISVSVN 6, the newest level asks for a loader of 3; loader 2 stands on the last level.
#[test]
fn relaunch_is_advised_when_only_the_launch_is_out_of_date() {
    fn set_status(world: &mut World, level: usize, status: &str) {
        world.edit_tcb_info(|info| info.levels[level].standing.status = status.to_owned());
    }
    fn set_enclave(world: &mut World, status: &str) {
        world.edit_qe_identity(|identity| identity.levels[0].standing.status = status.to_owned());
    }
    let rows: [Relaunch; 19] = [
        ("all is newest", [6, 1, 3], [6, 1, 3], |_| {}, "UpToDate"),
        ("updated after the launch", [4, 1, 2], [6, 1, 3], |_| {}, "TDRelaunchAdvised"),
        ("updated beyond the newest", [4, 1, 2], [9, 1, 7], |_| {}, "TDRelaunchAdvised"),
        ("updated to another version", [4, 1, 2], [3, 3, 3], |_| {}, "TDRelaunchAdvised"),
        ("not updated", [4, 1, 2], [4, 1, 2], |_| {}, "OutOfDate"),
        ("module is not the newest", [4, 1, 2], [5, 1, 3], |_| {}, "OutOfDate"),
        ("loader is not the newest", [4, 1, 2], [6, 1, 2], |_| {}, "OutOfDate"),
        ("a version without identity", [4, 1, 2], [6, 9, 3], |_| {}, "OutOfDate"),
        ("the other version is not the newest", [4, 1, 2], [2, 3, 3], |_| {}, "OutOfDate"),
        ("the module was the newest already", [6, 1, 2], [6, 1, 3], |_| {}, "OutOfDate"),
        ("enclave is out of date", [4, 1, 2], [6, 1, 3], |w| set_enclave(w, "OutOfDate"), "OutOfDate"),
        (
            "enclave needs software",
            [4, 1, 2],
            [6, 1, 3],
            |w| set_enclave(w, "SWHardeningNeeded"),
            "TDRelaunchAdvised",
        ),
        (
            "enclave needs configuration",
            [4, 1, 2],
            [6, 1, 3],
            |w| set_enclave(w, "ConfigurationNeeded"),
            "TDRelaunchAdvisedConfigurationNeeded",
        ),
        ("processor is out of date", [4, 1, 2], [6, 1, 3], |w| set_status(w, 0, "OutOfDate"), "OutOfDate"),
        (
            "processor needs configuration",
            [4, 1, 2],
            [6, 1, 3],
            |w| set_status(w, 0, "ConfigurationNeeded"),
            "TDRelaunchAdvisedConfigurationNeeded",
        ),
        (
            "launch needs configuration",
            [4, 1, 2],
            [6, 1, 3],
            |w| set_status(w, 2, "OutOfDateConfigurationNeeded"),
            "TDRelaunchAdvisedConfigurationNeeded",
        ),
        (
            "the newest level is above the processor",
            [4, 1, 2],
            [6, 1, 3],
            |w| _ = w.edit_tcb_info(|info| info.levels[0].sgx[0] = 5),
            "OutOfDate",
        ),
        (
            "the newest level is above the processor, which is good",
            [4, 1, 2],
            [6, 1, 3],
            |w| {
                w.edit_tcb_info(|info| info.levels[0].sgx[0] = 5);
                set_status(w, 1, "UpToDate");
            },
            "TDRelaunchAdvised",
        ),
        (
            "the newest level is out of date",
            [4, 1, 2],
            [6, 1, 3],
            |w| {
                w.edit_tcb_info(|info| info.levels[0].sgx[0] = 5);
                set_status(w, 0, "OutOfDate");
                set_status(w, 1, "UpToDate");
            },
            "OutOfDate",
        ),
    ];
    for (what, launch, now, change, expected) in rows {
        let mut world = World::new(Form::V5Td15, Ca::Platform);
        world.set(field::TEE_TCB_SVN, &launch).set(field::TEE_TCB_SVN_2, &now);
        change(&mut world);
        let claims = Parts::of(&world).claims();
        assert_eq!(status(&claims), expected, "{what}");
        // What there was at the launch is said all the same.
        assert_eq!(
            claims.text("module_tcb_status"),
            Ok(if launch[0] < 6 { "OutOfDate" } else { "UpToDate" })
        );
    }
    let mut world = World::new(Form::V5Td10, Ca::Platform);
    world.set(field::TEE_TCB_SVN, &[4, 1, 2]);
    assert_eq!(status(&Parts::of(&world).claims()), "OutOfDate", "a TD 1.0 body does not tell");
}
