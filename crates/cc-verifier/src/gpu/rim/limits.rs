//! How large a reference manifest may be (*verification.md* 0.6), and how large NVIDIA's are.

use cc_core::limits::MAX_ENDORSEMENT;

/// Bytes; 26 KB.
pub(super) const LENGTH: usize = MAX_ENDORSEMENT;
/// Levels of elements, the root counted; 6. Reading descends as deep.
pub(super) const DEPTH: usize = 8;
/// Elements; 86.
pub(super) const ELEMENTS: usize = 4096;
/// Attributes of one element; 15. Values of one measurement are attributes of one element.
pub(super) const ATTRIBUTES: usize = 64;
/// Namespaces that are declared at one place; 4. Every name is looked up among them.
pub(super) const DECLARATIONS: usize = 16;
