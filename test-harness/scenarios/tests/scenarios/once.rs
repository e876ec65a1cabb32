//! Bundles that run once, and what has to be there first.

use crate::support::{self, TARGET, config_map};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
};
use outhaul_scenarios::operator::{NAMESPACE, condition};
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::{Value, json};

/// Keeps an object that runs until its end is written down.
const OBSERVED: &str = "outhaul.dev/observed";

/// How far a run is when its agent is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// The plane wrote down that it is about to be created.
    Recorded,
    /// It is there.
    Created,
    /// It is known which one it is.
    Known,
    /// It has just ended.
    Ended,
}

fn pod(name: &str) -> Value {
    let container = json!({"name": "main", "image": "registry.example/run:1"});
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": TARGET},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    })
}

/// What a pod needs where nothing makes it: a namespace, and the identity that pods have by default.
fn ensured() -> Value {
    json!([
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": TARGET}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TARGET}},
    ])
}

fn run(name: &str) -> Value {
    let entry = json!({"id": "run", "object": pod(name)});
    json!({"plane": "eu", "lifecycle": "Once", "objects": [entry], "ensure": ensured()})
}

/// The Bundles of the control plane.
async fn bundles(stage: &Stage) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("outhaul.dev", "v1alpha1", "Bundle"));
    Api::namespaced_with(stage.control.client().await.unwrap(), NAMESPACE, &resource)
}

async fn pods(stage: &mut Stage) -> Api<Pod> {
    Api::namespaced(stage.plane("eu").unwrap().client().await.unwrap(), TARGET)
}

async fn put(bundles: &Api<DynamicObject>, name: &str, spec: &Value) -> Result<()> {
    let bundle = json!({"apiVersion": "outhaul.dev/v1alpha1", "kind": "Bundle", "metadata": {"name": name}, "spec": spec});
    let params = PatchParams::apply("somebody").force();
    bundles.patch(name, &params, &Patch::Apply(&bundle)).await?;
    Ok(())
}

/// Waits until a Bundle says `reason` of its current generation. Returns its words.
async fn says(bundles: &Api<DynamicObject>, name: &str, reason: &str) -> String {
    poll::until(&format!("{name} says {reason}"), stage::PATIENCE, || async {
        let bundle = bundles.get(name).await?;
        let ready = condition(&bundle, "Ready").filter(|ready| {
            ready["observedGeneration"].as_i64() == bundle.metadata.generation && ready["reason"] == reason
        });
        let ready = ready.with_context(|| bundle.data["status"].to_string())?;
        Ok(ready["message"].as_str().unwrap_or_default().to_owned())
    })
    .await
    .unwrap()
}

/// Waits until a pod is there. Returns its uid.
async fn created(pods: &Api<Pod>, name: &str) -> String {
    poll::until(&format!("{name} is created"), stage::PATIENCE, || async {
        let pod = pods.get(name).await?;
        pod.metadata.uid.context("it has no uid")
    })
    .await
    .unwrap()
}

async fn end(pods: &Api<Pod>, name: &str, phase: &str) {
    let status = Patch::Merge(json!({"status": {"phase": phase, "message": "because"}}));
    pods.patch_status(name, &PatchParams::default(), &status)
        .await
        .unwrap();
}

/// Waits until nothing of ours keeps a pod, and clears it away, as a controller of the cluster would.
async fn clear_away(pods: &Api<Pod>, name: &str) {
    poll::until(&format!("nothing keeps {name}"), stage::PATIENCE, || async {
        let pod = pods.get(name).await?;
        let kept = pod.metadata.finalizers.iter().flatten().any(|it| it == OBSERVED);
        ensure!(!kept, "its finalizers: {:?}", pod.metadata.finalizers);
        Ok(())
    })
    .await
    .unwrap();
    pods.delete(name, &DeleteParams::default().grace_period(0))
        .await
        .unwrap();
    absent(pods, name).await;
}

async fn absent(pods: &Api<Pod>, name: &str) {
    poll::until(&format!("{name} is gone"), stage::PATIENCE, || async {
        ensure!(pods.get_opt(name).await?.is_none(), "it is still there");
        Ok(())
    })
    .await
    .unwrap();
}

/// Waits until the plane has written down what it is about to create.
async fn recorded(stage: &mut Stage, name: &str) {
    let client = stage.plane("eu").unwrap().client().await.unwrap();
    let secrets: Api<Secret> = Api::namespaced(client, "outhaul-system");
    let of_it = format!("Bundle {NAMESPACE}/{name}");
    let is_of_it = |secret: &Secret| {
        let annotations = secret.metadata.annotations.as_ref();
        let resource = annotations.and_then(|annotations| annotations.get("outhaul.dev/resource"));
        resource.is_some_and(|resource| resource.starts_with(&of_it))
    };
    poll::until(&format!("{name} is written down"), stage::PATIENCE, || async {
        let stored = ListParams::default().labels("outhaul.dev/store=resource");
        ensure!(
            secrets.list(&stored).await?.items.iter().any(is_of_it),
            "it is not"
        );
        Ok(())
    })
    .await
    .unwrap();
}

/// Waits until the control plane knows which object it is.
async fn known(bundles: &Api<DynamicObject>, name: &str) {
    poll::until(&format!("{name} is known"), stage::PATIENCE, || async {
        let status = &bundles.get(name).await?.data["status"];
        ensure!(status["inventory"][0]["uid"].is_string(), "{status}");
        Ok(())
    })
    .await
    .unwrap();
}

/// An agent that is killed goes on with a run where that is, and makes no second one of it: not while it runs, and not
/// after it has ended and is cleared away.
async fn a_run_is_made_once_wherever_its_agent_is_killed(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let bundles = bundles(&stage).await;
    let pods = pods(&mut stage).await;
    let moments = [Moment::Recorded, Moment::Created, Moment::Known, Moment::Ended];
    for (number, moment) in moments.into_iter().enumerate() {
        let name = format!("run-{number}");
        put(&bundles, &name, &run(&name)).await.unwrap();
        match moment {
            Moment::Recorded => recorded(&mut stage, &name).await,
            Moment::Created => drop(created(&pods, &name).await),
            Moment::Known => known(&bundles, &name).await,
            Moment::Ended => {
                created(&pods, &name).await;
                end(&pods, &name, "Succeeded").await;
            }
        }
        let plane = stage.plane("eu").unwrap();
        plane.kill_agent();
        plane.start_agent(None).unwrap();
        let uid = created(&pods, &name).await;
        if !matches!(moment, Moment::Ended) {
            end(&pods, &name, "Succeeded").await;
        }
        let words = says(&bundles, &name, "AllHealthy").await;
        assert_eq!(words, "1 objects have run to their end", "killed when {moment:?}");
        clear_away(&pods, &name).await;
        let bundle = bundles.get(&name).await.unwrap();
        assert_eq!(
            bundle.data["status"]["inventory"][0]["uid"], uid,
            "killed when {moment:?}"
        );
    }
    let plane = stage.plane("eu").unwrap();
    plane.kill_agent();
    plane.start_agent(None).unwrap();
    stage.connected("eu", true).await.unwrap();
    // Whatever the agent would do again it has done once a later Bundle has run.
    put(&bundles, "last", &run("last")).await.unwrap();
    created(&pods, "last").await;
    let there = pods.list(&ListParams::default()).await.unwrap();
    assert_eq!(there.items.len(), 1, "nothing runs again");
    stage.end().await.unwrap();
}

/// Whatever becomes of a run is told in a word, and nothing of it is made again.
async fn every_end_of_a_run_has_a_name(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let bundles = bundles(&stage).await;
    let pods = pods(&mut stage).await;
    for name in ["fails", "cancelled", "vanishes", "edited", "removed"] {
        put(&bundles, name, &run(name)).await.unwrap();
        created(&pods, name).await;
        says(&bundles, name, "Progressing").await;
    }

    end(&pods, "fails", "Failed").await;
    let words = says(&bundles, "fails", "Failed").await;
    assert!(words.contains("because"), "{words}");
    let path = format!("bundle/{NAMESPACE}/fails");
    let explained = stage.operator().outhaul(&["explain", &path]).await.unwrap();
    assert!(explained.contains("does not run again"), "{explained}");

    let now = DeleteParams::default().grace_period(0);
    pods.delete("cancelled", &now).await.unwrap();
    says(&bundles, "cancelled", "Cancelled").await;
    absent(&pods, "cancelled").await;

    stage.plane("eu").unwrap().kill_agent();
    let forced = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    pods.patch("vanishes", &PatchParams::default(), &forced)
        .await
        .unwrap();
    pods.delete("vanishes", &now).await.unwrap();
    absent(&pods, "vanishes").await;
    stage.plane("eu").unwrap().start_agent(None).unwrap();
    says(&bundles, "vanishes", "Vanished").await;

    let mut edited = run("edited");
    edited["objects"][0]["object"]["metadata"]["labels"] = json!({"edited": "yes"});
    put(&bundles, "edited", &edited).await.unwrap();
    let words = says(&bundles, "edited", "InvalidSpec").await;
    assert!(words.contains("runs once"), "{words}");
    put(&bundles, "edited", &run("edited")).await.unwrap();
    end(&pods, "edited", "Succeeded").await;
    says(&bundles, "edited", "AllHealthy").await;

    bundles.delete("removed", &DeleteParams::default()).await.unwrap();
    absent(&pods, "removed").await;
    poll::until("the Bundle is gone", stage::PATIENCE, || async {
        ensure!(bundles.get_opt("removed").await?.is_none(), "it is still there");
        Ok(())
    })
    .await
    .unwrap();

    put(&bundles, "fails-again", &run("fails")).await.unwrap();
    says(&bundles, "fails-again", "NameTaken").await;
    stage.end().await.unwrap();
}

/// What has to be there is made once, as it stands in the spec, before anything else; and it is nobody's.
async fn what_has_to_be_there_is_made_first_and_left_alone(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let bundles = bundles(&stage).await;
    let spec = json!({
        "plane": "eu", "objects": [config_map("own", "1")],
        "ensure": [ensured()[1], config_map("shared", "1")["object"]],
    });
    put(&bundles, "first", &spec).await.unwrap();
    says(&bundles, "first", "AllHealthy").await;
    let client = stage.plane("eu").unwrap().client().await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(client, TARGET);
    let shared = maps.get("shared").await.unwrap();
    assert_eq!((shared.metadata.labels, shared.metadata.finalizers), (None, None));

    let mut second = spec.clone();
    second["objects"] = json!([config_map("another", "1")]);
    second["ensure"][1]["data"]["value"] = json!("2");
    put(&bundles, "second", &second).await.unwrap();
    says(&bundles, "second", "AllHealthy").await;
    assert_eq!(maps.get("shared").await.unwrap().data, shared.data);

    let mut blocked = spec.clone();
    blocked["objects"] = json!([config_map("waits", "1")]);
    blocked["ensure"] = json!([{"apiVersion": "example.dev/v1", "kind": "Nothing", "metadata": {"name": "x", "namespace": TARGET}}]);
    put(&bundles, "blocked", &blocked).await.unwrap();
    says(&bundles, "blocked", "KindUnknown").await;
    assert!(maps.get_opt("waits").await.unwrap().is_none());

    maps.delete("shared", &DeleteParams::default()).await.unwrap();
    bundles.delete("first", &DeleteParams::default()).await.unwrap();
    poll::until("its own object goes with a Bundle", stage::PATIENCE, || async {
        ensure!(maps.get_opt("own").await?.is_none(), "it is still there");
        Ok(())
    })
    .await
    .unwrap();
    assert!(
        maps.get_opt("shared").await.unwrap().is_none(),
        "it is not made again"
    );
    stage.end().await.unwrap();
}

support::on_both_grounds!(
    a_run_is_made_once_wherever_its_agent_is_killed,
    every_end_of_a_run_has_a_name,
    what_has_to_be_there_is_made_first_and_left_alone,
);
