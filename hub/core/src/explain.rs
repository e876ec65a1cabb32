//! Why something is stuck, and what resolves it: the words for every reason that there is, for REST, the command line and
//! whoever else shows them. A reason without words does not compile.

mod page;
mod remedies;
mod why;

use outhaul_hub_resources::OrphanVerdict;
use serde::Serialize;
use utoipa::ToSchema;

pub use self::page::page;
pub use self::remedies::{Remedy, Subject, remedies};
pub use self::why::{Orphaned, Why};

use crate::view::{BlockerView, BundleName, BundleState, BundleView, ObjectName, OrphanView, PlaneView};

/// Something that is stuck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What: an object of a plane, a Release or Bundle as a whole, or a plane.
    pub what: String,
    /// The plane, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plane: Option<String>,
    /// The Release or Bundle that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<BundleName>,
    /// The object, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectName>,
    /// How it is stuck.
    pub stuck: Stuck,
    /// One word that scripts can match.
    pub reason: String,
    /// Why, for people.
    pub message: String,
    /// Since when, RFC 3339, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What resolves it.
    pub remedies: Vec<Remedy>,
}

/// How something is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub enum Stuck {
    /// It is to go, and waits for somebody to decide.
    Held,
    /// Something refuses it.
    Blocked,
    /// It waits for its turn, or for a plane that is away.
    Waiting,
    /// Its plane keeps it, and nothing in the control plane stands for it.
    Orphaned,
}

/// What is stuck of a Release or Bundle on a plane, each object for itself. What is as desired is not named.
pub fn bundle(view: &BundleView) -> Vec<Explanation> {
    let subject = |object| Subject {
        plane: Some(&view.plane),
        bundle: Some(&view.bundle),
        object,
    };
    let objects = view.objects.iter().map(|it| (&it.object, &it.blocker));
    let leftovers = view.leftovers.iter().map(|it| (&it.object, &it.blocker));
    let parts: Vec<Explanation> = objects
        .chain(leftovers)
        .filter_map(|(object, blocker)| Some((object, blocker.as_ref()?)))
        .map(|(object, blocker)| explanation(subject(Some(object)), blocker, view.since.clone()))
        .collect();
    // What is said of the whole only repeats what is said of a part, unless there is none.
    let whole = view.blocker.as_ref().filter(|blocker| {
        view.state == BundleState::Refused || !parts.iter().any(|part| part.reason == blocker.reason)
    });
    let whole = whole.map(|blocker| explanation(subject(None), blocker, view.since.clone()));
    whole.into_iter().chain(parts).collect()
}

/// A Release or Bundle that is on no plane, and why.
pub fn nowhere(bundle: &BundleName, blocker: &BlockerView, since: Option<String>) -> Explanation {
    let subject = Subject {
        plane: None,
        bundle: Some(bundle),
        object: None,
    };
    explanation(subject, blocker, since)
}

/// What keeps a plane itself from being served.
pub fn plane(view: &PlaneView, blockers: &[BlockerView]) -> Vec<Explanation> {
    let subject = Subject {
        plane: Some(&view.name),
        bundle: None,
        object: None,
    };
    let explain = |blocker| explanation(subject, blocker, view.since.clone());
    blockers.iter().map(explain).collect()
}

/// An orphan that a plane keeps. Since when, only the plane knows: at least since it said so.
pub fn orphan(plane: &PlaneView, orphan: &OrphanView) -> Explanation {
    let why = match (&orphan.decision, orphan.stands, &orphan.successor) {
        (Some(OrphanVerdict::Adopt | OrphanVerdict::Remove), ..) => Orphaned::Decided,
        (None, true, _) => Orphaned::Elsewhere,
        (None, false, Some(_)) => Orphaned::Succeeded,
        (None, false, None) => Orphaned::Alone,
    };
    let subject = Subject {
        plane: Some(&plane.name),
        bundle: Some(&orphan.bundle),
        object: None,
    };
    let blocker = BlockerView {
        reason: why.as_str().to_owned(),
        message: why.words().to_owned(),
    };
    let since = plane
        .connection
        .as_ref()
        .map(|connection| connection.since.clone());
    explanation(subject, &blocker, since)
}

fn explanation(subject: Subject<'_>, blocker: &BlockerView, since: Option<String>) -> Explanation {
    let why = Why::from_word(&blocker.reason);
    let Subject {
        plane,
        bundle,
        object,
    } = subject;
    let what = match (object, bundle, plane) {
        (Some(object), ..) => object.to_string(),
        (None, Some(bundle), _) => bundle.to_string(),
        (None, None, plane) => format!("Plane {}", plane.unwrap_or_default()),
    };
    Explanation {
        what,
        plane: plane.map(str::to_owned),
        bundle: bundle.cloned(),
        object: object.cloned(),
        stuck: why.map_or(Stuck::Blocked, Why::stuck),
        reason: blocker.reason.clone(),
        message: blocker.message.clone(),
        since,
        remedies: why.map(|why| remedies(why, subject)).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{KindName, LeftoverView, VersionView};

    fn cart() -> BundleName {
        BundleName {
            kind: KindName::Release,
            namespace: "shop".into(),
            name: "cart".into(),
        }
    }

    fn config_map(name: &str, reason: &str) -> LeftoverView {
        LeftoverView {
            object: ObjectName {
                group: String::new(),
                version: "v1".into(),
                kind: "ConfigMap".into(),
                namespace: "shop".into(),
                name: name.into(),
            },
            uid: None,
            blocker: Some(blocker(reason)),
        }
    }

    fn blocker(reason: &str) -> BlockerView {
        BlockerView {
            reason: reason.into(),
            message: "in words".into(),
        }
    }

    fn view(state: BundleState, whole: &str, leftovers: Vec<LeftoverView>) -> BundleView {
        BundleView {
            bundle: cart(),
            uid: "u".into(),
            plane: "eu".into(),
            version: VersionView {
                epoch: 1,
                generation: 2,
                moved: 0,
            },
            digest: String::new(),
            state,
            blocker: Some(blocker(whole)),
            observed: None,
            objects: Vec::new(),
            leftovers,
            since: Some("2026-01-02T03:04:05Z".into()),
        }
    }

    fn told(explanations: &[Explanation]) -> Vec<(&str, &str, Stuck)> {
        let told = explanations.iter();
        told.map(|it| (it.what.as_str(), it.reason.as_str(), it.stuck))
            .collect()
    }

    #[test]
    fn each_object_is_explained_and_the_whole_where_it_says_more() {
        let parts = || {
            vec![
                config_map("one", "OverBudget"),
                config_map("two", "PolicyForbids"),
            ]
        };
        let explained = bundle(&view(BundleState::Removing, "OverBudget", parts()));
        let objects = [
            ("ConfigMap shop/one", "OverBudget", Stuck::Held),
            ("ConfigMap shop/two", "PolicyForbids", Stuck::Held),
        ];
        assert_eq!(told(&explained), objects);
        assert_eq!(explained[0].since.as_deref(), Some("2026-01-02T03:04:05Z"));
        assert_eq!(
            explained[0].remedies[0].command,
            "outhaul confirm eu release/shop/cart remove"
        );
        let explained = bundle(&view(BundleState::Removing, "PlaneDisconnected", parts()));
        let whole = ("Release shop/cart", "PlaneDisconnected", Stuck::Waiting);
        assert_eq!(told(&explained), [&[whole], &objects[..]].concat());
    }

    #[test]
    fn a_word_that_is_not_known_is_shown_without_advice() {
        let explained = bundle(&view(BundleState::Refused, "OfALaterHub", Vec::new()));
        assert_eq!(
            told(&explained),
            [("Release shop/cart", "OfALaterHub", Stuck::Blocked)]
        );
        assert_eq!(explained[0].remedies, []);
    }

    #[test]
    fn what_becomes_of_an_orphan_depends_on_what_has_its_name() {
        let eu = PlaneView {
            name: "eu".into(),
            enrolled: true,
            revoked: false,
            forgotten: false,
            connection: None,
            since: None,
            queue: Default::default(),
            orphans: Default::default(),
            policy: None,
            unconfirmed: None,
        };
        let of = |successor: Option<&str>, elsewhere: Option<&str>, decision| {
            let orphan = OrphanView {
                bundle: cart(),
                uid: "u".into(),
                successor: successor.map(str::to_owned),
                elsewhere: elsewhere.map(str::to_owned),
                stands: elsewhere.is_some(),
                decision,
            };
            let explained = super::orphan(&eu, &orphan);
            assert_eq!(explained.stuck, Stuck::Orphaned);
            explained.remedies[0].command.clone()
        };
        assert_eq!(
            of(None, None, None),
            "outhaul orphans remove eu release/shop/cart"
        );
        assert_eq!(
            of(Some("v"), None, None),
            "outhaul orphans adopt eu release/shop/cart"
        );
        assert_eq!(of(None, Some("us"), None), "outhaul explain release/shop/cart");
        let decided = Some(OrphanVerdict::Remove);
        assert_eq!(of(None, None, decided), "outhaul orphans list eu");
    }
}
