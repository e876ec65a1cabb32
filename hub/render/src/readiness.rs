//! The condition `Ready` of a binding: what its Release and its own configuration come to.

use outhaul_hub_resources::{Condition, Release, ReleaseState, ResourceStatus, conditions};

use crate::{
    problem::RenderError,
    reason,
    release::{Rendered, Wanted},
};

/// What the condition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Whether its status is True; else it is False.
    pub ready: bool,
    /// Why, in a word.
    pub reason: &'static str,
    /// Why, for people.
    pub message: String,
    /// Whether the Release cannot be delivered as it is. That does not pass by itself, whatever the reason.
    pub is_stuck: bool,
}

impl Readiness {
    fn ready(message: String) -> Self {
        Self {
            ready: true,
            reason: reason::RESOURCES_ACTIVE,
            message,
            is_stuck: false,
        }
    }

    fn unready(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            ready: false,
            reason,
            message: message.into(),
            is_stuck: false,
        }
    }
}

/// Reasons of a Release's own condition under which its objects are on their way or judged one by one.
const DELIVERED_OR_SO: [&str; 4] = ["Delivering", "Progressing", "Degraded", "AllHealthy"];

/// Reason of a Release's condition `Finalizing` where something holds its end up.
const CLEANUP_FAILED: &str = "CleanupFailed";

/// How API servers refuse what has a field that their version of a kind does not have: templates of classes are kept as
/// they are, and a plane may have older definitions than are rendered for.
const UNKNOWN_FIELD: &str = "field not declared in schema";

/// What is to be said of a binding, from what it was rendered to and the Release as it is stored after that.
pub fn of(
    state: ReleaseState,
    rendered: &Result<Wanted, RenderError>,
    stored: Option<&Release>,
) -> Readiness {
    match (rendered, stored) {
        (Err(error), _) => of_error(error),
        (Ok(Wanted::NoRelease), None) => {
            Readiness::unready(reason::RESOURCES_UNDEPLOYED, "Resources undeployed")
        }
        (Ok(Wanted::NoRelease), Some(release)) => going(conditions_of(release)),
        (
            Ok(Wanted::Release(Rendered {
                unrendered: Some(why),
                ..
            })),
            _,
        ) => why.clone(),
        (Ok(Wanted::Release(rendered)), _) if !rendered.problems.is_empty() => {
            Readiness::unready(reason::INVALID_CONFIGURATION, problems(rendered))
        }
        (Ok(Wanted::Release(_)), None) => {
            Readiness::unready(reason::HEALTH_PROGRESSING, "Release not stored yet")
        }
        (Ok(Wanted::Release(rendered)), Some(release)) => {
            of_release(state, release, rendered.class.as_deref())
        }
    }
}

/// What is to be said where nothing can be rendered.
pub(crate) fn of_error(error: &RenderError) -> Readiness {
    Readiness::unready(error.reason(), chain(error))
}

/// The API server did not take a new Release.
pub fn creation_failed(release: &str, error: &str) -> Readiness {
    Readiness::unready(
        reason::RELEASE_CREATION_FAILED,
        format!("failed to create release {release:?}: {error}"),
    )
}

/// The API server did not take a change of the Release.
pub fn update_failed(release: &str, error: &str) -> Readiness {
    Readiness::unready(
        reason::RELEASE_UPDATE_FAILED,
        format!("failed to update Release {release:?}: {error}"),
    )
}

/// The API server did not delete the Release.
pub fn deletion_failed(release: &str, error: &str) -> Readiness {
    Readiness::unready(
        reason::RELEASE_DELETION_FAILED,
        format!("failed to delete release {release:?}: {error}"),
    )
}

/// What the Release says of objects that were to go and that its plane holds, if there are any.
pub fn held(release: &Release) -> Option<String> {
    held_by(conditions_of(release))
}

fn held_by(known: &[Condition]) -> Option<String> {
    let held = condition(known, conditions::HELD)?;
    (held.status == conditions::status::TRUE).then(|| said(held))
}

/// The Release goes, or says why it does not in these conditions.
pub fn going(known: &[Condition]) -> Readiness {
    let goes = Readiness::unready(reason::RESOURCES_UNDEPLOYED, "Resources being undeployed");
    let failed = condition(known, conditions::FINALIZING).filter(|it| it.reason == CLEANUP_FAILED);
    // What is held is told with what to do.
    match held_by(known).or_else(|| failed.map(said)) {
        None => goes,
        Some(said) => Readiness {
            message: format!("{}; {said}", goes.message),
            is_stuck: true,
            ..goes
        },
    }
}

fn of_release(state: ReleaseState, release: &Release, class: Option<&str>) -> Readiness {
    if let Some(failure) = failure(release) {
        let said = match class.filter(|_| failure.contains(UNKNOWN_FIELD)) {
            Some(class) => {
                format!("{failure}; if {class} says it, take it out there; otherwise upgrade the plane")
            }
            None => failure,
        };
        return Readiness {
            is_stuck: true,
            ..Readiness::unready(reason::HEALTH_DEGRADED, said)
        };
    }
    if release.spec.resources.is_empty() {
        return Readiness::ready("No resources to deploy".to_owned());
    }
    let status = release.status.as_ref();
    let reported = status
        .map(|status| status.resources.as_slice())
        .unwrap_or_default();
    let about = status.and_then(|status| status.observed_generation);
    if reported.is_empty() {
        return Readiness::unready(
            reason::HEALTH_PROGRESSING,
            "Waiting for the first report of the plane",
        );
    }
    // A report that does not say which spec it is about, as OpenChoreo leaves it, is about an earlier one.
    if about < release.metadata.generation {
        return Readiness::unready(
            reason::HEALTH_PROGRESSING,
            "Waiting for the report of the plane on the last change",
        );
    }
    of_health(state, reported)
}

/// What the Release says of itself, where that is no matter of single objects.
fn failure(release: &Release) -> Option<String> {
    let ready = condition(conditions_of(release), conditions::READY)?;
    let fails =
        ready.status == conditions::status::FALSE && !DELIVERED_OR_SO.contains(&ready.reason.as_str());
    fails.then(|| said(ready))
}

fn conditions_of(release: &Release) -> &[Condition] {
    release.status.as_ref().map_or(&[], |status| &status.conditions)
}

fn condition<'a>(known: &'a [Condition], r#type: &str) -> Option<&'a Condition> {
    known.iter().find(|condition| condition.type_ == r#type)
}

fn said(condition: &Condition) -> String {
    format!("Release: {}: {}", condition.reason, condition.message)
}

fn of_health(state: ReleaseState, resources: &[ResourceStatus]) -> Readiness {
    let [mut healthy, mut progressing, mut degraded, mut suspended] = [0_usize; 4];
    for resource in resources {
        *match resource.health_status.as_deref() {
            Some("Healthy") => &mut healthy,
            Some("Degraded") => &mut degraded,
            Some("Suspended") => &mut suspended,
            _ => &mut progressing,
        } += 1;
    }
    let all = resources.len();
    if state == ReleaseState::Suspend && suspended > 0 {
        return Readiness::unready(reason::RESOURCES_SUSPENDED, "Resources suspended");
    }
    if healthy == all {
        return Readiness::ready(format!("All {all} resources are deployed and healthy"));
    }
    let counts = [
        (progressing, "progressing"),
        (degraded, "degraded"),
        (healthy, "healthy"),
        (suspended, "suspended"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = counts
        .map(|(count, word)| format!("{count}/{all} {word}"))
        .collect();
    let reason = match progressing {
        0 => reason::HEALTH_DEGRADED,
        _ => reason::HEALTH_PROGRESSING,
    };
    Readiness::unready(reason, format!("Resources status: {}", parts.join(", ")))
}

fn problems(rendered: &Rendered) -> String {
    let problems: Vec<_> = rendered.problems.iter().map(ToString::to_string).collect();
    problems.join("; ")
}

/// All levels of an error in one line.
fn chain(error: &RenderError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const OK: &str = "true ResourcesActive: ";

    fn release(state: ReleaseState, healths: &[&str], status: Value) -> String {
        let resources: Vec<_> = healths
            .iter()
            .map(|health| {
                json!({"id": "i", "version": "v1", "kind": "K", "name": "n", "healthStatus": health})
            })
            .collect();
        let mut release = json!({
            "metadata": {"name": "r", "generation": 3},
            "spec": {
                "owner": {"projectName": "p", "componentName": "c"}, "environmentName": "e",
                "resources": [{"id": "i", "object": {}}],
            },
            "status": {"resources": resources, "observedGeneration": 3},
        });
        let Value::Object(fields) = status else {
            panic!("a status is a map")
        };
        release["status"].as_object_mut().unwrap().extend(fields);
        said(state, &serde_json::from_value(release).unwrap())
    }

    fn said(state: ReleaseState, release: &Release) -> String {
        let readiness = of_release(state, release, None);
        format!("{} {}: {}", readiness.ready, readiness.reason, readiness.message)
    }

    #[test]
    fn the_health_of_all_objects_is_summed_up() {
        use ReleaseState::{Active, Suspend};
        for (state, healths, expected) in [
            (
                Active,
                &["Healthy"; 8][..],
                "true ResourcesActive: All 8 resources are deployed and healthy",
            ),
            (
                Active,
                &["Progressing", "Healthy", "Healthy"],
                "false ResourceHealthProgressing: Resources status: 1/3 progressing, 2/3 healthy",
            ),
            (
                Active,
                &["Degraded", "Unknown", "Healthy", "Suspended", ""],
                "false ResourceHealthProgressing: Resources status: 2/5 progressing, 1/5 degraded, 1/5 healthy, 1/5 \
                 suspended",
            ),
            (
                Active,
                &["Degraded", "Healthy"],
                "false ResourceHealthDegraded: Resources status: 1/2 degraded, 1/2 healthy",
            ),
            (
                Active,
                &["Suspended", "Healthy"],
                "false ResourceHealthDegraded: Resources status: 1/2 healthy, 1/2 suspended",
            ),
            (
                Suspend,
                &["Suspended", "Progressing"],
                "false ResourcesSuspended: Resources suspended",
            ),
            (
                Suspend,
                &["Healthy"],
                "true ResourcesActive: All 1 resources are deployed and healthy",
            ),
        ] {
            assert_eq!(release(state, healths, json!({})), expected, "{healths:?}");
        }
    }

    #[test]
    fn nothing_is_ready_before_its_plane_says_so() {
        let condition = |reason: &str, message: &str| {
            json!([{
                "type": "Ready", "status": "False", "reason": reason, "message": message,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }])
        };
        let waits = "false ResourceHealthProgressing: Waiting for the ";
        for (healths, status, expected) in [
            (&[][..], json!({}), format!("{waits}first report of the plane")),
            (
                &[],
                json!({"conditions": condition("Delivering", "x")}),
                format!("{waits}first report of the plane"),
            ),
            (
                &[],
                json!({"conditions": condition("NoPlane", "no Plane admits it")}),
                "false ResourceHealthDegraded: Release: NoPlane: no Plane admits it".to_owned(),
            ),
            (
                &["Healthy"],
                json!({"conditions": condition("InvalidSpec", "too large"), "observedGeneration": 2}),
                "false ResourceHealthDegraded: Release: InvalidSpec: too large".to_owned(),
            ),
            (
                &["Healthy"],
                json!({"observedGeneration": 2}),
                format!("{waits}report of the plane on the last change"),
            ),
            (
                &["Healthy"],
                json!({"observedGeneration": null}),
                format!("{waits}report of the plane on the last change"),
            ),
            (
                &["Healthy"],
                json!({"observedGeneration": 3}),
                format!("{OK}All 1 resources are deployed and healthy"),
            ),
        ] {
            assert_eq!(
                release(ReleaseState::Active, healths, status.clone()),
                expected,
                "{status}"
            );
        }
    }

    #[test]
    fn what_is_undeployed_goes_or_says_what_holds_it_up() {
        let condition = |r#type: &str, status: &str, reason: &str, message: &str| {
            json!({
                "type": r#type, "status": status, "reason": reason, "message": message,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            })
        };
        let cleans = condition(
            "Finalizing",
            "True",
            "CleanupInProgress",
            "Cleaning up dataplane resources",
        );
        let fails = condition(
            "Finalizing",
            "True",
            "CleanupFailed",
            "Deployment.apps shop/a: no right",
        );
        let held = condition("Held", "True", "OverBudget", "too much; `outhaul confirm`");
        let released = condition("Held", "False", "Released", "nothing is held");
        for (conditions, expected) in [
            (vec![], ""),
            (vec![&cleans, &released], ""),
            (
                vec![&released, &fails],
                "; Release: CleanupFailed: Deployment.apps shop/a: no right",
            ),
            (
                vec![&fails, &held],
                "; Release: OverBudget: too much; `outhaul confirm`",
            ),
        ] {
            let mut release = Release::new("r", Default::default());
            release.status = serde_json::from_value(json!({"conditions": conditions})).unwrap();
            let readiness = of(ReleaseState::Undeploy, &Ok(Wanted::NoRelease), Some(&release));
            assert_eq!(readiness.message, format!("Resources being undeployed{expected}"));
            assert_eq!(readiness.reason, reason::RESOURCES_UNDEPLOYED);
            assert_eq!(readiness.is_stuck, !expected.is_empty());
        }
    }

    #[test]
    fn a_release_without_objects_is_ready() {
        assert_eq!(
            said(ReleaseState::Active, &Release::new("r", Default::default())),
            format!("{OK}No resources to deploy")
        );
    }

    #[test]
    fn failed_writes_are_told_as_openchoreo_tells_them() {
        for (said, reason, message) in [
            (
                creation_failed("r", "e"),
                "ReleaseCreationFailed",
                "failed to create release \"r\": e",
            ),
            (
                update_failed("r", "e"),
                "ReleaseUpdateFailed",
                "failed to update Release \"r\": e",
            ),
            (
                deletion_failed("r", "e"),
                "ReleaseDeletionFailed",
                "failed to delete release \"r\": e",
            ),
        ] {
            assert_eq!(
                (said.ready, said.reason, said.message.as_str()),
                (false, reason, message)
            );
        }
    }
}
