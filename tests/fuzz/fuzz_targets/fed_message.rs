//! Any bytes as a signed message, and what it carries as each payload: what is read is the same after writing and
//! reading again, and what verifies is what its sender would sign.

#![no_main]

use fed_proto::message::{
    Admission, Busy, Challenge, ChannelProof, Closed, Contribution, Hello, JobOrder, JobUpdate, Notice, Open,
    Payload, Publish, Reserve, Reserved, VerdictMessage,
};
use fed_proto::signed::Signed;
use libfuzzer_sys::fuzz_target;
use muster_fuzz::federation::{FEDERATION, KEY};

fn check<P: Payload + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    if let Some(payload) = P::from_bytes(bytes) {
        assert_eq!(P::from_bytes(&payload.to_bytes()), Some(payload));
    }
}

fn payloads(bytes: &[u8]) {
    check::<Hello>(bytes);
    check::<ChannelProof>(bytes);
    check::<Notice>(bytes);
    check::<Challenge>(bytes);
    check::<Open>(bytes);
    check::<Contribution>(bytes);
    check::<Busy>(bytes);
    check::<Publish>(bytes);
    check::<Closed>(bytes);
    check::<VerdictMessage>(bytes);
    check::<Admission>(bytes);
    check::<Reserve>(bytes);
    check::<Reserved>(bytes);
    check::<JobOrder>(bytes);
    check::<JobUpdate>(bytes);
}

fuzz_target!(|bytes: &[u8]| {
    let Some(message) = Signed::from_bytes(bytes, bytes.len()) else { return };
    assert_eq!(Signed::from_bytes(&message.to_bytes(), usize::MAX).as_ref(), Some(&message));
    if message.verify(&FEDERATION, &KEY.public()).is_ok() {
        let Signed { header, payload, .. } = message.clone();
        assert_eq!(Signed::new(&FEDERATION, header, payload, &KEY), message);
    }
    payloads(&message.payload);
});
