//! Size limits on everything that crosses a trust boundary (*verification.md* 0.6 and 0.11).

/// Largest raw evidence, in bytes.
pub const MAX_EVIDENCE: usize = 128 * 1024;
/// Most GPUs in one evidence.
pub const MAX_GPUS: usize = 16;
/// Most switches in one evidence.
pub const MAX_SWITCHES: usize = 8;
/// Largest report of a GPU or switch, in bytes (NVML's buffer).
pub const MAX_DEVICE_REPORT: usize = 0x2000;
/// Largest certificate chain of a GPU or switch, in bytes (NVML's buffer).
pub const MAX_DEVICE_CHAIN: usize = 0x1400;
/// Largest evidence of profile `nv-spdm-1`, in bytes: so many devices, and room for their frame.
pub const MAX_DEVICES_EVIDENCE: usize = 24 * (MAX_DEVICE_REPORT + MAX_DEVICE_CHAIN + 64);
/// Largest single endorsement object or fetched body, in bytes.
pub const MAX_ENDORSEMENT: usize = 1024 * 1024;
/// Largest certificate, in bytes; a larger one is refused before it is parsed.
pub const MAX_CERTIFICATE: usize = 16 * 1024;
/// Most endorsement objects handed to one verification: what a plan may ask for, and what comes otherwise.
pub const MAX_ENDORSEMENTS: usize = 160;
/// Most leaf certificates that are tried for one report (*decisions.md* 4).
pub const MAX_LEAF_CANDIDATES: usize = 8;
/// Largest message in either direction across the plugin ABI, in bytes: the largest evidence and
/// endorsements must fit into one request.
pub const MAX_MESSAGE: usize = 4 * 1024 * 1024;
/// Largest encoded claims that the host takes from a plugin, in bytes.
pub const MAX_CLAIMS: usize = 128 * 1024;
/// Most entries in one claims map, nested maps and lists counted each.
pub const MAX_CLAIM_ENTRIES: usize = 4096;
/// Deepest nesting of claims.
pub const MAX_CLAIM_DEPTH: usize = 8;
/// Longest detail text of a [`Finding`](crate::Finding), in bytes; longer text is cut.
pub const MAX_DETAIL: usize = 2048;
/// Largest question that a plan may have posted, in bytes.
pub const MAX_POST: usize = 16 * 1024;
/// Largest question that holds evidence, in bytes: reports and chains of [`MAX_GPUS`] devices in base64, and their frame.
pub const MAX_EVIDENCE_POST: usize = 320 * 1024;
/// Most endorsements that a plan may ask for: each device of the largest evidence has three certificates that are asked
/// about, and there are manifests.
pub const MAX_PLAN_REQUESTS: usize = 128;
