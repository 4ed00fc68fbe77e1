//! One machine under many names (*verification.md* 5.8 rows 6 and 13), judged over a whole round and not in the order
//! of arrival.

use std::collections::{BTreeMap, BTreeSet};

use cc_core::{Finding, codes};

use crate::name::Name;

/// What identifies the hardware behind accepted evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identifiers {
    /// The guest: SNP's REPORT_ID and the like.
    pub guest: Option<Vec<u8>>,
    /// The devices: UEIDs or serial numbers of GPUs and switches.
    pub devices: Vec<Vec<u8>>,
    /// The processor: CHIP_ID, PPID.
    pub chip: Option<Vec<u8>>,
}

/// Somebody whose evidence was accepted.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Who.
    pub name: &'a Name,
    /// Who operates it, as the owner's roster says.
    pub organisation: &'a str,
    /// Its hardware.
    pub hardware: &'a Identifiers,
}

/// Refuses every name that shares a guest or a device with another one, every name on a chip that two organisations
/// show, and of the names of one organisation on one chip those beyond `chip_quota`, last in name order.
pub fn refuse(candidates: &[Candidate<'_>], chip_quota: u32) -> BTreeMap<Name, Finding> {
    let mut refused = BTreeMap::new();
    let mut refuse = |name: &Name, finding: Finding| {
        refused.entry(name.clone()).or_insert(finding);
    };
    let guests = candidates.iter().filter_map(|one| Some((one.hardware.guest.as_deref()?, one)));
    for group in shared(guests) {
        for one in &group {
            refuse(
                one.name,
                Finding::new(codes::FL_SYBIL_SAME_GUEST, format!("one guest is {}", names(&group))),
            );
        }
    }
    let devices = candidates
        .iter()
        .flat_map(|one| one.hardware.devices.iter().map(move |device| (device.as_slice(), one)));
    for group in shared(devices) {
        for one in &group {
            let text = format!("one device is shown by {}", names(&group));
            refuse(one.name, Finding::new(codes::FL_SYBIL_SAME_DEVICE, text));
        }
    }
    let chips = candidates.iter().filter_map(|one| Some((one.hardware.chip.as_deref()?, one)));
    for group in shared(chips) {
        let organisations: BTreeSet<&str> = group.iter().map(|one| one.organisation).collect();
        if organisations.len() > 1 {
            for one in &group {
                let text = format!("one processor is shown by {} of different operators", names(&group));
                refuse(one.name, Finding::new(codes::FL_PLATFORM_CONCURRENT, text));
            }
        }
        let quota = usize::try_from(chip_quota).unwrap_or(usize::MAX);
        for one in group.iter().skip(quota) {
            let text = format!("{} guests on one processor, the quota is {chip_quota}", group.len());
            refuse(one.name, Finding::new(codes::FL_SYBIL_CHIP_QUOTA, text));
        }
    }
    refused
}

/// Groups of at least two names, each in name order.
fn shared<'a, 'b>(pairs: impl Iterator<Item = (&'b [u8], &'b Candidate<'a>)>) -> Vec<Vec<&'b Candidate<'a>>> {
    let mut groups: BTreeMap<&[u8], Vec<&Candidate<'a>>> = BTreeMap::new();
    for (id, one) in pairs {
        groups.entry(id).or_default().push(one);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    for group in &mut groups {
        group.sort_by_key(|one| one.name);
        // One name that shows a device twice is not two names.
        group.dedup_by_key(|one| one.name);
    }
    groups.retain(|group| group.len() > 1);
    groups
}

fn names(group: &[&Candidate<'_>]) -> String {
    group.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
}
