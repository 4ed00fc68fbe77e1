//! The federation of the demo: policies, plugins, kits, and the machines that its guests run on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

use super::cloud::{Cloud, ISSUER};
use super::story;
use crate::run::{Result, capture, read, root, write};

/// The sites; the last one is provisioned, but its kit falls into wrong hands.
pub(super) const SITES: [&str; 7] = ["site-1", "site-2", "site-3", "site-4", GROUP, TOKEN, "site-5"];
/// The two images that the federation's owner allows. Site 2 runs the newer one.
const IMAGE: [&str; 2] = ["a5", "b6"];
/// The site that is a TDX guest.
const TDX: &str = "site-3";
/// The sites that are container groups, the second with a token of the attestation service; all others are SNP guests.
pub(super) const GROUP: &str = "cloud-1";
pub(super) const TOKEN: &str = "cloud-2";
/// What its utility VM measures, all bytes; the endorsement that comes along endorses it.
const UTILITY_VM: &str = "c7";
/// Who endorses utility VMs in the test kit.
const ENDORSER: &str =
    "did:x509:0:sha256:Mv9tY9gdXLIi_mz01nKRFdVhwFWysz_6HgGcNHwxXqA::eku:1.3.6.1.4.1.311.76.59.1.2";

/// The site whose guest has GPUs, and how many.
const GPU: (&str, u8) = ("site-4", 2);
/// Places of measurements that the emulated manifests have values for; all others of the 64 are expected without one.
const REFERENCED: [u8; 7] = [1, 7, 9, 20, 21, 34, 35];

/// What was set up.
pub(super) struct Federation {
    pub(super) folder: PathBuf,
    pub(super) muster: PathBuf,
    pub(super) impostor: PathBuf,
    /// The launch digests of the container groups' names, as soon as they are known.
    groups: [String; 2],
    /// What is around the second one; it ends with the federation.
    cloud: Cloud,
}

impl Federation {
    /// The kit of a participant.
    pub(super) fn kit(&self, name: &str) -> PathBuf {
        self.folder.join("kits").join(name)
    }

    /// Runs `muster` as the administrator and reads its answer.
    pub(super) fn admin(&self, arguments: &[&str]) -> Result<Value> {
        let mut command = Command::new(&self.muster);
        command.args(arguments).arg("--kit").arg(self.kit("alice")).args(["--format", "json"]);
        let text = capture(&mut command)?;
        serde_json::from_str(&text).map_err(|error| format!("{text}: {error}"))
    }

    /// Provisions with a minimum for the microcode of clients.
    pub(super) fn provision(&self, microcode: u8) -> Result<Value> {
        write(&self.folder.join("client.toml"), &self.policy(&[0, 1], microcode)?)?;
        let mut command = Command::new(&self.muster);
        command
            .arg("provision")
            .arg(self.folder.join("federation.toml"))
            .arg("--out")
            .arg(self.folder.join("kits"));
        let text = capture(command.args(["--format", "json"]))?;
        serde_json::from_str(&text).map_err(|error| format!("{text}: {error}"))
    }

    /// What the machine of a participant is at the moment: launch data, and the firmware that an SNP guest's reports.
    pub(super) fn machine(&self, name: &str, init_data: &str, microcode: u8) -> Result<()> {
        let text = if name == TDX {
            format!("mr_config_id = \"{init_data}\"\n")
        } else if [GROUP, TOKEN].contains(&name) {
            // What a group is launched with is its CCE policy, which the owner lists for its name.
            format!("[tcb]\nmicrocode = {microcode}\n")
        } else {
            format!("host_data = \"{init_data}\"\n[tcb]\nmicrocode = {microcode}\n")
        };
        write(&self.folder.join(format!("machines/{name}.toml")), &text)
    }

    /// A policy for emulated Genoa guests with these images, for emulated trust domains with the one that there is, for the
    /// emulated container group, and for the emulated GPUs of a guest.
    fn policy(&self, images: &[usize], microcode: u8) -> Result<String> {
        let images: Vec<String> = images
            .iter()
            .filter_map(|image| IMAGE.get(*image))
            .map(|byte| format!("\"{}\"", byte.repeat(48)))
            .collect();
        let min_tcb = format!("bootloader = 10\ntee = 0\nsnp = 23\nmicrocode = {microcode}\n");
        Ok(format!(
            "version = 1\nprofile = \"development\"\n\n[snp]\nproducts = [\"Genoa\"]\nmeasurements = [{}]\n\
             host_data = \"init-data\"\ncrl_required = true\n\n[snp.min_tcb.Genoa]\n{min_tcb}\n\
             [tdx]\nmin_tcb_eval_num = 18\nmr_config_id = \"init-data\"\n\n\
             [[tdx.images]]\nname = \"site\"\nmr_td = \"{}\"\nrtmr0 = \"{}\"\nrtmr1 = \"{}\"\nrtmr2 = \"{}\"\n\n\
             [aci]\ncce_policy_allowlist = {{ \"{}\" = [\"{}\"] }}\nuvm_min_svn = 101\nuvm_issuer = \"{ENDORSER}\"\n\
             require_cce_policy = true\n\n\
             [aci.snp]\nproducts = [\"Genoa\"]\ncrl_required = true\n\n[aci.snp.min_tcb.Genoa]\n{min_tcb}\n\
             [maa]\nissuers = [\"{ISSUER}\"]\ncce_policy_allowlist = {{ \"{}\" = [\"{}\"] }}\nmeasurements = [\"{}\"]\n\
             uvm_min_svn = 2\nmin_tcb = {{ bootloader = 10, tee = 0, snp = 23, microcode = {microcode} }}\n\n\
             [maa.snp]\nproducts = [\"Genoa\"]\ncrl_required = true\n\n[maa.snp.min_tcb.Genoa]\n{min_tcb}\n\
             [gpu]\ngpu_count = {}\narchs = [\"HOPPER\"]\nmin_driver = \"550.90.07\"\nmin_vbios.HOPPER = \"96.00.9f.00.01\"\n\
             allowed_unreferenced = {:?}\n",
            images.join(", "),
            IMAGE[0].repeat(48),
            "b0".repeat(48),
            "b1".repeat(48),
            "b2".repeat(48),
            self.groups[0],
            cce_policy()?,
            self.groups[1],
            cce_policy()?,
            UTILITY_VM.repeat(48),
            GPU.1,
            (0..64).filter(|place| !REFERENCED.contains(place)).collect::<Vec<u8>>(),
        ))
    }

    /// Writes the policies, of which the owner's comes from the kits, and provisions.
    fn provision_all(&self) -> Result<Value> {
        write(&self.folder.join("server.toml"), &self.policy(&[0], 80)?)?;
        // Site 1 is more careful than the owner: the newer image is not on its list.
        write(&self.folder.join("site-1.toml"), &self.policy(&[0], 80)?)?;
        write(&self.folder.join("site.toml"), &self.policy(&[0, 1], 80)?)?;
        self.provision(80)
    }
}

/// The services around the second container group, whose machine is described for them.
fn cloud(binary: &Path, folder: &Path) -> Result<Cloud> {
    let guest = folder.join("machines/cloud.toml");
    let text = format!(
        "product = \"Genoa\"\nchip = 100\nreport_id = 100\nguest_svn = 2\nmeasurement = \"{}\"\nhost_data = \"{}\"\n",
        UTILITY_VM.repeat(48),
        cce_policy()?
    );
    write(&guest, &text)?;
    Cloud::start(binary, &guest, &folder.join("machines"))
}

/// SHA-256 of what the container groups may run.
fn cce_policy() -> Result<String> {
    let text = read(&root().join("tests/plugins/emulated-aci/policy.rego"))?;
    Ok(hex::encode(digest(&SHA256, text.as_bytes())))
}

/// Makes everything anew in `folder`.
pub(super) fn provision(binaries: &Path, plugins: &Path, folder: &Path) -> Result<Federation> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    story::scene("Provisioning: an owner, a server, sites, and what each may run");
    let cloud = cloud(&binaries.join("azure"), folder)?;
    let mut federation = Federation {
        folder: folder.to_owned(),
        muster: binaries.join("muster"),
        impostor: binaries.join("impostor"),
        groups: ["0".repeat(64), "0".repeat(64)],
        cloud,
    };
    let port = free_port()?;
    let manifest = read(&plugins.join("plugins.toml"))?;
    let manifest = manifest.replace("path = \"", &format!("path = \"{}/", plugins.display()));
    let mut text = format!(
        "version = 1\nname = \"demo\"\nprofile = \"development\"\nplugins = \"machines/server/plugins.toml\"\nadmins = [\"alice\"]\n\n\
         [server]\nlisten = \"127.0.0.1:{port}\"\ndial = \"127.0.0.1:{port}\"\n\n\
         [bundle]\nnot_after_days = 30\n\n\
         [bundle.role.server]\nprofiles = [\"snp-raw-1\"]\npolicy = \"server.toml\"\n\n\
         [bundle.role.client]\nprofiles = [\"snp-raw-1\", \"tdx-quote-1\", \"aci-raw-1\", \"aci-maa-1\"]\npolicy = \"client.toml\"\n\n\
         [scheduler]\nmax_jobs = 4\nmax_schedule_count = 3\nmin_schedule_interval_s = 2\nmax_schedule_interval_s = 4\n\n\
         [participant.server]\nrole = \"server\"\npolicy = \"site.toml\"\nplugins = \"machines/server/plugins.toml\"\n"
    );
    for name in SITES {
        let policy = if name == "site-1" { "site-1.toml" } else { "site.toml" };
        let _ = write!(
            text,
            "\n[participant.{name}]\nrole = \"client\"\norganisation = \"hospital-{name}\"\npolicy = \"{policy}\"\n\
             profile = \"{}\"\nplugins = \"machines/{name}/plugins.toml\"\nresources = {{ gpu = 2 }}\n",
            match name {
                TDX => "tdx-quote-1",
                GROUP => "aci-raw-1",
                TOKEN => "aci-maa-1",
                _ => "snp-raw-1",
            }
        );
        if name == GPU.0 {
            text.push_str("devices = \"nv-spdm-1\"\n");
        }
    }
    for (chip, name) in ["server"].iter().chain(&SITES).enumerate() {
        let image = if *name == "site-2" { IMAGE[1] } else { IMAGE[0] };
        let state = folder.join(format!("machines/{name}.toml"));
        let (library, guest) = if *name == TDX {
            ("libemulated_tdx.so", format!("platform = {chip}, mr_td = \"{}\"", image.repeat(48)))
        } else {
            let guest = |measures: &str| {
                let measurement = measures.repeat(48);
                format!(
                    "product = \"Genoa\", chip = {chip}, report_id = {chip}, measurement = \"{measurement}\""
                )
            };
            if *name == TOKEN {
                ("libemulated_aci.so", String::new())
            } else if *name == GROUP {
                let guest = format!("{}, host_data = \"{}\"", guest(UTILITY_VM), cce_policy()?);
                ("libemulated_aci.so", guest)
            } else {
                ("libemulated_snp.so", guest(image))
            }
        };
        let issuers = format!("maa_issuers = [\"{ISSUER}\"]");
        let aci = "libemulated_aci.so";
        let guest = format!("guest = {{ {guest}, state = {state:?} }}");
        let config = match *name {
            TOKEN => federation.cloud.settings(&folder.join("machines/group.lock")),
            _ => guest,
        };
        let mut manifest = if library == aci {
            with_config(&manifest, aci, &format!("config = {{ {issuers}, {config} }}\n"))
        } else {
            let manifest = with_config(&manifest, aci, &format!("config = {{ {issuers} }}\n"));
            with_config(&manifest, library, &format!("config = {{ {config} }}\n"))
        };
        let fetch = federation.cloud.fetch(&folder.join(format!("machines/{name}-cache")));
        manifest = manifest.replace(
            "# Nobody publishes certificates of synthetic processors: they come with the evidence.\n[fetch]\noffline = true\n",
            &fetch,
        );
        if *name == GPU.0 {
            let config = format!("config = {{ guest = {{ gpus = {} }} }}\n", GPU.1);
            manifest = with_config(&manifest, "libemulated_gpu.so", &config);
        }
        write(&folder.join(format!("machines/{name}/plugins.toml")), &manifest)?;
    }
    write(&folder.join("federation.toml"), &text)?;
    // What a name is launched with is known once the federation is; the group's policy is listed for its name.
    let made = federation.provision_all()?;
    let digest = |of: &str, name: &str| Some(made.get(of)?.get(name)?.as_str()?.to_owned());
    let group = |name| digest("init_data", name).ok_or(format!("{name} has no launch digest"));
    federation.groups = [group(GROUP)?, group(TOKEN)?];
    for name in ["server"].iter().chain(&SITES) {
        // A kit is never changed, only made anew.
        let kit = federation.kit(name);
        std::fs::remove_dir_all(&kit).map_err(|error| format!("{}: {error}", kit.display()))?;
    }
    federation.provision_all()?;
    let init: BTreeMap<String, String> = ["server"]
        .iter()
        .chain(&SITES)
        .filter_map(|name| {
            let of = if *name == TDX { "mr_config_id" } else { "init_data" };
            Some(((*name).to_owned(), digest(of, name)?))
        })
        .collect();
    story::note(&format!("muster provision federation.toml --out kits/  ({} launch digests)", init.len()));
    for (name, digest) in &init {
        federation.machine(name, digest, 84)?;
    }
    write(&folder.join("init_data.json"), &serde_json::to_string(&init).map_err(|error| error.to_string())?)?;
    std::fs::create_dir_all(folder.join("logs")).map_err(|error| error.to_string())?;
    Ok(federation)
}

/// The manifest with a line more in the entry of one library.
fn with_config(manifest: &str, library: &str, config: &str) -> String {
    let entries = manifest.split("[[plugin]]").enumerate().map(|(number, entry)| {
        let head = if number == 0 { "" } else { "[[plugin]]" };
        let more = if entry.contains(library) { config } else { "" };
        format!("{head}{}\n{more}", entry.trim_end())
    });
    entries.collect::<Vec<_>>().join("\n")
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("no free port: {error}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
