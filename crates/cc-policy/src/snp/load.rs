//! Format and defaults of the `[snp]` section, and what makes a section unfit to load.
//!
//! Every default is the secure value of *verification.md* 1.3. Two things have none, since no value could be
//! right for everybody: the measurements and the minimum TCBs.

use std::collections::BTreeMap;

use cc_core::{Code, codes};
use toml::de::DeValue;

use super::policy::{CiphertextHiding, Launch, Line, Minimum, SnpPolicy};
use super::values::{Abi, ChipId, FwVersion, Product};
use crate::PolicyError;
use crate::allowed::{Allowed, LaunchData};
use crate::policy::Mode;
use crate::reader::{Placed, Table, bytes, flag, list, number, some_of, text};

const FLAG: &str = "true or false";
const CHIPS: &str = "a list of HWIDs of 128 hexadecimal digits (Turin: 16), none of them zero";
const KEY_DIGESTS: &str = "a list of digests of 96 hexadecimal digits, none of them zero";

/// Reads the section, then refuses what contradicts itself or, in production, weakens a locked knob.
pub(crate) fn load(mut t: Table<'_>, mode: &Placed<Mode>) -> Result<SnpPolicy, PolicyError> {
    let launch = launch(&mut t, mode)?;
    load_knobs(t, mode, launch)
}

/// The same inside the section of a platform which gives measurement and host data itself, so that their keys are unknown
/// here.
pub(crate) fn load_within(t: Table<'_>, mode: &Placed<Mode>) -> Result<SnpPolicy, PolicyError> {
    load_knobs(t, mode, Launch::Around)
}

fn launch(t: &mut Table<'_>, mode: &Placed<Mode>) -> Result<Launch, PolicyError> {
    let section = t.source().to_owned();
    let measurements =
        t.optional("measurements", "a list of measurements of 96 hexadecimal digits", measurements)?;
    let host_data = t.knob(
        "host_data",
        "\"zero\", \"init-data\" or a list of values of 64 hexadecimal digits",
        LaunchData::read,
        LaunchData::Zero,
    )?;
    Ok(Launch::Own { measurements: permitted_measurements(measurements, &section, mode)?, host_data })
}

fn load_knobs(mut t: Table<'_>, mode: &Placed<Mode>, launch: Launch) -> Result<SnpPolicy, PolicyError> {
    let off = |t: &mut Table<'_>, key| t.knob(key, FLAG, flag, false);
    let on = |t: &mut Table<'_>, key| t.knob(key, FLAG, flag, true);

    let permitted = t.knob(
        "products",
        "a list of \"Milan\", \"Genoa\" and \"Turin\" that is not empty",
        some_of(|v| Product::parse(v.as_str()?)),
        vec![Product::Genoa, Product::Turin],
    )?;
    let minimums = t.path_of("min_tcb");
    let lines = lines(t.table("min_tcb")?, t.table("min_fw")?)?;

    let policy = SnpPolicy {
        versions: t.knob(
            "versions",
            "a list of report versions from 2 to 5 that is not empty",
            some_of(|v| number(v).filter(|n| (2..=5).contains(n))),
            vec![3, 4, 5],
        )?,
        allow_vlek: off(&mut t, "allow_vlek")?,
        allow_masked_chip_id: off(&mut t, "allow_masked_chip_id")?,
        products: permitted_lines(permitted, lines, &minimums)?,
        crl_required: on(&mut t, "crl_required")?,
        crl_max_age_days: t.knob("crl_max_age_days", "a number of days", number, 7)?,
        allowed_csp_ids: t.knob("allowed_csp_ids", "a list of texts", list(text), Vec::new())?,
        allow_provisional_fw: off(&mut t, "allow_provisional_fw")?,
        vmpl: t.knob("vmpl", "a number from 0 to 3", |v| number(v).filter(|&n: &u64| n <= 3), 0)?,
        allow_debug: off(&mut t, "allow_debug")?,
        allow_migrate_ma: off(&mut t, "allow_migrate_ma")?,
        min_abi: t.knob(
            "min_abi",
            "a version like \"0.31\"",
            |v| Abi::parse(v.as_str()?),
            Abi { major: 0, minor: 0 },
        )?,
        smt_allowed: on(&mut t, "smt_allowed")?,
        cxl: off(&mut t, "cxl")?,
        require_single_socket: off(&mut t, "require_single_socket")?,
        require_xts: off(&mut t, "require_xts")?,
        require_rapl_dis: off(&mut t, "require_rapl_dis")?,
        require_ciphertext_hiding: t.knob(
            "require_ciphertext_hiding",
            FLAG,
            |v| flag(v).map(|f| if f { CiphertextHiding::Required } else { CiphertextHiding::NotRequired }),
            CiphertextHiding::WhereAvailable,
        )?,
        page_swap_disable: off(&mut t, "page_swap_disable")?,
        require_alias_check: on(&mut t, "require_alias_check")?,
        require_ecc: on(&mut t, "require_ecc")?,
        required_mitigations: t.knob(
            "required_mitigations",
            "a number, its bits being mitigations",
            number,
            0,
        )?,
        launch,
        require_id_block: off(&mut t, "require_id_block")?,
        require_author_key: off(&mut t, "require_author_key")?,
        id_key_digests: t.knob("id_key_digests", KEY_DIGESTS, list(key_digest), Vec::new())?,
        author_key_digests: t.knob("author_key_digests", KEY_DIGESTS, list(key_digest), Vec::new())?,
        min_guest_svn: t.knob("min_guest_svn", "a number of 32 bits", number, 0)?,
        family_id: t.knob("family_id", "32 hexadecimal digits", exactly, Allowed::Any)?,
        image_id: t.knob("image_id", "32 hexadecimal digits", exactly, Allowed::Any)?,
        chip_allowlist: t.knob(
            "chip_allowlist",
            CHIPS,
            |v| some_of(chip)(v).map(Allowed::Only),
            Allowed::Any,
        )?,
        chip_denylist: t.knob("chip_denylist", CHIPS, list(chip), Vec::new())?,
    };
    t.finish()?;
    consistent(&policy)?;
    if mode.value == Mode::Production {
        fit_for_production(&policy)?;
    }
    Ok(policy)
}

/// The minimums of each product line that has a table, whether permitted or not.
fn lines(mut tcbs: Table<'_>, mut fws: Table<'_>) -> Result<BTreeMap<Product, Line>, PolicyError> {
    let mut lines = BTreeMap::new();
    for product in Product::ALL {
        let min_fw = min_fw(&mut fws, product)?;
        if !tcbs.has(product.name()) {
            continue;
        }
        let mut table = tcbs.table(product.name())?;
        let mut min_tcb = Vec::new();
        for &(component, byte) in product.tcb_layout() {
            let Some(least) = table.optional(component, "a number of 8 bits", number)? else {
                let detail = format!("component {component} is absent, a minimum has all of the product's");
                return Err(PolicyError::new(codes::POL_MIN_TCB_UNSET, table.source(), detail));
            };
            min_tcb.push(Minimum { component, byte, least });
        }
        table.finish()?;
        lines.insert(product, Line { min_tcb, min_fw });
    }
    tcbs.finish()?;
    fws.finish()?;
    Ok(lines)
}

fn min_fw(fws: &mut Table<'_>, product: Product) -> Result<Placed<FwVersion>, PolicyError> {
    let (set, default) = (fws.has(product.name()), format!("default {}", fws.path_of(product.name())));
    let mut table = fws.table(product.name())?;
    let mut part = |key| table.knob(key, "a number of 8 bits", number, 0).map(|part| part.value);
    let value = FwVersion { major: part("major")?, minor: part("minor")?, build: part("build")? };
    let source = if set { table.source().to_owned() } else { default };
    table.finish()?;
    Ok(Placed { value, source })
}

fn permitted_lines(
    permitted: Placed<Vec<Product>>,
    mut lines: BTreeMap<Product, Line>,
    minimums: &str,
) -> Result<Placed<BTreeMap<Product, Line>>, PolicyError> {
    if let Some(product) = permitted.value.iter().find(|product| !lines.contains_key(product)) {
        let detail = format!("product {product} is permitted and table {minimums}.{product} is absent");
        return Err(PolicyError::new(codes::POL_MIN_TCB_UNSET, permitted.source, detail));
    }
    lines.retain(|product, _| permitted.value.contains(product));
    Ok(Placed { value: lines, source: permitted.source })
}

fn permitted_measurements(
    measurements: Option<Placed<Allowed<[u8; 48]>>>,
    section: &str,
    mode: &Placed<Mode>,
) -> Result<Placed<Allowed<[u8; 48]>>, PolicyError> {
    let unset = |place: &str, found: &str| {
        let detail = format!("{found}, expected the measurements that are permitted");
        Err(PolicyError::new(codes::POL_MEASUREMENT_UNSET, place, detail))
    };
    let Some(measurements) = measurements else { return unset(section, "key `measurements` is absent") };
    match &measurements.value {
        Allowed::Only(list) if list.is_empty() => unset(&measurements.source, "found an empty list"),
        Allowed::Only(list) if list.contains(&[0; 48]) => Err(PolicyError::new(
            codes::POL_MEASUREMENT_INVALID,
            measurements.source,
            "found a measurement that is all zero, which no launched guest has",
        )),
        Allowed::Any if mode.value == Mode::Production => {
            unset(&measurements.source, "found \"any\" in a production policy")
        }
        Allowed::Only(_) | Allowed::Any => Ok(measurements),
    }
}

/// Refuses combinations in which a knob would have no effect or nothing could pass.
fn consistent(policy: &SnpPolicy) -> Result<(), PolicyError> {
    let invalid = |place: &str, detail| Err(PolicyError::new(codes::POL_FORMAT_INVALID, place, detail));
    if policy.allow_vlek.value && policy.allowed_csp_ids.value.is_empty() {
        return invalid(&policy.allow_vlek.source, "VLEK reports are allowed and allowed_csp_ids is empty");
    }
    if policy.allow_masked_chip_id.value && policy.chip_allowlist.value != Allowed::Any {
        let detail = "masked chip ids are allowed and chip_allowlist is set, which needs chip ids";
        return invalid(&policy.allow_masked_chip_id.source, detail);
    }
    let (ids, authors) = (&policy.id_key_digests, &policy.author_key_digests);
    if policy.require_id_block.value {
        if ids.value.is_empty() && authors.value.is_empty() {
            let detail = "an ID block is required and neither id_key_digests nor author_key_digests has any";
            return invalid(&policy.require_id_block.source, detail);
        }
        if policy.require_author_key.value && (ids.value.is_empty() || authors.value.is_empty()) {
            let detail = "both keys are required and id_key_digests or author_key_digests is empty";
            return invalid(&policy.require_author_key.source, detail);
        }
        return Ok(());
    }
    for (has_effect, source) in [
        (policy.require_author_key.value, &policy.require_author_key.source),
        (!ids.value.is_empty(), &ids.source),
        (!authors.value.is_empty(), &authors.source),
    ] {
        if has_effect {
            return invalid(source, "has no effect while require_id_block is false");
        }
    }
    Ok(())
}

/// Refuses what only a development policy may say (*verification.md* 0.13, 1.4).
fn fit_for_production(policy: &SnpPolicy) -> Result<(), PolicyError> {
    let refused = |code: Code, place: &str, detail| Err(PolicyError::new(code, place, detail));
    for locked in [&policy.allow_debug, &policy.allow_migrate_ma] {
        if locked.value {
            let detail = "found true, which is locked to false unless profile = \"development\"";
            return refused(codes::POL_PROFILE_DEVELOPMENT, &locked.source, detail);
        }
    }
    if policy.products.value.contains_key(&Product::Milan) && policy.chip_allowlist.value == Allowed::Any {
        let detail = "Milan is permitted and chip_allowlist is absent: a Milan chip's key may be known to \
                      whoever operated it, so that the chips must be named";
        return refused(codes::POL_FORMAT_INVALID, &policy.products.source, detail);
    }
    Ok(())
}

fn measurements(value: &DeValue<'_>) -> Option<Allowed<[u8; 48]>> {
    if value.as_str() == Some("any") { Some(Allowed::Any) } else { list(bytes)(value).map(Allowed::Only) }
}

fn exactly(value: &DeValue<'_>) -> Option<Allowed<[u8; 16]>> {
    Some(Allowed::Only(vec![bytes(value)?]))
}

/// A report without an ID block has zero digests, so that zero in a list would require nothing.
fn key_digest(value: &DeValue<'_>) -> Option<[u8; 48]> {
    bytes(value).filter(|digest| *digest != [0; 48])
}

fn chip(value: &DeValue<'_>) -> Option<ChipId> {
    ChipId::parse(value.as_str()?).filter(|chip| !chip.is_masked())
}
