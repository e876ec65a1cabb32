//! What people do with kubectl and helm, step by step, on the embedded API alone.

use std::path::Path;
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

#[tokio::test]
async fn kubectl_manages_a_workload() -> Result<()> {
    let Some(programs) = require_or_skip() else {
        return Ok(());
    };
    let shell = Shell::start(programs).await?;
    let file = shell.write("shop.yaml", SHOP)?;
    shell.shows("version", &["Server Version: v1.37.2"]).await?;
    shell
        .shows("api-resources", &["deployments deploy apps/v1 true Deployment"])
        .await?;
    shell.shows("create ns shop", &["namespace/shop created"]).await?;
    shell
        .shows(&format!("apply -f {file}"), &["deployment.apps/web created"])
        .await?;
    shell
        .shows(
            &format!("apply -f {file}"),
            &["deployment.apps/web unchanged", "service/web unchanged"],
        )
        .await?;
    shell
        .shows(
            "rollout status -n shop deployment/web --timeout=30s",
            &["successfully rolled out"],
        )
        .await?;
    shell
        .shows(
            "get deploy,svc -n shop",
            &["deployment.apps/web 2/2 2 2", "80/TCP"],
        )
        .await?;
    shell.shows("get pods -n shop", &["1/1 Running 0"]).await?;
    shell
        .shows(
            "describe -n shop deployment web",
            &["2 desired | 2 updated | 2 total | 2 available"],
        )
        .await?;
    shell
        .shows(
            &format!("apply --server-side -f {file}"),
            &["deployment.apps/web serverside-applied"],
        )
        .await?;
    shell
        .shows(
            "set image -n shop deployment/web main=example.com/web:2",
            &["image updated"],
        )
        .await?;
    shell
        .shows(
            "rollout status -n shop deployment/web --timeout=30s",
            &["successfully rolled out"],
        )
        .await?;
    shell
        .shows("rollout undo -n shop deployment/web", &["rolled back"])
        .await?;
    shell
        .shows(
            "rollout status -n shop deployment/web --timeout=30s",
            &["successfully rolled out"],
        )
        .await?;
    shell
        .shows("rollout history -n shop deployment/web", &["2 <none> 3 <none>"])
        .await?;
    shell
        .shows("scale -n shop deployment web --replicas=3", &["scaled"])
        .await?;
    shell
        .shows(&format!("delete -f {file}"), &["deployment.apps \"web\" deleted"])
        .await?;
    shell
        .shows("delete ns shop", &["namespace \"shop\" deleted"])
        .await?;
    shell
        .refuses("get ns shop", "namespaces \"shop\" not found")
        .await
}

const WIDGETS: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What is wanted.
            properties: {size: {type: integer, minimum: 1, default: 3}}
";

#[tokio::test]
async fn kubectl_works_with_custom_kinds() -> Result<()> {
    let Some(programs) = require_or_skip() else {
        return Ok(());
    };
    let shell = Shell::start(programs).await?;
    let crd = shell.write("crd.yaml", WIDGETS)?;
    shell.shows(&format!("apply -f {crd}"), &["created"]).await?;
    shell
        .shows(
            "wait --for=condition=Established crd/widgets.example.com --timeout=10s",
            &["condition met"],
        )
        .await?;
    let widget = |name: &str, spec: &str| {
        format!("{{apiVersion: example.com/v1, kind: Widget, metadata: {{name: {name}}}, spec: {spec}}}")
    };
    let one = shell.write("one.yaml", &widget("one", "{}"))?;
    shell
        .shows(&format!("apply -f {one}"), &["widget.example.com/one created"])
        .await?;
    shell.shows("get wd", &["NAME SIZE one 3"]).await?;
    shell
        .shows("describe widget one", &["Kind: Widget", "Size: 3"])
        .await?;
    shell.shows("explain widget.spec", &["What is wanted."]).await?;
    let bad = shell.write("bad.yaml", &widget("bad", "{size: 0}"))?;
    shell
        .refuses(&format!("apply -f {bad}"), "should be greater than or equal to 1")
        .await?;
    let unknown = shell.write("unknown.yaml", &widget("unknown", "{colour: red}"))?;
    shell
        .refuses(&format!("apply -f {unknown}"), "unknown field \"spec.colour\"")
        .await?;
    shell
        .shows("delete crd widgets.example.com", &["deleted"])
        .await?;
    shell
        .refuses("get widgets", "the server could not find the requested resource")
        .await
}

#[tokio::test]
async fn kubectl_watches_and_impersonates() -> Result<()> {
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    let Some(programs) = require_or_skip() else {
        return Ok(());
    };
    let shell = Shell::start(programs).await?;
    let mut watching = shell
        .command(Program::Kubectl, "get cm -w")?
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(watching.stdout.take().context("piped above")?).lines();
    shell
        .shows("create cm a --from-literal=k=v", &["configmap/a created"])
        .await?;
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
    watching.kill().await?;
    shell
        .shows("create sa bot", &["serviceaccount/bot created"])
        .await?;
    shell
        .shows(
            "create role r --verb=list --resource=pods",
            &["role.rbac.authorization.k8s.io/r created"],
        )
        .await?;
    shell
        .shows(
            "create rolebinding rb --role=r --serviceaccount=default:bot",
            &["created"],
        )
        .await?;
    let bot = "--as=system:serviceaccount:default:bot";
    shell
        .shows(&format!("auth can-i list pods {bot}"), &["yes"])
        .await?;
    shell
        .refuses(&format!("get secrets {bot}"), "cannot list resource \"secrets\"")
        .await
}

#[tokio::test]
async fn helm_installs_upgrades_and_removes_a_chart() -> Result<()> {
    let Some(programs) = require_or_skip() else {
        return Ok(());
    };
    let shell = Shell::start(programs).await?;
    let chart = shell.folder.path().join("shop");
    create_chart(&shell, &chart).await?;
    let chart = chart.display();
    shell
        .helm(
            &format!("install web {chart} --wait --timeout 30s"),
            "STATUS: deployed",
        )
        .await?;
    shell
        .helm(
            &format!("upgrade web {chart} --set replicaCount=2 --wait --timeout 30s"),
            "Happy Helming",
        )
        .await?;
    shell.shows("get deploy web-shop", &["2/2"]).await?;
    shell
        .helm("rollback web 1 --wait --timeout 30s", "Rollback was a success")
        .await?;
    shell
        .helm("uninstall web --wait --timeout 30s", "uninstalled")
        .await?;
    shell.shows("get deploy", &["No resources found"]).await
}

async fn create_chart(shell: &Shell, chart: &Path) -> Result<()> {
    shell
        .helm(&format!("create {}", chart.display()), "Creating")
        .await
}
