//! Steps G11 and G14: which reference manifests a report needs.

use cc_core::gpu::DeviceClass;
use cc_core::{Finding, codes};

use super::arch::Arch;
use super::chain::Chain;
use super::opaque::{Item, Opaque};
use super::rim::Kind;

/// The chip of Blackwells whose reports do not name theirs.
const FIRST_BLACKWELL: &str = "GB100";
/// Project, its SKU and that of the chip of the one switch; its reports do not have them.
const LS10_BOARD: &str = "5612_0002_890";
/// Longest part of a manifest's name, in characters.
const MAX_PART: usize = 24;

/// A manifest that a report needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) kind: Kind,
    /// Its name at NVIDIA's service.
    pub(super) id: String,
    /// The version in the report.
    pub(super) version: String,
    /// The product that it must be for.
    pub(super) product: String,
}

impl Wanted {
    /// The manifests for a report of a device with that chain. `gpu.rim.id_invalid` when a field of the report cannot be
    /// part of a name: only decimal and hexadecimal numbers, and capital letters with digits, ever are.
    pub(super) fn of(opaque: &Opaque<'_>, chain: &Chain) -> Result<Vec<Self>, Finding> {
        let Some(bios) = opaque.vbios_version(chain.arch.class()) else {
            return Err(invalid("VBIOS version", opaque.item(Item::VBIOS_VERSION)));
        };
        if !is_bios_version(&bios) {
            return Err(invalid("VBIOS version", opaque.item(Item::VBIOS_VERSION)));
        }
        let digits = bios.replace('.', "").to_ascii_uppercase();
        let manifest =
            |kind, id, version, product: &str| Self { kind, id, version, product: product.to_owned() };
        if chain.arch.class() == DeviceClass::Switch {
            let id = format!("NV_SWITCH_BIOS_{LS10_BOARD}_{digits}");
            return Ok(vec![manifest(Kind::SwitchBios, id, bios, chain.arch.name())]);
        }
        let part = |kind, name, is_valid: fn(&str) -> bool| {
            let text = opaque.text(kind).filter(|text| text.len() <= MAX_PART && is_valid(text));
            text.ok_or_else(|| invalid(name, opaque.item(kind)))
        };
        let driver = part(Item::DRIVER_VERSION, "driver version", is_driver_version)?;
        let project = part(Item::PROJECT, "project", is_code)?;
        let project_sku = part(Item::PROJECT_SKU, "project SKU", is_code)?;
        let chip_sku = part(Item::CHIP_SKU, "chip SKU", is_code)?;
        let (driver_id, product) = match (chain.arch, opaque.item(Item::CHIP_INFO)) {
            (Arch::Hopper | Arch::Ls10, _) => {
                (format!("NV_GPU_DRIVER_{}_{driver}", chain.chip), chain.chip.as_str())
            }
            (Arch::Blackwell, None) => {
                (format!("NV_GPU_CC_DRIVER_{FIRST_BLACKWELL}_{driver}"), FIRST_BLACKWELL)
            }
            (Arch::Blackwell, Some(_)) => {
                let chip = part(Item::CHIP_INFO, "chip", is_code)?;
                (format!("NV_GPU_CC_DRIVER_{chip}_{driver}"), chip)
            }
        };
        let bios_id = format!("NV_GPU_VBIOS_{project}_{project_sku}_{chip_sku}_{digits}");
        Ok(vec![
            manifest(Kind::Driver, driver_id, driver.to_owned(), product),
            manifest(Kind::Vbios, bios_id, bios, product),
        ])
    }
}

/// Numbers between single dots.
fn is_driver_version(text: &str) -> bool {
    text.split('.').all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Capital letters and digits.
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Five pairs of hexadecimal digits between dots.
fn is_bios_version(text: &str) -> bool {
    let is_pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('.').count() == 5 && text.split('.').all(is_pair)
}

fn invalid(name: &str, content: Option<&[u8]>) -> Finding {
    let content = content.unwrap_or_default();
    let shown = content.get(..MAX_PART).unwrap_or(content).escape_ascii();
    let detail = format!("{name} {shown:?} cannot be part of a reference manifest's name");
    Finding::new(codes::GPU_RIM_ID_INVALID, detail)
}
