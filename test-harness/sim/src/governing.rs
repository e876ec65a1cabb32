//! Policies of planes' owners: what somebody writes, what the agent has of it, and that the agent keeps to it.

use core::time::Duration;

use outhaul_agent_core::plane::Action;
use outhaul_agent_core::policy::Policy;
use serde_json::{Value, json};

use crate::agent::AgentEvent;
use crate::broken::Broken;
use crate::cluster::Place;
use crate::schedule::{Governing, PLANES};
use crate::world::{Event, World};

/// The agents' namespace.
const HOME: &str = "outhaul-system";

/// The kind that a tight policy excludes.
const EXCLUDED: &str = "Deployment";

/// The policy of one plane.
#[derive(Debug, Default)]
pub(crate) struct Governed {
    config_map: Option<Value>,
    /// What its agent stored: the last text that could be read.
    last: Option<String>,
    written: Rule,
    /// What follows from what the agent has read.
    in_force: Rule,
    /// Whether it ever excluded anything: what it kept then goes later than the rest.
    pub(crate) was_tight: bool,
}

/// What follows from a policy, as users understand it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Rule {
    /// Without one: whatever was said before.
    #[default]
    Open,
    Loose,
    Tight,
    Nothing,
    Unreadable,
}

impl Rule {
    /// What is in force where this is written, and that was in force.
    fn after(self, known: Self) -> Self {
        match (self, known) {
            (Self::Unreadable, Self::Open | Self::Unreadable) => Self::Unreadable,
            (Self::Unreadable, known) => known,
            (written, _) => written,
        }
    }

    fn excludes(self, place: &Place) -> bool {
        match self {
            Self::Open | Self::Loose => false,
            Self::Tight => place.kind == EXCLUDED,
            Self::Nothing | Self::Unreadable => true,
        }
    }
}

impl Governed {
    /// Reads the policy as an agent does.
    pub(crate) fn read(&mut self) -> Policy {
        let policy = Policy::read(HOME, self.config_map.as_ref(), self.last.as_deref());
        self.last = policy.text().map(str::to_owned);
        self.in_force = self.written.after(self.in_force);
        self.was_tight |= self.in_force == Rule::Tight;
        policy
    }

    /// Whether what a plane's policy kept may go later than the rest of its resource.
    pub(crate) fn keeps(&self, place: &Place) -> bool {
        self.was_tight && place.kind == EXCLUDED
    }
}

impl World {
    /// Somebody writes the policy of a plane.
    pub(crate) fn write_policy(&mut self, number: usize, policy: Governing) {
        let (rule, text) = match policy {
            Governing::Open => (Rule::Open, None),
            Governing::Loose => (Rule::Loose, Some("namespaces: ['*']\nkinds: ['*']")),
            Governing::Tight => (
                Rule::Tight,
                Some("kinds: [ConfigMap, Namespace, PersistentVolumeClaim, '*/Widget']"),
            ),
            Governing::Observing => (Rule::Nothing, Some("observeOnly: true")),
            Governing::Paused => (Rule::Nothing, Some("pause: true")),
            Governing::Malformed => (Rule::Unreadable, Some("kinds: [deployments]")),
        };
        let plane = &mut self.planes[number];
        plane.governed.written = rule;
        plane.governed.config_map = text.map(|text| json!({"data": {"policy.yaml": text}}));
        let event = AgentEvent::Governed(plane.run);
        self.agenda
            .after(Duration::from_millis(20), Event::Agent(number, event));
    }

    /// The agent reads the policy that is written.
    pub(crate) fn govern(&mut self, number: usize) {
        let plane = &mut self.planes[number];
        let policy = plane.governed.read();
        let rule = plane.governed.in_force;
        if let Some(running) = &mut plane.running
            && self.broken != Some(Broken::PolicyUnheard)
        {
            running.plane.govern(policy);
        }
        self.coverage.note(format!("policy in force: {rule:?}"));
        self.tell(|| format!("agent {} has the policy {rule:?}", PLANES[number]));
    }

    /// An agent is about to ask for something.
    pub(crate) fn check_policy(&mut self, number: usize, action: &Action, place: &Place) {
        let writes = match action {
            Action::Apply { .. }
            | Action::Create { .. }
            | Action::Release { .. }
            | Action::Adopt { .. }
            | Action::Delete { .. }
            | Action::CreateNamespace { .. } => true,
            Action::Look(_) | Action::Sweep(_) => false,
        };
        let rule = self.planes[number].governed.in_force;
        if writes && rule.excludes(place) {
            let text = format!("{place} on {}, whose policy is {rule:?}", PLANES[number]);
            self.violate(
                "what the policy of a plane excludes is neither written nor deleted",
                text,
            );
        }
    }
}
