//! How long a watch that ended or failed waits before it goes on.

use std::time::Instant;

use outhaul_agent_core::retry::Retry;

use super::stream::SHORT;

/// The waits of one watch.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    retry: Retry,
}

impl Pauses {
    /// Waits as long as it takes after an attempt that began then.
    pub(super) async fn after(&mut self, began: Instant, failed: bool) {
        match !failed && began.elapsed() >= SHORT {
            true => self.retry.clear(),
            false => self.retry.failed(Instant::now()),
        }
        if let Some(due) = self.retry.waits_until(Instant::now()) {
            tokio::time::sleep_until(due.into()).await;
        }
    }
}
