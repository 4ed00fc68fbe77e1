//! A site of the federation.
#![forbid(unsafe_code)]
