//! Commands for a TPM and answers from it, as bytes (TPM 2.0 Library, part 1, 18; part 3). Big-endian throughout.
//!
//! Written here because client libraries for TPMs bring either C or far more than the four commands that are sent.

/// TPM_ST_NO_SESSIONS.
const NO_SESSIONS: u16 = 0x8001;
/// TPM_ST_SESSIONS.
const SESSIONS: u16 = 0x8002;
/// TPM_RS_PW: authorization by a password.
const PASSWORD: u32 = 0x4000_0009;
/// Bytes of a header: tag, length, code.
const HEADER: usize = 10;
/// An authorization by the empty password: its handle, no nonce, no attributes, no password.
const EMPTY_PASSWORD: [&[u8]; 4] = [&PASSWORD.to_be_bytes(), &[0, 0], &[0], &[0, 0]];

/// A command.
pub(super) struct Command<'a> {
    /// TPM_CC.
    pub(super) code: u32,
    /// Handles.
    pub(super) handles: &'a [u32],
    /// Whether the first handle is authorized, with the empty password.
    pub(super) authorized: bool,
    /// The parameters.
    pub(super) parameters: &'a [u8],
}

impl Command<'_> {
    /// The bytes to send.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut body: Vec<u8> = self.handles.iter().copied().flat_map(u32::to_be_bytes).collect();
        if self.authorized {
            let area = EMPTY_PASSWORD.concat();
            body.extend(u32::try_from(area.len()).unwrap_or(0).to_be_bytes());
            body.extend(area);
        }
        body.extend(self.parameters);
        let tag = if self.authorized { SESSIONS } else { NO_SESSIONS };
        let length = u32::try_from(body.len().saturating_add(HEADER)).unwrap_or(u32::MAX);
        [&tag.to_be_bytes()[..], &length.to_be_bytes(), &self.code.to_be_bytes(), &body].concat()
    }

    /// The parameters in the answer to this command, or the response code that refuses it; `Err` says what else it is.
    pub(super) fn parameters_of<'b>(&self, answer: &'b [u8]) -> Result<Result<&'b [u8], u32>, String> {
        let mut reader = Reader(answer);
        let header = (|| Some((reader.u16()?, reader.u32()?, reader.u32()?)))();
        let (tag, length, code) = header.ok_or_else(|| format!("an answer of {} bytes", answer.len()))?;
        if usize::try_from(length).ok() != Some(answer.len()) {
            return Err(format!("an answer of {} bytes that says {length}", answer.len()));
        }
        if code != 0 {
            return Ok(Err(code));
        }
        let expected = if self.authorized { SESSIONS } else { NO_SESSIONS };
        if tag != expected {
            return Err(format!("an answer with tag {tag:#x}, expected {expected:#x}"));
        }
        let parameters = match self.authorized {
            false => Some(reader.0),
            // After them stands the answer to the authorization, which a password leaves empty.
            true => reader.u32().and_then(|length| reader.take(usize::try_from(length).ok()?)),
        };
        parameters.map(Ok).ok_or_else(|| "an answer without its parameters".to_owned())
    }
}

/// Reads from the front.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A TPM2B.
    pub(super) fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// Nothing is left.
    pub(super) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// A TPM2B of at most 64 KiB.
pub(super) fn sized(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes()[..], bytes].concat()
}
