//! Who takes part in a job: from the verdicts of a round to the set that starts, or the reason why none does
//! (*workflow.md* 1.3 rows 6 and 8, 1.5, S5; *verification.md* 5.5 step 7).

use serde::{Deserialize, Serialize};

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
