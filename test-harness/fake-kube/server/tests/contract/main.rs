//! What the API answers, request by request: the cases in `cases/`, with the answers of a real API server in `answers/`.
//!
//! The answers are written by a real one: `OUTHAUL_RECORD=1 cargo test -p outhaul-fake-kube-server --test contract`
//! plays the cases there and stores what it says. Where the embedded API answers otherwise, the embedded API is wrong.
//! Where a real Kubernetes is at hand it is held to the records as well, so that they cannot rot.
//!
//! `OUTHAUL_THEMES=apply,lists` plays only those files. See [`theme`] for how cases are written.

mod answers;
mod definitions;
mod stable;
mod stage;
mod step;
mod theme;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use kube::Client;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use outhaul_fake_kube_server::{FakeKube, Options, User, Who};
use outhaul_kubernetes::{Cluster, Programs, require_or_skip};

use crate::answers::{Answers, Records};
use crate::stage::Door;
use crate::theme::Theme;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract")
}

#[tokio::test]
async fn the_embedded_api_answers_as_a_real_one_did() -> Result<()> {
    let themes = theme::all()?;
    let mut answers = BTreeMap::new();
    let (forgetful, others): (Vec<_>, Vec<_>) = themes.iter().cloned().partition(|theme| theme.compacted);
    for themes in [forgetful, others] {
        let kube = FakeKube::start(Options::default()).await?;
        let door = Door {
            admin: kube.client_as(User::new("administrator", &["system:masters"])),
            nobody: Client::new(kube.service(Who::Anonymous), "default"),
            embedded: Some(kube),
        };
        answers.extend(play(&themes, &door).await?);
    }
    report("the embedded API", &themes);
    answers::compare(&Records::read(&themes)?.answers, &answers)
}

#[tokio::test]
async fn a_real_api_still_answers_as_recorded() -> Result<()> {
    let Some(programs) = require_or_skip() else {
        return Ok(());
    };
    let themes = theme::all()?;
    let (with, without): (Vec<_>, Vec<_>) = themes.iter().cloned().partition(|theme| theme.controllers);
    let (forgetful, without): (Vec<_>, Vec<_>) = without.into_iter().partition(|theme| theme.compacted);
    let mut records = play_for_real(&programs, outhaul_kubernetes::Options::api_only(), &without).await?;
    let compacting = outhaul_kubernetes::Options {
        api_server_flags: vec!["--etcd-compaction-interval=1s".to_owned()],
        ..outhaul_kubernetes::Options::api_only()
    };
    for (options, themes) in [
        (outhaul_kubernetes::Options::controllers(), with),
        (compacting, forgetful),
    ] {
        let more = play_for_real(&programs, options, &themes).await?;
        records.answers.extend(more.answers);
    }
    report(&format!("kube-apiserver {}", records.kubernetes), &themes);
    if std::env::var_os("OUTHAUL_RECORD").is_some_and(|value| value == "1") {
        return records.write();
    }
    answers::compare(&Records::read(&themes)?.answers, &records.answers)
}

/// Plays themes on a cluster of their own.
async fn play_for_real(
    programs: &Programs,
    options: outhaul_kubernetes::Options,
    themes: &[Theme],
) -> Result<Records> {
    let cluster = Cluster::start(programs, options).await?;
    let mut stranger = cluster.kubeconfig().clone();
    for user in &mut stranger.auth_infos {
        user.auth_info = Some(AuthInfo::default());
    }
    let door = Door {
        admin: client(cluster.kubeconfig().clone()).await?,
        nobody: client(stranger).await?,
        embedded: None,
    };
    let version = door.admin.apiserver_version().await?.git_version;
    Ok(Records {
        kubernetes: version,
        answers: play(themes, &door).await?,
    })
}

/// A client that takes the first answer: an answer that asks to come again is one too.
async fn client(kubeconfig: Kubeconfig) -> Result<Client> {
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}

/// Plays the themes beside each other, the cases of each one after the other.
async fn play(themes: &[Theme], door: &Door) -> Result<BTreeMap<String, Answers>> {
    definitions::install(&door.admin).await?;
    let played = themes.iter().map(async |theme| {
        let answers = stage::play(theme, door).await;
        answers
            .map(|answers| (theme.name.clone(), answers))
            .with_context(|| format!("cases/{}.yaml", theme.name))
    });
    let played = futures::future::try_join_all(played).await?;
    Ok(played.into_iter().collect())
}

#[expect(clippy::print_stdout, reason = "a suite says how much it asked")]
fn report(whom: &str, themes: &[Theme]) {
    let cases: usize = themes.iter().map(|theme| theme.cases.len()).sum();
    let steps: usize = themes
        .iter()
        .flat_map(|theme| &theme.cases)
        .map(|case| case.steps.len())
        .sum();
    println!(
        "{whom}: {steps} requests in {cases} cases of {} themes",
        themes.len()
    );
}
