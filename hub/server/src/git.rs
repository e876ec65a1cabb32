//! Pushes the commits that GitCommitRequests ask for.
//!
//! [`push`] is one attempt. It may be repeated after any failure, by this hub or another: a commit that is there is found
//! and not made again.

mod relay;
mod repository;
#[cfg(test)]
mod tests;

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Uri};
use hyper_rustls::HttpsConnectorBuilder;
use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use outhaul_hub_core::controllers::{Commit, NotPushed, Outcome, Pushed, Stage};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use relay::{Connector, Relay};
use repository::Order;

/// How long one attempt may take, most of which is the fetch.
pub(crate) const TIME: Duration = Duration::from_secs(120);

/// The most that is fetched of a branch. Deployment repositories hold text.
const MOST_BYTES: usize = 512 << 20;

/// Has the commit in its branch, or says why it is not.
pub(crate) async fn push(client: kube::Client, commit: &Commit) -> Outcome {
    let result = timeout(TIME, attempt(client, commit, connector())).await;
    Outcome::Committed(result.unwrap_or_else(|_elapsed| {
        let message = format!("{} took longer than {TIME:?}", commit.spec.repo_url);
        Err(failed(Stage::Fetch, message))
    }))
}

async fn attempt(
    client: kube::Client,
    commit: &Commit,
    connector: std::io::Result<Connector>,
) -> Result<Pushed, NotPushed> {
    let authorization = match commit.spec.auth_secret_ref.as_str() {
        "" => None,
        name => Some(credentials(client, &commit.id.namespace, name).await?),
    };
    let fetching = |error: &dyn std::fmt::Display| failed(Stage::Fetch, error.to_string());
    let repository: Uri = commit.spec.repo_url.parse().map_err(|error| fetching(&error))?;
    let connector = connector.map_err(|error| fetching(&error))?;
    let relay = Relay::open(repository, authorization, connector)
        .await
        .map_err(|error| fetching(&error))?;
    let folder = tempfile::tempdir().map_err(|error| fetching(&error))?;
    let (address, commit) = (relay.address().to_owned(), commit.clone());
    // Where nobody waits for it any more, it ends by itself: the relay is gone then.
    let pushing = spawn_blocking(move || {
        let order = Order {
            address: &address,
            shallow: true,
            most_bytes: MOST_BYTES,
            uid: &commit.uid,
            generation: commit.generation.unwrap_or_default(),
            created: commit.created,
            spec: &commit.spec,
        };
        repository::have_commit(&order, folder.path())
    });
    let result = match pushing.await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_stopping) => Err(failed(Stage::Fetch, "the hub stops".to_owned())),
    };
    result.map_err(|failed| NotPushed {
        message: relay.problem().map_or(failed.message, str::to_owned),
        ..failed
    })
}

/// Basic authentication, as a Secret has it.
async fn credentials(client: kube::Client, namespace: &str, name: &str) -> Result<HeaderValue, NotPushed> {
    let secrets: Api<Secret> = Api::namespaced(client, namespace);
    let secret = secrets.get(name).await.map_err(|error| {
        let code = match &error {
            kube::Error::Api(status) => status.code,
            _ => 0,
        };
        let what = match code {
            404 => "does not exist: create it with username and password, or correct spec.authSecretRef",
            403 => "may not be read by the hub: bind the ClusterRole outhaul-hub-git to its ServiceAccount in this namespace",
            _ => "cannot be read, and is asked for again",
        };
        failed(Stage::Secret, format!("Secret {namespace}/{name} {what}"))
    })?;
    let data = secret.data.unwrap_or_default();
    let field = |field: &str| {
        let bytes = data.get(field).map(|bytes| bytes.0.as_slice());
        bytes.ok_or_else(|| {
            let message = format!("Secret {namespace}/{name} has no {field}: give it username and password");
            failed(Stage::Secret, message)
        })
    };
    let login = [field("username")?, b":", field("password")?].concat();
    let value = format!("Basic {}", BASE64_STANDARD.encode(login));
    let mut value = HeaderValue::from_str(&value).expect("base64 is visible ASCII");
    value.set_sensitive(true);
    Ok(value)
}

fn connector() -> std::io::Result<Connector> {
    let trusting = HttpsConnectorBuilder::new().with_native_roots()?;
    Ok(trusting.https_only().enable_http1().build())
}

fn failed(at: Stage, message: String) -> NotPushed {
    NotPushed { at, message }
}
