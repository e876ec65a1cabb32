//! Subresources: status, scale, and the few that only some kinds have.

use serde_json::{Value, json};

use super::incoming;
use super::state::Part;
use crate::cluster::{Cluster, key_of};
use crate::kind::Served;
use crate::meta;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::{Request, Target, Verb};
use crate::schema::{FieldError, FieldPath};

impl Cluster {
    pub(crate) fn subresource(
        &mut self,
        served: &Served,
        target: &Target,
        subresource: &str,
        request: &Request,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        let name = target.name.as_deref().unwrap_or_default();
        match (subresource, &*served.kind.name) {
            ("status", _) if served.version().status => self.status(served, target, request, moment),
            ("scale", _) => match &served.version().scale {
                Some(scale) => self.scale(served, target, scale, request, moment),
                None => Err(incoming::no_such_subresource(served, name)),
            },
            ("log", "Pod") => self.log(served, target, request),
            ("token", "ServiceAccount") => self.token(served, target, request, moment),
            ("finalize", "Namespace") if request.verb != Verb::Update => Err(Refusal::no_such_method()),
            ("finalize", "Namespace") => self.finalize(served, target, request),
            _ => Err(incoming::no_such_subresource(served, name)),
        }
    }

    fn status(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        match request.verb {
            Verb::Get => self.get(served, target, request, moment),
            Verb::Update => self.update_part(served, target, request, Part::Status, moment),
            Verb::Patch => self.patch_part(served, target, request, Part::Status, moment),
            verb => Err(incoming::no_such_method(served, verb.as_str())),
        }
    }

    /// Pods here have no output but what their annotation says.
    fn log(&self, served: &Served, target: &Target, request: &Request) -> Result<Reply, Refusal> {
        let pod = self.existing(served, &key_of(target))?;
        let lines = meta::metadata(pod.value())
            .and_then(|m| m.get("annotations")?.get(LOG_ANNOTATION)?.as_str())
            .unwrap_or_default();
        let mut shown: Vec<&str> = lines.lines().collect();
        if let Some(tail) = request.options.tail_lines {
            shown.drain(..shown.len().saturating_sub(tail));
        }
        let text: String = shown.iter().flat_map(|line| [line, "\n"]).collect();
        Ok(Reply::text(text))
    }

    fn token(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        let account = self.existing(served, &key_of(target))?;
        let seconds = request.body["spec"]["expirationSeconds"]
            .as_i64()
            .unwrap_or(3_600);
        check_lifetime(seconds)?;
        let token = self.access.issue(account.value(), moment.secret());
        let expires = moment.now + jiff::SignedDuration::from_secs(seconds.clamp(600, 1 << 32));
        let expires = expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut spec = request.body["spec"].clone();
        spec["expirationSeconds"] = seconds.into();
        Ok(Reply::value(json!({
            "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": meta::name(account.value()), "namespace": meta::namespace(account.value())},
            "spec": spec,
            "status": {"token": token, "expirationTimestamp": expires},
        }))
        .with_code(201))
    }

    /// Sets a namespace's own finalizers.
    fn finalize(&mut self, served: &Served, target: &Target, request: &Request) -> Result<Reply, Refusal> {
        let namespace = self.existing(served, &key_of(target))?;
        let mut object = namespace.value().clone();
        object["spec"] = match &request.body["spec"] {
            Value::Object(spec) => Value::Object(spec.clone()),
            _ => json!({}),
        };
        self.store_or_drop(&served.kind, object.clone());
        Ok(Reply::value(object))
    }
}

/// Tokens live ten minutes at least.
fn check_lifetime(seconds: i64) -> Result<(), Refusal> {
    if seconds >= 600 {
        return Ok(());
    }
    let path = FieldPath::root().field("spec").field("expirationSeconds");
    let error = FieldError::invalid(path, seconds, "may not specify a duration less than 10 minutes");
    Err(Refusal::invalid(
        "authentication.k8s.io",
        "TokenRequest",
        "",
        &[error],
    ))
}

/// What `kubectl logs` shows of a pod.
pub const LOG_ANNOTATION: &str = "outhaul.dev/test-log";
