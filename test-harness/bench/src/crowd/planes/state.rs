//! What one plane holds and reports, in memory.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use outhaul_protocol_session::agent::{Event, Holding, Plane, ReportView, Session, Standing, Store};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, Key, Version};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::policy::Policy;
use outhaul_protocol_wire::report::{self, Health, ObjectReport, RawStatus};

use crate::course::TARGET;

/// What one plane holds and reports.
#[derive(Debug, Default)]
pub(super) struct State {
    holdings: BTreeMap<Key, Holding>,
    known: BTreeMap<Key, Known>,
}

#[derive(Debug)]
struct Known {
    version: Version,
    objects: [ObjectReport; 1],
    observed: Digest,
}

impl State {
    /// Stores and reports at once what the hub wants.
    pub(super) fn act(&mut self, event: Event, session: &mut Session) -> Result<()> {
        match event {
            Event::Store(Store { head, recorded, .. }) => {
                let (key, version) = (head.key.clone(), head.version);
                let standing = match recorded {
                    true => Standing::Recorded,
                    false => Standing::Unrecorded,
                };
                self.holdings.insert(
                    key.clone(),
                    Holding {
                        head,
                        standing,
                        whole: true,
                    },
                );
                session.stored(&key, version);
                self.look(&key, session);
            }
            Event::Recorded(held) => {
                if let Some(holding) = self.holdings.get_mut(&held.key) {
                    holding.standing = Standing::Recorded;
                }
                self.look(&held.key, session);
            }
            Event::Welcomed(_) | Event::Refused(_) | Event::Closing(_) | Event::Vouched(_) => {}
            Event::Orphaned(keys) => bail!("the hub does not know {} bundles that it sent", keys.len()),
            Event::Settled(held) => bail!("{} was settled, and nobody removed it", held.key),
        }
        Ok(())
    }

    fn look(&mut self, key: &Key, session: &mut Session) {
        let Some(holding) = self.holdings.get(key).filter(|it| it.counts()) else {
            return;
        };
        let objects = [config_map(key)];
        let observed = report::observed(&objects, []);
        let known = Known {
            version: holding.head.version,
            objects,
            observed,
        };
        self.known.insert(key.clone(), known);
        session.changed_whole(key.clone());
    }
}

impl Plane for State {
    fn holding(&self, key: &Key) -> Option<&Holding> {
        self.holdings.get(key)
    }

    fn storing(&self, _key: &Key) -> Option<&Head> {
        None
    }

    fn holdings(&self) -> impl Iterator<Item = &Holding> {
        self.holdings.values()
    }

    fn report(&self, key: &Key) -> Option<ReportView<'_>> {
        self.known.get(key).map(|known| ReportView {
            version: known.version,
            objects: &known.objects,
            leftovers: &[],
            observed: known.observed,
        })
    }

    fn observed(&self) -> Option<impl Iterator<Item = (&Key, &Digest)>> {
        Some(self.known.iter().map(|(key, known)| (key, &known.observed)))
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    fn is_unconfirmed(&self) -> bool {
        false
    }
}

/// The one object of each Release of the crowd.
fn config_map(key: &Key) -> ObjectReport {
    let name = format!("{}-0", key.name);
    ObjectReport {
        id: name.clone(),
        object: ObjectRef {
            group: String::new(),
            version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            namespace: TARGET.to_owned(),
            name,
        },
        uid: None,
        health: Health::Healthy,
        status: RawStatus::Absent,
        blocker: None,
    }
}
