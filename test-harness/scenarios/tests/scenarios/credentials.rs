//! Whoever reads everything that the control plane stores can open no plane with it.

use std::collections::BTreeSet;

use crate::support::{self, config_map};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use http::{Request, header};
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, PostParams};
use kube::config::{AuthInfo, Config, KubeConfigOptions, Kubeconfig};
use outhaul_scenarios::{Ground, Stage};
use serde_json::{Value, json};

/// Where a control plane can keep things: its Secrets, its ConfigMaps, and our own resources.
const KINDS: [(&str, &str, &str); 9] = [
    ("", "v1", "Secret"),
    ("", "v1", "ConfigMap"),
    ("", "v1", "Event"),
    ("outhaul.dev", "v1alpha1", "Plane"),
    ("outhaul.dev", "v1alpha1", "Bundle"),
    ("openchoreo.dev", "v1alpha1", "DataPlane"),
    ("openchoreo.dev", "v1alpha1", "BuildPlane"),
    ("openchoreo.dev", "v1alpha1", "Environment"),
    ("openchoreo.dev", "v1alpha1", "Release"),
];

/// What only a reader with rights gets.
const SECRETS: &str = "/api/v1/secrets?limit=1";

/// Shorter texts are words, longer ones no server takes as a header.
const TOKEN: std::ops::Range<usize> = 8..8 * 1024;

/// Questions to an API server at once.
const AT_ONCE: usize = 8;

/// What might open something.
#[derive(Debug, Default)]
struct Loot {
    texts: BTreeSet<String>,
}

impl Loot {
    /// Everything that a control plane stores.
    async fn of(control: &Client) -> Self {
        let mut loot = Self::default();
        for (group, version, kind) in KINDS {
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
            let all: Api<DynamicObject> = Api::all_with(control.clone(), &resource);
            for object in all.list(&ListParams::default()).await.unwrap() {
                loot.collect(&serde_json::to_value(&object).unwrap());
            }
        }
        loot
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::Array(values) => values.iter().for_each(|value| self.collect(value)),
            Value::Object(fields) => fields.values().for_each(|value| self.collect(value)),
            Value::String(text) => self.text(text),
        }
    }

    /// A text, what it may be an encoding of, and what it may be a document of.
    fn text(&mut self, text: &str) {
        if text.len() < TOKEN.start || !self.texts.insert(text.to_owned()) {
            return;
        }
        if let Ok(document) = serde_json::from_str::<Value>(text) {
            self.collect(&document);
        }
        if let Some(decoded) = STANDARD
            .decode(text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
        {
            self.text(&decoded);
        }
        for word in text.split_whitespace().filter(|word| *word != text) {
            self.text(word);
        }
    }

    fn tokens(&self) -> impl Iterator<Item = &String> {
        let is_token =
            |text: &&String| TOKEN.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        self.texts.iter().filter(is_token)
    }

    /// Each key with each certificate.
    fn pairs(&self) -> Vec<AuthInfo> {
        let with = |word: &'static str| self.texts.iter().filter(move |text| text.contains(word));
        let pair = |key: &String, certificate: &String| AuthInfo {
            client_certificate_data: Some(STANDARD.encode(certificate)),
            client_key_data: Some(STANDARD.encode(key).into()),
            ..AuthInfo::default()
        };
        with("PRIVATE KEY-----")
            .flat_map(|key| with("BEGIN CERTIFICATE-----").map(move |certificate| pair(key, certificate)))
            .collect()
    }
}

/// What came of trying.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tried {
    opened: usize,
    refused: usize,
    /// Key and certificate do not belong together.
    unusable: usize,
}

/// Shows everything to the API server of a plane.
async fn try_all(plane: &Kubeconfig, loot: &Loot) -> Tried {
    let mut tried = Tried::default();
    let nobody = client(plane, AuthInfo::default()).await.unwrap();
    let tokens = loot.tokens().map(|token| is_welcome(&nobody, Some(token)));
    for welcome in futures::stream::iter(tokens)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await
    {
        tried.count(welcome);
    }
    for pair in loot.pairs() {
        match client(plane, pair).await {
            Some(client) => tried.count(is_welcome(&client, None).await),
            None => tried.unusable += 1,
        }
    }
    tried
}

impl Tried {
    fn count(&mut self, welcome: bool) {
        match welcome {
            true => self.opened += 1,
            false => self.refused += 1,
        }
    }
}

/// A client that shows `credential`, if that can be shown at all.
async fn client(plane: &Kubeconfig, credential: AuthInfo) -> Option<Client> {
    let mut kubeconfig = plane.clone();
    kubeconfig
        .auth_infos
        .iter_mut()
        .for_each(|named| named.auth_info = Some(credential.clone()));
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    config.default_retry = false;
    Client::try_from(config).ok()
}

async fn is_welcome(client: &Client, token: Option<&String>) -> bool {
    let mut request = Request::get(SECRETS);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    match client.request_text(request.body(Vec::new()).unwrap()).await {
        Ok(_) => true,
        Err(kube::Error::Api(status)) if status.code == 401 => false,
        Err(kube::Error::Api(status))
            if status.code == 403 && status.message.contains("system:anonymous") =>
        {
            false
        }
        Err(error) => panic!("neither yes nor no: {error:?}"),
    }
}

/// Stores a credential as an operator would who knows no better.
async fn plant(control: &Client, credential: &AuthInfo) {
    let secrets: Api<Secret> = Api::namespaced(control.clone(), "default");
    let stored = serde_json::to_value(credential).unwrap();
    let secret =
        json!({ "metadata": { "name": "kubeconfig" }, "stringData": { "user": stored.to_string() } });
    let secret = serde_json::from_value(secret).unwrap();
    secrets.create(&PostParams::default(), &secret).await.unwrap();
}

/// Everything that is stored is tried at every plane, and refused. The same search finds a credential that somebody
/// stores.
async fn no_credential_of_a_plane_is_in_the_control_plane(ground: Ground) {
    let stage = Stage::start_bare(&ground, &["eu", "us"]).await.unwrap();
    for plane in stage.planes.keys() {
        stage
            .operator()
            .release(plane, plane, &json!([config_map("one", "a")]))
            .await
            .unwrap();
        stage.operator().ready(plane, "True").await.unwrap();
    }
    let control = stage.control.client().await.unwrap();
    let loot = Loot::of(&control).await;
    for (name, plane) in &stage.planes {
        let kubeconfig = plane.cluster.kubeconfig();
        let tried = try_all(kubeconfig, &loot).await;
        assert_eq!(tried.opened, 0, "{name} can be opened");
        assert!(
            tried.refused > 50,
            "the hub's own keys and more must have been tried: {tried:?}"
        );
        assert!(
            is_welcome(&plane.cluster.client().await.unwrap(), None).await,
            "{name} refuses its owner"
        );
    }

    let eu = stage.planes["eu"].cluster.kubeconfig();
    plant(&control, eu.auth_infos[0].auth_info.as_ref().unwrap()).await;
    let tried = try_all(eu, &Loot::of(&control).await).await;
    assert!(
        tried.opened > 0,
        "the search does not find what is there: {tried:?}"
    );
    stage.end().await.unwrap();
}

support::on_both_grounds!(no_credential_of_a_plane_is_in_the_control_plane);
