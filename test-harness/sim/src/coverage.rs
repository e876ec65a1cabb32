//! What happened in schedules, counted: a simulator that never does a thing says nothing about it.

use std::collections::BTreeMap;

use outhaul_hub_core::Output;
use outhaul_protocol_session::agent::{Event, StoreContent};
use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::message::{AgentMessage, HubMessage};

/// How often what happened.
#[derive(Debug, Clone, Default)]
pub struct Coverage(BTreeMap<String, u64>);

impl Coverage {
    /// Everything that happened, by name.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }

    /// How often something happened.
    pub fn count(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// Adds what happened elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            *self.0.entry(name.clone()).or_default() += count;
        }
    }

    pub(crate) fn note(&mut self, name: String) {
        *self.0.entry(name).or_default() += 1;
    }

    pub(crate) fn agent_message(&mut self, message: &AgentMessage) {
        let name = match message {
            AgentMessage::Hello(_) => "Hello",
            AgentMessage::Acknowledge(_) => "Acknowledge",
            AgentMessage::Report(_) => "Report",
            AgentMessage::Gone(_) => "Gone",
            AgentMessage::HubBehind { .. } => "HubBehind",
            AgentMessage::Observed(_) => "Observed",
            AgentMessage::Orphans(_) => "Orphans",
            AgentMessage::Policy(_) => "Policy",
            AgentMessage::Unconfirmed(_) => "Unconfirmed",
        };
        self.note(format!("agent says {name}"));
    }

    pub(crate) fn hub_message(&mut self, message: &HubMessage) {
        let name = match message {
            HubMessage::Welcome(welcome) if welcome.converged => "Welcome, converged",
            HubMessage::Welcome(_) => "Welcome",
            HubMessage::Refused(_) => "Refused",
            HubMessage::Announce(_) => "Announce",
            HubMessage::Recorded(_) => "Recorded",
            HubMessage::Settled(_) => "Settled",
            HubMessage::Observed { .. } => "Observed",
            HubMessage::ReportWanted(_) => "ReportWanted",
            HubMessage::Closing(_) => "Closing",
            HubMessage::Vouched(_) => "Vouched",
        };
        self.note(format!("hub says {name}"));
    }

    pub(crate) fn output(&mut self, output: &Output) {
        if let Output::Note(note) = output {
            self.note(format!("event {}", note.reason));
        }
    }

    pub(crate) fn session_event(&mut self, event: &Event) {
        let name = match event {
            Event::Welcomed(_) | Event::Vouched(_) => return,
            Event::Store(store) => match (store.head.state, &store.content) {
                (HeadState::Present, StoreContent::New(_)) => "head: present, new",
                (HeadState::Present, StoreContent::Kept) => "head: present, kept",
                (HeadState::Removed, StoreContent::New(_)) => "head: removed, learnt",
                (HeadState::Removed, StoreContent::Kept) => "head: removed",
                (HeadState::Left, _) => "head: left",
            },
            Event::Recorded(_) => "head: recorded later",
            Event::Orphaned(_) => "heads orphaned",
            Event::Settled(_) => "head: settled",
            Event::Refused(_) => "agent was refused",
            Event::Closing(_) => "agent was sent away",
        };
        self.note(name.to_owned());
    }
}
