//! The agent's requests to its API server: each made at one moment, and answered at another.

use core::time::Duration;

use outhaul_agent_core::once;
use outhaul_agent_core::plane::{Action, Answer, Request};
use outhaul_protocol_wire::object::ObjectRef;
use serde_json::{Map, Value, json};

use super::AgentEvent;
use super::store::failure;
use crate::broken::Broken;
use crate::cluster::{Cluster, Patch, Place, Refusal};
use crate::hub::Fate;
use crate::running::unkept;
use crate::schedule::{Moment, PLANES};
use crate::world::{Event, World};

impl World {
    pub(super) fn send_request(&mut self, number: usize, request: Request) {
        self.check_policy(number, &request.action, &place_of(&request.action));
        let now = self.agenda.now();
        let plane = &mut self.planes[number];
        plane.requests += 1;
        let (run, version) = (plane.run, plane.cluster.version());
        let fare = plane.api.fare(now);
        self.tell(|| format!("agent {} asks {}", PLANES[number], describe(&request.action)));
        let unanswered = fare.instead.map(|instead| {
            let answer = Answer::Failed(failure(instead.refusal(&place_of(&request.action))));
            AgentEvent::Answered(run, request.id, answer, fare.known)
        });
        if let Some(made) = fare.made {
            let fate = Fate {
                back: fare.known,
                heard: unanswered.is_none(),
            };
            let event = AgentEvent::Make(run, request, fate, version);
            self.agenda.after(made, Event::Agent(number, event));
        }
        if let Some(event) = unanswered {
            self.agenda.after(fare.known, Event::Agent(number, event));
        }
        self.crash_agent_at(number, Moment::Sent);
    }

    pub(super) fn make_request(
        &mut self,
        number: usize,
        current: bool,
        request: Request,
        fate: Fate,
        version: u64,
    ) {
        self.usurp(number, &request.action);
        let body = body(&request.action);
        self.check_request(number, &request.action, &body, version);
        let before = self.planes[number].cluster.version();
        let answer = self.execute(number, &request.action, body);
        self.coverage
            .note(format!("request {}: {}", verb(&request.action), outcome(&answer)));
        self.tell(|| {
            let what = describe(&request.action);
            format!("cluster {} {what}: {}", PLANES[number], outcome(&answer))
        });
        if let (Action::Apply { .. } | Action::Create { .. }, Answer::Object(object)) =
            (&request.action, &answer)
        {
            self.applied(object);
        }
        if let (Action::Create { .. }, Answer::Object(object)) = (&request.action, &answer) {
            self.run_created(number, &place_of(&request.action), object);
        }
        if self.planes[number].cluster.version() != before {
            self.plane_changed(number);
        }
        if !current || self.crash_agent_at(number, Moment::Made) {
            return;
        }
        if fate.heard {
            let run = self.planes[number].run;
            let event = AgentEvent::Answered(run, request.id, answer, Duration::from_millis(5));
            self.agenda.after(fate.back, Event::Agent(number, event));
        }
    }

    fn execute(&mut self, number: usize, action: &Action, mut body: Value) -> Answer {
        let broken = self.broken;
        let place = place_of(action);
        let cluster = &mut self.planes[number].cluster;
        let result = match action {
            Action::CreateNamespace { labels, .. } => {
                let labels: Map<String, Value> = labels
                    .iter()
                    .map(|(label, value)| ((*label).to_owned(), value.clone().into()))
                    .collect();
                let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"labels": labels}});
                cluster.create(&place, &body).map(|_| Answer::Accepted)
            }
            Action::Apply { manager, .. } => {
                let applied = cluster.apply(&place, manager, &body);
                applied.map(|object| Answer::Object(Value::clone(&object)))
            }
            Action::Create { manager, .. } => {
                if broken == Some(Broken::FinalizerOffEarly) {
                    unkept(&mut body);
                }
                body["metadata"]["managedFields"] =
                    json!([{"manager": manager, "operation": "Update", "fieldsV1": {}}]);
                let created = cluster.create(&place, &body);
                created.map(|object| Answer::Object(Value::clone(&object)))
            }
            Action::Release { uid, .. } => cluster
                .get(&place)
                .and_then(|there| match once::release(&there, uid) {
                    Some(patch) => cluster.patch(&place, false, Patch::Merge(patch)),
                    None => Ok(there),
                })
                .map(|object| Answer::Object(Value::clone(&object))),
            Action::Look(_) => match cluster.get(&place) {
                Ok(object) if broken == Some(Broken::DyingIsGone) && is_deleting(&object) => {
                    Err(Refusal::new(404, "NotFound", &place))
                }
                Err(_) if broken == Some(Broken::UnservedIsAbsent) => {
                    Err(Refusal::new(404, "NotFound", &place))
                }
                found => found.map(|object| {
                    let mut object = Value::clone(&object);
                    if broken == Some(Broken::OwnersUnseen) {
                        object["metadata"]["labels"] = json!({});
                        // Older than all that is true of it.
                        object["metadata"]["resourceVersion"] = "0".into();
                    }
                    Answer::Object(object)
                }),
            },
            // Nobody in here writes by update under a name that is taken over.
            Action::Adopt { .. } => cluster
                .get(&place)
                .map(|object| Answer::Object(Value::clone(&object))),
            Action::Sweep(_) if broken == Some(Broken::SweepSkipped) => Ok(Answer::Objects(Vec::new())),
            Action::Sweep(selector) => Ok(Answer::Objects(found(cluster, selector))),
            Action::Delete { uid, .. } => {
                let uid = (broken != Some(Broken::DeleteWithoutUid)).then_some(uid.as_str());
                cluster.delete(&place, uid).map(|()| Answer::Accepted)
            }
        };
        result.unwrap_or_else(|refusal| Answer::Failed(refusal.failure()))
    }
}

/// What a request brings; nothing of most.
fn body(action: &Action) -> Value {
    match action {
        Action::Apply { body, .. } | Action::Create { body, .. } => {
            serde_json::from_slice(body).expect("the agent sends JSON")
        }
        Action::CreateNamespace { .. }
        | Action::Release { .. }
        | Action::Adopt { .. }
        | Action::Look(_)
        | Action::Sweep(_)
        | Action::Delete { .. } => Value::Null,
    }
}

/// Where the object of a request is.
pub(crate) fn place_of(action: &Action) -> Place {
    match action {
        Action::CreateNamespace { name, .. } => Place::new("Namespace", "", name),
        Action::Sweep(_) => Place::new("", "", ""),
        Action::Apply { object, .. }
        | Action::Create { object, .. }
        | Action::Release { object, .. }
        | Action::Adopt { object, .. }
        | Action::Look(object)
        | Action::Delete { object, .. } => place(object),
    }
}

pub(crate) fn place(object: &ObjectRef) -> Place {
    Place::new(&object.kind, &object.namespace, &object.name)
}

/// The objects of every served kind that a selector finds.
fn found(cluster: &Cluster, selector: &str) -> Vec<Value> {
    let labels = selector.split(',').filter_map(|one| one.split_once('='));
    let wanted: Vec<(&str, &str)> = labels.collect();
    let matches = |object: &Value| {
        let labels = &object["metadata"]["labels"];
        wanted.iter().all(|(label, value)| labels[label] == *value)
    };
    let objects = cluster.objects().filter(|(place, _)| cluster.serves(&place.kind));
    objects
        .filter(|(_, object)| matches(object))
        .map(|(_, object)| Value::clone(object))
        .collect()
}

fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

fn verb(action: &Action) -> &'static str {
    match action {
        Action::CreateNamespace { .. } => "create namespace",
        Action::Apply { .. } => "apply",
        Action::Create { .. } => "create",
        Action::Release { .. } => "release",
        Action::Adopt { .. } => "adopt",
        Action::Look(_) => "look",
        Action::Sweep(_) => "sweep",
        Action::Delete { .. } => "delete",
    }
}

fn describe(action: &Action) -> String {
    format!("{} {}", verb(action), place_of(action))
}

fn outcome(answer: &Answer) -> String {
    match answer {
        Answer::Object(_) => "object".to_owned(),
        Answer::Objects(objects) => format!("{} objects", objects.len()),
        Answer::Accepted => "accepted".to_owned(),
        Answer::Failed(failure) => format!("{:?}", failure.blocker().reason),
    }
}
