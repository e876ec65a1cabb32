//! When something was seen: times of events, by watches that do not care who caused them.
//!
//! Ours and the floor are timed by the same watches on the same API servers, so what the watches themselves cost
//! is in both.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, ListParams, WatchEvent, WatchParams};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// A full channel would only delay watches, never lose an event.
const EVENTS: usize = 4_096;

/// Longer than anything that is not a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// What several watches see, in the order in which they see it.
pub struct Watches<T> {
    sender: mpsc::Sender<(T, Instant)>,
    seen: mpsc::Receiver<(T, Instant)>,
    /// The watches end with their owner, or fail and are found here.
    tasks: JoinSet<Result<()>>,
}

impl<T: Send + 'static> Watches<T> {
    /// None yet.
    pub fn new() -> Self {
        let (sender, seen) = mpsc::channel(EVENTS);
        Self {
            sender,
            seen,
            tasks: JoinSet::new(),
        }
    }

    /// Adds a watch, from now on; `of` says what an event means.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn add(
        &mut self,
        objects: Api<DynamicObject>,
        of: impl Fn(WatchEvent<DynamicObject>) -> Option<T> + Send + 'static,
    ) -> Result<()> {
        let mut events = from_now(objects).await?.boxed();
        let sender = self.sender.clone();
        self.tasks.spawn(async move {
            while let Some(event) = events.try_next().await? {
                let at = Instant::now();
                if let Some(seen) = of(event)
                    && sender.send((seen, at)).await.is_err()
                {
                    break;
                }
            }
            Ok(())
        });
        Ok(())
    }

    /// The next thing that is seen, and when it was.
    ///
    /// # Errors
    /// A watch has ended, or nothing is seen for a minute.
    pub async fn next(&mut self, waiting_for: &str) -> Result<(T, Instant)> {
        let seen = async {
            // Both arms only receive: dropping one loses nothing.
            tokio::select! {
                Some(seen) = self.seen.recv() => Ok(seen),
                Some(ended) = self.tasks.join_next() => {
                    ended??;
                    bail!("a watch has ended; run again")
                }
            }
        };
        timeout(PATIENCE, seen)
            .await
            .with_context(|| format!("nothing seen for {PATIENCE:?}, waiting for {waiting_for}"))?
    }
}

impl<T: Send + 'static> Default for Watches<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The name of an object that is new.
pub(crate) fn appeared(event: WatchEvent<DynamicObject>) -> Option<String> {
    match event {
        WatchEvent::Added(object) => Some(object.name_any()),
        _ => None,
    }
}

/// The events of one kind from now on.
///
/// # Errors
/// The API server refuses the list. What goes wrong later comes with the stream.
pub(crate) async fn from_now(
    objects: Api<DynamicObject>,
) -> Result<impl Stream<Item = Result<WatchEvent<DynamicObject>>> + Send + 'static> {
    let list = objects.list_metadata(&ListParams::default().limit(1)).await?;
    let version = list.metadata.resource_version;
    let version = version.context("a list without resourceVersion")?;
    let mut following = Following {
        objects,
        version,
        watch: None,
    };
    // So that nothing can happen before the watch has begun.
    following.open().await?;
    Ok(futures::stream::try_unfold(following, |mut following| async {
        let event = following.next().await?;
        Ok(Some((event, following)))
    }))
}

/// A watch that goes on where the one before has ended.
struct Following {
    objects: Api<DynamicObject>,
    version: String,
    watch: Option<BoxStream<'static, kube::Result<WatchEvent<DynamicObject>>>>,
}

impl Following {
    async fn open(&mut self) -> Result<()> {
        let params = WatchParams::default();
        self.watch = Some(self.objects.watch(&params, &self.version).await?.boxed());
        Ok(())
    }

    async fn next(&mut self) -> Result<WatchEvent<DynamicObject>> {
        loop {
            let Some(watch) = &mut self.watch else {
                self.open().await?;
                continue;
            };
            match watch.try_next().await? {
                Some(WatchEvent::Error(status)) => bail!("a watch failed: {}", status.message),
                Some(event) => {
                    self.heard(&event);
                    return Ok(event);
                }
                // API servers end every watch after some minutes.
                None => self.watch = None,
            }
        }
    }

    fn heard(&mut self, event: &WatchEvent<DynamicObject>) {
        let version = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) | WatchEvent::Deleted(object) => {
                object.resource_version()
            }
            WatchEvent::Bookmark(bookmark) => Some(bookmark.metadata.resource_version.clone()),
            WatchEvent::Error(_) => None,
        };
        if let Some(version) = version {
            self.version = version;
        }
    }
}
