//! The manager's configuration: what it takes, and how it names what is wrong.

use std::path::{Path, PathBuf};

use cc_core::{ClaimValue, codes};
use cc_manager::{Config, Endpoint, Isolation};

const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn plugin(rest: &str) -> String {
    format!("version = 1\n[[plugin]]\npath = \"/p.so\"\nsha256 = \"{DIGEST}\"\n{rest}")
}

fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plugins.toml");
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

#[test]
fn everything_that_can_be_configured() {
    let text = plugin(
        r#"profiles = ["snp-raw-1"]
isolation = "in-process"
[plugin.config]
flag = true
number = 7
list = ["a", 1]
table = { name = "text" }
[fetch]
cache_dir = "/var/cache/muster"
offline = true
allow = ["mirror.example"]
[[fetch.endpoint]]
host = "kdsintf.amd.com"
url = "https://mirror.example/kds"
ca_file = "/etc/muster/mirror.pem"
[danger]
allow_emulated = true
"#,
    );
    let (_folder, file) = written(&text);
    let config = Config::load_file(&file).unwrap();
    let only = &config.plugins[0];
    assert_eq!((only.path.as_path(), only.sha256.to_string().as_str()), (Path::new("/p.so"), DIGEST));
    assert_eq!((only.profiles[0].as_str(), only.isolation), ("snp-raw-1", Isolation::InProcess));
    assert_eq!(only.config.flag("flag"), Ok(true));
    assert_eq!(only.config.integer("number"), Ok(7));
    assert_eq!(only.config.map("table").unwrap().text("name"), Ok("text"));
    let list = ClaimValue::List(vec![ClaimValue::Text("a".to_owned()), ClaimValue::Integer(1)]);
    assert_eq!(only.config.value("list"), Some(&list));
    assert_eq!(config.fetch.cache_dir.as_deref(), Some(Path::new("/var/cache/muster")));
    assert!(config.fetch.offline && config.danger.allow_emulated);
    assert_eq!(config.fetch.allow, ["mirror.example"]);
    let endpoint = Endpoint {
        host: "kdsintf.amd.com".to_owned(),
        url: "https://mirror.example/kds".to_owned(),
        ca_file: Some(PathBuf::from("/etc/muster/mirror.pem")),
    };
    assert_eq!(config.fetch.endpoints, [endpoint]);
}

#[test]
fn defaults_are_strict() {
    let (_folder, file) = written(&plugin("profiles = [\"snp-raw-1\"]"));
    let config = Config::load_file(&file).unwrap();
    assert!(!config.danger.allow_emulated && !config.fetch.offline);
    assert!(config.fetch.allow.is_empty() && config.fetch.endpoints.is_empty());
    assert!(config.plugins[0].config.is_empty() && config.fetch.cache_dir.is_none());
}

#[test]
fn errors_name_the_key() {
    let deep = format!("profiles = [\"snp-raw-1\"]\nconfig.a = {}1{}", "[".repeat(9), "]".repeat(9));
    let good = "profiles = [\"snp-raw-1\"]\n";
    for (text, needle) in [
        (String::new(), "version"),
        ("version = 2".to_owned(), "`version` is 2, expected 1"),
        ("version = 1".to_owned(), "there is no [[plugin]]"),
        ("version = 1\nplugin = 3".to_owned(), "`plugin`"),
        ("version = \n".to_owned(), "line 1"),
        ("version = 1\nversion = 1".to_owned(), "duplicate key"),
        (plugin(""), "profiles"),
        (plugin("profiles = []"), "`plugin[0].profiles`"),
        (plugin("profiles = [\"SNP\"]"), "`plugin[0].profiles[0]`"),
        (plugin("profiles = [\"snp-raw-1\", \"snp-raw-1\"]"), "`plugin[0].profiles[1]`"),
        (plugin(&format!("{good}isolation = \"in-process\"\nworker.memory_mib = 512")), "`plugin[0].worker`"),
        (plugin(&format!("{good}worker.memory_mib = 255")), "`plugin[0].worker.memory_mib`"),
        (plugin(&format!("{good}worker.deadline_seconds = 0")), "`plugin[0].worker.deadline_seconds`"),
        (plugin(&format!("{good}worker.deadline_seconds = 601")), "`plugin[0].worker.deadline_seconds`"),
        (plugin(&format!("{good}worker.collect_deadline_seconds = 0")), "collect_deadline_seconds`"),
        (plugin(&format!("{good}worker.cpu = 1")), "unknown field `cpu`"),
        (plugin(&format!("{good}isolation = \"none\"")), "`plugin[0].isolation`"),
        (plugin(&format!("{good}digest = \"\"")), "unknown field `digest`"),
        (plugin(&format!("{good}config.x = -1")), "`plugin[0].config.x`"),
        (plugin(&format!("{good}config.a.x = [1.5]")), "`plugin[0].config.a.x[0]`"),
        (plugin(&format!("{good}config.x = 2026-01-01")), "`plugin[0].config.x`"),
        (plugin(&deep), "`plugin[0].config`"),
        (plugin(good).replace(DIGEST, &DIGEST.to_uppercase()), "`plugin[0].sha256`"),
        (plugin(good).replace(DIGEST, ""), "`plugin[0].sha256`"),
        (plugin(&format!("{good}[fetch]\nretry = 1")), "unknown field `retry`"),
        (plugin(&format!("{good}[danger]\nallow_unsigned = true")), "unknown field `allow_unsigned`"),
        (plugin(&format!("{good}[danger]\nallow_emulated = 1")), "`danger.allow_emulated`"),
        (plugin(&format!("{good}[[fetch.endpoint]]\nhost = \"h\"")), "`fetch.endpoint[0]`"),
        (plugin(&format!("{good}[fetch]\nallow = [\"a b\"]")), "`fetch.allow[0]`"),
    ] {
        let (_folder, file) = written(&text);
        let error = Config::load_file(&file).unwrap_err();
        assert_eq!((error.code.clone(), &error.path), (codes::PLUG_CONFIG_INVALID, &file), "{text}");
        assert!(error.detail.contains(needle), "{needle} is not in {error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn files_that_are_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Config::load_file(&folder.path().join("none.toml")).unwrap_err();
    assert_eq!(missing.code, codes::PLUG_CONFIG_MISSING);
    assert_eq!(Config::load(folder.path()).unwrap_err().code, codes::PLUG_CONFIG_MISSING);
    let (_folder, file) = written("");
    std::fs::write(&file, b"version = \xff").unwrap();
    assert_eq!(Config::load_file(&file).unwrap_err().code, codes::PLUG_CONFIG_INVALID);
    // A device has no size to look at first.
    let endless = Config::load_file(Path::new("/dev/zero")).unwrap_err();
    assert_eq!(endless.code, codes::PLUG_CONFIG_INVALID, "{endless}");
    std::fs::write(&file, " ".repeat(1024 * 1024 + 1)).unwrap();
    assert_eq!(Config::load_file(&file).unwrap_err().code, codes::PLUG_CONFIG_INVALID);
}

#[test]
fn paths_are_relative_only_in_a_plugin_folder() {
    let text = plugin("profiles = [\"snp-raw-1\"]").replace("/p.so", "p.so");
    let (folder, file) = written(&text);
    assert_eq!(Config::load_file(&file).unwrap_err().code, codes::PLUG_FILE_NOT_ABSOLUTE);
    let config = Config::load_dir(folder.path()).unwrap();
    assert_eq!(config.plugins[0].path, folder.path().join("p.so"));
}

#[test]
fn a_plugin_folder_names_nothing_outside() {
    for path in ["/p.so", "../p.so", "a/../../p.so", "a/../p.so"] {
        let text = plugin("profiles = [\"snp-raw-1\"]").replace("/p.so", path);
        let (folder, _) = written(&text);
        let error = Config::load_dir(folder.path()).unwrap_err();
        assert_eq!(error.code, codes::PLUG_CONFIG_INVALID, "{path}");
        assert!(error.detail.contains("`plugin[0].path`"), "{error}");
    }
}
