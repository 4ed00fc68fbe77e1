//! Steps G3 and G4: what the certificates of a device prove, as far as it does not depend on time.

use aws_lc_rs::signature::ParsedPublicKey;
use cc_core::gpu::DeviceClass;
use cc_core::{Code, Finding, UnixTime, codes};

use super::anchors::{Anchor, Anchors};
use super::arch::{Arch, Place, of_provisioner};
use super::fwid;
use super::opaque::FWID_LENGTH;
use crate::ocsp::Subject;
use crate::pki::{
    Certificate, Curve, EcdsaKey, KeyUsage, Window, common_name, p384_key, pem, printed, serial_number,
};

/// Certificates of every chain: four and the root.
const LENGTH: usize = 5;

/// The chain of a device: roles, names and signatures are right, dates are not judged.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) arch: Arch,
    /// The chip in the spelling of the certificates.
    pub(super) chip: String,
    /// Leaf first, root last.
    pub(super) links: Vec<Link>,
    /// What is to be asked about it: all certificates but leaf and root, the device's first (G8).
    pub(super) subjects: Vec<Subject>,
    /// The attestation key.
    pub(super) key: ParsedPublicKey,
    /// The leaf's firmware identity.
    pub(super) fwid: Result<[u8; FWID_LENGTH], Finding>,
    /// The leaf's name as it is printed.
    pub(super) leaf: String,
    /// The root's name as it is printed.
    pub(super) root: String,
    /// The serialNumber attribute of the leaf's name, lower case.
    pub(super) ueid: String,
    /// The device's identifier on the links between devices: the last eight bytes of the serialNumber attribute of its
    /// identity certificate's name, after one that says what it is. Nothing where the attribute has another form.
    pub(super) pdi: Option<[u8; 8]>,
}

/// One certificate.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) der: Vec<u8>,
    window: Window,
}

impl Chain {
    /// Reads a chain as it came with a report.
    pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Finding> {
        pem::bundle(bytes).ok_or_else(|| {
            let detail = "the device's chain is not up to ten certificates in PEM".to_owned();
            Finding::new(codes::GPU_CHAIN_SIGNATURE, detail)
        })
    }

    /// Judges certificates, leaf first. `Err` is the first rejection.
    pub(super) fn judge(ders: Vec<Vec<u8>>, class: DeviceClass, anchors: &Anchors) -> Result<Self, Finding> {
        let anchor = anchors.device(class)?;
        if ders.last() != Some(&anchor.der) {
            let detail = "the last certificate of the device's chain is not the trust anchor";
            return Err(Finding::new(codes::GPU_CHAIN_UNTRUSTED_ROOT, detail));
        }
        if ders.len() != LENGTH {
            let detail = format!("{} certificates in the device's chain, it has {LENGTH}", ders.len());
            return Err(Finding::new(codes::GPU_CHAIN_LENGTH, detail));
        }
        let parsed = Place::ALL
            .into_iter()
            .zip(&ders)
            .map(|(place, der)| {
                let certificate = Certificate::parse(der).map_err(|error| refuse(place, &error))?;
                Ok((place, certificate))
            })
            .collect::<Result<Vec<_>, Finding>>()?;
        let (arch, chip) = architecture(&parsed, class)?;
        let leaf = links(&parsed, &chip, anchor)?;

        let leaf_name = |part: Result<String, _>| part.map_err(|error| refuse(Place::Leaf, &error));
        let key = p384_key(leaf.spki).map_err(|_| {
            let detail = "the key of the leaf certificate is not on P-384";
            Finding::new(codes::GPU_SIGNATURE_MALFORMED, detail)
        })?;
        let fwid = fwid::of_leaf(&leaf.extensions, arch).map_err(|_| {
            let detail =
                format!("the leaf certificate has no firmware identity of the form of {}", arch.name());
            Finding::new(codes::GPU_FWID_MISSING, detail)
        });
        let ueid = leaf_name(serial_number(leaf.subject).map(str::to_ascii_lowercase))?;
        let device = parsed.iter().find(|(place, _)| *place == Place::Device);
        let pdi = device.and_then(|(_, certificate)| pdi(certificate));
        let leaf = leaf_name(printed(leaf.subject))?;
        let root = leaf_name(printed(&anchor.subject))?;
        let pairs = Place::ALL.into_iter().zip(ders.iter().zip(ders.iter().skip(1))).skip(1);
        let subjects = pairs
            .map(|(place, (certificate, issuer))| {
                Subject::of(certificate, issuer).ok_or_else(|| refuse(place, &"cannot be asked about"))
            })
            .collect::<Result<_, _>>()?;
        let windows: Vec<_> =
            parsed.iter().map(|(_, certificate)| certificate.window).chain([anchor.window]).collect();
        let links = ders.into_iter().zip(windows).map(|(der, window)| Link { der, window }).collect();
        Ok(Self { arch, chip, links, subjects, key, fwid, leaf, root, ueid, pdi })
    }

    /// G4: all certificates are valid now; both ends of a span are inside it.
    pub(super) fn validity(&self, now: UnixTime) -> Result<(), Finding> {
        let names = Place::ALL.into_iter().map(Place::name).chain(["root"]);
        for (whose, Link { window: Window { from, until }, .. }) in names.zip(&self.links) {
            if now < *from {
                let detail = format!("{whose} certificate is valid from {from}, now is {now}");
                return Err(Finding::new(codes::GPU_CHAIN_NOT_YET_VALID, detail));
            }
            if now > *until {
                let detail = format!("{whose} certificate was valid until {until}, now is {now}");
                return Err(Finding::new(codes::GPU_CHAIN_EXPIRED, detail));
            }
        }
        Ok(())
    }

    /// G1: whether both are of one device: the same name, attestation certificate or fused identity.
    pub(super) fn is_of_same_device(&self, other: &Self) -> bool {
        let mut pairs = self.links.iter().zip(&other.links).take(2);
        self.ueid == other.ueid || pairs.any(|(one, another)| one.der == another.der)
    }
}

/// The identifier in the name of a device's identity certificate.
fn pdi(device: &Certificate<'_>) -> Option<[u8; 8]> {
    let number = hex::decode(serial_number(device.subject).ok()?).ok()?;
    let number = <[u8; 9]>::try_from(number).ok()?;
    number.last_chunk().copied()
}

/// G3: the architecture that the certificates name, which must be one of the device's class.
fn architecture(chain: &[(Place, Certificate<'_>)], class: DeviceClass) -> Result<(Arch, String), Finding> {
    let provisioner = chain.iter().find(|(place, _)| *place == Place::Provisioner);
    let name =
        provisioner.and_then(|(_, certificate)| common_name(certificate.subject).ok()).unwrap_or_default();
    match of_provisioner(name) {
        Some((arch, chip)) if arch.class() == class => Ok((arch, chip.to_owned())),
        _ => {
            let kind = match class {
                DeviceClass::Gpu => "GPUs",
                DeviceClass::Switch => "switches",
            };
            let detail = format!("the provisioner's certificate, {name:?}, is of no architecture of {kind}");
            Err(Finding::new(codes::GPU_ARCH_MISMATCH, detail))
        }
    }
}

/// G4: names, roles and signatures, from the root down. Returns the leaf.
fn links<'c, 'a>(
    chain: &'c [(Place, Certificate<'a>)],
    chip: &str,
    anchor: &Anchor,
) -> Result<&'c Certificate<'a>, Finding> {
    let mut issuer_name = anchor.subject.as_slice();
    let mut issuer_key = None;
    let mut leaf = None;
    for (below, (place, certificate)) in (0_u8..).zip(chain).collect::<Vec<_>>().into_iter().rev() {
        let place = *place;
        let name = common_name(certificate.subject).map_err(|error| refuse(place, &error))?;
        if !place.fits(name, chip) {
            return Err(refuse(place, &format!("its common name is {name:?}, the chip is {chip}")));
        }
        role(place, certificate, below).map_err(|what| refuse(place, &what))?;
        if certificate.issuer != issuer_name {
            return Err(refuse(place, &"its issuer is not the certificate above it"));
        }
        let key = issuer_key.as_ref().unwrap_or(&anchor.key);
        if !is_signed(certificate, key) {
            return Err(refuse(place, &"not signed with ECDSA and SHA-384 by the key of the one above it"));
        }
        if place == Place::Leaf {
            leaf = Some(certificate);
        } else {
            issuer_name = certificate.subject;
            issuer_key =
                Some(EcdsaKey::on(Curve::P384, certificate.spki).map_err(|error| refuse(place, &error))?);
        }
    }
    leaf.ok_or_else(|| refuse(Place::Leaf, &"not there"))
}

/// Version, constraints and usage of a certificate with so many issuers below it.
fn role(place: Place, certificate: &Certificate<'_>, position: u8) -> Result<(), &'static str> {
    if !certificate.is_v3 {
        return Err("not an X.509 v3 certificate");
    }
    if place != Place::Leaf {
        return certificate.judge_issuer(position.saturating_sub(1));
    }
    if certificate.extensions.duplicate().is_some() {
        return Err("an extension twice");
    }
    certificate.judge_end_entity()?;
    if !certificate.allows(KeyUsage::DIGITAL_SIGNATURE) {
        return Err("no critical keyUsage with digitalSignature");
    }
    Ok(())
}

fn is_signed(certificate: &Certificate<'_>, key: &EcdsaKey) -> bool {
    certificate.inner_algorithm == certificate.outer_algorithm
        && key.signs_with(certificate.outer_algorithm)
        && key.verifies(certificate.tbs, certificate.signature)
}

fn refuse(place: Place, what: &dyn std::fmt::Display) -> Finding {
    finding(codes::GPU_CHAIN_SIGNATURE, place, what)
}

fn finding(code: Code, place: Place, what: &dyn std::fmt::Display) -> Finding {
    Finding::new(code, format!("{} certificate: {what}", place.name()))
}
