//! The fleet as the hub's REST interface has it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use outhaul_scenarios::operator::Operator;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What the hub says of every plane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    /// The planes, by name.
    pub planes: Vec<Plane>,
}

/// One plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    /// Its name.
    pub name: String,
    /// Whether its agent has a session.
    pub connected: bool,
    /// Resources of which it has not stored the newest version.
    pub waiting: u64,
    /// How long the oldest of them has been waiting.
    pub lag: Duration,
    /// What it should run.
    pub bundles: Vec<Bundle>,
}

/// A Release or Bundle on its plane.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Bundle {
    /// Its name.
    pub name: String,
    /// How far it is.
    pub state: State,
    /// What holds it as a whole.
    pub blocker: Option<Blocker>,
    /// Its objects, as reported.
    pub objects: Vec<Object>,
}

/// How far a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum State {
    /// It cannot be delivered.
    Refused,
    /// The plane does not have its newest version.
    Queued,
    /// The plane has it and has not reported.
    Stored,
    /// Some object is not as desired.
    Progressing,
    /// Every object is as desired.
    Ready,
    /// Its objects are on their way out.
    Removing,
}

/// An object in a plane.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Object {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its uid, once it exists.
    pub uid: Option<String>,
    /// How it is.
    pub health: String,
    /// What holds it.
    pub blocker: Option<Blocker>,
}

/// Why something is stuck.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Blocker {
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

/// A list as REST answers it.
#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
}

#[derive(Deserialize)]
struct PlaneAnswer {
    name: String,
    connection: Option<serde_json::Value>,
    queue: Queue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Queue {
    unacknowledged: u64,
    lag_ms: u64,
}

impl Fleet {
    /// Asks the hub.
    ///
    /// # Errors
    /// The hub does not answer, or with something else.
    pub async fn read(operator: &Operator) -> Result<Self> {
        let mut planes = Vec::new();
        for answer in list::<PlaneAnswer>(operator, "/api/v1/planes").await? {
            let bundles = list(operator, &format!("/api/v1/planes/{}/bundles", answer.name)).await?;
            planes.push(answer.with(bundles));
        }
        Ok(Self { planes })
    }

    /// A plane, once the hub knows it.
    pub fn plane(&self, name: &str) -> Option<&Plane> {
        self.planes.iter().find(|plane| plane.name == name)
    }
}

impl Plane {
    /// How many resources are as desired.
    pub fn ready(&self) -> usize {
        self.bundles
            .iter()
            .filter(|bundle| bundle.state == State::Ready)
            .count()
    }

    /// How many objects are as desired, of those reported.
    pub fn objects(&self) -> (usize, usize) {
        let objects = || self.bundles.iter().flat_map(|bundle| &bundle.objects);
        (
            objects().filter(|object| object.is_done()).count(),
            objects().count(),
        )
    }

    /// A resource on this plane.
    pub fn bundle(&self, name: &str) -> Option<&Bundle> {
        self.bundles.iter().find(|bundle| bundle.name == name)
    }
}

impl Bundle {
    /// Whether all its objects exist in the plane, and the hub knows them.
    pub fn is_applied(&self) -> bool {
        let reported = matches!(self.state, State::Progressing | State::Ready);
        reported && self.objects.iter().all(|object| object.uid.is_some())
    }

    /// What holds it, if that is more than work in progress: the resource as a whole, else its first object.
    pub fn stuck(&self) -> Option<String> {
        let whole = self.blocker.iter().map(|blocker| (self.name.clone(), blocker));
        let objects = self.objects.iter().filter_map(|object| {
            let blocker = object.blocker.as_ref()?;
            Some((format!("{}: {} {}", self.name, object.kind, object.name), blocker))
        });
        let (what, blocker) = whole.chain(objects).find(|(_, blocker)| !blocker.is_passing())?;
        Some(format!("{what}: {}: {}", blocker.reason, blocker.message))
    }
}

impl Blocker {
    /// Whether somebody is at work on it, and nothing is wrong.
    fn is_passing(&self) -> bool {
        let passing = ["NotStored", "NotReported", "Removing", "Progressing", "Unknown"];
        passing.contains(&self.reason.as_str())
    }
}

impl Object {
    /// Whether nothing more is expected of it.
    pub fn is_done(&self) -> bool {
        self.blocker.is_none() && matches!(self.health.as_str(), "Healthy" | "Suspended")
    }
}

impl PlaneAnswer {
    fn with(self, bundles: Vec<Bundle>) -> Plane {
        Plane {
            name: self.name,
            connected: self.connection.is_some(),
            waiting: self.queue.unacknowledged,
            lag: Duration::from_millis(self.queue.lag_ms),
            bundles,
        }
    }
}

async fn list<T: DeserializeOwned>(operator: &Operator, path: &str) -> Result<Vec<T>> {
    let answer = operator.rest().get(path).await?;
    let list: List<T> =
        serde_json::from_value(answer).with_context(|| format!("the hub answered {path} oddly"))?;
    Ok(list.items)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bundle(whole: Option<&str>, objects: &[Option<&str>]) -> Bundle {
        let blocker =
            |reason: Option<&str>| reason.map(|reason| json!({ "reason": reason, "message": "why" }));
        let objects = objects.iter().map(|reason| {
            json!({ "kind": "Deployment", "name": "cart", "health": "Healthy", "blocker": blocker(*reason) })
        });
        let objects: Vec<_> = objects.collect();
        let answer = json!({
            "name": "cart-eu", "state": "Progressing", "blocker": blocker(whole), "objects": objects, "digest": "",
        });
        serde_json::from_value(answer).unwrap()
    }

    #[test]
    fn only_what_does_not_pass_by_itself_is_stuck() {
        let cases = [
            (bundle(None, &[None]), None),
            (
                bundle(Some("NotStored"), &[Some("Progressing"), Some("Unknown")]),
                None,
            ),
            (
                bundle(None, &[Some("Progressing"), Some("Forbidden")]),
                Some("cart-eu: Deployment cart: Forbidden: why"),
            ),
            (
                bundle(Some("NoPlane"), &[Some("Forbidden")]),
                Some("cart-eu: NoPlane: why"),
            ),
        ];
        for (bundle, expected) in cases {
            assert_eq!(bundle.stuck().as_deref(), expected);
        }
    }

    #[test]
    fn a_resource_is_applied_when_every_object_has_a_uid() {
        let mut bundle = bundle(None, &[None, None]);
        bundle.objects[0].uid = Some("1".to_owned());
        assert!(!bundle.is_applied());
        bundle.objects[1].uid = Some("2".to_owned());
        assert!(bundle.is_applied());
        bundle.state = State::Queued;
        assert!(!bundle.is_applied(), "what is reported is of an older version");
    }
}
