//! Clusters end with their owner, however it ends.

#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps says enough when it fails, its helpers too"
)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use outhaul_kubernetes::require_or_skip;
use support::eventually;

#[tokio::test]
async fn owner_killed_without_warning_leaves_nothing_behind() {
    if require_or_skip().is_none() {
        return;
    }
    let mut owner = Command::new(env!("CARGO_BIN_EXE_outhaul-kubernetes"))
        .args(["up", "--with", "none"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (server, folder) = announced(&mut owner);
    assert!(TcpStream::connect(&server).is_ok());
    assert!(folder.join("kubeconfig").exists());

    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("the API server is gone", async || {
        TcpStream::connect(&server).is_err().then_some(())
    })
    .await;
    eventually("the folder is gone", async || (!folder.exists()).then_some(())).await;
}

/// The address and the folder that `up` prints.
fn announced(owner: &mut Child) -> (String, PathBuf) {
    let mut server = None;
    for line in BufReader::new(owner.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(rest) = line.strip_prefix("https://") {
            server = rest.split_whitespace().next().map(str::to_owned);
        }
        if let Some(path) = line.strip_prefix("export KUBECONFIG=") {
            return (server.unwrap(), PathBuf::from(path).parent().unwrap().to_owned());
        }
    }
    panic!("`up` ended before its cluster was usable");
}
