//! The custom resources of the control plane as Rust types, and their definitions as YAML.
