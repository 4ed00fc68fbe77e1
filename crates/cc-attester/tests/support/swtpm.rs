//! A software TPM in a process of its own, set up as Azure sets up its virtual ones.

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};

use cc_attester::vtpm::Port;
use rustix::io::{FdFlags, fcntl_setfd};
use tempfile::TempDir;

const OWNER: u32 = 0x4000_0001;
const HCL_REPORT: u32 = 0x0140_0001;
const USER_DATA: u32 = 0x0140_0002;
const ATTESTATION_KEY: u32 = 0x8100_0003;
/// An authorization with the empty password.
const PASSWORD: [u8; 13] = [0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0];

/// The TPM, and the way to it.
pub(crate) struct SoftTpm {
    process: Child,
    stream: Arc<Mutex<UnixStream>>,
    /// The modulus of the attestation key, once there is one.
    pub(crate) modulus: Vec<u8>,
    _state: TempDir,
}

impl SoftTpm {
    /// Starts one with nothing in it.
    pub(crate) fn empty() -> Self {
        let state = tempfile::tempdir().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        // The process inherits its end, and nothing else does: ours is closed when it is started.
        fcntl_setfd(&theirs, FdFlags::empty()).unwrap();
        let process = Command::new("swtpm")
            .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--fd"])
            .arg(theirs.as_raw_fd().to_string())
            .arg("--tpmstate")
            .arg(format!("dir={}", state.path().display()))
            .spawn()
            .unwrap_or_else(|error| {
                panic!("swtpm, of the Debian package of that name, is not there: {error}")
            });
        Self { process, stream: Arc::new(Mutex::new(ours)), modulus: Vec::new(), _state: state }
    }

    /// Starts one with this HCL report, which the owner may read or whoever names the index, and with the key for quotes.
    pub(crate) fn with_hcl_report(report: &[u8], for_owner: bool) -> Self {
        let mut tpm = Self::empty();
        tpm.make_key();
        tpm.define(report, for_owner);
        tpm
    }

    /// A way to it.
    pub(crate) fn port(&self) -> SoftPort {
        SoftPort(Arc::clone(&self.stream))
    }

    /// TPM2_CreatePrimary and TPM2_EvictControl: a restricted RSA-2048 key for signatures with RSASSA and SHA-256.
    fn make_key(&mut self) {
        // fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, sign.
        let attributes: u32 = (1 << 1) | (1 << 4) | (1 << 5) | (1 << 6) | (1 << 10) | (1 << 16) | (1 << 18);
        let public = [
            &[0, 1, 0, 0x0b][..],
            &attributes.to_be_bytes(),
            &[0, 0],
            // No symmetric algorithm; RSASSA with SHA-256; 2048 bits; the usual exponent; no modulus yet.
            &[0, 0x10, 0, 0x14, 0, 0x0b, 8, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        let parameters = [&[0, 4, 0, 0, 0, 0][..], &sized(&public), &[0, 0, 0, 0, 0, 0]].concat();
        let answer = self.command(0x131, &[OWNER], &parameters);
        let handle: [u8; 4] = answer[..4].try_into().unwrap();
        // Handle and length of the parameters, then TPM2B_PUBLIC, whose last member is the modulus.
        let length = usize::from(u16::from_be_bytes(answer[8..10].try_into().unwrap()));
        let made = &answer[10..10 + length];
        self.modulus = made[made.len() - 256..].to_vec();
        self.command(0x120, &[OWNER, u32::from_be_bytes(handle)], &ATTESTATION_KEY.to_be_bytes());
    }

    /// TPM2_NV_DefineSpace and TPM2_NV_Write.
    fn define(&mut self, content: &[u8], for_owner: bool) {
        let read: u32 = if for_owner { 1 << 17 } else { 1 << 18 };
        let public = [
            &HCL_REPORT.to_be_bytes()[..],
            &[0, 0x0b],
            // OWNERWRITE, NO_DA, and OWNERREAD or AUTHREAD.
            &(read | (1 << 1) | (1 << 25)).to_be_bytes(),
            &[0, 0],
            &u16::try_from(content.len()).unwrap().to_be_bytes(),
        ]
        .concat();
        self.command(0x12a, &[OWNER], &[&[0, 0][..], &sized(&public)].concat());
        self.port().write(HCL_REPORT, content);
    }

    /// Defines the index of user data with this size, which the owner may write or whoever names it.
    pub(crate) fn define_user_data(&mut self, size: u16, for_owner: bool) {
        let attributes: u32 = if for_owner { (1 << 1) | (1 << 17) } else { (1 << 2) | (1 << 18) };
        let public = [
            &USER_DATA.to_be_bytes()[..],
            &[0, 0x0b],
            &attributes.to_be_bytes(),
            &[0, 0],
            &size.to_be_bytes(),
        ]
        .concat();
        self.command(0x12a, &[OWNER], &[&[0, 0][..], &sized(&public)].concat());
    }

    fn command(&mut self, code: u32, handles: &[u32], parameters: &[u8]) -> Vec<u8> {
        self.port().command(code, handles, parameters)
    }
}

impl Drop for SoftTpm {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The socket.
#[derive(Clone)]
pub(crate) struct SoftPort(Arc<Mutex<UnixStream>>);

impl SoftPort {
    /// Extends a PCR of the SHA-256 bank: TPM2_PCR_Extend.
    pub(crate) fn extend(&mut self, pcr: u32) {
        self.command(0x182, &[pcr], &[&[0, 0, 0, 1, 0, 0x0b][..], &[7; 32]].concat());
    }

    /// TPM2_NV_Write, by the owner.
    fn write(&mut self, index: u32, content: &[u8]) {
        for (at, chunk) in content.chunks(512).enumerate() {
            let offset = u16::try_from(at * 512).unwrap().to_be_bytes();
            self.command(0x137, &[OWNER, index], &[&sized(chunk)[..], &offset].concat());
        }
    }

    /// What follows the header of the answer to an authorized command. Panics if the TPM refuses.
    fn command(&mut self, code: u32, handles: &[u32], parameters: &[u8]) -> Vec<u8> {
        let handles: Vec<u8> = handles.iter().copied().flat_map(u32::to_be_bytes).collect();
        let body = [&handles[..], &PASSWORD, parameters].concat();
        let length = u32::try_from(body.len() + 10).unwrap();
        let command = [&[0x80, 2][..], &length.to_be_bytes(), &code.to_be_bytes(), &body].concat();
        let answer = self.transmit(&command).unwrap();
        assert_eq!(answer[6..10], [0; 4], "command {code:#x} is answered with {answer:02x?}");
        answer[10..].to_vec()
    }
}

/// The paravisor around the TPM: what is written into the index of user data is in the report from then on, as soon as the
/// report has been read so many times more.
pub(crate) struct Paravisor {
    pub(crate) inner: SoftPort,
    pub(crate) late: usize,
    /// Makes a report with user data.
    pub(crate) report: fn(&[u8]) -> Vec<u8>,
    /// What is due.
    pub(crate) due: Option<(usize, Vec<u8>)>,
}

impl Port for Paravisor {
    fn transmit(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        let code = u32::from_be_bytes(command[6..10].try_into().unwrap());
        let index = command.get(14..18);
        if code == 0x169 && command.get(10..14) == Some(&HCL_REPORT.to_be_bytes()) {
            self.due = match self.due.take() {
                Some((0, user_data)) => {
                    self.inner.write(HCL_REPORT, &(self.report)(&user_data));
                    None
                }
                due => due.map(|(looks, user_data)| (looks - 1, user_data)),
            };
        }
        let answer = self.inner.transmit(command)?;
        if code == 0x137 && index == Some(&USER_DATA.to_be_bytes()) && answer[6..10] == [0; 4] {
            // Handles, the authorization with its length, and the length of the data come before them.
            self.due = Some((self.late, command[33..97].to_vec()));
        }
        Ok(answer)
    }
}

impl Port for SoftPort {
    /// Asks again where the TPM says TPM_RC_RETRY, as the kernel's driver does.
    fn transmit(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        loop {
            let answer = self.once(command)?;
            if answer[6..10] != 0x922_u32.to_be_bytes() {
                return Ok(answer);
            }
        }
    }
}

impl SoftPort {
    fn once(&self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = self.0.lock().unwrap();
        stream.write_all(command)?;
        let mut header = [0; 10];
        stream.read_exact(&mut header)?;
        let length = u32::from_be_bytes(header[2..6].try_into().unwrap());
        let mut answer = vec![0; usize::try_from(length).unwrap()];
        answer[..10].copy_from_slice(&header);
        stream.read_exact(&mut answer[10..])?;
        Ok(answer)
    }
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}
