//! What an API server was asked, by its own count.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use kube::Client;

/// The metric of Kubernetes that counts answered requests.
const METRIC: &str = "apiserver_request_total{";

/// So many kinds of requests are told, the most frequent first.
const TOLD: usize = 10;

/// How often what was asked: `APPLY configmaps`, `PATCH releases/status`, `PUT leases 409`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests(BTreeMap<String, u64>);

impl Requests {
    /// All that the server has answered since it started, watches that ended among them.
    ///
    /// # Errors
    /// It does not show its metrics.
    pub async fn answered(client: &Client) -> Result<Self> {
        let request = http::Request::get("/metrics").body(Vec::new())?;
        let metrics = client.request_text(request).await;
        Ok(Self::read(&metrics.context("metrics of an API server")?))
    }

    fn read(metrics: &str) -> Self {
        let mut all = Self::default();
        for line in metrics.lines().filter_map(|line| line.strip_prefix(METRIC)) {
            let Some((labels, count)) = line.rsplit_once("} ") else {
                continue;
            };
            let label = |name: &str| {
                let mut pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
                let value = pairs.find_map(|(key, value)| (key == name).then_some(value));
                value.unwrap_or_default().trim_matches('"')
            };
            let mut name = format!("{} {}", label("verb"), label("resource"));
            if !label("subresource").is_empty() {
                name = format!("{name}/{}", label("subresource"));
            }
            if !label("code").starts_with('2') {
                name = format!("{name} {}", label("code"));
            }
            // Counts are floats to Prometheus, whole ones here.
            *all.0.entry(name).or_default() += count.parse::<f64>().unwrap_or_default() as u64;
        }
        all
    }

    /// Those that came after `before`.
    pub fn since(mut self, before: &Self) -> Self {
        for (name, count) in &mut self.0 {
            *count -= before.0.get(name).copied().unwrap_or_default().min(*count);
        }
        self.0.retain(|_, count| *count > 0);
        self
    }

    /// Adds those of another time.
    pub fn add(&mut self, more: Self) {
        for (name, count) in more.0 {
            *self.0.entry(name).or_default() += count;
        }
    }

    /// The most frequent, as so many for each sample.
    pub fn told(&self, samples: usize) -> String {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let each = |count: u64| count as f64 / samples as f64;
        let told = all.iter().take(TOLD);
        let told = told.map(|(name, count)| format!("{name} {:.2}", each(**count)));
        let sum = each(self.0.values().sum());
        format!("{sum:.2} requests: {}", told.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = r#"# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="secrets",scope="resource",subresource="",verb="APPLY",version="v1"} 4
"#;
    const AFTER: &str = r#"apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="secrets",scope="resource",subresource="",verb="APPLY",version="v1"} 10
apiserver_request_total{code="201",component="apiserver",dry_run="",group="",resource="secrets",scope="resource",subresource="",verb="APPLY",version="v1"} 2
apiserver_request_total{code="409",component="apiserver",dry_run="",group="openchoreo.dev",resource="releases",scope="resource",subresource="status",verb="PATCH",version="v1alpha1"} 1
apiserver_request_sli_duration_seconds_count{resource="secrets",verb="APPLY"} 12
"#;

    #[test]
    fn requests_are_told_by_verb_resource_and_what_went_wrong() {
        let since = Requests::read(AFTER).since(&Requests::read(BEFORE));
        assert_eq!(
            since.told(2),
            "4.50 requests: APPLY secrets 4.00, PATCH releases/status 409 0.50"
        );
    }

    #[test]
    fn what_was_not_asked_again_is_not_told() {
        let all = Requests::read(BEFORE);
        assert_eq!(all.clone().since(&all), Requests::default());
    }
}
