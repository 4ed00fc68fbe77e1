//! What another implementation, `dcap-qvl`, thinks of the same quotes and collateral: published ones, each with all
//! published collateral at many instants, and some thousand synthetic ones that were changed at random.
//!
//! Both must accept, with the same combined status and advisories, or both must refuse. Where they may differ stands in
//! [`DIFFERENCES`], each with the reason; an entry that nothing falls under is an error like a difference that falls
//! under no entry.

use std::collections::{BTreeMap, BTreeSet};

use cc_core::{UnixTime, Waivers};
use cc_testkit::published::tdx::COLLATERAL;
use cc_testkit::tdx::collateral::SvnLevel;
use cc_testkit::tdx::{Ca, Form, NOW, World, root_der};
use cc_verifier::tdx::{Anchors, QuoteCache, verify};

use crate::common::differences::{Both, DIFFERENCES, Ours};
use crate::common::mutations::{self, CPUSVN, Case, DAMAGE, FORMS, Mutation, Rng, SIGNED};
use crate::common::oracle::{self, Opinion};
use crate::common::published;
use crate::common::tdx::Parts;
use crate::common::tdx_corpus::{QUOTES, quote};

/// Seed of the random changes.
const SEED: u64 = 0x7464_785F_6D75_7374;
/// How many worlds are changed at random.
const CASES: usize = 4000;

/// Counts cases by the difference that they fall under, and describes those that fall under none.
#[derive(Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    differences: BTreeMap<&'static str, usize>,
    unexplained: BTreeMap<String, (usize, String)>,
}

impl Tally {
    fn add(&mut self, both: &Both, describe: impl FnOnce() -> String) {
        if both.agree() {
            match both.ours {
                Ours::Accepted { .. } => self.accepted += 1,
                Ours::Denied { .. } => self.refused += 1,
            }
            return;
        }
        match DIFFERENCES.iter().find(|difference| (difference.covers)(both)) {
            Some(difference) => *self.differences.entry(difference.name).or_default() += 1,
            None => {
                let entry = self.unexplained.entry(both.summary()).or_default();
                entry.0 += 1;
                if entry.1.is_empty() {
                    entry.1 = describe();
                }
            }
        }
    }

    fn report(&self, what: &str) {
        eprintln!("{what}: {} accepted and {} refused by both; differences:", self.accepted, self.refused);
        for (name, count) in &self.differences {
            eprintln!("  {count} {name}");
        }
        for (what, (count, first)) in &self.unexplained {
            eprintln!("  UNEXPLAINED {count}: {what}; first: {first}");
        }
        assert!(self.unexplained.is_empty(), "{what}: differences that no entry of the table covers");
    }
}

fn both(case: &Case, done: &[&str]) -> Both {
    let mut parts = Parts::of(&case.world);
    parts.evidence = case.quote();
    let theirs =
        oracle::judge(root_der(), &parts.evidence, &oracle::collateral(&case.world), NOW.unsigned_abs());
    let fall = |levels: &[SvnLevel]| levels.windows(2).all(|pair| pair[0].isvsvn > pair[1].isvsvn);
    let modules = &case.world.tcb_info_spec.identities;
    Both {
        ours: Ours::of(&parts.outcome()),
        theirs,
        levels_fall: fall(&case.world.qe_identity_spec.levels)
            && modules.iter().all(|module| fall(&module.levels)),
        cpusvn_is_components: !done.contains(&CPUSVN),
    }
}

#[test]
fn worlds_are_accepted_by_both() {
    for form in Form::ALL {
        for ca in Ca::ALL {
            let both = both(&Case { world: World::new(form, ca), damaged: None }, &[]);
            let up_to_date = Opinion::Accepted { status: "UpToDate".to_owned(), advisories: BTreeSet::new() };
            assert_eq!(both.theirs, up_to_date, "{form:?} {ca:?}");
            assert!(both.agree(), "{form:?} {ca:?}: {:?}", both.ours);
        }
    }
}

#[test]
fn published_quotes_are_judged_alike() {
    let sets: Vec<_> = COLLATERAL.iter().flat_map(|(name, files)| published::sets(name, files)).collect();
    let mut tally = Tally::default();
    let mut judged = 0;
    for (folder, file) in QUOTES {
        let quote = quote(folder, file);
        for set in &sets {
            for now in set.instants() {
                let parts = Parts { evidence: quote.clone(), ..set.parts() };
                let anchors = Anchors::new(&set.root);
                let outcome = verify(
                    &quote,
                    &parts.slots(),
                    &anchors,
                    &Waivers::none(),
                    UnixTime::from_secs(now),
                    &QuoteCache::new(0),
                )
                .outcome;
                let theirs = oracle::judge(&set.root, &quote, &set.oracle(), now);
                let both =
                    Both { ours: Ours::of(&outcome), theirs, levels_fall: true, cpusvn_is_components: true };
                tally.add(&both, || format!("{folder}/{file} with {} at {now}", set.name));
                judged += 1;
            }
        }
    }
    tally.report(&format!(
        "{} published quotes with {} sets of collateral, {judged} cases",
        QUOTES.len(),
        sets.len()
    ));
    assert!(tally.accepted >= 60, "only {} accepted by both", tally.accepted);
}

#[test]
fn random_changes_are_judged_alike() {
    let mut rng = Rng::new(SEED);
    let mut tally = Tally::default();
    for _ in 0..CASES {
        let mut case = Case::new(&mut rng);
        let mut done = Vec::new();
        let change = |kinds: &[Mutation], case: &mut Case, rng: &mut Rng, done: &mut Vec<&str>| {
            let (name, mutate) = rng.pick(kinds);
            mutate(&mut case.world, rng);
            done.push(name);
        };
        match rng.below(20) {
            0..=10 => {
                for _ in 0..=rng.below(4) {
                    change(&SIGNED, &mut case, &mut rng, &mut done);
                }
            }
            11..=14 => change(&FORMS, &mut case, &mut rng, &mut done),
            15..=17 => change(&DAMAGE, &mut case, &mut rng, &mut done),
            _ => {
                let mut quote = case.world.quote.bytes();
                mutations::bit(&mut quote, &mut rng);
                case.damaged = Some(quote);
                done.push("a bit of the quote");
            }
        }
        tally.add(&both(&case, &done), || done.join(", "));
    }
    tally.report(&format!("{CASES} random changes, seed {SEED:#x}"));
    let unused = DIFFERENCES.iter().map(|d| d.name).filter(|name| !tally.differences.contains_key(name));
    assert_eq!(unused.collect::<Vec<_>>(), Vec::<&str>::new(), "no case falls under these entries");
}
