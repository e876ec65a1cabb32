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
use crate::schema::{FieldError, FieldPath, holds_null};
use crate::store::Key;

/// Holds a definition until its custom resources are gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Whether objects of this kind are CustomResourceDefinitions.
pub(crate) fn is_definition(kind: &Kind) -> bool {
    kind.is("apiextensions.k8s.io", "CustomResourceDefinition")
}

/// Whether objects of this kind are namespaces.
pub(crate) fn is_namespace(kind: &Kind) -> bool {
    kind.is("", "Namespace")
}

/// Whether objects of this kind are ClusterRoles.
pub(crate) fn is_cluster_role(kind: &Kind) -> bool {
    kind.is("rbac.authorization.k8s.io", "ClusterRole")
}

/// Whether anything holds a namespace beside its metadata.
pub(crate) fn is_held(namespace: &Value) -> bool {
    let finalizers = namespace["spec"]["finalizers"].as_array();
    finalizers.is_some_and(|finalizers| !finalizers.is_empty())
}

/// The resource that a CustomResourceDefinition defines.
pub(crate) fn defined_resource(definition: &Value) -> GroupResource {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    GroupResource::new(&text(&spec["group"]), &text(&spec["names"]["plural"]))
}

/// Holds a claim until no pod uses it.
pub(crate) const CLAIM_PROTECTION: &str = "kubernetes.io/pvc-protection";

/// Whether objects of this kind are claims of volumes.
pub(crate) fn is_claim(kind: &Kind) -> bool {
    kind.is("", "PersistentVolumeClaim")
}

/// Whether the server fills in only when it reads an object what it shows of it from the start, so that the first write
/// after the creation changes what is stored: the phase of a claim, the labels of a Job that has those of its pods. Pods
/// that were `sent` with labels, be they none, share them with the Job as it is created.
pub(crate) fn settles_later(kind: &Kind, sent: &Value, object: &Value) -> bool {
    let template = "/spec/template/metadata/labels";
    let was_sent = sent.pointer(template).is_some_and(|labels| !labels.is_null());
    let are_of_pods = object.pointer("/metadata/labels") == object.pointer(template);
    is_claim(kind) || kind.is("batch", "Job") && are_of_pods && !was_sent
}

/// Whether metadata of an object is empty rather than absent, or has nulls in it.
pub(crate) fn is_hollow(object: &Value) -> bool {
    let is_hollow = |field: &str| {
        let value = meta::metadata(object).and_then(|metadata| metadata.get(field));
        value.is_some_and(|value| holds_null(value) || is_empty(value))
    };
    ["annotations", "finalizers", "labels", "ownerReferences"]
        .into_iter()
        .any(is_hollow)
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

fn is_pod(kind: &Kind) -> bool {
    kind.is("", "Pod")
}

fn containers<'a>(pod: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    pod["spec"][list].as_array().into_iter().flatten()
}

/// A pod requests what it is limited to, unless it requests something else.
fn request_limits(pod: &mut Value) {
    for list in ["containers", "initContainers"] {
        let containers = pod
            .pointer_mut(&format!("/spec/{list}"))
            .and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let limits = container["resources"]["limits"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            for (name, limit) in limits {
                let requests = &mut container["resources"]["requests"];
                if requests[&name].is_null() {
                    requests[&name] = limit;
                }
            }
        }
    }
}

/// How safe a pod is from others, by what it asks for.
fn quality_of_service(pod: &Value) -> &'static str {
    let all = || containers(pod, "containers").chain(containers(pod, "initContainers"));
    let asks = |container: &Value, list: &str, name: &str| !container["resources"][list][name].is_null();
    let counted = ["cpu", "memory"];
    let is_any = all().any(|c| {
        counted
            .iter()
            .any(|name| asks(c, "limits", name) || asks(c, "requests", name))
    });
    let is_guaranteed = all().all(|c| {
        counted.iter().all(|name| {
            asks(c, "limits", name) && c["resources"]["limits"][name] == c["resources"]["requests"][name]
        })
    });
    match (is_any, is_guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

fn is_daemon_set(kind: &Kind) -> bool {
    kind.is("apps", "DaemonSet")
}

/// What admission adds to a new object, in nobody's name.
pub(crate) fn admit(kind: &Kind, object: &mut Value) {
    tolerate(kind, object);
    forget_traffic(kind, object);
    if is_pod(kind) {
        object["status"]["qosClass"] = quality_of_service(object).into();
    }
    if is_claim(kind) {
        meta::add_finalizer(object, CLAIM_PROTECTION);
    }
    if is_namespace(kind)
        && let Some(finalizers) = object["spec"]["finalizers"].as_array_mut()
        && !finalizers.iter().any(|finalizer| finalizer == "kubernetes")
    {
        finalizers.push("kubernetes".into());
    }
    if is_daemon_set(kind) {
        entries_mut(object, "annotations")[TEMPLATE_GENERATION] = "1".into();
    }
}

/// A Service that only stands for a name elsewhere has no traffic to send anywhere, whatever it says.
pub(crate) fn forget_traffic(kind: &Kind, object: &mut Value) {
    let is_service = kind.is("", "Service");
    if is_service && object["spec"]["type"] == "ExternalName" {
        object["spec"]
            .as_object_mut()
            .map(|spec| spec.remove("internalTrafficPolicy"));
    }
}

/// Lets a pod stay a while on a node that has trouble, unless it says for how long itself.
pub(crate) fn tolerate(kind: &Kind, object: &mut Value) {
    if !is_pod(kind) {
        return;
    }
    for trouble in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerations = &mut object["spec"]["tolerations"];
        if tolerations.is_null() {
            *tolerations = json!([]);
        }
        let Some(list) = tolerations.as_array_mut() else {
            return;
        };
        let is_meant = |toleration: &Value| {
            let text = |name: &str| toleration[name].as_str().unwrap_or_default();
            (text("key") == trouble || text("key").is_empty()) && ["", "NoExecute"].contains(&text("effect"))
        };
        if !list.iter().any(is_meant) {
            list.push(json!({"key": trouble, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
        }
    }
}

/// Counts changes of a DaemonSet's template, where once a field did.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// What reading an object into the server's own types does to it, whoever wrote it and whatever for.
pub(crate) fn read_in(kind: &Kind, object: &mut Value) {
    if is_namespace(kind) {
        let name = meta::name(object).to_owned();
        entries_mut(object, "labels")["kubernetes.io/metadata.name"] = name.into();
    }
    if is_pod(kind) {
        request_limits(object);
        let grace = object.pointer_mut("/spec/terminationGracePeriodSeconds");
        if let Some(grace) = grace.filter(|grace| grace.as_i64().is_some_and(|seconds| seconds < 0)) {
            *grace = 1.into();
        }
    }
    if is_daemon_set(kind) && template_count(object).is_none() {
        entries_mut(object, "annotations")[TEMPLATE_GENERATION] = "0".into();
    }
}

/// Counts the template of a DaemonSet on, if it changed.
pub(crate) fn count_templates(kind: &Kind, old: &Value, new: &mut Value) {
    if !is_daemon_set(kind) {
        return;
    }
    let is_changed = old["spec"]["template"] != new["spec"]["template"];
    let next = template_count(old).unwrap_or(0) + i64::from(is_changed);
    entries_mut(new, "annotations")[TEMPLATE_GENERATION] = next.to_string().into();
}

fn template_count(set: &Value) -> Option<i64> {
    let text = set["metadata"]["annotations"][TEMPLATE_GENERATION].as_str()?;
    text.parse().ok()
}

/// The labels or annotations of an object, to add to.
fn entries_mut<'a>(object: &'a mut Value, field: &str) -> &'a mut Value {
    meta::metadata_mut(object)
        .entry(field)
        .or_insert_with(|| json!({}))
}

/// What a Service would get as its address in a dry run: the first of all, which nobody gets.
pub(crate) fn pretend_address(kind: &Kind, object: &mut Value) {
    let is_service = kind.is("", "Service");
    let spec = &object["spec"];
    let has_one = spec["clusterIP"].as_str().is_some_and(|ip| !ip.is_empty());
    if is_service && spec["type"] != "ExternalName" && !has_one {
        object["spec"]["clusterIP"] = "10.96.0.0".into();
    }
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
            _ if is_definition(kind) => self.judge_definition(kind, object, moment)?,
            _ => {}
        }
        Ok(())
    }

    /// Follows up on an object that was stored.
    pub(crate) fn after_save(&mut self, kind: &Kind, object: &Value) {
        if is_namespace(kind) || is_claim(kind) && meta::is_terminating(object) {
            self.store.suspect(&kind.shelf, Key::of(object));
        }
        if is_cluster_role(kind) {
            self.suspect_gatherers();
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
        if is_cluster_role(kind) {
            self.suspect_gatherers();
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
            let path = FieldPath::root().field("metadata").field("name");
            let detail = "must be spec.names.plural+\".\"+spec.group";
            let error = FieldError::invalid(path, meta::name(crd), detail);
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
        let existing = self.store.get(&services, &Key::of(service));
        if let Some(existing) = existing.filter(|existing| existing.value()["spec"]["clusterIP"].is_string())
        {
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

/// Whether a definition is served.
pub(crate) fn is_established(crd: &Value) -> bool {
    let conditions = crd["status"]["conditions"].as_array();
    conditions.is_some_and(|all| {
        all.iter()
            .any(|c| c["type"] == "Established" && c["status"] == "True")
    })
}

/// A Job selects its pods by its own uid, unless it says how itself.
pub(crate) fn select_own_pods(kind: &Kind, sent: &Value, job: &mut Value) {
    let is_job = kind.is("batch", "Job");
    if !is_job || job["spec"]["manualSelector"] == true || !job["spec"]["selector"].is_null() {
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
    // A Job that was sent without labels has those of its template, these as well.
    let has_own = sent["metadata"]["labels"]
        .as_object()
        .is_some_and(|labels| !labels.is_empty());
    if !has_own {
        let labels = labels.clone();
        meta::set(job, "labels", labels);
    }
}

const JOB_UID: &str = "batch.kubernetes.io/controller-uid";
const JOB_NAME: &str = "batch.kubernetes.io/job-name";

/// `stringData` of a Secret is written, `data` is read.
pub(crate) fn fold_string_data(kind: &Kind, secret: &mut Value) {
    if !kind.is("", "Secret") {
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
