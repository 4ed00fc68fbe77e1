//! The order of the rules.

use cc_core::{Finding, UnixTime, codes};

use super::claims::Payload;
use super::format::{Header, Token};
use super::issuer::Issuer;
use super::jwks::Jwks;

/// Verifies that a token is the issuer's and what its times and its audience ask for.
///
/// Rules, in this order: J1 form, J2 algorithm, J3 and J4 key, J5 signature, J6 issuer, J7 times, J8 audience. Missing
/// keys stop nothing: the rules that do not need them are judged all the same, and the first rejection wins
/// (*decisions.md* 1).
///
/// `jwks` must be the issuer's and `now` must come from a clock that the caller trusts.
///
/// # Errors
///
/// The first rejection; without one, `jwt.jwks.unavailable` if there are no keys.
pub fn verify(
    token: &[u8],
    issuer: &Issuer<'_>,
    jwks: Option<&Jwks>,
    now: UnixTime,
) -> Result<Payload, Finding> {
    let Judged { payload, unsigned } = judge(token, issuer, jwks, now)?;
    unsigned.map_or(Ok(payload), Err)
}

/// A token against which nothing speaks, but which is not verified while `unsigned` says that the keys are missing.
pub(crate) struct Judged {
    pub(crate) payload: Payload,
    pub(crate) unsigned: Option<Finding>,
}

/// [`verify`] for those who have more to judge about a token whose keys are missing.
pub(crate) fn judge(
    token: &[u8],
    issuer: &Issuer<'_>,
    jwks: Option<&Jwks>,
    now: UnixTime,
) -> Result<Judged, Finding> {
    let token = Token::parse(token)?;
    header(&token, issuer)?;
    let unsigned = signed(&token, issuer, jwks, now)?;
    Ok(Judged { payload: token.payload, unsigned })
}

/// J2, J3: what the header says, as far as no key is needed.
pub(crate) fn header<T>(token: &Token<'_, T>, issuer: &Issuer<'_>) -> Result<(), Finding> {
    algorithm(token, issuer)?;
    no_key(&token.header, issuer)
}

/// J3 to J8 of a token whose header was judged. `Some` while the keys are missing and nothing else is wrong.
pub(crate) fn signed<T>(
    token: &Token<'_, T>,
    issuer: &Issuer<'_>,
    jwks: Option<&Jwks>,
    now: UnixTime,
) -> Result<Option<Finding>, Finding> {
    let unsigned = match jwks {
        Some(jwks) => {
            signature(token, issuer, jwks)?;
            None
        }
        None => {
            let detail = format!("the keys of {} are not at hand", issuer.iss);
            Some(Finding::new(codes::JWT_JWKS_UNAVAILABLE, detail))
        }
    };
    token.payload.judge(issuer, now)?;
    Ok(unsigned)
}

/// What `judge` says under the first set of keys with which nothing is wrong; under the last one otherwise, or without keys.
pub(crate) fn under_each<K: AsRef<Jwks>, T>(
    keys: &[K],
    judge: impl Fn(Option<&Jwks>) -> Result<T, Finding>,
) -> Result<T, Finding> {
    let Some((last, others)) = keys.split_last() else { return judge(None) };
    let found = others.iter().find_map(|keys| judge(Some(keys.as_ref())).ok());
    found.map_or_else(|| judge(Some(last.as_ref())), Ok)
}

/// J2: the header says what is done anyway.
pub(crate) fn algorithm<T>(token: &Token<'_, T>, issuer: &Issuer<'_>) -> Result<(), Finding> {
    let (header, expected) = (&token.header, issuer.algorithm.name());
    if header.alg.as_deref() == Some(expected) {
        return Ok(());
    }
    let detail = format!("`alg` is {:?}, tokens of {} have {expected:?}", header.alg, issuer.iss);
    Err(Finding::new(codes::JWT_ALG_NOT_ALLOWED, detail))
}

/// J3: nothing in the header is a source of keys.
fn no_key(header: &Header, issuer: &Issuer<'_>) -> Result<(), Finding> {
    if let Some(jku) = header.jku.as_deref().filter(|jku| *jku != issuer.jwks_url) {
        let detail = format!("`jku` is {jku:?}, not {:?}", issuer.jwks_url);
        return Err(Finding::new(codes::JWT_JKU_MISMATCH, detail));
    }
    for (name, is_there) in [("jwk", header.jwk), ("x5c", header.x5c), ("x5u", header.x5u)] {
        if is_there {
            return Err(Finding::new(codes::JWT_HEADER_KEY_PRESENT, format!("the header has `{name}`")));
        }
    }
    Ok(())
}

/// J3, J4, J5.
fn signature<T>(token: &Token<'_, T>, issuer: &Issuer<'_>, jwks: &Jwks) -> Result<(), Finding> {
    let kid = token.header.kid.as_deref();
    if jwks.key(kid, issuer.algorithm)?.verifies(token.signed, &token.signature) {
        return Ok(());
    }
    let detail = format!("the signature does not verify with the key {:?}", kid.unwrap_or_default());
    Err(Finding::new(codes::JWT_SIGNATURE_INVALID, detail))
}
