//! What `federation.toml` means: every value checked against every other, and the texts of the kits. Nothing is written,
//! and nothing of what is on disk already is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cc_core::{Profile, SECONDS_PER_DAY, UnixTime};
use cc_manager::Sha256;
use cc_policy::Policy;
use fed_proto::bundle::{Bundle, RoleFloor, RosterEntry};
use fed_proto::crypto::Digest;
use fed_proto::descriptor::FederationProfile;
use fed_proto::name::Name;
use fed_proto::role::Role;

use super::federation::{BundleSettings, Federation, Floor, Participant, wrong};
use super::manifest::{Manifest, Manifests};
use super::text::{list, quoted};
use super::{Fallible, disk};
use crate::exit::Failure;

/// What compares launch data, for each section that a policy may have.
const LAUNCH_DATA: &str = "host_data = \"init-data\" in [snp], mr_config_id = \"init-data\" in [tdx], and \
                           cce_policy_allowlist as a table by init-data in [aci] and [maa]";

/// Longest policy, in bytes.
const MAX_POLICY: usize = 1024 * 1024;
/// Folder of the owner beside the kits.
pub(super) const OWNER: &str = "owner";

/// A federation whose parts fit together.
#[derive(Debug)]
pub(super) struct Plan {
    /// Where it was read from, for messages.
    pub(super) file: PathBuf,
    pub(super) name: String,
    pub(super) profile: FederationProfile,
    pub(super) server: Name,
    pub(super) bundle: BundlePlan,
    pub(super) participants: BTreeMap<Name, Member>,
    /// Administrators, with their `muster.toml`.
    pub(super) admins: BTreeMap<Name, String>,
}

/// What goes into a participant's kit, apart from keys and certificates.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) role: Role,
    /// `muster.toml`.
    pub(super) config: String,
    /// `policy.toml`.
    pub(super) policy: String,
    /// Whether the owner names that policy, instead of handing out the role's for a start.
    pub(super) policy_named: bool,
    /// `plugins.toml`.
    pub(super) plugins: String,
}

/// The bundle that the owner wants, but for what only the disk knows.
#[derive(Debug)]
pub(super) struct BundlePlan {
    end: End,
    bundle: Bundle,
}

/// When the bundle ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    At(UnixTime),
    /// Counted from the first provisioning.
    Days(u32),
}

impl BundlePlan {
    /// The bundle of this version, in a federation that was first provisioned at `created`.
    pub(super) fn bundle(&self, federation_id: Digest, version: u64, created: UnixTime) -> Bundle {
        let not_after = match self.end {
            End::At(end) => end,
            End::Days(days) => {
                let seconds = u64::from(days).saturating_mul(SECONDS_PER_DAY);
                UnixTime::from_secs(created.as_secs().saturating_add(seconds))
            }
        };
        Bundle { federation_id, version, not_after, ..self.bundle.clone() }
    }
}

/// Reads everything that the federation names and checks it.
pub(super) fn make(file: &Path, federation: &Federation) -> Fallible<Plan> {
    let context = Context { file, federation };
    context.addresses()?;
    let server = context.names()?;
    let floors = context.floors()?;
    let bundle = context.bundle(&federation.bundle, floors.clone())?;
    let mut manifests = Manifests::default();
    // Also where every participant has its own: a path that leads nowhere is a mistake.
    manifests.load(file, "plugins", &context.path(&federation.plugins), federation.profile)?;
    let mut participants = BTreeMap::new();
    for (name, participant) in &federation.participant {
        let member = context.member(name, participant, &floors, &mut manifests)?;
        participants.insert(name.clone(), member);
    }
    let admin = |name: &Name| {
        let dial = quoted(&federation.server.dial);
        (name.clone(), format!("version = 1\nname = \"{name}\"\nrole = \"admin\"\nserver = {dial}\n"))
    };
    Ok(Plan {
        file: file.to_owned(),
        name: federation.name.clone(),
        profile: federation.profile,
        server,
        bundle,
        participants,
        admins: federation.admins.iter().map(admin).collect(),
    })
}

struct Context<'a> {
    file: &'a Path,
    federation: &'a Federation,
}

impl Context<'_> {
    fn wrong(&self, key: &str, problem: impl std::fmt::Display) -> Failure {
        wrong(self.file, key, problem)
    }

    /// A path of the file, which is relative to the file's folder.
    fn path(&self, path: &Path) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    fn addresses(&self) -> Fallible<()> {
        let addresses = &self.federation.server;
        for (key, text, least) in
            [("server.listen", &addresses.listen, 0), ("server.dial", &addresses.dial, 1)]
        {
            let port = text.rsplit_once(':').filter(|(host, _)| {
                !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic()) && text.len() <= 262
            });
            let digits = |port: &&str| port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.map(|(_, port)| port).filter(digits).and_then(|port| port.parse::<u16>().ok());
            if port.is_none_or(|port| port < least) {
                return Err(self.wrong(key, format!("{text:?} is not host:port")));
            }
        }
        Ok(())
    }

    /// The server's name, once every name is somebody's and only one's.
    fn names(&self) -> Fallible<Name> {
        let federation = self.federation;
        let servers: Vec<&Name> = federation
            .participant
            .iter()
            .filter(|(_, participant)| participant.role == Role::Server)
            .map(|(name, _)| name)
            .collect();
        let server = match servers.as_slice() {
            [server] => (*server).clone(),
            [] => return Err(self.wrong("participant", "none has the role server")),
            [first, second, ..] => {
                let problem = format!("the server is {first}, there is only one");
                return Err(self.wrong(&format!("participant.{second}.role"), problem));
            }
        };
        let mut admins = BTreeSet::new();
        for name in &federation.admins {
            if federation.participant.contains_key(name) || !admins.insert(name) {
                return Err(self.wrong("admins", format!("{name} is taken")));
            }
        }
        for name in federation.participant.keys().chain(admins) {
            if name.as_str() == OWNER {
                return Err(self.wrong(name.as_str(), "is the name of the owner's own folder"));
            }
            if federation.bundle.revoked_names.contains(name) {
                let problem = format!("{name} is revoked and still a participant or administrator");
                return Err(self.wrong("bundle.revoked_names", problem));
            }
        }
        Ok(server)
    }

    /// The floor of every role that occurs.
    fn floors(&self) -> Fallible<BTreeMap<Role, RoleFloor>> {
        let mut floors = BTreeMap::new();
        for (role, floor) in &self.federation.bundle.role {
            floors.insert(*role, self.floor(*role, floor)?);
        }
        Ok(floors)
    }

    fn floor(&self, role: Role, floor: &Floor) -> Fallible<RoleFloor> {
        let key = format!("bundle.role.{role}.profiles");
        let mut profiles = Vec::new();
        for name in &floor.profiles {
            profiles.push(self.profile(&key, name)?);
        }
        if !profiles.is_empty() && profiles.iter().all(Profile::is_device) {
            return Err(self.wrong(&key, "there must be a profile of a processor"));
        }
        let key = format!("bundle.role.{role}.policy");
        let (text, policy) = self.policy(&key, &floor.policy)?;
        let binding = floor.name_binding;
        if binding.needs_launch_data() && !policy.needs_init_data() {
            let problem = format!(
                "name_binding = \"{}\" needs {LAUNCH_DATA} of {}",
                binding.as_str(),
                self.path(&floor.policy).display()
            );
            return Err(self.wrong(&key, problem).hint(
                "where operators cannot set launch data, say name_binding = \"enrolment\" for the role",
            ));
        }
        if !binding.needs_launch_data() && policy.needs_init_data() {
            let problem = format!(
                "\"init-data\" in {} admits nobody with name_binding = \"enrolment\"",
                self.path(&floor.policy).display()
            );
            return Err(self.wrong(&key, problem));
        }
        Ok(RoleFloor { profiles, policy: text, name_binding: binding })
    }

    fn profile(&self, key: &str, name: &str) -> Fallible<Profile> {
        Profile::parse(name).ok_or_else(|| self.wrong(key, format!("{name:?} is not the name of a profile")))
    }

    /// The evidence that a participant's processor shows.
    fn processor(&self, key: &str, participant: &Participant, floor: &RoleFloor) -> Fallible<Profile> {
        let role = participant.role;
        let allowed: Vec<&Profile> = floor.profiles.iter().filter(|profile| !profile.is_device()).collect();
        match (&participant.profile, allowed.as_slice()) {
            (Some(name), allowed) => {
                let profile = self.profile(key, name)?;
                if profile.is_device() {
                    let problem =
                        format!("{profile} comes with a processor's evidence: name it in `devices`");
                    return Err(self.wrong(key, problem));
                }
                if !allowed.contains(&&profile) {
                    let problem = format!("{profile} is not in bundle.role.{role}.profiles");
                    return Err(self.wrong(key, problem));
                }
                Ok(profile)
            }
            (None, [only]) => Ok(Profile::clone(only)),
            (None, _) => Err(self.wrong(key, format!("must be one of bundle.role.{role}.profiles"))),
        }
    }

    /// The evidence that a participant's devices show: what its role requires, or what it says.
    fn devices(&self, key: &str, participant: &Participant, floor: &RoleFloor) -> Fallible<Option<Profile>> {
        let required = floor.profiles.iter().find(|profile| profile.is_device());
        let Some(name) = &participant.devices else { return Ok(required.cloned()) };
        let profile = self.profile(key, name)?;
        if !profile.is_device() {
            return Err(self.wrong(key, format!("{profile} is of a processor: name it in `profile`")));
        }
        Ok(Some(profile))
    }

    /// A policy's text, and what it says. Only a development federation has development policies.
    fn policy(&self, key: &str, path: &Path) -> Fallible<(String, Policy)> {
        let path = self.path(path);
        let text = disk::read_text(&path, MAX_POLICY).map_err(|problem| self.wrong(key, problem))?;
        let policy = Policy::parse(&text, &path.display().to_string()).map_err(|error| {
            let failure = self.wrong(key, &error);
            match error.code.info() {
                Some(info) => failure.hint(info.hint),
                None => failure,
            }
        })?;
        if self.federation.profile == FederationProfile::Production && policy.profile() != "production" {
            let problem =
                format!("{} is a development policy, the federation is for production", path.display());
            return Err(self.wrong(key, problem));
        }
        Ok((text, policy))
    }

    fn member(
        &self,
        name: &Name,
        participant: &Participant,
        floors: &BTreeMap<Role, RoleFloor>,
        manifests: &mut Manifests,
    ) -> Fallible<Member> {
        let key = |key: &str| format!("participant.{name}.{key}");
        let role = participant.role;
        if !matches!(role, Role::Server | Role::Client) {
            return Err(self.wrong(&key("role"), format!("kits are made for server and client, not {role}")));
        }
        let floor = floors
            .get(&role)
            .ok_or_else(|| self.wrong(&key("role"), format!("there is no [bundle.role.{role}]")))?;
        let profile = self.processor(&key("profile"), participant, floor)?;
        let devices = self.devices(&key("devices"), participant, floor)?;
        let manifest = match &participant.plugins {
            Some(path) => {
                manifests.load(self.file, &key("plugins"), &self.path(path), self.federation.profile)?
            }
            None => {
                let path = self.path(&self.federation.plugins);
                manifests.load(self.file, "plugins", &path, self.federation.profile)?
            }
        };
        self.served(name, &manifest, floors)?;
        if let Some(text) = participant.allow_code.iter().find(|text| Sha256::parse(text).is_none()) {
            return Err(self.wrong(&key("allow_code"), format!("{text:?} is not a SHA-256 in hexadecimal")));
        }
        if role != Role::Client && participant.resources.is_some() {
            return Err(self.wrong(&key("resources"), "jobs reserve resources of clients only"));
        }
        let policy = match &participant.policy {
            Some(path) => {
                let (text, policy) = self.policy(&key("policy"), path)?;
                let measured = floors.values().all(|floor| floor.name_binding.needs_launch_data());
                if measured && !policy.needs_init_data() {
                    let path = self.path(path);
                    let problem = format!(
                        "{} does not compare launch data ({LAUNCH_DATA}), which every role's name_binding needs",
                        path.display()
                    );
                    return Err(self.wrong(&key("policy"), problem));
                }
                text
            }
            None => floor.policy.clone(),
        };
        Ok(Member {
            role,
            config: self.config(name, participant, &profile, devices.as_ref()),
            policy,
            policy_named: participant.policy.is_some(),
            plugins: manifest.text,
        })
    }

    /// Everybody verifies everybody: a kit without a plugin for some role's profile would admit nobody of that role, and
    /// one that cannot judge devices nobody who shows them.
    fn served(&self, name: &Name, manifest: &Manifest, floors: &BTreeMap<Role, RoleFloor>) -> Fallible<()> {
        for (other, participant) in &self.federation.participant {
            if let Some(devices) = &participant.devices
                && !manifest.profiles.iter().any(|profile| profile.as_str() == devices)
            {
                let problem = format!("no plugin of {name} serves {devices} of participant.{other}.devices");
                return Err(self.wrong(&format!("participant.{name}.plugins"), problem));
            }
        }
        for (role, floor) in floors {
            if let Some(profile) = floor.profiles.iter().find(|profile| !manifest.profiles.contains(profile))
            {
                let problem = format!("no plugin of {name} serves {profile} of bundle.role.{role}.profiles");
                return Err(self.wrong(&format!("participant.{name}.plugins"), problem));
            }
        }
        Ok(())
    }

    /// `muster.toml`.
    fn config(
        &self,
        name: &Name,
        participant: &Participant,
        profile: &Profile,
        devices: Option<&Profile>,
    ) -> String {
        let addresses = &self.federation.server;
        let server = match participant.role {
            Role::Server => &addresses.listen,
            _ => &addresses.dial,
        };
        let mut text = format!("version = 1\nname = \"{name}\"\nrole = \"{}\"\n", participant.role);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "server = {}\nprofile = \"{profile}\"\ndata = \"data\"", quoted(server));
        if let Some(devices) = devices {
            let _ = writeln!(text, "devices = \"{devices}\"");
        }
        let _ = writeln!(text, "\n[attestation]\non_failure = \"{}\"", participant.on_failure.as_str());
        if let Some(resources) = &participant.resources {
            text.push_str("\n[resources]\n");
            for (resource, amount) in resources {
                let _ = writeln!(text, "{} = {amount}", quoted(resource));
            }
        }
        let _ =
            writeln!(text, "\n[jobs]\ninputs = \"inputs\"\nallow_code = {}", list(&participant.allow_code));
        if participant.role == Role::Server {
            let scheduler = &self.federation.scheduler;
            text.push_str("\n[scheduler]\n");
            for (key, value) in [
                ("max_jobs", scheduler.max_jobs.or(Some(PROVISIONED_MAX_JOBS))),
                ("max_schedule_count", scheduler.max_schedule_count),
                ("min_schedule_interval_s", scheduler.min_schedule_interval_s),
                ("max_schedule_interval_s", scheduler.max_schedule_interval_s),
            ] {
                if let Some(value) = value {
                    let _ = writeln!(text, "{key} = {value}");
                }
            }
        }
        text
    }

    fn bundle(&self, settings: &BundleSettings, roles: BTreeMap<Role, RoleFloor>) -> Fallible<BundlePlan> {
        let end = match (&settings.not_after, settings.not_after_days) {
            (Some(text), None) => UnixTime::parse(text).map(End::At).ok_or_else(|| {
                self.wrong("bundle.not_after", "not an instant like \"2030-01-01T00:00:00Z\"")
            })?,
            (None, Some(days)) => End::Days(days),
            _ => {
                let problem = "exactly one of not_after and not_after_days is needed";
                return Err(self.wrong("bundle.not_after", problem));
            }
        };
        let mut revoked_certificates = BTreeSet::new();
        for text in &settings.revoked_certificates {
            let digest = Sha256::parse(text).ok_or_else(|| {
                self.wrong("bundle.revoked_certificates", format!("{text:?} is not a SHA-256 in hexadecimal"))
            })?;
            revoked_certificates.insert(Digest(*digest.as_bytes()));
        }
        let lifetime = settings.verdict_lifetime_s.map(|seconds| Duration::from_secs(seconds.into()));
        let bundle = Bundle {
            federation_id: Digest([0; 32]),
            version: 1,
            not_after: UnixTime::from_secs(0),
            revoked_names: settings.revoked_names.clone(),
            revoked_certificates,
            roles,
            members: self.roster(),
            chip_quota: settings.chip_quota.unwrap_or(Bundle::DEFAULT_CHIP_QUOTA),
            verdict_lifetime: lifetime.unwrap_or(Bundle::DEFAULT_VERDICT_LIFETIME),
        };
        // The format's own rules, for ranges and lengths.
        match Bundle::parse(&bundle.to_text()) {
            Ok(_) => Ok(BundlePlan { end, bundle }),
            Err(error) => Err(Failure::new(format!("{}: bundle: {error}", self.file.display()))),
        }
    }

    /// Who is not its own organisation, or replaceable. Everybody else need not be on the signed roster, so that a site
    /// can be added without a new bundle for all.
    fn roster(&self) -> BTreeMap<Name, RosterEntry> {
        let mut roster = BTreeMap::new();
        for (name, participant) in &self.federation.participant {
            let organisation = participant.organisation.clone().unwrap_or_else(|| name.to_string());
            if organisation != name.as_str() || participant.replaceable {
                let (role, replaceable) = (participant.role, participant.replaceable);
                roster.insert(name.clone(), RosterEntry { role, organisation, replaceable });
            }
        }
        roster
    }
}

/// *workflow.md* S1: provisioned servers run four jobs at a time.
const PROVISIONED_MAX_JOBS: u32 = 4;
