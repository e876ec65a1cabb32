//! How well the agent sees the objects of each kind: which are watched, and what the list of a kind showed.
//!
//! A watch is one list and then its changes, and now and then a list again. An object that a complete list does not
//! name has vanished, unless an answer told of it while the list was under way.

use std::collections::BTreeSet;

use outhaul_protocol_wire::head::BundleKind;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::Blocker;

use crate::blocker::Failure;
use crate::number;

/// All objects of one kind that carry the tracking labels of one kind of resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watched {
    /// API group; empty for the core group.
    pub group: String,
    /// API version without the group.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Whose labels they carry.
    pub owner: BundleKind,
}

/// How well one object can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// The list of its kind is not complete yet.
    Listing,
    /// Every object of its kind that carries our labels is known.
    Clear {
        /// Whether one of the same name carries the labels of a resource that this plane does not hold.
        stranger: bool,
    },
    /// The API server does not let the agent watch its kind.
    Refused(Failure),
}

/// The watches.
#[derive(Debug, Default)]
pub struct Kinds {
    /// In order. They are looked up for each object again and again, by names that are not to be copied for that.
    kinds: Vec<(Watched, Kind)>,
    revision: u64,
}

#[derive(Debug, Default)]
struct Kind {
    /// Objects that are wanted or on their way out.
    users: usize,
    state: State,
    /// Counts lists.
    listing: u64,
    /// What the list under way has named, by their numbers.
    named: BTreeSet<u64>,
    /// Objects of resources that the plane does not hold, by their numbers: a few bytes each, however many there are.
    strangers: BTreeSet<u64>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Listing,
    Clear,
    Refused(Failure),
}

impl Watched {
    /// The watch that shows an object of a resource of this kind.
    pub fn of(object: &ObjectRef, owner: BundleKind) -> Self {
        Self {
            group: object.group.clone(),
            version: object.version.clone(),
            kind: object.kind.clone(),
            owner,
        }
    }
}

impl Watched {
    /// Whether it shows objects of the kind of this one.
    pub fn shows(&self, object: &ObjectRef) -> bool {
        (&self.group, &self.version, &self.kind) == (&object.group, &object.version, &object.kind)
    }
}

/// Either may own what the other wants.
const OWNERS: [BundleKind; 2] = [BundleKind::Release, BundleKind::Bundle];

impl Sight {
    /// A watch that is refused leaves status and drift unseen.
    pub fn blocker(&self) -> Option<Blocker> {
        match self {
            Self::Listing | Self::Clear { .. } => None,
            Self::Refused(failure) => Some(failure.blocker()),
        }
    }

    /// Whether anything can be said about an object that was not seen.
    pub fn is_conclusive(&self) -> bool {
        match self {
            Self::Clear { .. } => true,
            Self::Listing => false,
            Self::Refused(failure) => !failure.tells_nothing(),
        }
    }
}

impl Kinds {
    /// One more object of this kind counts. The labels of both kinds of resources are watched, since either may own
    /// what the other wants.
    pub fn add(&mut self, object: &ObjectRef) {
        for owner in OWNERS {
            let place = self.place(object, owner).unwrap_or_else(|place| {
                let new = (Watched::of(object, owner), Kind::default());
                self.kinds.insert(place, new);
                self.revision += 1;
                place
            });
            self.kinds[place].1.users += 1;
        }
    }

    /// One object of this kind counts no more.
    pub fn release(&mut self, object: &ObjectRef) {
        for owner in OWNERS {
            if let Ok(place) = self.place(object, owner) {
                let kind = &mut self.kinds[place].1;
                kind.users -= 1;
                if kind.users == 0 {
                    self.revision += 1;
                    self.kinds.remove(place);
                }
            }
        }
    }

    /// Grows whenever what is watched changes.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What is watched.
    pub fn watched(&self) -> impl Iterator<Item = &Watched> {
        self.kinds.iter().map(|(watched, _)| watched)
    }

    /// How well `object` can be seen.
    pub fn sight(&self, object: &ObjectRef) -> Sight {
        let mut stranger = false;
        for owner in OWNERS {
            let Ok(place) = self.place(object, owner) else {
                return Sight::Listing;
            };
            let kind = &self.kinds[place].1;
            match &kind.state {
                State::Listing => return Sight::Listing,
                // Most kinds have none, and then there is nothing to look up.
                State::Clear if kind.strangers.is_empty() => {}
                State::Clear => stranger |= kind.strangers.contains(&number::of(object)),
                State::Refused(failure) => return Sight::Refused(failure.clone()),
            }
        }
        Sight::Clear { stranger }
    }

    /// Counts the lists of an object's kind.
    pub fn listing(&self, object: &ObjectRef, owner: BundleKind) -> u64 {
        let place = self.place(object, owner);
        place.map_or(0, |place| self.kinds[place].1.listing)
    }

    /// A list begins. What was known stays known until it is complete.
    pub fn restarted(&mut self, watched: &Watched) {
        if let Some(kind) = self.get_mut(watched) {
            kind.listing += 1;
            kind.named.clear();
        }
    }

    /// The list, or a change after it, shows this object.
    pub fn named(&mut self, watched: &Watched, object: &ObjectRef, stranger: bool) {
        let Some(kind) = self.get_mut(watched) else {
            return;
        };
        let number = number::of(object);
        kind.named.insert(number);
        match stranger {
            true => kind.strangers.insert(number),
            false => kind.strangers.remove(&number),
        };
    }

    /// This object is not there any more.
    pub fn vanished(&mut self, watched: &Watched, object: &ObjectRef) {
        if let Some(kind) = self.get_mut(watched) {
            kind.strangers.remove(&number::of(object));
        }
    }

    /// The list is complete. Returns a test for what it named.
    pub fn synced(&mut self, watched: &Watched) -> impl Fn(&ObjectRef) -> bool + use<> {
        let named = self.get_mut(watched).map(|kind| {
            kind.state = State::Clear;
            let named = core::mem::take(&mut kind.named);
            kind.strangers.retain(|stranger| named.contains(stranger));
            named
        });
        move |object| {
            named
                .as_ref()
                .is_none_or(|named| named.contains(&number::of(object)))
        }
    }

    fn place(&self, object: &ObjectRef, owner: BundleKind) -> Result<usize, usize> {
        let wanted = (&object.group, &object.version, &object.kind, owner);
        self.kinds
            .binary_search_by(|(it, _)| (&it.group, &it.version, &it.kind, it.owner).cmp(&wanted))
    }

    fn get_mut(&mut self, watched: &Watched) -> Option<&mut Kind> {
        let place = self.kinds.binary_search_by(|(it, _)| it.cmp(watched)).ok()?;
        Some(&mut self.kinds[place].1)
    }

    /// The watch does not work. Returns whether that is news.
    pub fn refused(&mut self, watched: &Watched, failure: Failure) -> bool {
        let Some(kind) = self.get_mut(watched) else {
            return false;
        };
        match &kind.state {
            State::Refused(known) if *known == failure => false,
            // What was seen stays true enough until the server is back.
            State::Clear if failure.tells_nothing() => false,
            State::Clear | State::Listing | State::Refused(_) => {
                kind.state = State::Refused(failure);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::object;

    fn watching() -> (Kinds, Watched) {
        let mut kinds = Kinds::default();
        kinds.add(&object("one"));
        let _ = kinds.synced(&Watched::of(&object("one"), BundleKind::Bundle));
        (kinds, Watched::of(&object("one"), BundleKind::Release))
    }

    fn sight(kinds: &Kinds, name: &str) -> Sight {
        kinds.sight(&object(name))
    }

    #[test]
    fn a_complete_list_shows_who_is_a_stranger_and_who_is_not_there() {
        let (mut kinds, watched) = watching();
        kinds.restarted(&watched);
        kinds.named(&watched, &object("stranger"), true);
        kinds.named(&watched, &object("ours"), false);
        assert_eq!(sight(&kinds, "stranger"), Sight::Listing);
        let named = kinds.synced(&watched);
        assert!(named(&object("ours")) && !named(&object("nobody")));
        assert_eq!(sight(&kinds, "stranger"), Sight::Clear { stranger: true });
        assert_eq!(sight(&kinds, "ours"), Sight::Clear { stranger: false });
        kinds.vanished(&watched, &object("stranger"));
        assert_eq!(sight(&kinds, "stranger"), Sight::Clear { stranger: false });
    }

    #[test]
    fn a_kind_is_watched_for_as_long_as_an_object_of_it_counts() {
        let (mut kinds, _) = watching();
        kinds.add(&object("two"));
        kinds.release(&object("one"));
        assert_eq!(kinds.watched().count(), 2);
        kinds.release(&object("two"));
        assert_eq!(kinds.watched().count(), 0);
        assert_eq!(sight(&kinds, "one"), Sight::Listing);
    }

    #[test]
    fn a_watch_that_breaks_takes_nothing_out_of_sight_and_a_refused_one_does() {
        let (mut kinds, watched) = watching();
        let _ = kinds.synced(&watched);
        assert!(!kinds.refused(&watched, Failure::Unreachable("gone".into())));
        assert_eq!(sight(&kinds, "one"), Sight::Clear { stranger: false });
        let unknown = Failure::KindUnknown("ConfigMap".into());
        assert!(kinds.refused(&watched, unknown.clone()));
        assert!(!kinds.refused(&watched, unknown.clone()));
        assert_eq!(sight(&kinds, "one"), Sight::Refused(unknown));
    }
}
