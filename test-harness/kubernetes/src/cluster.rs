//! A control plane as processes: what starts when, and how it ends.

mod definitions;
mod error;
mod flags;
mod folder;
mod keys;
mod options;
mod poll;
mod ports;
mod process;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, ServiceAccount};
use kube::api::{Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;

pub use self::error::Error;
use self::flags::Setup;
use self::folder::Folder;
use self::keys::Keys;
pub use self::options::{Options, With};
use self::ports::Ports;
use self::process::Process;
use crate::{Program, Programs};

/// Another process may take a port between our choosing it and a program's listening on it.
const ATTEMPTS: usize = 3;

/// Where etcd keeps its data, in the cluster's folder, and where a backup of it is.
const DATA: &str = "etcd";
const BACKUP: &str = "etcd.backup";

/// A start takes 3 s; 20 s were seen with six at once on two busy cores.
const START_LIMIT: Duration = Duration::from_secs(90);

/// A running control plane.
///
/// Dropping it kills its programs at once and removes its folder; that blocks for some milliseconds.
#[derive(Debug)]
pub struct Cluster {
    // Before the folder: fields are dropped in this order, and programs must not write to a folder that goes.
    running: BTreeMap<Program, Process>,
    commands: BTreeMap<Program, Command>,
    kubeconfig: Kubeconfig,
    setup: Setup,
    folder: Folder,
}

/// How a program is started, the first time and again.
#[derive(Debug)]
struct Command {
    path: PathBuf,
    flags: Vec<String>,
}

impl Cluster {
    /// Starts a cluster and waits until it is usable.
    ///
    /// # Errors
    ///
    /// A program is missing, ends early (the error has the end of its log), or is not ready in time.
    pub async fn start(programs: &Programs, options: Options) -> Result<Self, Error> {
        for attempt in 1.. {
            match Self::start_once(programs, &options).await {
                Err(error) if error.is_port_taken() && attempt < ATTEMPTS => {
                    tracing::info!(
                        attempt,
                        "A port was taken before its program listened; trying others"
                    );
                }
                outcome => return outcome,
            }
        }
        unreachable!("the last attempt returns its outcome")
    }

    async fn start_once(programs: &Programs, options: &Options) -> Result<Self, Error> {
        let folder = Folder::create().map_err(Error::Folder)?;
        let ports = Ports::choose().map_err(Error::Ports)?;
        let setup = Setup {
            folder: folder.path().to_owned(),
            ports,
        };
        let commands = commands(programs, options, &setup)?;

        // etcd comes up while the keys are made.
        let etcd = Process::spawn(Program::Etcd, &commands[&Program::Etcd], folder.path())?;
        let keys = Keys::generate()?;
        keys.write(&setup).map_err(Error::Folder)?;
        let kubeconfig = Kubeconfig::from_yaml(&keys.kubeconfig(&setup)).map_err(Error::Kubeconfig)?;

        let running = BTreeMap::from([(Program::Etcd, etcd)]);
        let mut cluster = Self {
            running,
            commands,
            kubeconfig,
            setup,
            folder,
        };
        cluster.bring_up(options).await?;
        Ok(cluster)
    }

    async fn bring_up(&mut self, options: &Options) -> Result<(), Error> {
        self.spawn(Program::ApiServer)?;
        self.api_answers().await?;
        for &program in options.with.programs() {
            self.spawn(program)?;
        }
        self.create_nodes(options.nodes).await?;
        match options.with {
            With::ApiOnly => Ok(()),
            With::Controllers | With::Workloads => self.controllers_work().await,
        }
    }

    /// The address of the API server, `https://127.0.0.1:PORT`. It stays when the server is killed and revived.
    pub fn server_url(&self) -> String {
        self.setup.server_url()
    }

    /// A kubeconfig file of an administrator, for programs that take a path.
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.setup.kubeconfig()
    }

    /// The same, for programs that run in this process.
    pub fn kubeconfig(&self) -> &Kubeconfig {
        &self.kubeconfig
    }

    /// The folder of the cluster; each program writes its log there, `NAME.log`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A client with the rights of an administrator. It belongs to the runtime that it is made in.
    ///
    /// # Errors
    ///
    /// The client cannot be made from the kubeconfig; whether the API server runs does not matter.
    pub async fn client(&self) -> Result<Client, Error> {
        let config =
            Config::from_custom_kubeconfig(self.kubeconfig.clone(), &KubeConfigOptions::default()).await;
        Client::try_from(config.map_err(Error::Kubeconfig)?).map_err(Error::Client)
    }

    /// Applies the custom resource definitions in a YAML file, or in all of a folder, and waits until they
    /// are served. Returns how many there were. Other cluster-scoped objects among them are applied as well.
    ///
    /// # Errors
    ///
    /// A file cannot be read, the API server refuses an object, or one is not established in time.
    pub async fn install(&self, path: &Path) -> Result<usize, Error> {
        definitions::install(&self.client().await?, path).await
    }

    /// Kills a program with no chance to say goodbye, and returns when it is gone. Does nothing when it
    /// does not run. What it holds in etcd stays.
    pub fn kill(&mut self, program: Program) {
        self.running.remove(&program);
    }

    /// Starts a program again that was killed or has ended, as it was and on its port. For etcd and the API
    /// server it returns when the API answers again, about two seconds.
    ///
    /// # Errors
    ///
    /// The cluster has no such program, or it does not come up.
    pub async fn revive(&mut self, program: Program) -> Result<(), Error> {
        if let Entry::Occupied(mut entry) = self.running.entry(program) {
            if entry.get_mut().exited().is_none() {
                return Ok(());
            }
            entry.remove();
        }
        self.spawn(program)?;
        match program {
            Program::Etcd if !self.running.contains_key(&Program::ApiServer) => Ok(()),
            Program::Etcd | Program::ApiServer => self.api_answers().await,
            Program::ControllerManager | Program::Scheduler | Program::Kwok => Ok(()),
            Program::Kubectl | Program::Helm => Ok(()),
        }
    }

    /// Keeps what etcd holds as the backup to go back to. The API is away for some seconds.
    ///
    /// # Errors
    ///
    /// Files cannot be copied, or the programs do not come up again.
    pub async fn back_up(&mut self) -> Result<(), Error> {
        self.replace_data(DATA, BACKUP).await
    }

    /// Goes back to the backup: what was written since is gone, and resource versions start lower. The API is away for
    /// some seconds. Other programs keep what they have in memory: this is for clusters without controllers.
    ///
    /// # Errors
    ///
    /// There is no backup, files cannot be copied, or the programs do not come up again.
    pub async fn restore(&mut self) -> Result<(), Error> {
        self.replace_data(BACKUP, DATA).await
    }

    /// Copies one folder of etcd's over another while nobody uses them.
    async fn replace_data(&mut self, from: &str, to: &str) -> Result<(), Error> {
        self.kill(Program::ApiServer);
        self.kill(Program::Etcd);
        let folder = self.folder.path();
        copy_tree(&folder.join(from), &folder.join(to)).map_err(Error::Folder)?;
        self.revive(Program::Etcd).await?;
        self.revive(Program::ApiServer).await
    }

    fn spawn(&mut self, program: Program) -> Result<(), Error> {
        let command = self
            .commands
            .get(&program)
            .ok_or(Error::NotPartOfCluster { program })?;
        self.running
            .insert(program, Process::spawn(program, command, &self.setup.folder)?);
        Ok(())
    }

    /// A program that has ended by itself is an error now, not after a time limit.
    fn all_run(&mut self) -> Result<(), Error> {
        self.running.values_mut().try_for_each(Process::check)
    }

    async fn api_answers(&mut self) -> Result<(), Error> {
        let client = self.client().await?;
        poll::until("the API server", START_LIMIT, async || {
            self.all_run()?;
            Ok(poll::ready(&client).await)
        })
        .await
    }

    /// The first thing that the controllers do which others can see, and the last that a pod needs.
    async fn controllers_work(&mut self) -> Result<(), Error> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await?, "default");
        poll::until("the default service account", START_LIMIT, async || {
            self.all_run()?;
            Ok(match accounts.get_opt("default").await {
                Ok(Some(_)) => Ok(()),
                Ok(None) => Err("not there yet".to_owned()),
                Err(error) => Err(error.to_string()),
            })
        })
        .await
    }

    async fn create_nodes(&self, count: usize) -> Result<(), Error> {
        let nodes: Api<Node> = Api::all(self.client().await?);
        for index in 0..count {
            let name = format!("node-{index}");
            let labels = json!({"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"});
            let node =
                json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}});
            nodes
                .patch(
                    &name,
                    &PatchParams::apply("outhaul-kubernetes"),
                    &Patch::Apply(node),
                )
                .await
                .map_err(|source| Error::Apply {
                    object: format!("Node {name}"),
                    source: Box::new(source),
                })?;
        }
        Ok(())
    }
}

/// Makes `to` a copy of `from`.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir(to)?;
    // etcd refuses a folder that others can read.
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_tree(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

fn commands(
    programs: &Programs,
    options: &Options,
    setup: &Setup,
) -> Result<BTreeMap<Program, Command>, Error> {
    let mut commands = BTreeMap::new();
    for &program in [Program::Etcd, Program::ApiServer]
        .iter()
        .chain(options.with.programs())
    {
        let flags = match program {
            Program::Etcd => setup.etcd(),
            Program::ApiServer => [setup.api_server(options.with), options.api_server_flags.clone()].concat(),
            Program::ControllerManager => setup.controller_manager(),
            Program::Scheduler => setup.scheduler(),
            Program::Kwok => setup.kwok(&programs.stages()?).map_err(Error::Folder)?,
            Program::Kubectl | Program::Helm => Vec::new(),
        };
        commands.insert(
            program,
            Command {
                path: programs.path(program)?,
                flags,
            },
        );
    }
    Ok(commands)
}
