//! From what people write to what planes run, pure: custom resources in, child resources out.
//!
//! What is made here is compared object by object with what OpenChoreo makes of the same input: names, labels, ids and
//! the presence of fields are part of the contract. Where it draws lots (it walks maps in random order), this crate
//! goes by key. `docs/compatibility.md` lists what differs on purpose.

pub mod build_name;
pub mod class;
pub mod duration;
pub mod merge;
pub mod name;
pub mod path;
pub mod quantity;
pub mod template;
