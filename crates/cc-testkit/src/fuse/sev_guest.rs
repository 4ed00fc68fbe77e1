//! `/dev/sev-guest` as a state machine (*verification.md* 1.5; the kernel's `include/uapi/linux/sev-guest.h`):
//! SNP_GET_REPORT and SNP_GET_EXT_REPORT, with the nested structures in the caller's memory.

use super::firmware::{Firmware, Refusal};

/// Number of the SNP_GET_REPORT ioctl.
pub const GET_REPORT: u32 = 0xC020_5300;
/// Number of the SNP_GET_EXT_REPORT ioctl.
pub const GET_EXT_REPORT: u32 = 0xC020_5302;

const PAGE: usize = 4096;
const MAX_CERTS: u32 = 0x4000;
const NO_FIRMWARE_CALL: u64 = 0xFFFF_FFFF;
const VMM_INVALID_LENGTH: u64 = 1 << 32;
const VMM_BUSY: u64 = 2 << 32;

/// What goes wrong at the device, as opposed to behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestFault {
    /// No buffer for certificates is ever large enough; the device asks for this many bytes.
    CertsLength(u32),
    /// Requests end with this. With errno 0 the response is there, whatever `exitinfo2` says.
    Ends {
        /// 0 or an errno.
        errno: i32,
        /// See [`Reply::exitinfo2`].
        exitinfo2: u64,
    },
}

/// The memory of the calling process, where the structures lie that a request points to.
pub trait Memory {
    /// Fills `bytes` from `address`.
    fn load(&self, address: u64, bytes: &mut [u8]) -> std::io::Result<()>;
    /// Writes `bytes` at `address`.
    fn store(&self, address: u64, bytes: &[u8]) -> std::io::Result<()>;
}

/// What a request leads to. Absent parts of the caller's memory stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// 0 or an errno.
    pub errno: i32,
    /// Firmware's error in the low half, the host's in the high half.
    pub exitinfo2: u64,
    /// The 4000 bytes of the response structure.
    pub response: Option<Vec<u8>>,
    /// What goes into the buffer for certificates.
    pub certs: Option<Vec<u8>>,
    /// What the request's `certs_len` becomes.
    pub certs_len: Option<u32>,
}

impl Reply {
    fn failed(errno: i32, exitinfo2: u64) -> Self {
        Self { errno, exitinfo2, ..Self::default() }
    }
}

/// The device.
pub struct Guest {
    /// What answers.
    pub firmware: Firmware,
    /// The certificate table of the host; empty when it has none.
    pub certs: Vec<u8>,
    /// What goes wrong.
    pub fault: Option<GuestFault>,
    lengths: Vec<u32>,
}

impl Guest {
    /// A device without certificate table and without faults of its own.
    pub fn new(firmware: Firmware) -> Self {
        Self { firmware, certs: Vec::new(), fault: None, lengths: Vec::new() }
    }

    /// The `certs_len` of each extended request so far.
    pub fn certs_lengths(&self) -> &[u32] {
        &self.lengths
    }

    /// SNP_GET_REPORT: `request` is the `snp_report_req`.
    pub fn get_report(&mut self, request: &[u8; 96]) -> Reply {
        let report_data = request[..64].try_into().unwrap();
        let vmpl = u32::from_le_bytes(request[64..68].try_into().unwrap());
        let exitinfo2 = match self.fault {
            Some(GuestFault::Ends { errno: 0, exitinfo2 }) => exitinfo2,
            Some(GuestFault::Ends { errno, exitinfo2 }) => return Reply::failed(errno, exitinfo2),
            Some(GuestFault::CertsLength(_)) | None => 0,
        };
        let (status, report) = match self.firmware.report(report_data, vmpl) {
            Ok(report) => (0, report),
            Err(Refusal::Errno(errno)) => return Reply::failed(errno, NO_FIRMWARE_CALL),
            Err(Refusal::Status(status)) => (status, Vec::new()),
            Err(Refusal::KeyGone) => return Reply::failed(libc::ENOTTY, NO_FIRMWARE_CALL),
            Err(Refusal::Throttled) => return Reply::failed(libc::ETIMEDOUT, VMM_BUSY),
        };
        let mut response = Vec::with_capacity(4000);
        response.extend(status.to_le_bytes());
        response.extend((report.len() as u32).to_le_bytes());
        response.resize(32, 0);
        response.extend(report);
        response.resize(4000, 0);
        Reply { exitinfo2, response: Some(response), ..Reply::default() }
    }

    /// SNP_GET_EXT_REPORT: `request` is the `snp_ext_report_req`.
    pub fn get_ext_report(&mut self, request: &[u8; 112]) -> Reply {
        let length = u32::from_le_bytes(request[104..108].try_into().unwrap());
        self.lengths.push(length);
        if length > MAX_CERTS || !(length as usize).is_multiple_of(PAGE) {
            return Reply::failed(libc::EINVAL, NO_FIRMWARE_CALL);
        }
        let needed = match self.fault {
            Some(GuestFault::CertsLength(wanted)) => Some(wanted),
            _ => {
                let needed = self.certs.len().next_multiple_of(PAGE) as u32;
                (length < needed).then_some(needed)
            }
        };
        if let Some(needed) = needed {
            return Reply { certs_len: Some(needed), ..Reply::failed(libc::EIO, VMM_INVALID_LENGTH) };
        }
        let mut reply = self.get_report(request[..96].try_into().unwrap());
        if reply.response.is_some() && length > 0 {
            let mut certs = self.certs.clone();
            certs.resize(length as usize, 0);
            reply.certs = Some(certs);
        }
        reply
    }

    /// The ioctl: `argument` is the `snp_guest_request_ioctl`, which points into `memory`. Returns 0 or a negative
    /// errno, the way a driver does.
    pub fn ioctl(&mut self, number: u32, argument: &mut [u8; 32], memory: &dyn Memory) -> i32 {
        let word = |at: usize| u64::from_le_bytes(argument[at..at + 8].try_into().unwrap());
        let (version, request, response) = (argument[0], word(8), word(16));
        if version == 0 || request == 0 || response == 0 {
            return -libc::EINVAL;
        }
        let mut certs_address = 0;
        let reply = match number {
            GET_REPORT => {
                let mut bytes = [0; 96];
                if memory.load(request, &mut bytes).is_err() {
                    return -libc::EFAULT;
                }
                self.get_report(&bytes)
            }
            GET_EXT_REPORT => {
                let mut bytes = [0; 112];
                if memory.load(request, &mut bytes).is_err() {
                    return -libc::EFAULT;
                }
                certs_address = u64::from_le_bytes(bytes[96..104].try_into().unwrap());
                self.get_ext_report(&bytes)
            }
            _ => return -libc::ENOTTY,
        };
        argument[24..].copy_from_slice(&reply.exitinfo2.to_le_bytes());
        let length = reply.certs_len.map(|length| length.to_le_bytes());
        let copies = [
            (response, reply.response.as_deref()),
            (certs_address, reply.certs.as_deref()),
            (request + 104, length.as_ref().map(<[u8; 4]>::as_slice)),
        ];
        for (address, bytes) in copies {
            if bytes.is_some_and(|bytes| memory.store(address, bytes).is_err()) {
                return -libc::EFAULT;
            }
        }
        -reply.errno
    }
}
