//! Who is admitted: the corner cases of *workflow.md* 1.5, S5, and what holds for any verdicts.

use std::collections::BTreeSet;

use cc_core::{Code, Finding, codes};
use fed_proto::admission::{Mode, Refusal, Verdicts, decide, missing};
use fed_proto::job::JobFile;
use fed_proto::name::Name;
use proptest::prelude::*;

const CODE: Code = codes::POL_EVIDENCE_MISSING;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn names(list: &[&str]) -> BTreeSet<Name> {
    list.iter().map(|text| name(text)).collect()
}

fn job(min_sites: usize, required: &[&str]) -> JobFile {
    let text = format!(
        "version = 1\nname = \"job\"\nmin_sites = {min_sites}\nrequired_sites = {required:?}\n\
         [deploy]\napp = [\"@ALL\"]\n[app.app]\ncommand = [\"run\"]\n"
    );
    JobFile::parse(&text).unwrap()
}

/// Everybody accepts everybody, but for these pairs (verifier, subject).
fn verdicts(sites: &[&str], rejects: &[(&str, &str)]) -> Verdicts {
    let mut members = names(sites);
    members.insert(name("server"));
    let of = |verifier: &Name| {
        let others = members.iter().filter(|subject| *subject != verifier);
        others
            .map(|subject| {
                let rejected = rejects.contains(&(verifier.as_str(), subject.as_str()));
                let verdict = if rejected { Err(Finding::new(CODE, "none")) } else { Ok(()) };
                (subject.clone(), verdict)
            })
            .collect()
    };
    members.iter().map(|verifier| (verifier.clone(), of(verifier))).collect()
}

fn edges(list: &[(&str, &str)]) -> Vec<(Name, Name, Code)> {
    list.iter().map(|(verifier, subject)| (name(verifier), name(subject), CODE)).collect()
}

struct Case<'a> {
    mode: Mode,
    job: JobFile,
    sites: &'a [&'a str],
    rejects: &'a [(&'a str, &'a str)],
}

impl Case<'_> {
    fn decide(&self) -> Result<BTreeSet<Name>, Refusal> {
        let verdicts = verdicts(self.sites, self.rejects);
        decide(self.mode, &self.job, &name("server"), &names(self.sites), &verdicts)
    }

    fn admits(&self, expected: &[&str]) {
        assert_eq!(self.decide(), Ok(names(expected)), "{:?} {:?}", self.sites, self.rejects);
    }

    fn refuses(&self, reason: &str, missing: &[(&str, &str)]) {
        let refusal = Refusal { reason: reason.to_owned(), missing: edges(missing) };
        assert_eq!(self.decide(), Err(refusal));
    }
}

const fn block<'a>(job: JobFile, sites: &'a [&'a str], rejects: &'a [(&'a str, &'a str)]) -> Case<'a> {
    Case { mode: Mode::Block, job, sites, rejects }
}

const fn graph<'a>(job: JobFile, sites: &'a [&'a str], rejects: &'a [(&'a str, &'a str)]) -> Case<'a> {
    Case { mode: Mode::TrustGraph, job, sites, rejects }
}

const TWO: &[&str] = &["site-1", "site-2"];
const THREE: &[&str] = &["site-1", "site-2", "site-3"];
const FOUR: &[&str] = &["site-1", "site-2", "site-3", "site-4"];

#[test]
fn everybody_accepts_everybody() {
    for mode in [Mode::Block, Mode::TrustGraph] {
        Case { mode, job: job(3, &["site-2"]), sites: THREE, rejects: &[] }
            .admits(&["server", "site-1", "site-2", "site-3"]);
    }
}

#[test]
fn nobody_took_part() {
    for mode in [Mode::Block, Mode::TrustGraph] {
        let reason = "not enough sites have enough resources (ok sites 0 < min sites 1)";
        Case { mode, job: job(1, &[]), sites: &[], rejects: &[] }.refuses(reason, &[]);
    }
}

#[test]
fn corner_case_1_one_bad_client_blocks_the_whole_job() {
    let pair = [("server", "site-2")];
    block(job(1, &[]), THREE, &pair)
        .refuses("the server does not accept site-2: pol.evidence.missing", &pair);
    let both = [("server", "site-1"), ("server", "site-3")];
    block(job(1, &[]), THREE, &both).refuses(
        "the server does not accept site-1: pol.evidence.missing, site-3: pol.evidence.missing",
        &both,
    );
}

#[test]
fn corner_case_2_the_decliner_is_excluded_not_the_distrusted_one() {
    let declines = [("site-1", "site-2")];
    block(job(1, &[]), TWO, &declines).admits(&["server", "site-2"]);
    block(job(2, &[]), TWO, &declines).refuses(
        "not enough sites have enough resources (ok sites 1 < min sites 2). \
         Details: site-1: does not accept site-2: pol.evidence.missing",
        &declines,
    );
    block(job(1, &["site-1"]), TWO, &declines).refuses(
        "required sites: ['site-1'] don't have enough resources. \
         Details: site-1:does not accept site-2: pol.evidence.missing;",
        &declines,
    );
    block(job(1, &["site-2"]), TWO, &declines).admits(&["server", "site-2"]);
}

#[test]
fn a_client_that_declines_the_server_is_excluded() {
    block(job(1, &[]), TWO, &[("site-1", "server")]).admits(&["server", "site-2"]);
    graph(job(1, &[]), TWO, &[("site-1", "server")]).admits(&["server", "site-2"]);
}

#[test]
fn declines_are_judged_once_against_all_members_of_the_round() {
    // site-1 declines site-2, site-2 declines site-3: site-2 is out although the one that it declines would have
    // stayed, and site-1 is out although the one that it declines is out too.
    block(job(1, &[]), THREE, &[("site-1", "site-2"), ("site-2", "site-3")]).admits(&["server", "site-3"]);
    // Both decline each other: both are out.
    let both = [("site-1", "site-2"), ("site-2", "site-1")];
    block(job(1, &[]), TWO, &both).refuses(
        "not enough sites have enough resources (ok sites 0 < min sites 1). \
         Details: site-1: does not accept site-2: pol.evidence.missing; \
         site-2: does not accept site-1: pol.evidence.missing",
        &both,
    );
}

#[test]
fn no_verdict_is_no_accept() {
    let without = |verifier: &str, subject: Option<&str>| {
        let mut verdicts = verdicts(TWO, &[]);
        match subject {
            Some(subject) => drop(verdicts.get_mut(&name(verifier)).unwrap().remove(&name(subject)).unwrap()),
            None => drop(verdicts.remove(&name(verifier)).unwrap()),
        }
        verdicts
    };
    let decide =
        |mode, verdicts: &Verdicts| decide(mode, &job(1, &[]), &name("server"), &names(TWO), verdicts);
    for verdicts in [without("site-1", Some("site-2")), without("site-1", None)] {
        assert_eq!(decide(Mode::Block, &verdicts), Ok(names(&["server", "site-2"])));
    }
    // A member that said nothing at all is not accepted for it in the other mode either.
    assert_eq!(decide(Mode::TrustGraph, &without("site-1", None)), Ok(names(&["server", "site-2"])));
    assert_eq!(
        decide(Mode::TrustGraph, &without("site-2", Some("site-1"))),
        Ok(names(&["server", "site-1"]))
    );
    let refusal = decide(Mode::Block, &without("server", Some("site-2"))).unwrap_err();
    assert_eq!(refusal.reason, "the server does not accept site-2: fl.member.missing");
    assert_eq!(refusal.missing, [(name("server"), name("site-2"), codes::FL_MEMBER_MISSING)]);
    for mode in [Mode::Block, Mode::TrustGraph] {
        assert!(decide(mode, &without("server", None)).is_err());
        assert!(decide(mode, &Verdicts::new()).is_err());
    }
}

#[test]
fn what_a_member_says_of_itself_counts_for_nothing() {
    let mut verdicts = verdicts(TWO, &[("site-1", "site-2")]);
    for member in ["server", "site-1", "site-2"] {
        verdicts.get_mut(&name(member)).unwrap().insert(name(member), Err(Finding::new(CODE, "me")));
    }
    for mode in [Mode::Block, Mode::TrustGraph] {
        let admitted = decide(mode, &job(1, &[]), &name("server"), &names(TWO), &verdicts);
        assert!(admitted.is_ok(), "{admitted:?}");
    }
}

#[test]
fn verdicts_of_and_on_others_than_the_members_count_for_nothing() {
    let mut verdicts = verdicts(FOUR, &[("server", "site-4"), ("site-4", "site-1"), ("site-1", "site-4")]);
    verdicts.insert(name("ghost"), [(name("site-1"), Err(Finding::new(CODE, "")))].into());
    for mode in [Mode::Block, Mode::TrustGraph] {
        let admitted = decide(mode, &job(1, &[]), &name("server"), &names(TWO), &verdicts);
        assert_eq!(admitted, Ok(names(&["server", "site-1", "site-2"])));
    }
}

#[test]
fn the_server_among_the_sites_changes_nothing() {
    let sites = names(&["server", "site-1"]);
    for mode in [Mode::Block, Mode::TrustGraph] {
        let admitted =
            decide(mode, &job(1, &["server"]), &name("server"), &sites, &verdicts(&["site-1"], &[]));
        assert_eq!(admitted, Ok(sites.clone()));
        let refusal =
            decide(mode, &job(2, &[]), &name("server"), &sites, &verdicts(&["site-1"], &[])).unwrap_err();
        assert_eq!(refusal.reason, "not enough sites have enough resources (ok sites 1 < min sites 2)");
    }
}

#[test]
fn a_required_site_that_took_no_part() {
    for mode in [Mode::Block, Mode::TrustGraph] {
        Case { mode, job: job(1, &["site-9"]), sites: TWO, rejects: &[] }.refuses(
            "required sites: ['site-9'] don't have enough resources. Details: site-9:took no part in the round;",
            &[],
        );
    }
}

#[test]
fn long_reasons_are_cut() {
    let many: Vec<String> = (10..30).map(|number| format!("site-{number}")).collect();
    let sites: Vec<&str> = many.iter().map(String::as_str).collect();
    let rejects: Vec<_> = sites.iter().map(|site| ("server", *site)).collect();
    let refusal = block(job(1, &[]), &sites, &rejects).decide().unwrap_err();
    assert!(refusal.reason.ends_with(", site-17: pol.evidence.missing and 12 more"), "{}", refusal.reason);
    assert_eq!(refusal.missing.len(), 20);
}

#[test]
fn graph_a_client_that_the_server_does_not_accept_is_left_out() {
    graph(job(2, &[]), THREE, &[("server", "site-2")]).admits(&["server", "site-1", "site-3"]);
}

#[test]
fn graph_either_way_of_a_pair_is_missing() {
    for pair in [("site-1", "site-2"), ("site-2", "site-1")] {
        // Of two sets of one size the one that comes first.
        graph(job(1, &[]), TWO, &[pair]).admits(&["server", "site-1"]);
        graph(job(2, &[]), THREE, &[pair]).admits(&["server", "site-1", "site-3"]);
        // The one that is required stays.
        graph(job(1, &["site-2"]), TWO, &[pair]).admits(&["server", "site-2"]);
    }
}

#[test]
fn graph_the_largest_set_not_the_first() {
    graph(job(1, &[]), FOUR, &[("site-1", "site-2"), ("site-3", "site-1"), ("site-1", "site-4")])
        .admits(&["server", "site-2", "site-3", "site-4"]);
    // What is required may cost a larger set.
    graph(job(1, &["site-1"]), FOUR, &[("site-1", "site-2"), ("site-3", "site-1"), ("site-1", "site-4")])
        .admits(&["server", "site-1"]);
}

#[test]
fn graph_too_few_accept_each_other_and_which_edges_are_missing() {
    let rejects = [("site-1", "site-2"), ("site-2", "site-3")];
    graph(job(3, &[]), THREE, &rejects).refuses(
        "not enough sites have enough resources (ok sites 2 < min sites 3). \
         Details: site-2: does not accept site-3: pol.evidence.missing \
         and is not accepted by site-1: pol.evidence.missing",
        &[("site-2", "site-3"), ("site-1", "site-2")],
    );
}

#[test]
fn graph_required_sites_that_do_not_accept_each_other() {
    let rejects = [("site-2", "site-3")];
    graph(job(1, &["site-2", "site-3"]), THREE, &rejects).refuses(
        "required sites: ['site-3'] don't have enough resources. \
         Details: site-3:is not accepted by site-2: pol.evidence.missing;",
        &rejects,
    );
    let rejects = [("server", "site-2")];
    graph(job(1, &["site-2"]), THREE, &rejects).refuses(
        "required sites: ['site-2'] don't have enough resources. \
         Details: site-2:is not accepted by server: pol.evidence.missing;",
        &rejects,
    );
}

#[test]
fn all_missing_edges_of_a_round() {
    let rejects = [("server", "site-2"), ("site-1", "server"), ("site-1", "site-2")];
    assert_eq!(missing(&names(&["server", "site-1", "site-2"]), &verdicts(TWO, &rejects)), edges(&rejects));
    assert_eq!(missing(&names(&["server", "site-2"]), &verdicts(TWO, &rejects)), edges(&rejects[..1]));
    assert_eq!(missing(&names(TWO), &verdicts(TWO, &[])), []);
}

#[test]
fn graph_one_that_rejects_a_hundred_others_is_the_one_left_out() {
    let many: Vec<String> = (0..150).map(|number| format!("site-{number:03}")).collect();
    let sites: Vec<&str> = many.iter().map(String::as_str).collect();
    let rejects: Vec<_> = sites[1..].iter().map(|site| ("site-000", *site)).collect();
    let admitted = graph(job(1, &[]), &sites, &rejects).decide().unwrap();
    assert_eq!(admitted.len(), 150, "the server and all but one");
    assert!(!admitted.contains(&name("site-000")));
}

/// Members 0 (the server) to `count`, with a verdict per ordered pair: accept, reject or none.
#[derive(Clone, Debug)]
struct Random {
    count: usize,
    pairs: Vec<u8>,
    min: usize,
    required: Vec<bool>,
}

impl Random {
    fn name(index: usize) -> Name {
        if index == 0 { name("server") } else { name(&format!("site-{index:02}")) }
    }

    fn accepts(&self, verifier: usize, subject: usize) -> bool {
        self.pairs[verifier * (self.count + 1) + subject] > 1
    }

    fn verdicts(&self) -> Verdicts {
        let of = |verifier: usize| {
            (0..=self.count)
                .filter_map(|subject| match self.pairs[verifier * (self.count + 1) + subject] {
                    0 => Some((Self::name(subject), Err(Finding::new(CODE, "none")))),
                    1 => None,
                    _ => Some((Self::name(subject), Ok(()))),
                })
                .collect()
        };
        (0..=self.count).map(|verifier| (Self::name(verifier), of(verifier))).collect()
    }

    fn job(&self) -> JobFile {
        let required: Vec<_> = (1..=self.count)
            .filter(|index| self.required[*index])
            .map(|index| Self::name(index).to_string())
            .collect();
        job(self.min, &required.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn decide(&self, mode: Mode) -> Result<BTreeSet<Name>, Refusal> {
        let sites = (1..=self.count).map(Self::name).collect();
        decide(mode, &self.job(), &name("server"), &sites, &self.verdicts())
    }

    fn is_mutual(&self, set: &[usize]) -> bool {
        set.iter().all(|one| set.iter().all(|two| one == two || self.accepts(*one, *two)))
    }

    /// By trying all sets: of the largest that will do the first in the order of names.
    fn by_hand(&self) -> Option<BTreeSet<Name>> {
        let sets = (0_u32..1 << self.count).map(|bits| {
            let sites = (1..=self.count).filter(move |index| bits >> (index - 1) & 1 == 1);
            [0].into_iter().chain(sites).collect::<Vec<_>>()
        });
        let good = sets.filter(|set| {
            let required = (1..=self.count).filter(|index| self.required[*index]);
            set.len() > self.min
                && required.into_iter().all(|index| set.contains(&index))
                && self.is_mutual(set)
        });
        let best = good.min_by_key(|set| (usize::MAX - set.len(), set.clone()))?;
        Some(best.into_iter().map(Self::name).collect())
    }
}

fn random(count: impl Strategy<Value = usize>) -> impl Strategy<Value = Random> {
    (count, 2_u8..40).prop_flat_map(|(count, accepting)| {
        let cells = (count + 1) * (count + 1);
        (
            prop::collection::vec(0..accepting, cells),
            1..=4_usize,
            prop::collection::vec(prop::bool::weighted(0.1), count + 1),
        )
            .prop_map(move |(pairs, min, required)| Random { count, pairs, min, required })
    })
}

fn indices(set: &BTreeSet<Name>) -> Vec<usize> {
    set.iter().map(|name| (0..100).find(|index| Random::name(*index) == *name).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn whoever_is_admitted_accepts_and_is_accepted_by_all_others(round in random(0_usize..9)) {
        for mode in [Mode::Block, Mode::TrustGraph] {
            match round.decide(mode) {
                Ok(set) => {
                    prop_assert!(set.contains(&name("server")));
                    prop_assert!(round.is_mutual(&indices(&set)));
                    prop_assert!(set.len() > round.min);
                    let required = round.job().required_sites().clone();
                    prop_assert!(required.is_subset(&set));
                }
                Err(refusal) => {
                    let verdicts = round.verdicts();
                    for (verifier, subject, _) in refusal.missing {
                        let said = verdicts.get(&verifier).and_then(|said| said.get(&subject));
                        prop_assert!(!matches!(said, Some(Ok(()))));
                    }
                }
            }
        }
    }

    #[test]
    fn graph_the_best_set_of_all(round in random(0_usize..9)) {
        prop_assert_eq!(round.decide(Mode::TrustGraph).ok(), round.by_hand());
    }

    #[test]
    fn graph_admits_whenever_block_does_and_no_fewer(round in random(0_usize..9)) {
        if let Ok(block) = round.decide(Mode::Block) {
            prop_assert!(round.decide(Mode::TrustGraph).unwrap().len() >= block.len());
        }
    }

    #[test]
    fn block_excludes_exactly_the_decliners(round in random(0_usize..9)) {
        let all: Vec<usize> = (0..=round.count).collect();
        let accepting = |one: &usize| all.iter().all(|two| one == two || round.accepts(*one, *two));
        match round.decide(Mode::Block) {
            Ok(set) => prop_assert_eq!(indices(&set), all.iter().copied().filter(accepting).collect::<Vec<_>>()),
            Err(refusal) if !accepting(&0) => prop_assert!(refusal.reason.starts_with("the server does not accept ")),
            Err(refusal) => prop_assert!(!refusal.reason.starts_with("the server")),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn graph_of_many_members(round in random(30_usize..64)) {
        if let Ok(set) = round.decide(Mode::TrustGraph) {
            prop_assert!(round.is_mutual(&indices(&set)));
        }
    }
}
