//! Objects as clients of OpenChoreo send them, and odd ones, through [`parse`].

use outhaul_hub_resources::{
    APIBinding, BuildPlane, Bundle, DataPlane, EndpointType, Environment, ExposeLevel, InvalidObject,
    Lifecycle, Open, Plane, Release, ReleaseState, Service, ServiceClass, Stored, Workload, parse,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn read<K: DeserializeOwned>(kind: &str, fields: Value) -> Result<K, InvalidObject> {
    let mut object = json!({
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "sample", "namespace": "shop", "creationTimestamp": null},
    });
    for (name, value) in fields.as_object().expect("fields are an object") {
        object[name] = value.clone();
    }
    parse(&serde_json::from_value::<Stored>(object).expect("any object is read"))
}

/// The chain of an error, outermost first.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[test]
fn a_data_plane_with_the_zero_values_that_go_writes_is_read() {
    let spec = json!({
        "registry": {"prefix": ""},
        "gateway": {"publicVirtualHost": "", "organizationVirtualHost": ""},
        "kubernetesCluster": {"server": "", "tls": {"ca": {}}, "auth": {"mtls": null, "bearerToken": {"value": ""}}},
        "observer": {"url": "", "authentication": {"basicAuth": {"username": "", "password": ""}}},
    });
    let plane: DataPlane = read("DataPlane", json!({"spec": spec, "status": {}})).unwrap();
    assert_eq!(plane.spec.plane_id, None);
    assert_eq!(plane.spec.observer.unwrap_or_default().url, "");
}

#[test]
fn nulls_and_absent_fields_are_the_same() {
    let with_nulls = json!({
        "owner": {"projectName": "p", "componentName": "c"},
        "environmentName": "dev", "resources": null, "interval": null, "progressingInterval": null,
    });
    let without = json!({"owner": {"projectName": "p", "componentName": "c"}, "environmentName": "dev"});
    let nulls = json!({"conditions": null, "resources": null, "inventory": null, "term": null, "move": null});
    let one: Release = read("Release", json!({"spec": with_nulls, "status": nulls})).unwrap();
    let other: Release = read("Release", json!({"spec": without, "status": {}})).unwrap();
    assert_eq!(one, other);
    let plane: Plane = read(
        "Plane",
        json!({"spec": {"revoked": null, "forgotten": null, "decisions": null, "keys": null, "admits": null}}),
    )
    .unwrap();
    assert_eq!(plane.spec, Default::default());
}

#[test]
fn a_kind_that_needs_nothing_is_read_without_spec() {
    for spec in [json!({}), json!({"spec": null})] {
        assert_eq!(
            read::<Environment>("Environment", spec.clone()).unwrap().spec,
            Default::default()
        );
        assert_eq!(
            read::<BuildPlane>("BuildPlane", spec.clone()).unwrap().spec,
            Default::default()
        );
        assert_eq!(read::<Plane>("Plane", spec).unwrap().spec, Default::default());
    }
}

#[test]
fn objects_of_a_release_keep_what_nobody_declares() {
    let object =
        json!({"apiVersion": "v1", "kind": "Odd", "status": {"parents": null}, "list": [null, 1.5, {}]});
    let spec = json!({
        "owner": {"projectName": "p", "componentName": "c"},
        "environmentName": "dev",
        "resources": [{"id": "a", "object": object}],
    });
    let release: Release = read("Release", json!({"spec": spec})).unwrap();
    assert_eq!(release.spec.resources[0].object, object);
    assert_eq!(serde_json::to_value(&release.spec).unwrap(), spec);
}

#[test]
fn a_bundle_is_continuous_unless_it_says_once() {
    let lifecycle = |spec: Value| {
        read::<Bundle>("Bundle", json!({ "spec": spec }))
            .unwrap()
            .spec
            .lifecycle()
    };
    assert_eq!(lifecycle(json!({"plane": "p"})), Lifecycle::Continuous);
    assert_eq!(
        lifecycle(json!({"plane": "p", "lifecycle": "Once"})),
        Lifecycle::Once
    );
}

#[test]
fn an_object_of_another_form_says_which_it_is_and_what_is_wrong() {
    let missing = read::<Release>("Release", json!({})).unwrap_err();
    assert_eq!(
        chain(&missing),
        "Release shop/sample cannot be read; correct it with kubectl edit: spec: missing field `owner`"
    );
    let wrong = read::<Plane>("Plane", json!({"spec": {"admits": "all"}})).unwrap_err();
    assert!(
        chain(&wrong).starts_with("Plane shop/sample cannot be read"),
        "{}",
        chain(&wrong)
    );
}

#[test]
fn debug_output_has_no_passwords_or_keys() {
    let secret = "hunter2-in-clear";
    let spec = json!({
        "registry": {"prefix": "r"},
        "gateway": {"publicVirtualHost": "p", "organizationVirtualHost": "o"},
        "kubernetesCluster": {"auth": {"mtls": {"clientKey": {"value": secret}}, "bearerToken": {"value": secret}}},
        "observer": {"url": "u", "authentication": {"basicAuth": {"username": "n", "password": secret}}},
    });
    let plane: DataPlane = read("DataPlane", json!({ "spec": spec })).unwrap();
    assert!(!format!("{plane:?}").contains(secret));
    assert!(
        serde_json::to_string(&plane).unwrap().contains(secret),
        "only Debug hides it"
    );
}

#[test]
fn a_class_that_is_left_out_is_the_default_one_and_an_empty_name_is_kept() {
    let owner = json!({"projectName": "p", "componentName": "c"});
    for (class, expected) in [
        (json!({}), "default"),
        (json!({"className": null}), "default"),
        (json!({"className": ""}), ""),
        (json!({"className": "fast"}), "fast"),
    ] {
        let mut spec = json!({"owner": owner, "workloadName": "w"});
        spec.as_object_mut()
            .unwrap()
            .extend(class.as_object().unwrap().clone());
        let service: Service = read("Service", json!({ "spec": spec })).unwrap();
        assert_eq!(service.spec.class_name.as_str(), expected, "{class}");
    }
}

#[test]
fn a_release_state_that_is_left_out_or_empty_is_active() {
    let state = |state: Value| {
        let spec =
            json!({"apiName": "a", "apiClassName": "c", "environmentName": "e", "releaseState": state});
        read::<APIBinding>("APIBinding", json!({ "spec": spec })).map(|binding| binding.spec.release_state)
    };
    assert_eq!(state(json!(null)).unwrap(), ReleaseState::Active);
    assert_eq!(state(json!("")).unwrap(), ReleaseState::Active);
    assert_eq!(state(json!("Undeploy")).unwrap(), ReleaseState::Undeploy);
    assert!(state(json!("Paused")).is_err());
}

#[test]
fn a_workload_may_spell_its_owner_in_lower_case() {
    let spec = |project: &str, component: &str| {
        let container = json!({"image": "i:1", "command": [], "args": null, "env": []});
        json!({"owner": {project: "p", component: "c"}, "containers": {"main": container}})
    };
    let lower = spec("projectname", "componentname");
    let lower: Workload = read("Workload", json!({ "spec": lower })).unwrap();
    let usual: Workload = read("Workload", json!({"spec": spec("projectName", "componentName")})).unwrap();
    assert_eq!(lower, usual);
    let written = serde_json::to_value(&lower.spec).unwrap();
    assert_eq!(
        written["owner"],
        json!({"projectName": "p", "componentName": "c"})
    );
}

#[test]
fn words_that_nobody_checks_are_kept_as_they_are() {
    let apis = json!({
        "known": {"type": "REST", "rest": {"backend": {"port": 0}, "exposeLevels": ["Public", "public"]}},
        "other": {"type": "SOAP", "className": ""},
    });
    let spec = json!({"owner": {"projectName": "p", "componentName": "c"}, "workloadName": "", "apis": apis});
    let service: Service = read("Service", json!({ "spec": spec })).unwrap();
    let apis = &service.spec.apis;
    assert_eq!(apis["known"].r#type.known(), Some(EndpointType::Rest));
    assert_eq!(
        apis["known"].rest.as_ref().unwrap().expose_levels,
        [Open::Known(ExposeLevel::Public), Open::Other("public".to_owned())]
    );
    assert_eq!(apis["other"].r#type.known(), None);
    assert_eq!(
        serde_json::to_value(&apis["other"]).unwrap(),
        json!({"type": "SOAP", "className": ""})
    );
}

#[test]
fn class_templates_keep_what_nobody_declares() {
    let template = json!({
        "selector": null, "strategy": {}, "fieldOfTomorrow": [1.5, {"a": null}],
        "template": {"metadata": {"creationTimestamp": null}, "spec": {"containers": null}},
    });
    let spec = json!({"deploymentTemplate": template, "serviceTemplate": {"type": "ClusterIP"}});
    let class: ServiceClass = read("ServiceClass", json!({ "spec": spec })).unwrap();
    assert_eq!(serde_json::to_value(&class.spec).unwrap(), spec);
}
