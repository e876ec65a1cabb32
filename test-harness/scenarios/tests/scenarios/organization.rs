//! What an organization writes: a platform, classes with policies, and a component of each type.

use std::env;
use std::time::{Duration, Instant};

use crate::support;
use anyhow::ensure;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use outhaul_scenarios::operator::{NAMESPACE, condition};
use outhaul_scenarios::stage::SYSTEM;
use outhaul_scenarios::{Ground, Stage, poll, stage, versions};
use serde_json::{Value, json};

/// How long nothing may be written before it is believed that nothing will be. `OUTHAUL_QUIET_SECONDS` says otherwise.
const QUIET: Duration = Duration::from_secs(3);

/// What somebody writes: kind, name, spec.
fn written() -> Vec<(&'static str, &'static str, Value)> {
    let owner = |component| json!({ "projectName": "shop", "componentName": component });
    let containers = json!({ "main": { "image": "registry.example/app:1" } });
    let template = json!({ "replicas": 1, "template": { "spec": { "containers": [{ "name": "main" }] } } });
    let promotion =
        json!({ "sourceEnvironmentRef": "development", "targetEnvironmentRefs": [{ "name": "eu" }] });
    let policies = json!({
        "rateLimit": { "requests": 100, "window": "1m" },
        "authentication": { "type": "jwt", "jwt": {
            "jwks": "https://idp.example.com/jwks", "issuer": "https://idp.example.com", "audience": ["shop"],
        } },
        "cors": { "allowOrigins": ["https://shop.example.com"], "allowMethods": ["GET"], "maxAge": 3600 },
        "security": { "allowedIPs": ["10.0.0.0/8"], "blockedIPs": ["10.1.0.0/16"] },
        "circuitBreaker": { "enabled": true, "maxConnections": 5 },
    });
    let api = json!({
        "type": "REST", "rest": { "backend": { "port": 8080 }, "exposeLevels": ["Organization", "Public"] },
    });
    let api_of = json!({
        "owner": owner("books"), "environmentName": "development", "type": "REST", "rest": api["rest"],
    });
    let connection = json!({
        "type": "api", "params": { "componentName": "books", "endpoint": "api" },
        "inject": { "env": [{ "name": "BOOKS", "value": "{{ .url }}" }] },
    });
    vec![
        ("Organization", "default", json!({})),
        ("BuildPlane", "ci", json!({ "planeID": "eu" })),
        ("GitCommitRequest", "deploy", commit("")),
        ("ConfigurationGroup", "db", json!({ "configurations": [] })),
        ("Environment", "development", json!({ "dataPlaneRef": "eu" })),
        (
            "DeploymentPipeline",
            "default",
            json!({ "promotionPaths": [promotion] }),
        ),
        ("Project", "shop", json!({ "deploymentPipelineRef": "default" })),
        (
            "ServiceClass",
            "default",
            json!({ "deploymentTemplate": template }),
        ),
        (
            "WebApplicationClass",
            "default",
            json!({ "deploymentTemplate": template }),
        ),
        (
            "ScheduledTaskClass",
            "default",
            json!({ "cronJobTemplate": { "schedule": "0 0 1 1 *" } }),
        ),
        (
            "APIClass",
            "default",
            json!({ "restPolicy": { "defaults": policies } }),
        ),
        (
            "Component",
            "books",
            json!({ "owner": { "projectName": "shop" }, "type": "Service" }),
        ),
        (
            "Workload",
            "books",
            json!({
                "owner": owner("books"), "containers": containers,
                "endpoints": { "api": { "type": "REST", "port": 8080 }, "admin": { "type": "HTTP", "port": 8081 } },
            }),
        ),
        (
            "Service",
            "books",
            json!({ "owner": owner("books"), "workloadName": "books", "apis": { "api": api } }),
        ),
        (
            "Workload",
            "web",
            json!({
                "owner": owner("web"), "containers": containers,
                "endpoints": { "site": { "type": "HTTP", "port": 80 } }, "connections": { "books": connection },
            }),
        ),
        (
            "WebApplication",
            "web",
            json!({ "owner": owner("web"), "workloadName": "web" }),
        ),
        (
            "Workload",
            "report",
            json!({ "owner": owner("report"), "containers": containers }),
        ),
        (
            "ScheduledTask",
            "report",
            json!({ "owner": owner("report"), "workloadName": "report" }),
        ),
        ("API", "books", api_of),
        (
            "APIBinding",
            "books-api",
            json!({
                "apiName": "books", "apiClassName": "default", "environmentName": "development",
            }),
        ),
    ]
}

/// A commit to a server that is not there, with the login in a Secret.
fn commit(secret: &str) -> Value {
    json!({
        "repoURL": "https://127.0.0.1:1/team.git", "branch": "main", "message": "Deploy books",
        "files": [{ "path": "books.json", "content": "{}" }], "authSecretRef": secret,
    })
}

/// What is said in the end: kind, name, reason and message of `Ready`.
const SAID: [(&str, &str, &str, &str); 11] = [
    ("Organization", "default", "NamespaceCreated", ""),
    ("BuildPlane", "ci", "PlaneConnected", ""),
    ("Component", "books", "ProjectFound", ""),
    (
        "GitCommitRequest",
        "deploy",
        "FetchFailed",
        "https://127.0.0.1:1/team.git cannot be reached",
    ),
    (
        "ServiceBinding",
        "books",
        "ResourcesActive",
        "All 8 resources are deployed and healthy",
    ),
    (
        "WebApplicationBinding",
        "web",
        "ResourcesActive",
        "All 3 resources are deployed and healthy",
    ),
    (
        "ScheduledTaskBinding",
        "report",
        "ResourceHealthProgressing",
        "Resources status: 1/1 progressing",
    ),
    (
        "APIBinding",
        "books-api",
        "ResourcesActive",
        "No resources to deploy",
    ),
    ("Environment", "development", "EnvironmentReady", ""),
    ("DeploymentPipeline", "default", "EnvironmentsFound", ""),
    ("Project", "shop", "DeploymentPipelineFound", ""),
];

async fn started(ground: &Ground) -> Stage {
    let stage = Stage::start_by_the_charts(ground, &["eu"]).await.unwrap();
    stage.planes["eu"].cluster.install_gateways().await.unwrap();
    let admit = ["plane", "token", "eu", "--for", "buildplane/default/ci"];
    stage.operator().outhaul(&admit).await.unwrap();
    for (kind, name, spec) in written() {
        stage.operator().apply(kind, name, spec).await.unwrap();
    }
    stage
}

/// Every kind of a cluster, the most written ones among them.
async fn kinds(client: &Client) -> Vec<ApiResource> {
    let kinds = versions::kinds(client).await.unwrap();
    for known in ["Secret", "Event", "Namespace"] {
        assert!(
            kinds.iter().any(|kind| kind.kind == known),
            "{known} is not among {kinds:?}"
        );
    }
    kinds
}

/// Waits until nothing has been written on either side for a while.
async fn nothing_is_written(stage: &Stage) {
    let given = env::var("OUTHAUL_QUIET_SECONDS").ok();
    let quiet = given.map_or(QUIET, |seconds| Duration::from_secs(seconds.parse().unwrap()));
    let (control, plane) = tokio::try_join!(stage.control.client(), stage.planes["eu"].client()).unwrap();
    let (of_control, of_plane) = tokio::join!(kinds(&control), kinds(&plane));
    let everything = || async {
        let looks = tokio::try_join!(
            versions::of(&control, &of_control),
            versions::of(&plane, &of_plane)
        );
        let (control, plane) = looks.unwrap();
        [control, plane]
    };
    let start = Instant::now();
    let (mut known, mut since) = (everything().await, start);
    while since.elapsed() < quiet {
        let now = everything().await;
        if now != known {
            let changed = [0, 1].map(|side| versions::written(&known[side], &now[side]));
            assert!(
                start.elapsed() < stage::PATIENCE + quiet,
                "it never rests: {changed:?}"
            );
            (known, since) = (now, Instant::now());
        }
    }
}

async fn what_an_organization_writes_settles_and_then_nothing_is_written(ground: Ground) {
    let stage = started(&ground).await;
    for (kind, name, reason, message) in SAID {
        let said = stage.operator().said(kind, name, reason).await.unwrap();
        let words = condition(&said, "Ready").unwrap()["message"].as_str().unwrap();
        assert!(words.starts_with(message), "{kind} {name}: {words}");
    }
    nothing_is_written(&stage).await;
    stage.end().await.unwrap();
}

async fn release_state(stage: &Stage, kind: &str, name: &str, state: &str) {
    let patch = Patch::Merge(json!({ "spec": { "releaseState": state } }));
    let bindings = stage.operator().api(kind);
    bindings
        .patch(name, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

/// Waits until neither bindings nor Releases of this name are left.
async fn gone(stage: &Stage, binding: &str, name: &str) {
    poll::until(&format!("nothing is left of {name}"), stage::PATIENCE, || async {
        for kind in [binding, "Release"] {
            let left = stage.operator().api(kind).get_opt(name).await?;
            ensure!(left.is_none(), "{kind} {name} is left");
        }
        Ok(())
    })
    .await
    .unwrap();
}

async fn delete(stage: &Stage, kind: &str, name: &str) {
    let objects = stage.operator().api(kind);
    objects.delete(name, &DeleteParams::default()).await.unwrap();
}

/// The CronJobs of the plane, once they are as wanted.
async fn cron_jobs(stage: &Stage, what: &str, wanted: impl Fn(&[CronJob]) -> bool) {
    let all: Api<CronJob> = Api::all(stage.planes["eu"].client().await.unwrap());
    poll::until(what, stage::PATIENCE, || async {
        let found = all.list(&ListParams::default()).await?.items;
        ensure!(wanted(&found), "{found:?}");
        Ok(())
    })
    .await
    .unwrap();
}

fn suspended(cron_jobs: &[CronJob]) -> Option<bool> {
    match cron_jobs {
        [only] => Some(only.spec.suspend == Some(true)),
        _ => None,
    }
}

async fn web_applications_tasks_and_api_bindings_go_all_the_way_and_back(ground: Ground) {
    let stage = started(&ground).await;
    let said = async |kind, name, reason| stage.operator().said(kind, name, reason).await.unwrap();

    said("WebApplicationBinding", "web", "ResourcesActive").await;
    for (state, reason) in [
        ("Suspend", "ResourcesSuspended"),
        ("Undeploy", "ResourcesUndeployed"),
        ("Active", "ResourcesActive"),
    ] {
        release_state(&stage, "WebApplicationBinding", "web", state).await;
        said("WebApplicationBinding", "web", reason).await;
    }
    delete(&stage, "WebApplication", "web").await;
    gone(&stage, "WebApplicationBinding", "web").await;

    let task = "ScheduledTaskBinding";
    cron_jobs(&stage, "the task runs", |jobs| suspended(jobs) == Some(false)).await;
    release_state(&stage, task, "report", "Suspend").await;
    cron_jobs(&stage, "the task is suspended", |jobs| {
        suspended(jobs) == Some(true)
    })
    .await;
    said(task, "report", "ResourcesSuspended").await;
    release_state(&stage, task, "report", "Undeploy").await;
    cron_jobs(&stage, "the task is undeployed", <[CronJob]>::is_empty).await;
    said(task, "report", "ResourcesUndeployed").await;
    release_state(&stage, task, "report", "Active").await;
    cron_jobs(&stage, "the task is back", |jobs| suspended(jobs) == Some(false)).await;
    delete(&stage, "ScheduledTask", "report").await;
    gone(&stage, task, "report").await;
    cron_jobs(&stage, "the task is gone", <[CronJob]>::is_empty).await;

    said("APIBinding", "books-api", "ResourcesActive").await;
    delete(&stage, "API", "books").await;
    said("APIBinding", "books-api", "InvalidConfiguration").await;
    let (_, _, api) = written().into_iter().find(|(kind, ..)| *kind == "API").unwrap();
    stage.operator().apply("API", "books", api).await.unwrap();
    said("APIBinding", "books-api", "ResourcesActive").await;
    delete(&stage, "APIBinding", "books-api").await;
    gone(&stage, "APIBinding", "books-api").await;
    stage.end().await.unwrap();
}

async fn who_owns_a_namespace_lets_the_hub_read_the_secrets_of_its_commits(ground: Ground) {
    let stage = Stage::start_bare(&ground, &[]).await.unwrap();
    let client = stage.control.client().await.unwrap();
    let secret = json!({
        "metadata": { "name": "git" }, "stringData": { "username": "ada", "password": "lovelace" },
    });
    let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
    let secret = serde_json::from_value(secret).unwrap();
    secrets.create(&PostParams::default(), &secret).await.unwrap();
    let operator = stage.operator();
    operator
        .apply("GitCommitRequest", "deploy", commit("git"))
        .await
        .unwrap();
    let said = operator
        .said("GitCommitRequest", "deploy", "SecretNotUsable")
        .await
        .unwrap();
    let words = condition(&said, "Ready").unwrap()["message"].as_str().unwrap();
    assert!(words.contains("ClusterRole outhaul-hub-git"), "{words}");

    let binding = json!({
        "metadata": { "name": "outhaul-hub-git" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "outhaul-hub-git" },
        "subjects": [{ "kind": "ServiceAccount", "name": "outhaul-hub", "namespace": SYSTEM }],
    });
    let bindings: Api<RoleBinding> = Api::namespaced(client, NAMESPACE);
    let binding = serde_json::from_value(binding).unwrap();
    bindings.create(&PostParams::default(), &binding).await.unwrap();
    operator
        .said("GitCommitRequest", "deploy", "FetchFailed")
        .await
        .unwrap();
    stage.end().await.unwrap();
}

support::on_both_grounds!(
    what_an_organization_writes_settles_and_then_nothing_is_written,
    web_applications_tasks_and_api_bindings_go_all_the_way_and_back,
    who_owns_a_namespace_lets_the_hub_read_the_secrets_of_its_commits,
);
