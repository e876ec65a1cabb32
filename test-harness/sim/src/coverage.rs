//! What happened in schedules, counted: a simulator that never does a thing says nothing about it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use outhaul_hub_core::Output;
use outhaul_protocol_session::agent::{Event, StoreContent};
use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::message::{AgentMessage, HubMessage};

/// How often what happened.
#[derive(Debug, Clone, Default)]
pub struct Coverage(BTreeMap<Cow<'static, str>, u64>);

impl Coverage {
    /// Everything that happened, by name.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (&**name, *count))
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

    pub(crate) fn note(&mut self, name: impl Into<Cow<'static, str>>) {
        *self.0.entry(name.into()).or_default() += 1;
    }

    pub(crate) fn agent_message(&mut self, message: &AgentMessage) {
        let name = match message {
            AgentMessage::Hello(_) => "agent says Hello",
            AgentMessage::Acknowledge(_) => "agent says Acknowledge",
            AgentMessage::Report(_) => "agent says Report",
            AgentMessage::Gone(_) => "agent says Gone",
            AgentMessage::HubBehind { .. } => "agent says HubBehind",
            AgentMessage::Observed(_) => "agent says Observed",
            AgentMessage::Orphans(_) => "agent says Orphans",
            AgentMessage::Policy(_) => "agent says Policy",
            AgentMessage::Unconfirmed(_) => "agent says Unconfirmed",
        };
        self.note(name);
    }

    pub(crate) fn hub_message(&mut self, message: &HubMessage) {
        let name = match message {
            HubMessage::Welcome(welcome) if welcome.converged => "hub says Welcome, converged",
            HubMessage::Welcome(_) => "hub says Welcome",
            HubMessage::Refused(_) => "hub says Refused",
            HubMessage::Announce(_) => "hub says Announce",
            HubMessage::Recorded(_) => "hub says Recorded",
            HubMessage::Settled(_) => "hub says Settled",
            HubMessage::Observed { .. } => "hub says Observed",
            HubMessage::ReportWanted(_) => "hub says ReportWanted",
            HubMessage::Closing(_) => "hub says Closing",
            HubMessage::Vouched(_) => "hub says Vouched",
        };
        self.note(name);
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
        self.note(name);
    }
}
