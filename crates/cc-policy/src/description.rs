//! Words for what a policy permits, shared by the sections: `muster policy check`.

use std::fmt::Display;

use crate::reader::Placed;

/// The lines of one section, each with the place that decided it.
pub(crate) struct Description {
    section: &'static str,
    lines: Vec<String>,
}

impl Description {
    pub(crate) const fn new(section: &'static str) -> Self {
        Self { section, lines: Vec::new() }
    }

    pub(crate) fn say(&mut self, what: &str, value: impl Display, source: &str) {
        self.lines.push(format!("{}: {what}: {value} ({source})", self.section));
    }

    pub(crate) fn allowed(&mut self, what: &str, knob: &Placed<bool>) {
        self.say(what, if knob.value { "allowed" } else { "not allowed" }, &knob.source);
    }

    pub(crate) fn required(&mut self, what: &str, knob: &Placed<bool>) {
        self.say(what, if knob.value { "required" } else { "not required" }, &knob.source);
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines
    }
}

/// A list that may be empty.
pub(crate) fn none_or(list: String) -> String {
    if list.is_empty() { "none".to_owned() } else { list }
}
