//! What a kubelet says about the containers of a pod.

use serde_json::Value;

use super::fate::Fate;
use crate::meta;
use crate::standins::note::{KUBELET, Note};

/// The containers of a pod in the order in which they start, with the field they are in.
fn containers(pod: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    ["initContainers", "containers"].into_iter().flat_map(|field| {
        let list = pod["spec"][field].as_array();
        list.into_iter()
            .flatten()
            .map(move |container| (field, container))
    })
}

fn about<'a>(container: &'a Value, part: &str) -> &'a str {
    container[part].as_str().unwrap_or_default()
}

pub(super) fn started(pod: &Value, fate: Fate) -> Vec<Note> {
    let mut notes: Vec<Note> = containers(pod)
        .flat_map(|(field, container)| {
            let pulled = format!(
                "Container image {:?} already present on machine and can be accessed by the pod",
                about(container, "image")
            );
            [
                ("Pulled", pulled),
                ("Created", "Container created".to_owned()),
                ("Started", "Container started".to_owned()),
            ]
            .map(|(reason, message)| {
                Note::normal(pod, KUBELET, reason, message).on_container(pod, field, about(container, "name"))
            })
        })
        .collect();
    if fate == Fate::Unready {
        let probe = Note::warning(
            pod,
            KUBELET,
            "Unhealthy",
            "Readiness probe failed: asked to be unready",
        );
        notes.push(first(pod, probe));
    }
    notes
}

pub(super) fn stuck(pod: &Value) -> Vec<Note> {
    let image = about(&pod["spec"]["containers"][0], "image");
    let failed = |message: String| Note::warning(pod, KUBELET, "Failed", message);
    [
        Note::normal(pod, KUBELET, "Pulling", format!("Pulling image {image:?}")),
        failed(format!("Failed to pull image {image:?}: not found")),
        failed("Error: ErrImagePull".to_owned()),
        Note::normal(
            pod,
            KUBELET,
            "BackOff",
            format!("Back-off pulling image {image:?}"),
        ),
        failed("Error: ImagePullBackOff".to_owned()),
    ]
    .map(|note| first(pod, note))
    .into()
}

pub(super) fn crashing(pod: &Value) -> Vec<Note> {
    let name = about(&pod["spec"]["containers"][0], "name");
    let message = format!(
        "Back-off restarting failed container {name} in pod {}_{}({})",
        meta::name(pod),
        meta::namespace(pod),
        meta::uid(pod)
    );
    vec![first(pod, Note::warning(pod, KUBELET, "BackOff", message))]
}

/// About the first container.
fn first(pod: &Value, note: Note) -> Note {
    note.on_container(pod, "containers", about(&pod["spec"]["containers"][0], "name"))
}
