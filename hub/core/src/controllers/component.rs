//! Services, WebApplications and ScheduledTasks: each makes a binding of its Workload.

use outhaul_hub_render::{Change, RenderError, reason, scheduled_task, service, web_application};
use outhaul_hub_resources::{
    ComponentOwner, ConditionStatus, ScheduledTask, ScheduledTaskBinding, Service, ServiceBinding,
    WebApplication, WebApplicationBinding, Workload,
};
use serde::Serialize;

use super::Watched;
use super::look::{Look, Plan, Write};
use super::owner::{self, GRACE};
use super::saying::{self, Former, Saying, WITHOUT_EFFECT};
use super::status::Words;

/// The Workload that is named does not exist.
const WORKLOAD_NOT_FOUND: &str = "WorkloadNotFound";

/// The API server did not take the binding.
const BINDING_FAILED: &str = "BindingFailed";

/// A component of some type.
pub(super) trait Component: Watched {
    type Binding: Watched + Serialize;

    fn workload_name(&self) -> &str;
    fn owner(&self) -> &ComponentOwner;
    /// Whether it has overrides, which are copied and change nothing.
    fn has_overrides(&self) -> bool;
    fn status(&self) -> Option<&ConditionStatus>;
    fn is_going(&self) -> bool;
    fn binding(
        &self,
        workload: &Workload,
        existing: Option<&Self::Binding>,
        first_environment: &str,
    ) -> Result<Change<Self::Binding>, RenderError>;
}

macro_rules! component {
    ($($kind:ident, $binding:ident, $module:ident;)*) => { $(
        impl Component for $kind {
            type Binding = $binding;

            fn workload_name(&self) -> &str {
                &self.spec.workload_name
            }

            fn owner(&self) -> &ComponentOwner {
                &self.spec.owner
            }

            fn has_overrides(&self) -> bool {
                !self.spec.overrides.is_empty()
            }

            fn status(&self) -> Option<&ConditionStatus> {
                self.status.as_ref()
            }

            fn is_going(&self) -> bool {
                self.metadata.deletion_timestamp.is_some()
            }

            fn binding(
                &self,
                workload: &Workload,
                existing: Option<&$binding>,
                first_environment: &str,
            ) -> Result<Change<$binding>, RenderError> {
                $module::binding(self, workload, existing, first_environment)
            }
        }
    )* };
}

component! {
    Service, ServiceBinding, service;
    WebApplication, WebApplicationBinding, web_application;
    ScheduledTask, ScheduledTaskBinding, scheduled_task;
}

/// What is to be done about a component: its binding is written. Its status speaks only of what is wrong.
pub(super) fn plan<C: Component>(look: &mut Look<'_>, component: &C) -> Plan {
    if component.is_going() {
        return Plan::Nothing;
    }
    let namespace = look.key.namespace.as_str();
    let name = component.workload_name();
    let workload = match look.stores.get::<Workload>(namespace, name) {
        Some(Ok(workload)) => workload,
        Some(Err(why)) => {
            let message = format!("Workload {name:?} cannot be read: {}", why.0);
            return complain(look, component, reason::INVALID_CONFIGURATION, message);
        }
        None => return missing(look, component),
    };
    look.memory.missing = None;
    let existing = match look.stores.get::<C::Binding>(namespace, &look.key.name) {
        Some(Ok(existing)) => Some(existing),
        Some(Err(why)) => {
            let message = format!(
                "{} {:?} cannot be read: {}",
                C::Binding::KIND,
                look.key.name,
                why.0
            );
            return complain(look, component, reason::INVALID_CONFIGURATION, message);
        }
        None => None,
    };
    match component.binding(workload, existing, look.first_environment) {
        Err(error) => complain(look, component, reason::INVALID_CONFIGURATION, error.to_string()),
        Ok(change) => match look.write(&change) {
            Write::Due(step) => Plan::Step(Box::new(step), Vec::new()),
            Write::Held(_, message) => complain(look, component, BINDING_FAILED, message),
            Write::Settled => say(look, component, Some(workload), None),
        },
    }
}

/// That the Workload says it belongs to another component: the objects go by what the component's resource says.
fn another_owner<C: Component>(component: &C, workload: &Workload) -> Option<String> {
    let (own, other) = (component.owner(), &workload.spec.owner);
    (own != other).then(|| {
        format!(
            "spec.owner of Workload {:?} has no effect: it names component {:?} of project {:?}, and this is {:?} of \
             {:?}; correct one of the two",
            component.workload_name(),
            other.component_name,
            other.project_name,
            own.component_name,
            own.project_name,
        )
    })
}

fn missing<C: Component>(look: &mut Look<'_>, component: &C) -> Plan {
    let now = look.now.uptime;
    let until = *look.memory.missing.get_or_insert(now) + GRACE;
    if now < until {
        return Plan::Rest(until);
    }
    let message = format!(
        "Workload {:?} not found: create it, or correct spec.workloadName",
        component.workload_name()
    );
    complain(look, component, WORKLOAD_NOT_FOUND, message)
}

fn complain<C: Component>(look: &mut Look<'_>, component: &C, reason: &str, message: String) -> Plan {
    let words = Words {
        ready: false,
        reason: reason.to_owned(),
        message,
        is_stuck: false,
    };
    say(look, component, None, Some(words))
}

/// Without words, what was said of something that is mended is taken back.
fn say<C: Component>(
    look: &mut Look<'_>,
    component: &C,
    workload: Option<&Workload>,
    ready: Option<Words>,
) -> Plan {
    let overrides = "spec.overrides has no effect: leave it out, and set what it is for in class or workload";
    let overrides = component.has_overrides().then(|| overrides.to_owned());
    let owner = workload.and_then(|workload| another_owner(component, workload));
    let without_effect = overrides.into_iter().chain(owner);
    let known = owner::look_for(look, component.owner());
    let (beside, again) = known.said(WITHOUT_EFFECT, without_effect);
    let saying = Saying {
        ready,
        beside,
        again,
        ..Saying::default()
    };
    saying::say(look, Former::of(component.status()), saying)
}
