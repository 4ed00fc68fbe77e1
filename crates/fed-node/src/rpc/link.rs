//! The end of a connection: whoever comes first says why, and everybody concerned learns it.

use std::sync::Arc;

use cc_core::Finding;
use tokio::sync::watch;
use tonic::Status;

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// This side ended it.
    Here,
    /// The peer ended it, or the network did; the text is for people.
    There(String),
    /// This side ended it for a reason that it tells the peer.
    Refused(Finding),
    /// The peer was over its budget or sent what is no frame; `fl.peer.quarantined`.
    Quarantined(Finding),
    /// The peer did not take what was sent to it.
    SlowReader,
    /// This side shuts down.
    Shutdown,
}

impl Ended {
    /// What the peer is told beyond the end itself.
    pub(super) fn status(&self) -> Option<Status> {
        match self {
            Self::Here | Self::There(_) => None,
            Self::Refused(finding) => Some(Status::permission_denied(finding.to_string())),
            Self::Quarantined(finding) => Some(Status::resource_exhausted(finding.to_string())),
            Self::SlowReader => Some(Status::resource_exhausted("messages are not taken in time")),
            Self::Shutdown => Some(Status::unavailable("the server shuts down")),
        }
    }
}

/// A handle on a connection, to end it or to wait for its end.
#[derive(Clone, Debug)]
pub struct Link(Arc<watch::Sender<Option<Ended>>>);

impl Link {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Ends the connection. What was sent before still goes out, if the peer takes it soon. Only the first reason
    /// counts.
    pub fn end(&self, why: Ended) {
        self.0.send_if_modified(|ended| {
            let first = ended.is_none();
            if first {
                *ended = Some(why);
            }
            first
        });
    }

    /// Why it ended, if it has.
    pub fn ended(&self) -> Option<Ended> {
        self.0.borrow().clone()
    }

    /// Waits for the end.
    pub fn wait(&self) -> impl Future<Output = Ended> + Send + use<> {
        self.wait_for(|_| true)
    }

    /// Waits until this side ends it. After an end by the peer, what had arrived is still taken.
    pub(super) fn stopped(&self) -> impl Future<Output = Ended> + Send + use<> {
        self.wait_for(|ended| !matches!(ended, Ended::There(_)))
    }

    fn wait_for(&self, wanted: fn(&Ended) -> bool) -> impl Future<Output = Ended> + Send + use<> {
        let mut ended = self.0.subscribe();
        async move {
            match ended.wait_for(|ended| ended.as_ref().is_some_and(wanted)).await.map(|ended| ended.clone())
            {
                Ok(Some(why)) => why,
                // No handle is left with which it could still be ended for a reason.
                Ok(None) | Err(_) => Ended::Here,
            }
        }
    }
}
