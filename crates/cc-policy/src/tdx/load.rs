//! Format and defaults of the `[tdx]` section, and what makes a section unfit to load.
//!
//! Every default is the secure value of *verification.md* 2.4. Two things have none, since no value could be
//! right for everybody: the images and the minimum TCB evaluation data number.

use cc_core::{Code, UnixTime, codes};
use toml::de::DeValue;

use super::policy::{Image, MaxAge, TdxPolicy};
use super::values::{PlatformId, REGISTERS, Register, TcbStatus};
use crate::PolicyError;
use crate::allowed::{Allowed, LaunchData};
use crate::policy::Mode;
use crate::reader::{Placed, Table, bytes, flag, list, number, some_of, text};

const FLAG: &str = "true or false";
const REGISTER: &str = "96 hexadecimal digits";
const OWNER: &str = "\"zero\" or a list of values of 96 hexadecimal digits";
const PLATFORMS: &str =
    "a list of PPIDs or platform instance ids of 32 hexadecimal digits, none of them zero";

/// What a TDX module of version 1.0 lets a domain have.
const XFAM_TDX_1_0: u64 = 0x0006_dbe7;
/// x87 and SSE, which every domain has.
pub(super) const XFAM_MANDATORY: u64 = 0x3;
/// When no date is a minimum.
const ANY_DATE: UnixTime = UnixTime::from_secs(0);

/// Reads the section, then refuses what contradicts itself or, in production, weakens a locked knob.
pub(crate) fn load(mut t: Table<'_>, mode: &Placed<Mode>) -> Result<TdxPolicy, PolicyError> {
    let section = t.source().to_owned();
    let off = |t: &mut Table<'_>, key| t.knob(key, FLAG, flag, false);
    let on = |t: &mut Table<'_>, key| t.knob(key, FLAG, flag, true);

    let images = images(&mut t)?;
    let any = t.optional(
        "measurements",
        "\"any\", or no such key: what is permitted stands in [[tdx.images]]",
        |v| (v.as_str()? == "any").then_some(()),
    )?;
    let least = t.optional("min_tcb_eval_num", "a number of 32 bits that is not zero", |v| {
        number(v).filter(|&n: &u32| n != 0)
    })?;

    let policy = TdxPolicy {
        crl_required: on(&mut t, "crl_required")?,
        collateral_max_age_hours: t.knob(
            "collateral_max_age_hours",
            "a number of hours that is not zero",
            |v| number(v).filter(|&hours| hours != 0).map(MaxAge::Hours),
            MaxAge::NextUpdate,
        )?,
        min_tcb_eval_num: least_eval_num(least, &section)?,
        accepted_status: t.knob(
            "accepted_status",
            "a list of TCB statuses in Intel's spelling that is not empty",
            some_of(|v| TcbStatus::parse(v.as_str()?)),
            vec![TcbStatus::UpToDate],
        )?,
        accepted_advisories: t.knob(
            "accepted_advisories",
            "a list of advisories like \"INTEL-SA-00837\"",
            list(text),
            Vec::new(),
        )?,
        min_tcb_date: t.knob(
            "min_tcb_date",
            "a date like \"2024-03-13T00:00:00Z\"",
            |v| UnixTime::parse(v.as_str()?),
            ANY_DATE,
        )?,
        allow_debug: off(&mut t, "allow_debug")?,
        require_sept_ve_disable: on(&mut t, "require_sept_ve_disable")?,
        allow_migratable: off(&mut t, "allow_migratable")?,
        allow_perfmon: off(&mut t, "allow_perfmon")?,
        allow_kl: off(&mut t, "allow_kl")?,
        allow_pks: on(&mut t, "allow_pks")?,
        xfam_allowed: t.knob("xfam_allowed", "a number, its bits being features", number, XFAM_TDX_1_0)?,
        service_td: t.knob(
            "service_td",
            "\"zero\" or a list of values of 96 hexadecimal digits, none of them zero",
            service_td,
            Vec::new(),
        )?,
        images: permitted_images(images, any, &section, mode)?,
        require_eventlog: off(&mut t, "require_eventlog")?,
        mr_config_id: t.knob(
            "mr_config_id",
            "\"zero\", \"init-data\" or a list of values of 96 hexadecimal digits",
            LaunchData::read,
            LaunchData::Zero,
        )?,
        mr_owner: t.knob("mr_owner", OWNER, owner, LaunchData::Zero)?,
        mr_owner_config: t.knob("mr_owner_config", OWNER, owner, LaunchData::Zero)?,
        smt_allowed: on(&mut t, "smt_allowed")?,
        allow_dynamic_platform: on(&mut t, "allow_dynamic_platform")?,
        allow_cached_keys: on(&mut t, "allow_cached_keys")?,
        platform_allowlist: t.knob(
            "platform_allowlist",
            PLATFORMS,
            |v| some_of(platform)(v).map(Allowed::Only),
            Allowed::Any,
        )?,
        platform_denylist: t.knob("platform_denylist", PLATFORMS, list(platform), Vec::new())?,
        mrseam_allowlist: t.knob(
            "mrseam_allowlist",
            "a list of MRSEAMs of 96 hexadecimal digits, none of them zero",
            |v| some_of(nonzero)(v).map(Allowed::Only),
            Allowed::Any,
        )?,
    };
    t.finish()?;
    consistent(&policy)?;
    if mode.value == Mode::Production {
        fit_for_production(&policy)?;
    }
    Ok(policy)
}

fn least_eval_num(least: Option<Placed<u32>>, section: &str) -> Result<Placed<u32>, PolicyError> {
    let detail =
        "key `min_tcb_eval_num` is absent, expected the least tcbEvaluationDataNumber that is current";
    least.ok_or_else(|| PolicyError::new(codes::POL_MIN_TCB_UNSET, section, detail))
}

fn images(t: &mut Table<'_>) -> Result<Option<Placed<Vec<Placed<Image>>>>, PolicyError> {
    let Some(Placed { value: tables, source }) = t.tables("images")? else { return Ok(None) };
    let mut images: Vec<Placed<Image>> = Vec::new();
    for table in tables {
        let image = image(table)?;
        if images.iter().any(|other| other.value.name == image.value.name) {
            let detail =
                format!("found image {:?} twice, expected one set of registers for it", image.value.name);
            return Err(PolicyError::new(codes::POL_FORMAT_INVALID, image.source, detail));
        }
        images.push(image);
    }
    Ok(Some(Placed { value: images, source }))
}

fn image(mut table: Table<'_>) -> Result<Placed<Image>, PolicyError> {
    let source = table.source().to_owned();
    let absent = |code: Code, key: &str| {
        let detail = format!("key `{key}` is absent, an image has a name and all its registers");
        PolicyError::new(code, source.as_str(), detail)
    };
    let name = table.optional("name", "a text that is not empty", text)?;
    let mut registers = [[0; 48]; 5];
    for (register, key) in registers.iter_mut().zip(REGISTERS) {
        match table.optional(key, REGISTER, bytes)? {
            Some(value) => *register = value.value,
            // An image that extends nothing at run time leaves it zero.
            None if key == "rtmr3" => {}
            None => return Err(absent(codes::POL_MEASUREMENT_UNSET, key)),
        }
    }
    let name = name.ok_or_else(|| absent(codes::POL_FORMAT_INVALID, "name"))?.value;
    table.finish()?;
    Ok(Placed { value: Image { name, registers }, source })
}

fn permitted_images(
    images: Option<Placed<Vec<Placed<Image>>>>,
    any: Option<Placed<()>>,
    section: &str,
    mode: &Placed<Mode>,
) -> Result<Placed<Allowed<Placed<Image>>>, PolicyError> {
    let unset = |place: &str, found: &str| {
        let detail = format!("{found}, expected the images that are permitted");
        Err(PolicyError::new(codes::POL_MEASUREMENT_UNSET, place, detail))
    };
    match (images, any) {
        (None, None) => unset(section, "key `images` is absent"),
        (Some(images), Some(any)) => {
            let detail = format!("found \"any\" beside {}, expected one of them", images.source);
            Err(PolicyError::new(codes::POL_FORMAT_INVALID, any.source, detail))
        }
        (None, Some(any)) if mode.value == Mode::Production => {
            unset(&any.source, "found \"any\" in a production policy")
        }
        (None, Some(any)) => Ok(Placed { value: Allowed::Any, source: any.source }),
        (Some(images), None) if images.value.is_empty() => unset(&images.source, "found an empty list"),
        (Some(images), None) => {
            let unmeasured = |image: &&Placed<Image>| image.value.registers.first() == Some(&[0; 48]);
            if let Some(image) = images.value.iter().find(unmeasured) {
                let detail = "found an mr_td that is all zero, which no launched domain has";
                return Err(PolicyError::new(codes::POL_MEASUREMENT_INVALID, image.source.as_str(), detail));
            }
            Ok(Placed { value: Allowed::Only(images.value), source: images.source })
        }
    }
}

/// Refuses combinations in which a knob would have no effect or nothing could pass.
fn consistent(policy: &TdxPolicy) -> Result<(), PolicyError> {
    let invalid = |place: &str, detail| Err(PolicyError::new(codes::POL_FORMAT_INVALID, place, detail));
    let (accepted, advisories) = (&policy.accepted_status, &policy.accepted_advisories);
    if let Some(old) = accepted.value.iter().find(|status| **status >= TcbStatus::OutOfDate) {
        for (unset, key) in [
            (policy.min_tcb_date.value == ANY_DATE, "min_tcb_date"),
            (advisories.value.is_empty(), "accepted_advisories"),
        ] {
            if unset {
                return invalid(&accepted.source, format!("{old} is accepted and {key} says nothing"));
            }
        }
    }
    if !advisories.value.is_empty() && accepted.value.iter().all(|status| *status == TcbStatus::UpToDate) {
        let detail = "has no effect while accepted_status has nothing but UpToDate";
        return invalid(&advisories.source, detail.to_owned());
    }
    if policy.xfam_allowed.value & XFAM_MANDATORY != XFAM_MANDATORY {
        let detail = format!("lacks bits of {XFAM_MANDATORY:#x}, which every domain has");
        return invalid(&policy.xfam_allowed.source, detail);
    }
    if let Allowed::Only(allowed) = &policy.platform_allowlist.value
        && allowed.iter().all(|id| policy.platform_denylist.value.contains(id))
    {
        let detail = "has no platform that is not on platform_denylist";
        return invalid(&policy.platform_allowlist.source, detail.to_owned());
    }
    Ok(())
}

/// Refuses what only a development policy may say (*verification.md* 0.13, 2.3).
fn fit_for_production(policy: &TdxPolicy) -> Result<(), PolicyError> {
    let refused = |place: &str, found: &str| {
        let detail = format!("found {found}, which is locked unless profile = \"development\"");
        Err(PolicyError::new(codes::POL_PROFILE_DEVELOPMENT, place, detail))
    };
    if policy.allow_debug.value {
        return refused(&policy.allow_debug.source, "true");
    }
    if policy.accepted_status.value.contains(&TcbStatus::Revoked) {
        return refused(&policy.accepted_status.source, "Revoked");
    }
    Ok(())
}

fn owner(value: &DeValue<'_>) -> Option<LaunchData<48>> {
    // Nothing says that an owner commits to init-data.
    LaunchData::read(value).filter(|data| *data != LaunchData::InitData)
}

fn service_td(value: &DeValue<'_>) -> Option<Vec<Register>> {
    if value.as_str() == Some("zero") { Some(Vec::new()) } else { some_of(nonzero)(value) }
}

fn nonzero(value: &DeValue<'_>) -> Option<Register> {
    bytes(value).filter(|register| *register != [0; 48])
}

fn platform(value: &DeValue<'_>) -> Option<PlatformId> {
    bytes(value).filter(|id| *id != [0; 16])
}
