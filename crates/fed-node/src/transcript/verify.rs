//! Verifying a transcript from end to end.
//!
//! Steps (names match the tests): 1 `parse`: size, chain, forms  2 `descriptor`  3 `round`: everything that was signed,
//! see [`super::round`]  4 `seal`: by the key that the round knows as the verifier's  5 `replay` of every judgement, see
//! [`super::rerun`]  6 `sybil`: the rules over the whole round  7 `verdict`: made again, compared byte for byte. The first failure of 1 to
//! 4 ends it: the file is not authentic. Steps 5 to 7 collect.

use cc_core::{Finding, UnixTime, codes};
use cc_manager::Host;
use cc_manager::attest::{Federation, PolicyFile};
use fed_proto::descriptor::{Descriptor, FederationProfile};

use super::record::{Transcript, seal_message};
use super::replay::{Rejudge, Replayer, Unfit};
use super::report::{DescriptorFrom, Difference, Outcome, Report, Summary};
use super::rerun::Rerun;
use super::round::{Instants, derive};

/// What the caller brings.
#[derive(Clone, Debug)]
pub struct Options {
    /// The plugins that verify.
    pub host: Host,
    /// The federation, from a source that the caller trusts; without one the file's own is believed.
    pub descriptor: Option<Descriptor>,
    /// Judge the peers as of this instant instead of the recorded ones.
    pub at: Option<UnixTime>,
}

/// Verifies a transcript: see the module's text for the steps. Reads nothing but its arguments, writes nothing, and
/// admits nobody.
pub async fn verify(bytes: &[u8], options: Options) -> Report {
    let Options { host, descriptor, at } = options;
    verify_by(bytes, descriptor, at, |federation, policy| Replayer::new(host, federation, policy)).await
}

/// The same by whoever judges.
pub(super) async fn verify_by<J: Rejudge>(
    bytes: &[u8],
    given: Option<Descriptor>,
    at: Option<UnixTime>,
    judge: impl FnOnce(Federation, PolicyFile) -> Result<J, Unfit>,
) -> Report {
    let from = if given.is_some() { DescriptorFrom::Given } else { DescriptorFrom::File };
    let mut report = Report::new(from, at);
    let (transcript, sealed) = match Transcript::parse(bytes) {
        Ok(parsed) => parsed,
        Err(finding) => return report.not_authentic(Difference::refused("file", finding)),
    };
    let descriptor = match descriptor(&transcript, given) {
        Ok(descriptor) => descriptor,
        Err(difference) => return report.not_authentic(difference),
    };
    report.summary = Some(Summary::of(&transcript, &descriptor));
    let instants = Instants { recorded: recorded_instant(&transcript), chosen: at };
    let round = match derive(&transcript, &descriptor, instants) {
        Ok(round) => round,
        Err(difference) => return report.not_authentic(difference),
    };
    if round.me.key.verify(&seal_message(&sealed.digest), &sealed.signature).is_err() {
        let text = format!("it is not signed by the attestation key of {}", round.me.name);
        return report.not_authentic(Difference::refused("seal", Finding::new(codes::TR_SEAL_INVALID, text)));
    }
    if let Some(now) = at.filter(|now| *now >= round.bundle.not_after) {
        let text = format!("the bundle ended {}, the chosen instant is {now}", round.bundle.not_after);
        report.differences.push(Difference::refused("bundle", Finding::new(codes::POL_ROLLBACK, text)));
    }
    let federation = match descriptor.profile {
        FederationProfile::Production => Federation::Production,
        FederationProfile::Development => Federation::Development,
    };
    let policy = PolicyFile::parse(&transcript.policy.text, &transcript.policy.name)
        .map_err(|error| Unfit::Policy(Finding::new(codes::POL_FORMAT_INVALID, error.to_string())));
    let judge = match policy.and_then(|policy| judge(federation, policy)) {
        Ok(judge) => judge,
        Err(Unfit::Policy(finding)) => {
            return report.failed(Outcome::Differs, Difference::refused("the site's policy", finding));
        }
        Err(Unfit::Plugins(finding)) => {
            return report.failed(Outcome::NoPlugin, Difference::refused("plugins", finding));
        }
    };
    let rerun = Rerun { transcript: &transcript, round: &round, at };
    rerun.run(&judge, &mut report).await;
    report.ended()
}

/// The descriptor that is believed.
fn descriptor(transcript: &Transcript, given: Option<Descriptor>) -> Result<Descriptor, Difference> {
    let own = Descriptor::parse(&transcript.head.descriptor).map_err(|error| {
        Difference::refused("descriptor", Finding::new(codes::TR_FORMAT_INVALID, error.to_string()))
    })?;
    let Some(given) = given else { return Ok(own) };
    let (recorded, trusted) = (own.federation_id(), given.federation_id());
    if recorded == trusted {
        return Ok(given);
    }
    Err(Difference {
        code: codes::BIND_FEDERATION_MISMATCH,
        place: "descriptor".to_owned(),
        recorded: format!("federation {recorded}"),
        found: format!("the given descriptor is of federation {trusted}"),
    })
}

/// When the round was: enrolments were verified just before the first judgement.
fn recorded_instant(transcript: &Transcript) -> UnixTime {
    let judged = transcript.judgements.iter().map(|judging| judging.at.0);
    judged.chain([transcript.head.at.0]).min().unwrap_or(transcript.head.at.0)
}
