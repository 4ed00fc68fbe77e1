//! Every peer judged again, the rules over the whole round, and the verdict made again.

use std::collections::BTreeMap;
use std::sync::Arc;

use cc_core::{Binding, Code, Finding, UnixTime, codes};
use cc_manager::attest::Subject;
use fed_proto::crypto::{sha256, sha512};
use fed_proto::descriptor::FederationProfile;
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::round::JudgeOrder;
use fed_proto::sybil::{self, Candidate, Identifiers};
use fed_proto::verdict::{Verdict, accepted_digest};

use super::line::Judging;
use super::record::Transcript;
use super::replay::{Rejudge, compare, with_used};
use super::report::{DescriptorFrom, Difference, Judged, OtherVerdict, Report, Tokens, Verdicts, Word};
use super::round::Round;
use super::token::{Looked, SILENT, look, on_word, rests_on_floors};
use crate::judge::{owner_policy, subject};

/// How one peer came out.
struct Settled {
    binding: Option<Binding>,
    result: Result<Identifiers, Finding>,
}

/// A transcript that is authentic, to be judged again.
pub(super) struct Rerun<'a> {
    pub(super) transcript: &'a Transcript,
    pub(super) round: &'a Round,
    /// The instant that the caller chose.
    pub(super) at: Option<UnixTime>,
}

impl Rerun<'_> {
    /// Judges everybody again and writes down what comes out.
    pub(super) async fn run(&self, judge: &impl Rejudge, report: &mut Report) {
        let round = self.round;
        let recorded: BTreeMap<Name, Code> = match Verdict::parse(&round.own_verdict.bytes) {
            Some(verdict) => verdict.refused.into_iter().collect(),
            None => BTreeMap::new(),
        };
        let lines: BTreeMap<&str, &Judging> =
            self.transcript.judgements.iter().map(|line| (line.subject.as_str(), line)).collect();
        let mut settled: BTreeMap<Name, Settled> = BTreeMap::new();
        for (name, peer) in round.peers.iter().filter(|(name, _)| round.judges(&round.me.name, name)) {
            let said = recorded.get(name);
            let line = lines.get(name.as_str()).copied();
            let (mut found, new) = match look(round, peer) {
                Looked::Silent(finding) => (self.silent(name, finding, said, report), None),
                Looked::Refused(finding) => (Settled { binding: None, result: Err(finding) }, None),
                Looked::Order(order) => self.judged(&order, line, said, judge, report).await,
            };
            let code_now = found.result.as_ref().err().map(|finding| finding.code.clone());
            if let Some(code) = said.filter(|code| code_now.as_ref() != Some(code))
                && let Some(why) = on_word(round, peer, code, line)
            {
                report.words.push(Word { subject: name.clone(), code: code.clone(), why });
                found.result = Err(Finding::new(code.clone(), "as the verifier says"));
            }
            report.judged.push(Judged {
                subject: name.clone(),
                role: peer.role,
                recorded: said.cloned(),
                found: found.result.as_ref().err().cloned(),
                at: line.map(|line| line.at.0),
                recorded_plugin: line.and_then(|line| line.plugin.as_ref()).map(Into::into),
                plugin: new.as_ref().and_then(|line| line.plugin.as_ref()).map(Into::into),
            });
            settled.insert(name.clone(), found);
        }
        for (name, (role, finding)) in &round.unknown {
            report.judged.push(unknown(name, *role, finding, recorded.get(name)));
        }
        self.unasked(&lines, report);
        self.shared_hardware(&mut settled, report);
        report.judged.sort_by(|a, b| a.subject.cmp(&b.subject));
        self.verdict(&settled, report);
        report.others = self.others();
        self.remarks(report);
    }

    /// A peer that nothing was heard of: the verifier's word, as long as it says one of the two things that can be said.
    fn silent(&self, name: &Name, finding: Finding, said: Option<&Code>, report: &mut Report) -> Settled {
        let silence = [codes::FL_MEMBER_MISSING, codes::BIND_TOKEN_TOO_OLD];
        let finding = match said.filter(|code| silence.contains(code)) {
            Some(code) => Finding::new(code.clone(), finding.detail),
            None => finding,
        };
        report.words.push(Word { subject: name.clone(), code: finding.code.clone(), why: SILENT });
        Settled { binding: None, result: Err(finding) }
    }

    /// A peer whose token is in order: its evidence is judged again.
    async fn judged(
        &self,
        order: &JudgeOrder,
        line: Option<&Judging>,
        said: Option<&Code>,
        judge: &impl Rejudge,
        report: &mut Report,
    ) -> (Settled, Option<Judging>) {
        let denied = |finding| (Settled { binding: None, result: Err(finding) }, None);
        let subject = match self.subject(order) {
            Ok(subject) => subject,
            Err(finding) => return denied(finding),
        };
        let Some(line) = line else {
            // As if it had not been judged in time, which is all that a verifier without a judgement can say.
            let text = format!("the file has no judgement of {}", order.peer);
            return denied(Finding::new(codes::TR_REPLAY_DIFFERS, text));
        };
        let subject = with_used(subject, line, self.transcript);
        let new = judge.judge(&subject, self.at.unwrap_or(line.at.0)).await;
        let code = |line: &Judging| line.code.as_deref().and_then(|code| Code::parse(code).ok());
        let by_floors = code(line).is_some_and(|code| rests_on_floors(&code) && said == Some(&code));
        report.differences.extend(compare(line, &new, by_floors));
        let result = match (&new.identifiers, code(&new)) {
            (Some(found), None) => Ok(Identifiers::from(found)),
            (_, Some(code)) => Err(Finding::new(code, new.detail.clone().unwrap_or_default())),
            (None, None) => Err(Finding::new(codes::TR_REPLAY_DIFFERS, "neither accepted nor refused")),
        };
        (Settled { binding: Some(order.binding.clone()), result }, Some(new))
    }

    fn subject(&self, order: &JudgeOrder) -> Result<Subject, Finding> {
        let floor = Arc::new(owner_policy(&order.bundle, order.role)?);
        subject(&self.round.terms.federation_id, floor, order)
    }

    /// Judgements of evidence that no token of the round has.
    fn unasked(&self, lines: &BTreeMap<&str, &Judging>, report: &mut Report) {
        let round = self.round;
        for name in lines.keys() {
            let known = Name::new(name)
                .is_ok_and(|name| round.tokens.contains_key(&name) && round.judges(&round.me.name, &name));
            if !known {
                let place = format!("judgement of {name}");
                report.differences.push(Difference::between(
                    place,
                    "evidence was judged",
                    "there was none to judge",
                ));
            }
        }
    }

    /// *verification.md* 5.8 rows 6 and 13.
    fn shared_hardware(&self, settled: &mut BTreeMap<Name, Settled>, report: &mut Report) {
        let bundle = &self.round.bundle;
        let accepted: Vec<Candidate<'_>> = settled
            .iter()
            .filter_map(|(name, found)| {
                let hardware = found.result.as_ref().ok()?;
                Some(Candidate { name, organisation: bundle.organisation(name), hardware })
            })
            .collect();
        for (name, finding) in sybil::refuse(&accepted, bundle.chip_quota) {
            if let Some(judged) = report.judged.iter_mut().find(|judged| judged.subject == name) {
                judged.found = Some(finding.clone());
            }
            if let Some(found) = settled.get_mut(&name) {
                found.result = Err(finding);
            }
        }
    }

    /// The verdict, made again.
    fn verdict(&self, settled: &BTreeMap<Name, Settled>, report: &mut Report) {
        let round = self.round;
        let accepted = settled.iter().filter(|(_, found)| found.result.is_ok());
        let accepted = accepted.filter_map(|(name, found)| Some((name, found.binding.as_ref()?)));
        let denied = settled.iter().filter_map(|(name, found)| Some((name, found.result.as_ref().err()?)));
        let unknown = round.unknown.iter().map(|(name, (_, finding))| (name, finding));
        let refused: BTreeMap<&Name, &Finding> = denied.chain(unknown).collect();
        let again = Verdict {
            federation_id: round.terms.federation_id,
            epoch: round.terms.epoch,
            purpose: round.terms.purpose,
            job_id: round.terms.job_id.clone(),
            root: round.terms.root,
            verifier: round.me.name.clone(),
            policy: sha256(self.transcript.policy.text.as_bytes()),
            accepted: accepted_digest(accepted),
            refused: refused.iter().map(|(name, finding)| ((*name).clone(), finding.code.clone())).collect(),
        };
        let found = again.bytes();
        let line = &self.transcript.verdict;
        let recorded = round.own_verdict.bytes.clone();
        if line.bytes.0 != recorded || line.signature.0 != round.own_verdict.signature.0 {
            let difference =
                Difference::between("verdict line", hex::encode(&line.bytes.0), hex::encode(&recorded));
            report.differences.push(difference);
        }
        self.reasons(report);
        let before = report.differences.len();
        for judged in &report.judged {
            let code = judged.found.as_ref().map(|finding| finding.code.clone());
            if code == judged.recorded {
                continue;
            }
            report.differences.push(Difference {
                code: code.unwrap_or(codes::TR_REPLAY_DIFFERS),
                place: format!("verdict on {}", judged.subject),
                recorded: shown(judged.recorded.as_ref(), ""),
                found: match &judged.found {
                    None => shown(None, ""),
                    Some(finding) => shown(Some(&finding.code), &finding.detail),
                },
            });
        }
        if found != recorded && report.differences.len() == before {
            report.differences.push(Difference::between(
                "verdict",
                hex::encode(&recorded),
                hex::encode(&found),
            ));
        }
        report.verdict = Some(Verdicts { recorded, found });
    }

    /// The reasons for people have the codes of the signed bytes.
    fn reasons(&self, report: &mut Report) {
        let signed =
            Verdict::parse(&self.round.own_verdict.bytes).map(|verdict| verdict.refused).unwrap_or_default();
        let signed: Vec<String> = signed.iter().map(|(name, code)| format!("{name} {code}")).collect();
        let written = self.transcript.verdict.refused.iter();
        let written: Vec<String> =
            written.map(|refused| format!("{} {}", refused.name, refused.code)).collect();
        if signed != written {
            report.differences.push(Difference::between("reasons", written.join(", "), signed.join(", ")));
        }
    }

    fn others(&self) -> Vec<OtherVerdict> {
        let others = self.round.verdicts.iter().map(|(verifier, verdict)| OtherVerdict {
            verifier: verifier.clone(),
            policy: verdict.policy,
            refused: verdict.refused.clone(),
            accepts: self.accepts(verdict),
        });
        others.collect()
    }

    /// Whether a verdict accepts the tokens that are in this file.
    fn accepts(&self, verdict: &Verdict) -> Tokens {
        let round = self.round;
        let refused = |name: &Name| verdict.refused.iter().any(|(other, _)| other == name);
        let mut bindings = BTreeMap::new();
        for name in round.peers.keys().chain(round.unknown.keys()).chain([&round.me.name]) {
            if refused(name) || !round.judges(&verdict.verifier, name) {
                continue;
            }
            let Some(token) = round.transcript_of(name) else { return Tokens::Unseen };
            bindings.insert(name.clone(), Binding::new(sha512(&token)));
        }
        if accepted_digest(&bindings) == verdict.accepted { Tokens::Same } else { Tokens::Other }
    }

    fn remarks(&self, report: &mut Report) {
        let mut plugins: Vec<String> = Vec::new();
        for judged in &report.judged {
            let (Some(then), Some(now)) = (&judged.recorded_plugin, &judged.plugin) else { continue };
            if then.sha256 != now.sha256 {
                plugins.push(format!(
                    "verified by {} {} ({}) instead of {} {} ({})",
                    now.name, now.version, now.sha256, then.name, then.version, then.sha256
                ));
            }
        }
        plugins.sort();
        plugins.dedup();
        report.notes.extend(plugins);
        if report.descriptor == DescriptorFrom::File {
            report.notes.push(
                "the federation is the one that the file names; give its descriptor to know that it is yours"
                    .to_owned(),
            );
        }
        if report.summary.as_ref().is_some_and(|summary| summary.profile == FederationProfile::Development) {
            report.notes.push("a development federation: emulated hardware counts in it".to_owned());
        }
    }
}

fn unknown(name: &Name, role: Role, finding: &Finding, recorded: Option<&Code>) -> Judged {
    Judged {
        subject: name.clone(),
        role,
        recorded: recorded.cloned(),
        found: Some(finding.clone()),
        at: None,
        recorded_plugin: None,
        plugin: None,
    }
}

fn shown(code: Option<&Code>, detail: &str) -> String {
    match code {
        None => "accepted".to_owned(),
        Some(code) if detail.is_empty() => format!("refused: {code}"),
        Some(code) => format!("refused: {code}: {detail}"),
    }
}
