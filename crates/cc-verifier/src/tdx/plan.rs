//! Which endorsements a quote needs, and where they are published (*verification.md* 2.5).

use cc_core::SECONDS_PER_DAY;
use cc_core::message::EndorsementRequest;

use super::chain::Chain;

/// Intel's provisioning certification service.
const SERVICE: &str = "https://api.trustedservices.intel.com";
/// Where Intel publishes the root's revocation list, whatever the name says.
const ROOT_CRL: &str = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

/// All collateral of the platform, even when some is at hand: whether that is the newest cannot be seen, and an old one
/// must not stand in for it. The FMSPC is that of a chain which ends in the anchor.
pub(super) fn requests(chain: &Chain) -> Vec<EndorsementRequest> {
    let fmspc = hex::encode(chain.pck.extension.fmspc);
    let ca = chain.issuer.ca.name();
    let requests = [
        ("tdx.tcb_info", format!("{SERVICE}/tdx/certification/v4/tcb?fmspc={fmspc}&update=early")),
        ("tdx.qe_identity", format!("{SERVICE}/tdx/certification/v4/qe/identity?update=early")),
        ("tdx.pck_crl", format!("{SERVICE}/sgx/certification/v4/pckcrl?ca={ca}&encoding=der")),
        ("tdx.root_crl", ROOT_CRL.to_owned()),
    ];
    let request = |(kind, url): (&str, _)| EndorsementRequest {
        kind: kind.to_owned(),
        url,
        max_age: SECONDS_PER_DAY,
        post: None,
    };
    requests.into_iter().map(request).collect()
}
