//! The text form of a bundle, version 1: what is read, why it is refused, and how it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::time::Duration;

use cc_core::{Profile, UnixTime};
use serde::Deserialize;

use super::{Bundle, NameBinding, RoleFloor, RosterEntry, SignedBundle};
use crate::crypto::Digest;
use crate::descriptor::quoted;
use crate::name::Name;
use crate::role::Role;

const VERSION: u32 = 1;
const LIFETIMES: std::ops::RangeInclusive<u64> = 10..=3600;
const MAX_ORGANISATION: usize = 128;

/// Why a text is not a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleError {
    /// Not TOML of the expected form.
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// Longer than [`SignedBundle::MAX`].
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A value that is not allowed.
    Value {
        /// Its key, with its tables.
        key: String,
        /// What it must be.
        wanted: &'static str,
    },
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { line, message } => write!(f, "line {line}: {message}"),
            Self::TooLong { length } => {
                write!(f, "{length} bytes, at most {} are allowed", SignedBundle::MAX)
            }
            Self::Value { key, wanted } => write!(f, "{key}: must be {wanted}"),
        }
    }
}

impl std::error::Error for BundleError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    federation_id: String,
    bundle_version: u64,
    not_after: String,
    chip_quota: Option<u32>,
    verdict_lifetime_s: Option<u64>,
    #[serde(default)]
    revoked_names: Vec<Name>,
    #[serde(default)]
    revoked_certificates: Vec<String>,
    #[serde(default)]
    role: BTreeMap<Role, RawRole>,
    #[serde(default)]
    member: BTreeMap<Name, RawMember>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRole {
    profiles: Vec<String>,
    policy: String,
    #[serde(default)]
    name_binding: NameBinding,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMember {
    role: Role,
    organisation: Option<String>,
    #[serde(default)]
    replaceable: bool,
}

fn wrong(key: impl Into<String>, wanted: &'static str) -> BundleError {
    BundleError::Value { key: key.into(), wanted }
}

impl Bundle {
    /// How many guests an organisation may have on one chip, unless the bundle says otherwise.
    pub const DEFAULT_CHIP_QUOTA: u32 = 1;
    /// How long a verdict stands, unless the bundle says otherwise.
    pub const DEFAULT_VERDICT_LIFETIME: Duration = Duration::from_secs(600);

    /// Reads the text form, version 1, strictly.
    pub fn parse(text: &str) -> Result<Self, BundleError> {
        if text.len() > SignedBundle::MAX {
            return Err(BundleError::TooLong { length: text.len() });
        }
        let raw: Raw = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.bytes().take(start).filter(|&byte| byte == b'\n').count().saturating_add(1);
            BundleError::Syntax { line, message: error.message().to_owned() }
        })?;
        if raw.version != VERSION {
            return Err(wrong("version", "1, the version of the format"));
        }
        if raw.bundle_version == 0 {
            return Err(wrong("bundle_version", "at least 1"));
        }
        let lifetime = raw.verdict_lifetime_s.unwrap_or(Self::DEFAULT_VERDICT_LIFETIME.as_secs());
        if !LIFETIMES.contains(&lifetime) {
            return Err(wrong("verdict_lifetime_s", "from 10 to 3600"));
        }
        let chip_quota = raw.chip_quota.unwrap_or(Self::DEFAULT_CHIP_QUOTA);
        if chip_quota == 0 {
            return Err(wrong("chip_quota", "at least 1"));
        }
        if raw.role.is_empty() {
            return Err(wrong("role", "a table with at least one role"));
        }
        let roles = each(raw.role, floor)?;
        let members = each(raw.member, |name, raw| member(name, raw, &roles))?;
        Ok(Self {
            federation_id: digest("federation_id", &raw.federation_id)?,
            version: raw.bundle_version,
            not_after: UnixTime::parse(&raw.not_after)
                .ok_or_else(|| wrong("not_after", "an instant like \"2030-01-01T00:00:00Z\""))?,
            revoked_names: distinct("revoked_names", raw.revoked_names.into_iter().map(Ok))?,
            revoked_certificates: distinct(
                "revoked_certificates",
                raw.revoked_certificates.iter().map(|text| digest("revoked_certificates", text)),
            )?,
            roles,
            members,
            chip_quota,
            verdict_lifetime: Duration::from_secs(lifetime),
        })
    }

    /// The text form, every default spelt out: the same bundle always has the same text.
    pub fn to_text(&self) -> String {
        let mut text = format!("version = {VERSION}\n");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "federation_id = \"{}\"", self.federation_id);
        let _ = writeln!(text, "bundle_version = {}", self.version);
        let _ = writeln!(text, "not_after = \"{}\"", self.not_after);
        let _ = writeln!(text, "chip_quota = {}", self.chip_quota);
        let _ = writeln!(text, "verdict_lifetime_s = {}", self.verdict_lifetime.as_secs());
        list(&mut text, "revoked_names", &self.revoked_names);
        list(&mut text, "revoked_certificates", &self.revoked_certificates);
        for (role, floor) in &self.roles {
            let _ = writeln!(text, "\n[role.{role}]");
            list(&mut text, "profiles", &floor.profiles);
            let _ = writeln!(text, "name_binding = \"{}\"", floor.name_binding.as_str());
            let _ = writeln!(text, "policy = {}", multi_line(&floor.policy));
        }
        for (name, entry) in &self.members {
            // Quoted: a name may have dots.
            let _ = writeln!(text, "\n[member.\"{name}\"]");
            let _ = writeln!(text, "role = \"{}\"", entry.role);
            let _ = writeln!(text, "organisation = {}", quoted(&entry.organisation));
            let _ = writeln!(text, "replaceable = {}", entry.replaceable);
        }
        text
    }
}

fn each<K: Ord, R, T>(
    raw: BTreeMap<K, R>,
    read: impl Fn(&K, R) -> Result<T, BundleError>,
) -> Result<BTreeMap<K, T>, BundleError> {
    raw.into_iter().map(|(key, raw)| read(&key, raw).map(|value| (key, value))).collect()
}

fn floor(role: &Role, raw: RawRole) -> Result<RoleFloor, BundleError> {
    let key = format!("role.{role}.profiles");
    let profiles: Option<Vec<Profile>> = raw.profiles.iter().map(|name| Profile::parse(name)).collect();
    let profiles = profiles.ok_or_else(|| wrong(&key, "names of evidence profiles, like \"snp-raw-1\""))?;
    let different: BTreeSet<&Profile> = profiles.iter().collect();
    if profiles.is_empty() || different.len() != profiles.len() {
        return Err(wrong(&key, "at least one profile, each once"));
    }
    Ok(RoleFloor { profiles, policy: raw.policy, name_binding: raw.name_binding })
}

fn member(
    name: &Name,
    raw: RawMember,
    roles: &BTreeMap<Role, RoleFloor>,
) -> Result<RosterEntry, BundleError> {
    if !roles.contains_key(&raw.role) {
        return Err(wrong(format!("member.{name}.role"), "a role that the bundle has a [role] table for"));
    }
    let organisation = raw.organisation.unwrap_or_else(|| name.to_string());
    let controls = organisation.chars().any(char::is_control);
    if organisation.is_empty() || organisation.len() > MAX_ORGANISATION || controls {
        let wanted = "1 to 128 bytes without control characters";
        return Err(wrong(format!("member.{name}.organisation"), wanted));
    }
    Ok(RosterEntry { role: raw.role, organisation, replaceable: raw.replaceable })
}

fn digest(key: &str, text: &str) -> Result<Digest, BundleError> {
    Digest::parse(text).ok_or_else(|| wrong(key, "64 lower-case hexadecimal digits"))
}

fn distinct<T: Ord>(
    key: &str,
    items: impl Iterator<Item = Result<T, BundleError>>,
) -> Result<BTreeSet<T>, BundleError> {
    let mut set = BTreeSet::new();
    for item in items {
        if !set.insert(item?) {
            return Err(wrong(key, "a list without repetitions"));
        }
    }
    Ok(set)
}

/// A list of words that need no escapes.
fn list<T: fmt::Display>(text: &mut String, key: &str, items: impl IntoIterator<Item = T>) {
    let items: Vec<String> = items.into_iter().map(|item| format!("\"{item}\"")).collect();
    let _ = writeln!(text, "{key} = [{}]", items.join(", "));
}

/// A TOML string that people can read if it can be one.
fn multi_line(text: &str) -> String {
    let plain = |c: char| matches!(c, '\n' | '\t') || !c.is_control();
    if text.chars().all(plain) && !text.contains("'''") && !text.ends_with('\'') {
        format!("'''\n{text}'''")
    } else {
        quoted(text)
    }
}
