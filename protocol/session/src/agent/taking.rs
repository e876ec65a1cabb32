//! Heads on their way from the announcement into the plane's store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use outhaul_protocol_wire::content::{Content, Fetched};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, HeadState, Key, Version};
use outhaul_protocol_wire::message::{Announced, Held};

use super::plane::{Holding, Plane, Standing};
use super::{Event, FETCHES, Store, StoreContent};

/// What came of a fetch.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) events: Vec<Event>,
    /// Heads that the hub has replaced since: they are not taken, and no longer wait.
    pub(super) superseded: Vec<Held>,
}

/// The newest head per key that is being fetched or stored.
#[derive(Debug, Default)]
pub(super) struct Taking {
    heads: BTreeMap<Key, Taken>,
    to_fetch: VecDeque<Digest>,
    fetching: BTreeSet<Digest>,
}

#[derive(Debug)]
struct Taken {
    head: Head,
    recorded: bool,
    /// Whether the content is still to come; otherwise the driver is storing it.
    fetching: bool,
}

/// What an announced head is to this plane.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Newer than what it has.
    Take,
    /// The same is being fetched or stored.
    UnderWay,
    /// It holds the same.
    Held { newly_recorded: bool },
    /// It was removed, and the hub has forgotten that it settled that.
    GoneBefore,
    /// It holds something newer, or the same version with other content.
    HubBehind { version: Version, digest: Digest },
}

impl Taking {
    pub(super) fn judge(&self, announced: &Announced, plane: &impl Plane) -> Judgement {
        let head = &announced.head;
        let taken = self.heads.get(&head.key).map(|taken| &taken.head);
        if let Some(under_way) = taken.or_else(|| plane.storing(&head.key)) {
            return match precedes(head, under_way) {
                Precedes::Newer | Precedes::Reconfirmed => Judgement::Take,
                Precedes::Same => Judgement::UnderWay,
                Precedes::Older => behind(under_way),
            };
        }
        let Some(holding) = plane.holding(&head.key) else {
            return Judgement::Take;
        };
        match precedes(head, &holding.head) {
            Precedes::Newer => Judgement::Take,
            Precedes::Reconfirmed => reconfirmed(holding),
            Precedes::Same => same(announced, holding),
            Precedes::Older => behind(&holding.head),
        }
    }

    /// Takes a head; gives it out at once if nothing has to be fetched.
    pub(super) fn take(&mut self, announced: Announced, plane: &impl Plane) -> Option<Event> {
        let Announced {
            head,
            recorded,
            content,
        } = announced;
        let content = self.content_at_hand(&head, content, plane);
        let digest = head.digest;
        self.heads.insert(
            head.key.clone(),
            Taken {
                head: head.clone(),
                recorded,
                fetching: content.is_none(),
            },
        );
        let Some(content) = content else {
            self.fetch(digest);
            return None;
        };
        Some(Event::Store(Store {
            head,
            recorded,
            content,
        }))
    }

    /// The hub has recorded the plane in the resource, at this version.
    pub(super) fn recorded(&mut self, held: Held, plane: &impl Plane) -> Option<Event> {
        match self.heads.get_mut(&held.key) {
            Some(taken) if taken.head.version == held.version => {
                let handed_out = !taken.fetching && !taken.recorded;
                taken.recorded = true;
                // While it is fetched the word waits with it; while it is stored it has to follow it.
                handed_out.then_some(Event::Recorded(held))
            }
            Some(_) | None => waits_for_recording(&held, plane).then_some(Event::Recorded(held)),
        }
    }

    pub(super) fn recorded_if(&mut self, recorded: bool, held: Held, plane: &impl Plane) -> Option<Event> {
        recorded.then(|| self.recorded(held, plane)).flatten()
    }

    /// The driver has stored this version.
    pub(super) fn stored(&mut self, key: &Key, version: Version) {
        if self
            .heads
            .get(key)
            .is_some_and(|taken| taken.head.version <= version)
        {
            self.heads.remove(key);
        }
    }

    pub(super) fn poll_fetch(&mut self) -> Option<Digest> {
        while self.fetching.len() < FETCHES {
            let digest = self.to_fetch.pop_front()?;
            // Superseded while it waited.
            if self.wants(&digest) && self.fetching.insert(digest) {
                return Some(digest);
            }
        }
        None
    }

    pub(super) fn fetched(&mut self, digest: &Digest, answer: Fetched) -> Outcome {
        self.fetching.remove(digest);
        let mut outcome = Outcome::default();
        match answer {
            Fetched::Content(content) => outcome.events = self.give_out(digest, &content),
            Fetched::NotQueued => {
                let dropped = self.heads.extract_if(.., |_, taken| taken.waits_for(digest));
                outcome.superseded = dropped
                    .map(|(key, taken)| Held {
                        key,
                        version: taken.head.version,
                    })
                    .collect();
            }
        }
        outcome
    }

    pub(super) fn fetch_failed(&mut self, digest: &Digest) {
        self.fetching.remove(digest);
        self.fetch(*digest);
    }

    fn content_at_hand(
        &self,
        head: &Head,
        inline: Option<Content>,
        plane: &impl Plane,
    ) -> Option<StoreContent> {
        match head.state {
            HeadState::Present if self.keeps(head, plane) => Some(StoreContent::Kept),
            HeadState::Removed if self.knows(head, plane) => Some(StoreContent::Kept),
            HeadState::Present | HeadState::Removed => inline.map(StoreContent::New),
            HeadState::Left => Some(StoreContent::Kept),
        }
    }

    /// Whether the plane knows which objects go with a removed head. One that lost its store does not: it learns them
    /// from the content, looks for each, and only then says that they are gone.
    fn knows(&self, head: &Head, plane: &impl Plane) -> bool {
        let handed_out = self.heads.get(&head.key).is_some_and(|taken| !taken.fetching);
        handed_out || plane.storing(&head.key).is_some() || plane.holding(&head.key).is_some()
    }

    /// Whether the plane will still have this content when the head is stored: a write under way may replace it.
    fn keeps(&self, head: &Head, plane: &impl Plane) -> bool {
        let handed_out = self.heads.get(&head.key).is_some_and(|taken| !taken.fetching);
        let has_it = |holding: &Holding| {
            holding.head.digest == head.digest
                && holding.head.state == HeadState::Present
                && holding.standing != Standing::Settled
                && holding.whole
        };
        !handed_out && plane.storing(&head.key).is_none() && plane.holding(&head.key).is_some_and(has_it)
    }

    fn fetch(&mut self, digest: Digest) {
        if !self.fetching.contains(&digest) && !self.to_fetch.contains(&digest) {
            self.to_fetch.push_back(digest);
        }
    }

    fn wants(&self, digest: &Digest) -> bool {
        self.heads.values().any(|taken| taken.waits_for(digest))
    }

    fn give_out(&mut self, digest: &Digest, content: &Content) -> Vec<Event> {
        let waiting = self.heads.values_mut().filter(|taken| taken.waits_for(digest));
        waiting
            .map(|taken| {
                taken.fetching = false;
                Event::Store(Store {
                    head: taken.head.clone(),
                    recorded: taken.recorded,
                    content: StoreContent::New(content.clone()),
                })
            })
            .collect()
    }
}

impl Taken {
    fn waits_for(&self, digest: &Digest) -> bool {
        self.fetching && self.head.digest == *digest
    }
}

enum Precedes {
    Newer,
    /// The same, but for what somebody confirmed about it or took back.
    Reconfirmed,
    Same,
    Older,
}

/// How `head` stands to what is `known`. The same version of something else is not newer.
fn precedes(head: &Head, known: &Head) -> Precedes {
    if head.version > known.version {
        return Precedes::Newer;
    }
    if head == known {
        return Precedes::Same;
    }
    let as_confirmed = Head {
        confirmed: known.confirmed,
        ..head.clone()
    };
    match as_confirmed == *known {
        true => Precedes::Reconfirmed,
        false => Precedes::Older,
    }
}

/// Of what is gone for sure, nothing is left to be confirmed.
fn reconfirmed(holding: &Holding) -> Judgement {
    match holding.standing {
        Standing::Gone | Standing::Settled if holding.whole => Judgement::GoneBefore,
        Standing::Gone
        | Standing::Settled
        | Standing::Recorded
        | Standing::Unrecorded
        | Standing::Orphaned => Judgement::Take,
    }
}

fn same(announced: &Announced, holding: &Holding) -> Judgement {
    match holding.standing {
        _ if !holding.whole => Judgement::Take,
        Standing::Recorded => Judgement::Held {
            newly_recorded: false,
        },
        Standing::Unrecorded => Judgement::Held {
            newly_recorded: announced.recorded,
        },
        // A hub that knows it again: it is stored anew, as part of the roots.
        Standing::Orphaned => Judgement::Take,
        Standing::Gone | Standing::Settled => Judgement::GoneBefore,
    }
}

fn waits_for_recording(held: &Held, plane: &impl Plane) -> bool {
    let stored = plane.holding(&held.key).is_some_and(|holding| {
        holding.standing == Standing::Unrecorded && holding.head.version == held.version
    });
    stored
        || plane
            .storing(&held.key)
            .is_some_and(|head| head.version == held.version)
}

fn behind(known: &Head) -> Judgement {
    Judgement::HubBehind {
        version: known.version,
        digest: known.digest,
    }
}
