//! What the server thinks of a site.

use std::fmt;
use std::time::Duration;

use cc_core::Finding;

use crate::binding::Purpose;
use crate::crypto::Digest;
use crate::message::Identity;
use crate::round::is_refutation;

use super::Conn;

/// Most transcripts of one instance by which it may prove itself on a new connection.
const MOST_SHOWN: usize = 8;
/// Rounds in a row without answer after which a site counts as offline (*workflow.md* S4; the item 5).
const ABSENCES: u32 = 2;

/// How far a site is trusted by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Its last round was accepted.
    Trusted,
    /// Its last round said nothing against it, but was not accepted: unreachable, busy, or collateral missing. What was
    /// accepted before counts until it expires.
    Grace,
    /// Refuted in its last round, or absent from the last two: offline for jobs until it passes a round.
    Suspended,
    /// Not a member any longer: its enrolment is revoked, or another instance took its place.
    Evicted,
}

impl Standing {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Grace => "grace",
            Self::Suspended => "suspended",
            Self::Evicted => "evicted",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A site that was admitted to the roster.
#[derive(Clone, Debug)]
pub struct Site {
    pub(super) identity: Identity,
    pub(super) key: Digest,
    /// `SHA-512(T)` of tokens of this instance that the server accepted, the newest last.
    pub(super) shown: Vec<[u8; 64]>,
    pub(super) connection: Option<Conn>,
    pub(super) standing: Standing,
    pub(super) reason: Option<Finding>,
    pub(super) absences: u32,
    pub(super) accepted_at: Duration,
    pub(super) alive_at: Duration,
    /// The challenge that is out, and since when.
    pub(super) challenge: Option<([u8; 32], Duration)>,
}

impl Site {
    pub(super) fn new(identity: Identity, key: Digest, now: Duration) -> Self {
        Self {
            identity,
            key,
            shown: Vec::new(),
            connection: None,
            standing: Standing::Trusted,
            reason: None,
            absences: 0,
            accepted_at: now,
            alive_at: now,
            challenge: None,
        }
    }

    /// How far the server trusts it.
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// Why it is not trusted.
    pub const fn reason(&self) -> Option<&Finding> {
        self.reason.as_ref()
    }

    /// Whether a proven connection stands.
    pub const fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// The same instance registers again: what was known of it stays.
    pub(super) fn go_on_from(&mut self, earlier: &Self) {
        self.standing = earlier.standing;
        self.reason.clone_from(&earlier.reason);
        self.absences = earlier.absences;
        self.shown.splice(..0, earlier.shown.iter().copied());
        let surplus = self.shown.len().saturating_sub(MOST_SHOWN);
        self.shown.drain(..surplus);
    }

    /// When the server accepted it last, monotonic.
    pub const fn accepted_at(&self) -> Duration {
        self.accepted_at
    }

    /// Digest of its instance's key.
    pub const fn key(&self) -> &Digest {
        &self.key
    }

    pub(super) const fn is_online(&self) -> bool {
        self.connection.is_some() && matches!(self.standing, Standing::Trusted | Standing::Grace)
    }

    pub(super) fn accepted(&mut self, report_data: [u8; 64]) {
        self.shown.push(report_data);
        if self.shown.len() > MOST_SHOWN {
            self.shown.remove(0);
        }
    }

    /// A round's result. Returns whether the standing changed.
    pub(super) fn judged(&mut self, now: Duration, purpose: Purpose, result: &Result<(), Finding>) -> bool {
        let before = (self.standing, self.reason.clone());
        match result {
            _ if self.standing == Standing::Evicted => {}
            // Whoever is suspended stays so until it passes a periodic round.
            Ok(()) if self.standing == Standing::Suspended && purpose != Purpose::Periodic => {}
            Ok(()) => {
                self.standing = Standing::Trusted;
                self.reason = None;
                self.absences = 0;
                self.accepted_at = now;
            }
            Err(finding) => {
                self.reason = Some(finding.clone());
                if is_refutation(finding) {
                    self.standing = Standing::Suspended;
                } else {
                    self.absences = self.absences.saturating_add(1);
                    let offline = self.absences >= ABSENCES || self.standing == Standing::Suspended;
                    self.standing = if offline { Standing::Suspended } else { Standing::Grace };
                }
            }
        }
        before != (self.standing, self.reason.clone())
    }
}

#[cfg(test)]
mod tests {
    use cc_core::codes;

    use super::*;

    fn new() -> Site {
        let identity = Identity {
            spki: Vec::new().into(),
            kem: Vec::new().into(),
            instance_id: Vec::new().into(),
            chain: Vec::new(),
            enrolment: Vec::new().into(),
        };
        Site::new(identity, Digest([0; 32]), Duration::ZERO)
    }

    #[test]
    fn a_site_stands_as_its_rounds_say() {
        let silent = || Err(Finding::new(codes::FL_MEMBER_MISSING, "no token"));
        let refuted = || Err(Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "old firmware"));
        let rounds = [
            (Purpose::JobStart, silent(), Standing::Grace),
            (Purpose::JobStart, Ok(()), Standing::Trusted),
            (Purpose::JobStart, silent(), Standing::Grace),
            (Purpose::Periodic, silent(), Standing::Suspended),
            (Purpose::JobStart, Ok(()), Standing::Suspended),
            (Purpose::Periodic, Ok(()), Standing::Trusted),
            (Purpose::JobStart, refuted(), Standing::Suspended),
            (Purpose::Periodic, silent(), Standing::Suspended),
            (Purpose::Periodic, Ok(()), Standing::Trusted),
        ];
        let mut site = new();
        for (second, (purpose, result, standing)) in (1..).zip(rounds) {
            let now = Duration::from_secs(second);
            let accepted = if standing == Standing::Trusted { now } else { site.accepted_at() };
            assert!(site.judged(now, purpose, &result) || purpose == Purpose::JobStart && result.is_ok());
            assert_eq!((site.standing(), site.accepted_at()), (standing, accepted), "{second}");
        }
        site.standing = Standing::Evicted;
        for result in [Ok(()), silent(), refuted()] {
            assert!(!site.judged(Duration::from_secs(20), Purpose::Periodic, &result));
            assert_eq!(site.standing(), Standing::Evicted);
        }
    }

    #[test]
    fn whoever_is_connected_and_trusted_or_within_grace_is_online() {
        let mut site = new();
        for standing in [Standing::Trusted, Standing::Grace, Standing::Suspended, Standing::Evicted] {
            site.standing = standing;
            site.connection = None;
            assert!(!site.is_online(), "{standing}");
            site.connection = Some(Conn(1));
            assert_eq!(
                site.is_online(),
                matches!(standing, Standing::Trusted | Standing::Grace),
                "{standing}"
            );
        }
    }

    #[test]
    fn an_instance_proves_itself_by_one_of_its_last_tokens() {
        let mut site = new();
        for token in 0..20 {
            site.accepted([token; 64]);
        }
        let shown: Vec<u8> = site.shown.iter().map(|token| token[0]).collect();
        assert_eq!(shown, [12, 13, 14, 15, 16, 17, 18, 19]);
    }

    #[test]
    fn an_instance_that_registers_again_proves_itself_by_any_of_its_last_tokens() {
        let site = |token: u8| {
            let mut site = new();
            site.accepted([token; 64]);
            site
        };
        let mut now = site(0);
        for token in 1..=20 {
            let earlier = now;
            now = site(token);
            now.go_on_from(&earlier);
        }
        let shown: Vec<u8> = now.shown.iter().map(|token| token[0]).collect();
        assert_eq!(shown, [13, 14, 15, 16, 17, 18, 19, 20], "the last ones, the newest last");
    }
}
