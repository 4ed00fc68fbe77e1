//! CCE policies: what a confidential container group may run. Its utility VM enforces one, and HOST_DATA is the SHA-256 of
//! that one's text (*verification.md* 4.1), so that an allowed digest is an allowed workload.

use std::collections::{BTreeMap, BTreeSet};

use cc_core::codes;
use toml::de::DeValue;

use crate::allowed::hex_list;
use crate::facts::{Fact, show_hex};
use crate::policy::Mode;
use crate::reader::{Placed, Table, bytes, list};
use crate::{InitData, PolicyError};

const KEY: &str = "cce_policy_allowlist";
const WANTED: &str = "a list of SHA-256 digests of 64 hexadecimal digits, or a table of such lists by the SHA-256 of the \
                      init-data that each is for";

type Digest = [u8; 32];

/// The CCE policies that a group may enforce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CcePolicies {
    /// Whatever was deployed; for development only.
    Any,
    /// One of these, whoever the group says that it is.
    Only(Vec<Digest>),
    /// One of those that are listed for the init-data of the participant: a group that was started with one of them cannot
    /// take another name (*verification.md* 5.1).
    ByInitData(BTreeMap<Digest, Vec<Digest>>),
}

impl CcePolicies {
    /// Takes the key `cce_policy_allowlist` of a section, which must be there and allow something.
    pub(crate) fn load(t: &mut Table<'_>, mode: &Placed<Mode>) -> Result<Placed<Self>, PolicyError> {
        let unset = |place: &str, found: &str| {
            let detail = format!("{found}, expected the digests of the CCE policies that are permitted");
            Err(PolicyError::new(codes::POL_MEASUREMENT_UNSET, place, detail))
        };
        let section = t.source().to_owned();
        let Some(policies) = t.optional(KEY, WANTED, Self::read)? else {
            return unset(&section, &format!("key `{KEY}` is absent"));
        };
        let listed = policies.value.listed();
        if policies.value == Self::Any {
            if mode.value == Mode::Production {
                return unset(&policies.source, "found \"any\" in a production policy");
            }
        } else if policies.value.permits_nothing() {
            return unset(&policies.source, "found an empty list");
        } else if listed.contains(&&[0; 32]) {
            let detail = "found a digest that is all zero, which is that of no CCE policy";
            return Err(PolicyError::new(codes::POL_MEASUREMENT_INVALID, policies.source, detail));
        }
        let different = listed.iter().collect::<BTreeSet<_>>().len();
        if matches!(policies.value, Self::ByInitData(_)) && different != listed.len() {
            let detail = "found a digest twice: a group with that CCE policy could take either name";
            return Err(PolicyError::new(codes::POL_FORMAT_INVALID, policies.source, detail));
        }
        Ok(policies)
    }

    fn read(value: &DeValue<'_>) -> Option<Self> {
        if value.as_str() == Some("any") {
            return Some(Self::Any);
        }
        let Some(table) = value.as_table() else { return list(bytes)(value).map(Self::Only) };
        let mut policies = BTreeMap::new();
        for (key, value) in table {
            let mut init_data = [0; 32];
            hex::decode_to_slice(key.get_ref().as_ref(), &mut init_data).ok()?;
            // One digest can be written in lower and in upper case.
            if policies.insert(init_data, list(bytes)(value.get_ref())?).is_some() {
                return None;
            }
        }
        Some(Self::ByInitData(policies))
    }

    fn listed(&self) -> Vec<&Digest> {
        match self {
            Self::Any => Vec::new(),
            Self::Only(list) => list.iter().collect(),
            Self::ByInitData(lists) => lists.values().flatten().collect(),
        }
    }

    fn permits_nothing(&self) -> bool {
        match self {
            Self::Any => false,
            Self::Only(list) => list.is_empty(),
            Self::ByInitData(lists) => lists.is_empty() || lists.values().any(Vec::is_empty),
        }
    }

    /// Whether the CCE policy says which participant the group is.
    pub(crate) const fn needs_init_data(&self) -> bool {
        matches!(self, Self::ByInitData(_))
    }

    /// What was found and what was wanted, if HOST_DATA is not the digest of a permitted CCE policy. Init-data that came
    /// are authentic only through a list that is theirs.
    pub(crate) fn difference(
        &self,
        host_data: &Fact<Digest>,
        init_data: &InitData,
    ) -> Option<(String, String)> {
        let came = init_data.sha256();
        let permitted = match (self, came) {
            (Self::Any, None) => host_data.is_ok_and(|found| found != [0; 32]),
            (Self::Only(list), None) => host_data.is_ok_and(|found| list.contains(&found)),
            (Self::ByInitData(lists), Some(came)) => {
                host_data.is_ok_and(|found| lists.get(came).is_some_and(|list| list.contains(&found)))
            }
            (Self::Any | Self::Only(_), Some(_)) | (Self::ByInitData(_), None) => false,
        };
        if permitted {
            return None;
        }
        let want = match (self, came) {
            (Self::Any, None) => "any that is not zero".to_owned(),
            (Self::Only(list), None) => format!("one of {}", hex_list(list)),
            (Self::ByInitData(_), None) => {
                "one that is listed for the init-data, of which none came".to_owned()
            }
            (Self::ByInitData(lists), Some(came)) => {
                let list = lists.get(came).map_or_else(String::new, |list| hex_list(list));
                format!("one of [{list}], those of the init-data {}", hex::encode(came))
            }
            (Self::Any | Self::Only(_), Some(came)) => format!(
                "one that is listed for the init-data {} that came, and the list is not by init-data",
                hex::encode(came)
            ),
        };
        Some((show_hex(host_data), want))
    }

    /// The permitted CCE policies in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Any => "any".to_owned(),
            Self::Only(list) => hex_list(list),
            Self::ByInitData(lists) => {
                let lists = lists.iter().map(|(init_data, list)| {
                    format!("{} for init-data {}", hex_list(list), hex::encode(init_data))
                });
                lists.collect::<Vec<_>>().join("; ")
            }
        }
    }
}
