//! Who takes part in a job: from the verdicts of a round to the set that starts, or the reason why none does
//! (*workflow.md* 1.3 rows 6 and 8, 1.5, S5; *verification.md* 5.5 step 7).
//!
//! Whatever the mode, nobody is admitted whom another admitted member has not accepted, and the server is always one
//! of them. That the verdicts are authentic, of this round and not too old is the caller's business.

mod graph;
mod independent;

use std::collections::{BTreeMap, BTreeSet};

use cc_core::{Code, Finding, codes};
use serde::{Deserialize, Serialize};

use crate::job::JobFile;
use crate::name::Name;

/// How the participants of a job are chosen from its round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The seed's: the server must accept every client of the round; a client that declines any other member is
    /// excluded.
    #[default]
    Block,
    /// The largest set of mutually accepting members that satisfies the job.
    TrustGraph,
}

/// What each verifier found about each other member. No entry is no Accept.
pub type Verdicts = BTreeMap<Name, BTreeMap<Name, Result<(), Finding>>>;

/// Why a round admits nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// For people and the job's history; in the words of S5 where those fit.
    pub reason: String,
    /// The pairs (verifier, subject) without Accept that stood in the way, each with the code;
    /// `fl.member.missing` where the verifier said nothing.
    pub missing: Vec<(Name, Name, Code)>,
}

/// Chooses the participants of a job, the server included.
///
/// `sites` are the clients that were invited and took part in the round. In [`Mode::Block`] the server has to accept all
/// of them; a client that declines anybody of the round is out, even if the one that it declines is out too, and the one
/// that it declines stays (corner case 2). In [`Mode::TrustGraph`] whoever is left out for the largest set is out; up to
/// 128 members with conflicts the set is the largest and, of several, the first in the order of names, unless the
/// conflicts are so entangled that the search gives up, and then it may be smaller.
pub fn decide(
    mode: Mode,
    job: &JobFile,
    server: &Name,
    sites: &BTreeSet<Name>,
    verdicts: &Verdicts,
) -> Result<BTreeSet<Name>, Refusal> {
    let mut members = sites.clone();
    members.insert(server.clone());
    let proposed = match mode {
        Mode::Block => members.clone(),
        Mode::TrustGraph => graph::largest(job, server, &members, verdicts),
    };
    settle(job, server, &members, &proposed, verdicts)
}

/// The ordered pairs (verifier, subject) of `members` without Accept, each with the code.
pub fn missing(members: &BTreeSet<Name>, verdicts: &Verdicts) -> Vec<(Name, Name, Code)> {
    let of = |verifier| refused(verifier, members, verdicts);
    members
        .iter()
        .flat_map(of)
        .map(|(verifier, subject, code)| (verifier.clone(), subject.clone(), code))
        .collect()
}

/// A pair (verifier, subject) without Accept.
type Edge<'a> = (&'a Name, &'a Name, Code);

/// Those of `subjects` that a verifier has not accepted.
fn refused<'a>(
    verifier: &'a Name,
    subjects: impl IntoIterator<Item = &'a Name>,
    verdicts: &'a Verdicts,
) -> impl Iterator<Item = Edge<'a>> {
    let said = verdicts.get(verifier);
    subjects.into_iter().filter(move |subject| *subject != verifier).filter_map(move |subject| {
        match said.and_then(|said| said.get(subject)) {
            Some(Ok(())) => None,
            Some(Err(finding)) => Some((verifier, subject, finding.code.clone())),
            None => Some((verifier, subject, codes::FL_MEMBER_MISSING)),
        }
    })
}

/// Whoever accepts all that are proposed is admitted, if they are enough: whatever was proposed, each two of the result
/// have accepted each other.
fn settle(
    job: &JobFile,
    server: &Name,
    members: &BTreeSet<Name>,
    proposed: &BTreeSet<Name>,
    verdicts: &Verdicts,
) -> Result<BTreeSet<Name>, Refusal> {
    let by_server: Vec<_> = refused(server, proposed, verdicts).collect();
    if !by_server.is_empty() {
        return Err(Refusal {
            reason: format!("the server {}", not_accepting(&by_server)),
            missing: own(by_server),
        });
    }
    let ready: BTreeSet<Name> = proposed
        .iter()
        .filter(|member| refused(member, proposed, verdicts).next().is_none())
        .cloned()
        .collect();
    let mut declined = BTreeMap::new();
    let mut edges = Vec::new();
    for member in members.difference(&ready) {
        let from: Vec<_> = refused(member, proposed, verdicts).collect();
        // A member that was not proposed may have been left out for what others say of it.
        let to: Vec<_> = if proposed.contains(member) {
            Vec::new()
        } else {
            proposed.iter().flat_map(|verifier| refused(verifier, [member], verdicts)).collect()
        };
        let sides =
            [(!from.is_empty()).then(|| not_accepting(&from)), (!to.is_empty()).then(|| not_accepted(&to))];
        declined.insert(member.clone(), sides.into_iter().flatten().collect::<Vec<_>>().join(" and "));
        edges.extend(from);
        edges.extend(to);
    }
    for site in job.required_sites().difference(members) {
        declined.insert(site.clone(), "took no part in the round".to_owned());
    }
    match job.met_by_ready(server, &ready, &declined) {
        Ok(()) => Ok(ready),
        Err(reason) => Err(Refusal { reason, missing: own(edges) }),
    }
}

fn own(edges: Vec<Edge<'_>>) -> Vec<(Name, Name, Code)> {
    edges.into_iter().map(|(verifier, subject, code)| (verifier.clone(), subject.clone(), code)).collect()
}

fn not_accepting(edges: &[Edge<'_>]) -> String {
    format!("does not accept {}", list(edges.iter().map(|(_, subject, code)| (*subject, code))))
}

fn not_accepted(edges: &[Edge<'_>]) -> String {
    format!("is not accepted by {}", list(edges.iter().map(|(verifier, _, code)| (*verifier, code))))
}

/// Most members that one side of a reason names.
const LISTED: usize = 8;

fn list<'a>(mut edges: impl ExactSizeIterator<Item = (&'a Name, &'a Code)>) -> String {
    let named: Vec<_> = edges.by_ref().take(LISTED).map(|(name, code)| format!("{name}: {code}")).collect();
    match edges.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
