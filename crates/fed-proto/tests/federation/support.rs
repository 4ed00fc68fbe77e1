//! Job files, messages of a test's choice, and shorthands.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use cc_core::Code;
use cc_testkit::federation::{Federation, Tamper, name};
use fed_proto::coordinator::{ServerEvent, Standing};
use fed_proto::message::Kind;
use fed_proto::name::Name;
use fed_proto::scheduler::Outcome;
use fed_proto::signed::{Header, Signed};

pub(crate) const SOON: Duration = Duration::from_millis(100);

/// A job for `@ALL` with these demands.
pub(crate) fn job(label: &str, more: &str) -> String {
    format!(
        "version = 1\nname = \"{label}\"\n{more}\n[deploy]\nmain = [\"@ALL\"]\n[app.main]\ncommand = [\"/bin/true\"]\n"
    )
}

/// A federation of `sites` sites that are all registered.
pub(crate) fn registered(seed: u64, sites: usize) -> Federation {
    let mut federation = Federation::new(seed, sites);
    federation.start_all();
    federation.run_until("registration", seconds(120), Federation::all_registered);
    federation
}

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Runs until the n-th attempt ended, and says how.
pub(crate) fn outcome(federation: &mut Federation, attempts: usize) -> Outcome {
    federation.run_until("the attempt", seconds(300), |f| f.server.attempts.len() >= attempts);
    federation.run(seconds(2));
    federation.server.attempts[attempts - 1].2.clone()
}

/// Clients and server of an outcome that is a schedule.
pub(crate) fn scheduled(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Scheduled { sites } => sites.iter().map(Name::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

/// Why an attempt failed.
pub(crate) fn reason(outcome: &Outcome) -> String {
    match outcome {
        Outcome::NoResource { reason } | Outcome::Block { reason } => reason.clone(),
        Outcome::Scheduled { sites } => panic!("scheduled: {sites:?}"),
    }
}

/// What a hook changes: the messages of a kind, as read.
pub(crate) fn on(kind: Kind, mut change: impl FnMut(Signed) -> Vec<Vec<u8>> + 'static) -> Option<Tamper> {
    Some(Box::new(move |bytes| match Signed::from_bytes(&bytes, usize::MAX) {
        Some(message) if message.header.kind == kind.number() => change(message),
        _ => vec![bytes],
    }))
}

pub(crate) fn silenced(kind: Kind) -> Option<Tamper> {
    on(kind, |_| Vec::new())
}

/// Hands a message of the test's choice to the server over a site's connection, signed by the site's key and in the
/// place of its next one. Returns what the server charges for it.
pub(crate) fn say(
    federation: &mut Federation,
    by: &Name,
    kind: Kind,
    round: (u64, &str),
    payload: Vec<u8>,
) -> Option<Code> {
    say_to(federation, by, &name("server"), kind, round, payload)
}

pub(crate) fn say_to(
    federation: &mut Federation,
    by: &Name,
    to: &Name,
    kind: Kind,
    (epoch, job_id): (u64, &str),
    payload: Vec<u8>,
) -> Option<Code> {
    let next: Rc<RefCell<Option<Header>>> = Rc::default();
    let recorder = Rc::clone(&next);
    let tamper = federation.sites.get_mut(by).unwrap().tamper.take();
    federation.sites.get_mut(by).unwrap().tamper = on(Kind::JobUpdate, move |message| {
        *recorder.borrow_mut() = Some(message.header);
        Vec::new()
    });
    federation.with_agent(by, None, |agent, _, out| agent.job_update("", "started", "", out));
    federation.sites.get_mut(by).unwrap().tamper = tamper;
    let header = Header {
        epoch,
        job_id: job_id.to_owned(),
        recipient: Some(to.clone()),
        kind: kind.number(),
        ..next.borrow_mut().take().unwrap()
    };
    let key = &federation.sites[by].agent.as_ref().unwrap().me().key;
    let message = Signed::new(&federation.owner.descriptor.federation_id(), header, payload, key);
    let before = federation.server.events.len();
    federation.hand_to_server(by, message.to_bytes());
    federation.server.events[before..].iter().find_map(|event| match event {
        ServerEvent::Charged { finding, .. } => Some(finding.code.clone()),
        _ => None,
    })
}

/// The rounds that were opened, the last one last.
pub(crate) fn opened(federation: &Federation) -> Vec<u64> {
    let opened = |event: &ServerEvent| match event {
        ServerEvent::Opened { epoch, .. } => Some(*epoch),
        _ => None,
    };
    federation.server.events.iter().filter_map(opened).collect()
}

pub(crate) fn turned_away(federation: &Federation, name: &Name) -> Vec<Code> {
    federation.sites[name].turned_away.iter().map(|finding| finding.code.clone()).collect()
}

pub(crate) fn standing(federation: &Federation, name: &Name) -> Option<Standing> {
    let server = federation.server.coordinator.as_ref().unwrap();
    server.sites().find(|(of, _)| *of == name).map(|(_, site)| site.standing())
}
