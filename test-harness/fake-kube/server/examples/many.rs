//! Measures what embedded clusters cost: memory of many in one process, requests per second of one.
//!
//! ```text
//! cargo run --release -p outhaul-fake-kube-server --example many -- 1000 20
//! ```
//!
//! The arguments are how many clusters, and how many objects in each. Memory is what the process has resident
//! (`/proc/self/statm`), with and without ports, and with workloads that the stand-ins keep.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Config};
use outhaul_fake_kube_server::{FakeKube, Options};
use serde_json::{Value, json};

/// Requests under way at once where throughput is measured.
const IN_FLIGHT: usize = 64;
/// How long each kind of request is measured.
const SPAN: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let clusters = arguments.next().transpose()?.unwrap_or(1_000);
    let objects = arguments.next().transpose()?.unwrap_or(20);
    show("what", "clusters", "objects in each", "KiB for each");
    // What all clusters share is there before the first one is counted.
    let mut alive = vec![start(true, true).await?];
    fill(&alive[0].client(), objects).await?;
    for (what, in_process, standins) in [
        ("without ports", true, false),
        ("with stand-ins", true, true),
        ("with ports and stand-ins", false, true),
    ] {
        let each = memory(&mut alive, clusters, objects, in_process, standins).await?;
        show(
            what,
            &clusters.to_string(),
            &objects.to_string(),
            &format!("{each:.0}"),
        );
    }
    drop(alive);
    show("", "", "", "");
    show("requests per second", "in process", "over TLS", "");
    let kube = start(false, false).await?;
    let (near, far) = (kube.client(), over_tls(&kube).await?);
    for what in [Work::Get, Work::List, Work::Create, Work::Apply, Work::ApplySame] {
        let (near, far) = (throughput(&near, what).await?, throughput(&far, what).await?);
        show(what.name(), &format!("{near:.0}"), &format!("{far:.0}"), "");
    }
    Ok(())
}

async fn start(in_process: bool, standins: bool) -> Result<FakeKube> {
    let options = Options {
        in_process,
        standins,
        ..Options::default()
    };
    FakeKube::start(options).await.context("cannot start a cluster")
}

/// KiB that one of so many clusters takes.
///
/// All stay alive to the end of the program: memory that earlier ones gave back would make later ones look cheap.
async fn memory(
    alive: &mut Vec<FakeKube>,
    clusters: usize,
    objects: usize,
    in_process: bool,
    standins: bool,
) -> Result<f64> {
    let before = resident()?;
    for _ in 0..clusters {
        let kube = start(in_process, standins).await?;
        fill(&kube.client(), objects).await?;
        alive.push(kube);
    }
    if standins {
        // Workloads come to rest within this; nothing is measured but what is left then.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let after = resident()?;
    Ok((after.saturating_sub(before)) as f64 / clusters as f64)
}

/// As an application has them: one Deployment, one Service, the rest small.
async fn fill(client: &Client, objects: usize) -> Result<()> {
    let apply = PatchParams::apply("example").force();
    for n in 0..objects {
        let (group, version, kind, body) = object(n);
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<DynamicObject> = Api::default_namespaced_with(client.clone(), &resource);
        let name = format!("object-{n}");
        api.patch(&name, &apply, &Patch::Apply(&body))
            .await
            .with_context(|| format!("cannot apply {kind} {name}"))?;
    }
    Ok(())
}

fn object(n: usize) -> (&'static str, &'static str, &'static str, Value) {
    let metadata = json!({"name": format!("object-{n}"), "labels": {"app": "web"}});
    let data = json!({"key": "value", "other": "x".repeat(200)});
    match n {
        0 => {
            let template = json!({
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "main", "image": "example.com/web:1"}]},
            });
            let spec =
                json!({"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template});
            let body =
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec});
            ("apps", "v1", "Deployment", body)
        }
        1 => {
            let spec = json!({"selector": {"app": "web"}, "ports": [{"port": 80}]});
            let body = json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec});
            ("", "v1", "Service", body)
        }
        n if n % 2 == 0 => {
            let body =
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data});
            ("", "v1", "Secret", body)
        }
        _ => {
            let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data});
            ("", "v1", "ConfigMap", body)
        }
    }
}

/// Resident memory of this process in KiB.
fn resident() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").context("this machine has no /proc")?;
    let pages = text
        .split_whitespace()
        .nth(1)
        .context("statm has a second field")?;
    Ok(pages.parse::<u64>()? * 4)
}

async fn over_tls(kube: &FakeKube) -> Result<Client> {
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&kube.admin_kubeconfig())?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
    Ok(Client::try_from(config)?)
}

/// A kind of request.
#[derive(Clone, Copy)]
enum Work {
    Get,
    /// Of 20 objects.
    List,
    Create,
    Apply,
    ApplySame,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list of 20",
            Self::Create => "create",
            Self::Apply => "apply, changed",
            Self::ApplySame => "apply, unchanged",
        }
    }
}

async fn throughput(client: &Client, what: Work) -> Result<f64> {
    let namespace = "kube-public";
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let apply = PatchParams::apply("example").force();
    for n in 0..20 {
        api.patch(&format!("m{n}"), &apply, &Patch::Apply(&map(&format!("m{n}"), 0)))
            .await?;
    }
    let start = Instant::now();
    let unique = start.elapsed().as_nanos() as usize ^ std::process::id() as usize;
    let numbers = stream::iter(0_usize..).take_while(|_| std::future::ready(start.elapsed() < SPAN));
    let work = |n: usize| {
        let (api, apply) = (api.clone(), apply.clone());
        async move {
            let name = format!("m{}", n % 20);
            match what {
                Work::Get => api.get(&name).await.map(drop),
                Work::List => api
                    .list(
                        &ListParams::default()
                            .fields("metadata.namespace=kube-public")
                            .limit(20),
                    )
                    .await
                    .map(drop),
                Work::Create => {
                    let mut new = map("", n);
                    new.metadata.name = None;
                    new.metadata.generate_name = Some(format!("n{unique}-{n}-"));
                    api.create(&PostParams::default(), &new).await.map(drop)
                }
                Work::Apply => api
                    .patch(&name, &apply, &Patch::Apply(&map(&name, n)))
                    .await
                    .map(drop),
                Work::ApplySame => api
                    .patch(&name, &apply, &Patch::Apply(&map(&name, 0)))
                    .await
                    .map(drop),
            }
        }
    };
    let done = numbers
        .map(work)
        .buffer_unordered(IN_FLIGHT)
        .try_fold(0_u32, |done, ()| std::future::ready(Ok(done + 1)))
        .await?;
    Ok(f64::from(done) / start.elapsed().as_secs_f64())
}

fn map(name: &str, n: usize) -> ConfigMap {
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.to_owned());
    map.data = Some([("key".to_owned(), n.to_string())].into());
    map
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn show(what: &str, first: &str, second: &str, third: &str) {
    println!("{what:26} {first:>10} {second:>16} {third:>14}");
}
