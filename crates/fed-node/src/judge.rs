//! The bridge from the state machines to the manager: makes evidence, judges that of others, keeps what was judged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cc_core::{Finding, Profile, codes};
use cc_manager::attest::{DeviceEvidence, Manager, OwnerFloor, PolicyFile, Subject};
use cc_store::Handle;
use fed_proto::binding::Device;
use fed_proto::bundle::Bundle;
use fed_proto::crypto::{Digest, sha256};
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::round::{Evidence, JudgeOrder, Now, ReportOrder};
use fed_proto::sybil::Identifiers;

use crate::clock::Clocks;
use crate::node::expected_init_data;
use crate::record::JudgedPeer;

/// Most rounds whose judgements are kept until the verdict is out.
const MOST_ROUNDS: usize = 256;

/// Judges by the owner's floor and the site's own policy, which both must affirm.
pub struct Judge {
    manager: Manager,
    federation_id: Digest,
    store: Handle,
    clocks: Clocks,
    /// The owner's policies, by bundle and role: read once.
    floors: Mutex<BTreeMap<(Digest, Role), Arc<PolicyFile>>>,
    judged: Mutex<BTreeMap<u64, Vec<JudgedPeer>>>,
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judge").field("manager", &self.manager).finish_non_exhaustive()
    }
}

impl Judge {
    pub(crate) fn new(manager: Manager, federation_id: Digest, store: Handle, clocks: Clocks) -> Self {
        Self { manager, federation_id, store, clocks, floors: Mutex::default(), judged: Mutex::default() }
    }

    /// The manager.
    pub const fn manager(&self) -> &Manager {
        &self.manager
    }

    /// Now, or `clk.untrusted`.
    pub(crate) fn now(&self) -> Result<Now, Finding> {
        self.clocks.now()
    }

    /// Makes one hardware report: the devices are asked first, so that the processor vouches for what they said.
    pub async fn collect(&self, order: &ReportOrder) -> Result<Evidence, Finding> {
        let own = self.manager.own_profiles();
        let (devices, processors): (Vec<_>, Vec<_>) = own.iter().partition(|profile| profile.is_device());
        let processor = processors.first().ok_or_else(|| {
            Finding::new(
                codes::POL_EVIDENCE_MISSING,
                "this participant has no profile of a processor to show",
            )
        })?;
        let (mut shown, mut endorsements) = (Vec::new(), Vec::new());
        if let Some(profile) = devices.first() {
            let own = self.manager.collect(profile, order.gpu_nonce()).await?;
            shown = Device::collected(&own.evidence)?;
            endorsements = own.endorsements;
        }
        let own = self.manager.collect(processor, order.binding(&shown)).await?;
        endorsements.splice(0..0, own.endorsements);
        Ok(Evidence { evidence: own.evidence, aux: Vec::new(), devices: shown, endorsements })
    }

    /// Judges a peer's evidence.
    pub async fn judge(&self, order: &JudgeOrder) -> Result<Identifiers, Finding> {
        let subject = self.subject(order)?;
        let hash = sha256(&order.envelope.evidence).0;
        let (bytes, at) = (order.envelope.evidence.clone(), self.clocks.now()?.wall);
        self.store.write_then(
            move |change| change.put_evidence(&hash, &bytes, at),
            |result| {
                if let Err(error) = result {
                    tracing::error!(%error, "evidence was not stored");
                }
            },
        );
        let judgement = self.manager.judge(order.epoch, &subject).await?;
        let admitted = judgement.admission().map(|found| Identifiers {
            guest: found.guest.clone(),
            devices: found.devices.clone(),
            chip: found.chip.clone(),
        });
        self.keep(order.epoch, JudgedPeer { subject, judgement });
        admitted
    }

    /// What was judged in a round so far, by name.
    pub fn known(&self, epoch: u64) -> BTreeMap<String, JudgedPeer> {
        let judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let peers = judged.get(&epoch).into_iter().flatten();
        peers.map(|peer| (peer.subject.name.clone(), peer.clone())).collect()
    }

    /// What was judged in a round; forgets it.
    pub fn take(&self, epoch: u64) -> Vec<JudgedPeer> {
        self.manager.end_round(epoch);
        self.judged.lock().unwrap_or_else(PoisonError::into_inner).remove(&epoch).unwrap_or_default()
    }

    /// The line of the policy that decided about a peer in a round, for people; empty where none did.
    pub fn policy_line(&self, epoch: u64, peer: &Name) -> String {
        let judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let mut peers = judged.get(&epoch).into_iter().flatten();
        let judgement =
            peers.find(|judged| judged.subject.name == peer.as_str()).map(|judged| &judged.judgement);
        let of_devices = judgement.iter().flat_map(|judgement| &judgement.devices);
        let all = judgement.iter().flat_map(|judgement| &judgement.appraisals);
        let all = all.chain(of_devices.flat_map(|devices| &devices.appraisals));
        let findings = all.flat_map(|appraisal| &appraisal.appraisal.findings);
        findings.map(|finding| finding.source.clone()).next().unwrap_or_default()
    }

    fn keep(&self, epoch: u64, peer: JudgedPeer) {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if judged.len() >= MOST_ROUNDS {
            judged.pop_first();
        }
        judged.entry(epoch).or_default().push(peer);
    }

    fn subject(&self, order: &JudgeOrder) -> Result<Subject, Finding> {
        let floor = self.floor(order)?;
        subject(&self.federation_id, floor, order)
    }

    /// The owner's policy for the role, read once for each bundle.
    fn floor(&self, order: &JudgeOrder) -> Result<Arc<PolicyFile>, Finding> {
        let key = (order.policy_digest, order.role);
        let mut floors = self.floors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = floors.get(&key) {
            return Ok(Arc::clone(known));
        }
        let file = owner_policy(&order.bundle, order.role)?;
        if floors.len() >= MOST_ROUNDS {
            floors.clear();
        }
        let file = Arc::new(file);
        floors.insert(key, Arc::clone(&file));
        Ok(file)
    }
}

/// What is judged of a token, and by what: everything but evidence, profile and hints is the verifier's own knowledge.
pub(crate) fn subject(
    federation_id: &Digest,
    floor: Arc<PolicyFile>,
    order: &JudgeOrder,
) -> Result<Subject, Finding> {
    let JudgeOrder { envelope, bundle, .. } = order;
    let required = bundle.roles.get(&order.role).map(|floor| floor.profiles.clone());
    let init_data = expected_init_data(bundle, federation_id, &order.peer, order.role)?;
    Ok(Subject {
        name: order.peer.to_string(),
        required: required.unwrap_or_default(),
        profile: envelope.profile.clone(),
        evidence: envelope.evidence.clone(),
        // Shown, whether or not the role requires it: what cannot be judged is refused and not passed over.
        devices: (!envelope.devices.is_empty()).then(|| DeviceEvidence {
            profile: Profile::nv_spdm_1(),
            evidence: Device::evidence(&envelope.devices),
            expected: order.gpu_nonce.clone(),
        }),
        endorsements: envelope.endorsements.clone(),
        expected: order.binding.clone(),
        floor: OwnerFloor::Policy(floor),
        init_data,
    })
}

/// The owner's policy for a role.
pub(crate) fn owner_policy(bundle: &Bundle, role: Role) -> Result<PolicyFile, Finding> {
    let floor = bundle.roles.get(&role).ok_or_else(|| {
        Finding::new(
            codes::POL_EVIDENCE_MISSING,
            format!("the owner's bundle says nothing of the role {role}"),
        )
    })?;
    let file = PolicyFile::parse(&floor.policy, &format!("bundle {} for {role}", bundle.version))
        .map_err(|error| Finding::new(codes::POL_FORMAT_INVALID, format!("the owner's policy: {error}")))?;
    // The launch data that names the participant counts only where the policy compares it.
    if floor.name_binding.needs_launch_data() && !file.policy().needs_init_data() {
        let text = format!(
            "bundle {}: name_binding of {role} is {}, but not every section of its policy compares launch data \
             (host_data = \"init-data\", mr_config_id = \"init-data\")",
            bundle.version,
            floor.name_binding.as_str()
        );
        return Err(Finding::new(codes::POL_FORMAT_INVALID, text));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use cc_core::{Binding, UnixTime};
    use fed_proto::binding::{Device, DeviceClass};
    use fed_proto::bundle::{NameBinding, RoleFloor};
    use fed_proto::crypto::Signature;
    use fed_proto::envelope::Envelope;
    use fed_proto::name::Name;

    use super::*;

    const MEASURED: &str = "host_data = \"init-data\"";

    fn policy(host_data: &str) -> String {
        format!(
            "version = 1\nprofile = \"development\"\n[snp]\nproducts = [\"Genoa\"]\nmeasurements = \"any\"\n\
             {host_data}\n[snp.min_tcb.Genoa]\nbootloader = 0\ntee = 0\nsnp = 0\nmicrocode = 0\n"
        )
    }

    fn bundle(policy: String, name_binding: NameBinding) -> Bundle {
        let floor = RoleFloor { profiles: vec![Profile::snp_raw_1()], policy, name_binding };
        Bundle {
            federation_id: Digest([1; 32]),
            version: 7,
            not_after: UnixTime::from_secs(2_000_000_000),
            revoked_names: BTreeSet::new(),
            revoked_certificates: BTreeSet::new(),
            roles: BTreeMap::from([(Role::Client, floor)]),
            members: BTreeMap::new(),
            chip_quota: 1,
            verdict_lifetime: Duration::from_secs(600),
        }
    }

    fn order(devices: Vec<Device>) -> JudgeOrder {
        JudgeOrder {
            epoch: 1,
            peer: Name::new("site-1").unwrap(),
            role: Role::Client,
            envelope: Envelope {
                profile: Profile::snp_raw_1(),
                transcript: vec![1],
                evidence: vec![2],
                aux: Vec::new(),
                devices,
                endorsements: Vec::new(),
                root: Digest([3; 32]),
                leaf_count: 2,
                pop: Signature([4; 64]),
            },
            binding: Binding::new([5; 64]),
            gpu_nonce: Binding::Nonce([7; 32]),
            policy_digest: Digest([6; 32]),
            bundle: Arc::new(bundle(policy(MEASURED), NameBinding::Both)),
        }
    }

    #[test]
    fn devices_that_nobody_asked_for_are_shown_to_the_manager_all_the_same() {
        let gpu = Device { class: DeviceClass::Gpu, report: vec![1], cert_chain: vec![2], cc_state: [0; 4] };
        let judged = |devices| {
            let order = order(devices);
            let floor = Arc::new(owner_policy(&order.bundle, order.role).unwrap());
            subject(&Digest([1; 32]), floor, &order).unwrap().devices
        };
        assert_eq!(judged(Vec::new()), None);
        let shown = DeviceEvidence {
            profile: Profile::nv_spdm_1(),
            evidence: Device::evidence(&[gpu.clone(), gpu.clone()]),
            expected: Binding::Nonce([7; 32]),
        };
        assert_eq!(judged(vec![gpu.clone(), gpu]), Some(shown));
    }

    #[test]
    fn names_that_are_to_be_measured_need_a_policy_that_compares_launch_data() {
        let read = |host_data: &str, binding| {
            owner_policy(&bundle(policy(host_data), binding), Role::Client).map(drop).map_err(|f| f.code)
        };
        for binding in [NameBinding::Measured, NameBinding::Both] {
            assert_eq!(read(MEASURED, binding), Ok(()));
            assert_eq!(read("host_data = \"zero\"", binding), Err(codes::POL_FORMAT_INVALID));
            assert_eq!(read("", binding), Err(codes::POL_FORMAT_INVALID));
        }
        assert_eq!(read("host_data = \"zero\"", NameBinding::Enrolment), Ok(()));
        let silent = owner_policy(&bundle(policy(MEASURED), NameBinding::Both), Role::Server);
        assert_eq!(silent.unwrap_err().code, codes::POL_EVIDENCE_MISSING);
    }
}
