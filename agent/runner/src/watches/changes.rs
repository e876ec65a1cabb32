//! What changes of a kind after a version, for as long as one watch lasts.

use core::time::Duration;

use futures::{Stream, StreamExt as _};
use http::Request;
use http::header::ACCEPT;
use kube::core::WatchEvent;
use outhaul_agent_core::shallow::Shallow;
use tokio::time::timeout;

use crate::cluster::{ANSWER_TIME, Cluster, Path};

/// How long the API server keeps one watch open, in seconds. It is renewed without a list.
const OPEN_FOR: &str = "290";

/// A watch that goes on after this was lost on its way, without a word: it ends here as if the API server had ended it.
const LOST_AFTER: Duration = Duration::from_secs(300);

/// An API server that goes on with a watch says so with a bookmark once a minute. One that was restored from a backup says
/// nothing to whoever asks for what comes after a version that it has not reached yet: such a
/// watch is followed by a list.
pub(super) const SILENT: Duration = Duration::from_secs(150);

/// Begins to watch what is at `path` after `version`, in the form that `accept` names, if any.
///
/// # Errors
/// The API server refuses, does not answer, or cannot be reached.
pub(super) async fn changes(
    cluster: &Cluster,
    path: Path,
    version: &str,
    accept: Option<&str>,
) -> kube::Result<impl Stream<Item = kube::Result<WatchEvent<Shallow>>> + use<>> {
    let path = path
        .query("watch", "true")
        .query("allowWatchBookmarks", "true")
        .query("timeoutSeconds", OPEN_FOR)
        .query("resourceVersion", version);
    let mut request = Request::get(path.as_str());
    if let Some(form) = accept {
        request = request.header(ACCEPT, form);
    }
    let request = request.body(Vec::new()).map_err(kube::Error::HttpError)?;
    // An API server says at once that it watches, whether anything changes or not.
    let answered = timeout(ANSWER_TIME, cluster.client.request_events(request)).await;
    let changes = answered.map_err(|late| kube::Error::Service(late.into()))??;
    Ok(changes.take_until(tokio::time::sleep(LOST_AFTER)))
}
