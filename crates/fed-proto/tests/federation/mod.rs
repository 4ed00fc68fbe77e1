//! Whole federations on a virtual clock: what must always hold, and what must happen when nothing stands against it.

mod attacks;
mod coordinator;
mod devices;
mod evil;
mod failures;
mod jobs;
mod life;
mod properties;
mod registration;
mod sessions;
mod sites;
mod support;
mod words;
