//! What the coordinator cannot make itself.

use std::collections::BTreeMap;

use cc_store::Handle;
use fed_node::rpc::{Link, Outbound};
use fed_node::tls::Exporter;
use fed_proto::coordinator::{Conn, ServerEnv};
use fed_proto::round::Env;

/// One connection.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) outbound: Outbound,
    pub(crate) link: Link,
    pub(crate) exporter: Exporter,
}

/// Randomness, epochs, and the connections' keying material.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) store: Handle,
    pub(crate) wires: BTreeMap<Conn, Wire>,
    pub(crate) wall_ms: u64,
}

impl Env for World {
    fn nonce(&mut self) -> [u8; 32] {
        fed_node::random()
    }

    fn exporter(&mut self, _: &[u8; 32]) -> Option<[u8; 32]> {
        None
    }
}

impl ServerEnv for World {
    fn exporter_of(&mut self, connection: Conn, context: &[u8; 32]) -> Option<[u8; 32]> {
        self.wires.get(&connection)?.exporter.export(context)
    }

    fn epoch(&mut self) -> Option<u64> {
        let now = self.wall_ms;
        // Half a millisecond, some times a minute: the round has to wait for it.
        let stored = tokio::task::block_in_place(|| self.store.write(move |change| change.next_epoch(now)));
        stored.inspect_err(|error| tracing::error!(%error, "no round is opened")).ok()
    }
}
