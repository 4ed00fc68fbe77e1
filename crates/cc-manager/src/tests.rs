//! Tests with plugins that exist only as answers: contract, self-test, pipeline.

mod bound;
mod collateral;
mod contract;
mod pipeline;
mod plans;
mod tdx;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use cc_core::message::{
    Denial, EndorsementRequest, Identity, MESSAGE_VERSION, Message, Plan, VerifyReply, WireOutcome,
};
use cc_core::{
    BoundField, BoundKind, Claims, Code, Finding, Profile, ProfileInfo, Role, TrustClass, UnixTime, codes,
};

use crate::fetch::{Environment, Wait};
use crate::plugin::{Call, CallError, Runner};
use crate::{Plugin, Sha256};

type Answers = dyn Fn(Call, &[u8]) -> Result<Vec<u8>, CallError> + Send + Sync;

/// Answers calls by a function.
struct Scripted(Box<Answers>);

impl Runner for Scripted {
    fn waits(&self) -> bool {
        false
    }

    fn call(&self, call: Call, request: &[u8]) -> Result<Vec<u8>, CallError> {
        (self.0)(call, request)
    }
}

/// A clock that stands still; no attempt runs out of time.
struct Standstill;

impl Environment for Standstill {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(1_780_272_000)
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn pause(&self, duration: Duration) -> Wait {
        unreachable!("a wait of {duration:?}")
    }

    fn limit(&self, _: Duration) -> Wait {
        Box::pin(std::future::pending())
    }

    fn chance(&self) -> u8 {
        0
    }
}

fn identity() -> Identity {
    Identity {
        version: MESSAGE_VERSION,
        name: "scripted".to_owned(),
        vendor: "Example".to_owned(),
        plugin_version: "0.1.0".to_owned(),
        sdk_version: "1.0.0".to_owned(),
        trust_class: TrustClass::Hardware,
        profiles: vec![ProfileInfo {
            profile: Profile::snp_raw_1(),
            namespace: "x-snp".to_owned(),
            media_types: Vec::new(),
            roles: vec![Role::Collect, Role::Verify],
        }],
    }
}

fn plugin(answers: impl Fn(Call, &[u8]) -> Result<Vec<u8>, CallError> + Send + Sync + 'static) -> Plugin {
    plugin_of(identity(), answers)
}

fn plugin_of(
    identity: Identity,
    answers: impl Fn(Call, &[u8]) -> Result<Vec<u8>, CallError> + Send + Sync + 'static,
) -> Plugin {
    Plugin::new(
        identity,
        Sha256::of(b"library"),
        PathBuf::from("/scripted.so"),
        Box::new(Scripted(Box::new(answers))),
    )
}

/// 1184 bytes with something telling where REPORT_DATA stands.
fn evidence() -> Vec<u8> {
    let mut evidence = vec![0; 1184];
    evidence[0x50..0x90].fill(7);
    evidence
}

fn claims() -> Claims {
    let mut claims = Claims::new();
    claims.insert("vmpl", 0_u64);
    claims
}

fn accept() -> WireOutcome {
    let bound = BoundField { kind: BoundKind::ReportData, bytes: vec![7; 64] };
    WireOutcome::Accept { claims: claims(), bound, waived: Vec::new() }
}

fn denied(code: &Code, detail: &str) -> Denial {
    Denial::from(Finding::new(code.clone(), detail))
}

fn reply(outcome: WireOutcome, recognised: usize) -> VerifyReply {
    VerifyReply {
        version: MESSAGE_VERSION,
        profile: Profile::snp_raw_1(),
        outcome,
        recognised: vec!["snp.crl".to_owned(); recognised],
        floors: Vec::new(),
    }
}

fn plan(requests: Vec<EndorsementRequest>) -> Vec<u8> {
    Plan::new(requests, claims()).to_bytes()
}

fn refusal() -> CallError {
    CallError::Denied(denied(&codes::SNP_FORMAT_LENGTH, "0 bytes").to_bytes())
}

/// An answer for each call of the self-test, in order; anything more is a denial.
fn sequence(answers: Vec<Result<Vec<u8>, CallError>>) -> Plugin {
    let answers = Mutex::new(answers.into_iter());
    plugin(move |_, _| answers.lock().unwrap().next().unwrap_or_else(|| Err(refusal())))
}

#[test]
fn the_self_test_takes_honest_denials_only() {
    let who = || Ok(identity().to_bytes());
    let deny = || Err(refusal());
    let rejected = || Ok(reply(WireOutcome::Reject(denied(&codes::SNP_FORMAT_LENGTH, "")), 0).to_bytes());
    let undecided =
        || Ok(reply(WireOutcome::Indeterminate(denied(&codes::SNP_CHAIN_MISSING, "")), 0).to_bytes());
    let panicked = || denied(&codes::PLUG_PANICKED, "index out of bounds");
    for good in [vec![who(), deny(), rejected()], vec![who(), deny(), undecided()]] {
        assert_eq!(crate::selftest::run(&sequence(good)), Ok(()));
    }
    let other = Identity { plugin_version: "0.2.0".to_owned(), ..identity() };
    for (what, answers) in [
        ("identify differs", vec![Ok(other.to_bytes()), deny(), rejected()]),
        ("identify fails", vec![deny(), deny(), rejected()]),
        ("identify garbage", vec![Ok(vec![0xff]), deny(), rejected()]),
        ("plan succeeds", vec![who(), Ok(plan(Vec::new())), rejected()]),
        ("plan panics", vec![who(), Err(CallError::Denied(panicked().to_bytes())), rejected()]),
        ("plan garbage", vec![who(), Ok(vec![0xff]), rejected()]),
        ("denial garbage", vec![who(), Err(CallError::Denied(b"no".to_vec())), rejected()]),
        ("denial oversize", vec![who(), Err(CallError::Oversize(1 << 30)), rejected()]),
        ("verify accepts", vec![who(), deny(), Ok(reply(accept(), 0).to_bytes())]),
        ("verify fails", vec![who(), deny(), deny()]),
        ("verify panics", vec![who(), deny(), Ok(reply(WireOutcome::Reject(panicked()), 0).to_bytes())]),
        ("verify garbage", vec![who(), deny(), Ok(Vec::new())]),
    ] {
        let failed = crate::selftest::run(&sequence(answers)).unwrap_err();
        assert_eq!(failed.code, codes::PLUG_SELFTEST_FAILED, "{what}: {failed}");
    }
}
