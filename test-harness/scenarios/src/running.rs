//! A program on a runtime of its own.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than any program needs to say goodbye.
const GOODBYE: Duration = Duration::from_secs(15);

/// A running hub or agent. Dropping it kills it.
pub struct Running {
    name: String,
    shutdown: CancellationToken,
    program: JoinHandle<Result<()>>,
    /// Taken when the program ends.
    runtime: Option<Runtime>,
}

impl Running {
    /// Starts `program` on a runtime of its own. It ends when the token it is given is cancelled.
    ///
    /// # Errors
    /// The operating system gives no threads.
    pub fn start<F>(name: &str, program: impl FnOnce(CancellationToken) -> F) -> Result<Self>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(name)
            .enable_all()
            .build()
            .with_context(|| format!("cannot start threads for {name}"))?;
        let shutdown = CancellationToken::new();
        let program = runtime.spawn(program(shutdown.clone()));
        Ok(Self {
            name: name.to_owned(),
            shutdown,
            program,
            runtime: Some(runtime),
        })
    }

    /// Asks it to end, as SIGTERM does, and waits for that.
    ///
    /// # Errors
    /// It failed, or does not end.
    pub async fn stop(mut self) -> Result<()> {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(GOODBYE, &mut self.program).await;
        ended
            .with_context(|| format!("{} does not end", self.name))?
            .with_context(|| format!("{} panicked", self.name))?
            .with_context(|| format!("{} failed", self.name))
    }

    /// Ends it as SIGKILL does: at its next await, without a word to anybody.
    pub fn kill(self) {
        drop(self);
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.program.is_finished()
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// It failed.
    pub async fn ended(mut self) -> Result<()> {
        let ended = (&mut self.program).await;
        ended.with_context(|| format!("{} panicked", self.name))?
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stopped_program_says_goodbye_and_a_killed_one_does_not() {
        let (said, mut heard) = tokio::sync::mpsc::channel::<&str>(2);
        let start = |said: tokio::sync::mpsc::Sender<&'static str>| {
            Running::start("program", |shutdown| async move {
                shutdown.cancelled().await;
                said.send("goodbye").await?;
                Ok(())
            })
        };
        start(said.clone()).unwrap().stop().await.unwrap();
        assert_eq!(heard.recv().await, Some("goodbye"));
        start(said).unwrap().kill();
        assert_eq!(heard.recv().await, None);
    }

    #[tokio::test]
    async fn a_failure_names_the_program() {
        let failing = Running::start("hub", |_shutdown| async { anyhow::bail!("no certificate") }).unwrap();
        let error = failing.stop().await.unwrap_err();
        assert_eq!(format!("{error:#}"), "hub failed: no certificate");
    }
}
