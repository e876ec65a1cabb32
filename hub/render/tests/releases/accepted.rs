//! Whatever is rendered, real API servers take: the Release in the control plane, its objects in the plane.
//!
//! Objects are applied as they stand in the Release, with the labels that agents add, each case in a namespace of its
//! own. Fields that the server does not know are errors.

use std::{collections::BTreeMap, path::Path};

use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams},
};
use outhaul_hub_resources::{BundleObject, Release};
use outhaul_kubernetes::{Cluster, Definitions, Options, require_or_skip};
use serde_json::{Value, json};

use crate::{golden, rules, world::Made};

/// As the chart of the hub installs them.
const OUR_DEFINITIONS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../charts/outhaul-hub/crds/openchoreo.dev_releases.yaml"
);

#[tokio::test]
async fn api_servers_take_whatever_is_rendered() {
    check(&[Definitions::GatewayApi, Definitions::EnvoyGateway]).await;
}

#[tokio::test]
async fn so_do_those_with_the_gateways_that_openchoreo_installs() {
    check(&[Definitions::OpenChoreoGateways]).await;
}

async fn check(of_gateways: &[Definitions]) {
    let Some(programs) = require_or_skip() else { return };
    let of_gateways = of_gateways.iter().map(|it| programs.definitions_or_skip(*it));
    let Some(of_gateways) = of_gateways.collect::<Option<Vec<_>>>() else {
        return;
    };
    let cluster = Cluster::start(&programs, Options::api_only()).await.unwrap();
    for definitions in &of_gateways {
        cluster.install(definitions).await.unwrap();
    }
    cluster.install(Path::new(OUR_DEFINITIONS)).await.unwrap();
    let client = cluster.client().await.unwrap();

    let golden = golden::folders().into_iter().map(|folder| {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        (name, golden::make(&folder))
    });
    let rules = rules::cases().into_iter().map(|case| {
        let made = case.make();
        (case.name, made)
    });
    let mut taken = BTreeMap::new();
    let mut refused = BTreeMap::new();
    for (number, (case, made)) in golden.chain(rules).enumerate() {
        let Some(release) = made.release() else { continue };
        let target = Target {
            client: &client,
            namespace: format!("case-{number}"),
        };
        target.create_namespace().await;
        let mut note = |kind: &'static str, answer: Result<(), kube::Error>| match answer {
            Ok(()) => *taken.entry(kind).or_insert(0) += 1,
            Err(error) => {
                refused.insert(format!("{case}: {kind}"), error.to_string());
            }
        };
        note("Release", target.create(release).await);
        for object in rendered(&made, release) {
            note(kind_of(object), target.apply(object).await);
        }
    }
    let unexpected = |case: &String| !REFUSED.iter().any(|(of, _)| of == case);
    let unexpected: Vec<_> = refused.iter().filter(|(case, _)| unexpected(case)).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    for (case, words) in REFUSED {
        let said = refused.get(case).map(String::as_str).unwrap_or_default();
        assert!(said.contains(words), "{case}: {said:?}");
    }
    assert_eq!(taken, BTreeMap::from(TAKEN), "what was taken, by kind");
}

/// What no API server takes, and in which words: the object is blocked in its plane, for what somebody wrote.
const REFUSED: [(&str, &str); 2] = [
    (
        "a class keeps what the workload does not say, newer fields too: Deployment",
        ".spec.novelty: field not declared in schema",
    ),
    (
        "a field that the plane does not know is told with the class that it comes from: Deployment",
        ".spec.novelty: field not declared in schema",
    ),
];

/// How many of each kind were taken, so that none is left out unseen.
pub(crate) const TAKEN: [(&str, usize); 7] = [
    ("BackendTrafficPolicy", 44),
    ("CronJob", 8),
    ("Deployment", 95),
    ("HTTPRoute", 146),
    ("Release", 120),
    ("SecurityPolicy", 33),
    ("Service", 100),
];

/// What is rendered of a Release, without what stays in it as it is stored.
fn rendered<'a>(made: &'a Made, release: &'a Release) -> impl Iterator<Item = &'a BundleObject> {
    let stored = |object: &BundleObject| {
        let existing = made.existing.as_ref();
        existing.is_some_and(|release| release.spec.resources.contains(object))
    };
    release
        .spec
        .resources
        .iter()
        .filter(move |object| !stored(object))
}

fn kind_of(object: &BundleObject) -> &'static str {
    let kind = object.object["kind"].as_str().unwrap();
    let known = TAKEN.iter().map(|(known, _)| *known);
    known.into_iter().find(|known| *known == kind).unwrap()
}

/// The namespace of one case.
struct Target<'a> {
    client: &'a Client,
    namespace: String,
}

impl Target<'_> {
    async fn create_namespace(&self) {
        let resource = ApiResource::erase::<k8s_openapi::api::core::v1::Namespace>(&());
        let namespaces: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
        let namespace = DynamicObject::new(&self.namespace, &resource);
        namespaces
            .create(&PostParams::default(), &namespace)
            .await
            .unwrap();
    }

    /// Applies the Release, in the namespace of the case.
    async fn create(&self, release: &Release) -> Result<(), kube::Error> {
        let mut release = serde_json::to_value(release).unwrap();
        let metadata = release["metadata"].as_object_mut().unwrap();
        // What it has from where it was stored before.
        metadata
            .retain(|field, _| !["uid", "resourceVersion", "deletionTimestamp"].contains(&field.as_str()));
        self.send(release, "outhaul-hub").await
    }

    /// Applies an object as agents do, in the namespace of the case.
    async fn apply(&self, entry: &BundleObject) -> Result<(), kube::Error> {
        let mut object = entry.object.clone();
        for (label, value) in [
            ("managed-by", "release-controller"),
            ("release-resource-id", entry.id.as_str()),
            ("release-uid", "6a1c0fd9-90b1-4d24-8e2e-3a9a3b4b7c55"),
        ] {
            object["metadata"]["labels"][format!("openchoreo.dev/{label}")] = json!(value);
        }
        self.send(object, "release-controller").await
    }

    async fn send(&self, mut object: Value, manager: &str) -> Result<(), kube::Error> {
        object["metadata"]["namespace"] = json!(self.namespace);
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let kind = object.types.as_ref().unwrap().try_into().unwrap();
        let resource = ApiResource::from_gvk(&kind);
        let objects: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
        let strict = PatchParams::apply(manager).force().validation_strict();
        let name = object.metadata.name.clone().unwrap();
        let applied = objects.patch(&name, &strict, &Patch::Apply(&object)).await;
        applied.map(drop)
    }
}
