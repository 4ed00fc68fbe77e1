//! What a worker may do. It gives everything else up itself, before the first instruction of the plugin.
//!
//! In order: limits of memory and of what a crash leaves behind; a filter that refuses new sockets, programs, signals to
//! others and meddling with other processes; Landlock, which closes the memory of processes outside and leaves a verifier
//! the system's libraries to read; then the library is loaded; for a verifier at last a filter that leaves it memory, its connection and its own end. Refused
//! calls fail with EPERM. Whatever of this the kernel does not have ends the worker: nothing is confined half.

use std::collections::BTreeMap;
use std::path::Path;

use cc_core::{Finding, codes};
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};

use super::Kind;

/// Where the dynamic linker finds what a library needs.
const LIBRARIES: [&str; 7] =
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/etc/ld.so.cache"];

/// System calls that a worker of either kind is refused.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_io_uring_setup,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_send_signal,
];

/// System calls that a verifier keeps whatever their arguments: memory, waiting, randomness, signals of its own.
const KEPT: &[libc::c_long] = &[
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_restart_syscall,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_close,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Before the library is loaded.
pub(super) fn before_loading(kind: Kind, memory_mib: u64) -> Result<(), Finding> {
    let bytes = memory_mib.saturating_mul(1024 * 1024);
    for (resource, limit) in [(Resource::As, bytes), (Resource::Core, 0)] {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })
            .map_err(|error| unavailable(format!("limit of {resource:?}: {error}")))?;
    }
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    // The signal that abort raises is for this process.
    refused.insert(libc::SYS_tgkill, vec![compare(SeccompCmpOp::Ne, 0, std::process::id())?]);
    filter(refused, SeccompAction::Allow, SeccompAction::Errno(EPERM))?;
    restrict(kind)
}

/// After the library was loaded.
pub(super) fn after_loading(kind: Kind) -> Result<(), Finding> {
    match kind {
        Kind::Collector => return Ok(()),
        Kind::Verifier => {}
    }
    let mut kept: BTreeMap<i64, Vec<SeccompRule>> = KEPT.iter().map(|call| (*call, Vec::new())).collect();
    // Descriptor 0 is the connection, 2 the messages for people. Descriptors that were passed on by mistake are of no
    // use.
    kept.insert(libc::SYS_read, vec![equal(0, 0)?]);
    kept.insert(libc::SYS_write, vec![equal(0, 0)?, equal(0, 2)?]);
    kept.insert(libc::SYS_writev, vec![equal(0, 2)?]);
    // Memory, but of no file.
    kept.insert(libc::SYS_mmap, vec![equal(4, u32::MAX)?]);
    // The signal that abort raises.
    kept.insert(libc::SYS_tgkill, vec![equal(0, std::process::id())?]);
    filter(kept, SeccompAction::Errno(EPERM), SeccompAction::Allow)
}

#[expect(clippy::as_conversions, reason = "a small positive constant of libc, whose types are fixed")]
const EPERM: u32 = libc::EPERM as u32;

fn equal(argument: u8, value: u32) -> Result<SeccompRule, Finding> {
    compare(SeccompCmpOp::Eq, argument, value)
}

/// A rule on one argument of a call, of which 32 bits count.
fn compare(how: SeccompCmpOp, argument: u8, value: u32) -> Result<SeccompRule, Finding> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how, u64::from(value))
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(|error| unavailable(error.to_string()))
}

/// Installs a filter for all threads: `matched` for the calls in `rules`, `others` for all others.
fn filter(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    others: SeccompAction,
    matched: SeccompAction,
) -> Result<(), Finding> {
    let architecture = std::env::consts::ARCH.try_into();
    let program = architecture
        .and_then(|architecture| SeccompFilter::new(rules, others, matched, architecture))
        .and_then(BpfProgram::try_from)
        .map_err(|error| unavailable(error.to_string()))?;
    apply_filter_all_threads(&program).map_err(|error| unavailable(format!("seccomp: {error}")))
}

/// Landlock: whoever is in such a domain cannot look into processes outside it. For a verifier besides, nothing but the
/// system's libraries can be opened, and those only to be read and mapped; a collector may open files, and start none.
fn restrict(kind: Kind) -> Result<(), Finding> {
    let (required, wanted) = match kind {
        Kind::Verifier => (AccessFs::from_all(ABI::V1), AccessFs::from_all(ABI::V6)),
        Kind::Collector => (AccessFs::Execute.into(), AccessFs::Execute.into()),
    };
    let readable = match kind {
        Kind::Verifier => &LIBRARIES[..],
        Kind::Collector => &[],
    };
    let restricted = (|| {
        Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(required)?
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(wanted)?
            .handle_access(AccessNet::from_all(ABI::V6))?
            .scope(Scope::from_all(ABI::V6))?
            .create()?
            .add_rules(path_beneath_rules(readable.iter().map(Path::new), AccessFs::from_read(ABI::V1)))?
            .restrict_self()
    })();
    match restricted {
        Ok(status) if status.ruleset != RulesetStatus::NotEnforced && status.no_new_privs => Ok(()),
        Ok(status) => Err(unavailable(format!("Landlock: {:?}", status.ruleset))),
        Err(error) => Err(unavailable(format!("Landlock: {error}"))),
    }
}

fn unavailable(detail: String) -> Finding {
    Finding::new(codes::PLUG_CONFINEMENT_UNAVAILABLE, detail)
}
