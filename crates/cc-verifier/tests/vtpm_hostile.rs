//! Hostile bytes: no altered evidence of a published machine is accepted, and nothing panics.

use std::ops::Range;
use std::sync::LazyLock;

use cc_core::UnixTime;
use cc_core::message::VerifyRequest;
use cc_testkit::published::tdx::FEB_2025;
use cc_testkit::vtpm::World;
use cc_verifier::vtpm::{Attest, HclReport, Verifier};
use cc_verifier::{snp, tdx};
use proptest::prelude::*;

use crate::common::codes::reply_code;
use crate::common::tdx_corpus;
use crate::common::vtpm::{self, request, to_plan};
use crate::common::vtpm_corpus::{CleanRoom, Texts, certificates, machine};

/// 2026-06-01T00:00:00Z, when the VCEKs are valid.
const MID_2026: u64 = 1_780_272_000;

/// Inverts every bit outside of `ignored`, and every one in there: only those are of no account. Returns how many counted.
fn sweep(mut request: VerifyRequest, at: u64, ignored: &[Range<usize>], skipped: &Range<usize>) -> usize {
    request.waivers = vec!["snp.crl.missing".to_owned()];
    request.now = UnixTime::from_secs(at);
    let verifier = Verifier::new(snp::Anchors::amd(), tdx::Anchors::intel(), 16);
    let accepted = |request: &VerifyRequest| reply_code(&verifier.verify(request)) == "accept";
    assert!(accepted(&request));
    let mut counted = 0;
    for bit in (0..request.evidence.len() * 8).filter(|bit| !skipped.contains(&(bit / 8))) {
        request.evidence[bit / 8] ^= 1 << (bit % 8);
        let is_ignored = ignored.iter().any(|range| range.contains(&(bit / 8)));
        assert_eq!(accepted(&request), is_ignored, "bit {} of byte {:#x}", bit % 8, bit / 8);
        request.evidence[bit / 8] ^= 1 << (bit % 8);
        counted += usize::from(!is_ignored);
    }
    assert!(accepted(&request));
    counted
}

#[test]
fn every_bit_of_published_evidence_with_amds_report_counts() {
    let folder = "snp-azure-vtpm/milan-v3-cleanroom-signing";
    let evidence = machine(folder, "attestation.json", CleanRoom).encode();
    let counted = sweep(request(&evidence, &certificates(folder)), MID_2026, &[], &(0..0));
    assert_eq!(counted, evidence.len() * 8);
    println!("{counted} bits");
}

#[test]
fn every_bit_of_published_evidence_with_intels_quote_counts() {
    let machine = machine("tdx-azure-vtpm/trustee-v0-v1", "evidence-v1.json", Texts);
    let evidence = machine.encode();
    // The header of the list, and of each of its elements before the content.
    let hcl = 1 + 3;
    let quote = hcl + machine.hcl_report.len() + 3;
    // What of a TD report neither a quote nor anything else here has: hashes, MAC, and what came after TDX 1.0.
    let unquoted = [0x002..0x080, 0x0c0..0x108, 0x180..0x200, 0x390..0x400];
    let ignored = unquoted.map(|range| hcl + 32 + range.start..hcl + 32 + range.end);
    // Bits of the signature data are the business of the tests of quotes.
    let skipped = quote + 632..quote + machine.td_quote.len();
    let collateral = tdx_corpus::collateral("dcaprs-2025-02");
    let counted = sweep(request(&evidence, &collateral), FEB_2025, &ignored, &skipped);
    let of_no_account: usize = ignored.iter().map(ExactSizeIterator::len).sum();
    assert_eq!(counted, (evidence.len() - skipped.len() - of_no_account) * 8);
    println!("{counted} bits");
}

static WORLD: LazyLock<World> = LazyLock::new(World::snp);
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| vtpm::verifier(16));

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn nothing_panics(bytes: Vec<u8>, at in 0_usize..4000, splice: Vec<u8>) {
        let mut evidence = WORLD.evidence();
        let end = evidence.len().min(at + splice.len());
        let before = evidence.splice(at.min(end)..end, splice.iter().copied()).collect::<Vec<_>>();
        let _ = (HclReport::new(&bytes), Attest::new(&bytes));
        for (evidence, genuine) in [(&bytes, false), (&evidence, before == splice)] {
            let request = request(evidence, &WORLD.endorsements());
            let _ = VERIFIER.plan(&to_plan(&request));
            prop_assert!(genuine || reply_code(&VERIFIER.verify(&request)) != "accept");
        }
    }
}
