//! Devices with the endorsements that make them acceptable at [`NOW`](super::NOW).

use cc_core::gpu::{Device, DeviceClass, encode};

use super::device_chain::{Arch, DeviceChain};
use super::report::{BLACKWELL_VBIOS, DRIVER, HOPPER_VBIOS, LS10_BIOS, Report, measured};
use super::rim::{Measurement, Signer, Tag};
use crate::ocsp::{Answer, Authority};
use crate::snp::{CertSpec, SignKey};

/// The firmware of all synthetic devices.
pub const FWID: [u8; 48] = [0xF1; 48];
/// Measurements of the driver's manifest; 35 is the video decoder's.
pub const DRIVER_PLACES: [u8; 4] = [7, 21, 34, 35];
/// Measurements of the BIOS's manifest.
pub const BIOS_PLACES: [u8; 3] = [1, 9, 20];

/// One device.
#[derive(Clone)]
pub struct Member {
    /// What it is.
    pub arch: Arch,
    /// Its certificates.
    pub chain: DeviceChain,
    /// Its report; [`Member::edit`] signs it anew.
    pub report: Report,
    /// The architecture that the sender claims.
    pub label: Option<String>,
    /// CC state, if it was read.
    pub cc_state: Option<[u8; 4]>,
    /// The chain in the evidence, if not what the certificates are.
    pub pem: Option<Vec<u8>>,
}

impl Member {
    /// A device with that number.
    pub fn new(arch: Arch, number: u8) -> Self {
        let mut report = Report::new(arch, number, &FWID);
        let chain = DeviceChain::new(arch, number, &FWID);
        report.sign(chain.keys[0]);
        let cc_state = (arch != Arch::Ls10).then_some([2, 1, 0, 0]);
        Self { arch, chain, report, label: Some(arch.name().to_owned()), cc_state, pem: None }
    }

    /// What it is, for the evidence.
    pub fn class(&self) -> DeviceClass {
        if self.arch == Arch::Ls10 { DeviceClass::Switch } else { DeviceClass::Gpu }
    }

    /// Edits the report and signs it again.
    pub fn edit(&mut self, edit: impl FnOnce(&mut Report)) {
        edit(&mut self.report);
        self.report.sign(self.chain.keys[0]);
    }

    /// The entry in the evidence.
    pub fn device(&self) -> Device {
        Device {
            class: self.class(),
            report: self.report.bytes(),
            cert_chain: self.pem.clone().unwrap_or_else(|| self.chain.pem()),
            cc_state: self.cc_state,
            arch: self.label.clone(),
        }
    }
}

/// A manifest before it is signed, and the name under which the service has it.
#[derive(Clone)]
pub struct Manifest {
    /// Name at the service.
    pub id: String,
    /// The tag.
    pub tag: Tag,
}

/// Devices of one architecture, their manifests, and answers about all certificates.
#[derive(Clone)]
pub struct World {
    /// The devices.
    pub members: Vec<Member>,
    /// The manifests: of driver and VBIOS, or of the switch's BIOS.
    pub manifests: Vec<Manifest>,
    /// Who signs them.
    pub signer: Signer,
}

impl World {
    /// That many devices, numbered from 1.
    pub fn new(arch: Arch, devices: u8) -> Self {
        let members = (1..=devices).map(|number| Member::new(arch, number)).collect();
        Self { members, manifests: manifests(arch), signer: Signer::nvidia() }
    }

    /// The evidence.
    pub fn evidence(&self) -> Vec<u8> {
        encode(&self.members.iter().map(Member::device).collect::<Vec<_>>())
    }

    /// The manifests as files.
    pub fn files(&self) -> Vec<Vec<u8>> {
        self.manifests.iter().map(|manifest| self.signer.sign(&manifest.tag)).collect()
    }

    /// The manifests as the service answers.
    pub fn service_answers(&self) -> Vec<Vec<u8>> {
        self.manifests.iter().map(|manifest| self.signer.answer(&manifest.id, &manifest.tag)).collect()
    }

    /// Good answers about every certificate that has a status: of each device those of device, provisioner and model, then
    /// those of the manifests' signer, issuer and authority.
    pub fn answers(&self) -> Vec<Answer> {
        let of_device = |member: &Member| {
            let DeviceChain { specs, keys, .. } = &member.chain;
            [1, 2, 3].map(|at| answer(&specs[at], keys[at + 1]))
        };
        let chain = &self.signer.chain;
        let of_manifests = [3, 2, 1].map(|at| answer(&chain.specs[at], chain.keys[at - 1]));
        self.members.iter().flat_map(of_device).chain(of_manifests).collect()
    }

    /// All endorsements: manifests as files, and answers.
    pub fn endorsements(&self) -> Vec<Vec<u8>> {
        self.files().into_iter().chain(self.answers().iter().map(Answer::sign)).collect()
    }
}

/// A good answer about a certificate.
pub fn answer(spec: &CertSpec, issuer_key: &'static SignKey) -> Answer {
    Authority::new(&spec.issuer, issuer_key).answer(&spec.serial)
}

fn manifests(arch: Arch) -> Vec<Manifest> {
    let golden = |places: &[u8]| {
        let unused = Measurement::of(0, &[0]).inactive();
        let used = places.iter().map(|place| Measurement::of(*place, &[measured(*place), 0]));
        [unused].into_iter().chain(used).collect()
    };
    let manifest = |edition: &str, product: &str, id: &str, version: &str, places: &[u8]| Manifest {
        id: id.to_owned(),
        tag: Tag::new(edition, product, version, golden(places)),
    };
    match arch {
        Arch::Ls10 => {
            vec![manifest(
                "SWITCH",
                "LS10",
                "NV_SWITCH_BIOS_5612_0002_890_9610550001",
                LS10_BIOS,
                &BIOS_PLACES,
            )]
        }
        Arch::Hopper => vec![
            manifest("GPU", "GH100", "NV_GPU_DRIVER_GH100_550.90.07", DRIVER, &DRIVER_PLACES),
            manifest("GPU", "GH100", "NV_GPU_VBIOS_1010_0200_882_96009F0001", HOPPER_VBIOS, &BIOS_PLACES),
        ],
        Arch::Blackwell => vec![
            manifest("GPU", "GB100", "NV_GPU_CC_DRIVER_GB100_550.90.07", DRIVER, &DRIVER_PLACES),
            manifest("GPU", "GB100", "NV_GPU_VBIOS_G525_0220_886_970088000F", BLACKWELL_VBIOS, &BIOS_PLACES),
        ],
    }
}
