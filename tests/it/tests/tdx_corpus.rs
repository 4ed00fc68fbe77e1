//! Real TDX quotes through the command and the loaded plugin: files as they were published, padding and all, with
//! collateral as other tools wrote it.

use std::path::Path;

use cc_core::UnixTime;
use cc_testkit::published::corpus;
use cc_testkit::published::tdx::{ADVISORIES, COLLATERAL, FEB_2025, NO_QUOTES, QVL_2026_02, ROWS};
use muster_it::cli::Muster;
use muster_it::place::plugins;
use serde_json::Value;

/// Published without revocation lists.
const WITHOUT_LISTS: [&str; 2] = ["trustee-2025-10", "teekit-2025-10"];

/// The command line; endorsements are files of the corpus.
fn line(command: &str, corpus: &Path, quote: &str, endorsements: &[&str], more: &str) -> String {
    let (plugins, corpus) = (plugins(), corpus.canonicalize().unwrap());
    let mut line = format!(
        "evidence {command} --profile tdx-quote-1 --plugins {} --evidence {}/{quote} {more}",
        plugins.display(),
        corpus.display()
    );
    for file in endorsements {
        line += &format!(" --endorsements {}/{file}", corpus.display());
    }
    line
}

fn published(name: &str) -> &'static [&'static str] {
    COLLATERAL.iter().find(|(other, _)| *other == name).unwrap().1
}

#[test]
fn every_item_has_its_outcome_status_and_advisories() {
    let corpus = corpus();
    let muster = Muster::new();
    for (folder, file, name, at, expected, _) in ROWS {
        let mut more = format!("--offline --at {}", UnixTime::from_secs(at));
        if WITHOUT_LISTS.contains(&name) {
            more += " --waive tdx.crl.missing";
        }
        let quote = format!("{folder}/{file}");
        let ran = muster.run(&(line("verify", &corpus, &quote, published(name), &more) + " --format json"));
        let result: Value = ran.json();
        let case = format!("{folder}/{file} with {name}: {result}");
        assert_eq!(result["plugin"]["name"], "cc-tdx", "{case}");
        // The one quote with words behind it keeps them, and is no quote.
        let expected = if folder == "tdx/v4-gotdx-spr-50806f" { "tdx.format.length" } else { expected };
        if expected.starts_with("tdx.") {
            assert_eq!((&result["code"], ran.exit), (&Value::from(expected), 3), "{case}");
            continue;
        }
        assert_eq!((&result["outcome"], ran.exit), (&Value::from("accept"), 0), "{case}");
        let claims = &result["claims"];
        assert_eq!(claims["tcb_status"], expected, "{case}");
        let advisories =
            ADVISORIES.iter().find(|(item, with, _)| *item == folder && ["*", name].contains(with));
        let advisories = advisories.map_or(&[][..], |(_, _, ids)| ids);
        let advisories: Vec<_> = advisories.iter().map(|id| format!("INTEL-SA-{id}")).collect();
        assert_eq!(claims["advisory_ids"], Value::from(advisories), "{case}");
    }
    println!("{} cases of real TDX quotes", ROWS.len());
}

#[test]
fn what_is_no_quote_is_refused() {
    let corpus = corpus();
    let muster = Muster::new();
    for (file, expected) in NO_QUOTES {
        let more = format!("--offline --at {}", UnixTime::from_secs(QVL_2026_02));
        let result = muster.json(3, &line("verify", &corpus, file, published("dcapqvl-2026-02"), &more));
        assert_eq!(result["code"], expected, "{file}: {result}");
    }
    println!("{} cases of what is no TDX quote", NO_QUOTES.len());
}

#[test]
fn an_event_log_is_shown_and_replayed() {
    let corpus = corpus();
    let quote = "tdx/v4-gotdx-cos113-ccel/quote.bin";
    let log = "tdx/v4-gotdx-cos113-ccel/ccel_data.dat";
    let muster = Muster::new();
    let shown = muster.json(0, &line("show", &corpus, quote, &[log], ""));
    let events = shown["claims"]["eventlog"].as_array().unwrap();
    assert_eq!(events.len(), 43, "{shown}");
    assert!(events.iter().any(|line| line.as_str().unwrap().contains("SecureBoot")), "{events:?}");
    let files = [published("dcaprs-2025-02"), &[log]].concat();
    let more = format!("--offline --at {}", UnixTime::from_secs(FEB_2025));
    let claims = &muster.json(0, &line("verify", &corpus, quote, &files, &more))["claims"];
    let replayed = (&claims["eventlog_replayed"], &claims["eventlog_events"]);
    assert_eq!(replayed, (&Value::from(true), &Value::from(43)));
    println!("2 cases of real event logs");
}
