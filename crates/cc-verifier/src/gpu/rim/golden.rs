//! One measurement of a manifest.

use super::xml::Element;

/// The namespace of attributes that are SHA-384 digests.
const SHA384: &str = "http://www.w3.org/2001/04/xmlenc#sha384";
/// Length of such a digest.
const LENGTH: usize = 48;

/// A measurement that a device must have, with the values that it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Golden {
    /// The manifest's number of the measurement. They begin with 0 and those of a report with 1: this is the report's
    /// index less one.
    pub index: u8,
    /// The values, at least one, each a SHA-384 digest.
    pub alternatives: Vec<[u8; LENGTH]>,
}

impl Golden {
    /// Reads a Resource; also whether it is active. `Err` says what is wrong.
    pub(super) fn read(resource: &Element<'_>) -> Result<(Self, bool), String> {
        let get =
            |name: &str| resource.attribute("", name).ok_or_else(|| format!("a measurement has no {name}"));
        let number_of = |name: &str| {
            let value = get(name)?;
            number(value).ok_or_else(|| format!("{name} of a measurement is {value:?}"))
        };
        if get("type")? != "Measurement" {
            return Err("a resource is no measurement".to_owned());
        }
        get("name")?;
        let (index, alternatives, size) =
            (number_of("index")?, number_of("alternatives")?, number_of("size")?);
        let active = match get("active")? {
            "True" => true,
            "False" => false,
            other => return Err(format!("measurement {index} is neither active nor inactive but {other:?}")),
        };
        if usize::from(size) != LENGTH {
            return Err(format!("measurement {index} has {size} bytes, SHA-384 has {LENGTH}"));
        }
        // With as many attributes as there must be, each of which is there, no other is.
        if resource.attributes.len() != usize::from(alternatives).saturating_add(6) {
            return Err(format!("measurement {index} has not {alternatives} alternatives and nothing else"));
        }
        let alternatives =
            (0..alternatives).map(|i| digest(resource, index, i)).collect::<Result<Vec<_>, _>>()?;
        if alternatives.is_empty() {
            return Err(format!("measurement {index} has no values"));
        }
        Ok((Self { index, alternatives }, active))
    }

    /// Whether a device's value is one of these, to the byte.
    pub fn matches(&self, value: &[u8]) -> bool {
        self.alternatives.iter().any(|alternative| alternative == value)
    }
}

fn digest(resource: &Element<'_>, index: u8, i: u8) -> Result<[u8; LENGTH], String> {
    let value = resource
        .attribute(SHA384, &format!("Hash{i}"))
        .ok_or_else(|| format!("measurement {index} has no Hash{i} in the namespace of SHA-384"))?;
    let mut bytes = [0; LENGTH];
    hex::decode_to_slice(value, &mut bytes)
        .map_err(|_| format!("Hash{i} of measurement {index} is not {LENGTH} bytes in hexadecimal"))?;
    Ok(bytes)
}

/// A decimal number from 0 to 255 in its only form.
fn number(text: &str) -> Option<u8> {
    let number: u8 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(number("0"), Some(0));
        assert_eq!(number("255"), Some(255));
        for bad in ["", "+1", "-0", "01", "256", "1 ", "0x1", "a"] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
    }
}
