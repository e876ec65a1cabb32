//! What becomes of a pod.

use serde_json::Value;

use crate::standins::RESULT;

/// What a pod is asked to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// What its restart policy implies: run, or end well.
    Normal,
    /// Run on, even where it would end.
    Run,
    /// End with an error; again and again where it is restarted.
    Fail,
    /// Never start: the image cannot be pulled.
    Stuck,
    /// Run, but not be ready.
    Unready,
}

impl Fate {
    /// As the annotation says, else as the image of a container is called: `example.com/fail:1`.
    pub(super) fn of(pod: &Value) -> Self {
        let containers = pod["spec"]["containers"].as_array();
        let images = containers.into_iter().flatten();
        let images = images.filter_map(|container| container["image"].as_str().map(name_of));
        let asked = pod["metadata"]["annotations"][RESULT].as_str();
        asked
            .into_iter()
            .chain(images)
            .find_map(Self::named)
            .unwrap_or(Self::Normal)
    }

    fn named(text: &str) -> Option<Self> {
        match text {
            "run" => Some(Self::Run),
            "fail" => Some(Self::Fail),
            "stuck" => Some(Self::Stuck),
            "unready" => Some(Self::Unready),
            _ => None,
        }
    }
}

/// The last part of an image's name, without tag and digest.
fn name_of(image: &str) -> &str {
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split([':', '@']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_by_their_last_name() {
        for (image, name) in [
            ("fail", "fail"),
            ("localhost:5000/team/stuck:1.2", "stuck"),
            ("example.com/run@sha256:00", "run"),
        ] {
            assert_eq!(name_of(image), name);
        }
    }
}
