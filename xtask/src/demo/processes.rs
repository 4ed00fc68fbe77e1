//! The participants as child processes, and what they say.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::story;
use crate::run::{Result, show};

/// An event of a participant.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// Who says so.
    pub(super) who: String,
    /// What.
    pub(super) line: Value,
}

impl Event {
    /// A field's text.
    pub(super) fn text(&self, key: &str) -> &str {
        self.line.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether `who` says `event`.
    pub(super) fn is(&self, who: &str, event: &str) -> bool {
        self.who == who && self.text("event") == event
    }
}

/// All processes of the demo; whatever happens, they end with it.
pub(super) struct Processes {
    children: Vec<(String, Child)>,
    sender: Sender<Event>,
    receiver: Receiver<Event>,
    /// Everything that was said.
    pub(super) said: Vec<Event>,
}

impl Processes {
    pub(super) fn new() -> Self {
        let (sender, receiver) = channel();
        Self { children: Vec::new(), sender, receiver, said: Vec::new() }
    }

    /// Starts a participant that says one JSON object per line.
    pub(super) fn start(&mut self, who: &str, command: &mut Command, log: &Path) -> Result<()> {
        let shown = show(command);
        let log = std::fs::File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("`{shown}` could not be started: {error}"))?;
        if let Some(out) = child.stdout.take() {
            let (who, sender) = (who.to_owned(), self.sender.clone());
            std::thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(std::result::Result::ok) {
                    let Ok(line) = serde_json::from_str(&line) else { continue };
                    if sender.send(Event { who: who.clone(), line }).is_err() {
                        return;
                    }
                }
            });
        }
        self.children.push((who.to_owned(), child));
        Ok(())
    }

    /// Waits until somebody says something; `Err` names what was waited for.
    pub(super) fn until(
        &mut self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&[Event]) -> bool,
    ) -> Result<()> {
        let begun = Instant::now();
        while !wanted(&self.said) {
            let left = limit
                .checked_sub(begun.elapsed())
                .ok_or_else(|| format!("{what}: not within {} s", limit.as_secs()))?;
            match self.receiver.recv_timeout(left.min(Duration::from_millis(200))) {
                Ok(event) => {
                    story::event(&event.who, &event.line);
                    self.said.push(event);
                }
                Err(RecvTimeoutError::Timeout) => self.all_alive()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("{what}: nobody is left to say it"));
                }
            }
        }
        Ok(())
    }

    fn all_alive(&mut self) -> Result<()> {
        for (who, child) in &mut self.children {
            if who != "impostor"
                && let Ok(Some(status)) = child.try_wait()
            {
                return Err(format!("{who} ended with {status}; its log is in target/demo/logs"));
            }
        }
        Ok(())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for (_, child) in &mut self.children {
            // By its own id; one that has ended is not there any more.
            let _ = Command::new("kill").arg(child.id().to_string()).stderr(Stdio::null()).status();
        }
        for (_, child) in &mut self.children {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(8) && matches!(child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(50));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
