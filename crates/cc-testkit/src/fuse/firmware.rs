//! The firmware and driver behind the interfaces: answers report requests, or fails in the ways that the
//! specification names. For a trust domain it stands for the TDX module, the host and its quoting service, and a
//! report is a quote.

/// Status of MSG_REPORT_RSP for parameters that the firmware refuses (AMD 56860).
pub const INVALID_PARAMETERS: u32 = 0x16;

/// What goes wrong behind the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This many requests succeed with nothing, as kernels did when the host has no quoting service; then it works.
    Empty(u64),
    /// This many requests end with this errno; then it works.
    Errno {
        /// The errno.
        errno: i32,
        /// How many requests.
        times: u64,
    },
    /// The driver's message key is gone after this many reports.
    KeyLostAfter(u64),
    /// The report has this many bytes, cut or filled up.
    Length {
        /// Bytes of the report.
        length: usize,
        /// What it is filled up with.
        filler: u8,
    },
    /// Every request ends with this status.
    Status(u32),
    /// The host throttles until the driver gives up, which costs the driver its key.
    Throttled,
    /// Reports carry other REPORT_DATA than asked for: one bit of the last byte.
    WrongReportData,
}

/// Why there is no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The driver ends the request with this errno.
    Errno(i32),
    /// The driver has no key to talk to the firmware with.
    KeyGone,
    /// The firmware answered with a status.
    Status(u32),
    /// The host throttled for too long.
    Throttled,
}

type Mint = Box<dyn Fn([u8; 64], u32) -> Vec<u8> + Send>;

/// An emulated firmware with the driver's message key.
pub struct Firmware {
    mint: Mint,
    /// What goes wrong.
    pub fault: Option<Fault>,
    key_gone: bool,
    asked: u64,
    served: u64,
}

impl Firmware {
    /// Answers with what `mint` makes of REPORT_DATA and VMPL.
    pub fn new(mint: impl Fn([u8; 64], u32) -> Vec<u8> + Send + 'static) -> Self {
        Self { mint: Box::new(mint), fault: None, key_gone: false, asked: 0, served: 0 }
    }

    /// The same with a fault.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// How many requests reached the firmware.
    pub const fn asked(&self) -> u64 {
        self.asked
    }

    /// One report.
    pub(super) fn report(&mut self, mut report_data: [u8; 64], vmpl: u32) -> Result<Vec<u8>, Refusal> {
        if matches!(self.fault, Some(Fault::KeyLostAfter(count)) if self.served >= count) {
            self.key_gone = true;
        }
        if self.key_gone {
            return Err(Refusal::KeyGone);
        }
        self.asked += 1;
        match self.fault {
            Some(Fault::Empty(times)) if self.asked <= times => return Ok(Vec::new()),
            Some(Fault::Errno { errno, times }) if self.asked <= times => return Err(Refusal::Errno(errno)),
            Some(Fault::Status(status)) => return Err(Refusal::Status(status)),
            Some(Fault::Throttled) => {
                self.key_gone = true;
                return Err(Refusal::Throttled);
            }
            Some(Fault::WrongReportData) => report_data[63] ^= 1,
            Some(Fault::Empty(_) | Fault::Errno { .. } | Fault::KeyLostAfter(_) | Fault::Length { .. })
            | None => {}
        }
        if vmpl > 3 {
            return Err(Refusal::Status(INVALID_PARAMETERS));
        }
        self.served += 1;
        let mut report = (self.mint)(report_data, vmpl);
        if let Some(Fault::Length { length, filler }) = self.fault {
            report.resize(length, filler);
        }
        Ok(report)
    }
}
