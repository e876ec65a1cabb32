//! The Release of a binding.

use kube::{Resource, ResourceExt as _};
use outhaul_hub_resources::{ComponentOwner, Release, ReleaseSpec};

use crate::{
    binding::Binding,
    change::{self, Change},
    draft::Draft,
    labels,
    problem::{Problem, RenderError, Warning},
};

/// What a binding wants of its Release.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// That it says this.
    Release(Rendered),
    /// That there is none: its objects leave their plane with it.
    NoRelease,
}

/// What a Release is to say, and what is to be said about that.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// What is to be written.
    pub change: Change<Release>,
    /// What could not be rendered. Everything else is in the Release; of these the stored form is, where there is one.
    pub problems: Vec<Problem>,
    /// What is rendered otherwise than one may expect.
    pub warnings: Vec<Warning>,
    /// The class whose templates its objects are made of, with its kind.
    pub class: Option<String>,
}

/// A Release with what was drafted. Intervals that somebody set go: the binding says all.
pub(crate) fn of<P: Resource<DynamicType = ()>>(
    parent: &P,
    binding: &Binding<'_>,
    draft: Draft<'_>,
    existing: Option<&Release>,
) -> Result<Wanted, RenderError> {
    let labels = labels::in_control_plane(parent.meta(), binding.owner, binding.environment);
    let spec = ReleaseSpec {
        owner: binding.owner.clone(),
        environment_name: binding.environment.to_owned(),
        resources: draft.resources,
        interval: None,
        progressing_interval: None,
    };
    let wanted = Release::new(binding.name, spec);
    Ok(Wanted::Release(Rendered {
        change: change::of(parent, existing, Some(labels), wanted)?,
        problems: draft.problems,
        warnings: draft.warnings,
        class: Some(format!("{} {:?}", binding.class.kind, binding.class.name)),
    }))
}

/// A Release without objects and labels, for an API that is no part of a component.
pub(crate) fn empty<P: Resource<DynamicType = ()>>(
    parent: &P,
    owner: &ComponentOwner,
    environment: &str,
    existing: Option<&Release>,
) -> Result<Change<Release>, RenderError> {
    let spec = ReleaseSpec {
        owner: owner.clone(),
        environment_name: environment.to_owned(),
        ..ReleaseSpec::default()
    };
    let wanted = Release::new(&parent.name_any(), spec);
    Ok(change::of(parent, existing, None, wanted)?)
}
