//! What a hardware report is bound to (*verification.md* 5.2 to 5.5): transcript, tree of challenges, members,
//! devices and proofs of possession. Functions of bytes; who must be compared with whom is the round's matter.

mod devices;
mod leaf;
pub mod pop;
mod transcript;
mod tree;

pub use cc_core::gpu::DeviceClass;
pub use devices::{Device, devices_digest};
pub use leaf::{Leaf, Member, members_digest};
pub use transcript::{Purpose, Transcript, gpu_nonce, runtime_digest};
pub use tree::{InclusionPath, leaf_hash, root};
