//! What the state machine cannot make itself.

use fed_node::tls::Exporter;
use fed_proto::round::Env;

/// Randomness, and the connection's keying material.
pub(crate) struct World {
    pub(crate) exporter: Option<Exporter>,
}

impl Env for World {
    fn nonce(&mut self) -> [u8; 32] {
        fed_node::random()
    }

    fn exporter(&mut self, context: &[u8; 32]) -> Option<[u8; 32]> {
        self.exporter.as_ref()?.export(context)
    }
}
