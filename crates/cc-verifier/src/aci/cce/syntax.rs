//! The grammar of generated policies: a package, imports of keywords, and rules whose values are constants or names in
//! the framework. A part of Rego in which nothing needs to be evaluated.

use super::token::{Token, Tokens, Unreadable};

/// Deepest nesting of lists and objects; generated policies have six levels.
const MAX_DEPTH: usize = 16;
/// Most rules, and most members of an object; generated policies have thirty and fifteen. Bounds the search for
/// duplicates, which looks at all pairs.
const MAX_MEMBERS: usize = 64;
/// Words that cannot name a rule.
const KEYWORDS: [&str; 15] = [
    "as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null", "package",
    "some", "true", "with",
];
/// What may be imported: words of the language.
const IMPORTS: [&[&str]; 6] = [
    &["future", "keywords"],
    &["future", "keywords", "every"],
    &["future", "keywords", "in"],
    &["future", "keywords", "if"],
    &["future", "keywords", "contains"],
    &["rego", "v1"],
];

/// A value and the line where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Node<'a> {
    pub(super) line: u32,
    pub(super) value: Value<'a>,
}

/// A constant, or a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Node<'a>>),
    /// Members in order; no name twice.
    Object(Vec<(String, Node<'a>)>),
    /// The parts of `data.framework.x`.
    Name(Vec<&'a str>),
}

/// A rule `name := value`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule<'a> {
    pub(super) name: &'a str,
    pub(super) line: u32,
    pub(super) node: Node<'a>,
}

/// The rules of a policy up to what cannot be read, and where that is. A name that has a rule already cannot.
pub(super) fn rules(text: &str) -> (Vec<Rule<'_>>, Option<Unreadable>) {
    let mut rules: Vec<Rule<'_>> = Vec::new();
    let read = Parser::new(text).and_then(|mut parser| {
        parser.package()?;
        while let Some(rule) = parser.rule()? {
            if rules.len() == MAX_MEMBERS || rules.iter().any(|other| other.name == rule.name) {
                return Err(Unreadable { line: rule.line });
            }
            rules.push(rule);
        }
        Ok(())
    });
    (rules, read.err())
}

/// Words with one word of foresight.
struct Parser<'a> {
    tokens: Tokens<'a>,
    next: Option<Token<'a>>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, Unreadable> {
        let mut tokens = Tokens::new(text);
        let next = tokens.next()?;
        Ok(Self { tokens, next })
    }

    /// The line of the next word.
    const fn line(&self) -> u32 {
        self.tokens.line()
    }

    const fn unreadable(&self) -> Unreadable {
        Unreadable { line: self.line() }
    }

    fn take(&mut self) -> Result<Option<Token<'a>>, Unreadable> {
        let next = self.tokens.next()?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// Takes the next word if it is `token`.
    fn takes(&mut self, token: &Token<'_>) -> Result<bool, Unreadable> {
        let is_it = self.next.as_ref() == Some(token);
        if is_it {
            self.take()?;
        }
        Ok(is_it)
    }

    fn expect(&mut self, token: &Token<'_>) -> Result<(), Unreadable> {
        let unreadable = self.unreadable();
        if self.takes(token)? { Ok(()) } else { Err(unreadable) }
    }

    /// A name and those after dots.
    fn name(&mut self) -> Result<Vec<&'a str>, Unreadable> {
        let mut parts = Vec::new();
        loop {
            let unreadable = self.unreadable();
            let Some(Token::Name(part)) = self.take()? else { return Err(unreadable) };
            parts.push(part);
            if !self.takes(&Token::Mark(b'.'))? {
                return Ok(parts);
            }
        }
    }

    /// The package, which the guest agent asks for by that name.
    fn package(&mut self) -> Result<(), Unreadable> {
        let unreadable = self.unreadable();
        self.expect(&Token::Name("package"))?;
        if self.name()? == ["policy"] { Ok(()) } else { Err(unreadable) }
    }

    /// The next rule; `None` at the end.
    fn rule(&mut self) -> Result<Option<Rule<'a>>, Unreadable> {
        loop {
            let (line, unreadable) = (self.line(), self.unreadable());
            match self.take()? {
                None => return Ok(None),
                Some(Token::Name("import")) => {
                    if !IMPORTS.contains(&self.name()?.as_slice()) {
                        return Err(unreadable);
                    }
                }
                Some(Token::Name(name)) if !KEYWORDS.contains(&name) => {
                    self.expect(&Token::Assign)?;
                    return Ok(Some(Rule { name, line, node: self.node(MAX_DEPTH)? }));
                }
                Some(_) => return Err(unreadable),
            }
        }
    }

    fn node(&mut self, depth: usize) -> Result<Node<'a>, Unreadable> {
        let (line, unreadable) = (self.line(), self.unreadable());
        let depth = depth.checked_sub(1).ok_or(unreadable)?;
        if matches!(self.next, Some(Token::Name(_))) {
            let value = match self.name()?.as_slice() {
                ["true"] => Value::Bool(true),
                ["false"] => Value::Bool(false),
                ["null"] => Value::Null,
                name => Value::Name(name.to_vec()),
            };
            return Ok(Node { line, value });
        }
        let value = match self.take()? {
            Some(Token::Number) => Value::Number,
            Some(Token::Text(text)) => Value::Text(text),
            Some(Token::Mark(b'[')) => Value::List(self.list(depth)?),
            Some(Token::Mark(b'{')) => Value::Object(self.object(depth)?),
            _ => return Err(unreadable),
        };
        Ok(Node { line, value })
    }

    /// What follows an opening bracket; the last element may have a comma after it.
    fn list(&mut self, depth: usize) -> Result<Vec<Node<'a>>, Unreadable> {
        let mut list = Vec::new();
        while !self.takes(&Token::Mark(b']'))? {
            list.push(self.node(depth)?);
            if !self.takes(&Token::Mark(b','))? {
                self.expect(&Token::Mark(b']'))?;
                break;
            }
        }
        Ok(list)
    }

    /// What follows an opening brace, under the same rule.
    fn object(&mut self, depth: usize) -> Result<Vec<(String, Node<'a>)>, Unreadable> {
        let mut members: Vec<(String, Node<'a>)> = Vec::new();
        while !self.takes(&Token::Mark(b'}'))? {
            let unreadable = self.unreadable();
            let Some(Token::Text(name)) = self.take()? else { return Err(unreadable) };
            if members.len() == MAX_MEMBERS || members.iter().any(|(other, _)| *other == name) {
                return Err(unreadable);
            }
            self.expect(&Token::Mark(b':'))?;
            members.push((name, self.node(depth)?));
            if !self.takes(&Token::Mark(b','))? {
                self.expect(&Token::Mark(b'}'))?;
                break;
            }
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of_error(text: &str) -> Option<u32> {
        rules(text).1.map(|unreadable| unreadable.line)
    }

    #[test]
    fn constants_and_names_are_read() {
        let text = "package policy\nimport rego.v1\nimport future.keywords.in\n\na := [\n {\"b\": 1,},\n]\nc := data.x\nd := {}";
        let (rules, error) = rules(text);
        assert_eq!(error, None);
        let member = ("b".to_owned(), Node { line: 6, value: Value::Number });
        let element = Node { line: 6, value: Value::Object(vec![member]) };
        let expected = [
            Rule { name: "a", line: 5, node: Node { line: 5, value: Value::List(vec![element]) } },
            Rule { name: "c", line: 8, node: Node { line: 8, value: Value::Name(vec!["data", "x"]) } },
            Rule { name: "d", line: 9, node: Node { line: 9, value: Value::Object(vec![]) } },
        ];
        assert_eq!(rules, expected);
    }

    #[test]
    fn whatever_would_be_evaluated_is_refused() {
        for (text, line) in [
            ("", 1),
            ("a := 1", 1),
            ("package other", 1),
            ("package policy.sub", 1),
            ("package policy\nimport data.evil", 2),
            ("package policy\nimport rego.v1 as x", 2),
            ("package policy\na := true {\n input.x }", 2),
            ("package policy\na := true if input.x", 2),
            ("package policy\na := b with input as {}", 2),
            ("package policy\na := {\"x\": false} else := {\"x\": true}", 2),
            ("package policy\n\ndefault a := true", 3),
            ("package policy\na = true", 2),
            ("package policy\na.b := true", 2),
            ("package policy\na[x] := true", 2),
            ("package policy\na contains 1", 2),
            ("package policy\na := f(1)", 2),
            ("package policy\na := data.x[0]", 2),
            ("package policy\na := [x | x]", 2),
            ("package policy\na := {1, 2}", 2),
            ("package policy\na := {1: 2}", 2),
            ("package policy\na := {\n\"x\": 1,\n\"x\": 2}", 4),
            ("package policy\na := [1 2]", 2),
            ("package policy\na := [1", 2),
            ("package policy\na := [,]", 2),
            ("package policy\na := {\"x\" 1}", 2),
            ("package policy\na :=", 2),
            ("package policy\na", 2),
            ("package policy\na := data.", 2),
            ("package policy\n{}", 2),
            ("package policy\na := 1.5", 2),
            ("package policy\na := 1\na := 1", 3),
        ] {
            assert_eq!(line_of_error(text), Some(line), "{text:?}");
        }
    }

    #[test]
    fn depth_and_width_are_bounded() {
        let nested =
            |depth: usize| format!("package policy\na := {}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(line_of_error(&nested(MAX_DEPTH)), None);
        assert_eq!(line_of_error(&nested(MAX_DEPTH + 1)), Some(2));
        assert_eq!(line_of_error(&nested(100_000)), Some(2));
        let long = |count: usize| {
            let rules: String = (0..count).map(|i| format!("r{i} := 1\n")).collect();
            format!("package policy\n{rules}")
        };
        assert_eq!(line_of_error(&long(MAX_MEMBERS)), None);
        assert_eq!(line_of_error(&long(MAX_MEMBERS + 1)), Some(66));
        let wide = |count: usize| {
            let members: String = (0..count).map(|i| format!("\"{i}\": 1,")).collect();
            format!("package policy\na := {{{members}}}")
        };
        assert_eq!(line_of_error(&wide(MAX_MEMBERS)), None);
        assert_eq!(line_of_error(&wide(MAX_MEMBERS + 1)), Some(2));
    }
}
