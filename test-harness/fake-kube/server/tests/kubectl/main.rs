//! The real kubectl and helm against the embedded API, where they are on this machine.

mod alike;
mod commands;
mod normal;
mod shell;
