//! The plugins of a kit: a manifest is read, every library in it is looked at, and what goes into the kit names the same
//! libraries by absolute paths and by the digests that they have now.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cc_core::{Profile, TrustClass};
use cc_manager::{Config, Isolation, LoadError, PluginConfig, WorkerLimits};
use fed_proto::descriptor::FederationProfile;

use super::Fallible;
use super::federation::wrong;
use super::text::{list, quoted, settings};
use crate::exit::Failure;

/// A manifest that fits the federation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The kit's `plugins.toml`.
    pub(super) text: String,
    /// What its plugins serve.
    pub(super) profiles: BTreeSet<Profile>,
}

/// Reads and judges a manifest. `key` is where `file` names it. Each library is loaded, which runs its code, to hear who
/// it is: an emulated one is refused in a production federation, and so is one that serves other profiles than listed.
pub(super) fn load(file: &Path, key: &str, path: &Path, federation: FederationProfile) -> Fallible<Manifest> {
    let failed = |error: &LoadError| {
        let failure = wrong(file, key, error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    };
    let config = Config::load(path).map_err(|error| failed(&error))?;
    let production = federation == FederationProfile::Production;
    if production && config.danger.allow_emulated {
        let problem = format!("{}: danger.allow_emulated in a production federation", path.display());
        return Err(wrong(file, key, problem));
    }
    for plugin in &config.plugins {
        let found =
            cc_manager::inspect(&plugin.path, &crate::plugin::worker()).map_err(|error| failed(&error))?;
        let at = |problem: String| wrong(file, key, format!("{}: {problem}", plugin.path.display()));
        if found.sha256 != plugin.sha256 {
            let problem = format!("sha256 is {}, the manifest has {}", found.sha256, plugin.sha256);
            return Err(at(problem));
        }
        let listed: BTreeSet<&Profile> = plugin.profiles.iter().collect();
        let served: BTreeSet<&Profile> = found.identity.profiles.iter().map(|info| &info.profile).collect();
        if listed != served {
            return Err(at(format!("serves {}, the manifest lists {}", words(&served), words(&listed))));
        }
        if found.identity.trust_class == TrustClass::Emulated && !config.danger.allow_emulated {
            let problem = "is emulated; that takes a development federation, and danger.allow_emulated in \
                           the manifest";
            return Err(at(problem.to_owned()));
        }
    }
    let profiles = config.plugins.iter().flat_map(|plugin| plugin.profiles.clone()).collect();
    let text = write(&config).map_err(|problem| wrong(file, key, problem))?;
    Ok(Manifest { text, profiles })
}

fn words(profiles: &BTreeSet<&Profile>) -> String {
    profiles.iter().map(|profile| profile.as_str()).collect::<Vec<_>>().join(", ")
}

fn write(config: &Config) -> Result<String, String> {
    let mut text = String::from("version = 1\n");
    for plugin in &config.plugins {
        text.push('\n');
        text.push_str(&entry(plugin)?);
    }
    let fetch = &config.fetch;
    let _ = writeln!(text, "\n[fetch]\noffline = {}\nallow = {}", fetch.offline, list(&fetch.allow));
    if let Some(folder) = &fetch.cache_dir {
        let _ = writeln!(text, "cache_dir = {}", utf8(folder)?);
    }
    for endpoint in &fetch.endpoints {
        let (host, url) = (quoted(&endpoint.host), quoted(&endpoint.url));
        let _ = writeln!(text, "\n[[fetch.endpoint]]\nhost = {host}\nurl = {url}");
        if let Some(ca_file) = &endpoint.ca_file {
            let _ = writeln!(text, "ca_file = {}", utf8(ca_file)?);
        }
    }
    if config.danger.allow_emulated {
        text.push_str("\n[danger]\nallow_emulated = true\n");
    }
    Ok(text)
}

fn entry(plugin: &PluginConfig) -> Result<String, String> {
    let PluginConfig { path, sha256, profiles, isolation, config } = plugin;
    let profiles = list(profiles.iter().map(Profile::as_str));
    let mut text = format!("[[plugin]]\npath = {}\nsha256 = \"{sha256}\"\n", utf8(path)?);
    let _ = writeln!(text, "profiles = {profiles}");
    text.push_str(&match isolation {
        Isolation::InProcess => "isolation = \"in-process\"\n".to_owned(),
        Isolation::Worker(WorkerLimits { deadline, collect_deadline, memory_mib }) => format!(
            "isolation = \"worker\"\nworker = {{ deadline_seconds = {}, collect_deadline_seconds = {}, memory_mib = {memory_mib} }}\n",
            deadline.as_secs(),
            collect_deadline.as_secs(),
        ),
    });
    let settings = settings(config)
        .ok_or_else(|| format!("{}: a setting of a kind that cannot be written", path.display()))?;
    if !settings.is_empty() {
        let _ = writeln!(text, "\n[plugin.config]\n{}", settings.join("\n"));
    }
    Ok(text)
}

fn utf8(path: &Path) -> Result<String, String> {
    path.to_str().map(quoted).ok_or_else(|| format!("{} is not UTF-8", path.display()))
}

/// Manifests that were read before: one for many participants is the rule.
#[derive(Default)]
pub(super) struct Manifests(Vec<(PathBuf, Manifest)>);

impl Manifests {
    /// Reads a manifest once.
    pub(super) fn load(
        &mut self,
        file: &Path,
        key: &str,
        path: &Path,
        federation: FederationProfile,
    ) -> Result<Manifest, Failure> {
        if let Some((_, known)) = self.0.iter().find(|(known, _)| known == path) {
            return Ok(known.clone());
        }
        let manifest = load(file, key, path, federation)?;
        self.0.push((path.to_owned(), manifest.clone()));
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_as_the_same_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plugins.toml");
        let digest = "ab".repeat(32);
        std::fs::write(
            &file,
            format!(
                "version = 1\n[[plugin]]\npath = \"/a \\\"b\\\"/c.so\"\nsha256 = \"{digest}\"\n\
                 profiles = [\"snp-raw-1\", \"tdx-quote-1\"]\n\
                 [plugin.config]\nnumber = 90\n\"a key\" = [\"x\", {{ y = true }}]\n\
                 [plugin.config.table]\ntext = \"a\\\\b\"\n\
                 [[plugin]]\npath = \"/second.so\"\nsha256 = \"{digest}\"\nprofiles = [\"foo-1\"]\n\
                 isolation = \"in-process\"\n\
                 [fetch]\ncache_dir = \"/var/cache\"\noffline = true\nallow = [\"kds.example.org\"]\n\
                 [[fetch.endpoint]]\nhost = \"kdsintf.amd.com\"\nurl = \"https://kds.example.org\"\n\
                 ca_file = \"/etc/ca.pem\"\n[danger]\nallow_emulated = true\n"
            ),
        )
        .unwrap();
        let config = Config::load_file(&file).unwrap();
        let written = folder.path().join("written.toml");
        std::fs::write(&written, write(&config).unwrap()).unwrap();
        assert_eq!(Config::load_file(&written).unwrap(), config);
    }
}
