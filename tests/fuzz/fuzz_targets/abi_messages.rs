//! Any bytes as each message of the plugin ABI: what is read is the same after writing and reading again.

#![no_main]

use cc_core::message::{
    CollectRequest, Collected, Denial, Identity, MESSAGE_VERSION, Message, Plan, PlanRequest, VerifyReply,
    VerifyRequest,
};
use libfuzzer_sys::fuzz_target;

fn check<M: Message + PartialEq + std::fmt::Debug>(bytes: &[u8]) -> Option<M> {
    let message = M::from_bytes(bytes).ok()?;
    assert_eq!(message.version(), MESSAGE_VERSION);
    assert_eq!(M::from_bytes(&message.to_bytes()).as_ref(), Ok(&message));
    Some(message)
}

fuzz_target!(|bytes: &[u8]| {
    check::<Identity>(bytes);
    check::<CollectRequest>(bytes);
    check::<Collected>(bytes);
    check::<PlanRequest>(bytes);
    check::<Plan>(bytes);
    check::<VerifyRequest>(bytes);
    check::<VerifyReply>(bytes);
    if let Some(denial) = check::<Denial>(bytes)
        && let Ok(finding) = denial.clone().into_finding()
    {
        assert_eq!(finding.code.as_str(), denial.code);
        assert!(denial.detail.starts_with(&finding.detail));
    }
});
