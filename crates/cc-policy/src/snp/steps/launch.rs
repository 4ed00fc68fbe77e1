//! What was launched: measurement, host data, ID block, image.

use cc_core::codes;

use super::Steps;
use crate::InitData;
use crate::allowed::{Allowed, LaunchData, hex_list};
use crate::facts::{show, show_hex};
use crate::reader::Placed;
use crate::snp::policy::Launch;

impl Steps<'_> {
    /// S27 and S28, unless the section around this one judges what they are about.
    pub(super) fn s27_s28_launch(&mut self, init_data: &InitData) {
        if let Launch::Own { measurements, host_data } = &self.policy.launch {
            self.measurement(measurements);
            self.host_data(host_data, init_data);
        }
    }

    /// A measurement of zero is no measurement, even where any is allowed.
    fn measurement(&mut self, allowed: &Placed<Allowed<[u8; 48]>>) {
        let known = self.facts.measurement.is_ok_and(|measurement| {
            measurement != [0; 48]
                && match &allowed.value {
                    Allowed::Any => true,
                    Allowed::Only(list) => list.contains(&measurement),
                }
        });
        if !known {
            let want = match &allowed.value {
                Allowed::Any => "any that is not zero".to_owned(),
                Allowed::Only(list) => format!("one of {}", hex_list(list)),
            };
            let got = show_hex(&self.facts.measurement);
            self.find(codes::SNP_MEASUREMENT_UNKNOWN, got, want, &allowed.source);
        }
    }

    fn host_data(&mut self, expected: &Placed<LaunchData<32>>, init_data: &InitData) {
        if let Some((got, want)) = expected.value.difference(&self.facts.host_data, init_data.sha256()) {
            self.find(codes::SNP_HOST_DATA_MISMATCH, got, want, &expected.source);
        }
    }

    /// Digests count only where an ID block is required, and the author's only where the report says that the
    /// author key was used.
    pub(super) fn s29_id_block(&mut self) {
        let (facts, policy) = (self.facts, self.policy);
        if !policy.require_id_block.value {
            return;
        }
        let (ids, authors) = (&policy.id_key_digests, &policy.author_key_digests);
        let id_trusted = facts.id_key_digest.is_ok_and(|digest| ids.value.contains(&digest));
        let author_trusted = facts.author_key_en == Ok(true)
            && facts.author_key_digest.is_ok_and(|digest| authors.value.contains(&digest));
        let (need_id, need_author) = if policy.require_author_key.value {
            (!id_trusted, !author_trusted)
        } else if id_trusted || author_trusted {
            (false, false)
        } else {
            (!ids.value.is_empty(), ids.value.is_empty())
        };
        if need_id {
            let (got, want) = (show_hex(&facts.id_key_digest), format!("one of {}", hex_list(&ids.value)));
            self.find(codes::SNP_ID_KEY_UNTRUSTED, got, want, &ids.source);
        }
        if need_author {
            let enabled = show(&facts.author_key_en, u8::from);
            let got = format!("AUTHOR_KEY_EN = {enabled}, digest {}", show_hex(&facts.author_key_digest));
            let want = format!("AUTHOR_KEY_EN = 1 and one of {}", hex_list(&authors.value));
            self.find(codes::SNP_AUTHOR_KEY_UNTRUSTED, got, want, &authors.source);
        }
    }

    pub(super) fn s30_image(&mut self) {
        let (facts, policy) = (self.facts, self.policy);
        let least = &policy.min_guest_svn;
        if !facts.guest_svn.is_ok_and(|svn| svn >= u64::from(least.value)) {
            let (got, want) = (show(&facts.guest_svn, |svn| svn), format!("at least {}", least.value));
            self.find(codes::SNP_GUEST_SVN_BELOW_MINIMUM, got, want, &least.source);
        }
        for (name, fact, allowed) in [
            ("family id", &facts.family_id, &policy.family_id),
            ("image id", &facts.image_id, &policy.image_id),
        ] {
            if let Allowed::Only(list) = &allowed.value
                && !fact.is_ok_and(|id| list.contains(&id))
            {
                let got = format!("{name} {}", show_hex(fact));
                self.find(codes::SNP_IMAGE_ID_MISMATCH, got, hex_list(list), &allowed.source);
            }
        }
    }
}
