//! Emulated kernel interfaces of a confidential guest (*verification.md* 1.5 and 2.6): the configfs-tsm report tree of
//! an SEV-SNP guest or a trust domain, and `/dev/sev-guest`, over one emulated firmware; `/dev/tdx_guest` by itself.
//!
//! Each interface is a state machine that needs no privileges ([`configfs::ReportTree`], [`sev_guest::Guest`]) and
//! can be driven directly, and a FUSE file system in front of it, at which unmodified programs can be pointed. What
//! a report says is the caller's: the emulators take a closure from REPORT_DATA and VMPL to bytes.
//!
//! FUSE needs `/dev/fuse` and the right to mount: ask [`namespace::available`], and mount inside
//! [`namespace::isolated`] only, so that nothing is left behind in the machine's mount table. Not emulated: service
//! providers (SVSM) of configfs-tsm, derived keys, and the character device itself (the file is a regular one).

pub mod configfs;
pub mod configfs_fs;
pub mod firmware;
mod mounted;
pub mod namespace;
pub mod sev_guest;
pub mod sev_guest_fs;
pub mod tdx_guest_fs;

pub use mounted::Mounted;
