//! Builds the Kubernetes programs from their Go modules, once per set of pins.
//!
//! Driven by the `build` command. The result lies in the workspace's `target/kubernetes/<pins>`, whatever
//! `CARGO_TARGET_DIR` says, so that every checkout has one and every build of ours finds it. A folder is
//! there complete or not at all: it is filled under another name and renamed. Go's own caches make a
//! build that was interrupted go on where it was.

mod copy;
mod go;
mod pins;

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

pub use pins::kubernetes_version;

use crate::Program;

/// The name of the one executable that six programs are links to.
const CONTROL_PLANE: &str = "control-plane";

const LINKS: [Program; 6] = [
    Program::Etcd,
    Program::ApiServer,
    Program::ControllerManager,
    Program::Scheduler,
    Program::Kwok,
    Program::Kubectl,
];

/// The folder of one build: `bin`, `definitions` and `stages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    folder: PathBuf,
}

impl Built {
    /// The build that the pins of this checkout ask for, whether it was made or not.
    pub fn here() -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let workspace = workspace.canonicalize().unwrap_or(workspace);
        Self::at(workspace.join("target/kubernetes").join(pins::digest()))
    }

    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Whether it was made.
    pub fn is_complete(&self) -> bool {
        self.folder.is_dir()
    }

    /// Where it is, or would be.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of the executables.
    pub fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }

    pub(crate) fn definitions(&self) -> PathBuf {
        self.folder.join("definitions")
    }

    pub(crate) fn stages(&self) -> PathBuf {
        self.folder.join("stages")
    }
}

/// Makes the build that the pins ask for, unless it is there, and tells `report` how far it is.
///
/// Blocks for some minutes. Of two at once, the second waits for the first and finds its work done.
///
/// # Errors
///
/// Go is missing or does not compile the modules, a module is not what was pinned, or the disk refuses.
pub fn build(mut report: impl FnMut(&str)) -> Result<Built, BuildError> {
    let built = Built::here();
    if built.is_complete() {
        return Ok(built);
    }
    let parent = built.folder.parent().unwrap_or(Path::new("."));
    doing("creating", parent, fs::create_dir_all(parent))?;
    let _lock = lock(&parent.join("lock"), &mut report)?;
    if built.is_complete() {
        return Ok(built);
    }

    let partial = Built::at(built.folder.with_extension("partial"));
    if partial.is_complete() {
        doing("clearing", &partial.folder, fs::remove_dir_all(&partial.folder))?;
    }
    make(&partial, &mut report)?;
    doing(
        "completing",
        &built.folder,
        fs::rename(&partial.folder, &built.folder),
    )?;
    Ok(built)
}

fn make(built: &Built, report: &mut dyn FnMut(&str)) -> Result<(), BuildError> {
    for folder in [built.programs(), built.definitions(), built.stages()] {
        doing("creating", &folder, fs::create_dir_all(&folder))?;
    }
    // The cheap steps first: what is wrong with the network or the pins shows within seconds.
    for source in &pins::COPIED {
        report(&format!("{} {}: {}", source.module, source.version, source.from));
        copy::copy(source, &built.folder)?;
    }
    report(&format!(
        "Kubernetes {}: compiling, minutes when nothing is cached",
        kubernetes_version()
    ));
    go::compile(
        ".",
        &pins::control_plane_flags(),
        &built.programs().join(CONTROL_PLANE),
        report,
    )?;
    for program in LINKS {
        let link = built.programs().join(program.name());
        doing("linking", &link, symlink(CONTROL_PLANE, &link))?;
    }
    report("Helm: compiling");
    go::compile(
        pins::HELM,
        &pins::helm_flags(),
        &built.programs().join(Program::Helm.name()),
        report,
    )
}

/// Held until it is dropped; the operating system drops it with the process.
fn lock(path: &Path, report: &mut dyn FnMut(&str)) -> Result<File, BuildError> {
    let file = doing("opening", path, File::create(path))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => report("another build is running: waiting for it"),
        Err(TryLockError::Error(source)) => return doing("locking", path, Err(source)),
    }
    doing("locking", path, file.lock())?;
    Ok(file)
}

/// Why there is no build.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A command could not be started.
    #[error("starting `{command}` (is Go 1.26 or newer installed?)")]
    Go {
        /// The command line.
        command: String,
        /// Why not.
        source: io::Error,
    },
    /// A command failed.
    #[error("`{command}` failed:\n{output}")]
    Failed {
        /// The command line.
        command: String,
        /// Its last lines.
        output: String,
    },
    /// A module in the cache is not the one that was pinned.
    #[error(
        "{module} has the checksum {found}, and {pinned} is pinned: its version was published again, or the pin is wrong"
    )]
    Checksum {
        /// The module.
        module: &'static str,
        /// What was downloaded.
        found: String,
        /// What is expected.
        pinned: &'static str,
    },
    /// A file of a module does not look as it did when it was pinned.
    #[error("{}: {problem}", file.display())]
    Unexpected {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The disk refused.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

fn doing<T>(doing: &'static str, path: &Path, result: io::Result<T>) -> Result<T, BuildError> {
    result.map_err(|source| BuildError::Io {
        doing,
        path: path.to_owned(),
        source,
    })
}
