//! The stand-ins for what Azure's platform and its sidecar offer on the machine itself.

use cc_testkit::azure::{CERTIFICATION, Metadata, host_certificates};
use cc_testkit::https::Fault;
use cc_testkit::sidecar::{CANNED_REPORT_ID, RAW, STATUS, Sidecar, canned_report, report_data};
use cc_testkit::snp::{LeafKind, Product, World};
use serde_json::Value;

use crate::support::{ask, post};

#[tokio::test]
async fn a_sidecar_says_how_it_is_and_gives_reports() {
    let sidecar = Sidecar::start(|report_data| canned_report(report_data).to_vec());
    let status = ask(sidecar.service(), &format!("GET {STATUS} HTTP/1.1\r\n\r\n")).await;
    assert_eq!(status, ("HTTP/1.1 200 OK".to_owned(), br#"{"message":"STATUS OK"}"#.to_vec()));
    let question = r#"{"runtime_data":"e30="}"#;
    let (_, body) = post(sidecar.service(), RAW, question).await;
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let report = hex::decode(answer["report"].as_str().unwrap()).unwrap();
    assert_eq!(report, canned_report(&report_data(b"{}")));
    assert_eq!((report[0], hex::encode(&report[0x140..0x160]).as_str()), (1, CANNED_REPORT_ID));
    sidecar.service().fault(RAW, Fault::Refuse(403, "{}".to_owned()));
    assert_eq!(
        post(sidecar.service(), RAW, question).await,
        ("HTTP/1.1 403 Status".to_owned(), b"{}".to_vec())
    );
    sidecar.service().fault(RAW, Fault::Busy(None));
    assert_eq!(post(sidecar.service(), RAW, question).await.0, "HTTP/1.1 503 Service Unavailable");
}

#[tokio::test]
async fn metadata_want_their_header() {
    let host = host_certificates(&World::new(Product::Milan, LeafKind::Vcek));
    let metadata = Metadata::start(&host, <[u8]>::to_vec);
    let bare = ask(metadata.service(), &format!("GET {CERTIFICATION} HTTP/1.1\r\n\r\n")).await;
    assert_eq!(bare.0, "HTTP/1.1 400 Status");
    let asked =
        ask(metadata.service(), &format!("GET {CERTIFICATION} HTTP/1.1\r\nMetadata: true\r\n\r\n")).await;
    assert_eq!(serde_json::from_slice::<Value>(&asked.1).unwrap(), host);
    // REPORTED_TCB of the report, the most significant byte first.
    assert_eq!(host["tcbm"], "db18000000000004");
}
