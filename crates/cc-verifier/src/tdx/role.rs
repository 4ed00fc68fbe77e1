//! Roles of Intel's certificates, told by common names (*verification.md* T4, T6).

/// What a certificate is by its common name. A name proves nothing; it decides where a certificate is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The root.
    Root,
    /// Issues PCK certificates.
    Issuer(Ca),
    /// Certifies a platform: signs reports of its quoting enclave.
    Pck,
    /// Signs TCB info and QE identity.
    TcbSigner,
}

/// Who issues PCK certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ca {
    /// For platforms that are registered as a whole.
    Platform,
    /// For single processors.
    Processor,
}

impl Role {
    pub(super) fn of(common_name: &str) -> Option<Self> {
        match common_name {
            "Intel SGX Root CA" => Some(Self::Root),
            "Intel SGX PCK Certificate" => Some(Self::Pck),
            "Intel SGX TCB Signing" => Some(Self::TcbSigner),
            _ => [Ca::Platform, Ca::Processor]
                .into_iter()
                .find(|ca| ca.common_name() == common_name)
                .map(Self::Issuer),
        }
    }
}

impl Ca {
    /// The name as it stands in certificates.
    pub(super) const fn common_name(self) -> &'static str {
        match self {
            Self::Platform => "Intel SGX PCK Platform CA",
            Self::Processor => "Intel SGX PCK Processor CA",
        }
    }

    /// The name in addresses of the provisioning service.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Processor => "processor",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        assert_eq!(Role::of("Intel SGX PCK Platform CA"), Some(Role::Issuer(Ca::Platform)));
        assert_eq!(Role::of("Intel SGX PCK Processor CA"), Some(Role::Issuer(Ca::Processor)));
        assert_eq!(Role::of("Intel SGX PCK Certificate"), Some(Role::Pck));
        assert_eq!(Role::of("Intel SGX TCB Signing"), Some(Role::TcbSigner));
        for name in ["", "Intel SGX PCK", "Intel SGX TCB Signing ", "intel SGX Root CA", "SGX Root CA"] {
            assert_eq!(Role::of(name), None, "{name:?}");
        }
    }
}
