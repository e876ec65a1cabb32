//! What people do with kubectl and helm, step by step, on the embedded API alone.

use std::process::Stdio;

use anyhow::{Context as _, Result};
use outhaul_kubernetes::{Program, require_or_skip};

use crate::shell::{Shell, TIMEOUT};

const SHOP: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "example.com/web:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {a: "1"}
"#;

/// The programs against a cluster of their own, where they are on this machine.
async fn shell() -> Result<Option<Shell>> {
    match require_or_skip() {
        Some(programs) => Ok(Some(Shell::start(programs).await?)),
        None => Ok(None),
    }
}

#[tokio::test]
async fn kubectl_manages_a_workload() -> Result<()> {
    let Some(shell) = shell().await? else {
        return Ok(());
    };
    shell.write("shop.yaml", SHOP)?;
    let script = "
        $ version
        Server Version: v1.37.2
        $ api-resources
        deployments deploy apps/v1 true Deployment
        $ create ns shop
        namespace/shop created
        $ apply -f {dir}/shop.yaml
        deployment.apps/web created
        $ apply -f {dir}/shop.yaml
        deployment.apps/web unchanged
        service/web unchanged
        $ rollout status -n shop deployment/web --timeout=30s
        successfully rolled out
        $ get deploy,svc -n shop
        deployment.apps/web 2/2 2 2
        80/TCP
        $ get pods -n shop
        1/1 Running 0
        $ describe -n shop deployment web
        2 desired | 2 updated | 2 total | 2 available
        $ apply --server-side -f {dir}/shop.yaml
        deployment.apps/web serverside-applied
        $ set image -n shop deployment/web main=example.com/web:2
        image updated
        $ rollout status -n shop deployment/web --timeout=30s
        successfully rolled out
        $ rollout undo -n shop deployment/web
        rolled back
        $ rollout status -n shop deployment/web --timeout=30s
        successfully rolled out
        $ rollout history -n shop deployment/web
        2 <none> 3 <none>
        $ scale -n shop deployment web --replicas=3
        scaled
        $ delete -f {dir}/shop.yaml
        deployment.apps \"web\" deleted
        $ delete ns shop
        namespace \"shop\" deleted
        ! get ns shop
        namespaces \"shop\" not found
    ";
    shell.plays(script).await
}

const WIDGETS: &str = include_str!("../widgets.yaml");

#[tokio::test]
async fn kubectl_works_with_custom_kinds() -> Result<()> {
    let Some(shell) = shell().await? else {
        return Ok(());
    };
    shell.write("crd.yaml", WIDGETS)?;
    for (name, spec) in [("one", "{}"), ("bad", "{size: 0}"), ("unknown", "{colour: red}")] {
        let widget =
            format!("{{apiVersion: example.com/v1, kind: Widget, metadata: {{name: {name}}}, spec: {spec}}}");
        shell.write(&format!("{name}.yaml"), &widget)?;
    }
    let script = "
        $ apply -f {dir}/crd.yaml
        created
        $ wait --for=condition=Established crd/widgets.example.com --timeout=10s
        condition met
        $ apply -f {dir}/one.yaml
        widget.example.com/one created
        $ get wd
        NAME SIZE one 3
        $ describe widget one
        Kind: Widget
        Size: 3
        $ explain widget.spec
        What is wanted.
        ! apply -f {dir}/bad.yaml
        should be greater than or equal to 1
        ! apply -f {dir}/unknown.yaml
        unknown field \"spec.colour\"
        $ delete crd widgets.example.com
        deleted
        ! get widgets
        the server could not find the requested resource
    ";
    shell.plays(script).await
}

#[tokio::test]
async fn kubectl_watches() -> Result<()> {
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    let Some(shell) = shell().await? else {
        return Ok(());
    };
    let mut watching = shell
        .command(Program::Kubectl, "get cm -w")?
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(watching.stdout.take().context("piped above")?).lines();
    let create = "
        $ create cm a --from-literal=k=v
        configmap/a created
    ";
    shell.plays(create).await?;
    let mut seen = Vec::new();
    let follow = async {
        while let Some(line) = lines.next_line().await? {
            let found = line.starts_with("a ");
            seen.push(line);
            if found {
                return Ok(());
            }
        }
        anyhow::bail!("kubectl ended before it showed the object: {seen:?}")
    };
    tokio::time::timeout(TIMEOUT, follow).await??;
    Ok(watching.kill().await?)
}

#[tokio::test]
async fn kubectl_impersonates() -> Result<()> {
    let Some(shell) = shell().await? else {
        return Ok(());
    };
    let script = "
        $ create sa bot
        serviceaccount/bot created
        $ create role r --verb=list --resource=pods
        role.rbac.authorization.k8s.io/r created
        $ create rolebinding rb --role=r --serviceaccount=default:bot
        created
        $ auth can-i list pods --as=system:serviceaccount:default:bot
        yes
        ! get secrets --as=system:serviceaccount:default:bot
        cannot list resource \"secrets\"
    ";
    shell.plays(script).await
}

#[tokio::test]
async fn helm_installs_upgrades_and_removes_a_chart() -> Result<()> {
    let Some(shell) = shell().await? else {
        return Ok(());
    };
    let script = "
        $ helm create {dir}/shop
        Creating
        $ helm install web {dir}/shop --wait --timeout 30s
        STATUS: deployed
        $ helm upgrade web {dir}/shop --set replicaCount=2 --wait --timeout 30s
        Happy Helming
        $ get deploy web-shop
        2/2
        $ helm rollback web 1 --wait --timeout 30s
        Rollback was a success
        $ helm uninstall web --wait --timeout 30s
        uninstalled
        $ get deploy
        No resources found
    ";
    shell.plays(script).await
}
