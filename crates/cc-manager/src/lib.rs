//! The plugin host: loads authorizer plugins, fetches endorsements and runs the verification pipeline.
//!
//! The way of a verification, and where it is written:
//!
//! 1. [`Config`] names the plugins; [`Host::load`] loads them in stages, each with its own `plug.*` code
//!    (`file`: owner, mode, digest, sealed copy; `load`: interface, identity, creation; `selftest`).
//! 2. [`endorsements`] reads what the caller supplies; [`fetch::Fetcher`], the only HTTP client, obtains what the
//!    plugin's plan asks for beyond that.
//! 3. [`verify`] hands everything to the plugin, checks each answer against the contract (`contract`), applies
//!    the rollback floors ([`Floors`]) and compares the binding.
//!
//! A plugin proves what is true; it never decides what is acceptable, and nothing it says is taken on trust
//! where the host can check it. This crate does not depend on any verification code: plugins of this
//! repository have no privilege over a vendor's.
#![forbid(unsafe_code)]

pub mod attest;
mod bound;
pub mod clock;
mod collateral;
mod config;
mod contract;
mod digest;
mod disk;
pub mod endorsements;
mod error;
pub mod fetch;
mod file;
mod floors;
mod host;
mod identity;
mod import;
mod load;
mod pipeline;
mod plugin;
mod selftest;
#[cfg(test)]
mod tests;
mod worker;

pub use config::{Config, Danger, Endpoint, FetchConfig, Isolation, PluginConfig, WorkerLimits};
pub use contract::Answer;
pub use digest::{Sha256, init_data};
pub use error::{LoadError, LoadErrors};
pub use file::SealedFile;
pub use floors::Floors;
pub use host::{Host, Inspection, check, inspect, inspect_sealed};
pub use import::{ImportError, Imported, import};
pub use pipeline::{
    Collection, Expectation, Judged, NoPlugin, PluginInfo, Request, Shown, UsedEndorsement, Verification,
    collect, show, verify,
};
pub use plugin::Plugin;
pub use worker::{WorkerCommand, become_worker};
