//! Reads TOML tables key by key and remembers where each value stands, so that every finding can name its line.
//!
//! A table is emptied by its reader; what is left over is an unknown key and an error. It knows TOML and
//! places, nothing of what the keys mean.

use std::collections::BTreeMap;

use cc_core::codes;
use toml::de::{DeTable, DeValue};

use crate::PolicyError;

/// A value and the place in the policy that set it, or the default that did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    /// `policy.toml:12 snp.vmpl`, or `default snp.vmpl`.
    pub(crate) source: String,
}

/// One table of the document, or an absent one, which is read as if it were empty.
pub(crate) struct Table<'t> {
    file: &'t str,
    text: &'t str,
    path: String,
    source: String,
    entries: BTreeMap<String, Entry<'t>>,
}

struct Entry<'t> {
    line: usize,
    value: DeValue<'t>,
}

impl<'t> Table<'t> {
    /// The document itself. `file` is what places are called by.
    pub(crate) fn document(text: &'t str, file: &'t str) -> Result<Self, PolicyError> {
        let parsed = DeTable::parse(text).map_err(|error| {
            let line = line_of(text, error.span().map_or(0, |span| span.start));
            PolicyError::new(codes::POL_FORMAT_INVALID, format!("{file}:{line}"), error.message())
        })?;
        let entries = entries(text, parsed.into_inner());
        Ok(Self { file, text, path: String::new(), source: file.to_owned(), entries })
    }

    /// Where this table stands.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Takes a nested table that may be absent.
    pub(crate) fn section(&mut self, key: &str) -> Result<Option<Self>, PolicyError> {
        if self.has(key) { self.table(key).map(Some) } else { Ok(None) }
    }

    /// Takes a list of tables that may be absent. Their paths count from 1.
    pub(crate) fn tables(&mut self, key: &str) -> Result<Option<Placed<Vec<Self>>>, PolicyError> {
        let Some(Entry { line, value }) = self.entries.remove(key) else { return Ok(None) };
        let DeValue::Array(items) = value else {
            return Err(self.mistyped(key, &Entry { line, value }, "a list of tables"));
        };
        let mut tables = Vec::new();
        for (number, item) in (1_usize..).zip(items) {
            let key = format!("{key}.{number}");
            let (line, value) = (line_of(self.text, item.span().start), item.into_inner());
            let DeValue::Table(table) = value else {
                return Err(self.mistyped(&key, &Entry { line, value }, "a table"));
            };
            let (path, source) = (self.path_of(&key), self.place(line, &key));
            tables.push(Self {
                file: self.file,
                text: self.text,
                path,
                source,
                entries: entries(self.text, table),
            });
        }
        Ok(Some(Placed { value: tables, source: self.place(line, key) }))
    }

    /// Takes a nested table; an absent one is empty and has the place of its parent.
    pub(crate) fn table(&mut self, key: &str) -> Result<Self, PolicyError> {
        let path = self.path_of(key);
        let (source, entries) = match self.entries.remove(key) {
            None => (format!("{} {path}", self.file), BTreeMap::new()),
            Some(Entry { line, value: DeValue::Table(table) }) => {
                (format!("{}:{line} {path}", self.file), entries(self.text, table))
            }
            Some(entry) => return Err(self.mistyped(key, &entry, "a table")),
        };
        Ok(Self { file: self.file, text: self.text, path, source, entries })
    }

    /// Takes a value, or the default when the key is absent.
    pub(crate) fn knob<T>(
        &mut self,
        key: &str,
        wanted: &str,
        read: impl Fn(&DeValue<'_>) -> Option<T>,
        default: T,
    ) -> Result<Placed<T>, PolicyError> {
        let source = format!("default {}", self.path_of(key));
        Ok(self.optional(key, wanted, read)?.unwrap_or(Placed { value: default, source }))
    }

    /// Takes a value that may be absent.
    pub(crate) fn optional<T>(
        &mut self,
        key: &str,
        wanted: &str,
        read: impl Fn(&DeValue<'_>) -> Option<T>,
    ) -> Result<Option<Placed<T>>, PolicyError> {
        let Some(entry) = self.entries.remove(key) else { return Ok(None) };
        match read(&entry.value) {
            Some(value) => Ok(Some(Placed { value, source: self.place(entry.line, key) })),
            None => Err(self.mistyped(key, &entry, wanted)),
        }
    }

    /// Fails when a key was not taken, naming it.
    pub(crate) fn finish(self) -> Result<(), PolicyError> {
        match self.entries.iter().next() {
            None => Ok(()),
            Some((key, entry)) => Err(PolicyError::new(
                codes::POL_FORMAT_INVALID,
                self.place(entry.line, key),
                "unknown key, the format has none of that name here",
            )),
        }
    }

    /// Whether the key is (still) there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The key with the names of the tables around it, for example `snp.min_tcb.Genoa`.
    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn place(&self, line: usize, key: &str) -> String {
        format!("{}:{line} {}", self.file, self.path_of(key))
    }

    fn mistyped(&self, key: &str, entry: &Entry<'_>, wanted: &str) -> PolicyError {
        let found = match &entry.value {
            DeValue::String(text) => format!("\"{text}\""),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Integer(number) => number.to_string(),
            other => other.type_str().to_owned(),
        };
        let detail = format!("found {found}, expected {wanted}");
        PolicyError::new(codes::POL_FORMAT_INVALID, self.place(entry.line, key), detail)
    }
}

fn entries<'t>(text: &str, table: DeTable<'t>) -> BTreeMap<String, Entry<'t>> {
    let entry = |(key, value): (toml::Spanned<_>, toml::Spanned<_>)| {
        let line = line_of(text, key.span().start);
        (std::borrow::Cow::into_owned(key.into_inner()), Entry { line, value: value.into_inner() })
    };
    table.into_iter().map(entry).collect()
}

/// The line, counted from 1, in which the byte at `offset` stands.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&b| b == b'\n').count().saturating_add(1)
}

/// Reads a flag.
pub(crate) fn flag(value: &DeValue<'_>) -> Option<bool> {
    value.as_bool()
}

/// Reads a number that is not negative and fits into `T`.
pub(crate) fn number<T: TryFrom<u64>>(value: &DeValue<'_>) -> Option<T> {
    let number = value.as_integer()?;
    T::try_from(u64::from_str_radix(number.as_str(), number.radix()).ok()?).ok()
}

/// Reads a text that is not empty.
pub(crate) fn text(value: &DeValue<'_>) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Reads exactly `N` bytes in hexadecimal, either case.
pub(crate) fn bytes<const N: usize>(value: &DeValue<'_>) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(value.as_str()?, &mut bytes).ok()?;
    Some(bytes)
}

/// Reads a list, perhaps empty, of what `read` reads.
pub(crate) fn list<T>(read: impl Fn(&DeValue<'_>) -> Option<T>) -> impl Fn(&DeValue<'_>) -> Option<Vec<T>> {
    move |value| value.as_array()?.iter().map(|item| read(item.get_ref())).collect()
}

/// Reads a list that is not empty: an empty one would permit nothing, which nobody writes on purpose.
pub(crate) fn some_of<T>(
    read: impl Fn(&DeValue<'_>) -> Option<T>,
) -> impl Fn(&DeValue<'_>) -> Option<Vec<T>> {
    let read = list(read);
    move |value| read(value).filter(|items| !items.is_empty())
}
