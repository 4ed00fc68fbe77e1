//! Canonical XML 1.1, inclusive and without comments, of documents in the subset of [`super::xml`].
//!
//! Exact there: all that is left to do is to write an empty element as two tags, one space before each declaration and
//! attribute, both in canonical order, and nothing outside the root. Every declaration is written where it stands,
//! since none repeats one above it; at the root of a part, those above it are written too (2.4). Attributes in the
//! namespace `xml`, which a part would inherit, are refused by the reader.

use super::xml::{Declaration, Element, Node};

/// The canonical form of a document without those of its root's children that `omitted` says.
pub(super) fn document(root: &Element<'_>, omitted: impl Fn(&Element<'_>) -> bool) -> Vec<u8> {
    let mut out = String::new();
    open(&mut out, root, &root.declarations);
    for node in &root.content {
        match node {
            Node::Element(child) if omitted(child) => {}
            node => write_node(&mut out, node),
        }
    }
    close(&mut out, root);
    out.into_bytes()
}

/// The canonical form of the document subset that is one element with all in it; `ancestors` are the elements which it
/// stands in.
pub(super) fn part(element: &Element<'_>, ancestors: &[&Element<'_>]) -> Vec<u8> {
    let above = ancestors.iter().flat_map(|ancestor| &ancestor.declarations);
    let mut declarations: Vec<_> = above.chain(&element.declarations).copied().collect();
    declarations.sort_unstable();
    let mut out = String::new();
    open(&mut out, element, &declarations);
    element.content.iter().for_each(|node| write_node(&mut out, node));
    close(&mut out, element);
    out.into_bytes()
}

fn write_node(out: &mut String, node: &Node<'_>) {
    match node {
        Node::Element(element) => {
            open(out, element, &element.declarations);
            element.content.iter().for_each(|node| write_node(out, node));
            close(out, element);
        }
        Node::Text(text) => out.push_str(text),
    }
}

fn open(out: &mut String, element: &Element<'_>, declarations: &[Declaration<'_>]) {
    out.push('<');
    out.push_str(element.name.written);
    for Declaration { prefix, namespace } in declarations {
        let name = if prefix.is_empty() { [" xmlns", ""] } else { [" xmlns:", prefix] };
        name.iter().for_each(|part| out.push_str(part));
        push_value(out, namespace);
    }
    for attribute in &element.attributes {
        out.push(' ');
        out.push_str(attribute.name.written);
        push_value(out, attribute.value);
    }
    out.push('>');
}

fn push_value(out: &mut String, value: &str) {
    ["=\"", value, "\""].iter().for_each(|part| out.push_str(part));
}

fn close(out: &mut String, element: &Element<'_>) {
    ["</", element.name.written, ">"].iter().for_each(|part| out.push_str(part));
}
