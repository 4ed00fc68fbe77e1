//! The services around a container group of Azure, on free ports of loopback: the sidecar inside the group, whose reports an
//! emulated processor signs, the attestation service whose tokens are about them, and the list of revocations that AMD
//! publishes. Says on its first line where they are, and serves until it is ended.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test double: a panic is the wanted failure, and its output is its result"
)]

#[path = "../../../plugins/emulated-snp/src/guest.rs"]
mod guest;
#[path = "../../../plugins/emulated-snp/src/settings.rs"]
mod settings;
#[path = "../../../plugins/shared/settings.rs"]
#[allow(dead_code, reason = "the plugins use all of it")]
mod shared;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use cc_core::Binding;
use cc_core::message::Blob;
use cc_testkit::aci::{Chain, Endorsement};
use cc_testkit::https::Service;
use cc_testkit::maa::{CERTS, LIFETIME, jwks};
use cc_testkit::sidecar::Sidecar;
use cc_testkit::snp::cert::pem;
use clap::Parser;
use serde_json::json;

use guest::Guest;

/// AMD's list for the product line of the emulated processor.
const CRL: &str = "/vcek/v1/Genoa/crl";
/// Where MEASUREMENT stands in a report.
const MEASUREMENT: usize = 0x90;

/// The services around one container group.
#[derive(Parser)]
struct Cli {
    /// The group's machine: a TOML file with what a `guest` table of the emulated plugins has.
    #[arg(long)]
    guest: PathBuf,
    /// Where the certificates of the services' authorities are put.
    #[arg(long)]
    authorities: PathBuf,
}

fn main() {
    let Cli { guest, authorities } = Cli::parse();
    let table = std::fs::read_to_string(&guest).unwrap().parse().unwrap();
    let machine = settings::Machine::read(&shared::claims(table).unwrap()).unwrap();
    let guest = Guest::new(machine);

    let first = guest.collect(&Binding::new([0; 64])).unwrap();
    let [chain @ .., crl] = first.endorsements.as_slice() else { panic!("no endorsements") };
    let chain: String = chain.iter().map(|Blob(der)| pem(der)).collect();
    let measurement = first.evidence.get(MEASUREMENT..).and_then(<[u8]>::first_chunk).unwrap();
    let uvm = Endorsement::header(&Chain::new(), measurement).sign();

    let [attestation, keys] = [Service::start(), Service::start()];
    attestation.route(CERTS, &jwks());
    keys.route(CRL, &crl.0);
    let sidecar =
        Sidecar::start(move |report_data| guest.collect(&Binding::new(*report_data)).unwrap().evidence);
    sidecar.combine(&chain, &uvm);
    sidecar.edit(|token| {
        let now = now();
        for (name, time) in [("iat", now), ("nbf", now), ("exp", now.saturating_add(LIFETIME))] {
            token.payload.set_number(name, time);
        }
    });

    let authority = |name: &str, service: &Service| {
        let file = authorities.join(format!("{name}-ca.pem"));
        std::fs::write(&file, pem(service.ca_der())).unwrap();
        json!({ "url": service.url(), "ca_file": file })
    };
    let places = json!({
        "sidecar": sidecar.service().url(),
        "attestation": authority("attestation", &attestation),
        "keys": authority("keys", &keys),
    });
    println!("{places}");
    loop {
        std::thread::park();
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
