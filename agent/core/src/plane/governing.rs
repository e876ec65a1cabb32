//! The policy of the plane's owner: what it excludes is neither changed nor deleted, however it came here.

use outhaul_protocol_wire::head::Key;

use super::{News, Plane};
use crate::policy::Policy;

impl Plane {
    /// This policy is in force from now on.
    pub fn govern(&mut self, policy: Policy) {
        if policy == self.policy {
            return;
        }
        if policy.summary() != self.policy.summary() {
            self.news.push(News::Policy);
        }
        self.policy = policy;
        self.budget.limits = self.policy.budget();
        for key in self.items.keys().cloned().collect::<Vec<_>>() {
            self.exclude(&key);
            self.look_anew(&key);
        }
    }

    /// What is in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Marks the objects of a resource that the policy excludes.
    pub(super) fn exclude(&mut self, key: &Key) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        for object in &mut item.objects {
            let body = object.desired.body.as_ref().ok();
            object.excluded =
                body.and_then(|it| self.policy.excludes(key, &object.desired.reference, Some(it)));
        }
        for departing in &mut item.departing {
            departing.excluded = self.policy.excludes(key, &departing.reference, None);
        }
        for missing in &mut item.ensure.missing {
            let body = missing.desired.body.as_ref().ok();
            missing.excluded =
                body.and_then(|it| self.policy.excludes(key, &missing.desired.reference, Some(it)));
        }
        self.list_missing(key);
    }

    /// While another policy was in force, or the control plane was not confirmed, nobody saw to what has to be done: what was
    /// found out before counts no more.
    pub(super) fn look_anew(&mut self, key: &Key) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        for object in &mut item.objects {
            object.foreseen = None;
            object.cleared = false;
            object.retry.hurry();
        }
        for departing in &mut item.departing {
            departing.hurry();
        }
        for missing in &mut item.ensure.missing {
            missing.retry.hurry();
        }
        let (objects, leaving) = (item.objects.len(), !item.departing.is_empty());
        for index in 0..objects {
            self.show(key, index, None);
        }
        if leaving {
            self.leftovers_changed(key);
        }
        self.dirty.insert(key.clone());
    }
}
