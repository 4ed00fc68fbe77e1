//! The command against a key distribution service on loopback, over TLS: what it fetches, what it keeps, and what it
//! says when the service does not serve. Reports are emulated, signed under the test kit's roots.
//!
//! Only failures that the fetcher takes as final are here: after one that may pass it waits for real. How it waits is
//! tested in cc-manager, with a clock of its own.

use cc_testkit::kds::{Fault, Kds};
use cc_testkit::snp::ca::{CA_NOT_AFTER, CA_NOT_BEFORE};
use cc_testkit::snp::cert::pem;
use cc_testkit::snp::{LeafKind, Product, World};
use muster_it::cli::Muster;
use muster_it::place::{entry, test_plugin};
use serde_json::Value;

const CHAIN: &str = "/vcek/v1/Genoa/cert_chain";
const CRL: &str = "/vcek/v1/Genoa/crl";

/// The service with everything for one report, and the command configured to ask it.
struct Scene {
    muster: Muster,
    kds: Kds,
    world: World,
    /// Profile, evidence, plugins.
    verify: String,
    vcek: String,
}

impl Scene {
    /// Certificates and list are valid from 2020 to 2049, so that the real clock will do.
    fn new() -> Self {
        let (muster, kds) = (Muster::new(), Kds::start());
        let mut world = World::new(Product::Genoa, LeafKind::Vcek);
        world.edit_leaf(|leaf| (leaf.not_before, leaf.not_after) = (CA_NOT_BEFORE, CA_NOT_AFTER));
        world.edit_crl(|crl| (crl.this_update, crl.next_update) = (CA_NOT_BEFORE, Some(CA_NOT_AFTER)));

        let vcek = format!(
            "/vcek/v1/Genoa/{}?blSPL=10&teeSPL=0&snpSPL=23&ucodeSPL=84",
            hex::encode(Product::Genoa.hwid())
        );
        kds.route(&vcek, &world.leaf);
        kds.route(CHAIN, format!("{}{}", pem(&world.intermediate), pem(&world.ark)).as_bytes());
        kds.route(CRL, &world.crl);

        let ca = muster.folder().join("ca.pem");
        kds.write_ca(&ca);
        let plugin = entry(&test_plugin("libemulated_snp.so"), &["snp-raw-1"], "");
        let plugins = muster.write(
            "plugins.toml",
            format!(
                "version = 1\n{plugin}\n[danger]\nallow_emulated = true\n\
             [[fetch.endpoint]]\nhost = \"kdsintf.amd.com\"\nurl = \"{}\"\nca_file = {ca:?}\n",
                kds.url()
            ),
        );
        let evidence = muster.write("report.bin", world.report.bytes());
        let verify = format!("evidence verify --profile snp-raw-1 --evidence {evidence} --plugins {plugins}");
        Self { muster, kds, world, verify, vcek }
    }

    fn run(&self, exit: i32, options: &str) -> Value {
        self.muster.json(exit, &format!("{} {options}", self.verify))
    }

    /// Puts a list with this number, which revokes nothing, in place of the other.
    fn publish_crl(&mut self, number: u64) {
        self.world.edit_crl(|crl| crl.number = Some(number));
        self.kds.route(CRL, &self.world.crl);
    }

    /// Forgets what was fetched, but not the highest numbers seen.
    fn forget_fetched(&self) {
        std::fs::remove_dir_all(self.muster.cache().join("index")).unwrap();
    }
}

fn kinds(result: &Value) -> Vec<(&str, &str)> {
    let endorsements = result["endorsements"].as_array().unwrap().iter();
    endorsements.map(|e| (e["kind"].as_str().unwrap(), e["source"].as_str().unwrap())).collect()
}

#[test]
fn what_is_missing_is_fetched_once_and_then_served_from_the_cache() {
    let scene = Scene::new();
    let vcek = format!("https://kdsintf.amd.com{}", scene.vcek);
    let first = scene.run(0, "");
    assert_eq!(
        kinds(&first),
        [
            ("snp.vcek", vcek.as_str()),
            ("snp.ask", "https://kdsintf.amd.com/vcek/v1/Genoa/cert_chain"),
            ("snp.ark", "https://kdsintf.amd.com/vcek/v1/Genoa/cert_chain"),
            ("snp.crl", "https://kdsintf.amd.com/vcek/v1/Genoa/crl"),
        ]
    );
    assert_eq!((&first["waived"], &first["replayed"]), (&serde_json::json!([]), &false.into()));
    assert_eq!(first["plugin"]["trust_class"], "emulated");
    assert_eq!(scene.kds.log(), [scene.vcek.as_str(), CHAIN, CRL]);

    let second = scene.run(0, "");
    assert_eq!(second["endorsements"], first["endorsements"]);
    assert_eq!(scene.kds.log().len(), 3, "nothing is asked again");
    let offline = scene.run(0, "--offline");
    assert_eq!(offline["endorsements"], first["endorsements"]);
    assert_eq!(scene.kds.log().len(), 3);
}

#[test]
fn a_replay_fetches_and_leaves_no_trace() {
    let scene = Scene::new();
    for round in 1..=2 {
        let result = scene.run(0, "--at 2026-06-01T00:00:00Z");
        assert_eq!(result["replayed"], true);
        assert_eq!(scene.kds.count(CRL), round);
    }
    assert!(!scene.muster.cache().join("index").exists(), "no cache is written");
    assert!(!scene.muster.cache().join("floors.json").exists(), "no floor is written");
}

#[test]
fn what_is_supplied_is_not_fetched() {
    let scene = Scene::new();
    let leaf = scene.muster.write("leaf.der", &scene.world.leaf);
    scene.run(0, &format!("--endorsements {leaf} --at 2026-06-01T00:00:00Z"));
    assert_eq!(scene.kds.log(), [CHAIN, CRL]);
}

#[test]
fn offline_asks_nobody() {
    let scene = Scene::new();
    let result = scene.run(4, "--offline");
    assert_eq!(result["code"], "snp.chain.missing");
    assert!(result["detail"].as_str().unwrap().contains("offline"), "{result}");
    assert!(scene.kds.log().is_empty());
}

/// N-SNP-46: an older list than one that was seen, whoever supplies it.
#[test]
fn an_older_revocation_list_is_a_rollback() {
    let mut scene = Scene::new();
    scene.publish_crl(5);
    scene.run(0, "");

    scene.publish_crl(4);
    scene.forget_fetched();
    let fetched = scene.run(3, "");
    assert_eq!((&fetched["code"], &fetched["outcome"]), (&"coll.rollback".into(), &"reject".into()));
    assert!(fetched["claims"].as_object().unwrap().is_empty());

    let older = scene.muster.write("older.crl", &scene.world.crl);
    let supplied = scene.run(3, &format!("--endorsements {older}"));
    assert_eq!(supplied["code"], "coll.rollback");
    let replayed = scene.run(0, &format!("--endorsements {older} --at 2026-06-01T00:00:00Z"));
    assert_eq!(replayed["replayed"], true, "floors are knowledge of the present");

    scene.publish_crl(6);
    scene.forget_fetched();
    scene.run(0, "");
    scene.publish_crl(5);
    scene.forget_fetched();
    assert_eq!(scene.run(3, "")["code"], "coll.rollback", "N-SNP-46: the floor has risen");
}

#[test]
fn a_service_that_does_not_serve_leaves_the_case_undecided_with_the_reason() {
    for (what, reason, fault) in [
        ("does not know the processor", "404", Fault::Status(404)),
        ("refuses", "403", Fault::Status(403)),
        ("throttles for longer than the command waits", "429", Fault::Throttle(Some("3600".to_owned()))),
        ("redirects elsewhere", "redirect", Fault::Redirect("https://kds.example/".to_owned())),
        ("sends too much", "larger than", Fault::Oversize(cc_core::limits::MAX_ENDORSEMENT + 1, true)),
    ] {
        let scene = Scene::new();
        scene.kds.always(&scene.vcek, fault);
        let result = scene.run(4, "--at 2026-06-01T00:00:00Z");
        assert_eq!(result["code"], "snp.chain.missing", "{what}");
        let detail = result["detail"].as_str().unwrap();
        assert!(detail.contains(reason) && detail.contains("snp.vcek"), "{what}: {detail}");
        assert_eq!(scene.kds.count(&scene.vcek), 1, "{what}: asked once");
    }
}

#[test]
fn after_throttling_the_host_is_left_alone() {
    let scene = Scene::new();
    scene.kds.always(&scene.vcek, Fault::Throttle(Some("3600".to_owned())));
    scene.run(4, "--at 2026-06-01T00:00:00Z");
    assert_eq!(scene.kds.log(), [scene.vcek.as_str()], "chain and list are not asked for");
}

#[test]
fn a_missing_list_can_be_waived_a_missing_chain_cannot() {
    let scene = Scene::new();
    scene.kds.always(CRL, Fault::Status(404));
    assert_eq!(scene.run(4, "")["code"], "snp.crl.missing");
    let waived = scene.run(0, "--waive snp.crl.missing");
    assert_eq!(waived["waived"], serde_json::json!(["snp.crl.missing"]));

    let scene = Scene::new();
    scene.kds.always(CHAIN, Fault::Status(404));
    assert_eq!(scene.run(4, "--waive snp.crl.missing")["code"], "snp.chain.missing");
}

#[test]
fn no_production_policy_affirms_emulated_evidence() {
    let scene = Scene::new();
    let appraise = scene.verify.replace("evidence verify", "evidence appraise");
    for policy in ["demo-permits", "demo-forbids"] {
        let line = format!("{appraise} --at 2026-06-01T00:00:00Z --policy docs/examples/{policy}.toml");
        let result = scene.muster.json(5, &line);
        assert_eq!(
            (&result["outcome"], &result["appraisal"]["status"]),
            (&"accept".into(), &"contraindicated".into())
        );
        let findings = result["appraisal"]["findings"].as_array().unwrap().iter();
        let codes: Vec<_> = findings.map(|finding| finding["code"].as_str().unwrap()).collect();
        assert!(codes.contains(&"pol.profile.development"), "{policy}: {codes:?}");
    }
}

#[test]
fn what_the_service_sends_is_verified_like_anything_else() {
    let stranger = World::self_made(Product::Genoa, LeafKind::Vcek);
    let scene = Scene::new();
    scene.kds.route(CHAIN, format!("{}{}", pem(&stranger.intermediate), pem(&stranger.ark)).as_bytes());
    let result = scene.run(3, "--waive snp.crl.missing");
    assert_eq!(result["outcome"], "reject", "{result}");
    // The answer was cached before it was refused, for a short time, and must not poison a better one for longer.
    scene.forget_fetched();
    scene.kds.route(CHAIN, format!("{}{}", pem(&scene.world.intermediate), pem(&scene.world.ark)).as_bytes());
    scene.run(0, "");
}

#[test]
fn a_mirror_must_be_https_and_its_authority_readable() {
    let scene = Scene::new();
    let file = scene.muster.folder().join("plugins.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    for (what, text, key) in [
        ("plain http", good.replace("https://127", "http://127"), "fetch.endpoint[0].url"),
        ("no authority", good.replace("ca.pem", "absent.pem"), "fetch.endpoint[0].ca_file"),
        ("unknown key", good.replace("ca_file", "ca"), "fetch.endpoint[0]"),
        ("another host", good.replace("kdsintf.amd.com", "kds.example"), "fetch.endpoint[0].host"),
    ] {
        std::fs::write(&file, text).unwrap();
        let ran = scene.muster.run(&format!("{} --format json", scene.verify));
        assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""), "{what}: {ran}");
        assert!(ran.stderr.contains("plug.config.invalid") && ran.stderr.contains(key), "{what}: {ran}");
    }
}
