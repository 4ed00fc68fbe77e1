//! What the settings of emulated guests have in common: reading tables, and the state file that may change a part of them
//! while the process runs. Compiled into each emulated plugin.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cc_core::{ClaimValue, Claims, Code, Finding, Settings, codes};

/// Takes the `guest` table out of the plugin's settings.
pub(crate) fn split<M>(
    settings: &Settings,
    read: impl Fn(&Claims) -> Result<M, Finding>,
) -> Result<(Option<M>, Settings), Finding> {
    let (mut rest, mut guest) = (Claims::new(), None);
    for (name, value) in settings.values().iter() {
        match (name, value) {
            ("guest", ClaimValue::Map(table)) => guest = Some(read(table)?),
            ("guest", _) => return Err(invalid("`config.guest` must be a table")),
            _ => rest.insert(name, value.clone()),
        }
    }
    Ok((guest, Settings::new(rest)))
}

/// Reads the state file with `read`, which gets its table; without a file there is nothing to read.
pub(crate) fn state<S>(
    path: Option<&Path>,
    read: impl FnOnce(&str) -> Result<S, String>,
) -> Result<Option<S>, Finding> {
    let Some(path) = path else { return Ok(None) };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(invalid(format!("{}: {error}", path.display()))),
    };
    read(&text).map(Some).map_err(|what| invalid(format!("{}: {what}", path.display())))
}

/// The text of a state file as settings.
pub(crate) fn document(text: &str) -> Result<Settings, String> {
    let table: toml::Table = text.parse().map_err(|error| format!("{error}"))?;
    Ok(flat(&claims(table)?, ""))
}

/// How long a report takes, and why there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    pub(crate) delay: Duration,
    pub(crate) fail: Option<Code>,
}

impl Behaviour {
    /// `delay_ms` and `fail`.
    pub(crate) fn read(settings: &mut Settings, at: &str, or: &Self) -> Result<Self, Finding> {
        let delay = u64::try_from(or.delay.as_millis()).unwrap_or(u64::MAX);
        let fail = or.fail.as_ref().map_or("", Code::as_str).to_owned();
        Ok(Self {
            delay: Duration::from_millis(settings.take_integer(&format!("{at}delay_ms"), delay)?),
            fail: match settings.take_text(&format!("{at}fail"), &fail)?.as_str() {
                "" => None,
                code => Some(
                    Code::parse(code).map_err(|error| invalid(format!("`{at}fail` is {code:?}: {error}")))?,
                ),
            },
        })
    }

    /// Takes the time, and fails where it was told to.
    pub(crate) fn happen(&self) -> Result<(), Finding> {
        std::thread::sleep(self.delay);
        self.fail
            .clone()
            .map_or(Ok(()), |code| Err(Finding::new(code, "the emulated guest was told to fail")))
    }
}

pub(crate) fn state_file(settings: &mut Settings) -> Result<Option<PathBuf>, Finding> {
    match settings.take_text("guest.state", "")? {
        path if path.is_empty() => Ok(None),
        path if Path::new(&path).is_absolute() => Ok(Some(path.into())),
        path => Err(invalid(format!("`config.guest.state` is {path:?}, expected an absolute path"))),
    }
}

/// Tables within tables as one, so that messages name the whole way to a key.
pub(crate) fn flat(table: &Claims, at: &str) -> Settings {
    fn into(values: &mut Claims, table: &Claims, at: &str) {
        for (name, value) in table.iter() {
            let name = format!("{at}{name}");
            match value {
                ClaimValue::Map(inner) => into(values, inner, &format!("{name}.")),
                other => values.insert(&name, other.clone()),
            }
        }
    }
    let mut values = Claims::new();
    into(&mut values, table, at);
    Settings::new(values)
}

pub(crate) fn claims(table: toml::Table) -> Result<Claims, String> {
    let mut claims = Claims::new();
    for (name, value) in table {
        let value = match value {
            toml::Value::String(text) => ClaimValue::Text(text),
            toml::Value::Integer(number) => {
                let number = u64::try_from(number).map_err(|_| format!("`{name}` is negative"))?;
                ClaimValue::Integer(number)
            }
            toml::Value::Table(table) => ClaimValue::Map(self::claims(table)?),
            other => return Err(format!("`{name}` is a {}", other.type_str())),
        };
        claims.insert(&name, value);
    }
    Ok(claims)
}

pub(crate) fn number<T: TryFrom<u64> + Into<u64>>(
    settings: &mut Settings,
    name: &str,
    default: T,
) -> Result<T, Finding> {
    let number = settings.take_integer(name, default.into())?;
    T::try_from(number).map_err(|_| invalid(format!("`{name}` is {number}, which its field cannot hold")))
}

pub(crate) fn hex<const N: usize>(
    settings: &mut Settings,
    name: &str,
    default: [u8; N],
) -> Result<[u8; N], Finding> {
    let text = settings.take_text(name, "")?;
    if text.is_empty() {
        return Ok(default);
    }
    let mut bytes = [0; N];
    let digits = N.saturating_mul(2);
    hex::decode_to_slice(&text, &mut bytes)
        .map_err(|error| invalid(format!("`{name}` is not {digits} hexadecimal digits: {error}")))?;
    Ok(bytes)
}

pub(crate) fn invalid(detail: impl Into<String>) -> Finding {
    Finding::new(codes::PLUG_CONFIG_INVALID, detail)
}
