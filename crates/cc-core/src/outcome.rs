//! The result of a verification: never a bool (*verification.md* 0.1).

use crate::{BoundField, Claims, Code, limits};

/// A coded reason with the values that led to it. The code is stable, the text is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable code.
    pub code: Code,
    /// What happened and which values were compared; never parsed, at most [`limits::MAX_DETAIL`] bytes.
    pub detail: String,
}

impl Finding {
    /// A finding; text beyond the limit is cut at a character boundary.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if detail.len() > limits::MAX_DETAIL {
            let end = (0..=limits::MAX_DETAIL).rev().find(|&i| detail.is_char_boundary(i)).unwrap_or(0);
            detail.truncate(end);
        }
        Self { code, detail }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Finding {}

/// What authentic evidence says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The claims; never empty.
    pub claims: Claims,
    /// The raw bound field, for the host to compare.
    pub bound: BoundField,
    /// The waivers that were needed, in the order of their checks.
    pub waived: Vec<Code>,
}

/// The outcome of verifying evidence.
///
/// Everything but `Accept` denies. `Indeterminate` differs from `Reject` only in that asking again later, or
/// with more endorsements, may give another answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The evidence is authentic and says this.
    Accept(Accepted),
    /// The evidence is refuted.
    Reject(Finding),
    /// It could not be decided, because something needed was not at hand.
    Indeterminate(Finding),
}

impl Outcome {
    /// `Reject` or `Indeterminate`, as the registry has it for the finding's code.
    pub fn denied(finding: Finding) -> Self {
        match finding.code.class() {
            crate::Class::Reject => Self::Reject(finding),
            crate::Class::Indeterminate => Self::Indeterminate(finding),
        }
    }

    /// The code, unless accepted.
    pub const fn code(&self) -> Option<&Code> {
        match self {
            Self::Accept(_) => None,
            Self::Reject(finding) | Self::Indeterminate(finding) => Some(&finding.code),
        }
    }
}

/// The missing-collateral findings that the caller accepts to live with, each by name (*decisions.md* 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waivers(Vec<Code>);

impl Waivers {
    /// No waivers.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Takes exactly the waivable codes; `Err` has the first one that is not.
    pub fn new(waived: impl IntoIterator<Item = Code>) -> Result<Self, Code> {
        let mut list = Vec::new();
        for code in waived {
            if !code.is_waivable() {
                return Err(code);
            }
            if !list.contains(&code) {
                list.push(code);
            }
        }
        Ok(Self(list))
    }

    /// Whether `code` is waived.
    pub fn covers(&self, code: &Code) -> bool {
        self.0.contains(code)
    }

    /// The waived codes.
    pub fn codes(&self) -> &[Code] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn only_missing_collateral_can_be_waived() {
        let waivers = Waivers::new([codes::SNP_CRL_MISSING, codes::SNP_CRL_MISSING]).unwrap();
        assert_eq!(waivers.codes(), [codes::SNP_CRL_MISSING]);
        for info in crate::registry() {
            let code = Code::parse(info.code).unwrap();
            assert_eq!(
                Waivers::new([code]).is_ok(),
                ["snp.crl.missing", "tdx.crl.missing", "gpu.ocsp.unavailable", "gpu.rim.not_found"]
                    .contains(&info.code),
                "{}",
                info.code
            );
        }
    }

    #[test]
    fn long_details_are_cut_on_a_character() {
        let finding = Finding::new(codes::PLUG_CONTRACT, "é".repeat(limits::MAX_DETAIL));
        assert_eq!(finding.detail.len(), limits::MAX_DETAIL);
    }
}
