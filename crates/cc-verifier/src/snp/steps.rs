//! Steps S10 to S20 over one path: one leaf candidate under one issuer.

use cc_core::{Code, Finding, UnixTime, Waivers, codes};

use super::chain::{Chains, Line};
use super::extensions::{LeafExtensions, Owner};
use super::form::Form;
use super::issuer::{Issuer, Revocations};
use super::leaf::{Leaf, LeafKey};
use super::product::{Product, Tcb};
use super::signature;
use crate::pki::Window;

/// A leaf with its issuer and product line, as far as there are such.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    pub(super) chains: &'a Chains,
    pub(super) line: Option<&'a Line>,
    pub(super) issuer: Option<&'a Result<Issuer, Finding>>,
    pub(super) leaf: Option<&'a Leaf>,
    /// Whether the issuer signed the leaf; `None` when one of them is absent.
    pub(super) link: Option<&'a Result<(), Finding>>,
}

/// A path which no step rejects.
pub(super) struct Passed<'a> {
    /// The first thing that was missing and not waived: the outcome, if there is one.
    pub(super) missing: Option<Finding>,
    /// Waivers that were used, in the order of their steps.
    pub(super) waived: Vec<Code>,
    pub(super) product: Option<Product>,
    pub(super) leaf: Option<(&'a LeafExtensions, Window)>,
    pub(super) crl: Option<&'a Revocations>,
}

/// Checks a path. `Err` is the first rejection in the order of the steps; what is missing is noted, and every step
/// that does not need it is taken (*decisions.md* 1).
pub(super) fn check<'a>(
    form: &Form<'_>,
    path: Path<'a>,
    waivers: &Waivers,
    now: UnixTime,
) -> Result<Passed<'a>, Finding> {
    let mut passed = Passed { missing: None, waived: Vec::new(), product: None, leaf: None, crl: None };
    let root = root(path)?; // S10
    let (issuer, leaf) = chain(form, path, &mut passed)?; // S11
    validity(root, issuer, leaf, now)?; // S12
    revocation(path, issuer, waivers, now, &mut passed)?; // S13
    let extensions = match path.leaf {
        Some(leaf) => Some(leaf.extensions.as_ref().map_err(Clone::clone)?), // S14
        None => None,
    };
    passed.product = path.line.map(|line| line.product);
    if let Some(extensions) = extensions {
        product_name(extensions, passed.product)?; // S15
    }
    let fixed = signature::well_formed(form.report)?; // S16
    if let (Some(leaf), Some(extensions)) = (leaf, extensions) {
        signature::verify(form.report, &fixed, &leaf.key)?;
        chip_id(form, extensions)?; // S17
        reported_tcb(form, extensions)?; // S19
        passed.leaf = Some((extensions, leaf.window));
    }
    tcb_consistency(form)?; // S20
    Ok(passed)
}

impl Passed<'_> {
    fn miss(&mut self, code: Code, detail: String) {
        self.missing.get_or_insert_with(|| Finding::new(code, detail));
    }
}

/// S10: the root is the trust anchor of the product line.
fn root(path: Path<'_>) -> Result<Option<Window>, Finding> {
    match path.line {
        Some(line) => line.root.clone().map(Some),
        None => path.chains.root_without_line.clone().map(|()| None),
    }
}

/// S11: roles, algorithms and signatures.
fn chain<'a>(
    form: &Form<'_>,
    path: Path<'a>,
    passed: &mut Passed<'_>,
) -> Result<(Option<&'a Issuer>, Option<&'a LeafKey>), Finding> {
    let whose = path.line.map_or(String::new(), |line| format!(" of {}", line.product));
    let issuer = match path.issuer {
        Some(issuer) => Some(issuer.as_ref().map_err(Clone::clone)?),
        None => {
            let detail = format!("no {}{whose} among the endorsements", form.kind.issuer_name());
            passed.miss(codes::SNP_CHAIN_MISSING, detail);
            None
        }
    };
    let leaf = match path.leaf {
        Some(leaf) => Some(leaf.judged.as_ref().map_err(Clone::clone)?),
        None => {
            let detail = format!("no {}{whose} among the endorsements", form.kind);
            passed.miss(codes::SNP_CHAIN_MISSING, detail);
            None
        }
    };
    if let Some(link) = path.link {
        link.clone()?;
    }
    Ok((issuer, leaf))
}

/// S12: all certificates are valid now; both ends of a span are inside it.
fn validity(
    root: Option<Window>,
    issuer: Option<&Issuer>,
    leaf: Option<&LeafKey>,
    now: UnixTime,
) -> Result<(), Finding> {
    let windows = [
        ("root", root),
        ("intermediate", issuer.map(|issuer| issuer.window)),
        ("leaf", leaf.map(|leaf| leaf.window)),
    ];
    for (whose, window) in windows {
        let Some(Window { from, until }) = window else { continue };
        if now < from {
            let detail = format!("{whose} certificate is valid from {from}, now is {now}");
            return Err(Finding::new(codes::SNP_CHAIN_NOT_YET_VALID, detail));
        }
        if now > until {
            let detail = format!("{whose} certificate was valid until {until}, now is {now}");
            return Err(Finding::new(codes::SNP_CHAIN_EXPIRED, detail));
        }
    }
    Ok(())
}

/// S13: a current list of the root is there, and no authentic list revokes the intermediate. The leaf is issued by
/// the intermediate, so no list of the root speaks of it.
fn revocation<'a>(
    path: Path<'a>,
    issuer: Option<&Issuer>,
    waivers: &Waivers,
    now: UnixTime,
    passed: &mut Passed<'a>,
) -> Result<(), Finding> {
    if issuer.is_some_and(|issuer| issuer.revoked) {
        let detail = "the serial number of the intermediate certificate is on the root's revocation list";
        return Err(Finding::new(codes::SNP_CHAIN_REVOKED, detail));
    }
    let crls = path.line.map_or(&[][..], |line| &line.crls);
    if crls.is_empty() {
        if waivers.covers(&codes::SNP_CRL_MISSING) {
            passed.waived.push(codes::SNP_CRL_MISSING);
        } else {
            passed.miss(
                codes::SNP_CRL_MISSING,
                "no revocation list of the root among the endorsements".to_owned(),
            );
        }
        return Ok(());
    }
    let mut rejection = None;
    for crl in crls {
        match crl.as_ref().map_err(Clone::clone).and_then(|crl| currency(crl, now)) {
            Ok(crl) if passed.crl.is_none_or(|best| best.number < crl.number) => passed.crl = Some(crl),
            Ok(_) => {}
            Err(finding) => rejection = rejection.or(Some(finding)),
        }
    }
    match rejection {
        Some(finding) if passed.crl.is_none() => Err(finding),
        _ => Ok(()),
    }
}

/// Whether a list is current. One that does not say when the next is due could be kept back for ever.
fn currency(crl: &Revocations, now: UnixTime) -> Result<&Revocations, Finding> {
    let expired = |detail: String| Err(Finding::new(codes::SNP_CRL_EXPIRED, detail));
    let Some(next_update) = crl.next_update else {
        return expired("the revocation list has no nextUpdate".to_owned());
    };
    if now < crl.this_update || now > next_update {
        let detail = format!(
            "the revocation list is current from {} until {next_update}, now is {now}",
            crl.this_update
        );
        return expired(detail);
    }
    Ok(crl)
}

/// S15: the leaf names the product line of the processor. The stepping is ignored. Without a product line the report is
/// of version 2 and the leaf of a line that never made such reports.
fn product_name(extensions: &LeafExtensions, product: Option<Product>) -> Result<(), Finding> {
    if product.is_some() && extensions.product() == product {
        return Ok(());
    }
    let whose = product.map_or("Milan or Genoa", Product::name);
    let detail = format!("the leaf is for {:?}, the report is of {whose}", extensions.product_name);
    Err(Finding::new(codes::SNP_PRODUCT_MISMATCH, detail))
}

/// S17: the processor is the leaf's. A masked CHIP_ID names none and becomes a claim (*decisions.md* 8).
fn chip_id(form: &Form<'_>, extensions: &LeafExtensions) -> Result<(), Finding> {
    let Owner::Chip(hwid) = &extensions.owner else { return Ok(()) };
    let chip_id = form.report.chip_id();
    let same = chip_id.strip_prefix(hwid.as_slice()).is_some_and(|rest| rest.iter().all(|byte| *byte == 0));
    if same || form.chip_id_is_zero() {
        return Ok(());
    }
    let detail = format!("CHIP_ID is {}, the leaf is for {}", hex::encode(chip_id), hex::encode(hwid));
    Err(Finding::new(codes::SNP_CHIP_ID_MISMATCH, detail))
}

/// S19: REPORTED_TCB is the leaf's, in every byte.
fn reported_tcb(form: &Form<'_>, extensions: &LeafExtensions) -> Result<(), Finding> {
    let reported = form.report.reported_tcb();
    if reported == extensions.tcb {
        return Ok(());
    }
    let detail =
        format!("REPORTED_TCB is {}, the leaf is for {}", hex::encode(reported), hex::encode(extensions.tcb));
    Err(Finding::new(codes::SNP_TCB_CERT_MISMATCH, detail))
}

/// S20: neither REPORTED nor COMMITTED is above CURRENT, component by component; nor is the committed firmware
/// version.
fn tcb_consistency(form: &Form<'_>) -> Result<(), Finding> {
    let report = form.report;
    let inconsistent = |detail: String| Err(Finding::new(codes::SNP_TCB_INCONSISTENT, detail));
    // Reserved bytes were judged in S3; undecodable here would mean that they were not.
    let decode = |name: &str, tcb: [u8; 8]| {
        Tcb::decode(tcb, form.layout())
            .map_err(|_| Finding::new(codes::SNP_FORMAT_RESERVED, format!("{name} is {}", hex::encode(tcb))))
    };
    let current = decode("CURRENT_TCB", report.current_tcb())?;
    for (name, tcb) in [("REPORTED_TCB", report.reported_tcb()), ("COMMITTED_TCB", report.committed_tcb())] {
        if let Some((component, level, limit)) = decode(name, tcb)?.above(&current) {
            return inconsistent(format!("{name} has {component} {level}, CURRENT_TCB has {limit}"));
        }
    }
    let (committed, current) = (report.committed_version(), report.current_version());
    if committed > current {
        return inconsistent(format!("committed firmware {committed} is above current firmware {current}"));
    }
    Ok(())
}
