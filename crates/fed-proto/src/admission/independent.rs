//! The largest set of vertices without conflict between any two: a largest independent set of the graph of conflicts.
//!
//! The parts of the graph that do not touch each other are solved apart, small ones first. A part of up to
//! [`EXACT`] vertices is solved exactly by branch and bound, while the budget of [`STEPS`] lasts; then, and for larger
//! parts, whoever has fewest conflicts is taken first. Among honest members conflicts are few, and whoever has none is a
//! part of its own; whoever makes many cannot make the server compute for long. The answer depends on the graph alone.

use std::collections::{BTreeMap, BTreeSet};

/// Most vertices of a part that is solved exactly: the bits of a word.
const EXACT: usize = 128;
/// Steps of branch and bound for one graph.
const STEPS: u32 = 200_000;

/// A largest independent subset of `vertices`, whose conflicts are the rows of `conflicts`; of several the one whose
/// members, in ascending order, come first.
pub(super) fn largest(conflicts: &[BTreeSet<usize>], vertices: &BTreeSet<usize>) -> BTreeSet<usize> {
    within(conflicts, vertices, STEPS)
}

fn within(conflicts: &[BTreeSet<usize>], vertices: &BTreeSet<usize>, mut steps: u32) -> BTreeSet<usize> {
    let graph = Graph { conflicts, vertices };
    let mut parts = graph.parts();
    parts.sort_by_key(Vec::len);
    parts
        .iter()
        .flat_map(|part| graph.exactly(part, &mut steps).unwrap_or_else(|| graph.greedily(part)))
        .collect()
}

struct Graph<'a> {
    conflicts: &'a [BTreeSet<usize>],
    vertices: &'a BTreeSet<usize>,
}

impl Graph<'_> {
    /// All of them, also those that were not asked for.
    fn neighbours(&self, vertex: usize) -> impl Iterator<Item = usize> {
        self.conflicts.get(vertex).into_iter().flatten().copied()
    }

    /// The connected parts, each ascending, in the order of their first vertices.
    fn parts(&self) -> Vec<Vec<usize>> {
        let mut left = self.vertices.clone();
        let mut parts = Vec::new();
        while let Some(first) = left.pop_first() {
            let mut part = BTreeSet::from([first]);
            let mut edge = vec![first];
            while let Some(vertex) = edge.pop() {
                for other in self.neighbours(vertex) {
                    if left.remove(&other) {
                        part.insert(other);
                        edge.push(other);
                    }
                }
            }
            parts.push(part.into_iter().collect());
        }
        parts
    }

    /// `None` if the part is too large, or too hard for what is left of the budget.
    fn exactly(&self, part: &[usize], steps: &mut u32) -> Option<Vec<usize>> {
        if part.len() > EXACT {
            return None;
        }
        let word = |vertices: &mut dyn Iterator<Item = usize>| {
            vertices
                .filter_map(|other| part.binary_search(&other).ok())
                .fold(0, |word, index| word | bit(index))
        };
        let rows = part.iter().map(|vertex| word(&mut self.neighbours(*vertex))).collect();
        let all = word(&mut part.iter().copied());
        let mut search = Search { rows, steps };
        let some = search.largest(all)?;
        let first = search.first(all, some);
        Some(
            part.iter()
                .enumerate()
                .filter(|(index, _)| first & bit(*index) != 0)
                .map(|(_, vertex)| *vertex)
                .collect(),
        )
    }

    /// Takes whoever has fewest conflicts among those that are left, again and again.
    fn greedily(&self, part: &[usize]) -> Vec<usize> {
        let mut left: BTreeSet<usize> = part.iter().copied().collect();
        let mut degrees: BTreeMap<usize, usize> = part
            .iter()
            .map(|vertex| (*vertex, self.neighbours(*vertex).filter(|other| left.contains(other)).count()))
            .collect();
        let mut queue: BTreeSet<(usize, usize)> =
            degrees.iter().map(|(vertex, degree)| (*degree, *vertex)).collect();
        let mut chosen = Vec::new();
        while let Some((_, vertex)) = queue.pop_first() {
            left.remove(&vertex);
            chosen.push(vertex);
            let gone: Vec<usize> = self.neighbours(vertex).filter(|other| left.remove(other)).collect();
            for other in gone {
                queue.remove(&(degrees.get(&other).copied().unwrap_or(0), other));
                for third in self.neighbours(other).filter(|third| left.contains(third)) {
                    if let Some(degree) = degrees.get_mut(&third) {
                        queue.remove(&(*degree, third));
                        *degree = degree.saturating_sub(1);
                        queue.insert((*degree, third));
                    }
                }
            }
        }
        chosen
    }
}

/// A part as words: bit `i` is its vertex `i`.
struct Search<'a> {
    rows: Vec<u128>,
    steps: &'a mut u32,
}

impl Search<'_> {
    fn row(&self, index: usize) -> u128 {
        self.rows.get(index).copied().unwrap_or(0)
    }

    /// A largest independent subset of `free`, or `None` if the budget does not last.
    fn largest(&mut self, mut free: u128) -> Option<u128> {
        *self.steps = self.steps.checked_sub(1)?;
        let mut taken = 0;
        loop {
            let degree = |index: &usize| (self.row(*index) & free).count_ones();
            // Of some largest set it is a member: taking it loses at most one conflict.
            if let Some(leaf) = bits(free).find(|index| degree(index) <= 1) {
                taken |= bit(leaf);
                free &= !(bit(leaf) | self.row(leaf));
                continue;
            }
            // Ties go to the last, any rule would do.
            let Some(hub) = bits(free).max_by_key(degree) else { return Some(taken) };
            if degree(&hub) == 2 {
                // Only rings are left, and every vertex of a ring is in some largest set.
                taken |= bit(hub);
                free &= !(bit(hub) | self.row(hub));
                continue;
            }
            let with = self.largest(free & !(bit(hub) | self.row(hub)))? | bit(hub);
            let without = self.largest(free & !bit(hub))?;
            let more = if without.count_ones() > with.count_ones() { without } else { with };
            return Some(taken | more);
        }
    }

    /// Of the largest independent subsets of `free` the one that comes first, given one of them. If the budget does not
    /// last, one that comes as early as could be found.
    fn first(&mut self, mut free: u128, mut rest: u128) -> u128 {
        let mut chosen = 0;
        for index in bits(free) {
            let own = bit(index);
            if free & own == 0 {
                continue;
            }
            if rest & own == 0 {
                match self.largest(free & !(own | self.row(index))) {
                    Some(others) if others.count_ones().saturating_add(1) == rest.count_ones() => {
                        rest = others | own
                    }
                    Some(_) => {
                        free &= !own;
                        continue;
                    }
                    None => return chosen | rest,
                }
            }
            chosen |= own;
            rest &= !own;
            free &= !(own | self.row(index));
        }
        chosen
    }
}

fn bit(index: usize) -> u128 {
    u32::try_from(index).ok().and_then(|index| 1_u128.checked_shl(index)).unwrap_or(0)
}

/// The positions of the bits that are set, ascending.
fn bits(mut word: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let index = usize::try_from(word.trailing_zeros()).ok().filter(|index| *index < EXACT)?;
        word &= !bit(index);
        Some(index)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn graph(count: usize, edges: &[(usize, usize)]) -> Vec<BTreeSet<usize>> {
        let mut rows = vec![BTreeSet::new(); count];
        for (one, two) in edges.iter().filter(|(one, two)| one != two) {
            rows[*one].insert(*two);
            rows[*two].insert(*one);
        }
        rows
    }

    fn is_independent(conflicts: &[BTreeSet<usize>], set: &BTreeSet<usize>) -> bool {
        set.iter().all(|vertex| conflicts[*vertex].is_disjoint(set))
    }

    fn is_maximal(conflicts: &[BTreeSet<usize>], set: &BTreeSet<usize>) -> bool {
        (0..conflicts.len()).all(|vertex| set.contains(&vertex) || !conflicts[vertex].is_disjoint(set))
    }

    fn all(count: usize) -> BTreeSet<usize> {
        (0..count).collect()
    }

    /// As many vertices as a word has bits, in one ring: the last bit counts.
    #[test]
    fn the_largest_part_that_is_solved_exactly_and_the_next() {
        for count in [EXACT, EXACT + 2] {
            let ring: Vec<_> = (0..count).map(|index| (index, (index + 1) % count)).collect();
            let conflicts = graph(count, &ring);
            let found = largest(&conflicts, &all(count));
            assert_eq!(found, (0..count).step_by(2).collect());
        }
    }

    /// Fewest conflicts first takes the hub and loses the three that are the answer.
    const GREED_FAILS: &[(usize, usize)] = &[
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 4),
        (1, 5),
        (1, 6),
        (1, 7),
        (2, 4),
        (2, 5),
        (2, 6),
        (2, 7),
        (3, 4),
        (3, 5),
        (3, 6),
        (3, 7),
        (4, 5),
        (4, 6),
        (4, 7),
        (5, 6),
        (5, 7),
        (6, 7),
    ];

    #[test]
    fn branching_finds_what_greed_does_not() {
        let conflicts = graph(8, GREED_FAILS);
        assert_eq!(within(&conflicts, &all(8), 0), BTreeSet::from([0, 4]), "greedily");
        assert_eq!(largest(&conflicts, &all(8)), BTreeSet::from([1, 2, 3]));
    }

    #[test]
    fn vertices_that_are_not_asked_for_do_not_count() {
        let conflicts = graph(4, &[(0, 1), (1, 2), (2, 3)]);
        assert_eq!(largest(&conflicts, &BTreeSet::from([1, 2])), BTreeSet::from([1]));
        assert_eq!(largest(&conflicts, &BTreeSet::from([0, 3])), BTreeSet::from([0, 3]));
        assert_eq!(largest(&conflicts, &BTreeSet::new()), BTreeSet::new());
    }

    #[test]
    fn greed_counts_only_who_is_asked_for() {
        let edges: Vec<_> =
            [(0, 1), (0, 2)].into_iter().chain((3..9).flat_map(|far| [(1, far), (2, far)])).collect();
        let conflicts = graph(9, &edges);
        assert_eq!(within(&conflicts, &all(3), 0), BTreeSet::from([1, 2]));
    }

    #[test]
    fn a_part_that_takes_long_comes_last() {
        let ring = |index: usize| [1, 2, 5].map(|step| (index, (index + step) % 40));
        let hard: Vec<_> = (0..40).flat_map(ring).collect();
        let easy = GREED_FAILS.iter().map(|(one, two)| (one + 40, two + 40));
        let conflicts = graph(48, &hard.iter().copied().chain(easy).collect::<Vec<_>>());
        let alone = within(&conflicts, &(0..40).collect(), 30);
        assert_eq!(alone, within(&conflicts, &(0..40).collect(), 0), "30 steps are too few for it");
        let found = within(&conflicts, &all(48), 30);
        assert!(found.is_superset(&BTreeSet::from([41, 42, 43])));
        assert!(found.is_superset(&alone));
    }

    /// Parts are solved apart: a hundred of them take a step or two each.
    #[test]
    fn many_parts_are_cheap() {
        let edges: Vec<_> =
            (0..100).flat_map(|part| (0..5).map(move |v| (part * 5 + v, part * 5 + (v + 1) % 5))).collect();
        let conflicts = graph(500, &edges);
        assert_eq!(within(&conflicts, &all(500), 400).len(), 200);
    }

    fn any_graph(most: usize, edges: usize) -> impl Strategy<Value = Vec<BTreeSet<usize>>> {
        (1..=most).prop_flat_map(move |count| {
            prop::collection::vec((0..count, 0..count), 0..edges).prop_map(move |edges| graph(count, &edges))
        })
    }

    proptest! {
        #[test]
        fn exact_by_comparison_with_all_subsets(conflicts in any_graph(12, 40)) {
            let subsets = (0_u32..1 << conflicts.len())
                .map(|bits| (0..conflicts.len()).filter(|index| bits >> index & 1 == 1).collect::<BTreeSet<_>>());
            let best = subsets
                .filter(|set| is_independent(&conflicts, set))
                .min_by_key(|set| (std::cmp::Reverse(set.len()), set.clone()))
                .unwrap();
            prop_assert_eq!(largest(&conflicts, &all(conflicts.len())), best);
        }

        /// With whatever budget: independent, not to be enlarged, and with more of it never smaller than with enough.
        #[test]
        fn a_small_budget_costs_size_never_correctness(conflicts in any_graph(150, 400), steps in 0_u32..200) {
            let set = within(&conflicts, &all(conflicts.len()), steps);
            prop_assert!(is_independent(&conflicts, &set));
            prop_assert!(is_maximal(&conflicts, &set));
            prop_assert_eq!(&set, &within(&conflicts, &all(conflicts.len()), steps));
            prop_assert!(set.len() <= largest(&conflicts, &all(conflicts.len())).len());
        }
    }
}
