//! Canonical XML 1.1 of text, by cutting it up.

/// The canonical form of well-formed XML without references, declarations and processing instructions, in which no
/// namespace is declared again below its declaration.
pub fn canonical(xml: &str) -> String {
    let mut out = String::new();
    let mut rest = xml.trim();
    // The declarations of each element that is open.
    let mut open: Vec<Vec<(&str, &str)>> = Vec::new();
    while let Some(start) = rest.find('<') {
        let tag = first_tag(&rest[start..]);
        out += &rest[..start];
        rest = &rest[start + tag.len()..];
        if let Some(name) = tag.strip_prefix("</") {
            open.pop();
            out += &format!("</{}>", name.trim_end_matches('>').trim());
            continue;
        }
        let (name, attributes) = parts(tag);
        open.push(attributes.iter().filter(|(name, _)| name.starts_with("xmlns:")).copied().collect());
        out += &format!("<{name}{}>", sorted(&attributes, &open.concat()));
        if tag.ends_with("/>") {
            open.pop();
            out += &format!("</{name}>");
        }
    }
    out + rest
}

/// The tag that text begins with.
fn first_tag(xml: &str) -> &str {
    let mut quoted = false;
    let is_end = |character: char| {
        quoted ^= character == '"';
        character == '>' && !quoted
    };
    &xml[..=xml.find(is_end).unwrap()]
}

/// Name and attributes of a start tag.
fn parts(tag: &str) -> (&str, Vec<(&str, &str)>) {
    let inside = tag[1..].strip_suffix("/>").unwrap_or(&tag[1..tag.len() - 1]).trim_end();
    let (name, attributes) = inside.split_once([' ', '\n']).unwrap_or((inside, ""));
    let pieces: Vec<&str> = attributes.split('"').collect();
    let attributes = pieces.chunks_exact(2).map(|pair| (pair[0].trim().trim_end_matches('='), pair[1]));
    (name, attributes.collect())
}

/// Declarations by prefix, then attributes by namespace and local name.
fn sorted(attributes: &[(&str, &str)], namespaces: &[(&str, &str)]) -> String {
    let key = |name: &str| -> (u8, String, String) {
        match name.split_once(':') {
            None if name == "xmlns" => (0, String::new(), String::new()),
            None => (1, String::new(), name.to_owned()),
            Some(("xmlns", prefix)) => (0, String::new(), prefix.to_owned()),
            Some((prefix, local)) => {
                let is_it = |(name, _): &&(&str, &str)| name.strip_prefix("xmlns:") == Some(prefix);
                (1, namespaces.iter().find(is_it).unwrap().1.to_owned(), local.to_owned())
            }
        }
    };
    let mut attributes = attributes.to_vec();
    attributes.sort_by_key(|(name, _)| key(name));
    attributes.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect()
}

/// The namespace declarations in the first tag of text, with a space before each.
pub(super) fn declarations(xml: &str) -> String {
    let (_, attributes) = parts(first_tag(xml.trim_start()));
    let declared = attributes.iter().filter(|(name, _)| *name == "xmlns" || name.starts_with("xmlns:"));
    declared.map(|(name, namespace)| format!(" {name}=\"{namespace}\"")).collect()
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn only_tags_change() {
        let xml = "\n<a xmlns:z=\"http://1\"\n xmlns=\"http://2\"  xmlns:y=\"http://0\" z:b=\"4\" y:c=\"3\" d=\">\" D=\"1\"> x \
                   <b e=\"\" /><c xmlns:x=\"http://9\" x:a=\"\" z:a=\"\"/><c xmlns:x=\"http://0\" x:a=\"\" z:a=\"\"/>\n</a >\n";
        assert_eq!(
            canonical(xml),
            "<a xmlns=\"http://2\" xmlns:y=\"http://0\" xmlns:z=\"http://1\" D=\"1\" d=\">\" y:c=\"3\" z:b=\"4\"> x \
             <b e=\"\"></b><c xmlns:x=\"http://9\" z:a=\"\" x:a=\"\"></c><c xmlns:x=\"http://0\" x:a=\"\" z:a=\"\"></c>\n</a>"
        );
    }
}
