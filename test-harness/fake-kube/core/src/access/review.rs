//! Kinds that answer a question instead of being stored.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rbac::Attributes;
use super::{AUDIENCE, User};
use crate::cluster::Cluster;
use crate::kind::Served;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::{Request, Target, Verb};
use crate::schema::{FieldError, FieldPath, Problem};
use crate::verbs::incoming;

const GROUP: &str = "authorization.k8s.io";

impl Cluster {
    /// Answers a review.
    pub(crate) fn review(
        &self,
        served: &Served,
        target: &Target,
        request: &Request,
        user: &User,
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        if request.verb != Verb::Create {
            return Err(Refusal::no_such_method());
        }
        let (mut answer, warnings) = incoming::read(served, request)?;
        let spec = &answer["spec"];
        let status = match &*served.kind.name {
            "TokenReview" => self.token_review(spec, now)?,
            "SelfSubjectReview" => json!({"userInfo": user_info(user)}),
            "SelfSubjectAccessReview" => self.access_review(user, spec, None),
            "SubjectAccessReview" => self.access_review(&subject(spec)?, spec, None),
            "LocalSubjectAccessReview" => {
                self.access_review(&subject(spec)?, spec, target.namespace.as_deref())
            }
            _ => json!({"incomplete": true, "resourceRules": [], "nonResourceRules": []}),
        };
        if answer["metadata"].is_null() {
            answer["metadata"] = json!({});
        }
        answer["status"] = status;
        Ok(Reply::value(answer).with_code(201).with_warnings(warnings))
    }

    fn token_review(&self, spec: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let token = spec["token"].as_str().unwrap_or_default();
        if token.is_empty() {
            return Err(Refusal::bad_request(
                "token is required for TokenReview in authentication",
            ));
        }
        let audiences = texts(&spec["audiences"]);
        let audiences = match audiences.is_empty() {
            true => vec![AUDIENCE.to_owned()],
            false => audiences,
        };
        Ok(match self.recognize(token, &audiences, now) {
            Ok((user, audiences)) => {
                json!({"authenticated": true, "user": user_info(&user), "audiences": audiences})
            }
            Err(why) => json!({"user": {}, "error": why.to_string()}),
        })
    }

    fn access_review(&self, user: &User, spec: &Value, namespace: Option<&str>) -> Value {
        let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
        if let Some(path) = spec.get("nonResourceAttributes").filter(|a| !a.is_null()) {
            let allowed = self.allows_path(user, &text(path, "verb"), &text(path, "path"));
            return verdict(allowed);
        }
        let asked = &spec["resourceAttributes"];
        let (verb, group, resource) = (text(asked, "verb"), text(asked, "group"), text(asked, "resource"));
        let (subresource, name) = (text(asked, "subresource"), text(asked, "name"));
        let own_namespace = text(asked, "namespace");
        verdict(self.allows(
            user,
            &Attributes {
                verb: &verb,
                group: &group,
                resource: &resource,
                subresource: &subresource,
                namespace: namespace.unwrap_or(&own_namespace),
                name: &name,
            },
        ))
    }
}

fn verdict(allowed: bool) -> Value {
    if allowed {
        json!({"allowed": true, "reason": "RBAC: allowed by a rule"})
    } else {
        json!({"allowed": false})
    }
}

fn subject(spec: &Value) -> Result<User, Refusal> {
    let name = spec["user"].as_str().unwrap_or_default();
    let groups = texts(&spec["groups"]);
    if name.is_empty() && groups.is_empty() {
        let detail = "at least one of user or group must be specified".to_owned();
        let problem = Problem::Invalid {
            value: "".into(),
            detail,
        };
        let path = FieldPath::root().field("spec").field("user");
        let error = FieldError { path, problem };
        return Err(Refusal::invalid(GROUP, "", "", &[error]));
    }
    Ok(User {
        name: name.to_owned(),
        groups,
        ..User::default()
    })
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn user_info(user: &User) -> Value {
    let mut info = json!({"username": user.name, "groups": user.groups});
    if !user.uid.is_empty() {
        info["uid"] = user.uid.as_str().into();
    }
    if !user.extra.is_empty() {
        info["extra"] = json!(user.extra);
    }
    info
}
