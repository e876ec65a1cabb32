//! The first run: an embedded control plane, two planes, and a web shop that reaches them.
