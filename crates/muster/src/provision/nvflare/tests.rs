//! One provisioning that is imported, and for each trap the one change that turns it into an error.

use std::path::PathBuf;

use serde_json::json;

use super::*;

const SNP: &str = "nvflare.app_opt.confidential_computing.snp_authorizer.SNPAuthorizer";
const TDX: &str = "nvflare.app_opt.confidential_computing.tdx_authorizer.TDXAuthorizer";
const GPU: &str = "nvflare.app_opt.confidential_computing.gpu_authorizer.GPUAuthorizer";
const MOCK: &str = "nvflare.app_opt.confidential_computing.mock_authorizer.MockAuthorizer";
const NAMES: [&str; 3] = ["fl.example.org", "site-1", "site-2"];

/// A folder as NVFlare leaves it: a server, two clients and an administrator, all SNP.
struct Folder(tempfile::TempDir);

impl Folder {
    /// With `project.yml`.
    fn new() -> Self {
        let folder = Self::without_project();
        folder.write("project.yml", &project());
        for (name, role) in [("fl.example.org", "server"), ("site-1", "client"), ("site-2", "client")] {
            folder.write(&format!("cc_{name}.yml"), &site_file(role));
        }
        folder
    }

    fn without_project() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let service = json!({"target": "fl.example.org:8002", "scheme": "grpc"});
        let server = json!({"servers": [{"name": "study", "service": service}]});
        folder.write("fl.example.org/startup/fed_server.json", &server.to_string());
        for name in ["site-1", "site-2"] {
            let client = json!({
                "servers": [{"name": "study", "service": service, "identity": "fl.example.org"}],
                "client": {"fqsn": name}
            });
            folder.write(&format!("{name}/startup/fed_client.json"), &client.to_string());
        }
        for name in NAMES {
            folder.write(&format!("{name}/local/cc_manager__p_resources.json"), &manager().to_string());
            folder.component(name, "snp", SNP, &json!({"snpguest_binary": "/bin/snpguest"}));
        }
        folder.write("admin@example.org/startup/fed_admin.json", "{}");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn component(&self, site: &str, id: &str, path: &str, args: &serde_json::Value) {
        let text = json!({"components": [{"id": id, "path": path, "args": args}]}).to_string();
        self.write(&format!("{site}/local/{id}__p_resources.json"), &text);
    }

    /// Changes files; the text must be there.
    fn replace(&self, names: &[&str], from: &str, to: &str) {
        for name in names {
            let text = std::fs::read_to_string(self.path(name)).unwrap();
            assert!(text.contains(from), "{name}: {text}");
            self.write(name, &text.replace(from, to));
        }
    }

    fn load(&self) -> std::result::Result<Import, Problem> {
        load(self.0.path(), FederationProfile::Production)
    }
}

fn manager() -> serde_json::Value {
    json!({"components": [{
        "id": "cc_manager",
        "path": "nvflare.app_opt.confidential_computing.cc_manager.CCManager",
        "args": {
            "cc_issuers_conf": [{"issuer_id": "snp", "token_expiration": 100}],
            "cc_verifier_ids": ["snp"],
            "verify_frequency": 120,
            "cc_enabled_sites": ["server", "site-1", "site-2"]
        }
    }]})
}

fn project() -> String {
    let entry = |name: &str, kind: &str| {
        format!("  - name: {name}\n    type: {kind}\n    org: clinic\n    cc_config: cc_{name}.yml\n")
    };
    format!(
        "api_version: 3\nname: study\nparticipants:\n{}{}{}  - name: admin@example.org\n    type: admin\n    org: clinic\n\
         builders: []\n",
        entry("fl.example.org", "server"),
        entry("site-1", "client"),
        entry("site-2", "client")
    )
}

fn site_file(role: &str) -> String {
    format!(
        "compute_env: onprem_cvm\ncc_cpu_mechanism: amd_sev_snp\nrole: {role}\nroot_drive_size: 10\n\
         cc_issuers:\n  - id: snp\n    path: {SNP}\n    token_expiration: 100\n    args:\n      \
         snpguest_binary: \"/bin/snpguest\"\ncc_attestation:\n  check_frequency: 120\n  failure_action: stop_job\n"
    )
}

/// Files of this name in every participant's `local` folder.
fn everywhere(file: &str) -> [String; 3] {
    NAMES.map(|name| format!("{name}/local/{file}"))
}

#[test]
fn a_provisioning_becomes_a_federation() {
    let import = Folder::new().load().unwrap();
    let text = write::federation(&import);
    for line in [
        "name = \"study\"",
        "profile = \"production\"",
        "admins = [\"admin-at-example.org\"]",
        "listen = \"0.0.0.0:8002\"",
        "dial = \"fl.example.org:8002\"",
        "verdict_lifetime_s = 240",
        "[bundle.role.server]\nprofiles = [\"snp-raw-1\"]\n#! policy = \"policies/server.toml\"",
        "[bundle.role.client]",
        "[participant.\"server\"]   # \"fl.example.org\" in NVFlare\nrole = \"server\"\nprofile = \"snp-raw-1\"\n\
         organisation = \"clinic\"",
        "[participant.\"site-2\"]\nrole = \"client\"",
    ] {
        assert!(text.contains(line), "{line}\nis not in\n{text}");
    }
    let missing =
        ["plugins", "bundle.not_after_days", "bundle.role.server.policy", "bundle.role.client.policy"];
    assert_eq!(write::missing(&import), missing);
    // Completed, it is a federation.toml; uncompleted it is none.
    let file = Path::new("federation.toml");
    assert!(super::super::federation::parse(&text, file).is_err());
    super::super::federation::parse(&text.replace("#! ", ""), file).unwrap();
}

#[test]
fn the_output_alone_is_enough() {
    let with = Folder::new().load().unwrap();
    let without = Folder::without_project().load().unwrap();
    let anonymous = |one: &Imported| Imported { organisation: None, ..one.clone() };
    assert_eq!(with.participants.iter().map(anonymous).collect::<Vec<_>>(), without.participants);
    assert_eq!(without.admins.len(), 1);
}

#[test]
fn the_strictest_frequency_and_the_critical_level_are_kept() {
    let folder = Folder::without_project();
    let file = ["site-1/local/cc_manager__p_resources.json"];
    folder.replace(&file, "\"verify_frequency\":120", "\"verify_frequency\":60,\"critical_level\":1");
    let text = write::federation(&folder.load().unwrap());
    assert!(
        text.contains("fl.example.org 120 s, site-1 60 s, site-2 120 s\nverdict_lifetime_s = 120"),
        "{text}"
    );
    assert!(text.contains(
        "[participant.\"site-1\"]\nrole = \"client\"\nprofile = \"snp-raw-1\"\non_failure = \"shutdown\""
    ));
    folder.replace(&file, ",\"critical_level\":1", ",\"critical_level\":2");
    assert!(!write::federation(&folder.load().unwrap()).contains("on_failure"));
    // Absent, it is 600 s; twice that is still within what a verdict may live.
    let all = everywhere("cc_manager__p_resources.json");
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    folder.replace(
        &["site-1/local/cc_manager__p_resources.json"],
        "\"verify_frequency\":60",
        "\"verify_frequency\":120",
    );
    folder.replace(&all, "\"verify_frequency\":120", "\"get_site_request_timeout\":10.0");
    assert!(write::federation(&folder.load().unwrap()).contains("verdict_lifetime_s = 1200"));
    folder.replace(&all, "\"get_site_request_timeout\":10.0", "\"verify_frequency\":7200");
    assert!(write::federation(&folder.load().unwrap()).contains("verdict_lifetime_s = 3600"));
}

#[test]
fn gpus_come_beside_a_processor() {
    let folder = Folder::without_project();
    let all = everywhere("cc_manager__p_resources.json");
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    folder.replace(&all, "\"cc_verifier_ids\":[\"snp\"]", "\"cc_verifier_ids\":[\"gpu\",\"snp\"]");
    for name in NAMES {
        folder.component(name, "gpu", GPU, &json!({}));
    }
    let issuers = "{\"issuer_id\":\"gpu\",\"token_expiration\":100}";
    folder.replace(
        &["site-1/local/cc_manager__p_resources.json"],
        "\"cc_issuers_conf\":[",
        &format!("\"cc_issuers_conf\":[{issuers},"),
    );
    let import = folder.load().unwrap();
    assert_eq!(import.participants.iter().map(|one| one.devices).collect::<Vec<_>>(), [false, true, false]);
    assert!(write::federation(&import).contains("# its GPUs are attested"));
    // Alone they are nothing.
    let alone = format!("\"cc_issuers_conf\":[{issuers}]");
    let both = "\"cc_issuers_conf\":[{\"issuer_id\":\"gpu\",\"token_expiration\":100},{\"issuer_id\":\"snp\",\"token_expiration\":100}]";
    folder.replace(&["site-1/local/cc_manager__p_resources.json"], both, &alone);
    assert!(folder.load().unwrap_err().contains("site-1: shows its GPU only"));
}

#[test]
fn a_mock_is_for_development_only() {
    let folder = Folder::without_project();
    for name in NAMES {
        folder.component(name, "snp", MOCK, &json!({}));
    }
    let refused = folder.load().unwrap_err();
    assert!(refused.contains("proves nothing"), "{refused}");
    let import = load(folder.0.path(), FederationProfile::Development).unwrap();
    assert!(write::federation(&import).contains("profile = \"development\""));
}

/// Each row changes one thing in files of the participants' `local` folders.
#[test]
fn traps_in_what_nvflare_wrote() {
    const MANAGER: &str = "cc_manager__p_resources.json";
    let one = ["site-1/local/cc_manager__p_resources.json".to_owned()];
    let all = everywhere(MANAGER);
    let sites = "[\"server\",\"site-1\",\"site-2\"]";
    for (files, from, to, wanted) in [
        (&one[..], sites, "[]", "site-1: `cc_enabled_sites`: is empty, which accepts everybody unseen"),
        (&one, "\"cc_enabled_sites\":[\"server\",\"site-1\",\"site-2\"],", "", "is empty"),
        (&one, sites, "[\"server\",\"site-1\"]", "\"site-2\" is not on it, and would be accepted unseen"),
        (&one, sites, "[\"server\",\"site-1\",\"site-2\",\"site-3\"]", "\"site-3\" was not provisioned"),
        (&one, sites, "[\"server\",\"site-1\",\"site-2\",\"site-2\"]", "names somebody twice"),
        (&all, "\"server\",", "\"fl.example.org\",", "has the server's host name"),
        (
            &one,
            "\"token_expiration\":100",
            "\"token_expiration\":\"100\"",
            "`token_expiration` of issuer snp is \"100\"",
        ),
        (&one, "\"token_expiration\":100", "\"token_expiration\":100.0", "an integer from 1 is needed"),
        (&one, "\"token_expiration\":100", "\"token_expiration\":true", "an integer from 1 is needed"),
        (&one, "\"token_expiration\":100", "\"token_expiration\":0", "an integer from 1 is needed"),
        (&one, "\"verify_frequency\":120", "\"verify_frequency\":\"120\"", "`verify_frequency` is \"120\""),
        (&one, "\"verify_frequency\":120", "\"verify_frequency\":4", "at least 5 are needed"),
        (
            &one,
            "\"verify_frequency\":120",
            "\"verify_frequency\":120,\"critical_level\":3",
            "expected 1 or 2",
        ),
        (
            &one,
            "\"verify_frequency\":120",
            "\"verify_frequency\":120,\"critical_level\":\"2\"",
            "`critical_level` is \"2\"",
        ),
        (&one, "\"verify_frequency\":120", "\"verify_frequency\":120,\"other\":1", "unknown field `other`"),
        (
            &one,
            "\"cc_verifier_ids\":[\"snp\"]",
            "\"cc_verifier_ids\":[]",
            "`cc_verifier_ids` lacks snp, which fl.example.org shows",
        ),
        (
            &one,
            "\"cc_verifier_ids\":[\"snp\"]",
            "\"cc_verifier_ids\":[\"snp\",\"snp\"]",
            "an authorizer twice",
        ),
        (
            &one,
            "\"cc_verifier_ids\":[\"snp\"]",
            "\"cc_verifier_ids\":[\"snp\",\"tdx\"]",
            "tdx is no component",
        ),
        (&one, "\"issuer_id\":\"snp\"", "\"issuer_id\":\"tdx\"", "`cc_issuers_conf`: tdx is no component"),
        (&one, "[{\"issuer_id\":\"snp\",\"token_expiration\":100}]", "[]", "has no issuer"),
        (&one, ".CCManager", ".OtherManager", "has no CCManager"),
    ] {
        let folder = Folder::without_project();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        // The order of keys in a file is not ours to rely on.
        for file in everywhere(MANAGER) {
            let value: serde_json::Value =
                serde_json::from_str(&std::fs::read_to_string(folder.path(&file)).unwrap()).unwrap();
            folder.write(&file, &value.to_string());
        }
        folder.replace(&files, from, to);
        let problem = folder.load().unwrap_err();
        assert!(problem.contains(wanted), "{wanted}: {problem}");
    }
}

#[test]
fn traps_in_components() {
    let check = |change: &dyn Fn(&Folder), wanted: &str| {
        let folder = Folder::without_project();
        change(&folder);
        let problem = folder.load().unwrap_err();
        assert!(problem.contains(wanted), "{wanted}: {problem}");
    };
    // An id that means two things.
    check(
        &|folder| folder.component("site-2", "snp", SNP, &json!({"snpguest_binary": "/other"})),
        "site-2: authorizer snp has another path or other args than at fl.example.org",
    );
    check(
        &|folder| folder.component("site-2", "snp", TDX, &json!({"snpguest_binary": "/bin/snpguest"})),
        "another path",
    );
    // A class that nobody knows, also where its last word is known.
    for path in ["my.own.Authorizer", "elsewhere.snp_authorizer.SNPAuthorizer"] {
        check(
            &|folder| NAMES.iter().for_each(|name| folder.component(name, "snp", path, &json!({}))),
            "authorizer snp: unknown path",
        );
    }
    // Two of one namespace.
    let second = |folder: &Folder, path: &str, args: &serde_json::Value| {
        let all = everywhere("cc_manager__p_resources.json");
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        folder.replace(&all, "\"cc_verifier_ids\":[\"snp\"]", "\"cc_verifier_ids\":[\"snp\",\"second\"]");
        NAMES.iter().for_each(|name| folder.component(name, "second", path, args));
    };
    check(
        &|folder| second(folder, SNP, &json!({})),
        "authorizers second and snp are both of namespace x-snp",
    );
    check(&|folder| second(folder, TDX, &json!({"namespace": "x-snp"})), "both of namespace x-snp");
    // Left behind by an earlier provisioning, or meant and not used.
    check(
        &|folder| folder.component("site-1", "old", TDX, &json!({})),
        "old is neither an issuer nor a verifier",
    );
    // One file, two places.
    check(
        &|folder| folder.write("site-1/startup/snp__p_resources.json", "{\"components\": []}"),
        "snp__p_resources.json is there more than once",
    );
    check(
        &|folder| folder.write("site-1/local/x__p_resources.json", &manager().to_string()),
        "a second CCManager",
    );
    check(&|folder| folder.write("site-1/fed_server.json", "{}"), "more than one kind of participant");
    // Others' components are none of our business.
    let folder = Folder::without_project();
    folder.component(
        "site-1",
        "logger",
        "nvflare.app_common.logging.site_log_streamer.SiteLogStreamer",
        &json!({}),
    );
    folder.load().unwrap();
}

#[test]
fn traps_of_names() {
    let check = |change: &dyn Fn(&Folder), wanted: &str| {
        let folder = Folder::without_project();
        change(&folder);
        let problem = folder.load().unwrap_err();
        assert!(problem.contains(wanted), "{wanted}: {problem}");
    };
    let client = "site-1/startup/fed_client.json";
    check(
        &|folder| std::fs::remove_dir_all(folder.path("fl.example.org")).unwrap(),
        "0 folders have fed_server.json",
    );
    check(
        &|folder| folder.replace(&[client], "fl.example.org:8002", "other.org:8002"),
        "site-1: is for server",
    );
    check(&|folder| folder.replace(&[client], "\"study\"", "\"other\""), "site-1: is for server");
    check(
        &|folder| folder.replace(&[client], "\"identity\":\"fl.example.org\"", "\"identity\":\"x\""),
        "expects the server",
    );
    check(
        &|folder| folder.replace(&[client], "\"fqsn\":\"site-1\"", "\"fqsn\":\"site-2\""),
        "says that it is",
    );
    let rename = |folder: &Folder, to: &str| {
        std::fs::rename(folder.path("site-2"), folder.path(to)).unwrap();
        let file = format!("{to}/startup/fed_client.json");
        folder.replace(&[&file], "\"fqsn\":\"site-2\"", &format!("\"fqsn\":\"{to}\""));
        for name in ["fl.example.org", "site-1", to] {
            let file = format!("{name}/local/cc_manager__p_resources.json");
            folder.replace(&[&file], "\"site-2\"", &format!("\"{to}\""));
        }
    };
    check(&|folder| rename(folder, "Site_2"), "\"Site_2\" is not a name");
    check(&|folder| rename(folder, "server"), "a client is named \"server\"");
    check(
        &|folder| folder.write("admin-at-example.org/fed_admin.json", "{}"),
        "admin-at-example.org is taken",
    );
}

#[test]
fn traps_in_what_was_meant() {
    let (site, project) = ("cc_site-2.yml", "project.yml");
    for (file, from, to, wanted) in [
        (site, "onprem_cvm", "onprem", "site-2: cc_site-2.yml: `compute_env` is \"onprem\""),
        (site, "compute_env: onprem_cvm\n", "", "`compute_env` is \"\""),
        (site, "onprem_cvm", "mock", "`compute_env` is mock, which its issuers are not for"),
        (site, "role: client", "role: server", "`role` is Some(\"server\")"),
        (site, "/bin/snpguest", "/other", "authorizer snp has another path or other args"),
        (site, "token_expiration: 100", "token_expiration: 200", "are not the issuers of the CCManager"),
        (site, "check_frequency: 120", "check_frequency: 60", "`check_frequency` is 60"),
        (site, "check_frequency: 120", "check_frequency: '120'", "an integer from 1 is needed"),
        (site, "amd_sev_snp", "intel_tdx", "`cc_cpu_mechanism` is intel_tdx, its issuer attests amd_sev_snp"),
        (site, "role: client", "role: client\ncc_gpu_mechanism: nvidia_cc", "go together"),
        (site, "role: client", "role: client\ncc_gpu_mechanism: other", "expected nvidia_cc"),
        (site, "stop_job", "continue", "only stop_job is known"),
        (site, "root_drive_size", "rot_drive_size", "`rot_drive_size` is not a key"),
        (site, "check_frequency: 120", "check_frequency: 120\n  other: 1", "`other` is not a key"),
        (site, "    token_expiration", "    other: 1\n    token_expiration", "`other` of issuer snp"),
        (site, "compute_env:", "compute_env: &x", "cc_site-2.yml: line 1"),
        (
            project,
            "    cc_config: cc_site-2.yml\n",
            "",
            "site-2: has no `cc_config`: it would be accepted unseen",
        ),
        (project, "cc_config: cc_site-2.yml", "cc_config: absent.yml", "absent.yml"),
        (project, "name: site-2", "name: site-3", "site-3: is in project.yml, and its folder is not there"),
        (project, "name: site-2", "name: site-1", "site-1 stands there twice"),
        (project, "name: study", "name: other", "project.yml is of other"),
        (project, "type: admin", "type: relay", "expected server, client or admin"),
        (
            project,
            "type: admin",
            "type: admin\n    cc_config: cc_site-1.yml",
            "`cc_config` of an administrator",
        ),
    ] {
        let folder = Folder::new();
        folder.replace(&[file], from, to);
        let problem = folder.load().unwrap_err();
        assert!(problem.contains(wanted), "{wanted}: {problem}");
    }
    let folder = Folder::new();
    folder.replace(
        &[project],
        "  - name: site-2\n    type: client\n    org: clinic\n    cc_config: cc_site-2.yml\n",
        "",
    );
    assert!(folder.load().unwrap_err().contains("site-2: has a folder, and is not in project.yml"));
}
