//! Create, by POST or by an apply patch to a name that does not exist.

use std::sync::Arc;

use serde_json::{Value, json};

use super::decoding::{self, Sent};
use super::incoming::{self, Unread};
use super::state::Part;
use super::{Asked, change};
use crate::apply::{self, Operation};
use crate::cluster::Cluster;
use crate::effects;
use crate::fieldset;
use crate::kind::{GroupResource, Served};
use crate::meta;
use crate::moment::Moment;
use crate::object::Object;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::Verb;
use crate::rules;
use crate::schema;
use crate::store::Key;

/// As many generated names are tried before a collision is reported, as the real server does.
const NAME_ATTEMPTS: usize = 8;

impl Cluster {
    pub(crate) fn create(
        &mut self,
        served: &Served,
        asked: Asked<'_>,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        let Asked { target, request, .. } = asked;
        if target.name.is_some() || served.kind.is_namespaced() != target.namespace.is_some() {
            return Err(incoming::no_such_method(served, "create"));
        }
        let mut object = decoding::decode(served, request)?;
        incoming::check_namespace(served, target, &mut object)?;
        self.name(served, &mut object, moment);
        self.create_object(served, asked, object, Part::Main, moment)
    }

    /// Creates what is decoded and named.
    pub(super) fn create_object(
        &mut self,
        served: &Served,
        asked: Asked<'_>,
        mut object: Value,
        part: Part,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        let Asked { request, .. } = asked;
        let by = incoming::manager(
            served,
            &request.options,
            Operation::Update,
            part.subresource(),
            moment,
        );
        let schema = &served.version().schema;
        let hollow = fieldset::hollow(schema, &object);
        let mut warnings = incoming::shape(served, &request.options, Sent::Whole, &mut object)?;
        warnings.extend(rules::owners::dedupe(&mut object));
        complete(served, &mut object, moment);
        apply::track_rewrite(None, &mut object, &hollow.leaves, &by, schema);
        schema::complete(schema, &mut object);
        effects::admit(&served.kind, &mut object);
        let late = rules::metadata::new_warnings(&served.kind, None, &object);
        let inserted = self.insert(served, object, Unread::Nothing, asked, moment);
        // What is found when all is well is said also where the name turns out to be taken.
        let refusal = inserted.as_ref().err();
        if refusal.is_none_or(|refusal| refusal.code == 409) {
            warnings.extend(late);
        }
        let object = inserted.map_err(|refusal| refusal.warned(&warnings))?;
        let shown = super::read::show(served, request, object, moment);
        Ok(Reply::ok(shown).with_code(201).with_warnings(warnings))
    }

    /// Creates by server-side apply.
    pub(super) fn create_by_apply(
        &mut self,
        served: &Served,
        asked: Asked<'_>,
        part: Part,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        let Asked { target, request, .. } = asked;
        let config = &request.body;
        change::check_applied_type(served, config)?;
        if !meta::uid(config).is_empty() {
            let why = format!(
                "uid mismatch: the provided object specified uid {}, and no existing object was found",
                meta::uid(config)
            );
            return Err(Refusal::conflict(&served.kind.id, meta::name(config), &why));
        }
        let by = incoming::manager(
            served,
            &request.options,
            Operation::Apply,
            part.subresource(),
            moment,
        );
        let schema = &served.version().schema;
        let force = request.options.force.unwrap_or(false);
        let applied = apply::apply(None, config, &by, force, schema);
        change::check_convertible(served, config, &applied)?;
        let mut object = applied.map_err(change::apply_refusal)?.object;
        incoming::check_namespace(served, target, &mut object)?;
        incoming::check_name(target, &object)?;
        let (warnings, unread) = incoming::shape_applied(served, &request.options, &mut object)?;
        meta::remove(&mut object, "resourceVersion");
        complete(served, &mut object, moment);
        schema::complete(schema, &mut object);
        effects::admit(&served.kind, &mut object);
        let object = self
            .insert(served, object, unread, asked, moment)
            .map_err(|refusal| refusal.warned(&warnings))?;
        let shown = super::read::show(served, request, object, moment);
        Ok(Reply::ok(shown).with_code(201).with_warnings(warnings))
    }

    /// Gives an object that only has a `generateName` a name that is free.
    fn name(&self, served: &Served, object: &mut Value, moment: &mut Moment) {
        let prefix = meta::text(object, "generateName").to_owned();
        if !meta::name(object).is_empty() || prefix.is_empty() {
            return;
        }
        // The suffix must fit: 63 is what every rule for names allows.
        let prefix: String = prefix.chars().take(58).collect();
        for _ in 0..NAME_ATTEMPTS {
            meta::set(object, "name", format!("{prefix}{}", moment.suffix()));
            if self.store.get(&served.kind.shelf, &Key::of(object)).is_none() {
                return;
            }
        }
    }

    fn insert(
        &mut self,
        served: &Served,
        mut object: Value,
        unread: Unread,
        asked: Asked<'_>,
        moment: &Moment,
    ) -> Result<Arc<Object>, Refusal> {
        let Asked { request, .. } = asked;
        let kind = &served.kind;
        let key = Key::of(&object);
        self.admit_namespace(served, &key)?;
        self.check_grant(served, asked, None, &object)?;
        incoming::validate_new(served, &object)?;
        self.check_creation(asked)?;
        if kind.custom.as_ref().is_some_and(|custom| custom.terminating) {
            let why = "create not allowed while custom resource definition is terminating";
            return Err(Refusal::forbidden(&kind.id, &key.name, why));
        }
        let sent = meta::resource_version(&object).map(str::to_owned);
        if sent.is_some() && !request.options.dry_run {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(Refusal::new(500, "", message));
        }
        if let Some(rival) = self.store.get(&kind.shelf, &key) {
            let mut refusal = Refusal::already_exists(&kind.id, &key.name);
            if meta::is_terminating(rival.value()) {
                refusal.message = format!("object is being deleted: {}", refusal.message);
            }
            return Err(refusal);
        }
        effects::select_own_pods(kind, &request.body, &mut object);
        if request.options.dry_run {
            effects::pretend_address(kind, &mut object);
            let shown = self.candidate(served, object, moment)?;
            return Ok(Arc::new(shown.never_written(sent)));
        }
        let mut candidate = self.candidate(served, object, moment)?;
        if unread.is_stored() || effects::settles_later(kind, &request.body, candidate.value()) {
            candidate = candidate.unsettled();
        }
        Ok(self.keep(served, candidate))
    }

    /// Who creates by an update or a patch needs the right to create as well.
    fn check_creation(&self, asked: Asked<'_>) -> Result<(), Refusal> {
        match asked.request.verb {
            Verb::Create => Ok(()),
            _ => self.authorize_as(asked.user, Verb::Create.as_str(), asked.request),
        }
    }

    /// Stores an object that is decided.
    pub(super) fn keep(&mut self, served: &Served, candidate: Object) -> Arc<Object> {
        let stored = self.store.put_candidate(&served.kind.shelf, candidate);
        self.after_save(&served.kind, stored.value());
        stored
    }

    /// An object that is decided, as it would be stored.
    pub(super) fn candidate(
        &self,
        served: &Served,
        mut object: Value,
        moment: &Moment,
    ) -> Result<Object, Refusal> {
        let is_forgetful = schema::forget_nulls(&served.version().schema, &mut object);
        let mut object = served.store_form(object);
        self.before_save(&served.kind, &mut object, moment)?;
        let candidate = self.store.candidate(object);
        rules::size::check_object(candidate.json().len())?;
        Ok(if is_forgetful {
            candidate.unsettled()
        } else {
            candidate
        })
    }

    /// New objects need a namespace that exists and is not going away.
    fn admit_namespace(&self, served: &Served, key: &Key) -> Result<(), Refusal> {
        if !served.kind.is_namespaced() {
            return Ok(());
        }
        let namespaces = GroupResource::new("", "namespaces");
        let Some(namespace) = self.store.get(&namespaces, &Key::new("", &key.namespace)) else {
            return Err(Refusal::not_found(&namespaces, &key.namespace));
        };
        if meta::is_terminating(namespace.value()) {
            return Err(Refusal::namespace_terminating(
                &served.kind.id,
                &key.name,
                &key.namespace,
            ));
        }
        Ok(())
    }
}

/// What the server adds to a new object and takes from what the client sent.
fn complete(served: &Served, object: &mut Value, moment: &mut Moment) {
    let counted = served.kind.traits.generation;
    for field in incoming::SERVER_OWNED {
        if field != "generation" || counted {
            meta::remove(object, field);
        }
    }
    meta::set(object, "uid", moment.uid());
    meta::set(object, "creationTimestamp", moment.timestamp());
    if counted {
        meta::set(object, "generation", 1);
    }
    if served.version().status {
        reset_status(served, object);
    }
    if effects::is_namespace(&served.kind) {
        complete_namespace(object);
    }
}

fn reset_status(served: &Served, object: &mut Value) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    match &served.kind.traits.initial_status {
        Some(status) => fields.insert("status".to_owned(), status.clone()),
        None => fields.remove("status"),
    };
}

/// A namespace knows its own name by label.
fn complete_namespace(object: &mut Value) {
    let name = meta::name(object).to_owned();
    let labels = meta::metadata_mut(object)
        .entry("labels")
        .or_insert_with(|| json!({}));
    labels["kubernetes.io/metadata.name"] = name.into();
}
