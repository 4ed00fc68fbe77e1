//! NVIDIA GPUs and switches (*verification.md* section 3, profile `nv-spdm-1`).

pub mod rim;
