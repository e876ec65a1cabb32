//! The owner of a plane decides what the hub may do there: seen from the plane, from the control plane, and from the
//! command line.

use crate::support::{self, config_map, config_maps};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{
    Api, ApiResource, DynamicObject, GroupVersionKind, ObjectMeta, Patch, PatchParams, PostParams,
};
use outhaul_scenarios::operator::{NAMESPACE, condition};
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::{Value, json};

/// Writes the policy of a plane as its owner does with kubectl.
async fn govern(stage: &mut Stage, plane: &str, data: Value) -> Result<()> {
    let client = stage.plane(plane)?.client().await?;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    if namespaces.get_opt(stage::SYSTEM).await?.is_none() {
        let namespace = Namespace {
            metadata: named(stage::SYSTEM),
            ..Namespace::default()
        };
        namespaces.create(&PostParams::default(), &namespace).await?;
    }
    let policies: Api<ConfigMap> = Api::namespaced(client, stage::SYSTEM);
    let name = "outhaul-policy";
    let policy = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data});
    let params = PatchParams::apply("owner");
    policies.patch(name, &params, &Patch::Apply(policy)).await?;
    Ok(())
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    }
}

/// Waits until the hub shows this of a plane's policy.
async fn until_shown(stage: &Stage, plane: &str, what: &str, shown: impl Fn(&Value) -> bool) -> Result<()> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("outhaul.dev", "v1alpha1", "Plane"));
    let planes: Api<DynamicObject> = Api::all_with(stage.control.client().await?, &kind);
    poll::until(
        &format!("the hub shows that {plane} {what}"),
        stage::PATIENCE,
        || async {
            let object = planes.get(plane).await?;
            let policy = &object.data["status"]["policy"];
            ensure!(shown(policy), "{policy}");
            Ok(())
        },
    )
    .await
}

async fn until_mode(stage: &Stage, plane: &str, mode: &str) -> Result<()> {
    until_shown(stage, plane, mode, |policy| policy["mode"] == mode).await
}

async fn a_tightened_policy_keeps_what_is_there_connected_and_cut_off(ground: Ground) {
    let mut stage = Stage::start(&ground, &["eu"]).await.unwrap();
    let operator = stage.operator();
    let both = |value: &str| json!([config_map("one", value), config_map("two", value)]);
    operator.release("cart", "eu", &both("a")).await.unwrap();
    operator.ready("cart", "True").await.unwrap();
    let objects = config_maps(&mut stage, "eu").await.unwrap();

    let text = json!({"policy.yaml": "namespaces: [other]\n"});
    govern(&mut stage, "eu", text).await.unwrap();
    let operator = stage.operator();
    let why = operator
        .blocked("eu", "cart", "one", "PolicyForbids")
        .await
        .unwrap();
    assert!(why.contains("namespaces does not name \"shop\""), "{why}");
    operator.release("cart", "eu", &both("b")).await.unwrap();
    operator
        .unready("cart", "PolicyForbids", |words| words.contains("namespaces"))
        .await
        .unwrap();

    govern(&mut stage, "eu", json!({"policy.yaml": "{}"}))
        .await
        .unwrap();
    support::has_value(&objects, "one", "b").await;
    stage.operator().ready("cart", "True").await.unwrap();

    // While no hub is there the owner decides all the same.
    stage.stop_hub().await.unwrap();
    govern(&mut stage, "eu", json!({"policy.yaml": "kinds: []\n"}))
        .await
        .unwrap();
    stage.plane("eu").unwrap().kill_agent();
    objects.delete("two", &Default::default()).await.unwrap();
    stage.plane("eu").unwrap().start_agent(None).unwrap();
    stage.restart_hub().await.unwrap();
    stage.connected("eu", true).await.unwrap();
    let releases = stage.operator().releases();
    releases.delete("cart", &Default::default()).await.unwrap();
    let said = poll::until("what is excluded is held", stage::PATIENCE, || async {
        let object = stage.operator().releases().get("cart").await?;
        let said = condition(&object, "Held").filter(|said| said["status"] == "True");
        said.cloned().with_context(|| object.data["status"].to_string())
    })
    .await
    .unwrap();
    assert_eq!(said["reason"], "PolicyForbids", "{said}");
    support::has_value(&objects, "one", "b").await;
    assert!(
        objects.get_opt("two").await.unwrap().is_none(),
        "nobody repairs it"
    );

    let bundle = format!("release/{NAMESPACE}/cart");
    let refused = stage
        .operator()
        .outhaul(&["confirm", "eu", &bundle, "remove"])
        .await;
    let words = format!("{:#}", refused.unwrap_err());
    assert!(words.contains("only the owner of the plane"), "{words}");
    let left = stage
        .operator()
        .outhaul(&["confirm", "eu", &bundle, "leave"])
        .await;
    assert!(left.unwrap().starts_with("Confirmed: plane eu"));
    until_gone(&stage, "cart").await;
    support::has_value(&objects, "one", "b").await;
    stage.end().await.unwrap();
}

async fn until_gone(stage: &Stage, release: &str) {
    poll::until("the Release is gone", stage::PATIENCE, || async {
        ensure!(stage.operator().releases().get_opt(release).await?.is_none());
        Ok(())
    })
    .await
    .unwrap();
}

async fn an_observer_shows_what_would_change_and_a_text_that_cannot_be_read_changes_nothing(ground: Ground) {
    let mut stage = Stage::start(&ground, &["eu"]).await.unwrap();
    let release = |value: &str| json!([config_map("one", value)]);
    stage
        .operator()
        .release("cart", "eu", &release("a"))
        .await
        .unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let objects = config_maps(&mut stage, "eu").await.unwrap();

    let text = json!({"policy.yaml": "observeOnly: true\n"});
    govern(&mut stage, "eu", text).await.unwrap();
    until_mode(&stage, "eu", "Observes").await.unwrap();
    stage
        .operator()
        .release("cart", "eu", &release("b"))
        .await
        .unwrap();
    poll::until("it says what would change", stage::PATIENCE, || async {
        let operator = stage.operator();
        let what = operator.blocked("eu", "cart", "one", "PolicyObserves").await?;
        ensure!(what.ends_with("it would change .data.value"), "{what}");
        Ok(())
    })
    .await
    .unwrap();

    let text = json!({"policy.yaml": "observeOnly: perhaps\n"});
    govern(&mut stage, "eu", text).await.unwrap();
    until_shown(&stage, "eu", "cannot read it", |policy| {
        policy["mode"] == "Observes"
            && policy["problem"]
                .as_str()
                .is_some_and(|it| it.contains("observeOnly"))
    })
    .await
    .unwrap();
    let shown = stage.operator().outhaul(&["status", "eu"]).await.unwrap();
    assert!(
        shown.contains("cannot be read, and what could be read last is in force"),
        "{shown}"
    );
    assert!(
        stage
            .operator()
            .outhaul(&["status"])
            .await
            .unwrap()
            .contains("Observing")
    );
    let explained = stage.operator().outhaul(&["explain", "plane/eu"]).await.unwrap();
    assert!(
        explained.contains("Waiting: Plane eu\n  PolicyMalformed: "),
        "{explained}"
    );
    let of = ["explain", "plane/eu", "configmap/shop/one"];
    let explained = stage.operator().outhaul(&of).await.unwrap();
    assert!(
        explained.starts_with("Blocked: ConfigMap shop/one of "),
        "{explained}"
    );
    stage.plane("eu").unwrap().stop_agent().await.unwrap();
    stage.plane("eu").unwrap().start_agent(None).unwrap();
    stage.connected("eu", true).await.unwrap();
    stage
        .operator()
        .blocked("eu", "cart", "one", "PolicyObserves")
        .await
        .unwrap();
    support::has_value(&objects, "one", "a").await;

    let text = json!({"policy.yaml": "observeOnly: false\n"});
    govern(&mut stage, "eu", text).await.unwrap();
    support::has_value(&objects, "one", "b").await;
    until_mode(&stage, "eu", "Acts").await.unwrap();
    stage.end().await.unwrap();
}

async fn only_the_owner_confirms_where_the_policy_says_so(ground: Ground) {
    let mut stage = Stage::start(&ground, &["eu"]).await.unwrap();
    let strict = "confirmations: plane\nbudget: {objects: 0, percent: 0}\n";
    govern(&mut stage, "eu", json!({"policy.yaml": strict}))
        .await
        .unwrap();
    stage
        .operator()
        .release("cart", "eu", &json!([config_map("one", "a")]))
        .await
        .unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    stage.operator().release("cart", "eu", &json!([])).await.unwrap();
    let what = poll::until("it is held", stage::PATIENCE, || async {
        let bundle = stage.operator().bundle("eu", "cart").await?;
        ensure!(bundle["blocker"]["reason"] == "OwnerConfirms", "{bundle}");
        Ok(bundle)
    })
    .await
    .unwrap();
    let generation = &what["version"]["generation"];
    let words = what["blocker"]["message"].as_str().unwrap();
    let entry = format!(r#""confirm.release.{NAMESPACE}.cart":"remove@{generation}""#);
    assert!(words.contains(&entry), "{words}");
    let bundle = format!("release/{NAMESPACE}/cart");
    let refused = stage
        .operator()
        .outhaul(&["confirm", "eu", &bundle, "remove"])
        .await;
    assert!(refused.is_err());
    let explained = stage.operator().outhaul(&["explain", &bundle]).await.unwrap();
    let head = format!("Held: ConfigMap shop/one of Release {NAMESPACE}/cart on plane eu, for ");
    assert!(
        explained.contains(&head) && explained.contains("  OwnerConfirms: held: "),
        "{explained}"
    );
    assert!(
        explained.contains(&format!("outhaul confirm eu {bundle} leave\n")),
        "{explained}"
    );
    let mut data = json!({"policy.yaml": strict});
    data[format!("confirm.release.{NAMESPACE}.cart")] = format!("remove@{generation}").into();
    govern(&mut stage, "eu", data).await.unwrap();
    support::gone(&mut stage, "eu", "one").await;
    stage.end().await.unwrap();
}

support::on_both_grounds!(
    a_tightened_policy_keeps_what_is_there_connected_and_cut_off,
    an_observer_shows_what_would_change_and_a_text_that_cannot_be_read_changes_nothing,
    only_the_owner_confirms_where_the_policy_says_so,
);
