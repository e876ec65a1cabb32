//! Sets of fields: who owns what, what changed.
//!
//! A set is a tree. Each step is an [`Element`]; a step may be a member itself, have members below, or both. Owning
//! a list item and owning the fields in it are two things, and this is how they are kept apart.

mod compare;
mod element;
mod hollow;
mod json;
mod of_value;
mod remove;
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::schema::SchemaRef;

pub use compare::{Comparison, compare};
pub use element::{Element, Scalar};
pub use hollow::{Hollow, hollow};
pub use json::MalformedFields;
pub use of_value::of_value;
pub use remove::remove_items;

pub(crate) use element::item_element;
pub(crate) use shape::{Shape, shape};

/// A set of field paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    members: BTreeSet<Element>,
    /// Never holds an empty set.
    children: BTreeMap<Element, FieldSet>,
}

/// From the whole object to one field.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Element>);

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|element| element.fmt(f))
    }
}

impl FieldSet {
    /// The set of these paths, each given as field names.
    pub fn of_fields(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let path: Vec<Element> = path.iter().map(|name| Element::field(name)).collect();
            set.insert(&path);
        }
        set
    }

    /// Adds `path`. The empty path, the whole object, is owned by nobody and ignored.
    pub fn insert(&mut self, path: &[Element]) {
        match path {
            [] => {}
            [last] => {
                self.members.insert(last.clone());
            }
            [first, rest @ ..] => self.children.entry(first.clone()).or_default().insert(rest),
        }
    }

    /// Says all there is to say about `element`.
    fn put(&mut self, element: Element, is_member: bool, below: Self) {
        if below.is_empty() {
            self.children.remove(&element);
        } else {
            self.children.insert(element.clone(), below);
        }
        if is_member {
            self.members.insert(element);
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.is_empty()
    }

    /// Whether `element` at the top is a member itself.
    pub fn has(&self, element: &Element) -> bool {
        self.members.contains(element)
    }

    /// What is in the set below `element`.
    pub fn below(&self, element: &Element) -> Option<&Self> {
        self.children.get(element)
    }

    /// What is in either.
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.members.extend(other.members.iter().cloned());
        for (element, theirs) in &other.children {
            let ours = all.children.entry(element.clone()).or_default();
            *ours = ours.union(theirs);
        }
        all
    }

    /// What is in both.
    pub fn intersection(&self, other: &Self) -> Self {
        let members = self.members.intersection(&other.members).cloned().collect();
        Self::pruned(members, &self.children, |element, ours| {
            other
                .children
                .get(element)
                .map(|theirs| ours.intersection(theirs))
        })
    }

    /// What is in this one only, path by path: what lies below a path of `other` stays.
    pub fn difference(&self, other: &Self) -> Self {
        let members = self.members.difference(&other.members).cloned().collect();
        Self::pruned(members, &self.children, |element, ours| {
            match other.children.get(element) {
                Some(theirs) => Some(ours.difference(theirs)),
                None => Some(ours.clone()),
            }
        })
    }

    /// What is in this one only, without anything that lies below a path of `other`.
    pub fn difference_below(&self, other: &Self) -> Self {
        let members = self.members.difference(&other.members).cloned().collect();
        Self::pruned(members, &self.children, |element, ours| {
            match other.children.get(element) {
                _ if other.members.contains(element) => None,
                Some(theirs) => Some(ours.difference_below(theirs)),
                None => Some(ours.clone()),
            }
        })
    }

    /// The set with every declared field on the way to a member made a member too, so that removing all fields of a
    /// struct removes the struct. Map entries and list items are members only where somebody made them so.
    #[must_use]
    pub fn with_declared_parents(&self, schema: Option<SchemaRef<'_>>) -> Self {
        let mut members = self.members.clone();
        let mut children = BTreeMap::new();
        for (element, below) in &self.children {
            let declared = schema
                .zip(element.as_field())
                .and_then(|(schema, name)| schema.field(name));
            if declared.is_some() {
                members.insert(element.clone());
            }
            let schema_below = declared.or_else(|| schema.and_then(|schema| element.schema_below(schema)));
            children.insert(element.clone(), below.with_declared_parents(schema_below));
        }
        Self { members, children }
    }

    /// All paths, in order: a member before what lies below it.
    pub fn paths(&self) -> Vec<Path> {
        let mut paths = Vec::new();
        self.collect_paths(&mut Vec::new(), &mut paths);
        paths
    }

    /// Members of this level first, then what is below, as the API server lists conflicts.
    fn collect_paths(&self, prefix: &mut Vec<Element>, into: &mut Vec<Path>) {
        for member in &self.members {
            let mut path = prefix.clone();
            path.push(member.clone());
            into.push(Path(path));
        }
        for (element, below) in &self.children {
            prefix.push(element.clone());
            below.collect_paths(prefix, into);
            prefix.pop();
        }
    }

    /// The same steps with the sets that `keep` makes of what is below; empty ones are left out.
    fn pruned(
        members: BTreeSet<Element>,
        children: &BTreeMap<Element, Self>,
        keep: impl Fn(&Element, &Self) -> Option<Self>,
    ) -> Self {
        let kept = |(element, below): (&Element, &Self)| {
            let below = keep(element, below).filter(|below| !below.is_empty())?;
            Some((element.clone(), below))
        };
        Self {
            members,
            children: children.iter().filter_map(kept).collect(),
        }
    }
}
