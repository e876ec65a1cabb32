//! Update and patch: two ways to say what an object becomes, one way to make it so.

use std::sync::Arc;

use serde_json::Value;

use super::incoming;
use super::state::{Part, count_generation, restore, same};
use crate::apply::{self, ApplyError, Operation};
use crate::cluster::{Cluster, key_of};
use crate::kind::Served;
use crate::meta;
use crate::moment::Moment;
use crate::object::Object;
use crate::patch::{self, PatchError};
use crate::refusal::{Cause, Refusal};
use crate::reply::Reply;
use crate::request::{PatchKind, Request, Target};
use crate::rules;
use crate::schema::{FieldError, FieldPath, Problem};

impl Cluster {
    pub(crate) fn update(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        self.update_part(served, target, request, Part::Main, moment)
    }

    pub(super) fn update_part(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        part: Part,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        if target.name.is_none() {
            return Err(Refusal::method_not_allowed(&served.kind.id, "update"));
        }
        let mut new = request.body.clone();
        incoming::check_identity(served, target, &mut new)?;
        incoming::check_name(target, &mut new)?;
        let old = self.existing(served, &key_of(target))?;
        if meta::resource_version(&new).is_none() && !served.kind.traits.unconditional_update {
            return Err(incoming::must_name_version(served, meta::name(&new)));
        }
        self.track_and_replace(served, request, &old, new, part, moment)
    }

    pub(crate) fn patch(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        self.patch_part(served, target, request, Part::Main, moment)
    }

    pub(super) fn patch_part(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        part: Part,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        if target.name.is_none() {
            return Err(Refusal::method_not_allowed(&served.kind.id, "patch"));
        }
        match request.patch.unwrap_or(PatchKind::Merge) {
            PatchKind::Apply => self.apply_patch(served, target, request, part, moment),
            kind => self.plain_patch(served, target, request, kind, part, moment),
        }
    }

    fn plain_patch(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        kind: PatchKind,
        part: Part,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let old = self.existing(served, &key_of(target))?;
        let shown = served.present(old.value());
        let mut new = match kind {
            PatchKind::Json => patch::json(&shown, &request.body),
            PatchKind::Strategic if served.kind.custom.is_some() => {
                return Err(Refusal::unsupported_media_type(
                    "application/strategic-merge-patch+json",
                    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
                ));
            }
            PatchKind::Strategic => patch::strategic(&shown, &request.body, &served.version().schema),
            PatchKind::Merge | PatchKind::Apply => Ok(patch::merge(&shown, &request.body)),
        }
        .map_err(|error| patch_refusal(served, &old, &error))?;
        incoming::check_identity(served, target, &mut new)?;
        incoming::check_name(target, &mut new)?;
        check_patched_uid(served, &shown, &new)?;
        self.track_and_replace(served, request, &old, new, part, moment)
    }

    fn apply_patch(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        part: Part,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        let options = &request.options;
        let mut config = request.body.clone();
        check_apply(&config, options.field_manager.is_empty())?;
        incoming::check_identity(served, target, &mut config)?;
        incoming::check_name(target, &mut config)?;
        let Some(old) = self.store.get(&served.kind.shelf, &key_of(target)).cloned() else {
            return match part {
                Part::Main => self.create_by_apply(served, request, &config, moment),
                Part::Status => Err(Refusal::not_found(&served.kind.id, meta::name(&config))),
            };
        };
        let by = incoming::manager(served, options, Operation::Apply, part.subresource(), moment);
        let shown = served.present(old.value());
        check_preconditions(served, &shown, &config)?;
        let schema = &served.version().schema;
        let applied = apply::apply(Some(&shown), &config, &by, options.force, schema);
        let mut new = applied.map_err(apply_refusal)?.object;
        let warnings = incoming::shape_applied(served, options, &mut new)?;
        restore(served, &shown, &mut new, part);
        self.replace(served, request, &old, new, warnings, moment)
    }

    /// Replaces after recording who changed what.
    fn track_and_replace(
        &mut self,
        served: &Served,
        request: &Request,
        old: &Arc<Object>,
        mut new: Value,
        part: Part,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let shown = served.present(old.value());
        check_preconditions(served, &shown, &new)?;
        let warnings = incoming::shape(served, &request.options, &mut new)?;
        restore(served, &shown, &mut new, part);
        let by = incoming::manager(
            served,
            &request.options,
            Operation::Update,
            part.subresource(),
            moment,
        );
        apply::track_update(Some(&shown), &mut new, &by, &served.version().schema);
        self.replace(served, request, old, new, warnings, moment)
    }

    /// Makes `new` of `old`, or refuses.
    fn replace(
        &mut self,
        served: &Served,
        request: &Request,
        old: &Arc<Object>,
        mut new: Value,
        warnings: Vec<String>,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let shown = served.present(old.value());
        rules::carried::carry(&served.kind, &shown, &mut new);
        incoming::validate(served, Some(&shown), &new)?;
        let object = if same(&shown, &new) {
            old.clone()
        } else {
            count_generation(served, &shown, &mut new);
            self.replace_or_finish(served, request, new, moment)?
        };
        let mut reply = Reply::ok(super::read::show(served, request, object, moment));
        reply.warnings = warnings;
        add_deprecation(served, &mut reply);
        Ok(reply)
    }

    /// Stores the new state; if it was only waiting for its last finalizer, it goes.
    fn replace_or_finish(
        &mut self,
        served: &Served,
        request: &Request,
        new: Value,
        moment: &Moment,
    ) -> Result<Arc<Object>, Refusal> {
        if meta::is_terminating(&new) && self.may_go(&served.kind, &new) {
            let stored = served.store_form(new);
            if request.options.dry_run {
                return Ok(Arc::new(self.store.candidate(stored)));
            }
            let last = Object::new(stored.clone(), self.store.version() + 1);
            self.drop_object(&served.kind, stored);
            return Ok(Arc::new(last));
        }
        self.save(served, new, &request.options, moment)
    }
}

/// A patch cannot carry a uid as a condition: it would change a field that never changes.
fn check_patched_uid(served: &Served, old: &Value, new: &Value) -> Result<(), Refusal> {
    let uid = meta::uid(new);
    if uid.is_empty() || uid == meta::uid(old) {
        return Ok(());
    }
    let path = FieldPath::root().field("metadata").field("uid");
    let problem = Problem::Invalid {
        value: uid.into(),
        detail: "field is immutable".to_owned(),
    };
    Err(incoming::invalid(
        served,
        meta::name(old),
        &[FieldError { path, problem }],
    ))
}

/// The uid and resourceVersion that a client sends are conditions, not values.
fn check_preconditions(served: &Served, old: &Value, new: &Value) -> Result<(), Refusal> {
    let (resource, name) = (&served.kind.id, meta::name(old));
    let uid = meta::uid(new);
    if !uid.is_empty() && uid != meta::uid(old) {
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}/{}/{name}, ResourceVersion: 0, \
             AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            resource.resource,
            meta::namespace(old),
            meta::uid(old)
        );
        return Err(Refusal::conflict(resource, name, &why));
    }
    match meta::resource_version(new) {
        Some(version) if version != meta::text(old, "resourceVersion") && version != "0" => {
            Err(Refusal::stale(resource, name))
        }
        _ => Ok(()),
    }
}

fn check_apply(config: &Value, no_manager: bool) -> Result<(), Refusal> {
    if no_manager {
        let problem = Problem::Required {
            detail: "is required for apply patch".to_owned(),
        };
        let error = FieldError {
            path: FieldPath::root().field("fieldManager"),
            problem,
        };
        return Err(Refusal::invalid("meta.k8s.io", "PatchOptions", "", &[error]));
    }
    for field in ["apiVersion", "kind"] {
        if config
            .get(field)
            .and_then(Value::as_str)
            .is_none_or(str::is_empty)
        {
            return Err(Refusal::bad_request(format!(
                "invalid object type: {field} must be set in an apply patch"
            )));
        }
    }
    let managed = meta::metadata(config).and_then(|m| m.get("managedFields"));
    if managed.is_some_and(|m| !m.is_null()) {
        return Err(Refusal::bad_request("metadata.managedFields must be nil"));
    }
    Ok(())
}

pub(super) fn apply_refusal(error: ApplyError) -> Refusal {
    match error {
        ApplyError::Conflicts(conflicts) => {
            let causes = conflicts
                .0
                .iter()
                .map(|c| Cause::new("FieldManagerConflict", &c.field, c.message()));
            Refusal::apply_conflict(conflicts.to_string(), causes.collect())
        }
        ApplyError::BadRequest(message) => Refusal::bad_request(message),
        ApplyError::Mistyped(message) => Refusal::new(500, "", message),
    }
}

fn patch_refusal(served: &Served, old: &Object, error: &PatchError) -> Refusal {
    match error {
        PatchError::BadRequest(message) => Refusal::bad_request(message.clone()),
        PatchError::TooLarge(message) => Refusal::too_large(message.clone()),
        PatchError::Failed(message) => Refusal::new(500, "", message.clone()),
        PatchError::Unprocessable(message) => {
            Refusal::new(422, "Invalid", message.clone()).named(&served.kind.id, meta::name(old.value()))
        }
    }
}

/// Warns of a deprecated version.
pub(super) fn add_deprecation(served: &Served, reply: &mut Reply) {
    if let Some(warning) = &served.version().deprecated {
        reply.warnings.push(warning.to_string());
    }
}
