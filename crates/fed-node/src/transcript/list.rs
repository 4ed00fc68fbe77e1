//! Open and Publish, checked as the verifier checked them before it attested (*verification.md* 5.5 steps 1 to 4).
//!
//! Steps (names match the tests): 1 `open`: the server's enrolment and signature, bundle, purpose  2 `list`: leaves,
//! root, count  3 `own leaf`: the one contributed, enrolled, and under the root  4 `entries`  5 `job`.

use std::collections::{BTreeMap, BTreeSet};

use cc_core::{Finding, UnixTime, codes};
use fed_proto::binding::{InclusionPath, Leaf, Purpose, root};
use fed_proto::bundle::Bundle;
use fed_proto::crypto::{Digest, Signature};
use fed_proto::descriptor::Descriptor;
use fed_proto::enrol::{self, Claim, Enrolment};
use fed_proto::job::{JobFile, job_id};
use fed_proto::message::{Contribution, Identity, Kind, MAX_MEMBERS, Open, Publish};
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::signed::Signed;
use fed_proto::token::Peer;

use super::record::Transcript;
use super::report::Difference;
use super::round::{Instants, Result, Round, payload, wrong};

/// What the checks are made against.
pub(super) struct Scene<'a> {
    pub(super) transcript: &'a Transcript,
    pub(super) descriptor: &'a Descriptor,
    pub(super) bundle: &'a Bundle,
    pub(super) at: Instants,
}

impl Scene<'_> {
    fn enrolled(
        &self,
        name: &Name,
        role: Role,
        identity: &Identity,
        at: UnixTime,
    ) -> std::result::Result<Peer, Finding> {
        let peer = instance(name, role, identity)?;
        let claim = Claim {
            name: name.clone(),
            role,
            instance_id: peer.instance_id,
            key: peer.key.digest(),
            kem: peer.kem,
        };
        let enrolment = Enrolment {
            chain: identity.chain.iter().map(|certificate| certificate.to_vec()).collect(),
            signature: identity.enrolment.to_vec(),
        };
        enrol::verify(self.descriptor, self.bundle, &claim, &enrolment, at)?;
        Ok(peer)
    }

    /// The Open, with which a round begins, and the server's instance.
    pub(super) fn open(&self, messages: &[Signed]) -> Result<(Open, Peer)> {
        let refused = |finding| Difference::refused("Open", finding);
        let (message, open) = payload::<Open>(messages, Kind::Open)?;
        let head = &self.transcript.head;
        if message.header.sender != self.descriptor.server {
            let text = format!("sent by {}, the server is {}", message.header.sender, self.descriptor.server);
            return Err(wrong("Open", codes::FL_NAME_UNAUTHENTICATED, text));
        }
        let server = self
            .enrolled(&message.header.sender, Role::Server, &open.identity, self.at.recorded)
            .map_err(refused)?;
        message.verify(&self.descriptor.federation_id(), &server.key).map_err(refused)?;
        if *open.bundle != self.transcript.bundle {
            let text = "the round ran under another bundle than the one in the file";
            return Err(wrong("bundle", codes::BIND_POLICY_MISMATCH, text));
        }
        if Purpose::from_number(open.purpose) != Some(head.purpose.0) {
            let text = format!("purpose {}, the file says {}", open.purpose, head.purpose.word());
            return Err(wrong("Open", codes::BIND_PURPOSE_MISMATCH, text));
        }
        Ok((open, server))
    }

    /// The job is the one that the identity names, and its demands are met.
    pub(super) fn job(&self, open: &Open, round: &Round) -> Result<()> {
        let head = &self.transcript.head;
        let mismatch = |text: String| Err(wrong("Open", codes::BIND_JOB_MISMATCH, text));
        if !head.purpose.0.names_job() {
            return if head.job_id.is_empty() {
                Ok(())
            } else {
                mismatch("a job where there is none".to_owned())
            };
        }
        let nonce = <[u8; 16]>::try_from(open.job_nonce.as_slice()).unwrap_or_default();
        let id = job_id(&self.descriptor.federation_id(), &nonce, &open.job_file);
        if open.job_nonce.len() != nonce.len() || id.as_str() != head.job_id {
            return mismatch(format!("the job file is that of {id}, the round is about {}", head.job_id));
        }
        let file = std::str::from_utf8(&open.job_file).ok().and_then(|text| JobFile::parse(text).ok());
        let Some(file) = file else { return mismatch("the job file does not read".to_owned()) };
        let members = round.peers.values().chain([&round.me]).map(|peer| (&peer.name, peer.role));
        let mut members: BTreeMap<&Name, Role> = members.collect();
        if self.at.chosen.is_some() {
            // Who fails only because of the caller's instant was there.
            members.extend(round.unknown.iter().map(|(name, (role, _))| (name, *role)));
        }
        let sites = members.values().filter(|role| **role == Role::Client).count();
        file.met_by(sites, |name| members.contains_key(name))
            .map_err(|text| wrong("Publish", codes::FL_MEMBER_MISSING, text))
    }

    pub(super) fn leaves(&self, publish: &Publish) -> Result<Vec<Leaf>> {
        let malformed = |text: String| wrong("Publish", codes::FL_ROOT_MALFORMED, text);
        let entries = &publish.contributions;
        if entries.len() > MAX_MEMBERS {
            return Err(malformed(format!("{} entries, the limit is {MAX_MEMBERS}", entries.len())));
        }
        let federation_id = self.descriptor.federation_id();
        let mut leaves: Vec<Leaf> = Vec::with_capacity(entries.len());
        for entry in entries {
            let leaf =
                Leaf::parse(&entry.leaf).ok_or_else(|| malformed("an entry is not a leaf".to_owned()))?;
            if leaf.federation_id != federation_id || leaf.epoch != self.transcript.head.epoch {
                return Err(malformed(format!("the leaf of {} belongs elsewhere", leaf.name)));
            }
            if leaves.last().is_some_and(|last| last.name >= leaf.name) {
                return Err(malformed("leaves are not strictly ascending".to_owned()));
            }
            leaves.push(leaf);
        }
        Ok(leaves)
    }

    pub(super) fn root(&self, publish: &Publish, hashes: &[Digest]) -> Result<Digest> {
        let root = root(hashes);
        let said = &self.transcript.head.root;
        if u32::try_from(hashes.len()) != Ok(publish.leaf_count)
            || *publish.root != root.0
            || said.0 != root.0
        {
            return Err(Difference {
                code: codes::FL_ROOT_MALFORMED,
                place: "root".to_owned(),
                recorded: format!(
                    "{} in the head, {} leaves in Publish",
                    hex::encode(said.0),
                    publish.leaf_count
                ),
                found: format!("{root} over {} leaves", hashes.len()),
            });
        }
        Ok(root)
    }

    /// The verifier's own entry: what it contributed, by its enrolled key, under the root.
    pub(super) fn own(
        &self,
        messages: &[Signed],
        publish: &Publish,
        leaves: &[Leaf],
        root: &Digest,
    ) -> Result<Peer> {
        let head = &self.transcript.head;
        let missing = |text: &str| wrong("own leaf", codes::FL_ROOT_OWN_LEAF_MISSING, text);
        let (message, sent) = payload::<Contribution>(messages, Kind::Contribution)?;
        let listed = leaves.iter().zip(&publish.contributions).find(|(leaf, _)| leaf.name == head.verifier);
        let (leaf, entry) = listed.ok_or_else(|| missing("the verifier is not in the list"))?;
        if message.header.sender != head.verifier || sent.leaf != entry.leaf {
            return Err(missing("the list has another challenge than the one that the verifier drew"));
        }
        let me = self.contributed(leaf, entry, self.at.recorded);
        let me = me.map_err(|finding| Difference::refused("own leaf", finding))?;
        let path = &self.transcript.path;
        let siblings = path.siblings.iter().map(|sibling| Digest(sibling.0)).collect();
        let path = InclusionPath { index: path.index, count: path.count, siblings };
        if path.root_from(&entry.leaf) != Some(*root) || path.count != publish.leaf_count {
            return Err(missing("the path in the file does not lead to the root"));
        }
        Ok(me)
    }

    /// Every other entry: enrolled under exactly that name and role, signed by its key, proposed, and no key twice.
    pub(super) fn entries(
        &self,
        open: &Open,
        publish: &Publish,
        leaves: &[Leaf],
    ) -> (BTreeMap<Name, Peer>, BTreeMap<Name, (Role, Finding)>) {
        let (mut peers, mut unknown) = (BTreeMap::new(), BTreeMap::new());
        let mut keys: BTreeMap<&Digest, usize> = BTreeMap::new();
        for leaf in leaves {
            let count = keys.entry(&leaf.key).or_default();
            *count = count.saturating_add(1);
        }
        let proposed: BTreeSet<&str> = open.members.iter().map(String::as_str).collect();
        let others = publish.contributions.iter().zip(leaves);
        for (entry, leaf) in others.filter(|(_, leaf)| leaf.name != self.transcript.head.verifier) {
            let refuse =
                |text: &str| Err(Finding::new(codes::FL_MEMBER_UNKNOWN, format!("{}: {text}", leaf.name)));
            let result = if keys.get(&leaf.key).is_some_and(|count| *count > 1) {
                refuse("its key is in the list twice")
            } else if !proposed.contains(leaf.name.as_str()) {
                refuse("it was not proposed")
            } else {
                self.contributed(leaf, entry, self.at.of_peers())
            };
            match result {
                Ok(peer) => drop(peers.insert(leaf.name.clone(), peer)),
                Err(finding) => drop(unknown.insert(leaf.name.clone(), (leaf.role, finding))),
            }
        }
        (peers, unknown)
    }

    fn contributed(
        &self,
        leaf: &Leaf,
        entry: &Contribution,
        at: UnixTime,
    ) -> std::result::Result<Peer, Finding> {
        let peer = self.enrolled(&leaf.name, leaf.role, &entry.identity, at)?;
        signed_leaf(&peer, leaf, entry)?;
        Ok(peer)
    }

    /// The keys in the list: who could sign messages of the round, whatever else is to be said of them.
    pub(super) fn listed(&self, publish: &Publish, leaves: &[Leaf]) -> BTreeMap<Name, Peer> {
        let entries = leaves.iter().zip(&publish.contributions);
        let peers = entries.filter_map(|(leaf, entry)| {
            let peer = instance(&leaf.name, leaf.role, &entry.identity).ok()?;
            signed_leaf(&peer, leaf, entry).ok()?;
            Some((leaf.name.clone(), peer))
        });
        peers.collect()
    }
}

/// What an identity says of itself.
fn instance(name: &Name, role: Role, identity: &Identity) -> std::result::Result<Peer, Finding> {
    let unknown = |text: &str| Finding::new(codes::FL_MEMBER_UNKNOWN, format!("{name}: {text}"));
    let key = identity.key().ok_or_else(|| unknown("its attestation key is no key"))?;
    let instance_id = identity.instance().ok_or_else(|| unknown("its instance id is not 16 bytes"))?;
    let kem = identity.kem_digest().map_err(|_| unknown("its key-encapsulation key is not 32 bytes"))?;
    Ok(Peer { name: name.clone(), role, key, instance_id, kem })
}

fn signed_leaf(peer: &Peer, leaf: &Leaf, entry: &Contribution) -> std::result::Result<(), Finding> {
    let unknown = |text: &str| Finding::new(codes::FL_MEMBER_UNKNOWN, format!("{}: {text}", leaf.name));
    if peer.key.digest() != leaf.key {
        return Err(unknown("the leaf names another key"));
    }
    let signature = <[u8; 64]>::try_from(entry.signature.as_slice()).map(Signature);
    let signature = signature.map_err(|_| unknown("the leaf's signature has another length"))?;
    peer.key.verify(&entry.leaf, &signature).map_err(|_| unknown("the leaf is not signed by its key"))
}
