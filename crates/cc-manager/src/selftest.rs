//! Last stage of loading: probes that need no hardware and that every honest plugin passes.

use cc_core::message::{MESSAGE_VERSION, PlanRequest, VerifyRequest};
use cc_core::{Finding, Profile, Role, UnixTime, codes};

use crate::Plugin;

/// Asks again who the plugin is, and for each profile that it verifies hands it empty evidence: it must deny,
/// in the form that the contract demands.
pub(crate) fn run(plugin: &Plugin) -> Result<(), Finding> {
    let again = plugin.identify().map_err(|finding| failed("second identify", &finding.to_string()))?;
    if again != *plugin.identity() {
        return Err(failed("identify", "two answers differ"));
    }
    let profiles = plugin.identity().profiles.iter();
    profiles
        .filter(|info| info.roles.contains(&Role::Verify))
        .try_for_each(|info| deny(plugin, &info.profile))
}

fn deny(plugin: &Plugin, profile: &Profile) -> Result<(), Finding> {
    let plan = PlanRequest {
        version: MESSAGE_VERSION,
        profile: profile.clone(),
        evidence: Vec::new(),
        endorsements: Vec::new(),
    };
    let Err(denial) = plugin.plan(&plan) else {
        return Err(failed("plan", "empty evidence was not denied"));
    };
    honest("plan", &denial)?;
    let verify = VerifyRequest {
        version: MESSAGE_VERSION,
        profile: profile.clone(),
        evidence: Vec::new(),
        endorsements: Vec::new(),
        waivers: Vec::new(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(0),
    };
    let answer = plugin.verify(&verify).map_err(|finding| failed("verify", &finding.to_string()))?;
    match answer.outcome {
        Ok(_) => Err(failed("verify", "empty evidence was accepted")),
        Err(finding) => honest("verify", &finding),
    }
}

/// A panic or a broken contract is a denial too, but not an honest one.
fn honest(call: &str, finding: &Finding) -> Result<(), Finding> {
    if [codes::PLUG_PANICKED, codes::PLUG_CONTRACT].contains(&finding.code) {
        return Err(failed(call, &finding.to_string()));
    }
    Ok(())
}

fn failed(call: &str, what: &str) -> Finding {
    Finding::new(codes::PLUG_SELFTEST_FAILED, format!("{call}: {what}"))
}
