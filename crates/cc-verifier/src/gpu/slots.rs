//! Endorsements in named slots, and the sorting of unlabelled ones into them by content (*decisions.md* 4).

use std::borrow::Cow;

use cc_core::limits::{MAX_CERTIFICATE, MAX_ENDORSEMENT, MAX_ENDORSEMENTS};
use cc_core::{Finding, codes};

use super::rim;
use crate::ocsp;
use crate::pki::{Certificate, pem};

/// Endorsements by what they are.
#[derive(Clone, Debug, Default)]
pub struct Slots<'a> {
    /// Reference manifests, for whichever device they are: the signed file, or the JSON body as NVIDIA's service sends it,
    /// with `id` and `rim`.
    pub rims: Vec<&'a [u8]>,
    /// OCSP answers, DER, each alone or with its request (`cc_core::exchange`). Every authentic one revokes.
    pub ocsp: Vec<&'a [u8]>,
    /// Certificates of devices whose chains are not in the evidence, DER, in any order.
    pub certificates: Vec<Cow<'a, [u8]>>,
}

/// Most certificates: five for each of the most devices, and room for others.
const MAX_CERTIFICATES: usize = MAX_ENDORSEMENTS;

impl<'a> Slots<'a> {
    /// All objects in an order of their own.
    pub(super) fn all(&self) -> [Vec<&[u8]>; 3] {
        let certificates = self.certificates.iter().map(|der| der.as_ref()).collect();
        [self.rims.clone(), self.ocsp.clone(), certificates]
    }

    /// Sizes and numbers, before anything is parsed.
    pub(super) fn within_limits(&self) -> Result<(), Finding> {
        let exceeded = |detail: String| Err(Finding::new(codes::ENV_SIZE_EXCEEDED, detail));
        let kinds = [
            ("reference manifests", MAX_ENDORSEMENTS, MAX_ENDORSEMENT),
            ("OCSP answers", MAX_ENDORSEMENTS, MAX_ENDORSEMENT),
            ("certificates", MAX_CERTIFICATES, MAX_CERTIFICATE),
        ];
        for ((what, most, longest), objects) in kinds.into_iter().zip(self.all()) {
            if objects.len() > most {
                return exceeded(format!("{} {what}, the limit is {most}", objects.len()));
            }
            if let Some(length) = objects.iter().map(|object| object.len()).find(|length| *length > longest) {
                return exceeded(format!("one of the {what} has {length} bytes, the limit is {longest}"));
            }
        }
        Ok(())
    }

    /// What counts where a service stands in for the rest.
    pub(super) fn certificates_only(self) -> Self {
        Self { certificates: self.certificates, ..Self::default() }
    }

    /// Sorts endorsements by their content, and says what each is.
    pub(super) fn sort(blobs: impl Iterator<Item = &'a [u8]>) -> (Vec<&'static str>, Self) {
        let mut slots = Self::default();
        let names = blobs.map(|blob| slots.sort_one(blob)).collect();
        (names, slots)
    }

    fn sort_one(&mut self, blob: &'a [u8]) -> &'static str {
        if let Some(certificates) = pem::is_pem(blob).then(|| pem::bundle(blob)).flatten() {
            self.certificates.extend(certificates.into_iter().map(Cow::Owned));
            "gpu.chain"
        } else if rim::document(blob).is_some() {
            self.rims.push(blob);
            "gpu.rim"
        } else if ocsp::is_answer(blob) {
            self.ocsp.push(blob);
            "gpu.ocsp"
        } else if blob.len() <= MAX_CERTIFICATE && Certificate::parse(blob).is_ok() {
            self.certificates.push(Cow::Borrowed(blob));
            "gpu.chain"
        } else {
            "unknown"
        }
    }
}
