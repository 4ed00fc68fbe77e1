//! Writing TOML.

use std::fmt::Write as _;

use cc_core::{ClaimValue, Claims};

/// A basic string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A list of strings.
pub(super) fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| quoted(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// A plugin's setting, inline; nothing for a kind of value that this version does not know.
pub(super) fn setting(value: &ClaimValue) -> Option<String> {
    match value {
        ClaimValue::Bool(flag) => Some(flag.to_string()),
        ClaimValue::Integer(number) => Some(number.to_string()),
        ClaimValue::Text(text) => Some(quoted(text)),
        ClaimValue::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(setting).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        ClaimValue::Map(entries) => Some(format!("{{ {} }}", settings(entries)?.join(", "))),
        _ => None,
    }
}

/// `key = value`, one for each entry.
pub(super) fn settings(entries: &Claims) -> Option<Vec<String>> {
    entries.iter().map(|(name, value)| Some(format!("{} = {}", quoted(name), setting(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_as_they_were_written() {
        for text in ["", "plain", "\"quoted\" \\ back", "line\nend\ttab\r", "\u{1b}[2J\u{7f}\u{85}", "é ✓"]
        {
            let read: toml::Table = toml::from_str(&format!("key = {}", quoted(text))).unwrap();
            assert_eq!(read["key"].as_str(), Some(text));
        }
    }
}
