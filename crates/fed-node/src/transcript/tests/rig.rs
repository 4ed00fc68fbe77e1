//! Emulated machines and judges under a federation of the test kit, and the transcripts of what happens in it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Code, Finding, UnixTime, codes};
use cc_manager::attest::{Federation as Kind, OwnerFloor, PolicyFile, Subject};
use cc_policy::InitData;
use cc_testkit::federation::{Federation, Machines, Owner, WALL, name, site};
use fed_proto::binding::Purpose;
use fed_proto::crypto::{Digest, Signature, sha256};
use fed_proto::descriptor::Descriptor;
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::round::{Concluded, Evidence, JudgeOrder, Participant, ReportOrder};
use fed_proto::sybil::Identifiers;

use super::super::line::{self, Appraisal, Hardware, Judging, Used};
use super::super::record::{Parts, Transcript};
use super::super::replay::{Rejudge, Unfit};
use super::super::report::Report;
use super::super::value::{Blob, Hex, Time};
use super::super::verify::verify_by;
use crate::judge::{owner_policy, subject};

/// For how long the emulated list of revoked certificates is good.
pub(super) const SINCE: UnixTime = UnixTime::from_secs(WALL.as_secs() - 86_400);
pub(super) const UNTIL: UnixTime = UnixTime::from_secs(WALL.as_secs() + 86_400);

/// A policy that this crate can read; what it says is not applied here.
pub(super) fn policy(comment: &str) -> String {
    let measurement = "a5".repeat(48);
    format!(
        "# {comment}\nversion = 1\nprofile = \"development\"\n[snp]\nproducts = [\"Genoa\"]\n\
         measurements = [\"{measurement}\"]\nhost_data = \"init-data\"\n\
         [snp.min_tcb.Genoa]\nbootloader = 10\ntee = 0\nsnp = 23\nmicrocode = 84\n"
    )
}

fn site_policy(who: &Name) -> PolicyFile {
    PolicyFile::parse(&policy(&format!("the policy of {who}")), "policy.toml").unwrap()
}

/// One emulated machine.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) chip: String,
    pub(super) firmware: &'static str,
}

/// What is known of a federation's machines and judges.
#[derive(Default)]
pub(super) struct State {
    pub(super) machines: BTreeMap<Name, Machine>,
    /// Verifiers that accept whatever they see.
    pub(super) liars: BTreeSet<Name>,
    /// Verifiers whose floors deny everybody.
    pub(super) floors: BTreeSet<Name>,
    judged: BTreeMap<(Name, u64), Vec<JudgedWith>>,
    kept: Vec<Kept>,
}

/// A judgement with the objects that it names.
type JudgedWith = (Judging, Vec<Vec<u8>>);

/// A transcript with what it is about.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) verifier: Name,
    pub(super) purpose: Purpose,
    pub(super) transcript: Transcript,
    pub(super) concluded: Concluded,
    pub(super) bytes: Vec<u8>,
}

/// A federation with emulated machines.
pub(super) struct Rig {
    pub(super) federation: Federation,
    pub(super) state: Rc<RefCell<State>>,
}

struct Emulation {
    descriptor: Descriptor,
    state: Rc<RefCell<State>>,
}

impl Machines for Emulation {
    fn policy(&self, who: &Name) -> Digest {
        Digest(*site_policy(who).sha256().as_bytes())
    }

    fn report(&mut self, who: &Name, order: &ReportOrder) -> Evidence {
        let state = self.state.borrow();
        let default = Machine { chip: who.to_string(), firmware: "new" };
        let machine = state.machines.get(who).unwrap_or(&default);
        let evidence = format!(
            "{who} {} {} {}",
            machine.chip,
            machine.firmware,
            hex::encode(order.binding(&[]).as_bytes())
        );
        let endorsements = vec![format!("certificate of {}", machine.chip).into_bytes()];
        Evidence { evidence: evidence.into_bytes(), aux: Vec::new(), devices: Vec::new(), endorsements }
    }

    fn judge(&mut self, who: &Name, order: &JudgeOrder, at: UnixTime) -> Result<Identifiers, Finding> {
        let floor = Arc::new(owner_policy(&order.bundle, order.role)?);
        let mut subject = subject(&self.descriptor.federation_id(), floor, order)?;
        // Fetched by the verifier, so that the token alone is not enough to judge again.
        subject.endorsements.push(format!("list {} {}", SINCE.as_secs(), UNTIL.as_secs()).into_bytes());
        let mut judging = emulated(&subject, at, *site_policy(who).sha256().as_bytes());
        let mut state = self.state.borrow_mut();
        if state.liars.contains(who) {
            judging.code = None;
            judging.detail = None;
            judging.appraisals.iter_mut().for_each(|appraisal| {
                appraisal.findings.clear();
                appraisal.status = "affirming".to_owned();
            });
            judging.identifiers = Some(Hardware { guest: None, chip: None, devices: Vec::new() });
        }
        if state.floors.contains(who) {
            judging.code = Some(codes::COLL_ROLLBACK.to_string());
            judging.detail = Some("list number 1, seen was 2".to_owned());
            judging.identifiers = None;
            judging.appraisals.clear();
        }
        let result = match (&judging.identifiers, &judging.code) {
            (Some(found), None) => Ok(Identifiers::from(found)),
            (_, code) => {
                let code = Code::parse(code.as_deref().unwrap()).unwrap();
                Err(Finding::new(code, judging.detail.clone().unwrap()))
            }
        };
        let objects = subject.endorsements.iter().cloned().chain([subject.evidence]).collect();
        state.judged.entry((who.clone(), order.epoch)).or_default().push((judging, objects));
        result
    }

    fn concluded(&mut self, own: &Participant, concluded: &Concluded, at: UnixTime) {
        let me = own.me();
        let mut state = self.state.borrow_mut();
        let judged = state.judged.remove(&(me.name.clone(), concluded.epoch)).unwrap_or_default();
        let (judgements, objects): (Vec<_>, Vec<_>) = judged.into_iter().unzip();
        let objects = objects.into_iter().flatten().map(|bytes| (sha256(&bytes), bytes)).collect();
        let transcript = Transcript::new(Parts {
            verifier: me.name.as_str(),
            concluded,
            descriptor: &me.descriptor,
            site_policy: &site_policy(&me.name),
            at,
            judgements,
            objects,
        })
        .unwrap();
        let bytes = transcript.to_bytes(|message| me.key.sign(message)).unwrap();
        let (verifier, purpose) = (me.name.clone(), concluded.purpose);
        state.kept.push(Kept { verifier, purpose, transcript, concluded: concluded.clone(), bytes });
    }
}

/// What the emulated hardware and policies say: a function of its arguments, as a plugin is.
pub(super) fn emulated(subject: &Subject, at: UnixTime, site_policy: [u8; 32]) -> Judging {
    let OwnerFloor::Policy(floor) = &subject.floor else { panic!("a federation has an owner") };
    let floor = Hex(*floor.sha256().as_bytes());
    let text = String::from_utf8(subject.evidence.clone()).unwrap_or_default();
    let parts: Vec<&str> = text.split(' ').collect();
    let endorsed = |object: &str| subject.endorsements.iter().any(|bytes| *bytes == object.as_bytes());
    let list = subject
        .endorsements
        .iter()
        .filter_map(|bytes| std::str::from_utf8(bytes).ok()?.strip_prefix("list "));
    let list = list.filter_map(|list| {
        let (since, until) = list.split_once(' ')?;
        Some((since.parse::<u64>().ok()?, until.parse::<u64>().ok()?))
    });
    let refuse = |code: Code, detail: &str| Err(Finding::new(code, detail));
    let authentic = match (parts.as_slice(), list.max()) {
        ([_, chip, _, _], _) if !endorsed(&format!("certificate of {chip}")) => {
            refuse(codes::SNP_CHAIN_MISSING, "no certificate")
        }
        ([_, _, _, _], None) => refuse(codes::SNP_CRL_MISSING, "no list"),
        ([_, _, _, _], Some((since, until))) if !(since..until).contains(&at.as_secs()) => {
            refuse(codes::SNP_CRL_EXPIRED, "the list is not of that time")
        }
        ([_, _, _, bound], _) if *bound != hex::encode(subject.expected.as_bytes()) => {
            refuse(codes::BIND_REPORT_DATA_MISMATCH, "another binding")
        }
        ([guest, chip, firmware, _], _) => Ok((*guest, *chip, *firmware)),
        _ => refuse(codes::SNP_FORMAT_LENGTH, "not a report"),
    };
    let appraisal = |owner: &str, sha256: Hex<32>, findings: Vec<line::Finding>| Appraisal {
        owner: owner.to_owned(),
        sha256,
        profile: "development".to_owned(),
        status: if findings.is_empty() { "affirming" } else { "contraindicated" }.to_owned(),
        findings,
    };
    let old = line::Finding {
        code: codes::SNP_TCB_BELOW_MINIMUM.to_string(),
        got: "old".to_owned(),
        want: "new".to_owned(),
        source: "policy.toml:6 snp.min_tcb".to_owned(),
    };
    let appraisals = authentic.as_ref().map_or_else(
        |_| Vec::new(),
        |(_, _, firmware)| {
            let findings = if *firmware == "old" { vec![old] } else { Vec::new() };
            vec![appraisal("federation", floor, Vec::new()), appraisal("site", Hex(site_policy), findings)]
        },
    );
    let outcome = match authentic {
        Ok((_, _, "old")) => {
            Err(Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "the site's own policy: got old, want new"))
        }
        Ok((guest, chip, _)) => Ok((guest.to_owned(), chip.to_owned())),
        Err(finding) => Err(finding),
    };
    let blob = |text: &String| Some(Blob(text.as_bytes().to_vec()));
    Judging {
        subject: subject.name.clone(),
        profile: subject.profile.to_string(),
        required: subject.required.iter().map(ToString::to_string).collect(),
        evidence: Hex(sha256(&subject.evidence).0),
        expected: hex::encode(subject.expected.as_bytes()),
        init_data: match subject.init_data {
            InitData::Carried { sha256, .. } => Some(Hex(sha256)),
            InitData::NotCarried => None,
        },
        floor: Some(floor),
        site_policy: Hex(site_policy),
        at: Time(at),
        plugin: Some(line::Plugin {
            name: "emulated".to_owned(),
            version: "1".to_owned(),
            sha256: Hex([7; 32]),
            trust_class: "emulated".to_owned(),
        }),
        devices: None,
        endorsements: subject
            .endorsements
            .iter()
            .map(|bytes| Used {
                kind: "emulated".to_owned(),
                sha256: Hex(sha256(bytes).0),
                source: "test".to_owned(),
            })
            .collect(),
        notes: Vec::new(),
        appraisals,
        identifiers: outcome.as_ref().ok().map(|(guest, chip)| Hardware {
            guest: blob(guest),
            chip: blob(chip),
            devices: Vec::new(),
        }),
        code: outcome.as_ref().err().map(|finding| finding.code.to_string()),
        detail: outcome.as_ref().err().map(|finding| finding.detail.clone()),
    }
}

/// Judges again as the emulation does.
pub(super) struct Emulated([u8; 32]);

impl Rejudge for Emulated {
    async fn judge(&self, subject: &Subject, at: UnixTime) -> Judging {
        emulated(subject, at, self.0)
    }
}

/// Verifies by the emulation.
pub(super) fn verify(bytes: &[u8], descriptor: Option<&Descriptor>, at: Option<UnixTime>) -> Report {
    let judge = |kind: Kind, policy: PolicyFile| {
        assert_eq!(kind, Kind::Development);
        Ok::<_, Unfit>(Emulated(*policy.sha256().as_bytes()))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(verify_by(bytes, descriptor.cloned(), at, judge))
}

/// The code and the place of everything that is wrong.
pub(super) fn differences(report: &Report) -> Vec<(&str, &str)> {
    report.differences.iter().map(|one| (one.code.as_str(), one.place.as_str())).collect()
}

impl Rig {
    /// Registers sites. `edit` changes machines and judges first.
    pub(super) fn registered(sites: usize, edit: impl FnOnce(&mut State)) -> Self {
        let mut rig = Self::new(1, sites, edit);
        rig.federation.start_all();
        rig.federation.run(Duration::from_secs(30));
        rig
    }

    /// The same before anything starts.
    pub(super) fn new(seed: u64, sites: usize, edit: impl FnOnce(&mut State)) -> Self {
        let mut federation = Federation::with(seed, sites, Owner::new(), |bundle| {
            for (role, floor) in &mut bundle.roles {
                floor.policy = policy(&format!("the owner's policy for a {role}"));
            }
            if let Some(floor) = bundle.roles.get_mut(&Role::Server) {
                floor.name_binding = fed_proto::bundle::NameBinding::Measured;
            }
        });
        let state = Rc::new(RefCell::new(State::default()));
        edit(&mut state.borrow_mut());
        let descriptor = federation.owner.descriptor.clone();
        federation.run_on(Emulation { descriptor, state: Rc::clone(&state) });
        Self { federation, state }
    }

    /// Runs one attempt of a job with these sites.
    pub(super) fn job(&mut self, sites: usize) {
        let file = "version = 1\nname = \"one\"\nmin_sites = 1\n[deploy]\nmain = [\"@ALL\"]\n\
                    [app.main]\ncommand = [\"/bin/true\"]\n";
        let sites: Vec<Name> = (1..=sites).map(site).collect();
        self.federation.attempt(file, 1, &sites.iter().collect::<Vec<_>>());
        self.federation.run(Duration::from_secs(90));
    }

    pub(super) fn descriptor(&self) -> &Descriptor {
        &self.federation.owner.descriptor
    }

    /// All transcripts so far.
    pub(super) fn kept(&self) -> Vec<Kept> {
        self.state.borrow().kept.clone()
    }

    /// The last transcript of a verifier about a purpose.
    pub(super) fn last(&self, verifier: &Name, purpose: Purpose) -> Kept {
        let kept = self.kept();
        let mut of = kept.into_iter().filter(|kept| kept.verifier == *verifier && kept.purpose == purpose);
        of.next_back().unwrap_or_else(|| panic!("no transcript of {verifier}"))
    }

    /// Signs with the key of a participant that runs.
    pub(super) fn sign(&self, who: &Name, message: &[u8]) -> Signature {
        if *who == name("server") {
            return self.federation.server.coordinator.as_ref().unwrap().own().me().key.sign(message);
        }
        self.federation.sites[who].agent.as_ref().unwrap().me().key.sign(message)
    }

    /// A transcript that its own writer changed before sealing it.
    pub(super) fn resealed(&self, kept: &Kept, edit: impl FnOnce(&mut Transcript)) -> Vec<u8> {
        let mut transcript = kept.transcript.clone();
        edit(&mut transcript);
        transcript.to_bytes(|message| self.sign(&kept.verifier, message)).unwrap()
    }
}
