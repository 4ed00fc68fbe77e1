//! Order as a type: what has been established about a value is written in its wrapper.
//!
//! `Unverified<T>` → (signature verified) → [`Authentic<T>`] → (binding compared) → [`Verified<T>`] → (judged for
//! the present) → [`Admissible<T>`].
//! The constructor named `assertion` is a statement by its caller; `xtask tidy` holds the list of files that may make it.

use crate::{Binding, BoundField, Code, Finding, TrustClass, UnixTime, codes};

/// For which point in time something was judged. The distinction travels with the result: what was judged for
/// another time than the present admits nobody (*decisions.md* 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instant {
    /// This verifier's own trusted clock said so.
    Present(UnixTime),
    /// The caller chose it: a replay.
    Replayed(UnixTime),
}

impl Instant {
    /// The point in time.
    pub const fn time(self) -> UnixTime {
        match self {
            Self::Present(time) | Self::Replayed(time) => time,
        }
    }

    /// Whether it is not the present.
    pub const fn is_replayed(self) -> bool {
        matches!(self, Self::Replayed(_))
    }
}

/// A value read from evidence that nobody has authenticated. Good for planning and for showing to people,
/// never for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified<T>(T);

impl<T> Unverified<T> {
    /// Marks a value as read from unauthenticated bytes.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for planning or display. Whoever calls this must not let the value decide anything.
    pub const fn inspect_unverified(&self) -> &T {
        &self.0
    }
}

/// A value whose authenticity a plugin established and whose form the host re-checked, not yet tied to a
/// challenge: what it says is true of *some* run of the attester, perhaps an old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentic<T> {
    value: T,
    bound: BoundField,
    waived: Vec<Code>,
    at: Instant,
    trust_class: TrustClass,
}

impl<T> Authentic<T> {
    /// States that `value` was authenticated at instant `at` by a plugin of class `trust_class`, using exactly
    /// the waivers in `waived`. Only the host's verification pipeline may state this.
    pub const fn assertion(
        value: T,
        bound: BoundField,
        waived: Vec<Code>,
        at: Instant,
        trust_class: TrustClass,
    ) -> Self {
        Self { value, bound, waived, at, trust_class }
    }

    /// The authentic value.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The raw bound field of the evidence.
    pub const fn bound(&self) -> &BoundField {
        &self.bound
    }

    /// The waivers that were used, each standing for a check that did not take place.
    pub fn waived(&self) -> &[Code] {
        &self.waived
    }

    /// The instant for which authenticity was judged.
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// Whether real or emulated hardware stands behind the value.
    pub const fn trust_class(&self) -> TrustClass {
        self.trust_class
    }

    /// Compares the bound field with the expected binding: the one way to a [`Verified`].
    pub fn compare(self, expected: &Binding) -> Result<Verified<T>, Finding> {
        self.bound.compare(expected)?;
        Ok(Verified(self))
    }
}

/// An authentic value which answers this verifier's own challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(Authentic<T>);

impl<T> Verified<T> {
    /// What was authenticated.
    pub const fn authentic(&self) -> &Authentic<T> {
        &self.0
    }

    /// The value for an admission, unless it was judged for another time than the present: `clk.replayed`.
    pub fn admissible(&self) -> Result<Admissible<'_, T>, Finding> {
        match self.0.at {
            Instant::Present(_) => Ok(Admissible(&self.0)),
            Instant::Replayed(time) => Err(Finding::new(
                codes::CLK_REPLAYED,
                format!("verified as of {time}, an admission needs the present"),
            )),
        }
    }
}

/// A verified value that was judged for the present: the only kind that an admission may rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admissible<'a, T>(&'a Authentic<T>);

impl<'a, T> Admissible<'a, T> {
    /// What was authenticated.
    pub const fn authentic(&self) -> &'a Authentic<T> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoundKind;

    fn verified(at: Instant) -> Verified<u8> {
        let bound = BoundField { kind: BoundKind::ReportData, bytes: vec![7; 64] };
        let authentic = Authentic::assertion(1, bound, Vec::new(), at, TrustClass::Hardware);
        authentic.compare(&Binding::new([7; 64])).unwrap()
    }

    #[test]
    fn a_replay_admits_nobody() {
        let time = UnixTime::from_secs(1_780_272_000);
        assert_eq!(verified(Instant::Present(time)).admissible().unwrap().authentic().value(), &1);
        let refused = verified(Instant::Replayed(time)).admissible().unwrap_err();
        assert_eq!(refused.code, codes::CLK_REPLAYED);
        assert_eq!(Instant::Replayed(time).time(), Instant::Present(time).time());
    }
}
