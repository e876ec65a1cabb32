//! Events as the real controllers write them: what `kubectl describe` shows below an object.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::action;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::request::Verb;
use crate::store::Key;

/// Events kept of one cluster; the oldest go then. The real server forgets by age, which bounds nothing where a
/// thousand workloads start at once.
const MAX_NOTES: usize = 1_000;

/// Who says so.
pub(super) const SCHEDULER: &str = "default-scheduler";
pub(super) const KUBELET: &str = "kubelet";

/// One Event to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    about: Value,
    by: &'static str,
    host: Option<String>,
    warning: bool,
    reason: &'static str,
    message: String,
}

impl Note {
    /// `by` says that something went as it should with `object`.
    pub(super) fn normal(
        object: &Value,
        by: &'static str,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            about: json!({
                "apiVersion": object["apiVersion"], "kind": object["kind"], "name": meta::name(object),
                "namespace": meta::namespace(object), "uid": meta::uid(object),
                "resourceVersion": meta::text(object, "resourceVersion"),
            }),
            by,
            host: None,
            warning: false,
            reason,
            message: message.into(),
        }
    }

    /// `by` says that something went wrong with `object`.
    pub(super) fn warning(
        object: &Value,
        by: &'static str,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            warning: true,
            ..Self::normal(object, by, reason, message)
        }
    }

    /// About one container, by the kubelet of its node.
    pub(super) fn on_container(mut self, pod: &Value, field: &str, container: &str) -> Self {
        self.about["fieldPath"] = format!("spec.{field}{{{container}}}").into();
        self.host = pod["spec"]["nodeName"].as_str().map(str::to_owned);
        self
    }

    /// With the name of what was just created at the end of its message.
    pub(super) fn naming(mut self, name: &str) -> Self {
        self.message.push_str(name);
        self
    }

    /// The same about a creation that was refused.
    pub(super) fn failed(mut self, why: &str) -> Self {
        self.warning = true;
        self.reason = "FailedCreate";
        self.message = format!("Error creating: {why}");
        self
    }

    /// The same saying twice is one Event that counts to two.
    fn key(&self) -> Key {
        let text = format!("{}{}{}{}", self.about["uid"], self.by, self.reason, self.message);
        let field = self.about["fieldPath"].as_str().unwrap_or_default();
        let hash = super::owned::fnv(text.bytes().chain(field.bytes()));
        let text = |field: &str| self.about[field].as_str().unwrap_or_default();
        Key::new(text("namespace"), &format!("{}.{hash:016x}", text("name")))
    }

    fn object(self, key: &Key, moment: &Moment) -> Value {
        let mut event = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": key.name, "namespace": key.namespace},
            "involvedObject": self.about, "reason": self.reason, "message": self.message,
            "type": if self.warning { "Warning" } else { "Normal" }, "reportingComponent": self.by,
        });
        // The scheduler writes the newer form of events, the others the older one.
        if self.by == SCHEDULER {
            event["eventTime"] = moment.now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into();
            event["action"] = if self.warning { "Scheduling" } else { "Binding" }.into();
            event["reportingInstance"] = "default-scheduler-fake".into();
            return event;
        }
        let now = moment.timestamp();
        event["source"] = json!({"component": self.by});
        if let Some(host) = self.host {
            event["reportingInstance"] = host.as_str().into();
            event["source"]["host"] = host.into();
        }
        event["firstTimestamp"] = now.as_str().into();
        event["lastTimestamp"] = now.into();
        event["count"] = 1.into();
        event
    }
}

/// The Events that the stand-ins of one cluster have written, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Notes(VecDeque<Key>);

impl Notes {
    /// Writes an Event, or counts one that says the same.
    pub(super) fn write(
        &mut self,
        note: Note,
        cluster: &mut Cluster,
        moment: &mut Moment,
    ) -> Result<(), Refusal> {
        let events = GroupResource::new("", "events");
        let key = note.key();
        if let Some(known) = cluster.find(&events, &key.namespace, &key.name) {
            let count = known.value()["count"].as_i64().unwrap_or(1) + 1;
            let patch = json!({"count": count, "lastTimestamp": moment.timestamp()});
            return action::send(cluster, Verb::Patch, &events, &key, None, patch, moment).map(drop);
        }
        let object = note.object(&key, moment);
        let place = Key::new(&key.namespace, "");
        action::send(cluster, Verb::Create, &events, &place, None, object, moment)?;
        self.0.push_back(key);
        if self.0.len() > MAX_NOTES
            && let Some(oldest) = self.0.pop_front()
            && cluster.find(&events, &oldest.namespace, &oldest.name).is_some()
        {
            action::send(cluster, Verb::Delete, &events, &oldest, None, Value::Null, moment)?;
        }
        Ok(())
    }
}
