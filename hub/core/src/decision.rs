//! What should become of one resource, from what is known of it: no state of its own, no time.
//!
//! The rules, in their order of weight:
//! - a resource goes only where its own status says, once that says anything; going elsewhere is written first;
//! - nothing is taken from a plane because a link to it broke, or an edit cannot be delivered: what the plane was given
//!   stays queued there, after a restart too, as the status has it by its digest;
//! - only a deletionTimestamp together with our finalizer says *removed*.

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::ids::{Generation, Move, PlaneName};

use crate::bulk::Surroundings;
use crate::reason;
use crate::resource::Resource;
use crate::routing::{NoPlane, Route, Routing};

/// What should become of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its place in the queues.
    pub place: Place,
    /// What to write into its status about its plane.
    pub record: Option<Record>,
    /// What to do about our finalizer.
    pub finalizer: Finalizer,
    /// Why it cannot be delivered as it is.
    pub refusal: Option<Refusal>,
}

/// What is written about the plane of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// It goes to this one.
    Goes(PlaneName, Move),
    /// It was on this one, which was forgotten.
    Forgotten(PlaneName),
}

/// A place in the queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Queued for this plane.
    At(At),
    /// Whatever is queued there stays so; where nothing is, as after a restart, this is.
    Keep(Option<At>),
    /// Not queued anywhere.
    Nowhere,
}

/// Queued for a plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The plane.
    pub plane: PlaneName,
    /// How often the resource has moved.
    pub moved: Move,
    /// Whether finalizer and plane are written, and the plane's own finalizer.
    pub recorded: bool,
    /// What the plane should do.
    pub state: HeadState,
    /// The generation that it should hold.
    pub generation: Generation,
    /// Digest of that generation's content.
    pub digest: Digest,
}

/// What only this hub remembers of a resource.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory<'a> {
    /// Its plane confirmed that nothing of it is left there.
    pub gone: bool,
    /// The plane that it is queued for, and its move.
    pub queued: Option<(&'a PlaneName, Move)>,
    /// What it is in, where that was read since it is being deleted.
    pub surroundings: Option<Surroundings>,
}

/// What to do about our finalizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finalizer {
    /// Nothing.
    Keep,
    /// Add it.
    Add,
    /// Take it off: the plane is done, or there never was one.
    Remove,
}

/// Why a resource cannot be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason of its condition and Event.
    pub reason: RefusalReason,
    /// The same for people.
    pub message: String,
}

/// Why a resource cannot be delivered, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalReason {
    /// Its spec cannot be delivered as a whole.
    InvalidSpec,
    /// Its status cannot be read.
    InvalidStatus,
    /// No plane can be found for it.
    NoPlane,
    /// The plane does not admit what it wants there.
    NotAdmitted,
    /// Its plane holds something newer.
    HubBehind,
    /// The API server does not take the status that its plane reported.
    StatusRefused,
    /// It was deleted along with its namespace, or with the definition of its kind.
    DeletedInBulk,
}

impl RefusalReason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::InvalidSpec,
        Self::InvalidStatus,
        Self::NoPlane,
        Self::NotAdmitted,
        Self::HubBehind,
        Self::StatusRefused,
        Self::DeletedInBulk,
    ];

    /// The word that scripts match.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidSpec => reason::INVALID_SPEC,
            Self::InvalidStatus => reason::INVALID_STATUS,
            Self::NoPlane => reason::NO_PLANE,
            Self::NotAdmitted => reason::NOT_ADMITTED,
            Self::HubBehind => reason::HUB_BEHIND,
            Self::StatusRefused => reason::STATUS_REFUSED,
            Self::DeletedInBulk => reason::DELETED_IN_BULK,
        }
    }
}

/// Decides about a resource.
pub fn decide(resource: &Resource, memory: Memory<'_>, routing: &Routing) -> Decision {
    if !resource.around.status_readable {
        return hold(
            RefusalReason::InvalidStatus,
            "its status cannot be read, so nothing is done: correct it with kubectl edit --subresource=status",
        );
    }
    let (deleting, finalizer) = (resource.around.deleting, resource.has_finalizer());
    let forgotten = resource
        .recorded()
        .filter(|(plane, _)| routing.is_forgotten(plane));
    match (deleting, finalizer) {
        (false, _) | (true, true) if let Some((plane, _)) = forgotten => release(plane, deleting),
        (false, _) => deliver(resource, routing),
        (true, true) => remove(resource, memory, routing),
        (true, false) => Decision {
            place: Place::Nowhere,
            record: None,
            finalizer: Finalizer::Keep,
            refusal: None,
        },
    }
}

/// Only a plane that it was meant for hears of a removal: of those that no status names and this hub sent nothing to,
/// none may be asked for by a spec that nobody admitted.
fn remove(resource: &Resource, memory: Memory<'_>, routing: &Routing) -> Decision {
    let recorded = resource.recorded();
    let queued = memory.queued.filter(|(plane, _)| !routing.is_forgotten(plane));
    let queued = queued
        .filter(|_| recorded.is_none())
        .map(|(plane, moved)| (plane.clone(), moved));
    // What is told to a plane has to be known when this hub is gone: that plane may have something of it.
    let record = queued
        .clone()
        .filter(|_| !memory.gone)
        .map(|(plane, moved)| Record::Goes(plane, moved));
    let plane = recorded.or(queued);
    let status = &resource.around.status;
    let traces = status.plane.is_some()
        || status.content.is_some()
        || status.observed_generation.is_some()
        || !status.resources.is_empty()
        || !status.inventory.is_empty();
    if plane.is_none() && traces {
        return hold(
            RefusalReason::NoPlane,
            "it was in a plane that its status does not name any more: set status.plane, or take the finalizer off \
             once its objects are gone",
        );
    }
    let done = memory.gone || plane.is_none();
    if !done && let Err(refusal) = is_meant(resource, memory) {
        return Decision {
            place: Place::Keep(where_it_is(resource)),
            record,
            finalizer: Finalizer::Keep,
            refusal,
        };
    }
    Decision {
        place: match plane {
            Some((plane, moved)) => Place::At(At {
                recorded: true,
                state: HeadState::Removed,
                ..newest(resource, plane, moved)
            }),
            None => Place::Nowhere,
        },
        record,
        finalizer: match done {
            true => Finalizer::Remove,
            false => Finalizer::Keep,
        },
        refusal: None,
    }
}

/// Whether its plane may hear that it is deleted. Not before it is known whether somebody deleted it by itself; where it went
/// along with others, not before somebody confirms what is to become of what it has there.
fn is_meant(resource: &Resource, memory: Memory<'_>) -> Result<(), Option<Refusal>> {
    let around = &resource.around;
    if around.confirmed(around.generation).is_some() {
        return Ok(());
    }
    let surroundings = memory.surroundings.ok_or(None)?;
    match around.deleted.and_then(|deleted| surroundings.bulk(deleted)) {
        None => Ok(()),
        Some(bulk) => Err(Some(Refusal {
            reason: RefusalReason::DeletedInBulk,
            message: format!(
                "held: {}; what it has on its plane waits to be confirmed",
                bulk.words(&resource.key)
            ),
        })),
    }
}

/// Its plane was forgotten: it is on none from now on, and what is there stays there. That is written first; what follows
/// from it is decided then.
fn release(plane: PlaneName, deleting: bool) -> Decision {
    let refusal = Refusal {
        reason: RefusalReason::NoPlane,
        message: NoPlane::Forgotten(plane.clone()).to_string(),
    };
    Decision {
        place: Place::Nowhere,
        record: Some(Record::Forgotten(plane)),
        finalizer: Finalizer::Keep,
        refusal: (!deleting).then_some(refusal),
    }
}

/// Nothing is done until somebody corrects the resource.
fn hold(reason: RefusalReason, message: &str) -> Decision {
    Decision {
        place: Place::Keep(None),
        record: None,
        finalizer: Finalizer::Keep,
        refusal: Some(Refusal {
            reason,
            message: message.to_owned(),
        }),
    }
}

fn deliver(resource: &Resource, routing: &Routing) -> Decision {
    match admitted_route(resource, routing) {
        Ok(route) => follow(resource, route.plane, routing),
        Err(refusal) => {
            let there = where_it_is(resource);
            // Finalizer and plane are written at once, and only one of them may have been when the way broke.
            let finalizer = match there.is_some() && !resource.has_finalizer() {
                true => Finalizer::Add,
                false => Finalizer::Keep,
            };
            Decision {
                place: Place::Keep(there),
                record: None,
                finalizer,
                refusal: Some(refusal),
            }
        }
    }
}

fn admitted_route(resource: &Resource, routing: &Routing) -> Result<Route, Refusal> {
    let refusal = |reason| move |message| Refusal { reason, message };
    let delivery = resource
        .spec
        .delivery
        .as_ref()
        .map_err(ToString::to_string)
        .map_err(refusal(RefusalReason::InvalidSpec))?;
    if is_edited_run(resource) {
        return Err(refusal(RefusalReason::InvalidSpec)(EDITED.to_owned()));
    }
    let route = routing
        .route(&resource.key, &resource.spec.target)
        .map_err(|error| error.to_string())
        .map_err(refusal(RefusalReason::NoPlane))?;
    let there = resource.recorded().map(|(plane, _)| plane);
    routing
        .check_going(&route.plane, there.as_ref())
        .map_err(|error| error.to_string())
        .map_err(refusal(RefusalReason::NoPlane))?;
    routing
        .check(&route, &delivery.scopes)
        .map_err(|error| error.to_string())
        .map_err(refusal(RefusalReason::NotAdmitted))?;
    Ok(route)
}

const EDITED: &str = "spec was edited, and lifecycle is Once: the plane was given what stood there before, and what runs \
                      once is not edited; take the edit back, or create another Bundle";

/// Whether its plane was given another spec than the one that is to run once. Of what it was given only the digest is
/// known, so nobody here can tell whether that was to run once.
fn is_edited_run(resource: &Resource) -> bool {
    let given = resource.delivered();
    resource.runs_once() && given.is_some_and(|(_, digest)| digest != resource.spec.digest)
}

fn follow(resource: &Resource, plane: PlaneName, routing: &Routing) -> Decision {
    let finalizer = match resource.has_finalizer() {
        true => Finalizer::Keep,
        false => Finalizer::Add,
    };
    let at = |plane, moved, recorded| {
        Place::At(At {
            recorded,
            ..newest(resource, plane, moved)
        })
    };
    let (place, record) = match resource.recorded() {
        Some((known, moved)) if known == plane => {
            let recorded = resource.has_finalizer() && routing.keeps(&plane);
            (at(plane, moved, recorded), None)
        }
        Some((_, moved)) => (
            Place::Keep(where_it_is(resource)),
            Some(Record::Goes(plane, Move(moved.0 + 1))),
        ),
        None => {
            let moved = first_move(resource);
            (at(plane.clone(), moved, false), Some(Record::Goes(plane, moved)))
        }
    };
    Decision {
        place,
        record,
        finalizer,
        refusal: None,
    }
}

/// Where it was on a plane that was forgotten, that one may hold it under every move so far, and be the one that it goes to.
fn first_move(resource: &Resource) -> Move {
    let former = resource.around.status.r#move;
    let former = former.and_then(|number| u64::try_from(number).ok());
    Move(former.map_or(0, |number| number + 1))
}

/// The current generation, for a plane.
fn newest(resource: &Resource, plane: PlaneName, moved: Move) -> At {
    At {
        plane,
        moved,
        recorded: false,
        state: HeadState::Present,
        generation: resource.around.generation,
        digest: resource.spec.digest,
    }
}

/// What its plane was given, whatever became of the resource and of the way there since.
fn where_it_is(resource: &Resource) -> Option<At> {
    let (plane, moved) = resource.recorded()?;
    let newest = newest(resource, plane, moved);
    let reported = resource.is_reported(newest.generation);
    let (generation, digest) = resource
        .delivered()
        .or_else(|| reported.then_some((newest.generation, newest.digest)))?;
    Some(At {
        recorded: resource.has_finalizer(),
        generation,
        digest,
        ..newest
    })
}

#[cfg(test)]
mod tests {
    use outhaul_hub_resources::{Admission, AdmittedKind};
    use outhaul_protocol_wire::canonical;
    use outhaul_protocol_wire::head::BundleKind;
    use serde_json::{Value, json};

    use super::*;
    use crate::resource::Reader;

    /// What becomes of the Bundle `acme/build` with this spec, whose plane was given `given`.
    fn decided(spec: &Value, given: Option<&Value>) -> Decision {
        let content = given.map(
            |given| json!({"generation": 1, "digest": Digest::of(&canonical::to_vec(given)).to_string()}),
        );
        let object = json!({
            "apiVersion": "outhaul.dev/v1alpha1", "kind": "Bundle",
            "metadata": {"name": "build", "namespace": "acme", "uid": "u-1", "generation": 2,
                "finalizers": ["outhaul.dev/cleanup"]},
            "spec": spec, "status": {"plane": "eu", "content": content},
        });
        let object = serde_json::from_value(object).unwrap();
        let resource = Reader::new(BundleKind::Bundle).read(&object).unwrap();
        let mut routing = Routing::new(false);
        let admission = Admission {
            kind: AdmittedKind::BuildPlane,
            namespace: "acme".into(),
            name: "builds".into(),
            target_namespaces: vec!["shop*".into()],
            cluster_scoped_kinds: Vec::new(),
        };
        let eu = PlaneName::new("eu").unwrap();
        routing.set_plane(eu, Some(vec![admission]));
        decide(&resource, Memory::default(), &routing)
    }

    fn spec(lifecycle: &str, value: &str, ensure: &Value) -> Value {
        let object =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": value, "namespace": "shop"}});
        json!({"plane": "eu", "lifecycle": lifecycle, "objects": [{"id": "a", "object": object}], "ensure": ensure})
    }

    #[test]
    fn what_runs_once_is_not_edited_and_stays_queued_as_it_was_given() {
        let given = spec("Once", "one", &json!([]));
        let edited = spec("Once", "two", &json!([]));
        let refusal = decided(&edited, Some(&given)).refusal.unwrap();
        assert_eq!(refusal.reason, RefusalReason::InvalidSpec);
        assert!(
            refusal.message.contains("what runs once is not edited"),
            "{}",
            refusal.message
        );
        let Place::Keep(Some(at)) = decided(&edited, Some(&given)).place else {
            panic!("its plane keeps what it was given");
        };
        assert_eq!(at.digest, Digest::of(&canonical::to_vec(&given)));
        let continuous = spec("Continuous", "one", &json!([]));
        assert_eq!(decided(&given, Some(&continuous)).refusal, Some(refusal));
        for (spec, given) in [
            (&given, Some(&given)),
            (&edited, None),
            (&continuous, Some(&given)),
            (&spec("Continuous", "two", &json!([])), Some(&continuous)),
        ] {
            assert_eq!(decided(spec, given).refusal, None);
        }
    }

    #[test]
    fn what_has_to_be_there_is_admitted_like_everything_else() {
        let ensure = |namespace: &str| {
            let metadata = json!({"name": "shared", "namespace": namespace});
            spec(
                "Once",
                "one",
                &json!([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}]),
            )
        };
        assert_eq!(decided(&ensure("shop-shared"), None).refusal, None);
        let refusal = decided(&ensure("kube-system"), None).refusal.unwrap();
        assert_eq!(refusal.reason, RefusalReason::NotAdmitted);
    }
}
