//! A confidential machine around the emulated guest: its paravisor's report, and quotes of its virtual TPM.

use cc_core::azure::Machine;
use cc_core::message::Collected;
use cc_core::{Binding, Finding};
use cc_testkit::aci::mint::sha256;
use cc_testkit::vtpm::{HclBuilder, QuoteBuilder, attestation_key, hcl, quote};

use crate::guest::Guest;

/// The report of SEV-SNP in an HCL report.
const SNP: u32 = 2;

/// Quotes PCRs of which each has its number in every byte. The report under the quote has the binding's user data where it is
/// `fresh`, otherwise what was there at boot.
pub(crate) fn collect(guest: &Guest, binding: &Binding, fresh: bool) -> Result<Collected, Finding> {
    let key = attestation_key();
    let mut runtime = hcl::runtime_data(key);
    if let Some(user_data) = binding.user_data().filter(|_| fresh) {
        runtime.set_text("user-data", &hex::encode_upper(user_data));
    }
    let runtime = runtime.text().into_bytes();
    let mut report_data = [0; 64];
    report_data.iter_mut().zip(sha256(&runtime)).for_each(|(to, from)| *to = from);
    let collected = guest.collect(&Binding::new(report_data))?;
    let pcrs: Vec<_> = (0..24).map(|number| (number, [number; 32])).collect();
    let mut attest = QuoteBuilder::healthy(&pcrs);
    attest.extra_data = binding.extra_data()?.to_vec();
    let message = attest.bytes();
    let evidence = Machine {
        hcl_report: HclBuilder::healthy(SNP, collected.evidence, runtime).bytes(),
        td_quote: Vec::new(),
        signature: quote::sign(key, &message),
        message,
        pcrs: pcrs.into_iter().map(|(_, value)| value).collect(),
    };
    Ok(Collected { evidence: evidence.encode(), ..collected })
}
