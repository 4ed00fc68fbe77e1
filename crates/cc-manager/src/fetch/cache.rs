//! Fetched objects on disk: content under its digest, and for each address which content it had and when.
//!
//! ```text
//! objects/<sha256 of the body or of its issuer chain>
//! index/<sha256 of the address>.json
//! ```
//!
//! Nothing in here is trusted: content is compared with its digest when it is read, and verified like any
//! other endorsement afterwards. An entry that is damaged is dropped. Until a verification succeeded with its
//! content an entry is served for a short time only, so that a wrong answer is not kept for years.

use std::path::{Path, PathBuf};

use cc_core::UnixTime;
use cc_core::limits::MAX_ENDORSEMENT;
use serde::{Deserialize, Serialize};

use super::Content;
use crate::{Sha256, disk};

/// For how many seconds content is served that no verification has confirmed.
const UNCONFIRMED_MAX_AGE: u64 = 300;
/// Largest index entry, in bytes.
const MAX_INDEX: usize = 16 * 1024;

/// The cache in a folder.
#[derive(Debug)]
pub(super) struct Cache {
    objects: PathBuf,
    index: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    version: u32,
    url: String,
    sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer_chain: Option<String>,
    fetched_at: u64,
    confirmed: bool,
}

impl Cache {
    pub(super) fn new(folder: &Path) -> Self {
        Self { objects: folder.join("objects"), index: folder.join("index") }
    }

    /// The content of `url` with its age in seconds, if that is at most `max_age`.
    pub(super) fn read(&self, url: &str, max_age: u64, now: UnixTime) -> Option<(Content, u64)> {
        let entry = self.entry(url)?;
        let age = now.as_secs().checked_sub(entry.fetched_at)?;
        let limit = if entry.confirmed { max_age } else { max_age.min(UNCONFIRMED_MAX_AGE) };
        if age > limit {
            return None;
        }
        let content = self.content(&entry);
        if content.is_none() {
            tracing::warn!(url, "damaged cache entry dropped");
            self.remove(url, &entry);
        }
        content.map(|content| (content, age))
    }

    /// Keeps the content of `url`, not confirmed yet.
    pub(super) fn write(&self, url: &str, content: &Content, now: UnixTime) -> std::io::Result<()> {
        disk::create_folder(&self.objects)?;
        disk::create_folder(&self.index)?;
        // The objects that the address had stay: another address may have them too.
        let keep = |bytes: &[u8]| {
            let sha256 = Sha256::of(bytes).to_string();
            disk::replace(&self.objects.join(&sha256), bytes).map(|()| sha256)
        };
        let sha256 = keep(&content.body)?;
        let issuer_chain = content.issuer_chain.as_ref().map(|chain| keep(chain.as_bytes())).transpose()?;
        let (url, fetched_at) = (url.to_owned(), now.as_secs());
        self.write_entry(&Entry { version: 1, url, sha256, issuer_chain, fetched_at, confirmed: false })
    }

    /// Notes that a verification succeeded with this body of `url`, if it still is the body.
    pub(super) fn confirm(&self, url: &str, body: Sha256) -> std::io::Result<()> {
        match self.entry(url) {
            Some(entry) if !entry.confirmed && entry.sha256 == body.to_string() => {
                self.write_entry(&Entry { confirmed: true, ..entry })
            }
            _ => Ok(()),
        }
    }

    fn write_entry(&self, entry: &Entry) -> std::io::Result<()> {
        disk::replace(&self.place(&entry.url), &serde_json::to_vec_pretty(entry)?)
    }

    /// The entry of `url`; a damaged one is none.
    fn entry(&self, url: &str) -> Option<Entry> {
        let bytes = disk::read(&self.place(url), MAX_INDEX).ok()?;
        let entry: Entry = serde_json::from_slice(&bytes).ok()?;
        // Digests become file names: nothing but a digest may.
        let digests = std::iter::once(&entry.sha256).chain(&entry.issuer_chain);
        let sound = digests.map(|text| Sha256::parse(text)).all(|digest| digest.is_some());
        (sound && entry.version == 1 && entry.url == url).then_some(entry)
    }

    /// What an entry leads to, if it is still there and still the same.
    fn content(&self, entry: &Entry) -> Option<Content> {
        let object = |sha256: &String| {
            let bytes = disk::read(&self.objects.join(sha256), MAX_ENDORSEMENT).ok()?;
            (Sha256::of(&bytes).to_string() == *sha256).then_some(bytes)
        };
        let issuer_chain = match &entry.issuer_chain {
            Some(sha256) => Some(String::from_utf8(object(sha256)?).ok()?),
            None => None,
        };
        Some(Content { body: object(&entry.sha256)?, issuer_chain })
    }

    fn place(&self, url: &str) -> PathBuf {
        self.index.join(format!("{}.json", Sha256::of(url.as_bytes())))
    }

    /// What cannot be removed is damaged still, and dropped again next time.
    fn remove(&self, url: &str, entry: &Entry) {
        let _ = std::fs::remove_file(self.place(url));
        for sha256 in std::iter::once(&entry.sha256).chain(&entry.issuer_chain) {
            let _ = std::fs::remove_file(self.objects.join(sha256));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://kdsintf.amd.com/vcek/v1/Milan/crl";

    fn content(body: &[u8]) -> Content {
        Content { body: body.to_vec(), issuer_chain: None }
    }

    const fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    #[test]
    fn content_is_served_until_it_is_too_old() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        assert_eq!(cache.read(URL, 1000, at(50)), None);
        cache.write(URL, &content(b"content"), at(50)).unwrap();
        let served = |max_age, now| cache.read(URL, max_age, at(now)).is_some();
        for (max_age, now, expected) in [
            (1000, 50, true),
            (10, 60, true),
            (10, 61, false),
            (1000, 350, true),
            (1000, 351, false),
            (1000, 49, false),
        ] {
            assert_eq!(served(max_age, now), expected, "unconfirmed, {max_age} s, at {now}");
        }
        cache.confirm(URL, Sha256::of(b"other content")).unwrap();
        assert!(!served(1000, 351), "other content was confirmed");
        cache.confirm(URL, Sha256::of(b"content")).unwrap();
        for (max_age, now, expected) in [(1000, 1050, true), (1000, 1051, false), (1000, 49, false)] {
            assert_eq!(served(max_age, now), expected, "confirmed, {max_age} s, at {now}");
        }
        cache.write(URL, &content(b"newer"), at(60)).unwrap();
        assert_eq!(cache.read(URL, 1000, at(61)), Some((content(b"newer"), 1)));
        assert!(!served(1000, 361), "new content is not confirmed");
    }

    #[test]
    fn damaged_entries_are_dropped() {
        type Spoil = fn(&Path, &Path);
        let spoil: [(&str, Spoil); 4] = [
            ("object changed", |object, _| std::fs::write(object, b"cOntent").unwrap()),
            ("object gone", |object, _| std::fs::remove_file(object).unwrap()),
            ("object large", |object, _| std::fs::write(object, vec![0; MAX_ENDORSEMENT + 1]).unwrap()),
            ("index no JSON", |_, index| std::fs::write(index, b"{").unwrap()),
        ];
        for (what, spoil) in spoil {
            let folder = tempfile::tempdir().unwrap();
            let cache = Cache::new(folder.path());
            cache.write(URL, &content(b"content"), at(50)).unwrap();
            spoil(&cache.objects.join(Sha256::of(b"content").to_string()), &cache.place(URL));
            assert_eq!(cache.read(URL, 1000, at(50)), None, "{what}");
            cache.write(URL, &content(b"content"), at(50)).unwrap();
            assert!(cache.read(URL, 1000, at(50)).is_some(), "{what}: usable again");
        }
    }

    #[test]
    fn a_chain_is_as_sound_as_its_body() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let whole = Content { body: b"content".to_vec(), issuer_chain: Some("chain".to_owned()) };
        let object = cache.objects.join(Sha256::of(b"chain").to_string());
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "secret").unwrap();
        let spoil: [&dyn Fn(); 3] = [
            &|| std::fs::write(&object, b"cHain").unwrap(),
            &|| std::fs::remove_file(&object).unwrap(),
            &|| {
                let index = std::fs::read_to_string(cache.place(URL)).unwrap();
                let other = index.replace(&Sha256::of(b"chain").to_string(), "../secret");
                std::fs::write(cache.place(URL), other).unwrap();
            },
        ];
        for spoil in spoil {
            cache.write(URL, &whole, at(50)).unwrap();
            cache.confirm(URL, Sha256::of(b"content")).unwrap();
            assert_eq!(cache.read(URL, 1000, at(1050)), Some((whole.clone(), 1000)));
            spoil();
            assert_eq!(cache.read(URL, 1000, at(1050)), None);
        }
        assert!(secret.exists(), "what is no object of the cache was removed");
    }

    #[test]
    fn an_object_that_two_addresses_have_stays_for_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let other = "https://kdsintf.amd.com/vcek/v1/Genoa/crl";
        cache.write(URL, &content(b"content"), at(50)).unwrap();
        cache.write(other, &content(b"content"), at(50)).unwrap();
        cache.write(URL, &content(b"newer"), at(50)).unwrap();
        assert_eq!(cache.read(URL, 1000, at(50)), Some((content(b"newer"), 0)));
        assert_eq!(cache.read(other, 1000, at(50)), Some((content(b"content"), 0)));
    }

    #[test]
    fn an_entry_serves_its_own_address_only() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        cache.write(URL, &content(b"content"), at(50)).unwrap();
        let other = "https://kdsintf.amd.com/vcek/v1/Genoa/crl";
        std::fs::rename(cache.place(URL), cache.place(other)).unwrap();
        assert_eq!(cache.read(other, 1000, at(50)), None);
        let escape = format!(
            "{{\"version\":1,\"url\":{URL:?},\"sha256\":\"../secret\",\"fetched_at\":50,\"confirmed\":true}}"
        );
        std::fs::write(cache.place(URL), escape).unwrap();
        assert_eq!(cache.read(URL, 1000, at(50)), None);
    }
}
