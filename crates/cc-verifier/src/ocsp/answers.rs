//! All answers at hand, and what they say about a certificate.

use std::collections::BTreeMap;

use cc_core::{UnixTime, exchange};
use der::Tag;

use super::problem::Problem;
use super::request::Question;
use super::responder::Authorities;
use super::response::{CertStatus, Response};
use super::subject::Subject;
use crate::pki::{Elements, Malformed, Window};

/// Until when it is known that a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// From when.
    pub this_update: UnixTime,
    /// The last second.
    pub next_update: UnixTime,
}

/// What the answers at hand say about certificates. Signatures are verified, dates are not judged, so this may be
/// remembered for the same answers and certificates.
#[derive(Debug)]
pub struct Answers {
    /// By the certificate's `CertID`, in the order supplied.
    about: BTreeMap<Vec<u8>, Vec<Result<Judged, Problem>>>,
    /// An answer of which nobody can say what it is about.
    malformed: Option<&'static str>,
}

/// What one authentic answer says about a certificate.
#[derive(Clone, Copy, Debug)]
struct Judged {
    status: CertStatus,
    this_update: UnixTime,
    next_update: Option<UnixTime>,
    produced_at: UnixTime,
    /// Validity of the responder's own certificate.
    responder: Option<Window>,
}

/// An answer, with the question if it is known.
struct Answer<'a> {
    question: Option<Question<'a>>,
    response: Result<Option<Response<'a>>, Malformed>,
}

/// Whether an endorsement is an answer or an exchange, well formed or not: everything else is for somebody else.
pub fn is_answer(blob: &[u8]) -> bool {
    let starts_as_answer = || {
        let outer = Elements::of(blob, "OCSP answer")?.expect(Tag::Sequence)?;
        Elements::of(outer.content, "OCSP answer")?.expect(Tag::Enumerated)
    };
    exchange::decode(blob).is_some() || starts_as_answer().is_ok()
}

impl Answers {
    /// Judges answers and exchanges (see [`cc_core::exchange`]) about these certificates.
    pub fn judge<'a>(blobs: impl IntoIterator<Item = &'a [u8]>, subjects: &[&Subject]) -> Self {
        let mut answers = Vec::new();
        let mut malformed = None;
        for blob in blobs {
            match Answer::read(blob) {
                Ok(answer) => answers.push(answer),
                Err(Malformed(what)) => malformed = Some(what),
            }
        }
        let mut by_serial = BTreeMap::<&[u8], Vec<usize>>::new();
        for (index, serial) in answers.iter().enumerate().flat_map(|(i, a)| a.serials().map(move |s| (i, s)))
        {
            let of_serial = by_serial.entry(serial).or_default();
            if of_serial.last() != Some(&index) {
                of_serial.push(index);
            }
        }
        let mut authorities = Authorities::default();
        let mut about = BTreeMap::new();
        for subject in subjects {
            about.entry(subject.id().to_vec()).or_insert_with(|| {
                let candidates = by_serial.get(subject.serial.as_slice()).into_iter().flatten();
                let answers = candidates.filter_map(|index| answers.get(*index));
                answers.filter_map(|answer| answer.about(subject, &mut authorities)).collect::<Vec<_>>()
            });
        }
        Self { about, malformed }
    }

    /// Whether the certificate, one of those that were judged, is good at `now`.
    ///
    /// An authentic answer that says revoked counts even if it is not current or not the one that was asked for.
    /// Otherwise the newest one counts that is current. `Err` without one is the problem of the answer that came
    /// furthest.
    pub fn status(&self, subject: &Subject, now: UnixTime) -> Result<Status, Problem> {
        let about = self.about.get(subject.id()).map_or(&[][..], Vec::as_slice);
        let mut newest = None;
        let mut problem = self.malformed.map_or(Problem::Missing, Problem::Malformed);
        for judged in about {
            if let Ok(Judged { status: CertStatus::Revoked(since), .. }) = judged {
                return Err(Problem::Revoked { since: *since });
            }
            match judged.clone().and_then(|judged| judged.current(now)) {
                // Of two as new as each other the worse one counts.
                Ok((age, status)) if newest.as_ref().is_none_or(|(other, _)| *other < age) => {
                    newest = Some((age, status));
                }
                Ok(_) => {}
                Err(other) if other.rank() > problem.rank() => problem = other,
                Err(_) => {}
            }
        }
        newest.map_or(Err(problem), |(_, status)| status.ok_or(Problem::Unknown))
    }
}

impl<'a> Answer<'a> {
    fn read(blob: &'a [u8]) -> Result<Self, Malformed> {
        match exchange::decode(blob) {
            Some((request, response)) => {
                Ok(Self { question: Some(Question::read(request)?), response: Response::read(response) })
            }
            None => Ok(Self { question: None, response: Ok(Response::read(blob)?) }),
        }
    }

    /// The serial numbers of all certificates that it is or should be about.
    fn serials(&self) -> impl Iterator<Item = &'a [u8]> {
        let singles = self.response.iter().flatten().flat_map(|response| &response.singles);
        self.question.iter().map(|question| question.id.serial).chain(singles.map(|single| single.id.serial))
    }

    /// What it says about that certificate; nothing if it is not about it and should not be.
    fn about(&self, subject: &Subject, authorities: &mut Authorities<'a>) -> Option<Result<Judged, Problem>> {
        let is_asked = self.question.is_some_and(|question| question.id.names(subject));
        let response = match &self.response {
            Ok(Some(response)) => response,
            Ok(None) => return is_asked.then_some(Err(Problem::Missing)),
            Err(Malformed(what)) => return is_asked.then_some(Err(Problem::Malformed(what))),
        };
        let mut singles = response.singles.iter().filter(|single| single.id.names(subject));
        let revoked = singles.clone().find(|single| matches!(single.status, CertStatus::Revoked(_)));
        let (first, second) = (singles.next(), singles.next());
        let is_expected = is_asked || (self.question.is_none() && first.is_some());
        if !is_expected && revoked.is_none() {
            return None;
        }
        Some((|| {
            let responder = authorities.authenticate(response, &subject.issuer)?;
            let single = match (revoked, first, second) {
                (Some(single), _, _) | (None, Some(single), None) => single,
                (None, None, _) => return Err(Problem::CertIdMismatch),
                (None, Some(_), Some(_)) => {
                    return Err(Problem::Malformed("OCSP answer: a certificate twice"));
                }
            };
            let asked_with = self.question.and_then(|question| question.nonce);
            if revoked.is_none() && asked_with.is_some() && response.nonce != asked_with {
                return Err(Problem::Nonce);
            }
            Ok(Judged {
                status: single.status,
                this_update: single.this_update,
                next_update: single.next_update,
                produced_at: response.produced_at,
                responder,
            })
        })())
    }
}

/// How new an answer is; if both are equal, one that does not know the certificate counts as newer.
type Age = (UnixTime, UnixTime, bool);

impl Judged {
    /// Its age and what it says, if it is current.
    fn current(self, now: UnixTime) -> Result<(Age, Option<Status>), Problem> {
        let Self { status, this_update, next_update, produced_at, responder } = self;
        let Some(until) =
            next_update.filter(|until| this_update <= now && produced_at <= now && now <= *until)
        else {
            return Err(Problem::Stale { this_update, next_update, now });
        };
        if let Some(Window { from, until }) =
            responder.filter(|window| now < window.from || now > window.until)
        {
            return Err(Problem::ResponderExpired { from, until, now });
        }
        let good = (status == CertStatus::Good).then_some(Status { this_update, next_update: until });
        Ok(((this_update, produced_at, good.is_none()), good))
    }
}
