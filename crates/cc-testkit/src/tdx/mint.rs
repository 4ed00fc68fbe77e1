//! [`World`]: a quote with everything needed to verify it, consistent until a test makes it otherwise.
//!
//! A negative test edits one thing and either signs again (`edit_*`, [`World::set`]: the fault is in the signed
//! content) or changes the finished objects (the public fields: the fault is in transit).

use super::ca::{self, Ca, root_der, signer_der};
use super::ccel::EventLog;
use super::collateral::{QeIdentity, Signed, TcbInfo};
use super::field::{Field, Part, RTMRS};
use super::pck::{SGX_EXTENSION, pck};
use super::quote::QuoteBuilder;
use super::sgx::SgxExtension;
use super::{crl, keys};
use crate::snp::cert::pem;
use crate::snp::{CertSpec, CrlSpec, SignKey};

/// Version and body of a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Version 4.
    V4,
    /// Version 5 with a TD 1.0 body.
    V5Td10,
    /// Version 5 with a TD 1.5 body.
    V5Td15,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::V4, Self::V5Td10, Self::V5Td15];
}

/// A quote, its PCK chain, the collateral for it, and what they were made from.
#[derive(Clone)]
pub struct World {
    /// The authority that issued the PCK certificate.
    pub ca: Ca,
    /// The signed quote, with the PCK chain inside.
    pub quote: QuoteBuilder,
    /// TCB info.
    pub tcb_info: Signed,
    /// QE identity.
    pub qe_identity: Signed,
    /// Issuer chain of the TCB info: signer, root; DER.
    pub tcb_chain: Vec<Vec<u8>>,
    /// Issuer chain of the QE identity: signer, root; DER.
    pub qe_chain: Vec<Vec<u8>>,
    /// Revocation list of the root, DER.
    pub root_crl: Vec<u8>,
    /// Revocation list of the PCK authority, DER.
    pub pck_crl: Vec<u8>,
    /// PCK leaf, PCK authority and root as the quote carries them, DER.
    pub pck_chain: Vec<Vec<u8>>,

    /// What the PCK leaf was made from.
    pub pck_spec: CertSpec,
    /// What the SGX extension of the PCK leaf was made from.
    pub sgx: SgxExtension,
    /// What the PCK authority was made from.
    pub pck_ca_spec: CertSpec,
    /// What the root was made from.
    pub root_spec: CertSpec,
    /// What the signer of TCB info and QE identity was made from.
    pub signer_spec: CertSpec,
    /// What the revocation list of the root was made from.
    pub root_crl_spec: CrlSpec,
    /// What the revocation list of the PCK authority was made from.
    pub pck_crl_spec: CrlSpec,
    /// What the TCB info was made from.
    pub tcb_info_spec: TcbInfo,
    /// What the QE identity was made from.
    pub qe_identity_spec: QeIdentity,

    /// Signs quotes from now on.
    pub attestation_key: &'static SignKey,
    /// Signs reports of the quoting enclave from now on.
    pub pck_key: &'static SignKey,
    /// Signs PCK leaves and the revocation list of the PCK authority from now on.
    pub pck_ca_key: &'static SignKey,
    /// Signs roots, PCK authorities, signers and the revocation list of the root from now on.
    pub root_key: &'static SignKey,
    /// Signs TCB infos and QE identities from now on.
    pub signer_key: &'static SignKey,
}

/// The keys of the authorities: root, PCK authority, signer.
type Keys = [&'static SignKey; 3];

impl World {
    /// An acceptable world under the committed root: all parts agree, nothing is revoked, everything is up to date.
    /// Verifies at [`super::NOW`].
    pub fn new(form: Form, ca: Ca) -> Self {
        let specs = [ca::root(), ca::pck_ca(ca), ca::signer()];
        let ders = [root_der(), ca.der(), signer_der()].map(<[u8]>::to_vec);
        Self::assemble(form, ca, [keys::root(), keys::pck_ca(ca), keys::tcb_signing()], specs, ders)
    }

    /// The same names and contents under authorities that someone made for themselves ([`keys::stranger`]);
    /// consistent but for the trust anchor.
    pub fn self_made(form: Form, ca: Ca) -> Self {
        let key = keys::stranger();
        let specs =
            [ca::root_with_key(key), ca::pck_ca_with_keys(ca, key, key), ca::signer_with_keys(key, key)];
        let ders = specs.each_ref().map(|spec| spec.sign(key));
        Self::assemble(form, ca, [key; 3], specs, ders)
    }

    fn assemble(
        form: Form,
        ca: Ca,
        [root_key, pck_ca_key, signer_key]: Keys,
        [root_spec, pck_ca_spec, signer_spec]: [CertSpec; 3],
        [root, pck_ca, signer]: [Vec<u8>; 3],
    ) -> Self {
        let pck_spec = pck(ca);
        let (root_crl_spec, pck_crl_spec) = (crl::root(), crl::pck(ca));
        let (tcb_info_spec, qe_identity_spec) = (TcbInfo::test_platform(), QeIdentity::test_platform());
        let signing_chain = vec![signer, root.clone()];
        let (attestation_key, pck_key) = (keys::attestation(), keys::pck());
        let mut quote = QuoteBuilder::healthy(form);
        quote.sign(attestation_key).bind().sign_qe(pck_key);
        let mut world = Self {
            ca,
            quote,
            tcb_info: Signed::new("tcbInfo", tcb_info_spec.text(), signer_key),
            qe_identity: Signed::new("enclaveIdentity", qe_identity_spec.text(), signer_key),
            tcb_chain: signing_chain.clone(),
            qe_chain: signing_chain,
            root_crl: root_crl_spec.sign(root_key),
            pck_crl: pck_crl_spec.sign(pck_ca_key),
            pck_chain: vec![pck_spec.sign(pck_ca_key), pck_ca, root],
            pck_spec,
            sgx: SgxExtension::test_platform(ca),
            pck_ca_spec,
            root_spec,
            signer_spec,
            root_crl_spec,
            pck_crl_spec,
            tcb_info_spec,
            qe_identity_spec,
            attestation_key,
            pck_key,
            pck_ca_key,
            root_key,
            signer_key,
        };
        world.rechain();
        world
    }

    /// Sets a field of the quote and signs the part that holds it again; what the value leaves over becomes zero.
    pub fn set(&mut self, field: Field, value: &[u8]) -> &mut Self {
        self.quote.set(field, value);
        self.sign_part(field.part)
    }

    /// Inverts a bit of a field of the quote and signs the part that holds it again.
    pub fn flip(&mut self, field: Field, bit: usize) -> &mut Self {
        self.quote.flip(field, bit);
        self.sign_part(field.part)
    }

    fn sign_part(&mut self, part: Part) -> &mut Self {
        match part {
            Part::Header | Part::Body => self.quote.sign(self.attestation_key),
            Part::QeReport => self.quote.sign_qe(self.pck_key),
        };
        self
    }

    /// Edits the quote and makes both signatures again; the binding between them stays as it is.
    pub fn edit_quote(&mut self, edit: impl FnOnce(&mut QuoteBuilder)) -> &mut Self {
        edit(&mut self.quote);
        self.quote.sign(self.attestation_key).sign_qe(self.pck_key);
        self
    }

    /// Binds attestation key and authentication data anew and signs the report of the quoting enclave.
    pub fn rebind(&mut self) -> &mut Self {
        self.quote.bind().sign_qe(self.pck_key);
        self
    }

    /// Edits the PCK leaf and issues it again.
    pub fn edit_pck(&mut self, edit: impl FnOnce(&mut CertSpec)) -> &mut Self {
        edit(&mut self.pck_spec);
        self.pck_chain[0] = self.pck_spec.sign(self.pck_ca_key);
        self.rechain()
    }

    /// Edits the SGX extension of the PCK leaf and issues it again.
    pub fn edit_sgx(&mut self, edit: impl FnOnce(&mut SgxExtension)) -> &mut Self {
        edit(&mut self.sgx);
        let value = self.sgx.encode();
        self.edit_pck(|pck| pck.set_ext(SGX_EXTENSION, value))
    }

    /// Edits the PCK authority and issues it again.
    pub fn edit_pck_ca(&mut self, edit: impl FnOnce(&mut CertSpec)) -> &mut Self {
        edit(&mut self.pck_ca_spec);
        self.pck_chain[1] = self.pck_ca_spec.sign(self.root_key);
        self.rechain()
    }

    /// Edits the root and issues it again, in the quote only; it is then no longer the committed one.
    pub fn edit_root(&mut self, edit: impl FnOnce(&mut CertSpec)) -> &mut Self {
        edit(&mut self.root_spec);
        self.pck_chain[2] = self.root_spec.sign(self.root_key);
        self.rechain()
    }

    /// Puts another key into the PCK leaf (issued again) and signs the report of the quoting enclave with it.
    pub fn rekey_pck(&mut self, key: &'static SignKey) -> &mut Self {
        self.pck_key = key;
        self.quote.sign_qe(key);
        self.edit_pck(|pck| pck.spki = key.spki().to_vec())
    }

    /// Edits the signer and issues it again, for TCB info and QE identity.
    pub fn edit_signer(&mut self, edit: impl FnOnce(&mut CertSpec)) -> &mut Self {
        edit(&mut self.signer_spec);
        let der = self.signer_spec.sign(self.root_key);
        self.tcb_chain[0].clone_from(&der);
        self.qe_chain[0] = der;
        self
    }

    /// Edits the revocation list of the root and issues it again.
    pub fn edit_root_crl(&mut self, edit: impl FnOnce(&mut CrlSpec)) -> &mut Self {
        edit(&mut self.root_crl_spec);
        self.root_crl = self.root_crl_spec.sign(self.root_key);
        self
    }

    /// Edits the revocation list of the PCK authority and issues it again.
    pub fn edit_pck_crl(&mut self, edit: impl FnOnce(&mut CrlSpec)) -> &mut Self {
        edit(&mut self.pck_crl_spec);
        self.pck_crl = self.pck_crl_spec.sign(self.pck_ca_key);
        self
    }

    /// Edits the TCB info by field and signs it again.
    pub fn edit_tcb_info(&mut self, edit: impl FnOnce(&mut TcbInfo)) -> &mut Self {
        edit(&mut self.tcb_info_spec);
        self.sign_tcb_info(self.tcb_info_spec.text())
    }

    /// Signs any text as TCB info.
    pub fn sign_tcb_info(&mut self, text: String) -> &mut Self {
        self.tcb_info = Signed::new("tcbInfo", text, self.signer_key);
        self
    }

    /// Edits the QE identity by field and signs it again.
    pub fn edit_qe_identity(&mut self, edit: impl FnOnce(&mut QeIdentity)) -> &mut Self {
        edit(&mut self.qe_identity_spec);
        self.sign_qe_identity(self.qe_identity_spec.text())
    }

    /// Signs any text as QE identity.
    pub fn sign_qe_identity(&mut self, text: String) -> &mut Self {
        self.qe_identity = Signed::new("enclaveIdentity", text, self.signer_key);
        self
    }

    /// Sets the registers to what the log makes of them and signs the quote again.
    pub fn measure(&mut self, log: &EventLog) -> &mut Self {
        for (field, value) in RTMRS.into_iter().zip(log.registers()) {
            self.quote.set(field, &value);
        }
        self.sign_part(Part::Body)
    }

    /// Writes [`World::pck_chain`] into the quote as platforms do: PEM, and one NUL after the last line feed.
    pub fn rechain(&mut self) -> &mut Self {
        self.quote.certificates = chain_pem(&self.pck_chain).into_bytes();
        self.quote.certificates.push(0);
        self
    }

    /// Everything but the quote, as a verifier is handed it: TCB info, QE identity, their issuer chains (one if they
    /// are the same), revocation lists of the root and of the PCK authority.
    pub fn endorsements(&self) -> Vec<Vec<u8>> {
        let mut blobs = vec![
            self.tcb_info.body(),
            self.qe_identity.body(),
            chain_pem(&self.tcb_chain).into_bytes(),
            chain_pem(&self.qe_chain).into_bytes(),
            self.root_crl.clone(),
            self.pck_crl.clone(),
        ];
        blobs.dedup();
        blobs
    }
}

/// Certificates in PEM, one after the other.
pub fn chain_pem(chain: &[Vec<u8>]) -> String {
    chain.iter().map(|der| pem(der)).collect()
}
