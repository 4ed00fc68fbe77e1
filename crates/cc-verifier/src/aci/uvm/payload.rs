//! The JSON that an endorsement signs.

use cc_core::Finding;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::malformed;
use crate::json::{Hex, object};

/// What is endorsed; further members are of no account.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Payload {
    /// The security version of the utility VM.
    #[serde(rename = "x-ms-sevsnpvm-guestsvn", deserialize_with = "svn")]
    pub(super) guest_svn: u64,
    /// Its launch measurement.
    #[serde(rename = "x-ms-sevsnpvm-launchmeasurement", deserialize_with = "measurement")]
    pub(super) launch_measurement: [u8; 48],
}

impl Payload {
    pub(super) fn read(payload: &[u8]) -> Result<Self, Finding> {
        let read = || serde_json::from_str(object(payload)?);
        read().map_err(|error| malformed(format!("payload: {error}")))
    }
}

fn measurement<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 48], D::Error> {
    Hex::deserialize(deserializer).map(|Hex(bytes)| bytes)
}

/// A number, or its decimal digits as text: as text "9" would be above "10".
fn svn<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Svn {
        Number(u64),
        Digits(String),
    }
    match Svn::deserialize(deserializer)? {
        Svn::Number(number) => Ok(number),
        Svn::Digits(text) => {
            // What is written back as the same text has no sign, no leading zeros and nothing around it.
            let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
            number.ok_or_else(|| D::Error::custom(format!("{text:?} is not a decimal number")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(svn: &str) -> String {
        let measurement = "5a".repeat(48);
        format!(
            r#"{{"x-ms-sevsnpvm-guestsvn":{svn},"x-ms-sevsnpvm-launchmeasurement":"{measurement}","x":[]}}"#
        )
    }

    #[test]
    fn a_version_is_an_integer_in_one_form() {
        for (text, expected) in [
            ("\"0\"", 0),
            ("\"9\"", 9),
            ("\"104\"", 104),
            ("104", 104),
            ("\"18446744073709551615\"", u64::MAX),
        ] {
            let read = Payload::read(payload(text).as_bytes()).unwrap();
            assert_eq!(read, Payload { guest_svn: expected, launch_measurement: [0x5a; 48] }, "{text}");
        }
        for text in [
            "\"\"",
            "\"00\"",
            "\"010\"",
            "\"+1\"",
            "\"-1\"",
            "\" 1\"",
            "\"1 \"",
            "\"0x1\"",
            "\"1.0\"",
            "-1",
            "1.0",
            "1e2",
            "null",
            "true",
            "[1]",
            "\"18446744073709551616\"",
            "18446744073709551616",
        ] {
            let refused = Payload::read(payload(text).as_bytes()).unwrap_err();
            assert_eq!(refused.code.as_str(), "aci.uvm.cose_malformed", "{text}");
        }
    }

    #[test]
    fn both_values_are_there_once() {
        let good = payload("1");
        for bad in [
            good.replace("guestsvn", "guestsvn2"),
            good.replace("launchmeasurement", "measurement"),
            good.replacen("5a", "", 1),
            good.replacen("5a", "5a5a", 1),
            good.replacen("5a", "5g", 1),
            good.replace(r#""x":[]"#, r#""x-ms-sevsnpvm-guestsvn":2"#),
            format!("[{good}]"),
            format!("{good}{good}"),
            String::new(),
        ] {
            assert!(Payload::read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
