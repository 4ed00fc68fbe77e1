//! Registrations with the real server: a process of its own, mutual TLS over loopback, reports verified through the
//! loaded plugin, everything that must not be forgotten on disk. The sites are state machines in this process, which
//! make genuine reports on emulated processors and take the server's evidence unseen: what is measured is the server.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cc_core::Profile;
use cc_testkit::snp::leaf::oids;
use cc_testkit::snp::{LeafKind, Product, World};
use fed_node::clock::{Clocks, SystemClock};
use fed_node::kit::Kit;
use fed_node::{node, rpc};
use fed_proto::crypto::sha256;
use fed_proto::role::Role;
use fed_proto::round::{Env, Event, Evidence, Output, Participant};
use fed_proto::sybil::Identifiers;
use muster_it::federation::{Guest, MEASUREMENT, policy};
use serde_json::Value;

use crate::bare::Bare;
use crate::print;

/// How long everything may take.
const LIMIT: Duration = Duration::from_secs(300);
/// Seconds of a day.
const DAY: i64 = 86_400;

/// What the server does for one registration beside hashing and copying: a mutual handshake (its key agreement, its
/// signature, the peer's certificate and signature); the enrolment (certificate and statement); the leaf's certificate
/// and the report; channel proof, contribution, token, proof of possession, verdict and its message; and the signatures
/// of its answers.
fn floor(bare: &Bare) -> f64 {
    let handshake = bare.x25519 + bare.p256_sign + 2.0 * bare.p256;
    let enrolment = 2.0 * bare.p256;
    let report = bare.rsa4096 + bare.p384;
    handshake + enrolment + report + 6.0 * bare.ed25519
}

/// A process that does not outlive the measurement.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// CPU time so far, all threads, in nanoseconds: fields 14 and 15 of `stat`, in ticks of 10 ms.
    fn cpu(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let after_name = text.rsplit_once(')').unwrap().1;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = |field: usize| fields[field - 3].parse::<f64>().unwrap();
        (ticks(14) + ticks(15)) * 1e7
    }
}

/// Registers as many sites as once.
pub(crate) fn registrations(sites: usize, muster: &Path, emulated: &Path, bare: &Bare) {
    let folder = tempfile::tempdir().unwrap();
    let init = provision(folder.path(), sites, muster, emulated);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let log = std::fs::File::create(folder.path().join("server.log")).unwrap();
    let mut server = Command::new(muster);
    server.args(["server", "--kit"]).arg(folder.path().join("kits/server"));
    server.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    let server = Server(server.spawn().unwrap());
    let prepared: Vec<Site> = (0..sites)
        .map(|number| Site::new(&folder.path().join(format!("kits/{}", site(number))), number, &init))
        .collect();
    let (wall, cpu) = runtime.block_on(async {
        ready(&folder.path().join("kits").join(site(0))).await;
        let (start, before) = (Instant::now(), server.cpu());
        let tasks: Vec<_> = prepared.into_iter().map(|site| tokio::spawn(site.register())).collect();
        let mut sessions = Vec::new();
        for task in tasks {
            let registered = tokio::time::timeout(LIMIT, task).await;
            sessions.push(registered.expect("all sites register in time").unwrap());
        }
        (start.elapsed(), server.cpu() - before)
    });
    let sites = sites as f64;
    let name = |what: &str| format!("registrations.{sites}.{what}");
    print::count(
        &name("per_second"),
        sites / wall.as_secs_f64(),
        "of bare crypto on one core",
        1e9 / floor(bare),
    );
    print::time(&name("server_cpu_each"), cpu / sites, "all signatures", floor(bare));
}

fn site(number: usize) -> String {
    format!("site-{number:04}")
}

/// Kits of a federation whose server is an emulated guest. Returns HOST_DATA of each participant.
fn provision(folder: &Path, sites: usize, muster: &Path, emulated: &Path) -> BTreeMap<String, String> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let state = folder.join("machine.toml");
    let guest = Guest { state: Some(state.clone()), ..Guest::new(0, [0; 32]) };
    write("plugins.toml", &guest.plugins_with(&emulated.join("libemulated_snp.so")));
    write("policy.toml", &policy(""));
    let mut text = format!(
        "version = 1\nname = \"bench\"\nprofile = \"development\"\nplugins = \"plugins.toml\"\nadmins = [\"alice\"]\n\
         [server]\nlisten = \"127.0.0.1:{port}\"\ndial = \"127.0.0.1:{port}\"\n[bundle]\nnot_after_days = 30\n\
         [bundle.role.server]\nprofiles = [\"snp-raw-1\"]\npolicy = \"policy.toml\"\n\
         [bundle.role.client]\nprofiles = [\"snp-raw-1\"]\npolicy = \"policy.toml\"\n\
         [participant.server]\nrole = \"server\"\npolicy = \"policy.toml\"\nplugins = \"plugins.toml\"\n"
    );
    for number in 0..sites {
        text += &format!(
            "[participant.{}]\nrole = \"client\"\norganisation = \"o{number}\"\npolicy = \"policy.toml\"\n\
             plugins = \"plugins.toml\"\n",
            site(number)
        );
    }
    write("federation.toml", &text);
    let mut command = Command::new(muster);
    command.arg("provision").arg(folder.join("federation.toml")).arg("--out").arg(folder.join("kits"));
    let output = command.args(["--format", "json"]).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "muster provision");
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let init: BTreeMap<String, String> = serde_json::from_value(made["init_data"].clone()).unwrap();
    std::fs::write(state, format!("host_data = \"{}\"\n", init["server"])).unwrap();
    init
}

/// Waits until the server listens.
async fn ready(kit: &Path) {
    let kit = Kit::load(kit).unwrap();
    let tls = kit.client_tls().unwrap();
    let start = Instant::now();
    while rpc::connect(&tls, &kit.config.server).await.is_err() {
        assert!(start.elapsed() < LIMIT, "the server does not listen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A site that is ready to dial.
struct Site {
    kit: Kit,
    participant: Participant,
    clocks: Clocks,
    world: World,
}

struct Connected(fed_node::tls::Exporter);

impl Env for Connected {
    fn nonce(&mut self) -> [u8; 32] {
        fed_node::random()
    }

    fn exporter(&mut self, context: &[u8; 32]) -> Option<[u8; 32]> {
        self.0.export(context)
    }
}

impl Site {
    fn new(kit: &Path, number: usize, init: &BTreeMap<String, String>) -> Self {
        let kit = Kit::load(kit).unwrap();
        let configured = kit.config.participant().cloned().unwrap();
        assert_eq!(configured.profile, Profile::snp_raw_1());
        let me = node::instance(&kit, &configured, Role::Client).unwrap();
        let clocks = Clocks::new(Arc::new(SystemClock));
        let now = clocks.now().unwrap();
        let participant = Participant::new(me, kit.bundle.clone().unwrap(), None, now).unwrap();
        let mut world = World::new(Product::Genoa, LeafKind::Vcek);
        let id = sha256(site(number).as_bytes()).0;
        let mut chip = [0; 64];
        chip[..32].copy_from_slice(&id);
        world.edit_leaf(|leaf| leaf.set_ext(oids::HWID, chip.to_vec()));
        let today = now.wall.as_secs() as i64 / DAY * DAY;
        world.edit_crl(|crl| (crl.this_update, crl.next_update) = (today, Some(today + 30 * DAY)));
        let host_data: [u8; 32] = hex::decode(&init[&site(number)]).unwrap().try_into().unwrap();
        world
            .report
            .set_measurement(MEASUREMENT)
            .set_host_data(host_data)
            .set_chip_id(chip)
            .set_report_id(id);
        Self { kit, participant, clocks, world }
    }

    /// Dials and takes part until it is registered. The session stays open until the caller drops it.
    async fn register(mut self) -> rpc::Session {
        let tls = self.kit.client_tls().unwrap();
        let mut session = rpc::connect(&tls, &self.kit.config.server).await.unwrap();
        let mut env = Connected(session.peer.exporter.clone());
        let mut out = Vec::new();
        self.participant.connected(&mut env, &mut out);
        loop {
            while !out.is_empty() {
                for output in std::mem::take(&mut out) {
                    match output {
                        Output::Send(bytes) => session.outbound.send(Bytes::from(bytes)).unwrap(),
                        Output::Collect { epoch, order } => {
                            let evidence = self.evidence(*order.binding(&[]).report_data().unwrap());
                            let now = self.clocks.now().unwrap();
                            self.participant.collected(now, epoch, Ok(evidence), &mut out);
                        }
                        Output::Judge(order) => {
                            let own = Identifiers { guest: None, devices: Vec::new(), chip: None };
                            let now = self.clocks.now().unwrap();
                            let (epoch, peer) = (order.epoch, &order.peer);
                            self.participant.judged(now, epoch, peer, Ok(own), &mut env, &mut out);
                        }
                        Output::Event(Event::Registered) => return session,
                        Output::Event(Event::TurnedAway(finding)) => panic!("turned away: {finding}"),
                        Output::Event(_) => {}
                    }
                }
            }
            let frame = session.inbound.recv().await.expect("the server keeps the connection");
            self.participant.receive(self.clocks.now().unwrap(), &frame, &mut env, &mut out);
        }
    }

    fn evidence(&mut self, binding: [u8; 64]) -> Evidence {
        self.world.edit_report(|report| {
            report.set_report_data(binding);
        });
        let World { leaf, intermediate, ark, crl, report, .. } = &self.world;
        let endorsements = vec![leaf.clone(), intermediate.clone(), ark.clone(), crl.clone()];
        Evidence { evidence: report.bytes().to_vec(), aux: Vec::new(), devices: Vec::new(), endorsements }
    }
}
