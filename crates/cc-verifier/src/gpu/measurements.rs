//! Steps G15 to G17: the measurements of a report beside the values in its reference manifests.

use std::fmt::Write;

use cc_core::{Finding, codes};

use super::manifests::Manifest;
use super::opaque::{Item, Switched};
use super::rim::{Golden, Kind};
use super::spdm::Report;

/// The measurement of the video decoder's firmware, which is not there to be measured while the decoder is off.
const NVDEC0: u8 = 35;
/// Most measurements that a message names.
const MOST_NAMED: usize = 16;

/// Compares a report with its manifests and returns the places of measurements that none of them has, ascending.
pub(super) fn compare(report: &Report<'_>, manifests: &[(Kind, &Manifest)]) -> Result<Vec<u8>, Finding> {
    let golden =
        |manifest: &'_ Manifest| manifest.rim.golden().iter().map(|golden| golden.index).collect::<Vec<_>>();
    let mut referenced = [false; 256];
    for place in manifests.iter().flat_map(|(_, manifest)| golden(manifest)) {
        let Some(seen) = referenced.get_mut(usize::from(place)) else { continue };
        if std::mem::replace(seen, true) {
            let detail = format!("measurement {place} is in the manifests of driver and VBIOS");
            return Err(Finding::new(codes::GPU_RIM_INDEX_CONFLICT, detail));
        }
    }
    let decoder_is_off = match report.opaque.switched(Item::NVDEC0_STATUS) {
        Some(Switched::Off) => true,
        Some(Switched::On) | None => false,
        Some(Switched::Unknown) => {
            let status = report.opaque.item(Item::NVDEC0_STATUS).map(hex::encode).unwrap_or_default();
            let detail = format!("the status of the video decoder is 0x{status}, neither on nor off");
            return Err(Finding::new(codes::GPU_NVDEC_UNKNOWN, detail));
        }
    };
    let compared = |golden: &&Golden| golden.index != NVDEC0 || !decoder_is_off;
    let mut wrong = Wrong::default();
    for (kind, manifest) in manifests {
        for golden in manifest.rim.golden().iter().filter(compared) {
            wrong.see(report, *kind, golden);
        }
    }
    wrong.judge()?;
    let is_referenced = |place: &u8| referenced.get(usize::from(*place)) == Some(&true);
    Ok(report.places().filter(|place| !is_referenced(place)).collect())
}

/// What does not fit.
#[derive(Default)]
struct Wrong {
    missing: Vec<(Kind, u8)>,
    other: Vec<(Kind, u8)>,
}

impl Wrong {
    fn see(&mut self, report: &Report<'_>, kind: Kind, golden: &Golden) {
        match report.measurement(golden.index) {
            None => self.missing.push((kind, golden.index)),
            Some(value) if golden.matches(value) => {}
            Some(_) => self.other.push((kind, golden.index)),
        }
    }

    fn judge(&self) -> Result<(), Finding> {
        if !self.missing.is_empty() {
            let detail = format!("the report has no measurements {}", named(&self.missing));
            return Err(Finding::new(codes::GPU_MEASUREMENT_MISSING, detail));
        }
        if !self.other.is_empty() {
            let detail = format!("other values than in the manifest: measurements {}", named(&self.other));
            return Err(Finding::new(codes::GPU_MEASUREMENT_MISMATCH, detail));
        }
        Ok(())
    }
}

fn named(places: &[(Kind, u8)]) -> String {
    let mut text = String::new();
    for (kind, place) in places.iter().take(MOST_NAMED) {
        let of = match kind {
            Kind::Driver => "driver",
            Kind::Vbios => "VBIOS",
            Kind::SwitchBios => "BIOS",
        };
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{place} ({of})");
    }
    let more = places.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}
