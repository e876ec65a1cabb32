//! "Why is it stuck?" for everything that is not done, also where the plane could not say it itself.
//!
//! The plane names a blocker where something refused it. Where nothing did, what is not done waits for somebody:
//! for the plane to connect, to store and report, or for the plane's own controllers. This fills in whom.

use outhaul_hub_core::view::{
    BlockerView, BundleState, BundleView, LeftoverView, ObjectView, PlaneView, PolicyView,
};
use outhaul_hub_core::waiting::Waiting;
use outhaul_hub_resources::PolicyMode;

/// The bundle with a blocker wherever it is not done.
pub(super) fn with_blockers(mut bundle: BundleView, plane: &PlaneView) -> BundleView {
    if bundle.blocker.is_none() {
        bundle.blocker = bundle_blocker(&bundle, plane);
    }
    let waits = awaited(&bundle);
    for leftover in &mut bundle.leftovers {
        leftover.blocker.get_or_insert_with(|| waits.clone());
    }
    for object in &mut bundle.objects {
        if object.blocker.is_none() {
            object.blocker = object_blocker(object);
        }
    }
    bundle
}

fn bundle_blocker(bundle: &BundleView, plane: &PlaneView) -> Option<BlockerView> {
    match bundle.state {
        BundleState::Ready | BundleState::Refused => None,
        BundleState::Queued | BundleState::Stored | BundleState::Removing => {
            Some(absence(plane).unwrap_or_else(|| turn(bundle.state)))
        }
        BundleState::Progressing => absence(plane).or_else(|| first_blocked(bundle)),
    }
}

/// What keeps a plane itself from being served.
pub(super) fn of_plane(plane: &PlaneView) -> Vec<BlockerView> {
    let policy = plane.policy.as_ref().and_then(policy);
    let unconfirmed = plane.unconfirmed.as_ref().map(|witness| {
        let message = format!(
            "The plane knew another control plane or another Plane. What it would let go or take over waits until somebody \
             confirms this one (witness {witness})."
        );
        waits(Waiting::ControlPlaneUnconfirmed, &message)
    });
    let blockers = absence(plane).into_iter().chain(policy);
    blockers.chain(unconfirmed).collect()
}

/// Why the plane cannot hear of anything.
fn absence(plane: &PlaneView) -> Option<BlockerView> {
    if plane.forgotten {
        return Some(waits(
            Waiting::PlaneForgotten,
            "The Plane was forgotten, since it will never return.",
        ));
    }
    if plane.revoked {
        return Some(waits(
            Waiting::PlaneRevoked,
            "The Plane is revoked, so its agent is refused.",
        ));
    }
    if plane.connection.is_some() {
        return None;
    }
    if !plane.enrolled {
        let message = format!(
            "No agent has enrolled. Make a token with `outhaul plane token {}` and start the agent with it.",
            plane.name
        );
        return Some(waits(Waiting::PlaneNotEnrolled, &message));
    }
    let message = "The plane's agent is not connected. What the plane holds runs on; this waits for it.";
    Some(waits(Waiting::PlaneDisconnected, message))
}

/// What the policy of the plane's owner keeps from being done there.
fn policy(policy: &PolicyView) -> Option<BlockerView> {
    if let Some(problem) = &policy.problem {
        let message = format!(
            "The policy of the plane's owner cannot be read, and what could be read last is in force: {problem}"
        );
        return Some(waits(Waiting::PolicyUnread, &message));
    }
    match policy.mode {
        PolicyMode::Acts => None,
        PolicyMode::Pauses => Some(waits(
            Waiting::PolicyPauses,
            "The plane's owner pauses all work there.",
        )),
        PolicyMode::Observes => Some(waits(
            Waiting::PolicyObserves,
            "The plane's owner lets nothing be changed there; blockers say what would be.",
        )),
    }
}

/// Whose turn it is, where the plane is there.
fn turn(state: BundleState) -> BlockerView {
    match state {
        BundleState::Removing => waits(Waiting::Removing, "The plane is letting the objects go."),
        BundleState::Stored => waits(
            Waiting::NotReported,
            "The plane has stored it and is applying it.",
        ),
        BundleState::Queued | BundleState::Refused | BundleState::Progressing | BundleState::Ready => {
            waits(Waiting::NotStored, "The plane has not stored this version yet.")
        }
    }
}

/// Of many that are not done, the one to look at first.
fn first_blocked(bundle: &BundleView) -> Option<BlockerView> {
    let mut objects = bundle.objects.iter();
    if let Some((id, found)) = objects.find_map(|object| Some((&object.id, object.blocker.as_ref()?))) {
        return Some(blocker(&found.reason, &format!("{id}: {}", found.message)));
    }
    let mut leaving = bundle.leftovers.iter();
    let named = leaving.find_map(|leftover| Some((leftover, leftover.blocker.as_ref()?)));
    if let Some((LeftoverView { object, .. }, found)) = named {
        let message = format!(
            "{} {} is on its way out: {}",
            object.kind, object.name, found.message
        );
        return Some(blocker(&found.reason, &message));
    }
    bundle.objects.iter().find_map(|object| {
        let BlockerView { reason, message } = object_blocker(object)?;
        Some(blocker(&reason, &format!("{}: {message}", object.id)))
    })
}

/// What an object waits for that is to leave and that nothing refused: objects go after those that replace them are
/// there.
fn awaited(bundle: &BundleView) -> BlockerView {
    let refused = bundle.objects.iter().find(|object| object.blocker.is_some());
    match refused.filter(|_| bundle.state != BundleState::Removing) {
        Some(object) => waits(
            Waiting::WaitsForOthers,
            &format!("It goes as soon as {} is applied.", object.id),
        ),
        None => waits(Waiting::Removing, "The plane is letting it go."),
    }
}

fn object_blocker(object: &ObjectView) -> Option<BlockerView> {
    match object.health.as_str() {
        "Healthy" | "Suspended" => None,
        "Progressing" => Some(waits(
            Waiting::Progressing,
            "It is applied; the plane's controllers are at work on it.",
        )),
        "Degraded" => Some(waits(
            Waiting::Degraded,
            "It is applied, and its own status says that it fails; describe it in the plane.",
        )),
        _ => Some(waits(
            Waiting::Unknown,
            "The plane does not have it yet, or cannot judge it.",
        )),
    }
}

fn waits(waiting: Waiting, message: &str) -> BlockerView {
    blocker(waiting.as_str(), message)
}

fn blocker(reason: &str, message: &str) -> BlockerView {
    BlockerView {
        reason: reason.to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::tests::samples;

    fn reason(bundle: &BundleView) -> Option<&str> {
        bundle.blocker.as_ref().map(|blocker| blocker.reason.as_str())
    }

    #[test]
    fn what_waits_for_an_absent_plane_says_so() {
        let connected = samples::plane("eu");
        type Change = fn(&mut PlaneView);
        let cases: [(Change, &str); 4] = [
            (|plane| plane.forgotten = true, "PlaneForgotten"),
            (|plane| plane.revoked = true, "PlaneRevoked"),
            (|plane| plane.connection = None, "PlaneDisconnected"),
            (
                |plane| {
                    plane.connection = None;
                    plane.enrolled = false;
                },
                "PlaneNotEnrolled",
            ),
        ];
        for (change, expected) in cases {
            let mut plane = connected.clone();
            change(&mut plane);
            for state in [
                BundleState::Queued,
                BundleState::Stored,
                BundleState::Progressing,
                BundleState::Removing,
            ] {
                let bundle = BundleView {
                    state,
                    ..samples::bundle("eu", "cart")
                };
                assert_eq!(reason(&with_blockers(bundle, &plane)), Some(expected));
            }
        }
    }

    #[test]
    fn a_bundle_on_a_connected_plane_names_whose_turn_it_is() {
        let cases = [
            (BundleState::Queued, Some("NotStored")),
            (BundleState::Stored, Some("NotReported")),
            (BundleState::Removing, Some("Removing")),
            (BundleState::Progressing, None),
            (BundleState::Ready, None),
        ];
        for (state, expected) in cases {
            let bundle = BundleView {
                state,
                ..samples::bundle("eu", "cart")
            };
            assert_eq!(reason(&with_blockers(bundle, &samples::plane("eu"))), expected);
        }
    }

    #[test]
    fn what_is_to_leave_says_which_object_it_waits_for() {
        let mut bundle = samples::bundle("eu", "cart");
        bundle.state = BundleState::Progressing;
        bundle.objects = vec![samples::object("web"), samples::object("db")];
        bundle.objects[1].id = "db".to_owned();
        bundle.objects[1].blocker = Some(blocker("Forbidden", "the agent may not"));
        bundle.leftovers = vec![LeftoverView {
            object: bundle.objects[0].object.clone(),
            uid: None,
            blocker: None,
        }];
        let shown = with_blockers(bundle.clone(), &samples::plane("eu"));
        let waits = shown.leftovers[0].blocker.as_ref().unwrap();
        assert_eq!(
            (waits.reason.as_str(), waits.message.as_str()),
            ("WaitsForOthers", "It goes as soon as db is applied.")
        );
        let whole = shown.blocker.unwrap();
        assert_eq!(
            (whole.reason.as_str(), whole.message.as_str()),
            ("Forbidden", "db: the agent may not")
        );

        bundle.objects[1].blocker = None;
        let shown = with_blockers(bundle, &samples::plane("eu"));
        assert_eq!(shown.leftovers[0].blocker.as_ref().unwrap().reason, "Removing");
    }

    #[test]
    fn every_object_that_is_not_done_has_a_blocker_and_the_plane_s_own_stands() {
        let health = |health: &str| ObjectView {
            health: health.to_owned(),
            ..samples::object("web")
        };
        let mut bundle = samples::bundle("eu", "cart");
        bundle.state = BundleState::Progressing;
        bundle.objects = [
            "Healthy",
            "Suspended",
            "Progressing",
            "Degraded",
            "Unknown",
            "Unknown",
        ]
        .map(health)
        .into();
        bundle.objects[5].blocker = Some(blocker("KindUnknown", "The cluster does not serve HTTPRoute."));
        let shown = with_blockers(bundle, &samples::plane("eu"));
        let reasons: Vec<_> = shown
            .objects
            .iter()
            .map(|object| {
                object
                    .blocker
                    .as_ref()
                    .map_or("", |blocker| blocker.reason.as_str())
            })
            .collect();
        assert_eq!(
            reasons,
            ["", "", "Progressing", "Degraded", "Unknown", "KindUnknown"]
        );
    }
}
