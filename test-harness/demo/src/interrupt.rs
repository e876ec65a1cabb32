//! Ctrl-C and SIGTERM, which both ask for an orderly end.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a performance. They are counted from [`listen`](Self::listen) on, so none is missed.
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one. Dropping the future loses none.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
