//! A participant that has somebody's enrolment kit but no trusted hardware. It takes part in its registration up to the
//! point where it has to show what it runs, and then presents a token of another site that it found in a transcript.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test double: a panic is the wanted failure, and its output is its result"
)]

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::Parser;
use fed_node::kit::Kit;
use fed_node::{clock, node, rpc};
use fed_proto::message::Kind;
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::round::{Env, Event, Output, Participant};
use fed_proto::signed::{Header, Signed};

/// An impostor.
#[derive(Parser)]
struct Cli {
    /// The stolen kit.
    #[arg(long)]
    kit: PathBuf,
    /// Whose token is shown.
    #[arg(long)]
    victim: String,
    /// Where transcripts lie that contain it.
    #[arg(long)]
    transcripts: PathBuf,
}

struct World(fed_node::tls::Exporter);

impl Env for World {
    fn nonce(&mut self) -> [u8; 32] {
        fed_node::random()
    }

    fn exporter(&mut self, context: &[u8; 32]) -> Option<[u8; 32]> {
        self.0.export(context)
    }
}

#[tokio::main]
async fn main() {
    let cli = Cli::parse();
    let victim = Name::new(&cli.victim).unwrap();
    let token = relayed(&cli.transcripts, &victim).expect("a transcript has a token of the victim");
    let kit = Kit::load(&cli.kit).unwrap();
    let configured = kit.config.participant().cloned().unwrap();
    let me = node::instance(&kit, &configured, Role::Client).unwrap();
    let clocks = clock::Clocks::new(std::sync::Arc::new(clock::SystemClock));
    let bundle = kit.bundle.clone().unwrap();
    let mut participant = Participant::new(me, bundle, None, clocks.now().unwrap()).unwrap();
    let tls = kit.client_tls().unwrap();
    let mut session = rpc::connect(&tls, &kit.config.server).await.unwrap();
    let mut world = World(session.peer.exporter.clone());
    let mut out = Vec::new();
    participant.connected(&mut world, &mut out);
    loop {
        for output in out.drain(..) {
            match output {
                Output::Send(bytes) => session.outbound.send(Bytes::from(bytes)).unwrap(),
                Output::Collect { epoch, .. } => {
                    let frame = present(&participant, epoch, &token);
                    session.outbound.send(Bytes::from(frame)).unwrap();
                }
                Output::Event(Event::TurnedAway(finding)) => {
                    println!(
                        "{}",
                        serde_json::json!({ "event": "turned-away", "code": finding.code.as_str() })
                    );
                    return;
                }
                Output::Event(Event::Registered) => panic!("registered"),
                _ => {}
            }
        }
        let Some(frame) = session.inbound.recv().await else { return };
        participant.receive(clocks.now().unwrap(), &frame, &mut world, &mut out);
    }
}

/// The token, as this participant's own message.
fn present(participant: &Participant, epoch: u64, token: &[u8]) -> Vec<u8> {
    let me = participant.me();
    let header = Header {
        epoch,
        job_id: String::new(),
        sender: me.name.clone(),
        recipient: None,
        kind: Kind::Token.number(),
        sequence: 1,
    };
    Signed::new(&me.descriptor.federation_id(), header, token.to_vec(), &me.key).to_bytes()
}

/// The payload of a token message of `victim` in any transcript of the folder.
fn relayed(folder: &Path, victim: &Name) -> Option<Vec<u8>> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
    let lines: Vec<String> =
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let values = lines.iter().filter_map(|line| serde_json::from_str(line).ok());
    values.flat_map(|value| strings(&value)).find_map(|text| {
        let message = Signed::from_bytes(&STANDARD.decode(text).ok()?, usize::MAX)?;
        let token = message.header.kind == Kind::Token.number() && message.header.sender == *victim;
        token.then_some(message.payload)
    })
}

fn strings(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Array(items) => items.iter().flat_map(strings).collect(),
        serde_json::Value::Object(fields) => fields.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}
