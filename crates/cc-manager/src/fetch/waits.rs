//! Until when hosts asked to be left alone, kept between runs: `waits.json` in the cache folder.
//!
//! By the wall clock, since no other one goes on between runs. What is damaged is as good as absent: the host then
//! says again how long to wait.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cc_core::UnixTime;
use serde::{Deserialize, Serialize};

use crate::disk;

/// Largest file, in bytes.
const MAX_FILE: usize = 64 * 1024;

/// The file of the waits.
#[derive(Debug)]
pub(super) struct Waits(PathBuf);

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    /// For each host the second since 1970 from which on it may be asked.
    not_before: BTreeMap<String, u64>,
}

impl Waits {
    pub(super) fn new(folder: &Path) -> Self {
        Self(folder.join("waits.json"))
    }

    /// The waits that are not over, from `now` on.
    pub(super) fn read(&self, now: UnixTime) -> impl Iterator<Item = (String, Duration)> + use<> {
        let left = move |until: u64| until.checked_sub(now.as_secs()).filter(|left| *left > 0);
        let stored = self.stored().into_iter();
        stored.filter_map(move |(host, until)| Some((host, Duration::from_secs(left(until)?))))
    }

    /// Keeps that `host` wants to be left alone for as long as `wait` from `now` on.
    pub(super) fn keep(&self, host: &str, wait: Duration, now: UnixTime) -> std::io::Result<()> {
        if let Some(folder) = self.0.parent() {
            disk::create_folder(folder)?;
        }
        let mut not_before = self.stored();
        not_before.retain(|_, until| *until > now.as_secs());
        let until = not_before.entry(host.to_owned()).or_default();
        *until = now.as_secs().saturating_add(wait.as_secs()).max(*until);
        disk::replace(&self.0, &serde_json::to_vec_pretty(&Stored { version: 1, not_before })?)
    }

    fn stored(&self) -> BTreeMap<String, u64> {
        let stored = disk::read(&self.0, MAX_FILE).ok();
        let stored = stored.and_then(|bytes| serde_json::from_slice::<Stored>(&bytes).ok());
        stored.filter(|stored| stored.version == 1).unwrap_or_default().not_before
    }
}
