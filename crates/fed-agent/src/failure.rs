//! What counts as a failure of a site's own attestation: with `on_failure = "shutdown"` it ends the site, and nobody else
//! ever ends for it (*workflow.md* 1.5.9).

use cc_core::{Class, Finding};
use fed_node::kit::OnFailure;
use fed_proto::name::Name;
use fed_proto::round::{Evidence, VerdictMap, is_refutation};

/// A report of its own that could not be made. Throttled hardware is no failure of attestation.
pub(crate) fn of_report(result: &Result<Evidence, Finding>) -> Option<&Finding> {
    result.as_ref().err().filter(|finding| finding.code.class() != Class::Indeterminate)
}

/// What the server says against it. That of peers decides about what is shared with them, and no silence or missing
/// collateral is held against anybody.
pub(crate) fn of_verdict<'a>(
    me: &Name,
    server: &Name,
    verifier: &Name,
    verdict: &'a VerdictMap,
) -> Option<&'a Finding> {
    let own = verdict.get(me).filter(|_| verifier == server)?.as_ref().err();
    own.filter(|finding| is_refutation(finding))
}

/// The failure that ends the site, if it is configured so.
pub(crate) fn fatal(on_failure: OnFailure, failure: Option<&Finding>) -> Option<Finding> {
    match on_failure {
        OnFailure::StopJobs => None,
        OnFailure::Shutdown => failure.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use cc_core::{Code, codes};

    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn report(code: Code) -> Result<Evidence, Finding> {
        Err(Finding::new(code, "emulated"))
    }

    #[test]
    fn on_failure_shutdown_ends_a_site_that_can_make_no_report() {
        let broken = report(codes::SNP_COLLECT_NO_DEVICE);
        assert_eq!(fatal(OnFailure::Shutdown, of_report(&broken)), broken.err());
        let made = Ok(Evidence {
            evidence: vec![1],
            aux: Vec::new(),
            devices: Vec::new(),
            endorsements: Vec::new(),
        });
        assert_eq!(fatal(OnFailure::Shutdown, of_report(&made)), None);
        let throttled = report(codes::SNP_COLLECT_THROTTLED);
        assert_eq!(fatal(OnFailure::Shutdown, of_report(&throttled)), None);
    }

    #[test]
    fn on_failure_stop_jobs_ends_no_site() {
        let broken = report(codes::SNP_COLLECT_NO_DEVICE);
        assert_eq!(fatal(OnFailure::StopJobs, of_report(&broken)), None);
        assert_eq!(fatal(OnFailure::default(), of_report(&broken)), None, "it is the default");
    }

    /// NVFlare's clients ended when a peer's token failed, and its server ended everybody.
    #[test]
    fn corner_case_9_only_the_servers_refutation_of_itself_ends_a_site() {
        let (me, server) = (name("site-1"), name("server"));
        let says = |verifier: &str, subject: &str, code: Code| {
            let verdict = VerdictMap::from([(name(subject), Err(Finding::new(code, "emulated")))]);
            let failure = of_verdict(&me, &server, &name(verifier), &verdict);
            fatal(OnFailure::Shutdown, failure).map(|finding| finding.code)
        };
        let old = codes::SNP_TCB_BELOW_MINIMUM;
        assert_eq!(says("server", "site-1", old.clone()), Some(old.clone()));
        assert_eq!(says("site-2", "site-1", old.clone()), None, "a peer's word");
        assert_eq!(says("site-1", "server", old.clone()), None, "its own word about the server");
        assert_eq!(says("server", "site-2", old), None, "about another one");
        for silent in [codes::FL_MEMBER_MISSING, codes::BIND_TOKEN_TOO_OLD, codes::SNP_CRL_MISSING] {
            assert_eq!(says("server", "site-1", silent.clone()), None, "{silent}");
        }
        let accepted = VerdictMap::from([(me.clone(), Ok(()))]);
        assert_eq!(of_verdict(&me, &server, &server, &accepted), None);
        assert_eq!(of_verdict(&me, &server, &server, &VerdictMap::new()), None);
    }
}
