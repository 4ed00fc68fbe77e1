//! Files with evidence of GPUs and switches, in every form that is read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cc_core::gpu::{self, Device, DeviceClass};
use cc_core::{Profile, codes};
use cc_manager::{ImportError, import};

/// A report whose frame is in order: no measurements, one opaque item, a signature of noughts and ones.
fn report(nonce: u8, item: u8) -> Vec<u8> {
    let request = [&[0x11, 0xe0, 1, 0xff][..], &[nonce; 32], &[0]].concat();
    let response =
        [&[0x11, 0x60, 0, 0, 0, 0, 0, 0][..], &[0; 32], &[5, 0, item, 0, 1, 0, 7], &[1; 96]].concat();
    [request, response].concat()
}

const GPU: u8 = 3;
const SWITCH: u8 = 22;

fn read(file: &[u8]) -> Result<Vec<Device>, ImportError> {
    import(&Profile::nv_spdm_1(), file, "file").map(|imported| {
        assert!(imported.endorsements.is_empty());
        gpu::decode(&imported.evidence).unwrap()
    })
}

fn bare(class: DeviceClass, report: Vec<u8>) -> Device {
    Device { class, report, cert_chain: Vec::new(), cc_state: None, arch: None }
}

#[test]
fn one_report_in_three_forms() {
    for (item, class) in [(GPU, DeviceClass::Gpu), (SWITCH, DeviceClass::Switch)] {
        let report = report(9, item);
        let expected = vec![bare(class, report.clone())];
        let hexadecimal = hex::encode(&report);
        let base64 = STANDARD.encode(&report);
        assert_eq!(read(&report).unwrap(), expected);
        for text in [&hexadecimal, &base64, &format!("{hexadecimal}\n"), &format!("{base64}\n")] {
            assert_eq!(read(text.as_bytes()).unwrap(), expected, "{text}");
        }
        // As the driver's buffer leaves it; what is not zero stays for verification to refuse.
        let padded = [&report[..], &[0; 700]].concat();
        assert_eq!(read(&padded).unwrap(), expected);
        let longer = [&padded[..], &[1]].concat();
        assert_eq!(read(&longer).unwrap(), [bare(class, longer.clone())]);
    }
}

fn object(arch: &str, report: &[u8], nonce: &[u8]) -> String {
    let (certificate, evidence, nonce) =
        (STANDARD.encode("PEM"), STANDARD.encode(report), hex::encode(nonce));
    format!(
        r#"{{"arch": "{arch}", "certificate": "{certificate}", "evidence": "{evidence}", "nonce": "{nonce}", "version": "1.0"}}"#
    )
}

#[test]
fn the_lists_of_nvidias_tools() {
    let (gpu, switch) = (report(9, GPU), report(9, SWITCH));
    let text = format!("[{},\n {}]", object("HOPPER", &gpu, &[9; 32]), object("LS10", &switch, &[9; 32]));
    let listed = |class, report, arch: &str| Device {
        cert_chain: b"PEM".to_vec(),
        arch: Some(arch.to_owned()),
        ..bare(class, report)
    };
    let devices = [listed(DeviceClass::Gpu, gpu, "HOPPER"), listed(DeviceClass::Switch, switch, "LS10")];
    assert_eq!(read(text.as_bytes()).unwrap(), devices);
    // The list as it is carried is read as it is.
    assert_eq!(read(&gpu::encode(&devices)).unwrap(), devices);
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let good = report(9, GPU);
    let refused = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
    let other = refused(&format!("[{}]", object("HOPPER", &good, &[8; 32])));
    assert!(other.starts_with("device 1: the file has nonce 0808") && other.contains("0909"), "{other}");
    let short = refused(&format!("[{}]", object("HOPPER", &good[..30], &[9; 32])));
    assert!(short.contains("device 1") && short.contains("no nonce"), "{short}");
    assert!(refused("[{}]").contains("arch"));
    assert!(refused("[").contains("JSON"));
    let large = refused(&hex::encode([&good[..], &[1; 0x2000]].concat()));
    assert!(large.contains("report has") && large.contains("8192"), "{large}");
    assert!(
        refused(&good.iter().map(|byte| format!("{byte:02x}")).collect::<String>()[1..]).contains("device 1")
    );
    assert!(matches!(read(b"not evidence!").unwrap_err(), ImportError::Base64 { .. }));
    // An empty list is read: that it has no device is for verification to say.
    let empty = import(&Profile::nv_spdm_1(), b"[]", "file").unwrap().evidence;
    assert_eq!(gpu::decode(&empty).unwrap_err().code, codes::GPU_DEVICES_EMPTY);
}
