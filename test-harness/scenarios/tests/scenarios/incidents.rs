//! What took production down elsewhere, and what happens here.

use crate::support::{self, config_map, config_maps, gone, has_value, uid_of};
use anyhow::ensure;
use kube::api::DeleteParams;
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
        .unready("cart", "HubBehind", |words| words.contains("`outhaul hub restored`"))
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

/// A cluster burns down. What waits for it is let go by one word, which is refused while it is connected; and when it
/// turns out to have survived, it is told so and its workloads run on.
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
    stage.plane("eu").unwrap().kill_agent();

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
        ensure!(condition.is_some_and(|it| it["status"] == "True"), "{}", till.data["status"]);
        Ok(())
    };
    poll::until("nothing waits for the plane", stage::PATIENCE, released)
        .await
        .unwrap();

    stage.plane("eu").unwrap().start_agent(None).unwrap();
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    // It is refused, and repairs what it holds all the same.
    support::overwrite(&objects, "cart", "somebody").await.unwrap();
    has_value(&objects, "cart", "a").await;
    stage.connected("eu", false).await.unwrap();
    assert_eq!(uid_of(&mut stage, "eu", "cart").await.unwrap(), before);
    stage.end().await.unwrap();
}

support::on_both_grounds!(hub_restored_from_yesterdays_backup, plane_gone_for_ever,);
