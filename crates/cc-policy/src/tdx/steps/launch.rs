//! What was launched: image, event log, configuration and owner.

use cc_core::codes;

use super::Steps;
use crate::InitData;
use crate::allowed::{Allowed, text_list};
use crate::facts::{Fact, show, show_hex};
use crate::reader::Placed;
use crate::tdx::policy::Image;
use crate::tdx::values::{REGISTERS, Register};

impl Steps<'_> {
    /// All registers of one image. An MRTD of zero is none, even where any image is allowed.
    pub(super) fn t21_image(&mut self) {
        let (found, allowed) = (&self.facts.registers, &self.policy.images);
        let images = match &allowed.value {
            Allowed::Only(images) => images.as_slice(),
            Allowed::Any => {
                let [mr_td, ..] = found;
                if !mr_td.is_ok_and(|mr_td| mr_td != [0; 48]) {
                    let want = "any mr_td that is not zero";
                    self.find(codes::TDX_MEASUREMENT_UNKNOWN, show_hex(mr_td), want, &allowed.source);
                }
                return;
            }
        };
        // The nearest image explains best what differs; the earlier one of two.
        let differing = images.iter().map(|image| (image, differences(found, &image.value)));
        match differing.min_by_key(|(_, differences)| differences.len()) {
            Some((_, differences)) if differences.is_empty() => {}
            Some((Placed { value: Image { name, .. }, source }, differences)) => {
                let got = differences.iter().map(|(name, got, _)| format!("{name} {}", show_hex(*got)));
                let want = differences.iter().map(|(name, _, want)| format!("{name} {}", hex::encode(want)));
                let want = match images.len() {
                    1 => format!("image {name}: {}", text_list(want)),
                    count => format!("one of {count} images, nearest {name}: {}", text_list(want)),
                };
                self.find(codes::TDX_MEASUREMENT_UNKNOWN, text_list(got), want, source);
            }
            // A policy that lists none does not load.
            None => self.find(codes::TDX_MEASUREMENT_UNKNOWN, "an image", "no image", &allowed.source),
        }
    }

    /// A log that came and did not fit was refused by verification; here it must have come.
    pub(super) fn t22_event_log(&mut self) {
        let required = &self.policy.require_eventlog;
        let replayed = self.facts.eventlog_replayed;
        if required.value && replayed != Ok(true) {
            let got = format!("event log replayed: {}", show(&replayed, |flag| flag));
            let want = "an event log that gives the quote's RTMRs";
            self.find(codes::TDX_EVENTLOG_REPLAY_MISMATCH, got, want, &required.source);
        }
    }

    pub(super) fn t23_launch_data(&mut self, init_data: &InitData) {
        let (facts, policy) = (self.facts, self.policy);
        let expected = &policy.mr_config_id;
        if let Some((got, want)) = expected.value.difference(&facts.mr_config_id, init_data.sha384()) {
            self.find(codes::TDX_MRCONFIGID_MISMATCH, got, want, &expected.source);
        }
        for (name, found, expected) in [
            ("MROWNER", &facts.mr_owner, &policy.mr_owner),
            ("MROWNERCONFIG", &facts.mr_owner_config, &policy.mr_owner_config),
        ] {
            if let Some((got, want)) = expected.value.difference(found, None) {
                self.find(codes::TDX_MROWNER_MISMATCH, format!("{name} {got}"), want, &expected.source);
            }
        }
    }
}

/// The registers that are not those of the image: name, what was found, what the image has.
fn differences<'a>(
    found: &'a [Fact<Register>; 5],
    image: &'a Image,
) -> Vec<(&'static str, &'a Fact<Register>, &'a Register)> {
    let registers = REGISTERS.into_iter().zip(found).zip(&image.registers);
    let registers = registers.map(|((name, found), want)| (name, found, want));
    registers.filter(|(_, found, want)| **found != Ok(**want)).collect()
}
