//! Whose tokens are taken.

/// An algorithm that tokens are signed with (RFC 7518, 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// Its name in headers and keys.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
        }
    }
}

/// Who issues tokens, and how; all of it is the verifier's own configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issuer<'a> {
    /// The exact value of `iss`.
    pub iss: &'a str,
    /// The one algorithm of the issuer's tokens.
    pub algorithm: Algorithm,
    /// Where the issuer publishes its keys. Nothing is fetched from here; a `jku` in a header must be exactly this.
    pub jwks_url: &'a str,
    /// How many seconds ago a token may have been issued.
    pub max_age: u64,
    /// Whom the token must be for. With `None` it must be for nobody in particular: a token that names an audience is for
    /// somebody else then (RFC 7519, 4.1.3).
    pub audience: Option<&'a str>,
}
