//! The host's side of the contract: every answer of a plugin is checked before anything of it is used.
//!
//! A broken contract is `plug.contract` and denies the one request; the process goes on.

use cc_core::limits::{
    MAX_CLAIMS, MAX_ENDORSEMENT, MAX_ENDORSEMENTS, MAX_EVIDENCE_POST, MAX_PLAN_REQUESTS, MAX_POST,
};
use cc_core::message::{
    CollectRequest, Collected, Denial, EndorsementRequest, Floor, Message, Plan, Post, VerifyReply,
    VerifyRequest, WireOutcome,
};
use cc_core::{Accepted, BoundField, BoundKind, ClaimValue, Claims, Class, Code, Finding, Profile, codes};

use crate::bound;

/// Longest name of a kind or floor, in bytes.
const MAX_NAME: usize = 64;
/// Longest address in a plan, in bytes.
const MAX_URL: usize = 2048;
/// What a plan may have posted: where (begins of addresses), of which media type, and how many bytes at most.
const QUESTIONS: [(&str, &str, usize); 2] = [
    ("https://nras.attestation.nvidia.com/", "application/json", MAX_EVIDENCE_POST),
    ("https://ocsp.ndis.nvidia.com/", "application/ocsp-request", MAX_POST),
];
/// Longest key of a question, in bytes.
const MAX_KEY: usize = 1024;
/// Most floors in one reply.
const MAX_FLOORS: usize = 16;
/// Domains whose conditions the host alone judges.
const HOST_DOMAINS: [&str; 4] = ["bind", "clk", "coll", "pol"];
/// What `recognised` says of an endorsement that the plugin cannot use.
pub(crate) const UNKNOWN: &str = "unknown";

/// An answer to `verify` that keeps the contract. What it says is the plugin's word: only [`crate::verify`] makes it
/// authentic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the evidence says, or why it is denied.
    pub outcome: Result<Accepted, Finding>,
    /// What each endorsement is.
    pub recognised: Vec<String>,
    /// Numbers of authenticated collateral.
    pub floors: Vec<Floor>,
}

/// The finding of a denial; a malformed one is a finding itself.
pub(crate) fn denial(bytes: &[u8]) -> Finding {
    match Denial::from_bytes(bytes) {
        Ok(denial) => read_denial(denial).unwrap_or_else(broken),
        Err(error) => broken(format!("denial: {error}")),
    }
}

/// A `plug.contract` finding.
pub(crate) fn broken(what: impl Into<String>) -> Finding {
    Finding::new(codes::PLUG_CONTRACT, printable(&what.into()))
}

fn read_denial(denial: Denial) -> Result<Finding, String> {
    let finding = denial.into_finding()?;
    let domain = finding.code.as_str().split('.').next().unwrap_or_default();
    if HOST_DOMAINS.contains(&domain) {
        return Err(format!("{} is for the host alone to say", finding.code));
    }
    Ok(Finding::new(finding.code, printable(&finding.detail)))
}

/// The text without characters that steer a terminal or reorder what is read.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

/// Checks evidence that a plugin collected.
pub(crate) fn collected(request: &CollectRequest, bytes: &[u8]) -> Result<Collected, Finding> {
    let collected = Collected::from_bytes(bytes).map_err(|error| broken(format!("collected: {error}")))?;
    let size = collected.evidence.len();
    let limit = request.profile.max_evidence();
    if size == 0 || size > limit {
        return Err(broken(format!("collected evidence has {size} bytes, expected 1 to {limit}")));
    }
    let count = collected.endorsements.len();
    if count > MAX_ENDORSEMENTS {
        return Err(broken(format!("{count} endorsements collected, the limit is {MAX_ENDORSEMENTS}")));
    }
    if let Some(blob) = collected.endorsements.iter().find(|b| b.0.is_empty() || b.0.len() > MAX_ENDORSEMENT)
    {
        let size = blob.0.len();
        return Err(broken(format!(
            "a collected endorsement has {size} bytes, expected 1 to {MAX_ENDORSEMENT}"
        )));
    }
    Ok(collected)
}

/// Checks a plan.
pub(crate) fn plan(bytes: &[u8]) -> Result<Plan, Finding> {
    let plan = Plan::from_bytes(bytes).map_err(|error| broken(format!("plan: {error}")))?;
    let count = plan.requests.len();
    if count > MAX_PLAN_REQUESTS {
        return Err(broken(format!("plan has {count} requests, the limit is {MAX_PLAN_REQUESTS}")));
    }
    for EndorsementRequest { kind, url, max_age: _, post } in &plan.requests {
        name("kind of a request", kind).map_err(broken)?;
        if url.len() > MAX_URL || !url.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(broken(format!(
                "address of {kind} is not at most {MAX_URL} visible ASCII characters"
            )));
        }
        post.as_ref().map_or(Ok(()), |post| question(url, post)).map_err(broken)?;
    }
    if !plan.claims.is_empty() {
        claims(&plan.claims, bytes.len()).map_err(broken)?;
    }
    Ok(plan)
}

/// Checks what a plan wants to have posted.
fn question(url: &str, Post { media_type, body, key }: &Post) -> Result<(), String> {
    let allowed =
        QUESTIONS.iter().find(|(begin, allowed, _)| url.starts_with(begin) && media_type == allowed);
    let Some((_, _, limit)) = allowed else {
        return Err(format!("a question of media type {media_type:?} is not posted to {url}"));
    };
    for (what, size, limit) in [("body", body.len(), *limit), ("key", key.len(), MAX_KEY)] {
        if size == 0 || size > limit {
            return Err(format!("{what} of a question has {size} bytes, expected 1 to {limit}"));
        }
    }
    Ok(())
}

/// Checks a reply against the request that it answers.
pub(crate) fn reply(request: &VerifyRequest, bytes: &[u8]) -> Result<Answer, Finding> {
    let reply = VerifyReply::from_bytes(bytes).map_err(|error| broken(format!("reply: {error}")))?;
    let answer = check_reply(request, reply, bytes.len()).map_err(broken)?;
    if let Ok(accepted) = &answer.outcome {
        same_field(request, &accepted.bound)?;
        same_user_data(request, &accepted.claims)?;
    }
    Ok(answer)
}

/// For profiles whose layout is fixed the host reads the bound field itself (*decisions.md* 13).
fn same_field(request: &VerifyRequest, said: &BoundField) -> Result<(), Finding> {
    match bound::stated(&request.profile, &request.evidence) {
        Ok(Some(own)) if own != *said => {
            let (said, read) = (hex::encode(&said.bytes), hex::encode(&own.bytes));
            let detail = format!("the plugin says that the evidence is bound to {said:?}, it has {read:?}");
            Err(Finding::new(codes::BIND_REPORT_DATA_MISMATCH, detail))
        }
        Ok(_) => Ok(()),
        // Authentic each, but not of each other: that is the host's alone to say.
        Err(finding) if finding.code == codes::BIND_RUNTIME_DATA_MISMATCH => Err(finding),
        Err(finding) => Err(broken(format!("accepted, but {}", finding.detail))),
    }
}

/// What a machine's report was made anew with is a binding as well, and not the plugin's to say.
fn same_user_data(request: &VerifyRequest, claims: &Claims) -> Result<(), Finding> {
    if request.profile != Profile::az_cvm_vtpm_1() {
        return Ok(());
    }
    let read = bound::user_data(&request.evidence)
        .map_err(|finding| broken(format!("accepted, but {}", finding.detail)))?;
    let said = claims.map("hcl").and_then(|hcl| hcl.bytes::<64>("user_data")).ok();
    if said == read {
        return Ok(());
    }
    let [said, read] = [said, read].map(|data| data.map_or_else(|| "none".to_owned(), hex::encode));
    let detail = format!("the plugin says that the report has user data {said}, it has {read}");
    Err(Finding::new(codes::BIND_REPORT_DATA_MISMATCH, detail))
}

/// `size` is that of the whole reply.
fn check_reply(request: &VerifyRequest, reply: VerifyReply, size: usize) -> Result<Answer, String> {
    let VerifyReply { version: _, profile, outcome, recognised, floors } = reply;
    if profile != request.profile {
        let asked = &request.profile;
        return Err(format!("reply is for profile {:?}, asked was {asked}", profile.as_str()));
    }
    if recognised.len() != request.endorsements.len() {
        let (got, sent) = (recognised.len(), request.endorsements.len());
        return Err(format!("{got} endorsements recognised of {sent} sent"));
    }
    recognised.iter().try_for_each(|kind| name("kind of an endorsement", kind))?;
    let outcome = match outcome {
        WireOutcome::Accept { claims, bound, waived } => Ok(accepted(request, claims, size, bound, &waived)?),
        WireOutcome::Reject(denial) => Err(denied(denial, Class::Reject)?),
        WireOutcome::Indeterminate(denial) => Err(denied(denial, Class::Indeterminate)?),
    };
    check_floors(&floors, outcome.is_ok(), request.endorsements.len())?;
    Ok(Answer { outcome, recognised, floors })
}

fn denied(denial: Denial, class: Class) -> Result<Finding, String> {
    let finding = read_denial(denial)?;
    if finding.code.class() != class {
        return Err(format!(
            "{} is of class {:?}, the outcome says {class:?}",
            finding.code,
            finding.code.class()
        ));
    }
    Ok(finding)
}

fn accepted(
    request: &VerifyRequest,
    values: Claims,
    size: usize,
    bound: BoundField,
    waived: &[String],
) -> Result<Accepted, String> {
    claims(&values, size)?;
    let lengths = match bound.kind {
        // A TPM signs what it is given, up to the length of a digest; what is bound to nothing of ours is shown.
        BoundKind::ExtraData => 0..=64,
        BoundKind::ReportData | BoundKind::RuntimeData | BoundKind::GpuNonce | BoundKind::Nothing => {
            bound.kind.length()..=bound.kind.length()
        }
        other => return Err(format!("bound field of kind {other:?}, which the host does not know")),
    };
    if !lengths.contains(&bound.bytes.len()) {
        return Err(format!("bound field has {} bytes, {:?} has {lengths:?}", bound.bytes.len(), bound.kind));
    }
    let mut used: Vec<Code> = Vec::new();
    for text in waived {
        let code = Code::parse(text).map_err(|error| format!("waived code {text:?} is {error}"))?;
        if !request.waivers.contains(text) || used.contains(&code) {
            return Err(format!("waiver {code} was not granted or is used twice"));
        }
        used.push(code);
    }
    Ok(Accepted { claims: values, bound, waived: used })
}

/// `whole` is the size of the message that the claims are in, so at least theirs.
fn claims(claims: &Claims, whole: usize) -> Result<(), String> {
    if claims.is_empty() {
        return Err("claims are empty".to_owned());
    }
    if whole > MAX_CLAIMS {
        let size = minicbor::to_vec(claims).map_err(|error| error.to_string())?.len();
        if size > MAX_CLAIMS {
            return Err(format!("claims of {size} bytes, the limit is {MAX_CLAIMS}"));
        }
    }
    claim_names(claims)
}

/// Names are for terminals and tables; how deep and how many was checked when the claims were read.
fn claim_names(claims: &Claims) -> Result<(), String> {
    for (name, value) in claims.iter() {
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(format!("claim name {name:?} is not 1 to {MAX_NAME} visible ASCII characters"));
        }
        claim_value_names(value)?;
    }
    Ok(())
}

fn claim_value_names(value: &ClaimValue) -> Result<(), String> {
    match value {
        ClaimValue::Map(map) => claim_names(map),
        ClaimValue::List(list) => list.iter().try_for_each(claim_value_names),
        _ => Ok(()),
    }
}

fn check_floors(floors: &[Floor], accepted: bool, endorsements: usize) -> Result<(), String> {
    if !accepted && !floors.is_empty() {
        return Err("floors come only with an accepted outcome".to_owned());
    }
    if floors.len() > MAX_FLOORS {
        return Err(format!("{} floors, the limit is {MAX_FLOORS}", floors.len()));
    }
    for Floor { name: floor, endorsement, .. } in floors {
        name("name of a floor", floor)?;
        if !usize::try_from(*endorsement).is_ok_and(|index| index < endorsements) {
            return Err(format!("floor {floor} is of endorsement {endorsement}, {endorsements} were sent"));
        }
    }
    Ok(())
}

fn name(what: &str, text: &str) -> Result<(), String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(allowed) {
        return Err(format!("{what} is not 1 to {MAX_NAME} letters, digits, dots, hyphens or underscores"));
    }
    Ok(())
}
