//! The same for Azure: claims of a container group by report or token, claims of a machine, and policies that affirm them.

use cc_core::{ClaimValue, Claims, Profile, TrustClass};
use cc_policy::{Appraisal, Policy};

use super::{NOW, context, filled, healthy, judge_as, map, parse, subject, tdx};

pub(crate) const DID: &str =
    "did:x509:0:sha256:I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s::eku:1.3.6.1.4.1.311.76.59.1.2";
pub(crate) const FEED: &str = "ContainerPlat-AMD-UVM";
pub(crate) const ISSUER: &str = "https://sharedweu.weu.attest.azure.net";
pub(crate) const POLICY_HASH: &str = "9NY0VnTQ-IiBriBplVUpFbczcDaEBUwsiFYAzHu_gco";

/// One of the three sections: how claims and policies are made for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) section: &'static str,
    pub(crate) profile: fn() -> Profile,
    pub(crate) healthy: fn() -> Claims,
    /// Lines of the section that must be there, each with its key. They are left empty for a knob of that name.
    needed: fn() -> Vec<(&'static str, String)>,
    /// The tables inside the section, which knobs of theirs complete.
    nested: fn(&str) -> String,
}

pub(crate) const ACI: Kind = Kind {
    section: "aci",
    profile: Profile::aci_raw_1,
    healthy: group,
    needed: || {
        vec![("cce_policy_allowlist", cce_policies()), ("uvm_min_svn", "uvm_min_svn = 100".to_owned())]
    },
    nested: |knobs| snp_table("aci", knobs),
};

pub(crate) const MAA: Kind = Kind {
    section: "maa",
    profile: Profile::aci_maa_1,
    healthy: token,
    needed: || {
        vec![
            ("cce_policy_allowlist", cce_policies()),
            ("issuers", format!("issuers = [\"https://other.example\", \"{ISSUER}\"]")),
            ("measurements", format!("measurements = [\"{}\", \"{}\"]", filled('b', 48), filled('a', 48))),
            ("min_tcb", "min_tcb = { bootloader = 4, tee = 0, snp = 24, microcode = 84 }".to_owned()),
        ]
    },
    nested: |knobs| snp_table("maa", knobs),
};

/// A machine on SNP.
pub(crate) const CVM: Kind = Kind {
    section: "azcvm",
    profile: Profile::az_cvm_vtpm_1,
    healthy: || machine(healthy("Genoa"), "snp"),
    needed: pcrs,
    nested: |knobs| {
        let measurements = format!("measurements = [\"{}\"]\n", filled('a', 48));
        snp_table("azcvm", &format!("{measurements}{knobs}"))
    },
};

/// A machine on TDX.
pub(crate) const CVM_TDX: Kind = Kind {
    healthy: || machine(tdx::healthy(), "tdx"),
    nested: |knobs| tdx::policy_text("", knobs).split_once("\n\n").unwrap().1.replace("[tdx", "[azcvm.tdx"),
    ..CVM
};

pub(crate) const KINDS: [Kind; 4] = [ACI, MAA, CVM, CVM_TDX];

impl Kind {
    /// A policy text; `head` stands above the section, `knobs` in it, `inner` in the processor's section inside.
    pub(crate) fn text(&self, head: &str, knobs: &str, inner: &str) -> String {
        let needed = (self.needed)().into_iter().map(|(key, line)| {
            let given = knobs.lines().any(|knob| knob.split([' ', '.']).next() == Some(key));
            if given { "\n".to_owned() } else { format!("{line}\n") }
        });
        let needed: String = needed.collect();
        let section = self.section;
        let nested = (self.nested)(inner).replace("[[tdx", "[[azcvm.tdx");
        format!("version = 1\n{head}\n[{section}]\n{needed}{knobs}\n{nested}")
    }

    pub(crate) fn policy(&self, head: &str, knobs: &str, inner: &str) -> Policy {
        let text = self.text(head, knobs, inner);
        parse(&text).unwrap_or_else(|error| panic!("{knobs} {inner}: {error}"))
    }

    pub(crate) fn judge(&self, claims: Claims, policy: &Policy) -> Appraisal {
        let subject = subject(claims, Vec::new(), TrustClass::Hardware);
        judge_as(&(self.profile)(), &subject, policy, &context())
    }
}

fn cce_policies() -> String {
    format!("cce_policy_allowlist = [\"{}\", \"{}\"]", filled('d', 32), filled('c', 32))
}

/// The claims of a report of a group whose CCE policy is `cc...`.
fn report() -> Claims {
    let mut c = healthy("Genoa");
    c.insert("host_data", filled('c', 32));
    c
}

fn group() -> Claims {
    let mut c = report();
    let uvm: [(&str, ClaimValue); 7] = [
        ("form", "header".into()),
        ("alg", "PS384".into()),
        ("issuer", DID.into()),
        ("feed", FEED.into()),
        ("guestsvn", 101_u64.into()),
        ("launchmeasurement", filled('a', 48).into()),
        ("signing_time", "2025-06-17T00:00:00Z".into()),
    ];
    c.insert("uvm", map(&uvm));
    c
}

/// The text of the group's CCE policy and what it allows.
pub(crate) fn cce_policy(findings: &[&str]) -> Claims {
    map(&[("sha256", filled('c', 32).into()), ("findings", findings.to_vec().into())])
}

fn token() -> Claims {
    let mut c = map(&[
        ("iss", ISSUER.into()),
        ("iat", (NOW - 10).into()),
        ("nbf", (NOW - 10).into()),
        ("exp", (NOW + 28_790).into()),
        ("attestation_type", "sevsnpvm".into()),
        ("compliance_status", "azure-compliant-uvm".into()),
        ("policy_hash", POLICY_HASH.into()),
        ("is_debuggable", false.into()),
        ("migration_allowed", false.into()),
        ("smt_allowed", true.into()),
        ("vmpl", 0_u64.into()),
        ("guestsvn", 2_u64.into()),
        ("bootloader_svn", 4_u64.into()),
        ("tee_svn", 0_u64.into()),
        ("snpfw_svn", 24_u64.into()),
        ("microcode_svn", 84_u64.into()),
        ("hostdata", filled('c', 32).into()),
        ("launchmeasurement", filled('a', 48).into()),
    ]);
    c.insert("report", report());
    c
}

/// Adds to the claims of a report those of paravisor and TPM. A PCR has its number in each byte.
fn machine(mut c: Claims, tee: &str) -> Claims {
    c.insert("tee", tee);
    let configuration = map(&[("secure-boot", true.into()), ("tpm-enabled", true.into())]);
    let hcl: [(&str, ClaimValue); 4] = [
        ("version", 2_u64.into()),
        ("user_data", filled('0', 64).into()),
        ("vm_configuration", configuration.into()),
        ("fresh", false.into()),
    ];
    c.insert("hcl", map(&hcl));
    let mut values = Claims::new();
    for number in 0..24_u64 {
        values.insert(&format!("{number:02}"), pcr(number));
    }
    let vtpm: [(&str, ClaimValue); 4] = [
        ("pcr_bank", "sha256".into()),
        ("pcr_selection", (0..24).collect::<Vec<u64>>().into()),
        ("pcrs", values.into()),
        ("safe", true.into()),
    ];
    c.insert("vtpm", map(&vtpm));
    c
}

pub(crate) fn pcr(number: u64) -> String {
    format!("{number:02x}").repeat(32)
}

fn pcrs() -> Vec<(&'static str, String)> {
    let (zero, four, other) = (pcr(0), pcr(4), filled('e', 32));
    vec![("pcrs", format!("pcrs = {{ 00 = [\"{zero}\"], 04 = [\"{other}\", \"{four}\"] }}"))]
}

fn snp_table(section: &str, knobs: &str) -> String {
    let line = |product: &str, rest: &str| format!("[{section}.snp.min_tcb.{product}]\n{rest}\n");
    let genoa = line("Genoa", "bootloader = 4\ntee = 0\nsnp = 24\nmicrocode = 84");
    let turin = line("Turin", "fmc = 1\nbootloader = 1\ntee = 1\nsnp = 4\nmicrocode = 81");
    format!("[{section}.snp]\n{knobs}\n{genoa}{turin}")
}

/// Changes a claim of a map inside the claims.
pub(crate) fn inside(claims: &mut Claims, path: &[&str], name: &str, value: impl Into<ClaimValue>) {
    match path.split_first() {
        None => claims.insert(name, value),
        Some((first, rest)) => {
            let mut map = claims.map(first).unwrap().clone();
            inside(&mut map, rest, name, value);
            claims.insert(first, map);
        }
    }
}
