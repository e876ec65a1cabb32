//! Bindings: each makes the Release of its name, and says how that is doing.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Resource, ResourceExt as _};
use outhaul_hub_render::readiness::{self, Readiness};
use outhaul_hub_render::{
    AsOpenChoreo, Change, Domains, RenderError, TargetKey, Wanted, api_binding, reason,
    scheduled_task_binding, service_binding, web_application_binding,
};
use outhaul_hub_resources::{
    API, APIBinding, APIClass, ComponentOwner, DataPlane, EndpointStatus, Environment, Release, ReleaseSpec,
    ReleaseState, ScheduledTaskBinding, ScheduledTaskClass, ServiceBinding, ServiceClass,
    WebApplicationBinding, WebApplicationClass, conditions::READY, names,
};
use outhaul_protocol_wire::{canonical, limits};
use serde_json::{Map, Value};

use super::compared::Compared;
use super::dependencies::{self, Place};
use super::look::{Look, Plan, Write};
use super::memory::Attempt;
use super::owner::{self, Known};
use super::saying::{self, Former, RENDERED_OTHERWISE, Saying};
use super::stores::Unreadable;
use super::{Id, Kind, Step, Stores, Watched, sight};
use crate::condition::{self, Said};
use crate::reason::HELD;

/// How long a status that says little waits for other writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of rendering; or something that it is made of cannot be read, in words.
type Rendering = Result<Result<Wanted, RenderError>, String>;

/// A binding of some type.
pub(super) trait Binding: Watched + Resource<DynamicType = ()> {
    /// The state that it is in.
    fn state(&self, as_openchoreo: AsOpenChoreo) -> ReleaseState;
    fn is_going(&self) -> bool;
    /// Everything that it is rendered from is in its namespace.
    fn render(&self, look: &Look<'_>, existing: Option<&Release>) -> Rendering;
    fn former(&self) -> Former<'_>;
    /// Whether it would make a Release like this, by whom that is for.
    fn has_made(&self, release: &ReleaseSpec) -> bool;
    /// The component that it says it runs.
    fn owner(&self) -> Option<&ComponentOwner> {
        None
    }
    /// What it runs where, as long as it does.
    fn place(&self) -> Option<Place<'_>> {
        None
    }
    /// Where it is reached, as its status says and as it should say; none for types that are not reached.
    fn endpoints(&self, _look: &Look<'_>) -> Option<(&[EndpointStatus], Vec<EndpointStatus>)> {
        None
    }
}

/// What is to be done about a binding: first its Release is written or deleted, then its status says so.
pub(super) fn plan<B: Binding>(look: &mut Look<'_>, binding: &B) -> Plan {
    if binding.is_going() {
        return Plan::Nothing;
    }
    let release = look.key.beside(Kind::Release);
    let head = look.stores.get::<Release>(&release.namespace, &release.name);
    let (head, existing) = match head {
        None => (None, None),
        Some(Ok(head)) => (Some(head), look.read.or(Some(head))),
        Some(Err(why)) => return without_content(look, binding, &release, why),
    };
    let state = binding.state(look.as_openchoreo);
    let ours = head.filter(|head| is_ours(look.key, binding, head));
    // What is to be so nevertheless.
    let instead = |existing, why: String| match outhaul_hub_render::unrendered(
        binding,
        state,
        existing,
        invalid(why.clone()),
    ) {
        Some(wanted) => Ok(Ok(wanted)),
        None => Err(why),
    };
    let rendered = |existing| rendered(look, binding, state, existing).or_else(|why| instead(existing, why));
    let write = |rendering: &_| release_write(look, &release, (head, ours), state, rendering);
    let drafted = rendered(existing).and_then(|rendering| match known(look, &release, state, &rendering) {
        Some(known) => known.map(|(write, wanted)| (write, Ok(wanted))),
        None => {
            let due = write(&rendering);
            match too_large(&due, &rendering) {
                None => Ok((due, rendering)),
                Some(why) => instead(existing, why).map(|rendering| (write(&rendering), rendering)),
            }
        }
    });
    if let (Some(read), Some(Ok(Ok(Wanted::Release(without))))) =
        (look.read, head.map(|head| rendered(Some(head))))
    {
        let result = match &drafted {
            Ok((write, Ok(Wanted::Release(with)))) => Some(Ok((with, write))),
            Ok((_, Ok(Wanted::NoRelease) | Err(_))) => None,
            Err(why) => Some(Err(why)),
        };
        look.memory.compared = result.and_then(|result| Compared::of(state, read, &without, result));
    }
    let (write, rendering) = match drafted {
        Ok(drafted) => drafted,
        Err(why) => return say(look, binding, invalid(why), None),
    };
    let readiness = match write {
        Write::Due(step) => return Plan::Step(Box::new(step), Vec::new()),
        Write::Held(attempt, message) => refused(&release.name, &attempt, &message),
        Write::Settled => readiness::of(state, &rendering, ours),
    };
    let rendered = rendering.as_ref().ok().filter(|wanted| wanted.is_rendered());
    say(look, binding, readiness, rendered)
}

/// What came of the same before, where the Release had to be read for it: a report of its plane changes none of that.
fn known(
    look: &Look<'_>,
    release: &Id,
    state: ReleaseState,
    rendering: &Result<Wanted, RenderError>,
) -> Option<Result<(Write, Wanted), String>> {
    let (None, Ok(Wanted::Release(rendered))) = (look.read, rendering) else {
        return None;
    };
    let compared = look.memory.compared.as_ref()?;
    let stored = look.stores.digest(release)?;
    if !compared.is_of(state, stored, rendered) {
        return None;
    }
    let taken = match &compared.result {
        Ok(taken) => taken,
        Err(why) => return Some(Err(why.clone())),
    };
    let write = match &taken.attempt {
        None => Write::Settled,
        Some(attempt) => look.held(attempt)?,
    };
    Some(Ok((write, Wanted::Release(taken.rendered.clone()))))
}

/// What is to be done where the Release cannot be read. That it is to go needs nothing of what it says, where its metadata
/// tell whose it is.
fn without_content<B: Binding>(look: &mut Look<'_>, binding: &B, release: &Id, why: Unreadable<'_>) -> Plan {
    let found = look
        .stores
        .sight(release)
        .and_then(|sight| Some((sight, sight.object.as_ref().err()?)));
    let undeploys = binding.state(look.as_openchoreo) == ReleaseState::Undeploy;
    let ours = found
        .filter(|(_, unread)| undeploys && controller(&unread.owners).is_some_and(|it| is_by(look.key, it)));
    let Some((sight, unread)) = ours else {
        return say(look, binding, unreadable("Release", &release.name, why), None);
    };
    let write = match unread.is_going {
        true => Write::Settled,
        false => look.delete(sight),
    };
    let readiness = match write {
        Write::Due(step) => return Plan::Step(Box::new(step), Vec::new()),
        Write::Held(attempt, message) => refused(&release.name, &attempt, &message),
        Write::Settled => readiness::going(&unread.conditions),
    };
    say(look, binding, readiness, Some(&Wanted::NoRelease))
}

/// What is made of a binding. What is undeployed needs nothing that could be missing or wrong.
fn rendered<B: Binding>(
    look: &Look<'_>,
    binding: &B,
    state: ReleaseState,
    existing: Option<&Release>,
) -> Rendering {
    match state {
        ReleaseState::Undeploy => Ok(Ok(Wanted::NoRelease)),
        ReleaseState::Active | ReleaseState::Suspend => binding.render(look, existing),
    }
}

/// What is to be done about the Release.
fn release_write(
    look: &Look<'_>,
    release: &Id,
    (head, ours): (Option<&Release>, Option<&Release>),
    state: ReleaseState,
    rendering: &Result<Wanted, RenderError>,
) -> Write {
    match rendering {
        Err(_) => Write::Settled,
        Ok(Wanted::NoRelease) => {
            let stays = ours.is_some_and(|ours| ours.metadata.deletion_timestamp.is_none());
            match look.stores.sight(release).filter(|_| stays) {
                Some(sight) => look.delete(sight),
                None => Write::Settled,
            }
        }
        Ok(Wanted::Release(rendered)) => match (&rendered.change, head, look.read) {
            // Of a stored Release only a digest is kept. Where something could not be rendered, the stored form of it is
            // needed: it stays, or is to run no more.
            (_, Some(_), None) if state == ReleaseState::Suspend && rendered.is_partial() => {
                Write::Due(Step::Read(release.clone()))
            }
            (Change::Update(wanted), Some(head), None) => {
                let same = rendered.problems.is_empty() && is_same(look.stores, release, head, wanted);
                match same {
                    true => Write::Settled,
                    false => Write::Due(Step::Read(release.clone())),
                }
            }
            (Change::Create(wanted), ..) => look.write(&Change::Create(kept(wanted))),
            (change, ..) => look.write(change),
        },
    }
}

/// As it is made: with the finalizer that it would be given before any of its objects may exist, so that this is no write of
/// its own.
fn kept(wanted: &Release) -> Release {
    let mut release = wanted.clone();
    release.metadata.finalizers = Some(vec![names::RELEASE_FINALIZER.to_owned()]);
    release
}

/// That no Release can be as large as what is to be written, in words.
fn too_large(write: &Write, rendering: &Result<Wanted, RenderError>) -> Option<String> {
    let (
        Write::Due(Step::Create { object, .. } | Step::Replace { object, .. }),
        Ok(Wanted::Release(rendered)),
    ) = (write, rendering)
    else {
        return None;
    };
    let spec = &object["spec"];
    let objects = spec["resources"].as_array().map_or(0, Vec::len);
    if objects > limits::OBJECTS {
        let most = limits::OBJECTS;
        return Some(format!(
            "the Release would have {objects} objects, and may have {most}: expose fewer APIs, or fewer levels of them"
        ));
    }
    let bytes = canonical::go_length(&canonical::to_vec(spec));
    let class = rendered.class.as_deref().unwrap_or("the class");
    let most = limits::SPEC_BYTES;
    (bytes > most).then(|| {
        format!(
            "the Release would be {bytes} bytes long, and may be {most}: shorten the Workload, or {class}"
        )
    })
}

fn is_same(stores: &Stores, id: &Id, head: &Release, wanted: &Release) -> bool {
    let spec = serde_json::to_value(&wanted.spec).expect("a spec is a map with text keys");
    head.metadata == wanted.metadata && stores.digest(id) == Some(sight::digest(&spec))
}

/// The write of the status, if it says anything new. Where nothing was rendered, what was said of endpoints and warnings
/// stays.
fn say<B: Binding>(
    look: &mut Look<'_>,
    binding: &B,
    readiness: Readiness,
    rendered: Option<&Wanted>,
) -> Plan {
    let mut fields = Map::new();
    let moves = rendered.is_some_and(|rendered| !rendered.keeps_addresses());
    if let Some((known, wanted)) = binding.endpoints(look).filter(|_| moves)
        && known != wanted
    {
        fields.insert("endpoints".to_owned(), listed(&wanted));
    }
    let (beside, again) = match rendered {
        Some(rendered) if look.knows_twins => warnings(look, binding, rendered),
        Some(_) | None => (None, None),
    };
    let former = binding.former();
    let goes_on = goes_on(&readiness, former);
    let saying = Saying {
        ready: Some(readiness.into()),
        beside,
        fields,
        again,
    };
    let plan = saying::say(look, former, saying);
    hold_back(look, plan, goes_on)
}

/// Whether it says that something is on its way that was not known to have arrived.
fn goes_on(readiness: &Readiness, former: Former<'_>) -> bool {
    let known = condition::get(former.conditions, READY);
    readiness.reason == reason::HEALTH_PROGRESSING
        && known.is_none_or(|known| known.reason == reason::HEALTH_PROGRESSING)
}

/// Has a status wait that tells how something goes on, while many writes are under way: when it comes to be written, it may
/// tell how it ended. What people are told along with it does not wait.
fn hold_back(look: &mut Look<'_>, plan: Plan, goes_on: bool) -> Plan {
    let waits = goes_on && look.is_busy && matches!(&plan, Plan::Step(_, notes) if notes.is_empty());
    let now = look.now.uptime;
    let held_back = look.memory.held_back.take().filter(|_| waits);
    let since = held_back.unwrap_or(now);
    if !waits || now >= since + PATIENCE {
        return plan;
    }
    look.memory.held_back = Some(since);
    Plan::Rest(since + PATIENCE)
}

/// What is to be said beside `Ready`, or when that will be known. Whose a binding is that belongs to a component's resource
/// is said there.
fn warnings<B: Binding>(
    look: &mut Look<'_>,
    binding: &B,
    rendered: &Wanted,
) -> (Option<Vec<Said>>, Option<Duration>) {
    let Wanted::Release(rendered) = rendered else {
        return (Some(Vec::new()), None);
    };
    let known = match binding.owner().filter(|_| !dependencies::is_made(binding.meta())) {
        None => Known::Wrong(Vec::new()),
        Some(owner) => owner::look_for(look, owner),
    };
    let held = held(look, binding);
    let reason = match held {
        Some(_) => HELD,
        None => RENDERED_OTHERWISE,
    };
    let rendered = rendered.warnings.iter().map(ToString::to_string);
    let others = held.into_iter().chain(rendered);
    known.said(reason, others.chain(twins(look, binding)))
}

/// That what the binding no longer has is still there: its Release is ready nevertheless.
fn held<B: Binding>(look: &Look<'_>, binding: &B) -> Option<String> {
    let release = look.stores.get::<Release>(&look.key.namespace, &look.key.name);
    let release = release.and_then(Result::ok)?;
    let held = readiness::held(release).filter(|_| is_ours(look.key, binding, release))?;
    Some(format!("what it no longer has is still in its plane; {held}"))
}

/// That another binding runs the same component in the same environment. Pods are found by whose they are, so the Service
/// of either leads to the pods of both.
fn twins<B: Binding>(look: &Look<'_>, binding: &B) -> Vec<String> {
    let Some(place) = binding.place() else {
        return Vec::new();
    };
    let of_component = dependencies::component(look.key, &place.owner.component_name);
    let others = look.runs.dependents(&of_component);
    let others = others.filter(|other| *other != look.key && look.key.kind.twins().contains(&other.kind));
    let twins = others.filter(|other| look.stores.object(other).and_then(dependencies::place) == Some(place));
    let gets = |twin: &Id| match (look.key.kind, twin.kind) {
        (Kind::ScheduledTaskBinding, _) => "the pods of this one get requests that are for it",
        (_, Kind::ScheduledTaskBinding) => "its pods get requests that are for this one",
        _ => "each gets the requests of the other",
    };
    twins
        .map(|twin| {
            format!(
                "{} {:?} runs the same component in the same environment, and {}: undeploy one, or correct spec.owner",
                twin.kind,
                twin.name,
                gets(twin)
            )
        })
        .collect()
}

/// In a merge patch, null takes a list away and an absent one keeps it.
fn listed(endpoints: &[EndpointStatus]) -> Value {
    match endpoints {
        [] => Value::Null,
        _ => serde_json::to_value(endpoints).expect("endpoints are maps with text keys"),
    }
}

fn refused(release: &str, attempt: &Attempt, message: &str) -> Readiness {
    match attempt {
        Attempt::Create(_) => readiness::creation_failed(release, message),
        Attempt::Replace(_) => readiness::update_failed(release, message),
        Attempt::Delete => readiness::deletion_failed(release, message),
    }
}

fn invalid(message: String) -> Readiness {
    Readiness {
        ready: false,
        reason: reason::INVALID_CONFIGURATION,
        message,
        is_stuck: false,
    }
}

fn unreadable(kind: &str, name: &str, why: Unreadable<'_>) -> Readiness {
    invalid(format!("{kind} {name:?} cannot be read: {}", why.0))
}

/// Whether a Release of the key's name is its own. One that lost the reference to its owner is, where it says that of
/// itself; somebody may have made another by hand.
fn is_ours<B: Binding>(key: &Id, binding: &B, release: &Release) -> bool {
    match controller(release.owner_references()) {
        Some(owner) => is_by(key, owner),
        None => binding.has_made(&release.spec),
    }
}

fn controller(owners: &[OwnerReference]) -> Option<&OwnerReference> {
    owners.iter().find(|owner| owner.controller == Some(true))
}

fn is_by(key: &Id, owner: &OwnerReference) -> bool {
    owner.kind == key.kind.as_str() && owner.name == key.name
}

fn found<'a, K: Watched>(look: &Look<'a>, name: &str) -> Result<Option<&'a K>, String> {
    match look.stores.get::<K>(&look.key.namespace, name) {
        None => Ok(None),
        Some(Ok(object)) => Ok(Some(object)),
        Some(Err(why)) => Err(format!("{} {name:?} cannot be read: {}", K::KIND, why.0)),
    }
}

/// What hosts begin with and end in where a binding's environment is.
fn domains<'a>(look: &Look<'a>, environment: &str) -> Result<Domains<'a>, String> {
    if !look.plane_hosts {
        return Ok(Domains::default());
    }
    let (id, environment) = anywhere::<Environment>(look, look.key, environment, "spec.environment")?;
    let plane = environment.spec.data_plane_ref.as_deref().unwrap_or_default();
    let field = format!("spec.dataPlaneRef of Environment {:?}", id.name);
    let (_, plane) = anywhere::<DataPlane>(look, &id, plane, &field)?;
    Domains::of(environment, plane)
}

/// What `field` names, in one of the places where it may be as seen from `key`.
fn anywhere<'a, K: Watched>(
    look: &Look<'a>,
    key: &Id,
    name: &str,
    field: &str,
) -> Result<(Id, &'a K), String> {
    let mut places = dependencies::places(key, K::KIND, name, look.routing);
    match places.find_map(|id| Some((look.stores.get::<K>(&id.namespace, name)?, id))) {
        Some((Ok(object), id)) => Ok((id, object)),
        Some((Err(why), _)) => Err(format!("{} {name:?} cannot be read: {}", K::KIND, why.0)),
        None => Err(format!(
            "{} {name:?} does not exist in namespace {:?}, and says what hosts end in: create it, or correct {field}",
            K::KIND,
            key.namespace
        )),
    }
}

/// The bindings that these connections may lead to.
fn targets<'a>(look: &Look<'a>, wanted: &[TargetKey<'_>]) -> Vec<&'a ServiceBinding> {
    let component = |target: &TargetKey<'_>| dependencies::component(look.key, target.component);
    let components: BTreeSet<_> = wanted.iter().map(component).collect();
    let of_components = components
        .iter()
        .flat_map(|component| look.runs.dependents(component));
    let bindings = of_components.filter_map(|id| ServiceBinding::of(look.stores.object(id)?));
    bindings
        .filter(|binding| wanted.contains(&TargetKey::of(binding)))
        .collect()
}

macro_rules! of_component {
    () => {
        fn has_made(&self, release: &ReleaseSpec) -> bool {
            release.owner == self.spec.owner && release.environment_name == self.spec.environment
        }

        fn owner(&self) -> Option<&ComponentOwner> {
            Some(&self.spec.owner)
        }
    };
}

macro_rules! own_state {
    () => {
        fn state(&self, _: AsOpenChoreo) -> ReleaseState {
            self.spec.release_state
        }
    };
}

macro_rules! common {
    () => {
        fn is_going(&self) -> bool {
            self.metadata.deletion_timestamp.is_some()
        }

        fn former(&self) -> Former<'_> {
            let status = self.status.as_ref();
            Former {
                conditions: status.map_or(&[], |status| &status.conditions),
                observed_generation: status.and_then(|status| status.observed_generation),
            }
        }
    };
}

impl Binding for ServiceBinding {
    own_state!();
    common!();
    of_component!();

    fn place(&self) -> Option<Place<'_>> {
        Place::of_service(self)
    }

    fn render(&self, look: &Look<'_>, existing: Option<&Release>) -> Rendering {
        let mut api_classes = BTreeMap::new();
        for (_, name) in service_binding::api_classes(self) {
            if let Some(class) = found::<APIClass>(look, name)? {
                api_classes.insert(name, class);
            }
        }
        let inputs = service_binding::Inputs {
            class: found::<ServiceClass>(look, self.spec.class_name.as_str())?,
            api_classes,
            targets: targets(look, &service_binding::targets(self))
                .into_iter()
                .collect(),
            existing,
            as_openchoreo: look.as_openchoreo,
            domains: domains(look, &self.spec.environment)?,
        };
        Ok(service_binding::release(self, &inputs))
    }

    fn endpoints(&self, look: &Look<'_>) -> Option<(&[EndpointStatus], Vec<EndpointStatus>)> {
        let known = self.status.as_ref().map(|status| status.endpoints.as_slice());
        let domains = domains(look, &self.spec.environment).ok()?;
        Some((
            known.unwrap_or_default(),
            service_binding::endpoints(self, domains),
        ))
    }
}

impl Binding for WebApplicationBinding {
    own_state!();
    common!();
    of_component!();

    fn place(&self) -> Option<Place<'_>> {
        Place::of_web_application(self)
    }

    fn render(&self, look: &Look<'_>, existing: Option<&Release>) -> Rendering {
        let wanted = web_application_binding::targets(self);
        let inputs = web_application_binding::Inputs {
            class: found::<WebApplicationClass>(look, self.spec.class_name.as_str())?,
            targets: targets(look, &wanted).into_iter().collect(),
            existing,
            as_openchoreo: look.as_openchoreo,
            domains: domains(look, &self.spec.environment)?,
        };
        Ok(web_application_binding::release(self, &inputs))
    }

    fn endpoints(&self, look: &Look<'_>) -> Option<(&[EndpointStatus], Vec<EndpointStatus>)> {
        let known = self.status.as_ref().map(|status| status.endpoints.as_slice());
        let domains = domains(look, &self.spec.environment).ok()?;
        Some((
            known.unwrap_or_default(),
            web_application_binding::endpoints(self, domains),
        ))
    }
}

impl Binding for ScheduledTaskBinding {
    fn place(&self) -> Option<Place<'_>> {
        Place::of_task(self)
    }

    fn state(&self, as_openchoreo: AsOpenChoreo) -> ReleaseState {
        scheduled_task_binding::state(self, as_openchoreo)
    }

    common!();
    of_component!();

    fn render(&self, look: &Look<'_>, existing: Option<&Release>) -> Rendering {
        let class = found::<ScheduledTaskClass>(look, self.spec.class_name.as_str())?;
        let inputs = scheduled_task_binding::Inputs {
            class,
            existing,
            as_openchoreo: look.as_openchoreo,
        };
        Ok(scheduled_task_binding::release(self, &inputs))
    }
}

impl Binding for APIBinding {
    own_state!();
    common!();

    fn has_made(&self, release: &ReleaseSpec) -> bool {
        release.resources.is_empty() && release.environment_name == self.spec.environment_name
    }

    fn render(&self, look: &Look<'_>, existing: Option<&Release>) -> Rendering {
        let inputs = api_binding::Inputs {
            api: found::<API>(look, &self.spec.api_name)?,
            class: found::<APIClass>(look, &self.spec.api_class_name)?,
            existing,
        };
        Ok(api_binding::release(self, &inputs))
    }
}
