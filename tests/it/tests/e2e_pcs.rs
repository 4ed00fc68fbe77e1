//! The command against a stand-in for Intel's provisioning certification service on loopback, over TLS: a quote alone is
//! enough, what is fetched is kept, and old collateral does not come back. Quotes are emulated, signed under the test kit's
//! root.

use cc_testkit::pcs::{HOST, Pcs, QE_IDENTITY, ROOT_CRL, ROOT_HOST, pck_crl, tcb_info};
use cc_testkit::tdx::ca::{CA_NOT_AFTER, CA_NOT_BEFORE};
use cc_testkit::tdx::collateral::rfc3339;
use cc_testkit::tdx::mint::chain_pem;
use cc_testkit::tdx::{Ca, Form, World};
use muster_it::cli::Muster;
use muster_it::place::{entry, test_plugin};
use serde_json::Value;

/// The service with everything for one quote, and the command configured to ask it.
struct Scene {
    muster: Muster,
    pcs: Pcs,
    world: World,
    /// Profile, evidence, plugins.
    verify: String,
}

impl Scene {
    /// Collateral is valid as long as its certificates, so that the real clock will do.
    fn new() -> Self {
        let (muster, pcs) = (Muster::new(), Pcs::start());
        let mut world = World::new(Form::V5Td15, Ca::Platform);
        let (since, until) = (rfc3339(CA_NOT_BEFORE), rfc3339(CA_NOT_AFTER));
        world.edit_tcb_info(|info| (info.issue_date, info.next_update) = (since.clone(), until.clone()));
        world.edit_qe_identity(|identity| (identity.issue_date, identity.next_update) = (since, until));
        world.edit_root_crl(|crl| (crl.this_update, crl.next_update) = (CA_NOT_BEFORE, Some(CA_NOT_AFTER)));
        world.edit_pck_crl(|crl| (crl.this_update, crl.next_update) = (CA_NOT_BEFORE, Some(CA_NOT_AFTER)));
        let ca = muster.folder().join("ca.pem");
        pcs.service().write_ca(&ca);
        let plugin = entry(&test_plugin("libemulated_tdx.so"), &["tdx-quote-1"], "");
        let endpoints: String = [HOST, ROOT_HOST]
            .map(|host| {
                let url = pcs.service().url();
                format!("[[fetch.endpoint]]\nhost = {host:?}\nurl = {url:?}\nca_file = {ca:?}\n")
            })
            .concat();
        let plugins = muster.write(
            "plugins.toml",
            format!("version = 1\n{plugin}\n[danger]\nallow_emulated = true\n{endpoints}"),
        );
        // As a file from a kernel: with padding behind the quote.
        let evidence = muster.write("quote.bin", [world.quote.bytes(), vec![0; 100]].concat());
        let verify =
            format!("evidence verify --profile tdx-quote-1 --evidence {evidence} --plugins {plugins}");
        let scene = Self { muster, pcs, world, verify };
        scene.publish();
        scene
    }

    fn publish(&self) {
        let Self { pcs, world, .. } = self;
        pcs.serve_tcb_info(&self.fmspc(), &world.tcb_info.body(), &chain_pem(&world.tcb_chain));
        pcs.serve_qe_identity(&world.qe_identity.body(), &chain_pem(&world.qe_chain));
        pcs.serve_pck_crl("platform", &world.pck_crl, &chain_pem(&world.pck_chain[1..]));
        pcs.serve_root_crl(&world.root_crl);
    }

    fn fmspc(&self) -> String {
        self.world.tcb_info_spec.fmspc.to_lowercase()
    }

    fn run(&self, exit: i32, options: &str) -> Value {
        self.muster.json(exit, &format!("{} {options}", self.verify))
    }

    /// Forgets what was fetched, but not the highest numbers seen.
    fn forget_fetched(&self) {
        std::fs::remove_dir_all(self.muster.cache().join("index")).unwrap();
    }
}

fn kinds(result: &Value) -> Vec<&str> {
    let endorsements = result["endorsements"].as_array().unwrap().iter();
    endorsements.map(|endorsement| endorsement["kind"].as_str().unwrap()).collect()
}

#[test]
fn a_quote_alone_is_enough_and_nothing_is_asked_twice() {
    let scene = Scene::new();
    let first = scene.run(0, "");
    assert_eq!(
        kinds(&first),
        [
            "tdx.tcb_info",
            "tdx.signing_chain",
            "tdx.signing_chain",
            "tdx.qe_identity",
            "tdx.pck_crl",
            "tdx.root_crl"
        ]
    );
    assert_eq!(first["claims"]["tcb_status"], "UpToDate", "{first}");
    assert_eq!(first["plugin"]["trust_class"], "emulated");
    let asked = [tcb_info(&scene.fmspc()), QE_IDENTITY.to_owned(), pck_crl("platform"), ROOT_CRL.to_owned()];
    assert_eq!(scene.pcs.service().log(), asked);
    assert_eq!(scene.run(0, "")["endorsements"], first["endorsements"]);
    assert_eq!(scene.run(0, "--offline")["endorsements"], first["endorsements"]);
    assert_eq!(scene.pcs.service().log().len(), 4, "nothing is asked again");
}

#[test]
fn n_tdx_36_collateral_older_than_what_was_seen_does_not_come_back() {
    let mut scene = Scene::new();
    scene.run(0, "");
    scene.forget_fetched();
    let number = scene.world.tcb_info_spec.evaluation_number;
    scene.world.edit_tcb_info(|info| info.evaluation_number = number - 1);
    scene.publish();
    let result = scene.run(3, "");
    assert_eq!(result["code"], "coll.rollback", "{result}");
}

#[test]
fn n_tdx_23_offline_without_a_cache_nothing_is_decided() {
    let scene = Scene::new();
    let result = scene.run(4, "--offline");
    assert_eq!(result["code"], "tdx.crl.missing", "{result}");
    assert!(result["detail"].as_str().unwrap().contains("offline"), "{result}");
    assert!(scene.pcs.service().log().is_empty());
}

#[test]
fn a_document_that_was_written_anew_is_refused() {
    let scene = Scene::new();
    let body = String::from_utf8(scene.world.tcb_info.body()).unwrap().replacen("\"id\":", "\"id\": ", 1);
    scene.pcs.serve_tcb_info(&scene.fmspc(), body.as_bytes(), &chain_pem(&scene.world.tcb_chain));
    assert_eq!(scene.run(3, "")["code"], "tdx.tcb_info.signature");
}
