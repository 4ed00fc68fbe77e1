//! A system in protected PCIe from its twelve reports to affirmation: eight GPUs and the four switches between them, through
//! the command and the loaded plugin.

use cc_core::gpu::encode;
use cc_testkit::gpu::device_chain::pdi;
use cc_testkit::gpu::mint::{Member, World};
use cc_testkit::gpu::report::item;
use cc_testkit::gpu::{Arch, NOW};
use muster_it::cli::Muster;
use muster_it::place::{config, entry, test_plugin};
use serde_json::Value;

const SWITCHES: [u8; 4] = [9, 10, 11, 12];

fn identifiers(devices: impl Iterator<Item = u8>) -> Vec<u8> {
    devices.flat_map(|number| hex::decode(pdi(number)).unwrap()).collect()
}

/// GPUs write them the other way round.
fn switches(numbers: [u8; 4]) -> Vec<u8> {
    let mut all = identifiers(numbers.into_iter());
    all.chunks_mut(8).for_each(<[u8]>::reverse);
    all
}

/// Eight GPUs, numbered from 1, and four switches, which all see each other.
fn system() -> Vec<Member> {
    let mut members = World::new(Arch::Hopper, 8).members;
    for gpu in &mut members {
        gpu.cc_state = Some([2, 1, 0, 1]);
        gpu.edit(|report| {
            report.set_item(item::FEATURE_FLAG, &[2, 0]);
            report.set_item(item::PDI, &switches(SWITCHES));
        });
    }
    members.extend(SWITCHES.map(|number| {
        let mut switch = Member::new(Arch::Ls10, number);
        let gpus = [identifiers(1..=8), vec![0xff; 64]].concat();
        switch.edit(|report| report.set_item(item::GPU_PDIS, &gpus));
        switch
    }));
    members
}

fn policy() -> String {
    // Of the switches' measurements the manifest has those of the BIOS.
    let referenced = [1_u8, 9, 20, 34, 35];
    let unreferenced: Vec<u8> = (0..64).filter(|place| !referenced.contains(place)).collect();
    format!(
        "version = 1\nprofile = \"development\"\n\n[gpu]\nmode = \"PPCIE\"\ngpu_count = 8\narchs = [\"HOPPER\"]\n\
         min_driver = \"550.90.07\"\nmin_vbios = {{ HOPPER = \"96.00.9f.00.01\", LS10 = \"96.10.55.00.01\" }}\n\
         allowed_unreferenced = {unreferenced:?}\n{GUEST}"
    )
}

/// Devices are never judged alone.
const GUEST: &str = "\n[snp]\nproducts = [\"Genoa\"]\nmeasurements = \"any\"\n\n\
     [snp.min_tcb.Genoa]\nbootloader = 10\ntee = 0\nsnp = 23\nmicrocode = 84\n";

/// Exit code and all codes of the appraisal.
fn appraised(members: &[Member]) -> (i32, Value, Vec<String>) {
    let muster = Muster::new();
    let mut endorsements = World::new(Arch::Ls10, 0).endorsements();
    let of_gpus = World { members: members.to_vec(), ..World::new(Arch::Hopper, 0) };
    endorsements.extend(of_gpus.endorsements());
    let folder = muster.folder().join("endorsements");
    std::fs::create_dir(&folder).unwrap();
    for (number, object) in endorsements.iter().enumerate() {
        std::fs::write(folder.join(format!("{number:03}")), object).unwrap();
    }
    let devices: Vec<_> = members.iter().map(Member::device).collect();
    let evidence = muster.write("devices.bin", encode(&devices));
    let policy = muster.write("policy.toml", policy());
    let plugin = entry(&test_plugin("libemulated_gpu.so"), &["nv-spdm-1"], "");
    let plugins = config(muster.folder(), &[plugin]);
    let line = format!(
        "evidence appraise --profile nv-spdm-1 --offline --evidence {evidence} --endorsements {} --policy {policy} \
         --plugins {} --at {} --format json",
        folder.display(),
        plugins.display(),
        cc_core::UnixTime::from_secs(NOW.unsigned_abs())
    );
    let ran = muster.run(&line);
    let result = ran.json();
    let findings = result["appraisal"]["findings"].as_array().unwrap();
    let codes = findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
    (ran.exit, result, codes)
}

#[test]
fn eight_gpus_and_four_switches_are_affirmed() {
    let (exit, result, codes) = appraised(&system());
    assert_eq!((exit, codes), (0, Vec::new()), "{result}");
    let claims = &result["claims"];
    assert_eq!((&claims["gpu_count"], &claims["switch_count"]), (&Value::from(8), &Value::from(4)));
    assert_eq!(result["appraisal"]["status"], "affirming");
}

#[test]
fn a_system_that_is_not_whole_is_not() {
    const TOPOLOGY: &str = "gpu.ppcie.topology";
    type Change = fn(&mut Vec<Member>);
    let rows: [(&str, Change, &str); 5] = [
        ("a switch that nobody shows", |all| drop(all.pop()), TOPOLOGY),
        ("a switch of another system in its place", |all| all[11] = Member::new(Arch::Ls10, 13), TOPOLOGY),
        (
            "a GPU that sees another switch",
            |all| {
                all[3].edit(|report| report.set_item(item::PDI, &switches([9, 10, 11, 13])));
            },
            TOPOLOGY,
        ),
        (
            "a switch that sees another GPU",
            |all| {
                let gpus = [identifiers([1, 2, 3, 4, 5, 6, 7, 14].into_iter()), vec![0xff; 64]].concat();
                all[8].edit(|report| report.set_item(item::GPU_PDIS, &gpus));
            },
            TOPOLOGY,
        ),
        (
            "a GPU in another mode",
            |all| all[0].edit(|report| report.set_item(item::FEATURE_FLAG, &[0, 0])),
            "gpu.mode.mixed",
        ),
    ];
    for (what, change, expected) in rows {
        let mut members = system();
        change(&mut members);
        let (exit, result, codes) = appraised(&members);
        assert_eq!(exit, 5, "{what}: {result}");
        assert_eq!(codes.first().map(String::as_str), Some(expected), "{what}: {codes:?}");
    }
    // A report that does not verify is refused before any policy.
    let mut members = system();
    members[10].report.signature[7] ^= 1;
    let (exit, result, _) = appraised(&members);
    assert_eq!((exit, &result["code"]), (3, &Value::from("gpu.signature.invalid")), "{result}");
}
