//! The order of the checks of a token.

use cc_core::{Finding, UnixTime, codes};

use super::fields::Fields;
use super::said::Said;
use crate::jwt::{self, Algorithm, Issuer, Jwks, Token};
use crate::snp::Report;

/// Bits of the guest policy (*verification.md* 1.1).
const SMT: u64 = 1 << 16;
const MIGRATE_MA: u64 = 1 << 18;
const DEBUG: u64 = 1 << 19;

/// An issuer with the address of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Configured {
    pub(super) iss: String,
    pub(super) jwks_url: String,
}

impl Configured {
    /// The keys are published below the issuer's own address.
    pub(super) fn new(iss: String) -> Result<Self, Finding> {
        let host = iss.strip_prefix("https://").unwrap_or_default();
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_name) {
            let detail =
                format!("the issuer {iss:?} is not `https://` and a host in lower case, and nothing else");
            return Err(Finding::new(codes::PLUG_CONFIG_INVALID, detail));
        }
        let jwks_url = format!("{iss}/certs");
        Ok(Self { iss, jwks_url })
    }

    /// Whatever the age: that is the policy's to judge.
    const fn issuer(&self) -> Issuer<'_> {
        let (iss, jwks_url) = (self.iss.as_str(), self.jwks_url.as_str());
        Issuer { iss, algorithm: Algorithm::Rs256, jwks_url, max_age: u64::MAX, audience: None }
    }
}

/// A token whose form, header and issuer were judged.
pub(super) struct Opened<'t, 'i> {
    token: Token<'t, Fields>,
    pub(super) configured: &'i Configured,
}

impl<'t, 'i> Opened<'t, 'i> {
    /// J1 to J3 and J6, as far as no key is needed. The token only says which of the configured issuers it is of.
    pub(super) fn new(token: &'t [u8], issuers: &'i [Configured]) -> Result<Self, Finding> {
        let token = Token::parse(token)?;
        let said = token.payload.iss();
        let Some(configured) = issuers.iter().find(|issuer| said == Some(&issuer.iss)) else {
            // No other algorithm is ever taken, whoever the issuer.
            let any = Configured { iss: String::new(), jwks_url: String::new() };
            jwt::algorithm(&token, &any.issuer())?;
            let detail =
                format!("`iss` is {said:?}, which is none of the {} configured issuers", issuers.len());
            return Err(Finding::new(codes::JWT_ISS_MISMATCH, detail));
        };
        jwt::header(&token, &configured.issuer())?;
        Ok(Self { token, configured })
    }

    /// M1 and the types of M2.
    pub(super) fn said(&self) -> Result<Said, Finding> {
        Said::read(&self.token.payload)
    }

    /// J3 to J7, then M1 and M2. The second is what is missing while nothing is wrong.
    pub(super) fn judge(
        &self,
        keys: &[std::sync::Arc<Jwks>],
        now: UnixTime,
    ) -> Result<(Said, Option<Finding>), Finding> {
        let issuer = self.configured.issuer();
        let unsigned = jwt::under_each(keys, |keys| jwt::signed(&self.token, &issuer, keys, now))?;
        Ok((self.said()?, unsigned))
    }
}

/// M7: the report is the one that the token is about.
pub(super) fn same_report(said: &Said, report: &Report<'_>) -> Result<(), Finding> {
    let policy = report.policy();
    let fields: [(&str, &[u8], &[u8]); 8] = [
        ("reportid", &said.reportid, report.report_id()),
        ("launchmeasurement", &said.launchmeasurement, report.measurement()),
        ("hostdata", &said.hostdata, report.host_data()),
        ("reportdata", &said.reportdata, report.report_data()),
        ("familyId", &said.family_id, report.family_id()),
        ("imageId", &said.image_id, report.image_id()),
        ("idkeydigest", &said.idkeydigest, report.id_key_digest()),
        ("authorkeydigest", &said.authorkeydigest, report.author_key_digest()),
    ];
    for (name, said, reported) in fields {
        if said != reported {
            return differs(name, &hex::encode(said), &hex::encode(reported));
        }
    }
    let numbers = [("vmpl", said.vmpl, report.vmpl()), ("guestsvn", said.guestsvn, report.guest_svn())];
    for (name, said, reported) in numbers {
        if said != reported {
            return differs(name, &said, &reported);
        }
    }
    let flags = [
        ("is-debuggable", said.is_debuggable, DEBUG),
        ("migration-allowed", said.migration_allowed, MIGRATE_MA),
        ("smt-allowed", said.smt_allowed, SMT),
    ];
    for (name, said, bit) in flags {
        if said != (policy & bit != 0) {
            return differs(name, &said, &!said);
        }
    }
    Ok(())
}

fn differs(
    name: &str,
    said: &dyn std::fmt::Display,
    reported: &dyn std::fmt::Display,
) -> Result<(), Finding> {
    let detail = format!("the token says `{name}` {said}, the report {reported}");
    Err(Finding::new(codes::MAA_REPORT_MISMATCH, detail))
}
