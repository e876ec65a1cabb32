//! The rights of a hub or an agent: those that its chart has, on a service account, and what was refused for want of
//! others.

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use anyhow::{Context as _, Result, ensure};
use futures::TryFutureExt as _;
use futures::future::InspectOk;
use http::{Request, Response, StatusCode};
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use kube::Client;
use kube::api::{Api, PostParams};
use kube::client::ClientBuilder;
use kube::config::{AuthInfo, Kubeconfig};
use kube::core::Resource;
use serde::{Deserialize as _, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tower::{Layer, Service};

use crate::cluster::{self, Cluster};
use crate::stage::SYSTEM;

/// A program with a chart, under whose name it has a service account and its roles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chart {
    name: &'static str,
    /// Its roles, as it installs them.
    roles: &'static str,
}

pub(crate) const HUB: Chart = Chart {
    name: "outhaul-hub",
    roles: include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../charts/outhaul-hub/templates/roles.yaml"
    )),
};

pub(crate) const AGENT: Chart = Chart {
    name: "outhaul-agent",
    roles: include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../charts/outhaul-agent/templates/roles.yaml"
    )),
};

/// What a program may do in a cluster, and what it tried beyond that.
#[derive(Clone)]
pub(crate) struct Rights {
    chart: Chart,
    kubeconfig: Kubeconfig,
    refused: Refused,
}

impl Rights {
    /// Grants a program what its chart does.
    pub(crate) async fn grant(cluster: &Cluster, chart: Chart) -> Result<Self> {
        let client = cluster.client().await?;
        create::<Namespace>(
            Api::all(client.clone()),
            json!({ "metadata": { "name": SYSTEM } }),
        )
        .await?;
        for document in serde_yaml_ng::Deserializer::from_str(chart.roles) {
            let role = Value::deserialize(document)?;
            match role["kind"].as_str() {
                Some("ClusterRole") => drop(create::<ClusterRole>(Api::all(client.clone()), role).await?),
                Some("Role") => drop(create::<Role>(Api::namespaced(client.clone(), SYSTEM), role).await?),
                other => anyhow::bail!("the chart has a {other:?} among its roles"),
            }
        }
        let name = chart.name;
        bind::<ClusterRoleBinding>(Api::all(client.clone()), "ClusterRole", name).await?;
        bind::<RoleBinding>(Api::namespaced(client.clone(), SYSTEM), "Role", name).await?;
        Ok(Self {
            chart,
            kubeconfig: with_token(cluster.kubeconfig(), token(&client, name).await?),
            refused: Refused::default(),
        })
    }

    /// A client of the program that belongs to the current runtime.
    pub(crate) async fn client(&self) -> Result<Client> {
        let config = cluster::config(&self.kubeconfig).await?;
        Ok(ClientBuilder::try_from(config)?.with_layer(&self.refused).build())
    }

    /// Says whether the program has tried what it may not.
    pub(crate) fn were_enough(&self) -> Result<()> {
        let refused = mem::take(&mut *self.refused.0.lock().unwrap_or_else(PoisonError::into_inner));
        let name = self.chart.name;
        ensure!(
            refused.is_empty(),
            "the role of {name} does not allow {refused:#?}"
        );
        Ok(())
    }
}

async fn token(client: &Client, name: &str) -> Result<String> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), SYSTEM);
    create::<ServiceAccount>(accounts.clone(), json!({ "metadata": { "name": name } })).await?;
    let asked = TokenRequest::default();
    let given = accounts
        .create_token_request(name, &PostParams::default(), &asked)
        .await?;
    let token = given.status.and_then(|status| status.token);
    token.context("a token request without an answer")
}

fn with_token(kubeconfig: &Kubeconfig, token: String) -> Kubeconfig {
    let mut kubeconfig = kubeconfig.clone();
    for user in &mut kubeconfig.auth_infos {
        user.auth_info = Some(AuthInfo {
            token: Some(token.clone().into()),
            ..AuthInfo::default()
        });
    }
    kubeconfig
}

async fn bind<B>(api: Api<B>, role: &str, name: &str) -> Result<B>
where
    B: Resource + Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let binding = json!({
        "metadata": { "name": name },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name },
        "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": SYSTEM }],
    });
    create(api, binding).await
}

async fn create<K>(api: Api<K>, object: Value) -> Result<K>
where
    K: Resource + Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let object = serde_json::from_value(object)?;
    Ok(api.create(&PostParams::default(), &object).await?)
}

/// Requests that were answered with 403, and not otherwise since: an API server that has just started refuses what it
/// allows a moment later, since it has not read its roles yet.
#[derive(Clone, Default)]
struct Refused(Arc<Mutex<BTreeSet<String>>>);

impl Refused {
    fn note(&self, asked: String, refused: bool) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match refused {
            true => all.insert(asked),
            false => all.remove(&asked),
        };
    }
}

impl<S> Layer<S> for Refused {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched {
            inner,
            refused: self.clone(),
        }
    }
}

/// A client whose refused requests are noted.
struct Watched<S> {
    inner: S,
    refused: Refused,
}

type Note<B> = Box<dyn FnOnce(&Response<B>) + Send>;

impl<S, A, B> Service<Request<A>> for Watched<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = InspectOk<S::Future, Note<B>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let asked = format!("{} {}", request.method(), request.uri().path());
        let refused = self.refused.clone();
        self.inner.call(request).inspect_ok(Box::new(move |answer| {
            refused.note(asked, answer.status() == StatusCode::FORBIDDEN);
        }))
    }
}
