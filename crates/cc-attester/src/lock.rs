//! The lock file of the host's collectors.
//!
//! Whoever has the advisory lock on it may ask the device. It holds the time of the last request: nanoseconds since the
//! host started, 8 bytes, little-endian. Other content means that there was none.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;

/// The lock, until it is dropped.
pub(crate) struct Lock(File);

/// What became of an attempt.
pub(crate) enum Taken {
    /// It is ours.
    Ours(Lock),
    /// Another collector has it.
    Elsewhere,
    /// The file cannot be created, opened or locked.
    Impossible,
}

impl Lock {
    /// Tries to take the lock. The file is for its owner alone, so that nobody else can hold the lock.
    pub(crate) fn take(path: &Path) -> Taken {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Ok(file) = open(path, flags, Mode::RUSR | Mode::WUSR).map(File::from) else {
            return Taken::Impossible;
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Taken::Ours(Self(file)),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Taken::Elsewhere,
            Err(_) => Taken::Impossible,
        }
    }

    /// When a request last started or ended.
    pub(crate) fn last(&self) -> Option<Duration> {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, 0).ok()?;
        Some(Duration::from_nanos(u64::from_le_bytes(bytes)))
    }

    /// Notes that a request started or ended at `now`.
    pub(crate) fn record(&self, now: Duration) {
        // Without the note the next process paces its own requests still.
        let _ = self.0.write_all_at(&u64::try_from(now.as_nanos()).unwrap_or(0).to_le_bytes(), 0);
    }
}
