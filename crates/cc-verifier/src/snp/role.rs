//! Roles of AMD's certificates, told by common names (*verification.md* S11).

use super::product::{Kind, Product};

/// What a certificate is by its common name. A name proves nothing; it decides where a certificate is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// `ARK-<Product>`: the root.
    Root(Product),
    /// `SEV-<Product>` (ASK) or `SEV-VLEK-<Product>` (ASVK): issues the leaves of that kind.
    Issuer(Kind, Product),
    /// `SEV-VCEK` or `SEV-VLEK`: signs reports.
    Leaf(Kind),
}

impl Role {
    pub(super) fn of(common_name: &str) -> Option<Self> {
        let product = |prefix| common_name.strip_prefix(prefix).and_then(Product::from_name);
        match common_name {
            "SEV-VCEK" => Some(Self::Leaf(Kind::Vcek)),
            "SEV-VLEK" => Some(Self::Leaf(Kind::Vlek)),
            _ => product("ARK-")
                .map(Self::Root)
                .or_else(|| product("SEV-VLEK-").map(|p| Self::Issuer(Kind::Vlek, p)))
                .or_else(|| product("SEV-").map(|p| Self::Issuer(Kind::Vcek, p))),
        }
    }

    /// The name under which an endorsement is reported.
    pub(super) const fn recognised(self) -> &'static str {
        match self {
            Self::Root(_) => "snp.ark",
            Self::Issuer(Kind::Vcek, _) => "snp.ask",
            Self::Issuer(Kind::Vlek, _) => "snp.asvk",
            Self::Leaf(Kind::Vcek) => "snp.vcek",
            Self::Leaf(Kind::Vlek) => "snp.vlek",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        assert_eq!(Role::of("SEV-Genoa"), Some(Role::Issuer(Kind::Vcek, Product::Genoa)));
        assert_eq!(Role::of("SEV-VLEK-Genoa"), Some(Role::Issuer(Kind::Vlek, Product::Genoa)));
        assert_eq!(Role::of("ARK-Turin"), Some(Role::Root(Product::Turin)));
        for name in ["", "SEV-", "SEV-VLEK-", "SEV-genoa", "SEV-Genoa ", "SEV-VCEK-Genoa", "ARK-", "sev-vcek"]
        {
            assert_eq!(Role::of(name), None, "{name:?}");
        }
    }
}
