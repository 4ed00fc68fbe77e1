//! A first authorizer: "sealed notes" of the fictitious vendor Acme. A note is 64 bytes of binding followed by
//! text and one checksum byte; a real plugin verifies a signature where this one adds up bytes, which proves
//! nothing. It declares itself emulated for that reason.

use cc_core::message::{
    CollectRequest, Collected, Identity, MESSAGE_VERSION, Plan, PlanRequest, VerifyReply, VerifyRequest,
};
use cc_core::sdk::Authorizer;
use cc_core::{
    Accepted, BoundField, BoundKind, Claims, Code, Finding, Outcome, Profile, ProfileInfo, Role, Settings,
    TrustClass,
};

/// The authorizer; holds what `create` read from the configuration.
pub struct SealedNotes {
    text: String,
}

fn profile() -> Profile {
    Profile::parse("acme-note-1").expect("a well-formed name")
}

/// A code of the vendor's own: any domain that Muster does not use.
fn bad_note(detail: &str) -> Finding {
    Finding::new(Code::parse("acme.note.invalid").expect("a well-formed code"), detail)
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Splits a note into binding and text, or says what is wrong with it.
fn parse(evidence: &[u8]) -> Result<(&[u8; 64], &str), Finding> {
    let (sum, body) = evidence.split_last().ok_or_else(|| bad_note("the note is empty"))?;
    let (binding, text) = body.split_first_chunk::<64>().ok_or_else(|| bad_note("the note is too short"))?;
    if checksum(body) != *sum {
        return Err(bad_note("the checksum is wrong"));
    }
    let text = std::str::from_utf8(text).map_err(|_| bad_note("the text is not UTF-8"))?;
    Ok((binding, text))
}

fn claims(text: &str) -> Claims {
    let mut claims = Claims::new();
    claims.insert("note", text);
    claims
}

impl Authorizer for SealedNotes {
    fn identity() -> Identity {
        Identity {
            version: MESSAGE_VERSION,
            name: "vendor-example".to_owned(),
            vendor: "Acme".to_owned(),
            plugin_version: env!("CARGO_PKG_VERSION").to_owned(),
            sdk_version: cc_core::sdk::VERSION.to_owned(),
            trust_class: TrustClass::Emulated,
            profiles: vec![ProfileInfo {
                profile: profile(),
                namespace: "x-acme-note".to_owned(),
                media_types: vec!["application/vnd.acme.note".to_owned()],
                roles: vec![Role::Collect, Role::Verify],
            }],
        }
    }

    fn create(mut settings: Settings) -> Result<Self, Finding> {
        let text = settings.take_text("text", "hello")?;
        settings.finish()?;
        Ok(Self { text })
    }

    fn collect(&self, request: &CollectRequest) -> Result<Collected, Finding> {
        let mut evidence = request.binding.as_bytes().to_vec();
        evidence.extend_from_slice(self.text.as_bytes());
        evidence.push(checksum(&evidence));
        Ok(Collected { version: MESSAGE_VERSION, evidence, endorsements: Vec::new() })
    }

    fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        let (_, text) = parse(&request.evidence)?;
        Ok(Plan { version: MESSAGE_VERSION, requests: Vec::new(), claims: claims(text) })
    }

    fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        let outcome = match parse(&request.evidence) {
            Ok((binding, text)) => Outcome::Accept(Accepted {
                claims: claims(text),
                bound: BoundField { kind: BoundKind::ReportData, bytes: binding.to_vec() },
                waived: Vec::new(),
            }),
            Err(finding) => Outcome::denied(finding),
        };
        VerifyReply {
            version: MESSAGE_VERSION,
            profile: request.profile.clone(),
            outcome: outcome.into(),
            recognised: vec!["unknown".to_owned(); request.endorsements.len()],
            floors: Vec::new(),
        }
    }
}

cc_core::export_authorizer!(SealedNotes);
