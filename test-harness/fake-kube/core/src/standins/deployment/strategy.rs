//! How many pods too many, and how many too few, a rollout may have.

use serde_json::Value;

use super::replicas;

pub(super) fn is_recreate(deployment: &Value) -> bool {
    deployment["spec"]["strategy"]["type"] == "Recreate"
}

pub(super) fn max_surge(deployment: &Value) -> i64 {
    if is_recreate(deployment) {
        return 0;
    }
    let replicas = replicas(deployment);
    limit(deployment, "maxSurge", |percent| (replicas * percent + 99) / 100)
}

pub(super) fn max_unavailable(deployment: &Value) -> i64 {
    let replicas = replicas(deployment);
    if is_recreate(deployment) || replicas == 0 {
        return 0;
    }
    let limit = limit(deployment, "maxUnavailable", |percent| replicas * percent / 100);
    // With neither too many nor too few, nothing could ever move.
    if limit == 0 && max_surge(deployment) == 0 {
        return 1;
    }
    limit.min(replicas)
}

/// A number as it is, or a percentage of the replicas.
fn limit(deployment: &Value, field: &str, of_replicas: impl Fn(i64) -> i64) -> i64 {
    let value = &deployment["spec"]["strategy"]["rollingUpdate"][field];
    let percent = value
        .as_str()
        .and_then(|text| text.strip_suffix('%')?.parse().ok());
    match (value.as_i64(), percent) {
        (Some(number), _) => number,
        (None, percent) => of_replicas(percent.unwrap_or(25)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limits(replicas: i64, surge: Value, unavailable: Value) -> (i64, i64) {
        let rolling = json!({"maxSurge": surge, "maxUnavailable": unavailable});
        let deployment = json!({"spec": {"replicas": replicas, "strategy": {"rollingUpdate": rolling}}});
        (max_surge(&deployment), max_unavailable(&deployment))
    }

    #[test]
    fn surplus_rounds_up_and_absence_rounds_down() {
        assert_eq!(limits(5, json!("25%"), json!("25%")), (2, 1));
        assert_eq!(limits(1, json!("25%"), json!("25%")), (1, 0));
        assert_eq!(limits(4, json!(2), json!(9)), (2, 4));
    }

    #[test]
    fn something_may_always_move() {
        assert_eq!(limits(3, json!(0), json!(0)), (0, 1));
        assert_eq!(limits(3, json!("0%"), json!("10%")), (0, 1));
    }
}
