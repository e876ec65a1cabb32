//! Who runs the control plane: declares planes, makes tokens, edits Releases, and asks the hub how things are.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use clap::Parser as _;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::poll;
use crate::stage::PATIENCE;

/// Namespace of what the operator declares and edits.
pub const NAMESPACE: &str = "default";

const NAME: &str = "operator";

/// The project and the component whose the operator's Releases are. Both are there, so nobody warns of them.
pub const PROJECT: &str = "shop";
/// See [`PROJECT`].
pub const COMPONENT: &str = "by-hand";

/// An administrator of the control plane, by the tools that one has.
pub struct Operator {
    control: Client,
    rest: outhaul_hub_cli::Client,
    address: String,
    token: String,
}

impl Operator {
    /// Makes a service account with all rights and waits until the hub answers it.
    ///
    /// # Errors
    /// The control plane refuses, or the hub does not get ready.
    pub async fn appoint(control: &Client, rest: SocketAddr) -> Result<Self> {
        let token = service_account_token(control)
            .await
            .context("appoint an operator")?;
        let address = format!("http://{rest}");
        let client = outhaul_hub_cli::Client::new(address.parse()?, Some(token.clone()))?;
        let ready = || async { client.get("/api/v1/planes").await };
        poll::until("the hub answers", PATIENCE, ready).await?;
        Ok(Self {
            control: control.clone(),
            rest: client,
            address,
            token,
        })
    }

    /// The hub's REST interface, as the operator.
    pub fn rest(&self) -> &outhaul_hub_cli::Client {
        &self.rest
    }

    /// Where that interface is, `http://HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The token that the operator shows there.
    pub fn bearer_token(&self) -> &str {
        &self.token
    }

    /// Runs the `outhaul` command and returns what it prints.
    ///
    /// # Errors
    /// It fails.
    pub async fn outhaul(&self, arguments: &[&str]) -> Result<String> {
        let all = ["outhaul", "--hub", &self.address, "--token", &self.token];
        let arguments = outhaul_hub_cli::Arguments::try_parse_from(all.iter().chain(arguments))?;
        let mut printed = Vec::new();
        outhaul_hub_cli::run(arguments, jiff::Timestamp::now(), &mut printed).await?;
        Ok(String::from_utf8(printed)?)
    }

    /// A token that enrols the agent of `plane`, by the command line.
    ///
    /// # Errors
    /// The hub refuses.
    pub async fn token(&self, plane: &str) -> Result<String> {
        let owner = format!("dataplane/{NAMESPACE}/{plane}");
        let answer = self
            .outhaul(&["plane", "token", plane, "--for", &owner, "-o", "json"])
            .await?;
        let answer: Value = serde_json::from_str(&answer)?;
        let token = answer.pointer("/token").and_then(Value::as_str);
        Ok(token.with_context(|| format!("no token in {answer}"))?.to_owned())
    }

    /// Declares a DataPlane and an Environment, both named `plane`, and whose the Releases are that go there.
    ///
    /// # Errors
    /// The control plane refuses.
    pub async fn declare(&self, plane: &str) -> Result<()> {
        let registry = json!({ "prefix": "registry.example" });
        let gateway =
            json!({ "publicVirtualHost": "example.test", "organizationVirtualHost": "internal.test" });
        self.apply(
            "DataPlane",
            plane,
            json!({ "registry": registry, "gateway": gateway }),
        )
        .await?;
        self.apply("Project", PROJECT, json!({ "deploymentPipelineRef": "default" }))
            .await?;
        let component = json!({ "owner": { "projectName": PROJECT }, "type": "Service" });
        self.apply("Component", COMPONENT, component).await?;
        self.environment(plane, plane).await
    }

    /// Declares an Environment on a DataPlane.
    ///
    /// # Errors
    /// The control plane refuses.
    pub async fn environment(&self, name: &str, data_plane: &str) -> Result<()> {
        self.apply("Environment", name, json!({ "dataPlaneRef": data_plane }))
            .await
    }

    /// Creates or edits a Release to `environment` with `resources`, a list of ids and objects.
    ///
    /// # Errors
    /// The control plane refuses.
    pub async fn release(&self, name: &str, environment: &str, resources: &Value) -> Result<()> {
        let owner = json!({ "projectName": PROJECT, "componentName": COMPONENT });
        let spec = json!({ "owner": owner, "environmentName": environment, "resources": resources });
        self.apply("Release", name, spec).await
    }

    /// The Releases of the operator's namespace.
    pub fn releases(&self) -> Api<DynamicObject> {
        self.api("Release")
    }

    /// What REST says of a Release on a plane: its state, and that of each object.
    ///
    /// # Errors
    /// The hub does not know it, or does not answer.
    pub async fn bundle(&self, plane: &str, release: &str) -> Result<Value> {
        self.rest
            .get(&format!(
                "/api/v1/planes/{plane}/bundles/Release/{NAMESPACE}/{release}"
            ))
            .await
    }

    /// Waits until the condition Ready of an object is there for `reason`, said of its current generation.
    ///
    /// # Errors
    /// It does not get there; the error has the last status.
    pub async fn said(&self, kind: &str, name: &str, reason: &str) -> Result<DynamicObject> {
        let what = format!("{kind} {name} says {reason}");
        poll::until(&what, PATIENCE, || async {
            let object = self.api(kind).get(name).await?;
            let ready = condition(&object, "Ready").filter(|ready| {
                ready["observedGeneration"].as_i64() == object.metadata.generation
                    && ready["reason"] == reason
            });
            ensure!(ready.is_some(), "{}", object.data["status"]);
            Ok(object)
        })
        .await
    }

    /// Waits until REST names `reason` as the blocker of an object. Returns the blocker's words.
    ///
    /// # Errors
    /// It does not get there; the error has what REST said last.
    pub async fn blocked(&self, plane: &str, release: &str, id: &str, reason: &str) -> Result<String> {
        let what = format!("object {id} of {release} is blocked by {reason}");
        poll::until(&what, PATIENCE, || async {
            let bundle = self.bundle(plane, release).await?;
            let objects = bundle["objects"]
                .as_array()
                .context("a bundle without a list of objects")?;
            let blocker = objects
                .iter()
                .find(|object| object["id"] == id)
                .map(|object| &object["blocker"]);
            let blocker = blocker.with_context(|| format!("no object {id} in {bundle}"))?;
            ensure!(blocker["reason"] == reason, "{blocker}");
            Ok(blocker["message"].as_str().unwrap_or_default().to_owned())
        })
        .await
    }

    /// Waits until the condition Ready of a Release is False for `reason`, said of its current generation, in words
    /// that `says` takes. Statuses are written as the plane's news arrives, so the first for a reason need not be the
    /// last.
    ///
    /// # Errors
    /// It does not get there; the error has the last status.
    pub async fn unready(&self, release: &str, reason: &str, says: impl Fn(&str) -> bool) -> Result<()> {
        let what = format!("Release {release} is not Ready for {reason}");
        poll::until(&what, PATIENCE, || async {
            let release = self.releases().get(release).await?;
            let ready = condition(&release, "Ready").filter(|ready| {
                ready["observedGeneration"].as_i64() == release.metadata.generation
                    && (&ready["status"], &ready["reason"]) == (&json!("False"), &json!(reason))
                    && ready["message"].as_str().is_some_and(&says)
            });
            ready.with_context(|| release.data["status"].to_string())?;
            Ok(())
        })
        .await
    }

    /// Waits until the condition Ready of a Release has `status`, said of its current generation.
    ///
    /// # Errors
    /// It does not get there; the error has the last status.
    pub async fn ready(&self, release: &str, status: &str) -> Result<DynamicObject> {
        let what = format!("Release {release} is Ready={status}");
        poll::until(&what, PATIENCE, || async {
            let release = self.releases().get(release).await?;
            let ready = condition(&release, "Ready").filter(|ready| {
                ready["observedGeneration"].as_i64() == release.metadata.generation
                    && ready["status"] == status
            });
            ensure!(ready.is_some(), "{}", release.data["status"]);
            Ok(release)
        })
        .await
    }

    /// Asks for a Release to be deleted, and waits until it is gone.
    ///
    /// # Errors
    /// It is not gone in time.
    pub async fn delete(&self, release: &str) -> Result<()> {
        self.releases()
            .delete(release, &kube::api::DeleteParams::default())
            .await?;
        poll::until(&format!("Release {release} is gone"), PATIENCE, || async {
            let left = self.releases().get_opt(release).await?;
            ensure!(
                left.is_none(),
                "it has {:?}",
                left.map(|release| release.metadata.finalizers)
            );
            Ok(())
        })
        .await
    }

    /// The objects of one of our kinds, of the operator's namespace where they have one.
    pub fn api(&self, kind: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("openchoreo.dev", "v1alpha1", kind));
        match kind {
            "Organization" => Api::all_with(self.control.clone(), &resource),
            _ => Api::namespaced_with(self.control.clone(), NAMESPACE, &resource),
        }
    }

    /// Creates an object of one of our kinds, or edits it.
    ///
    /// # Errors
    /// The control plane refuses.
    pub async fn apply(&self, kind: &str, name: &str, spec: Value) -> Result<()> {
        let object = json!({
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": kind, "metadata": { "name": name }, "spec": spec,
        });
        let params = PatchParams::apply(NAME).force();
        let applied = self.api(kind).patch(name, &params, &Patch::Apply(&object)).await;
        applied.with_context(|| format!("apply {kind} {name}"))?;
        Ok(())
    }
}

/// A condition in the status of `object`.
pub fn condition<'a>(object: &'a DynamicObject, r#type: &str) -> Option<&'a Value> {
    let conditions = object.data.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find(|condition| condition["type"] == r#type)
}

async fn service_account_token(control: &Client) -> Result<String> {
    let accounts: Api<ServiceAccount> = Api::namespaced(control.clone(), NAMESPACE);
    let account = serde_json::from_value(json!({ "metadata": { "name": NAME } }))?;
    accounts.create(&PostParams::default(), &account).await?;
    let bindings: Api<ClusterRoleBinding> = Api::all(control.clone());
    let binding = serde_json::from_value(json!({
        "metadata": { "name": NAME },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE }],
    }))?;
    bindings.create(&PostParams::default(), &binding).await?;
    let request = accounts
        .create_token_request(NAME, &PostParams::default(), &TokenRequest::default())
        .await?;
    request
        .status
        .and_then(|status| status.token)
        .context("a token request without an answer")
}
