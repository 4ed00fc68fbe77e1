//! A container group: a kernel, a security context, a sidecar and an attestation service, each with its faults.

use std::path::PathBuf;

use cc_attester::aci::{Collector, Options, Surroundings};
use cc_attester::pace::Gate;
use cc_attester::snp::{self, Device, Failure, RawReport, ReportRequest};
use cc_attester::web::Authorities;
use cc_core::message::Blob;
use cc_testkit::azure::{host_certificates, security_context};
use cc_testkit::maa::Maa;
use cc_testkit::sidecar::Sidecar;
use cc_testkit::snp::{LeafKind, Product, World};
use tempfile::TempDir;

use crate::support::{TestPace, binding, report};

/// Stands for the signed statement about the utility VM, which the collector does not read.
pub(crate) const UVM: &[u8] = b"\xd2 a statement";
/// Stands for the CCE policy.
pub(crate) const POLICY: &[u8] = b"package policy\n";

/// How the kernel answers.
#[derive(Clone, Debug)]
pub(crate) enum Kernel {
    Reports,
    Absent,
    Denies(cc_core::Code),
}

impl Device for Kernel {
    fn report(&mut self, request: &ReportRequest, _: &mut Gate) -> Result<RawReport, Failure> {
        match self {
            Self::Reports => {
                let report_data = *request.binding.report_data().unwrap();
                Ok(RawReport { report: report(report_data, 0), certs: vec![0xC1; 24] })
            }
            Self::Absent => Err(Failure::Absent("no such interface".to_owned())),
            Self::Denies(code) => Err(Failure::Denied(cc_core::Finding::new(code.clone(), "denied"))),
        }
    }
}

/// The group, seen from one of its containers.
pub(crate) struct ContainerGroup {
    pub(crate) kernel: Kernel,
    pub(crate) sidecar: Sidecar,
    pub(crate) maa: Maa,
    pub(crate) pace: TestPace,
    pub(crate) options: Options,
    pub(crate) chance: u8,
    pub(crate) world: World,
    pub(crate) authorities: Authorities,
    directory: TempDir,
}

impl ContainerGroup {
    /// With a kernel that reports, a security context, and without sidecar or attestation service until they are named.
    pub(crate) fn new(kernel: Kernel) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().to_owned();
        let guest_device = root.join("sev-guest");
        std::fs::write(&guest_device, "").unwrap();
        let options = Options {
            root: root.clone(),
            sidecar: None,
            guest_devices: vec![guest_device],
            lock: root.join("lock"),
            snp: snp::Options { lock: root.join("snp-lock"), ..snp::Options::default() },
            ..Options::default()
        };
        let maa = Maa::start();
        let group = Self {
            kernel,
            sidecar: Sidecar::start(|report_data| report(*report_data, 0)),
            authorities: Authorities::Only(vec![maa.service().ca_der().to_vec()]),
            maa,
            pace: TestPace::new(),
            options,
            chance: 255,
            world: World::new(Product::Milan, LeafKind::Vcek),
            directory,
        };
        security_context(&group.context(), &host_certificates(&group.world), UVM, POLICY);
        group
    }

    /// A container without the kernel's interface.
    pub(crate) fn beside_sidecar() -> Self {
        let mut group = Self::new(Kernel::Absent);
        group.options.sidecar = Some(group.sidecar.service().url());
        group
    }

    /// Where the security context is.
    pub(crate) fn context(&self) -> PathBuf {
        self.directory.path().join("security-context-1234567890")
    }

    pub(crate) fn collector(&self) -> Collector {
        let kernel: Box<dyn Device> = Box::new(self.kernel.clone());
        let (pace, chance) = (Box::new(self.pace.clone()), self.chance);
        let surroundings = Surroundings {
            snp: snp::Collector::with_devices(vec![kernel], pace.clone(), &self.options.snp),
            pace,
            chance: Box::new(move || chance),
            authorities: self.authorities.clone(),
        };
        Collector::within(surroundings, self.options.clone()).unwrap()
    }

    /// What a report over the first binding comes to: nothing, or a code.
    pub(crate) fn outcome(&self) -> Result<(), cc_core::Code> {
        self.collector().report(&binding(1)).map(|_| ()).map_err(|finding| finding.code)
    }

    /// The endorsements that the security context holds.
    pub(crate) fn endorsements(&self) -> Vec<Blob> {
        let world = &self.world;
        [&world.leaf[..], &world.intermediate, &world.ark, UVM, POLICY]
            .map(|bytes: &[u8]| Blob(bytes.to_vec()))
            .to_vec()
    }
}
