//! What is said of the kinds that a platform consists of.

use serde_json::{Value, json};

use super::server::Server;
use super::*;

fn data_plane() -> Value {
    json!({"registry": {"prefix": ""}, "gateway": {"publicVirtualHost": "", "organizationVirtualHost": ""}})
}

fn admits(kind: &str, name: &str) -> Value {
    json!({"admits": [{"kind": kind, "namespace": "acme", "name": name, "targetNamespaces": ["*"]}]})
}

fn connected(server: &mut Server, plane: &str, status: &str) {
    let condition = json!({
        "type": "Connected", "status": status, "reason": "SessionOpen", "message": "words of the plane",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    server.merge(Kind::Plane, plane, json!({"status": {"conditions": [condition]}}));
}

fn pipeline(environments: &[&str]) -> Value {
    let paths = environments
        .windows(2)
        .map(|pair| json!({"sourceEnvironmentRef": pair[0], "targetEnvironmentRefs": [{"name": pair[1]}]}));
    json!({"promotionPaths": paths.collect::<Vec<_>>()})
}

/// An organization in which all is well.
fn acme() -> Server {
    let mut server = Server::default();
    server.put(Kind::Namespace, "acme", json!({}));
    server.put(Kind::Plane, "eu", admits("DataPlane", "dp"));
    connected(&mut server, "eu", "True");
    server.put(Kind::DataPlane, "dp", data_plane());
    for name in ["development", "production"] {
        server.put(Kind::Environment, name, json!({"dataPlaneRef": "dp"}));
    }
    server.put(
        Kind::DeploymentPipeline,
        "default",
        pipeline(&["development", "production"]),
    );
    server.put(Kind::Project, "shop", json!({"deploymentPipelineRef": "default"}));
    server.put(Kind::Organization, "acme", json!({}));
    server
}

fn settled() -> Server {
    let mut server = acme();
    server.settle();
    server.writes.clear();
    server
}

/// Every condition, in order.
fn said(server: &Server, kind: Kind, name: &str) -> Vec<String> {
    let conditions = server.get(kind, name).pointer("/status/conditions");
    let all = conditions.and_then(Value::as_array).into_iter().flatten();
    let text = |condition: &Value, field: &str| condition[field].as_str().unwrap().to_owned();
    all.map(|one| {
        format!(
            "{}={} {}",
            text(one, "type"),
            text(one, "status"),
            text(one, "reason")
        )
    })
    .collect()
}

fn ready(server: &Server, kind: Kind, name: &str) -> String {
    super::ready(server, kind, name)
}

#[test]
fn what_is_well_says_so_once_under_the_names_that_openchoreo_uses() {
    let mut server = acme();
    server.settle();
    for (kind, name, expected) in [
        (Kind::Organization, "acme", &["Ready=True NamespaceCreated"][..]),
        (
            Kind::Project,
            "shop",
            &[
                "Created=True ProjectCreated",
                "Ready=True DeploymentPipelineFound",
            ],
        ),
        (
            Kind::DeploymentPipeline,
            "default",
            &[
                "Available=True DeploymentPipelineAvailable",
                "Ready=True EnvironmentsFound",
            ],
        ),
        (Kind::Environment, "development", &["Ready=True EnvironmentReady"]),
        (
            Kind::DataPlane,
            "dp",
            &["Created=True DataPlaneCreated", "Ready=True PlaneConnected"],
        ),
    ] {
        assert_eq!(said(&server, kind, name), expected, "{kind}");
        let object = server.get(kind, name);
        let status = &object["status"];
        assert_eq!(
            status["observedGeneration"], object["metadata"]["generation"],
            "{kind}"
        );
        let conditions = status["conditions"].as_array().unwrap();
        assert!(
            conditions
                .iter()
                .all(|one| one["observedGeneration"] == status["observedGeneration"])
        );
    }
    assert_eq!(
        server.get(Kind::Organization, "acme")["status"]["namespace"],
        "acme"
    );
    assert_eq!(server.writes.len(), 6, "{:?}", server.writes);
    assert!(server.notes.is_empty(), "{:?}", server.notes);
}

#[test]
fn another_hub_or_another_order_of_lists_writes_nothing() {
    let mut server = settled();
    server.restart();
    server.settle();
    server.restart_in_order(Kind::ALL.iter().rev().copied());
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);
}

#[test]
fn an_edit_is_answered_with_its_generation_and_nothing_else_is_written() {
    let mut server = settled();
    server.put(
        Kind::Environment,
        "development",
        json!({"dataPlaneRef": "dp", "isProduction": true}),
    );
    server.settle();
    assert_eq!(server.writes, ["status Environment acme/development"]);
    assert_eq!(
        server.get(Kind::Environment, "development")["status"]["observedGeneration"],
        2
    );
}

#[test]
fn the_connection_of_a_plane_is_told_to_those_who_use_it_and_on() {
    let mut server = settled();
    connected(&mut server, "eu", "False");
    server.settle();
    assert_eq!(
        ready(&server, Kind::DataPlane, "dp"),
        r#"False PlaneNotConnected: Plane "eu" is not connected: words of the plane"#
    );
    assert_eq!(
        ready(&server, Kind::Environment, "production"),
        r#"False DataPlaneNotReady: DataPlane "dp" is not ready: Plane "eu" is not connected: words of the plane"#
    );
    assert_eq!(server.writes.len(), 3, "{:?}", server.writes);
    // The network comes and goes: that is no Event.
    assert!(server.notes.is_empty(), "{:?}", server.notes);
    connected(&mut server, "eu", "True");
    server.settle();
    assert_eq!(
        said(&server, Kind::Environment, "production"),
        ["Ready=True EnvironmentReady"]
    );
}

#[test]
fn a_missing_reference_is_named_told_once_and_heals() {
    let mut server = settled();
    let component = json!({"owner": {"projectName": "shop"}, "type": "Service"});
    server.put(Kind::Component, "cart", component);
    server.settle();
    for (lost, spec, user, reason) in [
        (
            (Kind::Namespace, "acme"),
            json!({}),
            (Kind::Organization, "acme"),
            "NamespaceNotFound",
        ),
        (
            (Kind::DeploymentPipeline, "default"),
            pipeline(&["development", "production"]),
            (Kind::Project, "shop"),
            "DeploymentPipelineNotFound",
        ),
        (
            (Kind::Environment, "production"),
            json!({"dataPlaneRef": "dp"}),
            (Kind::DeploymentPipeline, "default"),
            "EnvironmentNotFound",
        ),
        (
            (Kind::DataPlane, "dp"),
            data_plane(),
            (Kind::Environment, "production"),
            "DataPlaneNotFound",
        ),
        (
            (Kind::Plane, "eu"),
            admits("DataPlane", "dp"),
            (Kind::DataPlane, "dp"),
            "NoPlane",
        ),
        (
            (Kind::Project, "shop"),
            json!({"deploymentPipelineRef": "default"}),
            (Kind::Component, "cart"),
            "ProjectNotFound",
        ),
    ] {
        let well = said(&server, user.0, user.1);
        server.notes.clear();
        server.delete(lost.0, lost.1);
        server.settle();
        let words = ready(&server, user.0, user.1);
        assert!(words.starts_with(&format!("False {reason}: ")), "{words}");
        assert!(words.contains(lost.1) || reason == "NoPlane", "{words}");
        assert!(server.notes.contains(&reason.to_owned()), "{:?}", server.notes);
        server.restart();
        server.settle();
        assert_eq!(
            server.notes.iter().filter(|note| *note == reason).count(),
            1 + usize::from(user.0 == Kind::Environment)
        );
        server.put(lost.0, lost.1, spec);
        if lost.0 == Kind::Plane {
            connected(&mut server, lost.1, "True");
        }
        server.settle();
        assert_eq!(said(&server, user.0, user.1), well);
    }
    let status = &server.get(Kind::Organization, "acme")["status"];
    assert_eq!(status["namespace"], "acme");
}

#[test]
fn what_refers_to_nothing_usable_says_what_to_do() {
    let mut server = settled();
    server.put(Kind::Environment, "bare", json!({}));
    server.put(Kind::BuildPlane, "bp", json!({}));
    server.put(Kind::BuildPlane, "typo", json!({"planeID": "nowhere"}));
    server.put(Kind::BuildPlane, "stranger", json!({"planeID": "eu"}));
    server.put(Kind::Plane, "new", admits("BuildPlane", "fresh"));
    server.put(Kind::BuildPlane, "fresh", json!({}));
    server.put(
        Kind::DeploymentPipeline,
        "round",
        pipeline(&["development", "production", "development"]),
    );
    server.merge(
        Kind::Namespace,
        "acme",
        json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
    );
    server.settle();
    for (kind, name, words) in [
        (
            Kind::Environment,
            "bare",
            "NoDataPlane: spec.dataPlaneRef is empty",
        ),
        (
            Kind::BuildPlane,
            "bp",
            "NoPlane: BuildPlane bp has no spec.planeID, and 0 Planes admit it: name one, or make a token with `outhaul plane token --for buildplane/acme/bp`",
        ),
        (
            Kind::BuildPlane,
            "typo",
            "NoPlane: Plane nowhere does not exist; `outhaul plane token nowhere` makes it",
        ),
        (
            Kind::BuildPlane,
            "stranger",
            "NotAdmitted: Plane eu does not admit BuildPlane acme/stranger: add it to spec.admits",
        ),
        (
            Kind::BuildPlane,
            "fresh",
            r#"PlaneNotConnected: Plane "new" was never connected"#,
        ),
        (
            Kind::DeploymentPipeline,
            "round",
            "PromotionCycle: spec.promotionPaths lead from Environment",
        ),
        (Kind::Organization, "acme", "NamespaceTerminating: "),
    ] {
        let said = ready(&server, kind, name);
        assert!(said.starts_with(&format!("False {words}")), "{said}");
        let told = server
            .events
            .iter()
            .filter(|event| said.ends_with(*event) && said.len() == "False ".len() + event.len());
        // Of a plane that is away its Plane says what to do.
        let expected = usize::from(!words.starts_with("PlaneNotConnected"));
        assert_eq!(told.count(), expected, "{said}: {:?}", server.events);
    }
}

#[test]
fn a_plane_that_is_admitted_revoked_or_let_go_is_noticed() {
    let mut server = settled();
    let mut revoked = admits("DataPlane", "dp");
    revoked["revoked"] = json!(true);
    server.put(Kind::Plane, "eu", revoked);
    server.settle();
    assert!(ready(&server, Kind::DataPlane, "dp").starts_with("False PlaneRevoked: "));
    server.put(Kind::Plane, "eu", json!({}));
    server.settle();
    assert!(ready(&server, Kind::DataPlane, "dp").starts_with("False NoPlane: "));
    let mut named = data_plane();
    named["planeID"] = json!("eu");
    server.put(Kind::DataPlane, "dp", named);
    server.settle();
    assert!(ready(&server, Kind::DataPlane, "dp").starts_with("False NotAdmitted: "));
    server.put(Kind::Plane, "eu", admits("DataPlane", "dp"));
    server.settle();
    assert!(ready(&server, Kind::DataPlane, "dp").starts_with("True PlaneConnected: "));
}

#[test]
fn stored_credentials_are_shown_until_they_are_gone_and_never_kept() {
    let mut server = settled();
    let mut old = data_plane();
    old["kubernetesCluster"] =
        json!({"server": "https://old.example", "auth": {"bearerToken": {"value": "SECRET"}}});
    let login = json!({"username": "reader", "password": "PASSWORD"});
    old["observer"] = json!({"url": "https://logs.example", "authentication": {"basicAuth": login}});
    server.put(Kind::DataPlane, "dp", old.clone());
    let applied = json!({"spec": old}).to_string();
    let note = json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
    server.merge(Kind::DataPlane, "dp", json!({"metadata": {"annotations": note}}));
    server.settle();
    let present = "CredentialsPresent=True KubernetesClusterSet";
    let all = [
        "Created=True DataPlaneCreated",
        present,
        "Ready=True PlaneConnected",
    ];
    assert_eq!(said(&server, Kind::DataPlane, "dp"), all);
    assert_eq!(server.notes, ["CredentialsPresent"]);
    let known = format!("{:?}", server.controllers);
    assert!(!known.contains("SECRET") && !known.contains("PASSWORD"));
    server.put(Kind::DataPlane, "dp", data_plane());
    server.settle();
    let conditions = server.get(Kind::DataPlane, "dp")["status"]["conditions"].to_string();
    assert!(
        conditions.contains(present.split('=').next().unwrap())
            && !conditions.contains("spec.kubernetesCluster.server")
    );
    let note = json!({"kubectl.kubernetes.io/last-applied-configuration": null});
    server.merge(Kind::DataPlane, "dp", json!({"metadata": {"annotations": note}}));
    server.settle();
    let left = ["Created=True DataPlaneCreated", "Ready=True PlaneConnected"];
    assert_eq!(said(&server, Kind::DataPlane, "dp"), left);
}

#[test]
fn an_environment_of_the_namespace_default_counts_where_the_hub_looks_there() {
    for (fallback, expected) in [
        (false, "False DataPlaneNotFound"),
        (true, "True EnvironmentReady"),
    ] {
        let mut server = settled();
        server.settings.fallback = fallback;
        server.move_to("default", Kind::DataPlane, "dp");
        let mut shared = admits("DataPlane", "dp");
        shared["admits"][0]["namespace"] = json!("default");
        server.put(Kind::Plane, "eu", shared);
        server.restart();
        server.settle();
        let words = ready(&server, Kind::Environment, "production");
        assert!(words.starts_with(expected), "{words}");
    }
}

#[test]
fn what_is_being_deleted_is_left_alone() {
    let mut server = settled();
    let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    for (kind, name) in [
        (Kind::Organization, "acme"),
        (Kind::Project, "shop"),
        (Kind::DeploymentPipeline, "default"),
        (Kind::Environment, "production"),
        (Kind::DataPlane, "dp"),
    ] {
        server.merge(kind, name, going.clone());
    }
    connected(&mut server, "eu", "False");
    server.delete(Kind::Namespace, "acme");
    server.settle();
    // It names what goes, and stays.
    assert_eq!(server.writes, ["status Environment acme/development"]);
}

#[test]
fn an_environment_whose_data_plane_is_going_says_so() {
    let mut server = settled();
    let going = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
    server.merge(Kind::DataPlane, "dp", json!({"metadata": going}));
    for fresh in ["production", "late"] {
        server.put(Kind::Environment, fresh, json!({"dataPlaneRef": "dp"}));
        server.settle();
        assert_eq!(
            ready(&server, Kind::Environment, fresh),
            "False DataPlaneNotReady: DataPlane \"dp\" is being deleted: name another in spec.dataPlaneRef, or create it \
             again when it is gone"
        );
    }
}

#[test]
fn one_that_cannot_be_read_says_so_and_so_do_those_who_name_it() {
    let mut server = settled();
    server.put(Kind::DataPlane, "dp", json!({"registry": 7}));
    server.settle();
    let words = ready(&server, Kind::Environment, "production");
    assert!(
        words.starts_with(r#"False InvalidConfiguration: DataPlane "dp" cannot be read: "#),
        "{words}"
    );
    let own = ready(&server, Kind::DataPlane, "dp");
    assert!(
        own.starts_with("False InvalidConfiguration: DataPlane acme/dp cannot be read; correct it"),
        "{own}"
    );
}

#[test]
fn what_an_older_definition_does_not_keep_is_said_once() {
    let mut server = acme();
    server.put(Kind::BuildPlane, "bp", json!({}));
    server.prunes = Some(Kind::BuildPlane);
    server.settle();
    let said = |server: &Server| {
        let writes = server.writes.iter();
        writes
            .filter(|write| *write == "status BuildPlane acme/bp")
            .count()
    };
    assert_eq!(said(&server), 1);
    // What is new is said again, in case it is kept now.
    server.put(Kind::BuildPlane, "bp", json!({"planeID": "eu"}));
    server.settle();
    assert_eq!(said(&server), 2);
}
