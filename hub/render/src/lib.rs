//! From what people write to what planes run, pure: custom resources in, child resources out.
//!
//! | controller | reads | makes | |
//! |---|---|---|---|
//! | [`service`], [`web_application`], [`scheduled_task`] | the component's resource, its Workload | its binding | `binding` |
//!
//! Who drives it: the controllers of the hub. Each function returns what is to be written as a [`Change`]. Doing it twice
//! changes nothing.
//!
//! What is made here is compared object by object with what OpenChoreo makes of the same input: names, labels, ids and
//! the presence of fields are part of the contract. Where it draws lots (it walks maps in random order), this crate
//! goes by key. `docs/compatibility.md` lists what differs on purpose.

pub mod build_name;
mod change;
pub mod class;
pub mod component;
pub mod duration;
pub mod labels;
pub mod merge;
pub mod name;
pub mod path;
pub mod quantity;
pub mod scheduled_task;
pub mod service;
pub mod template;
pub mod web_application;

pub use change::{Change, NotOurs};
