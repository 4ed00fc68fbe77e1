//! A loaded plugin, and calls into it. What comes back has been held to the contract.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cc_core::limits::MAX_MESSAGE;
use cc_core::message::{CollectRequest, Collected, Identity, Message, Plan, PlanRequest, VerifyRequest};
use cc_core::{Finding, Profile, Role, codes};

use crate::contract::{self, Answer};
use crate::{Sha256, identity};

/// The calls of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Identify,
    Collect,
    Plan,
    Verify,
}

/// Why a call gave no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    /// The plugin's denial, as it sent it.
    Denied(Vec<u8>),
    /// The answer has this many bytes; it was not read.
    Oversize(usize),
    /// The plugin's process had so long and did not answer; it was ended.
    TimedOut(Duration),
    /// The plugin's process ended before it answered, or could not be started; how.
    Crashed(String),
}

impl CallError {
    /// The finding that the error stands for.
    pub(crate) fn into_finding(self) -> Finding {
        match self {
            Self::Denied(bytes) => contract::denial(&bytes),
            Self::Oversize(size) => {
                contract::broken(format!("answer of {size} bytes, the limit is {MAX_MESSAGE}"))
            }
            Self::TimedOut(within) => {
                Finding::new(codes::PLUG_TIMEOUT, format!("no answer within {} s", within.as_secs()))
            }
            Self::Crashed(how) => Finding::new(codes::PLUG_CRASHED, how),
        }
    }
}

/// Where a plugin runs: byte strings go in, byte strings of at most [`MAX_MESSAGE`] come out.
pub(crate) trait Runner: Send + Sync {
    /// Makes one call; may block.
    fn call(&self, call: Call, request: &[u8]) -> Result<Vec<u8>, CallError>;

    /// Whether `plan` and `verify` wait for somebody else, so that they must not be called where nothing may block.
    fn waits(&self) -> bool;
}

/// A plugin that passed every stage of loading.
pub struct Plugin {
    identity: Identity,
    sha256: Sha256,
    path: PathBuf,
    runner: Box<dyn Runner>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("identity", &self.identity)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Plugin {
    pub(crate) fn new(identity: Identity, sha256: Sha256, path: PathBuf, runner: Box<dyn Runner>) -> Self {
        Self { identity, sha256, path, runner }
    }

    /// Who the plugin says it is; well-formed and allowed by the configuration.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Digest of the library.
    pub const fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// The library.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the plugin has `role` for `profile`.
    pub fn serves(&self, profile: &Profile, role: Role) -> bool {
        self.identity.profiles.iter().any(|info| info.profile == *profile && info.roles.contains(&role))
    }

    /// Asks the plugin once more who it is.
    pub(crate) fn identify(&self) -> Result<Identity, Finding> {
        identity::read(&self.raw(Call::Identify, &[])?)
    }

    /// Obtains evidence from the hardware. Blocks.
    pub(crate) fn collect(&self, request: &CollectRequest) -> Result<Collected, Finding> {
        contract::collected(request, &self.raw(Call::Collect, &request.to_bytes())?)
    }

    /// Which endorsements are missing.
    pub(crate) fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        contract::plan(&self.raw(Call::Plan, &request.to_bytes())?)
    }

    /// Whether evidence is authentic, by the plugin's word. For measuring and testing a plugin; a decision needs
    /// [`crate::verify`].
    pub fn verify(&self, request: &VerifyRequest) -> Result<Answer, Finding> {
        contract::reply(request, &self.raw(Call::Verify, &request.to_bytes())?)
    }

    /// Makes a call of `plan` or `verify` where nothing may block.
    pub(crate) async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        call: impl FnOnce(&Self) -> Result<T, Finding> + Send + 'static,
    ) -> Result<T, Finding> {
        if !self.runner.waits() {
            return call(self);
        }
        let plugin = Arc::clone(self);
        match tokio::task::spawn_blocking(move || call(&plugin)).await {
            Ok(answer) => answer,
            Err(error) => Err(Finding::new(codes::PLUG_PANICKED, format!("the call ended: {error}"))),
        }
    }

    fn raw(&self, call: Call, request: &[u8]) -> Result<Vec<u8>, Finding> {
        self.runner.call(call, request).map_err(CallError::into_finding)
    }
}
