//! [`World`]: a report with everything needed to verify it, consistent until a test makes it otherwise.
//!
//! A negative test edits one thing and either signs again (`edit_*`: the fault is in the signed content) or changes
//! the finished bytes (the public fields: the fault is in transit).

use super::ca;
use super::cert::{CertSpec, pem};
use super::certtable::{ARK_GUID, ASK_GUID, CertTable, VCEK_GUID, VLEK_GUID};
use super::crl::CrlSpec;
use super::keys::{self, SignKey};
use super::product::{LeafKind, Product};
use super::report::ReportBuilder;

/// The verification time for which every world is valid: 2026-06-01T00:00:00Z, seconds since 1970.
pub const NOW: i64 = 1_780_272_000;
/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// A report, its certificate chain and the revocation list of its root.
#[derive(Clone)]
pub struct World {
    /// The product line.
    pub product: Product,
    /// The kind of leaf.
    pub kind: LeafKind,
    /// The signed report.
    pub report: ReportBuilder,
    /// The VCEK or VLEK certificate, DER.
    pub leaf: Vec<u8>,
    /// The ASK or ASVK certificate, DER.
    pub intermediate: Vec<u8>,
    /// The root certificate, DER.
    pub ark: Vec<u8>,
    /// The revocation list, DER, of the root.
    pub crl: Vec<u8>,
    /// What [`World::leaf`] was made from.
    pub leaf_spec: CertSpec,
    /// What [`World::intermediate`] was made from.
    pub intermediate_spec: CertSpec,
    /// What [`World::ark`] was made from.
    pub ark_spec: CertSpec,
    /// What [`World::crl`] was made from.
    pub crl_spec: CrlSpec,
    /// Signs reports from now on.
    pub leaf_key: &'static SignKey,
    /// Signs leaves from now on.
    pub intermediate_key: &'static SignKey,
    /// Signs roots, intermediates and revocation lists from now on.
    pub ark_key: &'static SignKey,
}

impl World {
    /// An acceptable world under the committed root of the product line: report and leaf agree in every field, the
    /// list revokes nothing. Verifies at [`NOW`].
    pub fn new(product: Product, kind: LeafKind) -> Self {
        let (ark_key, intermediate_key) = (keys::ark(product), keys::intermediate(product, kind));
        let ark_spec = CertSpec::ark(product);
        let intermediate_spec = CertSpec::intermediate(product, kind);
        let (ark, intermediate) = (ca::ark_der(product), ca::intermediate_der(product, kind));
        Self::assemble(
            product,
            kind,
            (ark_spec, ark, ark_key),
            (intermediate_spec, intermediate, intermediate_key),
        )
    }

    /// The same names and contents under a root and an intermediate that someone made for themselves
    /// ([`keys::stranger_rsa`]); consistent but for the trust anchor.
    pub fn self_made(product: Product, kind: LeafKind) -> Self {
        let key = keys::stranger_rsa();
        let ark_spec = CertSpec::ark_with_key(product, key);
        let intermediate_spec = CertSpec::intermediate_with_keys(product, kind, key, key);
        let (ark, intermediate) = (ark_spec.sign(key), intermediate_spec.sign(key));
        Self::assemble(product, kind, (ark_spec, &ark, key), (intermediate_spec, &intermediate, key))
    }

    fn assemble(
        product: Product,
        kind: LeafKind,
        (ark_spec, ark, ark_key): (CertSpec, &[u8], &'static SignKey),
        (intermediate_spec, intermediate, intermediate_key): (CertSpec, &[u8], &'static SignKey),
    ) -> Self {
        let leaf_key = keys::leaf(kind);
        let leaf_spec = CertSpec::leaf(product, kind);
        let crl_spec = CrlSpec::ark(product);
        let mut report = ReportBuilder::healthy(product, kind);
        report.sign(leaf_key);
        Self {
            product,
            kind,
            report,
            leaf: leaf_spec.sign(intermediate_key),
            intermediate: intermediate.to_vec(),
            ark: ark.to_vec(),
            crl: crl_spec.sign(ark_key),
            leaf_spec,
            intermediate_spec,
            ark_spec,
            crl_spec,
            leaf_key,
            intermediate_key,
            ark_key,
        }
    }

    /// Edits the report and signs it again.
    pub fn edit_report(&mut self, edit: impl FnOnce(&mut ReportBuilder)) -> &mut Self {
        edit(&mut self.report);
        self.report.sign(self.leaf_key);
        self
    }

    /// Edits the leaf and issues it again.
    pub fn edit_leaf(&mut self, edit: impl FnOnce(&mut CertSpec)) -> &mut Self {
        edit(&mut self.leaf_spec);
        self.leaf = self.leaf_spec.sign(self.intermediate_key);
        self
    }

    /// Edits the ASK or ASVK and issues it again.
    pub fn edit_intermediate(&mut self, edit: impl FnOnce(&mut CertSpec)) -> &mut Self {
        edit(&mut self.intermediate_spec);
        self.intermediate = self.intermediate_spec.sign(self.ark_key);
        self
    }

    /// Edits the root and issues it again; it is then no longer the committed one.
    pub fn edit_ark(&mut self, edit: impl FnOnce(&mut CertSpec)) -> &mut Self {
        edit(&mut self.ark_spec);
        self.ark = self.ark_spec.sign(self.ark_key);
        self
    }

    /// Edits the revocation list and issues it again.
    pub fn edit_crl(&mut self, edit: impl FnOnce(&mut CrlSpec)) -> &mut Self {
        edit(&mut self.crl_spec);
        self.crl = self.crl_spec.sign(self.ark_key);
        self
    }

    /// Puts another key into the leaf (issued again) and signs the report with it.
    pub fn rekey(&mut self, leaf_key: &'static SignKey) -> &mut Self {
        self.leaf_key = leaf_key;
        self.edit_leaf(|leaf| leaf.spki = leaf_key.spki().to_vec()).edit_report(|_| {})
    }

    /// The host's certificate table for this world: root, intermediate, leaf; blobs in DER.
    pub fn cert_table(&self) -> CertTable {
        self.table(<[u8]>::to_vec)
    }

    /// The same table with the blobs in PEM.
    pub fn cert_table_pem(&self) -> CertTable {
        self.table(|der| pem(der).into_bytes())
    }

    fn table(&self, encode: impl Fn(&[u8]) -> Vec<u8>) -> CertTable {
        let leaf_guid = if self.kind == LeafKind::Vcek { VCEK_GUID } else { VLEK_GUID };
        let mut table = CertTable::default();
        table
            .push(ARK_GUID, &encode(&self.ark))
            .push(ASK_GUID, &encode(&self.intermediate))
            .push(leaf_guid, &encode(&self.leaf));
        table
    }
}
