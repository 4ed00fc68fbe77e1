//! A kit that `muster provision` could have made is read; with any one thing wrong it is not, and the error says what.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fed_node::kit::{Kit, KitError, OnFailure, Part};
use fed_node::rpc::{Limits, admin_call};
use fed_node::tls::SERVER_NAME;
use fed_proto::bundle::SignedBundle;
use fed_proto::crypto::{Digest, PublicKey, Signature, sha256};
use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384, PublicKeyData as _};
use tempfile::TempDir;

use crate::common::{Server, World, exchange, name, soon};

const CLIENT: &str = r#"
version = 1
name = "site-1"
role = "client"
server = "127.0.0.1:7443"
profile = "snp-raw-1"
data = "data"
[attestation]
on_failure = "shutdown"
[resources]
gpu = 2
[jobs]
inputs = "files"
allow_code = ["000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"]
"#;

const SERVER: &str = r#"
version = 1
name = "server"
role = "server"
server = "localhost:0"
profile = "snp-raw-1"
data = "/var/lib/muster"
[scheduler]
max_jobs = 4
max_schedule_interval_s = 20
"#;

const ADMIN: &str = r#"
version = 1
name = "alice"
role = "admin"
server = "[::1]:7443"
"#;

/// A kit on disk; the folder goes with it.
struct Folder {
    dir: TempDir,
    world: World,
    key: KeyPair,
}

impl Folder {
    fn new(config: &str, uri: &str, dns: Option<&str>) -> Self {
        let world = World::new();
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = world.certificate(uri, dns);
        let folder = Self { dir, world, key };
        folder.write("muster.toml", config);
        folder.write("descriptor.toml", folder.world.descriptor.to_text());
        folder.write("enrolment.pem", certificate.pem());
        folder.write("enrolment.key", folder.key.serialize_pem());
        folder.mode("enrolment.key", 0o600);
        folder.write("bundle.cbor", bundle().to_bytes());
        folder
    }

    fn client() -> Self {
        Self::new(CLIENT, "muster:client:site-1", None)
    }

    fn server() -> Self {
        Self::new(SERVER, "muster:server:server", Some(SERVER_NAME))
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(file), content).unwrap();
    }

    fn mode(&self, file: &str, mode: u32) {
        std::fs::set_permissions(self.path(file), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn load(&self) -> Result<Kit, KitError> {
        Kit::load(self.dir.path())
    }

    /// What is wrong, without the folder.
    fn error(&self) -> String {
        let error = self.load().unwrap_err();
        assert!(!error.hint().is_empty());
        error.to_string().replace(&format!("{}/", self.dir.path().display()), "")
    }
}

fn bundle() -> SignedBundle {
    SignedBundle::sign("text", |_| Signature([7; 64]))
}

#[test]
fn client_kit() {
    let folder = Folder::client();
    let kit = folder.load().unwrap();
    assert_eq!(kit.dir, folder.dir.path());
    assert_eq!(kit.config.name, name("site-1"));
    assert_eq!(kit.config.server, "127.0.0.1:7443");
    assert_eq!(kit.config_sha256, sha256(CLIENT.as_bytes()));
    assert_eq!(kit.descriptor, folder.world.descriptor);
    assert_eq!(kit.bundle, Some(bundle()));
    let Part::Client { participant, resources } = &kit.config.part else { panic!("{kit:?}") };
    assert_eq!(resources.iter().collect::<Vec<_>>(), [(&"gpu".to_owned(), &2)]);
    assert_eq!(participant.profile.as_str(), "snp-raw-1");
    assert_eq!(participant.on_failure, OnFailure::Shutdown);
    assert_eq!(participant.data, folder.path("data"));
    assert_eq!(participant.inputs, folder.path("files"));
    assert_eq!(participant.policy_path, folder.path("policy.toml"));
    assert_eq!(participant.plugins_path, folder.path("plugins.toml"));
    let bytes: Vec<u8> = (0..32).collect();
    let allowed: Vec<_> = participant.allow_code.iter().collect();
    assert_eq!(allowed, [&Digest(bytes.try_into().unwrap())]);
    assert!(!format!("{kit:?}").contains("key"), "no secret in words");
}

#[test]
fn server_kit() {
    let kit = Folder::server().load().unwrap();
    let Part::Server { participant, scheduler } = &kit.config.part else { panic!("{kit:?}") };
    assert_eq!(participant.data, Path::new("/var/lib/muster"));
    assert_eq!(participant.inputs, kit.dir.join("inputs"));
    assert_eq!(participant.on_failure, OnFailure::StopJobs);
    assert!(participant.allow_code.is_empty());
    let default = fed_proto::scheduler::Limits::default();
    let expected = fed_proto::scheduler::Limits {
        max_jobs: 4,
        max_schedule_interval: Duration::from_secs(20),
        ..default
    };
    assert_eq!(scheduler, &expected);
}

#[test]
fn administrator_kit_needs_no_bundle() {
    let folder = Folder::new(ADMIN, "muster:admin:alice", None);
    std::fs::remove_file(folder.path("bundle.cbor")).unwrap();
    let kit = folder.load().unwrap();
    assert_eq!((&kit.config.part, &kit.bundle), (&Part::Admin, &None));
    assert!(kit.config.participant().is_none());
}

#[tokio::test]
async fn kits_connect() {
    let server = Folder::server();
    let client = Folder::client();
    // Both in the server's federation.
    let (certificate, key) = server.world.certificate("muster:client:site-1", None);
    client.write("descriptor.toml", server.world.descriptor.to_text());
    client.write("enrolment.pem", certificate.pem());
    client.write("enrolment.key", key.serialize_pem());
    let mut running = Server::with(server.load().unwrap().server_tls().unwrap(), Limits::default()).await;
    let tls = client.load().unwrap().client_tls().unwrap();
    let (mut here, mut there) = running.session(&tls).await;
    exchange(&mut here, &mut there).await;
    assert!(soon(admin_call(&tls, &running.address, "x".into())).await.is_err());
}

#[test]
fn enrolment_signature_is_the_certificates() {
    let folder = Folder::client();
    let kit = folder.load().unwrap();
    let key = PublicKey::from_spki(&folder.key.subject_public_key_info()).unwrap();
    let signature = kit.sign_enrolment(b"statement").unwrap();
    key.verify(b"statement", &signature).unwrap();
    key.verify(b"another", &signature).unwrap_err();
}

#[test]
fn missing_file_is_named() {
    for file in ["muster.toml", "descriptor.toml", "enrolment.pem", "enrolment.key", "bundle.cbor"] {
        let folder = Folder::client();
        std::fs::remove_file(folder.path(file)).unwrap();
        assert_eq!(folder.error(), format!("{file}: No such file or directory (os error 2)"));
        std::fs::create_dir(folder.path(file)).unwrap();
        assert_eq!(folder.error(), format!("{file}: not a regular file"));
    }
}

#[test]
fn key_that_others_may_use_refused() {
    let folder = Folder::client();
    for mode in [0o400, 0o600, 0o200] {
        folder.mode("enrolment.key", mode);
        // Without the right to read, only root gets further.
        let read = folder.load().is_ok();
        assert!(read || mode == 0o200, "{mode:o}");
    }
    for mode in [0o640, 0o604, 0o700, 0o602, 0o660, 0o4600, 0o777] {
        folder.mode("enrolment.key", mode);
        assert_eq!(folder.error(), format!("enrolment.key: mode {mode:04o}, 0600 or stricter is needed"));
    }
}

#[test]
fn file_that_others_may_write_refused() {
    for file in ["muster.toml", "descriptor.toml", "enrolment.pem", "bundle.cbor"] {
        let folder = Folder::client();
        folder.mode(file, 0o646);
        assert_eq!(folder.error(), format!("{file}: mode 0646, others may write to it"));
        folder.mode(file, 0o644);
        folder.load().unwrap();
    }
}

#[test]
fn size_is_bounded() {
    for (file, limit) in [
        ("muster.toml", 1_048_576),
        ("descriptor.toml", 1_048_576),
        ("enrolment.pem", 1_048_576),
        ("enrolment.key", 16_384),
        ("bundle.cbor", 1_049_600),
    ] {
        let folder = Folder::client();
        folder.write(file, vec![b'\n'; limit + 1]);
        assert_eq!(folder.error(), format!("{file}: more than {limit} bytes"));
    }
}

#[test]
fn what_does_not_belong_together_refused() {
    let folder = Folder::client();
    let (other, _) = folder.world.certificate("muster:client:site-1", None);
    folder.write("enrolment.pem", other.pem());
    let error = folder.error();
    assert!(error.starts_with("enrolment.key: ") && error.to_lowercase().contains("key"), "{error}");

    for (uri, found) in [
        ("muster:client:site-2", "the client site-2"),
        ("muster:relay:site-1", "the relay site-1"),
        ("muster:server:site-1", "the server site-1"),
        ("muster:admin:site-1", "the admin site-1"),
    ] {
        let folder = Folder::new(CLIENT, uri, None);
        let expected = format!("enrolment.pem: enrols {found}, muster.toml says the client site-1");
        assert_eq!(folder.error(), expected);
    }
    let nameless = Folder::new(CLIENT, "", None).error();
    assert!(nameless.starts_with("enrolment.pem: fl.name.unauthenticated: "), "{nameless}");

    let other =
        Folder::new(&SERVER.replace("\"server\"\nrole", "\"other\"\nrole"), "muster:server:other", None);
    let expected = "enrolment.pem: enrols the server other, the descriptor names server";
    assert_eq!(other.error(), expected);
}

#[test]
fn malformed_files_are_named() {
    let broken = |file: &str, content: &[u8]| {
        let folder = Folder::client();
        folder.write(file, content);
        folder.error()
    };
    assert_eq!(broken("muster.toml", b"\xff"), "muster.toml: not UTF-8");
    assert!(broken("descriptor.toml", b"version = 1").starts_with("descriptor.toml: "));
    assert_eq!(broken("bundle.cbor", b"text"), "bundle.cbor: not a signed bundle");
    assert_eq!(broken("bundle.cbor", b""), "bundle.cbor: not a signed bundle");
    assert_eq!(broken("enrolment.pem", b""), "enrolment.pem: 1 to 4 certificates are needed");
    assert!(broken("enrolment.key", b"").starts_with("enrolment.key: "));
    let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem();
    assert!(broken("enrolment.key", p384.as_bytes()).starts_with("enrolment.key: not a P-256 key"));
    let folder = Folder::client();
    let pem = std::fs::read_to_string(folder.path("enrolment.pem")).unwrap();
    folder.write("enrolment.pem", pem.repeat(5));
    assert_eq!(folder.error(), "enrolment.pem: 1 to 4 certificates are needed");
}

#[test]
fn configuration_is_strict() {
    let client = |from: &str, to: &str| (Folder::client(), CLIENT, from.to_owned(), to.to_owned());
    let server = |from: &str, to: &str| (Folder::server(), SERVER, from.to_owned(), to.to_owned());
    let admin = |from: &str, to: &str| {
        (Folder::new(ADMIN, "muster:admin:alice", None), ADMIN, from.to_owned(), to.to_owned())
    };
    for ((folder, config, from, to), expected) in [
        (client("version = 1", "version = 2"), "`version`: 2, only 1 is supported"),
        (client("version = 1\n", ""), "missing field `version`"),
        (client("name = \"site-1\"", "name = \"Site 1\""), "`name`: \"Site 1\" is not a name"),
        (client("\"client\"", "\"relay\""), "`role`: unknown variant `relay`"),
        (client("gpu = 2", "gpu = -1"), "`resources.gpu`: invalid value"),
        (client("gpu = 2", "gpu = \"two\""), "`resources.gpu`: invalid type"),
        (client("127.0.0.1:7443", "127.0.0.1"), "`server`: \"127.0.0.1\" is not host:port"),
        (client("127.0.0.1:7443", ":7443"), "`server`: \":7443\" is not host:port"),
        (client("127.0.0.1:7443", "a:65536"), "`server`: \"a:65536\" is not host:port"),
        (client("127.0.0.1:7443", "a:+1"), "`server`: \"a:+1\" is not host:port"),
        (client("127.0.0.1:7443", "a b:1"), "`server`: \"a b:1\" is not host:port"),
        (client("profile = \"snp-raw-1\"\n", ""), "`profile`: missing"),
        (client("snp-raw-1", "SNP"), "`profile`: \"SNP\" is not the name of a profile"),
        (client("data = \"data\"\n", ""), "`data`: missing"),
        (client("\"shutdown\"", "\"ignore\""), "`attestation.on_failure`: unknown variant `ignore`"),
        (client("on_failure", "on_error"), "`attestation.on_error`: unknown field `on_error`"),
        (client("inputs", "input"), "`jobs.input`: unknown field `input`"),
        (client("[\"0001", "[\"0A01"), "`jobs.allow_code[0]`: not 64 lower-case hexadecimal digits"),
        (client("1d1e1f", "1d1e"), "`jobs.allow_code[0]`: not 64 lower-case hexadecimal digits"),
        (client("[attestation]", "[scheduler]\n[attestation]"), "`scheduler`: has no meaning in this role"),
        (client("data = \"data\"", "data = \"data\"\nextra = 1"), "`extra`: unknown field `extra`"),
        (client("data = \"data\"", "data ="), "`(syntax)`: TOML parse error at line 7"),
        (server("[scheduler]", "[resources]\n[scheduler]"), "`resources`: has no meaning in this role"),
        (server("max_jobs = 4", "max_jobs = 0"), "`scheduler.max_jobs`: must be at least 1"),
        (
            server("_s = 20", "_s = 9"),
            "`scheduler.min_schedule_interval_s`: longer than the longest interval",
        ),
        (server("max_jobs", "max_job"), "`scheduler.max_job`: unknown field `max_job`"),
        (admin("role", "data = \"data\"\nrole"), "`data`: has no meaning in this role"),
        (admin("role", "profile = \"snp-raw-1\"\nrole"), "`profile`: has no meaning in this role"),
        (admin("7443\"", "7443\"\n[attestation]"), "`attestation`: has no meaning in this role"),
        (admin("7443\"", "7443\"\n[jobs]"), "`jobs`: has no meaning in this role"),
        (admin("7443\"", "7443\"\n[resources]"), "`resources`: has no meaning in this role"),
        (admin("7443\"", "7443\"\n[scheduler]"), "`scheduler`: has no meaning in this role"),
    ] {
        folder.load().unwrap();
        let changed = config.replacen(&from, &to, 1);
        assert_ne!(changed, config, "{from}");
        folder.write("muster.toml", &changed);
        let error = folder.error();
        assert!(error.starts_with("muster.toml: ") && error.contains(expected), "{expected}: {error}");
    }
}
