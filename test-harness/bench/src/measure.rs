//! One line of a result: what was measured, ours beside its floor, as a table for people and JSON for machines.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::stats::{Percentiles, Samples};

/// Ours and the floor, measured in one run.
#[derive(Debug)]
pub struct Measure {
    /// Its name, as scripts know it.
    pub name: &'static str,
    /// Outhaul.
    pub ours: Samples,
    /// The bare relay.
    pub floor: Samples,
    /// The bar: at most this many times the floor, at the 50th and the 99th percentile.
    pub bar: Bar,
    /// What kind of API servers it ran on.
    pub cluster: &'static str,
}

/// How far ours may be above the floor.
#[derive(Debug, Clone, Copy)]
pub struct Bar {
    /// Times the floor's median.
    pub p50: f64,
    /// Times the floor's 99th percentile.
    pub p99: f64,
}

/// The measures as a JSON array.
pub fn json(measures: &[Measure]) -> Value {
    measures.iter().map(row).collect()
}

/// The measures as a table.
pub fn table(measures: &[Measure]) -> String {
    let mut text = String::from(
        "measure              who     samples   p50 ms   p90 ms   p99 ms   x p50   x p99   bar\n",
    );
    for measure in measures {
        let (Some(ours), Some(floor)) = (measure.ours.percentiles(), measure.floor.percentiles()) else {
            continue;
        };
        let [at_p50, at_p99] = ratios(ours, floor);
        line(&mut text, measure.name, "relay", measure.floor.count(), floor, "");
        let within = if at_p50 <= measure.bar.p50 && at_p99 <= measure.bar.p99 {
            "met"
        } else {
            "MISSED"
        };
        let bar = format!(
            "{at_p50:>8.2}{at_p99:>8.2}   {within} (at most {} and {})",
            measure.bar.p50, measure.bar.p99
        );
        line(&mut text, "", "outhaul", measure.ours.count(), ours, &bar);
    }
    text
}

fn row(measure: &Measure) -> Value {
    let side = |samples: &Samples| {
        samples.percentiles().map(|Percentiles { p50, p90, p99 }| {
            let [p50, p90, p99] = [p50, p90, p99].map(milliseconds);
            json!({ "p50": p50, "p90": p90, "p99": p99 })
        })
    };
    json!({
        "measure": measure.name,
        "ours": side(&measure.ours),
        "floor": side(&measure.floor),
        "samples": measure.ours.count(),
        "cluster": measure.cluster,
    })
}

fn line(text: &mut String, name: &str, who: &str, samples: usize, times: Percentiles, rest: &str) {
    let [p50, p90, p99] = [times.p50, times.p90, times.p99].map(milliseconds);
    writeln!(
        text,
        "{name:<20} {who:<8}{samples:>7}{p50:>9.2}{p90:>9.2}{p99:>9.2}{rest}"
    )
    .expect("writing to a String cannot fail");
}

fn ratios(ours: Percentiles, floor: Percentiles) -> [f64; 2] {
    [
        milliseconds(ours.p50) / milliseconds(floor.p50),
        milliseconds(ours.p99) / milliseconds(floor.p99),
    ]
}

fn milliseconds(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn measure(ours: u64) -> Measure {
        let samples = |ms| std::iter::repeat_n(Duration::from_millis(ms), 3).collect();
        let bar = Bar { p50: 1.25, p99: 1.5 };
        Measure {
            name: "create_to_applied",
            ours: samples(ours),
            floor: samples(10),
            bar,
            cluster: "kubernetes",
        }
    }

    #[test]
    fn a_missed_bar_is_said_so() {
        assert!(table(&[measure(12)]).contains("1.20    1.20   met"));
        assert!(table(&[measure(13)]).contains("1.30    1.30   MISSED"));
    }

    #[test]
    fn json_has_a_row_per_measure() {
        let expected = json!([{
            "measure": "create_to_applied",
            "ours": { "p50": 12.0, "p90": 12.0, "p99": 12.0 },
            "floor": { "p50": 10.0, "p90": 10.0, "p99": 10.0 },
            "samples": 3,
            "cluster": "kubernetes",
        }]);
        assert_eq!(json(&[measure(12)]), expected);
    }
}
