//! From a plan to kits: first every decision and every check, in memory, then the writing. What an interrupted run did
//! stays valid, and the next run completes it.

use std::path::{Path, PathBuf};

use cc_core::UnixTime;
use fed_proto::enrol;

use super::disk::{self, NewFile};
use super::kit::{CONFIG, Common, Holder};
use super::owner::{BUNDLE, Decision, Owner};
use super::plan::{OWNER, Plan};
use super::{Fallible, report};
use crate::exit::Failure;

/// Everything that is going to be written, and what is said about it.
pub(super) struct Steps {
    out: PathBuf,
    /// Files of the owner's folder, if there is none yet.
    owner: Option<Vec<NewFile>>,
    decision: Decision,
    /// Whether the owner's bundle has to be written.
    rewrite_bundle: bool,
    /// Bundles of kits that are to be replaced.
    replaced: Vec<PathBuf>,
    /// Kits that are to be made.
    made: Vec<(PathBuf, Vec<NewFile>)>,
    report: report::Provisioned,
}

/// Decides and checks everything; writes nothing.
pub(super) fn decide(plan: &Plan, out: &Path, now: UnixTime) -> Fallible<Steps> {
    let folder = out.join(OWNER);
    let is_new = !disk::exists(&folder).map_err(Failure::new)?;
    let kits = disk::folders_with(out, CONFIG).map_err(Failure::new)?;
    if is_new && let Some(kit) = kits.first() {
        let text = format!("{} is there, and no {}", out.join(kit).display(), folder.display());
        return Err(Failure::new(text).hint("the owner's folder is needed to go on with these kits"));
    }
    let owner = if is_new { Owner::generate(plan, now) } else { Owner::load(&folder, plan) };
    let owner = owner.map_err(Failure::new)?;
    let decision = owner.decide(plan, &folder, now).map_err(Failure::new)?;
    for kit in &kits {
        let known = |name: &fed_proto::name::Name| name.as_str() == kit;
        let wanted = plan.participants.keys().chain(plan.admins.keys()).any(known);
        if !wanted && !decision.bundle.revoked_names.iter().any(known) {
            let text = format!("{} is not in {}", out.join(kit).display(), plan.file.display());
            let hint =
                format!("to revoke it, add {kit:?} to bundle.revoked_names; otherwise move its folder away");
            return Err(Failure::new(text).hint(hint));
        }
    }
    let rewrite_bundle = !is_new && (decision.is_new || owner.text_is_behind(&decision));
    let mut steps = Steps {
        out: out.to_owned(),
        owner: is_new.then(|| owner.files(&decision)),
        rewrite_bundle,
        replaced: Vec::new(),
        made: Vec::new(),
        report: report::Provisioned::new(out, &owner.descriptor.federation_id(), &decision),
        decision,
    };
    let participants = plan.participants.iter().map(|(name, member)| Holder::Participant(name, member));
    let admins = plan.admins.iter().map(|(name, config)| Holder::Admin(name, config));
    for holder in participants.chain(admins) {
        steps.kit(&owner, holder, now)?;
    }
    Ok(steps)
}

impl Steps {
    fn kit(&mut self, owner: &Owner, holder: Holder<'_>, now: UnixTime) -> Fallible<()> {
        let common = Common { owner, decision: &self.decision, now };
        let name = holder.name();
        let folder = self.out.join(name.as_str());
        let failed = |problem: String| Failure::new(format!("{name}: {problem}"));
        let is_new = !disk::exists(&folder).map_err(failed)?;
        if is_new {
            self.made.push((folder.clone(), common.make(holder).map_err(failed)?));
        } else {
            let is_behind = common.check(&folder, holder).map_err(|problem| {
                failed(problem).hint(format_args!(
                    "nothing was written; to have this kit made anew, with a new key, move {} away",
                    folder.display()
                ))
            })?;
            if is_behind {
                self.replaced.push(folder.join(BUNDLE));
            }
        }
        let init_data = match holder {
            Holder::Participant(name, member) => {
                let federation_id = owner.descriptor.federation_id();
                Some(cc_manager::init_data(&enrol::init_data(&federation_id, name, member.role)))
            }
            Holder::Admin(..) => None,
        };
        self.report.kit(holder, &folder, is_new, init_data);
        Ok(())
    }

    /// Writes. The owner's folder comes first: without its keys the kits could not be continued.
    pub(super) fn apply(self) -> Fallible<report::Provisioned> {
        let folder = self.out.join(OWNER);
        let write = || -> Result<(), String> {
            disk::prepare(&self.out)?;
            if let Some(files) = &self.owner {
                disk::create_folder(&folder, files)?;
            }
            if self.rewrite_bundle {
                Owner::replace_bundle(&folder, &self.decision)?;
            }
            for path in &self.replaced {
                disk::replace(path, &self.decision.signed.to_bytes())?;
            }
            for (folder, files) in &self.made {
                disk::create_folder(folder, files)?;
            }
            Ok(())
        };
        write().map_err(|problem| {
            Failure::new(problem).hint("what was written is whole; run the same command again to complete it")
        })?;
        Ok(self.report)
    }
}
