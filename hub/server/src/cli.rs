//! Flags and environment of `outhaul-hub`.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use kube::config::{KubeConfigOptions, Kubeconfig};
use outhaul_hub_server::{AsOpenChoreo, Config, FIRST_ENVIRONMENT, is_label, rest::Access};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The control plane of Outhaul: serves agents, writes the status of Releases, answers REST.
#[derive(Debug, Parser)]
#[command(name = "outhaul-hub", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    cluster: Cluster,
    /// UDP address for agents.
    #[arg(long, env = "OUTHAUL_LISTEN", default_value = "0.0.0.0:7443")]
    listen: SocketAddr,
    /// How agents reach that address, HOST:PORT; it goes into enrolment tokens.
    #[arg(long, env = "OUTHAUL_ADVERTISE")]
    advertise: Option<String>,
    /// TCP address for REST.
    #[arg(long, env = "OUTHAUL_REST", default_value = "0.0.0.0:8080")]
    rest: SocketAddr,
    /// Answer REST questions without a token. Only with --rest on loopback.
    #[arg(long, env = "OUTHAUL_ANONYMOUS")]
    anonymous: bool,
    /// Look for Environments and DataPlanes in `default` too, where the namespace of the Release does not have them.
    /// OpenChoreo looks in `default` only: an installation that relies on it needs this.
    #[arg(long, env = "OUTHAUL_FALL_BACK_TO_DEFAULT")]
    fall_back_to_default: bool,
    /// What to render as OpenChoreo does, for objects that run: corrections that would change them are put off. See
    /// docs/compatibility.md.
    #[arg(long, env = "OUTHAUL_AS_OPENCHOREO", value_enum, value_delimiter = ',')]
    as_openchoreo: Vec<PutOff>,
    /// The Environment of a component's first binding. Bindings that are there keep theirs.
    #[arg(long, env = "OUTHAUL_FIRST_ENVIRONMENT", default_value = FIRST_ENVIRONMENT, value_parser = environment)]
    first_environment: String,
    /// Hosts of APIs and web applications end in what `spec.gateway` of the DataPlane says, and those of APIs begin with
    /// the Environment's `gateway.dnsPrefix`. Else they are those of OpenChoreo, whatever is said there.
    #[arg(long, env = "OUTHAUL_PLANE_HOSTS")]
    plane_hosts: bool,
    /// How to write the log. RUST_LOG says how much.
    #[arg(long, env = "OUTHAUL_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

/// Where the control plane is. Without any flag: inside its cluster, else the current context of the kubeconfig.
#[derive(Debug, Args)]
struct Cluster {
    /// Kubeconfig of the control plane.
    #[arg(long, env = "OUTHAUL_KUBECONFIG")]
    kubeconfig: Option<std::path::PathBuf>,
    /// Context in it.
    #[arg(long, env = "OUTHAUL_CONTEXT")]
    context: Option<String>,
    /// Namespace of the hub's own Secrets.
    #[arg(long, env = "OUTHAUL_NAMESPACE", default_value = "outhaul-system")]
    namespace: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the CustomResourceDefinitions.
    Crds,
    /// Print the OpenAPI document of REST.
    Openapi,
    /// Print every reason for which something can be stuck, and what resolves it.
    Reasons,
}

/// A correction that can be put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PutOff {
    /// APIs without exposeLevels are public, and their policies guard a route that is not there.
    LevelPolicies,
    /// Scopes, allowed and blocked addresses are rules in this order; the first that matches counts.
    AddressRules,
    /// Connections to other projects name a bare host, which does not resolve there.
    ConnectionHosts,
    /// Scheduled tasks run on whatever the releaseState of their bindings says.
    TaskStates,
    /// Class fields that Kubernetes 1.32 does not know have no effect.
    ClassFields,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Options {
    pub(crate) async fn config(self) -> anyhow::Result<Config> {
        if self.anonymous && !self.rest.ip().is_loopback() {
            anyhow::bail!("--anonymous needs --rest on a loopback address such as 127.0.0.1:8080");
        }
        Ok(Config {
            client: self.cluster.client().await?,
            namespace: self.cluster.namespace,
            agents: self.listen,
            advertise: self.advertise,
            rest: self.rest,
            access: match self.anonymous {
                true => Access::Anonymous,
                false => Access::Tokens,
            },
            fallback: self.fall_back_to_default,
            as_openchoreo: as_openchoreo(&self.as_openchoreo),
            first_environment: self.first_environment,
            plane_hosts: self.plane_hosts,
        })
    }
}

/// A name that Environments and labels can have.
fn environment(name: &str) -> Result<String, &'static str> {
    match is_label(name) {
        true => Ok(name.to_owned()),
        false => Err("use at most 63 lower-case letters, digits and '-'"),
    }
}

fn as_openchoreo(put_off: &[PutOff]) -> AsOpenChoreo {
    AsOpenChoreo {
        level_policies: put_off.contains(&PutOff::LevelPolicies),
        address_rules: put_off.contains(&PutOff::AddressRules),
        connection_hosts: put_off.contains(&PutOff::ConnectionHosts),
        task_states: put_off.contains(&PutOff::TaskStates),
        class_fields: put_off.contains(&PutOff::ClassFields),
    }
}

impl Cluster {
    async fn client(&self) -> anyhow::Result<kube::Client> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let mut config = match &self.kubeconfig {
            Some(path) => {
                let file = Kubeconfig::read_from(path)
                    .with_context(|| format!("cannot read kubeconfig {}", path.display()))?;
                kube::Config::from_custom_kubeconfig(file, &options).await?
            }
            None if self.context.is_some() => kube::Config::from_kubeconfig(&options).await?,
            None => kube::Config::infer().await?,
        };
        // The fleet decides what is tried again, and when.
        config.default_retry = false;
        kube::Client::try_from(config).context("cannot make a client of the control plane")
    }
}

/// The client of Kubernetes logs whole answers that it cannot read: with them, the content of Releases and Secrets.
const SILENT: &str = "kube_client::client=error";

/// Starts logging.
pub(crate) fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new("info"));
    let filter = without_content(filter);
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

/// Whatever RUST_LOG asks for, no manifest content gets into the log.
fn without_content(filter: EnvFilter) -> EnvFilter {
    filter.add_directive(SILENT.parse().expect("a target and a level are a directive"))
}

/// Resolves at SIGTERM or SIGINT.
pub(crate) fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn corrections_are_put_off_by_name() {
        let options = [
            "outhaul-hub",
            "--as-openchoreo",
            "level-policies,connection-hosts,task-states,class-fields",
        ];
        let options = Options::try_parse_from(options).unwrap();
        let expected = AsOpenChoreo {
            level_policies: true,
            address_rules: false,
            connection_hosts: true,
            task_states: true,
            class_fields: true,
        };
        assert_eq!(as_openchoreo(&options.as_openchoreo), expected);
        assert!(Options::try_parse_from(["outhaul-hub", "--as-openchoreo", "everything"]).is_err());
    }

    #[test]
    fn the_first_environment_is_development_or_a_name_that_there_can_be() {
        let first = |arguments: &[&str]| {
            let options = Options::try_parse_from([&["outhaul-hub"], arguments].concat());
            options.map(|options| options.first_environment).ok()
        };
        assert_eq!(first(&[]).as_deref(), Some("development"));
        assert_eq!(first(&["--first-environment", "dev-1"]).as_deref(), Some("dev-1"));
        for wrong in ["", "Dev", "-dev", "d.e.v"] {
            assert_eq!(first(&["--first-environment", wrong]), None, "{wrong}");
        }
    }

    #[test]
    fn no_filter_lets_answers_of_an_api_server_into_the_log() {
        for wish in ["info", "trace", "kube_client=trace", "kube_client::client=trace"] {
            let lines = Lines::default();
            let writer = lines.clone();
            let log = tracing_subscriber::fmt()
                .with_env_filter(without_content(EnvFilter::new(wish)))
                .with_writer(move || writer.clone())
                .finish();
            tracing::subscriber::with_default(log, || {
                tracing::warn!(target: "kube_client::client", "{{\"data\":\"secret\"}}, recursion limit exceeded");
                tracing::error!(target: "outhaul_hub_server", "shown");
            });
            let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            assert!(!text.contains("secret"), "RUST_LOG={wish}: {text}");
            assert_eq!(text.contains("shown"), !wish.starts_with("kube_client"), "{text}");
        }
    }
}
