//! Update and patch: two ways to say what an object becomes, one way to make it so.

use std::sync::Arc;

use serde_json::Value;

use super::Asked;
use super::decoding::{self, Sent};
use super::incoming::{self, Unread};
use super::state::{Part, bump_generation, count_generation, restore, same};
use crate::apply::{self, ApplyError, Operation};
use crate::cluster::{Cluster, key_of};
use crate::effects;
use crate::fieldset;
use crate::kind::{GroupResource, Served};
use crate::meta;
use crate::moment::Moment;
use crate::object::Object;
use crate::patch::{self, PatchError};
use crate::refusal::{Cause, Refusal};
use crate::reply::Reply;
use crate::request::{PatchKind, Request, whole_numbers};
use crate::rules;
use crate::schema;

impl Cluster {
    pub(crate) fn update(
        &mut self,
        served: &Served,
        asked: Asked<'_>,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        self.update_part(served, asked, Part::Main, moment)
    }

    pub(super) fn update_part(
        &mut self,
        served: &Served,
        asked: Asked<'_>,
        part: Part,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        let Asked { target, request, .. } = asked;
        if target.name.is_none() {
            return Err(incoming::no_such_method(served, "update"));
        }
        let mut new = decoding::decode(served, request)?;
        incoming::check_namespace(served, target, &mut new)?;
        incoming::check_name(target, &new)?;
        let key = key_of(target);
        if served.kind.traits.creates_on_update && self.store.get(&served.kind.shelf, &key).is_none() {
            let mut absent = new.clone();
            meta::remove(&mut absent, "uid");
            if meta::resource_version(&new).is_some_and(|version| version.parse::<u64>().is_err()) {
                check_version(served, &Value::Null, &new)
                    .map_err(|refusal| after_reading(served, request, &new, refusal))?;
            }
            check_uid(served, &absent, &new, request.options.dry_run)
                .map_err(|refusal| after_reading(served, request, &new, refusal))?;
            if !request.options.dry_run {
                meta::remove(&mut new, "resourceVersion");
            }
            return self.create_object(served, asked, new, part, moment);
        }
        let old = self
            .existing(served, &key)
            .map_err(|refusal| after_reading(served, request, &new, refusal))?;
        self.track_and_replace(served, asked, &old, new, Sent::Whole, part, moment)
    }

    pub(crate) fn patch(
        &mut self,
        served: &Served,
        asked: Asked<'_>,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        self.patch_part(served, asked, Part::Main, moment)
    }

    pub(super) fn patch_part(
        &mut self,
        served: &Served,
        asked: Asked<'_>,
        part: Part,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        if asked.target.name.is_none() {
            return Err(incoming::no_such_method(served, "patch"));
        }
        match asked.request.patch {
            Some(PatchKind::Apply) => self.apply_patch(served, asked, part, moment),
            Some(PatchKind::Strategic) | None if served.kind.custom.is_some() => {
                Err(Refusal::unsupported_media_type(PATCHES_OF_CUSTOM_KINDS))
            }
            Some(kind) => self.plain_patch(served, asked, kind, part, moment),
            None => Err(Refusal::unsupported_patch()),
        }
    }

    fn plain_patch(
        &mut self,
        served: &Served,
        asked: Asked<'_>,
        kind: PatchKind,
        part: Part,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let Asked { target, request, .. } = asked;
        let old = self.existing(served, &key_of(target))?;
        let shown = served.present(old.value());
        let mut new = match kind {
            PatchKind::Json => patch::json(&shown, &request.body),
            PatchKind::Strategic => patch::strategic(&shown, &request.body, &served.version().schema),
            PatchKind::Merge | PatchKind::Apply => Ok(patch::merge(&shown, &request.body)),
        }
        .map_err(|error| patch_refusal(&error))?;
        if served.kind.custom.is_some() {
            whole_numbers(&mut new);
        }
        let sent = match kind {
            PatchKind::Strategic => Sent::Merged(&request.body),
            _ => Sent::Patched,
        };
        decoding::check_patched(served, sent, &new)?;
        incoming::check_namespace(served, target, &mut new)?;
        incoming::check_name(target, &new)?;
        check_patched_uid(served, &shown, &new)?;
        self.track_and_replace(served, asked, &old, new, sent, part, moment)
    }

    fn apply_patch(
        &mut self,
        served: &Served,
        asked: Asked<'_>,
        part: Part,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        let Asked { target, request, .. } = asked;
        let options = &request.options;
        let config = &request.body;
        let key = key_of(target);
        let Some(old) = self.store.get(&served.kind.shelf, &key).cloned() else {
            // Kinds that an update creates are created through their status as well.
            if part == Part::Status && !served.kind.traits.creates_on_update {
                return Err(Refusal::not_found(&served.kind.id, &key.name));
            }
            return self.create_by_apply(served, asked, part, moment);
        };
        check_applied_type(served, config)?;
        let by = incoming::manager(served, options, Operation::Apply, part.subresource(), moment);
        let shown = served.present(old.value());
        let schema = &served.version().schema;
        let force = options.force.unwrap_or(false);
        let applied = apply::apply(Some(&shown), config, &by, force, schema);
        check_convertible(served, config, &applied)?;
        let mut new = applied.map_err(apply_refusal)?.object;
        incoming::check_namespace(served, target, &mut new)?;
        incoming::check_name(target, &new)?;
        check_version(served, &shown, config)?;
        check_patched_uid(served, &shown, config)?;
        let emptied = rules::immutable::emptied(&served.kind, &shown, &new);
        let (warnings, unread) = incoming::shape_applied(served, options, &mut new)?;
        restore(served, &shown, &mut new, part);
        put_empty(&mut new, &emptied);
        let change = Change {
            object: new,
            warnings,
            unread: unread.through(part),
        };
        self.replace(served, asked, &old, change, part, moment)
    }

    /// Replaces after recording who changed what.
    #[expect(
        clippy::too_many_arguments,
        reason = "each says another thing about one write"
    )]
    fn track_and_replace(
        &mut self,
        served: &Served,
        asked: Asked<'_>,
        old: &Arc<Object>,
        mut new: Value,
        sent: Sent<'_>,
        part: Part,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let request = asked.request;
        let shown = served.present(old.value());
        let emptied = rules::immutable::emptied(&served.kind, &shown, &new);
        let hollow = fieldset::hollow(&served.version().schema, &new);
        let mut warnings = incoming::shape(served, &request.options, sent, &mut new)?;
        warnings.extend(match sent {
            Sent::Whole => rules::owners::dedupe(&mut new),
            Sent::Patched | Sent::Merged(_) => {
                rules::owners::warning(&new, " after mutating admission happens")
            }
        });
        let warned = |refusal: Refusal| refusal.warned(&warnings);
        check_uid(served, &shown, &new, request.options.dry_run).map_err(warned)?;
        let names_version = meta::resource_version(&new).is_some_and(|version| version != "0");
        if !names_version && matches!(sent, Sent::Whole) && !served.kind.traits.unconditional_update {
            return Err(warned(incoming::must_name_version(served, meta::name(&new))));
        }
        check_version(served, &shown, &new).map_err(warned)?;
        let unsaid = unsaid_marks(&new);
        restore(served, &shown, &mut new, part);
        for field in &unsaid {
            meta::remove(&mut new, field);
        }
        let by = incoming::manager(
            served,
            &request.options,
            Operation::Update,
            part.subresource(),
            moment,
        );
        apply::track_rewrite(
            Some(&shown),
            &mut new,
            &hollow.leaves,
            &by,
            &served.version().schema,
        );
        // What a patch names twice is the patcher's, and goes only then.
        rules::owners::leave_once(&mut new);
        for field in unsaid {
            if let Some(mark) = meta::metadata(&shown).and_then(|metadata| metadata.get(field)) {
                meta::set(&mut new, field, mark.clone());
            }
        }
        put_empty(&mut new, &emptied);
        let change = Change {
            object: new,
            warnings,
            unread: Unread::of_builtin(served, &hollow),
        };
        self.replace(served, asked, old, change, part, moment)
    }

    /// Makes of `old` what it becomes, or refuses.
    fn replace(
        &mut self,
        served: &Served,
        asked: Asked<'_>,
        old: &Arc<Object>,
        change: Change,
        part: Part,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let request = asked.request;
        let shown = served.present(old.value());
        let Change {
            object: mut new,
            mut warnings,
            unread,
        } = change;
        self.check_grant(served, asked, Some(&shown), &new)
            .map_err(|refusal| refusal.warned(&warnings))?;
        rules::carried::carry(&served.kind, &shown, &mut new);
        if part != Part::Finalizers && effects::is_namespace(&served.kind) {
            new["spec"]["finalizers"] = shown["spec"]["finalizers"].clone();
        }
        incoming::validate_update(served, &shown, &new, part, &mut warnings)
            .map_err(|refusal| refusal.warned(&warnings))?;
        warnings.extend(rules::metadata::new_warnings(&served.kind, Some(&shown), &new));
        let changes_nothing = same(&shown, &new) && unread == Unread::Nothing;
        let object = if changes_nothing && !old.is_unsettled() && served.is_current(old.value()) {
            old.clone()
        } else {
            match (part, unread) {
                (Part::Main, Unread::Content | Unread::Emptiness) => bump_generation(&mut new),
                (Part::Main, _) => count_generation(served, &shown, &mut new),
                (Part::Status | Part::Finalizers, _) => {}
            }
            self.replace_or_finish(served, request, (new, unread), old.version(), moment)?
        };
        let shown = super::read::show(served, request, object, moment);
        Ok(Reply::ok(shown).with_warnings(warnings))
    }

    /// Stores the new state; if it was only waiting for its last finalizer, it goes.
    fn replace_or_finish(
        &mut self,
        served: &Served,
        request: &Request,
        (new, unread): (Value, Unread),
        before: u64,
        moment: &Moment,
    ) -> Result<Arc<Object>, Refusal> {
        if request.options.dry_run {
            let shown = self.candidate(served, new, moment)?;
            return Ok(Arc::new(Object::new(shown.value().clone(), before)));
        }
        if meta::is_terminating(&new) && self.may_go(&served.kind, &new) {
            let stored = served.store_form(new);
            let last = Object::new(stored.clone(), before);
            self.drop_object(&served.kind, stored);
            return Ok(Arc::new(last));
        }
        let mut candidate = self.candidate(served, new, moment)?;
        if unread.is_stored() {
            candidate = candidate.unsettled();
        }
        Ok(self.keep(served, candidate))
    }
}

/// What an object becomes, and what there is to say about it.
struct Change {
    object: Value,
    warnings: Vec<String>,
    unread: Unread,
}

fn put_empty(object: &mut Value, fields: &[&str]) {
    for field in fields {
        object[*field] = Value::Object(serde_json::Map::new());
    }
}

/// A refusal for another reason than what was sent, with what there is to say about that.
fn after_reading(served: &Served, request: &Request, sent: &Value, refusal: Refusal) -> Refusal {
    let mut sent = sent.clone();
    match incoming::shape(served, &request.options, Sent::Whole, &mut sent) {
        Ok(mut warnings) => {
            warnings.extend(rules::owners::dedupe(&mut sent));
            refusal.warned(&warnings)
        }
        Err(first) => first,
    }
}

/// The marks of a deletion that a write does not repeat: they stay, but whoever owned them does so no more.
fn unsaid_marks(object: &Value) -> Vec<&'static str> {
    let is_said = |field: &&str| meta::metadata(object).is_some_and(|metadata| metadata.contains_key(*field));
    incoming::DELETION
        .into_iter()
        .filter(|field| !is_said(field))
        .collect()
}

const PATCHES_OF_CUSTOM_KINDS: &str =
    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

/// A patch cannot carry a uid as a condition: it would change a field that never changes.
fn check_patched_uid(served: &Served, old: &Value, new: &Value) -> Result<(), Refusal> {
    let uid = meta::uid(new);
    if uid.is_empty() || uid == meta::uid(old) {
        return Ok(());
    }
    let errors = rules::metadata::immutable(&served.kind, "uid", uid);
    Err(incoming::invalid(served, meta::name(old), &errors))
}

/// The uid that a client sends is a condition, not a value.
fn check_uid(served: &Served, old: &Value, new: &Value, dry_run: bool) -> Result<(), Refusal> {
    let (resource, name) = (&served.kind.id, meta::name(old));
    let uid = meta::uid(new);
    if !uid.is_empty() && uid != meta::uid(old) {
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, AdditionalErrorMsg: Precondition \
             failed: UID in precondition: {uid}, UID in object meta: {}",
            storage_key(served, old, dry_run),
            meta::uid(old)
        );
        return Err(Refusal::conflict(resource, name, &why));
    }
    Ok(())
}

/// Where the real server keeps an object; a dry run does not get as far as its storage.
fn storage_key(served: &Served, object: &Value, dry_run: bool) -> String {
    let GroupResource { group, resource } = &served.kind.id;
    let folder = match (&**group, &**resource) {
        (group, resource) if served.kind.custom.is_some() => format!("{group}/{resource}"),
        ("", "services") => "services/specs".to_owned(),
        ("networking.k8s.io", "ingresses") => "ingress".to_owned(),
        ("", "nodes") => "minions".to_owned(),
        (_, resource) => resource.to_owned(),
    };
    let namespace = meta::namespace(object);
    let slash = if namespace.is_empty() { "" } else { "/" };
    let registry = if dry_run { "" } else { "/registry" };
    format!("{registry}/{folder}/{namespace}{slash}{}", meta::name(object))
}

fn check_version(served: &Served, old: &Value, new: &Value) -> Result<(), Refusal> {
    match meta::resource_version(new) {
        Some(version) if version.parse::<u64>().is_err() => {
            let message = format!("strconv.ParseUint: parsing {version:?}: invalid syntax");
            Err(Refusal::new(500, "", message))
        }
        Some(version) if version != meta::text(old, "resourceVersion") && version != "0" => {
            Err(Refusal::stale(&served.kind.id, meta::name(old)))
        }
        _ => Ok(()),
    }
}

/// An apply names its kind and version itself.
pub(super) fn check_applied_type(served: &Served, config: &Value) -> Result<(), Refusal> {
    let text = |field| config.get(field).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if api_version != served.api_version() || kind != &*served.kind.name {
        let slash = if api_version.contains('/') { "" } else { "/" };
        return Err(Refusal::bad_request(format!(
            "invalid object type: {slash}{api_version}, Kind={kind}"
        )));
    }
    Ok(())
}

/// What fits the schema may still be no value of the type, as text that is no base64.
pub(super) fn check_convertible<T>(
    served: &Served,
    config: &Value,
    applied: &Result<T, ApplyError>,
) -> Result<(), Refusal> {
    if applied.is_err() {
        return Ok(());
    }
    let Some(why) = schema::unconvertible(&served.version().schema, config) else {
        return Ok(());
    };
    let (version, kind) = (served.api_version(), &served.kind.name);
    let slash = if version.contains('/') { "" } else { "/" };
    let is_plain = ["parsing time", "json: ", "cannot convert"]
        .iter()
        .any(|start| why.starts_with(start));
    let place = if is_plain {
        ""
    } else {
        "error decoding from json: "
    };
    let message = format!(
        "failed to convert new object ({}/{}; {slash}{version}, Kind={kind}) to proper version: unable to convert \
         unstructured object to {slash}{version}, Kind={kind}: {place}{why}",
        meta::namespace(config),
        meta::name(config),
    );
    Err(Refusal::new(500, "", message))
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

pub(super) fn patch_refusal(error: &PatchError) -> Refusal {
    match error {
        PatchError::BadRequest(message) => Refusal::bad_request(message.clone()),
        PatchError::TooLarge(message) => Refusal::too_large(message.clone()),
        PatchError::Failed(message) => Refusal::new(500, "", message.clone()),
        PatchError::Unprocessable => Refusal::unfit_patch(error.to_string()),
    }
}
