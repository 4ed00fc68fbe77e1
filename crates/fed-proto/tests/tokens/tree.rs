//! The tree of challenges, and paths in it.

use cc_core::codes;
use fed_proto::binding::{InclusionPath, leaf_hash, root};
use fed_proto::crypto::{Digest, sha256};

use super::fixture::leaves;

fn hashes(leaves: &[Vec<u8>]) -> Vec<Digest> {
    leaves.iter().map(|leaf| leaf_hash(leaf)).collect()
}

fn some_leaves(count: u32) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("leaf {number}").into_bytes()).collect()
}

/// The bytes whose hash an inner node is.
fn inner(left: &Digest, right: &Digest) -> Vec<u8> {
    [&[1][..], &left.0, &right.0].concat()
}

#[test]
fn the_tree_is_that_of_rfc_6962() {
    let all = hashes(&some_leaves(7));
    let node = |left: &Digest, right: &Digest| sha256(&inner(left, right));
    let [a, b, c, d, e, f, g] = all[..] else { panic!("seven leaves") };
    let left = node(&node(&a, &b), &node(&c, &d));
    let right = node(&node(&e, &f), &g);
    assert_eq!(root(&all), node(&left, &right));
    assert_eq!((root(&[]), root(&[a])), (sha256(b""), a));
}

#[test]
fn every_leaf_has_a_path_and_no_other_place_has_it() {
    for count in 1..=20 {
        let leaves = some_leaves(count);
        let hashes = hashes(&leaves);
        let root = root(&hashes);
        assert_eq!(InclusionPath::of(&hashes, count), None);
        for (index, leaf) in (0..count).zip(&leaves) {
            let path = InclusionPath::of(&hashes, index).unwrap();
            assert_eq!(path.leads_to(leaf, &root), Ok(()), "leaf {index} of {count}");
            assert_ne!(path.root_from(b"another leaf"), Some(root));
            let others = (0..count).filter(|other| *other != index);
            for other in others {
                let moved = InclusionPath { index: other, ..path.clone() };
                assert_ne!(moved.root_from(leaf), Some(root), "leaf {index} of {count} at {other}");
            }
            for (index, count) in [(index, 0), (count, count), (u32::MAX, count)] {
                let beyond = InclusionPath { index, count, ..path.clone() };
                assert_eq!(beyond.root_from(leaf), None);
            }
            let mut longer = path.clone();
            longer.siblings.push(root);
            assert_eq!(longer.root_from(leaf), None);
            let mut shorter = path;
            if shorter.siblings.pop().is_some() {
                assert_eq!(shorter.root_from(leaf), None);
            }
        }
    }
}

#[test]
fn n_fl_13_inner_node_offered_as_leaf() {
    let all = hashes(&some_leaves(4));
    let root = root(&all);
    // The two inner nodes are a tree of two leaves with the same root, if nodes and leaves were hashed alike.
    let (left, right) = (inner(&all[0], &all[1]), inner(&all[2], &all[3]));
    for (index, node, sibling) in [(0, &left, &right), (1, &right, &left)] {
        let path = InclusionPath { index, count: 2, siblings: vec![sha256(sibling)] };
        for offered in [&node[..], &node[1..], sha256(node).as_bytes()] {
            let refused = path.leads_to(offered, &root).unwrap_err();
            assert_eq!(refused.code, codes::FL_ROOT_OWN_LEAF_MISSING);
        }
        assert_ne!(fed_proto::binding::root(&[leaf_hash(node), leaf_hash(sibling)]), root);
    }
}

#[test]
fn the_seven_leaves_of_the_vector() {
    // The leaves of 5.7, whose key hashes are no keys.
    let names = ["server", "site-1", "site-2", "site-3", "site-4", "site-5", "site-6"];
    let leaf = |name: &&str| fed_proto::binding::Leaf {
        federation_id: sha256(b"test-federation"),
        epoch: 7,
        name: super::fixture::name(name),
        role: super::fixture::role(name),
        nonce: sha256(format!("nonce-{name}").as_bytes()).0,
        key: sha256(format!("key-{name}").as_bytes()),
    };
    let leaves: Vec<Vec<u8>> = names.iter().map(|name| leaf(name).bytes()).collect();
    let all = hashes(&leaves);
    for (index, leaf) in (0..).zip(&leaves) {
        let root = InclusionPath::of(&all, index).unwrap().root_from(leaf).unwrap();
        assert_eq!(root.to_string(), "05e1d7ae2285aa96ac5b15ddbb45132d67f1714c8a2b661a0e94ce69b276b700");
    }
}

#[test]
fn a_leaf_has_one_form() {
    for bytes in leaves(&["server", "site-1"]) {
        let leaf = fed_proto::binding::Leaf::parse(&bytes).unwrap();
        assert_eq!(leaf.bytes(), bytes);
        for length in 0..bytes.len() {
            assert_eq!(fed_proto::binding::Leaf::parse(&bytes[..length]), None);
        }
        assert_eq!(fed_proto::binding::Leaf::parse(&[&bytes[..], &[0]].concat()), None);
    }
}
