//! When a trust domain should only be launched again: the platform has the newest, the domain has what it was launched
//! with (*verification.md* 2.3).

use cc_testkit::tdx::collateral::SvnLevel;
use cc_testkit::tdx::{Ca, Form, World, field};

use crate::common::tdx::{self, Parts};

/// A module that is out of date at launch; newest are ISVSVN 6 of version 1, and 3 of the loader.
fn launched() -> World {
    let mut world = World::new(Form::V5Td15, Ca::Platform);
    world.set(field::TEE_TCB_SVN, &[4, 1, 3]).set(field::TEE_TCB_SVN_2, &[6, 1, 3]);
    world
}

fn status_of_level(world: &mut World, level: usize, status: &str) {
    world.edit_tcb_info(|info| info.levels[level].standing.status = status.to_owned());
}

const ADVISED: &str = "TDRelaunchAdvised";
const ADVISED_AND_CONFIGURATION: &str = "TDRelaunchAdvisedConfigurationNeeded";
const OUT_OF_DATE: &str = "OutOfDate";

/// What is different, and the status.
type Row = (&'static str, fn(&mut World), &'static str);

const ROWS: [Row; 22] = [
    ("nothing", |_| {}, ADVISED),
    ("loader out of date at launch, too", |w| _ = w.set(field::TEE_TCB_SVN, &[4, 1, 2]), ADVISED),
    ("newer than the newest", |w| _ = w.set(field::TEE_TCB_SVN_2, &[9, 1, 9]), ADVISED),
    ("another version of the module now", |w| _ = w.set(field::TEE_TCB_SVN_2, &[3, 3, 3]), ADVISED),
    ("version 0 now", |w| _ = w.set(field::TEE_TCB_SVN_2, &[5, 0, 3]), ADVISED),
    ("software hardening", |w| status_of_level(w, 0, "SWHardeningNeeded"), ADVISED),
    ("configuration", |w| status_of_level(w, 0, "ConfigurationNeeded"), ADVISED_AND_CONFIGURATION),
    ("both", |w| status_of_level(w, 0, "ConfigurationAndSWHardeningNeeded"), ADVISED_AND_CONFIGURATION),
    (
        "configuration of the processor, at a level that the loader did not reach",
        |w| {
            status_of_level(w, 0, "ConfigurationNeeded");
            w.set(field::TEE_TCB_SVN, &[4, 1, 2]);
        },
        ADVISED_AND_CONFIGURATION,
    ),
    // The platform was not updated, or not to the newest.
    ("the same now as at launch", |w| _ = w.set(field::TEE_TCB_SVN_2, &[4, 1, 3]), OUT_OF_DATE),
    ("module below the newest", |w| _ = w.set(field::TEE_TCB_SVN_2, &[5, 1, 3]), OUT_OF_DATE),
    ("loader below the newest", |w| _ = w.set(field::TEE_TCB_SVN_2, &[6, 1, 2]), OUT_OF_DATE),
    ("other version below its newest", |w| _ = w.set(field::TEE_TCB_SVN_2, &[2, 3, 3]), OUT_OF_DATE),
    ("version 0 below the newest", |w| _ = w.set(field::TEE_TCB_SVN_2, &[4, 0, 3]), OUT_OF_DATE),
    ("a version that is not known", |w| _ = w.set(field::TEE_TCB_SVN_2, &[9, 2, 9]), OUT_OF_DATE),
    (
        "a newest level of the module that is out of date itself",
        |w| {
            w.edit_tcb_info(|info| info.identities[1].levels[0].standing.status = OUT_OF_DATE.to_owned());
        },
        OUT_OF_DATE,
    ),
    (
        "a newest level of the platform that is out of date itself",
        |w| {
            w.edit_tcb_info(|info| {
                let mut level = info.levels[0].clone();
                level.sgx[0] = 9;
                level.standing.status = OUT_OF_DATE.to_owned();
                info.levels.push(level);
            });
        },
        OUT_OF_DATE,
    ),
    // Something else is out of date, or it is not the module.
    ("processor out of date", |w| _ = w.edit_tcb_info(|info| info.levels[0].sgx[0] = 5), OUT_OF_DATE),
    (
        "quoting enclave out of date",
        |w| {
            w.edit_qe_identity(|identity| {
                identity.levels[0].standing.status = OUT_OF_DATE.to_owned();
                identity.levels.push(SvnLevel::new(99, identity.levels[0].standing.clone()));
            });
        },
        OUT_OF_DATE,
    ),
    ("only the loader at launch", |w| _ = w.set(field::TEE_TCB_SVN, &[6, 1, 2]), OUT_OF_DATE),
    ("a module of version 0 at launch", |w| _ = w.set(field::TEE_TCB_SVN, &[5, 0, 2]), OUT_OF_DATE),
    ("up to date at launch", |w| _ = w.set(field::TEE_TCB_SVN, &[6, 1, 3]), "UpToDate"),
];

#[test]
fn relaunch_is_advised_when_the_platform_has_the_newest() {
    for (what, edit, expected) in ROWS {
        let mut world = launched();
        edit(&mut world);
        let claims = Parts::of(&world).claims();
        assert_eq!(claims.text("tcb_status"), Ok(expected), "{what}");
    }
    // What was launched is claimed as it is.
    let claims = Parts::of(&launched()).claims();
    assert_eq!(claims.text("module_tcb_status"), Ok(OUT_OF_DATE));
    assert_eq!(claims.text("tcb_date"), Ok("2024-03-13T00:00:00Z"));
}

#[test]
fn reports_of_tdx_1_0_do_not_say_what_is_there_now() {
    for form in [Form::V4, Form::V5Td10] {
        let mut world = World::new(form, Ca::Platform);
        world.set(field::TEE_TCB_SVN, &[4, 1, 3]);
        assert_eq!(Parts::of(&world).claims().text("tcb_status"), Ok(OUT_OF_DATE), "{form:?}");
    }
}

#[test]
fn what_is_revoked_stays_so() {
    let mut world = launched();
    world.edit_tcb_info(|info| info.identities[1].levels[1].standing.status = "Revoked".to_owned());
    tdx::assert_code("module at launch", &world, "tdx.tcb.revoked");
    let mut world = launched();
    world.set(field::TEE_TCB_SVN, &[4, 1, 2]);
    status_of_level(&mut world, 2, "Revoked");
    tdx::assert_code("platform at launch", &world, "tdx.tcb.revoked");
}
