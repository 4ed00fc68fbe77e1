//! What another implementation, `dcap-qvl`, thinks of the same quotes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

#[path = "common/oracle.rs"]
mod oracle;

use std::collections::BTreeSet;

use cc_testkit::tdx::{Ca, Form, NOW, World, root_der};
use oracle::Opinion;

fn opinion(world: &World) -> Opinion {
    oracle::judge(root_der(), &world.quote.bytes(), &oracle::collateral(world), NOW.unsigned_abs())
}

fn up_to_date() -> Opinion {
    Opinion::Accepted { status: "UpToDate".to_owned(), advisories: BTreeSet::new() }
}

#[test]
fn worlds_are_accepted_by_the_oracle() {
    for form in Form::ALL {
        for ca in Ca::ALL {
            assert_eq!(opinion(&World::new(form, ca)), up_to_date(), "{form:?} {ca:?}");
            let other = opinion(&World::self_made(form, ca));
            assert!(matches!(other, Opinion::Rejected(_)), "{form:?} {ca:?}: {other:?}");
        }
    }
}
