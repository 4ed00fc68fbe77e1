//! A report as far as a collector looks at it: the frame of request and response, nothing signed.

/// Bytes of the measurement record: one block of a value of one byte, which differs from GPU to GPU.
const RECORD: [u8; 8] = [1, 1, 4, 0, 0x83, 1, 0, 0];

/// The report of a GPU over `nonce`.
pub(crate) fn report(gpu: usize, nonce: [u8; 32]) -> Vec<u8> {
    let mut report = vec![0x11, 0xE0, 1, 0xFF];
    report.extend(nonce);
    report.extend([0, 0x11, 0x60, 0, 0, 1]);
    report.extend([8, 0, 0]);
    report.extend(RECORD);
    if let Some(value) = report.last_mut() {
        *value = u8::try_from(gpu).unwrap_or(u8::MAX);
    }
    report.extend([0x77; 32]);
    report.extend([4, 0, 34, 0, 0, 0]);
    report.extend([0x5A; 96]);
    report
}

/// The chain of a GPU.
pub(crate) fn chain(gpu: usize) -> Vec<u8> {
    format!("-----BEGIN CERTIFICATE-----\nGPU{gpu}\n-----END CERTIFICATE-----\n").into_bytes()
}
