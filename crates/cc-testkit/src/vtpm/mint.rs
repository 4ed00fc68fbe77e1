//! [`World`]: the evidence of a machine with everything needed to verify it, consistent until a test makes it otherwise.

use aws_lc_rs::digest::{SHA256, digest};
use cc_core::azure::Machine;

use super::hcl::{self, HclBuilder, td_report};
use super::quote::{QuoteBuilder, sign};
use crate::jwt::Object;
use crate::snp::{LeafKind, Product, SignKey};
use crate::{snp, tdx};

/// The processor of a machine.
#[derive(Clone)]
pub enum Processor {
    /// AMD's, with its report.
    Snp(Box<snp::World>),
    /// Intel's, with its quote.
    Tdx(Box<tdx::World>),
}

/// A machine.
///
/// A negative test edits one thing and makes what depends on it anew ([`World::edit_runtime`], [`World::edit_quote`],
/// [`World::edit_processor`]), or changes the finished parts (the public fields).
#[derive(Clone)]
pub struct World {
    /// The processor.
    pub processor: Processor,
    /// What the runtime data were made from.
    pub runtime: Object,
    /// The HCL report.
    pub hcl: HclBuilder,
    /// What [`World::message`] was made from.
    pub quote: QuoteBuilder,
    /// What the TPM signed.
    pub message: Vec<u8>,
    /// Its signature.
    pub signature: Vec<u8>,
    /// Number and value of each quoted PCR.
    pub pcrs: Vec<(u8, [u8; 32])>,
    /// Signs quotes from now on.
    pub key: &'static SignKey,
}

impl World {
    /// A machine with a Milan processor.
    pub fn snp() -> Self {
        let world = snp::World::new(Product::Milan, LeafKind::Vcek);
        Self::new(Processor::Snp(Box::new(world)))
    }

    /// A machine with a processor of Intel's whose quotes have this form.
    pub fn tdx(form: tdx::Form) -> Self {
        let world = tdx::World::new(form, tdx::Ca::Platform);
        Self::new(Processor::Tdx(Box::new(world)))
    }

    fn new(processor: Processor) -> Self {
        let pcrs: Vec<_> = (0..24).map(|number| (number, [number; 32])).collect();
        let key = super::attestation_key();
        let report_type = match processor {
            Processor::Snp(_) => 2,
            Processor::Tdx(_) => 4,
        };
        let runtime = hcl::runtime_data(key);
        let mut world = Self {
            processor,
            hcl: HclBuilder::healthy(report_type, Vec::new(), runtime.text().into_bytes()),
            runtime,
            quote: QuoteBuilder::healthy(&pcrs),
            message: Vec::new(),
            signature: Vec::new(),
            pcrs,
            key,
        };
        world.edit_runtime(|_| {}).edit_quote(|_| {});
        world
    }

    /// Edits the runtime data and has the processor report on them again.
    pub fn edit_runtime(&mut self, edit: impl FnOnce(&mut Object)) -> &mut Self {
        edit(&mut self.runtime);
        let text = self.runtime.text().into_bytes();
        self.report_on(text)
    }

    /// Has the processor report on any runtime data.
    pub fn report_on(&mut self, runtime_data: Vec<u8>) -> &mut Self {
        let mut report_data = [0; 64];
        report_data[..32].copy_from_slice(digest(&SHA256, &runtime_data).as_ref());
        self.hcl.runtime_data = runtime_data;
        self.set_report_data(report_data)
    }

    /// Has the processor report with any REPORT_DATA.
    pub fn set_report_data(&mut self, report_data: [u8; 64]) -> &mut Self {
        self.edit_processor(|processor| match processor {
            Processor::Snp(world) => _ = world.edit_report(|report| _ = report.set_report_data(report_data)),
            Processor::Tdx(world) => _ = world.set(tdx::field::REPORT_DATA, &report_data),
        })
    }

    /// Edits the processor's evidence, which the HCL report then has.
    pub fn edit_processor(&mut self, edit: impl FnOnce(&mut Processor)) -> &mut Self {
        edit(&mut self.processor);
        self.hcl.hardware = match &self.processor {
            Processor::Snp(world) => world.report.bytes().to_vec(),
            Processor::Tdx(world) => td_report(&world.quote),
        };
        self
    }

    /// Edits the quote and signs it again.
    pub fn edit_quote(&mut self, edit: impl FnOnce(&mut QuoteBuilder)) -> &mut Self {
        edit(&mut self.quote);
        self.message = self.quote.bytes();
        self.signature = sign(self.key, &self.message);
        self
    }

    /// Quotes these PCRs.
    pub fn quote_over(&mut self, pcrs: &[(u8, [u8; 32])]) -> &mut Self {
        self.pcrs = pcrs.to_vec();
        self.edit_quote(|quote| quote.over(pcrs))
    }

    /// The parts of the evidence.
    pub fn machine(&self) -> Machine {
        Machine {
            hcl_report: self.hcl.bytes(),
            td_quote: match &self.processor {
                Processor::Snp(_) => Vec::new(),
                Processor::Tdx(world) => world.quote.bytes(),
            },
            message: self.message.clone(),
            signature: self.signature.clone(),
            pcrs: self.pcrs.iter().map(|(_, value)| *value).collect(),
        }
    }

    /// The evidence.
    pub fn evidence(&self) -> Vec<u8> {
        self.machine().encode()
    }

    /// What a verifier is handed beside it.
    pub fn endorsements(&self) -> Vec<Vec<u8>> {
        match &self.processor {
            Processor::Snp(world) => {
                vec![world.leaf.clone(), world.intermediate.clone(), world.ark.clone(), world.crl.clone()]
            }
            Processor::Tdx(world) => world.endorsements(),
        }
    }
}
