//! Registration, restart, duplicates.

use cc_core::codes;
use cc_testkit::federation::{Federation, name, site};
use fed_proto::coordinator::ServerEvent;

use crate::support::{registered, seconds};

#[test]
fn sites_register_and_one_server_report_serves_a_batch() {
    let federation = registered(1, 10);
    assert!(federation.sites.values().all(|site| site.registered));
    assert!(federation.sites.keys().all(|name| federation.reports(name) == 1));
    assert_eq!(federation.reports(&name("server")), 1);
}

#[test]
fn corner_case_3_server_restart_does_not_wait_for_tokens_to_expire() {
    let mut federation = registered(2, 3);
    federation.crash_server();
    federation.run(seconds(1));
    federation.start_server();
    let names: Vec<_> = federation.sites.keys().cloned().collect();
    for name in &names {
        federation.connect(name);
    }
    federation.run_until("registration anew", seconds(30), Federation::all_registered);
}

#[test]
fn n_fl_20_second_live_instance_of_a_name() {
    let mut federation = registered(3, 2);
    let one = site(1);
    let other = Federation::twin(&mut federation, &one);
    federation.run(seconds(15));
    assert_eq!(federation.sites[&other].turned_away.len(), 1);
    assert_eq!(federation.sites[&other].turned_away[0].code, codes::FL_REGISTRATION_DUPLICATE);
    assert!(federation.online().contains(&one));
    assert!(federation.server.events.iter().any(|event| matches!(event, ServerEvent::Refused { finding, .. } if finding.code == codes::FL_REGISTRATION_DUPLICATE)));
}
