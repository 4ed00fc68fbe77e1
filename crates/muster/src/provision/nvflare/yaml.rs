//! As much of YAML as NVFlare's project and site files use: block mappings and sequences, scalars on one line, empty
//! flow collections and flow lists of scalars. Anything else is refused by line, so that nothing is read otherwise than
//! NVFlare reads it.

use serde_json::{Map, Number, Value};

/// Deepest nesting.
const MAX_DEPTH: usize = 16;

/// What is wrong, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    line: usize,
    what: &'static str,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// A line with something on it.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    number: usize,
    indent: usize,
    text: &'a str,
}

impl Line<'_> {
    const fn wrong(&self, what: &'static str) -> Wrong {
        Wrong { line: self.number, what }
    }
}

/// Reads a document, which must be a mapping.
pub(super) fn parse(text: &str) -> Result<Map<String, Value>, Wrong> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let content = line.trim_start_matches(' ');
        let indent = line.len().saturating_sub(content.len());
        let text = without_comment(content).trim_end();
        let line = Line { number, indent, text };
        if text.contains('\t') {
            return Err(line.wrong("a tab"));
        }
        if text.is_empty() || (text == "---" && lines.is_empty()) {
            continue;
        }
        lines.push(line);
    }
    let mut reader = Reader { lines, at: 0 };
    let Some(first) = reader.peek() else { return Ok(Map::new()) };
    let value = reader.block(first.indent, 0)?;
    if let Some(line) = reader.peek() {
        return Err(line.wrong("indented otherwise than what precedes it"));
    }
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(first.wrong("a mapping is needed")),
    }
}

/// Cuts a comment: `#` at the start or after a space, outside quotes.
fn without_comment(text: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            // Within a word, as in `it's`, a quote is a letter.
            None if matches!(c, '\'' | '"') && matches!(before, ' ' | '[' | ',') => quote = Some(c),
            None if c == '#' && before == ' ' => return text.get(..at).unwrap_or(text),
            None => {}
        }
        before = c;
    }
    text
}

struct Reader<'a> {
    lines: Vec<Line<'a>>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Line<'a>> {
        self.lines.get(self.at).copied()
    }

    const fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// A mapping or sequence whose lines begin at `indent`.
    fn block(&mut self, indent: usize, depth: usize) -> Result<Value, Wrong> {
        let Some(line) = self.peek() else { return Ok(Value::Null) };
        if depth > MAX_DEPTH {
            return Err(line.wrong("nested too deeply"));
        }
        if item(line.text).is_some() { self.sequence(indent, depth) } else { self.mapping(indent, depth) }
    }

    fn sequence(&mut self, indent: usize, depth: usize) -> Result<Value, Wrong> {
        let mut items = Vec::new();
        while let Some(line) = self.peek().filter(|line| line.indent == indent) {
            let Some(rest) = item(line.text) else { break };
            if rest.is_empty() {
                self.step();
                items.push(self.nested(indent, depth, false)?);
            } else if pair(rest).is_some() {
                // A mapping that begins on the line of its dash.
                let within = indent.saturating_add(line.text.len().saturating_sub(rest.len()));
                if let Some(place) = self.lines.get_mut(self.at) {
                    *place = Line { indent: within, text: rest, ..line };
                }
                items.push(self.block(within, depth.saturating_add(1))?);
            } else {
                self.step();
                items.push(scalar(&line, rest)?);
            }
        }
        Ok(Value::Array(items))
    }

    fn mapping(&mut self, indent: usize, depth: usize) -> Result<Value, Wrong> {
        let mut map = Map::new();
        while let Some(line) = self.peek().filter(|line| line.indent == indent && item(line.text).is_none()) {
            let (key, rest) =
                pair(line.text).ok_or_else(|| line.wrong("neither `key: value` nor `- item`"))?;
            let Value::String(key) = plain_or_quoted(&line, key)? else {
                return Err(line.wrong("a key that is not a text"));
            };
            self.step();
            let value =
                if rest.is_empty() { self.nested(indent, depth, true)? } else { scalar(&line, rest)? };
            if map.insert(key, value).is_some() {
                return Err(line.wrong("a key twice"));
            }
        }
        Ok(Value::Object(map))
    }

    /// What stands below a key or a dash, if it is indented further; below a key, a sequence need not be.
    fn nested(&mut self, indent: usize, depth: usize, below_key: bool) -> Result<Value, Wrong> {
        match self.peek() {
            Some(line)
                if line.indent > indent
                    || (below_key && line.indent == indent && item(line.text).is_some()) =>
            {
                self.block(line.indent, depth.saturating_add(1))
            }
            _ => Ok(Value::Null),
        }
    }
}

/// What follows a dash.
fn item(text: &str) -> Option<&str> {
    if text == "-" { Some("") } else { text.strip_prefix("- ").map(str::trim_start) }
}

/// Key and value of `key: value`.
fn pair(text: &str) -> Option<(&str, &str)> {
    if text.starts_with(['"', '\'']) {
        let (open, rest) = text.split_at_checked(1)?;
        let (key, rest) = rest.split_once(open)?;
        let value = rest.strip_prefix(':')?;
        let key = text.get(..key.len().saturating_add(2))?;
        return (value.is_empty() || value.starts_with(' ')).then(|| (key, value.trim_start()));
    }
    match text.split_once(": ") {
        Some((key, value)) => Some((key, value.trim_start())),
        None => text.strip_suffix(':').map(|key| (key, "")),
    }
}

/// A value on one line.
fn scalar(line: &Line<'_>, text: &str) -> Result<Value, Wrong> {
    match text {
        "{}" => return Ok(Value::Object(Map::new())),
        "[]" => return Ok(Value::Array(Vec::new())),
        _ => {}
    }
    let Some(inner) = text.strip_prefix('[') else { return plain_or_quoted(line, text) };
    let inner = inner.strip_suffix(']').ok_or_else(|| line.wrong("a list over several lines"))?;
    if inner.contains(['[', ']', '{', '}', '"', '\'']) {
        return Err(line.wrong("a list of more than plain words"));
    }
    inner
        .split(',')
        .map(|item| plain_or_quoted(line, item.trim()))
        .collect::<Result<_, _>>()
        .map(Value::Array)
}

fn plain_or_quoted(line: &Line<'_>, text: &str) -> Result<Value, Wrong> {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            let inner = rest.strip_suffix(quote).ok_or_else(|| line.wrong("a text that does not end"))?;
            if inner.contains(['\\', quote]) {
                return Err(line.wrong("an escape in a text"));
            }
            return Ok(Value::String(inner.to_owned()));
        }
    }
    if text.is_empty() || text.starts_with(['{', '&', '*', '!', '|', '>', '%', '@', '`', '?', ',']) {
        return Err(line.wrong("a form of YAML that is not read here"));
    }
    Ok(match text {
        "null" | "Null" | "NULL" | "~" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    })
}

/// Decimal numbers; words that look like other numbers to YAML stay texts, and are refused where a number is needed.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let decimal =
        digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if decimal {
        return text.parse::<i64>().ok().map(Number::from);
    }
    let (whole, fraction) = digits.split_once('.')?;
    let all =
        [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if all { text.parse::<f64>().ok().and_then(Number::from_f64) } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nvflare_writes_is_read() {
        let text = "---\n# a comment\nname: \"a # b\"   # another\nport: 8002\nargs: {}\nlist: [a, 1]\nempty:\n\
                    participants:\n  - name: site-1\n    org: it's\n    args:\n      deep: yes\n\n  - name: site-2\n\
                    ports:\n- 8002\n- -5\n-\n  x: 1.5\nurl: https://example.org:443/\nlast: '20'\n";
        let wanted = json!({
            "name": "a # b", "port": 8002, "args": {}, "list": ["a", 1], "empty": null,
            "participants": [{"name": "site-1", "org": "it's", "args": {"deep": true}}, {"name": "site-2"}],
            "ports": [8002, -5, {"x": 1.5}], "url": "https://example.org:443/", "last": "20"
        });
        assert_eq!(Value::Object(parse(text).unwrap()), wanted);
        assert_eq!(parse("# nothing\n"), Ok(Map::new()));
    }

    #[test]
    fn what_could_be_read_otherwise_is_refused() {
        for (text, line) in [
            ("a: 1\n b: 2\n", 2),
            ("a:\n    b: 1\n  c: 2\n", 3),
            ("a: 1\na: 2\n", 2),
            ("a: &x 1\n", 1),
            ("a: *x\n", 1),
            ("a: |\n  text\n", 1),
            ("a: {b: 1}\n", 1),
            ("a: [b, [c]]\n", 1),
            ("a: [b,\n  c]\n", 1),
            ("a: !!int 3\n", 1),
            ("a: \"b\\n\"\n", 1),
            ("a: 'b\n", 1),
            ("a:\tb\n", 1),
            ("- a\n", 1),
            ("a\n", 1),
        ] {
            assert_eq!(parse(text).map_err(|wrong| wrong.line), Err(line), "{text:?}");
        }
        let deep: String = (0..40).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(parse(&deep).is_err());
    }
}
