//! SHA-256 as the name of a content (plugin files, endorsements, cached objects), and the digests of init-data.

use std::fmt;

use cc_policy::InitData;

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads exactly 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        cc_core::lower_hex::decode(text).map(Self)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Init-data as it is committed to at launch: by each digest that a technology has a field for.
pub fn init_data(bytes: &[u8]) -> InitData {
    let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA384, bytes);
    let mut sha384 = [0; 48];
    // SHA-384 has 48 bytes: both iterators end together.
    sha384.iter_mut().zip(sum.as_ref()).for_each(|(to, from)| *to = *from);
    InitData::Carried { sha256: *Sha256::of(bytes).as_bytes(), sha384 }
}

/// Computes a [`Sha256`] piece by piece.
pub(crate) struct Hasher(aws_lc_rs::digest::Context);

impl Hasher {
    pub(crate) fn new() -> Self {
        Self(aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Sha256 {
        let digest = self.0.finish();
        let mut bytes = [0; 32];
        // SHA-256 has 32 bytes: both iterators end together.
        bytes.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        Sha256(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_have_one_spelling() {
        // FIPS 180-4, example of the empty message.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Sha256::of(b"").to_string(), empty);
        assert_eq!(Sha256::parse(empty), Some(Sha256::of(b"")));
        for bad in ["", "00", &empty.to_uppercase(), &empty[1..], &format!("{empty}0")] {
            assert_eq!(Sha256::parse(bad), None, "{bad:?}");
        }
    }
}
