//! The largest set of members that accept each other.

use std::collections::BTreeSet;

use super::{Verdicts, independent, refused};
use crate::job::JobFile;
use crate::name::Name;

/// The largest set that contains the server and all required sites and whose members accept each other; of several the
/// one that comes first in the order of names. If the server and the required sites do not accept each other, no set
/// will do, and the answer is the largest with the server, so that it can be said what is missing.
pub(super) fn largest(
    job: &JobFile,
    server: &Name,
    members: &BTreeSet<Name>,
    verdicts: &Verdicts,
) -> BTreeSet<Name> {
    let names: Vec<&Name> = members.iter().collect();
    let mut conflicts: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); names.len()];
    for (index, verifier) in names.iter().enumerate() {
        for (_, subject, _) in refused(verifier, members, verdicts) {
            if let Ok(other) = names.binary_search(&subject) {
                for (one, two) in [(index, other), (other, index)] {
                    if let Some(row) = conflicts.get_mut(one) {
                        row.insert(two);
                    }
                }
            }
        }
    }
    let position = |name: &Name| names.binary_search(&name).ok();
    let free_of = |base: &BTreeSet<usize>, index: &usize| {
        conflicts.get(*index).is_some_and(|row| row.is_disjoint(base))
    };
    let only_server: BTreeSet<usize> = position(server).into_iter().collect();
    let needed: Option<BTreeSet<usize>> = job.required_sites().iter().chain([server]).map(position).collect();
    let base =
        needed.filter(|needed| needed.iter().all(|index| free_of(needed, index))).unwrap_or(only_server);
    // Nobody of these has a conflict with the base, which is therefore part of every largest set.
    let left: BTreeSet<usize> = (0..names.len()).filter(|index| free_of(&base, index)).collect();
    let chosen = independent::largest(&conflicts, &left);
    chosen.iter().filter_map(|index| names.get(*index)).map(|name| (*name).clone()).collect()
}
