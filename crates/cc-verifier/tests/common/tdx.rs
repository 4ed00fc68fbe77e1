//! Synthetic quotes and how they are verified.

use cc_core::message::{Blob, MESSAGE_VERSION, VerifyRequest};
use cc_core::{Claims, Outcome, Profile, UnixTime, Waivers};
use cc_testkit::tdx::{Ca, Form, NOW, World, root_der};
use cc_verifier::tdx::{Anchors, QuoteCache, Slots, Verification, verify};

use crate::common::codes::outcome_code;

/// The synthetic root.
pub(crate) fn anchors() -> Anchors {
    Anchors::new(root_der())
}

/// The instant for which worlds are made.
pub(crate) fn now() -> UnixTime {
    UnixTime::from_secs(NOW.unsigned_abs())
}

/// A quote and its endorsements, sorted, as they are handed to the verifier.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    pub(crate) evidence: Vec<u8>,
    pub(crate) signers: Vec<Vec<u8>>,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) tcb_infos: Vec<Vec<u8>>,
    pub(crate) qe_identities: Vec<Vec<u8>>,
    pub(crate) root_crls: Vec<Vec<u8>>,
    pub(crate) pck_crls: Vec<Vec<u8>>,
    pub(crate) event_logs: Vec<Vec<u8>>,
}

impl Parts {
    /// Everything that belongs to a world; no event log.
    pub(crate) fn of(world: &World) -> Self {
        let chains = [&world.tcb_chain, &world.qe_chain];
        let signers = chains.iter().flat_map(|chain| chain.first());
        let roots = chains.iter().flat_map(|chain| chain.last());
        Self {
            evidence: world.quote.bytes(),
            signers: distinct(signers),
            roots: distinct(roots),
            tcb_infos: vec![world.tcb_info.body()],
            qe_identities: vec![world.qe_identity.body()],
            root_crls: vec![world.root_crl.clone()],
            pck_crls: vec![world.pck_crl.clone()],
            event_logs: Vec::new(),
        }
    }

    pub(crate) fn slots(&self) -> Slots<'_> {
        fn list(blobs: &[Vec<u8>]) -> Vec<&[u8]> {
            blobs.iter().map(Vec::as_slice).collect()
        }
        Slots {
            signers: list(&self.signers),
            roots: list(&self.roots),
            tcb_infos: list(&self.tcb_infos),
            qe_identities: list(&self.qe_identities),
            root_crls: list(&self.root_crls),
            pck_crls: list(&self.pck_crls),
            event_logs: list(&self.event_logs),
        }
    }

    /// Verifies at an instant, with waivers, without memory.
    pub(crate) fn verify(&self, waivers: &Waivers, now: UnixTime) -> Verification {
        verify(&self.evidence, &self.slots(), &anchors(), waivers, now, &QuoteCache::new(0))
    }

    /// Verifies at [`now`], without waivers.
    pub(crate) fn outcome(&self) -> Outcome {
        self.verify(&Waivers::none(), now()).outcome
    }

    /// The code of the outcome, or `accept`.
    pub(crate) fn code(&self) -> String {
        outcome_code(&self.outcome()).to_owned()
    }

    /// The claims of a quote that must be accepted.
    pub(crate) fn claims(&self) -> Claims {
        match self.outcome() {
            Outcome::Accept(accepted) => accepted.claims,
            other => panic!("not accepted: {other:?}"),
        }
    }
}

fn distinct<'a>(blobs: impl Iterator<Item = &'a Vec<u8>>) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = blobs.cloned().collect();
    out.dedup();
    out
}

/// Makes a request of a quote and unlabelled endorsements.
pub(crate) fn request(quote: &[u8], endorsements: &[Vec<u8>]) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::tdx_quote_1(),
        evidence: quote.to_vec(),
        endorsements: endorsements.iter().cloned().map(Blob).collect(),
        waivers: Vec::new(),
        vouched: Vec::new(),
        now: now(),
    }
}

/// What is done, to a world of version 4 with a platform CA, and the code.
pub(crate) type Row = (&'static str, fn(&mut World), &'static str);

/// The world that most tests change.
pub(crate) fn world() -> World {
    World::new(Form::V4, Ca::Platform)
}

/// Every row has its code.
pub(crate) fn assert_rows(rows: &[Row]) {
    for (what, mutate, expected) in rows {
        let mut world = world();
        mutate(&mut world);
        assert_code(what, &world, expected);
    }
}

/// A world has its code.
pub(crate) fn assert_code(what: &str, world: &World, expected: &str) {
    let outcome = Parts::of(world).outcome();
    assert_eq!(outcome_code(&outcome), expected, "{what}: {outcome:?}");
}

/// Replaces every occurrence.
pub(crate) fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from.as_bytes()) {
        out.extend(&rest[..at]);
        out.extend(to.as_bytes());
        rest = &rest[at + from.len()..];
    }
    assert!(!out.is_empty(), "{from} is not there");
    out.extend(rest);
    out
}
