//! One line of a result: what was measured, ours beside its floor, and its form for machines.

use std::time::Duration;

use serde::Serialize;

use crate::process::Usage;
use crate::stats::Samples;

/// Ours and the floor, measured in one run. Serialized it is a row of the JSON that `--json` writes.
#[derive(Debug, Serialize)]
pub struct Measure {
    /// Its name, as scripts know it.
    #[serde(rename = "measure")]
    pub name: &'static str,
    /// Outhaul.
    pub ours: Figures,
    /// The least that could do the same.
    pub floor: Figures,
    /// How many samples of ours there are.
    pub samples: usize,
    /// What kind of API servers it ran on: `kubernetes` or `fake`.
    pub cluster: &'static str,
}

/// What was measured of one side; what does not apply is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90: Option<f64>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    /// Seconds for the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// Units a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_s: Option<f64>,
    /// Resident memory; KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_kib: Option<f64>,
    /// CPU of the processes that do the work; seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_s: Option<f64>,
}

impl Figures {
    /// Percentiles of single samples.
    pub fn of(samples: &Samples) -> Self {
        let percentiles = samples.percentiles();
        Self {
            p50: percentiles.map(|it| milliseconds(it.p50)),
            p90: percentiles.map(|it| milliseconds(it.p90)),
            p99: percentiles.map(|it| milliseconds(it.p99)),
            ..Self::default()
        }
    }

    /// With a time for the whole, and how many units it was for.
    #[must_use]
    pub fn whole(self, total: Duration, units: usize) -> Self {
        let total = total.as_secs_f64();
        Self {
            total: Some(total),
            per_s: Some(units as f64 / total),
            ..self
        }
    }

    /// With what its processes used.
    #[must_use]
    pub fn used(self, usage: Usage) -> Self {
        Self {
            rss_kib: Some(usage.rss_kib),
            cpu_s: Some(usage.cpu.as_secs_f64()),
            ..self
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_of_times_has_percentiles_and_nothing_else() {
        let samples = |ms| std::iter::repeat_n(Duration::from_millis(ms), 3).collect();
        let measure = Measure {
            name: "create_to_applied",
            ours: Figures::of(&samples(12)),
            floor: Figures::of(&samples(10)),
            samples: 3,
            cluster: "kubernetes",
        };
        let expected = json!({
            "measure": "create_to_applied",
            "ours": { "p50": 12.0, "p90": 12.0, "p99": 12.0 },
            "floor": { "p50": 10.0, "p90": 10.0, "p99": 10.0 },
            "samples": 3,
            "cluster": "kubernetes",
        });
        assert_eq!(serde_json::to_value(measure).unwrap(), expected);
    }

    #[test]
    fn a_row_of_a_whole_has_rate_memory_and_cpu() {
        let usage = Usage {
            cpu: Duration::from_millis(1_500),
            rss_kib: 2_048.0,
        };
        let figures = Figures::default()
            .whole(Duration::from_secs(2), 2_000)
            .used(usage);
        let expected = json!({ "total": 2.0, "per_s": 1_000.0, "rss_kib": 2_048.0, "cpu_s": 1.5 });
        assert_eq!(serde_json::to_value(figures).unwrap(), expected);
    }

    #[test]
    fn no_samples_leave_no_times() {
        assert_eq!(Figures::of(&Samples::default()), Figures::default());
    }
}
