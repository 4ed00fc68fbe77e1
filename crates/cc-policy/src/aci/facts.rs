//! The claims that the steps need beside those of the report.

use cc_core::{ClaimValue, Claims};

use crate::facts::{Fact, bytes, integer, printable, read, read_text};

/// What the claims say.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) uvm_issuer: Fact<String>,
    pub(super) uvm_feed: Fact<String>,
    pub(super) uvm_measurement: Fact<[u8; 48]>,
    pub(super) uvm_svn: Fact<u64>,
    pub(super) measurement: Fact<[u8; 48]>,
    pub(super) host_data: Fact<[u8; 32]>,
    /// Absent where the text of the CCE policy did not come.
    pub(super) cce_policy: Fact<CcePolicy>,
}

/// What the text of the CCE policy says.
#[derive(Clone, Debug)]
pub(super) struct CcePolicy {
    pub(super) sha256: Fact<[u8; 32]>,
    /// The names of what would let somebody into the group.
    pub(super) allows: Fact<Vec<String>>,
}

impl Facts {
    pub(super) fn read(claims: &Claims) -> Self {
        let nothing = Claims::new();
        let uvm = claims.map("uvm").unwrap_or(&nothing);
        Self {
            uvm_issuer: read_text(uvm, "issuer", printable),
            uvm_feed: read_text(uvm, "feed", printable),
            uvm_measurement: bytes(uvm, "launchmeasurement"),
            uvm_svn: integer(uvm, "guestsvn"),
            measurement: bytes(claims, "measurement"),
            host_data: bytes(claims, "host_data"),
            cce_policy: read(claims, "cce_policy", |claims, name| {
                claims.map(name).map(|policy| {
                    Some(CcePolicy {
                        sha256: bytes(policy, "sha256"),
                        allows: read(policy, "findings", |c, n| Ok(names(c.value(n)))),
                    })
                })
            }),
        }
    }
}

/// Findings are written as `name (line n)`.
fn names(list: Option<&ClaimValue>) -> Option<Vec<String>> {
    let Some(ClaimValue::List(items)) = list else { return None };
    let name = |item: &ClaimValue| match item {
        ClaimValue::Text(text) => {
            let (name, _) = text.split_once(" (").unwrap_or((text, ""));
            printable(name).filter(|name| !name.is_empty())
        }
        _ => None,
    };
    items.iter().map(name).collect()
}
