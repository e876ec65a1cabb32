//! What should become of one resource, from what is known of it: no memory, no time.
//!
//! The rules, in their order of weight:
//! - a resource goes only where its own status says, once that says anything; going elsewhere is written first;
//! - nothing is taken from a plane because a link to it broke: what the plane is known to hold stays queued there;
//! - only a deletionTimestamp together with our finalizer says *removed*.

use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::ids::{Move, PlaneName};

use crate::reason;
use crate::resource::Resource;
use crate::routing::{Route, Routing};

/// What should become of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its place in the queues.
    pub place: Place,
    /// The plane to write into its status.
    pub record: Option<(PlaneName, Move)>,
    /// What to do about our finalizer.
    pub finalizer: Finalizer,
    /// Why it cannot be delivered as it is.
    pub refusal: Option<Refusal>,
}

/// A place in the queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Queued for this plane.
    At(At),
    /// Whatever is queued stays so.
    Keep,
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
    /// Whether finalizer and plane are written.
    pub recorded: bool,
    /// What the plane should do.
    pub state: HeadState,
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
    pub reason: &'static str,
    /// The same for people.
    pub message: String,
}

/// Decides about a resource. `gone` says that its plane confirmed that nothing of it is left there.
pub fn decide(resource: &Resource, gone: bool, routing: &Routing) -> Decision {
    if !resource.around.status_readable {
        return hold(
            reason::INVALID_STATUS,
            "its status cannot be read, so nothing is done: correct it with kubectl edit --subresource=status",
        );
    }
    match (resource.around.deleting, resource.has_finalizer()) {
        (false, _) => deliver(resource, routing),
        (true, true) => remove(resource, gone, routing),
        (true, false) => Decision {
            place: Place::Nowhere,
            record: None,
            finalizer: Finalizer::Keep,
            refusal: None,
        },
    }
}

fn remove(resource: &Resource, gone: bool, routing: &Routing) -> Decision {
    let routed = || routing.route(&resource.key, &resource.spec.target).ok();
    let plane = resource
        .recorded()
        .or_else(|| routed().map(|route| (route.plane, Move::default())));
    let status = &resource.around.status;
    let traces = status.plane.is_some()
        || status.observed_generation.is_some()
        || !status.resources.is_empty()
        || !status.inventory.is_empty();
    if plane.is_none() && traces {
        return hold(
            reason::NO_PLANE,
            "it was in a plane that its status does not name any more: set status.plane, or take the finalizer off \
             once its objects are gone",
        );
    }
    let done = gone || plane.is_none();
    Decision {
        place: match plane {
            Some((plane, moved)) => Place::At(At {
                plane,
                moved,
                recorded: true,
                state: HeadState::Removed,
            }),
            None => Place::Nowhere,
        },
        record: None,
        finalizer: match done {
            true => Finalizer::Remove,
            false => Finalizer::Keep,
        },
        refusal: None,
    }
}

/// Nothing is done until somebody corrects the resource.
fn hold(reason: &'static str, message: &str) -> Decision {
    Decision {
        place: Place::Keep,
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
        Ok(route) => follow(resource, route.plane),
        Err(refusal) => Decision {
            place: where_it_is(resource),
            record: None,
            finalizer: Finalizer::Keep,
            refusal: Some(refusal),
        },
    }
}

fn admitted_route(resource: &Resource, routing: &Routing) -> Result<Route, Refusal> {
    let refusal = |reason| move |message| Refusal { reason, message };
    let delivery = resource
        .spec
        .delivery
        .as_ref()
        .map_err(ToString::to_string)
        .map_err(refusal(reason::INVALID_SPEC))?;
    let route = routing
        .route(&resource.key, &resource.spec.target)
        .map_err(|error| error.to_string())
        .map_err(refusal(reason::NO_PLANE))?;
    routing
        .check(&route, &delivery.scopes)
        .map_err(|error| error.to_string())
        .map_err(refusal(reason::NOT_ADMITTED))?;
    Ok(route)
}

fn follow(resource: &Resource, plane: PlaneName) -> Decision {
    let finalizer = match resource.has_finalizer() {
        true => Finalizer::Keep,
        false => Finalizer::Add,
    };
    let at = |plane, moved, recorded| {
        Place::At(At {
            plane,
            moved,
            recorded,
            state: HeadState::Present,
        })
    };
    let (place, record) = match resource.recorded() {
        Some((known, moved)) if known == plane => (at(plane, moved, resource.has_finalizer()), None),
        Some((_, moved)) => (where_it_is(resource), Some((plane, Move(moved.0 + 1)))),
        None => (
            at(plane.clone(), Move::default(), false),
            Some((plane, Move::default())),
        ),
    };
    Decision {
        place,
        record,
        finalizer,
        refusal: None,
    }
}

/// A plane that reported on this very generation holds it, whatever became of the way there since.
fn where_it_is(resource: &Resource) -> Place {
    match resource.recorded() {
        Some((plane, moved)) if resource.is_reported() => Place::At(At {
            plane,
            moved,
            recorded: true,
            state: HeadState::Present,
        }),
        Some(_) | None => Place::Keep,
    }
}
