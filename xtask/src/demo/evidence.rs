//! `demo`: real SEV-SNP reports, verified by a plugin that the command loads at run time.
//!
//! Uses the evidence corpus where it is (`MUSTER_CORPUS`, or `../shared/evidence` beside the checkout), and always
//! the reports in `tests/fixtures`. Fixed instant, no network; the revocation list is waived, visibly.

use std::path::{Path, PathBuf};
use std::process::Command;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::build_plugins::build_plugins;
use crate::run::{Result, cargo, root, run, show, target_dir};

/// The instant for which everything is judged: within the validity of nearly every certificate.
const AT: &str = "2026-06-01T00:00:00Z";
const HEADING: Style = AnsiColor::Cyan.on_default().bold();
const COMMAND: Style = Style::new().dimmed();

/// One real report, and how verifying it must end.
struct Case {
    name: String,
    report: PathBuf,
    endorsements: PathBuf,
    expected: Option<&'static str>,
}

/// Items of the corpus that are not accepted, and why.
const NOT_ACCEPTED: &[(&str, &str)] = &[
    ("milan-v2-cocos-novcek", "snp.chain.missing"), // no certificate was published with it
    ("milan-v3-vlek-aws-trustee", "snp.chain.expired"), // its VLEK was valid until 2025-12-10
    ("milan-v2-azure", "snp.signature.invalid"),    // the certificate is another processor's
];

pub(crate) fn demo() -> Result<()> {
    let plugins = build_plugins(false)?;
    run(cargo().args(["build", "--quiet", "--package", "muster"]))?;
    let muster = target_dir()?.join("debug/muster");
    let fixtures = root().join("tests/fixtures/snp");

    heading("The plugin: a shared library, named by digest, loaded at run time");
    show_run(Command::new(&muster).args(["plugin", "list"]).arg("--plugins").arg(&plugins), 0)?;

    let cases = cases(&fixtures)?;
    heading(&format!(
        "{} reports of real processors, verified as of {AT}, revocation list waived",
        cases.len()
    ));
    let mut surprises = Vec::new();
    let mut accepted = 0_usize;
    for case in &cases {
        let result = verify(&muster, &plugins, case)?;
        let code = result.get("code").and_then(Value::as_str);
        line(case, &result);
        accepted = accepted.saturating_add(usize::from(code.is_none()));
        if code != case.expected {
            surprises.push(format!("{}: expected {:?}, got {code:?}", case.name, case.expected));
        }
    }

    let report = fixtures.join("milan-v2-sev/report.bin");
    let evidence = |file: &Path, certificates: &Path| {
        let mut command = Command::new(&muster);
        command.args(["evidence", "verify", "--profile", "snp-raw-1", "--offline", "--at", AT]);
        command.args(["--waive", "snp.crl.missing", "--evidence"]).arg(file);
        command.arg("--endorsements").arg(certificates).arg("--plugins").arg(&plugins);
        command
    };
    let good = fixtures.join("milan-v2-sev");

    heading("One of them in full");
    show_run(&mut evidence(&report, &good), 0)?;

    heading("The same report with one bit of its launch measurement flipped");
    let folder = target_dir()?.join("demo");
    let altered = folder.join("altered-report.bin");
    flip(&report, &altered, 0x90)?;
    show_run(&mut evidence(&altered, &good), 3)?;

    heading("An authentic report that answers another challenge than ours");
    show_run(evidence(&report, &good).args(["--expect-binding", &"5a".repeat(64)]), 3)?;

    heading("A real report without any certificate: not refuted, only undecided");
    show_run(&mut evidence(&report, &fixtures.join("../README.md")), 4)?;

    heading("Authentic is not acceptable: a policy that permits this guest, then one that does not");
    for (policy, exit) in [("demo-permits.toml", 0), ("demo-forbids.toml", 5)] {
        let mut command = evidence(&report, &good);
        let policy = root().join("docs/examples").join(policy);
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        command = Command::new(&muster);
        command.args(arguments.iter().map(|a| if a == "verify" { "appraise".into() } else { a.clone() }));
        show_run(command.arg("--policy").arg(policy), exit)?;
    }

    if !surprises.is_empty() {
        return Err(format!("not as expected:\n  {}", surprises.join("\n  ")));
    }
    heading("Summary");
    anstream::println!(
        "{} real reports: {accepted} accepted, {} not, each for the reason above. Everything was as expected.",
        cases.len(),
        cases.len().saturating_sub(accepted)
    );
    Ok(())
}

/// The reports of the corpus, if it is there, and of the fixtures.
fn cases(fixtures: &Path) -> Result<Vec<Case>> {
    let corpus = std::env::var_os("MUSTER_CORPUS")
        .map_or_else(|| root().join("../shared/evidence"), PathBuf::from)
        .join("snp");
    let mut cases = Vec::new();
    if !corpus.is_dir() {
        anstream::println!(
            "(no evidence corpus at {}; only the reports that come with the project)",
            corpus.display()
        );
    }
    for folder in [corpus.as_path(), fixtures] {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
            let report = path.join("report.bin");
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if report.is_file() {
                let expected = NOT_ACCEPTED.iter().find(|(item, _)| *item == name).map(|(_, code)| *code);
                cases.push(Case { name, report, endorsements: path, expected });
            }
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}

fn verify(muster: &Path, plugins: &Path, case: &Case) -> Result<Value> {
    let mut command = Command::new(muster);
    command.args([
        "evidence",
        "verify",
        "--profile",
        "snp-raw-1",
        "--offline",
        "--at",
        AT,
        "--format",
        "json",
    ]);
    command.args(["--waive", "snp.crl.missing", "--evidence"]).arg(&case.report);
    command.arg("--endorsements").arg(&case.endorsements).arg("--plugins").arg(plugins);
    let output = command.output().map_err(|error| format!("{}: {error}", show(&command)))?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{}: {error}\n{}", show(&command), String::from_utf8_lossy(&output.stderr)))
}

/// One line for each report: what it is, how it ended, and why.
fn line(case: &Case, result: &Value) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("?").to_owned();
    let claim = |name: &str| result.get("claims").and_then(|claims| claims.get(name));
    let (style, word) = match text(result.get("outcome")).as_str() {
        "accept" => (AnsiColor::Green.on_default(), "ACCEPT"),
        "indeterminate" => (AnsiColor::Yellow.on_default(), "UNDECIDED"),
        _ => (AnsiColor::Red.on_default(), "REJECT"),
    };
    let reason = match result.get("code").and_then(Value::as_str) {
        Some(code) => format!("{code}: {}", text(result.get("detail"))),
        None => format!(
            "{} report v{}, {} signature, chain, chip and TCB agree; measurement {}…",
            text(claim("product")),
            claim("version").map_or_else(|| "?".to_owned(), Value::to_string),
            text(claim("signing_key")),
            text(claim("measurement")).chars().take(16).collect::<String>()
        ),
    };
    anstream::println!("{style}{word:<9}{style:#} {:<26} {reason}", case.name);
}

/// Runs a command with its output shown; it must end with this exit code.
fn show_run(command: &mut Command, expected: i32) -> Result<()> {
    anstream::println!("{COMMAND}$ {}{COMMAND:#}", show(command));
    let status = command.status().map_err(|error| format!("{}: {error}", show(command)))?;
    anstream::println!("{COMMAND}exit code {}{COMMAND:#}\n", status.code().unwrap_or(-1));
    if status.code() == Some(expected) {
        return Ok(());
    }
    Err(format!("`{}` ended with {status}, expected exit code {expected}", show(command)))
}

fn flip(from: &Path, to: &Path, offset: usize) -> Result<()> {
    let fail = |error: std::io::Error| format!("{}: {error}", to.display());
    let mut bytes = std::fs::read(from).map_err(fail)?;
    if let Some(byte) = bytes.get_mut(offset) {
        *byte ^= 1;
    }
    std::fs::create_dir_all(to.parent().unwrap_or(to)).map_err(fail)?;
    std::fs::write(to, bytes).map_err(fail)
}

fn heading(text: &str) {
    anstream::println!("\n{HEADING}== {text}{HEADING:#}");
}
