//! The Release of a binding.

use kube::{Resource, ResourceExt as _};
use outhaul_hub_resources::{ComponentOwner, Release, ReleaseSpec, ReleaseState};

use crate::{
    binding::Binding,
    change::{self, Change},
    draft::{self, Draft},
    labels,
    problem::{Problem, RenderError, Warning},
    readiness::{self, Readiness},
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
    /// Why nothing could be rendered at all: then it is the Release that is stored, with nothing in it that runs.
    pub unrendered: Option<Readiness>,
    /// Whether requests go where they went, whatever the binding says: what they lead to is the stored form.
    pub keeps_addresses: bool,
    /// What is rendered otherwise than one may expect.
    pub warnings: Vec<Warning>,
    /// The class whose templates its objects are made of, with its kind.
    pub class: Option<String>,
}

impl Wanted {
    /// Whether anything was rendered, if only that there is to be nothing.
    pub fn is_rendered(&self) -> bool {
        match self {
            Self::Release(rendered) => rendered.unrendered.is_none(),
            Self::NoRelease => true,
        }
    }
}

impl Wanted {
    /// Whether requests go where they went, whatever the binding says.
    pub fn keeps_addresses(&self) -> bool {
        matches!(self, Self::Release(rendered) if rendered.keeps_addresses)
    }
}

impl Rendered {
    /// Whether some of it, or all, is the stored form.
    pub fn is_partial(&self) -> bool {
        self.unrendered.is_some() || !self.problems.is_empty()
    }

    /// What is said about it, where nothing is to be written.
    pub fn without_change(&self) -> Self {
        Self {
            change: Change::Keep,
            problems: self.problems.clone(),
            unrendered: self.unrendered.clone(),
            keeps_addresses: self.keeps_addresses,
            warnings: self.warnings.clone(),
            class: self.class.clone(),
        }
    }
}

/// A Release with what was drafted. Intervals that somebody set go: the binding says all.
///
/// # Errors
/// Nothing could be drafted, and there is nothing to suspend; or the Release is another's.
pub(crate) fn of<P: Resource<DynamicType = ()>>(
    parent: &P,
    binding: &Binding<'_>,
    draft: Result<Draft<'_>, RenderError>,
    existing: Option<&Release>,
) -> Result<Wanted, RenderError> {
    let draft = match draft {
        Ok(draft) => draft,
        Err(error) => {
            let why = readiness::of_error(&error);
            return unrendered(parent, binding.state, existing, why).ok_or(error);
        }
    };
    let labels = labels::in_control_plane(parent.meta(), binding.owner, binding.environment);
    let keeps_addresses = draft.keeps_deployment();
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
        unrendered: None,
        keeps_addresses,
        warnings: draft.warnings,
        class: Some(format!("{} {:?}", binding.class.kind, binding.class.name)),
    }))
}

/// What is wanted where nothing can be rendered, for this reason. A binding that says `Suspend` is obeyed all the same:
/// nothing of the stored Release is to run. None where that is all there is to say: the Release stays as it is.
pub fn unrendered<P: Resource<DynamicType = ()>>(
    parent: &P,
    state: ReleaseState,
    existing: Option<&Release>,
    why: Readiness,
) -> Option<Wanted> {
    let existing = existing.filter(|_| state == ReleaseState::Suspend)?;
    let mut wanted = Release::new(&parent.name_any(), existing.spec.clone());
    for resource in &mut wanted.spec.resources {
        draft::suspend(&mut resource.object);
    }
    Some(Wanted::Release(Rendered {
        change: change::of(parent, Some(existing), None, wanted).ok()?,
        problems: Vec::new(),
        unrendered: Some(why),
        keeps_addresses: true,
        warnings: Vec::new(),
        class: None,
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
