//! `--keep`: files and commands for whoever wants to look at it, until Ctrl-C.

use std::fs::{self, File};
use std::future::Future;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use kube::config::Kubeconfig;
use outhaul_kubernetes::{Program, Programs};
use outhaul_scenarios::{Ground, Stage};
use tempfile::TempDir;

use crate::screen::Screen;
use crate::story::follow;

const CONTROL_PLANE: &str = "control-plane";

/// Says how everything is reached and shows the fleet, until `stop` is ready. Its files are gone afterwards.
pub(crate) async fn until(
    stage: &Stage,
    ground: &Ground,
    screen: &mut Screen,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let folder = write_files(stage).context("cannot write kubeconfigs")?;
    screen.conclude(&instructions(
        folder.path(),
        stage.operator().address(),
        &kubectl(ground),
    ))?;
    // Following only asks and shows: dropping it loses nothing.
    let ended = tokio::select! {
        failed = follow(stage, screen) => failed,
        () = stop => Ok(()),
    };
    folder.close().context("cannot remove the kubeconfigs")?;
    ended
}

/// A folder that only its owner can read.
fn write_files(stage: &Stage) -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("outhaul-demo-").tempdir()?;
    write_kubeconfig(folder.path(), CONTROL_PLANE, stage.control.kubeconfig())?;
    for (name, plane) in &stage.planes {
        write_kubeconfig(folder.path(), name, plane.cluster.kubeconfig())?;
    }
    write(&folder.path().join("token"), stage.operator().bearer_token())?;
    Ok(folder)
}

/// JSON is YAML.
fn write_kubeconfig(folder: &Path, name: &str, kubeconfig: &Kubeconfig) -> Result<()> {
    write(&folder.join(name), &serde_json::to_string_pretty(kubeconfig)?)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let mut file: File = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

/// The one that belongs to the clusters, if there is one.
fn kubectl(ground: &Ground) -> String {
    let built = match ground {
        Ground::Embedded => Programs::find().ok(),
        Ground::Kubernetes(programs) => Some(programs.clone()),
    };
    let path = built.and_then(|programs| programs.path(Program::Kubectl).ok());
    path.map_or_else(|| "kubectl".to_owned(), |path| path.display().to_string())
}

fn instructions(folder: &Path, rest: &str, kubectl: &str) -> String {
    let folder = folder.display();
    format!(
        "
Everything is left running. In another terminal:

  demo={folder}
  alias kubectl={kubectl}

  kubectl --kubeconfig $demo/{CONTROL_PLANE} get planes,components,servicebindings,releases -A
  kubectl --kubeconfig $demo/{CONTROL_PLANE} describe servicebinding checkout-production
  kubectl --kubeconfig $demo/{CONTROL_PLANE} get events -A
  kubectl --kubeconfig $demo/{CONTROL_PLANE} edit workload cart
  kubectl --kubeconfig $demo/production get deploy,svc,httproute -A
  kubectl --kubeconfig $demo/production delete service -A -l component-name=cart

  hub={rest}
  curl -sH \"Authorization: Bearer $(cat $demo/token)\" $hub/api/v1/planes
  curl -sH \"Authorization: Bearer $(cat $demo/token)\" $hub/api/v1/planes/production/bundles
  curl -NsH \"Authorization: Bearer $(cat $demo/token)\" $hub/api/v1/events
  cargo run --release -p outhaul-hub-cli -- --hub $hub --token-file $demo/token status

The token is good for an hour. Ctrl-C here ends everything and removes the files.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_name_every_file_and_address() {
        let text = instructions(Path::new("/tmp/x"), "http://127.0.0.1:1", "/bin/kubectl");
        for part in [
            "demo=/tmp/x\n",
            "$demo/control-plane ",
            "$demo/production ",
            "hub=http://127.0.0.1:1\n",
            "=/bin/kubectl\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn files_with_credentials_are_for_their_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        write(&path, "secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
