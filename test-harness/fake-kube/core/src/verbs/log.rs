//! Logs of pods, which have no output here but what their annotation says.

use crate::cluster::{Cluster, key_of};
use crate::kind::Served;
use crate::meta;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::{Request, Target};

/// What `kubectl logs` shows of a pod.
pub const LOG_ANNOTATION: &str = "outhaul.dev/test-log";

impl Cluster {
    pub(super) fn log(&self, served: &Served, target: &Target, request: &Request) -> Result<Reply, Refusal> {
        let pod = self.existing(served, &key_of(target))?;
        let lines = meta::metadata(pod.value())
            .and_then(|m| m.get("annotations")?.get(LOG_ANNOTATION)?.as_str())
            .unwrap_or_default();
        let mut shown: Vec<&str> = lines.lines().collect();
        if let Some(tail) = request.options.tail_lines {
            shown.drain(..shown.len().saturating_sub(tail));
        }
        let text: String = shown.iter().flat_map(|line| [line, "\n"]).collect();
        Ok(Reply::text(text))
    }
}
