//! What a manifest says: a software identification tag (ISO/IEC 19770-2:2015) in the profile of TCG's Reference
//! Integrity Manifest information model that NVIDIA writes.
//!
//! Strict where reference values could hide: an element that is not known is refused anywhere, an attribute that is
//! not known is refused at a measurement.

use std::collections::BTreeMap;

use cc_core::{Finding, codes};

use super::golden::Golden;
use super::kind::Kind;
use super::xml::Element;

const SWID: &str = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
const TCG_RIM: &str =
    "https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/";

/// A tag that is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) product: String,
    pub(super) manufacturer: String,
    pub(super) version: String,
    /// At least one, by index.
    pub(super) golden: Vec<Golden>,
}

impl Tag {
    pub(super) fn read(root: &Element<'_>) -> Result<Self, Finding> {
        if !is(root, "SoftwareIdentity") {
            return Err(schema("the root is no SoftwareIdentity"));
        }
        let id = required(root, "", "tagId")?;
        // Those would change what another tag says.
        for flag in ["corpus", "patch", "supplemental"] {
            if root.attribute("", flag).is_some_and(|value| value != "false") {
                return Err(schema(format!("{flag} is not false")));
            }
        }
        let children = root.elements().ok_or_else(|| schema("text between the elements"))?;
        let (known, unknown): (Vec<_>, Vec<_>) = children
            .into_iter()
            .partition(|child| ["Entity", "Meta", "Payload"].iter().any(|name| is(child, name)));
        if let Some(unknown) = unknown.first() {
            return Err(schema(format!("{} is not known in SoftwareIdentity", unknown.name.written)));
        }
        let all = |name: &str| known.iter().copied().filter(|child| is(child, name)).collect::<Vec<_>>();
        let entities = all("Entity");
        if entities.is_empty() || !entities.iter().all(|entity| entity.content.is_empty()) {
            return Err(schema("no Entity, or one that is not empty"));
        }
        let (meta, payload) = (all("Meta"), all("Payload"));
        let ([meta], [payload]) = (meta.as_slice(), payload.as_slice()) else {
            return Err(schema("not exactly one Meta and one Payload"));
        };
        if !meta.content.is_empty() {
            return Err(schema("Meta is not empty"));
        }
        let (edition, version) = (required(meta, "", "edition")?, required(meta, "", "colloquialVersion")?);
        let kind = Kind::of(edition, version).ok_or_else(|| {
            schema(format!("edition {edition:?} with version {version:?} is no driver, VBIOS or switch BIOS"))
        })?;
        Ok(Self {
            id: id.to_owned(),
            kind,
            product: required(meta, "", "product")?.to_owned(),
            manufacturer: required(meta, TCG_RIM, "FirmwareManufacturer")?.to_owned(),
            version: version.to_owned(),
            golden: golden(payload)?,
        })
    }
}

/// The active measurements of a payload.
fn golden(payload: &Element<'_>) -> Result<Vec<Golden>, Finding> {
    let resources = payload.elements().ok_or_else(|| schema("text between the measurements"))?;
    let mut measurements = BTreeMap::new();
    for resource in resources {
        if !is(resource, "Resource") || !resource.content.is_empty() {
            return Err(schema("something in Payload that is no empty Resource"));
        }
        let (golden, active) = Golden::read(resource).map_err(schema)?;
        let index = golden.index;
        if measurements.insert(index, (golden, active)).is_some() {
            let detail = format!("index {index} is there twice");
            return Err(Finding::new(codes::GPU_RIM_INDEX_DUPLICATE, detail));
        }
    }
    let active: Vec<_> =
        measurements.into_values().filter_map(|(golden, active)| active.then_some(golden)).collect();
    if active.is_empty() {
        return Err(Finding::new(codes::GPU_RIM_EMPTY, "no measurement is active"));
    }
    Ok(active)
}

fn schema(what: impl Into<String>) -> Finding {
    Finding::new(codes::GPU_RIM_SCHEMA, what)
}

fn is(element: &Element<'_>, local: &str) -> bool {
    element.name.is(SWID, local)
}

/// The value of an attribute that must be there and say something.
fn required<'a>(element: &Element<'a>, namespace: &str, name: &str) -> Result<&'a str, Finding> {
    element
        .attribute(namespace, name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| schema(format!("{} has no {name}", element.name.written)))
}
