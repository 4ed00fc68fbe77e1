//! Genuine work behind the emulated federation: each participant has a processor of its own, whose reports are signed
//! and verified as real ones are. What is emulated is the hardware and the network, not the cryptography.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use cc_core::message::{Blob, MESSAGE_VERSION, VerifyRequest, WireOutcome};
use cc_core::{Finding, Profile, UnixTime, codes};
use cc_testkit::federation::Machines;
use cc_testkit::snp::leaf::oids;
use cc_testkit::snp::{LeafKind, Product, World, ark_der};
use cc_verifier::snp::{Anchors, Verifier};
use fed_proto::binding::Purpose;
use fed_proto::crypto::{Digest, sha256};
use fed_proto::name::Name;
use fed_proto::round::{Concluded, Evidence, JudgeOrder, Participant, ReportOrder};
use fed_proto::sybil::Identifiers;

/// Chains that are remembered: one for each processor of the largest federation.
const REMEMBERED: usize = 4096;

/// What was done, read by the measurement.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) reports: usize,
    pub(crate) verifications: usize,
    /// Participants that concluded a periodic round.
    pub(crate) concluded: usize,
}

/// Processors of one product line under one root.
pub(crate) struct Processors {
    verifier: Verifier,
    worlds: BTreeMap<Name, World>,
    done: Rc<RefCell<Done>>,
}

impl Processors {
    pub(crate) fn new(done: Rc<RefCell<Done>>) -> Self {
        let anchors = Anchors::new(ark_der(Product::Milan), ark_der(Product::Genoa), ark_der(Product::Turin));
        Self { verifier: Verifier::new(anchors, REMEMBERED), worlds: BTreeMap::new(), done }
    }

    /// The processor of a participant: its certificate says another HWID than anybody else's.
    fn world(&mut self, who: &Name) -> &mut World {
        self.worlds.entry(who.clone()).or_insert_with(|| {
            let mut world = World::new(Product::Genoa, LeafKind::Vcek);
            let mut chip = [0; 64];
            chip[..32].copy_from_slice(&sha256(who.as_str().as_bytes()).0);
            world.edit_leaf(|leaf| leaf.set_ext(oids::HWID, chip.to_vec()));
            world.report.set_chip_id(chip);
            world
        })
    }
}

impl Machines for Processors {
    fn policy(&self, who: &Name) -> Digest {
        sha256(who.as_str().as_bytes())
    }

    fn report(&mut self, who: &Name, order: &ReportOrder) -> Evidence {
        self.done.borrow_mut().reports += 1;
        let world = self.world(who);
        world.edit_report(|report| {
            report.set_report_data(*order.binding(&[]).report_data().unwrap());
        });
        Evidence {
            evidence: world.report.bytes().to_vec(),
            aux: Vec::new(),
            devices: Vec::new(),
            endorsements: Vec::new(),
        }
    }

    fn judge(&mut self, _: &Name, order: &JudgeOrder, at: UnixTime) -> Result<Identifiers, Finding> {
        self.done.borrow_mut().verifications += 1;
        let world = self.world(&order.peer);
        let chain = [&world.leaf, &world.intermediate, &world.ark, &world.crl];
        let request = VerifyRequest {
            version: MESSAGE_VERSION,
            profile: Profile::snp_raw_1(),
            evidence: order.envelope.evidence.clone(),
            endorsements: chain.into_iter().cloned().map(Blob).collect(),
            waivers: Vec::new(),
            vouched: Vec::new(),
            now: at,
        };
        let chip = Some(world.report.chip_id().to_vec());
        match self.verifier.verify(&request).outcome {
            WireOutcome::Accept { bound, .. } => {
                bound.compare(&order.binding)?;
                Ok(Identifiers {
                    guest: Some(order.peer.as_str().as_bytes().to_vec()),
                    devices: Vec::new(),
                    chip,
                })
            }
            denied => Err(Finding::new(codes::SNP_SIGNATURE_INVALID, format!("{denied:?}"))),
        }
    }

    fn concluded(&mut self, _: &Participant, concluded: &Concluded, _: UnixTime) {
        if concluded.purpose == Purpose::Periodic {
            self.done.borrow_mut().concluded += 1;
        }
    }
}
