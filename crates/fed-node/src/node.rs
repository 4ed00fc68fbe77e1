//! A participant's start (*workflow.md* 1.3 row 1): plugins, policy, own evidence, keys; refuses to run if any fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Finding, codes};
use cc_manager::attest::{Federation, Manager, PolicyFile, SelfTest, Setup, StartError, VerifierSetup};
use cc_manager::clock::{Clock, SystemClock};
use cc_manager::fetch::{Fetcher, Roots, SystemEnvironment};
use cc_manager::{Config, Floors, Host, LoadError, LoadErrors, WorkerCommand};
use cc_policy::InitData;
use cc_store::{Handle, StoreError};
use fed_proto::bundle::{Bundle, SignedBundle};
use fed_proto::crypto::{AttKey, Digest, sha256};
use fed_proto::descriptor::FederationProfile;
use fed_proto::enrol::{Claim, init_data, statement};
use fed_proto::message::Identity;
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::round::{Me, Participant};

use crate::clock::Clocks;
use crate::judge::Judge;
use crate::kit::{Kit, KitError, Participant as Configured};
use crate::random;

/// For how long endorsements of one subject are fetched, within the 15 s that an honest peer has (*workflow.md* 1.5.8).
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest policy file, in bytes.
const MAX_POLICY: u64 = 1024 * 1024;

/// Why a participant does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootError {
    /// The kit cannot be used.
    #[error(transparent)]
    Kit(#[from] KitError),
    /// The kit is an administrator's.
    #[error("{0} is an administrator's kit; a participant's is needed")]
    NoParticipant(PathBuf),
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The site's own policy is none.
    #[error("{path}: {source}")]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<cc_policy::PolicyError>,
    },
    /// A plugin cannot be loaded.
    #[error(transparent)]
    Plugins(#[from] LoadErrors),
    /// The plugins' configuration cannot be used.
    #[error(transparent)]
    PluginConfig(#[from] LoadError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The participant cannot show what it has to.
    #[error(transparent)]
    Attestation(#[from] StartError),
    /// Something else that has a code.
    #[error("{0}")]
    Refused(Finding),
}

impl From<Finding> for BootError {
    fn from(finding: Finding) -> Self {
        Self::Refused(finding)
    }
}

/// A participant that may run.
pub struct Node {
    /// Its kit.
    pub kit: Kit,
    /// What its configuration has for participants.
    pub configured: Configured,
    /// The state machine.
    pub participant: Participant,
    /// Collects and judges.
    pub judge: Arc<Judge>,
    /// What must not be forgotten.
    pub store: Handle,
    /// The clocks.
    pub clocks: Clocks,
    /// What the self-test showed.
    pub self_tests: Vec<SelfTest>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("kit", &self.kit).finish_non_exhaustive()
    }
}

impl Node {
    /// Starts a participant from its kit by the clock of this machine: every step may refuse, none is skipped.
    /// `worker` starts the processes of plugins that run in one.
    pub async fn start(dir: &Path, worker: &WorkerCommand) -> Result<Self, BootError> {
        Self::start_by(dir, worker, Arc::new(SystemClock)).await
    }

    /// The same by another clock.
    pub async fn start_by(
        dir: &Path,
        worker: &WorkerCommand,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BootError> {
        let kit = Kit::load(dir)?;
        let Some(configured) = kit.config.participant().cloned() else {
            return Err(BootError::NoParticipant(dir.to_owned()));
        };
        let clocks = Clocks::new(Arc::clone(&clock));
        let now = clocks.now()?;
        create_private(&configured.data)?;
        let store = Handle::open(&configured.data.join("muster.db"))?;
        let federation_id = kit.descriptor.federation_id();
        store.write(move |change| change.bind_federation(&federation_id.0))?;
        let (signed, bundle) = newest_bundle(&kit, &store, now.wall)?;
        let role = if kit.config.name == kit.descriptor.server { Role::Server } else { Role::Client };
        let me = instance(&kit, &configured, role)?;
        let own_init_data = expected_init_data(&bundle, &federation_id, &me.name, role)?;
        let setup = Setup {
            verifier: verifier(&kit, &configured, worker)?,
            own_profiles: [&configured.profile].into_iter().chain(&configured.devices).cloned().collect(),
            own_init_data,
            clock,
        };
        let (manager, self_tests) = Manager::start(setup).await?;
        let me = Me { policy: Digest(*manager.verifier().site_policy().sha256().as_bytes()), ..me };
        let participant = Participant::new(me, signed, None, now)?;
        let judge = Arc::new(Judge::new(manager, federation_id, store.clone(), clocks.clone()));
        Ok(Self { kit, configured, participant, judge, store, clocks, self_tests })
    }
}

/// What the bundle demands of launch data for a name in a role.
pub(crate) fn expected_init_data(
    bundle: &Bundle,
    federation_id: &Digest,
    name: &Name,
    role: Role,
) -> Result<InitData, Finding> {
    let floor = bundle.roles.get(&role).ok_or_else(|| {
        Finding::new(
            codes::POL_EVIDENCE_MISSING,
            format!("the owner's bundle says nothing of the role {role}"),
        )
    })?;
    Ok(if floor.name_binding.needs_launch_data() {
        cc_manager::init_data(&init_data(federation_id, name, role))
    } else {
        InitData::NotCarried
    })
}

/// The newer one of the kit's bundle and the stored one; what was in force once is the lowest that is accepted.
fn newest_bundle(
    kit: &Kit,
    store: &Handle,
    now: cc_core::UnixTime,
) -> Result<(SignedBundle, Bundle), BootError> {
    let stored = store.read(|view| view.bundle())?;
    let lowest = stored.as_ref().map(|bundle| bundle.version);
    let kits = kit.bundle.clone().ok_or_else(|| BootError::NoParticipant(kit.dir.clone()))?;
    let kits = kits.open(&kit.descriptor, lowest, now).map(|opened| (kits, opened));
    match (kits, stored) {
        (Ok((signed, opened)), _) => {
            let row = cc_store::Bundle {
                version: opened.version,
                digest: signed.digest().0,
                bytes: signed.to_bytes(),
                at: now,
            };
            store.write(move |change| change.put_bundle(&row))?;
            Ok((signed, opened))
        }
        // The kit's is older than what this participant has adopted since.
        (Err(finding), Some(stored)) if finding.code == codes::POL_ROLLBACK => {
            let signed = SignedBundle::from_bytes(&stored.bytes).ok_or(finding)?;
            let opened = signed.open(&kit.descriptor, lowest, now)?;
            Ok((signed, opened))
        }
        (Err(finding), _) => Err(finding.into()),
    }
}

/// A new instance of a kit's participant: a key that is made here and never written, and the enrolment that authorises
/// it. Its policy is not read yet.
pub fn instance(kit: &Kit, configured: &Configured, role: Role) -> Result<Me, BootError> {
    let key = AttKey::from_seed(&random()).map_err(|error| {
        Finding::new(codes::BIND_POP_INVALID, format!("no attestation key can be made: {error}"))
    })?;
    let [instance_id, _]: [[u8; 16]; 2] = halves(random());
    let name = kit.config.name.clone();
    let federation_id = kit.descriptor.federation_id();
    let claim = Claim { name: name.clone(), role, instance_id, key: key.public().digest(), kem: None };
    let signature = kit
        .sign_enrolment(&statement(&federation_id, &claim))
        .map_err(|error| Finding::new(codes::FL_MEMBER_UNKNOWN, error.to_string()))?;
    let identity = Identity {
        spki: key.public().spki().to_vec().into(),
        kem: Vec::new().into(),
        instance_id: instance_id.to_vec().into(),
        chain: kit.chain.iter().map(|certificate| certificate.to_vec().into()).collect(),
        enrolment: signature.0.to_vec().into(),
    };
    Ok(Me {
        descriptor: kit.descriptor.clone(),
        name,
        role,
        profile: configured.profile.clone(),
        identity,
        key,
        runtime: Some(runtime_digest(kit, configured)?),
        policy: Digest([0; 32]),
    })
}

fn halves(bytes: [u8; 32]) -> [[u8; 16]; 2] {
    let mut halves = [[0; 16]; 2];
    for (to, from) in halves.iter_mut().flatten().zip(bytes) {
        *to = from;
    }
    halves
}

/// Tag 15 (*verification.md* 5.2): the program, the plugin manifest, the configuration.
fn runtime_digest(kit: &Kit, configured: &Configured) -> Result<Digest, BootError> {
    let executable = PathBuf::from("/proc/self/exe");
    let read =
        |path: &Path| std::fs::read(path).map_err(|source| BootError::Read { path: path.to_owned(), source });
    let (program, plugins) = (sha256(&read(&executable)?), sha256(&read(&configured.plugins_path)?));
    Ok(fed_proto::binding::runtime_digest(&program, &plugins, &kit.config_sha256))
}

fn verifier(kit: &Kit, configured: &Configured, worker: &WorkerCommand) -> Result<VerifierSetup, BootError> {
    let config = Config::load(&configured.plugins_path)?;
    let host = Host::load(&config, worker)?;
    let fetcher = Fetcher::new(&config.fetch, &Roots::System, Arc::new(SystemEnvironment::default()))?;
    let floors = Floors::open(Some(configured.data.clone()));
    let path = &configured.policy_path;
    let policy = read_policy(path)?;
    let source_name =
        path.file_name().map_or_else(|| "policy".to_owned(), |name| name.to_string_lossy().into_owned());
    let site_policy = PolicyFile::parse(&policy, &source_name)
        .map_err(|source| BootError::Policy { path: path.clone(), source: Box::new(source) })?;
    let federation = match kit.descriptor.profile {
        FederationProfile::Production => Federation::Production,
        FederationProfile::Development => Federation::Development,
    };
    Ok(VerifierSetup {
        host,
        fetcher,
        floors,
        collateral: Vec::new(),
        patience: PATIENCE,
        federation,
        site_policy,
    })
}

fn read_policy(path: &Path) -> Result<String, BootError> {
    let fail = |source| BootError::Read { path: path.to_owned(), source };
    let length = std::fs::metadata(path).map_err(fail)?.len();
    if length > MAX_POLICY {
        return Err(fail(std::io::Error::other(format!("{length} bytes, at most {MAX_POLICY} are read"))));
    }
    std::fs::read_to_string(path).map_err(fail)
}

/// A folder that only its owner can look into.
fn create_private(path: &Path) -> Result<(), BootError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).map_err(|source| BootError::Read { path: path.to_owned(), source })
}
