//! A watch as a stream of bytes.
//!
//! The stream holds a cursor, not events: it reads from the cluster's history when its client has taken what was read
//! before. So a slow client holds nothing but its place, and is told `Expired` when it falls behind the history.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use outhaul_fake_kube_core::watch::{Polled, Watch};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::engine::Engine;

/// How often a watch that asked for bookmarks gets one when nothing happens; the real server's period.
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);
/// How long a watch lives that asked for no other end; the real server picks 30 to 60 minutes.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(45 * 60);

/// The events of a watch until its time is over, its history expired, or the API went away.
pub(crate) fn stream(engine: Arc<Engine>, watch: Watch) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let now = Instant::now();
    let lifetime = watch.timeout.map_or(DEFAULT_LIFETIME, Duration::from_secs);
    let open = Open {
        changes: engine.subscribe(watch.resource()),
        reachable: engine.reachable(),
        engine,
        end: now + lifetime,
        next_bookmark: now + BOOKMARK_PERIOD,
        watch,
    };
    futures::stream::unfold(Some(open), |state| async move { state?.step().await })
}

struct Open {
    engine: Arc<Engine>,
    watch: Watch,
    changes: watch::Receiver<()>,
    reachable: watch::Receiver<bool>,
    end: Instant,
    next_bookmark: Instant,
}

impl Open {
    async fn step(mut self) -> Option<(io::Result<Bytes>, Option<Self>)> {
        loop {
            // Seen before it is read: a write in between wakes us for nothing rather than not at all.
            self.changes.mark_unchanged();
            match self.engine.poll_watch(&mut self.watch) {
                Polled::Lines(lines) if lines.is_empty() => {}
                Polled::Lines(lines) => return Some((Ok(lines), Some(self))),
                Polled::Expired(last) => return Some((Ok(last), None)),
                Polled::Idle => match self.wait().await {
                    Woken::Changed => {}
                    Woken::Bookmark => {
                        self.next_bookmark += BOOKMARK_PERIOD;
                        return Some((Ok(self.watch.bookmark()), Some(self)));
                    }
                    Woken::Over => return None,
                    Woken::Cut => {
                        let cut = io::Error::new(io::ErrorKind::ConnectionReset, "the API server went away");
                        return Some((Err(cut), None));
                    }
                },
            }
        }
    }

    async fn wait(&mut self) -> Woken {
        let (next_bookmark, bookmarks) = (self.next_bookmark, self.watch.bookmarks);
        // All arms only wait: dropping one loses nothing.
        tokio::select! {
            changed = self.changes.changed() => if changed.is_ok() { Woken::Changed } else { Woken::Over },
            _ = self.reachable.wait_for(|reachable| !reachable) => Woken::Cut,
            () = sleep_until(self.end) => Woken::Over,
            () = sleep_until(next_bookmark), if bookmarks => Woken::Bookmark,
        }
    }
}

enum Woken {
    Changed,
    Bookmark,
    Over,
    Cut,
}
