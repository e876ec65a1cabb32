//! What an agent needs to know before it starts. Read once, checked once, passed inward.
//!
//! The binary fills it from [`Arguments`]; a process that runs several agents builds it itself.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use kube::config::{KubeConfigOptions, Kubeconfig};
use outhaul_protocol_wire::token::Token;
use tracing::info;

/// The namespace that the agent keeps its Secrets in, unless told otherwise.
pub const NAMESPACE: &str = "outhaul-system";

/// What an agent needs.
#[derive(Clone)]
pub struct Config {
    /// A client of the plane's API server.
    pub cluster: kube::Client,
    /// The namespace of the agent's own Secrets. It is created when it is absent.
    pub namespace: String,
    /// Where the agent keeps who it is.
    pub identity: IdentityPlace,
    /// Brings an agent that has no valid certificate to its hub. An enrolled agent ignores it.
    pub token: Option<Token>,
    /// The name of this process among the agents of the plane. No two with one name may run at once: one that starts again
    /// under the name it had need not wait for its own Lease to run out. Random where there is none.
    pub holder: Option<String>,
    /// Dial this `host:port` instead of the address that the token named.
    pub hub: Option<String>,
}

/// Where key, certificate and hub address are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityPlace {
    /// In the Secret `outhaul-agent` of the agent's namespace.
    Secret,
    /// In a folder, readable by its owner only.
    Folder(PathBuf),
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Brings one Kubernetes cluster to an Outhaul hub.
///
/// The agent dials the hub, pulls what this cluster should run, applies it and streams its status back. It needs
/// no port of its own. The first time it needs the token that `outhaul plane token` printed.
#[derive(Debug, Parser)]
#[command(name = "outhaul-agent", version)]
pub struct Arguments {
    /// Enrolment token; needed once.
    #[arg(
        long,
        env = "OUTHAUL_ENROLMENT_TOKEN",
        hide_env_values = true,
        conflicts_with = "token_file"
    )]
    token: Option<String>,

    /// File with the enrolment token. It may be absent when the agent is enrolled.
    #[arg(long, env = "OUTHAUL_ENROLMENT_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Address of the hub, where it differs from the one in the token.
    #[arg(long, env = "OUTHAUL_HUB_ADDRESS", value_name = "HOST:PORT")]
    hub: Option<String>,

    /// Kubeconfig of the cluster; by default that of kubectl, or the service account inside a pod.
    #[arg(long, env = "OUTHAUL_KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// Context in the kubeconfig.
    #[arg(long, env = "OUTHAUL_CONTEXT")]
    context: Option<String>,

    /// Namespace for the agent's own Secrets.
    #[arg(long, env = "OUTHAUL_NAMESPACE", default_value = NAMESPACE)]
    namespace: String,

    /// Keep the agent's identity in this folder instead of a Secret in the cluster.
    #[arg(long, env = "OUTHAUL_STATE_DIR", value_name = "FOLDER")]
    state_dir: Option<PathBuf>,

    /// Name of this process among the agents of this cluster, of which one acts. No two with one name may ever run at
    /// once: in a pod it is the pod's uid. Without it, an agent that was killed is followed half a minute later.
    #[arg(long, env = "OUTHAUL_HOLDER", value_name = "NAME")]
    holder: Option<String>,

    /// How log lines look. What is logged is set by RUST_LOG, for example `info,outhaul_agent_runner=debug`.
    #[arg(long, env = "OUTHAUL_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

impl Arguments {
    /// The configuration that the arguments mean.
    ///
    /// # Errors
    /// The token is none, or no cluster can be found.
    pub async fn config(self) -> anyhow::Result<Config> {
        let token = self.token()?;
        let cluster = self.cluster().await?;
        Ok(Config {
            cluster,
            namespace: self.namespace,
            identity: self
                .state_dir
                .map_or(IdentityPlace::Secret, IdentityPlace::Folder),
            token,
            holder: self.holder,
            hub: self.hub,
        })
    }

    fn token(&self) -> anyhow::Result<Option<Token>> {
        let text = match (&self.token, &self.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(file)) if !file.exists() => {
                info!(file = %file.display(), "There is no token file; only an agent that is enrolled needs none");
                return Ok(None);
            }
            (None, Some(file)) => std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the token from {}", file.display()))?,
            (None, None) => return Ok(None),
        };
        Ok(Some(text.parse()?))
    }

    async fn cluster(&self) -> anyhow::Result<kube::Client> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let mut config = match (&self.kubeconfig, &self.context) {
            (None, None) => kube::Config::infer().await.context(
                "no cluster to run for: there is no usable kubeconfig and no service account; name one by --kubeconfig",
            )?,
            (None, Some(context)) => kube::Config::from_kubeconfig(&options)
                .await
                .with_context(|| format!("cannot use context {context} of kubectl's kubeconfig"))?,
            (Some(file), _) => {
                let kubeconfig = Kubeconfig::read_from(file)
                    .with_context(|| format!("cannot read kubeconfig {}", file.display()))?;
                kube::Config::from_custom_kubeconfig(kubeconfig, &options)
                    .await
                    .with_context(|| format!("cannot use kubeconfig {}", file.display()))?
            }
        };
        // Retries are the business of our own pace, which also hears Retry-After.
        config.default_retry = false;
        kube::Client::try_from(config).context("cannot make a client for the cluster")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_have_one_meaning_and_a_token_is_given_once() {
        let arguments = Arguments::try_parse_from(["outhaul-agent", "--state-dir", "/tmp/x"]).unwrap();
        assert_eq!(arguments.namespace, NAMESPACE);
        assert!(arguments.token().unwrap().is_none());
        let both = ["outhaul-agent", "--token", "a", "--token-file", "b"];
        assert!(Arguments::try_parse_from(both).is_err());
    }

    #[test]
    fn a_wrong_token_is_refused_before_anything_is_dialled() {
        let arguments = Arguments::try_parse_from(["outhaul-agent", "--token", "nonsense"]).unwrap();
        let error = arguments.token().unwrap_err().to_string();
        assert!(error.contains("outhaul plane token"), "{error}");
    }
}
