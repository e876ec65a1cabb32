//! How long a watch that ended or failed waits before it goes on.

use std::time::Instant;

use outhaul_agent_core::retry::Retry;

use super::stream::SHORT;

/// The time that waits go by, which stands still where a test pauses it.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The waits of one watch.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    retry: Retry,
}

impl Pauses {
    /// Waits as long as it takes after an attempt that began then.
    pub(super) async fn after(&mut self, began: Instant, failed: bool) {
        match !failed && now() >= began + SHORT {
            true => self.retry.clear(),
            false => self.retry.failed(now()),
        }
        if let Some(due) = self.retry.waits_until(now()) {
            tokio::time::sleep_until(due.into()).await;
        }
    }
}
