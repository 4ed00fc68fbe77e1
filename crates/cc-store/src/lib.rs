//! What a federation must not forget.
#![forbid(unsafe_code)]
