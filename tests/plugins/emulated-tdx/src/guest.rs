//! A guest whose platform is the test kit: quotes are signed in process, and come with the collateral that verifies
//! them, issued as of now.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use cc_core::message::{Blob, Collected, MESSAGE_VERSION};
use cc_core::{Binding, Finding, codes};
use cc_testkit::der;
use cc_testkit::tdx::ca::Ca;
use cc_testkit::tdx::collateral::rfc3339;
use cc_testkit::tdx::field;
use cc_testkit::tdx::mint::{Form, World};
use cc_testkit::tdx::sgx::oids;

use crate::settings::Machine;

/// Seconds for which collateral is handed out again, so that verifiers can remember it.
const REUSED: i64 = 600;
/// How long before it is issued collateral begins, for verifiers whose clock is behind, and until when it is current.
const SINCE: i64 = 3600;
const CURRENT: i64 = 3 * 86_400;

/// Every byte of RTMR0 to RTMR2, the same for all guests; RTMR3 is zero.
const RTMRS: [u8; 4] = [0xb0, 0xb1, 0xb2, 0];

/// The guest.
pub(crate) struct Guest {
    machine: Machine,
    issued: Mutex<Option<(i64, World)>>,
}

impl Guest {
    pub(crate) fn new(machine: Machine) -> Self {
        Self { machine, issued: Mutex::default() }
    }

    /// Signs a quote with the binding in it.
    pub(crate) fn collect(&self, binding: &Binding) -> Result<Collected, Finding> {
        let state = self.machine.state()?;
        state.behaviour.happen()?;
        let report_data = binding.report_data()?;
        let mut world = self.world()?;
        world.edit_quote(|quote| {
            quote.set(field::REPORT_DATA, report_data);
            for (register, byte) in field::RTMRS.into_iter().zip(RTMRS) {
                quote.set(register, &[byte; 48]);
            }
            quote.set(field::MR_TD, &state.mr_td).set(field::MR_CONFIG_ID, &state.mr_config_id);
            quote.get_mut(field::TEE_TCB_SVN).iter_mut().take(1).for_each(|svn| *svn = state.module_svn);
            quote.get_mut(field::TEE_TCB_SVN_2).iter_mut().take(1).for_each(|svn| *svn = state.module_svn);
        });
        Ok(Collected {
            version: MESSAGE_VERSION,
            evidence: world.quote.bytes(),
            endorsements: world.endorsements().into_iter().map(Blob).collect(),
        })
    }

    /// The platform with collateral that is current.
    fn world(&self) -> Result<World, Finding> {
        let now = now()?;
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, world)) =
            issued.as_ref().filter(|(at, _)| (0..REUSED).contains(&now.saturating_sub(*at)))
        {
            return Ok(world.clone());
        }
        let mut world = World::new(Form::V5Td15, Ca::Platform);
        let (ppid, instance) = (self.derived("ppid"), self.derived("platform instance"));
        world.edit_sgx(|sgx| {
            sgx.set(oids::PPID, der::octet_string(&ppid));
            sgx.set(oids::PLATFORM_INSTANCE_ID, der::octet_string(&instance));
        });
        let (since, until) = (now.saturating_sub(SINCE), now.saturating_add(CURRENT));
        // Later lists have higher numbers.
        let number = u64::try_from(now).ok();
        let dated = |list: &mut cc_testkit::snp::CrlSpec| {
            (list.this_update, list.next_update, list.number) = (since, Some(until), number);
        };
        world.edit_root_crl(dated).edit_pck_crl(dated);
        let (since, until) = (rfc3339(since), rfc3339(until));
        world.edit_tcb_info(|info| (info.issue_date, info.next_update) = (since.clone(), until.clone()));
        world.edit_qe_identity(|identity| (identity.issue_date, identity.next_update) = (since, until));
        *issued = Some((now, world.clone()));
        Ok(world)
    }

    /// Bytes that look random and are the same for the same platform.
    fn derived(&self, what: &str) -> [u8; 16] {
        let sum = digest(&SHA256, format!("muster emulated {what} {}", self.machine.platform).as_bytes());
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(sum.as_ref()).for_each(|(to, from)| *to = *from);
        bytes
    }
}

/// Seconds since 1970.
fn now() -> Result<i64, Finding> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .ok_or_else(|| Finding::new(codes::TDX_COLLECT_FAILED, "the clock of this machine is out of range"))
}
