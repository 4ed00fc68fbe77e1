//! Hostile bytes: no altered quote is accepted, and nothing panics.

use cc_core::message::{Blob, MESSAGE_VERSION, PlanRequest, VerifyRequest, WireOutcome};
use cc_core::tdx::declared_length;
use cc_core::{Claims, Profile, UnixTime};
use cc_verifier::tdx::{Anchors, Quote, Verifier};

use crate::common::tdx_corpus::{QUOTES, collateral, quote};

/// Quotes that published collateral accepts, with that and its time.
const ACCEPTED: [(&str, &str, &str, u64); 4] = [
    ("tdx/v4-dcapqvl-b0c06f", "quote.bin", "dcapqvl-2025-06", 1_750_415_547),
    ("tdx/v4-dcaprs-00806f05", "quote.bin", "dcaprs-2025-02", 1_739_491_200),
    ("tdx/v5-gotdx-90c06f", "quote.bin", "dcapqvl-2026-02", 1_771_498_731),
    ("tdx/v4-trustee-debug", "quote.bin", "attestation-rs-2026-03", 1_773_792_000),
];

fn request(evidence: Vec<u8>, endorsements: Vec<Vec<u8>>, at: u64) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::tdx_quote_1(),
        evidence,
        endorsements: endorsements.into_iter().map(Blob).collect(),
        waivers: Vec::new(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(at),
    }
}

/// The claims of an accepted request.
fn accepted(verifier: &Verifier, request: &VerifyRequest) -> Option<Claims> {
    match verifier.verify(request).outcome {
        WireOutcome::Accept { claims, .. } => Some(claims),
        WireOutcome::Reject(_) | WireOutcome::Indeterminate(_) => None,
    }
}

fn plans(verifier: &Verifier, request: &VerifyRequest) -> bool {
    let plan = PlanRequest {
        version: MESSAGE_VERSION,
        profile: request.profile.clone(),
        evidence: request.evidence.clone(),
        endorsements: request.endorsements.clone(),
    };
    verifier.plan(&plan).is_ok()
}

/// Of the quotes that are accepted, every bit down to the certificates, and of those every few; with a memory, which is
/// what could be fooled.
#[test]
fn every_bit_of_an_accepted_quote_counts() {
    let mut flips = 0;
    for (i, (folder, file, name, at)) in ACCEPTED.into_iter().enumerate() {
        let verifier = Verifier::new(Anchors::intel(), 8);
        let mut request = request(quote(folder, file), collateral(name), at);
        assert!(accepted(&verifier, &request).is_some(), "{folder}");
        let end = request.evidence.len();
        let chain = end - Quote::new(&request.evidence).unwrap().attestation().pck_chain.len();
        let stride = if i == 0 { 5 } else { 29 };
        for bit in (0..chain * 8).chain((chain * 8..end * 8).step_by(stride)) {
            request.evidence[bit / 8] ^= 1 << (bit % 8);
            assert!(accepted(&verifier, &request).is_none(), "{folder}/{file}: bit {bit} of no account");
            request.evidence[bit / 8] ^= 1 << (bit % 8);
            flips += 1;
        }
        assert!(accepted(&verifier, &request).is_some(), "{folder}: restored");
    }
    println!("{flips} flips in {} quotes", ACCEPTED.len());
}

/// Every published quote, whatever its TCB: a plan takes all steps that need no collateral.
#[test]
fn no_altered_quote_is_planned_for() {
    let verifier = Verifier::new(Anchors::intel(), 0);
    let mut flips = 0;
    for (folder, file) in QUOTES {
        let mut request = request(quote(folder, file), Vec::new(), 0);
        assert!(plans(&verifier, &request), "{folder}/{file}");
        for bit in (0..request.evidence.len() * 8).step_by(43) {
            request.evidence[bit / 8] ^= 1 << (bit % 8);
            assert!(!plans(&verifier, &request), "{folder}/{file}: bit {bit} of no account");
            request.evidence[bit / 8] ^= 1 << (bit % 8);
            flips += 1;
        }
    }
    println!("{flips} flips in {} quotes", QUOTES.len());
}

#[test]
fn no_part_of_a_quote_is_a_quote() {
    let verifier = Verifier::new(Anchors::intel(), 0);
    let mut truncations = 0;
    for (folder, file) in QUOTES {
        let whole = quote(folder, file);
        for length in 0..whole.len() {
            let part = &whole[..length];
            assert!(declared_length(part).is_err(), "{folder}/{file}: {length}");
            let code = Quote::new(part).unwrap_err().code;
            assert_eq!(code.as_str(), "tdx.format.length", "{folder}/{file}: {length}");
            truncations += 1;
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert_eq!(declared_length(&longer), Ok(whole.len()));
        assert!(!plans(&verifier, &request(longer, Vec::new(), 0)), "{folder}/{file}");
    }
    println!("{truncations} truncations of {} quotes", QUOTES.len());
}

/// A generator of numbers without a source of its own.
struct Random(u64);

impl Random {
    const SEED: u64 = 0x7d0_c0de;

    fn next(&mut self) -> u64 {
        // xorshift64* (Vigna, 2016).
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    /// Changes, removes, repeats or inserts something somewhere.
    fn alter(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        let length = 1 + self.below(40);
        match self.below(6) {
            0 => bytes.truncate(at),
            1 => bytes[at] = self.byte(),
            2 => bytes[at] ^= 1 << self.below(8),
            3 => drop(bytes.drain(at..(at + length).min(bytes.len()))),
            4 => {
                let copy = bytes[at..(at + length).min(bytes.len())].to_vec();
                let to = self.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            _ => {
                let new: Vec<_> = (0..length).map(|_| self.byte()).collect();
                bytes.splice(at..at, new);
            }
        }
    }
}

#[test]
fn any_bytes_are_judged() {
    println!("seed {:#x}", Random::SEED);
    let mut random = Random(Random::SEED);
    let verifier = Verifier::new(Anchors::intel(), 8);
    let (folder, file, name, at) = ACCEPTED[2];
    let whole = quote(folder, file);
    let header = whole[..54].to_vec();
    for _ in 0..3000 {
        let length = random.below(1500);
        let noise: Vec<_> = (0..length).map(|_| random.byte()).collect();
        // Some of them with a header, so that the lengths behind it are read.
        let evidence = if random.below(2) == 0 { noise } else { [header.as_slice(), &noise].concat() };
        let blobs = vec![evidence.clone(), [b"{\"tcbInfo\":".as_slice(), &evidence].concat()];
        let request = request(evidence, blobs, at);
        let _ = declared_length(&request.evidence);
        assert!(accepted(&verifier, &request).is_none());
        assert!(!plans(&verifier, &request));
    }
    for _ in 0..3000 {
        let mut evidence = whole.clone();
        random.alter(&mut evidence);
        if evidence != whole {
            assert!(accepted(&verifier, &request(evidence, collateral(name), at)).is_none());
        }
    }
}

/// Altered collateral is refused, or was altered where it does not matter: then it says the same.
#[test]
fn altered_collateral_says_nothing_else() {
    println!("seed {:#x}", Random::SEED);
    let mut random = Random(Random::SEED);
    let (mut refused, mut the_same) = (0, 0);
    for (folder, file, name, at) in ACCEPTED {
        let verifier = Verifier::new(Anchors::intel(), 8);
        let good = collateral(name);
        let claims = accepted(&verifier, &request(quote(folder, file), good.clone(), at)).unwrap();
        for _ in 0..1500 {
            let mut blobs = good.clone();
            let which = random.below(blobs.len());
            random.alter(&mut blobs[which]);
            match accepted(&verifier, &request(quote(folder, file), blobs, at)) {
                Some(other) => {
                    assert_eq!(other, claims, "{folder}: object {which}");
                    the_same += 1;
                }
                None => refused += 1,
            }
        }
    }
    println!("{refused} refused, {the_same} of no account");
    assert!(refused > the_same);
}
