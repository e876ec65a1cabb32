//! Processes of a measurement: this program again, in another role, or one that is shipped.
//!
//! Memory and CPU are told by process, so whatever they are claimed for has one of its own. Owner and worker talk in
//! lines of JSON: the first line to the worker is its setup, every later one an order; each has one line as its
//! answer. A worker ends when its input does, so none outlives its owner.

pub(crate) mod owner;
pub mod role;

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

pub use self::role::Role;
use crate::process::Usage;

/// Longer than any answer that will still come: ten thousand planes need a minute on two busy cores.
const PATIENCE: Duration = Duration::from_secs(240);

/// How long a worker may take to end once it is asked to.
const GOODBYE: Duration = Duration::from_secs(20);

/// The owner's end of a running worker. Dropping it kills the worker.
pub struct Worker {
    role: Role,
    child: Child,
    pid: Pid,
    /// A program that is shipped takes no orders: it waits for a signal.
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts a worker and waits until it says that it is ready. Returns it, and what it said.
    ///
    /// # Errors
    /// It does not get ready.
    pub async fn start<T: DeserializeOwned>(role: Role, setup: &impl Serialize) -> Result<(Self, T)> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = Command::new(program);
        command.arg("worker").arg(role.to_string());
        let mut worker = Self::spawn(role, command)?;
        let ready = worker.ask(setup).await?;
        Ok((worker, ready))
    }

    /// Starts a program that is shipped, with a first text on its standard input.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start_shipped(role: Role, command: Command, input: &str) -> Result<Self> {
        let mut worker = Self::spawn(role, command)?;
        // It reads until its input ends.
        if let Some(mut opened) = worker.input.take() {
            opened.write_all(input.as_bytes()).await?;
        }
        Ok(worker)
    }

    fn spawn(role: Role, mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start the {role}"))?;
        let pid = child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        let output = child.stdout.take().context("its output is a pipe")?;
        Ok(Self {
            role,
            pid: pid.with_context(|| format!("the {role} ended at once"))?,
            input: child.stdin.take(),
            output: BufReader::new(output).lines(),
            child,
        })
    }

    /// Gives an order and waits for the answer.
    ///
    /// # Errors
    /// The worker failed; what went wrong it has written to standard error.
    pub async fn ask<T: DeserializeOwned>(&mut self, order: &impl Serialize) -> Result<T> {
        self.tell(order).await?;
        self.hear().await
    }

    /// Gives an order.
    ///
    /// # Errors
    /// The worker has ended.
    pub async fn tell(&mut self, order: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        let input = self
            .input
            .as_mut()
            .with_context(|| format!("the {} takes no orders", self.role))?;
        let written = input.write_all(&line).await;
        written.with_context(|| format!("the {} takes no orders any more", self.role))
    }

    /// Waits for an answer.
    ///
    /// # Errors
    /// The worker failed.
    pub async fn hear<T: DeserializeOwned>(&mut self) -> Result<T> {
        let role = self.role;
        let line = timeout(PATIENCE, self.output.next_line()).await;
        let line = line.with_context(|| format!("the {role} has not answered in {PATIENCE:?}"))??;
        let line = line.with_context(|| format!("the {role} has ended"))?;
        serde_json::from_str(&line).with_context(|| format!("the {role} answered {line:?}"))
    }

    /// What it has used until now.
    ///
    /// # Errors
    /// It has ended.
    pub fn usage(&self) -> Result<Usage> {
        Usage::of(self.pid.as_raw_nonzero().get().unsigned_abs())
    }

    /// Lets it stand still, as it is, until [`Self::resume`].
    ///
    /// # Errors
    /// It has ended.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it run on.
    ///
    /// # Errors
    /// It has ended.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Gives no more orders and waits for the end.
    ///
    /// # Errors
    /// It does not end, or failed.
    pub async fn finish(self) -> Result<()> {
        if self.input.is_none() {
            return self.terminate().await;
        }
        let Self {
            role,
            mut child,
            input,
            ..
        } = self;
        drop(input);
        ended(role, &mut child).await
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Errors
    /// It does not end, or failed.
    pub async fn terminate(mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        ended(self.role, &mut self.child).await
    }

    /// Sends SIGKILL and waits for the end.
    ///
    /// # Errors
    /// The operating system refuses.
    pub async fn kill(mut self) -> Result<()> {
        self.child
            .kill()
            .await
            .with_context(|| format!("cannot kill the {}", self.role))
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(self.pid, signal).with_context(|| format!("cannot signal the {}", self.role))
    }
}

/// What each of some workers has used until now.
///
/// # Errors
/// One has ended.
pub fn usages<'a>(workers: impl IntoIterator<Item = (&'a str, &'a Worker)>) -> Result<Vec<(String, Usage)>> {
    let usage = |(name, worker): (&str, &Worker)| Ok((name.to_owned(), worker.usage()?));
    workers.into_iter().map(usage).collect()
}

async fn ended(role: Role, child: &mut Child) -> Result<()> {
    let status = timeout(GOODBYE, child.wait()).await;
    let status = status.with_context(|| format!("the {role} does not end"))??;
    ensure!(status.success(), "the {role} failed: {status}");
    Ok(())
}
