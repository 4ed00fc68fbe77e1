//! Leaf certificates (VCEK and VLEK) with AMD's key service extensions (AMD 57230).

use super::ca::intermediate_name;
use super::cert::{CertSpec, Ext, SigKind, amd_name};
use super::keys;
use super::product::{LeafKind, Product, Tcb};
use crate::der;

/// Identifiers of AMD's extensions (prefix 1.3.6.1.4.1.3704.1).
pub mod oids {
    /// structVersion, INTEGER.
    pub const STRUCT_VERSION: &str = "1.3.6.1.4.1.3704.1.1";
    /// productName, IA5String.
    pub const PRODUCT_NAME: &str = "1.3.6.1.4.1.3704.1.2";
    /// blSPL (boot loader), INTEGER.
    pub const BL_SPL: &str = "1.3.6.1.4.1.3704.1.3.1";
    /// teeSPL, INTEGER.
    pub const TEE_SPL: &str = "1.3.6.1.4.1.3704.1.3.2";
    /// snpSPL, INTEGER.
    pub const SNP_SPL: &str = "1.3.6.1.4.1.3704.1.3.3";
    /// spl4, INTEGER; absent on Turin.
    pub const SPL_4: &str = "1.3.6.1.4.1.3704.1.3.4";
    /// spl5, INTEGER.
    pub const SPL_5: &str = "1.3.6.1.4.1.3704.1.3.5";
    /// spl6, INTEGER.
    pub const SPL_6: &str = "1.3.6.1.4.1.3704.1.3.6";
    /// spl7, INTEGER.
    pub const SPL_7: &str = "1.3.6.1.4.1.3704.1.3.7";
    /// ucodeSPL (microcode), INTEGER.
    pub const UCODE_SPL: &str = "1.3.6.1.4.1.3704.1.3.8";
    /// fmcSPL, INTEGER; Turin only.
    pub const FMC_SPL: &str = "1.3.6.1.4.1.3704.1.3.9";
    /// HWID, the raw bytes without any DER; VCEK only.
    pub const HWID: &str = "1.3.6.1.4.1.3704.1.4";
    /// CSP_ID, IA5String; VLEK only.
    pub const CSP_ID: &str = "1.3.6.1.4.1.3704.1.5";
}

/// The cloud provider id of the VLEK leaves made here.
pub const CSP_ID: &str = "CN=muster-cloud.example";
/// Start of validity of the leaves: 2023-01-01T00:00:00Z.
pub const LEAF_NOT_BEFORE: i64 = 1_672_531_200;
/// End of validity of the leaves: 2033-01-01T00:00:00Z.
pub const LEAF_NOT_AFTER: i64 = 1_988_150_400;

impl CertSpec {
    /// The leaf of this kind for the test chip or the test provider, TCB [`Product::tcb`].
    pub fn leaf(product: Product, kind: LeafKind) -> Self {
        match kind {
            LeafKind::Vcek => Self::vcek(product),
            LeafKind::Vlek => Self::vlek(product),
        }
    }

    /// The VCEK of the test chip ([`Product::hwid`]).
    pub fn vcek(product: Product) -> Self {
        let mut spec = leaf(product, LeafKind::Vcek);
        spec.extensions.push(Ext::new(oids::HWID, product.hwid()));
        spec
    }

    /// The VLEK of the test provider ([`CSP_ID`]).
    pub fn vlek(product: Product) -> Self {
        let mut spec = leaf(product, LeafKind::Vlek);
        spec.extensions.push(Ext::new(oids::CSP_ID, ia5(CSP_ID)));
        spec
    }

    /// Sets the SPL extensions of the components; fmcSPL only where the certificate has it.
    pub fn set_tcb(&mut self, tcb: Tcb) {
        let components = [
            (oids::BL_SPL, tcb.bootloader),
            (oids::TEE_SPL, tcb.tee),
            (oids::SNP_SPL, tcb.snp),
            (oids::UCODE_SPL, tcb.microcode),
            (oids::FMC_SPL, tcb.fmc),
        ];
        for (oid, level) in components {
            if let Some(ext) = self.extensions.iter_mut().find(|ext| ext.oid == oid) {
                ext.value = der::integer(level.into());
            }
        }
    }

    /// Sets productName.
    pub fn set_product_name(&mut self, name: &str) {
        self.set_ext(oids::PRODUCT_NAME, ia5(name));
    }
}

/// An IA5String.
pub fn ia5(text: &str) -> Vec<u8> {
    der::tlv(der::IA5_STRING, text.as_bytes())
}

/// The leaf without its HWID or CSP_ID, extensions in the order in which AMD writes them.
fn leaf(product: Product, kind: LeafKind) -> CertSpec {
    let turin = product == Product::Turin;
    let levels: &[&str] = if turin {
        use oids::*;
        &[FMC_SPL, BL_SPL, TEE_SPL, SNP_SPL, SPL_5, SPL_6, SPL_7, UCODE_SPL]
    } else {
        use oids::*;
        &[BL_SPL, TEE_SPL, SPL_4, SPL_5, SPL_6, SPL_7, SNP_SPL, UCODE_SPL]
    };
    // Milan's older VCEKs name the stepping and spell out the PSS trailer field; later leaves do neither.
    let older = product == Product::Milan && kind == LeafKind::Vcek;
    let product_name = if older { "Milan-B0" } else { product.name() };
    let signing = if older { SigKind::PssSha384 } else { SigKind::PssSha384ShortParameters };
    let mut extensions = vec![
        Ext::new(oids::STRUCT_VERSION, der::integer(turin.into())),
        Ext::new(oids::PRODUCT_NAME, ia5(product_name)),
    ];
    extensions.extend(levels.iter().map(|oid| Ext::new(*oid, der::integer(0))));
    let mut spec = CertSpec {
        version: Some(2),
        serial: vec![0],
        inner_algorithm: signing.algorithm(),
        issuer: amd_name(&intermediate_name(product, kind)),
        not_before: LEAF_NOT_BEFORE,
        not_after: LEAF_NOT_AFTER,
        subject: amd_name(if kind == LeafKind::Vcek { "SEV-VCEK" } else { "SEV-VLEK" }),
        spki: keys::leaf(kind).spki().to_vec(),
        extensions,
        outer_algorithm: signing.algorithm(),
        signing,
    };
    spec.set_tcb(product.tcb());
    spec
}
