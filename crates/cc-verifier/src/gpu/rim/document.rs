//! A manifest as it comes: the signed file itself, or what NVIDIA's service answers.

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_core::limits::MAX_ENDORSEMENT;
use serde::Deserialize;

/// What is, by its looks, a manifest; nothing of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// Which manifest the service says that it is. A bare file says nothing of that kind.
    pub id: Option<String>,
    /// The file.
    pub xml: Cow<'a, [u8]>,
}

/// The service's answer; what else it has is of no use here.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    /// Base64.
    #[serde(borrow)]
    rim: Cow<'a, str>,
    /// Of the file; hexadecimal.
    #[serde(borrow)]
    sha256: Option<Cow<'a, str>>,
}

/// Recognises a manifest among endorsements: XML, or an answer of the service whose digest, if it has one, is that of
/// its file. The digest proves nothing; an answer in which it is wrong is damaged and is none.
pub fn document(blob: &[u8]) -> Option<Document<'_>> {
    if blob.len() > MAX_ENDORSEMENT {
        return None;
    }
    match blob.trim_ascii_start().first()? {
        b'<' => Some(Document { id: None, xml: Cow::Borrowed(blob) }),
        b'{' => {
            let Answer { id, rim, sha256 } = serde_json::from_slice(blob).ok()?;
            let xml = STANDARD.decode(rim.as_bytes()).ok()?;
            let actual = hex::encode(digest(&SHA256, &xml));
            let is_whole = sha256.is_none_or(|claimed| claimed.eq_ignore_ascii_case(&actual));
            is_whole.then(|| Document { id: Some(id.into_owned()), xml: Cow::Owned(xml) })
        }
        _ => None,
    }
}
