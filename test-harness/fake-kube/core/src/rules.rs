//! Rules that hold for all kinds, and those of single kinds that are data.

pub(crate) mod carried;
pub(crate) mod finalizers;
pub(crate) mod immutable;
pub(crate) mod names;
pub(crate) mod size;
pub(crate) mod workloads;
