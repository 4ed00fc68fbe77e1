//! Which endorsements a report needs, and where they are published (*verification.md* 1.4).

use std::fmt::Write as _;

use cc_core::SECONDS_PER_DAY;
use cc_core::message::EndorsementRequest;

use super::chain::PRODUCTS_OF_VERSION_2;
use super::extensions::{LeafExtensions, Owner};
use super::form::Form;
use super::product::{Kind, Product, Tcb};
use super::role::Role;
use super::slots::Slots;
use crate::pki::{Certificate, common_name};

/// AMD's key distribution service.
const SERVICE: &str = "https://kdsintf.amd.com";
/// For how long fetched certificates may be kept, in seconds.
const CERTIFICATE_AGE: u64 = SECONDS_PER_DAY.saturating_mul(30);
/// For how long fetched revocation lists may be kept, in seconds.
const CRL_AGE: u64 = SECONDS_PER_DAY;

/// The certificates that are missing among the endorsements at hand, and the current revocation list. That is asked for
/// even when one is at hand: whoever is behind a revoked intermediate would supply the list from before.
pub(super) fn requests(form: &Form<'_>, slots: &Slots<'_>) -> Vec<EndorsementRequest> {
    let mut requests = Vec::new();
    let leaves: Vec<_> = slots.leaves.iter().filter_map(|der| Hint::read(der)).collect();
    let issuers: Vec<_> = slots.intermediates.iter().filter_map(|der| Hint::read(der)).collect();
    let products = products(form, &leaves, &issuers);
    let has_leaf = leaves.iter().any(|leaf| leaf.fits(form, &products));
    for product in products {
        if !has_leaf {
            requests.extend(vcek(form, product));
        }
        if !issuers.iter().any(|issuer| issuer.role == Role::Issuer(form.kind, product)) {
            requests.push(document(form.kind, product, "cert_chain", "snp.cert_chain", CERTIFICATE_AGE));
        }
        requests.push(document(form.kind, product, "crl", "snp.crl", CRL_AGE));
    }
    requests
}

/// The product line of the report; for version 2 that of the first certificate at hand which tells, otherwise all it
/// can be.
pub(super) fn product(form: &Form<'_>, slots: &Slots<'_>) -> Option<Product> {
    let read = |certificates: &[&'_ [u8]]| -> Vec<Product> {
        certificates
            .iter()
            .filter_map(|der| Hint::read(der))
            .filter_map(|hint| hint.product(form.kind))
            .collect()
    };
    form.product.or_else(|| read(&slots.leaves).first().or(read(&slots.intermediates).first()).copied())
}

fn products(form: &Form<'_>, leaves: &[Hint<'_>], issuers: &[Hint<'_>]) -> Vec<Product> {
    let told = || leaves.iter().chain(issuers).find_map(|hint| hint.product(form.kind));
    form.product.or_else(told).map_or(PRODUCTS_OF_VERSION_2.to_vec(), |product| vec![product])
}

/// A certificate at hand, not verified.
struct Hint<'a> {
    certificate: Certificate<'a>,
    role: Role,
    issuer: Option<Role>,
}

impl<'a> Hint<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let certificate = Certificate::parse(der).ok()?;
        let role = common_name(certificate.subject).ok().and_then(Role::of)?;
        let issuer = common_name(certificate.issuer).ok().and_then(Role::of);
        Some(Self { certificate, role, issuer })
    }

    /// The product line of a certificate for keys of this kind, where reports of version 2 can be of it.
    fn product(&self, kind: Kind) -> Option<Product> {
        match (self.role, self.issuer) {
            (Role::Issuer(of, product), _) | (Role::Leaf(of), Some(Role::Issuer(_, product)))
                if of == kind && PRODUCTS_OF_VERSION_2.contains(&product) =>
            {
                Some(product)
            }
            _ => None,
        }
    }

    /// Whether a leaf is the one that the report needs, going by what it says.
    fn fits(&self, form: &Form<'_>, products: &[Product]) -> bool {
        let (Role::Leaf(kind), Some(Role::Issuer(_, product))) = (self.role, self.issuer) else {
            return false;
        };
        let Ok(extensions) = LeafExtensions::read(&self.certificate.extensions, kind, product) else {
            return false;
        };
        let same_chip = match &extensions.owner {
            Owner::Chip(hwid) => form.chip_id_is_zero() || form.report.chip_id().starts_with(hwid),
            Owner::Provider(_) => true,
        };
        kind == form.kind
            && products.contains(&product)
            && same_chip
            && extensions.tcb == form.report.reported_tcb()
    }
}

/// The VCEK of the report. A VLEK is not published, and a masked CHIP_ID names no processor.
fn vcek(form: &Form<'_>, product: Product) -> Option<EndorsementRequest> {
    if form.kind == Kind::Vlek || form.chip_id_is_zero() {
        return None;
    }
    let hwid = hex::encode(form.report.chip_id().get(..product.hwid_length())?);
    let tcb = Tcb::decode(form.report.reported_tcb(), product).ok()?;
    let mut url = format!("{SERVICE}/vcek/v1/{product}/{hwid}?");
    if let Some(fmc) = tcb.fmc {
        let _ = write!(url, "fmcSPL={fmc}&");
    }
    let Tcb { bootloader, tee, snp, microcode, .. } = tcb;
    let _ = write!(url, "blSPL={bootloader}&teeSPL={tee}&snpSPL={snp}&ucodeSPL={microcode}");
    Some(EndorsementRequest { kind: "snp.vcek".to_owned(), url, max_age: CERTIFICATE_AGE, post: None })
}

fn document(kind: Kind, product: Product, path: &str, name: &str, max_age: u64) -> EndorsementRequest {
    let service = match kind {
        Kind::Vcek => "vcek",
        Kind::Vlek => "vlek",
    };
    let url = format!("{SERVICE}/{service}/v1/{product}/{path}");
    EndorsementRequest { kind: name.to_owned(), url, max_age, post: None }
}
