//! Every certificate of a device's chain is what its place requires, and chains that come with the endorsements find their
//! devices.

use cc_testkit::der;
use cc_testkit::gpu::device_chain::{
    COMPOSITE_DEVICE_ID, TCB_INFO, bundle, composite_device_id, name, root_der, root_with_key, tcb_info,
};
use cc_testkit::gpu::mint::FWID;
use cc_testkit::gpu::{Arch, DeviceChain, World, keys, rim};
use cc_testkit::snp::ca::{BASIC_CONSTRAINTS, KEY_USAGE};
use cc_testkit::snp::{Ext, SigKind};
use cc_verifier::gpu::{Anchors, RootCertificates, Verifier};

use crate::common::codes::reply_code;
use crate::common::gpu::{self, Parts, first, hopper};

const SIGNATURE: &str = "gpu.chain.signature";

/// What is done to the chain of a Hopper, and the code.
type Row = (&'static str, fn(&mut DeviceChain), &'static str);

#[rustfmt::skip]
const ROWS: [Row; 29] = [
    ("v1", |c| c.specs[1].version = None, SIGNATURE),
    ("no serial", |c| c.specs[0].serial = vec![0, 1], SIGNATURE),
    ("no CA", |c| c.specs[1].remove_ext(BASIC_CONSTRAINTS), SIGNATURE),
    ("CA false", |c| c.specs[2].ext_mut(BASIC_CONSTRAINTS).value = der::seq::<Vec<u8>>(&[]), SIGNATURE),
    ("constraints not critical", |c| c.specs[3].ext_mut(BASIC_CONSTRAINTS).critical = false, SIGNATURE),
    ("path too short", |c| path_length(c, 3, 1), SIGNATURE),
    ("path as short as may be", |c| path_length(c, 3, 2), "accept"),
    ("path of the device", |c| path_length(c, 1, 0), "accept"),
    ("no keyCertSign", |c| c.specs[1].ext_mut(KEY_USAGE).value = der::bit_string(1, &[0b10]), SIGNATURE),
    ("no usage", |c| c.specs[2].remove_ext(KEY_USAGE), SIGNATURE),
    ("leaf is a CA", |c| c.specs[0].extensions.push(Ext::critical(BASIC_CONSTRAINTS, der::seq(&[der::boolean(true)]))), SIGNATURE),
    ("leaf without usage", |c| c.specs[0].remove_ext(KEY_USAGE), SIGNATURE),
    ("leaf signs certificates", |c| c.specs[0].ext_mut(KEY_USAGE).value = der::bit_string(2, &[0b100]), SIGNATURE),
    ("usage not critical", |c| c.specs[0].ext_mut(KEY_USAGE).critical = false, SIGNATURE),
    ("unknown critical extension", |c| c.specs[0].extensions.push(Ext::critical("1.2.3.4", vec![5, 0])), SIGNATURE),
    ("unknown critical extension above", |c| c.specs[3].extensions.push(Ext::critical("1.2.3.4", vec![5, 0])), SIGNATURE),
    ("extension twice", |c| { let value = c.specs[0].ext_mut(KEY_USAGE).value.clone(); c.specs[0].duplicate_ext(KEY_USAGE, value); }, SIGNATURE),
    ("algorithms differ", |c| c.specs[0].inner_algorithm = SigKind::Pkcs1Sha384.algorithm(), SIGNATURE),
    ("leaf's name", |c| c.specs[0].subject = name(Some("53"), "GH100 A01 GSP BROM", "NVIDIA Corporation"), SIGNATURE),
    ("leaf of another chip", |c| c.specs[0].subject = name(Some("53"), "GB100 A01 GSP FMC LF", "NVIDIA Corporation"), SIGNATURE),
    ("leaf without serialNumber", |c| c.specs[0].subject = name(None, "GH100 A01 GSP FMC LF", "NVIDIA Corporation"), SIGNATURE),
    ("issuer's name", |c| c.specs[0].issuer = name(None, "GH100 A01 GSP BROM", "NVIDIA Corporation"), SIGNATURE),
    ("unknown chip", |c| renamed(c, 2, "NVIDIA GR100 Provisioner ICA 1"), "gpu.arch.mismatch"),
    ("another chip", |c| renamed(c, 2, "NVIDIA GB100 Provisioner ICA 1"), SIGNATURE),
    ("the switch's", |c| renamed(c, 2, "NVIDIA LS_10 Provisioner ICA 1"), "gpu.arch.mismatch"),
    ("model's name", |c| renamed(c, 3, "NVIDIA GB100 Identity"), SIGNATURE),
    ("leaf's key", |c| c.specs[0].spki = cc_testkit::snp::keys::stranger_p256().spki().to_vec(), "gpu.signature.malformed"),
    ("issuer's key", |c| c.specs[2].spki = cc_testkit::snp::keys::stranger_p256().spki().to_vec(), SIGNATURE),
    ("no certificate", |c| c.specs[2].spki = vec![0], SIGNATURE),
];

#[test]
fn certificates_are_what_their_place_requires() {
    for (what, edit, expected) in ROWS {
        let mut world = hopper();
        edit(&mut first(&mut world).chain);
        // The report is signed by whichever key; chains come first.
        let mut parts = Parts::of(&hopper());
        parts.evidence = world.evidence();
        parts.ocsp = Parts::of(&world).ocsp;
        assert_eq!(parts.code(), expected, "{what}");
    }
}

fn path_length(chain: &mut DeviceChain, at: usize, length: u64) {
    let value = der::seq(&[der::boolean(true), der::integer(length)]);
    chain.specs[at].ext_mut(BASIC_CONSTRAINTS).value = value;
}

/// Another name for an authority and in what it issued.
fn renamed(chain: &mut DeviceChain, at: usize, common_name: &str) {
    chain.specs[at].subject = name(None, common_name, "NVIDIA Corporation");
    chain.specs[at - 1].issuer = chain.specs[at].subject.clone();
}

#[test]
fn firmware_identities_are_read_strictly() {
    type Unreadable = (&'static str, fn(&mut DeviceChain));
    let fwid = |edit: fn(&mut DeviceChain)| {
        let mut world = hopper();
        edit(&mut first(&mut world).chain);
        Parts::of(&world).code()
    };
    assert_eq!(
        fwid(|c| c.specs[0].set_ext(COMPOSITE_DEVICE_ID, composite_device_id(keys::device(), &[0; 48]))),
        "gpu.fwid.mismatch"
    );
    let unreadable: [Unreadable; 5] = [
        ("47 bytes", |c| {
            c.specs[0].set_ext(COMPOSITE_DEVICE_ID, composite_device_id(keys::device(), &FWID[..47]));
        }),
        ("Blackwell's form", |c| c.specs[0].set_ext(COMPOSITE_DEVICE_ID, tcb_info(&[&FWID]))),
        ("bytes behind it", |c| {
            let value = [composite_device_id(keys::device(), &FWID), vec![0]].concat();
            c.specs[0].set_ext(COMPOSITE_DEVICE_ID, value);
        }),
        ("another hash", |c| {
            let mut value = composite_device_id(keys::device(), &FWID);
            let sha384 = der::oid("2.16.840.1.101.3.4.2.2");
            let at = value.windows(sha384.len()).position(|window| window == sha384).unwrap();
            value[at + sha384.len() - 1] = 1;
            c.specs[0].set_ext(COMPOSITE_DEVICE_ID, value);
        }),
        ("last 48 bytes of something", |c| c.specs[0].set_ext(COMPOSITE_DEVICE_ID, FWID.to_vec())),
    ];
    for (what, edit) in unreadable {
        assert_eq!(fwid(edit), "gpu.fwid.missing", "{what}");
    }
    // A second list of Blackwell's.
    let mut world = World::new(Arch::Blackwell, 1);
    let list = tcb_info(&[&FWID]);
    let (_, fields) = list.split_at(2 + usize::from(list[1] > 0x7f));
    let twice = der::seq(&[fields, fields]);
    first(&mut world).chain.specs[0].set_ext(TCB_INFO, twice);
    assert_eq!(Parts::of(&world).code(), "gpu.fwid.missing", "two lists");
    // Twice is refused as any extension is.
    assert_eq!(
        fwid(|c| c.specs[0].duplicate_ext(COMPOSITE_DEVICE_ID, composite_device_id(keys::device(), &FWID))),
        SIGNATURE
    );
}

/// A chain that is none, in the evidence.
#[test]
fn chains_are_pem_and_nothing_else() {
    let genuine = first(&mut hopper()).chain.pem();
    for pem in [b"x".to_vec(), [&genuine[..], b"x"].concat(), genuine[1..].to_vec()] {
        let mut world = hopper();
        first(&mut world).pem = Some(pem);
        assert_eq!(Parts::of(&world).code(), SIGNATURE);
    }
    let mut world = hopper();
    first(&mut world).pem = Some([b"\n", &genuine[..]].concat());
    assert_eq!(Parts::of(&world).code(), "accept", "white space around it");
}

/// A chain may come with the endorsements, in one piece or in many, in any order, and among others.
#[test]
fn chains_among_endorsements_find_their_devices() {
    let world = World::new(Arch::Hopper, 3);
    let mut bare = world.clone();
    bare.members.iter_mut().for_each(|member| member.pem = Some(Vec::new()));
    let mut parts = Parts { evidence: bare.evidence(), ..Parts::of(&world) };
    assert_eq!(parts.code(), "gpu.chain.missing");
    parts.certificates = world.members.iter().flat_map(|member| member.chain.ders()).collect();
    assert_eq!(
        parts.code(),
        "gpu.devices.duplicate",
        "all devices have one key: the first chain is that of all"
    );

    // Keys of their own.
    let mut world = World::new(Arch::Hopper, 2);
    let other = &mut world.members[1];
    other.chain.keys[0] = keys::stranger();
    other.chain.specs[0].spki = keys::stranger().spki().to_vec();
    other.report.sign(keys::stranger());
    let mut bare = world.clone();
    bare.members.iter_mut().for_each(|member| member.pem = Some(Vec::new()));
    let mut parts = Parts { evidence: bare.evidence(), ..Parts::of(&world) };
    parts.certificates = world.members.iter().flat_map(|member| member.chain.ders()).collect();
    assert_eq!(parts.code(), "accept");
    let claims = parts.claims();
    let own = Parts { evidence: world.evidence(), certificates: Vec::new(), ..parts.clone() };
    assert_eq!(claims, own.claims(), "the same as with the chains in the evidence");
    parts.certificates.reverse();
    assert_eq!(parts.claims(), claims, "in another order");
    let pem: Vec<Vec<u8>> = world.members.iter().map(|member| bundle(&member.chain.ders())).collect();
    let mut request = parts.request();
    request.endorsements.retain(|blob| !parts.certificates.contains(&blob.0));
    request.endorsements.extend(pem.into_iter().map(cc_core::message::Blob));
    let reply = Verifier::new(gpu::anchors(), 0).verify(&request);
    assert_eq!(reply_code(&reply), "accept", "as bundles");
    assert_eq!(reply.recognised.iter().filter(|name| *name == "gpu.chain").count(), 2);

    // What is not the chain of the device does not help, and is told.
    parts.certificates = world.members[1].chain.ders();
    assert_eq!(parts.code(), "gpu.chain.missing", "that of the other device");
    let mut lone = Parts { evidence: cc_core::gpu::encode(&[bare.members[0].device()]), ..parts.clone() };
    assert_eq!(lone.code(), "gpu.signature.invalid");
    lone.certificates.clear();
    assert_eq!(lone.code(), "gpu.chain.missing");
    parts.certificates = vec![world.members[0].chain.ders()[0].clone()];
    assert_eq!(parts.code(), "gpu.chain.untrusted_root");
}

/// Of two authorities with one name the one that signed is taken; and no chain is that of two devices.
#[test]
fn chains_are_put_together_by_signature_and_used_once() {
    let world = hopper();
    let genuine = world.members[0].chain.clone();
    let mut bare = world.clone();
    first(&mut bare).pem = Some(Vec::new());
    let mut decoy = genuine.clone();
    decoy.specs[2].spki = keys::stranger().spki().to_vec();
    let certificates = [vec![decoy.ders()[2].clone()], genuine.ders()].concat();
    let parts = Parts { evidence: bare.evidence(), certificates, ..Parts::of(&world) };
    assert_eq!(parts.code(), "accept");

    let mut two = World::new(Arch::Hopper, 2);
    for member in &mut two.members {
        member.pem = Some(Vec::new());
        member.report.signature[95] ^= 1;
    }
    let parts = Parts { evidence: two.evidence(), certificates: genuine.ders(), ..Parts::of(&world) };
    assert_eq!(parts.code(), "gpu.signature.invalid");
}

/// Each class of device has its own root.
#[test]
fn each_class_has_its_root() {
    let stranger = root_with_key(keys::stranger()).sign(keys::stranger());
    let roots = RootCertificates {
        device: root_der(),
        switch_device: root_der(),
        rim: rim::root_der(),
        switch_rim: rim::root_der(),
    };
    let code = |arch, roots| {
        let parts = Parts::of(&World::new(arch, 1));
        reply_code(&Verifier::new(Anchors::new(roots), 0).verify(&parts.request())).to_owned()
    };
    for (arch, changed, expected) in [
        (Arch::Hopper, RootCertificates { device: &stranger, ..roots }, "gpu.chain.untrusted_root"),
        (Arch::Hopper, RootCertificates { switch_device: &stranger, ..roots }, "accept"),
        (Arch::Hopper, RootCertificates { rim: &stranger, ..roots }, "gpu.rim.chain"),
        (Arch::Hopper, RootCertificates { switch_rim: &stranger, ..roots }, "accept"),
        (Arch::Hopper, RootCertificates { device: b"x", ..roots }, "gpu.chain.untrusted_root"),
        (Arch::Ls10, RootCertificates { switch_device: &stranger, ..roots }, "gpu.chain.untrusted_root"),
        (Arch::Ls10, RootCertificates { device: &stranger, ..roots }, "accept"),
        (Arch::Ls10, RootCertificates { switch_rim: &stranger, ..roots }, "gpu.rim.chain"),
        (Arch::Ls10, RootCertificates { rim: &stranger, ..roots }, "accept"),
    ] {
        assert_eq!(code(arch, changed), expected, "{arch:?}");
    }
}

/// The same device twice is told by its name, its attestation certificate or its fused identity.
#[test]
fn a_device_is_there_once() {
    let duplicate = |edit: fn(&mut DeviceChain)| {
        let mut world = World::new(Arch::Hopper, 2);
        edit(&mut world.members[1].chain);
        Parts::of(&world).code()
    };
    assert_eq!(duplicate(|_| {}), "accept");
    assert_eq!(
        duplicate(|chain| chain.specs[0].subject =
            DeviceChain::new(Arch::Hopper, 1, &FWID).specs[0].subject.clone()),
        "gpu.devices.duplicate",
        "the leaf's name"
    );
    // The same identity certificate under two leaves.
    let mut world = World::new(Arch::Hopper, 2);
    let identity = world.members[0].chain.ders();
    let issuer = world.members[0].chain.specs[1].subject.clone();
    let second = &mut world.members[1].chain;
    second.specs[0].issuer = issuer;
    let leaf = second.specs[0].sign(keys::device());
    let ders = [&[leaf], &identity[1..]].concat();
    world.members[0].pem = Some(bundle(&identity));
    world.members[1].pem = Some(bundle(&ders));
    assert_eq!(Parts::of(&world).code(), "gpu.devices.duplicate", "the fused identity");
}
