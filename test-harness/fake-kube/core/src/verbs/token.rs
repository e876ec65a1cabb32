//! Tokens of ServiceAccounts.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::incoming;
use crate::access::{AUDIENCE, Bound, Grant};
use crate::apply::{self, Operation};
use crate::cluster::{Cluster, key_of};
use crate::kind::{GroupResource, Kind, Scope, Served, Traits, Version};
use crate::meta;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::{Request, Target};
use crate::schema::{Builtins, FieldError, FieldPath};
use crate::store::Key;

const GROUP: &str = "authentication.k8s.io";
const KIND: &str = "TokenRequest";
/// Seconds that a token lives that asks for nothing else.
const LIFETIME: i64 = 3_600;

/// The kind of what is asked and answered, which no path of its own serves.
static TOKEN_REQUEST: LazyLock<Served> = LazyLock::new(|| {
    let schema = Builtins::load().schema(GROUP, "v1", KIND).cloned();
    let version = Version {
        name: "v1".into(),
        served: true,
        schema: schema.expect("a schema for each built-in kind"),
        status: false,
        scale: None,
        columns: Arc::new([]),
        renames: &[],
        selectable: Vec::new(),
        deprecated: None,
    };
    let id = GroupResource::new(GROUP, "tokenrequests");
    let kind = Kind {
        shelf: id.clone(),
        id,
        stored_as: meta::join_api_version(GROUP, "v1").into(),
        name: KIND.into(),
        list_name: "TokenRequestList".into(),
        singular: "tokenrequest".into(),
        short_names: Vec::new(),
        categories: Vec::new(),
        scope: Scope::Namespaced,
        versions: vec![version],
        traits: Traits::default(),
        custom: None,
    };
    Served {
        kind: Arc::new(kind),
        at: 0,
    }
});

impl Cluster {
    /// Issues a token, also for a dry run: nothing is written.
    pub(super) fn token(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        let asked = &*TOKEN_REQUEST;
        let (mut answer, warnings) = incoming::read(asked, request)?;
        incoming::check_namespace(asked, target, &mut answer)?;
        let account = self.existing(served, &key_of(target))?;
        let name = meta::name(account.value());
        check_name(&answer, name)?;
        check_uid(&answer, account.value())?;
        let seconds = answer["spec"]["expirationSeconds"].as_i64().unwrap_or(LIFETIME);
        check_lifetime(seconds)?;
        let bound = self.bound(&answer["spec"]["boundObjectRef"], account.value())?;

        answer["spec"]["expirationSeconds"] = seconds.into();
        meta::set(&mut answer, "name", name);
        meta::set(&mut answer, "uid", meta::uid(account.value()));
        meta::set(&mut answer, "creationTimestamp", moment.timestamp());
        let by = incoming::manager(asked, &request.options, Operation::Update, Some("token"), moment);
        apply::track_update(None, &mut answer, &by, &asked.version().schema);
        let spec = &mut answer["spec"];
        if spec["audiences"].as_array().is_none_or(Vec::is_empty) {
            spec["audiences"] = json!([AUDIENCE]);
        }
        if spec.get("boundObjectRef").is_none() {
            spec["boundObjectRef"] = Value::Null;
        }
        let expires = moment.now + jiff::SignedDuration::from_secs(seconds);
        let audiences = spec["audiences"].as_array().into_iter().flatten();
        let grant = Grant {
            bound,
            audiences: audiences.filter_map(Value::as_str).map(str::to_owned).collect(),
            expires,
        };
        answer["status"] = json!({
            "token": self.access.issue(account.value(), grant, moment.secret()),
            "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
        Ok(Reply::value(answer).with_code(201).with_warnings(warnings))
    }

    /// What a token is to be bound to, if anything.
    fn bound(&self, reference: &Value, account: &Value) -> Result<Option<Bound>, Refusal> {
        if reference.is_null() {
            return Ok(None);
        }
        let text = |field: &str| reference[field].as_str().unwrap_or_default();
        let (group, version) = meta::split_api_version(text("apiVersion"));
        let (kind, name) = (text("kind"), text("name"));
        let namespace = meta::namespace(account);
        let (resource, namespace) = match (group, kind) {
            ("", "Pod") => ("pods", namespace),
            ("", "Secret") => ("secrets", namespace),
            ("", "Node") => ("nodes", ""),
            _ => {
                let what = format!("{group}/{version}, Kind={kind}");
                return Err(Refusal::bad_request(format!(
                    "cannot bind token to object of type {what}"
                )));
            }
        };
        let resource = GroupResource::new("", resource);
        let Some(object) = self.find(&resource, namespace, name) else {
            return Err(Refusal::not_found(&resource, name));
        };
        let owner = &object.value()["spec"]["serviceAccountName"];
        if kind == "Pod" && owner != meta::name(account) {
            return Err(Refusal::bad_request(format!(
                "cannot bind token for serviceaccount {:?} to pod running with different serviceaccount name.",
                meta::name(account)
            )));
        }
        let (uid, wanted) = (meta::uid(object.value()), text("uid"));
        if !wanted.is_empty() && wanted != uid {
            let why = format!(
                "the UID in the bound object reference ({wanted}) does not match the UID in record. The object might have \
                 been deleted and then recreated"
            );
            return Err(Refusal::conflict(&GroupResource::new(group, kind), name, &why));
        }
        Ok(Some(Bound {
            key: Key::new(namespace, name),
            resource,
            uid: uid.to_owned(),
        }))
    }
}

/// Who gives a uid means that of the account.
fn check_uid(request: &Value, account: &Value) -> Result<(), Refusal> {
    let (given, uid) = (meta::uid(request), meta::uid(account));
    if given.is_empty() || given == uid {
        return Ok(());
    }
    let why = format!(
        "the UID in the token request ({given}) does not match the UID of the service account ({uid})"
    );
    Err(Refusal::conflict(
        &GroupResource::new(GROUP, KIND),
        meta::name(account),
        &why,
    ))
}

/// Who names the account in the body means that of the path.
fn check_name(request: &Value, account: &str) -> Result<(), Refusal> {
    let given = meta::name(request);
    if given.is_empty() || given == account {
        return Ok(());
    }
    let path = FieldPath::root().field("metadata").field("name");
    let detail = "must match the service account name if specified";
    let error = FieldError::invalid(path, given, detail);
    Err(Refusal::invalid(GROUP, KIND, account, &[error]))
}

/// Tokens live ten minutes at least, and 2^32 seconds at most.
fn check_lifetime(seconds: i64) -> Result<(), Refusal> {
    let detail = match seconds {
        ..600 => "may not specify a duration less than 10 minutes",
        600..=0x1_0000_0000 => return Ok(()),
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    let path = FieldPath::root().field("spec").field("expirationSeconds");
    let error = FieldError::invalid(path, seconds, detail);
    Err(Refusal::invalid(GROUP, KIND, "", &[error]))
}
