//! The shell around collection and verification. Also compiled, with synthetic anchors, into the emulated
//! authorizer of the tests, so that what is tested there is this code.

use std::marker::PhantomData;

use cc_attester::{aci as group, snp, vtpm as machine};
use cc_core::message::{
    CollectRequest, Collected, Identity, MESSAGE_VERSION, Plan, PlanRequest, VerifyReply, VerifyRequest,
};
use cc_core::sdk::Authorizer;
use cc_core::{Finding, Profile, ProfileInfo, Role, Settings, TrustClass, codes};
use cc_verifier::{aci, maa, vtpm};

/// Chains, endorsements and sets of keys, each, that one instance remembers.
const REMEMBERED: usize = 1024;

/// Whose groups and machines an authorizer speaks for.
pub(crate) trait Hardware: Send + Sync + 'static {
    /// The plugin's name.
    const NAME: &'static str;
    /// Whether the processors are real.
    const TRUST_CLASS: TrustClass;

    /// The roots of AMD's processors.
    fn snp() -> cc_verifier::snp::Anchors;
    /// The root of Intel's processors.
    fn tdx() -> cc_verifier::tdx::Anchors;
    /// Who endorses utility VMs.
    fn uvm() -> aci::Uvm;
}

/// The authorizer of `aci-raw-1`, `aci-maa-1` and `az-cvm-vtpm-1`.
pub(crate) struct AciAuthorizer<H> {
    raw: aci::Verifier,
    token: maa::Verifier,
    machine: vtpm::Verifier,
    group: group::Collector,
    vtpm: machine::Collector,
    hardware: PhantomData<H>,
}

impl<H: Hardware> Authorizer for AciAuthorizer<H> {
    fn identity() -> Identity {
        let profile = |profile, namespace: &str, media_type: &str| ProfileInfo {
            profile,
            namespace: namespace.to_owned(),
            media_types: vec![media_type.to_owned()],
            roles: vec![Role::Collect, Role::Verify],
        };
        Identity {
            version: MESSAGE_VERSION,
            name: H::NAME.to_owned(),
            vendor: "Muster".to_owned(),
            plugin_version: env!("CARGO_PKG_VERSION").to_owned(),
            sdk_version: cc_core::sdk::VERSION.to_owned(),
            trust_class: H::TRUST_CLASS,
            profiles: vec![
                profile(Profile::aci_raw_1(), "x-az-aci", "application/octet-stream"),
                profile(Profile::aci_maa_1(), "x-az-aci", "application/cbor"),
                profile(Profile::az_cvm_vtpm_1(), "x-az-cvm", "application/cbor"),
            ],
        }
    }

    fn create(mut settings: Settings) -> Result<Self, Finding> {
        let issuers = settings.take_texts("maa_issuers")?;
        let group = group(&mut settings)?;
        let machine = machine(&mut settings)?;
        settings.finish()?;
        let anchors = aci::Anchors { snp: H::snp(), uvm: H::uvm() };
        Ok(Self {
            raw: aci::Verifier::new(anchors, REMEMBERED),
            token: maa::Verifier::new(issuers, H::snp(), REMEMBERED)?,
            machine: vtpm::Verifier::new(H::snp(), H::tdx(), REMEMBERED),
            group: group::Collector::new(group)?,
            vtpm: machine::Collector::new(&machine)?,
            hardware: PhantomData,
        })
    }

    fn collect(&self, request: &CollectRequest) -> Result<Collected, Finding> {
        match request.profile.as_str() {
            "aci-raw-1" => self.group.report(&request.binding),
            "aci-maa-1" => self.group.token(&request.binding),
            "az-cvm-vtpm-1" => self.vtpm.collect(&request.binding),
            other => Err(unserved(other)),
        }
    }

    fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        match request.profile.as_str() {
            "aci-raw-1" => self.raw.plan(request),
            "aci-maa-1" => self.token.plan(request),
            _ => self.machine.plan(request),
        }
    }

    /// A profile that none of them serves is refused by the last one.
    fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        match request.profile.as_str() {
            "aci-raw-1" => self.raw.verify(request),
            "aci-maa-1" => self.token.verify(request),
            _ => self.machine.verify(request),
        }
    }
}

fn unserved(profile: &str) -> Finding {
    Finding::new(codes::PLUG_CONTRACT, format!("profile {profile} was asked for, which is not served here"))
}

/// Where a container group is asked.
pub(crate) fn group(settings: &mut Settings) -> Result<group::Options, Finding> {
    let defaults = group::Options::default();
    let context = settings.take_text("context_dir", "")?;
    let sidecar = settings.take_text("sidecar", defaults.sidecar.as_deref().unwrap_or_default())?;
    let endpoint = settings.take_text("maa_endpoint", "")?;
    let text = |text: String| (!text.is_empty()).then_some(text);
    Ok(group::Options {
        context_dir: text(context).map(Into::into),
        sidecar: text(sidecar),
        maa_endpoint: text(endpoint),
        snp: snp::Options {
            configfs: settings.take_path("configfs", &defaults.snp.configfs)?,
            device: settings.take_path("device", &defaults.snp.device)?,
            ..defaults.snp
        },
        lock: settings.take_path("group_lock", &defaults.lock)?,
        timeout: settings.take_seconds("group_timeout_seconds", defaults.timeout)?,
        sidecar_timeout: settings.take_seconds("sidecar_timeout_seconds", defaults.sidecar_timeout)?,
        maa_timeout: settings.take_seconds("maa_timeout_seconds", defaults.maa_timeout)?,
        root: defaults.root,
        guest_devices: defaults.guest_devices,
    })
}

/// Where a machine with a virtual TPM is asked.
fn machine(settings: &mut Settings) -> Result<machine::Options, Finding> {
    let defaults = machine::Options::default();
    Ok(machine::Options {
        device: settings.take_path("tpm", &defaults.device)?,
        fresh_hcl: settings.take_flag("fresh_hcl", defaults.fresh_hcl)?,
        metadata: settings.take_text("metadata", &defaults.metadata)?,
        lock: settings.take_path("tpm_lock", &defaults.lock)?,
        timeout: settings.take_seconds("tpm_timeout_seconds", defaults.timeout)?,
        metadata_timeout: settings.take_seconds("metadata_timeout_seconds", defaults.metadata_timeout)?,
    })
}
