//! The sorting of unlabelled endorsements: what is of the group itself, and what is of its processor.

use cc_core::limits::MAX_LEAF_CANDIDATES;
use cc_core::{Finding, codes};

use super::cce;
use super::uvm;
use crate::snp::certtable;

/// Most candidates for an endorsement of the utility VM, and for the text of the CCE policy (*decisions.md* 4).
const MAX_CANDIDATES: usize = MAX_LEAF_CANDIDATES;

/// Endorsements by what they are.
#[derive(Debug, Default)]
pub(super) struct Sorted<'a> {
    /// Candidates for the endorsement of the utility VM, in the order supplied.
    pub(super) uvm: Vec<&'a [u8]>,
    /// Candidates for the text of the CCE policy, in the order supplied.
    pub(super) policies: Vec<&'a [u8]>,
    /// The others at the positions where they stand, and nothing where one of the above stands.
    pub(super) others: Vec<&'a [u8]>,
}

/// What an endorsement of the group itself is called.
fn own_name(blob: &[u8]) -> Option<&'static str> {
    match blob {
        // Any tag, and what could be a COSE message without one: that it must be tag 18 is for step A1 to say.
        [0x84 | 0xc0..=0xdb, ..] if !certtable::is_table(blob) => Some("aci.uvm"),
        _ => cce::is_policy(blob).then_some("aci.cce_policy"),
    }
}

impl<'a> Sorted<'a> {
    pub(super) fn new(blobs: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut sorted = Self::default();
        for blob in blobs {
            let (list, other): (_, &[u8]) = match own_name(blob) {
                Some("aci.uvm") => (Some(&mut sorted.uvm), &[]),
                Some(_) => (Some(&mut sorted.policies), &[]),
                None => (None, blob),
            };
            sorted.others.push(other);
            // One that was seen is not tried again; one more than the limit is enough to be refused.
            if let Some(list) = list.filter(|list| list.len() <= MAX_CANDIDATES && !list.contains(&blob)) {
                list.push(blob);
            }
        }
        sorted
    }

    /// Sizes and numbers, before anything is parsed.
    pub(super) fn within_limits(&self) -> Result<(), Finding> {
        let lists = [
            ("endorsements of the utility VM", &self.uvm, uvm::MAX_ENDORSEMENT),
            ("texts of CCE policies", &self.policies, cce::MAX_POLICY),
        ];
        let exceeded = |detail: String| Err(Finding::new(codes::ENV_SIZE_EXCEEDED, detail));
        for (what, list, longest) in lists {
            if list.len() > MAX_CANDIDATES {
                return exceeded(format!("more than {MAX_CANDIDATES} {what}"));
            }
            if let Some(length) = list.iter().map(|blob| blob.len()).find(|length| *length > longest) {
                return exceeded(format!("one of the {what} has {length} bytes, the limit is {longest}"));
            }
        }
        Ok(())
    }
}

/// The names of endorsements, those of the group itself put where [`crate::snp`] knows none.
pub(super) fn recognise(mut names: Vec<&'static str>, blobs: &[&[u8]]) -> Vec<&'static str> {
    for (name, blob) in names.iter_mut().zip(blobs) {
        *name = own_name(blob).unwrap_or(name);
    }
    names
}
