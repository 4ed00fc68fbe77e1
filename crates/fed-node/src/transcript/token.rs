//! What a peer's token says without its evidence, and which refusals only the verifier could make.

use std::sync::Arc;

use cc_core::{Code, Finding, codes};
use fed_proto::bundle::Bundle;
use fed_proto::crypto::Digest;
use fed_proto::envelope::Envelope;
use fed_proto::round::JudgeOrder;
use fed_proto::token::{Checked, Look, Peer, check};

use super::line::Judging;
use super::round::Round;

/// Why a refusal cannot be seen in a file.
pub(super) const SILENT: &str = "it is what the verifier heard, and when";
pub(super) const CLOCK: &str = "it is about the verifier's clock";
pub(super) const EARLIER: &str = "it is about what the verifier knew from earlier rounds";

/// What came of a token.
#[derive(Debug)]
pub(super) enum Looked {
    /// It is in order; its evidence is to be judged.
    Order(Box<JudgeOrder>),
    /// It is refused.
    Refused(Finding),
    /// The file has none that the verifier judged.
    Silent(Finding),
}

/// Looks at a peer's token as the verifier did.
pub(super) fn look(round: &Round, peer: &Peer) -> Looked {
    let name = &peer.name;
    let Some(payload) = round.tokens.get(name) else {
        return Looked::Silent(if round.absent.contains(name) {
            Finding::new(codes::FL_MEMBER_MISSING, format!("{name} sent no token in time"))
        } else {
            Finding::new(codes::BIND_TOKEN_TOO_OLD, format!("{name} was not judged before the deadline"))
        });
    };
    let looked = Envelope::parse(payload).and_then(|envelope| {
        let Checked { binding, gpu_nonce, .. } = check(at(round, peer, None, false), &envelope)?;
        Ok(JudgeOrder {
            epoch: round.terms.epoch,
            peer: name.clone(),
            role: peer.role,
            envelope,
            binding,
            gpu_nonce,
            policy_digest: round.terms.policy_digest,
            bundle: Arc::<Bundle>::clone(&round.bundle),
        })
    });
    match looked {
        Ok(order) => Looked::Order(Box::new(order)),
        Err(finding) => Looked::Refused(finding),
    }
}

/// Whether the file bears out that only the verifier could say so: the token would be refused with this code had the
/// verifier known what it says.
pub(super) fn on_word(
    round: &Round,
    peer: &Peer,
    code: &Code,
    line: Option<&Judging>,
) -> Option<&'static str> {
    let payload = round.tokens.get(&peer.name)?;
    let envelope = Envelope::parse(payload).ok()?;
    let gives = |look| check(look, &envelope).is_err_and(|finding| finding.code == *code);
    let in_order = || check(at(round, peer, None, false), &envelope).is_ok();
    if *code == codes::BIND_TOKEN_TOO_OLD {
        return gives(at(round, peer, None, true)).then_some(SILENT);
    }
    if *code == codes::FL_RUNTIME_CHANGED {
        // Nobody states this digest.
        return gives(at(round, peer, Some(Some(Digest([0; 32]))), false)).then_some(EARLIER);
    }
    if *code == codes::CLK_UNTRUSTED {
        return (line.is_none() && in_order()).then_some(CLOCK);
    }
    let ended_there = line.is_some_and(|line| line.code.as_deref() == Some(code.as_str()));
    (rests_on_floors(code) && ended_there).then_some(EARLIER)
}

/// Whether a judgement with this code rests on the verifier's floors against rollback.
pub(super) fn rests_on_floors(code: &Code) -> bool {
    *code == codes::COLL_ROLLBACK || *code == codes::COLL_FLOORS_UNAVAILABLE
}

fn at<'a>(round: &'a Round, sender: &'a Peer, runtime: Option<Option<Digest>>, late: bool) -> Look<'a> {
    let required = round.required(sender.role);
    Look { me: &round.me.name, terms: &round.terms, sender, required, runtime, late }
}
