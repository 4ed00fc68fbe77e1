//! Order as a type: what has been established about a value is written in its wrapper.
//!
//! `Unverified<T>` → (signature verified) → [`Authentic<T>`] → (binding compared) → [`Verified<T>`].
//! The constructor named `assertion` is a statement by its caller; `xtask tidy` holds the list of files that may make it.

use crate::{Binding, BoundField, Code, Finding, TrustClass, UnixTime};

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
    at: UnixTime,
    trust_class: TrustClass,
}

impl<T> Authentic<T> {
    /// States that `value` was authenticated at instant `at` by a plugin of class `trust_class`, using exactly
    /// the waivers in `waived`. Only the host's verification pipeline may state this.
    pub const fn assertion(
        value: T,
        bound: BoundField,
        waived: Vec<Code>,
        at: UnixTime,
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
    pub const fn at(&self) -> UnixTime {
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
}
