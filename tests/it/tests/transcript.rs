//! Transcripts from end to end: a federation on real state machines whose reports are signed by emulated processors and
//! judged through the loaded plugin; what each participant keeps is verified by the command, and nothing else is at hand.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Finding, Instant, Profile, UnixTime};
use cc_manager::attest::{Federation as Kind, OwnerFloor, PolicyFile, Subject, Verifier, VerifierSetup};
use cc_manager::fetch::{Fetcher, Roots, SystemEnvironment};
use cc_manager::{Config, Floors, Host};
use cc_policy::InitData;
use cc_testkit::federation::{Federation, Machines, Owner, WALL, name, site};
use cc_testkit::snp::leaf::oids;
use cc_testkit::snp::{LeafKind, Product, World};
use fed_node::record::{JudgedPeer, RoundRecord};
use fed_node::transcript;
use fed_proto::bundle::NameBinding;
use fed_proto::crypto::{Digest, sha256};
use fed_proto::descriptor::Descriptor;
use fed_proto::enrol::init_data;
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::round::{Concluded, Evidence, JudgeOrder, Participant, ReportOrder};
use fed_proto::sybil::Identifiers;
use muster_it::cli::Muster;
use muster_it::federation::{MEASUREMENT, PROFILE, policy};
use muster_it::place::{entry, plugins, test_plugin};
use serde_json::Value;

/// The policy of everybody but the first site, which wants nothing to do with the second one's processor.
fn site_policy(who: &Name) -> PolicyFile {
    let denied = format!("chip_denylist = [\"{}\"]", hex::encode(chip(&site(2))));
    let text = policy(if *who == site(1) { &denied } else { "" });
    PolicyFile::parse(&text, "policy.toml").unwrap()
}

/// CHIP_ID and HWID of a participant's processor.
fn chip(who: &Name) -> [u8; 64] {
    let mut chip = [0; 64];
    chip[..32].copy_from_slice(&sha256(who.as_str().as_bytes()).0);
    chip
}

fn role(who: &Name) -> Role {
    if *who == name("server") { Role::Server } else { Role::Client }
}

struct Machinery {
    descriptor: Descriptor,
    host: Host,
    folder: PathBuf,
    judged: BTreeMap<(Name, u64), Vec<JudgedPeer>>,
}

impl Machinery {
    fn init(&self, who: &Name) -> [u8; 32] {
        sha256(&init_data(&self.descriptor.federation_id(), who, role(who))).0
    }

    fn verifier(&self, who: &Name) -> Verifier {
        let fetch = cc_manager::FetchConfig { offline: true, ..cc_manager::FetchConfig::default() };
        let environment = Arc::new(SystemEnvironment::new());
        Verifier::new(VerifierSetup {
            host: self.host.clone(),
            fetcher: Fetcher::new(&fetch, &Roots::Only(Vec::new()), environment).unwrap(),
            floors: Floors::open(None),
            collateral: Vec::new(),
            patience: Duration::ZERO,
            federation: Kind::Development,
            site_policy: site_policy(who),
        })
        .unwrap()
    }
}

impl Machines for Machinery {
    fn policy(&self, who: &Name) -> Digest {
        Digest(*site_policy(who).sha256().as_bytes())
    }

    fn report(&mut self, who: &Name, order: &ReportOrder) -> Evidence {
        let mut world = World::new(Product::Genoa, LeafKind::Vcek);
        let id = sha256(who.as_str().as_bytes()).0;
        let chip = chip(who);
        world.edit_leaf(|leaf| leaf.set_ext(oids::HWID, chip.to_vec()));
        let init = self.init(who);
        world.edit_report(|report| {
            report
                .set_report_data(*order.binding(&[]).report_data().unwrap())
                .set_measurement(MEASUREMENT)
                .set_host_data(init);
            report.set_chip_id(chip).set_report_id(id);
        });
        let World { leaf, intermediate, ark, crl, report, .. } = world;
        Evidence {
            evidence: report.bytes().to_vec(),
            aux: Vec::new(),
            devices: Vec::new(),
            endorsements: vec![leaf, intermediate, ark, crl],
        }
    }

    fn judge(&mut self, who: &Name, order: &JudgeOrder, at: UnixTime) -> Result<Identifiers, Finding> {
        let floor = &order.bundle.roles[&order.role];
        let source = format!("bundle {} for {}", order.bundle.version, order.role);
        let subject = Subject {
            name: order.peer.to_string(),
            required: floor.profiles.clone(),
            profile: order.envelope.profile.clone(),
            evidence: order.envelope.evidence.clone(),
            devices: None,
            endorsements: order.envelope.endorsements.clone(),
            expected: order.binding.clone(),
            floor: OwnerFloor::Policy(Arc::new(PolicyFile::parse(&floor.policy, &source).unwrap())),
            init_data: InitData::Carried { sha256: self.init(&order.peer), sha384: [0; 48] },
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let judgement = runtime.block_on(self.verifier(who).judge(&subject, Instant::Present(at)));
        let result = judgement.admission().map(|found| Identifiers {
            guest: found.guest.clone(),
            devices: found.devices.clone(),
            chip: found.chip.clone(),
        });
        let peer = JudgedPeer { subject, judgement: Arc::new(judgement) };
        self.judged.entry((who.clone(), order.epoch)).or_default().push(peer);
        result
    }

    fn concluded(&mut self, own: &Participant, concluded: &Concluded, at: UnixTime) {
        let me = own.me();
        let record = RoundRecord {
            verifier: me.name.to_string(),
            concluded: concluded.clone(),
            bundle: own.signed_bundle().clone(),
            judged: self.judged.remove(&(me.name.clone(), concluded.epoch)).unwrap_or_default(),
            descriptor: me.descriptor.clone(),
            site_policy: site_policy(&me.name),
            at,
        };
        let folder = self.folder.join(me.name.as_str()).join(transcript::FOLDER);
        transcript::write(&folder, &record, |message| me.key.sign(message)).unwrap();
    }
}

/// A federation that ran, with what it left behind.
struct Case {
    muster: Muster,
    descriptor: String,
    emulated: String,
}

impl Case {
    fn new() -> Self {
        let muster = Muster::new();
        let plugin = entry(&test_plugin("libemulated_snp.so"), &[PROFILE], "");
        let config =
            format!("version = 1\n[danger]\nallow_emulated = true\n[fetch]\noffline = true\n{plugin}");
        let emulated = muster.write("emulated.toml", config);
        let host =
            Host::load(&Config::load_file(emulated.as_ref()).unwrap(), &muster_it::place::worker()).unwrap();
        let mut federation = Federation::with(3, 2, Owner::new(), |bundle| {
            for floor in bundle.roles.values_mut() {
                floor.policy = policy("");
                floor.name_binding = NameBinding::Both;
                floor.profiles = vec![Profile::snp_raw_1()];
            }
        });
        let descriptor = federation.owner.descriptor.clone();
        let folder = muster.folder().to_owned();
        federation.run_on(Machinery {
            descriptor: descriptor.clone(),
            host,
            folder,
            judged: BTreeMap::new(),
        });
        federation.start_all();
        federation.run(Duration::from_secs(20));
        let file = "version = 1\nname = \"one\"\nmin_sites = 1\n[deploy]\nmain = [\"@ALL\"]\n\
                    [app.main]\ncommand = [\"/bin/true\"]\n";
        let sites = [site(1), site(2)];
        federation.attempt(file, 1, &sites.iter().collect::<Vec<_>>());
        federation.run(Duration::from_secs(90));
        let descriptor = muster.write("descriptor.toml", descriptor.to_text());
        Self { muster, descriptor, emulated }
    }

    /// The one transcript of a participant about a purpose.
    fn file(&self, who: &str, purpose: &str) -> String {
        let folder = self.muster.folder().join(who).join(transcript::FOLDER);
        let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut of = all.filter(|path| path.file_name().unwrap().to_str().unwrap().contains(purpose));
        let path = of.next().unwrap();
        assert!(of.next().is_none());
        path.to_str().unwrap().to_owned()
    }

    fn verify(&self, exit: i32, file: &str, options: &str) -> Value {
        let Self { descriptor, emulated, .. } = self;
        let plugins =
            if options.contains("--plugins") { String::new() } else { format!("--plugins {emulated}") };
        self.muster
            .json(exit, &format!("transcript verify {file} --descriptor {descriptor} {plugins} {options}"))
    }
}

fn fields(value: &Value, contract: &str) {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names.join(" "), contract, "{value}");
}

#[test]
fn what_a_federation_leaves_behind_is_verified_offline() {
    let case = Case::new();
    for (who, purpose, judged) in [
        ("server", "register", 2),
        ("site-001", "register", 1),
        ("server", "job-start", 2),
        ("site-002", "job-start", 2),
    ] {
        // The server holds two registration rounds if the sites do not come at once.
        if who == "server" && purpose == "register" {
            continue;
        }
        let result = case.verify(0, &case.file(who, purpose), "");
        assert_eq!((&result["outcome"], &result["code"]), (&"same".into(), &Value::Null), "{result}");
        assert_eq!(result["verdict"]["recorded"], result["verdict"]["found"]);
        assert_eq!(result["judged"].as_array().unwrap().len(), judged, "{result}");
        assert_eq!(result["round"]["verifier"], who);
        fields(
            &result,
            "code descriptor detail differences file judged notes others outcome replayed_at round schema verdict words",
        );
        fields(
            &result["round"],
            "at bundle epoch federation federation_id job_id profile purpose root site_policy verifier",
        );
        for peer in result["judged"].as_array().unwrap() {
            fields(peer, "at detail found plugin recorded recorded_plugin role subject");
            fields(&peer["plugin"], "name sha256 trust_class version");
            assert_eq!(peer["plugin"], peer["recorded_plugin"]);
        }
    }

    // A site that refuses another one by its own policy: its reason comes out again.
    let strict = case.verify(0, &case.file("site-001", "job-start"), "");
    let denied: Value = "snp.chip_id.denied".into();
    for (peer, code) in strict["judged"].as_array().unwrap().iter().zip([&Value::Null, &denied]) {
        assert_eq!((&peer["found"], &peer["recorded"]), (code, code), "{peer}");
    }
    let shown = case.muster.json(0, &format!("transcript show {}", case.file("site-001", "job-start")));
    fields(&shown, "code detail file judgements messages objects round schema verdicts verified");
    assert_eq!(shown["verified"], false);
    assert!(shown["judgements"][1]["policy_line"].as_str().unwrap().contains("policy.toml:"), "{shown}");
}

#[test]
fn what_differs_is_explained() {
    let case = Case::new();
    let file = case.file("site-002", "job-start");
    // The list of revoked certificates ends some days later.
    let late = case.verify(3, &file, "--at 2026-12-01T00:00:00Z");
    assert_eq!((&late["outcome"], &late["replayed_at"]), (&"differs".into(), &"2026-12-01T00:00:00Z".into()));
    assert_eq!(late["code"], "snp.crl.expired", "{late}");
    assert_eq!(late["judged"][0]["recorded"], Value::Null);
    assert_eq!(late["judged"][0]["found"], "snp.crl.expired");
    let soon = format!("--at {}", UnixTime::from_secs(WALL.as_secs() + 3600));
    assert_eq!(case.verify(0, &file, &soon)["outcome"], "same");

    // Real processors did not sign this.
    let real = case.verify(3, &file, &format!("--plugins {}", plugins().display()));
    assert_eq!(real["outcome"], "differs");
    assert!(real["judged"][0]["found"].as_str().unwrap().starts_with("snp."), "{real}");

    // Another federation's descriptor, and none.
    let other = case.muster.write("other.toml", Owner::new().descriptor.to_text());
    let ran = case
        .muster
        .run(&format!("transcript verify {file} --descriptor {other} --plugins {}", case.emulated));
    assert_eq!(ran.exit, 3, "{ran}");
    assert!(ran.stdout.starts_with("NOT AUTHENTIC bind.federation.mismatch"), "{ran}");
    let ran = case.muster.run(&format!("transcript verify {file} --plugins {}", case.emulated));
    assert_eq!(ran.exit, 0, "{ran}");
    for part in
        ["SAME VERDICT", "(as the file says)", "(development)", "emulated", "note: the federation is the one"]
    {
        assert!(ran.stdout.contains(part), "{part}: {ran}");
    }
}

#[test]
fn a_changed_file_is_refused() {
    let case = Case::new();
    let file = case.file("server", "job-start");
    let bytes = std::fs::read(&file).unwrap();
    let mut changed = bytes.clone();
    let middle = bytes.len() / 2;
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    let path = case.muster.write("changed.jsonl", &changed);
    let result = case.verify(3, &path, "");
    assert_eq!((&result["outcome"], &result["code"]), (&"not-authentic".into(), &"tr.chain.broken".into()));
    assert_eq!((&result["round"], &result["verdict"]), (&Value::Null, &Value::Null));
    let ran = case.muster.run(&format!("transcript show {path}"));
    assert!(ran.exit == 3 && ran.stdout.starts_with("NOT READABLE tr.chain.broken"), "{ran}");
    let cut = case.muster.write("cut.jsonl", &bytes[..middle]);
    assert_eq!(case.verify(3, &cut, "")["code"], "tr.seal.invalid");
    let text = case.muster.write("text.jsonl", "hello\n");
    assert_eq!(case.verify(3, &text, "")["code"], "tr.format.invalid");
}

#[test]
fn usage_and_plugins_have_their_own_exit_codes() {
    let case = Case::new();
    let file = case.file("server", "job-start");
    for (line, exit) in [
        ("transcript verify /nonexistent".to_owned(), 2),
        (format!("transcript verify {file} --at yesterday"), 2),
        (format!("transcript verify {file} --descriptor {file} --plugins {}", case.emulated), 2),
        (format!("transcript verify {file} --plugins /nonexistent"), 2),
        ("transcript show /nonexistent".to_owned(), 2),
    ] {
        let ran = case.muster.run(&line);
        assert_eq!(ran.exit, exit, "{ran}");
        assert!(ran.stdout.is_empty() && ran.stderr.starts_with("error: "), "{ran}");
    }
    // Without the permission, an emulated plugin does not load.
    let plugin = entry(&test_plugin("libemulated_snp.so"), &[PROFILE], "");
    let config = case.muster.write("refused.toml", format!("version = 1\n{plugin}"));
    let result = case.verify(6, &file, &format!("--plugins {config}"));
    assert_eq!((&result["outcome"], &result["code"]), (&"no-plugin".into(), &"plug.not_allowed".into()));
}
