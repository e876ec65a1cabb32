//! What writing an object does beyond storing it: a definition changes what is served, a Service gets an address,
//! a Secret's `stringData` becomes data.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::kind::{GroupResource, Kind};
use crate::meta;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::registry::{self, CrdError};
use crate::schema::{FieldError, FieldPath, Problem};
use crate::store::Key;

/// Holds a definition until its custom resources are gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Whether objects of this kind are CustomResourceDefinitions.
pub(crate) fn is_definition(kind: &Kind) -> bool {
    &*kind.id.group == "apiextensions.k8s.io" && &*kind.name == "CustomResourceDefinition"
}

/// Whether objects of this kind are namespaces.
pub(crate) fn is_namespace(kind: &Kind) -> bool {
    kind.id.group.is_empty() && &*kind.name == "Namespace"
}

/// The resource that a CustomResourceDefinition defines.
pub(crate) fn defined_resource(definition: &Value) -> GroupResource {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    GroupResource::new(&text(&spec["group"]), &text(&spec["names"]["plural"]))
}

impl Cluster {
    /// Completes an object that is about to be stored.
    pub(crate) fn before_save(
        &self,
        kind: &Kind,
        object: &mut Value,
        moment: &Moment,
    ) -> Result<(), Refusal> {
        match (&*kind.id.group, &*kind.name) {
            ("", "Service") => self.allocate_address(object),
            ("batch", "Job") => select_own_pods(object),
            _ if is_definition(kind) => self.judge_definition(kind, object, moment)?,
            _ => {}
        }
        Ok(())
    }

    /// Follows up on an object that was stored.
    pub(crate) fn after_save(&mut self, kind: &Kind, object: &Value) {
        if is_namespace(kind) {
            self.store.suspect(&kind.shelf, Key::of(object));
        }
        if is_definition(kind) && is_established(object) {
            // A definition was judged before it was saved; one that cannot be served never got here.
            if let Ok(served) = registry::kind_of_crd(object) {
                self.registry.add(served);
            }
        }
    }

    /// Follows up on an object that is gone: whatever contained it may have waited for that.
    pub(crate) fn after_removal(&mut self, kind: &Kind, object: &Value) {
        if is_definition(kind) {
            self.registry.remove(&defined_resource(object));
        }
        if kind.is_namespaced() {
            self.store.suspect(
                &GroupResource::new("", "namespaces"),
                Key::new("", meta::namespace(object)),
            );
        }
        if kind.custom.as_ref().is_some_and(|custom| custom.terminating) {
            let definitions = GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions");
            self.store
                .suspect(&definitions, Key::new("", &kind.id.to_string()));
        }
    }

    fn judge_definition(&self, kind: &Kind, crd: &mut Value, moment: &Moment) -> Result<(), Refusal> {
        let refuse = |error: &CrdError| {
            let why = std::error::Error::source(error)
                .map(|s| format!(": {s}"))
                .unwrap_or_default();
            let message = format!(
                "CustomResourceDefinition.{} \"{}\" is invalid: {error}{why}",
                kind.id.group,
                meta::name(crd)
            );
            Refusal::new(422, "Invalid", message).named(&kind.id, meta::name(crd))
        };
        let defined = registry::kind_of_crd(crd).map_err(|error| refuse(&error))?;
        let expected = format!("{}.{}", defined.id.resource, defined.id.group);
        if meta::name(crd) != expected {
            let detail = "must be spec.names.plural+\".\"+spec.group".to_owned();
            let problem = Problem::Invalid {
                value: meta::name(crd).into(),
                detail,
            };
            let path = FieldPath::root().field("metadata").field("name");
            let error = FieldError { path, problem };
            return Err(Refusal::invalid(
                &kind.id.group,
                &kind.name,
                meta::name(crd),
                &[error],
            ));
        }
        crd["status"] = registry::accept_names(&self.registry, &defined, crd, moment);
        Ok(())
    }

    /// Gives a Service that wants one a cluster address that is free.
    fn allocate_address(&self, service: &mut Value) {
        let spec = &service["spec"];
        if spec["type"] == "ExternalName" || spec["clusterIP"].as_str().is_some_and(|ip| !ip.is_empty()) {
            let ip = spec["clusterIP"].clone();
            if !ip.is_null() {
                service["spec"]["clusterIPs"] = json!([ip]);
            }
            return;
        }
        let services = GroupResource::new("", "services");
        if let Some(existing) = self.store.get(&services, &Key::of(service)) {
            for field in ["clusterIP", "clusterIPs"] {
                service["spec"][field] = existing.value()["spec"][field].clone();
            }
            return;
        }
        // A counter that never hands out an address twice needs no search: the version of the write is one.
        let n = self.store.version() + 1;
        let address = format!("10.{}.{}.{}", 96 + (n >> 16 & 0xf), n >> 8 & 0xff, n & 0xff);
        service["spec"]["clusterIP"] = address.as_str().into();
        service["spec"]["clusterIPs"] = json!([address]);
    }
}

fn is_established(crd: &Value) -> bool {
    let conditions = crd["status"]["conditions"].as_array();
    conditions.is_some_and(|all| {
        all.iter()
            .any(|c| c["type"] == "Established" && c["status"] == "True")
    })
}

/// A Job selects its pods by its own uid, unless it says how itself.
fn select_own_pods(job: &mut Value) {
    if job["spec"]["manualSelector"] == true || !job["spec"]["selector"].is_null() {
        return;
    }
    let (uid, name) = (meta::uid(job).to_owned(), meta::name(job).to_owned());
    job["spec"]["selector"] = json!({"matchLabels": {JOB_UID: uid}});
    let labels = &mut job["spec"]["template"]["metadata"]["labels"];
    for (label, value) in [
        (JOB_UID, &uid),
        ("controller-uid", &uid),
        (JOB_NAME, &name),
        ("job-name", &name),
    ] {
        labels[label] = value.as_str().into();
    }
}

const JOB_UID: &str = "batch.kubernetes.io/controller-uid";
const JOB_NAME: &str = "batch.kubernetes.io/job-name";

/// `stringData` of a Secret is written, `data` is read.
pub(crate) fn fold_string_data(kind: &Kind, secret: &mut Value) {
    if !kind.id.group.is_empty() || &*kind.name != "Secret" {
        return;
    }
    let Some(Value::Object(plain)) = secret
        .as_object_mut()
        .and_then(|fields| fields.remove("stringData"))
    else {
        return;
    };
    for (key, value) in plain {
        secret["data"][key] = STANDARD.encode(value.as_str().unwrap_or_default()).into();
    }
}
