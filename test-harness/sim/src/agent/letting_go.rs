//! How broken agents let go what a plane would hold.

use outhaul_agent_core::budget::LEAST;
use outhaul_agent_core::held::Held;
use outhaul_agent_core::item::Item;
use outhaul_agent_core::plane::{Change, Write};
use outhaul_agent_core::record::Record;
use outhaul_protocol_session::agent::{Plane as _, Standing, Store, StoreContent};
use outhaul_protocol_wire::head::{Confirmed, Head};

use crate::broken::Broken;
use crate::world::World;

impl World {
    /// A broken agent confirms to itself what it should hold.
    pub(super) fn confirm_to_itself(&mut self, number: usize) {
        let broken = self.broken;
        let Some(running) = &mut self.planes[number].running else {
            return;
        };
        let plane = &mut running.plane;
        let heads = plane.items().filter(|item| lets_go(item, broken));
        let heads: Vec<Head> = heads.map(|item| item.holding.head.clone()).collect();
        for head in heads.into_iter().filter(|head| head.confirmed.is_none()) {
            if plane.storing(&head.key).is_some() {
                continue;
            }
            let head = Head {
                confirmed: Some(Confirmed::Remove),
                ..head
            };
            let store = Store {
                head,
                recorded: true,
                content: StoreContent::Kept,
            };
            plane.take(store).expect("nothing new comes with it");
        }
    }

    /// What a broken agent writes instead. Returns whether it stops then.
    pub(super) fn write_wrongly(&mut self, number: usize, write: &mut Write) -> bool {
        let (Change::Replace(record, _) | Change::Update(record) | Change::Empty(record)) = &mut write.change
        else {
            return false;
        };
        match self.broken {
            Some(Broken::BudgetOff | Broken::BudgetPerResource | Broken::ProtectionIgnored) => {
                record.head.confirmed = None;
                false
            }
            Some(Broken::AttemptNotRecorded) => {
                let began = |run: &outhaul_agent_core::once::Run| run.end.is_some();
                for item in &mut record.inventory {
                    item.run = item.run.take().filter(began);
                }
                false
            }
            Some(Broken::BudgetForgotten) => {
                record.spent.clear();
                false
            }
            Some(Broken::PartGoes) if record.held == Some(Held::OverBudget) => {
                let running = self.planes[number].running.as_ref();
                let item = running.and_then(|it| it.plane.items().find(|item| item.key() == &write.key));
                item.is_some_and(|item| allow_one(record, item))
            }
            _ => false,
        }
    }
}

fn lets_go(item: &Item, broken: Option<Broken>) -> bool {
    let in_place = item.unreadable.is_none() && item.objects.iter().all(|object| object.is_applied());
    if !in_place || item.holding.standing != Standing::Recorded {
        return false;
    }
    match (broken, item.held) {
        (Some(Broken::BudgetOff), Some(Held::OverBudget))
        | (Some(Broken::ProtectionIgnored), Some(Held::Protected)) => true,
        (Some(Broken::BudgetPerResource), Some(Held::OverBudget)) => item.departing.len() <= LEAST,
        _ => false,
    }
}

fn allow_one(record: &mut Record, item: &Item) -> bool {
    let there = item.departing.iter().find(|departing| departing.uid.is_some());
    let entry = there.and_then(|there| {
        let mut entries = record.inventory.iter_mut();
        entries.find(|entry| entry.object == there.reference)
    });
    entry.is_some_and(|entry| !core::mem::replace(&mut entry.allowed, true))
}
