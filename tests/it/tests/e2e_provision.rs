//! `muster provision`: what a kit consists of, that a second run leaves it alone, and that whatever is wrong leaves
//! everything as it was.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cc_core::UnixTime;
use fed_node::kit::{Kit, Part};
use fed_proto::bundle::{Bundle, NameBinding, SignedBundle};
use fed_proto::crypto::sha256;
use fed_proto::descriptor::{Descriptor, FederationProfile};
use fed_proto::enrol;
use fed_proto::name::Name;
use fed_proto::role::Role;
use muster_it::cli::Muster;
use muster_it::place::{config, entry, plugins, root, test_plugin};
use serde_json::{Value, json};

const MEASUREMENT: &str = "a5";
const PARTICIPANTS: [&str; 3] = ["server", "site-1", "site-2"];
const OWNER: [&str; 7] =
    ["bundle.cbor", "bundle.toml", "ca.key", "ca.pem", "descriptor.toml", "owner.key", "provision.toml"];
const PARTICIPANT: [&str; 7] = [
    "bundle.cbor",
    "descriptor.toml",
    "enrolment.key",
    "enrolment.pem",
    "muster.toml",
    "plugins.toml",
    "policy.toml",
];
const ADMIN: [&str; 4] = ["descriptor.toml", "enrolment.key", "enrolment.pem", "muster.toml"];

/// A policy for measured Genoa guests.
fn policy(profile: &str, host_data: &str, microcode: u8) -> String {
    format!(
        "version = 1\nprofile = \"{profile}\"\n[snp]\nproducts = [\"Genoa\"]\nmeasurements = [\"{}\"]\n\
         host_data = \"{host_data}\"\n[snp.min_tcb.Genoa]\nbootloader = 9\ntee = 0\nsnp = 23\nmicrocode = {microcode}\n",
        MEASUREMENT.repeat(48)
    )
}

/// A federation's description, and where its kits go.
struct Case {
    muster: Muster,
    text: String,
}

impl Case {
    /// A server, two sites and an administrator, with the production plugins.
    fn new() -> Self {
        let muster = Muster::new();
        std::fs::create_dir(muster.folder().join("policies")).unwrap();
        muster.write("policies/floor.toml", policy("production", "init-data", 84));
        muster.write("policies/strict.toml", policy("production", "init-data", 85));
        let text = format!(
            "version = 1\nname = \"hospitals\"\nprofile = \"production\"\nplugins = {:?}\nadmins = [\"alice\"]\n\
             [server]\nlisten = \"127.0.0.1:0\"\ndial = \"fl.example.org:7443\"\n\
             [bundle]\nnot_after_days = 365\n\
             [bundle.role.server]\nprofiles = [\"snp-raw-1\"]\npolicy = \"policies/floor.toml\"\n\
             [bundle.role.client]\nprofiles = [\"snp-raw-1\"]\npolicy = \"policies/floor.toml\"\n\
             [scheduler]\nmax_schedule_count = 3\n\
             [participant.server]\nrole = \"server\"\n\
             [participant.site-1]\nrole = \"client\"\npolicy = \"policies/strict.toml\"\nresources = {{ gpu = 2 }}\n\
             [participant.site-2]\nrole = \"client\"\non_failure = \"shutdown\"\n",
            plugins()
        );
        Self { muster, text }
    }

    fn kits(&self) -> PathBuf {
        self.muster.folder().join("kits")
    }

    fn line(&self) -> String {
        let file = self.muster.write("federation.toml", &self.text);
        format!("provision {file} --out {}", self.kits().display())
    }

    /// Runs successfully.
    fn run(&self) -> Value {
        self.muster.json(0, &self.line())
    }

    /// Changes the description.
    fn edit(&mut self, from: &str, to: &str) {
        assert!(self.text.contains(from), "{from}: {}", self.text);
        self.text = self.text.replacen(from, to, 1);
    }

    /// Runs, must fail with these words and must change nothing.
    fn refused(&self, wanted: &str) {
        let before = tree(&self.kits());
        let ran = self.muster.run(&format!("{} --format json", self.line()));
        assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""), "{wanted}: {ran}");
        assert!(ran.stderr.contains(wanted), "{wanted}: {ran}");
        assert_eq!(tree(&self.kits()), before, "{wanted}");
    }

    fn bundle(&self, kit: &str) -> Bundle {
        let bytes = std::fs::read(self.kits().join(kit).join("bundle.cbor")).unwrap();
        let signed = SignedBundle::from_bytes(&bytes).unwrap();
        signed.open(&self.descriptor(), None, UnixTime::from_secs(0)).unwrap()
    }

    fn descriptor(&self) -> Descriptor {
        let text = std::fs::read_to_string(self.kits().join("owner/descriptor.toml")).unwrap();
        Descriptor::parse(&text).unwrap()
    }
}

/// Every file and folder with its mode and content; nothing if the folder is not there.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    let mode = std::fs::metadata(folder).unwrap().permissions().mode() & 0o7777;
    found.insert(folder.to_owned(), (mode, Vec::new()));
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        } else {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            found.insert(path.clone(), (mode, std::fs::read(&path).unwrap()));
        }
    }
    found
}

/// Makes a folder again what it was.
fn restore(folder: &Path, kits: &BTreeMap<PathBuf, (u32, Vec<u8>)>) {
    std::fs::remove_dir_all(folder).unwrap();
    // Folders come before what is in them.
    for (path, (mode, content)) in kits {
        let is_folder = kits.keys().any(|other| other.parent() == Some(path));
        if is_folder {
            std::fs::create_dir(path).unwrap()
        } else {
            std::fs::write(path, content).unwrap()
        }
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(*mode)).unwrap();
    }
}

/// The files whose content differs, as `kit/file`.
fn changed(
    kits: &Path,
    before: &BTreeMap<PathBuf, (u32, Vec<u8>)>,
    after: &BTreeMap<PathBuf, (u32, Vec<u8>)>,
) -> BTreeSet<String> {
    let paths: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| path.strip_prefix(kits).unwrap().display().to_string())
        .collect()
}

fn words(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(ToString::to_string).collect()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[test]
fn kits_have_what_their_holders_need_and_no_more() {
    let case = Case::new();
    let result = case.run();
    let kits = case.kits();
    let found = tree(&kits);
    let mut wanted: BTreeSet<String> = words(&["", "owner", "alice", "server", "site-1", "site-2"]);
    for (kit, files) in [("owner", &OWNER[..]), ("alice", &ADMIN)] {
        wanted.extend(files.iter().map(|file| format!("{kit}/{file}")));
    }
    for kit in PARTICIPANTS {
        wanted.extend(PARTICIPANT.iter().map(|file| format!("{kit}/{file}")));
    }
    assert_eq!(changed(&kits, &BTreeMap::new(), &found), wanted);

    let mut keys = Vec::new();
    for (path, (mode, content)) in &found {
        let is_key = path.extension().is_some_and(|extension| extension == "key");
        let expected = match (path.is_dir(), is_key) {
            (true, _) => 0o700,
            (false, true) => 0o600,
            (false, false) => 0o644,
        };
        assert_eq!(*mode, expected, "{}", path.display());
        if is_key {
            keys.push((path, content));
        }
    }
    // A key is in one file, and in no other.
    assert_eq!(keys.len(), 6);
    for (key, content) in keys {
        let body = String::from_utf8(content.clone()).unwrap().lines().nth(1).unwrap().to_owned();
        let with = found.iter().filter(|(_, (_, content))| String::from_utf8_lossy(content).contains(&body));
        assert_eq!(with.map(|(path, _)| path).collect::<Vec<_>>(), [key]);
    }

    // Those who start from kits can.
    for kit in ["alice", "server", "site-1", "site-2"] {
        let kit = Kit::load(&kits.join(kit)).unwrap();
        kit.client_tls().unwrap();
        let participant = kit.config.participant();
        assert_eq!(kit.bundle.is_some(), participant.is_some());
        if let Some(participant) = participant {
            cc_manager::Config::load_file(&participant.plugins_path).unwrap();
        }
        match &kit.config.part {
            Part::Server { scheduler, .. } => {
                kit.server_tls().unwrap();
                assert_eq!(kit.config.server, "127.0.0.1:0");
                assert_eq!((scheduler.max_jobs, scheduler.max_schedule_count), (4, 3));
            }
            Part::Client { resources, .. } => {
                assert_eq!(kit.config.server, "fl.example.org:7443");
                assert_eq!(resources.get("gpu").is_some(), kit.config.name.as_str() == "site-1");
            }
            Part::Admin => assert_eq!(kit.config.server, "fl.example.org:7443"),
        }
    }
    let read = |path: &str| std::fs::read_to_string(kits.join(path)).unwrap();
    assert_eq!(read("site-1/policy.toml"), policy("production", "init-data", 85));
    assert_eq!(read("site-2/policy.toml"), policy("production", "init-data", 84));
    assert!(read("site-2/muster.toml").contains("on_failure = \"shutdown\""));

    let descriptor = case.descriptor();
    assert_eq!((descriptor.name.as_str(), descriptor.profile), ("hospitals", FederationProfile::Production));
    assert_eq!(descriptor.server, name("server"));
    let bundle = case.bundle("server");
    assert_eq!((bundle.version, bundle.chip_quota, bundle.members.len()), (1, 1, 0));
    assert_eq!(bundle.roles[&Role::Client].name_binding, NameBinding::Both);
    assert_eq!(bundle.roles[&Role::Client].policy, policy("production", "init-data", 84));
    assert_eq!(read("owner/bundle.toml"), bundle.to_text());

    let id = descriptor.federation_id();
    let init = |text: &str, role| sha256(&enrol::init_data(&id, &name(text), role)).to_string();
    let launch = |text: &str, role| {
        let data = cc_manager::init_data(&enrol::init_data(&id, &name(text), role));
        hex::encode(data.sha384().unwrap())
    };
    let kit =
        |name: &str, role: &str| json!({"name": name, "role": role, "dir": kits.join(name), "created": true});
    let expected = json!({
        "schema": "muster.provision/1",
        "federation_id": id.to_string(),
        "bundle": {"version": 1, "digest": sha256(bundle.to_text().as_bytes()).to_string()},
        "kits": [kit("server", "server"), kit("site-1", "client"), kit("site-2", "client"), kit("alice", "admin")],
        "init_data": {
            "server": init("server", Role::Server),
            "site-1": init("site-1", Role::Client),
            "site-2": init("site-2", Role::Client)
        },
        "mr_config_id": {
            "server": launch("server", Role::Server),
            "site-1": launch("site-1", Role::Client),
            "site-2": launch("site-2", Role::Client)
        }
    });
    assert_eq!(result, expected);
}

#[test]
fn running_again_changes_nothing() {
    let case = Case::new();
    let first = case.run();
    let before = tree(&case.kits());
    let second = case.run();
    assert_eq!(tree(&case.kits()), before);
    assert!(second["kits"].as_array().unwrap().iter().all(|kit| kit["created"] == false), "{second}");
    for key in ["federation_id", "bundle", "init_data"] {
        assert_eq!(first[key], second[key]);
    }
    let human = case.muster.run(&case.line());
    assert_eq!((human.exit, human.stderr.as_str()), (0, ""), "{human}");
    assert!(human.stdout.contains("bundle      version 1, unchanged"), "{human}");
    assert_eq!(tree(&case.kits()), before);
}

#[test]
fn an_added_site_touches_nobody_else() {
    let mut case = Case::new();
    case.run();
    let before = tree(&case.kits());
    case.text.push_str("[participant.site-3]\nrole = \"client\"\n");
    case.edit("[\"alice\"]", "[\"alice\", \"bob\"]");
    let result = case.run();
    let mut wanted: BTreeSet<String> = words(&["", "bob", "site-3"]);
    wanted.remove("");
    wanted.extend(ADMIN.iter().map(|file| format!("bob/{file}")));
    wanted.extend(PARTICIPANT.iter().map(|file| format!("site-3/{file}")));
    assert_eq!(changed(&case.kits(), &before, &tree(&case.kits())), wanted);
    let created = result["kits"].as_array().unwrap().iter().filter(|kit| kit["created"] == true);
    assert_eq!(created.map(|kit| kit["name"].as_str().unwrap()).collect::<Vec<_>>(), ["site-3", "bob"]);
    assert_eq!(result["bundle"]["version"], 1);
    Kit::load(&case.kits().join("site-3")).unwrap();
}

#[test]
fn a_changed_bundle_is_the_next_version_and_nothing_else() {
    let mut case = Case::new();
    case.run();
    let bundles = words(&[
        "owner/bundle.cbor",
        "owner/bundle.toml",
        "server/bundle.cbor",
        "site-1/bundle.cbor",
        "site-2/bundle.cbor",
    ]);
    let mut version = 1;
    for (from, to) in [
        ("not_after_days = 365", "not_after_days = 366"),
        ("not_after_days = 366", "not_after = \"2100-01-01T00:00:00Z\""),
        ("[bundle]\n", "[bundle]\nchip_quota = 2\n"),
        ("[bundle]\n", "[bundle]\nverdict_lifetime_s = 300\n"),
        ("[bundle]\n", "[bundle]\nrevoked_names = [\"site-9\"]\n"),
        ("policy = \"policies/floor.toml\"\n", "policy = \"policies/strict.toml\"\n"),
        // The roster is the owner's word as well.
        ("[participant.site-1]\n", "[participant.site-1]\norganisation = \"clinic\"\n"),
        ("[participant.site-1]\n", "[participant.site-1]\nreplaceable = true\n"),
    ] {
        case.edit(from, to);
        let before = tree(&case.kits());
        let result = case.run();
        version += 1;
        assert_eq!(result["bundle"]["version"], version, "{to}");
        let after = tree(&case.kits());
        assert_eq!(changed(&case.kits(), &before, &after), bundles, "{to}");
        case.run();
        assert_eq!(tree(&case.kits()), after, "{to}");
    }
    let bundle = case.bundle("site-2");
    assert_eq!((bundle.chip_quota, bundle.verdict_lifetime.as_secs()), (2, 300));
    assert_eq!(bundle.not_after.to_string(), "2100-01-01T00:00:00Z");
    assert_eq!(bundle.organisation(&name("site-1")), "clinic");
    assert!(bundle.replaceable(&name("site-1")) && bundle.revoked_names.contains(&name("site-9")));
}

#[test]
fn a_sites_own_policy_is_the_sites() {
    let mut case = Case::new();
    case.run();
    let own = case.kits().join("site-2/policy.toml");
    std::fs::write(&own, policy("production", "init-data", 90)).unwrap();
    case.run();
    // Nor does a higher floor touch it.
    case.muster.write("policies/floor.toml", policy("production", "init-data", 86));
    assert_eq!(case.run()["bundle"]["version"], 2);
    assert_eq!(std::fs::read_to_string(&own).unwrap(), policy("production", "init-data", 90));
    std::fs::write(&own, "nonsense").unwrap();
    case.refused("site-2: pol.format.invalid");
    // Where the owner names it, it is the owner's.
    std::fs::write(&own, policy("production", "init-data", 90)).unwrap();
    case.edit(
        "on_failure = \"shutdown\"\n",
        "on_failure = \"shutdown\"\npolicy = \"policies/strict.toml\"\n",
    );
    case.refused("policy.toml:11: `microcode = 90` on disk, `microcode = 85` wanted");
}

/// Each row changes one thing of a description that is accepted.
#[test]
fn descriptions_that_do_not_fit_are_refused() {
    let fresh = |edit: &dyn Fn(&mut Case), wanted: &str| {
        let mut case = Case::new();
        case.muster.write("policies/zero.toml", policy("production", "zero", 84));
        case.muster.write("policies/development.toml", policy("development", "init-data", 84));
        edit(&mut case);
        case.refused(wanted);
        assert!(!case.kits().exists(), "{wanted}");
    };
    for (from, to, wanted) in [
        ("version = 1", "version = 2", "`version`: 2, only 1 is supported"),
        ("name = \"hospitals\"", "name = \"\"", "name: 1 to 128 bytes"),
        ("profile = \"production\"", "profile = \"test\"", "`profile`: unknown variant"),
        ("admins = [\"alice\"]", "admins = [\"site-1\"]", "`admins`: site-1 is taken"),
        ("admins = [\"alice\"]", "admins = [\"alice\", \"alice\"]", "`admins`: alice is taken"),
        ("admins = [\"alice\"]", "admins = [\"owner\"]", "is the name of the owner's own folder"),
        ("127.0.0.1:0", "127.0.0.1", "`server.listen`"),
        ("fl.example.org:7443", "fl.example.org:0", "`server.dial`"),
        ("fl.example.org:7443", "fl.example.org:70000", "`server.dial`"),
        ("fl.example.org:7443", ":7443", "`server.dial`"),
        ("not_after_days = 365\n", "", "exactly one of not_after and not_after_days"),
        (
            "not_after_days = 365\n",
            "not_after_days = 365\nnot_after = \"2100-01-01T00:00:00Z\"\n",
            "exactly one of",
        ),
        ("not_after_days = 365\n", "not_after = \"2100-01-01\"\n", "not an instant"),
        (
            "not_after_days = 365\n",
            "not_after = \"2026-01-01T00:00:00Z\"\n",
            "the bundle ended 2026-01-01T00:00:00Z",
        ),
        ("not_after_days = 365\n", "not_after_days = 0\n", "the bundle ended"),
        ("[bundle]\n", "[bundle]\nchip_quota = 0\n", "bundle: chip_quota: must be at least 1"),
        (
            "[bundle]\n",
            "[bundle]\nverdict_lifetime_s = 5\n",
            "bundle: verdict_lifetime_s: must be from 10 to 3600",
        ),
        (
            "[bundle]\n",
            "[bundle]\nrevoked_names = [\"site-1\"]\n",
            "site-1 is revoked and still a participant",
        ),
        ("[bundle]\n", "[bundle]\nrevoked_certificates = [\"AB\"]\n", "`bundle.revoked_certificates`"),
        (
            "[bundle.role.client]\nprofiles = [\"snp-raw-1\"]",
            "[bundle.role.client]\nprofiles = []",
            "bundle: role.client.profiles",
        ),
        (
            "[bundle.role.client]\nprofiles = [\"snp-raw-1\"]",
            "[bundle.role.client]\nprofiles = [\"SNP\"]",
            "`bundle.role.client.profiles`: \"SNP\"",
        ),
        (
            "[bundle.role.client]\nprofiles = [\"snp-raw-1\"]",
            "[bundle.role.client]\nprofiles = [\"nv-spdm-1\"]",
            "there must be a profile of a processor",
        ),
        (
            "[participant.site-1]\n",
            "[participant.site-1]\nprofile = \"nv-spdm-1\"\n",
            "`participant.site-1.profile`: nv-spdm-1 comes with a processor's evidence",
        ),
        (
            "[participant.site-1]\n",
            "[participant.site-1]\ndevices = \"snp-raw-1\"\n",
            "`participant.site-1.devices`: snp-raw-1 is of a processor",
        ),
        (
            "[bundle.role.server]\nprofiles = [\"snp-raw-1\"]",
            "[bundle.role.server]\nprofiles = [\"snp-raw-1\", \"tdx-quote-1\"]",
            "`participant.server.profile`: must be one of",
        ),
        (
            "[bundle.role.client]",
            "[bundle.role.relay]",
            "`participant.site-1.role`: there is no [bundle.role.client]",
        ),
        ("policies/floor.toml", "policies/absent.toml", "`bundle.role.server.policy`"),
        (
            "policies/floor.toml",
            "policies/zero.toml",
            "`bundle.role.server.policy`: name_binding = \"both\" needs host_data = \"init-data\"",
        ),
        (
            "policies/floor.toml\"",
            "policies/zero.toml\"\nname_binding = \"measured\"",
            "name_binding = \"measured\" needs",
        ),
        (
            "policies/floor.toml\"",
            "policies/floor.toml\"\nname_binding = \"enrolment\"",
            "admits nobody with name_binding = \"enrolment\"",
        ),
        (
            "policies/floor.toml",
            "policies/development.toml",
            "is a development policy, the federation is for production",
        ),
        ("policies/floor.toml", "federation.toml", "pol.format.invalid"),
        ("policies/strict.toml", "policies/development.toml", "`participant.site-1.policy`"),
        ("policies/strict.toml", "policies/zero.toml", "`participant.site-1.policy`"),
        ("policies/strict.toml", "absent.toml", "`participant.site-1.policy`"),
        ("role = \"server\"", "role = \"client\"", "`participant`: none has the role server"),
        (
            "[participant.site-2]\nrole = \"client\"",
            "[participant.site-2]\nrole = \"server\"",
            "`participant.site-2.role`: the server is server",
        ),
        (
            "[participant.site-2]\nrole = \"client\"",
            "[participant.site-2]\nrole = \"relay\"",
            "`participant.site-2.role`: kits are made for server and client",
        ),
        ("[participant.site-2]", "[participant.owner]", "is the name of the owner's own folder"),
        (
            "[participant.site-2]\n",
            "[participant.site-2]\nprofile = \"tdx-quote-1\"\n",
            "`participant.site-2.profile`: tdx-quote-1 is not in",
        ),
        (
            "[participant.site-2]\n",
            "[participant.site-2]\norganisation = \"\"\n",
            "member.site-2.organisation",
        ),
        (
            "[participant.site-2]\n",
            "[participant.site-2]\nplugins = \"absent\"\n",
            "`participant.site-2.plugins`: plug.config.missing",
        ),
        (
            "[participant.site-2]\n",
            "[participant.site-2]\nallow_code = [\"x\"]\n",
            "`participant.site-2.allow_code`",
        ),
        (
            "[participant.server]\n",
            "[participant.server]\nresources = { gpu = 1 }\n",
            "`participant.server.resources`",
        ),
        ("[participant.server]\n", "[participant.server]\nreplacable = true\n", "unknown field `replacable`"),
    ] {
        fresh(&|case| case.edit(from, to), wanted);
    }
}

#[test]
fn plugins_that_are_not_what_the_manifest_says_are_refused() {
    let production = plugins().join("libcc_snp.so");
    let check = |manifest: String, wanted: &str| {
        let mut case = Case::new();
        case.muster.write("plugins.toml", manifest);
        case.edit(&format!("plugins = {:?}", plugins()), "plugins = \"plugins.toml\"");
        case.refused(wanted);
        assert!(!case.kits().exists(), "{wanted}");
    };
    let head = "version = 1\n";
    let good = entry(&production, &["snp-raw-1"], "");
    let digest = sha256(&std::fs::read(&production).unwrap()).to_string();
    check(format!("{head}{}", good.replace(&digest, &"0".repeat(64))), "the manifest has 0000");
    check(
        format!("{head}{}", entry(&production, &["snp-raw-1", "foo-1"], "")),
        "the manifest lists foo-1, snp-raw-1",
    );
    check(format!("{head}{}", good.replace("libcc_snp.so", "absent.so")), "`plugins`: plug.file.not_found");
    check(head.to_owned(), "`plugins`: plug.config.invalid");
    check(
        format!("{head}[danger]\nallow_emulated = true\n{good}"),
        "danger.allow_emulated in a production federation",
    );
    check(format!("{head}{}", entry(&test_plugin("libemulated_snp.so"), &["snp-raw-1"], "")), "is emulated");

    // A manifest that serves only one of the roles' profiles.
    let mut case = Case::new();
    case.muster.write("plugins.toml", format!("{head}{good}"));
    case.edit(&format!("plugins = {:?}", plugins()), "plugins = \"plugins.toml\"");
    case.edit("profiles = [\"snp-raw-1\"]", "profiles = [\"snp-raw-1\", \"aci-raw-1\"]");
    case.edit("[participant.server]\n", "[participant.server]\nprofile = \"snp-raw-1\"\n");
    case.refused("no plugin of server serves aci-raw-1 of bundle.role.server.profiles");
}

#[test]
fn emulated_hardware_is_for_development() {
    let mut case = Case::new();
    let guest = "configfs = \"/tmp/report\"\nguest = { chip = 1, text = \"a \\\"b\\\"\", list = [1, true] }";
    config(case.muster.folder(), &[entry(&test_plugin("libemulated_snp.so"), &["snp-raw-1"], guest)]);
    case.muster.write("policies/floor.toml", policy("development", "init-data", 84));
    case.edit("profile = \"production\"", "profile = \"development\"");
    case.edit(&format!("plugins = {:?}", plugins()), "plugins = \"plugins.toml\"");
    case.run();
    assert_eq!(case.descriptor().profile, FederationProfile::Development);
    let kit = cc_manager::Config::load_file(&case.kits().join("site-1/plugins.toml")).unwrap();
    let ours = cc_manager::Config::load_file(&case.muster.folder().join("plugins.toml")).unwrap();
    assert_eq!(kit, ours);
    assert!(kit.danger.allow_emulated && kit.plugins[0].path.is_absolute());
}

/// Each row changes one thing on disk, or one thing of the description that is not the bundle's.
#[test]
fn what_differs_from_the_disk_is_refused() {
    // Provisioned once: each row begins with the same kits.
    let provisioned = Case::new();
    provisioned.run();
    let kits = tree(&provisioned.kits());
    let provisioned = RefCell::new(provisioned);
    let check = |change: &dyn Fn(&mut Case), wanted: &str| {
        let mut case = provisioned.borrow_mut();
        let text = case.text.clone();
        change(&mut case);
        case.refused(wanted);
        case.text = text;
        restore(&case.kits(), &kits);
    };
    let path = |case: &Case, file: &str| case.kits().join(file);
    let copy = |case: &Case, from: &str, to: &str| {
        std::fs::copy(path(case, from), path(case, to)).unwrap();
    };
    for (from, to, wanted) in [
        ("name = \"hospitals\"", "name = \"other\"", "name is \"hospitals\", "),
        ("profile = \"production\"", "profile = \"development\"", "profile is \"production\", "),
        ("[participant.server]", "[participant.coordinator]", "server is \"server\", "),
        ("gpu = 2", "gpu = 4", "site-1: "),
        ("gpu = 2", "gpu = 4", "muster.toml:12: `\"gpu\" = 2` on disk, `\"gpu\" = 4` wanted"),
        ("max_schedule_count = 3", "max_schedule_count = 4", "server: "),
        ("fl.example.org", "fl.example.com", "`server = \"fl.example.org:7443\"` on disk"),
        ("[participant.site-2]\nrole = \"client\"\non_failure = \"shutdown\"\n", "", "site-2 is not in"),
        ("admins = [\"alice\"]\n", "", "alice is not in"),
        ("not_after_days = 365", "not_after = \"2026-01-01T00:00:00Z\"", "the bundle ended"),
    ] {
        check(&|case| case.edit(from, to), wanted);
    }
    for (file, wanted) in [
        ("site-1/muster.toml", "site-1: "),
        ("site-1/plugins.toml", "plugins.toml"),
        ("site-1/policy.toml", "policy.toml"),
        ("site-1/bundle.cbor", "bundle.cbor"),
        ("site-1/descriptor.toml", "descriptor.toml"),
        ("site-1/enrolment.pem", "enrolment.pem"),
        ("site-1/enrolment.key", "enrolment.key"),
        ("alice/enrolment.key", "alice: "),
        ("owner/owner.key", "owner.key"),
        ("owner/ca.key", "ca.key"),
        ("owner/ca.pem", "ca.pem"),
        ("owner/descriptor.toml", "descriptor.toml"),
        ("owner/bundle.cbor", "bundle.cbor"),
        ("owner/bundle.toml", "bundle.toml"),
        ("owner/provision.toml", "provision.toml"),
    ] {
        check(&|case| std::fs::remove_file(path(case, file)).unwrap(), wanted);
        check(
            &|case| {
                let mode = std::fs::metadata(path(case, file)).unwrap().permissions();
                std::fs::write(path(case, file), "nonsense = 1\n").unwrap();
                std::fs::set_permissions(path(case, file), mode).unwrap();
            },
            wanted,
        );
    }
    for file in ["site-1/enrolment.key", "owner/owner.key", "owner/ca.key", "site-1", "alice", "owner"] {
        let open = |case: &mut Case| {
            std::fs::set_permissions(path(case, file), std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        check(&open, "mode 0755, expected 0");
    }
    let comment = |case: &Case, file: &str| {
        let text = std::fs::read_to_string(path(case, file)).unwrap();
        std::fs::write(path(case, file), format!("# mine\n{text}")).unwrap();
    };
    check(&|case| comment(case, "owner/bundle.toml"), "what the owner signs is changed in");
    check(&|case| comment(case, "owner/descriptor.toml"), "was changed by hand");
    check(
        &|case| copy(case, "site-2/enrolment.key", "site-1/enrolment.key"),
        "is not the key of enrolment.pem",
    );
    check(
        &|case| copy(case, "site-2/enrolment.pem", "site-1/enrolment.pem"),
        "is muster:client:site-2's, expected muster:client:site-1",
    );
    check(&|case| std::fs::remove_dir_all(path(case, "owner")).unwrap(), "is there, and no ");
    check(
        &|case| std::fs::write(path(case, "site-1/muster.toml"), "version = 1\n").unwrap(),
        "muster.toml:2: nothing on disk, `name = \"site-1\"` wanted",
    );
    let stranger = |case: &mut Case| {
        std::fs::create_dir(path(case, "site-9")).unwrap();
        copy(case, "site-1/muster.toml", "site-9/muster.toml");
    };
    check(&stranger, "site-9 is not in");
}

#[test]
fn parts_of_another_federation_are_refused() {
    let (case, other) = (Case::new(), Case::new());
    case.run();
    other.run();
    let copy = |file: &str| {
        let saved = std::fs::read(case.kits().join(file)).unwrap();
        std::fs::copy(other.kits().join(file), case.kits().join(file)).unwrap();
        saved
    };
    for (file, wanted) in [
        ("owner/owner.key", "is not the key of the descriptor's owner"),
        ("owner/ca.pem", "is not the descriptor's one enrolment CA"),
        ("owner/bundle.cbor", "pol.signature.invalid"),
        ("site-1/bundle.cbor", "pol.signature.invalid"),
        ("site-1/descriptor.toml", "descriptor.toml:3"),
        ("site-1/enrolment.pem", "fl.member.unknown"),
    ] {
        let saved = copy(file);
        case.refused(wanted);
        std::fs::write(case.kits().join(file), saved).unwrap();
    }
    // The CA's key is only used for somebody new, and then it must be the CA's.
    let mut case = case;
    std::fs::copy(other.kits().join("owner/ca.key"), case.kits().join("owner/ca.key")).unwrap();
    case.text.push_str("[participant.site-3]\nrole = \"client\"\n");
    case.refused("site-3: fl.member.unknown");
}

#[test]
fn revoked_kits_stay_and_get_no_bundle() {
    let mut case = Case::new();
    case.run();
    case.edit("[participant.site-2]\nrole = \"client\"\non_failure = \"shutdown\"\n", "");
    case.edit("[bundle]\n", "[bundle]\nrevoked_names = [\"site-2\"]\n");
    let result = case.run();
    assert_eq!(result["bundle"]["version"], 2);
    assert_eq!((case.bundle("site-1").version, case.bundle("site-2").version), (2, 1));
    let certificate = std::fs::read(case.kits().join("site-1/enrolment.pem")).unwrap();
    let der = der_of(&certificate);
    case.edit("[bundle]\n", &format!("[bundle]\nrevoked_certificates = [\"{}\"]\n", sha256(&der)));
    case.refused("is revoked by bundle version 3");
    // A new kit has a new certificate.
    std::fs::rename(case.kits().join("site-1"), case.muster.folder().join("old")).unwrap();
    case.run();
    assert_eq!(case.bundle("site-1").version, 3);
}

/// The one certificate of a PEM file.
fn der_of(pem: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let text = std::str::from_utf8(pem).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    base64::prelude::BASE64_STANDARD.decode(body).unwrap()
}

#[test]
fn an_interrupted_run_is_completed_by_the_next() {
    let mut case = Case::new();
    case.run();
    let old = std::fs::read(case.kits().join("site-1/bundle.cbor")).unwrap();
    case.edit("[bundle]\n", "[bundle]\nchip_quota = 2\n");
    case.run();
    let complete = tree(&case.kits());
    // After the owner's bundle, before a kit's.
    std::fs::write(case.kits().join("site-1/bundle.cbor"), &old).unwrap();
    assert_eq!(case.run()["bundle"]["version"], 2);
    assert_eq!(tree(&case.kits()), complete);
    // Before a kit was made.
    std::fs::remove_dir_all(case.kits().join("site-2")).unwrap();
    case.run();
    Kit::load(&case.kits().join("site-2")).unwrap();
    // After the text, before the bundle: as if version 2 had not been written anywhere else.
    for file in ["owner", "server", "site-1", "site-2"] {
        std::fs::write(case.kits().join(file).join("bundle.cbor"), &old).unwrap();
    }
    assert_eq!(case.run()["bundle"]["version"], 2);
    assert_eq!(case.bundle("site-2").version, 2);
    let text = std::fs::read_to_string(case.kits().join("owner/bundle.toml")).unwrap();
    assert_eq!((text, case.bundle("owner").chip_quota), (case.bundle("owner").to_text(), 2));
    // What was being made is swept away.
    std::fs::create_dir(case.kits().join(".new-0123")).unwrap();
    std::fs::write(case.kits().join(".new-0123/enrolment.key"), "x").unwrap();
    case.run();
    assert!(!case.kits().join(".new-0123").exists());
}

#[test]
fn nvflares_provisioning_becomes_kits() {
    let sample = root().join("../shared/samples/nvflare-provision");
    if !sample.is_dir() {
        eprintln!("########################################################################");
        eprintln!("## SKIPPED: import of a real NVFlare provisioning: none at {}", sample.display());
        eprintln!("########################################################################");
        return;
    }
    let muster = Muster::new();
    let kits = muster.folder().join("kits");
    let line = format!("provision --import-nvflare {} --out {}", sample.display(), kits.display());
    let refused = muster.run(&line);
    assert_eq!(refused.exit, 2);
    assert!(refused.stderr.contains("NVFlare's MockAuthorizer, which proves nothing"), "{refused}");
    assert!(!kits.exists());

    let line = format!("{line} --profile development");
    let result = muster.json(0, &line);
    let participant = |name: &str, nvflare: &str, role: &str| json!({"name": name, "nvflare": nvflare, "role": role, "profile": "snp-raw-1", "verify_frequency_s": 30});
    let file = kits.join("federation.toml");
    let expected = json!({
        "schema": "muster.provision.import/1",
        "file": file,
        "created": true,
        "participants": [
            participant("server", "localhost", "server"),
            participant("site-1", "site-1", "client"),
            participant("site-2", "site-2", "client")
        ],
        "admins": ["admin-at-nvidia.com"],
        "to_complete": ["plugins", "bundle.not_after_days", "bundle.role.server.policy", "bundle.role.client.policy"]
    });
    assert_eq!(result, expected);
    assert_eq!(muster.json(0, &line)["created"], false);

    // Nothing was guessed, so that nothing can be made before the owner has written the rest.
    let provision = format!("provision {} --out {}", file.display(), kits.display());
    let text = std::fs::read_to_string(&file).unwrap();
    let incomplete = muster.run(&provision);
    assert!(incomplete.exit == 2 && incomplete.stderr.contains("missing field"), "{incomplete}");
    config(&kits, &[entry(&test_plugin("libemulated_snp.so"), &["snp-raw-1"], "")]);
    for role in ["server", "client"] {
        std::fs::create_dir_all(kits.join("policies")).unwrap();
        std::fs::write(kits.join(format!("policies/{role}.toml")), policy("development", "init-data", 84))
            .unwrap();
    }
    let completed = text
        .replace("#! plugins = \"/usr/lib/muster/plugins\"", "plugins = \"plugins.toml\"")
        .replace("#! ", "");
    std::fs::write(&file, completed).unwrap();
    let made = muster.json(0, &provision);
    assert_eq!(made["kits"].as_array().unwrap().len(), 4);
    let site = Kit::load(&kits.join("site-1")).unwrap();
    assert_eq!(site.config.server, "localhost:18002");

    // And it is not overwritten.
    let again = muster.run(&line);
    assert!(again.exit == 2 && again.stderr.contains("is there and is another one"), "{again}");
}

#[test]
fn the_description_is_documented_by_an_example() {
    let muster = Muster::new();
    let help = muster.run("provision --help");
    assert_eq!((help.exit, help.stderr.as_str()), (0, ""), "{help}");
    let example = std::fs::read_to_string(root().join("crates/muster/src/provision/example.toml")).unwrap();
    let operations = std::fs::read_to_string(root().join("docs/OPERATIONS.md")).unwrap();
    assert!(help.stdout.contains("Examples:"), "{help}");
    for line in example.lines() {
        assert!(help.stdout.contains(line.trim_end()), "{line}\nis not in the help");
    }
    assert!(operations.contains(&example), "the example in docs/OPERATIONS.md is another one");
    assert_eq!(muster.run("provision --out kits").exit, 2);
    assert_eq!(muster.run("provision a.toml --import-nvflare b --out kits").exit, 2);
    assert_eq!(muster.run("provision a.toml --out kits --profile development").exit, 2);
}
