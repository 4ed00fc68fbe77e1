//! The loaded plugins, and which one serves a profile.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cc_core::message::Identity;
use cc_core::{Claims, Finding, Profile, Role, TrustClass, codes};

use crate::load::{Library, encode};
use crate::plugin::{CallError, Runner};
use crate::{
    Config, Danger, Isolation, LoadError, LoadErrors, Plugin, PluginConfig, SealedFile, Sha256,
    WorkerCommand, WorkerLimits,
};
use crate::{identity, selftest, worker};

/// Every configured plugin, loaded.
#[derive(Clone, Debug)]
pub struct Host {
    plugins: Vec<Arc<Plugin>>,
}

impl Host {
    /// Loads every configured plugin; `worker` starts the processes of those that run in one. If any fails none is used,
    /// and every failure is reported.
    pub fn load(config: &Config, worker: &WorkerCommand) -> Result<Self, LoadErrors> {
        let mut errors = configured_twice(&config.plugins);
        if let Some(errors) = LoadErrors::from_list(std::mem::take(&mut errors)) {
            return Err(errors);
        }
        let mut plugins: Vec<Arc<Plugin>> = Vec::new();
        for entry in &config.plugins {
            let loaded = load(entry, config.danger, worker).and_then(|plugin| {
                no_conflict(&plugin, &plugins)?;
                Ok(plugin)
            });
            match loaded {
                Ok(plugin) => plugins.push(Arc::new(plugin)),
                Err(error) => errors.push(error),
            }
        }
        match LoadErrors::from_list(errors) {
            Some(errors) => Err(errors),
            None => Ok(Self { plugins }),
        }
    }

    /// A host with these plugins, for tests of what is built on it.
    #[cfg(test)]
    pub(crate) fn of(plugins: Vec<Plugin>) -> Self {
        Self { plugins: plugins.into_iter().map(Arc::new).collect() }
    }

    /// The plugins in the order of the configuration.
    pub fn plugins(&self) -> impl Iterator<Item = &Plugin> {
        self.plugins.iter().map(Arc::as_ref)
    }

    /// The plugin that has `role` for `profile`; there is at most one.
    pub(crate) fn serving(&self, profile: &Profile, role: Role) -> Option<&Arc<Plugin>> {
        self.plugins.iter().find(|plugin| plugin.serves(profile, role))
    }
}

/// The stages for one entry of the configuration.
fn load(entry: &PluginConfig, danger: Danger, worker: &WorkerCommand) -> Result<Plugin, LoadError> {
    let at = |finding: Finding| LoadError::of(&entry.path, finding);
    let sealed = SealedFile::read(&entry.path)?;
    sealed.expect(entry.sha256)?;
    let mut opened = Opened::open(sealed, entry.isolation, worker)?;
    let identity = opened.identify()?;
    identity::allowed(&identity, entry, danger).map_err(at)?;
    let plugin = opened.create(identity, &entry.config).map_err(at)?;
    selftest::run(&plugin).map_err(at)?;
    if plugin.identity().trust_class != TrustClass::Hardware {
        tracing::warn!(
            plugin = plugin.identity().name,
            "emulated plugin loaded: what it accepts proves nothing"
        );
    }
    Ok(plugin)
}

/// A library that was opened somewhere, and whose interface fits.
struct Opened {
    path: PathBuf,
    sha256: Sha256,
    place: Place,
}

enum Place {
    Here(Library),
    Worker(worker::Loaded),
}

impl Opened {
    fn open(sealed: SealedFile, isolation: Isolation, command: &WorkerCommand) -> Result<Self, LoadError> {
        let (path, memory, sha256) = sealed.into_parts();
        let place = match isolation {
            Isolation::InProcess => Library::open(memory).map(Place::Here),
            Isolation::Worker(limits) => worker::Loaded::start(memory, command, limits).map(Place::Worker),
        };
        match place {
            Ok(place) => Ok(Self { path, sha256, place }),
            Err(finding) => Err(LoadError::of(&path, finding)),
        }
    }

    fn identify(&mut self) -> Result<Identity, LoadError> {
        let answer = match &mut self.place {
            Place::Here(library) => library.identify(),
            Place::Worker(loaded) => loaded.identify(),
        };
        let answer = answer.map_err(CallError::into_finding).and_then(|bytes| identity::read(&bytes));
        answer.map_err(|finding| LoadError::of(&self.path, finding))
    }

    fn create(self, identity: Identity, settings: &Claims) -> Result<Plugin, Finding> {
        let runner: Box<dyn Runner> = match self.place {
            Place::Here(library) => Box::new(library.create(&encode(settings)?)?),
            Place::Worker(loaded) => Box::new(loaded.create(settings)?),
        };
        Ok(Plugin::new(identity, self.sha256, self.path, runner))
    }
}

fn configured_twice(entries: &[PluginConfig]) -> Vec<LoadError> {
    let mut errors = Vec::new();
    for (i, entry) in entries.iter().enumerate() {
        let earlier = entries.iter().take(i);
        if let Some(other) = earlier.clone().find(|e| e.path == entry.path || e.sha256 == entry.sha256) {
            let what = if other.path == entry.path { "path" } else { "sha256" };
            let detail = format!("the same {what} is configured for {}", other.path.display());
            errors.push(LoadError::new(codes::PLUG_IDENTITY_CONFLICT, &entry.path, detail));
        }
    }
    errors
}

fn no_conflict(plugin: &Plugin, others: &[Arc<Plugin>]) -> Result<(), LoadError> {
    for info in &plugin.identity().profiles {
        for role in &info.roles {
            if let Some(other) = others.iter().find(|other| other.serves(&info.profile, *role)) {
                let detail = format!(
                    "{role} of profile {} is already served by {}",
                    info.profile,
                    other.path().display()
                );
                return Err(LoadError::new(codes::PLUG_IDENTITY_CONFLICT, plugin.path(), detail));
            }
        }
    }
    Ok(())
}

/// What one library says about itself, outside any configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The library.
    pub path: PathBuf,
    /// Its digest, as a configuration would name it.
    pub sha256: Sha256,
    /// Who it says it is.
    pub identity: Identity,
}

/// Loads one library that is not provisioned, in a confined process, and asks who it is.
pub fn inspect(path: &Path, worker: &WorkerCommand) -> Result<Inspection, LoadError> {
    inspect_sealed(SealedFile::read(path)?, worker)
}

/// [`inspect`] for content that was sealed before.
pub fn inspect_sealed(sealed: SealedFile, worker: &WorkerCommand) -> Result<Inspection, LoadError> {
    let mut opened = Opened::open(sealed, Isolation::Worker(WorkerLimits::default()), worker)?;
    let identity = opened.identify()?;
    Ok(Inspection { path: opened.path, sha256: opened.sha256, identity })
}

/// [`inspect`], then creates an authorizer without settings and runs the self-test.
pub fn check(path: &Path, worker: &WorkerCommand) -> Result<Inspection, LoadError> {
    let sealed = SealedFile::read(path)?;
    let mut opened = Opened::open(sealed, Isolation::Worker(WorkerLimits::default()), worker)?;
    let identity = opened.identify()?;
    let at = |finding: Finding| LoadError::of(path, finding);
    let plugin = opened.create(identity, &Claims::new()).map_err(at)?;
    selftest::run(&plugin).map_err(at)?;
    Ok(Inspection {
        path: plugin.path().to_owned(),
        sha256: plugin.sha256(),
        identity: plugin.identity().clone(),
    })
}
