//! What the data of an event say, for people. Nothing is decided by it: data that cannot be read are counted.

use super::event_type::EventType;
use super::log::Entry;
use super::reader::Reader;

/// Longest description, in characters.
const MAX_LENGTH: usize = 1024;
/// Longest value of a variable that is told in full, in bytes.
const MAX_SHOWN: usize = 16;
/// Media device path, file path (*UEFI Specification*, 10.3.5.4).
const FILE_PATH: [u8; 2] = [0x04, 0x04];
/// End of a device path.
const END: u8 = 0x7F;

/// One line.
pub(super) fn description(entry: &Entry<'_>) -> String {
    let data = entry.data;
    let read = match entry.event_type {
        EventType::EFI_VARIABLE_DRIVER_CONFIG
        | EventType::EFI_VARIABLE_BOOT
        | EventType::EFI_VARIABLE_BOOT2
        | EventType::EFI_VARIABLE_AUTHORITY => variable(data),
        EventType::EFI_PLATFORM_FIRMWARE_BLOB2 | EventType::EFI_HANDOFF_TABLES2 => {
            Reader::new(data).short_field().and_then(text)
        }
        EventType::EFI_BOOT_SERVICES_APPLICATION
        | EventType::EFI_BOOT_SERVICES_DRIVER
        | EventType::EFI_RUNTIME_SERVICES_DRIVER => image(data),
        EventType::SEPARATOR => Some(hex::encode(data)),
        _ => text(data),
    };
    printable(&read.unwrap_or_else(|| format!("{} bytes", data.len())))
}

/// Text up to the NUL that may end it.
fn text(data: &[u8]) -> Option<String> {
    let data = data.strip_suffix(&[0]).unwrap_or(data);
    let text = std::str::from_utf8(data).ok()?;
    let readable = |c: char| !c.is_control() || c.is_whitespace();
    (!text.is_empty() && text.chars().all(readable)).then(|| text.to_owned())
}

/// UEFI_VARIABLE_DATA: vendor, lengths of name and value, name, value. Short values are told in full.
fn variable(data: &[u8]) -> Option<String> {
    let mut data = Reader::new(data);
    let vendor = guid(data.array()?);
    let mut length = || usize::try_from(u64::from_le_bytes(*data.array()?)).ok();
    let (name, value) = (length()?.checked_mul(2)?, length()?);
    let name = utf16(data.bytes(name)?);
    let value = match data.bytes(value)? {
        value if value.len() <= MAX_SHOWN => hex::encode(value),
        value => format!("{} bytes", value.len()),
    };
    Some(format!("{name} of {vendor}: {value}"))
}

/// UEFI_IMAGE_LOAD_EVENT: three addresses, the length of the device path, the device path.
fn image(data: &[u8]) -> Option<String> {
    let mut data = Reader::new(data);
    data.array::<24>()?;
    let length = u64::from_le_bytes(*data.array()?);
    let mut path = Reader::new(data.bytes(usize::try_from(length).ok()?)?);
    let mut files = String::new();
    loop {
        let kind = *path.array::<2>()?;
        let content = usize::from(path.u16()?).checked_sub(4)?;
        let content = path.bytes(content)?;
        match kind {
            FILE_PATH => files.push_str(&utf16(content)),
            [END, _] => break,
            _ => {}
        }
    }
    (!files.is_empty()).then_some(files)
}

/// UTF-16, little-endian, up to the first NUL.
fn utf16(bytes: &[u8]) -> String {
    let (units, _) = bytes.as_chunks::<2>();
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|unit| *unit != 0);
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// A GUID, whose first three parts are little-endian.
fn guid(bytes: &[u8; 16]) -> String {
    let [a3, a2, a1, a0, b1, b0, c1, c0, d0, d1, e @ ..] = *bytes;
    let parts: [&[u8]; 5] = [&[a0, a1, a2, a3], &[b0, b1], &[c0, c1], &[d0, d1], &e];
    parts.map(hex::encode).join("-")
}

/// Without characters that steer a terminal or reorder what is read, and not too long.
fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut printable: String =
        text.chars().take(MAX_LENGTH).map(|c| if steers(c) { ' ' } else { c }).collect();
    if text.chars().nth(MAX_LENGTH).is_some() {
        printable.pop();
        printable.push('…');
    }
    printable
}
