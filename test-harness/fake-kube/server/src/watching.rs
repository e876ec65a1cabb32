//! A watch as a stream of bytes.
//!
//! The stream reads from the cluster's history when its client has taken what was read before. So a slow client holds
//! nothing but its place, and the objects that there were at its beginning until it has taken them; it is told `Expired`
//! when it falls behind the history. However busy the kind is, a watch ends in time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use outhaul_fake_kube_core::watch::{Polled, Watch};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::engine::Engine;
use crate::fault::{WatchEnd, WatchFaults};

/// How often a watch that asked for bookmarks gets one when nothing happens; the real server's period.
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);
/// How long before its end a watch gets its last bookmark; as the real server has it.
const BEFORE_END: Duration = Duration::from_secs(2);
/// How long a watch lives that asked for no other end; the real server picks 30 to 60 minutes.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(45 * 60);

/// The events of a watch until its time is over, its history expired, the API went away, or a fault ends it.
pub(crate) fn stream(
    engine: Arc<Engine>,
    watch: Watch,
    faults: WatchFaults,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let now = Instant::now();
    let lifetime = watch.timeout.map_or(DEFAULT_LIFETIME, Duration::from_secs);
    let open = Open {
        changes: engine.subscribe(watch.resource()),
        reachable: engine.reachable(),
        engine,
        end: now + lifetime,
        lost_at: faults.lost_after.map(|after| now + after),
        next_bookmark: first_bookmark(now, lifetime),
        watch,
        faults,
        delivered: 0,
        broken: false,
    };
    futures::stream::unfold(Some(open), |state| async move { state?.step().await })
}

/// A period from now, but for a shorter watch a moment before its end.
fn first_bookmark(now: Instant, lifetime: Duration) -> Instant {
    match lifetime.checked_sub(BEFORE_END) {
        Some(wait) if !wait.is_zero() => now + wait.min(BOOKMARK_PERIOD),
        _ => now + BOOKMARK_PERIOD,
    }
}

struct Open {
    engine: Arc<Engine>,
    watch: Watch,
    changes: watch::Receiver<()>,
    reachable: watch::Receiver<bool>,
    end: Instant,
    /// When a fault breaks it off.
    lost_at: Option<Instant>,
    next_bookmark: Instant,
    faults: WatchFaults,
    /// Deliveries so far.
    delivered: u32,
    /// A fault has cut a line in two; no more comes.
    broken: bool,
}

/// A piece of the stream, and how it goes on.
type Step = Option<(io::Result<Bytes>, Option<Open>)>;

impl Open {
    async fn step(mut self) -> Step {
        if self.broken {
            return Some((Err(cut("injected fault")), None));
        }
        loop {
            if let Some(step) = self.due() {
                return match step {
                    Due::Bookmark(line) => Some((Ok(line), Some(self))),
                    Due::End => None,
                    Due::Break(why) => Some((Err(cut(why)), None)),
                };
            }
            if self.is_mute() {
                self.wait().await?;
                continue;
            }
            // Seen before it is read: a write in between wakes us for nothing rather than not at all.
            self.changes.mark_unchanged();
            match self.engine.poll_watch(&mut self.watch) {
                Polled::Lines(lines) if lines.is_empty() => {}
                Polled::Lines(lines) => return self.deliver(lines).await,
                Polled::Over(last) => return Some((Ok(last), None)),
                Polled::Idle => self.wait().await?,
            }
        }
    }

    /// What is due whether there are events or not.
    fn due(&mut self) -> Option<Due> {
        let now = Instant::now();
        if !*self.reachable.borrow() {
            return Some(Due::Break("the API server went away"));
        }
        if self.lost_at.is_some_and(|at| at <= now) {
            return Some(Due::Break("injected fault"));
        }
        if self.end <= now {
            return Some(Due::End);
        }
        if !self.watch.bookmarks || self.is_mute() || now < self.next_bookmark {
            return None;
        }
        self.next_bookmark = now + BOOKMARK_PERIOD;
        self.engine.bookmark(&self.watch).map(Due::Bookmark)
    }

    /// Whether a fault keeps everything from the client but its end.
    fn is_mute(&self) -> bool {
        self.faults.mute.is_some_and(|after| self.delivered >= after)
    }

    /// Hands lines over, unless a fault comes between.
    async fn deliver(mut self, lines: Bytes) -> Step {
        if let Some((least, most, draw)) = self.faults.delay {
            tokio::time::sleep(draw.at(u64::from(self.delivered)).between(least, most)).await;
        }
        match self.faults.end {
            None => {}
            Some((after, end)) if self.delivered >= after => return self.end_early(&lines, end),
            Some(_) => {}
        }
        self.delivered += 1;
        Some((Ok(lines), Some(self)))
    }

    fn end_early(mut self, lines: &Bytes, end: WatchEnd) -> Step {
        match end {
            WatchEnd::InOrder => None,
            WatchEnd::Expired => Some((Ok(self.watch.expired(self.engine.version())), None)),
            WatchEnd::Cut => {
                self.broken = true;
                Some((Ok(lines.slice(..lines.len() / 2)), Some(self)))
            }
        }
    }

    /// Waits until something may have happened, or be due; none if nothing ever will.
    async fn wait(&mut self) -> Option<()> {
        let listens = !self.is_mute();
        let (next_bookmark, bookmarks) = (self.next_bookmark, self.watch.bookmarks && listens);
        let end = self.lost_at.map_or(self.end, |at| at.min(self.end));
        // All arms only wait: dropping one loses nothing.
        tokio::select! {
            changed = self.changes.changed(), if listens => changed.ok(),
            away = self.reachable.wait_for(|reachable| !reachable) => away.ok().map(|_| ()),
            () = sleep_until(end) => Some(()),
            () = sleep_until(next_bookmark), if bookmarks => Some(()),
        }
    }
}

/// What a watch has to do by the clock.
enum Due {
    Bookmark(Bytes),
    End,
    Break(&'static str),
}

fn cut(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, why)
}
