//! Waiting for something to become true, with a deadline and words for when it does not.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Between two looks. Short enough not to count, long enough to leave the cores to what is waited for.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until `look` finds something.
///
/// # Errors
/// Nothing is found in `limit`; the error has `what` was waited for and what the last look said.
pub async fn until<T, F>(what: &str, limit: Duration, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let start = Instant::now();
    loop {
        match look().await {
            Ok(found) => return Ok(found),
            Err(missing) if start.elapsed() > limit => bail!("{what}: not after {limit:?}: {missing:#}"),
            Err(_missing) => tokio::time::sleep(PAUSE).await,
        }
    }
}
