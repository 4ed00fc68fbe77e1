//! The owner's folder beside the kits: keys, enrolment CA, descriptor and the bundle in force. Made once; afterwards only
//! the bundle ever changes.

use std::path::Path;

use cc_core::UnixTime;
use fed_proto::bundle::{Bundle, SignedBundle};
use fed_proto::crypto::{PublicKey, Signature};
use fed_proto::descriptor::Descriptor;
use fed_proto::enrol::Subject;
use serde::Deserialize;

use super::disk::{self, NewFile};
use super::keys::{AUTHORITY_LIFETIME, Authority, Enrolled, OwnerKey, certificate, public_of};
use super::plan::Plan;

/// Longest file of the folder, in bytes.
const MAX: usize = 2 * 1024 * 1024;
const OWNER_KEY: &str = "owner.key";
const CA_KEY: &str = "ca.key";
const CA: &str = "ca.pem";
pub(super) const DESCRIPTOR: &str = "descriptor.toml";
pub(super) const BUNDLE: &str = "bundle.cbor";
/// The signed text, for people.
const BUNDLE_TEXT: &str = "bundle.toml";
/// What provisioning has to remember.
const MEMORY: &str = "provision.toml";

/// The owner of a federation, in possession of its keys.
pub(super) struct Owner {
    pub(super) descriptor: Descriptor,
    /// When the federation was first provisioned.
    pub(super) created: UnixTime,
    key: OwnerKey,
    authority: Authority,
    in_force: Option<InForce>,
}

/// The bundle on disk.
struct InForce {
    signed: SignedBundle,
    bundle: Bundle,
    /// `bundle.toml` as it is.
    text: String,
}

/// The bundle of this run.
pub(super) struct Decision {
    pub(super) signed: SignedBundle,
    pub(super) bundle: Bundle,
    /// Whether it is a new one.
    pub(super) is_new: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    version: u32,
    created: String,
}

impl Owner {
    /// The owner of a new federation.
    pub(super) fn generate(plan: &Plan, now: UnixTime) -> Result<Self, String> {
        let mut random = [0; 16];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| "no randomness".to_owned())?;
        let key = OwnerKey::generate().map_err(|error| error.to_string())?;
        let authority = Authority::generate(&random, now).map_err(|error| error.to_string())?;
        let descriptor = Descriptor {
            name: plan.name.clone(),
            random,
            owner: key.public().ok_or("the owner's key is not 32 bytes")?,
            enrolment_cas: vec![authority.der.clone()],
            profile: plan.profile,
            server: plan.server.clone(),
        };
        // Its rules for names hold for what the owner wrote.
        Descriptor::parse(&descriptor.to_text())
            .map_err(|error| format!("{}: {error}", plan.file.display()))?;
        Ok(Self { descriptor, created: now, key, authority, in_force: None })
    }

    /// The owner of the federation in this folder, if it is the one of the plan and all its parts belong together.
    pub(super) fn load(folder: &Path, plan: &Plan) -> Result<Self, String> {
        disk::alone(folder)?;
        let at = |file: &str, problem: &dyn std::fmt::Display| {
            format!("{}: {problem}", folder.join(file).display())
        };
        let text = disk::read_text(&folder.join(DESCRIPTOR), MAX)?;
        let descriptor = Descriptor::parse(&text).map_err(|error| at(DESCRIPTOR, &error))?;
        if descriptor.to_text() != text {
            return Err(at(DESCRIPTOR, &"was changed by hand"));
        }
        same_federation(&descriptor, plan).map_err(|problem| at(DESCRIPTOR, &problem))?;

        let memory: Memory = toml::from_str(&disk::read_text(&folder.join(MEMORY), MAX)?)
            .map_err(|error| at(MEMORY, &error.message()))?;
        let created = UnixTime::parse(&memory.created).filter(|_| memory.version == 1);
        let created = created.ok_or_else(|| at(MEMORY, &"not of version 1, or without an instant"))?;

        let key = OwnerKey::from_pem(&disk::read_secret(&folder.join(OWNER_KEY), MAX)?)
            .map_err(|problem| at(OWNER_KEY, &problem))?;
        if key.public() != Some(descriptor.owner) {
            return Err(at(OWNER_KEY, &"is not the key of the descriptor's owner"));
        }
        let ca = disk::read_text(&folder.join(CA), MAX)?;
        let der = certificate(&ca).map_err(|problem| at(CA, &problem))?;
        if descriptor.enrolment_cas != [der.clone()] {
            return Err(at(CA, &"is not the descriptor's one enrolment CA"));
        }
        let ca_key = disk::read_secret(&folder.join(CA_KEY), MAX)?;
        let authority = Authority::from_parts(&descriptor.random, ca, der, &ca_key)
            .map_err(|problem| at(CA_KEY, &problem))?;
        let in_force = Self::in_force(folder, &descriptor)?;
        Ok(Self { descriptor, created, key, authority, in_force: Some(in_force) })
    }

    fn in_force(folder: &Path, descriptor: &Descriptor) -> Result<InForce, String> {
        let path = folder.join(BUNDLE);
        let failed = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
        let signed = SignedBundle::from_bytes(&disk::read(&path, MAX)?)
            .ok_or_else(|| failed(&"not a signed bundle"))?;
        // One that has ended still says which version comes next.
        let bundle =
            signed.open(descriptor, None, UnixTime::from_secs(0)).map_err(|finding| failed(&finding))?;
        let text = disk::read_text(&folder.join(BUNDLE_TEXT), MAX)?;
        Ok(InForce { signed, bundle, text })
    }

    /// The bundle in force if it is what the plan says, otherwise the next one.
    pub(super) fn decide(&self, plan: &Plan, folder: &Path, now: UnixTime) -> Result<Decision, String> {
        let federation_id = self.descriptor.federation_id();
        let wanted = |version| plan.bundle.bundle(federation_id, version, self.created);
        let decision = match &self.in_force {
            None => self.sign(wanted(1))?,
            Some(InForce { signed, bundle, .. }) if *bundle == wanted(bundle.version) => {
                Decision { signed: signed.clone(), bundle: bundle.clone(), is_new: false }
            }
            Some(InForce { bundle, .. }) => {
                let next =
                    bundle.version.checked_add(1).ok_or("there is no bundle version after this one")?;
                self.sign(wanted(next))?
            }
        };
        // Written before the bundle itself: after an interruption it may be the text of the next one.
        if let Some(InForce { bundle, text, .. }) = &self.in_force
            && *text != bundle.to_text()
            && *text != decision.bundle.to_text()
        {
            let path = folder.join(BUNDLE_TEXT);
            return Err(format!(
                "{}: was changed by hand; what the owner signs is changed in {}",
                path.display(),
                plan.file.display()
            ));
        }
        if now >= decision.bundle.not_after {
            let end = decision.bundle.not_after;
            return Err(format!(
                "{}: `bundle.not_after`: the bundle ended {end}, it is {now}",
                plan.file.display()
            ));
        }
        Ok(decision)
    }

    fn sign(&self, bundle: Bundle) -> Result<Decision, String> {
        // A signature that was not made is one that does not verify.
        let none = Signature([0; 64]);
        let signed = SignedBundle::sign(&bundle.to_text(), |bytes| self.key.sign(bytes).unwrap_or(none));
        match signed.open(&self.descriptor, None, UnixTime::from_secs(0)) {
            Ok(opened) if opened == bundle => Ok(Decision { signed, bundle, is_new: true }),
            Ok(_) => Err("the bundle does not read as it was written".to_owned()),
            Err(finding) => Err(finding.to_string()),
        }
    }

    /// The files of a new owner's folder.
    pub(super) fn files(&self, decision: &Decision) -> Vec<NewFile> {
        let memory = format!(
            "# Written by `muster provision`, for its next run.\nversion = 1\ncreated = \"{}\"\n",
            self.created
        );
        vec![
            NewFile::secret(OWNER_KEY, self.key.to_pem()),
            NewFile::secret(CA_KEY, self.authority.key_pem()),
            NewFile::public(CA, self.authority.pem()),
            NewFile::public(DESCRIPTOR, self.descriptor.to_text()),
            NewFile::public(BUNDLE_TEXT, decision.bundle.to_text()),
            NewFile::public(BUNDLE, decision.signed.to_bytes()),
            NewFile::public(MEMORY, memory),
        ]
    }

    /// Replaces the bundle of a folder that is there: the text first, see [`Self::decide`].
    pub(super) fn replace_bundle(folder: &Path, decision: &Decision) -> Result<(), String> {
        disk::replace(&folder.join(BUNDLE_TEXT), decision.bundle.to_text().as_bytes())?;
        disk::replace(&folder.join(BUNDLE), &decision.signed.to_bytes())
    }

    /// Whether `bundle.toml` has to be written although the bundle stays.
    pub(super) fn text_is_behind(&self, decision: &Decision) -> bool {
        self.in_force.as_ref().is_some_and(|in_force| in_force.text != decision.bundle.to_text())
    }

    /// Enrols somebody: a new key with its certificate.
    pub(super) fn enrol(&self, subject: &Subject, now: UnixTime) -> Result<Enrolled, String> {
        let end = UnixTime::from_secs(self.created.as_secs().saturating_add(AUTHORITY_LIFETIME));
        self.authority.enrol(subject, now, end).map_err(|error| error.to_string())
    }
}

fn same_federation(descriptor: &Descriptor, plan: &Plan) -> Result<(), String> {
    for (key, found, wanted) in [
        ("name", descriptor.name.as_str(), plan.name.as_str()),
        ("profile", descriptor.profile.as_str(), plan.profile.as_str()),
        ("server", descriptor.server.as_str(), plan.server.as_str()),
    ] {
        if found != wanted {
            return Err(format!(
                "{key} is {found:?}, {} has {wanted:?}; it is part of what the federation is and cannot change",
                plan.file.display()
            ));
        }
    }
    Ok(())
}

/// The key of a kit and the one of its certificate are one.
pub(super) fn same_key(pem: &str, certified: &PublicKey) -> Result<(), String> {
    if public_of(pem)? == *certified { Ok(()) } else { Err("is not the key of enrolment.pem".to_owned()) }
}
