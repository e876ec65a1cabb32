//! Which Kubernetes programs there are on this machine, and what to do when there are none.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::build::Built;

/// A program of a Kubernetes installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// The store under the API server.
    Etcd,
    /// The API.
    ApiServer,
    /// The controllers: garbage collection, namespaces, service accounts, workloads.
    ControllerManager,
    /// Gives pods a node.
    Scheduler,
    /// Stands in for kubelets: nodes and pods that are status only.
    Kwok,
    /// The command line of Kubernetes.
    Kubectl,
    /// The package manager that charts are for.
    Helm,
}

impl Program {
    /// The name of its executable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kwok => "kwok",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
        }
    }

    /// Whether its version must be that of the API server beside it.
    fn belongs_to_control_plane(self) -> bool {
        match self {
            Self::Etcd | Self::ApiServer | Self::ControllerManager | Self::Scheduler => true,
            Self::Kwok | Self::Kubectl | Self::Helm => false,
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Custom resource definitions of others that come with the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Definitions {
    /// Gateway API, standard channel: HTTPRoute, Gateway and their like.
    GatewayApi,
    /// Envoy Gateway: SecurityPolicy, BackendTrafficPolicy and their like.
    EnvoyGateway,
    /// Both as OpenChoreo installs them: Envoy Gateway 1.3.2, and Gateway API 1.2.1 as that brings it.
    OpenChoreoGateways,
}

impl Definitions {
    /// The name of their folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::GatewayApi => "gateway-api",
            Self::EnvoyGateway => "envoy-gateway",
            Self::OpenChoreoGateways => "openchoreo-gateways",
        }
    }
}

/// The Kubernetes programs of this machine.
///
/// Programs of the control plane all come from one folder, since they must be of one version; what is
/// missing beside a given API server (kwok, Helm) comes from our own build, if there is one.
#[derive(Clone, Debug)]
pub struct Programs {
    control_plane: PathBuf,
    build: Built,
}

impl Programs {
    /// Finds them: in the folder that `KUBEBUILDER_ASSETS` names, else where our own build put them.
    ///
    /// # Errors
    ///
    /// There is no etcd or no kube-apiserver. The error says what to do about it.
    pub fn find() -> Result<Self, Missing> {
        Self::locate(
            env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from),
            Built::here(),
        )
    }

    fn locate(assets: Option<PathBuf>, build: Built) -> Result<Self, Missing> {
        let control_plane = match assets {
            Some(folder) => folder,
            None if build.is_complete() => build.programs(),
            None => {
                return Err(Missing::Build {
                    folder: build.folder().to_owned(),
                });
            }
        };
        let programs = Self { control_plane, build };
        programs.path(Program::Etcd)?;
        programs.path(Program::ApiServer)?;
        Ok(programs)
    }

    /// The executable of one program.
    ///
    /// # Errors
    ///
    /// It is not there: a folder given by `KUBEBUILDER_ASSETS` need not have all of them.
    pub fn path(&self, program: Program) -> Result<PathBuf, Missing> {
        let given = self.control_plane.join(program.name());
        if given.is_file() {
            return Ok(given);
        }
        let built = self.build.programs().join(program.name());
        if !program.belongs_to_control_plane() && built.is_file() {
            return Ok(built);
        }
        Err(Missing::Program {
            program,
            folder: self.control_plane.clone(),
        })
    }

    /// The folder of custom resource definitions, for [`Cluster::install`](crate::Cluster::install).
    ///
    /// # Errors
    ///
    /// Our own build is not there; a folder of programs has no definitions.
    pub fn definitions(&self, definitions: Definitions) -> Result<PathBuf, Missing> {
        self.built_folder(self.build.definitions().join(definitions.name()))
    }

    /// The same, or a line that says why the calling test does nothing.
    ///
    /// # Panics
    ///
    /// Where [`require_or_skip`] does.
    pub fn definitions_or_skip(&self, definitions: Definitions) -> Option<PathBuf> {
        present_or_skip(self.definitions(definitions), is_required())
    }

    /// The stages that kwok moves nodes and pods through.
    pub(crate) fn stages(&self) -> Result<PathBuf, Missing> {
        self.built_folder(self.build.stages())
    }

    /// The folder of the programs, for `PATH`.
    pub fn folder(&self) -> &Path {
        &self.control_plane
    }

    fn built_folder(&self, folder: PathBuf) -> Result<PathBuf, Missing> {
        if folder.is_dir() {
            Ok(folder)
        } else {
            Err(Missing::Build { folder })
        }
    }
}

/// Kubernetes, or a part of it, is not on this machine.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// Our own build has not been made, or not from these pins.
    #[error(
        "Kubernetes is not built here (no {}): run `cargo run -p outhaul-kubernetes -- build` (needs Go; about \
         8 minutes the first time), or set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver",
        folder.display()
    )]
    Build {
        /// Where it would be.
        folder: PathBuf,
    },
    /// A folder of programs lacks one that is needed.
    #[error(
        "there is no {program} in {}: add it there, or unset KUBEBUILDER_ASSETS and run \
         `cargo run -p outhaul-kubernetes -- build`, which builds them all",
        folder.display()
    )]
    Program {
        /// The program.
        program: Program,
        /// Where it was looked for.
        folder: PathBuf,
    },
}

/// The programs, or a line that says why the calling test does nothing.
///
/// # Panics
///
/// When they are missing and `OUTHAUL_REQUIRE_KUBERNETES` is `1`, as in CI, where a test that is skipped
/// would look like one that passed.
pub fn require_or_skip() -> Option<Programs> {
    present_or_skip(Programs::find(), is_required())
}

fn is_required() -> bool {
    env::var_os("OUTHAUL_REQUIRE_KUBERNETES").is_some_and(|value| value == "1")
}

#[expect(
    clippy::print_stderr,
    reason = "the reader of a test run must see that a test did nothing"
)]
fn present_or_skip<T>(found: Result<T, Missing>, required: bool) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(missing) if required => panic!("OUTHAUL_REQUIRE_KUBERNETES=1, and {missing}"),
        Err(missing) => {
            eprintln!("skipped: {missing}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder_with(programs: &[Program]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for program in programs {
            fs::write(folder.path().join(program.name()), "").unwrap();
        }
        folder
    }

    fn no_build() -> Built {
        Built::at("/nonexistent/build".into())
    }

    #[test]
    fn without_build_and_assets_the_error_names_both_ways_out() {
        let error = Programs::locate(None, no_build()).unwrap_err().to_string();
        assert!(error.contains("-p outhaul-kubernetes -- build"), "{error}");
        assert!(error.contains("KUBEBUILDER_ASSETS"), "{error}");
    }

    #[test]
    fn given_folder_comes_before_the_build() {
        let folder = folder_with(&[Program::Etcd, Program::ApiServer]);
        let programs = Programs::locate(Some(folder.path().into()), no_build()).unwrap();
        assert_eq!(programs.path(Program::Etcd).unwrap(), folder.path().join("etcd"));
    }

    #[test]
    fn given_folder_without_api_server_is_refused_by_name() {
        let folder = folder_with(&[Program::Etcd]);
        let error = Programs::locate(Some(folder.path().into()), no_build())
            .unwrap_err()
            .to_string();
        assert!(error.contains("no kube-apiserver in"), "{error}");
    }

    #[test]
    fn controller_manager_of_another_version_never_joins_a_given_api_server() {
        let given = folder_with(&[Program::Etcd, Program::ApiServer]);
        let build = tempfile::tempdir().unwrap();
        let built = Built::at(build.path().into());
        fs::create_dir(built.programs()).unwrap();
        for program in [Program::ControllerManager, Program::Kwok] {
            fs::write(built.programs().join(program.name()), "").unwrap();
        }
        let programs = Programs::locate(Some(given.path().into()), built).unwrap();
        assert!(programs.path(Program::ControllerManager).is_err());
        assert!(programs.path(Program::Kwok).is_ok());
    }

    #[test]
    fn missing_programs_skip_a_test() {
        assert!(present_or_skip(Programs::locate(None, no_build()), false).is_none());
    }

    #[test]
    #[should_panic(expected = "Kubernetes is not built here")]
    fn missing_programs_fail_a_test_where_they_are_required() {
        present_or_skip(Programs::locate(None, no_build()), true);
    }
}
