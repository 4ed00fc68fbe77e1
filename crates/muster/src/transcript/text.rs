//! The results for people: the outcome first, then the round, then who judged whom.

use std::fmt::Write as _;

use cc_core::Finding;
use fed_node::transcript::{DescriptorFrom, Outcome, PluginUse, Report, Shown, Summary, Tokens};

use super::first;
use super::json::Verified;
use crate::human::reason;
use crate::output::{BAD, DIM, GOOD, HEADING, UNSURE, visible};

/// Longest value of a difference, in characters; JSON has it whole.
const VALUE_WIDTH: usize = 200;

pub(super) fn not_loaded(verified: &Verified) -> String {
    let code = verified.code.as_deref().unwrap_or_default();
    let detail = verified.detail.as_deref().unwrap_or_default();
    format!("{BAD}NOT VERIFIED{BAD:#} {code}\n{}", reason(code, detail))
}

/// `transcript verify`.
pub(super) fn verified(report: &Report) -> String {
    let mut text = String::new();
    let code = first(report);
    let denied = |style, word: &str, code: Option<Finding>| {
        let (code, detail) =
            code.map(|finding| (finding.code.to_string(), finding.detail)).unwrap_or_default();
        format!("{style}{word}{style:#} {code}\n{}", reason(&code, &shorten(&detail)))
    };
    text.push_str(&match report.outcome {
        Outcome::Same => format!("{GOOD}SAME VERDICT{GOOD:#} everything is authentic and comes out again\n"),
        Outcome::Differs => denied(BAD, "DIFFERS", code),
        Outcome::NotAuthentic => denied(BAD, "NOT AUTHENTIC", code),
        Outcome::NoPlugin => denied(UNSURE, "NOT VERIFIED", code),
    });
    if let Some(summary) = &report.summary {
        let from = match report.descriptor {
            DescriptorFrom::Given => String::new(),
            DescriptorFrom::File => format!(" {UNSURE}(as the file says){UNSURE:#}"),
        };
        text.push_str(&round(summary, &from));
    }
    if let Some(at) = report.replayed_at {
        let _ = writeln!(text, "  judged at  {at} (replayed: says nothing about now)");
    }
    if !report.judged.is_empty() {
        let _ = writeln!(
            text,
            "{HEADING}{:<20} {:<10} {:<32} {:<32} at{HEADING:#}",
            "Judged", "role", "recorded", "found"
        );
        for judged in &report.judged {
            let outcome = |code: Option<String>| code.unwrap_or_else(|| "accepted".to_owned());
            let recorded = outcome(judged.recorded.as_ref().map(ToString::to_string));
            let found = outcome(judged.found.as_ref().map(|finding| finding.code.to_string()));
            let style = match (&judged.found, recorded == found) {
                (_, false) => BAD,
                (None, true) => GOOD,
                (Some(_), true) => UNSURE,
            };
            let at = judged.at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            let _ = writeln!(
                text,
                "  {:<18} {:<10} {recorded:<32} {style}{found:<32}{style:#} {at}{}",
                judged.subject,
                judged.role,
                emulated(judged.plugin.as_ref())
            );
        }
    }
    if !report.words.is_empty() {
        let _ = writeln!(text, "{HEADING}On the verifier's word{HEADING:#}");
        for word in &report.words {
            let _ = writeln!(text, "  {:<18} {} ({})", word.subject, word.code, word.why);
        }
    }
    if !report.others.is_empty() {
        let _ = writeln!(text, "{HEADING}Verdicts of others, signed by them{HEADING:#}");
        for other in &report.others {
            let accepts = match other.accepts {
                Tokens::Same => "accepts the others as shown here",
                Tokens::Other => "accepts other tokens than those here",
                Tokens::Unseen => "accepts tokens that are not here",
            };
            let refused = refusals(other.refused.iter().map(|(name, code)| (name.as_str(), code.as_str())));
            let _ = writeln!(text, "  {:<18} {refused}{accepts}", other.verifier);
        }
    }
    if !report.differences.is_empty() {
        let _ = writeln!(text, "{HEADING}Differences{HEADING:#}");
        for difference in &report.differences {
            let _ =
                writeln!(text, "  {HEADING}{}{HEADING:#} {}", difference.code, visible(&difference.place));
            let _ = writeln!(text, "    recorded {}", shorten(&difference.recorded));
            let _ = writeln!(text, "    found    {}", shorten(&difference.found));
        }
    }
    for note in &report.notes {
        let _ = writeln!(text, "{DIM}note: {}{DIM:#}", visible(note));
    }
    text
}

/// `transcript show`.
pub(super) fn shown(shown: &Result<Shown, Finding>) -> String {
    let shown = match shown {
        Ok(shown) => shown,
        Err(finding) => {
            let code = finding.code.as_str();
            return format!("{BAD}NOT READABLE{BAD:#} {code}\n{}", reason(code, &finding.detail));
        }
    };
    let mut text = format!("{UNSURE}NOT VERIFIED{UNSURE:#} what the transcript says of itself\n");
    text.push_str(&round(&shown.summary, ""));
    let _ = writeln!(text, "  contents   {} messages, {} objects", shown.messages, shown.objects);
    let _ = writeln!(
        text,
        "{HEADING}{:<18} {:<18} {:<32} {:<21} evidence{HEADING:#}",
        "Verifier", "subject", "outcome", "at"
    );
    for judgement in &shown.judgements {
        let outcome = judgement.code.as_deref().unwrap_or("accepted");
        let style = if judgement.code.is_none() { GOOD } else { BAD };
        let digest: String = judgement.evidence.to_string().chars().take(16).collect();
        let _ = writeln!(
            text,
            "{:<18} {:<18} {style}{:<32}{style:#} {:<21} {} {DIM}{digest}…{DIM:#}{}",
            shown.summary.verifier,
            visible(&judgement.subject),
            visible(outcome),
            judgement.at.to_string(),
            visible(&judgement.profile),
            emulated(judgement.plugin.as_ref()),
        );
        let line = judgement.policy_line.as_deref();
        for more in judgement.detail.as_deref().into_iter().chain(line) {
            let _ = writeln!(text, "{:<38}{DIM}{}{DIM:#}", "", shorten(more));
        }
    }
    let judged = |name: &str| shown.judgements.iter().any(|judgement| judgement.subject == name);
    for verdict in &shown.verdicts {
        let own = verdict.verifier == shown.summary.verifier;
        let refused = verdict.refused.iter().filter(|(name, _)| !own || !judged(name.as_str()));
        let mut none = true;
        for (name, code) in refused {
            none = false;
            let _ = writeln!(text, "{:<18} {name:<18} {BAD}{}{BAD:#}", verdict.verifier, visible(code));
        }
        if none && !own {
            let _ = writeln!(text, "{:<18} {:<18} {GOOD}accepted{GOOD:#}", verdict.verifier, "all");
        }
    }
    text
}

fn round(summary: &Summary, from: &str) -> String {
    let mut text = String::new();
    let development = match summary.profile.as_str() {
        "production" => String::new(),
        other => format!(" {UNSURE}({other}){UNSURE:#}"),
    };
    let _ = writeln!(text, "  federation {}{development}{from}", visible(&summary.federation));
    let _ = writeln!(text, "             {DIM}{}{DIM:#}", summary.federation_id);
    let _ = writeln!(text, "  verifier   {}", summary.verifier);
    let _ = writeln!(text, "  round      {}, {}, {}", summary.epoch, summary.purpose, summary.at);
    if !summary.job_id.is_empty() {
        let _ = writeln!(text, "  job        {}", visible(&summary.job_id));
    }
    text
}

fn refusals<'a>(refused: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let all: Vec<String> = refused.map(|(name, code)| format!("{name} {code}")).collect();
    if all.is_empty() { String::new() } else { format!("refuses {}; ", all.join(", ")) }
}

fn emulated(plugin: Option<&PluginUse>) -> String {
    match plugin {
        Some(plugin) if plugin.trust_class == "emulated" => format!(" {BAD}emulated{BAD:#}"),
        _ => String::new(),
    }
}

fn shorten(text: &str) -> String {
    let safe = visible(text);
    if safe.chars().count() <= VALUE_WIDTH {
        return safe;
    }
    let start: String = safe.chars().take(VALUE_WIDTH).collect();
    format!("{start}…")
}
