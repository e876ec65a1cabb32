//! Delete: at once where nothing holds the object, else by marking it and waiting for its finalizers.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::{incoming, state};
use crate::apply;
use crate::cluster::{Cluster, key_of};
use crate::effects;
use crate::kind::{GroupResource, Kind, Served};
use crate::meta;
use crate::moment::Moment;
use crate::object::Object;
use crate::refusal::Refusal;
use crate::reply::{Body, Reply};
use crate::request::{DeleteOptions, Options, Preconditions, Propagation, Request, Target};
use crate::store::Key;

/// Holds an owner until its dependents are gone.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// Holds an owner until its dependents have forgotten it.
pub(crate) const ORPHAN: &str = "orphan";

impl Cluster {
    pub(crate) fn delete(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let (how, dry_run) = options(request)?;
        let warnings = warnings(served, &how);
        let reply = self.delete_one(served, target, request, &how, dry_run, moment);
        warned(reply, warnings)
    }

    fn delete_one(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        how: &DeleteOptions,
        dry_run: bool,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let old = self.existing(served, &key_of(target))?;
        check_protected(served, meta::name(old.value()))?;
        check_preconditions(served, old.value(), &how.preconditions)?;
        let deleted = self.begin_deletion(&served.kind, &old, how, dry_run, moment);
        Ok(match deleted {
            Deleted::Gone(last) if served.kind.traits.shows_deleted => {
                let last = marked_last(served, last, moment);
                Reply::ok(super::read::show(served, request, last, moment))
            }
            Deleted::Gone(_) => {
                let status = incoming::success(served, meta::name(old.value()), meta::uid(old.value()));
                Reply::value(status)
            }
            Deleted::Waits(object) => {
                let shown = Reply::ok(super::read::show(served, request, object, moment));
                // To clients of old, that dependents go and their owner waits was news.
                match how.orphans {
                    Some(false) => shown.with_code(202),
                    Some(true) | None => shown,
                }
            }
        })
    }

    pub(crate) fn delete_collection(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let spans_namespaces = served.kind.is_namespaced() && target.namespace.is_none();
        if spans_namespaces || effects::is_namespace(&served.kind) {
            return Err(incoming::no_such_method(served, "deletecollection"));
        }
        let (how, dry_run) = options(request)?;
        let (chosen, list_meta) = self.chosen(served, target, request)?;
        for object in &chosen {
            // What was chosen may have been of another time.
            let Some(old) = self
                .store
                .get(&served.kind.shelf, &Key::of(object.value()))
                .cloned()
            else {
                continue;
            };
            check_preconditions(served, old.value(), &how.preconditions)?;
            self.begin_deletion(&served.kind, &old, &how, dry_run, moment);
        }
        let head = format!(
            r#"{{"kind":"{}","apiVersion":"{}","metadata":{},"items":["#,
            served.kind.list_name,
            served.api_version(),
            list_meta,
        );
        let reply = Reply::ok(Body::List {
            head,
            items: chosen,
            kinds: served.kind.custom.is_some(),
        });
        warned(Ok(reply), warnings(served, &how))
    }

    /// Removes an object, or marks it and leaves it to its finalizers.
    pub(crate) fn begin_deletion(
        &mut self,
        kind: &Kind,
        old: &Arc<Object>,
        how: &DeleteOptions,
        dry_run: bool,
        moment: &Moment,
    ) -> Deleted {
        if effects::is_namespace(kind) && meta::is_terminating(old.value()) && !self.may_go(kind, old.value())
        {
            return Deleted::Waits(old.clone());
        }
        let mut object = old.value().clone();
        set_propagation(kind, &mut object, how.fate());
        hold_definition(kind, &mut object);
        // A namespace is always marked first.
        let is_marked = meta::is_terminating(&object) || !effects::is_namespace(kind);
        if is_marked && self.may_go(kind, &object) {
            return Deleted::Gone(if dry_run {
                old.clone()
            } else {
                self.drop_object(kind, object)
            });
        }
        if !meta::is_terminating(&object) {
            mark(kind, &mut object, moment);
        } else if object == *old.value() && !is_settled_by_deletion(kind, old) {
            return Deleted::Waits(old.clone());
        }
        if dry_run {
            return Deleted::Waits(Arc::new(Object::new(object, old.version())));
        }
        let mut candidate = self.store.candidate(object);
        if old.is_unsettled() && !is_settled_by_deletion(kind, old) {
            candidate = candidate.unsettled();
        }
        let stored = self.store.put_candidate(&kind.shelf, candidate);
        self.after_save(kind, stored.value());
        Deleted::Waits(stored)
    }

    /// Whether nothing holds an object.
    pub(crate) fn may_go(&self, kind: &Kind, object: &Value) -> bool {
        let held_by_spec = effects::is_namespace(kind) && effects::is_held(object);
        meta::finalizers(object).is_empty() && !held_by_spec
    }

    /// Takes an object out of the store; `last` is the state it had at the end.
    pub(crate) fn drop_object(&mut self, kind: &Kind, last: Value) -> Arc<Object> {
        let gone = self.store.remove(&kind.shelf, &Key::of(&last));
        self.after_removal(kind, &last);
        gone.unwrap_or_else(|| Arc::new(Object::new(last, self.store.version())))
    }
}

/// Whether marking an object stores something else of what was not read back. Nobody looks at owners then: as a scale
/// wrote them down, so they stay.
fn is_settled_by_deletion(kind: &Kind, old: &Object) -> bool {
    old.is_unsettled() && !apply::is_out_of_order(kind, old.value())
}

/// How a deletion went.
#[derive(Debug)]
pub(crate) enum Deleted {
    /// The object is gone; this was its last state.
    Gone(Arc<Object>),
    /// The object waits for its finalizers.
    Waits(Arc<Object>),
}

fn options(request: &Request) -> Result<(DeleteOptions, bool), Refusal> {
    // Who sends a body says everything in it.
    if request.body.is_null() {
        let Options { delete, dry_run, .. } = &request.options;
        return Ok((delete.clone(), *dry_run));
    }
    DeleteOptions::of_body(&request.body)
}

/// Namespaces that no cluster is without.
fn check_protected(served: &Served, name: &str) -> Result<(), Refusal> {
    let is_protected = matches!(name, "default" | "kube-system" | "kube-public");
    if effects::is_namespace(&served.kind) && is_protected {
        let why = "this namespace may not be deleted";
        return Err(Refusal::forbidden(&served.kind.id, name, why));
    }
    Ok(())
}

/// Who deletes says which object is meant; the server names the kind here, not the resource.
fn check_preconditions(served: &Served, object: &Value, wanted: &Preconditions) -> Result<(), Refusal> {
    let check = |what: &str, wanted: &Option<String>, actual: &str, hint: &str| match wanted {
        Some(wanted) if wanted != actual => {
            if effects::is_namespace(&served.kind) {
                let why = format!(
                    "Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {actual}"
                );
                return Err(Refusal::conflict(&served.kind.id, meta::name(object), &why));
            }
            let why = format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record ({actual}). \
                 The object might have been {hint}"
            );
            let kind = GroupResource::new(&served.kind.id.group, &served.kind.name);
            Err(Refusal::conflict(&kind, meta::name(object), &why))
        }
        _ => Ok(()),
    };
    check(
        "UID",
        &wanted.uid,
        meta::uid(object),
        "deleted and then recreated",
    )?;
    let version = meta::text(object, "resourceVersion");
    check("ResourceVersion", &wanted.resource_version, version, "modified")
}

fn is_job(kind: &Kind) -> bool {
    kind.is("batch", "Job")
}

/// Who deletes a Job may not know that its pods stay.
fn warnings(served: &Served, how: &DeleteOptions) -> Vec<String> {
    let warning = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to \
                   remove them or set propagationPolicy=Orphan to suppress this warning";
    let is_meant = is_job(&served.kind) && how.fate().is_none();
    is_meant.then(|| warning.to_owned()).into_iter().collect()
}

fn warned(reply: Result<Reply, Refusal>, warnings: Vec<String>) -> Result<Reply, Refusal> {
    match reply {
        Ok(mut reply) => {
            reply.warnings.extend(warnings);
            Ok(reply)
        }
        Err(refusal) => Err(refusal.warned(&warnings)),
    }
}

/// Jobs leave their pods behind unless somebody says otherwise: the deletion, or a finalizer.
fn default_propagation(kind: &Kind, object: &Value) -> Option<Propagation> {
    (is_job(kind) && !says_propagation(object)).then_some(Propagation::Orphan)
}

/// Whether an object says itself, by a finalizer, what becomes of its dependents.
pub(crate) fn says_propagation(object: &Value) -> bool {
    [FOREGROUND, ORPHAN]
        .iter()
        .any(|finalizer| meta::has_finalizer(object, finalizer))
}

fn set_propagation(kind: &Kind, object: &mut Value, propagation: Option<Propagation>) {
    let Some(propagation) = propagation.or_else(|| default_propagation(kind, object)) else {
        return;
    };
    let held = || meta::finalizers(object).into_iter();
    let others = held().filter(|finalizer| ![FOREGROUND, ORPHAN].contains(finalizer));
    let added = match propagation {
        Propagation::Background => None,
        Propagation::Foreground => Some(FOREGROUND),
        Propagation::Orphan => Some(ORPHAN),
    };
    let wanted: Vec<_> = others.chain(added).map(str::to_owned).collect();
    // What is there in any order, or twice, stays as it is.
    if held().collect::<BTreeSet<_>>() != wanted.iter().map(String::as_str).collect() {
        meta::remove(object, "finalizers");
        if !wanted.is_empty() {
            meta::set(object, "finalizers", wanted);
        }
    }
}

/// A pod is marked before it goes, since others may have to end it first.
fn marked_last(served: &Served, last: Arc<Object>, moment: &Moment) -> Arc<Object> {
    if !served.kind.is("", "Pod") || meta::is_terminating(last.value()) {
        return last;
    }
    let mut object = last.value().clone();
    mark(&served.kind, &mut object, moment);
    Arc::new(Object::new(object, last.version()))
}

/// A definition waits for its custom resources.
fn hold_definition(kind: &Kind, object: &mut Value) {
    if effects::is_definition(kind) && !meta::is_terminating(object) {
        meta::add_finalizer(object, effects::CLEANUP);
    }
}

fn mark(kind: &Kind, object: &mut Value, moment: &Moment) {
    meta::set(object, "deletionTimestamp", moment.timestamp());
    if effects::is_namespace(kind) {
        object["status"]["phase"] = "Terminating".into();
    } else {
        meta::set(object, "deletionGracePeriodSeconds", 0);
    }
    if kind.traits.generation {
        state::bump_generation(object);
    }
}
