//! A plugin's own configuration: the `config` table of its `[[plugin]]` entry.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{ClaimValue, Claims, Finding, codes};

/// Settings which a plugin takes one by one; what is left over is an error, so that a misspelt key is never
/// silently ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings(Claims);

impl Settings {
    /// No settings.
    pub const fn empty() -> Self {
        Self(Claims::new())
    }

    /// Settings with these names and values.
    pub const fn new(values: Claims) -> Self {
        Self(values)
    }

    /// The names and values.
    pub const fn values(&self) -> &Claims {
        &self.0
    }

    /// Takes a text, or the default when it is not set.
    pub fn take_text(&mut self, name: &str, default: &str) -> Result<String, Finding> {
        match self.0.take(name) {
            None => Ok(default.to_owned()),
            Some(ClaimValue::Text(text)) => Ok(text),
            Some(_) => Err(invalid(format!("`config.{name}` must be a string"))),
        }
    }

    /// Takes a flag, or the default when it is not set.
    pub fn take_flag(&mut self, name: &str, default: bool) -> Result<bool, Finding> {
        match self.0.take(name) {
            None => Ok(default),
            Some(ClaimValue::Bool(flag)) => Ok(flag),
            Some(_) => Err(invalid(format!("`config.{name}` must be true or false"))),
        }
    }

    /// Takes a list of texts, or none when it is not set.
    pub fn take_texts(&mut self, name: &str) -> Result<Vec<String>, Finding> {
        let wrong = || invalid(format!("`config.{name}` must be a list of strings"));
        let text = |value| match value {
            ClaimValue::Text(text) => Ok(text),
            _ => Err(wrong()),
        };
        match self.0.take(name) {
            None => Ok(Vec::new()),
            Some(ClaimValue::List(list)) => list.into_iter().map(text).collect(),
            Some(_) => Err(wrong()),
        }
    }

    /// Takes a number, or the default when it is not set.
    pub fn take_integer(&mut self, name: &str, default: u64) -> Result<u64, Finding> {
        match self.0.take(name) {
            None => Ok(default),
            Some(ClaimValue::Integer(number)) => Ok(number),
            Some(_) => Err(invalid(format!("`config.{name}` must be a number that is not negative"))),
        }
    }

    /// Takes a path, or the default when it is not set.
    pub fn take_path(&mut self, name: &str, default: &Path) -> Result<PathBuf, Finding> {
        self.take_text(name, &default.to_string_lossy()).map(PathBuf::from)
    }

    /// Takes a number of seconds above zero, or the default when it is not set.
    pub fn take_seconds(&mut self, name: &str, default: Duration) -> Result<Duration, Finding> {
        match self.take_integer(name, default.as_secs())? {
            0 => Err(invalid(format!("`config.{name}` is 0, expected 1 or more"))),
            seconds => Ok(Duration::from_secs(seconds)),
        }
    }

    /// Fails when a setting was not taken, naming it.
    pub fn finish(self) -> Result<(), Finding> {
        match self.0.iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(invalid(format!("the plugin has no setting `config.{name}`"))),
        }
    }
}

fn invalid(detail: String) -> Finding {
    Finding::new(codes::PLUG_CONFIG_INVALID, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_not_zero() {
        let read = |seconds: u64| {
            let mut values = Claims::new();
            values.insert("timeout_seconds", seconds);
            Settings::new(values).take_seconds("timeout_seconds", Duration::from_secs(90))
        };
        let refused = read(0).unwrap_err();
        assert_eq!(refused.code, codes::PLUG_CONFIG_INVALID);
        assert!(refused.detail.contains("config.timeout_seconds"));
        assert_eq!(read(1), Ok(Duration::from_secs(1)));
        let mut none = Settings::empty();
        assert_eq!(
            none.take_seconds("timeout_seconds", Duration::from_secs(90)),
            Ok(Duration::from_secs(90))
        );
        assert_eq!(none.take_path("lock", Path::new("/run/x")), Ok(PathBuf::from("/run/x")));
    }

    #[test]
    fn a_list_is_one_of_texts() {
        let read = |value: ClaimValue| {
            let mut values = Claims::new();
            values.insert("issuers", value);
            Settings::new(values).take_texts("issuers").map_err(|finding| finding.code)
        };
        let list = |values: &[&str]| ClaimValue::List(values.iter().map(|v| ClaimValue::from(*v)).collect());
        assert_eq!(read(list(&["a", "b"])), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(read(list(&[])), Ok(Vec::new()));
        assert_eq!(read("a".into()), Err(codes::PLUG_CONFIG_INVALID));
        assert_eq!(read(ClaimValue::List(vec![ClaimValue::from(1_u64)])), Err(codes::PLUG_CONFIG_INVALID));
        assert_eq!(Settings::empty().take_texts("issuers"), Ok(Vec::new()));
    }

    #[test]
    fn wrong_types_and_leftovers_are_errors() {
        let mut values = Claims::new();
        values.insert("path", 1_u64);
        values.insert("seconds", "1");
        values.insert("extra", true);
        let mut settings = Settings::new(values);
        for result in
            [settings.take_text("path", "x").map(|_| ()), settings.take_integer("seconds", 1).map(|_| ())]
        {
            assert_eq!(result.unwrap_err().code, codes::PLUG_CONFIG_INVALID);
        }
        assert_eq!(settings.take_text("absent", "default").unwrap(), "default");
        assert!(settings.finish().unwrap_err().detail.contains("config.extra"));
    }
}
