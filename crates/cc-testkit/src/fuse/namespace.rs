//! A private mount namespace, in which emulations stand at the true paths without anybody else seeing them.

use std::fs::File;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Where the kernel has the report tree.
pub const REPORT_TREE: &str = "/sys/kernel/config/tsm/report";
/// Where the kernel has the guest device.
pub const GUEST_DEVICE: &str = "/dev/sev-guest";

/// Whether emulations can be mounted here; otherwise why not, for a person.
pub fn available() -> Result<(), String> {
    File::options()
        .read(true)
        .write(true)
        .open("/dev/fuse")
        .map_err(|error| format!("/dev/fuse cannot be opened: {error}"))?;
    on_thread(|| enter().and_then(|()| tmpfs(&std::env::temp_dir())))
        .map_err(|error| format!("no private mount namespace: {error}"))
}

/// Runs `call` on a thread of its own in a private mount namespace. Threads that it starts are in the namespace, too;
/// it ends with the last of them. Panics of `call` are passed on.
pub fn isolated<T: Send>(call: impl FnOnce() -> T + Send) -> T {
    on_thread(|| {
        enter().expect("a private mount namespace; ask `available` first");
        call()
    })
}

/// An empty directory and an empty file at the true paths, to mount emulations on. Only within [`isolated`]: hides the
/// rest of `/sys/kernel` and all of `/dev` but what a program cannot do without.
pub fn true_paths() -> std::io::Result<(PathBuf, PathBuf)> {
    tmpfs(Path::new("/sys/kernel"))?;
    std::fs::create_dir_all(REPORT_TREE)?;

    let staging = tempfile::tempdir()?;
    let staged = staging.path();
    tmpfs(staged)?;
    for node in ["fuse", "null", "urandom"] {
        File::create(staged.join(node))?;
        let from = Path::new("/dev").join(node);
        mount(Some(&from), &staged.join(node), None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    }
    File::create(staged.join("sev-guest"))?;
    mount(Some(staged), "/dev", None::<&str>, MsFlags::MS_MOVE, None::<&str>)?;
    Ok((REPORT_TREE.into(), GUEST_DEVICE.into()))
}

fn on_thread<T: Send>(call: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(call).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

fn enter() -> std::io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    Ok(mount(None::<&str>, "/", None::<&str>, private, None::<&str>)?)
}

fn tmpfs(at: &Path) -> std::io::Result<()> {
    Ok(mount(Some("emulated"), at, Some("tmpfs"), MsFlags::empty(), None::<&str>)?)
}
