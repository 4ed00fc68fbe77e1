//! Claims of a report and of the collateral that authenticated it.
//!
//! Names and encodings are those of *decisions.md* 18. What a report version does not have is absent, never a
//! placeholder. All byte strings are hexadecimal in report order; beside each TCB stand its components
//! (`reported_tcb_parts` and so on: `fmc` on Turin only, `bootloader`, `tee`, `snp`, `microcode`), beside each firmware
//! version its numbers (`current_fw`, `committed_fw`: `major`, `minor`, `build`).

use cc_core::{ClaimValue, Claims};

use super::bits;
use super::extensions::{LeafExtensions, Owner};
use super::form::{self, Form};
use super::issuer::Revocations;
use super::product::{Product, Tcb};
use super::report::FirmwareVersion;
use crate::pki::Window;

/// What the report itself says. `product` is the product line where it is known.
pub(super) fn of_report(form: &Form<'_>, product: Option<Product>) -> Claims {
    let report = form.report;
    let key_info = report.key_info();
    let mut claims = Claims::new();
    claims.insert("version", report.version());
    claims.insert("guest_svn", report.guest_svn());
    claims.insert("policy", format!("{:#x}", report.policy()));
    claims.insert("policy_flags", policy_flags(report.policy()));
    claims.insert_bytes("family_id", report.family_id());
    claims.insert_bytes("image_id", report.image_id());
    claims.insert("vmpl", report.vmpl());
    claims.insert("sig_algo", report.signature_algo());
    claims.insert("platform_info", format!("{:#x}", report.platform_info()));
    claims.insert("platform_flags", flags(report.platform_info(), &bits::PLATFORM_FLAGS));
    claims.insert("key_info", format!("{key_info:#x}"));
    claims.insert("signing_key", form.kind.name());
    claims.insert("author_key_en", u64::from(bits::author_key_en(key_info)));
    claims.insert("mask_chip_key", u64::from(bits::mask_chip_key(key_info)));
    claims.insert_bytes("report_data", report.report_data());
    claims.insert_bytes("measurement", report.measurement());
    claims.insert_bytes("host_data", report.host_data());
    claims.insert_bytes("id_key_digest", report.id_key_digest());
    claims.insert_bytes("author_key_digest", report.author_key_digest());
    claims.insert_bytes("report_id", report.report_id());
    claims.insert_bytes("report_id_ma", report.report_id_ma());
    claims.insert_bytes("chip_id", report.chip_id());
    claims.insert("chip_id_masked", form.chip_id_is_zero());
    if form.product.is_some() {
        let cpuid = report.cpuid().map(|part| format!("{part:#x}"));
        claims.insert("cpuid_fam_mod_step", Vec::from(cpuid));
    }
    let parts_names = ["current_tcb_parts", "reported_tcb_parts", "committed_tcb_parts", "launch_tcb_parts"];
    for ((name, tcb), parts_name) in form::tcbs(report).into_iter().zip(parts_names) {
        claims.insert_bytes(name, &tcb);
        // The reserved bytes are known to be zero.
        if let Ok(tcb) = Tcb::decode(tcb, form.layout()) {
            claims.insert(parts_name, parts(&tcb));
        }
    }
    for (name, numbers_name, version) in [
        ("current_version", "current_fw", report.current_version()),
        ("committed_version", "committed_fw", report.committed_version()),
    ] {
        claims.insert(name, version.to_string());
        claims.insert(numbers_name, numbers(version));
    }
    if report.version() >= 5 {
        claims.insert_bytes("launch_mit_vector", report.launch_mit_vector());
        claims.insert_bytes("current_mit_vector", report.current_mit_vector());
    }
    if let Some(product) = product {
        claims.insert("product", product.name());
    }
    claims
}

/// Adds what the leaf certificate says.
pub(super) fn add_leaf(claims: &mut Claims, extensions: &LeafExtensions, product: Product, window: Window) {
    let mut leaf = Claims::new();
    leaf.insert("structVersion", extensions.struct_version);
    leaf.insert("productName", extensions.product_name.as_str());
    if let Ok(tcb) = Tcb::decode(extensions.tcb, product) {
        if let Some(fmc) = tcb.fmc {
            leaf.insert("fmcSPL", fmc);
        }
        leaf.insert("blSPL", tcb.bootloader);
        leaf.insert("teeSPL", tcb.tee);
        leaf.insert("snpSPL", tcb.snp);
        leaf.insert("ucodeSPL", tcb.microcode);
    }
    match &extensions.owner {
        Owner::Chip(hwid) => leaf.insert_bytes("hwID", hwid),
        Owner::Provider(csp_id) => leaf.insert("cspID", csp_id.as_str()),
    }
    claims.insert("leaf_ext", leaf);
    claims.insert("leaf_not_before", window.from.to_string());
    claims.insert("leaf_not_after", window.until.to_string());
}

/// Adds what the revocation list that was used says.
pub(super) fn add_crl(claims: &mut Claims, crl: &Revocations) {
    claims.insert("crl_this_update", crl.this_update.to_string());
    if let Some(next_update) = crl.next_update {
        claims.insert("crl_next_update", next_update.to_string());
    }
    let digits = hex::encode(crl.number);
    let digits = digits.trim_start_matches('0');
    claims.insert("crl_number", format!("0x{}", if digits.is_empty() { "0" } else { digits }));
}

fn policy_flags(policy: u64) -> Claims {
    let (major, minor) = bits::abi(policy);
    let mut claims = flags(policy, &bits::POLICY_FLAGS);
    claims.insert("abi", format!("{major}.{minor}"));
    claims
}

fn flags(word: u64, names: &[(&'static str, u32)]) -> Claims {
    let mut claims = Claims::new();
    for (name, bit) in names {
        claims.insert(name, bits::is_set(word, *bit));
    }
    claims
}

fn parts(tcb: &Tcb) -> Claims {
    let mut claims = Claims::new();
    for (name, level) in tcb.components() {
        claims.insert(name, ClaimValue::from(level));
    }
    claims
}

fn numbers(version: FirmwareVersion) -> Claims {
    let mut claims = Claims::new();
    claims.insert("major", version.major);
    claims.insert("minor", version.minor);
    claims.insert("build", version.build);
    claims
}
