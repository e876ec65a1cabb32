//! What the demo has shown, with times.

use std::fmt;
use std::time::Duration;

use crate::census::Comparison;

/// Times of one performance, and what became of the objects.
#[derive(Debug)]
pub struct Summary {
    /// Three clusters and the hub.
    pub started: Duration,
    /// Both agents, from their tokens to their sessions.
    pub enrolled: Duration,
    /// The first component, from its writing until its objects were in the plane and the hub knew it.
    pub first_applied: Duration,
    /// All components in development, from the writing of the first.
    pub development_ready: Duration,
    /// All components in production, from the promotion of the first.
    pub production_ready: Duration,
    /// How many components that were.
    pub components: usize,
    /// What was edited in the plane while it was cut off.
    pub edit_repaired: Duration,
    /// What was deleted in the plane while it was cut off.
    pub deletion_repaired: Duration,
    /// How long the network was cut.
    pub cut: Duration,
    /// From its healing until the hub knew that the plane runs what is desired.
    pub in_step: Duration,
    /// Objects before the cut and after it.
    pub objects: Comparison,
    /// From the word that one is to be suspended until the hub said that it is.
    pub suspended: Duration,
    /// From the word that it is to be undeployed until its objects were gone.
    pub undeployed: Duration,
    /// How many objects that were.
    pub let_go: usize,
    /// Everything.
    pub total: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let components = self.components;
        let times = [
            ("three clusters and the hub started".to_owned(), self.started),
            ("two agents enrolled and connected".to_owned(), self.enrolled),
            (
                "first component applied, status back".to_owned(),
                self.first_applied,
            ),
            (
                format!("{components} components ready in development"),
                self.development_ready,
            ),
            (
                format!("{components} components promoted to production"),
                self.production_ready,
            ),
            (
                "edit in the cut-off plane repaired".to_owned(),
                self.edit_repaired,
            ),
            (
                "deletion in the cut-off plane repaired".to_owned(),
                self.deletion_repaired,
            ),
            ("network was cut for".to_owned(), self.cut),
            ("in step again after it healed".to_owned(), self.in_step),
            ("a component suspended".to_owned(), self.suspended),
            (
                format!("undeployed, its {} objects gone", self.let_go),
                self.undeployed,
            ),
        ];
        writeln!(f, "Summary")?;
        for (what, took) in &times {
            writeln!(f, "  {what:40}{:>10}", time(*took))?;
        }
        writeln!(
            f,
            "  {:40}{:>10}",
            "objects deleted that nobody let go",
            self.objects.missing.len()
        )?;
        writeln!(f, "    ({})", self.objects)?;
        writeln!(f, "  {:40}{:>10}", "everything", time(self.total))
    }
}

/// `0.4 ms`, `38 ms`, `1.24 s`.
pub(crate) fn time(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1_000.0;
    match time.as_millis() {
        0..10 => format!("{milliseconds:.1} ms"),
        10..1_000 => format!("{milliseconds:.0} ms"),
        _ => format!("{:.2} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_a_line_of_its_own() {
        let ms = Duration::from_millis;
        let summary = Summary {
            started: ms(1),
            enrolled: ms(2),
            first_applied: ms(3),
            development_ready: ms(4),
            production_ready: ms(5),
            components: 11,
            edit_repaired: ms(6),
            deletion_repaired: ms(7),
            cut: ms(3_456),
            in_step: ms(8),
            suspended: ms(9),
            undeployed: ms(12),
            let_go: 3,
            objects: Comparison {
                kept: 45,
                replaced: vec!["Service cart in production".to_owned()],
                missing: Vec::new(),
            },
            total: ms(9_870),
        };
        let text = summary.to_string();
        for number in 1..=9 {
            assert_eq!(
                text.matches(&format!(
                    " {number}.0 ms
"
                ))
                .count(),
                1,
                "{number}: {text}"
            );
        }
        assert!(
            text.contains(" 3.46 s\n") && text.ends_with(" 9.87 s\n"),
            "{text}"
        );
        assert!(text.contains("11 components ready in development"), "{text}");
        let nothing = text
            .lines()
            .find(|line| line.contains("objects deleted that nobody let go"))
            .unwrap();
        assert!(nothing.ends_with(" 0"), "{nothing}");
    }
}
