//! The parts of a TDX quote that are read without its plugin (*verification.md* 2.1).
//!
//! Enough to find the bound field and the declared end; nothing here is a verification. The signature data are not
//! looked into.

use crate::{Code, Finding, codes};

/// Length of the header.
const HEADER: usize = 48;
/// Where type and size of the body stand from version 5 on: `u16` and `u32`, after the header.
const BODY_FRAME: usize = 6;
/// Length of the body of TD 1.0, the only one of version 4.
const BODY_1_0: usize = 584;
/// Length of the body of TD 1.5.
const BODY_1_5: usize = 648;
/// Where REPORTDATA stands in every body.
const REPORT_DATA: usize = 0x208;
/// The tee_type of a quote of a trust domain.
const TEE_TYPE: u32 = 0x81;

/// REPORTDATA, the 64 bytes that the trust domain chose. `Err` when `quote` is no TDX quote of version 4 or 5
/// (`tdx.version.unsupported`, `tdx.tee_type.mismatch`), or too short to have them (`tdx.format.length`).
pub fn report_data(quote: &[u8]) -> Result<&[u8; 64], Finding> {
    let (start, _) = body(quote)?;
    let field = start.checked_add(REPORT_DATA).and_then(|start| quote.get(start..)?.first_chunk());
    field.ok_or_else(|| length(format!("evidence of {} bytes has no REPORTDATA", quote.len())))
}

/// How long the quote says that it is, in bytes: header, body, the length of the signature data and these. Errors as
/// in [`report_data`]; `tdx.format.length` also when there are fewer bytes than that.
pub fn declared_length(quote: &[u8]) -> Result<usize, Finding> {
    let (start, size) = body(quote)?;
    let cut = || length(format!("evidence of {} bytes ends before the quote does", quote.len()));
    let signature = start.checked_add(size).ok_or_else(cut)?;
    let signature_length = word(quote, signature).and_then(|length| usize::try_from(length).ok());
    let end = signature_length.and_then(|length| signature.checked_add(4)?.checked_add(length));
    end.filter(|end| *end <= quote.len()).ok_or_else(cut)
}

/// Start and length of the body.
fn body(quote: &[u8]) -> Result<(usize, usize), Finding> {
    let short = || length(format!("evidence of {} bytes, the header of a quote has {HEADER}", quote.len()));
    let version = half(quote, 0).ok_or_else(short)?;
    let tee_type = word(quote, 4).ok_or_else(short)?;
    if !matches!(version, 4 | 5) {
        return Err(finding(codes::TDX_VERSION_UNSUPPORTED, format!("quote version {version}, not 4 or 5")));
    }
    if tee_type != TEE_TYPE {
        let detail = format!("tee_type is {tee_type:#x}, of a trust domain it is {TEE_TYPE:#x}");
        return Err(finding(codes::TDX_TEE_TYPE_MISMATCH, detail));
    }
    if version == 4 {
        return Ok((HEADER, BODY_1_0));
    }
    let kind = half(quote, HEADER).ok_or_else(short)?;
    let size = word(quote, const { HEADER.saturating_add(2) }).ok_or_else(short)?;
    let size = match (kind, usize::try_from(size)) {
        (2, Ok(BODY_1_0)) => BODY_1_0,
        (3, Ok(BODY_1_5)) => BODY_1_5,
        _ => return Err(length(format!("body of type {kind} and {size} bytes is none of a trust domain"))),
    };
    Ok((const { HEADER.saturating_add(BODY_FRAME) }, size))
}

fn half(quote: &[u8], at: usize) -> Option<u16> {
    quote.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn word(quote: &[u8], at: usize) -> Option<u32> {
    quote.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

fn finding(code: Code, detail: String) -> Finding {
    Finding::new(code, detail)
}

fn length(detail: String) -> Finding {
    finding(codes::TDX_FORMAT_LENGTH, detail)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "tests")]

    use super::*;

    /// A quote with REPORTDATA of sevens and `signature` bytes of signature data.
    fn quote(version: u16, body: Option<(u16, u32)>, signature: u32) -> Vec<u8> {
        let mut quote = vec![0; 48];
        quote[..2].copy_from_slice(&version.to_le_bytes());
        quote[4] = 0x81;
        if let Some((kind, size)) = body {
            quote.extend(kind.to_le_bytes());
            quote.extend(size.to_le_bytes());
        }
        let start = quote.len();
        quote.resize(start + body.map_or(584, |(_, size)| usize::try_from(size).unwrap()), 0xAA);
        quote[start + 520..start + 584].fill(7);
        quote.extend(signature.to_le_bytes());
        quote.resize(quote.len() + usize::try_from(signature).unwrap(), 0xBB);
        quote
    }

    #[test]
    fn each_layout_has_its_offsets() {
        for quote in [quote(4, None, 100), quote(5, Some((2, 584)), 0), quote(5, Some((3, 648)), 9)] {
            assert_eq!(report_data(&quote), Ok(&[7; 64]));
            assert_eq!(declared_length(&quote), Ok(quote.len()));
            let longer = [&quote[..], &[0; 9]].concat();
            assert_eq!(declared_length(&longer), Ok(quote.len()));
            for end in 0..quote.len() {
                let cut = declared_length(&quote[..end]).unwrap_err();
                assert_eq!(cut.code, codes::TDX_FORMAT_LENGTH, "{end} bytes");
            }
        }
        let quote = quote(4, None, 0);
        assert_eq!(report_data(&quote[..632]), Ok(&[7; 64]));
        assert_eq!(report_data(&quote[..631]).unwrap_err().code, codes::TDX_FORMAT_LENGTH);
    }

    #[test]
    fn what_is_no_quote_of_a_trust_domain() {
        let mut sgx = quote(4, None, 0);
        sgx[4] = 0;
        let mut endless = quote(4, None, 0);
        endless[632..].fill(0xFF);
        for (what, quote, code) in [
            ("version 3", quote(3, None, 0), codes::TDX_VERSION_UNSUPPORTED),
            ("version 6", quote(6, Some((3, 648)), 0), codes::TDX_VERSION_UNSUPPORTED),
            ("SGX", sgx, codes::TDX_TEE_TYPE_MISMATCH),
            ("an SGX body", quote(5, Some((1, 648)), 0), codes::TDX_FORMAT_LENGTH),
            ("another size", quote(5, Some((3, 584)), 0), codes::TDX_FORMAT_LENGTH),
            ("the other size", quote(5, Some((2, 648)), 0), codes::TDX_FORMAT_LENGTH),
            ("a length beyond everything", endless, codes::TDX_FORMAT_LENGTH),
            ("nothing", Vec::new(), codes::TDX_FORMAT_LENGTH),
        ] {
            assert_eq!(declared_length(&quote).unwrap_err().code, code, "{what}");
        }
    }
}
