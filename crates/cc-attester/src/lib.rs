//! Collection of evidence on the machine itself (*verification.md* 1.5 for SEV-SNP, 2.6 for TDX, 3.4 for GPUs, 4 for
//! Azure's container groups and machines with a virtual TPM).
//!
//! Each technology has a collector, those of processors in front of small traits, one implementation for each kernel
//! interface. Shared are the thread that asks, one request at a time (`queue`), the host's lock and the distance between
//! requests ([`pace`]), and the report tree of the kernel ([`tsm`]).
//!
//! What comes out is raw: checked only for answering the request, never verified or judged here. The answers of kernel
//! and driver are taken as foreign bytes, bounded before they are read. The homes of unsafe code are `ioctl.rs` and
//! `gpu/nvml.rs`.

#[cfg(not(target_os = "linux"))]
compile_error!("evidence is collected through interfaces of the Linux kernel");

pub mod aci;
pub mod gpu;
mod ioctl;
mod lock;
pub mod pace;
mod queue;
pub mod snp;
pub mod tdx;
mod thim;
pub mod tsm;
pub mod vtpm;
pub mod web;
