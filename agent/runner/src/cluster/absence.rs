//! Whether there can be objects of a kind at all. That a kind is not served proves nothing: a version may be switched
//! off, an aggregated API may be down, a proxy may answer in the API server's place. Only if the API server tells all that
//! it serves, and neither serves, defines nor delegates the kind, there is no object of it.

use outhaul_agent_core::blocker::Failure;
use outhaul_protocol_wire::object::ObjectRef;
use serde_json::Value;

use super::discovery::{self, Kind};
use super::{Cluster, Path};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";

/// A version in which the kind of `object` is served, and how it is reached there.
///
/// # Errors
/// [`Failure::KindAbsent`] if there can be no such object; anything else leaves that open.
pub(super) async fn any_version(cluster: &Cluster, object: &ObjectRef) -> Result<(String, Kind), Failure> {
    let ObjectRef { group, kind, .. } = object;
    for version in versions(cluster, group).await? {
        let served = cluster.discovery.kind(cluster, group, &version, kind).await;
        match served {
            Ok(served) => return Ok((version, served)),
            Err(failure) if failure.is_unserved() => {}
            Err(failure) => return Err(failure),
        }
    }
    let open = is_defined(cluster, group, kind).await? || is_delegated(cluster, group).await?;
    match open {
        true => Err(discovery::unknown(group, &object.version, kind)),
        false => Err(Failure::KindAbsent(format!("{kind} in any version of {group:?}"))),
    }
}

/// The versions of a group that are served; none if the group is not.
async fn versions(cluster: &Cluster, group: &str) -> Result<Vec<String>, Failure> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if group.is_empty() {
        let answer = cluster.get(&Path::new("/api")).await?;
        return Ok(list(&answer, "versions")?.iter().filter_map(text).collect());
    }
    let answer = cluster.get(&Path::new("/apis")).await?;
    let groups = list(&answer, "groups")?;
    let Some(found) = groups.iter().find(|it| it["name"] == group) else {
        return Ok(Vec::new());
    };
    let versions = list(found, "versions")?.iter();
    Ok(versions.filter_map(|it| text(&it["version"])).collect())
}

/// Whether a definition of the kind is there, served or not.
async fn is_defined(cluster: &Cluster, group: &str, kind: &str) -> Result<bool, Failure> {
    let answer = cluster.get(&Path::new(DEFINITIONS)).await?;
    let definitions = list(&answer, "items")?;
    Ok(definitions
        .iter()
        .any(|it| it["spec"]["group"] == group && it["spec"]["names"]["kind"] == kind))
}

/// Whether another server is to serve the group.
async fn is_delegated(cluster: &Cluster, group: &str) -> Result<bool, Failure> {
    match cluster.get(&Path::new(SERVICES)).await {
        Ok(answer) => Ok(list(&answer, "items")?
            .iter()
            .any(|it| it["spec"]["group"] == group)),
        // An API server without an aggregator.
        Err(failure) if failure.is_unserved() => Ok(false),
        Err(failure) => Err(failure),
    }
}

fn list<'a>(answer: &'a Value, field: &str) -> Result<&'a [Value], Failure> {
    let list = answer.get(field).and_then(Value::as_array);
    list.map(Vec::as_slice)
        .ok_or_else(|| Failure::Unreachable(format!("an answer has no {field}: is this an API server?")))
}
