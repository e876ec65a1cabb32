//! Events, as `kubectl get events` and `kubectl describe` show them.
//!
//! Events are for people and never hold anything up: what is said again within an hour raises the count of the Event
//! that is there, and where too many wait the oldest give way, with a line in the log that says how many did.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource as _;
use kube::api::{Api, Patch, PatchParams, PostParams};
use outhaul_hub_core::{Note, Subject, controllers, resource};
use outhaul_hub_resources::{Bundle, Plane, Release};
use outhaul_protocol_wire::head::BundleKind;
use serde_json::json;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout};
use tracing::{debug, warn};

/// Requests at once, while no write that matters is under way.
const CONCURRENT: usize = 4;

/// How long Events wait for writes that matter. Where those never end, Events are published one at a time beside them.
const PATIENCE: Duration = Duration::from_secs(30);

/// Events that wait. 500 Releases that go in at once make three each.
const WAITING: usize = 2_048;

/// Events that are remembered to be counted.
const REMEMBERED: usize = 1_024;

/// How long the same words are counted instead of said again. An API server keeps an Event for an hour.
const SAME: jiff::SignedDuration = jiff::SignedDuration::from_mins(50);

const REQUEST_TIME: Duration = Duration::from_secs(10);
const STOP_TIME: Duration = Duration::from_secs(2);

/// Longest message of an Event.
const MESSAGE: usize = 1_024;

/// Longest name of an Event.
const NAME: usize = 253;

const COMPONENT: &str = "outhaul-hub";

/// Where Events about objects without a namespace go.
const CLUSTER_NAMESPACE: &str = "default";

pub(crate) struct Notes {
    client: kube::Client,
    waiting: VecDeque<Publication>,
    running: JoinSet<()>,
    /// Since when Events wait for other writes.
    held_up: Option<Instant>,
    said: BTreeMap<Notice, Said>,
    order: VecDeque<Notice>,
    /// What the last Event is named by, beside its object: a time in nanoseconds.
    named: i128,
    left_out: u64,
}

/// What an Event says, and about what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Notice {
    about: About,
    warning: bool,
    reason: String,
    message: String,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct About {
    api_version: String,
    kind: String,
    namespace: Option<String>,
    name: String,
    uid: String,
}

struct Said {
    name: String,
    first: Timestamp,
    count: i32,
}

enum Publication {
    New(Box<Event>),
    Again {
        namespace: String,
        name: String,
        count: i32,
        last: Timestamp,
    },
}

impl Notes {
    pub(crate) fn new(client: kube::Client) -> Self {
        Self {
            client,
            waiting: VecDeque::new(),
            running: JoinSet::new(),
            held_up: None,
            said: BTreeMap::new(),
            order: VecDeque::new(),
            named: 0,
            left_out: 0,
        }
    }

    pub(crate) fn publish(&mut self, notice: impl Into<Notice>, now: Timestamp) {
        let publication = self.count(notice.into(), now);
        self.waiting.push_back(publication);
        if self.waiting.len() > WAITING {
            self.leave_out_oldest();
        }
    }

    /// What was said last is nearer to what is so now.
    fn leave_out_oldest(&mut self) {
        if let Some(Publication::New(event)) = self.waiting.pop_front() {
            // It is not there to be counted.
            let name = event.metadata.name.unwrap_or_default();
            self.said.retain(|_, said| said.name != name);
        }
        self.left_out += 1;
        if self.left_out.is_power_of_two() {
            warn!(
                left_out = self.left_out,
                "More Events than the API server takes: the oldest are left out"
            );
        }
    }

    /// Starts what there is room for.
    pub(crate) fn start(&mut self, busy: bool) {
        while let Some(ended) = self.running.try_join_next() {
            reap(ended);
        }
        let concurrent = self.concurrent(busy && !self.waiting.is_empty());
        while self.running.len() < concurrent
            && let Some(publication) = self.waiting.pop_front()
        {
            self.running.spawn(publish(self.client.clone(), publication));
        }
    }

    fn concurrent(&mut self, held_up: bool) -> usize {
        let since = held_up.then(|| self.held_up.unwrap_or_else(Instant::now));
        self.held_up = since;
        match since.map(|since| since.elapsed() < PATIENCE) {
            None => CONCURRENT,
            Some(true) => 0,
            Some(false) => 1,
        }
    }

    /// Waits for one request to end. Pending while there is none.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn next(&mut self) {
        match self.running.join_next().await {
            Some(ended) => reap(ended),
            None => std::future::pending().await,
        }
    }

    /// Publishes what waits, within a bound.
    pub(crate) async fn finish(mut self) {
        let finishing = async {
            self.start(false);
            while self.running.join_next().await.is_some() {
                self.start(false);
            }
        };
        if timeout(STOP_TIME, finishing).await.is_err() {
            debug!("Stopped before every Event was published");
        }
    }

    fn count(&mut self, notice: Notice, now: Timestamp) -> Publication {
        let fresh = |said: &&mut Said| now.duration_since(said.first) < SAME;
        if let Some(said) = self.said.get_mut(&notice).filter(fresh) {
            said.count += 1;
            return Publication::Again {
                namespace: notice.about.event_namespace(),
                name: said.name.clone(),
                count: said.count,
                last: now,
            };
        }
        // What one write says is said at one time, and is two Events nevertheless.
        self.named = now.as_nanosecond().max(self.named + 1);
        let event = event(&notice, &name(&notice.about.name, self.named), now);
        let said = Said {
            name: event.metadata.name.clone().unwrap_or_default(),
            first: now,
            count: 1,
        };
        if self.said.insert(notice.clone(), said).is_none() {
            self.order.push_back(notice);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.said.remove(&oldest);
        }
        Publication::New(Box::new(event))
    }
}

fn reap(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

async fn publish(client: kube::Client, publication: Publication) {
    match timeout(REQUEST_TIME, send(client, publication)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!(
            error = &error as &dyn std::error::Error,
            "Event was not published"
        ),
        Err(_elapsed) => warn!("Event was not published in time"),
    }
}

async fn send(client: kube::Client, publication: Publication) -> kube::Result<()> {
    match publication {
        Publication::New(event) => {
            let namespace = event.metadata.namespace.clone().unwrap_or_default();
            let api: Api<Event> = Api::namespaced(client, &namespace);
            api.create(&PostParams::default(), &event).await?;
        }
        Publication::Again {
            namespace,
            name,
            count,
            last,
        } => {
            let api: Api<Event> = Api::namespaced(client, &namespace);
            let patch = json!({"count": count, "lastTimestamp": Time(last)});
            api.patch(&name, &PatchParams::default(), &Patch::Merge(patch))
                .await?;
        }
    }
    Ok(())
}

/// The name of an Event. Of a long name of an object only the beginning fits.
fn name(object: &str, number: i128) -> String {
    let number = format!(".{number:x}");
    let end = object.floor_char_boundary(NAME - number.len());
    // No part of a name ends in one of these.
    let object = object[..end].trim_end_matches(['-', '.']);
    format!("{object}{number}")
}

fn event(notice: &Notice, name: &str, now: Timestamp) -> Event {
    let about = notice.about.reference();
    let end = notice.message.floor_char_boundary(MESSAGE);
    Event {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(notice.about.event_namespace()),
            ..ObjectMeta::default()
        },
        involved_object: about,
        type_: Some(if notice.warning { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(notice.reason.clone()),
        message: Some(notice.message[..end].to_owned()),
        source: Some(EventSource {
            component: Some(COMPONENT.to_owned()),
            host: None,
        }),
        reporting_component: Some(COMPONENT.to_owned()),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        count: Some(1),
        ..Event::default()
    }
}

impl About {
    fn event_namespace(&self) -> String {
        let namespace = self.namespace.as_deref();
        namespace.unwrap_or(CLUSTER_NAMESPACE).to_owned()
    }

    fn reference(&self) -> ObjectReference {
        ObjectReference {
            api_version: Some(self.api_version.clone()),
            kind: Some(self.kind.clone()),
            namespace: self.namespace.clone(),
            name: Some(self.name.clone()),
            uid: Some(self.uid.clone()),
            ..ObjectReference::default()
        }
    }
}

impl From<Note> for Notice {
    fn from(note: Note) -> Self {
        let about = match &note.subject {
            Subject::Bundle(key) => {
                let named = resource::bundle_name(key);
                let api_version = match key.kind {
                    BundleKind::Release => Release::api_version(&()),
                    BundleKind::Bundle => Bundle::api_version(&()),
                };
                About {
                    api_version: api_version.into_owned(),
                    kind: key.kind.as_str().to_owned(),
                    namespace: Some(named.namespace),
                    name: named.name,
                    uid: key.uid.to_string(),
                }
            }
            Subject::Plane(name, uid) => About {
                api_version: Plane::api_version(&()).into_owned(),
                kind: "Plane".to_owned(),
                namespace: None,
                name: name.to_string(),
                uid: uid.to_string(),
            },
        };
        Self {
            about,
            warning: note.warning,
            reason: note.reason,
            message: note.message,
        }
    }
}

impl From<controllers::Note> for Notice {
    fn from(note: controllers::Note) -> Self {
        let resource = note.about.kind.resource();
        Self {
            about: About {
                api_version: resource.api_version,
                kind: resource.kind,
                namespace: Some(note.about.namespace).filter(|namespace| !namespace.is_empty()),
                name: note.about.name,
                uid: note.uid,
            },
            warning: note.warning,
            reason: note.reason,
            message: note.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use outhaul_protocol_wire::head::Key;
    use outhaul_protocol_wire::ids::Uid;

    use super::*;

    fn note(number: usize) -> Note {
        let key = Key {
            kind: BundleKind::Release,
            namespace: "shop".into(),
            name: format!("app-{number}"),
            uid: Uid::new(format!("u-{number}")).unwrap(),
        };
        Note {
            subject: Subject::Bundle(key),
            warning: true,
            reason: "Blocked".into(),
            message: "m".into(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn events_wait_for_writes_that_matter_but_not_for_ever() {
        let nowhere = kube::Config::new("http://127.0.0.1:9/".parse().unwrap());
        let mut notes = Notes::new(kube::Client::try_from(nowhere).unwrap());
        assert_eq!(notes.concurrent(false), CONCURRENT);
        assert_eq!(notes.concurrent(true), 0);
        tokio::time::advance(PATIENCE).await;
        assert_eq!(notes.concurrent(true), 1);
        assert_eq!(notes.concurrent(false), CONCURRENT);
        assert_eq!(notes.concurrent(true), 0, "it waits anew");
    }

    #[tokio::test]
    async fn where_too_many_events_wait_the_newest_are_kept() {
        let nowhere = kube::Config::new("http://127.0.0.1:9/".parse().unwrap());
        let mut notes = Notes::new(kube::Client::try_from(nowhere).unwrap());
        for number in 0..=WAITING {
            notes.publish(note(number), Timestamp::UNIX_EPOCH);
        }
        assert_eq!((notes.waiting.len(), notes.left_out), (WAITING, 1));
        let Some(Publication::New(newest)) = notes.waiting.back() else {
            panic!("no Event waits");
        };
        assert_eq!(newest.involved_object.name, Some(format!("app-{WAITING}")));
    }

    #[tokio::test]
    async fn two_events_of_one_time_are_two_and_each_is_counted() {
        let nowhere = kube::Config::new("http://127.0.0.1:9/".parse().unwrap());
        let mut notes = Notes::new(kube::Client::try_from(nowhere).unwrap());
        let words = |message: &str| Note {
            message: message.into(),
            ..note(1)
        };
        for message in ["one", "two", "one", "two"] {
            notes.publish(words(message), Timestamp::UNIX_EPOCH);
        }
        let waiting: Vec<_> = notes
            .waiting
            .iter()
            .map(|publication| match publication {
                Publication::New(event) => (event.metadata.name.clone().unwrap(), 1),
                Publication::Again { name, count, .. } => (name.clone(), *count),
            })
            .collect();
        let [first, second] = [&waiting[0].0, &waiting[1].0];
        assert_ne!(first, second);
        assert_eq!(waiting[2..], [(first.clone(), 2), (second.clone(), 2)]);
    }

    #[test]
    fn an_event_about_a_long_name_has_a_name_that_kubernetes_takes() {
        let number = i128::from(i64::MAX);
        for (object, expected) in [
            ("app".to_owned(), "app".to_owned()),
            ("a".repeat(236), "a".repeat(236)),
            ("a".repeat(253), "a".repeat(236)),
            (
                format!("{}.-b{}", "a".repeat(233), "c".repeat(20)),
                format!("{}.-b", "a".repeat(233)),
            ),
            (format!("{}.-b", "a".repeat(234)), "a".repeat(234)),
            (format!("{}\u{e4}", "a".repeat(235)), "a".repeat(235)),
        ] {
            assert_eq!(
                name(&object, number),
                format!("{expected}.7fffffffffffffff"),
                "{object}"
            );
        }
    }
}
