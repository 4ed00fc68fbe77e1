//! Collection of evidence on the machine itself (*verification.md* 1.5 for SEV-SNP).
//!
//! Each technology has a collector in front of small traits, one implementation for each kernel interface. What
//! comes out is raw: checked only for answering the request, never verified or judged here. The kernel's answers
//! are taken as foreign bytes, bounded before they are read. The one home of unsafe code is `ioctl.rs`.

#[cfg(not(target_os = "linux"))]
compile_error!("evidence is collected through interfaces of the Linux kernel");

mod ioctl;
pub mod snp;
