//! What a plan asks for, and what it refuses (*verification.md* 1.4, *decisions.md* 19).

use cc_core::limits::MAX_ENDORSEMENTS;
use cc_core::message::{Blob, MESSAGE_VERSION, Plan, PlanRequest};
use cc_core::{Profile, codes};
use cc_testkit::snp::leaf::oids;
use cc_testkit::snp::{LeafKind, Product, World};
use cc_verifier::snp::{Anchors, Verifier};

use LeafKind::{Vcek, Vlek};
use Product::{Genoa, Milan, Turin};

fn drop_ref<T>(_: &mut T) {}

fn verifier() -> Verifier {
    Verifier::new(Anchors::amd(), 0)
}

fn plan_request(evidence: &[u8], endorsements: &[&[u8]]) -> PlanRequest {
    PlanRequest {
        version: MESSAGE_VERSION,
        profile: Profile::snp_raw_1(),
        evidence: evidence.to_vec(),
        endorsements: endorsements.iter().map(|bytes| Blob(bytes.to_vec())).collect(),
    }
}

fn plan(world: &World, endorsements: &[&[u8]]) -> Plan {
    verifier().plan(&plan_request(world.report.bytes(), endorsements)).unwrap()
}

fn urls(plan: &Plan) -> Vec<String> {
    let strip = |url: &str| url.strip_prefix("https://kdsintf.amd.com").unwrap().to_owned();
    plan.requests.iter().map(|request| strip(&request.url)).collect()
}

#[test]
fn plans_ask_for_what_is_missing() {
    let milan = World::new(Milan, Vcek);
    let vcek =
        format!("/vcek/v1/Milan/{}?blSPL=4&teeSPL=0&snpSPL=24&ucodeSPL=219", hex::encode(Milan.hwid()));
    let (chain, crl) = ("/vcek/v1/Milan/cert_chain".to_owned(), "/vcek/v1/Milan/crl".to_owned());
    let all = plan(&milan, &[]);
    assert_eq!(urls(&all), [vcek.clone(), chain.clone(), crl.clone()]);
    let kinds: Vec<_> = all.requests.iter().map(|r| (r.kind.as_str(), r.max_age)).collect();
    assert_eq!(kinds, [("snp.vcek", 30 * 86400), ("snp.cert_chain", 30 * 86400), ("snp.crl", 86400)]);
    assert_eq!(all.claims.text("product"), Ok("Milan"));
    assert_eq!(all.claims.value("leaf_ext"), None);

    assert_eq!(urls(&plan(&milan, &[&milan.leaf])), [chain.clone(), crl.clone()]);
    assert_eq!(urls(&plan(&milan, &[&milan.intermediate])), [vcek.clone(), crl.clone()]);
    // A list at hand may be an old one.
    assert_eq!(urls(&plan(&milan, &[&milan.crl])), [vcek.clone(), chain.clone(), crl.clone()]);
    let table = milan.cert_table().build();
    assert_eq!(urls(&plan(&milan, &[&table, &milan.crl])), std::slice::from_ref(&crl));
    // Certificates of other processors, levels, kinds and product lines are none of this report's.
    let others = [World::new(Genoa, Vcek), World::new(Milan, Vlek)];
    let mut other_chip = milan.clone();
    other_chip.edit_leaf(|leaf| leaf.set_ext(oids::HWID, vec![7; 64]));
    let mut other_level = milan.clone();
    other_level.edit_leaf(|leaf| leaf.set_ext(oids::SNP_SPL, vec![2, 1, 1]));
    let mut blobs: Vec<&[u8]> = vec![&other_chip.leaf, &other_level.leaf];
    blobs.extend(others.iter().flat_map(|w| [w.leaf.as_slice(), &w.intermediate]));
    blobs.push(&others[0].crl);
    assert_eq!(urls(&plan(&milan, &blobs)), [vcek.clone(), chain.clone(), crl.clone()]);

    let turin = urls(&plan(&World::new(Turin, Vcek), &[]));
    let hwid = hex::encode(Turin.hwid());
    assert_eq!(turin[0], format!("/vcek/v1/Turin/{hwid}?fmcSPL=1&blSPL=1&teeSPL=1&snpSPL=4&ucodeSPL=81"));

    let vlek = urls(&plan(&World::new(Genoa, Vlek), &[]));
    assert_eq!(vlek, ["/vlek/v1/Genoa/cert_chain", "/vlek/v1/Genoa/crl"]);
    let mut masked = milan.clone();
    masked.edit_report(|r| drop_ref(r.set_chip_id([0; 64])));
    assert_eq!(urls(&plan(&masked, &[])), [chain.clone(), crl.clone()]);
}

#[test]
fn plans_of_version_2_cover_both_product_lines() {
    let mut world = World::new(Milan, Vcek);
    world.edit_report(|r| drop_ref(r.downgrade(2)));
    let both = plan(&world, &[]);
    let path = |url: &String| url.split('?').next().unwrap().to_owned();
    let hwid = hex::encode(Milan.hwid());
    let milan =
        [format!("/vcek/v1/Milan/{hwid}"), "/vcek/v1/Milan/cert_chain".into(), "/vcek/v1/Milan/crl".into()];
    let genoa = milan.clone().map(|url| url.replace("Milan", "Genoa"));
    assert_eq!(urls(&both).iter().map(path).collect::<Vec<_>>(), [milan.clone(), genoa].concat());
    assert_eq!(both.claims.value("product"), None);
    for told in [&world.leaf, &world.intermediate] {
        let plan = plan(&world, &[told]);
        assert!(urls(&plan).iter().all(|url| url.contains("Milan")), "{:?}", urls(&plan));
        assert_eq!(plan.claims.text("product"), Ok("Milan"));
    }
}

#[test]
fn plans_reject_what_verification_rejects_without_endorsements() {
    let healthy = World::new(Milan, Vcek);
    let mut unsigned = healthy.clone();
    unsigned.edit_report(|r| drop_ref(r.set_signature_algo(2)));
    let leaves: Vec<_> = (1..=9_u8)
        .map(|serial| {
            let mut world = healthy.clone();
            world.edit_leaf(|leaf| leaf.serial = vec![serial]);
            world.leaf
        })
        .collect();
    let leaves: Vec<_> = leaves.iter().map(Vec::as_slice).collect();
    let mut table = healthy.cert_table();
    table.terminated = false;
    let table = table.build();
    let other_profile = PlanRequest {
        profile: Profile::parse("snp-raw-2").unwrap(),
        ..plan_request(healthy.report.bytes(), &[])
    };
    let report = healthy.report.bytes();
    for (request, expected) in [
        (plan_request(&report[1..], &[]), codes::SNP_FORMAT_LENGTH),
        (plan_request(unsigned.report.bytes(), &[]), codes::SNP_SIGALGO_UNSUPPORTED),
        (other_profile, codes::PLUG_CONTRACT),
        (plan_request(report, &[&b"x"[..]; MAX_ENDORSEMENTS + 1]), codes::ENV_SIZE_EXCEEDED),
        (plan_request(report, &leaves), codes::ENV_SIZE_EXCEEDED),
        (plan_request(report, &[&table]), codes::SNP_CERTTABLE_MALFORMED),
    ] {
        assert_eq!(verifier().plan(&request).unwrap_err().code, expected);
    }
    assert!(verifier().plan(&plan_request(report, &[&b"x"[..]; MAX_ENDORSEMENTS])).is_ok());
    assert!(verifier().plan(&plan_request(report, &leaves[..8])).is_ok());
}
