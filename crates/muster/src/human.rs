//! Results as text for people: the outcome first, then why, then the details.

use std::fmt::Write as _;

use cc_core::{ClaimValue, Claims, Code};

use crate::output::{BAD, DIM, GOOD, HEADING, UNSURE, visible};
use crate::report::{AppraisalReport, PluginRef, Shown, Verdict};

/// Longest value of a claim on one line of its own, in characters.
const VALUE_WIDTH: usize = 100;

/// `evidence verify` and `appraise`.
pub(crate) fn verdict(verdict: &Verdict) -> String {
    let mut text = String::new();
    match (verdict.outcome, &verdict.code) {
        ("accept", _) => {
            let _ = writeln!(text, "{GOOD}ACCEPTED{GOOD:#} the {} evidence is authentic", verdict.profile);
        }
        (outcome, code) => {
            let (style, word) =
                if outcome == "indeterminate" { (UNSURE, "UNDECIDED") } else { (BAD, "REJECTED") };
            let code = code.as_deref().unwrap_or_default();
            let _ = writeln!(text, "{style}{word}{style:#} {code}");
            text.push_str(&reason(code, verdict.detail.as_deref().unwrap_or_default()));
        }
    }
    if let Some(appraisal) = &verdict.appraisal {
        text.push_str(&appraised(appraisal));
    }
    if let Some(at) = &verdict.at {
        let replayed = if verdict.replayed { " (replayed: says nothing about now)" } else { "" };
        let _ = writeln!(text, "  judged at  {at}{replayed}");
    }
    if verdict.outcome == "accept" {
        let binding =
            if verdict.binding == "matched" { "matched" } else { "not compared: the evidence may be old" };
        let _ = writeln!(text, "  binding    {binding}");
    }
    for code in &verdict.waived {
        let _ = writeln!(text, "  {UNSURE}waived{UNSURE:#}     {code}: {}", meaning(code));
    }
    text.push_str(&plugin(verdict.plugin.as_ref()));
    if !verdict.endorsements.is_empty() {
        let _ = writeln!(text, "{HEADING}Endorsements{HEADING:#}");
        for used in &verdict.endorsements {
            let digest: String = used.sha256.chars().take(16).collect();
            let _ = writeln!(text, "  {:<17} {DIM}{digest}…{DIM:#}  {}", used.kind, visible(&used.source));
        }
    }
    if verdict.appraisal.is_none() {
        text.push_str(&claims("Claims", &verdict.claims));
    } else if verdict.outcome == "accept" {
        let _ = writeln!(text, "{DIM}(`muster evidence verify` shows all claims){DIM:#}");
    }
    text
}

/// `evidence show`.
pub(crate) fn shown(shown: &Shown) -> String {
    let mut text = String::new();
    match &shown.code {
        None => {
            let _ = writeln!(
                text,
                "{UNSURE}NOT VERIFIED{UNSURE:#} what the {} evidence says of itself",
                shown.profile
            );
        }
        Some(code) => {
            let _ = writeln!(text, "{BAD}NOT READABLE{BAD:#} {code}");
            text.push_str(&reason(code, shown.detail.as_deref().unwrap_or_default()));
        }
    }
    text.push_str(&plugin(shown.plugin.as_ref()));
    if !shown.requests.is_empty() {
        let _ = writeln!(text, "{HEADING}Verification needs{HEADING:#}");
        for request in &shown.requests {
            let _ = writeln!(text, "  {:<17} {}", request.kind, request.url);
        }
    }
    text.push_str(&claims("Unverified claims", &shown.claims));
    text
}

/// Meaning, details and hint of a code.
pub(crate) fn reason(code: &str, detail: &str) -> String {
    let mut text = String::new();
    let meaning = meaning(code);
    if !meaning.is_empty() {
        let _ = writeln!(text, "  {meaning}");
    }
    let _ = writeln!(text, "  detail     {}", visible(detail));
    if let Some(info) = Code::parse(code).ok().as_ref().and_then(Code::info) {
        let _ = writeln!(text, "  hint       {}", info.hint);
    }
    text
}

fn meaning(code: &str) -> &'static str {
    Code::parse(code).ok().as_ref().and_then(Code::info).map_or("", |info| info.meaning)
}

fn appraised(appraisal: &AppraisalReport) -> String {
    let mut text = String::new();
    let style = if appraisal.status == "affirming" { GOOD } else { BAD };
    if appraisal.status == "none" && appraisal.findings.is_empty() {
        let _ = writeln!(text, "  appraisal  none: only authentic evidence is judged by the policy");
    } else {
        let profile = match appraisal.policy_profile.as_str() {
            "production" => String::new(),
            other => format!(" {UNSURE}({other}){UNSURE:#}"),
        };
        let _ = writeln!(text, "{style}{}{style:#} by the policy{profile}", appraisal.status.to_uppercase());
    }
    for finding in &appraisal.findings {
        let _ = writeln!(text, "  {HEADING}{}{HEADING:#} {}", finding.code, meaning(&finding.code));
        let _ = writeln!(text, "    got      {}", shorten(&finding.got));
        let _ = writeln!(text, "    wanted   {}", shorten(&finding.want));
        let _ = writeln!(text, "    by       {}", visible(&finding.source));
    }
    text
}

fn plugin(plugin: Option<&PluginRef>) -> String {
    plugin.map_or_else(String::new, |plugin| {
        let digest: String = plugin.sha256.chars().take(16).collect();
        let emulated = if plugin.trust_class == "emulated" {
            format!(" {BAD}emulated: proves nothing{BAD:#}")
        } else {
            String::new()
        };
        format!("  plugin     {} {} {DIM}{digest}…{DIM:#}{emulated}\n", plugin.name, plugin.version)
    })
}

fn claims(heading: &str, claims: &Claims) -> String {
    let mut text = String::new();
    if !claims.is_empty() {
        let _ = writeln!(text, "{HEADING}{heading}{HEADING:#}");
        for (name, value) in claims.iter() {
            let line = plain(value);
            match value {
                // A list that does not fit on a line, of events perhaps, has a line for each.
                ClaimValue::List(list) if line.chars().count() > VALUE_WIDTH * 2 => {
                    let _ = writeln!(text, "  {name:<22} {} entries", list.len());
                    for entry in list {
                        let _ = writeln!(text, "    {}", shorten(&plain(entry)));
                    }
                }
                _ => {
                    let _ = writeln!(text, "  {name:<22} {}", shorten(&line));
                }
            }
        }
    }
    text
}

/// A value on one line.
fn plain(value: &ClaimValue) -> String {
    match value {
        ClaimValue::Bool(flag) => flag.to_string(),
        ClaimValue::Integer(number) => number.to_string(),
        ClaimValue::Text(text) => text.clone(),
        ClaimValue::List(list) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        ClaimValue::Map(map) => {
            map.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(" ")
        }
        _ => "?".to_owned(),
    }
}

/// Long values are cut for people; JSON has them whole.
fn shorten(text: &str) -> String {
    let safe = visible(text);
    if safe.chars().count() <= VALUE_WIDTH * 2 {
        return safe;
    }
    let start: String = safe.chars().take(VALUE_WIDTH * 2).collect();
    format!("{start}…")
}
