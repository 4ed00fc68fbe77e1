//! Synthetic manifests and how they are verified.

use cc_testkit::gpu::rim::{Signature, Signer, Tag, root_der};
use cc_verifier::gpu::rim::Rim;

/// A driver's tag.
pub(crate) fn tag() -> Tag {
    Tag::driver("550.90.07")
}

/// A manifest under the synthetic root that must verify.
pub(crate) fn accepted(xml: &[u8]) -> Rim {
    Rim::verify(xml, root_der()).unwrap_or_else(|error| panic!("{error}"))
}

/// The code of a manifest under the synthetic root, or `accept`.
pub(crate) fn code(xml: impl AsRef<[u8]>) -> String {
    Rim::verify(xml.as_ref(), root_der()).map_or_else(|error| error.code.to_string(), |_| "accept".to_owned())
}

/// The code of a tag that was signed as it is.
pub(crate) fn signed_code(tag: &str) -> String {
    code(Signer::nvidia().sign_xml(tag))
}

/// The code of a good tag with a signature that was edited before it was made.
pub(crate) fn signature_code(edit: impl FnOnce(&mut Signature)) -> String {
    let tag = tag().xml();
    let mut signature = Signature::over(&tag, &Signer::nvidia());
    edit(&mut signature);
    code(signature.within(&tag))
}

/// Text with the one place that is `old` replaced.
pub(crate) fn replaced(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "{old:?}");
    text.replacen(old, new, 1)
}
