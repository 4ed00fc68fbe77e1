//! What administrators ask and are answered: JSON inside one frame, over mutual TLS, with an administrator's certificate.

use serde::{Deserialize, Serialize};

/// A request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// The sites and the server.
    Status,
    /// A new job.
    JobSubmit {
        /// The job file.
        file: String,
    },
    /// All jobs.
    JobList,
    /// One job with everything that is known of it.
    JobShow {
        /// Its identity, the beginning of it, or the name of the latest job that has it.
        job: String,
    },
    /// End a job.
    JobAbort {
        /// As in [`Request::JobShow`].
        job: String,
        /// For the job's history.
        reason: String,
    },
    /// The owner's newer bundle.
    BundlePublish {
        /// `bundle.cbor` in hexadecimal.
        bundle: String,
    },
}

/// An answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Response {
    /// To [`Request::Status`].
    Status(Status),
    /// To [`Request::JobSubmit`].
    Submitted {
        /// The job's identity.
        id: String,
        /// Its name.
        name: String,
    },
    /// To [`Request::JobList`].
    Jobs {
        /// Oldest first.
        jobs: Vec<JobSummary>,
    },
    /// To [`Request::JobShow`].
    Job(Box<JobDetail>),
    /// To [`Request::JobAbort`].
    Aborted {
        /// The job's identity.
        id: String,
    },
    /// To [`Request::BundlePublish`].
    Published {
        /// Its version.
        version: u64,
    },
    /// The request was refused.
    Refused {
        /// A stable code, where there is one.
        code: Option<String>,
        /// For people.
        text: String,
    },
}

/// The federation as the server sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The server's name.
    pub server: String,
    /// The federation's identity, hexadecimal.
    pub federation_id: String,
    /// `production` or `development`; in the latter nothing proves anything.
    pub profile: String,
    /// The bundle in force.
    pub bundle_version: u64,
    /// How long a verdict stands, in seconds.
    pub verdict_lifetime_s: u64,
    /// The sites on the roster.
    pub sites: Vec<SiteStatus>,
}

/// A site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SiteStatus {
    /// Its name.
    pub name: String,
    /// Whether a proven connection stands.
    pub connected: bool,
    /// `trusted`, `grace`, `suspended` or `evicted`.
    pub standing: String,
    /// Why it is not trusted.
    pub code: Option<String>,
    /// The same for people.
    pub reason: Option<String>,
    /// Seconds until the server's last Accept of it expires.
    pub expires_in_s: u64,
}

/// A job in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobSummary {
    /// Its identity.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its status, in NVFlare's words.
    pub status: String,
    /// When it was submitted, RFC 3339.
    pub submitted: String,
    /// Attempts so far.
    pub attempts: u32,
    /// Who runs or ran a process of it.
    pub sites: Vec<String>,
}

/// Everything about a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobDetail {
    /// As in a list.
    #[serde(flatten)]
    pub summary: JobSummary,
    /// Why it ended other than by completing.
    pub reason: Option<String>,
    /// One line per attempt.
    pub history: Vec<String>,
    /// Every participant's process.
    pub processes: Vec<ProcessDetail>,
    /// For each verifier and subject its word in the latest round of the job.
    pub verdicts: Vec<VerdictDetail>,
}

/// A process of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProcessDetail {
    /// Where.
    pub name: String,
    /// `waiting`, `running`, `completed`, `failed`, `abnormal`, `refused` or `stopped`.
    pub state: String,
}

/// One verdict.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerdictDetail {
    /// The round.
    pub epoch: u64,
    /// Who judged.
    pub verifier: String,
    /// Whom.
    pub subject: String,
    /// Nothing if accepted.
    pub code: Option<String>,
    /// For people.
    pub detail: String,
    /// The line of the policy that decided, where the verifier is the server itself: others sign codes only.
    pub policy_line: String,
}
