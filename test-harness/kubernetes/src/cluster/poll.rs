//! Waiting for something, looking at it again and again until a deadline.

use std::time::Duration;

use kube::Client;
use tokio::time::{Instant, sleep, timeout};

use super::Error;

/// A start of three seconds is not made noticeably longer by it.
const PAUSE: Duration = Duration::from_millis(25);

/// One look may hang on a connection that nobody answers.
const LOOK_LIMIT: Duration = Duration::from_secs(5);

/// Looks until it is there; `Err` inside `Ok` says why not yet, `Err` outside that it never will be.
pub(super) async fn until(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Result<Result<(), String>, Error>,
) -> Result<(), Error> {
    let deadline = Instant::now() + limit;
    loop {
        let last = match timeout(LOOK_LIMIT, look()).await {
            Ok(Ok(Ok(()))) => return Ok(()),
            Ok(Ok(Err(not_yet))) => not_yet,
            Ok(Err(never)) => return Err(never),
            Err(_) => format!("no answer within {} s", LOOK_LIMIT.as_secs()),
        };
        if Instant::now() >= deadline {
            return Err(Error::NotReady {
                what: what.to_owned(),
                limit,
                last,
            });
        }
        sleep(PAUSE).await;
    }
}

/// Whether the API server calls itself ready.
pub(super) async fn ready(client: &Client) -> Result<(), String> {
    let request = http::Request::get("/readyz")
        .body(Vec::new())
        .map_err(|error| error.to_string())?;
    match client.request_text(request).await {
        Ok(text) if text == "ok" => Ok(()),
        Ok(text) => Err(text),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_never_comes_is_reported_with_the_last_reason() {
        let outcome = until("tea", Duration::from_secs(2), async || {
            Ok(Err("still cold".into()))
        })
        .await;
        assert_eq!(
            outcome.unwrap_err().to_string(),
            "tea not ready within 2 s: still cold"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn look_that_hangs_does_not_outlast_the_limit() {
        let outcome = until("tea", Duration::from_secs(7), async || {
            std::future::pending().await
        })
        .await;
        assert!(outcome.unwrap_err().to_string().contains("no answer"));
    }
}
