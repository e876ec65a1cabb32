//! From a ScheduledTaskBinding to its Release.

use outhaul_hub_resources::{Release, ReleaseState, ScheduledTaskBinding, ScheduledTaskClass};

use crate::{
    AsOpenChoreo,
    binding::{Binding, NamedClass},
    class::{
        self,
        former::{Former, Root},
    },
    cron_job,
    draft::Draft,
    problem::{ClassKind, RenderError, Warning},
    release::{self, Wanted},
};

/// What a ScheduledTaskBinding is rendered from, beside itself. All of it is of the binding's namespace.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inputs<'a> {
    /// The class that `spec.className` names.
    pub class: Option<&'a ScheduledTaskClass>,
    /// The Release of the binding's name.
    pub existing: Option<&'a Release>,
    /// What stays as OpenChoreo makes it.
    pub as_openchoreo: AsOpenChoreo,
}

/// What the binding wants of its Release: one CronJob.
///
/// # Errors
/// Nothing can be rendered; the Release stays as it is.
pub fn release(binding: &ScheduledTaskBinding, inputs: &Inputs<'_>) -> Result<Wanted, RenderError> {
    let spec = &binding.spec;
    let view = Binding::new(
        &binding.metadata,
        &spec.owner,
        &spec.environment,
        NamedClass {
            kind: ClassKind::ScheduledTask,
            name: spec.class_name.as_str(),
        },
        &spec.workload_spec,
        state(binding, inputs.as_openchoreo),
    );
    if view.state == ReleaseState::Undeploy {
        return Ok(Wanted::NoRelease);
    }
    release::of(binding, &view, draft(binding, &view, inputs), inputs.existing)
}

fn draft<'a>(
    binding: &ScheduledTaskBinding,
    view: &Binding<'_>,
    inputs: &Inputs<'a>,
) -> Result<Draft<'a>, RenderError> {
    view.check()?;
    let class = view.found(inputs.class)?;
    let mut former = Former::new(inputs.as_openchoreo);
    let template = class.spec.cron_job_template.as_ref();
    let template = former.template("spec.cronJobTemplate", template, Root::CronJob);
    let template =
        class::cron_job(template.as_deref()).map_err(view.class.malformed("spec.cronJobTemplate"))?;
    let mut draft = Draft::new(inputs.existing, view);
    draft.warnings.extend(former.warning(view.class));
    cron_job::add(&mut draft, view, template);
    if view.state != binding.spec.release_state {
        draft.warnings.push(Warning::StateIgnored);
    }
    Ok(draft)
}

/// The state that the binding is in.
pub fn state(binding: &ScheduledTaskBinding, as_openchoreo: AsOpenChoreo) -> ReleaseState {
    match as_openchoreo.task_states {
        true => ReleaseState::Active,
        false => binding.spec.release_state,
    }
}
