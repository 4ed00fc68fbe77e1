//! Canonical XML 1.1 of text, by cutting it up.

/// The canonical form of well-formed XML without references, declarations, processing instructions, `>` in values and
/// repeated namespace declarations; one prefix must stand for one namespace in all of it.
pub fn canonical(xml: &str) -> String {
    let namespaces: Vec<(&str, &str)> = xml
        .split(" xmlns:")
        .skip(1)
        .map(|declaration| {
            let (prefix, rest) = declaration.split_once("=\"").unwrap();
            (prefix, rest.split('"').next().unwrap())
        })
        .collect();
    let namespace = |name: &str| match name.split_once(':') {
        Some((prefix, _)) => namespaces.iter().find(|(known, _)| *known == prefix).unwrap().1.to_owned(),
        None => String::new(),
    };
    let mut out = String::new();
    let mut rest = xml.trim();
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').unwrap();
        out += &rest[..start];
        out += &tag(&rest[start + 1..end], namespace);
        rest = &rest[end + 1..];
    }
    out + rest
}

/// A tag, given without its brackets, in canonical form.
fn tag(inside: &str, namespace: impl Fn(&str) -> String) -> String {
    if inside.starts_with('/') {
        return format!("<{}>", inside.trim());
    }
    let (inside, is_empty) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
    let (name, attributes) = inside.split_once([' ', '\n']).unwrap_or((inside, ""));
    let mut parts: Vec<(u8, String, &str, &str)> = Vec::new();
    for piece in attributes.split_inclusive("\"").collect::<Vec<_>>().chunks(2) {
        let [start, value] = piece else { continue };
        let (name, value) = (start.trim().trim_end_matches("=\""), value.trim_end_matches('"'));
        let (rank, namespace, local) = match name.split_once(':') {
            _ if name == "xmlns" => (0, String::new(), ""),
            Some(("xmlns", prefix)) => (0, String::new(), prefix),
            Some((_, local)) => (1, namespace(name), local),
            None => (1, String::new(), name),
        };
        parts.push((rank, format!("{namespace} {local}"), name, value));
    }
    parts.sort();
    let attributes: String = parts.iter().map(|(_, _, name, value)| format!(" {name}=\"{value}\"")).collect();
    if is_empty { format!("<{name}{attributes}></{name}>") } else { format!("<{name}{attributes}>") }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn only_tags_change() {
        let xml = "\n<a xmlns:z=\"http://1\"\n xmlns=\"http://2\"  xmlns:y=\"http://0\" z:b=\"4\" y:c=\"3\" d=\"2\" D=\"1\"> x <b e='' />\n</a >\n"
            .replace("e='' ", "e=\"\"");
        assert_eq!(
            canonical(&xml),
            "<a xmlns=\"http://2\" xmlns:y=\"http://0\" xmlns:z=\"http://1\" D=\"1\" d=\"2\" y:c=\"3\" z:b=\"4\"> x <b e=\"\"></b>\n</a>"
        );
    }
}
