//! Endorsements in named slots, and the sorting of unlabelled ones into them by content (*decisions.md* 4).

/// Endorsements by the place where they are tried. Order counts where two are equally new: the first is used.
#[derive(Clone, Debug, Default)]
pub struct Slots<'a> {
    /// Candidates for the certificate that signs TCB info and QE identity (`Intel SGX TCB Signing`), DER.
    pub signers: Vec<&'a [u8]>,
    /// Root certificates that came with them, DER. With none, the trust anchor stands in; one of them must be it
    /// otherwise.
    pub roots: Vec<&'a [u8]>,
    /// TCB infos, perhaps of other platforms too: the JSON body as the provisioning service sends it, with
    /// `tcbInfo` and `signature`.
    pub tcb_infos: Vec<&'a [u8]>,
    /// Identities of the quoting enclave: the JSON body as the provisioning service sends it, with
    /// `enclaveIdentity` and `signature`.
    pub qe_identities: Vec<&'a [u8]>,
    /// Revocation lists of the root, DER.
    pub root_crls: Vec<&'a [u8]>,
    /// Revocation lists of the platform's issuer, perhaps of the other one too, DER.
    pub pck_crls: Vec<&'a [u8]>,
    /// Event logs: the content of the table CCEL.
    pub event_logs: Vec<&'a [u8]>,
}
