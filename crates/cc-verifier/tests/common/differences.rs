//! What two verifiers say about a quote, and where they may differ.

use std::collections::BTreeSet;

use cc_core::Outcome;

use super::oracle::Opinion;

/// What both say about one quote.
pub(crate) struct Both {
    pub(crate) ours: Ours,
    pub(crate) theirs: Opinion,
    /// Whether the levels of the QE and of all modules stand in falling order, as Intel writes them.
    pub(crate) levels_fall: bool,
    /// Whether CPUSVN is the list of component SVNs, as in all of Intel's certificates.
    pub(crate) cpusvn_is_components: bool,
}

/// What we say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ours {
    Accepted { status: String, advisories: BTreeSet<String>, parts: Vec<String> },
    Denied { code: String, detail: String },
}

impl Ours {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Accept(accepted) => {
                let claims = serde_json::to_value(&accepted.claims).unwrap();
                let text = |name: &str| claims[name].as_str().map(str::to_owned);
                let advisories = claims["advisory_ids"].as_array().unwrap();
                let parts = ["platform_tcb_status", "module_tcb_status", "qe_tcb_status"];
                Self::Accepted {
                    status: text("tcb_status").unwrap(),
                    advisories: advisories.iter().map(|id| id.as_str().unwrap().to_owned()).collect(),
                    parts: parts.into_iter().filter_map(text).collect(),
                }
            }
            Outcome::Reject(finding) | Outcome::Indeterminate(finding) => {
                Self::Denied { code: finding.code.as_str().to_owned(), detail: finding.detail.clone() }
            }
        }
    }
}

impl Both {
    pub(crate) fn agree(&self) -> bool {
        match (&self.ours, &self.theirs) {
            (
                Ours::Accepted { status, advisories, .. },
                Opinion::Accepted { status: other, advisories: others },
            ) => status == other && advisories == others,
            (Ours::Denied { .. }, Opinion::Rejected(_)) => true,
            _ => false,
        }
    }

    /// We refuse with this code, saying this, what the oracle accepts.
    fn only_we_refuse(&self, refusal: &str, words: &str) -> bool {
        let denied =
            matches!(&self.ours, Ours::Denied { code, detail } if code == refusal && detail.contains(words));
        denied && matches!(self.theirs, Opinion::Accepted { .. })
    }

    /// The oracle refuses with these words what we accept.
    fn only_they_refuse(&self, words: &str) -> bool {
        let denied = matches!(&self.theirs, Opinion::Rejected(why) if why.contains(words));
        denied && matches!(self.ours, Ours::Accepted { .. })
    }

    /// Both accept with the same advisories; our status, its parts, and their status.
    fn statuses(&self) -> Option<(&str, &[String], &str)> {
        match (&self.ours, &self.theirs) {
            (
                Ours::Accepted { status, advisories, parts },
                Opinion::Accepted { status: other, advisories: others },
            ) if advisories == others => Some((status, parts, other)),
            _ => None,
        }
    }

    /// We accept, or refuse for what a level says.
    fn levels_decide(&self) -> bool {
        match &self.ours {
            Ours::Accepted { .. } => true,
            Ours::Denied { code, .. } => {
                ["tdx.tcb.not_found", "tdx.tcb.revoked", "tdx.tcb.unrecognized"].contains(&code.as_str())
            }
        }
    }

    /// What the difference is, without the values of the case.
    pub(crate) fn summary(&self) -> String {
        let words = |text: &str| text.split(|c: char| c.is_ascii_digit()).next().unwrap().to_owned();
        let ours = match &self.ours {
            Ours::Accepted { status, parts, .. } => format!("{status} of {parts:?}"),
            Ours::Denied { code, detail } => format!("{code} ({})", words(detail)),
        };
        let theirs = match &self.theirs {
            Opinion::Accepted { status, .. } => status.clone(),
            Opinion::Rejected(why) => words(why),
        };
        format!("ours {ours}, theirs {theirs}")
    }
}

/// Intel's own way to combine the status of the platform with that of a part: of a part only OutOfDate and Revoked
/// count.
fn converge(platform: &str, part: &str) -> String {
    let converged = match (part, platform) {
        ("OutOfDate", "UpToDate" | "SWHardeningNeeded") => "OutOfDate",
        ("OutOfDate", "ConfigurationNeeded" | "ConfigurationAndSWHardeningNeeded") => {
            "OutOfDateConfigurationNeeded"
        }
        _ => platform,
    };
    converged.to_owned()
}

/// A way in which both may differ.
pub(crate) struct Difference {
    /// What differs, and why we are as we are.
    pub(crate) name: &'static str,
    /// Whether a case falls under it.
    pub(crate) covers: fn(&Both) -> bool,
}

/// Where both may differ. We are stricter in what a quote, its certificates and its collateral must look like, as
/// *verification.md* 0.3, 0.6 and 2.2 ask; the oracle is stricter in what belongs to a policy here, and where Intel's
/// documents hold something that Intel never writes.
pub(crate) const DIFFERENCES: [Difference; 32] = [
    // We refuse, the oracle accepts: the quote.
    Difference {
        name: "T2: bytes after the signature data are nobody's word",
        covers: |b| b.only_we_refuse("tdx.format.length", "after the signature data"),
    },
    Difference {
        name: "T2: every size must be exact, not only large enough",
        covers: |b| b.only_we_refuse("tdx.format.length", "left over"),
    },
    Difference {
        name: "T3: the type of the outer certification data counts, too",
        covers: |b| b.only_we_refuse("tdx.certdata.unsupported", "certification data of type"),
    },
    Difference {
        name: "T3: exactly three certificates in one form of PEM; the oracle searches a path among up to five",
        covers: |b| b.only_we_refuse("tdx.certdata.unsupported", "three certificates in PEM"),
    },
    Difference {
        name: "T4: the chain in the quote ends in the anchor itself; the oracle does not look at a root in it",
        covers: |b| b.only_we_refuse("tdx.pck_chain.untrusted_root", "not the trust anchor"),
    },
    Difference {
        name: "T11: the upper half of the QE's report data is zero",
        covers: |b| b.only_we_refuse("tdx.qe_report_data.mismatch", "0000000000000000"),
    },
    Difference {
        name: "T14: no attribute of a TDX module, even when its identity asks for one",
        covers: |b| b.only_we_refuse("tdx.module.attributes", "SEAMATTRIBUTES"),
    },
    // We refuse, the oracle accepts: certificates and revocation lists.
    Difference {
        name: "T4: roles of certificates by common name",
        covers: |b| b.only_we_refuse("tdx.pck_chain.role", "common name"),
    },
    Difference {
        name: "T4: key usage, and no extension twice",
        covers: |b| {
            b.only_we_refuse("tdx.pck_chain.role", "keyUsage")
                || b.only_we_refuse("tdx.pck_chain.role", "an extension twice")
        },
    },
    Difference {
        name: "T4: all of the SGX extension is read, each item once; the oracle takes the first of what it needs",
        covers: |b| b.only_we_refuse("tdx.pck_chain.role", "malformed SGX extension"),
    },
    Difference {
        name: "T6: the signer by common name",
        covers: |b| b.only_we_refuse("tdx.tcb_info.role", "common name"),
    },
    Difference {
        name: "T6: the signer's key usage, and no extension twice",
        covers: |b| {
            b.only_we_refuse("tdx.tcb_info.role", "keyUsage")
                || b.only_we_refuse("tdx.tcb_info.role", "an extension twice")
        },
    },
    Difference {
        name: "T5: a revocation list of the future is not current",
        covers: |b| b.only_we_refuse("tdx.crl.expired", "is current from"),
    },
    Difference {
        name: "T5: a revocation list without number cannot be told from an older one",
        covers: |b| b.only_we_refuse("tdx.crl.signature", "no number"),
    },
    // We refuse, the oracle accepts: TCB info and QE identity.
    Difference {
        name: "T6: the one known version and type of TCB info",
        covers: |b| {
            b.only_we_refuse("tdx.tcb_info.version", "version")
                || b.only_we_refuse("tdx.tcb_info.version", "type")
        },
    },
    Difference {
        name: "0.11: no name twice in an object, also where nobody looks",
        covers: |b| {
            b.only_we_refuse("tdx.tcb_info.malformed", "is there twice")
                || b.only_we_refuse("tdx.qe_identity.malformed", "is there twice")
        },
    },
    Difference {
        name: "0.11: depth of JSON",
        covers: |b| {
            b.only_we_refuse("tdx.tcb_info.malformed", "nested deeper")
                || b.only_we_refuse("tdx.qe_identity.malformed", "nested deeper")
        },
    },
    Difference {
        name: "0.3: times in the one form in which Intel writes them",
        covers: |b| {
            b.only_we_refuse("tdx.tcb_info.malformed", "is not a time in UTC")
                || b.only_we_refuse("tdx.qe_identity.malformed", "is not a time in UTC")
        },
    },
    Difference { name: "T9: PCEID", covers: |b| b.only_we_refuse("tdx.pceid.mismatch", "PCEID") },
    Difference {
        name: "T12: what the QE identity expects outside its mask can never be there",
        covers: |b| b.only_we_refuse("tdx.qe_identity.mismatch", "attributes"),
    },
    Difference {
        name: "T15: levels that do not count must have 16 components, too",
        covers: |b| b.only_we_refuse("tdx.tcb.malformed", "components, not 16"),
    },
    // The oracle refuses, we accept.
    Difference {
        name: "T11: authentication data of any length, all of it hashed",
        covers: |b| b.only_they_refuse("Invalid QE auth data length"),
    },
    Difference {
        name: "T18: attributes of the TD are a matter of policy",
        covers: |b| {
            let words = [
                "Reserved bits in TD attributes",
                "SEPT_VE_DISABLE is not enabled",
                "TD migration is enabled",
                "SERVTD_EXT is enabled",
            ];
            words.iter().any(|words| b.only_they_refuse(words))
        },
    },
    Difference {
        name: "T14: a module with an identity needs no entry for modules without",
        covers: |b| b.only_they_refuse("missing tdxModule field"),
    },
    Difference {
        name: "T15: the levels of the launch count; TEE_TCB_SVN2 only tells whether to launch again",
        covers: |b| b.only_they_refuse("Failed to evaluate the current TDX TCB (TEE_TCB_SVN2)"),
    },
    Difference {
        name: "T5: a revocation list is current until its nextUpdate, that second included",
        covers: |b| b.only_they_refuse("CrlExpired"),
    },
    Difference {
        name: "T17: what a level that does not count says is not judged",
        covers: |b| b.only_they_refuse("unknown variant `Fine`"),
    },
    Difference {
        name: "2.3: a module or QE may have any status; for Intel only some",
        covers: |b| {
            let structures = ["in TDX module identity", "in QE Identity"];
            structures.iter().any(|structure| b.only_they_refuse(structure))
                && b.only_they_refuse("Unrecognized TCB status")
        },
    },
    // Both accept.
    Difference {
        name: "2.3: the worst status wins; for Intel, of module and QE only OutOfDate counts",
        covers: |b| {
            b.statuses().is_some_and(|(_, parts, theirs)| {
                parts.iter().skip(1).any(|part| !matches!(part.as_str(), "UpToDate" | "OutOfDate"))
                    && parts.iter().skip(1).fold(parts[0].clone(), |all, part| converge(&all, part)) == theirs
            })
        },
    },
    Difference {
        name: "2.3: relaunch only when platform and module are out of date and now the newest",
        covers: |b| {
            b.statuses().is_some_and(|(ours, _, theirs)| {
                ours.starts_with("OutOfDate") && theirs.starts_with("TDRelaunchAdvised")
            })
        },
    },
    // Documents and certificates of a kind that Intel does not make.
    Difference {
        name: "T15: component SVNs are compared, as Intel does; the oracle takes CPUSVN for them",
        covers: |b| !b.cpusvn_is_components && b.levels_decide(),
    },
    Difference {
        name: "T12, T16: levels of QE and modules are sorted; the oracle takes them as they stand",
        covers: |b| !b.levels_fall && b.levels_decide(),
    },
];
