//! The kit of one participant or administrator: made anew, or found on disk and held against what it should be.

use std::path::Path;

use cc_core::UnixTime;
use fed_proto::bundle::SignedBundle;
use fed_proto::enrol::{self, Subject};
use fed_proto::name::Name;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::disk::{self, NewFile};
use super::owner::{BUNDLE, DESCRIPTOR, Decision, Owner, same_key};
use super::plan::Member;

/// Longest file of a kit, in bytes.
const MAX: usize = 2 * 1024 * 1024;
pub(super) const CONFIG: &str = "muster.toml";
const POLICY: &str = "policy.toml";
const PLUGINS: &str = "plugins.toml";
const CERTIFICATE: &str = "enrolment.pem";
const KEY: &str = "enrolment.key";

/// Whose kit it is, and what goes into it apart from key and certificate.
#[derive(Clone, Copy)]
pub(super) enum Holder<'a> {
    Participant(&'a Name, &'a Member),
    /// An administrator, and its `muster.toml`.
    Admin(&'a Name, &'a str),
}

impl<'a> Holder<'a> {
    pub(super) const fn name(self) -> &'a Name {
        match self {
            Self::Participant(name, _) | Self::Admin(name, _) => name,
        }
    }

    /// The word of its role.
    pub(super) const fn role(self) -> &'static str {
        match self {
            Self::Participant(_, member) => member.role.as_str(),
            Self::Admin(..) => "admin",
        }
    }

    fn subject(self) -> Subject {
        match self {
            Self::Participant(name, member) => Subject::Participant { role: member.role, name: name.clone() },
            Self::Admin(name, _) => Subject::Admin { name: name.clone() },
        }
    }

    fn config(self) -> &'a str {
        match self {
            Self::Participant(_, member) => &member.config,
            Self::Admin(_, config) => config,
        }
    }
}

/// What every kit of this run has in common.
pub(super) struct Common<'a> {
    pub(super) owner: &'a Owner,
    pub(super) decision: &'a Decision,
    pub(super) now: UnixTime,
}

impl Common<'_> {
    /// The files of a new kit, with a new key and certificate.
    pub(super) fn make(&self, holder: Holder<'_>) -> Result<Vec<NewFile>, String> {
        let subject = holder.subject();
        let enrolled = self.owner.enrol(&subject, self.now)?;
        self.certified(&[enrolled.der], &subject)?;
        let mut files = vec![
            NewFile::public(CONFIG, holder.config()),
            NewFile::public(DESCRIPTOR, self.owner.descriptor.to_text()),
            NewFile::public(CERTIFICATE, enrolled.pem),
            NewFile::secret(KEY, enrolled.key),
        ];
        if let Holder::Participant(_, member) = holder {
            files.push(NewFile::public(BUNDLE, self.decision.signed.to_bytes()));
            files.push(NewFile::public(POLICY, member.policy.as_str()));
            files.push(NewFile::public(PLUGINS, member.plugins.as_str()));
        }
        Ok(files)
    }

    /// Holds a kit on disk against what it should be. Whether its bundle is an earlier one, which is to be replaced.
    pub(super) fn check(&self, folder: &Path, holder: Holder<'_>) -> Result<bool, String> {
        disk::alone(folder)?;
        same_text(&folder.join(CONFIG), holder.config())?;
        same_text(&folder.join(DESCRIPTOR), &self.owner.descriptor.to_text())?;
        self.check_certificate(folder, &holder.subject())?;
        let Holder::Participant(_, member) = holder else { return Ok(false) };
        same_text(&folder.join(PLUGINS), &member.plugins)?;
        let policy = folder.join(POLICY);
        if member.policy_named {
            same_text(&policy, &member.policy)?;
        } else {
            // The site's own file from the moment that it got it: only read, so that a broken one is noticed.
            let text = disk::read_text(&policy, MAX)?;
            cc_policy::Policy::parse(&text, &policy.display().to_string())
                .map_err(|error| error.to_string())?;
        }
        self.check_bundle(&folder.join(BUNDLE))
    }

    fn check_certificate(&self, folder: &Path, subject: &Subject) -> Result<(), String> {
        let path = folder.join(CERTIFICATE);
        let failed = |problem: String| format!("{}: {problem}", path.display());
        let pem = disk::read(&path, MAX)?;
        let chain: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let chain = chain.map_err(|error| failed(error.to_string()))?;
        let chain: Vec<Vec<u8>> = chain.iter().map(|der| der.to_vec()).collect();
        let key = self.certified(&chain, subject).map_err(failed)?;
        let path = folder.join(KEY);
        same_key(&disk::read_secret(&path, MAX)?, &key)
            .map_err(|problem| format!("{}: {problem}", path.display()))
    }

    /// A certificate that enrols exactly this subject under the bundle of this run, now.
    fn certified(
        &self,
        chain: &[Vec<u8>],
        subject: &Subject,
    ) -> Result<fed_proto::crypto::PublicKey, String> {
        let Self { owner, decision, now } = self;
        let (found, key) = enrol::certified(&owner.descriptor, &decision.bundle, chain, *now)
            .map_err(|finding| finding.to_string())?;
        if found != *subject {
            return Err(format!("is {found}'s, expected {subject}"));
        }
        Ok(key)
    }

    fn check_bundle(&self, path: &Path) -> Result<bool, String> {
        let bytes = disk::read(path, MAX)?;
        let failed = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
        let signed = SignedBundle::from_bytes(&bytes).ok_or_else(|| failed(&"not a signed bundle"))?;
        if signed == self.decision.signed {
            return Ok(false);
        }
        let earlier = signed
            .open(&self.owner.descriptor, None, UnixTime::from_secs(0))
            .map_err(|finding| failed(&finding))?;
        let version = self.decision.bundle.version;
        if earlier.version >= version {
            return Err(failed(&format_args!(
                "another bundle of version {}, the owner's is {version}",
                earlier.version
            )));
        }
        Ok(true)
    }
}

/// Fails with the first line that differs.
fn same_text(path: &Path, wanted: &str) -> Result<(), String> {
    let found = disk::read_text(path, MAX)?;
    if found == wanted {
        return Ok(());
    }
    // With their ends: texts that differ have lines that differ, so that the search comes to an end.
    let differing = (1..).zip(lines(&found).zip(lines(wanted))).find(|(_, (found, wanted))| found != wanted);
    let (line, (found, wanted)) = differing.unwrap_or((0, (None, None)));
    let shown = |line: Option<&str>| match line {
        Some(line) => format!("`{}`", line.trim_end_matches('\n')),
        None => "nothing".to_owned(),
    };
    Err(format!("{}:{line}: {} on disk, {} wanted", path.display(), shown(found), shown(wanted)))
}

/// The lines of a text, and then no more of them for ever.
fn lines(text: &str) -> impl Iterator<Item = Option<&str>> {
    text.split_inclusive('\n').map(Some).chain(std::iter::repeat(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "a\nb\n").unwrap();
        assert_eq!(same_text(&path, "a\nb\n"), Ok(()));
        for (wanted, told) in [
            ("a\nc\n", ":2: `b` on disk, `c` wanted"),
            ("a\n", ":2: `b` on disk, nothing wanted"),
            ("a\nb\nc\n", ":3: nothing on disk, `c` wanted"),
            ("a\nb", ":2: `b` on disk, `b` wanted"),
            ("", ":1: `a` on disk, nothing wanted"),
        ] {
            let error = same_text(&path, wanted).unwrap_err();
            assert!(error.ends_with(told), "{error}");
        }
    }
}
