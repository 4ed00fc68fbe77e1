//! configfs-tsm as the SNP guest driver offers it (*verification.md* 1.5; see [`crate::tsm`]).

use cc_core::codes;
use rustix::io::Errno;

use super::device::MAX_CERTS;
use super::{Device, Failure, RawReport, ReportRequest};
use crate::pace::Gate;
use crate::tsm::{Directories, Directory, Refused, Tree};

/// Most bytes of a report blob that are read; a report has 1184.
const MAX_REPORT: usize = 4096;

/// The interface on a tree.
pub struct Configfs<T>(Directories<T>);

impl<T: Tree> Configfs<T> {
    /// Asks through `tree`.
    pub const fn new(tree: T) -> Self {
        Self(Directories::new(tree))
    }
}

impl<T: Tree> Device for Configfs<T> {
    fn report(&mut self, request: &ReportRequest, gate: &mut Gate) -> Result<RawReport, Failure> {
        let directory = self.0.make().map_err(Failure::Absent)?;
        directory.provider("sev_guest").map_err(Failure::Absent)?;
        let floor = directory.number("privlevel_floor").map_err(Failure::Absent)?;
        let level = u64::from(request.vmpl.unwrap_or(0)).max(floor);
        if let Some(vmpl) = request.vmpl
            && u64::from(vmpl) < floor
        {
            return Err(Failure::denied(
                codes::SNP_COLLECT_FIRMWARE_ERROR,
                format!("configfs-tsm: privilege level {vmpl} is wanted, the lowest allowed is {floor}"),
            ));
        }
        let start = directory.number("generation").map_err(Failure::Absent)?;
        directory.write("privlevel", level.to_string().as_bytes()).map_err(refused)?;
        directory.write("inblob", request.binding.as_bytes()).map_err(refused)?;
        let pass = gate.pass();
        let certs = blob(&directory, "auxblob", MAX_CERTS)?;
        let report = blob(&directory, "outblob", MAX_REPORT)?;
        drop(pass);
        let confirmed = directory.confirm(start, 2);
        confirmed.map_err(|detail| Failure::denied(codes::SNP_COLLECT_GENERATION_CONFLICT, detail))?;
        Ok(RawReport { report, certs })
    }
}

/// A blob; a host without certificates may have no `auxblob`. A signal is no answer: the read goes on.
fn blob<T: Tree>(directory: &Directory<'_, T>, attribute: &str, limit: usize) -> Result<Vec<u8>, Failure> {
    loop {
        return match directory.blob(attribute, limit) {
            Err(Refused { errno: Some(Errno::INTR), .. }) => continue,
            Err(Refused { errno: Some(Errno::NOENT), .. }) if attribute == "auxblob" => Ok(Vec::new()),
            result => result.map_err(refused),
        };
    }
}

fn refused(Refused { errno, detail }: Refused) -> Failure {
    match errno {
        Some(Errno::NOTTY) => Failure::KeyGone(detail),
        Some(Errno::TIMEDOUT) => Failure::denied(codes::SNP_COLLECT_THROTTLED, detail),
        Some(Errno::BUSY) => Failure::denied(codes::SNP_COLLECT_GENERATION_CONFLICT, detail),
        _ => Failure::denied(codes::SNP_COLLECT_FIRMWARE_ERROR, detail),
    }
}
