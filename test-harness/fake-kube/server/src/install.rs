//! Installing CustomResourceDefinitions.

use outhaul_fake_kube_core::access::{User, Wanted};
use outhaul_fake_kube_core::reply::Outcome;
use outhaul_fake_kube_core::request::{RawRequest, Request};
use serde::Deserialize as _;
use serde_json::Value;

use crate::engine::{Engine, Who};

/// Why definitions were not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Not YAML.
    #[error("the definitions are not YAML")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// The API said no.
    #[error("definition {name} was refused: {message}")]
    Refused {
        /// Which.
        name: String,
        /// Why.
        message: String,
    },
}

/// Creates the definitions of a YAML stream, or replaces those that are there.
pub(crate) fn definitions(engine: &Engine, yaml: &str) -> Result<(), InstallError> {
    for document in serde_yaml_ng::Deserializer::from_str(yaml) {
        let definition = Value::deserialize(document)?;
        if !definition.is_null() {
            one(engine, &definition)?;
        }
    }
    Ok(())
}

fn one(engine: &Engine, definition: &Value) -> Result<(), InstallError> {
    let name = definition["metadata"]["name"].as_str().unwrap_or_default();
    let body = serde_json::to_vec(definition).unwrap_or_default();
    let raw = RawRequest {
        method: "PATCH",
        path: &format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"),
        query: "fieldManager=install-crds&force=true",
        content_type: "application/apply-patch+yaml",
        body: &body,
        ..RawRequest::default()
    };
    let refused = |message: String| InstallError::Refused {
        name: name.to_owned(),
        message,
    };
    let request = Request::parse(&raw).map_err(|refusal| refused(refusal.message))?;
    let who = Who::Trusted(User::admin());
    match engine.handle(&request, &who, &Wanted::default(), 0) {
        Outcome::Reply(reply) if reply.code < 300 => Ok(()),
        Outcome::Reply(reply) => Err(refused(
            String::from_utf8_lossy(&reply.body.encode()).into_owned(),
        )),
        Outcome::Watch(_) => Err(refused("the API answered with a watch".to_owned())),
    }
}
