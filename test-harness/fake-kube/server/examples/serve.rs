//! Serves one embedded cluster with stand-ins until Ctrl-C, and writes its kubeconfig to the file given.

use anyhow::{Context as _, Result};
use outhaul_fake_kube_server::{FakeKube, Options};

#[tokio::main]
async fn main() -> Result<()> {
    let file = std::env::args().nth(1).context("usage: serve KUBECONFIG-FILE")?;
    let kube = FakeKube::start(Options {
        standins: true,
        ..Options::default()
    })
    .await?;
    std::fs::write(&file, kube.admin_kubeconfig()).with_context(|| format!("cannot write {file}"))?;
    #[expect(clippy::print_stdout, reason = "says where to point kubectl")]
    {
        println!("{} is up: kubectl --kubeconfig {file} get all -A", kube.url());
    }
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")
}
