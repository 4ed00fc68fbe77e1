//! The words of Rego, as far as generated policies use them.

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name, or one of the words that mean something.
    Name(&'a str),
    /// A text, its escapes resolved.
    Text(String),
    /// A number without sign or fraction.
    Number,
    /// `:=`
    Assign,
    /// One of `[ ] { } , : .`
    Mark(u8),
}

/// The words of a text, each with its line, counted from 1. Ends with [`Unreadable`] at what is no word.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    line: u32,
}

/// Where a text stops being what can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// The line, counted from 1.
    pub(super) line: u32,
}

impl<'a> Tokens<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    /// The line that was reached.
    pub(super) const fn line(&self) -> u32 {
        self.line
    }

    const fn unreadable(&self) -> Unreadable {
        Unreadable { line: self.line }
    }

    /// Passes `length` bytes, which end between characters.
    fn pass(&mut self, length: usize) -> Result<&'a str, Unreadable> {
        let (passed, rest) = self.rest.split_at_checked(length).ok_or(self.unreadable())?;
        let lines = passed.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.rest = rest;
        Ok(passed)
    }

    /// Passes white space and comments. A line ends with a line feed, perhaps after a carriage return; other control
    /// characters might end a line for somebody else, and so are nowhere.
    fn pass_blanks(&mut self) -> Result<(), Unreadable> {
        loop {
            let length = match self.rest.as_bytes() {
                [b' ' | b'\t' | b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                [b'#', ..] => {
                    let comment = self.rest.split('\n').next().unwrap_or_default();
                    let comment = comment.strip_suffix('\r').unwrap_or(comment);
                    if comment.contains(|c: char| c.is_control() && c != '\t') {
                        return Err(self.unreadable());
                    }
                    comment.len()
                }
                _ => return Ok(()),
            };
            self.pass(length)?;
        }
    }

    /// The next word; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, Unreadable> {
        self.pass_blanks()?;
        let length_of = |is: fn(&u8) -> bool, rest: &str| rest.bytes().take_while(is).count();
        let token = match self.rest.as_bytes() {
            [] => return Ok(None),
            [b':', b'=', ..] => {
                self.pass(2)?;
                Token::Assign
            }
            [mark @ (b'[' | b']' | b'{' | b'}' | b',' | b':' | b'.'), ..] => {
                self.pass(1)?;
                Token::Mark(*mark)
            }
            [b'"', ..] => self.quoted()?,
            [b'`', ..] => self.raw()?,
            [b'0'..=b'9', ..] => {
                self.pass(length_of(u8::is_ascii_digit, self.rest))?;
                Token::Number
            }
            [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                Token::Name(self.pass(length_of(is_part, self.rest))?)
            }
            _ => return Err(self.unreadable()),
        };
        Ok(Some(token))
    }

    /// A text with the escapes of JSON, on one line.
    fn quoted(&mut self) -> Result<Token<'a>, Unreadable> {
        let mut is_escaped = true;
        let is_end = |(_, byte): &(usize, u8)| {
            let is_end = *byte == b'"' && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            is_end
        };
        let end = self.rest.bytes().enumerate().find(is_end).ok_or(self.unreadable())?.0;
        let unreadable = self.unreadable();
        let text = self.pass(end.saturating_add(1))?;
        serde_json::from_str(text).map(Token::Text).map_err(|_| unreadable)
    }

    /// A text between backquotes, without escapes.
    fn raw(&mut self) -> Result<Token<'a>, Unreadable> {
        let text = self.rest.get(1..).and_then(|rest| rest.split_once('`'));
        let (text, _) = text.ok_or(self.unreadable())?;
        self.pass(text.len().saturating_add(2))?;
        Ok(Token::Text(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<(u32, Token<'_>)>, Unreadable> {
        let mut tokens = Tokens::new(text);
        let mut all = Vec::new();
        while let Some(token) = tokens.next()? {
            all.push((tokens.line(), token));
        }
        Ok(all)
    }

    fn text(text: &str) -> Token<'_> {
        Token::Text(text.to_owned())
    }

    #[test]
    fn words_have_their_lines() {
        let read = all("a_1 := # \"x := {\r\n[1, `\\n\n#`]\n\"\\\"#\\u0041\"\t.").unwrap();
        let expected = [
            (1, Token::Name("a_1")),
            (1, Token::Assign),
            (2, Token::Mark(b'[')),
            (2, Token::Number),
            (2, Token::Mark(b',')),
            (3, text("\\n\n#")),
            (3, Token::Mark(b']')),
            (4, text("\"#A")),
            (4, Token::Mark(b'.')),
        ];
        assert_eq!(read, expected);
        assert_eq!(all(" \n# nothing"), Ok(vec![]));
        assert_eq!(all("\"\\\\\""), Ok(vec![(1, text("\\"))]));
    }

    #[test]
    fn what_is_no_word_is_refused_with_its_line() {
        for (text, line) in [
            ("\n(", 2),
            ("a = b", 1),
            ("a\n|", 2),
            ("-1", 1),
            ("$\"{x}\"", 1),
            ("\"open", 1),
            ("\"a\nb\"", 1),
            ("\"\\x\"", 1),
            ("\n`open", 2),
            ("# a\rb := 1", 1),
            ("a\rb", 1),
            ("a\u{b}", 1),
            ("# \u{85}", 1),
            ("é", 1),
            ("\u{feff}package", 1),
        ] {
            assert_eq!(all(text), Err(Unreadable { line }), "{text:?}");
        }
    }
}
