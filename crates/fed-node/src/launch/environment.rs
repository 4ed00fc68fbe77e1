//! The variables of a job's environment.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use fed_proto::job::{App, JobId};
use fed_proto::name::Name;

/// What a job has of its agent's environment.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// Names the file with the grant.
const GRANT: &str = "MUSTER_GRANT";
/// Names the job's folder, in which the program starts.
pub(super) const JOB_DIR: &str = "MUSTER_JOB_DIR";
/// The job's identity.
const JOB_ID: &str = "MUSTER_JOB_ID";
/// The site's name.
const SITE: &str = "MUSTER_SITE";

/// The only variable of the process that becomes a job; the job does not have it.
pub(super) const STARTER: &str = "MUSTER_JOB_STARTER";

/// What jobs get of this process's environment: `PATH`, `HOME`, `LANG` and `TZ`.
pub fn inherited() -> Vec<(OsString, OsString)> {
    INHERITED.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))).collect()
}

/// The whole environment of a job's program; of two values of one name the later one holds.
pub(super) fn of_job(
    common: &[(OsString, OsString)],
    app: &App,
    job: &JobId,
    site: &Name,
    folder: &Path,
    grant: &Path,
) -> Vec<(OsString, OsString)> {
    let own = [
        (GRANT, grant.as_os_str()),
        (JOB_DIR, folder.as_os_str()),
        (JOB_ID, OsStr::new(job.as_str())),
        (SITE, OsStr::new(site.as_str())),
    ];
    let apps = app.env.iter().map(|(name, value)| (name.into(), value.into()));
    let own = own.into_iter().map(|(name, value)| (name.into(), value.to_owned()));
    common.iter().cloned().chain(apps).chain(own).collect()
}
