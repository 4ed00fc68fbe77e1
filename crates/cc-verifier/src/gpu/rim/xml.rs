//! A strict subset of XML 1.0 with namespaces: as much as reference manifests have.
//!
//! Everything whose canonical form would need more than copying is refused, so that [`super::canonical`] is exact:
//! bytes other than printable ASCII and line feeds, references (`&`), declarations (`<!`, so no document type, no
//! comment, no CDATA), processing instructions, `>` in text, apostrophes around values, and line feeds in values;
//! names that begin with `xml`, a prefix that is declared again below its declaration, and namespace names that are
//! not absolute.

use super::limits;

/// Namespaces that only `xml` and `xmlns` stand for.
const RESERVED_NAMESPACES: [&str; 2] =
    ["http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"];

/// Bytes that are not a document of this subset; says what and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    what: &'static str,
    at: usize,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

/// A name with the namespace that its prefix stands for. Two are equal when namespace and local name are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    /// As written, with the prefix.
    pub(super) written: &'a str,
    /// Empty for none.
    pub(super) namespace: &'a str,
    pub(super) local: &'a str,
}

impl Name<'_> {
    /// Whether it is this name in this namespace.
    pub(super) fn is(&self, namespace: &str, local: &str) -> bool {
        self.namespace == namespace && self.local == local
    }
}

/// The declaration of a namespace: what a prefix stands for. The default namespace has the empty prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Declaration<'a> {
    pub(super) prefix: &'a str,
    pub(super) namespace: &'a str,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    pub(super) name: Name<'a>,
    pub(super) value: &'a str,
}

#[derive(Debug)]
pub(super) struct Element<'a> {
    pub(super) name: Name<'a>,
    /// Sorted by prefix.
    pub(super) declarations: Vec<Declaration<'a>>,
    /// Sorted by namespace, then local name; no two are equal.
    pub(super) attributes: Vec<Attribute<'a>>,
    pub(super) content: Vec<Node<'a>>,
}

#[derive(Debug)]
pub(super) enum Node<'a> {
    Element(Element<'a>),
    /// Not empty.
    Text(&'a str),
}

impl<'a> Element<'a> {
    /// Reads the one element that `document` is; white space may stand around it.
    pub(super) fn parse(document: &'a [u8]) -> Result<Self, Malformed> {
        if document.len() > limits::LENGTH {
            return Err(Malformed { what: "more than the longest manifest", at: limits::LENGTH });
        }
        let is_foreign = |byte: &u8| !matches!(byte, b'\n' | b' '..=b'~') || *byte == b'&';
        if let Some(at) = document.iter().position(is_foreign) {
            return Err(Malformed { what: "a byte that no manifest has", at });
        }
        let text = std::str::from_utf8(document)
            .map_err(|error| Malformed { what: "not ASCII", at: error.valid_up_to() })?;
        let mut reader = Reader { text, at: 0, scope: Vec::new(), elements: 0 };
        reader.skip_white_space();
        let element = reader.element(limits::DEPTH)?;
        reader.skip_white_space();
        if reader.rest().is_empty() { Ok(element) } else { Err(reader.error("something after the root")) }
    }

    /// The elements in it.
    pub(super) fn children(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// How many elements are wanted, among itself and those in it at any depth.
    pub(super) fn count(&self, wanted: &impl Fn(&Self) -> bool) -> usize {
        self.children().fold(usize::from(wanted(self)), |sum, child| sum.saturating_add(child.count(wanted)))
    }

    /// The elements in it, if there is nothing else but white space.
    pub(super) fn elements(&self) -> Option<Vec<&Self>> {
        let is_text = |node: &Node<'_>| matches!(node, Node::Text(text) if !is_white_space(text));
        if self.content.iter().any(is_text) { None } else { Some(self.children().collect()) }
    }

    /// The text in it, if there are no elements.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.content.as_slice() {
            [] => Some(""),
            [Node::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The value of the attribute with this name.
    pub(super) fn attribute(&self, namespace: &str, local: &str) -> Option<&'a str> {
        self.attributes.iter().find(|attribute| attribute.name.is(namespace, local)).map(|found| found.value)
    }
}

/// Whether text says nothing.
pub(super) fn is_white_space(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\n'))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The declarations of the elements that are open.
    scope: Vec<Declaration<'a>>,
    /// How many elements there were.
    elements: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, what: &'static str) -> Malformed {
        Malformed { what, at: self.at }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes as many bytes as are `wanted`.
    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !wanted(byte)).unwrap_or(rest.len());
        self.at = self.at.saturating_add(length);
        rest.get(..length).unwrap_or_default()
    }

    /// Takes `expected`, if it comes next.
    fn take(&mut self, expected: &str) -> bool {
        let is_next = self.rest().starts_with(expected);
        if is_next {
            self.at = self.at.saturating_add(expected.len());
        }
        is_next
    }

    fn expect(&mut self, expected: &str, what: &'static str) -> Result<(), Malformed> {
        if self.take(expected) { Ok(()) } else { Err(self.error(what)) }
    }

    fn skip_white_space(&mut self) -> bool {
        !self.take_while(|byte| matches!(byte, b' ' | b'\n')).is_empty()
    }

    /// An element that may have elements of `depth` levels, itself counted.
    fn element(&mut self, depth: usize) -> Result<Element<'a>, Malformed> {
        let Some(depth) = depth.checked_sub(1) else { return Err(self.error("nested too deep")) };
        self.elements = self.elements.saturating_add(1);
        if self.elements > limits::ELEMENTS {
            return Err(self.error("too many elements"));
        }
        self.expect("<", "no element where one must be")?;
        let (prefix, local, written) = self.name()?;
        self.judge_name(prefix, local)?;
        let outer = self.scope.len();
        let (attributes, is_empty) = self.attributes()?;
        let mut declarations = self.scope.get(outer..).unwrap_or_default().to_vec();
        declarations.sort_unstable();
        let name = Name { written, namespace: self.namespace(prefix)?, local };
        let attributes = self.resolve(attributes)?;
        let content = if is_empty { Vec::new() } else { self.content(written, depth)? };
        self.scope.truncate(outer);
        Ok(Element { name, declarations, attributes, content })
    }

    /// What is between the tags, and the end tag.
    fn content(&mut self, written: &str, depth: usize) -> Result<Vec<Node<'a>>, Malformed> {
        let mut content = Vec::new();
        loop {
            let text = self.take_while(|byte| !matches!(byte, b'<' | b'>'));
            if !text.is_empty() {
                content.push(Node::Text(text));
            }
            if self.take("</") {
                self.expect(written, "the end tag of another element")?;
                self.skip_white_space();
                self.expect(">", "an end tag that does not end")?;
                return Ok(content);
            }
            content.push(Node::Element(self.element(depth)?));
        }
    }

    /// Attributes up to the end of the tag, with the declarations put into the scope; whether it is an empty element.
    fn attributes(&mut self) -> Result<(Vec<Attribute<'a>>, bool), Malformed> {
        let mut attributes = Vec::new();
        loop {
            let separated = self.skip_white_space();
            if self.take(">") {
                return Ok((attributes, false));
            }
            if self.take("/>") {
                return Ok((attributes, true));
            }
            if !separated {
                return Err(self.error("a tag that does not end"));
            }
            let (prefix, local, written) = self.name()?;
            self.expect("=\"", "an attribute without a value in quotation marks")?;
            let value = self.take_while(|byte| !matches!(byte, b'"' | b'<' | b'\n'));
            self.expect("\"", "a value that does not end")?;
            match (prefix, local) {
                ("", "xmlns") => self.declare(Declaration { prefix: "", namespace: value })?,
                ("xmlns", prefix) => self.declare(Declaration { prefix, namespace: value })?,
                _ => {
                    self.judge_name(prefix, local)?;
                    if attributes.len() == limits::ATTRIBUTES {
                        return Err(self.error("too many attributes"));
                    }
                    attributes.push(Attribute { name: Name { written, namespace: "", local }, value });
                }
            }
        }
    }

    fn declare(&mut self, declaration: Declaration<'a>) -> Result<(), Malformed> {
        let Declaration { prefix, namespace } = declaration;
        if is_reserved(prefix) {
            return Err(self.error("a reserved prefix"));
        }
        if RESERVED_NAMESPACES.contains(&namespace) {
            return Err(self.error("a reserved namespace"));
        }
        if !["http://", "https://"].iter().any(|scheme| namespace.starts_with(scheme)) {
            return Err(self.error("a namespace that is no absolute address"));
        }
        if self.scope.iter().any(|other| other.prefix == prefix) {
            return Err(self.error("a prefix that is declared already"));
        }
        if self.scope.len() == limits::DECLARATIONS {
            return Err(self.error("too many namespaces"));
        }
        self.scope.push(declaration);
        Ok(())
    }

    /// What a prefix stands for; without a declaration, the empty prefix stands for no namespace.
    fn namespace(&self, prefix: &str) -> Result<&'a str, Malformed> {
        match self.scope.iter().find(|declaration| declaration.prefix == prefix) {
            Some(declaration) => Ok(declaration.namespace),
            None if prefix.is_empty() => Ok(""),
            None => Err(self.error("a prefix that is not declared")),
        }
    }

    /// Attributes with their namespaces, in canonical order. The default namespace is not for attributes.
    fn resolve(&self, mut attributes: Vec<Attribute<'a>>) -> Result<Vec<Attribute<'a>>, Malformed> {
        for Attribute { name, .. } in &mut attributes {
            if let Some((prefix, _)) = name.written.split_once(':') {
                name.namespace = self.namespace(prefix)?;
            }
        }
        let key = |attribute: &Attribute<'a>| (attribute.name.namespace, attribute.name.local);
        attributes.sort_unstable_by_key(key);
        let is_twice = |pair: &[Attribute<'a>]| match pair {
            [a, b] => key(a) == key(b),
            _ => false,
        };
        if attributes.windows(2).any(is_twice) {
            return Err(self.error("an attribute twice"));
        }
        Ok(attributes)
    }

    /// A name of an element or attribute; declarations are none.
    fn judge_name(&self, prefix: &str, local: &str) -> Result<(), Malformed> {
        if is_reserved(prefix) || is_reserved(local) { Err(self.error("a reserved name")) } else { Ok(()) }
    }

    /// Prefix, local name, and both as written.
    fn name(&mut self) -> Result<(&'a str, &'a str, &'a str), Malformed> {
        let start = self.at;
        let first = self.part_of_name()?;
        let (prefix, local) = if self.take(":") { (first, self.part_of_name()?) } else { ("", first) };
        Ok((prefix, local, self.text.get(start..self.at).unwrap_or_default()))
    }

    fn part_of_name(&mut self) -> Result<&'a str, Malformed> {
        if !self.rest().starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
            return Err(self.error("no name where one must be"));
        }
        Ok(self.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')))
    }
}

/// Whether a name is one that XML keeps for itself.
fn is_reserved(name: &str) -> bool {
    name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("xml"))
}
