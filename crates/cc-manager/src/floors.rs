//! Protection against rollback: the highest number seen of each collateral that is replaced over time
//! (*verification.md* 0.9).
//!
//! A correctly signed object with a lower number is refused, whoever supplied it. Only what this verifier
//! fetched or its administrator loaded raises a floor: an attester must not be able to, or it could shut out
//! every other one.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cc_core::message::Floor;
use cc_core::{Finding, codes};
use serde::{Deserialize, Serialize};

use crate::disk;
use crate::endorsements::Origin;

/// Largest file of floors, in bytes.
const MAX_FILE: usize = 1024 * 1024;

type Known = BTreeMap<String, [u8; 20]>;

/// The highest numbers seen.
#[derive(Debug)]
pub struct Floors {
    folder: Option<PathBuf>,
    memory: Mutex<Known>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    floors: BTreeMap<String, String>,
}

impl Floors {
    /// Floors that are kept in `floors.json` of a folder; without a folder, for the life of this value.
    pub const fn open(folder: Option<PathBuf>) -> Self {
        Self { folder, memory: Mutex::new(Known::new()) }
    }

    /// Refuses numbers below their floors; otherwise raises the floors of those whose origin may. What cannot
    /// be read or recorded leaves it undecided: a floor that is not known protects nobody.
    pub(crate) fn admit(&self, numbers: &[(Floor, Origin)]) -> Result<(), Finding> {
        if numbers.is_empty() {
            return Ok(());
        }
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(folder) = &self.folder else {
            compare(&memory, numbers)?;
            raise(&mut memory, numbers);
            return Ok(());
        };
        let unusable = |error: std::io::Error| {
            let detail = format!("the floors in {} cannot be used: {error}", folder.display());
            Finding::new(codes::COLL_FLOORS_UNAVAILABLE, detail)
        };
        let _lock = lock(folder).map_err(unusable)?;
        let mut known = read(folder).map_err(unusable)?;
        compare(&known, numbers)?;
        if raise(&mut known, numbers) {
            write(folder, &known).map_err(unusable)?;
        }
        Ok(())
    }
}

fn compare(known: &Known, numbers: &[(Floor, Origin)]) -> Result<(), Finding> {
    for (Floor { name, number, .. }, _) in numbers {
        // Big-endian and of equal length: the order of the bytes is that of the numbers.
        if let Some(floor) = known.get(name).filter(|floor| number < *floor) {
            let detail = format!("{name} has number {}, seen was {}", short(number), short(floor));
            return Err(Finding::new(codes::COLL_ROLLBACK, detail));
        }
    }
    Ok(())
}

/// Whether anything was raised.
fn raise(known: &mut Known, numbers: &[(Floor, Origin)]) -> bool {
    let mut raised = false;
    for (Floor { name, number, .. }, origin) in numbers {
        let may = matches!(origin, Origin::Administrator | Origin::Fetched);
        if may && known.get(name).is_none_or(|floor| floor < number) {
            known.insert(name.clone(), *number);
            raised = true;
        }
    }
    raised
}

/// The number in hexadecimal, without leading zeros.
fn short(number: &[u8; 20]) -> String {
    let text = hex::encode(number);
    let digits = text.trim_start_matches('0');
    format!("0x{}", if digits.is_empty() { "0" } else { digits })
}

/// Keeps other processes away from the file for as long as the value lives.
fn lock(folder: &Path) -> std::io::Result<File> {
    disk::create_folder(folder)?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(folder.join("floors.lock"))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
    Ok(file)
}

fn read(folder: &Path) -> std::io::Result<Known> {
    let bytes = match disk::read(&folder.join("floors.json"), MAX_FILE) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Known::new()),
        Err(error) => return Err(error),
    };
    let stored: Stored = serde_json::from_slice(&bytes)?;
    if stored.version != 1 {
        return Err(std::io::Error::other(format!("version {}, expected 1", stored.version)));
    }
    let number = |text: String| {
        let mut number = [0; 20];
        hex::decode_to_slice(text, &mut number).map(|()| number).map_err(std::io::Error::other)
    };
    stored.floors.into_iter().map(|(name, text)| Ok((name, number(text)?))).collect()
}

fn write(folder: &Path, known: &Known) -> std::io::Result<()> {
    let floors = known.iter().map(|(name, number)| (name.clone(), hex::encode(number))).collect();
    disk::replace(&folder.join("floors.json"), &serde_json::to_vec_pretty(&Stored { version: 1, floors })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(name: &str, value: u8, origin: Origin) -> (Floor, Origin) {
        let mut number = [0; 20];
        number[19] = value;
        (Floor { name: name.to_owned(), number, endorsement: 0 }, origin)
    }

    /// Offers numbers one after the other, each to a new value over the same folder.
    fn check(case: &str, offers: &[(u8, Origin, bool)]) {
        let folder = tempfile::tempdir().unwrap();
        let memory = Floors::open(None);
        for &(value, origin, accepted) in offers {
            for floors in [&Floors::open(Some(folder.path().join("a/b"))), &memory] {
                let result = floors.admit(&[number("snp.crl.Milan", value, origin)]);
                assert_eq!(result.is_ok(), accepted, "{case}: {value} {origin:?} {result:?}");
                assert!(accepted || result.unwrap_err().code == codes::COLL_ROLLBACK);
            }
        }
    }

    #[test]
    fn lower_numbers_are_refused() {
        use Origin::{Administrator, Attester, Fetched};
        check("fetched", &[(5, Fetched, true), (5, Fetched, true), (4, Fetched, false), (6, Fetched, true)]);
        check("administrator", &[(5, Administrator, true), (4, Fetched, false)]);
        check(
            "the attester is refused too",
            &[(5, Fetched, true), (4, Attester, false), (5, Attester, true)],
        );
        check("the attester raises nothing", &[(9, Attester, true), (5, Fetched, true), (5, Attester, true)]);
    }

    #[test]
    fn names_are_apart_and_a_refusal_raises_nothing() {
        let floors = Floors::open(None);
        floors.admit(&[number("a", 5, Origin::Fetched)]).unwrap();
        floors.admit(&[number("b", 1, Origin::Fetched)]).unwrap();
        let mixed = [number("b", 7, Origin::Fetched), number("a", 4, Origin::Fetched)];
        let refused = floors.admit(&mixed).unwrap_err();
        assert_eq!(refused.detail, "a has number 0x4, seen was 0x5");
        floors.admit(&[number("b", 1, Origin::Fetched)]).unwrap();
    }

    #[test]
    fn a_damaged_file_denies() {
        for content in
            ["", "{}", "{\"version\":2,\"floors\":{}}", "{\"version\":1,\"floors\":{\"a\":\"05\"}}"]
        {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("floors.json"), content).unwrap();
            let floors = Floors::open(Some(folder.path().to_owned()));
            let refused = floors.admit(&[number("a", 5, Origin::Fetched)]).unwrap_err();
            assert_eq!(refused.code, codes::COLL_FLOORS_UNAVAILABLE, "{content}");
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let floors = Floors::open(Some(folder.path().join("file/below")));
        let refused = floors.admit(&[number("a", 5, Origin::Fetched)]).unwrap_err();
        assert_eq!(refused.code, codes::COLL_FLOORS_UNAVAILABLE);
    }
}
