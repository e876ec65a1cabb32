//! An outcome for people.

use std::fmt::Write as _;

use crate::measure::{Figures, Measure};
use crate::outcome::Outcome;
use crate::process::Usage;

/// The measures as a table, what processes used, notes, and the verdicts.
pub fn text(outcome: &Outcome) -> String {
    let mut text = String::new();
    measures(&mut text, &outcome.measures);
    processes(&mut text, &outcome.processes);
    for note in &outcome.notes {
        line(&mut text, format_args!("{note}"));
    }
    line(&mut text, format_args!(""));
    for verdict in &outcome.verdicts {
        line(&mut text, format_args!("{verdict}"));
    }
    text
}

fn measures(text: &mut String, measures: &[Measure]) {
    let head = [
        "p50 ms", "p90 ms", "p99 ms", "total s", "per s", "RSS KiB", "CPU s",
    ];
    let head: String = head.iter().map(|name| format!("{name:>10}")).collect();
    line(
        text,
        format_args!("{:<18} {:<8}{:>8}{head}", "measure", "who", "samples"),
    );
    for measure in measures {
        let Measure { name, samples, .. } = measure;
        row(text, name, "floor", "", measure.floor);
        row(text, "", "outhaul", &samples.to_string(), measure.ours);
    }
}

fn row(text: &mut String, name: &str, who: &str, samples: &str, figures: Figures) {
    let Figures {
        p50,
        p90,
        p99,
        total,
        per_s,
        rss_kib,
        cpu_s,
    } = figures;
    let cells = [
        (p50, 2),
        (p90, 2),
        (p99, 2),
        (total, 3),
        (per_s, 0),
        (rss_kib, 1),
        (cpu_s, 2),
    ];
    let cells: String = cells
        .iter()
        .map(|(value, digits)| cell(*value, *digits))
        .collect();
    line(text, format_args!("{name:<18} {who:<8}{samples:>8}{cells}"));
}

fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| format!("{:>10}", "-"), |value| format!("{value:>10.digits$}"))
}

fn processes(text: &mut String, processes: &[(String, Usage)]) {
    line(
        text,
        format_args!("\n{:<22}{:>10}{:>12}   whole run", "process", "CPU s", "RSS MiB"),
    );
    for (name, usage) in processes {
        let (cpu, mib) = (usage.cpu.as_secs_f64(), usage.rss_kib / 1_024.0);
        line(text, format_args!("{name:<22}{cpu:>10.2}{mib:>12.1}"));
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::verdict::{Bar, Verdict};

    #[test]
    fn ours_stands_under_the_floor_and_the_verdict_at_the_end() {
        let outcome = Outcome {
            measures: vec![Measure {
                name: "burst_500",
                ours: Figures::default().whole(Duration::from_secs(2), 500),
                floor: Figures::default().whole(Duration::from_secs(4), 500),
                samples: 500,
                cluster: "fake",
            }],
            verdicts: vec![Verdict {
                what: "burst".to_owned(),
                value: 0.5,
                unit: "x",
                bar: Bar::AtMost(1.2),
            }],
            processes: vec![("hub".to_owned(), Usage::default())],
            notes: vec!["a note".to_owned()],
        };
        let text = text(&outcome);
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            lines[1],
            ["burst_500", "floor", "-", "-", "-", "4.000", "125", "-", "-"]
        );
        assert_eq!(
            lines[2],
            ["outhaul", "500", "-", "-", "-", "2.000", "250", "-", "-"]
        );
        assert_eq!(lines[5], ["hub", "0.00", "0.0"]);
        assert_eq!(
            text.lines().last(),
            Some("met     burst: 0.50x, bar at most 1.20x")
        );
    }
}
