//! What stays as OpenChoreo makes it, until an operator lets it be corrected.
//!
//! A correction that changes objects which run is a change that somebody should have time for: where a plane is taken over
//! from OpenChoreo, each can be put off.

/// Corrections that are put off; none by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AsOpenChoreo {
    /// The policies of an API without `exposeLevels` are those for the organization, and aim at a route that is not there.
    pub level_policies: bool,
    /// Scopes, allowed and blocked addresses are rules in this order, of which the first that matches counts, and nobody
    /// else gets in.
    pub address_rules: bool,
    /// Connections to other projects name the bare host of their target.
    pub connection_hosts: bool,
    /// A ScheduledTaskBinding that says `Suspend` or `Undeploy` runs on.
    pub task_states: bool,
    /// Fields of a class that Kubernetes 1.32 does not know have no effect.
    pub class_fields: bool,
}
