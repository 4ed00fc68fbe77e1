//! The services around a container group, in a process of their own: they are asked over loopback, as the real ones are.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;

use crate::run::{Result, show};

/// The issuer of tokens, by the name that it has on the network; the demo's is asked in its place.
pub(super) const ISSUER: &str = "https://sharedeus2.eus2.attest.azure.net";
/// AMD's key service, likewise.
const KEYS: &str = "kdsintf.amd.com";

/// The running services.
pub(super) struct Cloud {
    process: Child,
    places: Places,
}

/// Where they are.
#[derive(Deserialize)]
struct Places {
    /// Address of the sidecar.
    sidecar: String,
    attestation: Place,
    keys: Place,
}

/// A service with an authority of its own.
#[derive(Deserialize)]
struct Place {
    url: String,
    ca_file: PathBuf,
}

impl Cloud {
    /// Starts them around the group whose machine `guest` describes; certificates are put into `folder`.
    pub(super) fn start(binary: &Path, guest: &Path, folder: &Path) -> Result<Self> {
        let mut command = Command::new(binary);
        command.arg("--guest").arg(guest).arg("--authorities").arg(folder);
        let shown = show(&command);
        let failed = |error: std::io::Error| format!("`{shown}`: {error}");
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let mut line = String::new();
        if let Some(out) = &mut process.stdout {
            BufReader::new(out).read_line(&mut line).map_err(failed)?;
        }
        match serde_json::from_str(&line) {
            Ok(places) => Ok(Self { process, places }),
            Err(error) => {
                let _ = process.kill();
                let _ = process.wait();
                Err(format!("`{shown}` says {line:?}: {error}"))
            }
        }
    }

    /// Settings of a plugin inside the group.
    pub(super) fn settings(&self, lock: &Path) -> String {
        let sidecar = &self.places.sidecar;
        format!(
            "in_group = true, sidecar = \"{sidecar}\", maa_endpoint = \"{ISSUER}\", group_lock = {lock:?}"
        )
    }

    /// The `[fetch]` part of a configuration that asks these services, and remembers their answers in `cache`.
    pub(super) fn fetch(&self, cache: &Path) -> String {
        let endpoint = |host: &str, Place { url, ca_file }: &Place| {
            format!("[[fetch.endpoint]]\nhost = \"{host}\"\nurl = \"{url}\"\nca_file = {ca_file:?}\n")
        };
        let attestation = endpoint(ISSUER.trim_start_matches("https://"), &self.places.attestation);
        format!(
            "# The services of the demo, in the place of the published ones.\n[fetch]\ncache_dir = {cache:?}\n\n{attestation}\n{}",
            endpoint(KEYS, &self.places.keys)
        )
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
