//! Waiting in tests.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Looks until there is something, for at most half a minute.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "within 30 s: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
