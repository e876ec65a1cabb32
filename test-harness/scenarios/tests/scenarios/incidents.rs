//! What took production down elsewhere, and what happens here.

use crate::support::{self, config_map, config_maps, gone, has_value, in_plane, uid_of};
use anyhow::ensure;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ObjectMeta, Patch, PatchParams, PostParams};
use outhaul_scenarios::operator::condition;
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::json;

/// How many orphans the hub shows of a plane.
async fn orphans(stage: &Stage, plane: &str, wanted: u64) {
    let look = || async {
        let view = stage
            .operator()
            .rest()
            .get(&format!("/api/v1/planes/{plane}"))
            .await?;
        ensure!(view["orphans"]["total"] == wanted, "{}", view["orphans"]);
        Ok(())
    };
    let what = format!("the hub shows {wanted} orphans");
    poll::until(&what, stage::PATIENCE, look).await.unwrap();
}

/// The control plane goes back to a backup that is older than what the plane holds. Nothing is taken from the plane and
/// nothing goes back there, until the operator says that the backup is what counts.
async fn hub_restored_from_yesterdays_backup(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let operator = stage.operator();
    operator
        .release("cart", "eu", &json!([config_map("one", "yesterday")]))
        .await
        .unwrap();
    operator.ready("cart", "True").await.unwrap();
    stage.control.back_up().await.unwrap();
    let today = json!([config_map("one", "today"), config_map("two", "today")]);
    let operator = stage.operator();
    let edited = poll::until("the API server is back", stage::PATIENCE, || {
        operator.release("cart", "eu", &today)
    });
    edited.await.unwrap();
    operator
        .release("till", "eu", &json!([config_map("three", "today")]))
        .await
        .unwrap();
    operator.ready("cart", "True").await.unwrap();
    operator.ready("till", "True").await.unwrap();
    let mut before = Vec::new();
    for name in ["one", "two", "three"] {
        before.push(uid_of(&mut stage, "eu", name).await.unwrap());
    }

    stage.stop_hub().await.unwrap();
    stage.control.restore().await.unwrap();
    stage.restart_hub().await.unwrap();
    stage.connected("eu", true).await.unwrap();
    let operator = stage.operator();
    operator
        .unready("cart", "HubBehind", |words| {
            words.contains("`outhaul hub restored`")
        })
        .await
        .unwrap();
    orphans(&stage, "eu", 1).await;
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    for name in ["one", "two", "three"] {
        has_value(&objects, name, "today").await;
    }

    stage.operator().outhaul(&["hub", "restored"]).await.unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    has_value(&objects, "one", "yesterday").await;
    // The version that counts now does not name it; nothing else is let go.
    gone(&mut stage, "eu", "two").await;
    orphans(&stage, "eu", 1).await;
    has_value(&objects, "three", "today").await;
    assert_eq!(uid_of(&mut stage, "eu", "one").await.unwrap(), before[0]);
    assert_eq!(uid_of(&mut stage, "eu", "three").await.unwrap(), before[2]);
    stage.end().await.unwrap();
}

/// Deletes an object behind everybody's back, and makes it again from its manifest.
async fn rebuild(objects: &Api<DynamicObject>, name: &str) {
    let mut object = objects.get(name).await.unwrap();
    let freed = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    objects
        .patch(name, &PatchParams::default(), &freed)
        .await
        .unwrap();
    objects.delete(name, &DeleteParams::default()).await.unwrap();
    object.metadata = ObjectMeta {
        name: object.metadata.name,
        namespace: object.metadata.namespace,
        ..ObjectMeta::default()
    };
    object.data = json!({ "spec": object.data["spec"] });
    objects.create(&PostParams::default(), &object).await.unwrap();
}

/// The Plane `eu` as it is in the control plane.
async fn plane_eu(stage: &Stage) -> DynamicObject {
    let plane = ApiResource::erase::<outhaul_hub_resources::Plane>(&());
    let planes: Api<DynamicObject> = Api::all_with(stage.control.client().await.unwrap(), &plane);
    planes.get("eu").await.unwrap()
}

/// Waits until the Plane `eu` says whether its plane takes the control plane for the one that it knew.
async fn confirmed(stage: &Stage, wanted: &str) {
    let look = || async {
        let plane = plane_eu(stage).await;
        let said = condition(&plane, "ControlPlaneConfirmed");
        ensure!(
            said.is_some_and(|it| it["status"] == wanted),
            "{}",
            plane.data["status"]
        );
        Ok(())
    };
    let what = format!("the control plane is confirmed: {wanted}");
    poll::until(&what, stage::PATIENCE, look).await.unwrap();
}

/// The control plane is another cluster by now, with the same hub id. What it adds and changes is done; what it lets go, and
/// what it has adopted, waits until the operator says that it is the right one.
async fn control_plane_rebuilt_from_manifests(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let kept = json!([config_map("one", "a")]);
    stage.operator().release("cart", "eu", &kept).await.unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let before = uid_of(&mut stage, "eu", "one").await.unwrap();
    stage.plane("eu").unwrap().stop_agent().await.unwrap();
    stage.rebuild_control_plane(&ground).await.unwrap();
    let operator = stage.operator();
    operator.declare("eu").await.unwrap();
    operator.token("eu").await.unwrap();
    stage.connected("eu", false).await.unwrap();
    stage.plane("eu").unwrap().start_agent(None).unwrap();
    stage.connected("eu", true).await.unwrap();

    let objects = config_maps(&mut stage, "eu").await.unwrap();
    let operator = stage.operator();
    let both = json!([config_map("two", "a"), config_map("three", "a")]);
    operator.release("till", "eu", &both).await.unwrap();
    operator.ready("till", "True").await.unwrap();
    operator
        .release("till", "eu", &json!([config_map("two", "b")]))
        .await
        .unwrap();
    has_value(&objects, "two", "b").await;
    let held = || async {
        let till = operator.releases().get("till").await?;
        let held = condition(&till, "Held").filter(|it| it["reason"] == "ControlPlaneChanged");
        ensure!(
            held.is_some_and(|it| it["message"]
                .as_str()
                .is_some_and(|it| it.contains("`outhaul plane confirm eu`"))),
            "{}",
            till.data["status"]
        );
        Ok(())
    };
    poll::until("what is to go is held", stage::PATIENCE, held)
        .await
        .unwrap();
    confirmed(&stage, "False").await;
    let refused = operator
        .outhaul(&["confirm", "eu", "release/default/till", "remove"])
        .await
        .unwrap_err();
    assert!(
        format!("{refused:#}").contains("outhaul plane confirm eu"),
        "{refused:#}"
    );
    let explained = operator.outhaul(&["explain", "plane/eu"]).await.unwrap();
    for words in [
        "ConfigMap shop/three of Release default/till",
        "ControlPlaneUnconfirmed: ",
        "      outhaul plane confirm eu\n",
    ] {
        assert!(explained.contains(words), "{words}: {explained}");
    }
    operator.release("cart", "eu", &kept).await.unwrap();
    orphans(&stage, "eu", 1).await;
    operator
        .unready("cart", "OwnedByAnother", |_words| true)
        .await
        .unwrap();
    operator
        .outhaul(&["orphans", "adopt", "eu", "--all"])
        .await
        .unwrap();
    operator
        .unready("cart", "ControlPlaneChanged", |words| {
            words.contains("taking it over waits")
        })
        .await
        .unwrap();
    has_value(&objects, "three", "a").await;

    operator.outhaul(&["plane", "confirm", "eu"]).await.unwrap();
    operator.ready("cart", "True").await.unwrap();
    gone(&mut stage, "eu", "three").await;
    confirmed(&stage, "True").await;
    assert_eq!(uid_of(&mut stage, "eu", "one").await.unwrap(), before);
    let nothing = stage.operator().outhaul(&["plane", "confirm", "eu"]).await;
    assert!(format!("{:#}", nothing.unwrap_err()).contains("nothing to confirm"));
    stage.end().await.unwrap();
}

/// A Plane and what is on it are made again from manifests, under new uids. What the plane holds of before is kept and shown,
/// and taken over in place once the operator says so.
async fn plane_made_again_from_manifests(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let both = json!([config_map("one", "a"), config_map("two", "a")]);
    stage.operator().release("cart", "eu", &both).await.unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let mut before = Vec::new();
    for name in ["one", "two"] {
        before.push(uid_of(&mut stage, "eu", name).await.unwrap());
    }
    stage.stop_hub().await.unwrap();
    let plane = ApiResource::erase::<outhaul_hub_resources::Plane>(&());
    let planes: Api<DynamicObject> = Api::all_with(stage.control.client().await.unwrap(), &plane);
    rebuild(&planes, "eu").await;
    rebuild(&stage.operator().releases(), "cart").await;
    stage.restart_hub().await.unwrap();
    stage.connected("eu", true).await.unwrap();

    let operator = stage.operator();
    operator
        .unready("cart", "OwnedByAnother", |_words| true)
        .await
        .unwrap();
    orphans(&stage, "eu", 1).await;
    let listed = operator.outhaul(&["orphans", "list", "eu"]).await.unwrap();
    assert!(listed.contains("Release  default/cart"), "{listed}");
    operator
        .outhaul(&["orphans", "adopt", "eu", "--all"])
        .await
        .unwrap();
    operator
        .unready("cart", "ControlPlaneChanged", |_words| true)
        .await
        .unwrap();
    operator.outhaul(&["plane", "confirm", "eu"]).await.unwrap();
    let cart = operator.ready("cart", "True").await.unwrap();
    orphans(&stage, "eu", 0).await;
    for (name, before) in ["one", "two"].into_iter().zip(before) {
        let object = in_plane(&mut stage, "eu", name).await.unwrap();
        assert_eq!(object.metadata.uid, Some(before), "{name} was made again");
        let labels = object.metadata.labels.unwrap();
        assert_eq!(
            labels.get("openchoreo.dev/release-uid"),
            cart.metadata.uid.as_ref()
        );
    }
    let done = || async {
        let plane = planes.get("eu").await?;
        ensure!(
            plane.data["spec"]["decisions"]
                .as_array()
                .is_none_or(Vec::is_empty),
            "{}",
            plane.data["spec"]
        );
        Ok(())
    };
    poll::until("the decision is off the Plane", stage::PATIENCE, done)
        .await
        .unwrap();
    stage.end().await.unwrap();
}

/// A cluster burns down. What waits for it is let go by one word, which is refused while it is connected; and when it
/// turns out to have survived, it is told so and its workloads are still there.
async fn plane_gone_for_ever(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let operator = stage.operator();
    for name in ["cart", "till"] {
        operator
            .release(name, "eu", &json!([config_map(name, "a")]))
            .await
            .unwrap();
        operator.ready(name, "True").await.unwrap();
    }
    let refused = operator.outhaul(&["plane", "forget", "eu"]).await.unwrap_err();
    assert!(format!("{refused:#}").contains("CONFLICT"), "{refused:#}");
    let before = uid_of(&mut stage, "eu", "cart").await.unwrap();
    stage.plane("eu").unwrap().stop_agent().await.unwrap();

    let operator = stage.operator();
    operator
        .releases()
        .delete("cart", &DeleteParams::default())
        .await
        .unwrap();
    let forget = || async { operator.outhaul(&["plane", "forget", "eu"]).await };
    // Until the hub is sure that it has no session.
    let said = poll::until("the plane is forgotten", 2 * stage::PATIENCE, forget)
        .await
        .unwrap();
    assert!(said.contains("  Release default/till\n"), "{said}");
    let released = || async {
        ensure!(operator.releases().get_opt("cart").await?.is_none(), "cart waits");
        let till = operator.releases().get("till").await?;
        let condition = condition(&till, "PlaneForgotten");
        ensure!(
            condition.is_some_and(|it| it["status"] == "True"),
            "{}",
            till.data["status"]
        );
        Ok(())
    };
    poll::until("nothing waits for the plane", stage::PATIENCE, released)
        .await
        .unwrap();

    stage.plane("eu").unwrap().start_agent(None).unwrap();
    stage.connected("eu", false).await.unwrap();
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    has_value(&objects, "cart", "a").await;
    assert_eq!(uid_of(&mut stage, "eu", "cart").await.unwrap(), before);
    stage.end().await.unwrap();
}

support::on_both_grounds!(
    hub_restored_from_yesterdays_backup,
    control_plane_rebuilt_from_manifests,
    plane_made_again_from_manifests,
    plane_gone_for_ever,
);
