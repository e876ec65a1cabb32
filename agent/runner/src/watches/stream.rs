//! One watch: a list in pages, then changes, for ever.

use core::time::Duration;

use futures::StreamExt as _;
use outhaul_agent_core::blocker::Failure;
use outhaul_agent_core::kinds::Watched;
use outhaul_agent_core::labels;
use outhaul_agent_core::retry::Retry;
use outhaul_agent_core::shallow::Shallow;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tracing::debug;

use super::WatchEvent;
use super::changes::{SILENT, changes};
use super::pauses::now;
use crate::cluster::{Cluster, Path, chain, collection};

/// Objects per page of a list.
const PAGE: &str = "250";

/// A watch that ends sooner is renewed after a wait that grows: something in between does not let it stay.
pub(super) const SHORT: Duration = Duration::from_secs(5);

/// Where a watch goes on.
#[derive(Debug)]
enum Position {
    List,
    From(String),
}

/// Watches until it is dropped. Every failure is told, and tried again after a while.
pub(super) async fn watch(
    cluster: Cluster,
    watched: Watched,
    id: u64,
    events: mpsc::Sender<(u64, WatchEvent)>,
    mut definitions: watch::Receiver<u64>,
) {
    let mut task = Task {
        cluster,
        watched,
        id,
        events,
    };
    let mut retry = Retry::default();
    let mut position = Position::List;
    loop {
        let began = now();
        match task.go_on(position).await {
            Ok(next) => {
                position = next;
                match now() < began + SHORT {
                    true => retry.failed(now()),
                    false => retry.clear(),
                }
                if let Some(until) = retry.waits_until(now()) {
                    tokio::time::sleep_until(until.into()).await;
                }
            }
            Err(Ended::Closed) => return,
            Err(Ended::Failed(failure, next)) => {
                position = next;
                debug!(watched = ?task.watched, ?failure, "A watch does not work");
                let unserved = failure.is_unserved();
                if task
                    .tell(WatchEvent::Failed(task.watched.clone(), failure))
                    .await
                    .is_err()
                {
                    return;
                }
                retry.failed(now());
                let until = retry.due().unwrap_or_else(now);
                tokio::select! {
                    () = tokio::time::sleep_until(until.into()) => {}
                    // Dropping it loses nothing: a change that comes meanwhile is seen by the next `changed`.
                    Ok(()) = definitions.changed(), if unserved => retry.clear(),
                }
            }
        }
    }
}

/// Why a watch stops.
#[derive(Debug)]
enum Ended {
    /// Nobody listens any more.
    Closed,
    /// It goes on there later.
    Failed(Failure, Position),
}

impl From<mpsc::error::SendError<(u64, WatchEvent)>> for Ended {
    fn from(_closed: mpsc::error::SendError<(u64, WatchEvent)>) -> Self {
        Self::Closed
    }
}

struct Task {
    cluster: Cluster,
    watched: Watched,
    id: u64,
    events: mpsc::Sender<(u64, WatchEvent)>,
}

impl Task {
    async fn go_on(&mut self, position: Position) -> Result<Position, Ended> {
        let path = self
            .path()
            .await
            .map_err(|failure| Ended::Failed(failure, Position::List))?;
        let from = match position {
            Position::List => self.list(&path).await?,
            Position::From(version) => version,
        };
        self.follow(&path, from).await
    }

    async fn path(&self) -> Result<Path, Failure> {
        let Watched {
            group,
            version,
            kind,
            owner,
        } = &self.watched;
        let kind = self
            .cluster
            .discovery
            .kind(&self.cluster, group, version, kind)
            .await?;
        let path = collection(group, version, &kind.plural, "");
        Ok(path.query("labelSelector", &labels::selector(*owner)))
    }

    /// Lists, and returns where changes go on.
    async fn list(&mut self, path: &Path) -> Result<String, Ended> {
        self.tell(WatchEvent::Listing(self.watched.clone())).await?;
        let mut next = String::new();
        loop {
            let mut page_path = path.clone().query("limit", PAGE);
            if !next.is_empty() {
                page_path = page_path.query("continue", &next);
            }
            let page = self.cluster.get(&page_path).await;
            let mut page = page.map_err(|failure| {
                if failure.is_unserved() {
                    self.cluster.discovery.forget(&self.watched.group);
                }
                Ended::Failed(failure, Position::List)
            })?;
            for item in items(&mut page) {
                let object = self.complete(item);
                self.tell(WatchEvent::Seen(self.watched.clone(), object)).await?;
            }
            let metadata = |field| text(&page, &["metadata", field]);
            next = metadata("continue");
            if next.is_empty() {
                let version = metadata("resourceVersion");
                self.tell(WatchEvent::Listed(self.watched.clone())).await?;
                return Ok(version);
            }
        }
    }

    /// Passes changes on until the API server ends the watch. Returns where it goes on.
    async fn follow(&mut self, path: &Path, mut version: String) -> Result<Position, Ended> {
        let changes = match changes(&self.cluster, path.clone(), &version, None).await {
            Ok(changes) => changes,
            Err(error) => return Err(self.failed(&error, version)),
        };
        let mut changes = std::pin::pin!(changes);
        let mut last_word = tokio::time::Instant::now();
        while let Some(change) = changes.next().await {
            last_word = tokio::time::Instant::now();
            use kube::core::WatchEvent as Change;
            let (object, vanished) = match change {
                Ok(Change::Added(Shallow(object)) | Change::Modified(Shallow(object))) => (object, false),
                Ok(Change::Deleted(Shallow(object))) => (object, true),
                Ok(Change::Bookmark(bookmark)) => {
                    version = bookmark.metadata.resource_version;
                    continue;
                }
                // What it knows is too old: a new list.
                Ok(Change::Error(status)) if status.code == 410 => return Ok(Position::List),
                Ok(Change::Error(status)) => {
                    let failure = Failure::Unreachable(status.message.clone());
                    return Err(Ended::Failed(failure, Position::List));
                }
                Err(error) => return Err(self.failed(&error, version)),
            };
            version = text(&object, &["metadata", "resourceVersion"]);
            let object = self.complete(object);
            self.tell(match vanished {
                false => WatchEvent::Seen(self.watched.clone(), object),
                true => WatchEvent::Vanished(self.watched.clone(), object),
            })
            .await?;
        }
        Ok(match last_word.elapsed() < SILENT {
            true => Position::From(version),
            false => Position::List,
        })
    }

    fn failed(&self, error: &kube::Error, version: String) -> Ended {
        match error {
            kube::Error::Api(status) if status.code == 410 => {
                let failure = Failure::Unreachable("the watch is too old".to_owned());
                Ended::Failed(failure, Position::List)
            }
            // What was seen stays true enough, and a list is the last thing that such a server needs.
            kube::Error::Api(status) if is_busy(status.code) => {
                let failure = Failure::Unreachable(status.message.clone());
                Ended::Failed(failure, Position::From(version))
            }
            kube::Error::Api(status) => {
                self.cluster.discovery.forget(&self.watched.group);
                Ended::Failed(crate::cluster::refused(status), Position::List)
            }
            // The same change would come again: a list goes past it.
            kube::Error::SerdeError(error) => {
                Ended::Failed(Failure::Unreadable(error.to_string()), Position::List)
            }
            error => Ended::Failed(Failure::Unreachable(chain(error)), Position::From(version)),
        }
    }

    /// Items of lists leave out what the list says once.
    fn complete(&self, mut object: Value) -> Value {
        if let Some(fields) = object.as_object_mut() {
            let Watched {
                group, version, kind, ..
            } = &self.watched;
            let api_version = match group.as_str() {
                "" => version.clone(),
                group => format!("{group}/{version}"),
            };
            fields.entry("apiVersion").or_insert_with(|| api_version.into());
            fields.entry("kind").or_insert_with(|| kind.clone().into());
        }
        object
    }

    async fn tell(&self, event: WatchEvent) -> Result<(), mpsc::error::SendError<(u64, WatchEvent)>> {
        self.events.send((self.id, event)).await
    }
}

/// Whether an API server, or what is in front of it, refuses for the moment whatever it is asked. 504 is not among these: it
/// may be about a version that has not been reached yet.
fn is_busy(code: u16) -> bool {
    matches!(code, 429 | 500 | 502 | 503)
}

fn items(page: &mut Value) -> Vec<Value> {
    match page.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn text(value: &Value, path: &[&str]) -> String {
    let found = path.iter().try_fold(value, |value, field| value.get(field));
    found.and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod chaos;

#[cfg(test)]
mod tests {
    use outhaul_fake_kube_server::{FakeKube, Fault, FaultRule, Options, Verb};
    use outhaul_protocol_wire::head::BundleKind;

    use super::*;

    async fn task() -> (FakeKube, Task) {
        let options = Options {
            in_process: true,
            ..Options::default()
        };
        let kube = FakeKube::start(options).await.unwrap();
        let (events, _) = mpsc::channel(64);
        let task = Task {
            cluster: Cluster::new(kube.client()),
            watched: Watched {
                group: String::new(),
                version: "v1".to_owned(),
                kind: "ConfigMap".to_owned(),
                owner: BundleKind::Release,
            },
            id: 0,
            events,
        };
        (kube, task)
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_meets_a_busy_server_goes_on_where_it_was() {
        for (fault, goes_on) in [
            (Fault::InternalError, true),
            (Fault::TooManyRequests { retry_after: 1 }, true),
            (Fault::NotServed, false),
            (Fault::Forbidden, false),
        ] {
            let (kube, mut task) = task().await;
            let path = task.path().await.unwrap();
            kube.inject(FaultRule::always(fault.clone()).on_verb(Verb::Watch));
            let ended = task.follow(&path, "7".to_owned()).await;
            match (&ended, goes_on) {
                (Err(Ended::Failed(failure, Position::From(version))), true)
                    if version == "7" && failure.tells_nothing() => {}
                (Err(Ended::Failed(_, Position::List)), false) => {}
                _ => panic!("{fault:?}: {ended:?}"),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_without_an_answer_is_given_up_like_any_request() {
        let (kube, mut task) = task().await;
        let path = task.path().await.unwrap();
        kube.inject(FaultRule::always(Fault::NoAnswer).on_verb(Verb::Watch));
        let began = tokio::time::Instant::now();
        let ended = task.follow(&path, "7".to_owned()).await;
        assert!(
            matches!(ended, Err(Ended::Failed(_, Position::From(_)))),
            "{ended:?}"
        );
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_of_a_server_that_is_behind_is_followed_by_a_list() {
        let (_kube, mut task) = task().await;
        let (events, _heard) = mpsc::channel(64);
        task.events = events;
        let path = task.path().await.unwrap();
        let next = task.follow(&path, "99999999".to_owned()).await;
        assert!(matches!(next, Ok(Position::List)), "{next:?}");
        let version = task.list(&path).await.unwrap();
        let next = task.follow(&path, version).await;
        assert!(matches!(next, Ok(Position::From(_))), "{next:?}");
    }
}
