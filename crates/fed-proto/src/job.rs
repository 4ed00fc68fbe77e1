//! Jobs: the file that describes one, its identity, and where it can run (*workflow.md* S4 to S6).
//!
//! A job file is data of its submitter. It is read strictly and says nothing about who is trusted: that is decided
//! per attempt, in [`crate::admission`].

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use smol_str::SmolStr;

pub use file::JobError;

use crate::admission::Mode;
use crate::crypto::Digest;
use crate::name::Name;
use crate::tlv::Tlv;

/// What a site must set aside for a job: amounts by name of the resource.
pub type Resources = BTreeMap<String, u64>;

/// The identity of a submission: 64 lower-case hex digits (*verification.md* 5.2, tag 10).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(SmolStr);

/// A text is not the identity of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a job id: 64 lower-case hex digits")]
pub struct InvalidJobId;

impl JobId {
    /// Checks a text.
    pub fn parse(text: &str) -> Result<Self, InvalidJobId> {
        Digest::parse(text).map(|_| Self(text.into())).ok_or(InvalidJobId)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The identity of a submission of `file` with 16 fresh random bytes: the same file submitted twice is two jobs, and
/// whoever has the file and the bytes can recompute which job it is (*verification.md* 5.2, tag 10; 5.5 step 4).
pub fn job_id(federation_id: &Digest, nonce: &[u8; 16], file: &[u8]) -> JobId {
    let digest = Tlv::new(b"MUSTER-JOB\0").field(1, &federation_id.0).field(2, nonce).field(3, file).sha256();
    JobId(SmolStr::from(digest.to_string()))
}

/// Which app runs where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deploy {
    /// `@ALL`: one app, at every client that is online and at the server.
    All {
        /// The app.
        app: Name,
    },
    /// Each of these sites runs this app.
    Sites(BTreeMap<Name, Name>),
}

/// A file that belongs to a job, named by its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef {
    /// Its name in the job's directory: letters, digits, `.`, `_` and `-`, starting with a letter or digit.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// What a site runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Program and arguments; never empty.
    pub command: Vec<String>,
    /// Variables added to the program's environment; none starts with `MUSTER_`.
    pub env: BTreeMap<String, String>,
    /// Data that the program reads.
    pub inputs: Vec<FileRef>,
    /// Code that came with the job: refused by a site whose allow-list lacks it.
    pub code: Vec<FileRef>,
}

/// What a job wants instead of the server's retry limits; never more than they allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// Attempts before the job ends as `FINISHED:CAN_NOT_SCHEDULE`.
    pub max_schedule_count: Option<u32>,
    /// Wait after the first attempt.
    pub min_schedule_interval: Option<Duration>,
    /// Longest wait between attempts.
    pub max_schedule_interval: Option<Duration>,
}

/// A job file that has been read and found consistent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFile {
    name: Name,
    deploy: Deploy,
    min_sites: u32,
    required_sites: BTreeSet<Name>,
    resources: BTreeMap<Name, Resources>,
    retry: Retry,
    apps: BTreeMap<Name, App>,
    admission: Mode,
}

impl JobFile {
    /// The longest job file, in bytes.
    pub const MAX: usize = 256 * 1024;

    /// Reads a job file (TOML).
    pub fn parse(text: &str) -> Result<Self, JobError> {
        file::parse(text)
    }

    /// What people call the job.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Which app runs where.
    pub fn deploy(&self) -> &Deploy {
        &self.deploy
    }

    /// How many clients it needs at least, 1 to 1 000 000.
    pub fn min_sites(&self) -> u32 {
        self.min_sites
    }

    /// Clients without which it does not run.
    pub fn required_sites(&self) -> &BTreeSet<Name> {
        &self.required_sites
    }

    /// What this site must set aside; nothing unless stated.
    pub fn resources(&self, site: &Name) -> Resources {
        self.resources.get(site).cloned().unwrap_or_default()
    }

    /// What it wants instead of the server's retry limits.
    pub fn retry(&self) -> &Retry {
        &self.retry
    }

    /// How its participants are chosen.
    pub fn admission(&self) -> Mode {
        self.admission
    }

    /// The apps by name; each is deployed somewhere.
    pub fn apps(&self) -> &BTreeMap<Name, App> {
        &self.apps
    }

    /// What this participant runs, with the app's name; `None` if the deploy map does not name it.
    pub fn app_of(&self, participant: &Name) -> Option<(&Name, &App)> {
        let name = match &self.deploy {
            Deploy::All { app } => app,
            Deploy::Sites(sites) => sites.get(participant)?,
        };
        self.apps.get_key_value(name)
    }

    /// Whether code came with the job ("bring your own code").
    pub fn is_byoc(&self) -> bool {
        self.apps.values().any(|app| !app.code.is_empty())
    }

    /// The clients of `online` that the deploy map names (S4). The server is implicit and in neither.
    pub fn applicable(&self, online: &BTreeSet<Name>) -> BTreeSet<Name> {
        online.iter().filter(|site| self.app_of(site).is_some()).cloned().collect()
    }

    /// Whether this many clients, with `present` among the participants, are enough to begin with; otherwise why not,
    /// in the words of S5. `sites` does not count the server, `present` knows it.
    pub fn met_by(&self, sites: usize, present: impl Fn(&Name) -> bool) -> Result<(), String> {
        if let Some(site) = self.required_sites.iter().find(|site| !present(site)) {
            return Err(format!("missing required site {site}"));
        }
        if !self.enough(sites) {
            return Err(format!("connected sites ({sites}) < min_sites ({})", self.min_sites));
        }
        Ok(())
    }

    /// Whether those that were invited and are ready are enough; otherwise why not, in the words of S5. `declined` has
    /// the reasons of the others. The server, if named, is ready and no site.
    pub fn met_by_ready(
        &self,
        server: &Name,
        ready: &BTreeSet<Name>,
        declined: &BTreeMap<Name, String>,
    ) -> Result<(), String> {
        let sites = ready.iter().filter(|site| *site != server).count();
        if !self.enough(sites) {
            let mut text = format!(
                "not enough sites have enough resources (ok sites {sites} < min sites {})",
                self.min_sites
            );
            if !declined.is_empty() {
                let details: Vec<_> = declined.iter().map(|(site, why)| format!("{site}: {why}")).collect();
                text.push_str(". Details: ");
                text.push_str(&details.join("; "));
            }
            return Err(text);
        }
        let missing: Vec<_> =
            self.required_sites.iter().filter(|site| *site != server && !ready.contains(*site)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let named: Vec<_> = missing.iter().map(|site| format!("'{site}'")).collect();
        let details: String = missing
            .iter()
            .map(|site| format!("{site}:{};", declined.get(*site).map_or("", String::as_str)))
            .collect();
        Err(format!("required sites: [{}] don't have enough resources. Details: {details}", named.join(", ")))
    }

    /// Whether that many clients are at least `min_sites`.
    pub(crate) fn enough(&self, sites: usize) -> bool {
        u32::try_from(sites).unwrap_or(u32::MAX) >= self.min_sites
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn job(keys: &str) -> JobFile {
        let text = format!(
            "version = 1\nname = \"job\"\n{keys}\n[deploy]\napp = [\"@ALL\"]\n[app.app]\ncommand = [\"run\"]\n"
        );
        JobFile::parse(&text).unwrap()
    }

    #[test]
    fn met_by_in_the_words_of_s5() {
        let two = job("min_sites = 2\nrequired_sites = [\"site-2\", \"site-1\"]");
        assert_eq!(two.met_by(2, |_| true), Ok(()));
        assert_eq!(two.met_by(3, |_| true), Ok(()));
        assert_eq!(two.met_by(usize::MAX, |_| true), Ok(()));
        assert_eq!(two.met_by(1, |_| true), Err("connected sites (1) < min_sites (2)".to_owned()));
        assert_eq!(
            two.met_by(9, |site| *site != name("site-2")),
            Err("missing required site site-2".to_owned())
        );
        assert_eq!(two.met_by(0, |_| false), Err("missing required site site-1".to_owned()));
        assert_eq!(job("").met_by(0, |_| true), Err("connected sites (0) < min_sites (1)".to_owned()));
    }

    #[test]
    fn met_by_ready_in_the_words_of_s5() {
        let check = |job: &JobFile, ready: &[&str], declined: &[(&str, &str)]| {
            let ready = ready.iter().map(|site| name(site)).collect();
            let declined = declined.iter().map(|(site, why)| (name(site), (*why).to_owned())).collect();
            job.met_by_ready(&name("server"), &ready, &declined)
        };
        let refused = |text: &str| Err(text.to_owned());
        let two = job("min_sites = 2\nrequired_sites = [\"server\", \"site-1\", \"site-2\"]");
        assert_eq!(check(&two, &["server", "site-1", "site-2"], &[("site-3", "no gpu")]), Ok(()));
        assert_eq!(check(&two, &["site-1", "site-2"], &[]), Ok(()));
        assert_eq!(
            check(&two, &["server", "site-1"], &[]),
            refused("not enough sites have enough resources (ok sites 1 < min sites 2)")
        );
        assert_eq!(
            check(&two, &["site-1"], &[("site-2", "no gpu"), ("site-3", "no cpu")]),
            refused(
                "not enough sites have enough resources (ok sites 1 < min sites 2). \
                 Details: site-2: no gpu; site-3: no cpu"
            )
        );
        assert_eq!(
            check(
                &two,
                &["site-3", "site-4"],
                &[("site-1", "no gpu"), ("site-2", "no cpu"), ("site-5", "no")]
            ),
            refused(
                "required sites: ['site-1', 'site-2'] don't have enough resources. \
                 Details: site-1:no gpu;site-2:no cpu;"
            )
        );
        assert_eq!(
            check(&two, &["site-1", "site-3"], &[]),
            refused("required sites: ['site-2'] don't have enough resources. Details: site-2:;")
        );
    }
}
