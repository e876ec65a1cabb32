//! The policy of a plane's owner, as the plane says it and as the Plane shows it.

use outhaul_hub_resources::{PlanePolicy, PolicyConfirmations, PolicyMode};
use outhaul_protocol_wire::policy::{Confirmations, Mode, Policy};

/// How it is shown; not at all where everything is as without one.
pub(crate) fn shown(policy: &Policy) -> Option<PlanePolicy> {
    if *policy == Policy::default() {
        return None;
    }
    Some(PlanePolicy {
        mode: match policy.mode {
            Mode::Acts => PolicyMode::Acts,
            Mode::Observes => PolicyMode::Observes,
            Mode::Pauses => PolicyMode::Pauses,
        },
        confirmations: match policy.confirmations {
            Confirmations::Hub => PolicyConfirmations::Hub,
            Confirmations::Plane => PolicyConfirmations::Plane,
        },
        digest: policy.digest.map(|digest| digest.to_string()),
        problem: policy.problem.clone(),
    })
}
