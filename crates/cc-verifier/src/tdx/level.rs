//! What Intel says of a TCB level, whatever the level is of.

use std::cmp::Reverse;

use cc_core::UnixTime;
use serde::Deserialize;

use super::status::TcbStatus;
use crate::json::Time;

/// What is said of whoever reaches a level.
#[derive(Debug)]
pub(super) struct Grade {
    /// `Err` has the text when it is none that a level can have.
    pub(super) status: Result<TcbStatus, String>,
    pub(super) date: UnixTime,
    /// [`Grade::date`] as text.
    pub(super) date_text: String,
    pub(super) advisories: Vec<String>,
}

/// A level of an enclave or a module, which has one security version.
#[derive(Debug)]
pub(super) struct SvnLevel {
    pub(super) isvsvn: u16,
    pub(super) grade: Grade,
}

/// The first of the levels, the highest first, that a security version reaches.
pub(super) fn reached(levels: &[SvnLevel], isvsvn: u16) -> Option<&SvnLevel> {
    levels.iter().find(|level| level.isvsvn <= isvsvn)
}

/// A level in a document; `T` is what makes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LevelFields<T> {
    tcb: T,
    tcb_date: Time,
    tcb_status: String,
    #[serde(rename = "advisoryIDs", default)]
    advisory_ids: Vec<String>,
}

/// One security version.
#[derive(Deserialize)]
pub(super) struct SvnFields {
    isvsvn: u16,
}

impl<T> LevelFields<T> {
    pub(super) fn split(self) -> (T, Grade) {
        let status = TcbStatus::of_level(&self.tcb_status).ok_or(self.tcb_status);
        let Time(date) = self.tcb_date;
        (self.tcb, Grade { status, date, date_text: date.to_string(), advisories: self.advisory_ids })
    }
}

/// Levels of one security version, the highest first.
pub(super) fn svn_levels(fields: Vec<LevelFields<SvnFields>>) -> Vec<SvnLevel> {
    let split = |fields: LevelFields<SvnFields>| {
        let (SvnFields { isvsvn }, grade) = fields.split();
        SvnLevel { isvsvn, grade }
    };
    let mut levels: Vec<_> = fields.into_iter().map(split).collect();
    levels.sort_by_key(|level| Reverse(level.isvsvn));
    levels
}
